//! Group commit: writers run one after another in memory, and share their trips to the disk.
//!
//! A commit adds its changes to the group that gathers, and is done. One thread takes the group as a whole, writes it to
//! the disk as one atomic batch and waits for the disk; meanwhile the next group gathers. So
//! - no half of a commit can ever be on disk, and commits reach it in their order;
//! - writers do not wait for one another's disk, and the more there are, the more share one trip;
//! - what readers see is what is on disk: nothing that a crash could take back;
//! - writers see the newest state: the group that gathers, over the one that is being written, over the disk.

use super::disk::{Changes, Disk};
use super::merge;
use crate::storage::turns::{Turn, Turns};
use crate::storage::{Access, Change, Durability, Entry, Error, Flush, Range, Transaction, Writes};
use parking_lot::{Condvar, Mutex, MutexGuard};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

/// How many bytes of keys and values may wait for the disk before commits wait with them. Bounds the memory that a slow
/// disk can cost to this, twice (one group gathers while one is written), and one more commit.
const MAX_GATHERED_BYTES: usize = 32 << 20;

/// Transactions over a [`Disk`]. Dropping it writes what is committed, and stops the thread.
pub(super) struct GroupCommit<D: Disk> {
    shared: Arc<Shared<D>>,
    writer: Option<JoinHandle<()>>,
}

struct Shared<D: Disk> {
    turns: Turns,
    state: Mutex<State<D>>,
    /// There is something to write, or to end for.
    work: Condvar,
    /// A group went to the disk: there may be room in the next.
    room: Condvar,
    /// After the states of it, so that the disk is closed last.
    disk: D,
}

struct State<D: Disk> {
    /// The newest durable state.
    durable: Arc<D::Snapshot>,
    /// What is being written to the disk, or nothing.
    writing: Arc<Changes>,
    writing_flush: Option<Flush>,
    /// What is written next.
    gathering: Arc<Changes>,
    gathering_flush: Flush,
    gathering_bytes: usize,
    /// Why nothing is written any more.
    stopped: Option<Error>,
}

impl<D: Disk> GroupCommit<D> {
    /// Starts the thread that writes.
    pub(super) fn new(disk: D) -> Result<Self, Error> {
        let durable = Arc::new(disk.snapshot()?);
        let shared = Arc::new(Shared {
            turns: Turns::default(),
            state: Mutex::new(State {
                durable,
                writing: Arc::default(),
                writing_flush: None,
                gathering: Arc::default(),
                gathering_flush: Flush::new(),
                gathering_bytes: 0,
                stopped: None,
            }),
            work: Condvar::new(),
            room: Condvar::new(),
            disk,
        });
        let writer = {
            let shared = shared.clone();
            let thread = Builder::new().name("usher-storage".into());
            thread
                .spawn(move || shared.write_groups())
                .map_err(|error| Error::Unavailable(format!("the thread that writes did not start: {error}")))?
        };
        Ok(Self { shared, writer: Some(writer) })
    }

    /// Begins a transaction; a read-write one when it is its turn.
    pub(super) fn begin(&self, access: Access) -> Result<Box<dyn Transaction>, Error> {
        let shared = self.shared.clone();
        let (turn, view) = match access {
            Access::ReadOnly => (None, View { durable: shared.state.lock().durable.clone(), pending: None }),
            Access::ReadWrite => {
                let turn = shared.turns.wait();
                let state = shared.state.lock();
                state.check()?;
                let pending = Pending { gathering: state.gathering.clone(), writing: state.writing.clone() };
                (Some(turn), View { durable: state.durable.clone(), pending: Some(pending) })
            }
        };
        Ok(Box::new(GroupTransaction { view, writes: Writes::new(access), turn, shared }))
    }
}

impl<D: Disk> Drop for GroupCommit<D> {
    fn drop(&mut self) {
        self.shared.state.lock().stop(Error::Unavailable("the storage was closed".into()));
        self.shared.work.notify_one();
        self.shared.room.notify_all();
        if let Some(writer) = self.writer.take() {
            // It catches the engine's panics itself, and has told those that waited.
            let _ = writer.join();
        }
    }
}

impl<D: Disk> Shared<D> {
    /// Writes group after group until the storage is closed or the disk fails.
    fn write_groups(&self) {
        while let Some(changes) = self.next_group() {
            // A panic in the engine must not leave commits waiting for ever.
            let written = catch_unwind(AssertUnwindSafe(|| {
                self.disk.write(&changes)?;
                self.disk.snapshot()
            }));
            let written = written.unwrap_or_else(|_| Err(Error::Other("the engine panicked while writing".into())));
            self.finish_group(written);
        }
    }

