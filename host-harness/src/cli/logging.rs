//! Logs, on standard error.

use super::args::{LogFormat, SiteArgs};
use std::io::{IsTerminal, stderr};
use tracing_subscriber::EnvFilter;

/// Starts logging for the whole process.
pub(super) fn start(args: &SiteArgs) -> super::Outcome {
    let filter = EnvFilter::try_new(&args.log).map_err(|error| format!("--log does not make a filter: {error}"))?;
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr);
    let started = match args.log_format {
        LogFormat::Text => logs.with_ansi(stderr().is_terminal()).try_init(),
        LogFormat::Json => logs.json().flatten_event(true).try_init(),
    };
    started.map_err(|error| format!("cannot start logging: {error}"))
}
