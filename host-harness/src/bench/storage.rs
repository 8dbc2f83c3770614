//! What the embedded storage costs over the engine that it is built on.
//!
//! The same load is run twice on the same disk: through the storage contract, and against the bare engine with a group
//! commit of its own that promises nothing: no order between writers, no reading of one's own writes, no limits. Both
//! write the same bytes, and both wait for the disk before a commit counts.

use crate::storage::{Access, Change, EmbeddedOptions, EmbeddedStorage, Error, Range, Storage, open_engine};
use fjall::{Database, Keyspace, PersistMode, Readable};
use std::fmt::{self, Display, Formatter};
use std::fs;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How many entries one scan reads.
const SCAN: u32 = 100;
/// How many keys the last reading passes over.
const SKIP: u32 = 100_000;
/// How many changes go into one commit while the directory is filled.
const FILL: u64 = 500;

/// What is measured.
#[derive(Debug, Clone)]
pub struct Load {
    /// How many users, of about 600 bytes each, there are beforehand.
    pub users: u64,
    /// How many memberships there are beforehand; each is two keys of about 45 bytes.
    pub memberships: u64,
    /// How many threads write at a time, one measurement each.
    pub writers: Vec<usize>,
    /// How long each measurement lasts.
    pub time: Duration,
}

impl Default for Load {
    /// 200,000 users, 500,000 memberships, 1 to 64 writers, 2 seconds each: half a minute or so, and 600 MB of disk.
    fn default() -> Self {
        Self { users: 200_000, memberships: 500_000, writers: vec![1, 8, 32, 64], time: Duration::from_secs(2) }
    }
}

/// What came out.
#[derive(Debug, Clone)]
pub struct Figures {
    /// Through the storage contract.
    pub contract: Side,
    /// The bare engine.
    pub bare: Side,
}

/// The figures of one of the two.
#[derive(Debug, Clone)]
pub struct Side {
    /// How long it took to fill.
    pub fill: Duration,
    /// How long it took to open again.
    pub open: Duration,
    /// The bytes that it takes on disk, once full.
    pub disk_bytes: u64,
    /// Durable commits of eight keys and 1.2 KB, after reading three keys.
    pub commits: Vec<Commits>,
    /// Single users read a second, by one thread, each in a transaction of its own.
    pub gets_per_second: f64,
    /// Scans of a hundred keys a second, likewise.
    pub scans_per_second: f64,
    /// How long it takes to pass over 100,000 keys.
    pub skip: Duration,
}

/// Commits by one number of writers.
#[derive(Debug, Clone, Copy)]
pub struct Commits {
    /// How many threads wrote.
    pub writers: usize,
    /// How many commits were acknowledged a second.
    pub per_second: f64,
    /// How long half of them took at the most.
    pub median: Duration,
    /// How long 99 % of them took at the most.
    pub percentile_99: Duration,
}

/// Runs the load in `folder`, which must not hold anything of value: what is made there is removed at the end.
///
/// # Errors
/// Those of the storage, and [`Error::Unavailable`] where the folder cannot be used.
pub fn measure(folder: &Path, load: &Load) -> Result<Figures, Error> {
    let options = EmbeddedOptions::default();
    let (contract, bare) = (folder.join("contract"), folder.join("bare"));
    for place in [&contract, &bare] {
        fs::create_dir_all(place).map_err(unavailable)?;
    }
    let figures = {
        let (through, contract) = prepare(&contract, load, || Contract::open(&contract, &options))?;
        let (engine, bare) = prepare(&bare, load, || Bare::open(&bare, &options))?;
        let mut figures = Figures { contract, bare };
        // In turns, so that whatever else the machine does hits both.
        for (round, writers) in (1..).zip(&load.writers) {
            figures.contract.commits.push(write(&through, *writers, load, round)?);
            figures.bare.commits.push(write(&engine, *writers, load, round)?);
        }
        figures
    };
    for place in [contract, bare] {
        fs::remove_dir_all(place).map_err(unavailable)?;
    }
    Ok(figures)
}