    /// What has gathered, as soon as there is any; `None` when there will be no more.
    fn next_group(&self) -> Option<Arc<Changes>> {
        let mut state = self.state.lock();
        while state.gathering.is_empty() {
            if state.stopped.is_some() {
                return None;
            }
            self.work.wait(&mut state);
        }
        // Whoever is about to commit and waits for a processor gets it first, and shares the trip. Where processors are free,
        // this costs nothing.
        MutexGuard::unlocked(&mut state, std::thread::yield_now);
        let changes = std::mem::take(&mut state.gathering);
        state.writing = changes.clone();
        state.writing_flush = Some(std::mem::take(&mut state.gathering_flush));
        state.gathering_bytes = 0;
        self.room.notify_all();
        Some(changes)
    }

    fn finish_group(&self, written: Result<D::Snapshot, Error>) {
        let mut state = self.state.lock();
        let written_flush = state.writing_flush.take();
        let (outcome, rest) = match written {
            Ok(durable) => {
                let durable = std::mem::replace(&mut state.durable, Arc::new(durable));
                let changes = std::mem::take(&mut state.writing);
                drop(state);
                drop((durable, changes));
                (Ok(()), None)
            }
            Err(error) => {
                // What the disk holds now is not known. Only opening the store again tells.
                let reason = match error {
                    Error::Unavailable(reason) | Error::Other(reason) => reason,
                    error => error.to_string(),
                };
                let error = Error::Unavailable(format!("writing to disk failed: {reason}"));
                state.stop(error.clone());
                state.writing = Arc::default();
                state.gathering = Arc::default();
                let rest = std::mem::take(&mut state.gathering_flush);
                drop(state);
                self.room.notify_all();
                (Err(error), Some(rest))
            }
        };
        for flush in written_flush.into_iter().chain(rest) {
            flush.finish(outcome.clone());
        }
    }
}

impl<D: Disk> State<D> {
    fn check(&self) -> Result<(), Error> {
        self.stopped.clone().map_or(Ok(()), Err)
    }

    fn stop(&mut self, error: Error) {
        self.stopped.get_or_insert(error);
    }

    /// When all that a writer can see is durable.
    fn durability(&self) -> Durability {
        if !self.gathering.is_empty() {
            return self.gathering_flush.durability();
        }
        self.writing_flush.as_ref().map_or_else(Durability::done, Flush::durability)
    }
}

/// What a transaction sees: what is durable and, where it may write, what is to become so.
struct View<D: Disk> {
    durable: Arc<D::Snapshot>,
    pending: Option<Pending>,
}

/// The groups as they were when a transaction began.
struct Pending {
    gathering: Arc<Changes>,
    writing: Arc<Changes>,
}

impl<D: Disk> View<D> {
    /// What is newer than the durable state, newest first.
    fn layers(&self) -> [&Changes; 2] {
        static NONE: Changes = Changes::new();
        self.pending.as_ref().map_or([&NONE; 2], |Pending { gathering, writing }| [gathering, writing])
    }
}

struct GroupTransaction<D: Disk> {
    view: View<D>,
    writes: Writes,
    turn: Option<Turn>,
    shared: Arc<Shared<D>>,
}

impl<D: Disk> Transaction for GroupTransaction<D> {
    fn get_many(&mut self, keys: &[String]) -> Result<Vec<Option<String>>, Error> {
        self.writes.check_read()?;
        merge::get_many(&*self.view.durable, self.view.layers(), keys)
    }

    fn scan(&mut self, range: &Range) -> Result<Vec<Entry>, Error> {
        self.writes.check_read()?;
        merge::scan(&*self.view.durable, self.view.layers(), range)
    }

    fn write(&mut self, changes: Vec<Change>) -> Result<(), Error> {
        self.writes.add(changes)
    }

