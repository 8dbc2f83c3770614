//! The database as group commit needs it: one host's, looked after, found again after a failure.

use super::batch::Batch;
use super::connection::Connection;
use super::database::Database;
use super::error::PostgresError;
use super::failure::{Failure, Outcome};
use super::lease::{self, Head, Holder};
use super::schema;
use super::state::{PostgresSnapshot, States};
use crate::storage::Trouble;
use crate::storage::group::{Changes, Disk, DiskFailure};
use parking_lot::Mutex;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};
use tokio_postgres::types::Type;

/// How often the lease is renewed where nothing is written.
const RENEWED: Duration = Duration::from_secs(1);

/// How long to wait before what has failed is tried again.
const PAUSE: Duration = Duration::from_millis(100);

/// How often another host has to renew its lease before it counts as alive: a batch of one that is dead may come late.
const SIGNS_OF_LIFE: usize = 2;

/// How many bytes are written, and taken back, to see whether there is room again.
const PROBE_BYTES: usize = 128 << 10;

/// Writes what is never committed, under a key that no entry has: it is no text.
const PROBE: &str = "INSERT INTO usher_kv (site, key, value) VALUES ($1, '\\xff'::bytea, $2)";

/// A site in the database.
pub(super) struct PostgresDisk {
    database: Arc<Database>,
    states: Arc<States>,
    /// What this host calls itself.
    name: String,
    writer: Mutex<Writer>,
    /// The state after the last batch.
    newest: Mutex<Option<PostgresSnapshot>>,
    /// Until when the site is this host's for certain.
    ours_until: Mutex<Instant>,
}

/// What writes.
struct Writer {
    connection: Option<Arc<Connection>>,
    head: Head,
    renewed: Instant,
}

impl PostgresDisk {
    /// Takes the site. Where another host has it, waits until its lease is over, unless it is renewed.
    pub(super) fn open(database: Arc<Database>) -> Result<Self, PostgresError> {
        let readers = usize::from(database.options.connections.max(3)) - 1;
        let now = Instant::now();
        let disk = Self {
            states: States::new(database.clone(), readers),
            name: name()?,
            writer: Mutex::new(Writer {
                connection: None,
                head: Head { seq: 0, batch: Vec::new(), epoch: 0 },
                renewed: now,
            }),
            newest: Mutex::default(),
            ours_until: Mutex::new(now),
            database,
        };
        let (mut other, mut signs): (Option<(Holder, Instant)>, usize) = (None, 0);
        loop {
            let asked = Instant::now();
            let Err(holder) = disk.take(&mut disk.writer.lock())? else { return Ok(disk) };
            let expected = other.as_ref().map(|(before, at)| before.seconds - (asked - *at).as_secs_f64());
            match expected {
                None => {
                    tracing::info!(holder = holder.name, seconds = holder.seconds, "waiting for another host's lease");
                }
                Some(expected) if holder.seconds > expected + RENEWED.as_secs_f64() / 4.0 => signs += 1,
                Some(_) => {}
            }
            if signs >= SIGNS_OF_LIFE {
                return Err(PostgresError::InUse { holder: holder.name });
            }
            other = Some((holder, asked));
            thread::sleep(PAUSE);
        }
    }

    /// Has the connection that writes do something.
    fn ask<T: Send, F: Future<Output = Result<T, Failure>> + Send>(
        &self,
        writer: &mut Writer,
        work: impl FnOnce(Arc<Connection>) -> F,
    ) -> Result<T, Failure> {
        self.ask_for(self.database.options.timeout, writer, work)
    }

    /// The same, for no longer than that.
    fn ask_for<T: Send, F: Future<Output = Result<T, Failure>> + Send>(
        &self,
        limit: Duration,
        writer: &mut Writer,
        work: impl FnOnce(Arc<Connection>) -> F,
    ) -> Result<T, Failure> {
        let open = writer.connection.take().filter(|connection| !connection.is_closed());
        let connection = match open {
            Some(connection) => connection,
            None => Arc::new(self.database.connect()?),
        };
        let done = connection.wait(limit, work(connection.clone()));
        if !done.as_ref().is_err_and(|failed| failed.outcome == Outcome::Unknown) {
            writer.connection = Some(connection);
        }
        done
    }

    /// Takes the site's head, under a new epoch.
    fn take(&self, writer: &mut Writer) -> Result<Result<(), Holder>, Failure> {
        let (site, name, lease) = (self.database.options.site.clone(), self.name.clone(), self.database.options.lease);
        let asked = Instant::now();
        let taken =
            self.ask(writer, |connection| async move { lease::take(&connection, &site, &name, lease).await })?;
        Ok(taken.map(|head| {
            writer.head = head;
            self.renewed(writer, asked);
        }))
    }

    /// The lease was renewed by what was asked for at this time.
    fn renewed(&self, writer: &mut Writer, asked: Instant) {
        writer.renewed = asked;
        *self.ours_until.lock() = asked + self.database.options.lease;
    }

    /// Finds out what became of a batch whose answer got lost, until this time. Once it is known, nothing can change it.
    fn settle(&self, writer: &mut Writer, batch: &Batch, until: Instant) -> Result<bool, DiskFailure> {
        let before = writer.head.seq;
        loop {
            match self.take(writer) {
                Ok(Ok(())) if batch.is_at(&writer.head) && writer.head.seq == before + 1 => return Ok(true),
                Ok(Ok(())) if writer.head.seq == before => return Ok(false),
                Ok(Ok(())) => return Err(in_use("another host has written")),
                Ok(Err(holder)) => return Err(in_use(&holder.name)),
                Err(failed) if Instant::now() >= until => return Err(failed.failure),
                Err(_) => thread::sleep(PAUSE),
            }
        }
    }
}

