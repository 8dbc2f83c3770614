//! Users made by bulk requests.

use super::call::Call;
use super::context::Bench;
use super::directory::Directory;
use super::load::{self, Caller, TURNS};
use super::report::{Cell, Column, RATES, Section, TIMES, Table, rates, times};
use super::stats::{Rates, Times};

/// How many operations a request has.
const OPERATIONS: [usize; 2] = [100, 1_000];

/// A user takes at most so many times as long in a larger request.
const FLAT: f64 = 1.1;

const CONNECTIONS: [usize; 2] = [1, 8];

const COLUMNS: [Column; 12] = {
    let ([count, p50, p90, p99], [_, lowest, highest, turns]) = (TIMES, RATES);
    let rate = ("perSecond", "users/s");
    let (ratio, aim) = (("ratio", "a user, of one by 100"), ("aim", "at most 1.1"));
    let (operations, connections) = (("operations", "operations"), ("connections", "connections"));
    [operations, connections, rate, lowest, highest, turns, count, p50, p90, p99, ratio, aim]
};

pub(super) async fn run(bench: &mut Bench) -> Result<Section, String> {
    let directory = Directory::start(&bench.servers).await?;
    let mut smallest = Vec::new();
    let mut table = Table::new("Users made by `POST /Bulk`, durable; times are of one request", &COLUMNS);
    for operations in OPERATIONS {
        for (at, connections) in CONNECTIONS.into_iter().enumerate() {
            bench.progress.step(format!("bulk: {operations} operations, {connections} connections"));
            let (mut measured, mut all) = (Vec::new(), Vec::new());
            for turn in 0..TURNS {
                let caller = |number: usize| making(format!("o{operations}c{connections}t{turn}n{number}"), operations);
                let load = load::of_calls(&directory, connections, bench.duration, caller).await?;
                measured.push(load.per_second() * operations as f64);
                all.extend(load.calls.into_iter().map(|(_, took)| took));
            }
            let measured = Rates::of(measured);
            let (ratio, aim) = match smallest.get(at) {
                Some(smallest) => (smallest / measured.median, Cell::aim(smallest / measured.median <= FLAT)),
                None => {
                    smallest.push(measured.median);
                    (1.0, Cell::None)
                }
            };
            let cells = rates(measured).into_iter().chain(times(Times::of(all)));
            let cells = [Cell::count(operations), Cell::count(connections)].into_iter().chain(cells);
            table.row(cells.chain([Cell::ratio(ratio), aim]));
        }
    }
    Ok(Section::new("bulk").table(table))
}

/// Makes so many users with each request.
fn making(prefix: String, operations: usize) -> Caller {
    let mut made = 0;
    Box::new(move || {
        let names = (made..made + operations).map(|number| format!("{prefix}u{number}"));
        made += operations;
        ("POST /Bulk", Call::bulk_users(names))
    })
}
