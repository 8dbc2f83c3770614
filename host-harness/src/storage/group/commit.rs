//! Group commit: writers run one after another in memory, and share their trips to the disk.
//!
//! A commit adds its changes to the group that gathers, and is done. A thread takes the group as a whole, writes it to
//! the disk as one atomic batch and waits for the disk; meanwhile the next group gathers. Whoever commits while nobody else
//! has anything to do with the storage writes his group himself: handing it over would take about as long as writing it. So
//! - no half of a commit can ever be on disk, and commits reach it in their order;
//! - writers do not wait for one another's disk, and the more there are, the more share one trip;
//! - what readers see is what is on disk: nothing that a crash could take back;
//! - writers see the newest state: the group that gathers, over the one that is being written, over the disk.
//!
//! When the disk fails, everything that is not durable is forgotten, and whoever waits for it is told so. The storage's thread
//! then tries to open the disk again, until it can be written to. Readers go on with the last durable state; only while
//! the disk is closed and opened they wait.

use super::disk::{Changes, Disk, DiskFailure};
use super::merge;
use super::read_cache::ReadCache;
use crate::storage::turns::{Turn, Turns};
use crate::storage::{Access, Change, Durability, Entry, Error, Flush, Health, Range, Transaction, Trouble, Writes};
use parking_lot::{Condvar, Mutex, MutexGuard};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

/// How many bytes of keys and values may wait for the disk before commits wait with them. Bounds the memory that a slow
/// disk can cost to this, twice (one group gathers while one is written), and one more commit.
const MAX_GATHERED_BYTES: usize = 32 << 20;

/// How long the thread that writes rests between two looks at a disk that has nothing to write, or that has failed.
const REST: Duration = Duration::from_secs(1);

/// Transactions over a [`Disk`]. Dropping it writes what is committed, and stops the thread.
pub(in crate::storage) struct GroupCommit<D: Disk> {
    shared: Arc<Shared<D>>,
    writer: Option<JoinHandle<()>>,
}

struct Shared<D: Disk> {
    turns: Turns,
    state: Mutex<State<D>>,
    cache: ReadCache,
    /// How many transactions are open.
    open: AtomicUsize,
    /// There is something to write, or to end for.
    work: Condvar,
    /// A group went to the disk: there may be room in the next.
    room: Condvar,
    /// The disk was opened again, or could not be.
    opened: Condvar,
    /// After the states of it, so that the disk is closed last.
    disk: D,
}

struct State<D: Disk> {
    /// The newest durable state; `None` while the disk is opened again, and where that has left nothing to read.
    durable: Option<Arc<Durable<D>>>,
    /// The number of it. Each group makes the next one.
    number: u64,
    /// Whether a thread is at work on the disk: one at a time.
    at_disk: bool,
    /// Whether the storage's thread waits to look after the disk.
    due: bool,
    /// Whether the disk is being opened again.
    opening: bool,
    /// What is being written to the disk, or nothing.
    writing: Arc<Changes>,
    writing_flush: Option<Flush>,
    /// What is written next.
    gathering: Arc<Changes>,
    gathering_flush: Flush,
    gathering_bytes: usize,
    /// Why nothing is written until the disk is opened again.
    failed: Option<DiskFailure>,
    /// How often the disk has failed. Who began to write before a failure may have seen what is no more.
    failures: u64,
    recoveries: u64,
    /// Whether nothing more is to come.
    closed: bool,
}

/// A durable state.
struct Durable<D: Disk> {
    snapshot: D::Snapshot,
    number: u64,
}

/// What the storage's thread does next.
enum Next {
    Write(Arc<Changes>),
    /// Nothing came for a while.
    Rest,
    /// Writing has failed, on another thread.
    Recover,
    End,
}

