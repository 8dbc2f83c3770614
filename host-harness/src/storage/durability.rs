//! Waiting for the disk without holding anything else up.

use super::Error;
use parking_lot::{Condvar, Mutex};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// When a commit's writes are durable. Await it, or block on it with [`wait`](Durability::wait).
///
/// It needs no particular async runtime. Dropping it is no way to undo the commit.
///
/// ```
/// use usher_host::storage::{Durability, Flush};
///
/// assert_eq!(Durability::done().wait(), Ok(()));
///
/// let flush = Flush::new();
/// let pending = flush.durability();
/// flush.finish(Ok(()));
/// assert_eq!(pending.wait(), Ok(()));
/// ```
#[derive(Debug)]
#[must_use = "a commit may be acknowledged only when it is durable"]
pub struct Durability(Wait);

#[derive(Debug)]
enum Wait {
    Done,
    /// `seat` is where this one keeps its waker in the flush, once it was polled.
    Flush {
        shared: Arc<Shared>,
        seat: Option<usize>,
    },
}

impl Durability {
    /// Durable already: for a back end whose commit returns when the writes are safe, or that promises nothing.
    pub fn done() -> Self {
        Self(Wait::Done)
    }

    /// Blocks the thread until the writes are durable.
    ///
    /// # Errors
    /// Those of the flush: the writes may or may not be found after a crash, and must not be acknowledged.
    pub fn wait(self) -> Result<(), Error> {
        let Wait::Flush { shared, .. } = self.0 else {
            return Ok(());
        };
        let mut state = shared.state.lock();
        loop {
            if let Some(outcome) = &state.outcome {
                return outcome.clone();
            }
            shared.finished.wait(&mut state);
        }
    }
}

impl Future for Durability {
    type Output = Result<(), Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Wait::Flush { shared, seat } = &mut self.0 else {
            return Poll::Ready(Ok(()));
        };
        let mut state = shared.state.lock();
        if let Some(outcome) = &state.outcome {
            return Poll::Ready(outcome.clone());
        }
        match seat.and_then(|seat| state.wakers.get_mut(seat)) {
            Some(waker) => waker.clone_from(context.waker()),
            None => {
                *seat = Some(state.wakers.len());
                state.wakers.push(context.waker().clone());
            }
        }
        Poll::Pending
    }
}

/// One trip to the disk that any number of commits wait for. A back end's half of [`Durability`].
///
/// Dropping it unfinished tells all that wait that their writes are not durable.
#[derive(Debug, Default)]
pub struct Flush(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    finished: Condvar,
}

#[derive(Debug, Default)]
struct State {
    outcome: Option<Result<(), Error>>,
    wakers: Vec<Waker>,
}

impl Flush {
    /// A flush that nobody waits for yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// What one commit waits for.
    pub fn durability(&self) -> Durability {
        Durability(Wait::Flush { shared: self.0.clone(), seat: None })
    }

    /// Tells all that wait how it went.
    pub fn finish(self, outcome: Result<(), Error>) {
        self.settle(outcome);
    }

    fn settle(&self, outcome: Result<(), Error>) {
        let wakers = {
            let mut state = self.0.state.lock();
            if state.outcome.is_some() {
                return;
            }
            state.outcome = Some(outcome);
            std::mem::take(&mut state.wakers)
        };
        self.0.finished.notify_all();
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl Drop for Flush {
    fn drop(&mut self) {
        self.settle(Err(Error::Unavailable("the writes were not flushed to disk".into())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn one_flush_wakes_all_that_wait_for_it_once() {
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(woken.clone());
        let mut context = Context::from_waker(&waker);
        let flush = Flush::new();
        let (mut first, mut second) = (flush.durability(), flush.durability());
        for _ in 0..3 {
            assert_eq!(Pin::new(&mut first).poll(&mut context), Poll::Pending);
            assert_eq!(Pin::new(&mut second).poll(&mut context), Poll::Pending);
        }
        let blocked = flush.durability();
        let thread = std::thread::spawn(|| blocked.wait());
        flush.finish(Ok(()));
        assert_eq!(woken.0.load(Ordering::SeqCst), 2);
        assert_eq!(Pin::new(&mut first).poll(&mut context), Poll::Ready(Ok(())));
        assert_eq!(second.wait(), Ok(()));
        assert_eq!(thread.join().expect("no panic"), Ok(()));
    }

    #[test]
    fn a_flush_that_is_dropped_is_not_durable() {
        let flush = Flush::new();
        let durability = flush.durability();
        drop(flush);
        assert!(matches!(durability.wait(), Err(Error::Unavailable(_))));
    }
}
