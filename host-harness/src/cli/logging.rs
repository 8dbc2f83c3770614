//! Logs, on standard error.

use super::args::{LogFormat, SiteArgs};
use std::io::{IsTerminal, stderr};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// What the program's own parts are called.
const PARTS: [&str; 2] = ["usher", "usher_host"];

/// Starts logging for the whole process.
pub(super) fn start(args: &SiteArgs) -> super::Outcome {
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
