//! What a server takes of memory with nothing stored.

use super::context::Bench;
use super::report::{Cell, Column, Section, Table};
use super::server::{Kept, Server};

const COLUMNS: [Column; 5] = [
    ("server", "server"),
    ("residentMib", "resident MiB"),
    ("peakResidentMib", "at the most"),
    ("aimMib", "aim, at most"),
    ("aim", "aim"),
];

/// At most so many MiB.
const RESIDENT: u64 = 48;

/// The same with one worker.
const OF_ONE_WORKER: u64 = 24;

pub(super) async fn run(bench: &mut Bench) -> Result<Section, String> {
    bench.progress.step("empty: servers with nothing stored");
    let mut table = Table::new("A server with nothing stored", &COLUMNS);
    let mut on_disk = bench.servers.start(Kept::OnDisk)?;
    table.row(row("the first start of a folder", &on_disk, RESIDENT).await);
    on_disk.restart(&bench.servers, &[])?;
    table.row(row("the second start", &on_disk, RESIDENT).await);
    on_disk.restart(&bench.servers, &["--workers", "1"])?;
    table.row(row("with one worker", &on_disk, OF_ONE_WORKER).await);
    // Its compiled component is the user's, and there from then on.
    drop(bench.servers.start(Kept::InMemory)?);
    table.row(row("in memory only", &bench.servers.start(Kept::InMemory)?, RESIDENT).await);
    Ok(Section::new("empty").table(table).note("The first start of a folder compiles the component."))
}

async fn row(name: &str, server: &Server, aim: u64) -> [Cell; 5] {
    server.settle().await;
    let memory = server.memory();
    [
        Cell::text_of(name),
        Cell::mebibytes(memory.map(|memory| memory.resident)),
        Cell::mebibytes(memory.map(|memory| memory.peak)),
        Cell::Count(aim),
        memory.map_or(Cell::None, |memory| Cell::aim(memory.resident <= aim << 20)),
    ]
}
