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
    let mut native = Subject::new(&usher, |storage| Box::new(Native::new(storage))).await?;
    let mut component = Subject::new(&usher, |storage| Box::new(usher.site(storage))).await?;
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

struct Subject {
    answers: Box<dyn Answers>,
    directory: Credentials,
    people: People,
}

impl Subject {
    async fn new(usher: &Usher, answers: impl FnOnce(Arc<dyn Storage>) -> Box<dyn Answers>) -> Result<Self, String> {
        let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
        let directory = connect(&usher.site(storage.clone())).await?;
        let answers = answers(storage);
        let people = people(&*answers, &directory)?;
        Ok(Self { answers, directory, people })
    }

    fn take_turn(&mut self, kind: Kind, times: &mut Vec<Duration>) -> Result<(), String> {
        for _ in 0..CALLS_PER_TURN {
            let call = self.people.next(kind);
            let request = call.request(&self.directory);
            let begin = Instant::now();
            let answer = black_box(self.answers.answer(black_box(&request))?);
            times.push(begin.elapsed());
            succeeded(&call, answer)?;
        }
        Ok(())
    }
}

/// Makes the users and the group that the calls are about.
pub(super) fn people(answers: &dyn Answers, directory: &Credentials) -> Result<People, String> {
    let make = |call: Call| id_of(&succeeded(&call, answers.answer(&call.request(directory))?)?);
    let users =
        (0..USERS).map(|number| make(Call::create_user(&format!("user{number}")))).collect::<Result<Vec<_>, _>>()?;
    let group = make(Call::create_group("Everybody"))?;
    let add = Call::add_members(&group, &users);
    succeeded(&add, answers.answer(&add.request(directory))?)?;
    Ok(People::new(users, group))
}
