//! The change feed (`wit/changes.wit`). Entries are numbered and written by [`crate::store::Transaction`] when it
//! commits.

use alloc::string::String;
use alloc::vec::Vec;

use crate::engine::Engine;
use crate::language::error::{Error as Failure, Status};
use crate::store::records::{self, ChangeRecord};
use crate::store::{keys, prefix_range};

/// How many changes a read may yield.
const MAX_PAGE: u32 = 1_000;

/// Why a read yielded nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A value cannot be taken.
    #[error("{0}")]
    Invalid(String),
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
            Status::Unavailable => Error::Unavailable(failure.into_log()),
            _ => Error::Other(failure.into_log()),
        }
    }
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its position in the feed.
    pub sequence: u64,
    /// When it was made, in milliseconds since the Unix epoch.
    pub at: u64,
    /// Who made it.
    pub actor: String,
    /// The request that made it.
    pub request: Option<String>,
    /// What was done to what.
    pub kind: String,
    /// The details, a JSON object.
    pub detail: String,
}

impl Engine<'_> {
    /// The changes that follow position `after`, at most `limit` of them.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a limit that cannot be.
    pub fn changes(&self, after: u64, limit: u32) -> Result<Vec<Change>, Error> {
        if !(1..=MAX_PAGE).contains(&limit) {
            return Err(Error::Invalid(alloc::format!("the limit must be 1 to {MAX_PAGE}")));
        }
        let Some(first) = after.checked_add(1) else { return Ok(Vec::new()) };
        self.read(|transaction| {
            let mut range = prefix_range("c/", limit);
            range.start = keys::change(first);
            let entries = transaction.scan(&range)?;
            let changes = entries.into_iter().map(|entry| {
                let sequence = keys::id_of(&entry.key).parse().map_err(|_| records::corrupt(&entry.key))?;
                let record: ChangeRecord = records::read(&entry.key, &entry.value)?;
                Ok(Change {
                    sequence,
                    at: record.at,
                    actor: record.actor,
                    request: record.request,
                    kind: record.kind,
                    detail: records::write(&record.detail),
                })
            });
            changes.collect()
        })
    }
}