impl<D: Disk> GroupCommit<D> {
    /// Starts the thread that writes.
    pub(in crate::storage) fn new(disk: D, read_cache_bytes: u64) -> Result<Self, DiskFailure> {
        let durable = Arc::new(Durable { snapshot: disk.snapshot()?, number: 0 });
        let shared = Arc::new(Shared {
            turns: Turns::default(),
            state: Mutex::new(State {
                durable: Some(durable),
                number: 0,
                at_disk: false,
                due: false,
                opening: false,
                writing: Arc::default(),
                writing_flush: None,
                gathering: Arc::default(),
                gathering_flush: Flush::new(),
                gathering_bytes: 0,
                failed: None,
                failures: 0,
                recoveries: 0,
                closed: false,
            }),
            cache: ReadCache::new(read_cache_bytes),
            open: AtomicUsize::new(0),
            work: Condvar::new(),
            room: Condvar::new(),
            opened: Condvar::new(),
            disk,
        });
        let writer = {
            let shared = shared.clone();
            let thread = Builder::new().name("usher-storage".into());
            thread.spawn(move || shared.run()).map_err(DiskFailure::from)?
        };
        Ok(Self { shared, writer: Some(writer) })
    }

    /// Begins a transaction; a read-write one when it is its turn.
    pub(in crate::storage) fn begin(&self, access: Access) -> Result<Box<dyn Transaction>, Error> {
        let shared = self.shared.clone();
        let turn = match access {
            Access::ReadOnly => None,
            Access::ReadWrite => Some(shared.turns.wait()),
        };
        let state = shared.open_state();
        if turn.is_some() {
            state.check(state.failures)?;
        }
        shared.disk.is_ours().map_err(|failed| failed.to_error())?;
        let durable = state.durable.clone().ok_or_else(|| state.error())?;
        let pending =
            turn.is_some().then(|| Pending { gathering: state.gathering.clone(), writing: state.writing.clone() });
        let (view, failures) = (View { durable, pending }, state.failures);
        drop(state);
        let open = Open::new(shared);
        Ok(Box::new(GroupTransaction { view, writes: Writes::new(access), turn, failures, open }))
    }

    /// The disk, for tests that do to it what the engine does.
    #[cfg(test)]
    pub(in crate::storage) fn disk(&self) -> &D {
        &self.shared.disk
    }

    /// How the disk is.
    pub(in crate::storage) fn health(&self) -> Health {
        let state = self.shared.state.lock();
        let trouble = state.failed.as_ref().map(|failed| failed.trouble);
        Health { trouble, failures: state.failures, recoveries: state.recoveries }
    }
}

impl<D: Disk> Drop for GroupCommit<D> {
    fn drop(&mut self) {
        self.shared.state.lock().closed = true;
        self.shared.work.notify_one();
        self.shared.room.notify_all();
        if let Some(writer) = self.writer.take() {
            // It catches the engine's panics itself, and has told those that waited.
            let _ = writer.join();
        }
    }
}

/// What the engine does on this thread. A panic in it must not leave anyone waiting for ever.
fn guarded<T>(engine: impl FnOnce() -> Result<T, DiskFailure>) -> Result<T, DiskFailure> {
    catch_unwind(AssertUnwindSafe(engine))
        .unwrap_or_else(|_| Err(DiskFailure::new(Trouble::Failed, "the engine panicked; see standard error")))
}

