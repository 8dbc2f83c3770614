//! The component, loaded and ready to be called.

use super::call::{Body, Term};
use super::commits::Announcer;
use super::failure::Failure;
use super::host::Host;
use super::interfaces::Exports;
use super::lanes::Lane;
use super::limits::Limits;
use super::loaded::Loaded;
use super::long_calls;
use super::outcome::{CallOutcome, StorageUse};
use super::party::{Caller, Party};
use super::scim;
use super::workers::{Job, QueueFull};
use crate::storage::{Access, Storage};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use wasmtime::Store;

/// From how many bytes on a request that writes is taken for a long one.
const LARGE: usize = 128 << 10;

/// A time that no call lasts to.
const FAR: Duration = Duration::from_hours(365 * 24);

/// A loaded component. Cheap to clone; all clones are one.
///
/// It knows no site: [`site`](Usher::site) provides it with a storage, and any number of sites can share one.
///
/// ```
/// use std::sync::Arc;
/// use usher_host::{Usher, storage::MemoryStorage};
///
/// let usher = Usher::load()?;
/// assert_eq!(usher.limits().transactions, 4);
/// // As many sites as there are storages, over one component.
/// let (one, other) = (usher.site(Arc::new(MemoryStorage::new())), usher.site(Arc::new(MemoryStorage::new())));
/// futures_lite::future::block_on(async {
///     one.create_organization("ada", "Hydrology").await??;
///     assert!(other.organization(1).await?.is_err(), "it knows nothing of the first");
///     Ok::<_, Box<dyn std::error::Error>>(())
/// })?;
/// assert_eq!((usher.usage().calls, usher.usage().commits), (2, 1));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Usher {
    pub(super) loaded: Arc<Loaded>,
}

/// What an [`Usher`] has done since it was loaded, and what it is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// Instances at work at this moment.
    pub running: usize,
    /// The most instances that can be at work.
    pub instances: usize,
    /// Calls that came to an end, with or without an answer.
    pub calls: u64,
    /// Calls that ended in a [`Failure`].
    pub failures: u64,
    /// Transactions committed.
    pub commits: u64,
    /// Bytes of keys and values committed.
    pub committed_bytes: u64,
}

impl Usher {
    /// What one call may use.
    pub fn limits(&self) -> &Limits {
        &self.loaded.limits
    }

    /// What was done so far, and what is being done.
    pub fn usage(&self) -> Usage {
        let counters = &self.loaded.counters;
        Usage {
            running: counters.running.load(Ordering::Relaxed),
            instances: self.loaded.instances,
            calls: counters.calls.load(Ordering::Relaxed),
            failures: counters.failures.load(Ordering::Relaxed),
            commits: counters.commits.load(Ordering::Relaxed),
            committed_bytes: counters.committed_bytes.load(Ordering::Relaxed),
        }
    }

