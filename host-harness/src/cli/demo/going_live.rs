//! Applies the plan of a staged directory.

use super::admin::Admin;
use super::bar;
use super::client::Trouble;
use super::idp::Connected;
use indicatif::HumanCount;
use serde_json::Value;
use std::fmt;
use std::thread;
use std::time::{Duration, Instant};

/// How often to ask how far it is.
const PAUSE: Duration = Duration::from_millis(50);

/// How long to wait for the next step.
const PATIENCE: Duration = Duration::from_secs(90);

/// What was done.
pub(super) struct Applied {
    directory: &'static str,
    done: u64,
    blocked: u64,
    took: Duration,
}

/// Applies the plan and waits until all is done.
pub(super) fn run(admin: &mut Admin<'_>, provider: &Connected) -> Result<Applied, Trouble> {
    let path = format!("/directories/{}/apply", provider.directory);
    let mut begun = Instant::now();
    let mut progress = admin.post(&path, None)?;
    let count = |progress: &Value, name: &str| progress[name].as_u64().unwrap_or_default();
    let bar = bar::counting("apply", count(&progress, "of"));
    let begin = begun;
    while progress["endedAt"].is_null() {
        thread::sleep(PAUSE);
        let before = count(&progress, "done");
        progress = admin.get(&path)?;
        bar.set_length(count(&progress, "of"));
        bar.set_position(count(&progress, "done"));
        if count(&progress, "done") != before {
            begun = Instant::now();
        } else if begun.elapsed() > PATIENCE {
            return Err(Trouble::Failed("applying the plan makes no headway".into()));
        }
    }
    bar.finish_and_clear();
    if progress["stopped"] == true {
        return Err(Trouble::Failed("applying the plan was stopped; the directory is staged still".into()));
    }
    Ok(Applied {
        directory: provider.kind.directory(),
        done: count(&progress, "done"),
        blocked: count(&progress, "blocked"),
        took: begin.elapsed(),
    })
}

impl fmt::Display for Applied {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { directory, done, blocked, took } = self;
        write!(
            out,
            "\nApplied, and {directory} is live: {} customers and organizations in {:.1} s",
            HumanCount(*done),
            took.as_secs_f64()
        )?;
        match blocked {
            0 => writeln!(out),
            _ => writeln!(out, ",\n{} of them left as they were, because the site has changed", HumanCount(*blocked)),
        }
    }
}
