//! The disk as group commit needs it: the engine, opened again after a failure, with its mark and with what erases.

use super::engine::{Engine, FjallSnapshot};
use super::erasing::{self, Eraser};
use super::error::OpenError;
use super::folder::Folder;
use super::mark::{self, Facts, Mark};
use super::options::EmbeddedOptions;
use super::{journal, opening};
use crate::storage::Trouble;
use crate::storage::group::{Changes, Disk, DiskFailure};
use parking_lot::Mutex;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{fs, io, thread};

/// How long to wait before it is looked again whether transactions have ended.
const PAUSE: Duration = Duration::from_millis(1);

/// How long transactions that are under way may take to end before a disk that has failed is opened again later.
const PATIENCE: Duration = Duration::from_secs(2);

/// How much more room there has to be than the journals take before a full disk is opened again.
const HEADROOM_BYTES: u64 = 16 << 20;

/// The site's folder, with the engine open in it.
pub(super) struct FjallDisk {
    folder: Arc<Folder>,
    options: EmbeddedOptions,
    /// `None` where it could not be opened again after a failure.
    engine: Mutex<Option<Arc<Engine>>>,
    keeping: Mutex<Keeping>,
}

/// What is known of the disk besides what is on it.
struct Keeping {
    mark: Mark,
    /// What the mark is to say next, but for what is being erased.
    facts: Facts,
    /// Whether anything was written since the mark was written last.
    wrote: bool,
    tended: Instant,
    /// While a write is under way, and after one that failed: from which number on nothing was acknowledged.
    cut: Option<u64>,
    erasing: Eraser,
}

impl FjallDisk {
    /// Opens the database in `folder`, or makes one.
    pub(super) fn open(folder: Folder, options: &EmbeddedOptions) -> Result<Self, OpenError> {
        let folder = Arc::new(folder);
        let (engine, mark) = opening::open(&folder, options, None)?;
        let keeping = Keeping {
            facts: mark.facts().clone(),
            mark,
            wrote: false,
            tended: Instant::now(),
            cut: None,
            erasing: Eraser::default(),
        };
        Ok(Self {
            folder,
            options: options.clone(),
            engine: Mutex::new(Some(Arc::new(engine))),
            keeping: Mutex::new(keeping),
        })
    }

    fn engine(&self) -> Result<Arc<Engine>, DiskFailure> {
        let engine = self.engine.lock().clone();
        engine.ok_or_else(|| DiskFailure::new(Trouble::Failed, "the storage is closed because of an earlier failure"))
    }

    /// Closes the engine, if nobody else uses it.
    fn close(&self) -> Result<(), DiskFailure> {
        let Some(mut engine) = self.engine.lock().take() else {
            return Ok(());
        };
        let began = Instant::now();
        loop {
            match Arc::try_unwrap(engine) {
                Ok(engine) => {
                    drop(engine);
                    return Ok(());
                }
                Err(shared) if began.elapsed() < PATIENCE => engine = shared,
                Err(shared) => {
                    *self.engine.lock() = Some(shared);
                    return Err(DiskFailure::new(
                        Trouble::Failed,
                        "transactions from before the failure are still open",
                    ));
                }
            }
            thread::sleep(PAUSE);
        }
    }
}

impl Drop for FjallDisk {
    fn drop(&mut self) {
        let keeping = self.keeping.get_mut();
        if let Some(engine) = &*self.engine.get_mut()
            && keeping.cut.is_none()
            && let Err(error) = keeping.mark_all(engine, &self.folder)
        {
            tracing::warn!(%error, "the storage's mark could not be written");
        }
    }
}

impl Keeping {
    /// Writes the mark as it is now.
    fn mark_all(&mut self, engine: &Engine, folder: &Folder) -> io::Result<()> {
        let there = journal::list(&folder.entries())?;
        let facts = &mut self.facts;
        // After the journals, whose writes may have gone into tables since.
        facts.tables = facts.tables.max(engine.highest_in_tables());
        let (before, now) = (facts.journals.keys().next_back().copied(), there.keys().next_back().copied());
        if std::mem::take(&mut self.wrote)
            && let Some(newest) = now
            && before == now
        {
            // It was the last one and still is, so that what was written in between is in it.
            facts.journals.insert(newest, Some(facts.written));
        }
        let tables = facts.tables;
        facts.journals.retain(|id, least| there.contains_key(id) || *least > tables);
        for id in there.into_keys() {
            facts.journals.entry(id).or_insert(None);
        }
        let stale_since = self.erasing.stale_since(facts.stale_since);
        self.mark.write(&Facts { stale_since, ..facts.clone() })
    }
}

impl Disk for FjallDisk {
    type Snapshot = FjallSnapshot;

