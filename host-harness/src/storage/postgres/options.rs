//! What a storage in a database can be told.

use std::time::Duration;

/// Which site a [`PostgresStorage`](super::PostgresStorage) keeps, and what it takes of the database.
///
/// ```
/// use usher_host::storage::PostgresOptions;
///
/// let options = PostgresOptions { connections: 4, ..PostgresOptions::default() };
/// assert_eq!(options.site, "default");
/// ```
#[derive(Debug, Clone)]
pub struct PostgresOptions {
    /// The site's name in the database. Sites in one database never see each other.
    pub site: String,
    /// How many connections may be open at once, at least 3: one writes, the others read.
    pub connections: u16,
    /// For how long the site is this host's after each renewal. After a crash, the next start waits for as long.
    pub lease: Duration,
    /// How long the database may take for one answer, and for taking a connection, before it counts as away.
    pub timeout: Duration,
    /// Bytes of single keys and values that are kept in memory for reading them again without asking the database.
    pub read_cache_bytes: u64,
}

impl Default for PostgresOptions {
    /// The site `default`, 16 connections, a lease of 10 seconds, 5 seconds for an answer, 32 MiB for reading.
    fn default() -> Self {
        Self {
            site: "default".into(),
            connections: 16,
            lease: Duration::from_secs(10),
            timeout: Duration::from_secs(5),
            read_cache_bytes: 32 << 20,
        }
    }
}
