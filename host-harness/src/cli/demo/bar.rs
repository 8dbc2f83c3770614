//! Progress on the terminal; where there is none, nothing is shown.

use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use std::fmt;
use std::time::Duration;

/// Shows how many of so many are done.
pub(super) fn counting(what: &'static str, count: u64) -> ProgressBar {
    let template = "{msg:7} {wide_bar:.cyan/dim} {human_pos}/{human_len}  {rate}  {elapsed_precise}";
    let bar = ProgressBar::new(count);
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.with_key("rate", |state: &ProgressState, out: &mut dyn fmt::Write| {
            // What cannot be written is not shown.
            let _ = write!(out, "{:.0}/s", state.per_sec());
        }));
    }
    bar.set_message(what);
    bar
}

/// Shows that something is waited for.
pub(super) fn waiting(what: &'static str) -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    bar.set_message(what);
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}
