//! Directories: connecting identity providers, their settings and API keys (`wit/directories.wit`).
//!
//! | module | what it holds |
//! |---|---|
//! | `conflicts` | groups that were left apart from a local organization of their name |
//! | `unlinked` | users that are linked to no customer |
//! | `groups` | one group against its organization |

pub mod conflicts;
pub mod groups;
pub mod unlinked;

pub(crate) mod activity;
pub(crate) mod api_key;
mod notices;
mod status;

use alloc::string::{String, ToString};
use alloc::vec::Vec;

pub use self::activity::{ChangeCount, Hour, LoggedRequest};
use self::notices::{forget_notice, remove_key, store_key};
pub use self::notices::{next_notice, notify};
pub use self::status::{DirectoryStatus, KeyStatus, LogPage, State, age_log};
use self::status::{ease_hold, forget_status};
use crate::engine::{Engine, Moment};
use crate::language::error::{Error as Failure, Status};
use crate::names;
use crate::site::{self, Work, organizations};
use crate::storage::Entry;
use crate::store::records::{self, ApiKeyRecord, ChangeRecord, Counts, Detail, DirectoryRecord, Subject, Sweep, Twin};
pub use crate::store::records::{ConflictPolicy, EmailChange, EmailPresence, UnknownMembers};
use crate::store::{Transaction, keys, prefix_range};
use crate::twins;

/// How many directories a page may have.
const MAX_PAGE: u32 = 1_000;

/// How many working keys a directory may have: the current one, those that overlap with it, and room for mistakes.
const MAX_KEYS: usize = 20;

/// The longest name of an administrator that goes into the change feed, in bytes.
const MAX_ACTOR_BYTES: usize = 200;

/// Why a call did nothing. The texts of the first three may be shown to the administrator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no such directory or key.
    #[error("{0}")]
    NotFound(String),
    /// A value cannot be taken.
    #[error("{0}")]
    Invalid(String),
    /// The state of things forbids it.
    #[error("{0}")]
    Refused(String),
    /// The storage did not do its part.
    #[error("{0}")]
    Unavailable(String),
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure.status {
            Status::NotFound => Error::NotFound(failure.detail.into_owned()),
            Status::Conflict => Error::Refused(failure.detail.into_owned()),
            Status::Unavailable => Error::Unavailable(failure.into_log()),
            _ => Error::Other(failure.into_log()),
        }
    }
}

impl From<site::Error> for Error {
    fn from(error: site::Error) -> Self {
        match error {
            site::Error::NotFound(detail) => Error::NotFound(detail),
            site::Error::Invalid(detail) => Error::Invalid(detail),
            site::Error::Taken(detail) | site::Error::Managed(detail) | site::Error::Refused(detail) => {
                Error::Refused(detail)
            }
            site::Error::Unavailable(detail) => Error::Unavailable(detail),
            site::Error::Other(detail) => Error::Other(detail),
        }
    }
}

impl Error {
    fn no_such_cursor() -> Self {
        Error::Invalid("the cursor is not one that a page named".to_string())
    }
}

/// The settings of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The name, 1 to 200 characters, unique on the site without regard to case.
    pub name: String,
    /// What a change of email does.
    pub email_change: EmailChange,
    /// Whether every user needs an email address.
    pub email: EmailPresence,
    /// What unknown members do.
    pub unknown_members: UnknownMembers,
    /// What a group does that is first pushed with the name of a local organization.
    pub conflict_policy: ConflictPolicy,
    /// How long the members that an adopted organization had before are members still, in seconds.
    pub adoption_grace_seconds: u32,
    /// How many deletions and deactivations an hour may have before the rest is held until an administrator releases
    /// them; none is no limit.
    pub deletion_limit: Option<u32>,
    /// Whether writes are checked and answered as if they were done, and not applied.
    pub dry_run: bool,
}

