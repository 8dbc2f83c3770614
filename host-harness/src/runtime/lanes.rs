//! Where a call runs.
//!
//! Handing a call to another thread and its answer back costs about as much as the call itself, so that a short one is
//! made right where it comes in. What is a short call shows only by trying: one that is not over within a few
//! milliseconds is given up, having left no trace, and made once more on a thread where it may take its time.
//!
//! A long call that writes may hold the storage's only turn to write. Calls that write are not made where they come in
//! while it runs: they would all wait there, and everything else behind them.

use super::call::{Budget, Ran};
use super::workers::{Job, Workers};
use crate::storage::Access;
use parking_lot::{RwLock, RwLockReadGuard};
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The threads for long calls, and the room for short ones.
pub(super) struct Lanes {
    /// Apart, so that calls that wait for their turn to write hold up nobody who only reads.
    reads: Workers,
    writes: Workers,
    short: Option<Short>,
}

struct Short {
    /// How many more can be made at this moment.
    room: AtomicUsize,
    /// Held shared by short calls that write, and alone by a long one.
    writing: RwLock<()>,
}

/// Leave to make a short call.
pub(super) struct Turn<'a> {
    short: &'a Short,
    _writing: Option<RwLockReadGuard<'a, ()>>,
}

impl Lanes {
    /// `threads` of each kind, and room for `short` calls where they come in.
    pub(super) fn new(threads: usize, short: usize) -> io::Result<Self> {
        let short = (short > 0).then(|| Short { room: AtomicUsize::new(short), writing: RwLock::new(()) });
        Ok(Self { reads: Workers::new("reads", threads)?, writes: Workers::new("writes", threads)?, short })
    }

    /// Leave to make a short call on the thread that asks, without ever waiting for it.
    pub(super) fn short(&self, access: Access) -> Option<Turn<'_>> {
        let short = self.short.as_ref()?;
        let writing = match access {
            Access::ReadOnly => None,
            Access::ReadWrite => Some(short.writing.try_read()?),
        };
        let take = |room: usize| room.checked_sub(1);
        short.room.fetch_update(Ordering::Acquire, Ordering::Relaxed, take).ok()?;
        Some(Turn { short, _writing: writing })
    }

    /// Hands a call to a thread; `false` if too many wait for one already.
    pub(super) fn submit(&self, access: Access, job: Job) -> bool {
        match access {
            Access::ReadOnly => self.reads.submit(job),
            Access::ReadWrite => self.writes.submit(job),
        }
    }

    /// Makes a call on the thread that it was handed to.
    pub(super) fn run<R>(&self, access: Access, run: impl Fn(Budget) -> Ran<R>) -> Ran<R> {
        let Some(short) = self.short.as_ref().filter(|_| access == Access::ReadWrite) else {
            return run(Budget::Full);
        };
        // It may have come here only because another one was long.
        let ran = {
            let _shared = short.writing.read();
            run(Budget::Short)
        };
        match ran {
            Ran::TooLong => {
                let _alone = short.writing.write();
                run(Budget::Full)
            }
            done => done,
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.short.room.fetch_add(1, Ordering::Release);
    }
}
