//! The threads on which instances run.

use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

type Job = Box<dyn FnOnce() + Send>;

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
    pub(super) fn new(count: usize) -> io::Result<Self> {
        let mut workers = Self { queue: Arc::default(), threads: Vec::with_capacity(count) };
        for number in 0..count {
            let queue = workers.queue.clone();
            let thread = thread::Builder::new().name(format!("usher-{number}")).spawn(move || queue.work())?;
            workers.threads.push(thread);
        }
        Ok(workers)
    }

    /// Puts a job at the end of the queue; `false` if there are `most` in it already.
    pub(super) fn submit(&self, job: Job, most: usize) -> bool {
        {
            let mut state = self.queue.state.lock();
            if state.jobs.len() >= most {
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
                job();
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
                // A job that panicked has told the one that waits for it already.
                let _ = thread.join();
            }
        }
    }
}
