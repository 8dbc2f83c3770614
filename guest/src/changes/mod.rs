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
//! // What came last comes first on the way back.
//! let last = engine.changes_back(None, &Filter::default(), 1)?;
//! assert_eq!((last.changes[0].sequence, last.position, last.more), (2, 2, true));
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

mod details;
mod filter;
mod names;

use alloc::string::String;
use alloc::vec::Vec;

use crate::engine::Engine;
use crate::invalid::Invalid;
use crate::storage::{Entry, Range};
pub use crate::store::feed::ChangeKind;
use crate::store::feed::ChangeRecord;
use crate::store::pages::check_limit;
use crate::store::{self, Transaction, keys, prefix_range, records};
use details::describe;
pub use filter::Filter;
pub use names::{Name, Subject};

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
    /// Who made it: `directory:{id}`, `admin:{name}`, `setup:{link}` or `usher`.
    pub actor: String,
    /// The id of the request that made it, if it has one.
    pub request: Option<String>,
    /// What was done to what, such as `user.created`.
    pub kind: String,
    /// The details, a JSON object.
    pub detail: String,
}

/// What was found in a part of the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The changes that were asked for, in the order in which the feed was looked at.
    pub changes: Vec<Change>,
    /// The position up to which the feed was looked at, which is where the next call goes on.
    pub position: u64,
    /// Whether there was more to look at.
    pub more: bool,
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
            let mut range = prefix_range(keys::ALL_CHANGES, limit);
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
        let Some(first) = after.checked_add(1) else {
            return Ok(Part { changes: Vec::new(), position: after, more: false });
        };
        let range = Range { start: keys::change(first), ..prefix_range(keys::ALL_CHANGES, at_once(filter, limit)) };
        self.read(|transaction| Ok(look(transaction, range.clone(), after, filter, limit)?))
    }

    /// Those of the changes before position `before`, or of all, that fit a filter, newest first, at most `limit` of them
    /// (1 to 1,000). Bounded like [`changes_among`](Self::changes_among).
    ///
    /// # Errors
    /// [`Error::Invalid`] for a limit that is not 1 to 1,000, and for a kind that there is not.
    pub fn changes_back(&self, before: Option<u64>, filter: &Filter, limit: u32) -> Result<Part, Error> {
        check_limit(limit)?;
        filter.check()?;
        let mut range = prefix_range(keys::ALL_CHANGES, at_once(filter, limit));
        range.reverse = true;
        if let Some(before) = before {
            range.end = keys::change(before);
        }
        self.read(|transaction| Ok(look(transaction, range.clone(), before.unwrap_or_default(), filter, limit)?))
    }

    /// The position of the last change that was made before a time, in milliseconds since the Unix epoch; 0 if there is
    /// none.
    ///
    /// # Errors
    /// Where the storage fails.
    pub fn changes_before_time(&self, time: u64) -> Result<u64, Error> {
        self.read(|transaction| {
            let last = transaction.get(keys::LAST_CHANGE_KEY.into())?;
            let last: Option<u64> = last.map(|text| records::read(keys::LAST_CHANGE_KEY, &text)).transpose()?;
            // All up to `low` were made before, and none that follows `high` was.
            let (mut low, mut high) = (0, last.unwrap_or_default());
            while low < high {
                let middle = low + (high - low).div_ceil(2);
                let key = keys::change(middle);
                let text = transaction.get(key.clone())?;
                let record: Option<ChangeRecord> = text.map(|text| records::read(&key, &text)).transpose()?;
                // What is not kept any more is older than all that is.
                if record.is_none_or(|record| record.at < time) { low = middle } else { high = middle - 1 }
            }
            Ok(low)
        })
    }
}

/// How many changes are read at once: unless something is looked for, what is read is what is returned.
fn at_once(filter: &Filter, limit: u32) -> u32 {
    if filter.is_open() { limit } else { READ_AT_ONCE }
}

/// Goes through a range of the feed, from a position on, for what fits a filter.
fn look(
    transaction: &mut Transaction,
    mut range: Range,
    position: u64,
    filter: &Filter,
    limit: u32,
) -> store::Result<Part> {
    let mut part = Part { changes: Vec::new(), position, more: false };
    let (marks, mut looked_at, mut bytes) = (filter.marks(), 0, 0);
    loop {
        let entries = transaction.scan(&range)?;
        let is_last = entries.len() < range.limit as usize;
        for (at, entry) in entries.iter().enumerate() {
            (part.position, looked_at, bytes) = (sequence(entry)?, looked_at + 1, bytes + entry.value.len());
            if marks.iter().all(|mark| entry.value.contains(mark.as_str())) {
                let (sequence, record) = read(entry)?;
                if filter.fits(&record) {
                    part.changes.push(shown(sequence, record));
                }
            }
            if part.changes.len() == limit as usize || looked_at == LOOKED_AT || bytes >= MAX_BYTES {
                // Nothing comes before the first.
                part.more = (!is_last || at + 1 < entries.len()) && !(range.reverse && part.position == 1);
                return Ok(part);
            }
        }
        if is_last {
            return Ok(part);
        }
        let next = keys::change(if range.reverse { part.position } else { part.position.saturating_add(1) });
        if range.reverse { range.end = next } else { range.start = next }
    }
}

/// An entry of the feed, with its position.
fn read(entry: &Entry) -> store::Result<(u64, ChangeRecord)> {
    Ok((sequence(entry)?, records::read(&entry.key, &entry.value)?))
}

fn sequence(entry: &Entry) -> store::Result<u64> {
    keys::id_of(&entry.key).parse().map_err(|_| store::Error::corrupt(&entry.key))
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
