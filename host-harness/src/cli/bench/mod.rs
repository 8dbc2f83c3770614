//! `usher bench`: how fast it is on this machine, in ratios that hold on any.
//!
//! Machines differ and are noisy, so nothing here is a test. Whatever is compared is measured in the same run, turn by
//! turn.

mod cold;
mod durable;
mod load;
mod sandbox;
mod stats;
mod traffic;

use super::Outcome;
use super::args::BenchArgs;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use std::io::{self, Write};
use std::time::Duration;

/// What one run found.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    version: &'static str,
    component_bytes: usize,
    cold_start: cold::ColdStart,
    sandbox: Vec<sandbox::Comparison>,
    durable: Vec<durable::Comparison>,
}

pub(super) fn run(args: &BenchArgs) -> Outcome {
    let progress = progress();
    let step = |what: &'static str| progress.set_message(what);
    let duration = Duration::from_secs(args.seconds);
    step("cold start");
    let cold_start = cold::measure()?;
    step("component against native engine");
    let sandbox = sandbox::measure(duration)?;
    step("durable writes against the bare storage engine");
    let durable = durable::measure(&args.data, duration)?;
    progress.finish_and_clear();
    let report = Report {
        version: env!("CARGO_PKG_VERSION"),
        component_bytes: usher_host::EMBEDDED.len(),
        cold_start,
        sandbox,
        durable,
    };
    let text = if args.json {
        serde_json::to_string_pretty(&report).map_err(|error| error.to_string())? + "\n"
    } else {
        report.table()
    };
    io::stdout().write_all(text.as_bytes()).map_err(|error| format!("cannot write to standard output: {error}"))
}

fn progress() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} [{elapsed}]") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

impl Report {
    fn table(&self) -> String {
        let mut out = format!(
            "usher {}, component {} KiB\n\nCold start to the first answer: {:.1} ms compiling, {:.2} ms from the cache\n",
            self.version,
            self.component_bytes >> 10,
            self.cold_start.compiling_ms,
            self.cold_start.cached_ms,
        );
        out.push_str("\nThe sandbox, one call at a time, in memory (µs)\n");
        out.push_str("  call            native p50   component p50   ratio   difference\n");
        for line in &self.sandbox {
            out.push_str(&format!(
                "  {:<14} {:>11.1} {:>15.1} {:>7.2} {:>12.1}\n",
                line.call,
                line.native.p50,
                line.component.p50,
                line.component.p50 / line.native.p50,
                line.component.p50 - line.native.p50,
            ));
        }
        out.push_str(
            "\nDurable POST /Users over HTTP against commits of the same bytes to the bare storage engine (1/s)\n",
        );
        out.push_str("  connections      usher   contract   bare engine   ratio   p50 ms   p99 ms\n");
        for line in &self.durable {
            out.push_str(&format!(
                "  {:>11} {:>10.0} {:>10.0} {:>13.0} {:>7.2} {:>8.2} {:>8.2}\n",
                line.connections,
                line.usher_per_second,
                line.contract_per_second,
                line.bare_per_second,
                line.usher_per_second / line.bare_per_second,
                line.latency.p50 / 1_000.0,
                line.latency.p99 / 1_000.0,
            ));
        }
        out
    }
}
