//! Mixed load over HTTP, and its durable writes against the bare storage engine: same disk, same run, turn by turn, the
//! same changes in each commit.

use super::call::{Call, id_of};
use super::context::Bench;
use super::directory::Directory;
use super::inside::{answer, connect};
use super::load::{self, CONNECTIONS, Caller, Load, TURNS};
use super::mix::{CALLS, GROUPS, Mix, USERS};
use super::record::{Commit, Recorder};
use super::replay::Replay;
use super::report::{Cell, Column, Section, TIMES, Table, times};
use super::stats::{Rates, Times};
use std::sync::Arc;
use std::time::Duration;
use usher_host::Usher;
use usher_host::bench::BareEngine;
use usher_host::storage::{EmbeddedStorage, MemoryStorage};

/// At least so much of what the bare engine does.
const AIM: f64 = 0.6;

/// How many writes are recorded.
const RECORDED: usize = 3_600;

const MIXED: [Column; 8] = {
    let [count, p50, p90, p99] = TIMES;
    [("connections", "connections"), ("call", "call"), ("perSecond", "1/s"), ("turns", "turns"), count, p50, p90, p99]
};

const WRITES: [Column; 6] = [
    ("connections", "connections"),
    ("what", "what"),
    ("perSecond", "1/s"),
    ("lowestPerSecond", "lowest"),
    ("highestPerSecond", "highest"),
    ("ratio", "usher / this"),
];

/// What has turns at each number of connections.
const SUBJECTS: [&str; 5] = [
    "mixed load",
    "usher, its writes alone",
    "embedded storage, same reads and changes",
    "bare engine, same reads and changes",
    "bare engine, same changes",
];

pub(super) async fn run(bench: &mut Bench) -> Result<Section, String> {
    let most = CONNECTIONS[CONNECTIONS.len() - 1];
    bench.progress.step("mixed: recording the commits");
    let (before, commits) = recorded(bench.scaled(RECORDED, 360)).await?;
    let place = bench.servers.folder()?;
    let opened = |error: &dyn std::fmt::Display| format!("the storage engine did not open: {error}");
    let bare = BareEngine::open(&place.path().join("bare")).map_err(|error| opened(&error))?;
    let bare = Replay::new(bare, &before)?;
    let embedded = EmbeddedStorage::open(place.path().join("embedded")).map_err(|error| opened(&error))?;
    let embedded = Replay::new(embedded, &before)?;
    let usher = Population::make(bench, most).await?;
    let mut mixed =
        Table::new("Mixed load: 40 % POST user, 30 % PATCH user, 20 % PATCH member, 10 % reads, durable", &MIXED);
    let mut writes = Table::new("Durable writes a second", &WRITES);
    let time = bench.duration / 2;
    let mut reached = 0.0;
    for connections in CONNECTIONS {
        bench.progress.step(format!("mixed: {connections} connections against the bare engine"));
        let mut loads: [Vec<Load>; SUBJECTS.len()] = [const { Vec::new() }; SUBJECTS.len()];
        for turn in 0..TURNS {
            let name = |reads: bool| format!("c{connections}t{turn}r{}", u8::from(reads));
            loads[0].push(usher.load(connections, time, &name(true), true).await?);
            loads[1].push(usher.load(connections, time, &name(false), false).await?);
            loads[2].push(embedded.run(&commits, connections, time, true)?);
            loads[3].push(bare.run(&commits, connections, time, true)?);
            loads[4].push(bare.run(&commits, connections, time, false)?);
        }
        let rates = loads.each_ref().map(|loads| Rates::of(loads.iter().map(Load::per_second).collect()));
        let ratio = |at: usize| rates[1].median / rates[at].median;
        for at in 1..SUBJECTS.len() {
            let figure = |rate| Cell::Figure(rate, 0);
            let rate = rates[at];
            writes.row([
                Cell::count(connections),
                Cell::text_of(SUBJECTS[at]),
                figure(rate.median),
                figure(rate.lowest),
                figure(rate.highest),
                Cell::ratio(ratio(at)),
            ]);
        }
        reached = ratio(SUBJECTS.len() - 1);
        let [load, ..] = loads;
        by_call(&mut mixed, connections, &load, rates[0]);
    }
    let met = if reached >= AIM { "met" } else { "missed" };
    Ok(Section::new("mixed").table(mixed).table(writes).note(format!(
        "{TURNS} turns each. The aim is {AIM:.2} of the bare engine with the same changes at {most} connections: {met}. The \
         changes are those that the component made for these calls, {:.1} keys and {:.0} bytes in each commit.",
        per_commit(&commits, |commit| commit.changes.len()),
        per_commit(&commits, bytes),
    )))
}

