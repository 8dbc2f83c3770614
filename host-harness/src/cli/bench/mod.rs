//! `usher bench`: how fast it is on this machine, in ratios that hold on any.
//!
//! Machines differ and are noisy, so nothing here is a test. Whatever is compared is measured in the same run, turn by
//! turn. Servers run in processes of their own, as [`server`] says; the load comes from one thread of this one.

mod attack;
mod breakdown;
mod bulk;
mod call;
mod client;
mod cold;
mod context;
mod directory;
mod fairness;
mod footprint;
mod full_directory;
mod groups;
mod initial_sync;
mod inside;
mod load;
mod mix;
mod mixed;
mod person;
mod progress;
mod record;
mod replay;
mod report;
mod sandbox;
mod server;
mod sizes;
mod stats;
mod sync;
mod usage;
mod users;
mod workloads;

use super::args::BenchArgs;
use super::{Outcome, serve};
use context::Bench;
use report::Report;
use std::io::{self, Write};
use std::time::Duration;
pub(super) use workloads::Workload;

pub(super) fn run(args: &BenchArgs) -> Outcome {
    if args.list {
        return print(&list());
    }
    let mut workloads = match (args.all, args.workloads.as_slice()) {
        (true, _) => Workload::all(),
        (false, []) => Workload::usual(),
        (false, named) => named.to_vec(),
    };
    workloads.sort_unstable();
    workloads.dedup();
    // One thread, which leaves the more of the machine to the servers.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("cannot start: {error}"))?;
    let report = runtime.block_on(async {
        let interrupted = serve::terminated()?;
        tokio::select! {
            report = measure(args, &workloads) => report,
            () = interrupted => Err("interrupted: there is no result".to_owned()),
        }
    })?;
    if args.json { print(&format!("{:#}\n", report.json())) } else { print(&report.text()) }
}

async fn measure(args: &BenchArgs, workloads: &[Workload]) -> Result<Report, String> {
    let duration = Duration::from_secs(args.seconds) / if args.quick { 10 } else { 1 };
    let mut bench = Bench::new(args.data.clone(), duration, args.quick);
    let mut sections = Vec::new();
    for workload in workloads {
        if !workload.takes_sizes() {
            bench.drop_sizes();
        }
        sections.push(workload.run(&mut bench).await?);
    }
    Ok(Report::new(sections))
}

fn list() -> String {
    let line = |(name, what): (String, String)| format!("{name:<16}{what}\n");
    Workload::all().into_iter().filter_map(Workload::described).map(line).collect()
}

fn print(text: &str) -> Outcome {
    io::stdout().write_all(text.as_bytes()).map_err(|error| format!("cannot write to standard output: {error}"))
}
