//! The `usher-bench` program: how fast Usher is on this machine, in ratios that hold on any.
//!
//! Machines differ and are noisy, so nothing here is a test. Whatever is compared is measured in the same run, turn by
//! turn. The servers run in processes of their own, as [`server`] says; the load comes from one thread of this one.

mod args;
mod attack;
mod breakdown;
mod bulk;
mod call;
mod client;
mod cold;
mod context;
mod directory;
mod empty;
mod fairness;
mod footprint;
mod full_directory;
mod groups;
mod growth;
mod handles;
mod initial_sync;
mod inside;
mod load;
mod mix;
mod mixed;
mod person;
mod plan;
mod postgres;
mod progress;
mod record;
mod replay;
mod report;
mod restart;
mod sandbox;
mod server;
mod sizes;
mod stats;
mod sync;
mod usage;
mod users;
mod workloads;

use args::Args;
use clap::Parser;
use context::Bench;
use report::Report;
use server::Servers;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;
use workloads::Workload;

/// The allocator of `usher`, with its settings: what is measured in this process is to be what serving has.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// For how many milliseconds mimalloc keeps memory that is free, an option of its header (`mimalloc.h`) that the bindings
/// do not name.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;

/// Whether mimalloc asks at once for all memory of the addresses that it reserves, another such option.
const ARENA_EAGER_COMMIT: libmimalloc_sys::mi_option_t = 4;

/// What ends the program before its time, as its user is told.
type Outcome = Result<(), String>;

fn main() -> ExitCode {
    // SAFETY: it stores a number, twice.
    unsafe {
        libmimalloc_sys::mi_option_set(PURGE_DELAY, 0);
        libmimalloc_sys::mi_option_set(ARENA_EAGER_COMMIT, 0);
    }
    match run(Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("usher-bench: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: Args) -> Outcome {
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
    let servers = Servers::new(args.usher, args.data)?;
    if workloads.iter().any(|workload| workload.takes_servers()) {
        servers.check()?;
    }
    let duration = Duration::from_secs(args.seconds) / if args.quick { 10 } else { 1 };
    // One thread, which leaves the more of the machine to the servers.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("cannot start: {error}"))?;
    let report = runtime.block_on(async {
        let interrupted = interrupted()?;
        tokio::select! {
            report = measure(Bench::new(servers, duration, args.quick), &workloads) => report,
            () = interrupted => Err("interrupted: there is no result".to_owned()),
        }
    })?;
    if args.json { print(&format!("{:#}\n", report.json())) } else { print(&report.text()) }
}

async fn measure(mut bench: Bench, workloads: &[Workload]) -> Result<Report, String> {
    let mut sections = Vec::new();
    for workload in workloads {
        if !workload.takes_sizes() {
            bench.drop_sizes();
        }
        sections.push(workload.run(&mut bench).await?);
    }
    Ok(Report::new(sections))
}

/// Comes when the process is asked to end, so that servers and folders go with it.
fn interrupted() -> Result<impl Future<Output = ()>, String> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let listen = |kind| signal(kind).map_err(|error| format!("cannot listen for signals: {error}"));
        let mut terminate = listen(SignalKind::terminate())?;
        let mut interrupt = listen(SignalKind::interrupt())?;
        Ok(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}

fn list() -> String {
    let line = |(name, what): (String, String)| format!("{name:<16}{what}\n");
    Workload::all().into_iter().filter_map(Workload::described).map(line).collect()
}

fn print(text: &str) -> Outcome {
    io::stdout().write_all(text.as_bytes()).map_err(|error| format!("cannot write to standard output: {error}"))
}