impl<D: Disk> Shared<D> {
    /// The state, not while the disk is being opened again.
    fn open_state(&self) -> MutexGuard<'_, State<D>> {
        let mut state = self.state.lock();
        while state.opening {
            self.opened.wait(&mut state);
        }
        state
    }

    /// Writes group after group, and looks after the disk, until the storage is closed.
    fn run(&self) {
        loop {
            let done = match self.next() {
                Next::Write(changes) => self.write(&changes),
                Next::Rest => self.refresh(),
                Next::Recover if self.recover() => continue,
                Next::Recover | Next::End => return,
            };
            self.leave(done.and_then(|()| guarded(|| self.disk.tend())));
        }
    }

    /// What has gathered, as soon as there is any and the disk is free. What is to be done at the disk is this thread's then.
    fn next(&self) -> Next {
        let mut state = self.state.lock();
        loop {
            if state.failed.is_some() {
                return Next::Recover;
            }
            if !state.at_disk && !state.gathering.is_empty() {
                break;
            }
            if !state.at_disk && state.closed {
                return Next::End;
            }
            if !state.at_disk && state.due {
                state.due = false;
                state.at_disk = true;
                return Next::Rest;
            }
            if self.work.wait_for(&mut state, REST).timed_out() {
                state.due = true;
            }
        }
        state.at_disk = true;
        // Whoever is about to commit and waits for a processor gets it first, and shares the trip. Where processors are free,
        // this costs nothing.
        MutexGuard::unlocked(&mut state, std::thread::yield_now);
        let changes = state.take_group();
        drop(state);
        self.room.notify_all();
        Next::Write(changes)
    }

    /// Writes a group, and tells those that wait for it when it is durable. The disk has to be this thread's.
    fn write(&self, changes: &Changes) -> Result<(), DiskFailure> {
        let snapshot = guarded(|| {
            self.disk.write(changes)?;
            self.disk.snapshot()
        })?;
        let number = self.state.lock().number + 1;
        self.cache.advance(number, changes);
        let mut state = self.state.lock();
        state.number = number;
        let before = state.durable.replace(Arc::new(Durable { snapshot, number }));
        let written = std::mem::take(&mut state.writing);
        let flush = state.writing_flush.take();
        drop(state);
        drop((before, written));
        if let Some(flush) = flush {
            flush.finish(Ok(()));
        }
        Ok(())
    }

    /// Leaves the disk to others after a piece of work that ended like this.
    fn leave(&self, done: Result<(), DiskFailure>) {
        if let Err(failed) = done {
            self.fail(failed);
        }
        let mut state = self.state.lock();
        state.at_disk = false;
        let waits = state.failed.is_some() || state.due || state.closed || !state.gathering.is_empty();
        drop(state);
        if waits {
            self.work.notify_one();
        }
    }

    /// Takes a new look at the durable state, which is the same, so that the disk need not keep what an old look may see.
    fn refresh(&self) -> Result<(), DiskFailure> {
        let snapshot = guarded(|| self.disk.snapshot())?;
        let mut state = self.state.lock();
        let number = state.number;
        let before = state.durable.replace(Arc::new(Durable { snapshot, number }));
        drop(state);
        drop(before);
        Ok(())
    }

    /// Forgets what is not durable. What the disk holds of it is not known.
    fn fail(&self, failed: DiskFailure) {
        tracing::error!(reason = failed.reason, "the storage takes no writes until it can be opened again");
        let error = failed.to_error();
        let mut state = self.state.lock();
        state.failed = Some(failed);
        state.failures += 1;
        state.writing = Arc::default();
        state.gathering = Arc::default();
        state.gathering_bytes = 0;
        let flushes = [state.writing_flush.take(), Some(std::mem::take(&mut state.gathering_flush))];
        drop(state);
        self.room.notify_all();
        for flush in flushes.into_iter().flatten() {
            flush.finish(Err(error.clone()));
        }
    }

    /// Opens the disk again, as soon as that can be done. False where the storage is closed before.
    fn recover(&self) -> bool {
        let began = Instant::now();
        loop {
            let opened = guarded(|| self.disk.can_write()).and_then(|()| self.reopen());
            let mut state = self.state.lock();
            match opened {
                Ok(()) => {
                    state.failed = None;
                    state.recoveries += 1;
                    drop(state);
                    tracing::info!(seconds = began.elapsed().as_secs(), "the storage takes writes again");
                    return true;
                }
                Err(failed) => {
                    // The first reason may only have been that something had failed before.
                    if state.failed.as_ref() != Some(&failed) {
                        tracing::error!(reason = failed.reason, "the storage cannot be opened again yet");
                        state.failed = Some(failed);
                    }
                    if !state.closed {
                        self.work.wait_for(&mut state, REST);
                    }
                    if state.closed {
                        return false;
                    }
                }
            }
        }
    }

    /// Closes the disk and opens it. Whoever wants to begin a transaction waits meanwhile.
    fn reopen(&self) -> Result<(), DiskFailure> {
        let before = {
            let mut state = self.state.lock();
            state.opening = true;
            state.durable.take()
        };
        drop(before);
        let opened = guarded(|| self.disk.reopen());
        // Where it could not be closed, there is still the state before to be read.
        let snapshot = guarded(|| self.disk.snapshot());
        self.cache.clear();
        let mut state = self.state.lock();
        state.opening = false;
        // What is read now need not be what was read before under this number.
        state.number += 1;
        self.cache.advance(state.number, &Changes::new());
        let outcome = match snapshot {
            Ok(snapshot) => {
                state.durable = Some(Arc::new(Durable { snapshot, number: state.number }));
                opened
            }
            Err(failed) => opened.and(Err(failed)),
        };
        drop(state);
        self.opened.notify_all();
        outcome
    }
}

