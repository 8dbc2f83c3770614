//! States of a site in the database, each as it was after a batch, for as long as somebody reads it.
//!
//! A state is held by a transaction on a connection of its own, which is begun with the first read: whoever reads nothing, or finds all
//! in memory, takes no connection. Before the next batch is sent, the newest state is held in any case, as those who have begun with it
//! could not find it any more. That a transaction is of the state wanted is known by the number of batches that it sees.

use super::connection::Connection;
use super::database::Database;
use super::failure::{Failure, Outcome};
use super::pool::{Pool, Pooled};
use crate::storage::Error;
use crate::storage::group::{Part, Snapshot, Stored};
use parking_lot::Mutex;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

/// How many connections hold one state at the most, where several read it at once.
const CONNECTIONS: usize = 4;

/// How long to wait for a connection before the oldest state that is still read gives up its own.
const PATIENCE: Duration = Duration::from_millis(50);

/// How many entries are read at a time.
const CHUNK: u64 = 4_096;

const BEGIN: &str = "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// How many batches were committed, and the [mark](super::connection) of the session.
const SEQ: &str = "SELECT seq, current_setting('usher.session', true) FROM usher_head WHERE site = $1";

const KEYS: &str = "SELECT key, value FROM usher_kv WHERE site = $1 AND key = ANY($2)";

/// What reads a range: by whether it goes against the order, and whether values are left out.
const RANGES: [[&str; 2]; 2] = [
    [
        "SELECT key, value FROM usher_kv WHERE site = $1 AND key >= $2 AND key < $3 ORDER BY key LIMIT $4 OFFSET $5",
        "SELECT key, ''::bytea FROM usher_kv WHERE site = $1 AND key >= $2 AND key < $3 ORDER BY key LIMIT $4 OFFSET $5",
    ],
    [
        "SELECT key, value FROM usher_kv WHERE site = $1 AND key >= $2 AND key < $3 ORDER BY key DESC LIMIT $4 OFFSET $5",
        "SELECT key, ''::bytea FROM usher_kv WHERE site = $1 AND key >= $2 AND key < $3 ORDER BY key DESC LIMIT $4 OFFSET $5",
    ],
];

/// All states that are read, and the connections that hold them.
pub(super) struct States {
    database: Arc<Database>,
    pool: Arc<Pool>,
    /// The oldest first.
    known: Mutex<VecDeque<Weak<State>>>,
}

/// One of them.
#[derive(Clone)]
pub(super) struct PostgresSnapshot(Arc<State>);

struct State {
    states: Arc<States>,
    /// How many batches had been committed.
    seq: i64,
    held: Mutex<Held>,
}

/// What holds a state.
#[derive(Default)]
struct Held {
    connections: Vec<Arc<Pooled>>,
    /// Whether its connections were given to a newer one.
    gone: bool,
}

/// What is asked of a state.
enum Read {
    Nothing,
    Keys(Vec<Vec<u8>>),
    Range { start: Vec<u8>, end: Vec<u8>, reverse: bool, keys_only: bool, skip: i64, limit: i64 },
}

impl States {
    /// None yet, on no more than so many connections.
    pub(super) fn new(database: Arc<Database>, connections: usize) -> Arc<Self> {
        let pool = Pool::new(database.clone(), connections);
        Arc::new(Self { database, pool, known: Mutex::default() })
    }

    /// The state after so many batches.
    pub(super) fn at(self: &Arc<Self>, seq: i64) -> PostgresSnapshot {
        let state = Arc::new(State { states: self.clone(), seq, held: Mutex::default() });
        let mut known = self.known.lock();
        known.retain(|state| state.strong_count() > 0);
        known.push_back(Arc::downgrade(&state));
        PostgresSnapshot(state)
    }

    /// A connection for this state.
    fn connection(&self, wanted: &State) -> Result<Pooled, Failure> {
        if let Some(connection) = self.pool.take(PATIENCE)? {
            return Ok(connection);
        }
        let held = {
            let known = self.known.lock();
            let states = known.iter().filter_map(Weak::upgrade).filter(|state| state.seq < wanted.seq);
            states.into_iter().find_map(|state| state.give_up())
        };
        drop(held);
        let connection = self.pool.take(self.database.options.timeout)?;
        connection.ok_or_else(|| Failure::unknown("all connections are in use"))
    }
}

