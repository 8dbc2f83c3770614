//! Where the time of one durable call goes. The call is made three ways, turn by turn: to the native engine over a
//! storage that is watched, to the component in this process, and over HTTP to a server; each with a folder of its own on
//! the same disk. What one way has and the one before has not is what the stage between them costs.

use super::call::{Call, Credentials};
use super::client::Client;
use super::context::Bench;
use super::directory::Directory;
use super::inside::{Answers, Native, connect, succeeded};
use super::person::{Kind, People, USERS};
use super::record::{Recorder, Work};
use super::report::{Cell, Column, Section, Table};
use super::sandbox::people;
use super::server::temporary;
use super::stats::Times;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use usher_host::storage::{EmbeddedStorage, Storage};
use usher_host::{Site, Usher};

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
    bench.progress.step("breakdown: preparing the three ways");
    let place = temporary(&bench.folder)?;
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
        measured.rows(kind, &mut stages, &mut asked);
    }
    Ok(Section::new("breakdown").table(stages).table(asked).note(
        "HTTP is a call of `/healthz` over the same connection; serving is what SCIM over HTTP takes beyond that and the \
         component: larger messages, handing over between threads. The instance is what the component takes beyond the native engine. Rows of differences have no \
         percentiles of their own.",
    ))
}

/// The three ways, each with a directory of its own.
struct Ways {
    native: Native,
    recorder: Arc<Recorder>,
    native_directory: Credentials,
    native_people: People,
    component: Site,
    component_directory: Credentials,
    component_people: People,
    server: Directory,
    server_people: People,
    healthz: Client,
}

/// The times of one kind of call.
#[derive(Default)]
struct Measured {
    native: Vec<Duration>,
    work: Vec<Work>,
    component: Vec<Duration>,
    http: Vec<Duration>,
    healthz: Vec<Duration>,
}

impl Ways {
    async fn make(bench: &Bench, place: &Path) -> Result<Self, String> {
        let usher = Usher::load().map_err(|error| error.to_string())?;
        let open = |name: &str| -> Result<Arc<dyn Storage>, String> {
            Ok(Arc::new(EmbeddedStorage::open(place.join(name)).map_err(|error| error.to_string())?))
        };
        let recorder = Arc::new(Recorder::new(open("native")?, false));
        let native_directory = connect(&usher.site(recorder.clone())).await?;
        let native = Native::new(recorder.clone());
        let native_people = people(&native, &native_directory)?;
        let component = usher.site(open("component")?);
        let component_directory = connect(&component).await?;
        let component_people = people(&component, &component_directory)?;
        let mut server = Directory::start(&bench.folder).await?;
        server.fill(USERS).await?;
        let group = server.group("Everybody", USERS).await?;
        let server_people = People::new(server.users.clone(), group);
        let healthz = Client::open(server.server.address(), String::new(), "none").await?;
        server.server.settle().await;
        Ok(Self {
            native,
            recorder,
            native_directory,
            native_people,
            component,
            component_directory,
            component_people,
            server,
            server_people,
            healthz,
        })
    }

    async fn take_turn(&mut self, kind: Kind, measured: &mut Measured) -> Result<(), String> {
        for _ in 0..CALLS_PER_TURN {
            let call = self.native_people.next(kind);
            self.recorder.take_work();
            measured.native.push(inside(&self.native, &self.native_directory, &call)?);
            measured.work.push(self.recorder.take_work());
        }
        for _ in 0..CALLS_PER_TURN {
            let call = self.component_people.next(kind);
            measured.component.push(inside(&self.component, &self.component_directory, &call)?);
        }
        for _ in 0..CALLS_PER_TURN {
            let call = self.server_people.next(kind);
            measured.http.push(self.server.client.time(&call).await?);
        }
        for _ in 0..CALLS_PER_TURN {
            measured.healthz.push(self.healthz.time(&Call::get("/healthz")).await?);
        }
        Ok(())
    }
}

/// How long a call takes in this process.
fn inside(answers: &dyn Answers, directory: &Credentials, call: &Call) -> Result<Duration, String> {
    let request = call.request(directory);
    let begin = Instant::now();
    let answer = answers.answer(&request)?;
    let took = begin.elapsed();
    succeeded(call, answer)?;
    Ok(took)
}

impl Measured {
    fn rows(self, kind: Kind, stages: &mut Table, asked: &mut Table) {
        let of = |part: fn(&Work) -> Duration| Times::of(self.work.iter().map(part).collect());
        let engine = self
            .native
            .iter()
            .zip(&self.work)
            .map(|(whole, work)| whole.saturating_sub(work.reading + work.writing + work.durable));
        let engine = Times::of(engine.collect());
        let (reading, writing, durable) = (of(|work| work.reading), of(|work| work.writing), of(|work| work.durable));
        let median = self.work.get(self.work.len() / 2).copied().unwrap_or_default();
        let [native, component, http, healthz] = [self.native, self.component, self.http, self.healthz].map(Times::of);
        let name = || Cell::text_of(kind.name());
        let mut row = |stage: &str, p50: f64, times: Option<Times>| {
            let count = times.map_or(Cell::None, |times| Cell::count(times.count));
            let p99 = times.map_or(Cell::None, |times| Cell::Figure(times.p99, 1));
            stages.row([name(), Cell::text_of(stage), count, Cell::Figure(p50, 1), p99, Cell::ratio(p50 / http.p50)]);
        };
        row("HTTP", healthz.p50, Some(healthz));
        row("serving", http.p50 - component.p50 - healthz.p50, None);
        row("instance", component.p50 - native.p50, None);
        row("engine", engine.p50, Some(engine));
        row("storage, reading", reading.p50, Some(reading));
        row("storage, committing", writing.p50, Some(writing));
        row("waiting for the disk", durable.p50, Some(durable));
        row("whole", http.p50, Some(http));
        asked.row([
            name(),
            Cell::count(median.transactions),
            Cell::count(median.keys),
            Cell::count(median.scans),
            Cell::count(median.entries),
            Cell::count(median.written),
            Cell::count(median.written_bytes),
        ]);
    }
}
