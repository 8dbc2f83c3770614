//! How a storage in a database can fail to open.

use super::failure::Failure;
use crate::storage::Trouble;
use crate::storage::group::DiskFailure;

/// Why a storage in a database could not be opened. What is shown of it has no password in it.
///
/// ```
/// use usher_host::storage::{PostgresAddress, PostgresError};
///
/// let error = PostgresAddress::parse("mysql://db.example.com").unwrap_err();
/// assert!(matches!(error, PostgresError::Address(_)));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PostgresError {
    /// The address is not one that can be used.
    #[error("{0}")]
    Address(String),
    /// The database does not do its part.
    #[error("{trouble}: {reason}")]
    Failed {
        /// What it comes to.
        trouble: Trouble,
        /// What the database or the network said.
        reason: String,
    },
    /// The tables are missing, and this user may not make them.
    #[error(
        "the database has no tables of Usher, and this user may not make them. Run `usher storage migrate` as one who may: {0}"
    )]
    NoTables(String),
    /// Another version made the tables. Nothing was changed.
    #[error("the tables in the database have layout {found}, which this version of Usher cannot read")]
    Version {
        /// The layout that they have.
        found: i64,
    },
    /// Another host serves the site.
    #[error("another host serves this site: {holder}")]
    InUse {
        /// What it calls itself.
        holder: String,
    },
}

impl From<DiskFailure> for PostgresError {
    fn from(DiskFailure { trouble, reason }: DiskFailure) -> Self {
        Self::Failed { trouble, reason }
    }
}

impl From<Failure> for PostgresError {
    fn from(failure: Failure) -> Self {
        failure.failure.into()
    }
}