/// What both sides can do.
trait Subject: Sync {
    /// Reads some keys, then writes some, and returns when they are durable.
    fn commit(&self, reads: &[String], changes: Vec<Change>) -> Result<(), Error>;
    fn get(&self, key: String) -> Result<bool, Error>;
    fn scan(&self, start: String, end: &str, skip: u32, limit: u32) -> Result<usize, Error>;
}

/// Fills one side, opens it again and reads. The commits are left out.
fn prepare<S: Subject>(place: &Path, load: &Load, open: impl Fn() -> Result<S, Error>) -> Result<(S, Side), Error> {
    let began = Instant::now();
    fill(&open()?, load)?;
    let fill = began.elapsed();
    let disk_bytes = used(place).map_err(unavailable)?;
    let began = Instant::now();
    let subject = open()?;
    let open = began.elapsed();
    let mut number = 0;
    let gets_per_second = rate(load.time, || {
        number += 1;
        subject.get(user_key(mix(number) % load.users.max(1))).map(drop)
    })?;
    let scans_per_second = rate(load.time, || {
        number += 1;
        let start = member_key(mix(number) % load.memberships.max(1));
        subject.scan(start, "m0", 0, SCAN).map(drop)
    })?;
    let began = Instant::now();
    subject.scan("m/".into(), "m0", SKIP, 1)?;
    let skip = began.elapsed();
    let side = Side { fill, open, disk_bytes, commits: Vec::new(), gets_per_second, scans_per_second, skip };
    Ok((subject, side))
}

fn fill(subject: &impl Subject, load: &Load) -> Result<(), Error> {
    let users = (0..load.users).map(|n| vec![set(user_key(n), text(n, 600))]);
    let memberships =
        (0..load.memberships).map(|n| vec![set(member_key(n), String::new()), set(member_of_key(n), String::new())]);
    let mut changes = Vec::new();
    for more in users.chain(memberships) {
        changes.extend(more);
        if changes.len() as u64 >= FILL {
            subject.commit(&[], std::mem::take(&mut changes))?;
        }
    }
    subject.commit(&[], changes)
}

/// As many commits as `writers` threads can make: what creating a user does.
fn write(subject: &impl Subject, writers: usize, load: &Load, round: u64) -> Result<Commits, Error> {
    let one = |writer: u64| {
        let mut taken = Vec::new();
        let began = Instant::now();
        for n in 0.. {
            if began.elapsed() >= load.time {
                break;
            }
            let id = mix((round << 48) + (writer << 32) + n);
            let reads = [user_key(n), format!("n/0001/user{id}@example.com"), format!("seq/{writer:04}")];
            let changes = vec![
                set(format!("u/0001/{id:016x}"), text(id, 600)),
                set(format!("n/0001/user{id}@example.com"), "1".into()),
                set(format!("x/0001/{id:016x}"), String::new()),
                set(format!("s/0001/{:016x}", mix(id)), String::new()),
                set(format!("t/0001/{n:016x}/{id:016x}"), String::new()),
                set(format!("c/{n:016x}/{writer:04}"), text(id, 250)),
                set(format!("seq/{writer:04}"), n.to_string()),
                set(format!("count/{writer:04}"), n.to_string()),
            ];
            let began = Instant::now();
            subject.commit(&reads, changes)?;
            taken.push(began.elapsed());
        }
        Ok::<_, Error>(taken)
    };
    let began = Instant::now();
    let taken = thread::scope(|scope| {
        let one = &one;
        let threads: Vec<_> = (0..writers as u64).map(|n| scope.spawn(move || one(n))).collect();
        let join = |thread: thread::ScopedJoinHandle<'_, Result<Vec<Duration>, Error>>| {
            thread.join().unwrap_or_else(|_| Err(Error::Other("a writer panicked".into())))
        };
        threads.into_iter().map(join).collect::<Result<Vec<_>, _>>()
    })?;
    let whole = began.elapsed();
    let mut taken = taken.concat();
    taken.sort_unstable();
    let at = |part: usize| taken.get(taken.len() * part / 100).copied().unwrap_or_default();
    Ok(Commits { writers, per_second: taken.len() as f64 / whole.as_secs_f64(), median: at(50), percentile_99: at(99) })
}

