//! A storage in a PostgreSQL database, or in one that speaks its protocol.

mod address;
mod batch;
mod connection;
mod database;
mod disk;
mod error;
mod failure;
mod lease;
mod options;
mod pool;
mod schema;
mod state;
mod tls;

use super::group::GroupCommit;
use super::{Access, Error, Health, Storage, Transaction};
pub use address::PostgresAddress;
use database::Database;
use disk::PostgresDisk;
pub use error::PostgresError;
pub use options::PostgresOptions;
use std::sync::Arc;

/// Keeps a site in a PostgreSQL database, for those who run one already: nothing of it is on the host's own disk.
///
/// What is acknowledged is committed there, as durable as the database makes a commit (`synchronous_commit` should be on, as it is
/// unless changed). Writers run one after another and share their trips; readers see what is committed, and wait for nobody.
///
/// One host at a time serves a site. It has a lease in the database, which it renews every second; another host that is
/// started for the same site waits until the lease is given back or over, and is refused where it is renewed meanwhile.
///
/// Where the database fails, each commit ends in [`Error::Unavailable`], and [`health`](Storage::health) says why. What can still be
/// read is read until the lease is over. As soon as the database answers again, so does the storage, by itself. A commit
/// whose answer got lost is looked for, so that nothing is committed twice.
///
/// ```no_run
/// use usher_host::storage::{PostgresAddress, PostgresOptions, PostgresStorage};
///
/// let address = PostgresAddress::parse("postgres://usher:secret@db.example.com/usher")?;
/// let storage = PostgresStorage::open(&address, &PostgresOptions::default())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct PostgresStorage {
    commits: GroupCommit<PostgresDisk>,
    database: Arc<Database>,
}

impl PostgresStorage {
    /// Opens a site's storage. Its tables are made where they are missing and the user may make them.
    ///
    /// Waits for another host's lease that is running out, and blocks the thread meanwhile.
    ///
    /// # Errors
    /// See [`PostgresError`].
    pub fn open(address: &PostgresAddress, options: &PostgresOptions) -> Result<Self, PostgresError> {
        let database = Arc::new(Database::new(address, options)?);
        schema::bring_forward(&database)?;
        let disk = PostgresDisk::open(database.clone())?;
        let commits = GroupCommit::new(disk, options.read_cache_bytes)?;
        Ok(Self { commits, database })
    }

    /// Makes the tables, or brings them to the layout of this version. Returns whether there was anything to do.
    ///
    /// For a user who may do that, where the one that serves may not.
    ///
    /// # Errors
    /// See [`PostgresError`].
    pub fn migrate(address: &PostgresAddress) -> Result<bool, PostgresError> {
        schema::bring_forward(&Database::new(address, &PostgresOptions::default())?)
    }

    /// The SHA-256 hash of the admin key of the site: the one that is kept in the database, or this one, which is kept
    /// from then on.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub fn admin_key_hash(&self, new: [u8; 32]) -> Result<[u8; 32], PostgresError> {
        schema::admin_key_hash(&self.database, new)
    }
}

impl Storage for PostgresStorage {
    fn begin(&self, access: Access) -> Result<Box<dyn Transaction>, Error> {
        self.commits.begin(access)
    }

    fn health(&self) -> Health {
        self.commits.health()
    }
}