    fn commit(self: Box<Self>) -> Result<Durability, Error> {
        let Self { view, writes, turn, shared } = *self;
        let changes = writes.finish()?;
        if turn.is_none() {
            return Ok(Durability::done());
        }
        // Without this, each commit would copy the group that it has looked at.
        drop(view);
        let mut state = shared.state.lock();
        state.check()?;
        if changes.is_empty() {
            return Ok(state.durability());
        }
        while state.gathering_bytes >= MAX_GATHERED_BYTES {
            shared.room.wait(&mut state);
            state.check()?;
        }
        let bytes = |change: &Change| change.key.len() + change.value.as_ref().map_or(0, String::len);
        state.gathering_bytes += changes.iter().map(bytes).sum::<usize>();
        Arc::make_mut(&mut state.gathering).extend(changes.into_iter().map(|Change { key, value }| (key, value)));
        let durability = state.durability();
        drop(state);
        shared.work.notify_one();
        drop(turn);
        Ok(durability)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::embedded::disk::{Snapshot, Stored};
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::thread;

    /// A disk that does each write only when the test says how it ends.
    struct StepDisk {
        entries: Mutex<Changes>,
        /// Tells the test how many keys a group has.
        writes: Mutex<Sender<usize>>,
        steps: Mutex<Receiver<Step>>,
    }

    enum Step {
        Succeed,
        Fail,
        Panic,
    }

    struct Test {
        storage: GroupCommit<StepDisk>,
        writes: Receiver<usize>,
        steps: Sender<Step>,
    }

    impl Disk for StepDisk {
        type Snapshot = Changes;

        fn write(&self, changes: &Changes) -> Result<(), Error> {
            self.writes.lock().send(changes.len()).expect("the test listens");
            match self.steps.lock().recv() {
                Ok(Step::Succeed) => {
                    self.entries.lock().extend(changes.clone());
                    Ok(())
                }
                Ok(Step::Panic) => panic!("a panic that the test asked for"),
                Ok(Step::Fail) | Err(_) => Err(Error::Unavailable("no space left".into())),
            }
        }

        fn snapshot(&self) -> Result<Changes, Error> {
            Ok(self.entries.lock().clone())
        }
    }

    impl Snapshot for Changes {
        type Bytes = Vec<u8>;

        fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
            Ok(Changes::get(self, key).cloned().flatten().map(|value| value.as_bytes().to_vec()))
        }

        fn range(
            &self,
            start: &[u8],
            end: &[u8],
            reverse: bool,
        ) -> Result<impl Iterator<Item = Stored<Vec<u8>>>, Error> {
            let mut found: Vec<Stored<Vec<u8>>> = self
                .iter()
                .filter(|(key, _)| key.as_bytes() >= start && key.as_bytes() < end)
                .filter_map(|(key, value)| Some(Ok((key.as_bytes().to_vec(), value.as_ref()?.as_bytes().to_vec()))))
                .collect();
            if reverse {
                found.reverse();
            }
            Ok(found.into_iter())
        }
    }

    impl Test {
        fn new() -> Self {
            let ((writes, told), (steps, stepped)) = (channel(), channel());
            let disk = StepDisk { entries: Mutex::default(), writes: Mutex::new(writes), steps: Mutex::new(stepped) };
            let storage = GroupCommit::new(disk).expect("a thread starts");
            Self { storage, writes: told, steps }
        }

        fn commit(&self, key: &str, value: Option<&str>) -> Result<Durability, Error> {
            commit(&self.storage, key, value)
        }

        /// Waits until a group is being written, which it leaves under way.
        fn group(&self) -> usize {
            self.writes.recv().expect("a group is written")
        }

        fn step(&self, step: Step) {
            self.steps.send(step).expect("the disk listens");
        }

        fn all(&self, access: Access, reverse: bool) -> Vec<(String, String)> {
            let mut transaction = self.storage.begin(access).expect("a transaction");
            let range = Range { start: String::new(), end: "~".into(), reverse, skip: 0, limit: 100, keys_only: false };
            let found = transaction.scan(&range).expect("a scan");
            for Entry { key, value } in &found {
                let read = transaction.get_many(std::slice::from_ref(key));
                assert_eq!(read, Ok(vec![Some(value.clone())]));
            }
            found.into_iter().map(|entry| (entry.key, entry.value)).collect()
        }
    }

    fn commit(storage: &GroupCommit<StepDisk>, key: &str, value: Option<&str>) -> Result<Durability, Error> {
        let mut transaction = storage.begin(Access::ReadWrite)?;
        let (key, value) = (key.into(), value.map(String::from));
        transaction.write(vec![Change { key, value }])?;
        transaction.commit()
    }

    fn entries(entries: &[(&str, &str)]) -> Vec<(String, String)> {
        entries.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect()
    }

    #[test]
    fn commits_during_a_write_share_the_next_one() {
        let test = Test::new();
        let first = test.commit("a", Some("1")).expect("a commit");
        assert_eq!(test.group(), 1);
        let shared: Vec<_> = (0..10).map(|n| test.commit(&format!("b{n}"), Some("1"))).collect();
        test.step(Step::Succeed);
        assert_eq!(first.wait(), Ok(()));
        assert_eq!(test.group(), 10);
        test.step(Step::Succeed);
        for commit in shared {
            assert_eq!(commit.and_then(Durability::wait), Ok(()));
        }
    }