/// The settings to change; what is none stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SettingsUpdate {
    /// A new name.
    pub name: Option<String>,
    /// What a change of email does from now on.
    pub email_change: Option<EmailChange>,
    /// Whether every user needs an email address from now on.
    pub email: Option<EmailPresence>,
    /// What unknown members do from now on.
    pub unknown_members: Option<UnknownMembers>,
    /// What groups do from now on that are first pushed with the name of a local organization.
    pub conflict_policy: Option<ConflictPolicy>,
    /// How long the former members of organizations that are adopted from now on stay, in seconds.
    pub adoption_grace_seconds: Option<u32>,
    /// How many deletions and deactivations an hour may have from now on; some none takes the limit away. That lifts a hold,
    /// as does a higher limit to which those of the last hour have not come.
    pub deletion_limit: Option<Option<u32>>,
    /// Whether writes are not applied from now on.
    pub dry_run: Option<bool>,
}

/// A connected directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directory {
    /// Its id.
    pub id: String,
    /// The path of its SCIM base URL.
    pub scim_path: String,
    /// Its settings.
    pub settings: Settings,
    /// When it was connected, in milliseconds since the Unix epoch.
    pub created_at: u64,
    /// How many users it has.
    pub users: u64,
    /// How many groups it has.
    pub groups: u64,
    /// How many memberships its groups have in all.
    pub memberships: u64,
    /// How many of its users are linked to no customer.
    pub unlinked: u64,
    /// How many conflicts of its groups are open.
    pub conflicts: u64,
}

/// An API key without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Its id.
    pub id: String,
    /// When it was issued, in milliseconds since the Unix epoch.
    pub created_at: u64,
    /// When it stops working, likewise.
    pub expires_at: u64,
}

/// An API key with its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedKey {
    /// The bearer token.
    pub api_key: String,
    /// The same key without its secret.
    pub key: Key,
}

/// What connecting yields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connected {
    /// The directory.
    pub directory: Directory,
    /// Its first key.
    pub key: IssuedKey,
}

/// One page of directories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The directories, in the order in which they were connected.
    pub values: Vec<Directory>,
    /// What to pass for the next page.
    pub next: Option<String>,
}

type Result<T> = core::result::Result<T, Error>;

/// Who makes a change, and when.
struct Admin {
    actor: String,
    now: Moment,
}

impl Admin {
    fn new(engine: &Engine<'_>, actor: &str) -> Result<Self> {
        if actor.is_empty() || actor.len() > MAX_ACTOR_BYTES {
            return Err(Error::Invalid(alloc::format!("the actor must be 1 to {MAX_ACTOR_BYTES} bytes long")));
        }
        Ok(Admin { actor: alloc::format!("admin:{actor}"), now: engine.now() })
    }

    fn record(&self, transaction: &mut Transaction, kind: &str, detail: Detail) {
        transaction.record(ChangeRecord {
            at: self.now.milliseconds,
            actor: self.actor.clone(),
            request: None,
            kind: kind.to_string(),
            detail,
        });
    }
}

