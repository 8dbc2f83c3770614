//! The tables, and the layout that they have.
//!
//! | table | what it holds |
//! |---|---|
//! | `usher_schema` | the number of the layout |
//! | `usher_head` | a row for each site: how many batches were committed, the name of the last one, and whose lease it is |
//! | `usher_kv` | the entries of each site; bytes, since the database's texts have no NUL and an order of their own |
//! | `usher_admin_key` | the hash of each site's admin key |

use super::connection::Connection;
use super::database::Database;
use super::error::PostgresError;
use super::failure::Failure;
use crate::storage::Trouble;
use crate::storage::group::DiskFailure;
use tokio_postgres::types::Type;

/// The layout that this version reads and writes.
const LAYOUT: i64 = 1;

/// Makes what is missing. Whoever else wants to do so waits meanwhile; the number is known to nobody but this program.
const MAKE: &str = "\
    BEGIN; \
    SELECT pg_advisory_xact_lock(8462011795023163); \
    CREATE TABLE IF NOT EXISTS usher_schema (version bigint PRIMARY KEY); \
    CREATE TABLE IF NOT EXISTS usher_head (site text PRIMARY KEY, seq bigint NOT NULL, batch bytea NOT NULL, \
        epoch bigint NOT NULL, holder text NOT NULL, until timestamptz NOT NULL) WITH (fillfactor = 50); \
    CREATE TABLE IF NOT EXISTS usher_kv (site text NOT NULL, key bytea NOT NULL, value bytea NOT NULL, \
        PRIMARY KEY (site, key)); \
    CREATE TABLE IF NOT EXISTS usher_admin_key (site text PRIMARY KEY, hash bytea NOT NULL); \
    INSERT INTO usher_schema (version) SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM usher_schema); \
    COMMIT";

/// Brings the tables to the layout of this version, or makes them. Returns whether there was anything to do.
pub(super) fn bring_forward(database: &Database) -> Result<bool, PostgresError> {
    let connection = database.connect()?;
    let done = connection.wait(database.options.timeout, async {
        if let Some(found) = layout(&connection).await? {
            return Ok(Ok((false, found)));
        }
        match connection.run(MAKE).await {
            Ok(()) => Ok(Ok((true, layout(&connection).await?.unwrap_or_default()))),
            Err(failed) if failed.failure.trouble == Trouble::Refused => Ok(Err(failed.failure.reason)),
            Err(failed) => Err(failed),
        }
    })?;
    match done {
        Ok((made, LAYOUT)) => Ok(made),
        Ok((_, found)) => Err(PostgresError::Version { found }),
        Err(reason) => Err(PostgresError::NoTables(reason)),
    }
}

/// After a failure: whether the tables are still those of this version.
pub(super) async fn check(connection: &Connection) -> Result<(), Failure> {
    match layout(connection).await? {
        Some(LAYOUT) => Ok(()),
        Some(found) => Err(not_ours(format!("the tables have layout {found}, which this version cannot read"))),
        None => Err(not_ours("the tables are missing".into())),
    }
}

fn not_ours(reason: String) -> Failure {
    Failure { failure: DiskFailure::new(Trouble::Tables, reason), ..Failure::timeout() }
}

/// The number of the layout; `None` where there are no tables.
async fn layout(connection: &Connection) -> Result<Option<i64>, Failure> {
    match connection.try_query("SELECT max(version) FROM usher_schema").await {
        Ok(rows) => {
            let row = rows.first().ok_or_else(|| Failure::unknown("it has no answer"))?;
            Ok(row.try_get(0)?)
        }
        Err(error) => {
            let failure = Failure::from(error);
            if failure.is_without_tables() { Ok(None) } else { Err(failure) }
        }
    }
}

/// The hash of the site's admin key that is kept, or else this one, which is from now on.
pub(super) fn admin_key_hash(database: &Database, new: [u8; 32]) -> Result<[u8; 32], PostgresError> {
    let (connection, site) = (database.connect()?, database.options.site.clone());
    let rows = connection.wait(database.options.timeout, async {
        let (site, new) = ((&site as _, Type::TEXT), new.as_slice());
        let keep = "INSERT INTO usher_admin_key (site, hash) VALUES ($1, $2) ON CONFLICT (site) DO NOTHING";
        connection.query(keep, &[site.clone(), (&new, Type::BYTEA)]).await?;
        connection.query("SELECT hash FROM usher_admin_key WHERE site = $1", &[site]).await
    })?;
    let hash: Option<Vec<u8>> = rows.first().and_then(|row| row.try_get(0).ok());
    let hash = hash.and_then(|hash| hash.try_into().ok());
    hash.ok_or_else(|| DiskFailure::new(Trouble::Tables, "the admin key's hash is no SHA-256 hash").into())
}
