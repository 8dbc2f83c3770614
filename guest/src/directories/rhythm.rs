//! How often a directory is usually heard, and whether it is silent now.
//!
//! Of each day with requests the longest pause is kept, for the last fourteen such days, and the second longest of these
//! is the usual one: nights and weekends are among them, and a single outage is left out. A directory is silent when
//! nothing has come for so many times the usual pause as its settings say.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::engine::{DAY_MS, HOUR_MS};

/// How many days are kept.
const DAYS: usize = 14;

/// Of how many days it takes the pauses to say what is usual.
const DAYS_NEEDED: usize = 3;

/// The usual pause is no shorter than this, in milliseconds: an initial sync must not make an hour without requests look
/// like silence.
const SHORTEST_MS: u64 = HOUR_MS;

/// The pauses between the requests of a directory. Every request reads and may write this, so it is one text, with blanks
/// between numbers: the day of the last request, counted from the Unix epoch; then, in seconds, the longest pause that ended
/// on each of the last days with requests, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rhythm(String);

impl Rhythm {
    /// Whether nothing is known yet.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.0.is_empty()
    }

    /// Notes that a pause has ended; both in milliseconds.
    pub fn note(&mut self, now: u64, pause: u64) {
        let (day, pause) = (now / DAY_MS, pause / 1_000);
        let number = |text: Option<&str>| text.and_then(|text| text.parse::<u64>().ok());
        let (known, longest) = (number(self.0.split(' ').next()), number(self.0.rsplit(' ').next()));
        let is_same_day = known.is_some_and(|known| day <= known);
        if is_same_day && longest.is_some_and(|longest| pause <= longest) {
            return;
        }
        let mut pauses = self.pauses();
        if is_same_day {
            pauses.pop();
        } else if pauses.len() >= DAYS {
            pauses.remove(0);
        }
        pauses.push(pause);
        let day = known.unwrap_or_default().max(day);
        self.0 = pauses.iter().fold(day.to_string(), |text, pause| format!("{text} {pause}"));
    }

    fn pauses(&self) -> Vec<u64> {
        self.0.split(' ').skip(1).filter_map(|pause| pause.parse().ok()).collect()
    }

    /// The usual pause, in milliseconds; `None` while too little is known.
    #[must_use]
    pub fn usual(&self) -> Option<u64> {
        let mut pauses = self.pauses();
        if pauses.len() < DAYS_NEEDED {
            return None;
        }
        pauses.sort_unstable();
        let second = pauses.len().checked_sub(2).and_then(|at| pauses.get(at))?;
        Some(second.saturating_mul(1_000).max(SHORTEST_MS))
    }

    /// Since when a directory is silent whose last request came then, if it is; `times` is how many times its usual pause
    /// that takes, 0 if it never is.
    #[must_use]
    pub fn silent_since(&self, last: Option<u64>, now: u64, times: u32) -> Option<u64> {
        let since = last?.saturating_add(self.usual()?.saturating_mul(u64::from(times)));
        (times > 0 && since <= now).then_some(since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: u64 = 20_000 * DAY_MS;

    /// Requests at these hours from the start.
    fn heard(hours: impl IntoIterator<Item = u64>) -> (Rhythm, u64) {
        let (mut rhythm, mut last) = (Rhythm::default(), None);
        for hour in hours {
            let now = START + hour * HOUR_MS;
            rhythm.note(now, last.map_or(0, |last| now - last));
            last = Some(now);
        }
        (rhythm, last.unwrap())
    }

    #[test]
    fn the_usual_pause_is_that_of_the_night_or_the_weekend_and_not_that_of_an_outage() {
        let hourly = || 0..24 * 20;
        assert_eq!(heard(hourly()).0.usual(), Some(HOUR_MS));
        let with_outage = hourly().filter(|hour| !(200..260).contains(hour));
        assert_eq!(heard(with_outage).0.usual(), Some(HOUR_MS));
        let by_day = hourly().filter(|hour| (8..18).contains(&(hour % 24)));
        assert_eq!(heard(by_day).0.usual(), Some(15 * HOUR_MS));
        let working_days = (0..24 * 28).filter(|hour| (8..18).contains(&(hour % 24)) && hour / 24 % 7 < 5);
        assert_eq!(heard(working_days).0.usual(), Some(63 * HOUR_MS));
    }

    #[test]
    fn who_was_heard_on_few_days_is_never_silent() {
        let (rhythm, last) = heard(0..40);
        assert_eq!((rhythm.usual(), rhythm.silent_since(Some(last), last + 1_000 * DAY_MS, 1)), (None, None));
        assert_eq!(Rhythm::default().silent_since(None, START, 3), None);
    }

    #[test]
    fn silence_begins_after_so_many_usual_pauses_as_are_asked_for() {
        let (rhythm, last) = heard(0..24 * 5);
        for times in [1_u32, 3, 100] {
            let end = last + u64::from(times) * HOUR_MS;
            assert_eq!(rhythm.silent_since(Some(last), end - 1, times), None);
            assert_eq!(rhythm.silent_since(Some(last), end, times), Some(end));
        }
        assert_eq!(rhythm.silent_since(Some(last), u64::MAX, 0), None);
        assert_eq!(rhythm.silent_since(Some(last), u64::MAX, u32::MAX), Some(last + u64::from(u32::MAX) * HOUR_MS));
    }

    #[test]
    fn what_is_kept_has_a_bound_even_if_the_clock_goes_back() {
        let mut rhythm = Rhythm::default();
        for day in (0..100).chain(50..200) {
            rhythm.note(START + day * DAY_MS, DAY_MS);
            assert!(rhythm.pauses().len() <= DAYS);
        }
    }
}