impl Engine<'_> {
    /// Connects a directory and issues its first key, valid for one year.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a name that is too short or long, [`Error::Refused`] for one that is taken.
    pub fn connect(&self, actor: &str, settings: &Settings) -> Result<Connected> {
        let admin = Admin::new(self, actor)?;
        let id = self.new_id(&admin.now);
        let (api_key, key_id, key) = api_key::issue(self, &admin.now);
        let record = DirectoryRecord {
            name: checked_name(&settings.name)?,
            created: admin.now.milliseconds,
            email_change: settings.email_change,
            email: settings.email,
            unknown_members: settings.unknown_members,
            conflict_policy: settings.conflict_policy,
            adoption_grace: settings.adoption_grace_seconds,
            deletion_limit: settings.deletion_limit,
            dry_run: settings.dry_run,
            twin: None,
        };
        self.write(|transaction| {
            claim_name(transaction, &id, &record.name)?;
            transaction.put(keys::directory(&id), records::write(&record));
            transaction.put(keys::counts(&id), records::write(&Counts::default()));
            store_key(transaction, &id, &key_id, &key);
            admin.record(transaction, "directory.connected", of_directory(&id));
            admin.record(transaction, "key.issued", of_key(&id, &key_id));
            Ok::<_, Error>(())
        })?;
        Ok(Connected {
            directory: describe(id, record, Counts::default()),
            key: IssuedKey { api_key, key: describe_key(key_id, &key) },
        })
    }

    /// The connected directories, oldest first.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a limit or cursor that cannot be.
    pub fn directories(&self, cursor: Option<&str>, limit: u32) -> Result<Page> {
        self.read(|transaction| {
            let (entries, next) = scan_ids(transaction, keys::ALL_DIRECTORIES, cursor, limit)?;
            let counts =
                transaction.get_many(entries.iter().map(|entry| keys::counts(keys::id_of(&entry.key))).collect())?;
            let mut values = Vec::with_capacity(entries.len());
            for (entry, counts) in entries.iter().zip(counts) {
                let id = keys::id_of(&entry.key).to_string();
                let counts = read_counts(&id, counts)?;
                values.push(describe(id, records::read(&entry.key, &entry.value)?, counts));
            }
            Ok(Page { values, next })
        })
    }

    /// One directory.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn directory(&self, id: &str) -> Result<Directory> {
        self.read(|transaction| {
            let record = load(transaction, id)?;
            let counts = transaction.get(keys::counts(id))?;
            Ok(describe(id.to_string(), record, read_counts(id, counts)?))
        })
    }

    /// Changes settings.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Invalid`] and [`Error::Refused`] as for [`connect`](Self::connect).
    pub fn update_directory(&self, actor: &str, id: &str, update: &SettingsUpdate) -> Result<Directory> {
        let admin = Admin::new(self, actor)?;
        let name = update.name.as_deref().map(checked_name).transpose()?;
        self.write(|transaction| {
            let old = load(transaction, id)?;
            let counts = transaction.get(keys::counts(id))?;
            let counts = read_counts(id, counts)?;
            let mut new = DirectoryRecord {
                name: name.clone().unwrap_or_else(|| old.name.clone()),
                created: old.created,
                email_change: update.email_change.unwrap_or(old.email_change),
                email: update.email.unwrap_or(old.email),
                unknown_members: update.unknown_members.unwrap_or(old.unknown_members),
                conflict_policy: update.conflict_policy.unwrap_or(old.conflict_policy),
                adoption_grace: update.adoption_grace_seconds.unwrap_or(old.adoption_grace),
                deletion_limit: update.deletion_limit.unwrap_or(old.deletion_limit),
                dry_run: update.dry_run.unwrap_or(old.dry_run),
                twin: old.twin,
            };
            if new != old {
                if keys::directory_name(&new.name) != keys::directory_name(&old.name) {
                    claim_name(transaction, id, &new.name)?;
                    drop_name(transaction, id, &old.name, new.twin.take())?;
                }
                ease_hold(transaction, id, old.deletion_limit, new.deletion_limit, admin.now.milliseconds)?;
                transaction.put(keys::directory(id), records::write(&new));
                let changed = Detail { changed: changed_settings(&old, &new), ..of_directory(id) };
                admin.record(transaction, "directory.updated", changed);
            }
            Ok(describe(id.to_string(), new, counts))
        })
    }

    /// Disconnects a directory. Its keys stop at once and its SCIM resources are gone. The customers and organizations that
    /// it managed become local; with `remove`, they are out of sight and without access at once, their names and addresses
    /// are free, and upkeep deletes them step by step.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn disconnect(&self, actor: &str, id: &str, remove: bool) -> Result<()> {
        let admin = Admin::new(self, actor)?;
        self.write(|transaction| {
            let record = load(transaction, id)?;
            let Admin { actor, now } = &admin;
            // What stays is what is there now, and a grace or probation that has passed does not come back.
            organizations::settle_due(&mut Work { transaction, now, actor, request: None, settings: None })?;
            transaction.delete(keys::directory(id));
            drop_name(transaction, id, &record.name, record.twin)?;
            for (key_id, key) in load_keys(transaction, id)? {
                forget_notice(transaction, id, &key_id, &key);
            }
            forget_status(transaction, id)?;
            let (sweep, kind) = if remove {
                (Sweep::Removal, "directory.removed")
            } else {
                (Sweep::Directory, "directory.disconnected")
            };
            transaction.put(keys::sweep(id, id), records::write(&sweep));
            admin.record(transaction, kind, of_directory(id));
            Ok(())
        })
    }

    /// The keys of a directory that work, oldest first.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn keys(&self, id: &str) -> Result<Vec<Key>> {
        let now = self.now().milliseconds;
        self.read(|transaction| {
            load(transaction, id)?;
            let records = load_keys(transaction, id)?;
            Ok(records
                .into_iter()
                .filter(|(_, record)| now < record.expires)
                .map(|(key, record)| describe_key(key, &record))
                .collect())
        })
    }

    /// Issues a new key and lets those that worked until now stop after the overlap.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Refused`] where too many keys still work.
    pub fn rotate_key(&self, actor: &str, id: &str, overlap_seconds: u32) -> Result<IssuedKey> {
        let admin = Admin::new(self, actor)?;
        let now = admin.now.milliseconds;
        let end_of_overlap = now.saturating_add(u64::from(overlap_seconds) * 1_000);
        let (api_key, key_id, key) = api_key::issue(self, &admin.now);
        self.write(|transaction| {
            load(transaction, id)?;
            let mut working = 0;
            for (old_id, old) in load_keys(transaction, id)? {
                remove_key(transaction, id, &old_id, &old);
                let expires = old.expires.min(end_of_overlap);
                if expires > now {
                    working += 1;
                    let notice = if expires == old.expires { old.notice } else { next_notice(expires, now) };
                    store_key(transaction, id, &old_id, &ApiKeyRecord { expires, notice, ..old });
                }
            }
            if working >= MAX_KEYS {
                return Err(Error::Refused(alloc::format!("{MAX_KEYS} keys still work; revoke some first")));
            }
            store_key(transaction, id, &key_id, &key);
            admin.record(transaction, "key.issued", of_key(id, &key_id));
            Ok(())
        })?;
        Ok(IssuedKey { api_key, key: describe_key(key_id, &key) })
    }

    /// Revokes a key at once.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn revoke_key(&self, actor: &str, id: &str, key_id: &str) -> Result<()> {
        let admin = Admin::new(self, actor)?;
        self.write(|transaction| {
            load(transaction, id)?;
            let missing = || Error::NotFound("the directory has no such key".to_string());
            if !keys::is_id(key_id) {
                return Err(missing());
            }
            let at = keys::api_key(id, key_id);
            let record = transaction.get(at.clone())?.ok_or_else(missing)?;
            remove_key(transaction, id, key_id, &records::read(&at, &record)?);
            admin.record(transaction, "key.revoked", of_key(id, key_id));
            Ok(())
        })
    }
}

