//! What group commit needs of what keeps the entries, and no more. It is called the disk here, also where it is a database.

use crate::storage::{Error, Trouble};
use std::collections::BTreeMap;
use std::io;

/// Changes by key, in order: a value to set, or `None` to remove the key.
pub(in crate::storage) type Changes = BTreeMap<String, Option<String>>;

/// What keeps entries for good. One thread at a time writes to it or looks after it.
///
/// Once it has failed, nothing that it holds but its last snapshot is to be trusted until it has been
/// [opened again](Disk::reopen).
pub(in crate::storage) trait Disk: Send + Sync + 'static {
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
    /// was written by a [`write`](Disk::write) that failed is there then or gone, all of it, and stays so.
    fn reopen(&self) -> Result<(), DiskFailure>;

    /// Whether what is read is still the newest there is. Unless a disk can be had by others, it always is.
    fn is_ours(&self) -> Result<(), DiskFailure> {
        Ok(())
    }
}

/// A state of the disk that does not move.
pub(in crate::storage) trait Snapshot: Send + Sync + 'static {
    /// A key or a value as the engine hands it out. Whether it is text is not known yet.
    type Bytes: AsRef<[u8]>;

    /// The values of keys, in the same order.
    fn get_many(&self, keys: &[&str]) -> Result<Vec<Option<Self::Bytes>>, Error>;

    /// The entries of a part, in key order or against it.
    fn range<'a>(&'a self, part: &Part<'a>) -> Result<impl Iterator<Item = Stored<Self::Bytes>> + 'a, Error>;
}

/// Which entries of a snapshot are read.
pub(in crate::storage) struct Part<'a> {
    /// The first key that belongs to it.
    pub(in crate::storage) start: &'a [u8],
    /// The first key that no longer does; after `start`.
    pub(in crate::storage) end: &'a [u8],
    pub(in crate::storage) reverse: bool,
    /// How many entries are passed over first.
    pub(in crate::storage) skip: u32,
    /// How many entries are likely to be taken. More may be. Of use to a disk that is asked over a network.
    #[cfg_attr(
        not(feature = "postgres"),
        expect(dead_code, reason = "the disk of this machine hands out one after another")
    )]
    pub(in crate::storage) expected: u64,
    /// Whether values may be left empty. Likewise.
    #[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "values lie beside their keys there"))]
    pub(in crate::storage) keys_only: bool,
}

/// A key and its value from the disk.
pub(in crate::storage) type Stored<B> = Result<(B, B), Error>;

/// The disk did not do its part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::storage) struct DiskFailure {
    /// What is shown.
    pub(in crate::storage) trouble: Trouble,
    /// What is logged.
    pub(in crate::storage) reason: String,
}

impl DiskFailure {
    pub(in crate::storage) fn new(trouble: Trouble, reason: impl Into<String>) -> Self {
        Self { trouble, reason: reason.into() }
    }

    /// What a transaction is told.
    pub(in crate::storage) fn to_error(&self) -> Error {
        Error::Unavailable(format!("the storage has failed: {}", self.reason))
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
