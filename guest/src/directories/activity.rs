//! What a directory remembers about its requests: how they went lately, and how many deletions they made.
//!
//! All of it is one record, which every logged request updates, so everything in it has a bound.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::engine::{HOUR_MS, MINUTE_MS};

/// How many requests a log holds.
pub const MAX_LOGGED: u64 = 1_000;

/// How long a request stays in the log, in milliseconds: 14 days.
pub const MAX_AGE_MS: u64 = 14 * 24 * HOUR_MS;

/// For how many hours requests and changes are counted.
const HOURS_KEPT: u64 = 24;

/// The length of the window in which deletions are counted, in minutes.
const WINDOW_MINUTES: u64 = 60;

/// How long deletions go through after an administrator has released them, in milliseconds.
pub const RELEASE_MS: u64 = HOUR_MS;

/// A request as it stands in the log: what was asked and what was answered, without secrets and bodies.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LoggedRequest {
    /// Its number in the log of its directory.
    pub sequence: u64,
    /// When it arrived, in milliseconds since the Unix epoch.
    pub at: u64,
    /// The HTTP method.
    pub method: String,
    /// The path below the base URL. `*` stands for anything that is not an id or endpoint, and the query is left out,
    /// because they may hold addresses.
    pub path: String,
    /// The id of the request, if it came with one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// The HTTP status of the answer.
    pub status: u16,
    /// The SCIM keyword of the error, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scim_type: Option<String>,
    /// What was wrong, if anything was; in a bulk request, with the first operation that was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The kinds of the changes that it made, or in a dry run would have made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<ChangeCount>,
    /// Whether nothing of it was applied because the directory was in a dry run.
    #[serde(default)]
    pub dry_run: bool,
    /// How many operations it had, if it is a bulk request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operations: Option<u32>,
    /// How many of them were refused, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<u32>,
    /// What was done differently from what was asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// How many changes of one kind there were; for changes of members, how many came or went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeCount {
    /// The kind, as in the change feed.
    pub kind: String,
    /// The number of changes, or of members.
    pub count: u32,
}

/// What happened in an hour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hour {
    /// When it began, in milliseconds since the Unix epoch.
    pub at: u64,
    /// How many requests the log got.
    pub requests: u32,
    /// How many of them were refused, in whole or in part.
    pub failures: u32,
    /// How many changes were made.
    pub changes: u32,
}

/// How many deletions there were in one minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Minute {
    /// When it began, in milliseconds since the Unix epoch.
    pub at: u64,
    /// How many deletions and deactivations there were.
    pub count: u32,
}

/// What a directory remembers about its requests.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StatusRecord {
    /// The number of the last request in the log.
    pub last_logged: u64,
    /// When upkeep looks for requests that are too old for the log; `None` while the log is empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_due: Option<u64>,
    /// When the last request came, in milliseconds since the Unix epoch; for reads, to the minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_request: Option<u64>,
    /// When the last successful request came, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_success: Option<u64>,
    /// The last request that was refused. The log may have lost it by now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_failure: Option<LoggedRequest>,
    /// The hours of the last day in which the log got requests, oldest first.
    pub hours: Vec<Hour>,
    /// The minutes of the last hour that had deletions, oldest first.
    pub deletions: Vec<Minute>,
    /// Whether deletions are held until an administrator releases them.
    pub held: bool,
    /// Until when deletions go through uncounted, in milliseconds since the Unix epoch.
    pub open_until: u64,
}

impl StatusRecord {
    /// Whether a success at this time is in the same minute as the last one, so that it need not be noted.
    #[must_use]
    pub fn is_up_to_date(&self, now: u64) -> bool {
        self.last_success.is_some_and(|last| last / MINUTE_MS >= now / MINUTE_MS)
    }

    /// Notes a successful read.
    pub fn note_read(&mut self, now: u64) {
        self.last_request = Some(now);
        self.last_success = Some(now);
    }

    /// Gives a request the next number of the log and notes how it went.
    pub fn note(&mut self, mut request: LoggedRequest) -> LoggedRequest {
        self.last_logged = self.last_logged.saturating_add(1);
        request.sequence = self.last_logged;
        let failed = request.status >= 400 || request.refused.is_some_and(|refused| refused > 0);
        let changes = request.changes.iter().fold(0_u32, |sum, change| sum.saturating_add(change.count));
        let hour = self.hour(request.at);
        hour.requests = hour.requests.saturating_add(1);
        hour.failures = hour.failures.saturating_add(u32::from(failed));
        // The changes of a dry run were not made.
        hour.changes = hour.changes.saturating_add(if request.dry_run { 0 } else { changes });
        self.last_request = Some(request.at);
        if failed {
            self.last_failure = Some(request.clone());
        } else {
            self.last_success = Some(request.at);
        }
        request
    }