impl State {
    /// Leaves its connections to others, if it has any. Whoever has read it cannot go on.
    fn give_up(&self) -> Option<Vec<Arc<Pooled>>> {
        // One that is being read from at this moment is not waited for.
        let mut held = self.held.try_lock()?;
        if held.connections.is_empty() {
            return None;
        }
        held.gone = true;
        tracing::warn!("the oldest state that is read gives up its connection: all are in use");
        Some(std::mem::take(&mut held.connections))
    }
}

impl Drop for State {
    fn drop(&mut self) {
        for connection in self.held.get_mut().connections.drain(..) {
            // One on which an answer is still awaited is closed.
            if let Ok(connection) = Arc::try_unwrap(connection) {
                connection.give_back(&self.states.database);
            }
        }
    }
}

impl PostgresSnapshot {
    /// Has it held from now on, whatever is committed.
    pub(super) fn hold(&self) -> Result<(), Failure> {
        if self.0.held.lock().connections.iter().any(|connection| !connection.is_closed()) {
            return Ok(());
        }
        self.read(&Read::Nothing).map(drop)
    }

    /// Reads from it; once more, where the connection was cut and the state is still the newest.
    fn read(&self, read: &Read) -> Result<Vec<Row>, Failure> {
        match self.try_read(read) {
            Err(failed) if failed.outcome != Outcome::Refused => self.try_read(read),
            done => done,
        }
    }

    fn try_read(&self, read: &Read) -> Result<Vec<Row>, Failure> {
        let State { states, held, .. } = &*self.0;
        let connection = {
            let mut held = held.lock();
            if held.gone {
                return Err(Failure::unknown("the state that is read had to give up its connection"));
            }
            held.connections.retain(|connection| !connection.is_closed());
            let (count, free) =
                (held.connections.len(), held.connections.iter().find(|one| Arc::strong_count(one) == 1));
            match (free, count) {
                (Some(free), _) => free.clone(),
                (None, 0) => {
                    let connection = states.connection(&self.0)?;
                    let rows = self.begin(&mut held, connection, read)?;
                    return rows.ok_or_else(|| Failure::unknown("the state that is to be read is no longer there"));
                }
                (None, _) => {
                    let another = if count < CONNECTIONS { states.pool.take(Duration::ZERO)? } else { None };
                    if let Some(connection) = another
                        && let Some(rows) = self.begin(&mut held, connection, read)?
                    {
                        return Ok(rows);
                    }
                    // As many as there can be: they take turns.
                    let least = held.connections.iter().min_by_key(|connection| Arc::strong_count(connection));
                    least.cloned().ok_or_else(|| Failure::unknown("the connection was cut"))?
                }
            }
        };
        let options = &states.database.options;
        let rows = connection.wait(options.timeout, read.ask(&connection, &options.site));
        if rows.as_ref().is_err_and(|failed| failed.outcome == Outcome::Unknown) {
            held.lock().connections.retain(|one| !Arc::ptr_eq(one, &connection));
        }
        rows
    }

    /// Begins to hold it on a connection, and reads from it in the same trip. `None` where that is of a later state already.
    fn begin(&self, held: &mut Held, connection: Pooled, read: &Read) -> Result<Option<Vec<Row>>, Failure> {
        let State { states, seq, .. } = &*self.0;
        let options = &states.database.options;
        let begun = connection.wait(options.timeout, async {
            let (on, parameter) = (&*connection, [(&options.site as _, Type::TEXT)]);
            let (begun, seq, rows) =
                tokio::join!(biased; on.run(BEGIN), on.query(SEQ, &parameter), read.ask(on, &options.site));
            begun?;
            let seq = seq?;
            let Some(row) = seq.first() else { return Ok((None, Vec::new())) };
            if !on.is_of(row.try_get(1)?) {
                return Err(Failure::unknown("a pooler gives one connection several sessions of the database"));
            }
            Ok((Some(row.try_get(0)?), rows?))
        });
        match begun {
            Ok((found, rows)) if found == Some(*seq) => {
                held.connections.push(Arc::new(connection));
                Ok(Some(rows))
            }
            Ok(_) => {
                connection.give_back(&states.database);
                Ok(None)
            }
            Err(failed) => Err(failed),
        }
    }
}

