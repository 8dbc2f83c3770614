//! Connections that read: no more than the options say, kept for the next who needs one.

use super::connection::Connection;
use super::database::Database;
use super::failure::Failure;
use parking_lot::{Condvar, Mutex, MutexGuard};
use std::ops::Deref;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

/// The connections.
pub(super) struct Pool {
    database: Arc<Database>,
    most: usize,
    state: Mutex<State>,
    returned: Condvar,
}

#[derive(Default)]
struct State {
    idle: Vec<Pooled>,
    /// How many there are, idle or not.
    open: usize,
}

/// A connection of the pool.
pub(super) struct Pooled {
    connection: Connection,
    counted: Counted,
}

/// Counted among the connections that are open for as long as it is.
struct Counted(Weak<Pool>);

impl Pool {
    pub(super) fn new(database: Arc<Database>, most: usize) -> Arc<Self> {
        Arc::new(Self { database, most, state: Mutex::default(), returned: Condvar::new() })
    }

    /// A connection, or `None` where all are in use for that long.
    pub(super) fn take(self: &Arc<Self>, patience: Duration) -> Result<Option<Pooled>, Failure> {
        let until = Instant::now() + patience;
        let mut state = self.state.lock();
        loop {
            while let Some(pooled) = state.idle.pop() {
                let limit = self.database.options.timeout;
                let alive = MutexGuard::unlocked(&mut state, || pooled.is_alive(limit).then_some(pooled));
                if alive.is_some() {
                    return Ok(alive);
                }
            }
            if state.open < self.most {
                state.open += 1;
                drop(state);
                let counted = Counted(Arc::downgrade(self));
                return Ok(Some(Pooled { connection: self.database.connect_if_there()?, counted }));
            }
            if self.returned.wait_until(&mut state, until).timed_out() {
                return Ok(None);
            }
        }
    }
}

impl Pooled {
    /// Goes back to the pool, with the end of its transaction on its way.
    pub(super) fn give_back(self, database: &Database) {
        if self.send(database.options.timeout, "ROLLBACK").is_ok()
            && let Some(pool) = self.counted.0.upgrade()
        {
            pool.state.lock().idle.push(self);
            pool.returned.notify_one();
        }
    }
}

impl Deref for Pooled {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        if let Some(pool) = self.0.upgrade() {
            pool.state.lock().open -= 1;
            pool.returned.notify_one();
        }
    }
}
