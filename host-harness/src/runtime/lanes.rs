//! Where a call runs.
//!
//! Handing a call to another thread and its answer back costs about as much as the call itself, so that a short one is
//! made right where it comes in. What is a short call shows only by trying: one that has not ended after a few
//! milliseconds of work is given up, having left no trace, and made once more on a thread where it may take its time. Those
//! threads are apart from the ones for calls that nobody has tried yet, so that long calls keep no short one waiting.
//!
//! What a call does decides, too, whether it reads or writes: one that was long without having begun to write is made
//! again as one that reads, and one that wants to write after all as one that writes. What a request's method says is no
//! more than the first guess.
//!
//! A long call that writes may hold the storage's only turn to write, from when it begins to. Calls that write are not made
//! where they come in meanwhile: they would all wait there, and everything else would wait for them.

use super::party::Party;
use super::workers::{Job, Queue, QueueFull, Urgency, Workers};
use crate::storage::Access;
use parking_lot::lock_api::ArcRwLockWriteGuard;
use parking_lot::{RawRwLock, RwLock, RwLockReadGuard};
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

/// What kind of call it is, as far as that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    /// It should only read.
    Reads,
    /// It may write.
    Writes,
    /// It reads, and takes its time.
    LongReads,
    /// It writes, and takes its time.
    LongWrites,
}

/// The threads for calls, and the room for short ones.
pub(super) struct Lanes {
    reads: Workers,
    writes: Workers,
    /// Where calls are tried first; without it, each takes its time where it is.
    tried: Option<ShortCalls>,
}

struct ShortCalls {
    /// How many more can be made where they come in at this moment.
    room: AtomicUsize,
    /// Held shared by short calls that write, and alone by a long one.
    writing: Arc<RwLock<()>>,
    long_reads: Workers,
    long_writes: Workers,
}

/// Leave to make a short call.
pub(super) struct ShortCallPermit<'a> {
    tried: &'a ShortCalls,
    _writing: Option<RwLockReadGuard<'a, ()>>,
}

/// Leave to write for as long as it takes, once it was asked for.
#[derive(Default)]
pub(super) struct WriteLock {
    writing: Option<Arc<RwLock<()>>>,
    held: Option<ArcRwLockWriteGuard<RawRwLock, ()>>,
}

impl Lane {
    /// The one in which a call begins that is said to do this.
    pub(super) fn of(access: Access) -> Self {
        match access {
            Access::ReadOnly => Self::Reads,
            Access::ReadWrite => Self::Writes,
        }
    }

    /// What a call in this one may do.
    pub(super) fn access(self) -> Access {
        match self {
            Self::Reads | Self::LongReads => Access::ReadOnly,
            Self::Writes | Self::LongWrites => Access::ReadWrite,
        }
    }

    /// Where a call goes on that wants to write.
    pub(super) fn to_write(self) -> Self {
        match self {
            Self::Reads | Self::Writes => Self::Writes,
            Self::LongReads | Self::LongWrites => Self::LongWrites,
        }
    }
}

impl Lanes {
    /// `threads` for each kind of long call but those that write, of which one is made at a time; `short` threads for calls
    /// that are tried first, and as many where they come in. Where `short` is 0, no call is tried, and each takes its time.
    pub(super) fn new(threads: usize, short: usize) -> io::Result<Self> {
        let tried = (short > 0).then(|| {
            Ok::<_, io::Error>(ShortCalls {
                room: AtomicUsize::new(short),
                writing: Arc::default(),
                long_reads: Workers::new("long-reads", threads, Urgency::Low)?,
                long_writes: Workers::new("long-writes", 1, Urgency::Usual)?,
            })
        });
        let readers = if short > 0 { short } else { threads };
        Ok(Self {
            reads: Workers::new("reads", readers, Urgency::Usual)?,
            writes: Workers::new("writes", threads, Urgency::Usual)?,
            tried: tried.transpose()?,
        })
    }

    /// How many calls can be made at once with these settings, wherever.
    pub(super) fn calls(threads: usize, short: usize, processors: usize) -> usize {
        // Those on a caller's own thread come on top.
        if short > 0 { 2 * threads + 2 * short + 1 } else { 2 * threads + processors }
    }

    /// Leave to make a short call on the thread that asks, without ever waiting for it.
    pub(super) fn short(&self, lane: Lane) -> Option<ShortCallPermit<'_>> {
        let tried = self.tried.as_ref()?;
        let writing = match lane {
            Lane::Reads => None,
            Lane::Writes => Some(tried.writing.try_read()?),
            Lane::LongReads | Lane::LongWrites => return None,
        };
        let take = |room: usize| room.checked_sub(1);
        tried.room.fetch_update(Ordering::Acquire, Ordering::Relaxed, take).ok()?;
        Some(ShortCallPermit { tried, _writing: writing })
    }

    /// Whether calls in this lane have to be short.
    pub(super) fn is_short(&self, lane: Lane) -> bool {
        self.tried.is_some() && matches!(lane, Lane::Reads | Lane::Writes)
    }

    /// Whether no call waits in this lane.
    pub(super) fn is_idle(&self, lane: Lane) -> bool {
        self.workers(lane).is_idle()
    }

    /// Hands a call to a thread.
    pub(super) fn submit(&self, lane: Lane, party: Party, job: Box<dyn Job>) -> Result<(), QueueFull> {
        self.workers(lane).submit(party, job)
    }

    /// What a call that is short has to hold while it is made on a thread that may wait.
    pub(super) fn among_short(&self, lane: Lane) -> Option<RwLockReadGuard<'_, ()>> {
        let tried = self.tried.as_ref().filter(|_| lane == Lane::Writes)?;
        Some(tried.writing.read())
    }

    /// What a call that is long asks before it begins to write.
    pub(super) fn write_lock(&self, lane: Lane) -> WriteLock {
        let tried = self.tried.as_ref().filter(|_| lane == Lane::LongWrites);
        WriteLock { writing: tried.map(|tried| tried.writing.clone()), held: None }
    }

    /// All queues, to be swept now and then.
    pub(super) fn queues(&self) -> Vec<Weak<Queue>> {
        let long = self.tried.iter().flat_map(|tried| [&tried.long_reads, &tried.long_writes]);
        [&self.reads, &self.writes].into_iter().chain(long).map(Workers::queue).collect()
    }

    fn workers(&self, lane: Lane) -> &Workers {
        match (lane, &self.tried) {
            (Lane::LongReads, Some(tried)) => &tried.long_reads,
            (Lane::LongWrites, Some(tried)) => &tried.long_writes,
            (Lane::Reads | Lane::LongReads, _) => &self.reads,
            (Lane::Writes | Lane::LongWrites, _) => &self.writes,
        }
    }
}

impl WriteLock {
    /// Waits until no short call is writing; from then on no short call writes until this is dropped.
    pub(super) fn wait(&mut self) {
        if let Some(writing) = self.writing.take() {
            self.held = Some(RwLock::write_arc(&writing));
        }
    }
}

impl Drop for ShortCallPermit<'_> {
    fn drop(&mut self) {
        self.tried.room.fetch_add(1, Ordering::Release);
    }
}
