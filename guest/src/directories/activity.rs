//! What a directory remembers about its requests: how they went lately, and how many deletions they made.
//!
//! All of it is one record, which every logged request updates, so everything in it has a bound.

use alloc::string::ToString;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::logged::LoggedRequest;
use super::rhythm::Rhythm;
use super::uses::{Uses, last_use};
use crate::engine::{HOUR_MS, MINUTE_MS};
use crate::store::records::{self, Due, LOG_AGE_MS};
use crate::store::{self, Transaction, keys};

/// How many requests a log holds.
pub const MAX_LOGGED: u64 = 1_000;

/// How long a request stays in the log, in milliseconds.
pub const MAX_AGE_MS: u64 = LOG_AGE_MS;

/// For how many hours requests and changes are counted.
const HOURS_KEPT: u64 = 24;

/// The length of the window in which deletions are counted, in minutes.
const WINDOW_MINUTES: u64 = 60;

/// After a pause of so long, in milliseconds, the first sync counts as over: an identity provider sends it in one go.
const FIRST_SYNC_PAUSE_MS: u64 = 15 * MINUTE_MS;

/// When so many writes in a row were refused, the directory counts as failing.
const FAILING_AFTER: u32 = 3;

/// How long deletions go through after an administrator has released them, in milliseconds.
pub const RELEASE_MS: u64 = HOUR_MS;

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

/// Requests that were refused for one reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedKeys {
    /// How many there were.
    pub count: u64,
    /// When the last one came, in milliseconds since the Unix epoch.
    pub last: u64,
}

/// That bodies are captured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capture {
    /// Until when, in milliseconds since the Unix epoch.
    pub until: u64,
    /// Whether with values.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub values: bool,
}

/// The captured bodies that are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptBodies {
    /// The number of the oldest request that may have one.
    pub first: u64,
    /// How many bytes they take in all.
    pub bytes: u64,
}

/// The first sync of a directory, while it is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstSync {
    /// When it began, in milliseconds since the Unix epoch.
    pub since: u64,
    /// How many changes it has made.
    pub changes: u64,
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
    /// How many writes in a row were refused, up to now.
    #[serde(skip_serializing_if = "is_zero")]
    pub refused_in_a_row: u32,
    /// The first sync, unless it is over; it may be by now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_sync: Option<FirstSync>,
    /// The hours of the last day in which the log got requests, oldest first.
    pub hours: Vec<Hour>,
    /// The minutes of the last hour that had deletions, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub deletions: Vec<Minute>,
    /// Whether deletions are held until an administrator releases them.
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    pub held: bool,
    /// Until when deletions go through uncounted, in milliseconds since the Unix epoch.
    #[serde(skip_serializing_if = "is_never")]
    pub open_until: u64,
    /// How many users and groups are listed whose deletion or deactivation is held.
    #[serde(skip_serializing_if = "is_zero")]
    pub listed_held: u32,
    /// When each key was last used.
    #[serde(skip_serializing_if = "Uses::is_empty")]
    pub uses: Uses,
    /// How long the pauses between its requests are.
    #[serde(skip_serializing_if = "Rhythm::is_unknown")]
    pub rhythm: Rhythm,
    /// The requests that came with a wrong key, or none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wrong_keys: Option<RefusedKeys>,
    /// The requests that came with a key that has expired.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expired_keys: Option<RefusedKeys>,
    /// Whether bodies are captured; it may have ended by now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capture: Option<Capture>,
    /// The bodies that were; `None` if none is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bodies: Option<KeptBodies>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference; on some targets the lint does not mind")]
fn is_never(time: &u64) -> bool {
    *time == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl StatusRecord {
    /// Notes a successful read.
    pub fn note_read(&mut self, now: u64, key: &str) {
        self.note_time(now, key);
        self.last_success = Some(now);
    }

    fn note_time(&mut self, now: u64, key: &str) {
        let pause = self.last_request.map_or(0, |last| now.saturating_sub(last));
        self.rhythm.note(now, pause);
        self.first_sync = self.first_sync(now);
        self.last_request = Some(now);
        self.uses.note(key, now);
    }

    /// Notes how a request went that came with this key, and what changes it made. The log gets it with the number
    /// [`last_logged`](Self::last_logged).
    pub fn note(&mut self, now: u64, key: &str, failed: bool, changes: u32) {
        let is_first = self.last_logged == 0;
        self.last_logged = self.last_logged.saturating_add(1);
        let hour = self.hour(now);
        hour.requests = hour.requests.saturating_add(1);
        hour.failures = hour.failures.saturating_add(u32::from(failed));
        hour.changes = hour.changes.saturating_add(changes);
        self.note_time(now, key);
        if is_first {
            self.first_sync = Some(FirstSync { since: now, changes: 0 });
        }
        if let Some(first) = &mut self.first_sync {
            first.changes = first.changes.saturating_add(u64::from(changes));
        }
        if !failed {
            self.last_success = Some(now);
        }
    }

    /// The first sync, if it is under way. It begins with the first request that gets into the log, and is over when nothing
    /// has come for a quarter of an hour.
    #[must_use]
    pub fn first_sync(&self, now: u64) -> Option<FirstSync> {
        let pause = now.saturating_sub(self.last_request.unwrap_or(now));
        self.first_sync.filter(|_| pause < FIRST_SYNC_PAUSE_MS)
    }

    /// Counts a write that was refused, in whole or in part, or ends the row of those.
    pub fn count_write(&mut self, refused: bool) {
        self.refused_in_a_row = if refused { self.refused_in_a_row.saturating_add(1) } else { 0 };
    }

    /// Whether writes are refused, one after the other.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.refused_in_a_row >= FAILING_AFTER
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
        self.listed_held = 0;
        self.deletions.clear();
        self.open_until = now.saturating_add(RELEASE_MS);
    }
}

