//! Where the time of one durable call goes. The call is made several ways, turn by turn: by the native engine over a
//! storage on disk that is watched, by the native engine and by the component in memory, over HTTP to a server that keeps
//! all in memory, and over HTTP to one that keeps it on disk. What one way has and the one before has not is what the stage
//! between them costs; disks, which vary the most, are in two of them only.

use super::call::Call;
use super::client::Client;
use super::context::Bench;
use super::directory::Directory;
use super::person::{Kind, People, USERS};
use super::record::{Recorder, Work};
use super::report::{Cell, Column, Section, Table};
use super::sandbox::Subject;
use super::server::{Kept, Servers};
use super::stats::Times;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use usher_host::Usher;
use usher_host::storage::{EmbeddedStorage, MemoryStorage};

/// How many calls are made one way before the next has its turn.
const CALLS_PER_TURN: usize = 20;

const STAGES: [Column; 6] = [
    ("call", "call"),
    ("stage", "stage"),
    ("count", "count"),
    ("p50Us", "p50 µs"),
    ("p99Us", "p99 µs"),
    ("share", "share of the whole"),
];

const ASKED: [Column; 7] = [
    ("call", "call"),
    ("transactions", "transactions"),
    ("keys", "keys read"),
    ("scans", "scans"),
    ("entries", "entries scanned"),
    ("written", "keys written"),
    ("writtenBytes", "bytes written"),
];

pub(super) async fn run(bench: &mut Bench) -> Result<Section, String> {
    bench.progress.step("breakdown: preparing");
    let place = bench.servers.folder()?;
    let mut ways = Ways::make(bench, place.path()).await?;
    let mut stages = Table::new("Stages of one call, durable, one at a time", &STAGES);
    let mut asked = Table::new("What one call asks of the storage", &ASKED);
    for kind in Kind::ALL {
        bench.progress.step(format!("breakdown: {}", kind.name()));
        let mut measured = Measured::default();
        let begin = Instant::now();
        while begin.elapsed() < 2 * bench.duration {
            ways.take_turn(kind, &mut measured).await?;
        }
        asked.row(measured.asked(kind));
        measured.rows(kind, &mut stages);
    }
    Ok(Section::new("breakdown").table(stages).table(asked).note(
        "HTTP is a call of `/healthz`; serving is what SCIM over HTTP takes beyond that and the component: larger messages, \
         handing over between threads. The instance is what the component takes beyond the native engine. Both are \
         differences of medians, in memory. Committing has the wait for the disk in it. The rest is what the whole has beyond all \
         other stages: what the server is slower when it keeps a site on disk.",
    ))
}

/// The ways to make a call, each with a directory of its own.
struct Ways {
    watched: Subject,
    recorder: Arc<Recorder>,
    native: Subject,
    component: Subject,
    in_memory: Served,
    on_disk: Served,
    healthz: Client,
}

/// A server, and the users and the group that the calls are about.
struct Served {
    directory: Directory,
    people: People,
}

/// The times of one kind of call.
#[derive(Default)]
struct Measured {
    watched: Vec<Duration>,
    work: Vec<Work>,
    native: Vec<Duration>,
    component: Vec<Duration>,
    in_memory: Vec<Duration>,
    on_disk: Vec<Duration>,
    healthz: Vec<Duration>,
}

impl Ways {
    async fn make(bench: &Bench, place: &Path) -> Result<Self, String> {
        let usher = Usher::load().map_err(|error| error.to_string())?;
        let storage = EmbeddedStorage::open(place.join("watched")).map_err(|error| error.to_string())?;
        let recorder = Arc::new(Recorder::new(Arc::new(storage), false));
        let on_disk = Served::make(&bench.servers, Kept::OnDisk).await?;
        Ok(Self {
            watched: Subject::native(&usher, recorder.clone()).await?,
            recorder,
            native: Subject::native(&usher, Arc::new(MemoryStorage::new())).await?,
            component: Subject::component(&usher, Arc::new(MemoryStorage::new())).await?,
            in_memory: Served::make(&bench.servers, Kept::InMemory).await?,
            healthz: Client::open(on_disk.directory.server.address(), String::new(), "none").await?,
            on_disk,
        })
    }

