//! What group commit needs of an embedded engine, and no more.

use crate::storage::{Error, Trouble};
use std::collections::BTreeMap;
use std::io;

/// Changes by key, in order: a value to set, or `None` to remove the key.
pub(super) type Changes = BTreeMap<String, Option<String>>;

/// An engine that keeps entries on disk. Only one thread writes to it, and that one looks after it as well.
///
/// Once it has failed, nothing that it holds but its last snapshot is to be trusted until it has been
/// [opened again](Disk::reopen).
pub(super) trait Disk: Send + Sync + 'static {
    /// A state of the disk that does not move.
    type Snapshot: Snapshot;

    /// Writes all changes, or none, and returns when they cannot be lost any more.
    fn write(&self, changes: &Changes) -> Result<(), DiskFailure>;

    /// The state after the last write that succeeded.
    fn snapshot(&self) -> Result<Self::Snapshot, DiskFailure>;

    /// Does what is to be done now and then, and tells of what has failed outside of a write. It is called after each
    /// write, and about every second.
    fn tend(&self) -> Result<(), DiskFailure>;

    /// After a failure: whether it looks as if the disk can be written to again. Does nothing to what is stored.
    fn can_write(&self) -> Result<(), DiskFailure>;

    /// After a failure: opens the disk again, with all checks that are made when it is opened for the first time. What
    /// was written by a [`write`](Disk::write) that failed is gone then, all of it. While a snapshot is in use, this fails.
    fn reopen(&self) -> Result<(), DiskFailure>;
}

/// A state of the disk that does not move.
pub(super) trait Snapshot: Send + Sync + 'static {
    /// A key or a value as the engine hands it out. Whether it is text is not known yet.
    type Bytes: AsRef<[u8]>;

    /// The value of a key.
    fn get(&self, key: &str) -> Result<Option<Self::Bytes>, Error>;

    /// The entries from `start` to before `end`, where `start < end`, in key order or against it.
    fn range(
        &self,
        start: &[u8],
        end: &[u8],
        reverse: bool,
    ) -> Result<impl Iterator<Item = Stored<Self::Bytes>>, Error>;
}

/// A key and its value from the disk.
pub(super) type Stored<B> = Result<(B, B), Error>;

/// The disk did not do its part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DiskFailure {
    /// What is shown.
    pub(super) trouble: Trouble,
    /// What is logged.
    pub(super) reason: String,
}

impl DiskFailure {
    pub(super) fn new(trouble: Trouble, reason: impl Into<String>) -> Self {
        Self { trouble, reason: reason.into() }
    }

    /// What a transaction is told.
    pub(super) fn to_error(&self) -> Error {
        Error::Unavailable(format!("writing to disk failed: {}", self.reason))
    }
}

impl From<io::Error> for DiskFailure {
    fn from(error: io::Error) -> Self {
        let trouble = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Trouble::NoSpace,
            io::ErrorKind::ReadOnlyFilesystem => Trouble::ReadOnly,
            _ => Trouble::Failed,
        };
        Self::new(trouble, error.to_string())
    }
}
