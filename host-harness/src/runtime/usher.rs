//! The component, loaded and ready to be called.

use super::call::{Body, Budget, Ran};
use super::commits::Announcer;
use super::exports::Site;
use super::failure::Failure;
use super::host::Host;
use super::interfaces::Interfaces;
use super::lanes::Lanes;
use super::limits::Limits;
use super::load::{Builder, LoadError};
use crate::storage::{Access, Storage};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use wasmtime::component::InstancePre;

/// A loaded component. Cheap to clone; all clones are one.
///
/// It knows no site: [`site`](Usher::site) lends it a storage, and any number of sites can share one.
#[derive(Clone)]
pub struct Usher {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) pre: InstancePre<Host>,
    pub(super) interfaces: Interfaces,
    pub(super) limits: Arc<Limits>,
    /// [`Limits::deadline`] in ticks of the engine's clock.
    pub(super) ticks: u64,
    /// How many instances can be at work at once.
    pub(super) instances: usize,
    pub(super) counters: Counters,
    pub(super) lanes: Lanes,
}

#[derive(Default)]
pub(super) struct Counters {
    pub(super) running: AtomicUsize,
    pub(super) calls: AtomicU64,
    pub(super) failures: AtomicU64,
    pub(super) commits: AtomicU64,
    pub(super) committed_bytes: AtomicU64,
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
    /// Loads with settings of your own.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Loads the component built into this library, with the settings that suit a server.
    ///
    /// # Errors
    /// See [`LoadError`].
    pub fn load() -> Result<Self, LoadError> {
        Self::builder().load()
    }

    /// Lends it a storage: the site that lives there can be called now.
    pub fn site(&self, storage: Arc<dyn Storage>) -> Site {
        Site::new(self.clone(), storage)
    }

    /// What one call may use.
    pub fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    /// What was done so far, and what is being done.
    pub fn usage(&self) -> Usage {
        let counters = &self.inner.counters;
        Usage {
            running: counters.running.load(Ordering::Relaxed),
            instances: self.inner.instances,
            calls: counters.calls.load(Ordering::Relaxed),
            failures: counters.failures.load(Ordering::Relaxed),
            commits: counters.commits.load(Ordering::Relaxed),
            committed_bytes: counters.committed_bytes.load(Ordering::Relaxed),
        }
    }

    /// Makes one call, of which `access` says whether it is one that writes, waits until what it wrote is durable, and
    /// tells of it. One that wants to write all the same is made again where those are made that do.
    pub(super) async fn call<R: Send + 'static>(
        &self,
        storage: &Arc<dyn Storage>,
        announcer: &Announcer,
        access: Access,
        body: impl Body<R> + Send + Sync + 'static,
    ) -> Result<R, Failure> {
        let mut ran = self.here(storage, access, &body);
        let body = Arc::new(body);
        if matches!(ran, Ran::TooLong) {
            ran = self.elsewhere(storage, access, body.clone()).await?;
        }
        if matches!(ran, Ran::Writes) {
            ran = self.elsewhere(storage, Access::ReadWrite, body).await?;
        }
        let Ran::Done(result, outcome) = ran else {
            return Err(Failure::Deadline(self.inner.limits.deadline));
        };
        for durability in outcome.durabilities {
            durability.await.map_err(Failure::NotDurable)?;
        }
        if outcome.committed > 0 {
            announcer.announce();
        }
        result
    }

    /// As [`call`](Usher::call), on this thread for as long as it takes.
    pub(super) fn call_blocking<R>(
        &self,
        storage: &Arc<dyn Storage>,
        announcer: &Announcer,
        access: Access,
        body: impl Body<R>,
    ) -> Result<R, Failure> {
        let run =
            |access| self.inner.lanes.run(access, |budget| self.inner.run(storage.clone(), access, budget, &body));
        let ran = match run(access) {
            Ran::Writes => run(Access::ReadWrite),
            ran => ran,
        };
        let Ran::Done(result, outcome) = ran else {
            return Err(Failure::Deadline(self.inner.limits.deadline));
        };
        for durability in outcome.durabilities {
            durability.wait().map_err(Failure::NotDurable)?;
        }
        if outcome.committed > 0 {
            announcer.announce();
        }
        result
    }

    /// Makes the call on this thread, if short calls are to be made so and this is one.
    fn here<R>(&self, storage: &Arc<dyn Storage>, access: Access, body: &impl Body<R>) -> Ran<R> {
        match self.inner.lanes.short(access) {
            Some(_turn) => self.inner.run(storage.clone(), access, Budget::Short, body),
            None => Ran::TooLong,
        }
    }

    /// Makes the call on one of the threads kept for that.
    async fn elsewhere<R: Send + 'static>(
        &self,
        storage: &Arc<dyn Storage>,
        access: Access,
        body: Arc<impl Body<R> + Send + Sync + 'static>,
    ) -> Result<Ran<R>, Failure> {
        let (answer, answered) = tokio::sync::oneshot::channel();
        let (inner, storage) = (self.inner.clone(), storage.clone());
        let job = move || {
            let ran = inner.lanes.run(access, |budget| inner.run(storage.clone(), access, budget, &*body));
            // Nobody waits any more where the caller has gone away: the call was made all the same.
            let _ = answer.send(ran);
        };
        if !self.inner.lanes.submit(access, Box::new(job)) {
            return Err(Failure::Overloaded);
        }
        match answered.await {
            Ok(ran) => Ok(ran),
            Err(_) => Err(Failure::Panicked),
        }
    }
}