impl Disk for PostgresDisk {
    type Snapshot = PostgresSnapshot;

    fn write(&self, changes: &Changes) -> Result<(), DiskFailure> {
        let mut writer = self.writer.lock();
        let newest = self.newest.lock().clone();
        if let Some(newest) = newest {
            newest.hold()?;
        }
        let batch = Batch::of(changes).map_err(|error| DiskFailure::new(Trouble::Failed, error.to_string()))?;
        let (limit, batch) = (batch.limit(self.database.options.timeout), Arc::new(batch));
        let until = Instant::now() + 2 * limit;
        loop {
            let (site, lease) = (self.database.options.site.clone(), self.database.options.lease);
            let (sent, head, asked) = (batch.clone(), writer.head.clone(), Instant::now());
            let written = self.ask_for(limit, &mut writer, |connection| async move {
                sent.write(&connection, &site, &head, lease).await
            });
            let done = match written {
                Ok(true) => {
                    writer.head.seq += 1;
                    self.renewed(&mut writer, asked);
                    true
                }
                Ok(false) => return Err(in_use("its head was moved")),
                Err(failed) if failed.outcome == Outcome::Refused || asked >= until => return Err(failed.failure),
                Err(failed) if failed.outcome == Outcome::Again => {
                    thread::sleep(PAUSE);
                    false
                }
                Err(failed) => {
                    tracing::warn!(
                        reason = failed.failure.reason,
                        "the answer to a commit got lost, and is looked for"
                    );
                    self.settle(&mut writer, &batch, until)?
                }
            };
            if done {
                return Ok(());
            }
        }
    }

    fn snapshot(&self) -> Result<PostgresSnapshot, DiskFailure> {
        let seq = self.writer.lock().head.seq;
        let snapshot = self.states.at(seq);
        *self.newest.lock() = Some(snapshot.clone());
        Ok(snapshot)
    }

    fn tend(&self) -> Result<(), DiskFailure> {
        // Whoever reads may have found that it cannot be reached.
        let mut writer = self.writer.lock();
        if writer.renewed.elapsed() < RENEWED && !self.database.is_said_to_be_away() {
            return Ok(());
        }
        let mut renew = || {
            let (site, lease) = (self.database.options.site.clone(), self.database.options.lease);
            let (epoch, asked) = (writer.head.epoch, Instant::now());
            let ours = self
                .ask(&mut writer, |connection| async move { lease::renew(&connection, &site, epoch, lease).await })?;
            if ours {
                self.renewed(&mut writer, asked);
            }
            Ok(ours)
        };
        // A connection that was cut is no failure yet.
        let ours = renew().or_else(|_: Failure| renew())?;
        if !ours {
            return Err(in_use("its epoch is over"));
        }
        self.database.is_back();
        Ok(())
    }

    fn can_write(&self) -> Result<(), DiskFailure> {
        let mut writer = self.writer.lock();
        let site = self.database.options.site.clone();
        let tried = self.ask(&mut writer, |connection| async move {
            schema::check(&connection).await?;
            let mut probe = vec![0; PROBE_BYTES];
            // What compresses well would need no room.
            getrandom::fill(&mut probe).map_err(|error| Failure::unknown(&error.to_string()))?;
            connection.run("BEGIN").await?;
            let probed = connection.query(PROBE, &[(&site as _, Type::TEXT), (&probe as _, Type::BYTEA)]).await;
            connection.run("ROLLBACK").await?;
            probed.map(drop)
        });
        tried.map_err(|failed| {
            self.database.is_away(&failed.failure);
            failed.failure
        })
    }

    fn reopen(&self) -> Result<(), DiskFailure> {
        let mut writer = self.writer.lock();
        match self.take(&mut writer)? {
            Ok(()) => {
                *self.newest.lock() = None;
                self.database.is_back();
                Ok(())
            }
            Err(holder) => Err(in_use(&holder.name)),
        }
    }

    fn is_ours(&self) -> Result<(), DiskFailure> {
        if Instant::now() < *self.ours_until.lock() {
            return Ok(());
        }
        Err(DiskFailure::new(Trouble::Unreachable, "the lease of the site is over, and could not be renewed"))
    }
}

impl Drop for PostgresDisk {
    fn drop(&mut self) {
        let mut writer = self.writer.lock();
        if writer.connection.is_none() {
            return;
        }
        let (site, epoch) = (self.database.options.site.clone(), writer.head.epoch);
        let given =
            self.ask(&mut writer, |connection| async move { lease::give_back(&connection, &site, epoch).await });
        if let Err(failed) = given {
            tracing::warn!(
                reason = failed.failure.reason,
                "the lease of the site could not be given back; it ends by itself"
            );
        }
    }
}

fn in_use(holder: &str) -> DiskFailure {
    DiskFailure::new(Trouble::InUse, format!("the site is another host's: {holder}"))
}

/// What a host calls itself: for people, and like no other.
fn name() -> Result<String, DiskFailure> {
    let random = getrandom::u64().map_err(|error| DiskFailure::new(Trouble::Failed, error.to_string()))?;
    #[cfg(unix)]
    let machine = rustix::system::uname().nodename().to_string_lossy().into_owned();
    #[cfg(not(unix))]
    let machine = "a host";
    Ok(format!("{machine}, process {}, {random:016x}", std::process::id()))
}
