//! How a call can fail to come back with an answer.

use crate::storage;
use std::time::Duration;

/// Why a call yielded no answer. The texts are for the log: they tell of the inside, and nothing of them belongs in a
/// response.
///
/// Whatever the case, the storage holds all of what the call wrote or nothing of it.
///
/// ```
/// use std::sync::Arc;
/// use usher_host::{Failure, Limits, Usher, storage::MemoryStorage};
///
/// let mut limits = Limits::default();
/// limits.transactions = 0;
/// let site = Usher::builder().limits(limits).load()?.site(Arc::new(MemoryStorage::new()));
/// let failure = futures_lite::future::block_on(site.settings()).expect_err("it needs a transaction");
/// assert!(matches!(failure, Failure::Held(_)));
/// assert!(!failure.is_passing() && Failure::Overloaded.is_passing());
/// # Ok::<_, usher_host::LoadError>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// The call took longer than [`Limits::deadline`](crate::Limits::deadline), its waiting included, and was stopped or
    /// not even begun.
    #[error("the call was stopped at its deadline of {0:?}")]
    Deadline(Duration),
    /// The instance asked for more memory than [`Limits::memory`](crate::Limits::memory).
    #[error("the call needed more than {limit} bytes of memory")]
    OutOfMemory {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The call would have made the host hold more than [`Limits::held`](crate::Limits::held) or
    /// [`Limits::transactions`](crate::Limits::transactions) allow.
    #[error("the call went past what it may make the host hold: {0}")]
    Held(&'static str),
    /// The component trapped: a bug in it, or a stack overflow.
    #[error("the component trapped: {0:?}")]
    Trap(wasmtime::Error),
    /// The writes were made but the storage could not say that they are durable. They may or may not be found later.
    #[error("the writes may not be durable: {0}")]
    NotDurable(#[source] storage::Error),
    /// The storage panicked.
    #[error("the storage panicked")]
    Panicked,
    /// The host has no room for another instance, or is shutting down. Nothing was begun; trying again later helps.
    #[error("the host takes no more calls at the moment")]
    Overloaded,
    /// The directory whose call it is has as many calls waiting as it may. Nothing was begun; trying again later helps.
    #[error("the directory has as many calls waiting as it may")]
    Crowded,
}

impl Failure {
    /// Whether the same call may well succeed a little later.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::NotDurable(_) | Self::Overloaded | Self::Crowded | Self::Deadline(_))
    }
}

/// The instance asked for more memory than it may have. Travels through wasmtime as the cause of a trap.
#[derive(Debug, thiserror::Error)]
#[error("over the memory limit of {limit} bytes")]
pub(super) struct MemoryLimit {
    pub(super) limit: usize,
}

/// The call went past a limit of what the host holds for it. Travels through wasmtime as the cause of a trap.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct HeldLimit(pub(super) &'static str);

/// The call wants to write although it was said to read. Travels likewise.
#[derive(Debug, thiserror::Error)]
#[error("not a call that only reads")]
pub(super) struct WantsToWrite;