impl Engine<'_> {
    /// Runs `work` for an administrator in a directory and commits it, with what the directory has then.
    fn directory_write<T>(
        &self,
        actor: &str,
        id: &str,
        mut work: impl FnMut(&mut Work<'_>, &mut Counts) -> Result<T>,
    ) -> Result<T> {
        let admin = Admin::new(self, actor)?;
        self.write(|transaction| {
            load(transaction, id)?;
            let [counts, settings] =
                two(transaction.get_many(alloc::vec![keys::counts(id), keys::SITE_SETTINGS_KEY.to_string()])?);
            let stored = read_counts(id, counts)?;
            let mut counts = stored;
            let (Admin { actor, now }, settings) = (&admin, settings.as_deref());
            let done = work(&mut Work { transaction, now, actor, request: None, settings }, &mut counts)?;
            if counts != stored {
                transaction.put(keys::counts(id), records::write(&counts));
            }
            Ok(done)
        })
    }
}

/// A page of the keys that begin with a prefix and end in an id, with their values, and what to go on behind.
fn scan_ids(
    transaction: &mut Transaction,
    prefix: &str,
    cursor: Option<&str>,
    limit: u32,
) -> Result<(Vec<Entry>, Option<String>)> {
    if !(1..=MAX_PAGE).contains(&limit) {
        return Err(Error::Invalid(alloc::format!("the limit must be 1 to {MAX_PAGE}")));
    }
    if cursor.is_some_and(|cursor| !keys::is_id(cursor)) {
        return Err(Error::Invalid("the cursor is not one that a page named".to_string()));
    }
    let mut range = prefix_range(prefix, limit + 1);
    if let Some(cursor) = cursor {
        range.start = keys::after(&(prefix.to_string() + cursor));
    }
    let mut entries = transaction.scan(&range)?;
    let more = entries.len() > limit as usize;
    entries.truncate(limit as usize);
    let next = entries.last().filter(|_| more).map(|last| keys::id_of(&last.key).to_string());
    Ok((entries, next))
}

