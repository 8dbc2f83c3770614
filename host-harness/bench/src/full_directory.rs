//! A directory as large as they get, filled by single requests: does anything slow down as it fills?

use super::context::Bench;
use super::directory::Directory;
use super::report::{Cell, Column, FLAT, Section, Table};
use super::server::Server;
use super::stats::Times;
use super::sync::{CONNECTIONS, Phase, Plan, push};
use std::cell::Cell as Slot;
use std::time::Duration;

/// Less than so much memory.
const MEMORY: u64 = 300 << 20;

/// How often the disk is looked at.
const LOOK: Duration = Duration::from_millis(500);

const PHASES: [Column; 10] = [
    ("phase", "phase"),
    ("calls", "calls"),
    ("seconds", "seconds"),
    ("perSecond", "1/s"),
    ("firstTenthPerSecond", "first tenth 1/s"),
    ("lastTenthPerSecond", "last tenth 1/s"),
    ("ratio", "first / last"),
    ("aim", "at most 1.3"),
    ("firstTenthP50Us", "first tenth p50 µs"),
    ("lastTenthP50Us", "last tenth p50 µs"),
];

const TAKES: [Column; 9] = [
    ("users", "users"),
    ("groups", "groups"),
    ("memberships", "memberships"),
    ("seconds", "seconds"),
    ("residentMib", "resident MiB"),
    ("peakResidentMib", "at the most"),
    ("aim", "under 300 MiB"),
    ("diskMib", "disk MiB"),
    ("peakDiskMib", "at the most"),
];

pub(super) async fn run(bench: &mut Bench) -> Result<Section, String> {
    let plan = full(bench.quick);
    let directory = Directory::start(&bench.servers).await?;
    let peak = Slot::new(0);
    let pushing = push(&directory, &plan, |phase| bench.progress.step(format!("full-directory: {phase}")));
    let phases = tokio::select! {
        phases = pushing => phases?,
        () = watch(&directory.server, &peak) => Vec::new(),
    };
    let mut table = Table::new(format!("Filling the directory over {CONNECTIONS} connections, durable"), &PHASES);
    for phase in &phases {
        table.row(row(phase));
    }
    let (memory, disk) = (directory.server.memory(), directory.server.disk());
    let mut takes = Table::new("What the full directory takes", &TAKES);
    takes.row([
        Cell::count(plan.users),
        Cell::count(plan.groups.len()),
        Cell::count(plan.memberships()),
        Cell::Figure(phases.iter().map(|phase| phase.took).sum::<Duration>().as_secs_f64(), 1),
        Cell::mebibytes(memory.map(|memory| memory.resident)),
        Cell::mebibytes(memory.map(|memory| memory.peak)),
        memory.map_or(Cell::None, |memory| Cell::aim(memory.peak < MEMORY)),
        Cell::mebibytes(disk),
        Cell::mebibytes(disk.map(|disk| disk.max(peak.get()))),
    ]);
    Ok(Section::new("full-directory").table(table).table(takes).note(
        "One group has all users; the others share the other memberships evenly. Each user and each group is looked up before \
         it is created; members are added 20 at a time.",
    ))
}

/// A group of 150,000 takes 150,000 users; the limits of a site unless set are just that many members and 20,000 groups.
pub(super) fn full(quick: bool) -> Plan {
    let (users, groups, memberships) = if quick { (2_000, 100, 10_000) } else { (150_000, 20_000, 1_000_000) };
    let (others, rest) = (groups - 1, memberships - users);
    let share = |number: usize| rest / others + usize::from(number < rest % others);
    Plan { users, groups: std::iter::once(users).chain((0..others).map(share)).collect(), at_once: 20 }
}

/// Looks how much disk there is in use, until it is dropped.
async fn watch(server: &Server, peak: &Slot<u64>) {
    loop {
        tokio::time::sleep(LOOK).await;
        peak.set(peak.get().max(server.disk().unwrap_or(0)));
    }
}

fn row(phase: &Phase) -> [Cell; 10] {
    let tenth = (phase.calls.len() / 10).max(1);
    let calls = |from: usize, to: usize| phase.calls.get(from..to).unwrap_or_default();
    let last = phase.calls.len().saturating_sub(tenth);
    let ended = |at: usize| phase.calls.get(at).map_or(Duration::ZERO, |(ended, _)| *ended);
    let first_rate = tenth as f64 / ended(tenth - 1).as_secs_f64();
    let last_rate = tenth as f64
        / ended(phase.calls.len().saturating_sub(1)).saturating_sub(ended(last.saturating_sub(1))).as_secs_f64();
    let times = |calls: &[(Duration, Duration)]| Times::of(calls.iter().map(|(_, took)| *took).collect());
    [
        Cell::text_of(phase.name),
        Cell::count(phase.calls.len()),
        Cell::Figure(phase.took.as_secs_f64(), 1),
        Cell::Figure(phase.calls.len() as f64 / phase.took.as_secs_f64(), 0),
        Cell::Figure(first_rate, 0),
        Cell::Figure(last_rate, 0),
        Cell::ratio(first_rate / last_rate),
        Cell::aim(first_rate / last_rate <= FLAT),
        Cell::Figure(times(calls(0, tenth)).p50, 1),
        Cell::Figure(times(calls(last, phase.calls.len())).p50, 1),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_full_directory_is_as_large_as_it_says() {
        let full = full(false);
        assert_eq!((full.users, full.groups.len(), full.memberships()), (150_000, 20_000, 1_000_000));
        assert_eq!(full.groups[0], 150_000);
    }

    #[test]
    fn the_tenths_are_of_the_calls_by_the_time_they_ended() {
        // A hundred calls, of which the last ten take twice as long.
        let mut now = Duration::ZERO;
        let calls = (0..100).map(|number| {
            let took = Duration::from_millis(if number < 90 { 1 } else { 2 });
            now += took;
            (now, took)
        });
        let calls: Vec<_> = calls.collect();
        let row = row(&Phase { name: "users", took: now, calls });
        let figures: Vec<f64> = row
            .iter()
            .filter_map(|cell| if let Cell::Figure(figure, _) = cell { Some(figure.round()) } else { None })
            .collect();
        assert_eq!(figures, [0.0, 909.0, 1_000.0, 500.0, 2.0, 1_000.0, 2_000.0]);
        assert!(matches!(&row[7], Cell::Text(text) if text == "missed"));
    }
}