/// How often a second something can be done.
fn rate(time: Duration, mut work: impl FnMut() -> Result<(), Error>) -> Result<f64, Error> {
    let began = Instant::now();
    let mut done = 0_u32;
    while began.elapsed() < time {
        for _ in 0..10 {
            work()?;
            done += 1;
        }
    }
    Ok(f64::from(done) / began.elapsed().as_secs_f64())
}

struct Contract(EmbeddedStorage);

impl Contract {
    fn open(folder: &Path, options: &EmbeddedOptions) -> Result<Self, Error> {
        let storage = EmbeddedStorage::open_with(folder, options);
        storage.map(Self).map_err(unavailable)
    }
}

impl Subject for Contract {
    fn commit(&self, reads: &[String], changes: Vec<Change>) -> Result<(), Error> {
        let mut transaction = self.0.begin(Access::ReadWrite)?;
        transaction.get_many(reads)?;
        transaction.write(changes)?;
        transaction.commit()?.wait()
    }

    fn get(&self, key: String) -> Result<bool, Error> {
        let found = self.0.begin(Access::ReadOnly)?.get_many(&[key])?;
        Ok(found.iter().any(Option::is_some))
    }

    fn scan(&self, start: String, end: &str, skip: u32, limit: u32) -> Result<usize, Error> {
        let end = end.into();
        let range = Range { start, end, reverse: false, skip, limit, keys_only: true };
        Ok(self.0.begin(Access::ReadOnly)?.scan(&range)?.len())
    }
}

/// The engine itself. Commits go to one thread, which writes all that wait as one batch.
struct Bare {
    keyspace: Keyspace,
    database: Database,
    commits: Option<Sender<BareCommit>>,
    writer: Option<JoinHandle<()>>,
}

struct BareCommit {
    changes: Vec<Change>,
    done: Sender<Result<(), Error>>,
}

impl Bare {
    fn open(folder: &Path, options: &EmbeddedOptions) -> Result<Self, Error> {
        let (database, keyspace) = open_engine(folder, options).map_err(unavailable)?;
        let (commits, waiting) = channel();
        let (writing, into) = (database.clone(), keyspace.clone());
        let writer = thread::spawn(move || write_waiting(&writing, &into, &waiting));
        Ok(Self { keyspace, database, commits: Some(commits), writer: Some(writer) })
    }
}

impl Drop for Bare {
    /// Returns when the thread has let go of the database, so that it can be opened again.
    fn drop(&mut self) {
        drop(self.commits.take());
        if let Some(writer) = self.writer.take() {
            // A panic in it was seen by the writers that it left without an answer.
            let _ = writer.join();
        }
    }
}

fn write_waiting(database: &Database, keyspace: &Keyspace, waiting: &Receiver<BareCommit>) {
    while let Ok(first) = waiting.recv() {
        let mut batch = database.batch().durability(Some(PersistMode::SyncData));
        let mut done = Vec::new();
        for commit in std::iter::once(first).chain(waiting.try_iter()) {
            for Change { key, value } in commit.changes {
                match value {
                    Some(value) => batch.insert(keyspace, key, value),
                    None => batch.remove(keyspace, key),
                }
            }
            done.push(commit.done);
        }
        let outcome = batch.commit().map_err(unavailable);
        for done in done {
            // A writer that has gone does not want to know.
            let _ = done.send(outcome.clone());
        }
    }
}