fn load(transaction: &mut Transaction, id: &str) -> Result<DirectoryRecord> {
    let missing = || Error::NotFound("there is no such directory".to_string());
    if !keys::is_id(id) {
        return Err(missing());
    }
    let key = keys::directory(id);
    let record = transaction.get(key.clone())?;
    Ok(records::read(&key, &record.ok_or_else(missing)?)?)
}

fn two(mut values: Vec<Option<String>>) -> [Option<String>; 2] {
    let second = values.pop().flatten();
    [values.pop().flatten(), second]
}

fn check_limit(limit: u32) -> Result<()> {
    if (1..=MAX_PAGE).contains(&limit) {
        return Ok(());
    }
    Err(Error::Invalid(alloc::format!("the limit must be 1 to {MAX_PAGE}")))
}

fn load_keys(transaction: &mut Transaction, id: &str) -> Result<Vec<(String, ApiKeyRecord)>> {
    // Expired keys are removed whenever a new one is issued, so twice the number of working ones is never reached.
    let entries = transaction.scan(&prefix_range(&keys::api_keys(id), 2 * MAX_KEYS as u32))?;
    entries
        .into_iter()
        .map(|entry| Ok((keys::id_of(&entry.key).to_string(), records::read(&entry.key, &entry.value)?)))
        .collect()
}

fn claim_name(transaction: &mut Transaction, id: &str, name: &str) -> Result<()> {
    let key = keys::directory_name(name);
    if transaction.get(key.clone())?.is_some_and(|holder| holder != id) {
        return Err(Error::Refused("another directory has this name".to_string()));
    }
    transaction.put(key, id);
    Ok(())
}

/// Takes the name of a directory out of the index; where two have it, it is the other one's from now on.
fn drop_name(transaction: &mut Transaction, id: &str, name: &str, twin: Option<Twin>) -> Result<()> {
    let key = keys::directory_name(name);
    match twin {
        None => transaction.delete(key),
        Some(twin) => drop(twins::part(transaction, None, &Subject::Directory(id.to_string()), twin, key)?),
    }
    Ok(())
}

fn checked_name(name: &str) -> Result<String> {
    match names::fault(name) {
        None => Ok(name.trim().to_string()),
        Some(fault) => Err(Error::Invalid(alloc::format!("the name {fault}"))),
    }
}

fn changed_settings(old: &DirectoryRecord, new: &DirectoryRecord) -> Vec<String> {
    [
        ("name", old.name != new.name),
        ("emailChange", old.email_change != new.email_change),
        ("email", old.email != new.email),
        ("unknownMembers", old.unknown_members != new.unknown_members),
        ("conflictPolicy", old.conflict_policy != new.conflict_policy),
        ("adoptionGraceSeconds", old.adoption_grace != new.adoption_grace),
        ("deletionLimit", old.deletion_limit != new.deletion_limit),
        ("dryRun", old.dry_run != new.dry_run),
    ]
    .into_iter()
    .filter(|(_, changed)| *changed)
    .map(|(name, _)| name.to_string())
    .collect()
}

fn read_counts(id: &str, counts: Option<String>) -> Result<Counts> {
    let key = keys::counts(id);
    Ok(records::read(&key, &counts.ok_or_else(|| records::corrupt(&key))?)?)
}

fn of_directory(id: &str) -> Detail {
    Detail { directory: Some(id.to_string()), ..Detail::default() }
}

fn of_key(id: &str, key: &str) -> Detail {
    Detail { key: Some(key.to_string()), ..of_directory(id) }
}

fn describe(id: String, record: DirectoryRecord, counts: Counts) -> Directory {
    Directory {
        scim_path: crate::scim::base_path(&id),
        id,
        settings: Settings {
            name: record.name,
            email_change: record.email_change,
            email: record.email,
            unknown_members: record.unknown_members,
            conflict_policy: record.conflict_policy,
            adoption_grace_seconds: record.adoption_grace,
            deletion_limit: record.deletion_limit,
            dry_run: record.dry_run,
        },
        created_at: record.created,
        users: counts.users,
        groups: counts.groups,
        memberships: counts.memberships,
        unlinked: counts.unlinked,
        conflicts: counts.conflicts,
    }
}

fn describe_key(id: String, record: &ApiKeyRecord) -> Key {
    Key { id, created_at: record.created, expires_at: record.expires }
}
