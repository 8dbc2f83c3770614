//! One request's work in a directory: its transaction, and what is known of the request and the directory.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::notes::RequestNotes;
use crate::directories::activity::StatusRecord;
use crate::directories::api_key::Token;
use crate::engine::{Engine, Moment};
use crate::json::{Object, Value};
use crate::language::error::{Error, RefusedKey, Result, Status};
use crate::language::patch::Effort;
use crate::site::settings;
use crate::store::blocks::Ids;
use crate::store::feed::{ChangeKind, Detail};
use crate::store::keys::{self, Kind};
use crate::store::records::{self, ApiKeyRecord, Counts, DirectoryRecord, HeldRecord, Stored};
use crate::store::{self, Savepoint, Transaction, counts};
use crate::work::Work;

/// What stays the same during a request.
#[derive(Debug, Clone)]
pub struct RequestContext<'r> {
    /// The id of the directory, from the path. It has the form of an id, but there may be no such directory.
    pub directory: &'r str,
    /// The key that came with the request.
    pub token: Token<'r>,
    /// The SCIM base URL as the client wrote it, without a slash at its end.
    pub base: String,
    /// The id of the request.
    pub request: Option<&'r str>,
    /// The HTTP method, as it goes into the log.
    pub method: String,
    /// The path below the base URL, likewise.
    pub path: String,
    /// The query and the body, of which the log keeps what it may.
    pub query: Option<&'r str>,
    /// See `query`.
    pub body: Option<&'r str>,
    /// When the request came.
    pub now: Moment,
    /// Who makes the changes, as the change feed names them.
    pub actor: String,
}

/// One request's transaction in the directory to which its key gives access.
pub struct Scope<'r> {
    /// The transaction.
    pub transaction: &'r mut Transaction,
    /// What stays the same during the request.
    pub context: &'r RequestContext<'r>,
    /// The directory's settings.
    pub settings: DirectoryRecord,
    /// How many users, groups and memberships the directory has.
    pub counts: Counts,
    /// What the directory remembers about its requests.
    pub status: StatusRecord,
    /// How many deletions and deactivations the request has made that count against the directory's limit.
    pub deletions: u32,
    /// Those that it wanted and that are held, each with its id. They stay when the work is undone.
    pub held: Vec<(String, HeldRecord)>,
    /// How much may still be tried and compared for the request. This stays when the work is undone.
    pub effort: Effort,
    /// What is to be noted about the request in the log.
    pub notes: RequestNotes,
    stored_counts: Counts,
    site_settings: Option<String>,
}

/// A point to which [`Scope::undo_since`] can go back.
#[derive(Debug, Clone)]
pub struct Before {
    savepoint: Savepoint,
    counts: Counts,
    deletions: u32,
    listed_held: u32,
    notes: usize,
}

impl<'r> Scope<'r> {
    /// Opens the directory with the request's key.
    ///
    /// # Errors
    /// 401 for a directory or key that is not there, does not fit or has expired, all with the same words: whoever has
    /// no key learns nothing.
    pub fn open(transaction: &'r mut Transaction, context: &'r RequestContext<'r>) -> Result<Self> {
        let (mut scope, status) = Self::open_to_read(transaction, context)?;
        if let Some(text) = status {
            scope.status = records::read(&keys::status(context.directory), &text)?;
        }
        Ok(scope)
    }

