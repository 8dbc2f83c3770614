//! The command line.

mod args;
mod data;
mod database;
mod demo;
mod handles;
mod kept;
mod logging;
mod outcome;
mod serve;
mod site;
mod upkeep;

use args::{Cli, Command};
use clap::Parser;
use std::process::ExitCode;

/// Runs the program.
pub(crate) fn run() -> ExitCode {
    // Whatever is made is for the owner only, also by libraries that do not ask.
    #[cfg(unix)]
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let cli = Cli::parse();
    let outcome = match cli.command {
        Command::Serve(args) => serve::run(&args),
        Command::Demo(args) => demo::run(&args),
        Command::Storage { command } => database::run(&command),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("usher: {message}");
            ExitCode::FAILURE
        }
    }
}
