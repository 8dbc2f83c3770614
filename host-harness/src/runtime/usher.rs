//! The component, loaded and ready to be called.

use super::bindings::{Provisioner, ProvisionerPre};
use super::cache;
use super::failure::{Failure, HeldLimit, MemoryLimit};
use super::host::{Host, Outcome};
use super::limits::Limits;
use super::site::Site;
use super::workers::Workers;
use crate::storage::Storage;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;
use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store, Trap};

/// The component that was built along with this library.
const EMBEDDED: &[u8] = include_bytes!(env!("USHER_COMPONENT"));

/// How exactly deadlines are kept. Every tick wakes a thread, so not too short.
const TICK: Duration = Duration::from_millis(10);

/// How much of an instance's memory is kept in place for the next one and cleared by copying, which is cheaper than
/// handing pages back to the system and faulting them in again. More than an ordinary request touches.
const KEPT_RESIDENT: usize = 512 << 10;

/// How many calls may wait for a thread, for each thread.
const QUEUED_PER_THREAD: usize = 256;

/// A loaded component. Cheap to clone; all clones are one.
///
/// It knows no site: [`site`](Usher::site) lends it a storage, and any number of sites can share one.
#[derive(Clone)]
pub struct Usher {
    inner: Arc<Inner>,
}

struct Inner {
    pre: ProvisionerPre<Host>,
    limits: Arc<Limits>,
    /// [`Limits::deadline`] in ticks.
    ticks: u64,
    instances: usize,
    usage: Counters,
    workers: Workers,
}

#[derive(Default)]
struct Counters {
    running: AtomicUsize,
    calls: AtomicU64,
    failures: AtomicU64,
    commits: AtomicU64,
    committed_bytes: AtomicU64,
}

/// What an [`Usher`] has done since it was loaded, and what it is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// Instances at work at this moment.
    pub running: usize,
    /// The most instances that can be at work.
    pub instances: usize,
    /// Calls that were begun.
    pub calls: u64,
    /// Calls that ended in a [`Failure`].
    pub failures: u64,
    /// Transactions committed.
    pub commits: u64,
    /// Bytes of keys and values committed.
    pub committed_bytes: u64,
}

/// Why a component could not be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The file that was named cannot be read.
    #[error("cannot read the component {path}: {error}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        #[source]
        error: std::io::Error,
    },
    /// The bytes are no component, or one that wants or offers something else than `wit/` says.
    #[error("not a component that provisions: {0:?}")]
    Component(wasmtime::Error),
    /// The settings contradict each other or the machine cannot satisfy them.
    #[error("the settings do not work on this machine: {0:?}")]
    Settings(wasmtime::Error),
    /// The threads could not be started.
    #[error("cannot start threads: {0}")]
    Threads(#[source] std::io::Error),
}

/// Loads a component with settings of your own.
#[derive(Debug, Clone, Default)]
pub struct Builder {
    limits: Limits,
    instances: Option<usize>,
    source: Source,
    cache: Cache,
}

#[derive(Debug, Clone, Default)]
enum Source {
    #[default]
    Embedded,
    Bytes(Vec<u8>),
    File(PathBuf),
}

#[derive(Debug, Clone, Default)]
enum Cache {
    #[default]
    OfUser,
    Folder(PathBuf),
    Off,
}

impl Builder {
    /// What one call may use.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// How many instances may be at work at once, each on a thread of its own: four for each processor unless set, and
    /// at least one. More of them keep short calls going while long ones run; each reserves address space, and holds
    /// up to [`Limits::memory`] while it works.
    pub fn instances(mut self, count: usize) -> Self {
        self.instances = Some(count.max(1));
        self
    }

    /// A component to load instead of the one built into this library, as WebAssembly.
    pub fn component(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.source = Source::Bytes(bytes.into());
        self
    }