/// Whether a success with this key is in the same minute as the last one, so that it need not be noted. Of what is stored
/// about the requests, nothing else is read: every request that reads asks.
#[must_use]
pub fn is_up_to_date(stored: &str, now: u64, key: &str) -> bool {
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    struct Last<'s> {
        last_success: Option<u64>,
        uses: &'s str,
    }
    let is_now = |last: u64| last / MINUTE_MS >= now / MINUTE_MS;
    let last: Last<'_> = serde_json::from_str(stored).unwrap_or_default();
    last.last_success.is_some_and(is_now) && last_use(last.uses, key).is_some_and(is_now)
}

/// What a directory remembers about its requests.
///
/// # Errors
/// Where the storage fails.
pub fn load_status(transaction: &mut Transaction, id: &str) -> store::Result<StatusRecord> {
    let key = keys::status(id);
    let text = transaction.get(key.clone())?;
    Ok(text.map(|text| records::read(&key, &text)).transpose()?.unwrap_or_default())
}

/// Stores what a directory remembers about its requests.
pub fn put_status(transaction: &mut Transaction, id: &str, status: &StatusRecord) {
    transaction.put(keys::status(id), records::write(status));
}

/// Forgets how the requests of a disconnected directory went. Its log is left to upkeep.
///
/// # Errors
/// Where the storage fails.
pub fn forget_status(transaction: &mut Transaction, id: &str) -> store::Result<()> {
    let status = load_status(transaction, id)?;
    if let Some(time) = status.log_due {
        transaction.delete(Due::Log(id.to_string()).key(time));
    }
    transaction.delete(keys::status(id));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::DAY_MS;

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
        for hour in 0..100 {
            let at = START + hour * HOUR_MS;
            status.note(at, "k", true, 0);
            assert_eq!(status.last_logged, hour * 3 + 1);
            status.note(at, "k", false, 0);
            status.note(at, "k", false, 3);
            assert!(status.hours.len() <= 24);
        }
        let last = START + 99 * HOUR_MS;
        assert_eq!(status.last_hours(last).len(), 24);
        let at = last - last % HOUR_MS;
        assert_eq!(status.last_hours(last).pop(), Some(Hour { at, requests: 3, failures: 1, changes: 3 }));
        assert_eq!(status.last_hours(last + 23 * HOUR_MS).len(), 1);
        // The clock was set back.
        status.note(START, "k", false, 0);
        assert_eq!(status.hours.len(), 1);
    }

    #[test]
    fn the_first_sync_lasts_until_nothing_comes_for_a_quarter_of_an_hour() {
        let mut status = StatusRecord::default();
        // A provider that tries its connection reads.
        status.note_read(START, "k");
        assert_eq!(status.first_sync(START), None);
        let begun = START + DAY_MS;
        for minute in 0..60 {
            status.note(begun + minute * MINUTE_MS, "k", false, 2);
        }
        let last = begun + 59 * MINUTE_MS;
        let expected = Some(FirstSync { since: begun, changes: 120 });
        assert_eq!(status.first_sync(last + FIRST_SYNC_PAUSE_MS - 1), expected);
        assert_eq!(status.first_sync(last + FIRST_SYNC_PAUSE_MS), None);
        // It does not begin again, and a directory whose log an earlier version began has none.
        status.note(last + DAY_MS, "k", false, 2);
        assert_eq!(status.first_sync(last + DAY_MS), None);
        let mut earlier = StatusRecord { last_logged: 7, ..StatusRecord::default() };
        earlier.note(START, "k", false, 2);
        assert_eq!(earlier.first_sync(START), None);
    }

    #[test]
    fn a_directory_fails_when_three_writes_in_a_row_were_refused() {
        let mut status = StatusRecord::default();
        for (failed, expected) in
            [(true, false), (true, false), (true, true), (true, true), (false, false), (true, false)]
        {
            status.count_write(failed);
            assert_eq!(status.is_failing(), expected);
        }
    }

    #[test]
    fn a_read_is_noted_once_a_minute_for_each_key() {
        let mut status = StatusRecord::default();
        let is_known = |status: &StatusRecord, now, key| is_up_to_date(&records::write(status), now, key);
        assert!(!is_known(&status, START, "a"));
        status.note_read(START, "a");
        let next = START - START % MINUTE_MS + MINUTE_MS;
        assert!(is_known(&status, next - 1, "a") && !is_known(&status, next, "a") && !is_known(&status, START, "b"));
        status.note(START, "b", true, 0);
        assert!(is_known(&status, next - 1, "b") && !is_up_to_date("nonsense", START, "a"));
    }
}
