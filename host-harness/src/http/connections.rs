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
/// A client that opens many and sends nothing cannot keep others out: the connection that has waited for its client the
/// longest makes room for a new one. One whose request is being answered is never closed.
pub(super) struct Connections {
    limit: usize,
    /// Counts events, as a clock that needs no system call.
    clock: AtomicU64,
    open: Mutex<HashMap<u64, Arc<State>>>,
    closed: Notify,
}

struct State {
    /// Since when the connection has been waiting for its client; 0 while a request is being answered.
    waiting_since: AtomicU64,
    evicted: Notify,
}

/// One open connection; it counts until this is dropped.
pub(super) struct Connection {
    all: Arc<Connections>,
    number: u64,
    state: Arc<State>,
}

/// A request that is being answered, until this is dropped.
pub(super) struct Answering {
    all: Arc<Connections>,
    state: Arc<State>,
}

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
                    let since = state.waiting_since.load(Ordering::Relaxed);
                    (since > 0).then_some((since, state))
                });
                if let Some((_, state)) = waiting.min_by_key(|(since, _)| *since) {
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
        let state = Arc::new(State { waiting_since: AtomicU64::new(number), evicted: Notify::new() });
        self.open.lock().insert(number, state.clone());
        Connection { all: self.clone(), number, state }
    }

    fn tick(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::Relaxed)
    }
}

impl Connection {
    /// Says that a request is being answered.
    pub(super) fn answering(&self) -> Answering {
        self.state.waiting_since.store(0, Ordering::Relaxed);
        Answering { all: self.all.clone(), state: self.state.clone() }
    }

    /// Waits until the connection has to make room for another. A request that came meanwhile is answered first.
    pub(super) async fn evicted(&self) {
        loop {
            self.state.evicted.notified().await;
            if self.state.waiting_since.load(Ordering::Relaxed) > 0 {
                return;
            }
            // Whoever wants the room looks for another connection.
            self.all.closed.notify_waiters();
        }
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        let now = self.all.tick();
        self.state.waiting_since.store(now, Ordering::Relaxed);
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.all.open.lock().remove(&self.number);
        self.all.closed.notify_waiters();
    }
}