impl<D: Disk> State<D> {
    /// Whether a transaction that began when there had been so many failures can go on.
    fn check(&self, failures: u64) -> Result<(), Error> {
        if self.closed || self.failed.is_some() || self.failures != failures {
            return Err(self.error());
        }
        Ok(())
    }

    /// Why there is nothing to be had.
    fn error(&self) -> Error {
        match &self.failed {
            Some(failed) => failed.to_error(),
            None if self.closed => Error::Unavailable("the storage was closed".into()),
            None => Error::Unavailable("writing to disk failed since the transaction began".into()),
        }
    }

    /// Makes what has gathered the group that is being written.
    fn take_group(&mut self) -> Arc<Changes> {
        let changes = std::mem::take(&mut self.gathering);
        self.writing = changes.clone();
        self.writing_flush = Some(std::mem::take(&mut self.gathering_flush));
        self.gathering_bytes = 0;
        changes
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
    durable: Arc<Durable<D>>,
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
    /// How often the disk had failed when it began.
    failures: u64,
    open: Open<D>,
}

/// The storage of a transaction, counted among those that are open for as long as it is.
struct Open<D: Disk>(Arc<Shared<D>>);

impl<D: Disk> Open<D> {
    fn new(shared: Arc<Shared<D>>) -> Self {
        shared.open.fetch_add(1, Ordering::Relaxed);
        Self(shared)
    }
}

impl<D: Disk> Drop for Open<D> {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<D: Disk> Transaction for GroupTransaction<D> {
    fn get_many(&mut self, keys: &[String]) -> Result<Vec<Option<String>>, Error> {
        self.writes.check_read()?;
        let Durable { snapshot, number } = &*self.view.durable;
        merge::get_many(snapshot, (&self.open.0.cache, *number), self.view.layers(), keys)
    }

    fn scan(&mut self, range: &Range) -> Result<Vec<Entry>, Error> {
        self.writes.check_read()?;
        merge::scan(&self.view.durable.snapshot, self.view.layers(), range)
    }

    fn write(&mut self, changes: Vec<Change>) -> Result<(), Error> {
        self.writes.add(changes)
    }

