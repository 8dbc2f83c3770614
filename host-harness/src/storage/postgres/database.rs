//! The database, and whether it can be reached.

use super::address::PostgresAddress;
use super::connection::Connection;
use super::error::PostgresError;
use super::failure::Failure;
use super::options::PostgresOptions;
use super::tls;
use crate::storage::Trouble;
use crate::storage::group::DiskFailure;
use parking_lot::Mutex;
use tokio_postgres_rustls::MakeRustlsConnect;

/// A database.
pub(super) struct Database {
    pub(super) options: PostgresOptions,
    address: PostgresAddress,
    tls: MakeRustlsConnect,
    /// Why it cannot be reached. While this is known, nobody but who looks after it tries: the others would only wait.
    away: Mutex<Option<DiskFailure>>,
}

impl Database {
    pub(super) fn new(address: &PostgresAddress, options: &PostgresOptions) -> Result<Self, PostgresError> {
        let tls = tls::connector(&address.security)?;
        Ok(Self { options: options.clone(), tls, address: address.clone(), away: Mutex::default() })
    }

    /// A new connection.
    pub(super) fn connect(&self) -> Result<Connection, Failure> {
        let config = self.address.current().map_err(|reason| Failure::unknown(&reason))?;
        Connection::open(&config, &self.tls, self.options.timeout)
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
}
