//! The database, from threads that wait.

use super::address::PostgresAddress;
use super::connection::Connection;
use super::error::PostgresError;
use super::failure::Failure;
use super::options::PostgresOptions;
use super::tls;
use crate::storage::Trouble;
use crate::storage::group::DiskFailure;
use parking_lot::Mutex;
use std::sync::mpsc::sync_channel;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use tokio_postgres_rustls::MakeRustlsConnect;

/// A database, and the thread that talks to it.
pub(super) struct Database {
    pub(super) options: PostgresOptions,
    address: PostgresAddress,
    tls: MakeRustlsConnect,
    /// `None` while it is dropped.
    runtime: Option<Runtime>,
    /// Why it cannot be reached. While this is known, nobody but who looks after it tries: the others would only wait.
    away: Mutex<Option<DiskFailure>>,
}

impl Database {
    pub(super) fn new(address: &PostgresAddress, options: &PostgresOptions) -> Result<Self, PostgresError> {
        let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("usher-postgres").enable_all().build();
        let runtime = runtime.map_err(|error| DiskFailure::from(error))?;
        Ok(Self {
            options: options.clone(),
            tls: tls::connector(&address.security)?,
            address: address.clone(),
            runtime: Some(runtime),
            away: Mutex::default(),
        })
    }

    /// Has work done on the database's own thread, and waits for it, but no longer than an answer may take.
    pub(super) fn wait<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Failure>> + Send + 'static,
    ) -> Result<T, Failure> {
        self.wait_for(self.options.timeout, work)
    }

    /// The same, with another limit.
    pub(super) fn wait_for<T: Send + 'static>(
        &self,
        limit: Duration,
        work: impl Future<Output = Result<T, Failure>> + Send + 'static,
    ) -> Result<T, Failure> {
        let (done, result) = sync_channel(1);
        self.spawn(async move {
            let outcome = timeout(limit, work).await.unwrap_or_else(|_| Err(Failure::timeout()));
            // Who asked waits for it.
            let _ = done.send(outcome);
        });
        result.recv().unwrap_or_else(|_| Err(Failure::unknown("its thread has ended")))
    }

    /// Has work done in the background.
    pub(super) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        if let Some(runtime) = &self.runtime {
            runtime.spawn(work);
        }
    }

    /// A new connection.
    pub(super) fn connect(&self) -> Result<Connection, Failure> {
        let config = self.address.current();
        let config = config.map_err(|reason| Failure::unknown(&reason))?;
        self.wait(Connection::open(config, self.tls.clone()))
    }

    /// A new connection, unless it is known that there is none to be had.
    pub(super) fn connect_if_there(&self) -> Result<Connection, Failure> {
        if let Some(away) = &*self.away.lock() {
            return Err(Failure::unknown(&away.reason));
        }
        self.connect().inspect_err(|failed| self.is_away(&failed.failure))
    }

    /// Remembers that it cannot be reached, if that is what has failed.
    pub(super) fn is_away(&self, failed: &DiskFailure) {
        if matches!(failed.trouble, Trouble::Unreachable | Trouble::Refused) {
            *self.away.lock() = Some(failed.clone());
        }
    }

    /// Whether somebody has found that it cannot be reached.
    pub(super) fn is_said_to_be_away(&self) -> bool {
        self.away.lock().is_some()
    }

    /// It has answered.
    pub(super) fn is_back(&self) {
        *self.away.lock() = None;
    }

    /// Tells the server to stop what it does on a connection whose answer is not waited for any more.
    pub(super) fn stop(&self, connection: &Connection) {
        let (stop, limit) = (connection.stop(self.tls.clone()), self.options.timeout);
        self.spawn(async move {
            // Where it cannot be told, it finds out when it wants to answer.
            let _ = timeout(limit, stop).await;
        });
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // The thread that drops it may be one that must not wait.
            runtime.shutdown_background();
        }
    }
}
