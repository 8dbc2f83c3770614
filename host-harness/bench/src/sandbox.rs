//! The component against the same engine compiled natively: same requests, same storage in memory, turn by turn.

use super::call::{Call, Credentials, id_of};
use super::context::Bench;
use super::inside::{Answers, Native, connect, succeeded};
use super::person::{Kind, People, USERS};
use super::report::{Cell, Column, Section, Table};
use super::stats::Times;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};
use usher_host::Usher;
use usher_host::storage::{MemoryStorage, Storage};

/// How many calls of one kind are made before the other's turn.
const CALLS_PER_TURN: usize = 200;

const COLUMNS: [Column; 8] = [
    ("call", "call"),
    ("count", "count"),
    ("nativeP50Us", "native p50 µs"),
    ("nativeP99Us", "p99 µs"),
    ("componentP50Us", "component p50 µs"),
    ("componentP99Us", "p99 µs"),
    ("ratio", "ratio"),
    ("differenceUs", "difference µs"),
];

pub(super) async fn run(bench: &mut Bench) -> Result<Section, String> {
    bench.progress.step("sandbox: the component against the native engine");
    let usher = Usher::load().map_err(|error| error.to_string())?;
    let mut native = Subject::native(&usher, Arc::new(MemoryStorage::new())).await?;
    let mut component = Subject::component(&usher, Arc::new(MemoryStorage::new())).await?;
    let mut table = Table::new("Calls in this process, in memory, one at a time", &COLUMNS);
    for kind in Kind::ALL {
        let (mut native_times, mut component_times) = (Vec::new(), Vec::new());
        let begin = Instant::now();
        while begin.elapsed() < bench.duration {
            native.take_turn(kind, &mut native_times)?;
            component.take_turn(kind, &mut component_times)?;
            // Lets an interruption through.
            tokio::task::yield_now().await;
        }
        let (native, component) = (Times::of(native_times), Times::of(component_times));
        let time = |time| Cell::Figure(time, 1);
        table.row([
            Cell::text_of(kind.name()),
            Cell::count(component.count),
            time(native.p50),
            time(native.p99),
            time(component.p50),
            time(component.p99),
            Cell::ratio(component.p50 / native.p50),
            time(component.p50 - native.p50),
        ]);
    }
    Ok(Section::new("sandbox").table(table))
}

/// Something that answers calls in this process, with a directory to call about.
pub(super) struct Subject {
    answers: Box<dyn Answers>,
    directory: Credentials,
    people: People,
}

impl Subject {
    /// The engine, compiled into this program.
    pub(super) async fn native(usher: &Usher, storage: Arc<dyn Storage>) -> Result<Self, String> {
        let directory = connect(&usher.site(storage.clone())).await?;
        Self::with_people(Box::new(Native::new(storage)), directory)
    }

    /// The component.
    pub(super) async fn component(usher: &Usher, storage: Arc<dyn Storage>) -> Result<Self, String> {
        let site = usher.site(storage);
        let directory = connect(&site).await?;
        Self::with_people(Box::new(site), directory)
    }

    /// Makes the users and the group that the calls are about.
    fn with_people(answers: Box<dyn Answers>, directory: Credentials) -> Result<Self, String> {
        let send = |call: &Call| succeeded(call, answers.answer(&call.request(&directory))?);
        let make = |call: Call| id_of(&send(&call)?);
        let users = (0..USERS)
            .map(|number| make(Call::create_user(&format!("user{number}"))))
            .collect::<Result<Vec<_>, _>>()?;
        let group = make(Call::create_group("Everybody"))?;
        send(&Call::add_members(&group, &users))?;
        Ok(Self { answers, directory, people: People::new(users, group) })
    }

    /// Makes a call of this kind, and tells how long it took.
    pub(super) fn call(&mut self, kind: Kind) -> Result<Duration, String> {
        let call = self.people.next(kind);
        let request = call.request(&self.directory);
        let begin = Instant::now();
        let answer = black_box(self.answers.answer(black_box(&request))?);
        let took = begin.elapsed();
        succeeded(&call, answer)?;
        Ok(took)
    }

    fn take_turn(&mut self, kind: Kind, times: &mut Vec<Duration>) -> Result<(), String> {
        for _ in 0..CALLS_PER_TURN {
            times.push(self.call(kind)?);
        }
        Ok(())
    }
}