    #[test]
    fn writers_see_the_newest_state_and_readers_the_durable_one() {
        let test = Test::new();
        let _first = test.commit("a", Some("1")).expect("a commit");
        test.group();
        test.step(Step::Succeed);
        let _second = test.commit("b", Some("1")).expect("a commit");
        test.group();
        // On disk: a. Being written: b. Gathering: the rest.
        let _others = [("b", Some("2")), ("c", Some("1")), ("a", None), ("d", Some("1")), ("d", None)]
            .map(|(key, value)| test.commit(key, value).expect("a commit"));
        assert_eq!(test.all(Access::ReadOnly, false), entries(&[("a", "1")]));
        assert_eq!(test.all(Access::ReadWrite, false), entries(&[("b", "2"), ("c", "1")]));
        assert_eq!(test.all(Access::ReadWrite, true), entries(&[("c", "1"), ("b", "2")]));
        test.step(Step::Succeed);
        assert_eq!(test.group(), 4);
        assert_eq!(test.all(Access::ReadOnly, false), entries(&[("a", "1"), ("b", "1")]));
        assert_eq!(test.all(Access::ReadWrite, false), entries(&[("b", "2"), ("c", "1")]));
        test.step(Step::Succeed);
    }

    #[test]
    fn a_commit_without_writes_waits_for_what_it_has_seen() {
        let test = Test::new();
        let written = test.commit("a", Some("1")).expect("a commit");
        test.group();
        let looked = test.storage.begin(Access::ReadWrite).and_then(Transaction::commit);
        let looked = thread::spawn(|| looked.and_then(Durability::wait));
        thread::sleep(std::time::Duration::from_millis(20));
        assert!(!looked.is_finished(), "what it saw is not durable yet");
        test.step(Step::Succeed);
        assert_eq!(written.wait(), Ok(()));
        assert_eq!(looked.join().expect("no panic"), Ok(()));
        let nothing_pending = test.storage.begin(Access::ReadWrite).and_then(Transaction::commit);
        assert_eq!(nothing_pending.and_then(Durability::wait), Ok(()));
    }

    #[test]
    fn after_a_failed_write_nothing_is_acknowledged() {
        for step in [Step::Fail, Step::Panic] {
            let test = Test::new();
            let durable = test.commit("a", Some("1")).expect("a commit");
            test.group();
            test.step(Step::Succeed);
            assert_eq!(durable.wait(), Ok(()));
            let failing = test.commit("b", Some("1")).expect("a commit");
            test.group();
            let gathered = test.commit("c", Some("1")).expect("a commit");
            let open = test.storage.begin(Access::ReadWrite).expect("a transaction");
            test.step(step);
            assert!(matches!(failing.wait(), Err(Error::Unavailable(_))));
            assert!(matches!(gathered.wait(), Err(Error::Unavailable(_))));
            assert!(matches!(open.commit(), Err(Error::Unavailable(_))));
            assert!(matches!(test.commit("d", Some("1")), Err(Error::Unavailable(_))));
            assert_eq!(test.all(Access::ReadOnly, false), entries(&[("a", "1")]));
        }
    }

    #[test]
    fn closing_writes_what_was_committed() {
        let test = Test::new();
        let first = test.commit("a", Some("1")).expect("a commit");
        let second = test.commit("b", Some("1")).expect("a commit");
        let late = test.storage.begin(Access::ReadWrite).expect("a transaction");
        test.step(Step::Succeed);
        test.step(Step::Succeed);
        drop(test.storage);
        assert_eq!((first.wait(), second.wait()), (Ok(()), Ok(())));
        assert!(matches!(late.commit(), Err(Error::Unavailable(_))));
    }

    #[test]
    fn commits_wait_for_a_disk_that_is_far_behind() {
        let test = Test::new();
        let value = "v".repeat(MAX_GATHERED_BYTES / 2);
        let first = test.commit("a", Some("1")).expect("a commit");
        test.group();
        let fit = ["b", "c"].map(|key| test.commit(key, Some(&value)).expect("a commit"));
        thread::scope(|scope| {
            let storage = &test.storage;
            let waiting = scope.spawn(|| commit(storage, "d", Some("1")));
            thread::sleep(std::time::Duration::from_millis(20));
            assert!(!waiting.is_finished(), "there is no room before the next group starts");
            for _ in 0..3 {
                test.step(Step::Succeed);
            }
            let waited = waiting.join().expect("no panic");
            assert_eq!(waited.and_then(Durability::wait), Ok(()));
        });
        assert_eq!(first.wait(), Ok(()));
        assert_eq!(fit.map(Durability::wait), [Ok(()), Ok(())]);
    }
}
