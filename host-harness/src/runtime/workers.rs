//! The threads on which instances run, and the queues in front of them.

use super::party::Party;
use parking_lot::{Condvar, Mutex};
use std::collections::{HashMap, VecDeque};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};

/// How many jobs may wait, for all parties together.
const QUEUED: usize = 4_096;

/// How many of them may be of one directory.
const QUEUED_OF_DIRECTORY: usize = 128;

/// Something to do.
pub(super) trait Job: Send {
    /// Whether somebody waits for it still, and there is time left for it.
    fn is_wanted(&self) -> bool;

    /// Does it.
    fn run(self: Box<Self>);
}

/// Why a job was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum QueueFull {
    /// Too many wait.
    All,
    /// Too many of this directory wait.
    Directory,
}

/// How urgent the work of a thread is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Urgency {
    /// As all other work of the process.
    Usual,
    /// It takes what processor time others leave.
    Low,
}

/// A fixed number of threads that take jobs: of each party in turn, and of one party in the order in which they came.
/// A job that nobody wants any more is dropped without being done. Dropped, the threads finish what they were given.
pub(super) struct Workers {
    queue: Arc<Queue>,
    threads: Vec<JoinHandle<()>>,
}

/// What waits for the threads.
pub(super) struct Queue {
    state: Mutex<State>,
    filled: Condvar,
    /// How many threads one party may have at work, so that there is one left for the next.
    at_work: usize,
}

#[derive(Default)]
struct State {
    lines: HashMap<Party, Line>,
    /// The parties that have jobs waiting, in the order in which it is their turn.
    turns: VecDeque<Party>,
    /// How many jobs wait in all lines.
    waiting: usize,
    closed: bool,
}

/// What there is of one party.
#[derive(Default)]
struct Line {
    jobs: VecDeque<Box<dyn Job>>,
    at_work: usize,
}

impl Workers {
    /// So many threads, of which one party gets half at the most.
    pub(super) fn new(name: &str, count: usize, urgency: Urgency) -> io::Result<Self> {
        let at_work = count.div_ceil(2);
        let queue = Queue { state: Mutex::default(), filled: Condvar::new(), at_work };
        let mut workers = Self { queue: Arc::new(queue), threads: Vec::with_capacity(count) };
        for number in 0..count {
            let queue = workers.queue.clone();
            let work = move || {
                if urgency == Urgency::Low {
                    yield_to_others();
                }
                queue.work();
            };
            let thread = thread::Builder::new().name(format!("usher-{name}-{number}")).spawn(work)?;
            workers.threads.push(thread);
        }
        Ok(workers)
    }

    /// Puts a job at the end of its party's line.
    pub(super) fn submit(&self, party: Party, job: Box<dyn Job>) -> Result<(), QueueFull> {
        self.queue.state.lock().submit(party, job)?;
        self.queue.filled.notify_one();
        Ok(())
    }

    /// Whether nothing waits.
    pub(super) fn is_idle(&self) -> bool {
        self.queue.state.lock().waiting == 0
    }

    /// Its queue, to be swept now and then.
    pub(super) fn queue(&self) -> Weak<Queue> {
        Arc::downgrade(&self.queue)
    }
}

impl State {
    fn submit(&mut self, party: Party, job: Box<dyn Job>) -> Result<(), QueueFull> {
        if self.waiting >= QUEUED {
            self.sweep();
        }
        if self.waiting >= QUEUED {
            return Err(QueueFull::All);
        }
        let share = if matches!(party, Party::Directory(_)) { QUEUED_OF_DIRECTORY } else { QUEUED };
        let line = self.lines.entry(party.clone()).or_default();
        if line.jobs.len() >= share {
            let before = line.jobs.len();
            line.jobs.retain(|job| job.is_wanted());
            self.waiting -= before - line.jobs.len();
        }
        if line.jobs.len() >= share {
            return Err(QueueFull::Directory);
        }
        if line.jobs.is_empty() && !self.turns.contains(&party) {
            self.turns.push_back(party);
        }
        line.jobs.push_back(job);
        self.waiting += 1;
        Ok(())
    }

    /// Drops what nobody wants any more.
    fn sweep(&mut self) {
        let mut waiting = 0;
        for line in self.lines.values_mut() {
            line.jobs.retain(|job| job.is_wanted());
            waiting += line.jobs.len();
        }
        self.waiting = waiting;
        self.lines.retain(|_, line| !line.jobs.is_empty() || line.at_work > 0);
        let lines = &self.lines;
        self.turns.retain(|party| lines.get(party).is_some_and(|line| !line.jobs.is_empty()));
    }

    /// The next job of the next party that has not as many threads at work as it may.
    fn next(&mut self, at_work: usize) -> Option<(Party, Box<dyn Job>)> {
        for _ in 0..self.turns.len() {
            let party = self.turns.pop_front()?;
            let Some(line) = self.lines.get_mut(&party) else { continue };
            if line.at_work >= at_work {
                self.turns.push_back(party);
                continue;
            }
            while let Some(job) = line.jobs.pop_front() {
                self.waiting -= 1;
                if !job.is_wanted() {
                    continue;
                }
                line.at_work += 1;
                if !line.jobs.is_empty() {
                    self.turns.push_back(party.clone());
                }
                return Some((party, job));
            }
            if line.at_work == 0 {
                self.lines.remove(&party);
            }
        }
        None
    }

