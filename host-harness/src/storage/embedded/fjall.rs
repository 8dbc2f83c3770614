//! The engine on disk: fjall, a log-structured merge tree with a journal.

use super::EmbeddedOptions;
use super::disk::{Changes, Disk, Snapshot, Stored};
use super::folder::Folder;
use crate::storage::Error;
use fjall::config::CompressionPolicy;
use fjall::{CompressionType, Database, Keyspace, KeyspaceCreateOptions, PersistMode, Readable, Slice};
use std::path::Path;

/// The one keyspace that holds the site.
const KEYSPACE: &str = "site";

/// How much journal may be left for the next start to read. The least that fjall takes: reading it is what opening costs.
const JOURNAL_BYTES: u64 = 64 << 20;

/// One thread writes tables and merges them. With more, fjall 3.1 keeps one free for writing tables, and whenever others
/// merge, that one passes the request for the next merge around without a pause: up to a processor's time, and with it a
/// quarter of all writes on two of them.
const WORKERS: usize = 1;

pub(super) struct FjallDisk {
    keyspace: Keyspace,
    database: Database,
    /// Last, so that nobody else opens the folder before the database is closed.
    _folder: Folder,
}

pub(super) struct FjallSnapshot {
    snapshot: fjall::Snapshot,
    keyspace: Keyspace,
}

impl FjallDisk {
    /// Opens the database in `folder`, or makes one.
    pub(super) fn open(folder: Folder, options: &EmbeddedOptions) -> Result<Self, fjall::Error> {
        let (database, keyspace) = open(&folder.entries(), options)?;
        Ok(Self { keyspace, database, _folder: folder })
    }
}

/// The engine as it is set up here. Also for measuring what this storage costs over it.
pub(crate) fn open(entries: &Path, options: &EmbeddedOptions) -> Result<(Database, Keyspace), fjall::Error> {
    let database = Database::builder(entries)
        .cache_size(options.cache_bytes)
        .max_journaling_size(JOURNAL_BYTES)
        .worker_threads(WORKERS)
        .open()?;
    // Compressed on every level, tables take a third less, for a tenth of the single reads; larger blocks than the
    // engine's 4 KiB would save another tenth, for a quarter of the reads.
    let keyspace = database.keyspace(KEYSPACE, || {
        KeyspaceCreateOptions::default()
            .max_memtable_size(options.write_buffer_bytes)
            .data_block_compression_policy(CompressionPolicy::all(CompressionType::Lz4))
    })?;
    Ok((database, keyspace))
}

impl Disk for FjallDisk {
    type Snapshot = FjallSnapshot;

    fn write(&self, changes: &Changes) -> Result<(), Error> {
        // `fdatasync` makes durable all that reading the data back needs; what `fsync` adds is the time of the change.
        let mut batch = self.database.batch().durability(Some(PersistMode::SyncData));
        for (key, value) in changes {
            match value {
                Some(value) => batch.insert(&self.keyspace, key.as_str(), value.as_str()),
                None => batch.remove(&self.keyspace, key.as_str()),
            }
        }
        batch.commit().map_err(failed)
    }

    fn snapshot(&self) -> Result<FjallSnapshot, Error> {
        Ok(FjallSnapshot { snapshot: self.database.snapshot(), keyspace: self.keyspace.clone() })
    }
}

impl Snapshot for FjallSnapshot {
    type Bytes = Slice;

    fn get(&self, key: &str) -> Result<Option<Slice>, Error> {
        self.snapshot.get(&self.keyspace, key).map_err(failed)
    }

    fn range(&self, start: &[u8], end: &[u8], reverse: bool) -> Result<impl Iterator<Item = Stored<Slice>>, Error> {
        let mut entries = self.snapshot.range(&self.keyspace, start..end);
        Ok(std::iter::from_fn(move || {
            let next = if reverse { entries.next_back() } else { entries.next() };
            next.map(|entry| entry.into_inner().map_err(failed))
        }))
    }
}

fn failed(error: fjall::Error) -> Error {
    match error {
        fjall::Error::Io(error) => Error::Unavailable(error.to_string()),
        fjall::Error::Poisoned => Error::Unavailable("an earlier write failed; see the log".into()),
        error => Error::Other(error.to_string()),
    }
}
