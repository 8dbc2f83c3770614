//! Millions of users by bulk requests: does anything slow down, or stop, as the storage grows?

use super::call::Call;
use super::context::Bench;
use super::directory::Directory;
use super::report::{Cell, Column, Section, Table};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// How many users a request makes.
const AT_ONCE: usize = 200;

const CONNECTIONS: usize = 4;

/// How many users there are in the end, and of how many a rate is told.
const USERS: (usize, usize) = (3_000_000, 100_000);

/// The same where it has to be quick.
const QUICK: (usize, usize) = (8_000, 2_000);

/// The last users are made at least at so much of the rate of the first.
const STEADY: f64 = 0.8;

/// No request takes longer.
const LONGEST: Duration = Duration::from_secs(1);

/// At most so much memory.
const MEMORY: u64 = 320 << 20;

const STEPS: [Column; 4] =
    [("users", "users"), ("perSecond", "users/s"), ("ratio", "of the first"), ("longestMs", "longest request, ms")];

const WHOLE: [Column; 9] = [
    ("users", "users"),
    ("seconds", "seconds"),
    ("ratio", "last of first"),
    ("steady", "at least 0.8"),
    ("longestMs", "longest request, ms"),
    ("prompt", "at most 1,000"),
    ("peakResidentMib", "resident MiB at the most"),
    ("small", "at most 320"),
    ("diskMib", "disk MiB"),
];

/// A request: when it had its answer, counted from the beginning, and how long it took.
type Made = (Duration, Duration);

pub(super) async fn run(bench: &mut Bench) -> Result<Section, String> {
    let (users, step) = if bench.quick { QUICK } else { USERS };
    let directory = Directory::start(&bench.servers).await?;
    bench.progress.step(format!("growth: {users} users by bulk requests"));
    let made = fill(&directory, users).await?;
    let mut steps =
        Table::new(format!("Users made by bulk requests of {AT_ONCE} over {CONNECTIONS} connections, durable"), &STEPS);
    let rates = by_steps(&made, step);
    let first = rates.first().map_or(0.0, |(rate, _)| *rate);
    for (at, (rate, longest)) in rates.iter().enumerate() {
        let users = Cell::count((at + 1) * step);
        steps.row([users, Cell::Figure(*rate, 0), Cell::ratio(rate / first), milliseconds(*longest)]);
    }
    let last = rates.last().map_or(0.0, |(rate, _)| *rate);
    let longest = rates.iter().map(|(_, longest)| *longest).max().unwrap_or_default();
    let memory = directory.server.memory();
    let mut whole = Table::new("All of it", &WHOLE);
    whole.row([
        Cell::count(users),
        Cell::Figure(made.last().map_or(0.0, |(ended, _)| ended.as_secs_f64()), 1),
        Cell::ratio(last / first),
        Cell::aim(last / first >= STEADY),
        milliseconds(longest),
        Cell::aim(longest <= LONGEST),
        Cell::mebibytes(memory.map(|memory| memory.peak)),
        memory.map_or(Cell::None, |memory| Cell::aim(memory.peak <= MEMORY)),
        Cell::mebibytes(directory.server.disk()),
    ]);
    Ok(Section::new("growth").table(steps).table(whole))
}

fn milliseconds(time: Duration) -> Cell {
    Cell::Figure(time.as_secs_f64() * 1e3, 0)
}

/// Makes so many users. What is returned is in the order of the answers.
async fn fill(directory: &Directory, users: usize) -> Result<Vec<Made>, String> {
    let begin = Instant::now();
    let mut tasks = JoinSet::new();
    for connection in 0..CONNECTIONS {
        let mut client = directory.connect().await?;
        tasks.spawn(async move {
            let mut made = Vec::new();
            for first in (0..users).step_by(AT_ONCE).skip(connection).step_by(CONNECTIONS) {
                let names = (first..users.min(first + AT_ONCE)).map(|number| format!("user{number}"));
                let took = client.time(&Call::bulk_users(names)).await?;
                made.push((begin.elapsed(), took));
            }
            Ok::<_, String>(made)
        });
    }
    let mut made = Vec::new();
    while let Some(task) = tasks.join_next().await {
        made.extend(task.map_err(|error| error.to_string())??);
    }
    made.sort_unstable();
    Ok(made)
}

/// For each so many users, how many were made a second, and the longest request.
fn by_steps(made: &[Made], users: usize) -> Vec<(f64, Duration)> {
    let mut before = Duration::ZERO;
    let step = |requests: &[Made]| {
        let ended = requests.last().map_or(before, |(ended, _)| *ended);
        let took = ended.saturating_sub(std::mem::replace(&mut before, ended));
        let longest = requests.iter().map(|(_, took)| *took).max().unwrap_or_default();
        ((requests.len() * AT_ONCE) as f64 / took.as_secs_f64(), longest)
    };
    made.chunks(users / AT_ONCE).map(step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_of_the_requests_by_the_time_of_their_answers() {
        // Twenty requests, of which the last ten take twice as long.
        let mut now = Duration::ZERO;
        let made = (0..20).map(|number| {
            let took = Duration::from_millis(if number < 10 { 100 } else { 200 });
            now += took;
            (now, took)
        });
        let made: Vec<Made> = made.collect();
        let rates: Vec<_> =
            by_steps(&made, 10 * AT_ONCE).into_iter().map(|(rate, longest)| (rate.round(), longest)).collect();
        assert_eq!(rates, [(2_000.0, Duration::from_millis(100)), (1_000.0, Duration::from_millis(200))]);
    }
}
