//! The threads on which instances run.

use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

/// Something to do.
pub(super) type Job = Box<dyn FnOnce() + Send>;

/// How many jobs may wait, for each thread.
const QUEUED_PER_THREAD: usize = 512;

/// A fixed number of threads that take jobs in the order in which they came. Dropped, it finishes what it was given.
pub(super) struct Workers {
    queue: Arc<Queue>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    filled: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    closed: bool,
}

impl Workers {
    pub(super) fn new(name: &str, count: usize) -> io::Result<Self> {
        let mut workers = Self { queue: Arc::default(), threads: Vec::with_capacity(count) };
        for number in 0..count {
            let queue = workers.queue.clone();
            let thread = thread::Builder::new().name(format!("usher-{name}-{number}")).spawn(move || queue.work())?;
            workers.threads.push(thread);
        }
        Ok(workers)
    }

    /// Puts a job at the end of the queue; `false` if it is full.
    pub(super) fn submit(&self, job: Job) -> bool {
        {
            let mut state = self.queue.state.lock();
            if state.jobs.len() >= self.threads.len() * QUEUED_PER_THREAD {
                return false;
            }
            state.jobs.push_back(job);
        }
        self.queue.filled.notify_one();
        true
    }
}

impl Queue {
    fn work(&self) {
        let mut state = self.state.lock();
        loop {
            if let Some(job) = state.jobs.pop_front() {
                drop(state);
                // Whoever waits for it sees that the job is gone; the thread has to go on.
                let _ = catch_unwind(AssertUnwindSafe(job));
                state = self.state.lock();
            } else if state.closed {
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
