//! What is being done, on standard error: a line that moves where that is a terminal, lines where it is a file.

use indicatif::{ProgressBar, ProgressStyle};
use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

/// Tells what is being done.
pub(super) struct Progress {
    bar: Option<ProgressBar>,
    begin: Instant,
}

impl Progress {
    pub(super) fn start() -> Self {
        let bar = stderr().is_terminal().then(|| {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} [{elapsed}]") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        Self { bar, begin: Instant::now() }
    }

    /// This is being done now.
    pub(super) fn step(&self, what: impl Into<String>) {
        let what = what.into();
        match &self.bar {
            Some(bar) => bar.set_message(what),
            None => eprintln!("{:>5} s  {what}", self.begin.elapsed().as_secs()),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
