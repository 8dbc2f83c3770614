//! Read-write transactions run one after another.

use parking_lot::lock_api::ArcMutexGuard;
use parking_lot::{Mutex, RawMutex};
use std::sync::Arc;

/// Lets one read-write transaction run at a time.
///
/// A turn that is given up goes to whoever runs and asks for it, which saves a switch of threads for each commit; at
/// least about every half a millisecond it goes to the one that has waited longest, so that nobody waits for ever.
#[derive(Debug, Default)]
pub(super) struct Turns(Arc<Mutex<()>>);

/// One transaction's turn, for as long as this is kept. It may move between threads, and ends when dropped on any.
pub(super) struct Turn(#[expect(dead_code, reason = "held, not used")] ArcMutexGuard<RawMutex, ()>);

impl Turns {
    /// Waits until it is this transaction's turn.
    pub(super) fn wait(&self) -> Turn {
        Turn(self.0.lock_arc())
    }
}
