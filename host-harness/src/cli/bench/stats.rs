//! Medians and tails of measured times.

use serde::Serialize;
use std::time::Duration;

/// How long something took, in microseconds.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Times {
    pub(super) count: usize,
    pub(super) p50: f64,
    pub(super) p90: f64,
    pub(super) p99: f64,
}

impl Times {
    /// Of these measurements, one at least.
    pub(super) fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let at = |share: f64| {
            let last = times.len().saturating_sub(1);
            let index = ((last as f64) * share).round() as usize;
            times.get(index).map_or(0.0, |time| time.as_secs_f64() * 1e6)
        };
        Self { count: times.len(), p50: at(0.5), p90: at(0.9), p99: at(0.99) }
    }
}
