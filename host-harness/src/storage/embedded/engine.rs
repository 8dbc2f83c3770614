//! The engine on disk: fjall, a log-structured merge tree with a journal.

use super::folder::Folder;
use super::options::EmbeddedOptions;
use super::settings;
use crate::storage::group::{Changes, DiskFailure, Part, Snapshot, Stored};
use crate::storage::{Error, Trouble};
use fjall::config::{CompressionPolicy, PartitioningPolicy};
use fjall::{
    AbstractTree, CompressionType, Database, Keyspace, KeyspaceCreateOptions, LsmError, OwnedWriteBatch, PersistMode,
    Readable, Slice,
};
use parking_lot::Mutex;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use std::{fs, io, thread};

/// The one keyspace that holds the site.
const KEYSPACE: &str = "site";

/// How much journal may be left for the next start to read. The least that fjall takes: reading it is what opening costs.
const JOURNAL_BYTES: u64 = 64 << 20;

/// One thread writes tables and merges them. With more, fjall 3.1 keeps one free for writing tables, and whenever others
/// merge, that one passes the request for the next merge around without a pause: up to a processor's time, and with it a
/// quarter of all writes on two of them.
const WORKERS: usize = 1;

/// How many memtables may wait for that thread when a write begins. With four, and with [`MAX_RUNS`] runs of tables that
/// are not merged yet, fjall lets a write wait for it without end, even where the thread has ended because the disk failed.
/// While one write goes on, the thread seals two memtables at the most.
const MAX_SEALED: usize = 1;

/// See [`MAX_SEALED`].
const MAX_RUNS: usize = 30;

/// After how many writes to a memtable that is full the writer seals it itself. Each of them asks the engine's thread to do
/// so, which does not listen while it merges tables; and where it then finds 1,000 requests, it waits without end for room
/// to make one of its own.
const MAX_REQUESTS: u32 = 400;

/// How many times over a memtable is full when the writer seals it itself, however few writes they were: one may be of some
/// megabytes. As much as gathers while large tables are merged; with half of it, bulk requests wait for that, up to 3 s.
const OVERFULL: u64 = 16;

/// How long such a wait lasts before it is looked again.
const PAUSE: Duration = Duration::from_millis(1);

/// The engine, open.
pub(super) struct Engine {
    keyspace: Keyspace,
    database: Database,
    write_buffer_bytes: u64,
    requests: Mutex<Requests>,
    /// Last, so that nobody else opens the folder before the database is closed.
    _folder: Arc<Folder>,
}

/// How often it was asked that a memtable be sealed.
#[derive(Default)]
struct Requests {
    memtable: u64,
    count: u32,
}

/// A state of the engine's entries that does not move.
pub(super) struct FjallSnapshot {
    snapshot: fjall::Snapshot,
    engine: Arc<Engine>,
}

impl Engine {
    /// Opens the engine in a folder, or makes it.
    pub(super) fn open(folder: &Arc<Folder>, options: &EmbeddedOptions) -> Result<Self, fjall::Error> {
        let (database, keyspace) = open(&folder.entries(), options)?;
        let bytes = options.write_buffer_bytes;
        Ok(Self { keyspace, database, write_buffer_bytes: bytes, requests: Mutex::default(), _folder: folder.clone() })
    }

    /// The one keyspace, for tests that do to it what the engine does.
    #[cfg(test)]
    pub(super) fn keyspace(&self) -> &Keyspace {
        &self.keyspace
    }

    /// The highest number of what is in tables: everything up to it is.
    pub(super) fn highest_in_tables(&self) -> Option<u64> {
        self.keyspace.tree.get_highest_persisted_seqno()
    }

    /// The names of the trees' folders.
    pub(super) fn trees(&self) -> io::Result<BTreeSet<String>> {
        let folder = self.keyspace.path().parent().ok_or(io::ErrorKind::NotFound)?;
        fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    }

    /// Whether the engine has failed outside of a write, when it wrote tables or merged them.
    pub(super) fn check(&self) -> Result<(), DiskFailure> {
        // Nothing is left to be written between writes, so that this only asks.
        self.database.persist(PersistMode::Buffer).map_err(DiskFailure::from)
    }

    /// How many bytes the tables take.
    pub(super) fn table_bytes(&self) -> u64 {
        self.keyspace.disk_space()
    }

    /// Where the tables are.
    pub(super) fn tables(&self) -> PathBuf {
        self.keyspace.path().join("tables")
    }

    /// The number that the next write gets, or a lower one.
    pub(super) fn next_number(&self) -> u64 {
        self.database.seqno()
    }

    /// What was replaced by a write with a number below this one is in nobody's sight, as far as the engine knows.
    pub(super) fn lowest_in_use(&self) -> u64 {
        self.database.supervisor.snapshot_tracker.get_seqno_safe_to_gc()
    }

    /// Writes that something is not there that never was: so many random keys, so long, beyond all that can be asked for.
    pub(super) fn pad(&self, keys: usize, bytes: usize) -> Result<(), DiskFailure> {
        self.wait_for_room()?;
        let mut batch = self.database.batch();
        for _ in 0..keys {
            // No key of the site begins like this, as those are ASCII.
            let mut key = vec![0xff; 1 + bytes];
            getrandom::fill(&mut key[1..]).map_err(|error| DiskFailure::new(Trouble::Failed, error.to_string()))?;
            batch.remove(&self.keyspace, key);
        }
        batch.commit().map_err(DiskFailure::from)
    }