    async fn take_turn(&mut self, kind: Kind, measured: &mut Measured) -> Result<(), String> {
        for _ in 0..CALLS_PER_TURN {
            self.recorder.take_work();
            measured.watched.push(self.watched.call(kind)?);
            measured.work.push(self.recorder.take_work());
        }
        for _ in 0..CALLS_PER_TURN {
            measured.native.push(self.native.call(kind)?);
        }
        for _ in 0..CALLS_PER_TURN {
            measured.component.push(self.component.call(kind)?);
        }
        for _ in 0..CALLS_PER_TURN {
            measured.in_memory.push(self.in_memory.call(kind).await?);
        }
        for _ in 0..CALLS_PER_TURN {
            measured.on_disk.push(self.on_disk.call(kind).await?);
        }
        for _ in 0..CALLS_PER_TURN {
            measured.healthz.push(self.healthz.time(&Call::get("/healthz")).await?);
        }
        Ok(())
    }
}

impl Served {
    async fn make(servers: &Servers, kept: Kept<'_>) -> Result<Self, String> {
        let mut directory = Directory::kept(servers, kept).await?;
        directory.fill(USERS).await?;
        let group = directory.group("Everybody", USERS).await?;
        directory.server.settle().await;
        let people = People::new(directory.users.clone(), group);
        Ok(Self { directory, people })
    }

    async fn call(&mut self, kind: Kind) -> Result<Duration, String> {
        self.directory.client.time(&self.people.next(kind)).await
    }
}

impl Measured {
    /// What the call in the middle asked of the storage; all of one kind ask about the same.
    fn asked(&self, kind: Kind) -> [Cell; 7] {
        let work = self.work.get(self.work.len() / 2).copied().unwrap_or_default();
        let counts = [work.transactions, work.keys, work.scans, work.entries, work.written, work.written_bytes];
        let [transactions, keys, scans, entries, written, bytes] = counts.map(Cell::count);
        [Cell::text_of(kind.name()), transactions, keys, scans, entries, written, bytes]
    }

    fn rows(self, kind: Kind, stages: &mut Table) {
        let part = |part: fn(&Work) -> Duration| Times::of(self.work.iter().map(part).collect());
        let (reading, committing) = (part(|work| work.reading), part(|work| work.writing + work.durable));
        let engine = self.watched.iter().zip(&self.work);
        let engine = engine.map(|(whole, work)| whole.saturating_sub(work.reading + work.writing + work.durable));
        let engine = Times::of(engine.collect());
        let others = [self.native, self.component, self.in_memory, self.on_disk, self.healthz];
        let [native, component, in_memory, on_disk, healthz] = others.map(Times::of);
        let serving = in_memory.p50 - component.p50 - healthz.p50;
        let instance = component.p50 - native.p50;
        let others = healthz.p50 + serving + instance + engine.p50 + reading.p50 + committing.p50;
        let mut row = |stage: &str, p50: f64, times: Option<Times>| {
            let count = times.map_or(Cell::None, |times| Cell::count(times.count));
            let p99 = times.map_or(Cell::None, |times| Cell::Figure(times.p99, 1));
            let (name, stage, share) =
                (Cell::text_of(kind.name()), Cell::text_of(stage), Cell::ratio(p50 / on_disk.p50));
            stages.row([name, stage, count, Cell::Figure(p50, 1), p99, share]);
        };
        row("HTTP", healthz.p50, Some(healthz));
        row("serving", serving, None);
        row("instance", instance, None);
        row("engine", engine.p50, Some(engine));
        row("storage, reading", reading.p50, Some(reading));
        if committing.p50 > 0.0 {
            row("storage, committing", committing.p50, Some(committing));
        }
        row("rest", on_disk.p50 - others, None);
        row("whole", on_disk.p50, Some(on_disk));
    }
}