    /// A thread is done with a job of this party.
    fn done(&mut self, party: &Party) {
        if let Some(line) = self.lines.get_mut(party) {
            line.at_work -= 1;
            if line.at_work == 0 && line.jobs.is_empty() {
                self.lines.remove(party);
            }
        }
    }
}

impl Queue {
    /// Drops what nobody wants any more, so that whoever waits in vain is told.
    pub(super) fn sweep(&self) {
        let mut state = self.state.lock();
        if state.waiting > 0 {
            state.sweep();
        }
    }

    fn work(&self) {
        let mut state = self.state.lock();
        loop {
            if let Some((party, job)) = state.next(self.at_work) {
                drop(state);
                // Whoever waits for it sees that the job is gone; the thread has to go on.
                let _ = catch_unwind(AssertUnwindSafe(|| job.run()));
                state = self.state.lock();
                state.done(&party);
            } else if state.closed && state.waiting == 0 {
                return;
            } else {
                self.filled.wait(&mut state);
            }
        }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.queue.state.lock().closed = true;
        self.queue.filled.notify_all();
        for thread in self.threads.drain(..) {
            // Dropped by a job of its own, the last owner is one of these threads and cannot wait for itself.
            if thread.thread().id() != thread::current().id() {
                // Its jobs cannot make it panic.
                let _ = thread.join();
            }
        }
    }
}

/// Lets all other threads of the machine go first. Where the system has no such thing for a single thread, they all go on
/// as they did.
fn yield_to_others() {
    // To the kernel, "this process" is the thread that asks.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::setpriority_process(None, NICENESS);
}

/// How much a thread of low urgency leaves to others: next to a usual one it gets about a tenth of a processor.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};

    /// A job that says its name when it is done.
    struct Named {
        name: &'static str,
        wanted: Arc<AtomicBool>,
        told: Arc<Mutex<Vec<&'static str>>>,
    }

    impl Job for Named {
        fn is_wanted(&self) -> bool {
            self.wanted.load(Ordering::Relaxed)
        }

        fn run(self: Box<Self>) {
            self.told.lock().push(self.name);
        }
    }

    #[derive(Default)]
    struct Jobs {
        state: State,
        told: Arc<Mutex<Vec<&'static str>>>,
    }

    impl Jobs {
        fn submit(&mut self, party: &str, name: &'static str) -> Result<Arc<AtomicBool>, QueueFull> {
            let wanted = Arc::new(AtomicBool::new(true));
            let job = Named { name, wanted: wanted.clone(), told: self.told.clone() };
            self.state.submit(Party::Directory(party.into()), Box::new(job)).map(|()| wanted)
        }

        /// Does what there is to do on one thread.
        fn run(&mut self) -> Vec<&'static str> {
            while let Some((party, job)) = self.state.next(1) {
                job.run();
                self.state.done(&party);
            }
            std::mem::take(&mut self.told.lock())
        }
    }

    #[test]
    fn parties_have_turns_and_each_keeps_its_order() {
        let mut jobs = Jobs::default();
        for name in ["a1", "a2", "a3"] {
            jobs.submit("a", name).unwrap();
        }
        jobs.submit("b", "b1").unwrap();
        assert_eq!(jobs.run(), ["a1", "b1", "a2", "a3"]);
        assert!(jobs.state.lines.is_empty() && jobs.state.turns.is_empty() && jobs.state.waiting == 0);
    }

    #[test]
    fn a_party_leaves_threads_to_others() {
        let mut jobs = Jobs::default();
        for (party, name) in [("a", "a1"), ("a", "a2"), ("b", "b1")] {
            jobs.submit(party, name).unwrap();
        }
        let mut next = || jobs.state.next(1).map(|(party, _)| party);
        let (first, second) = (next().unwrap(), next().unwrap());
        assert_eq!((&first, &second), (&Party::Directory("a".into()), &Party::Directory("b".into())));
        assert_eq!(next(), None, "`a` has one at work");
        jobs.state.done(&first);
        assert_eq!(jobs.run(), ["a2"]);
    }

    #[test]
    fn a_directory_cannot_fill_the_queue() {
        let mut jobs = Jobs::default();
        let mut all = Vec::new();
        for _ in 0..QUEUED_OF_DIRECTORY {
            all.push(jobs.submit("a", "a").unwrap());
        }
        assert_eq!(jobs.submit("a", "a").unwrap_err(), QueueFull::Directory);
        jobs.submit("b", "b").unwrap();
        // Whoever has gone leaves room.
        all[7].store(false, Ordering::Relaxed);
        jobs.submit("a", "last").unwrap();
        assert_eq!(jobs.submit("a", "a").unwrap_err(), QueueFull::Directory);
        assert_eq!(jobs.run().len(), QUEUED_OF_DIRECTORY + 1);
    }

    #[test]
    fn what_nobody_wants_is_not_done() {
        let mut jobs = Jobs::default();
        let first = jobs.submit("a", "a1").unwrap();
        jobs.submit("a", "a2").unwrap();
        let other = jobs.submit("b", "b1").unwrap();
        first.store(false, Ordering::Relaxed);
        other.store(false, Ordering::Relaxed);
        jobs.state.sweep();
        assert_eq!((jobs.state.waiting, jobs.state.turns.len(), jobs.state.lines.len()), (1, 1, 1));
        assert_eq!(jobs.run(), ["a2"]);
    }
}