/// A row for the load as a whole and one for each kind of call in it.
fn by_call(table: &mut Table, connections: usize, loads: &[Load], rates: Rates) {
    let seconds: f64 = loads.iter().map(|load| load.elapsed.as_secs_f64()).sum();
    let of = |wanted: Option<&str>| {
        let calls = loads.iter().flat_map(|load| &load.calls);
        calls.filter(|(call, _)| wanted.is_none_or(|wanted| wanted == *call)).map(|(_, took)| *took).collect()
    };
    let mut row = |call: &str, measured: Times, rate: f64| {
        let [count, p50, p90, p99] = times(measured);
        let cells = [Cell::count(connections), Cell::text_of(call), Cell::Figure(rate, 0), Cell::count(loads.len())];
        table.row(cells.into_iter().chain([count, p50, p90, p99]));
    };
    row("all", Times::of(of(None)), rates.median);
    for call in CALLS {
        let measured = Times::of(of(Some(call)));
        row(call, measured, measured.count as f64 / seconds);
    }
}

fn per_commit(commits: &[Commit], of: impl Fn(&Commit) -> usize) -> f64 {
    commits.iter().map(of).sum::<usize>() as f64 / commits.len() as f64
}

fn bytes(commit: &Commit) -> usize {
    commit.changes.iter().map(|change| change.key.len() + change.value.as_ref().map_or(0, String::len)).sum()
}

/// A directory with users and groups for each connection.
struct Population {
    directory: Directory,
    groups: Vec<String>,
}

impl Population {
    async fn make(bench: &Bench, connections: usize) -> Result<Self, String> {
        let mut directory = Directory::start(&bench.servers).await?;
        directory.fill(connections * USERS).await?;
        let mut groups = Vec::new();
        for number in 0..connections * GROUPS {
            groups.push(directory.group(&format!("Group {number}"), 0).await?);
        }
        directory.server.settle().await;
        Ok(Self { directory, groups })
    }

    async fn load(&self, connections: usize, time: Duration, name: &str, reads: bool) -> Result<Load, String> {
        let caller = |number: usize| -> Caller {
            let users = self.directory.users[number * USERS..][..USERS].to_vec();
            let groups = self.groups[number * GROUPS..][..GROUPS].to_vec();
            let mut mix = Mix::new(format!("{name}n{number}"), users, groups, reads);
            Box::new(move || mix.next())
        };
        load::of_calls(&self.directory, connections, time, caller).await
    }
}

/// What the component commits for so many writes of the mix, and before that for the users and groups they are made on.
async fn recorded(writes: usize) -> Result<(Vec<Commit>, Vec<Commit>), String> {
    let recorder = Arc::new(Recorder::new(Arc::new(MemoryStorage::new()), true));
    let site = Usher::load().map_err(|error| error.to_string())?.site(recorder.clone());
    let directory = connect(&site).await?;
    let make = |call: Call| id_of(&answer(&site, &directory, &call)?);
    let users = (0..USERS).map(|number| make(Call::create_user(&format!("user{number}")))).collect::<Result<_, _>>()?;
    let groups =
        (0..GROUPS).map(|number| make(Call::create_group(&format!("Group {number}")))).collect::<Result<_, _>>()?;
    let before = recorder.take_commits();
    let mut mix = Mix::new("m".into(), users, groups, false);
    for _ in 0..writes {
        answer(&site, &directory, &mix.next().1)?;
    }
    let commits = recorder.take_commits();
    if commits.len() != writes {
        return Err(format!("{writes} writes were {} commits, so that they cannot be compared", commits.len()));
    }
    Ok((before, commits))
}