    fn commit(self: Box<Self>) -> Result<Durability, Error> {
        let Self { view, writes, turn, failures, open } = *self;
        let shared = &open.0;
        let changes = writes.finish()?;
        if turn.is_none() {
            return Ok(Durability::done());
        }
        // Without this, each commit would copy the group that it has looked at.
        drop(view);
        let mut state = shared.state.lock();
        state.check(failures)?;
        if changes.is_empty() {
            return Ok(state.durability());
        }
        while state.gathering_bytes >= MAX_GATHERED_BYTES {
            shared.room.wait(&mut state);
            state.check(failures)?;
        }
        let was_empty = state.gathering.is_empty();
        let bytes = |change: &Change| change.key.len() + change.value.as_ref().map_or(0, String::len);
        state.gathering_bytes += changes.iter().map(bytes).sum::<usize>();
        Arc::make_mut(&mut state.gathering).extend(changes.into_iter().map(|Change { key, value }| (key, value)));
        let durability = state.durability();
        // Others that come meanwhile gather, and have their turn.
        let alone = was_empty && !state.at_disk && shared.open.load(Ordering::Relaxed) == 1;
        let own = alone.then(|| {
            state.at_disk = true;
            state.take_group()
        });
        drop(state);
        drop(turn);
        match own {
            Some(changes) => shared.leave(shared.write(&changes)),
            None => {
                shared.work.notify_one();
            }
        }
        Ok(durability)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::group::disk::{Part, Snapshot, Stored};
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::thread;

    /// A disk that does each write only when the test says how it ends.
    struct StepDisk {
        entries: Mutex<Changes>,
        /// Tells the test how many keys a group has.
        writes: Mutex<Sender<usize>>,
        steps: Mutex<Receiver<Step>>,
        /// Whether it can be opened again after a failure.
        usable: Arc<AtomicBool>,
        /// Held by the test to keep it from being opened for as long.
        opens: Arc<Mutex<()>>,
    }

    enum Step {
        Succeed,
        Fail,
        Panic,
    }

    struct Test {
        /// Somebody else who has to do with the storage, so that nobody writes a group himself.
        others: Option<Box<dyn Transaction>>,
        storage: GroupCommit<StepDisk>,
        writes: Receiver<usize>,
        steps: Sender<Step>,
        usable: Arc<AtomicBool>,
        opens: Arc<Mutex<()>>,
    }

    impl Disk for StepDisk {
        type Snapshot = Changes;

        fn write(&self, changes: &Changes) -> Result<(), DiskFailure> {
            self.writes.lock().send(changes.len()).expect("the test listens");
            match self.steps.lock().recv() {
                Ok(Step::Succeed) => {
                    self.entries.lock().extend(changes.clone());
                    Ok(())
                }
                Ok(Step::Panic) => panic!("a panic that the test asked for"),
                Ok(Step::Fail) | Err(_) => Err(no_space()),
            }
        }

        fn snapshot(&self) -> Result<Changes, DiskFailure> {
            Ok(self.entries.lock().clone())
        }

        fn tend(&self) -> Result<(), DiskFailure> {
            Ok(())
        }

        fn can_write(&self) -> Result<(), DiskFailure> {
            if self.usable.load(Ordering::SeqCst) { Ok(()) } else { Err(no_space()) }
        }

        fn reopen(&self) -> Result<(), DiskFailure> {
            let _open = self.opens.lock();
            self.can_write()
        }
    }

    fn no_space() -> DiskFailure {
        DiskFailure::new(Trouble::NoSpace, "no space left")
    }

    impl Snapshot for Changes {
        type Bytes = Vec<u8>;

        fn get_many(&self, keys: &[&str]) -> Result<Vec<Option<Vec<u8>>>, Error> {
            let get = |key: &&str| Changes::get(self, *key).cloned().flatten().map(String::into_bytes);
            Ok(keys.iter().map(get).collect())
        }

        fn range<'a>(&'a self, part: &Part<'a>) -> Result<impl Iterator<Item = Stored<Vec<u8>>> + 'a, Error> {
            let mut found: Vec<Stored<Vec<u8>>> = self
                .iter()
                .filter(|(key, _)| key.as_bytes() >= part.start && key.as_bytes() < part.end)
                .filter_map(|(key, value)| Some(Ok((key.as_bytes().to_vec(), value.as_ref()?.as_bytes().to_vec()))))
                .collect();
            if part.reverse {
                found.reverse();
            }
            Ok(found.into_iter().skip(part.skip as usize))
        }
    }

    impl Test {
        fn new() -> Self {
            let ((writes, told), (steps, stepped)) = (channel(), channel());
            let (usable, opens) = (Arc::<AtomicBool>::default(), Arc::<Mutex<()>>::default());
            let disk = StepDisk {
                entries: Mutex::default(),
                writes: Mutex::new(writes),
                steps: Mutex::new(stepped),
                usable: usable.clone(),
                opens: opens.clone(),
            };
            let storage = GroupCommit::new(disk, 1 << 20).expect("a thread starts");
            Self {
                others: Some(storage.begin(Access::ReadOnly).expect("a transaction")),
                storage,
                writes: told,
                steps,
                usable,
                opens,
            }
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
            all(&self.storage, access, reverse)
        }
    }

    fn all(storage: &GroupCommit<StepDisk>, access: Access, reverse: bool) -> Vec<(String, String)> {
        let mut transaction = storage.begin(access).expect("a transaction");
        let range = Range { start: String::new(), end: "~".into(), reverse, skip: 0, limit: 100, keys_only: false };
        let found = transaction.scan(&range).expect("a scan");
        for Entry { key, value } in &found {
            let read = transaction.get_many(std::slice::from_ref(key));
            assert_eq!(read, Ok(vec![Some(value.clone())]));
        }
        found.into_iter().map(|entry| (entry.key, entry.value)).collect()
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
        thread::sleep(Duration::from_millis(20));
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

    /// Waits for something that the thread that writes does.
    fn until(what: &str, done: impl Fn() -> bool) {
        let began = Instant::now();
        while !done() {
            assert!(began.elapsed() < Duration::from_mins(1), "{what}");
            thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn a_disk_that_has_failed_is_opened_again_by_itself_when_it_can_be_written_to() {
        let test = Test::new();
        assert_eq!(test.storage.health(), Health::default());
        let durable = test.commit("a", Some("1")).expect("a commit");
        test.group();
        test.step(Step::Succeed);
        assert_eq!(durable.wait(), Ok(()));
        let failing = test.commit("b", Some("1")).expect("a commit");
        test.group();
        let began_before = test.storage.begin(Access::ReadWrite).expect("a transaction");
        test.step(Step::Fail);
        failing.wait().expect_err("it is not durable");
        let stopped = Health { trouble: Some(Trouble::NoSpace), failures: 1, recoveries: 0 };
        assert_eq!(test.storage.health(), stopped);
        assert_eq!(test.all(Access::ReadOnly, false), entries(&[("a", "1")]));
        // Whoever comes while it is being opened waits for it, and finds what is durable.
        let opens = test.opens.lock();
        test.usable.store(true, Ordering::SeqCst);
        until("it is being opened", || test.storage.shared.state.lock().opening);
        let storage = &test.storage;
        thread::scope(|scope| {
            let reader = scope.spawn(|| all(storage, Access::ReadOnly, false));
            thread::sleep(Duration::from_millis(20));
            assert!(!reader.is_finished(), "there is no disk to read");
            drop(opens);
            assert_eq!(reader.join().expect("no panic"), entries(&[("a", "1")]));
        });
        until("it takes writes again", || test.storage.health().trouble.is_none());
        assert_eq!(test.storage.health(), Health { trouble: None, failures: 1, recoveries: 1 });
        assert!(matches!(began_before.commit(), Err(Error::Unavailable(_))), "it has seen what is no more");
        let after = test.commit("c", Some("1")).expect("a commit");
        test.group();
        test.step(Step::Succeed);
        assert_eq!(after.wait(), Ok(()));
        assert_eq!(test.all(Access::ReadWrite, false), entries(&[("a", "1"), ("c", "1")]));
    }

    #[test]
    fn a_storage_that_has_failed_can_be_closed() {
        let test = Test::new();
        let failing = test.commit("a", Some("1")).expect("a commit");
        test.group();
        test.step(Step::Fail);
        failing.wait().expect_err("it is not durable");
        drop(test.storage);
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
    fn who_is_alone_writes_his_group_himself_and_whoever_comes_meanwhile_gathers() {
        let mut test = Test::new();
        test.others = None;
        thread::scope(|scope| {
            let storage = &test.storage;
            let alone = scope.spawn(|| commit(storage, "a", Some("1")));
            assert_eq!(test.group(), 1);
            let shared: Vec<_> = (0..10).map(|n| test.commit(&format!("b{n}"), Some("1"))).collect();
            assert!(!alone.is_finished(), "his commit is over when it is durable");
            test.step(Step::Succeed);
            assert_eq!(alone.join().expect("no panic").and_then(Durability::wait), Ok(()));
            assert_eq!(test.group(), 10);
            test.step(Step::Succeed);
            for commit in shared {
                assert_eq!(commit.and_then(Durability::wait), Ok(()));
            }
        });
    }

    #[test]
    fn who_writes_his_group_himself_is_told_when_the_disk_fails() {
        for step in [Step::Fail, Step::Panic] {
            let mut test = Test::new();
            test.others = None;
            test.step(step);
            let failed = test.commit("a", Some("1")).and_then(Durability::wait);
            assert!(matches!(failed, Err(Error::Unavailable(_))), "{failed:?}");
            test.usable.store(true, Ordering::SeqCst);
            until("it takes writes again", || test.storage.health().trouble.is_none());
            test.step(Step::Succeed);
            assert_eq!(test.commit("b", Some("1")).and_then(Durability::wait), Ok(()));
            assert_eq!(test.all(Access::ReadOnly, false), entries(&[("b", "1")]));
        }
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
            thread::sleep(Duration::from_millis(20));
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