impl Subject for Bare {
    fn commit(&self, reads: &[String], changes: Vec<Change>) -> Result<(), Error> {
        for key in reads {
            self.keyspace.get(key).map_err(unavailable)?;
        }
        let (done, outcome) = channel();
        let commits = self.commits.as_ref().ok_or_else(|| unavailable("closed"))?;
        commits.send(BareCommit { changes, done }).map_err(unavailable)?;
        outcome.recv().map_err(unavailable)?
    }

    fn get(&self, key: String) -> Result<bool, Error> {
        let found = self.database.snapshot().get(&self.keyspace, key).map_err(unavailable)?;
        Ok(found.is_some())
    }

    fn scan(&self, start: String, end: &str, skip: u32, limit: u32) -> Result<usize, Error> {
        let entries = self.database.snapshot().range(&self.keyspace, start.as_str()..end);
        let mut found = Vec::new();
        for entry in entries.skip(skip as usize).take(limit as usize) {
            found.push(entry.key().map_err(unavailable)?);
        }
        Ok(found.len())
    }
}

fn unavailable(error: impl Display) -> Error {
    Error::Unavailable(error.to_string())
}

fn set(key: String, value: String) -> Change {
    Change { key, value: Some(value) }
}

fn user_key(number: u64) -> String {
    format!("u/0001/{:016x}", mix(number))
}

fn member_key(number: u64) -> String {
    format!("m/g/{:016x}/{:016x}/0001", mix(number % 500), mix(number))
}

fn member_of_key(number: u64) -> String {
    format!("m/u/{:016x}/{:016x}/0001", mix(number), mix(number % 500))
}

/// About as compressible as a user's JSON: names that repeat, and values that do not.
fn text(number: u64, length: usize) -> String {
    let mut text = String::with_capacity(length + 60);
    let mut part = number;
    while text.len() < length {
        part = mix(part);
        text.push_str(&format!("\"userName\":\"{:x}\",\"familyName\":\"{:x}\",", part >> 40, part & 0xffff));
    }
    text.truncate(length);
    text
}

/// Scatters numbers (splitmix64), the same ones on each run.
fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// The bytes that the files in a folder take, holes left out where the system tells.
fn used(folder: &Path) -> std::io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += if metadata.is_dir() { used(&entry.path())? } else { allocated(&metadata) };
    }
    Ok(bytes)
}

#[cfg(unix)]
fn allocated(metadata: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::blocks(metadata) * 512
}

#[cfg(not(unix))]
fn allocated(metadata: &fs::Metadata) -> u64 {
    metadata.len()
}

impl Display for Figures {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let Self { contract, bare } = self;
        let mut line =
            |what: &str, contract: String, bare: String| writeln!(formatter, "{what:<34}{contract:>26}{bare:>26}");
        line("", "through the contract".into(), "bare engine".into())?;
        for (one, other) in contract.commits.iter().zip(&bare.commits) {
            let what = format!("commits/s, {} writers", one.writers);
            line(&what, one.to_string(), other.to_string())?;
        }
        let number = |figure: f64| format!("{figure:.0}");
        let time = |time: Duration| format!("{:.1} ms", time.as_secs_f64() * 1e3);
        let size = |bytes: u64| format!("{} MB", bytes >> 20);
        line("reads/s", number(contract.gets_per_second), number(bare.gets_per_second))?;
        line("scans of 100 keys/s", number(contract.scans_per_second), number(bare.scans_per_second))?;
        line("passing over 100,000 keys", time(contract.skip), time(bare.skip))?;
        line("filling", time(contract.fill), time(bare.fill))?;
        line("opening again", time(contract.open), time(bare.open))?;
        line("on disk", size(contract.disk_bytes), size(bare.disk_bytes))
    }
}

impl Display for Commits {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let (median, last) = (self.median.as_micros(), self.percentile_99.as_micros());
        write!(formatter, "{:.0} ({median}/{last} us)", self.per_second)
    }
}
