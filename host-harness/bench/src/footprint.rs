//! What directories of several sizes take of memory and disk.

use super::context::Bench;
use super::report::{Cell, Column, Section, Table};

const COLUMNS: [Column; 5] = [
    ("users", "users"),
    ("memberships", "memberships"),
    ("residentMib", "resident MiB"),
    ("peakResidentMib", "at the most"),
    ("diskMib", "disk MiB"),
];

pub(super) async fn run(bench: &mut Bench) -> Result<Section, String> {
    let sizes = bench.sizes().await?;
    let mut table = Table::new("A server with a directory of so many users, all of them in one group", &COLUMNS);
    for filled in &sizes.0 {
        let server = &filled.directory.server;
        let memory = server.memory();
        table.row([
            Cell::count(filled.directory.users.len()),
            Cell::count(filled.size),
            Cell::mebibytes(memory.map(|memory| memory.resident)),
            Cell::mebibytes(memory.map(|memory| memory.peak)),
            Cell::mebibytes(server.disk()),
        ]);
    }
    Ok(Section::new("footprint")
        .table(table)
        .note(
            "Just filled by bulk requests. Each server has a further directory of 4,000 users; the compiled component is part of \
             the disk.",
        ))
}
