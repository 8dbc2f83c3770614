//! One call in a fresh instance.

use super::failure::{Failure, HeldLimit, MemoryLimit, WantsToWrite};
use super::host::Host;
use super::interfaces::Exports;
use super::lanes::Lane;
use super::loaded::Loaded;
use super::outcome::{CallOutcome, StorageUse};
use crate::storage::{Access, Storage};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use wasmtime::{PoolConcurrencyLimitError, Store, Trap, UpdateDeadline};

/// How much of a processor's time a short call may take from the first tick of the engine's clock on: about what there is
/// from one tick to the next. How long the call took says little on a busy machine: one that was interrupted in its work
/// would be made again for nothing.
const SHORT: Duration = Duration::from_millis(4);

/// How long a short call may take with its waiting, for the disk for example: others want its thread as well.
const SHORT_WITH_WAITING: Duration = Duration::from_millis(50);

/// What is called in an instance. It may be called again where the first time took too long and left no trace.
pub(super) trait Body<R>: Fn(&Exports<'_>, &mut Store<Host>) -> wasmtime::Result<R> {}

impl<R, F: Fn(&Exports<'_>, &mut Store<Host>) -> wasmtime::Result<R>> Body<R> for F {}

/// Until when a call is of use, from where it came in to where it is answered, with all its waiting.
pub(super) struct Term {
    until: Instant,
    /// Whether whoever wanted the answer has gone.
    abandoned: AtomicBool,
}

impl Term {
    pub(super) fn new(until: Instant) -> Arc<Self> {
        Arc::new(Self { until, abandoned: AtomicBool::new(false) })
    }

    /// Nobody wants the answer any more.
    pub(super) fn abandon(&self) {
        self.abandoned.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::Relaxed)
    }

    pub(super) fn is_over(&self) -> bool {
        Instant::now() >= self.until
    }
}

/// The call is not a short one. Travels through wasmtime as the cause of a trap.
#[derive(Debug, thiserror::Error)]
#[error("not a short call")]
struct TooLong;

/// Nobody waits for the call any more. Travels likewise.
#[derive(Debug, thiserror::Error)]
#[error("nobody waits for the answer")]
struct Abandoned;

impl Loaded {
    /// Makes a call on this thread.
    pub(super) fn run<R>(
        &self,
        storage: Arc<dyn Storage>,
        lane: Lane,
        term: &Arc<Term>,
        body: &impl Body<R>,
    ) -> CallOutcome<R> {
        let counters = &self.counters;
        counters.running.fetch_add(1, Ordering::Relaxed);
        // A panic can only come from the storage, and is nobody's business but this call's.
        let made = catch_unwind(AssertUnwindSafe(|| self.run_in_store(storage, lane, term, body)));
        counters.running.fetch_sub(1, Ordering::Relaxed);
        let (result, storage_use) = made.unwrap_or_else(|_| (Err(Failure::Panicked), StorageUse::default()));
        if let Err(Failure::Trap(error)) = &result {
            if error.is::<TooLong>() {
                return CallOutcome::TooLong { writing: storage_use.writing };
            }
            if error.is::<WantsToWrite>() {
                return CallOutcome::WantsToWrite;
            }
        }
        counters.calls.fetch_add(1, Ordering::Relaxed);
        counters.failures.fetch_add(result.is_err().into(), Ordering::Relaxed);
        counters.commits.fetch_add(storage_use.durabilities.len() as u64, Ordering::Relaxed);
        counters.committed_bytes.fetch_add(storage_use.committed as u64, Ordering::Relaxed);
        CallOutcome::Done(result, storage_use)
    }

    fn run_in_store<R>(
        &self,
        storage: Arc<dyn Storage>,
        lane: Lane,
        term: &Arc<Term>,
        body: &impl Body<R>,
    ) -> (Result<R, Failure>, StorageUse) {
        let host = Host::new(storage, self.limits.clone(), lane.access(), self.lanes.write_lock(lane));
        let mut store = Store::new(self.pre.engine(), host);
        store.limiter(|host| host);
        store.set_hostcall_fuel(self.limits.held);
        let short = self.lanes.is_short(lane);
        store.set_epoch_deadline(1);
        let (term, reads) = (term.clone(), lane.access() == Access::ReadOnly);
        let mut begun = short.then(Begun::now);
        store.epoch_deadline_callback(move |store| {
            // What is committed cannot be done again: let it come to its end.
            let traceless = store.data().storage_use.durabilities.is_empty();
            if traceless && begun.as_mut().is_some_and(Begun::is_long_ago) {
                return Err(TooLong.into());
            }
            if traceless && reads && term.is_abandoned() {
                return Err(Abandoned.into());
            }
            if term.is_over() {
                return Err(Trap::Interrupt.into());
            }
            Ok(UpdateDeadline::Continue(1))
        });
        let result =
            self.pre.instantiate(&mut store).and_then(|instance| body(&self.interfaces.within(instance), &mut store));
        let storage_use = std::mem::take(&mut store.data_mut().storage_use);
        (result.map_err(|error| self.classify(error)), storage_use)
    }

    fn classify(&self, error: wasmtime::Error) -> Failure {
        if let Some(&MemoryLimit { limit }) = error.downcast_ref() {
            Failure::OutOfMemory { limit }
        } else if let Some(&HeldLimit(what)) = error.downcast_ref() {
            Failure::Held(what)
        } else if error.is::<PoolConcurrencyLimitError>() {
            Failure::Overloaded
        } else if matches!(error.downcast_ref(), Some(Trap::Interrupt)) {
            Failure::Deadline(self.limits.deadline)
        } else {
            Failure::Trap(error)
        }
    }
}

/// When a short call began.
struct Begun {
    at: Instant,
    /// How much of a processor's time its thread had had at the first tick. Most calls have ended before, and to ask costs
    /// a call that reads a tenth of its time.
    processor_time: Option<Duration>,
}

impl Begun {
    fn now() -> Self {
        Self { at: Instant::now(), processor_time: None }
    }

    /// Whether the call is no short one any more. To be asked at every tick.
    fn is_long_ago(&mut self) -> bool {
        let now = processor_time();
        let first = *self.processor_time.get_or_insert(now);
        now >= first + SHORT || self.at.elapsed() >= SHORT_WITH_WAITING
    }
}

/// How much of a processor's time this thread has had. Where the system does not tell, the time that has gone by.
fn processor_time() -> Duration {
    #[cfg(unix)]
    {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        Duration::try_from(time).unwrap_or_default()
    }
    #[cfg(not(unix))]
    {
        static START: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
        START.elapsed()
    }
}