impl Read {
    async fn ask(&self, connection: &Connection, site: &str) -> Result<Vec<Row>, Failure> {
        let site = (&site as _, Type::TEXT);
        match self {
            Self::Nothing => Ok(Vec::new()),
            Self::Keys(keys) => connection.query(KEYS, &[site, (keys as _, Type::BYTEA_ARRAY)]).await,
            Self::Range { start, end, reverse, keys_only, skip, limit } => {
                let statement = RANGES[usize::from(*reverse)][usize::from(*keys_only)];
                let bounds = [(start as _, Type::BYTEA), (end as _, Type::BYTEA)];
                let [start, end] = bounds;
                let parameters = [site, start, end, (limit as _, Type::INT8), (skip as _, Type::INT8)];
                connection.query(statement, &parameters).await
            }
        }
    }
}

/// A key and its value.
fn entry(row: &Row) -> Stored<Vec<u8>> {
    let read = || Ok::<_, tokio_postgres::Error>((row.try_get(0)?, row.try_get(1)?));
    read().map_err(|error| Failure::from(&error).into())
}

impl Snapshot for PostgresSnapshot {
    type Bytes = Vec<u8>;

    fn get_many(&self, keys: &[&str]) -> Result<Vec<Option<Vec<u8>>>, Error> {
        let rows = self.read(&Read::Keys(keys.iter().map(|key| key.as_bytes().to_vec()).collect()))?;
        let found: HashMap<Vec<u8>, Vec<u8>> = rows.iter().map(entry).collect::<Result<_, _>>()?;
        // A key may be asked for twice.
        Ok(keys.iter().map(|key| found.get(key.as_bytes()).cloned()).collect())
    }

    fn range<'a>(&'a self, part: &Part<'a>) -> Result<impl Iterator<Item = Stored<Vec<u8>>> + 'a, Error> {
        Ok(Entries {
            snapshot: self,
            start: part.start.to_vec(),
            end: part.end.to_vec(),
            reverse: part.reverse,
            keys_only: part.keys_only,
            skip: part.skip.into(),
            chunk: part.expected.clamp(1, CHUNK),
            read: Vec::new().into_iter(),
            over: false,
        })
    }
}

/// The entries of a range, read a chunk at a time.
struct Entries<'a> {
    snapshot: &'a PostgresSnapshot,
    start: Vec<u8>,
    end: Vec<u8>,
    reverse: bool,
    keys_only: bool,
    skip: i64,
    chunk: u64,
    read: std::vec::IntoIter<Row>,
    /// Whether there is nothing more to be read.
    over: bool,
}

impl Entries<'_> {
    fn fill(&mut self) -> Result<(), Error> {
        let rows = self.snapshot.read(&Read::Range {
            start: self.start.clone(),
            end: self.end.clone(),
            reverse: self.reverse,
            keys_only: self.keys_only,
            skip: std::mem::take(&mut self.skip),
            limit: i64::try_from(self.chunk).unwrap_or(i64::MAX),
        })?;
        self.over = (rows.len() as u64) < self.chunk;
        if let Some(last) = rows.last() {
            let (key, _) = entry(last)?;
            if self.reverse {
                self.end = key;
            } else {
                self.start = key;
                self.start.push(0);
            }
        }
        self.chunk = CHUNK;
        self.read = rows.into_iter();
        Ok(())
    }
}

impl Iterator for Entries<'_> {
    type Item = Stored<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(row) = self.read.next() {
                return Some(entry(&row));
            }
            if self.over {
                return None;
            }
            if let Err(error) = self.fill() {
                self.over = true;
                return Some(Err(error));
            }
        }
    }
}
