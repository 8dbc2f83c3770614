//! What becomes of a call.

use super::failure::Failure;
use crate::storage::Durability;

/// What became of a call.
pub(super) enum CallOutcome<R> {
    /// It came to its end.
    Done(Result<R, Failure>, StorageUse),
    /// It was not short, and left no trace.
    TooLong {
        /// Whether it had begun a transaction that can write.
        writing: bool,
    },
    /// It wants to write although it was not said to, and left no trace.
    WantsToWrite,
}

impl<R> CallOutcome<R> {
    /// Whether it was not short.
    pub(super) fn is_too_long(&self) -> bool {
        matches!(self, Self::TooLong { .. })
    }
}

/// What a call did to the storage.
#[derive(Default)]
pub(super) struct StorageUse {
    /// What has to come before the answer may leave: one for each commit.
    pub(super) durabilities: Vec<Durability>,
    /// Bytes of keys and values committed.
    pub(super) committed: usize,
    /// Whether a transaction was begun that can write.
    pub(super) writing: bool,
}
