//! Logs, on standard error.

use clap::{Args, ValueEnum};
use std::io::{IsTerminal, stderr};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// What the program's own parts are called.
const PARTS: [&str; 2] = ["usher", "usher_host"];

/// What to log, and how. The comments are the text of `--help`.
#[derive(Debug, Args)]
pub(super) struct LogArgs {
    /// What to log, on standard error: a level (error, warn, info, debug, trace), or levels by part
    ///
    /// `debug` adds one line for each request, `off` is silence. `info,usher_host::http=debug` is a level by part; parts
    /// are the modules of `usher` and `usher_host`.
    #[arg(long, value_name = "FILTER", env = "USHER_LOG", default_value = "info", help_heading = "Logs")]
    log: String,

    /// How log lines look
    #[arg(long, value_name = "FORMAT", env = "USHER_LOG_FORMAT", default_value = "text", help_heading = "Logs")]
    log_format: LogFormat,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    /// For people
    Text,
    /// One JSON object on each line
    Json,
}

/// Starts logging for the whole process.
pub(super) fn start(args: &LogArgs) -> super::outcome::Outcome {
    let logs = tracing_subscriber::registry().with(filter(&args.log)?);
    let lines = tracing_subscriber::fmt::layer().with_writer(stderr);
    let started = match args.log_format {
        LogFormat::Text => logs.with(lines.with_ansi(stderr().is_terminal())).try_init(),
        LogFormat::Json => logs.with(lines.json().flatten_event(true)).try_init(),
    };
    started.map_err(|error| format!("cannot start logging: {error}"))
}

/// What is to be logged. A level that is misspelt is the name of a part to the library, and would be silence.
fn filter(text: &str) -> Result<Targets, String> {
    let help = "It is error, warn, info, debug, trace or off, or levels by part, such as info,usher_host::http=debug.";
    if text.trim().is_empty() {
        return Err(format!("--log is empty. {help}"));
    }
    let filter: Targets = text.parse().map_err(|error| format!("--log {text}: {error}. {help}"))?;
    let is_part = |name: &str| name.split("::").next().is_some_and(|part| PARTS.contains(&part));
    match filter.iter().find(|(name, _)| !is_part(name)) {
        Some((name, _)) => Err(format!("--log {text}: `{name}` is neither a level nor a part. {help}")),
        None => Ok(filter),
    }
}

#[cfg(test)]
mod tests {
    use super::filter;

    #[test]
    fn what_is_misspelt_is_refused_and_not_taken_for_silence() {
        for text in ["info", "off", "WARN", "info,usher_host::http=debug", "usher=trace,usher_host=off"] {
            assert!(filter(text).is_ok(), "{text}");
        }
        for text in ["inof", "", " ", "info,debgu", "usher_host=inof", "usher_hots=debug", "hyper=debug"] {
            assert!(filter(text).is_err(), "{text}");
        }
    }
}