    /// A batch of these changes, to be committed: on disk when that returns. Waits until the engine does not let it wait.
    pub(super) fn batch(&self, changes: &Changes) -> Result<OwnedWriteBatch, DiskFailure> {
        self.wait_for_room()?;
        // `fdatasync` makes durable all that reading the data back needs; what `fsync` adds is the time of the change.
        let mut batch = self.database.batch().durability(Some(PersistMode::SyncData));
        for (key, value) in changes {
            match value {
                Some(value) => batch.insert(&self.keyspace, key.as_str(), value.as_str()),
                None => batch.remove(&self.keyspace, key.as_str()),
            }
        }
        Ok(batch)
    }

    /// Has what is in memory written to a table, soon.
    pub(super) fn seal(&self) -> Result<(), DiskFailure> {
        self.keyspace.rotate_memtable().map(drop).map_err(DiskFailure::from)
    }

    /// Merges all tables, and leaves what was removed out of the new ones. Takes as long as writing all that is stored.
    pub(super) fn merge_all(&self) -> Result<(), DiskFailure> {
        self.keyspace.major_compact().map_err(DiskFailure::from)
    }

    /// To be called before each write: waits until the engine does not let it wait.
    fn wait_for_room(&self) -> Result<(), DiskFailure> {
        let tree = &self.keyspace.tree;
        while tree.sealed_memtable_count() > MAX_SEALED || tree.l0_run_count() + 2 > MAX_RUNS {
            self.check()?;
            thread::sleep(PAUSE);
        }
        let (memtable, mut requests) = (tree.active_memtable(), self.requests.lock());
        if requests.memtable != memtable.id() {
            *requests = Requests { memtable: memtable.id(), count: 0 };
        } else if memtable.size() > self.write_buffer_bytes {
            requests.count += 1;
            let overfull = self.write_buffer_bytes.saturating_mul(OVERFULL);
            if requests.count % MAX_REQUESTS == 0 || memtable.size() > overfull {
                self.seal()?;
            }
        }
        Ok(())
    }
}

/// The engine as it is set up here. Also for measuring what this storage costs over it.
pub(crate) fn open(entries: &Path, options: &EmbeddedOptions) -> Result<(Database, Keyspace), fjall::Error> {
    settings::renew(entries, KEYSPACE)?;
    let database = Database::builder(entries)
        .cache_size(options.cache_bytes)
        .max_journaling_size(JOURNAL_BYTES)
        .worker_threads(WORKERS)
        .open()?;
    // Compressed on every level, tables take a third less, for a tenth of the single reads; larger blocks than the
    // engine's 4 KiB would save another tenth, for a quarter of the reads. Filters and indexes are in parts on every level:
    // a large table's whole filter is some megabytes, which do not stay in the cache, and was read from the file for each
    // name that had to be looked for and was not there. What is changed here has to be brought to folders that exist, too.
    let keyspace = database.keyspace(KEYSPACE, || {
        KeyspaceCreateOptions::default()
            .max_memtable_size(options.write_buffer_bytes)
            .data_block_compression_policy(CompressionPolicy::all(CompressionType::Lz4))
            .filter_block_partitioning_policy(PartitioningPolicy::all(true))
            .index_block_partitioning_policy(PartitioningPolicy::all(true))
    })?;
    Ok((database, keyspace))
}

impl FjallSnapshot {
    /// What is there now.
    pub(super) fn of(engine: Arc<Engine>) -> Self {
        Self { snapshot: engine.database.snapshot(), engine }
    }
}

impl Snapshot for FjallSnapshot {
    type Bytes = Slice;

    fn get_many(&self, keys: &[&str]) -> Result<Vec<Option<Slice>>, Error> {
        keys.iter().map(|key| self.snapshot.get(&self.engine.keyspace, key).map_err(failed)).collect()
    }

    fn range<'a>(&'a self, part: &Part<'a>) -> Result<impl Iterator<Item = Stored<Slice>> + 'a, Error> {
        let mut entries = self.snapshot.range(&self.engine.keyspace, part.start..part.end);
        let reverse = part.reverse;
        let found = std::iter::from_fn(move || {
            let next = if reverse { entries.next_back() } else { entries.next() };
            next.map(|entry| entry.into_inner().map_err(failed))
        });
        Ok(found.skip(part.skip as usize))
    }
}

/// What a reader is told.
fn failed(error: fjall::Error) -> Error {
    match error {
        fjall::Error::Io(error) => Error::Unavailable(error.to_string()),
        error => Error::Other(error.to_string()),
    }
}

impl From<fjall::Error> for DiskFailure {
    fn from(error: fjall::Error) -> Self {
        match error {
            fjall::Error::Io(error) | fjall::Error::Storage(LsmError::Io(error)) => error.into(),
            fjall::Error::Poisoned => Self::new(Trouble::Failed, "an earlier write of the engine failed"),
            error => Self::new(Trouble::Failed, error.to_string()),
        }
    }
}