    /// The same for a request that only reads: what the directory remembers about its requests is returned as it is
    /// stored, and not in the scope.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_to_read(
        transaction: &'r mut Transaction,
        context: &'r RequestContext<'r>,
    ) -> Result<(Self, Option<String>)> {
        let counts_key = keys::counts(context.directory);
        let more = [keys::SITE_SETTINGS_KEY.to_string(), counts_key.clone(), keys::status(context.directory)];
        let (settings, [site_settings, counts, status]) = admit(transaction, context, more)?;
        let settings = records::read(&keys::directory(context.directory), &settings)?;
        let counts: Counts = records::read(&counts_key, &counts.ok_or_else(|| store::Error::corrupt(&counts_key))?)?;
        let notes = RequestNotes::default();
        let stored_counts = counts.clone();
        let scope = Scope {
            transaction,
            context,
            settings,
            counts,
            status: StatusRecord::default(),
            deletions: 0,
            held: Vec::new(),
            effort: Effort::default(),
            notes,
            stored_counts,
            site_settings,
        };
        Ok((scope, status))
    }

    /// The limits of the site.
    ///
    /// # Errors
    /// Where its settings cannot be read.
    pub fn limits(&self) -> store::Result<settings::Numbers> {
        settings::numbers(self.site_settings.as_deref())
    }

    /// Writes what belongs to no single resource, before the transaction commits.
    pub fn finish(self) {
        if self.counts != self.stored_counts {
            self.transaction.put(keys::counts(self.context.directory), records::write(&self.counts));
        }
    }

    /// Where the work is now, to go back to when one operation of several fails.
    #[must_use]
    pub fn savepoint(&self) -> Before {
        Before {
            savepoint: self.transaction.savepoint(),
            counts: self.counts.clone(),
            deletions: self.deletions,
            listed_held: self.status.listed_held,
            notes: self.notes.texts.len(),
        }
    }

    /// Undoes everything since that point.
    pub fn undo_since(&mut self, before: Before) {
        self.transaction.undo_since(before.savepoint);
        self.counts = before.counts;
        self.deletions = before.deletions;
        self.status.listed_held = before.listed_held;
        self.notes.texts.truncate(before.notes);
    }

    /// The directory's id.
    #[must_use]
    pub fn directory(&self) -> &'r str {
        self.context.directory
    }

    /// The resource of this id.
    ///
    /// # Errors
    /// 404.
    pub fn load(&mut self, kind: Kind, id: &str) -> Result<Stored> {
        self.find(kind, id)?.ok_or_else(|| no_such(kind))
    }

    /// The resource of this id, if there is one.
    ///
    /// # Errors
    /// Where the storage fails.
    pub fn find(&mut self, kind: Kind, id: &str) -> store::Result<Option<Stored>> {
        Ok(self.find_many(kind, &[id])?.pop().flatten())
    }

    /// The resources of these ids, in the same order.
    ///
    /// # Errors
    /// Where the storage fails.
    pub fn find_many<T: AsRef<str>>(&mut self, kind: Kind, ids: &[T]) -> store::Result<Vec<Option<Stored>>> {
        // A text without the form of an id belongs to nothing here, and must not get into a key.
        let known: Vec<String> = ids
            .iter()
            .map(AsRef::as_ref)
            .filter(|id| keys::is_id(id))
            .map(|id| kind.resource(self.context.directory, id))
            .collect();
        let mut values = self.transaction.get_many(known)?.into_iter();
        ids.iter()
            .map(AsRef::as_ref)
            .map(|id| {
                if !keys::is_id(id) {
                    return Ok(None);
                }
                let key = || kind.resource(self.context.directory, id);
                values.next().flatten().map(|text| Stored::read(&key(), text)).transpose()
            })
            .collect()
    }

    /// The attributes of a resource, those of a user with its status, whether that is stored among them or not.
    ///
    /// # Errors
    /// Where the stored value cannot be read.
    pub fn attributes<'s>(&self, kind: Kind, id: &str, stored: &'s Stored) -> Result<Object<'s>> {
        let mut attributes = stored.attributes(&kind.resource(self.directory(), id))?;
        if kind == Kind::User && attributes.get("active").is_none() {
            attributes.push("active", Value::Bool(!stored.header.inactive));
        }
        Ok(attributes)
    }

    /// Stores a resource.
    pub fn store(&mut self, kind: Kind, id: &str, stored: &Stored) {
        self.transaction.put(kind.resource(self.context.directory, id), stored.text());
    }

    /// Counts a resource that is new, once it is stored.
    ///
    /// # Errors
    /// Where the storage fails.
    pub fn count_in(&mut self, kind: Kind, id: &str) -> store::Result<()> {
        counts::add(self.transaction, &mut self.counts, Ids { directory: self.context.directory, kind }, id)
    }

    /// Counts a resource fewer.
    ///
    /// # Errors
    /// Where the storage fails.
    pub fn count_out(&mut self, kind: Kind, id: &str) -> store::Result<()> {
        counts::remove(self.transaction, &mut self.counts, Ids { directory: self.context.directory, kind }, id)
    }

    /// Adds an entry to the change feed.
    pub fn record(&mut self, change: ChangeKind, detail: Detail) {
        let directory = Some(self.context.directory.to_string());
        self.work().record(change, Detail { directory, ..detail });
    }

    /// The same transaction, for work on the site.
    pub fn work(&mut self) -> Work<'_> {
        Work {
            transaction: self.transaction,
            now: &self.context.now,
            actor: &self.context.actor,
            request: self.context.request,
            settings: self.site_settings.as_deref(),
        }
    }

    /// The URL of a resource.
    #[must_use]
    pub fn location(&self, kind: Kind, id: &str) -> String {
        kind.location(&self.context.base, id)
    }
}

