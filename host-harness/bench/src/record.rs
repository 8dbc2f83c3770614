//! Storages that watch what is asked of another: what is read and written, and how long it takes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use usher_host::storage::{Access, Change, Durability, Entry, Error, Range, Storage, Transaction};

/// A storage that remembers each commit, and adds up what it takes.
pub(super) struct Recorder {
    storage: Arc<dyn Storage>,
    seen: Arc<Mutex<Seen>>,
    /// Whether commits are kept, which takes memory and time.
    keep: bool,
}

#[derive(Default)]
struct Seen {
    work: Work,
    commits: Vec<Commit>,
}

/// What one transaction read and wrote.
#[derive(Debug, Clone, Default)]
pub(super) struct Commit {
    pub(super) reads: Vec<String>,
    pub(super) scans: Vec<Range>,
    pub(super) changes: Vec<Change>,
}

/// What was asked of the storage since it was last looked, and how long it took.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Work {
    pub(super) transactions: usize,
    pub(super) keys: usize,
    pub(super) scans: usize,
    pub(super) entries: usize,
    pub(super) written: usize,
    pub(super) written_bytes: usize,
    /// In beginning transactions and reading.
    pub(super) reading: Duration,
    /// In handing changes over and committing them, without waiting for the disk.
    pub(super) writing: Duration,
    /// Waiting for the disk.
    pub(super) durable: Duration,
}

impl Recorder {
    /// Watches what is asked of `storage`. Its commits wait for the disk, to tell how long that takes.
    pub(super) fn new(storage: Arc<dyn Storage>, keep: bool) -> Self {
        Self { storage, seen: Arc::default(), keep }
    }

    /// The commits so far that wrote something, which it then forgets.
    pub(super) fn take_commits(&self) -> Vec<Commit> {
        std::mem::take(&mut lock(&self.seen).commits)
    }

    /// The work so far, which it then forgets.
    pub(super) fn take_work(&self) -> Work {
        std::mem::take(&mut lock(&self.seen).work)
    }
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Storage for Recorder {
    fn begin(&self, access: Access) -> Result<Box<dyn Transaction>, Error> {
        let begin = Instant::now();
        let transaction = self.storage.begin(access)?;
        let mut seen = lock(&self.seen);
        seen.work.transactions += 1;
        seen.work.reading += begin.elapsed();
        let commit = self.keep.then(Commit::default);
        Ok(Box::new(Recording { transaction, seen: self.seen.clone(), commit }))
    }
}

struct Recording {
    transaction: Box<dyn Transaction>,
    seen: Arc<Mutex<Seen>>,
    commit: Option<Commit>,
}

impl Transaction for Recording {
    fn get_many(&mut self, keys: &[String]) -> Result<Vec<Option<String>>, Error> {
        let begin = Instant::now();
        let found = self.transaction.get_many(keys)?;
        let took = begin.elapsed();
        let work = &mut lock(&self.seen).work;
        work.keys += keys.len();
        work.reading += took;
        if let Some(commit) = &mut self.commit {
            commit.reads.extend_from_slice(keys);
        }
        Ok(found)
    }

    fn scan(&mut self, range: &Range) -> Result<Vec<Entry>, Error> {
        let begin = Instant::now();
        let found = self.transaction.scan(range)?;
        let took = begin.elapsed();
        let work = &mut lock(&self.seen).work;
        work.scans += 1;
        work.entries += found.len();
        work.reading += took;
        if let Some(commit) = &mut self.commit {
            commit.scans.push(range.clone());
        }
        Ok(found)
    }

    fn write(&mut self, changes: Vec<Change>) -> Result<(), Error> {
        let length = |change: &Change| change.key.len() + change.value.as_ref().map_or(0, String::len);
        let (count, bytes) = (changes.len(), changes.iter().map(length).sum::<usize>());
        if let Some(commit) = &mut self.commit {
            commit.changes.extend_from_slice(&changes);
        }
        let begin = Instant::now();
        self.transaction.write(changes)?;
        let took = begin.elapsed();
        let work = &mut lock(&self.seen).work;
        work.written += count;
        work.written_bytes += bytes;
        work.writing += took;
        Ok(())
    }

    fn commit(self: Box<Self>) -> Result<Durability, Error> {
        let begin = Instant::now();
        let durability = self.transaction.commit()?;
        let committed = begin.elapsed();
        durability.wait()?;
        let took = begin.elapsed();
        let mut seen = lock(&self.seen);
        seen.work.writing += committed;
        seen.work.durable += took.saturating_sub(committed);
        seen.commits.extend(self.commit.filter(|commit| !commit.changes.is_empty()));
        Ok(Durability::done())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use usher_host::storage::MemoryStorage;

    #[test]
    fn what_is_read_and_written_is_seen() {
        let recorder = Recorder::new(Arc::new(MemoryStorage::new()), true);
        let change = Change { key: "a".into(), value: Some("12".into()) };
        let mut transaction = recorder.begin(Access::ReadWrite).unwrap();
        transaction.get_many(&["a".into(), "b".into()]).unwrap();
        transaction.write(vec![change.clone()]).unwrap();
        transaction.commit().unwrap().wait().unwrap();
        let range = Range { start: "a".into(), end: "b".into(), reverse: false, skip: 0, limit: 9, keys_only: false };
        recorder.begin(Access::ReadOnly).unwrap().scan(&range).unwrap();
        let work = recorder.take_work();
        assert_eq!((work.transactions, work.keys, work.scans, work.entries), (2, 2, 1, 1));
        assert_eq!((work.written, work.written_bytes), (1, 3));
        let commits = recorder.take_commits();
        assert_eq!(commits.len(), 1, "a transaction that only read is none");
        assert_eq!((commits[0].reads.len(), &commits[0].changes), (2, &vec![change]));
        assert_eq!(recorder.take_work().transactions, 0);
    }
}
