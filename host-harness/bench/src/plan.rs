//! A first sync into a staged directory against the same into a live one, and what becomes of its plan.

use super::call::Call;
use super::client::Client;
use super::context::Bench;
use super::directory::Directory;
use super::full_directory::full;
use super::report::{Cell, Column, Section, Table};
use super::stats::Times;
use super::sync::{CONNECTIONS, push};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// A staged directory takes at least this part of what a live one takes in the same time.
const AIM: f64 = 0.9;

/// In less than so many milliseconds the counts of the plan are there.
const COUNTS_AIM: f64 = 1_000.0;

/// At least so many customers a second are made when the plan is applied.
const APPLY_AIM: f64 = 5_000.0;

/// How often the plan is asked for.
const TURNS: usize = 20;

/// How often progress is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// For how long something is waited for at the most.
const PATIENCE: Duration = Duration::from_mins(30);

const PHASES: [Column; 6] = [
    ("phase", "phase"),
    ("calls", "calls"),
    ("livePerSecond", "live 1/s"),
    ("stagedPerSecond", "staged 1/s"),
    ("ratio", "staged / live"),
    ("aim", "at least 0.9"),
];

const READ: [Column; 4] =
    [("what", "what"), ("milliseconds", "p50 ms"), ("p99Milliseconds", "p99 ms"), ("aim", "under 1 s")];

const APPLIED: [Column; 7] = [
    ("accessSeconds", "who gains or loses what, s"),
    ("customers", "customers"),
    ("customersPerSecond", "customers 1/s"),
    ("aim", "at least 5,000"),
    ("organizations", "organizations"),
    ("seconds", "all of it, s"),
    ("peakResidentMib", "peak resident MiB"),
];

pub(super) async fn run(bench: &mut Bench) -> Result<Section, String> {
    let plan = full(bench.quick);
    let live = Directory::start(&bench.servers).await?;
    let lives = push(&live, &plan, |phase| bench.progress.step(format!("plan: live, {phase}"))).await?;
    drop(live);
    let staged = Directory::staged(&bench.servers).await?;
    let stageds = push(&staged, &plan, |phase| bench.progress.step(format!("plan: staged, {phase}"))).await?;
    let mut phases = Table::new(format!("The same sync, live and staged, over {CONNECTIONS} connections"), &PHASES);
    for (live, staged) in lives.iter().zip(&stageds) {
        let [of_live, of_staged] = [live, staged].map(|phase| phase.calls.len() as f64 / phase.took.as_secs_f64());
        phases.row([
            Cell::text_of(live.name),
            Cell::count(live.calls.len()),
            Cell::Figure(of_live, 0),
            Cell::Figure(of_staged, 0),
            Cell::ratio(of_staged / of_live),
            Cell::aim(of_staged / of_live >= AIM),
        ]);
    }

    bench.progress.step("plan: reading it".to_owned());
    let pushed = Instant::now();
    let mut admin = staged.server.admin().await?;
    let path = format!("/directories/{}", staged.credentials.directory());
    let mut read = Table::new("Reading the plan", &READ);
    for (what, path) in [
        ("the counts", format!("{path}/plan")),
        ("the first page of those to make", format!("{path}/plan/make-customer")),
        ("those whose name begins so", format!("{path}/plan/make-customer?query=user1234")),
    ] {
        let mut times = Vec::new();
        for _ in 0..TURNS {
            times.push(admin.time(&Call::get(path.clone())).await?);
        }
        let times = Times::of(times);
        let [half, most] = [times.p50, times.p99].map(|microseconds| microseconds / 1_000.0);
        read.row([Cell::text_of(what), Cell::Figure(half, 2), Cell::Figure(most, 2), Cell::aim(most <= COUNTS_AIM)]);
    }

    bench.progress.step("plan: who gains or loses what".to_owned());
    wait(&mut admin, &format!("{path}/plan"), |plan| plan["access"]["current"] == true).await?;
    let access = pushed.elapsed();

    bench.progress.step("plan: applying it".to_owned());
    let begin = Instant::now();
    admin.call(&Call::post(format!("{path}/apply"), json!({}).to_string())).await?;
    let apply = format!("{path}/apply");
    // Customers come before organizations.
    wait(&mut admin, &apply, |progress| progress["done"].as_u64() >= Some(plan.users as u64)).await?;
    let customers = plan.users as f64 / begin.elapsed().as_secs_f64();
    wait(&mut admin, &apply, |progress| !progress["endedAt"].is_null()).await?;
    let seconds = begin.elapsed().as_secs_f64();
    let mut applied = Table::new("Applying the plan", &APPLIED);
    applied.row([
        Cell::Figure(access.as_secs_f64(), 1),
        Cell::count(plan.users),
        Cell::Figure(customers, 0),
        Cell::aim(customers >= APPLY_AIM),
        Cell::count(plan.groups.len()),
        Cell::Figure(seconds, 1),
        Cell::mebibytes(staged.server.memory().map(|memory| memory.peak)),
    ]);
    Ok(Section::new("plan").table(phases).table(read).table(applied).note(
        "The directory is that of full-directory. Who gains or loses what is worked out in the background, from the last \
         push on; applying is upkeep's, beside nothing else.",
    ))
}

/// Waits until what is found here is as it should be.
async fn wait(admin: &mut Client, path: &str, is_so: impl Fn(&Value) -> bool) -> Result<(), String> {
    let begin = Instant::now();
    while begin.elapsed() < PATIENCE {
        let answer = admin.call(&Call::get(path)).await?;
        if is_so(&serde_json::from_slice(answer.body).map_err(|error| error.to_string())?) {
            return Ok(());
        }
        tokio::time::sleep(LOOK).await;
    }
    Err(format!("{path} did not come to its end"))
}
