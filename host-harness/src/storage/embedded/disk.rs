//! What group commit needs of an embedded engine, and no more.

use crate::storage::Error;
use std::collections::BTreeMap;

/// Changes by key, in order: a value to set, or `None` to remove the key.
pub(super) type Changes = BTreeMap<String, Option<String>>;

/// An engine that keeps entries on disk. Only one thread writes to it.
pub(super) trait Disk: Send + Sync + 'static {
    /// A state of the disk that does not move.
    type Snapshot: Snapshot;

    /// Writes all changes, or none, and returns when they cannot be lost any more.
    fn write(&self, changes: &Changes) -> Result<(), Error>;

    /// The state after the last write.
    fn snapshot(&self) -> Result<Self::Snapshot, Error>;
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
