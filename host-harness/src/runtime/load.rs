//! Loading a component, with settings of one's own.

use super::bindings::Provisioner;
use super::cache;
use super::host::Host;
use super::interfaces::Interfaces;
use super::lanes::Lanes;
use super::limits::Limits;
use super::loaded::{Counters, Loaded};
use super::long_calls::LongCalls;
use super::usher::Usher;
use super::workers::Queue;
use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;
use wasmtime::component::{HasSelf, Linker};
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

/// The component that was built along with this library, as WebAssembly: what is loaded unless another is named. To be
/// written to a file, say, for another host.
pub const EMBEDDED: &[u8] = include_bytes!(env!("USHER_COMPONENT"));

/// How exactly deadlines are kept. Every tick wakes a thread, so not too short.
const TICK: Duration = Duration::from_millis(5);

/// How many ticks go by before calls that wait are looked through for those that nobody wants any more.
const SWEEP_TICKS: u64 = 4;

/// How much of an instance's memory is kept in place for the next one and cleared by copying, which is cheaper than
/// handing pages back to the system and faulting them in again. About what an ordinary request touches, and no more: after
/// a large one, all that is kept has to be cleared for every call that follows, whatever that touches itself.
const KEPT_RESIDENT: usize = 96 << 10;

/// Why a component could not be loaded.
///
/// ```
/// use usher_host::{LoadError, Usher};
///
/// let error = Usher::builder().component(*b"no component").no_cache().load().err();
/// assert!(matches!(error, Some(LoadError::Component(_))));
/// ```
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
///
/// ```no_run
/// use std::time::Duration;
/// use usher_host::{Limits, Usher};
///
/// let mut limits = Limits::default();
/// limits.deadline = Duration::from_secs(2);
/// let usher = Usher::builder()
///     .limits(limits)
///     .threads(8)
///     .short_calls_inline(true)
///     .component_file("/opt/usher/usher.wasm") // or `component`, with its bytes
///     .cache("/var/cache/usher") // or `no_cache`
///     .load()?;
/// # Ok::<_, usher_host::LoadError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Builder {
    limits: Limits,
    threads: Option<usize>,
    inline: bool,
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
}

impl Builder {
    /// What one call may use.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// How many threads make calls that read, and as many again calls that may write: four for each processor unless
    /// set, and at least one. More of them keep calls going while long ones run; each reserves address space, and
    /// holds up to [`Limits::memory`] while it works. One directory has half of them at the most.
    #[must_use]
    pub fn threads(mut self, count: usize) -> Self {
        self.threads = Some(count.max(1));
        self
    }

    /// Make short calls on the thread that awaits them, as many at a time as there are processors. It saves about half
    /// of what a call costs, and keeps that thread from other work: for 5 to 10 milliseconds of computing, or 50 with
    /// waiting. Those that take longer are made again on the other threads, of which the ones that read leave the
    /// processors to everything else, where the system can do that. Off unless set.
    ///
    /// Only for storages that answer from memory or a local disk: whatever time they take is the thread's, too.
    #[must_use]
    pub fn short_calls_inline(mut self, inline: bool) -> Self {
        self.inline = inline;
        self
    }

    /// A component to load instead of the one built into this library, as WebAssembly.
    #[must_use]
    pub fn component(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.source = Source::Bytes(bytes.into());
        self
    }

    /// A file to load the component from, instead of the one built into this library.
    #[must_use]
    pub fn component_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.source = Source::File(path.into());
        self
    }

    /// Where to keep the compiled component, so that only the first start compiles. The user's cache folder unless set.
    /// The folder is made where it is missing. It must belong to the user of the process and be writable by nobody
    /// else, or it is not used: what lies in it is run.
    #[must_use]
    pub fn cache(mut self, folder: impl Into<PathBuf>) -> Self {
        self.cache = Cache::Folder(folder.into());
        self
    }

    /// Compile at every start, and leave nothing on disk.
    #[must_use]
    pub fn no_cache(mut self) -> Self {
        self.cache = Cache::Off;
        self
    }

    /// Loads the component and starts the threads.
    ///
    /// # Errors
    /// See [`LoadError`].
    pub fn load(self) -> Result<Usher, LoadError> {
        let processors = thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let threads = self.threads.unwrap_or(4 * processors);
        let short = if self.inline { processors } else { 0 };
        let instances = Lanes::calls(threads, short, processors);
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
            Some(folder) => {
                let digest = match &self.source {
                    Source::Embedded => Cow::Borrowed(env!("USHER_COMPONENT_DIGEST")),
                    Source::Bytes(_) | Source::File(_) => Cow::Owned(cache::digest(bytes)),
                };
                cache::load(&engine, bytes, &digest, &folder)
            }
            None => cache::compile(&engine, bytes),
        };
        let loaded = component.and_then(|component| {
            let mut linker = Linker::new(&engine);
            Provisioner::add_to_linker::<_, HasSelf<Host>>(&mut linker, |host| host)?;
            let pre = linker.instantiate_pre(&component)?;
            let interfaces = Interfaces::of(&pre)?;
            Ok((pre, interfaces))
        });
        let (pre, interfaces) = loaded.map_err(LoadError::Component)?;
        let lanes = Lanes::new(threads, short).map_err(LoadError::Threads)?;
        tick(&engine, lanes.queues()).map_err(LoadError::Threads)?;
        let ticks = self.limits.deadline.as_nanos().div_ceil(TICK.as_nanos());
        // One more, for the tick that is under way when the call comes in.
        let ticks = u32::try_from(ticks).unwrap_or(u32::MAX).saturating_add(1);
        Ok(Usher {
            loaded: Arc::new(Loaded {
                pre,
                interfaces,
                limits: Arc::new(self.limits),
                term: TICK.saturating_mul(ticks),
                instances,
                counters: Counters::default(),
                lanes,
                long_calls: LongCalls::default(),
            }),
        })
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
        // Where the system can tell which pages were written, only those are cleared.
        .pagemap_scan(Enabled::Auto)
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

/// Lets the engine's clock tick for as long as the engine lives, and has the queues swept.
fn tick(engine: &Engine, queues: Vec<Weak<Queue>>) -> std::io::Result<()> {
    let engine = engine.weak();
    thread::Builder::new()
        .name("usher-clock".into())
        .spawn(move || {
            for tick in 1_u64.. {
                let Some(engine) = engine.upgrade() else { return };
                engine.increment_epoch();
                drop(engine);
                if tick % SWEEP_TICKS == 0 {
                    queues.iter().filter_map(Weak::upgrade).for_each(|queue| queue.sweep());
                }
                thread::sleep(TICK);
            }
        })
        .map(drop)
}
