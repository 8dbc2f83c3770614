//! What a database said, or did not say, in the storage's own terms.

use crate::storage::group::DiskFailure;
use crate::storage::{Error, Trouble};
use std::error::Error as _;
use tokio_postgres::error::{DbError, Severity, SqlState};

/// One trip to the database failed.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) failure: DiskFailure,
    /// What is known of what was asked for.
    pub(super) outcome: Outcome,
    /// What the database calls it.
    pub(super) code: Option<SqlState>,
}

/// What a failure leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The database refused it: nothing was done.
    Refused,
    /// Another transaction of the database got in the way: nothing was done, and it can be asked for again.
    Again,
    /// It may have been done, or may yet be.
    Unknown,
}

impl Failure {
    /// The database did not answer in time.
    pub(super) fn timeout() -> Self {
        Self::unknown("it did not answer in time")
    }

    /// Whether it was done is not known.
    pub(super) fn unknown(reason: &str) -> Self {
        Self { failure: DiskFailure::new(Trouble::Unreachable, reason), outcome: Outcome::Unknown, code: None }
    }

    /// The tables are not there.
    pub(super) fn is_without_tables(&self) -> bool {
        self.outcome == Outcome::Refused && self.code == Some(SqlState::UNDEFINED_TABLE)
    }
}

impl From<&tokio_postgres::Error> for Failure {
    fn from(error: &tokio_postgres::Error) -> Self {
        let Some(said) = error.as_db_error() else {
            let trouble = if is_password(error) { Trouble::Refused } else { Trouble::Unreachable };
            let failure = DiskFailure::new(trouble, whole_text(error));
            return Self { failure, outcome: Outcome::Unknown, code: None };
        };
        // Only what is an error of the statement leaves no doubt: who is cut off may have been about to commit.
        let outcome = match said.parsed_severity() {
            Some(Severity::Error) if is_in_doubt(said) => Outcome::Unknown,
            Some(Severity::Error) if is_passing(said) => Outcome::Again,
            Some(Severity::Error) => Outcome::Refused,
            _ => Outcome::Unknown,
        };
        // Its details may have keys and values in them.
        let reason = format!("{} ({})", said.message(), said.code().code());
        Self { failure: DiskFailure::new(trouble(said), reason), outcome, code: Some(said.code().clone()) }
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::from(&error)
    }
}

impl From<Failure> for DiskFailure {
    fn from(failure: Failure) -> Self {
        failure.failure
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        failure.failure.to_error()
    }
}

fn trouble(said: &DbError) -> Trouble {
    match said.code() {
        code if *code == SqlState::DISK_FULL => Trouble::NoSpace,
        code if *code == SqlState::READ_ONLY_SQL_TRANSACTION => Trouble::DatabaseReadOnly,
        code if *code == SqlState::INSUFFICIENT_PRIVILEGE => Trouble::Refused,
        code if *code == SqlState::UNDEFINED_TABLE || *code == SqlState::UNDEFINED_COLUMN => Trouble::Tables,
        code => match code.code().get(..2) {
            // Authorization; a database that is not there.
            Some("28" | "3D") => Trouble::Refused,
            // Connections; resources, of which too many connections are one; an operator's intervention.
            Some("08" | "53" | "57") => Trouble::Unreachable,
            _ => Trouble::Failed,
        },
    }
}

/// Whether the database cannot say what became of it: `statement_completion_unknown`, `transaction_resolution_unknown`.
fn is_in_doubt(said: &DbError) -> bool {
    matches!(said.code().code(), "40003" | "08007")
}

/// Whether it was rolled back for another one's sake.
fn is_passing(said: &DbError) -> bool {
    *said.code() == SqlState::T_R_SERIALIZATION_FAILURE || *said.code() == SqlState::T_R_DEADLOCK_DETECTED
}

/// Whether the driver had no password to give, or none that would do.
fn is_password(error: &tokio_postgres::Error) -> bool {
    let text = error.to_string();
    text.contains("authentication") || text.contains("password")
}

/// An error with its causes.
fn whole_text(error: &tokio_postgres::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
