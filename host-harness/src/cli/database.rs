//! Which database a site is kept in. The comments are the text of `--help`.

use super::logging::{self, LogArgs};
use super::outcome::Outcome;
use clap::{Args, Subcommand};
use std::path::PathBuf;
use usher_host::storage::{PostgresAddress, PostgresOptions, PostgresStorage};

/// Not as a comment: those have URLs in angle brackets.
const STORAGE_HELP: &str = "\
Keep all data in the PostgreSQL database with this URL, such as postgres://usher@db.example.com/usher

Over the network, the connection is encrypted, and the server has to prove with a certificate that it is the one that the URL \
names. ?sslrootcert=FILE names the certificates of those who may vouch for it, ?sslmode=require leaves the proof out, \
?sslmode=disable the encryption. A Unix socket needs neither: postgres:///usher?host=/run/postgresql. A password in the URL can be \
seen by whoever sees the process; USHER_STORAGE and --storage-password-file are not. Tables are made where they are missing.";

/// A database, and how it is used.
#[derive(Debug, Args)]
pub(super) struct DatabaseArgs {
    /// Keep all data in the PostgreSQL database with this URL
    #[arg(long, value_name = "URL", env = "USHER_STORAGE", hide_env_values = true, long_help = STORAGE_HELP, help_heading = "Database")]
    pub(super) storage: Option<String>,

    /// A file with the database user's password, read each time a connection is made
    #[arg(long, value_name = "FILE", env = "USHER_STORAGE_PASSWORD_FILE", help_heading = "Database")]
    storage_password_file: Option<PathBuf>,

    /// How many connections to the database may be open at once
    #[arg(long, value_name = "COUNT", default_value_t = 16, value_parser = clap::value_parser!(u16).range(3..=1_000), help_heading = "Database")]
    storage_connections: u16,
}

/// What to do with a storage in a database.
#[derive(Debug, Subcommand)]
pub(super) enum StorageCommand {
    /// Make the tables in a database, or bring them to the layout of this version
    ///
    /// `usher serve` does so itself where its database user may. Run this as a user who may, where that one shall not; what
    /// that one needs then is in the documentation of the storage.
    Migrate(MigrateArgs),
}

#[derive(Debug, Args)]
pub(super) struct MigrateArgs {
    #[command(flatten)]
    database: DatabaseArgs,

    #[command(flatten)]
    logs: LogArgs,
}

impl DatabaseArgs {
    fn address(&self) -> Result<PostgresAddress, String> {
        let url = self.storage.as_deref().ok_or("name the database with --storage URL")?;
        let address = PostgresAddress::parse(url).map_err(|error| format!("--storage: {error}"))?;
        Ok(match &self.storage_password_file {
            Some(file) => address.password_file(file),
            None => address,
        })
    }

    /// The storage in it.
    pub(super) fn open(&self) -> Result<PostgresStorage, String> {
        let address = self.address()?;
        let options = PostgresOptions { connections: self.storage_connections, ..PostgresOptions::default() };
        PostgresStorage::open(&address, &options).map_err(|error| format!("the storage in {address}: {error}"))
    }
}

pub(super) fn run(command: &StorageCommand) -> Outcome {
    let StorageCommand::Migrate(MigrateArgs { database, logs }) = command;
    logging::start(logs)?;
    let address = database.address()?;
    let made = PostgresStorage::migrate(&address).map_err(|error| format!("the storage in {address}: {error}"))?;
    let what = if made { "the tables have been made" } else { "the tables are those of this version: nothing to do" };
    println!("{address}: {what}");
    Ok(())
}
