//! The change feed (`wit/changes.wit`). Entries are numbered and written by the transaction when it
//! commits.
//!
//! ```
//! # mod host { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/host/provided.rs")); }
//! # use usher_engine::Engine;
//! use usher_engine::changes::Filter;
//! # let (storage, environment) = (host::Memory::default(), host::System);
//! # let engine = Engine::new(&storage, &environment);
//! engine.connect("ada", &host::settings("Entra ID"))?;
//! let kinds: Vec<String> = engine.changes(0, 100)?.into_iter().map(|change| change.kind).collect();
//! assert_eq!(kinds, ["directory.connected", "key.issued"]);
//! // The next read begins after the last change that was seen.
//! assert!(engine.changes(2, 100)?.is_empty());
//! // Or what is asked for is looked for among them.
//! let filter = Filter { kinds: vec!["key.issued".into()], actor: Some("admin:ada".into()), ..Filter::default() };
//! let part = engine.changes_among(0, &filter, 100)?;
//! assert_eq!((part.changes.len(), part.position, part.more), (1, 2, false));
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde::Serialize;

use crate::engine::Engine;
use crate::invalid::Invalid;
use crate::json;
use crate::storage::Entry;
pub use crate::store::feed::ChangeKind;
use crate::store::feed::{ChangeRecord, Detail};
use crate::store::pages::check_limit;
use crate::store::records::{self, UnlinkedReason};
use crate::store::{self, keys, prefix_range};
use crate::text::quoted;

/// How many changes one call looks at for those that are asked for.
const LOOKED_AT: usize = 5_000;

/// How many of them are read at once.
const READ_AT_ONCE: u32 = 500;

/// After so many bytes of changes a call looks at no more: an entry may name a thousand members.
const MAX_BYTES: usize = 4 << 20;

/// Why a read failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A value cannot be accepted.
    #[error("{0}")]
    Invalid(String),
    /// The storage failed, or cannot do its part now.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl From<Invalid> for Error {
    fn from(Invalid(detail): Invalid) -> Self {
        Error::Invalid(detail)
    }
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its position in the feed, from 1.
    pub sequence: u64,
    /// When it was made, in milliseconds since the Unix epoch.
    pub at: u64,
    /// Who made it: `directory:{id}`, `admin:{name}` or `usher`.
    pub actor: String,
    /// The id of the request that made it, if it has one.
    pub request: Option<String>,
    /// What was done to what, such as `user.created`.
    pub kind: String,
    /// The details, a JSON object.
    pub detail: String,
}

/// Which changes are asked for: those that fit all that is given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of one of these kinds; if there are none, of any.
    pub kinds: Vec<String>,
    /// Made by this one, as [`Change::actor`] has it.
    pub actor: Option<String>,
    /// About this directory.
    pub directory: Option<String>,
    /// About this user; or the user is one of the members who came into a group, or went.
    pub user: Option<String>,
    /// About this group.
    pub group: Option<String>,
    /// About this customer; or the customer is one of the members who came into an organization, or went.
    pub customer: Option<String>,
    /// About this organization.
    pub organization: Option<u64>,
    /// About this project.
    pub project: Option<u64>,
}

/// What was found in a part of the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The changes that were asked for, in order.
    pub changes: Vec<Change>,
    /// The position up to which the feed was looked at; the next call goes on after it.
    pub position: u64,
    /// Whether there was more to look at.
    pub more: bool,
}

impl Filter {
    /// Whether every change fits.
    fn is_open(&self) -> bool {
        *self == Filter::default()
    }

    fn check(&self) -> Result<(), Invalid> {
        if self.kinds.len() > ChangeKind::ALL.len() {
            return Err(Invalid(format!("there are {} kinds of changes, no more", ChangeKind::ALL.len())));
        }
        let is_kind = |text: &str| ChangeKind::ALL.iter().any(|kind| kind.text() == text);
        match self.kinds.iter().find(|kind| !is_kind(kind)) {
            None => Ok(()),
            Some(unknown) => Err(Invalid(format!("there is no kind of change {}", quoted(unknown)))),
        }
    }

    fn fits(&self, record: &ChangeRecord) -> bool {
        let detail = &record.detail;
        let is = |wanted: &Option<String>, found: &Option<String>| wanted.is_none() || wanted == found;
        // The members of a group are users, those of an organization customers: they may have the same ids.
        let are_users = record.kind.starts_with("group.");
        let is_member = |wanted: &Option<String>| wanted.as_ref().is_some_and(|wanted| detail.members.contains(wanted));
        (self.kinds.is_empty() || self.kinds.iter().any(|kind| *kind == record.kind))
            && self.actor.as_ref().is_none_or(|actor| *actor == record.actor)
            && is(&self.directory, &detail.directory)
            && is(&self.group, &detail.group)
            && (is(&self.user, &detail.user) || are_users && is_member(&self.user))
            && (is(&self.customer, &detail.customer) || !are_users && is_member(&self.customer))
            && (self.organization.is_none() || self.organization == detail.organization)
            && (self.project.is_none() || self.project == detail.project)
    }
}

