//! Which connections are open, and which of them has to go when there are too many.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::Notify;

/// How soon to look again for a connection to close where all were busy.
const RECHECK: Duration = Duration::from_millis(100);

/// The open connections.
///
/// A client that opens many and sends nothing, or half a request, cannot keep others out: a connection that waits for its
/// client makes room for a new one. Those on which no key has worked go first, then those between two requests, then
/// those in the middle of one; of equal ones, the one that has waited the longest. One whose request is being answered is
/// never closed.
pub(super) struct Connections {
    limit: usize,
    /// Counts events, as a clock that needs no system call.
    clock: AtomicU64,
    open: Mutex<HashMap<u64, Arc<State>>>,
    closed: Notify,
}

struct State {
    standing: Mutex<Standing>,
    evicted: Notify,
}

/// How it stands with a connection.
#[derive(Debug, Clone, Copy)]
struct Standing {
    /// Whether the last request that had to have a key had one that worked.
    known: bool,
    waits: Option<Wait>,
}

/// What a connection waits for.
#[derive(Debug, Clone, Copy)]
struct Wait {
    /// Whether it is for the rest of a request, or for the end of a delay that its client has brought on itself; else it is
    /// for a request, or for its client to take an answer.
    within: bool,
    since: u64,
}

impl Standing {
    /// Its place in the order in which connections are given up; `None` where this one is not given up.
    fn order(self) -> Option<impl Ord> {
        let Wait { within, since } = self.waits?;
        Some((self.known, self.known && within, since))
    }
}

/// One open connection; it counts until this is dropped.
pub(super) struct Connection {
    all: Arc<Connections>,
    number: u64,
    state: Arc<State>,
}

/// A request that is being answered, until this is dropped.
pub(crate) struct AnswerGuard {
    all: Arc<Connections>,
    state: Arc<State>,
}

/// The time in which it is the client's turn, until this is dropped.
pub(super) struct WaitGuard<'a>(&'a State);

impl Connections {
    pub(super) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit: limit.max(1), clock: AtomicU64::new(1), open: Mutex::default(), closed: Notify::new() })
    }

    /// Waits until there is room for another connection, and makes some if it can.
    pub(super) async fn room(&self) {
        loop {
            let closed = self.closed.notified();
            {
                let open = self.open.lock();
                if open.len() < self.limit {
                    return;
                }
                let waiting = open.values().filter_map(|state| {
                    let order = state.standing.lock().order()?;
                    Some((order, state))
                });
                if let Some((_, state)) = waiting.min_by(|(one, _), (other, _)| one.cmp(other)) {
                    state.evicted.notify_one();
                }
            }
            // Nothing tells when a connection in the middle of a request begins to wait again: look again soon.
            let _ = tokio::time::timeout(RECHECK, closed).await;
        }
    }

    /// Counts a connection in.
    pub(super) fn add(self: &Arc<Self>) -> Connection {
        let number = self.tick();
        let standing = Standing { known: false, waits: Some(Wait { within: false, since: number }) };
        let state = Arc::new(State { standing: Mutex::new(standing), evicted: Notify::new() });
        self.open.lock().insert(number, state.clone());
        Connection { all: self.clone(), number, state }
    }

    fn tick(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::Relaxed)
    }
}

impl Connection {
    /// Says that a request is being answered.
    pub(super) fn answering(&self) -> AnswerGuard {
        self.state.standing.lock().waits = None;
        AnswerGuard { all: self.all.clone(), state: self.state.clone() }
    }

    /// Waits until the connection has to make room for another. A request that came meanwhile is answered first.
    pub(super) async fn evicted(&self) {
        loop {
            self.state.evicted.notified().await;
            if self.state.standing.lock().waits.is_some() {
                return;
            }
            // Whoever wants the room looks for another connection.
            self.all.closed.notify_waiters();
        }
    }
}

impl AnswerGuard {
    /// Says whether the request came with a key that works.
    pub(crate) fn known(&self, known: bool) {
        self.state.standing.lock().known = known;
    }

    /// Says that it is the client's turn, in the middle of its request.
    pub(super) fn waiting(&self) -> WaitGuard<'_> {
        let since = self.all.tick();
        self.state.standing.lock().waits = Some(Wait { within: true, since });
        WaitGuard(&self.state)
    }
}

impl Drop for WaitGuard<'_> {
    fn drop(&mut self) {
        self.0.standing.lock().waits = None;
    }
}

impl Drop for AnswerGuard {
    fn drop(&mut self) {
        let since = self.all.tick();
        self.state.standing.lock().waits = Some(Wait { within: false, since });
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.all.open.lock().remove(&self.number);
        self.all.closed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    fn is_evicted(connection: &Connection) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        pin!(connection.evicted()).poll(&mut context) == Poll::Ready(())
    }

    /// Which of these has to make room.
    async fn goes(all: &Connections, open: &[&Connection]) -> Option<usize> {
        let _ = tokio::time::timeout(Duration::from_millis(1), all.room()).await;
        open.iter().position(|connection| is_evicted(connection))
    }

    #[tokio::test]
    async fn those_without_a_key_go_first_and_those_that_are_answered_stay() {
        let all = Connections::new(5);
        let (idle, sends, stranger, slow, busy) = (all.add(), all.add(), all.add(), all.add(), all.add());
        for known in [&idle, &sends, &busy] {
            known.answering().known(true);
        }
        let (sending, slowing) = (sends.answering(), slow.answering());
        let (in_body, in_strange_body) = (sending.waiting(), slowing.waiting());
        let answering = busy.answering();
        let all_open = [&idle, &sends, &stranger, &slow, &busy];
        assert_eq!(goes(&all, &all_open).await, Some(2), "no key and no request");
        let strange_request = stranger.answering();
        assert_eq!(goes(&all, &all_open).await, Some(3), "no key and half a request");
        drop(in_strange_body);
        assert_eq!(goes(&all, &all_open).await, Some(0), "a key, between two requests");
        let request = idle.answering();
        assert_eq!(goes(&all, &all_open).await, Some(1), "a key and half a request");
        drop(in_body);
        assert_eq!(goes(&all, &all_open).await, None, "all are answered");
        drop((strange_request, request, answering));
    }
}
