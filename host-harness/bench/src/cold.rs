//! How long it takes from nothing to the first answer.

use super::call::Call;
use super::context::Bench;
use super::inside::{answer, connect};
use super::report::Cell;
use super::report::{Column, Section, TIMES, Table, times};
use super::stats::Times;
use std::sync::Arc;
use std::time::{Duration, Instant};
use usher_host::storage::MemoryStorage;
use usher_host::{Builder, Usher};

/// How often it is started from the cache.
const STARTS: usize = 20;

const COLUMNS: [Column; 5] = {
    let [count, p50, p90, p99] = TIMES;
    [("start", "start"), count, p50, p90, p99]
};

pub(super) async fn run(bench: &mut Bench) -> Result<Section, String> {
    bench.progress.step("cold-start");
    let folder = tempfile::tempdir().map_err(|error| format!("cannot make a temporary folder: {error}"))?;
    let (mut compiling, mut cached) = (Vec::new(), Vec::new());
    for number in 0..bench.scaled(3, 1) {
        compiling.push(first_answer(Usher::builder().cache(folder.path().join(number.to_string()))).await?);
    }
    for _ in 0..STARTS {
        cached.push(first_answer(Usher::builder().cache(folder.path().join("0"))).await?);
    }
    let mut table = Table::new("From loading the component to the first answer", &COLUMNS);
    for (start, measured) in [("the first on a machine, which compiles", compiling), ("every later one", cached)] {
        table.row(std::iter::once(Cell::text_of(start)).chain(times(Times::of(measured))));
    }
    Ok(Section::new("cold-start").table(table))
}

async fn first_answer(builder: Builder) -> Result<Duration, String> {
    let begin = Instant::now();
    let usher = builder.load().map_err(|error| error.to_string())?;
    let site = usher.site(Arc::new(MemoryStorage::new()));
    let directory = connect(&site).await?;
    answer(&site, &directory, &Call::get("/ServiceProviderConfig"))?;
    Ok(begin.elapsed())
}