    /// Makes one call, of which `access` says whether it is one that writes, waits until what it wrote is durable, and
    /// tells of it. What it does decides in the end: see [`lanes`](super::lanes).
    pub(super) async fn call<R: Send + 'static>(
        &self,
        storage: &Arc<dyn Storage>,
        announcer: &Announcer,
        access: Access,
        caller: Caller,
        body: impl Body<R> + Send + Sync + 'static,
    ) -> Result<R, Failure> {
        // A large request that writes is not short, and need not be tried: that would take its turn from others in vain.
        let large =
            matches!(&caller, Caller::Scim(request) if request.body.as_ref().is_some_and(|body| body.len() > LARGE));
        let large = large && access == Access::ReadWrite && self.loaded.lanes.is_short(Lane::Writes);
        // Neither is a request that reads what was long to read a moment ago.
        let kind = match &caller {
            Caller::Scim(request) if access == Access::ReadOnly && self.loaded.lanes.is_short(Lane::Reads) => {
                long_calls::Kind::of(request)
            }
            _ => None,
        };
        let expected = kind.as_ref().is_some_and(|kind| self.loaded.long_calls.expects(kind));
        let lane = match Lane::of(access) {
            Lane::Writes if large => Lane::LongWrites,
            Lane::Reads if expected => Lane::LongReads,
            lane => lane,
        };
        let term = AwaitedTerm::new(self.term());
        // Without a thread between, if it is short, nothing has to be known of whose it is.
        let here = self.here(storage, lane, &term.0, &body);
        let (mut lane, tried, mut was_long) = match here {
            Some(CallOutcome::Done(result, storage_use)) => return settle(announcer, result, storage_use).await,
            Some(outcome) => (next(lane, &outcome), true, outcome.is_too_long()),
            None => (lane, large || expected, large),
        };
        let party = match caller {
            Caller::Of(party) => party,
            // Where nobody waits, nobody is kept waiting.
            Caller::Scim(_) if !tried && self.loaded.lanes.is_idle(lane) => Party::Unknown,
            Caller::Scim(request) => self.party(storage, request).await,
        };
        if expected && party == Party::Unknown {
            // Who has no key gets a short answer, and has no place among those who have one.
            lane = Lane::Reads;
        }
        let note = || {
            if let Some(kind) = &kind {
                self.loaded.long_calls.note(kind, &party);
            }
        };
        if was_long {
            note();
        }
        let body = Arc::new(body);
        loop {
            match self.elsewhere(storage, lane, party.clone(), &term.0, body.clone()).await? {
                CallOutcome::Done(result, storage_use) => return settle(announcer, result, storage_use).await,
                outcome => {
                    if outcome.is_too_long() && !was_long {
                        was_long = true;
                        note();
                    }
                    // One that was only expected to be long, and wants to write, may be short.
                    lane = if was_long { next(lane, &outcome) } else { Lane::Writes };
                }
            }
        }
    }

    /// As [`call`](Usher::call), on this thread for as long as it takes.
    pub(super) fn call_blocking<R>(
        &self,
        storage: &Arc<dyn Storage>,
        announcer: &Announcer,
        access: Access,
        body: impl Body<R>,
    ) -> Result<R, Failure> {
        let (mut lane, term) = (Lane::of(access), Term::new(self.term()));
        let (result, storage_use) = loop {
            match self.loaded.run_among(storage, lane, &term, &body) {
                CallOutcome::Done(result, storage_use) => break (result, storage_use),
                outcome => lane = next(lane, &outcome),
            }
        };
        for durability in storage_use.durabilities {
            durability.wait().map_err(Failure::NotDurable)?;
        }
        if storage_use.committed > 0 {
            announcer.announce();
        }
        result
    }

    /// Until when a call that comes in now has time.
    fn term(&self) -> Instant {
        let now = Instant::now();
        // A deadline that is later than the clock can tell is no deadline.
        now.checked_add(self.loaded.term).unwrap_or(now + FAR)
    }

    /// Makes the call on this thread, if short calls are to be made so and there is room.
    fn here<R>(
        &self,
        storage: &Arc<dyn Storage>,
        lane: Lane,
        term: &Arc<Term>,
        body: &impl Body<R>,
    ) -> Option<CallOutcome<R>> {
        let _turn = self.loaded.lanes.short(lane)?;
        Some(self.loaded.run(storage.clone(), lane, term, body))
    }

    /// Whose a SCIM request is, by its key. Asked of the component each time, so that a key that was revoked is nobody's.
    async fn party(&self, storage: &Arc<dyn Storage>, request: Arc<scim::Request>) -> Party {
        let term = AwaitedTerm::new(self.term());
        let ask = move |component: &Exports<'_>, store: &mut Store<Host>| {
            component.scim(store)?.call_authorize(store, &request)
        };
        let outcome = match self.here(storage, Lane::Reads, &term.0, &ask) {
            Some(outcome @ CallOutcome::Done(..)) => Ok(outcome),
            _ => self.elsewhere(storage, Lane::Reads, Party::Asking, &term.0, Arc::new(ask)).await,
        };
        match outcome {
            Ok(CallOutcome::Done(Ok(Ok(directory)), _)) => Party::Directory(directory.into()),
            _ => Party::Unknown,
        }
    }

    /// Makes the call on one of the threads kept for that.
    async fn elsewhere<R: Send + 'static>(
        &self,
        storage: &Arc<dyn Storage>,
        lane: Lane,
        party: Party,
        term: &Arc<Term>,
        body: Arc<impl Body<R> + Send + Sync + 'static>,
    ) -> Result<CallOutcome<R>, Failure> {
        let (answer, answered) = oneshot::channel();
        let (loaded, storage, term) = (self.loaded.clone(), storage.clone(), term.clone());
        let handed =
            QueuedCall { term: term.clone(), answer, run: move || loaded.run_among(&storage, lane, &term, &*body) };
        self.loaded.lanes.submit(lane, party, Box::new(handed)).map_err(|full| match full {
            QueueFull::All => Failure::Overloaded,
            QueueFull::Directory => Failure::Crowded,
        })?;
        answered.await.map_err(|_| {
            let counters = &self.loaded.counters;
            counters.calls.fetch_add(1, Ordering::Relaxed);
            counters.failures.fetch_add(1, Ordering::Relaxed);
            Failure::Deadline(self.loaded.limits.deadline)
        })
    }
}

impl Loaded {
    /// Makes a call on this thread, which may wait for its turn.
    fn run_among<R>(
        &self,
        storage: &Arc<dyn Storage>,
        lane: Lane,
        term: &Arc<Term>,
        body: &impl Body<R>,
    ) -> CallOutcome<R> {
        // It may have come here only because another one was long.
        let _among = self.lanes.among_short(lane);
        self.run(storage.clone(), lane, term, body)
    }
}

/// Where a call is made again that has not come to its end.
fn next<R>(lane: Lane, outcome: &CallOutcome<R>) -> Lane {
    match outcome {
        CallOutcome::TooLong { writing: true } => Lane::LongWrites,
        CallOutcome::TooLong { writing: false } => Lane::LongReads,
        CallOutcome::WantsToWrite | CallOutcome::Done(..) => lane.to_write(),
    }
}

/// Waits until what a call wrote is durable, and tells of it.
async fn settle<R>(announcer: &Announcer, result: Result<R, Failure>, storage_use: StorageUse) -> Result<R, Failure> {
    for durability in storage_use.durabilities {
        durability.await.map_err(Failure::NotDurable)?;
    }
    if storage_use.committed > 0 {
        announcer.announce();
    }
    result
}

/// The term of a call whose answer is waited for. Dropped, nobody waits for it any more.
struct AwaitedTerm(Arc<Term>);

impl AwaitedTerm {
    fn new(until: Instant) -> Self {
        Self(Term::new(until))
    }
}

impl Drop for AwaitedTerm {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

/// A call that was handed to a thread.
struct QueuedCall<R, F> {
    term: Arc<Term>,
    answer: oneshot::Sender<CallOutcome<R>>,
    run: F,
}

impl<R: Send, F: FnOnce() -> CallOutcome<R> + Send> Job for QueuedCall<R, F> {
    fn is_wanted(&self) -> bool {
        !self.term.is_abandoned() && !self.term.is_over()
    }

    fn run(self: Box<Self>) {
        // Nobody waits any more where the caller has gone away: the call was made all the same.
        let _ = self.answer.send((self.run)());
    }
}
