//! The first sync of a directory of ordinary size.

use super::context::Bench;
use super::directory::Directory;
use super::load::TURNS;
use super::report::{Cell, Column, Section, Table};
use super::stats::{Rates, Times};
use super::sync::{CONNECTIONS, Plan, push};
use std::time::Duration;

/// In less than so many seconds.
const AIM: f64 = 5.0;

const COLUMNS: [Column; 14] = [
    ("users", "users"),
    ("groups", "groups"),
    ("memberships", "memberships"),
    ("membersAtOnce", "members a request"),
    ("calls", "calls"),
    ("seconds", "seconds"),
    ("shortest", "shortest"),
    ("longest", "longest"),
    ("turns", "turns"),
    ("aim", "under 5 s"),
    ("p50Us", "p50 µs"),
    ("p99Us", "p99 µs"),
    ("peakResidentMib", "peak resident MiB"),
    ("diskMib", "disk MiB"),
];

pub(super) async fn run(bench: &mut Bench) -> Result<Section, String> {
    let title = format!("First sync by single requests over {CONNECTIONS} connections, durable");
    let mut table = Table::new(title, &COLUMNS);
    let (groups, members) = (bench.scaled(500, 20), 100);
    // As Okta and Entra ID add members, and as one could at the worst; then with nobody in two groups.
    for (users, at_once) in
        [(10, 100), (10, 20), (10, 1), (1, 20)].map(|(each, at_once)| (groups * members / each, at_once))
    {
        let plan = Plan { users, groups: vec![members; groups], at_once };
        let (mut seconds, mut calls, mut memory, mut disk) = (Vec::new(), Vec::new(), None, None);
        for turn in 0..TURNS {
            bench
                .progress
                .step(format!("sync: {users} users, {at_once} members a request, turn {} of {TURNS}", turn + 1));
            let directory = Directory::start(&bench.servers).await?;
            let phases = push(&directory, &plan, |_| ()).await?;
            seconds.push(phases.iter().map(|phase| phase.took).sum::<Duration>().as_secs_f64());
            calls = phases.into_iter().flat_map(|phase| phase.calls).map(|(_, took)| took).collect();
            memory = directory.server.memory();
            disk = directory.server.disk();
        }
        let (seconds, measured) = (Rates::of(seconds), Times::of(calls));
        table.row([
            Cell::count(users),
            Cell::count(groups),
            Cell::count(plan.memberships()),
            Cell::count(at_once),
            Cell::count(measured.count),
            Cell::Figure(seconds.median, 2),
            Cell::Figure(seconds.lowest, 2),
            Cell::Figure(seconds.highest, 2),
            Cell::count(seconds.turns),
            Cell::aim(seconds.median < AIM),
            Cell::Figure(measured.p50, 1),
            Cell::Figure(measured.p99, 1),
            Cell::mebibytes(memory.map(|memory| memory.peak)),
            Cell::mebibytes(disk),
        ]);
    }
    Ok(Section::new("sync").table(table).note(
        "Each user and each group is looked up before it is created. Okta adds 100 members with a request, Entra ID 20. Calls, their times, memory and disk are those of the \
         last turn.",
    ))
}