    /// The entry for the hour of this time. Entries more than a day old are dropped.
    fn hour(&mut self, now: u64) -> &mut Hour {
        self.hours = self.last_hours(now);
        let at = now - now % HOUR_MS;
        let position = self.hours.iter().position(|hour| hour.at == at).unwrap_or_else(|| {
            self.hours.push(Hour { at, ..Hour::default() });
            self.hours.len() - 1
        });
        &mut self.hours[position]
    }

    /// The hours of the last day in which the log got requests, oldest first.
    #[must_use]
    pub fn last_hours(&self, now: u64) -> Vec<Hour> {
        let this = now - now % HOUR_MS;
        // If the clock was set back, entries in the future are dropped, so that there is never more than a day of them.
        let last = this.saturating_sub((HOURS_KEPT - 1) * HOUR_MS)..=this;
        self.hours.iter().filter(|hour| last.contains(&hour.at)).copied().collect()
    }

    /// Whether deletions go through uncounted now.
    #[must_use]
    pub fn is_open(&self, now: u64) -> bool {
        now < self.open_until
    }

    /// How many deletions the last hour had.
    #[must_use]
    pub fn deletions_within_hour(&self, now: u64) -> u32 {
        self.last_minutes(now).iter().fold(0, |sum, minute| sum.saturating_add(minute.count))
    }

    /// Counts deletions.
    pub fn count_deletions(&mut self, now: u64, count: u32) {
        self.deletions = self.last_minutes(now);
        let at = now - now % MINUTE_MS;
        match self.deletions.iter_mut().find(|minute| minute.at == at) {
            Some(minute) => minute.count = minute.count.saturating_add(count),
            None => self.deletions.push(Minute { at, count }),
        }
    }

    fn last_minutes(&self, now: u64) -> Vec<Minute> {
        let this = now - now % MINUTE_MS;
        let last = this.saturating_sub((WINDOW_MINUTES - 1) * MINUTE_MS)..=this;
        self.deletions.iter().filter(|minute| last.contains(&minute.at)).copied().collect()
    }

    /// Lets deletions through for [`RELEASE_MS`]; after that they are counted anew.
    pub fn release(&mut self, now: u64) {
        self.held = false;
        self.deletions.clear();
        self.open_until = now.saturating_add(RELEASE_MS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: u64 = 1_750_000_000_000;

    #[test]
    fn deletions_are_counted_within_an_hour() {
        let mut status = StatusRecord::default();
        for minute in 0..200 {
            status.count_deletions(START + minute * MINUTE_MS, 2);
            assert!(status.deletions.len() <= 60);
        }
        let last = START + 199 * MINUTE_MS;
        assert_eq!(status.deletions_within_hour(last), 120);
        assert_eq!(status.deletions_within_hour(last + 30 * MINUTE_MS), 60);
        assert_eq!(status.deletions_within_hour(last + HOUR_MS), 0);
        status.release(last);
        assert!(status.is_open(last + HOUR_MS - 1) && !status.is_open(last + HOUR_MS));
        assert_eq!(status.deletions_within_hour(last), 0);
    }

    #[test]
    fn hours_are_kept_for_a_day() {
        let mut status = StatusRecord::default();
        let change = ChangeCount { kind: String::from("user.created"), count: 3 };
        for hour in 0..100 {
            let at = START + hour * HOUR_MS;
            let refused = LoggedRequest { at, status: 400, ..LoggedRequest::default() };
            let made = LoggedRequest { at, status: 201, changes: alloc::vec![change.clone()], ..refused.clone() };
            assert_eq!(status.note(refused).sequence, hour * 3 + 1);
            status.note(LoggedRequest { dry_run: true, ..made.clone() });
            status.note(made);
            assert!(status.hours.len() <= 24);
        }
        let last = START + 99 * HOUR_MS;
        assert_eq!(status.last_hours(last).len(), 24);
        let at = last - last % HOUR_MS;
        assert_eq!(status.last_hours(last).pop(), Some(Hour { at, requests: 3, failures: 1, changes: 3 }));
        assert_eq!(status.last_hours(last + 23 * HOUR_MS).len(), 1);
        // The clock was set back.
        status.note(LoggedRequest { at: START, status: 200, ..LoggedRequest::default() });
        assert_eq!(status.hours.len(), 1);
    }
}