impl Engine<'_> {
    /// The changes that follow position `after`, at most `limit` of them (1 to 1,000).
    ///
    /// # Errors
    /// [`Error::Invalid`] for a limit that is not 1 to 1,000.
    pub fn changes(&self, after: u64, limit: u32) -> Result<Vec<Change>, Error> {
        check_limit(limit)?;
        let Some(first) = after.checked_add(1) else { return Ok(Vec::new()) };
        self.read(|transaction| {
            let mut range = prefix_range("c/", limit);
            range.start = keys::change(first);
            let entries = transaction.scan(&range)?;
            let changes = entries.iter().map(|entry| read(entry).map(|(sequence, record)| shown(sequence, record)));
            Ok(changes.collect::<store::Result<_>>()?)
        })
    }

    /// Those of the changes after position `after` that fit a filter, at most `limit` of them (1 to 1,000). A call looks
    /// at a bounded part of the feed, and says up to where: there may be more behind it even if it found nothing.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a limit that is not 1 to 1,000, and for a kind that there is not.
    pub fn changes_among(&self, after: u64, filter: &Filter, limit: u32) -> Result<Part, Error> {
        check_limit(limit)?;
        filter.check()?;
        let mut part = Part { changes: Vec::new(), position: after, more: false };
        let Some(first) = after.checked_add(1) else { return Ok(part) };
        self.read(|transaction| {
            let at_once = if filter.is_open() { limit } else { READ_AT_ONCE };
            let mut range = prefix_range("c/", at_once);
            range.start = keys::change(first);
            let (mut looked_at, mut bytes) = (0, 0);
            loop {
                let entries = transaction.scan(&range)?;
                let is_last = entries.len() < at_once as usize;
                for (at, entry) in entries.iter().enumerate() {
                    let (sequence, record) = read(entry)?;
                    (part.position, looked_at, bytes) = (sequence, looked_at + 1, bytes + entry.value.len());
                    if filter.fits(&record) {
                        part.changes.push(shown(sequence, record));
                    }
                    let is_enough =
                        part.changes.len() == limit as usize || looked_at == LOOKED_AT || bytes >= MAX_BYTES;
                    if is_enough {
                        part.more = !is_last || at + 1 < entries.len();
                        return Ok(part);
                    }
                }
                if is_last {
                    return Ok(part);
                }
                range.start = keys::change(part.position.saturating_add(1));
            }
        })
    }
}

/// An entry of the feed, with its position.
fn read(entry: &Entry) -> store::Result<(u64, ChangeRecord)> {
    let sequence = keys::id_of(&entry.key).parse().map_err(|_| store::Error::corrupt(&entry.key))?;
    Ok((sequence, records::read(&entry.key, &entry.value)?))
}

fn shown(sequence: u64, record: ChangeRecord) -> Change {
    Change {
        sequence,
        at: record.at,
        actor: record.actor,
        request: record.request,
        kind: record.kind.into_owned(),
        detail: describe(&record.detail),
    }
}

/// The details of a change, as readers of the feed get them. The stored form may change without changing this one.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Details<'d> {
    #[serde(skip_serializing_if = "Option::is_none")]
    directory: Option<&'d str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'d str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'d str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<&'d str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer: Option<&'d str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    organization: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<u64>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    members: &'d [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    days: Option<u32>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    changed: &'d [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<&'d str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first: Option<&'d str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<&'d str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<&'d str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    values: Option<bool>,
}

fn describe(detail: &Detail) -> String {
    json::to_text(&Details {
        directory: detail.directory.as_deref(),
        key: detail.key.as_deref(),
        user: detail.user.as_deref(),
        group: detail.group.as_deref(),
        customer: detail.customer.as_deref(),
        organization: detail.organization,
        project: detail.project,
        members: &detail.members,
        days: detail.days,
        changed: &detail.changed,
        reason: detail.reason.map(|reason| match reason {
            UnlinkedReason::NoEmail => "noEmail",
            UnlinkedReason::Unlinked => "unlinked",
            UnlinkedReason::OutsideDomains => "outsideDomains",
            UnlinkedReason::Staged => "staged",
            UnlinkedReason::AddressTaken => "addressTaken",
        }),
        action: detail.action.as_deref(),
        count: detail.count,
        first: detail.first.as_deref(),
        last: detail.last.as_deref(),
        until: detail.until.as_deref(),
        values: detail.values,
    })
}