    /// A file to load the component from, instead of the one built into this library.
    pub fn component_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.source = Source::File(path.into());
        self
    }

    /// Where to keep the compiled component, so that only the first start compiles. The user's cache folder unless set.
    /// The folder is made where it is missing. It must belong to the user of the process and be writable by nobody
    /// else, or it is not used: what lies in it is run.
    pub fn cache(mut self, folder: impl Into<PathBuf>) -> Self {
        self.cache = Cache::Folder(folder.into());
        self
    }

    /// Compile at every start, and leave nothing on disk.
    pub fn no_cache(mut self) -> Self {
        self.cache = Cache::Off;
        self
    }

    /// Loads the component and starts the threads.
    ///
    /// # Errors
    /// See [`LoadError`].
    pub fn load(self) -> Result<Usher, LoadError> {
        let instances =
            self.instances.unwrap_or_else(|| 4 * thread::available_parallelism().map_or(1, std::num::NonZero::get));
        let engine = Engine::new(&config(&self.limits, instances)).map_err(LoadError::Settings)?;
        let read;
        let bytes = match &self.source {
            Source::Embedded => EMBEDDED,
            Source::Bytes(bytes) => bytes,
            Source::File(path) => {
                read = std::fs::read(path).map_err(|error| LoadError::Read { path: path.clone(), error })?;
                &read
            }
        };
        let folder = match self.cache {
            Cache::OfUser => cache::of_user(),
            Cache::Folder(folder) => Some(folder),
            Cache::Off => None,
        };
        let component = match folder {
            Some(folder) => cache::load(&engine, bytes, &folder),
            None => Component::from_binary(&engine, bytes),
        };
        let pre = component.and_then(|component| {
            let mut linker = Linker::new(&engine);
            Provisioner::add_to_linker::<_, HasSelf<Host>>(&mut linker, |host| host)?;
            ProvisionerPre::new(linker.instantiate_pre(&component)?)
        });
        let pre = pre.map_err(LoadError::Component)?;
        tick(&engine).map_err(LoadError::Threads)?;
        let ticks = self.limits.deadline.as_nanos().div_ceil(TICK.as_nanos());
        Ok(Usher {
            inner: Arc::new(Inner {
                pre,
                limits: Arc::new(self.limits),
                // One more, for the tick that is under way when the call starts.
                ticks: u64::try_from(ticks).unwrap_or(u64::MAX / 2).saturating_add(1),
                instances,
                usage: Counters::default(),
                workers: Workers::new(instances).map_err(LoadError::Threads)?,
            }),
        })
    }
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
        let usage = &self.inner.usage;
        Usage {
            running: usage.running.load(Ordering::Relaxed),
            instances: self.inner.instances,
            calls: usage.calls.load(Ordering::Relaxed),
            failures: usage.failures.load(Ordering::Relaxed),
            commits: usage.commits.load(Ordering::Relaxed),
            committed_bytes: usage.committed_bytes.load(Ordering::Relaxed),
        }
    }

    /// Runs one call on one of the threads and waits until what it wrote is durable.
    pub(super) async fn call<R: Send + 'static>(
        &self,
        storage: &Arc<dyn Storage>,
        body: impl FnOnce(&Provisioner, &mut Store<Host>) -> wasmtime::Result<R> + Send + 'static,
    ) -> Result<R, Failure> {
        let (answer, answered) = tokio::sync::oneshot::channel();
        let (usher, storage) = (self.clone(), storage.clone());
        let job = move || {
            // Nobody waits any more where the caller has gone away: the call is made all the same.
            let _ = answer.send(usher.run(storage, body));
        };
        let most = self.inner.instances * QUEUED_PER_THREAD;
        if !self.inner.workers.submit(Box::new(job), most) {
            return Err(Failure::Overloaded);
        }
        let (result, outcome) = answered.await.map_err(|_| Failure::Overloaded)?;
        for durability in outcome.durabilities {
            durability.await.map_err(Failure::NotDurable)?;
        }
        result
    }

    /// Runs one call in a fresh instance on this thread.
    pub(super) fn run<R>(
        &self,
        storage: Arc<dyn Storage>,
        body: impl FnOnce(&Provisioner, &mut Store<Host>) -> wasmtime::Result<R>,
    ) -> (Result<R, Failure>, Outcome) {
        let inner = &*self.inner;
        let usage = &inner.usage;
        usage.running.fetch_add(1, Ordering::Relaxed);
        usage.calls.fetch_add(1, Ordering::Relaxed);
        let host = Host::new(storage, inner.limits.clone());
        let mut store = Store::new(inner.pre.engine(), host);
        store.limiter(|host| host);
        store.set_epoch_deadline(inner.ticks);
        store.set_hostcall_fuel(inner.limits.held);
        let result = inner
            .pre
            .instantiate(&mut store)
            .and_then(|instance| body(&instance, &mut store))
            .map_err(|error| inner.classify(error));
        let outcome = std::mem::take(&mut store.data_mut().outcome);
        drop(store);
        usage.running.fetch_sub(1, Ordering::Relaxed);
        if result.is_err() {
            usage.failures.fetch_add(1, Ordering::Relaxed);
        }
        usage.commits.fetch_add(outcome.durabilities.len() as u64, Ordering::Relaxed);
        usage.committed_bytes.fetch_add(outcome.committed as u64, Ordering::Relaxed);
        (result, outcome)
    }
}

impl Inner {
    fn classify(&self, error: wasmtime::Error) -> Failure {
        if let Some(&MemoryLimit { limit }) = error.downcast_ref() {
            Failure::OutOfMemory { limit }
        } else if let Some(&HeldLimit(what)) = error.downcast_ref() {
            Failure::Held(what)
        } else if error.is::<wasmtime::PoolConcurrencyLimitError>() {
            Failure::Overloaded
        } else if matches!(error.downcast_ref(), Some(Trap::Interrupt)) {
            Failure::Deadline(self.limits.deadline)
        } else {
            Failure::Trap(error)
        }
    }
}

fn config(limits: &Limits, instances: usize) -> Config {
    let instances = u32::try_from(instances).unwrap_or(u32::MAX);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances)
        // A component built from Rust is the module itself and two small ones that tie it to its imports.
        .total_core_instances(instances.saturating_mul(4))
        .max_core_instances_per_component(4)
        .total_memories(instances)
        .max_memories_per_component(1)
        .total_tables(instances.saturating_mul(4))
        .max_tables_per_component(4)
        .max_memory_size(limits.memory.next_multiple_of(64 << 10))
        .max_unused_warm_slots(instances)
        .linear_memory_keep_resident(KEPT_RESIDENT)
        .table_keep_resident(KEPT_RESIDENT);
    let mut config = Config::new();
    config
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool))
        .concurrency_support(false)
        .epoch_interruption(true)
        .max_wasm_stack(limits.stack)
        .memory_init_cow(true);
    config
}

/// Lets the engine's clock tick for as long as the engine lives.
fn tick(engine: &Engine) -> std::io::Result<()> {
    let engine = engine.weak();
    thread::Builder::new()
        .name("usher-clock".into())
        .spawn(move || {
            while let Some(engine) = engine.upgrade() {
                engine.increment_epoch();
                drop(engine);
                thread::sleep(TICK);
            }
        })
        .map(drop)
}