    fn write(&self, changes: &Changes) -> Result<(), DiskFailure> {
        let engine = self.engine()?;
        let batch = engine.batch(changes)?;
        // The batch gets this number or, where tables are written at the same time, a higher one.
        let number = engine.next_number();
        let mut keeping = self.keeping.lock();
        keeping.cut = Some(number);
        batch.commit()?;
        keeping.cut = None;
        keeping.facts.written = number;
        keeping.wrote = true;
        keeping.facts.stale_since.get_or_insert_with(erasing::now);
        Ok(())
    }

    fn snapshot(&self) -> Result<FjallSnapshot, DiskFailure> {
        Ok(FjallSnapshot::of(self.engine()?))
    }

    fn tend(&self) -> Result<(), DiskFailure> {
        let mut keeping = self.keeping.lock();
        if keeping.tended.elapsed() < mark::EVERY {
            return Ok(());
        }
        let engine = self.engine()?;
        engine.check()?;
        keeping.mark_all(&engine, &self.folder)?;
        let Keeping { erasing, facts, .. } = &mut *keeping;
        erasing.tend(&mut facts.stale_since, &engine, &self.folder, self.options.erased_within);
        keeping.tended = Instant::now();
        Ok(())
    }

    fn can_write(&self) -> Result<(), DiskFailure> {
        let mut bytes = HEADROOM_BYTES;
        for path in journal::list(&self.folder.entries())?.values() {
            bytes += space_taken(path)?;
        }
        Ok(self.folder.try_writing(bytes)?)
    }

    fn reopen(&self) -> Result<(), DiskFailure> {
        self.close()?;
        let mut keeping = self.keeping.lock();
        let (engine, mark) = opening::open(&self.folder, &self.options, Some(keeping.cut.unwrap_or(u64::MAX)))?;
        keeping.facts = mark.facts().clone();
        keeping.mark = mark;
        keeping.wrote = false;
        keeping.cut = None;
        *self.engine.lock() = Some(Arc::new(engine));
        Ok(())
    }
}

/// How many bytes of the disk a file takes. Journals are made longer than what is in them.
fn space_taken(path: &Path) -> io::Result<u64> {
    let found = match fs::metadata(path) {
        // The engine was about to remove it.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        found => found?,
    };
    #[cfg(unix)]
    {
        /// POSIX leaves it open; everywhere it is this.
        const BLOCK_BYTES: u64 = 512;
        Ok(std::os::unix::fs::MetadataExt::blocks(&found) * BLOCK_BYTES)
    }
    #[cfg(not(unix))]
    Ok(found.len())
}

