//! Reading the request log of a directory, and taking out of it what is too old.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::activity::{MAX_AGE_MS, MAX_LOGGED, load_status, put_status};
use super::bodies::{self, CapturedBody};
use super::error::{Error, Result};
use super::logged::{LogFilter, LoggedRequest};
use super::record::load;
use crate::engine::{Engine, HOUR_MS};
use crate::store::pages::{check_limit, no_such_cursor};
use crate::store::records::{self, Due};
use crate::store::{self, keys, prefix_range};
use crate::work::Work;

/// How many requests one step of upkeep takes out of a log.
const AGED_AT_ONCE: u32 = 100;

/// How many requests are read at once where some are looked for.
const READ_AT_ONCE: u32 = 200;

/// The longest name that can be looked for, in characters.
const MAX_NAME_CHARACTERS: usize = 250;

/// One page of a directory's request log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPage {
    /// The requests, newest first.
    pub values: Vec<LoggedRequest>,
    /// The cursor for the next page, unless this is the last one.
    pub next: Option<String>,
}

/// A request in a log, with its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WholeRequest {
    /// The request.
    pub request: LoggedRequest,
    /// Its body; `None` if it was not captured, or had to make room for others.
    pub body: Option<CapturedBody>,
}

/// The number in a cursor of the log.
fn sequence(cursor: &str) -> Result<u64> {
    // Only digits: the parser would accept a sign as well.
    let digits = Some(cursor).filter(|cursor| cursor.bytes().all(|byte| byte.is_ascii_digit()));
    digits.and_then(|digits| digits.parse().ok()).ok_or_else(|| no_such_cursor().into())
}

impl Engine<'_> {
    /// The requests in a directory's log that a filter asks for, newest first.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Invalid`] for a limit, cursor or name that is not valid.
    pub fn requests(&self, id: &str, filter: &LogFilter, cursor: Option<&str>, limit: u32) -> Result<LogPage> {
        check_limit(limit)?;
        if filter.name.as_ref().is_some_and(|name| name.chars().count() > MAX_NAME_CHARACTERS) {
            return Err(Error::Invalid(alloc::format!(
                "the name must be at most {MAX_NAME_CHARACTERS} characters long"
            )));
        }
        let before = cursor.map(sequence).transpose()?;
        let (now, filter) = (self.now().milliseconds, filter.folded());
        self.read(|transaction| {
            load(transaction, id)?;
            let at_once = if filter == LogFilter::default() { limit.saturating_add(1) } else { READ_AT_ONCE };
            let mut range = prefix_range(&keys::log(id), at_once);
            range.reverse = true;
            if let Some(before) = before {
                range.end = keys::logged(id, before);
            }
            let mut values: Vec<LoggedRequest> = Vec::new();
            // There are no more in a log.
            let mut left = MAX_LOGGED;
            while values.len() <= limit as usize && left > 0 {
                let entries = transaction.scan(&range)?;
                for entry in &entries {
                    let request: LoggedRequest = records::read(&entry.key, &entry.value)?;
                    // Upkeep removes them in its own time.
                    if now < request.at.saturating_add(MAX_AGE_MS) && filter.matches(&request) {
                        values.push(request);
                    }
                }
                left = left.saturating_sub(entries.len() as u64);
                let Some(last) = entries.last().filter(|_| entries.len() == at_once as usize) else { break };
                range.end.clone_from(&last.key);
            }
            let more = values.len() > limit as usize;
            values.truncate(limit as usize);
            let next = values.last().filter(|_| more).map(|last| last.sequence.to_string());
            Ok(LogPage { values, next })
        })
    }

    /// One request in a directory's log, with its body if that was captured.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the directory or the request.
    pub fn request(&self, id: &str, sequence: u64) -> Result<WholeRequest> {
        let now = self.now().milliseconds;
        self.read(|transaction| {
            load(transaction, id)?;
            let missing = || Error::NotFound("the log has no such request".to_string());
            let key = keys::logged(id, sequence);
            let text = transaction.get(key.clone())?.ok_or_else(missing)?;
            let request: LoggedRequest = records::read(&key, &text)?;
            if now >= request.at.saturating_add(MAX_AGE_MS) {
                return Err(missing());
            }
            let body = if request.has_body { bodies::read(transaction, id, sequence)? } else { None };
            Ok(WholeRequest { request, body })
        })
    }
}

/// Removes the requests that are too old from a directory's log.
///
/// # Errors
/// Where the storage fails.
pub fn age_log(work: &mut Work<'_>, id: &str) -> store::Result<()> {
    let mut status = load_status(work.transaction, id)?;
    let now = work.now.milliseconds;
    let entries = work.transaction.scan(&prefix_range(&keys::log(id), AGED_AT_ONCE))?;
    let full = entries.len() == AGED_AT_ONCE as usize;
    // `None` if the log is empty now. If the step had no room for all, the next one follows at once.
    status.log_due = full.then_some(now);
    let mut gone = 0;
    for entry in entries {
        let request: LoggedRequest = records::read(&entry.key, &entry.value)?;
        let end = request.at.saturating_add(MAX_AGE_MS);
        if now < end {
            // Not for every single request, however evenly they come.
            status.log_due = Some(end.max(now.saturating_add(HOUR_MS)));
            break;
        }
        gone = request.sequence;
        work.transaction.delete(entry.key);
    }
    // It may have been the last that failed for long.
    status.last_failure.take_if(|failure| failure.at.saturating_add(MAX_AGE_MS) <= now);
    bodies::drop_until(work.transaction, id, &mut status, gone)?;
    if let Some(time) = status.log_due {
        let due = Due::Log(id.to_string());
        work.transaction.put(due.key(time), records::write(&due));
    }
    put_status(work.transaction, id, &status);
    Ok(())
}
