//! Medians and tails of measured times and rates.

use std::time::Duration;

/// How long something took, in microseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    pub(super) count: usize,
    pub(super) p50: f64,
    pub(super) p90: f64,
    pub(super) p99: f64,
}

impl Times {
    /// Of these measurements; zero where there is none.
    pub(super) fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let at = |percent: usize| {
            let last = times.len().saturating_sub(1);
            let index = (last * percent + 50) / 100;
            times.get(index).map_or(0.0, |time| time.as_secs_f64() * 1e6)
        };
        Self { count: times.len(), p50: at(50), p90: at(90), p99: at(99) }
    }
}

/// How much was done in a second, in several turns.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rates {
    pub(super) turns: usize,
    pub(super) median: f64,
    pub(super) lowest: f64,
    pub(super) highest: f64,
}

impl Rates {
    /// Of these turns; zero where there is none.
    pub(super) fn of(mut rates: Vec<f64>) -> Self {
        rates.sort_unstable_by(f64::total_cmp);
        let at = |index: usize| rates.get(index).copied().unwrap_or(0.0);
        Self {
            turns: rates.len(),
            median: at(rates.len() / 2),
            lowest: at(0),
            highest: at(rates.len().saturating_sub(1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_sorted_times() {
        let times = Times::of((1..=101).rev().map(Duration::from_micros).collect());
        let micros = [times.p50, times.p90, times.p99].map(|time| format!("{time:.1}"));
        assert_eq!((times.count, micros), (101, ["51.0", "91.0", "100.0"].map(String::from)));
        assert!(Times::of(Vec::new()).p50.abs() < f64::EPSILON);
    }

    #[test]
    fn rates_have_a_median_and_their_ends() {
        let rates = Rates::of(vec![3.0, 1.0, 2.0]);
        assert_eq!((rates.turns, rates.median, rates.lowest, rates.highest), (3, 2.0, 1.0, 3.0));
    }
}