impl From<OpenError> for DiskFailure {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Io { error, .. } => error.into(),
            OpenError::Damaged { .. } | OpenError::Incomplete { .. } => Self::new(Trouble::Damaged, error.to_string()),
            error => Self::new(Trouble::Failed, error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::group::GroupCommit;
    use crate::storage::{Access, Change, Durability, Error, Health, Transaction};
    use ::fjall::AbstractTree;
    use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
    use tempfile::TempDir;

    const WORKS: u8 = 0;
    const FAILS_BEFORE: u8 = 1;
    const FAILS_AFTER: u8 = 2;

    /// The real disk, which fails on demand: before anything is written, or when all of it is in the journal and the
    /// system was to see it to the disk.
    struct FailingDisk {
        disk: FjallDisk,
        mode: Arc<AtomicU8>,
    }

    impl FailingDisk {
        fn failure() -> DiskFailure {
            io::Error::other("the disk does not answer").into()
        }
    }

    impl Disk for FailingDisk {
        type Snapshot = FjallSnapshot;

        fn write(&self, changes: &Changes) -> Result<(), DiskFailure> {
            match self.mode.load(Ordering::SeqCst) {
                WORKS => self.disk.write(changes),
                FAILS_BEFORE => Err(Self::failure()),
                _ => {
                    let number = self.disk.engine()?.next_number();
                    self.disk.write(changes)?;
                    self.disk.keeping.lock().cut = Some(number);
                    Err(Self::failure())
                }
            }
        }

        fn snapshot(&self) -> Result<FjallSnapshot, DiskFailure> {
            self.disk.snapshot()
        }

        fn tend(&self) -> Result<(), DiskFailure> {
            self.disk.tend()
        }

        fn can_write(&self) -> Result<(), DiskFailure> {
            if self.mode.load(Ordering::SeqCst) == WORKS { self.disk.can_write() } else { Err(Self::failure()) }
        }

        fn reopen(&self) -> Result<(), DiskFailure> {
            self.disk.reopen()
        }
    }

    fn open(folder: &TempDir) -> (GroupCommit<FailingDisk>, Arc<AtomicU8>) {
        let mode = Arc::new(AtomicU8::new(WORKS));
        let disk = Folder::open(folder.path()).and_then(|folder| FjallDisk::open(folder, &EmbeddedOptions::default()));
        let disk = FailingDisk { disk: disk.expect("it opens"), mode: mode.clone() };
        (GroupCommit::new(disk, 1 << 20).expect("a thread starts"), mode)
    }

    fn put(storage: &GroupCommit<FailingDisk>, key: &str) -> Result<(), Error> {
        let mut transaction = storage.begin(Access::ReadWrite)?;
        transaction.write(vec![Change { key: key.into(), value: Some(key.repeat(3)) }])?;
        transaction.commit().and_then(Durability::wait)
    }

    fn keys(transaction: &mut dyn Transaction) -> Vec<String> {
        let range = crate::storage::Range {
            start: String::new(),
            end: "~".into(),
            reverse: false,
            skip: 0,
            limit: u32::MAX,
            keys_only: true,
        };
        transaction.scan(&range).expect("a scan").into_iter().map(|entry| entry.key).collect()
    }

    fn read(storage: &GroupCommit<FailingDisk>) -> Vec<String> {
        keys(&mut *storage.begin(Access::ReadOnly).expect("a transaction"))
    }

    fn until_it_works(storage: &GroupCommit<FailingDisk>) {
        let began = Instant::now();
        while storage.health().trouble.is_some() {
            assert!(began.elapsed() < Duration::from_mins(1), "{:?}", storage.health());
            thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn what_a_failed_write_left_in_the_journal_is_gone_when_the_disk_is_opened_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let (storage, mode) = open(&folder);
        let mut expected = Vec::new();
        for (round, way) in [FAILS_AFTER, FAILS_BEFORE, FAILS_AFTER].into_iter().enumerate() {
            for number in 0..5 {
                let key = format!("{round}-{number}");
                put(&storage, &key).expect("a write");
                expected.push(key);
            }
            mode.store(way, Ordering::SeqCst);
            let refused = put(&storage, &format!("{round}-lost"));
            assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
            let refused = put(&storage, &format!("{round}-late"));
            assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
            assert_eq!(read(&storage), expected, "readers go on with what is durable");
            mode.store(WORKS, Ordering::SeqCst);
            until_it_works(&storage);
            assert_eq!(read(&storage), expected);
        }
        assert_eq!(storage.health(), Health { trouble: None, failures: 3, recoveries: 3 });
        drop(storage);
        assert_eq!(read(&open(&folder).0), expected, "and so it is when the process begins anew");
    }

    #[test]
    fn what_a_transaction_sees_does_not_move_when_the_disk_is_opened_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let (storage, mode) = open(&folder);
        put(&storage, "a").expect("a write");
        let mut open_before = storage.begin(Access::ReadOnly).expect("a transaction");
        mode.store(FAILS_BEFORE, Ordering::SeqCst);
        put(&storage, "b").expect_err("the disk has failed");
        mode.store(WORKS, Ordering::SeqCst);
        thread::sleep(PATIENCE + 2 * Duration::from_secs(1));
        assert!(storage.health().trouble.is_some(), "it cannot be closed under a reader");
        assert_eq!(keys(&mut *open_before), ["a"]);
        assert_eq!(read(&storage), ["a"], "and others can read as well");
        drop(open_before);
        until_it_works(&storage);
        put(&storage, "c").expect("a write");
        assert_eq!(read(&storage), ["a", "c"]);
    }

    /// The engine's own failure, of the thread that writes tables.
    #[test]
    fn a_failure_in_the_background_is_noticed_without_a_write() {
        let folder = tempfile::tempdir().expect("a folder");
        let (storage, _) = open(&folder);
        put(&storage, "a").expect("a write");
        let tables = folder.path().join("entries/keyspaces/1/tables");
        fs::remove_dir_all(&tables).expect("it is removed");
        {
            let shared = storage.disk();
            shared.disk.engine().expect("it is open").seal().expect("no more than a request");
        }
        let began = Instant::now();
        while storage.health().failures == 0 {
            assert!(began.elapsed() < Duration::from_mins(1), "nobody noticed");
            thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(read(&storage), ["a"], "it is in the journal and in memory");
        until_it_works(&storage);
        put(&storage, "b").expect("a write");
        assert_eq!(read(&storage), ["a", "b"]);
    }

    /// The engine's thread takes requests from a queue that it also writes to, and each write adds to it.
    #[test]
    fn any_number_of_writes_while_the_engine_is_busy_leaves_it_going() {
        let folder = tempfile::tempdir().expect("a folder");
        let options = EmbeddedOptions { write_buffer_bytes: 1 << 10, ..EmbeddedOptions::default() };
        let disk = Folder::open(folder.path()).and_then(|folder| FjallDisk::open(folder, &options)).expect("it opens");
        let engine = disk.engine().expect("it is open");
        let ends = AtomicU8::new(0);
        let write = |number: u64| disk.write(&Changes::from([(format!("k{number}"), Some("v".repeat(300)))]));
        thread::scope(|scope| {
            let busy = engine.keyspace().tree.get_flush_lock();
            let writer = scope.spawn(|| {
                let mut number = 0;
                while ends.load(Ordering::SeqCst) == 0 {
                    write(number).expect("a write");
                    number += 1;
                }
            });
            thread::sleep(Duration::from_secs(3));
            drop(busy);
            thread::sleep(Duration::from_secs(2));
            ends.store(1, Ordering::SeqCst);
            writer.join().expect("no panic");
        });
        let began = Instant::now();
        while engine.keyspace().tree.sealed_memtable_count() > 0 {
            assert!(began.elapsed() < Duration::from_mins(1), "what is sealed is not written to a table");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Whoever sends large requests can write much while tables are merged.
    #[test]
    fn large_writes_while_the_engine_is_busy_wait_before_they_fill_the_memory() {
        const WRITE: usize = 32 << 10;
        let folder = tempfile::tempdir().expect("a folder");
        let options = EmbeddedOptions { write_buffer_bytes: 64 << 10, ..EmbeddedOptions::default() };
        let disk = Folder::open(folder.path()).and_then(|folder| FjallDisk::open(folder, &options)).expect("it opens");
        let engine = disk.engine().expect("it is open");
        let (ends, written) = (AtomicU8::new(0), AtomicU64::new(0));
        let before = thread::scope(|scope| {
            let busy = engine.keyspace().tree.get_flush_lock();
            scope.spawn(|| {
                while ends.load(Ordering::SeqCst) == 0 {
                    let number = written.fetch_add(1, Ordering::SeqCst);
                    disk.write(&Changes::from([(format!("k{number}"), Some("v".repeat(WRITE)))])).expect("a write");
                }
            });
            thread::sleep(Duration::from_secs(2));
            let before = written.load(Ordering::SeqCst);
            drop(busy);
            let began = Instant::now();
            while written.load(Ordering::SeqCst) < before + 10 && began.elapsed() < Duration::from_mins(1) {
                thread::sleep(PAUSE);
            }
            ends.store(1, Ordering::SeqCst);
            before
        });
        let bytes = before * WRITE as u64;
        assert!(bytes <= 50 * options.write_buffer_bytes, "{bytes} bytes wait in memory");
        assert!(written.load(Ordering::SeqCst) >= before + 10, "it does not go on");
    }

    #[test]
    fn the_folder_is_free_as_soon_as_a_store_is_closed_that_is_erasing() {
        let folder = tempfile::tempdir().expect("a folder");
        let options = EmbeddedOptions { erased_within: Duration::ZERO, ..EmbeddedOptions::default() };
        for round in 0..10 {
            let free = Folder::open(folder.path()).unwrap_or_else(|error| panic!("round {round}: {error}"));
            let disk = FjallDisk::open(free, &options).expect("it opens");
            disk.write(&Changes::from([("a".to_owned(), Some("1".to_owned()))])).expect("a write");
            thread::sleep(mark::EVERY);
            disk.tend().expect("nothing is wrong");
            assert!(disk.keeping.lock().erasing.is_running());
        }
    }

    #[test]
    fn a_store_whose_last_removals_were_merged_away_is_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let open = || {
            let folder = Folder::open(folder.path()).expect("it is free");
            FjallDisk::open(folder, &EmbeddedOptions::default()).expect("it opens")
        };
        let disk = open();
        for value in [Some("1".to_owned()), None] {
            disk.write(&Changes::from([("a".to_owned(), value)])).expect("a write");
        }
        {
            let engine = disk.engine().expect("it is open");
            let removal = engine.next_number() - 1;
            let seal = |engine: &Engine| {
                engine.seal().expect("it is asked for");
                while engine.keyspace().tree.sealed_memtable_count() > 0 {
                    thread::sleep(PAUSE);
                }
            };
            seal(&engine);
            assert_eq!(engine.highest_in_tables(), Some(removal));
            disk.keeping.lock().mark_all(&engine, &disk.folder).expect("it is written");
            engine.merge_all().expect("they are merged");
            assert!(engine.highest_in_tables() < Some(removal), "the removal is not needed any more");
        }
        drop(disk);
        open();
    }
}