/// Lets a request in if it has a key that works here.
///
/// # Errors
/// 401: the request has no key that works here.
pub fn authenticate(engine: &Engine<'_>, context: &RequestContext<'_>) -> Result<()> {
    engine.read(|transaction| admit(transaction, context, []).map(drop))
}

/// Checks the request's key. Returns the record of the directory, and the values of the keys in `more`, which are read
/// at the same time.
fn admit<const N: usize>(
    transaction: &mut Transaction,
    context: &RequestContext<'_>,
    more: [String; N],
) -> Result<(String, [Option<String>; N])> {
    let key = keys::api_key(context.directory, context.token.id);
    let first = [keys::directory(context.directory), key.clone()];
    let mut values = transaction.get_many(first.into_iter().chain(more).collect())?.into_iter();
    let mut next = || values.next().flatten();
    let (Some(directory), record) = (next(), next()) else { return Err(unauthorized()) };
    let record: Option<ApiKeyRecord> = record.map(|record| records::read(&key, &record)).transpose()?;
    let now = context.now.milliseconds;
    if !record.as_ref().is_some_and(|record| context.token.opens(record, now)) {
        let expired = record.is_some_and(|record| context.token.is_of(&record));
        return Err(refused_key(context.directory, expired));
    }
    Ok((directory, core::array::from_fn(|_| next())))
}

/// 401 for a request that has no key at all. Looks whether there is such a directory, as for one that has.
#[must_use]
pub fn without_key(engine: &Engine<'_>, directory: &str) -> Error {
    let found = engine.read(|transaction| transaction.get(keys::directory(directory)));
    match found {
        Ok(Some(_)) => refused_key(directory, false),
        Ok(None) => unauthorized(),
        Err(error) => error.into(),
    }
}

/// 401 with what the host is to know: the client is told the same as ever.
fn refused_key(directory: &str, expired: bool) -> Error {
    let refused_key = Some(RefusedKey { directory: directory.to_string(), expired });
    Error { refused_key, ..unauthorized() }
}

/// 401: the request has no key that works here.
#[must_use]
pub fn unauthorized() -> Error {
    Error::new(
        Status::Unauthorized,
        "a bearer token is needed that is an API key of this directory and has not expired",
    )
}

/// 404 for a resource.
#[must_use]
pub fn no_such(kind: Kind) -> Error {
    Error::not_found(match kind {
        Kind::User => "there is no such user in this directory",
        Kind::Group => "there is no such group in this directory",
    })
}
