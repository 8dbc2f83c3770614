//! How a directory is doing: its status, its request log, and the release of deletions that are held.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::activity::{Hour, LoggedRequest, MAX_AGE_MS, StatusRecord};
use super::error::{Error, Result};
use super::keys::{Key, describe_key, load_keys};
use super::notices::SOON_DAYS;
use super::record::{load, read_counts};
use crate::engine::{DAY_MS, Engine, HOUR_MS};
use crate::site::settings;
use crate::store::feed::{ChangeKind, Detail};
use crate::store::pages::{check_limit, no_such_cursor};
use crate::store::records::{self, DirectoryRecord, Due};
use crate::store::{self, Transaction, keys, prefix_range};
use crate::work::Work;

/// How many requests one step of upkeep takes out of a log.
const AGED_AT_ONCE: u32 = 100;

/// What happens to the writes of a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// They are applied.
    Connected,
    /// Deletions and deactivations are held until an administrator releases them; other writes are applied.
    Held,
    /// They are checked and answered, but not applied.
    DryRun,
}

/// How a directory is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryStatus {
    /// What happens to its writes.
    pub state: State,
    /// How many users it has.
    pub users: u64,
    /// How many groups it has.
    pub groups: u64,
    /// How many groups it may have.
    pub group_limit: u64,
    /// How many memberships its groups have in all.
    pub memberships: u64,
    /// How many members a group may have.
    pub member_limit: u32,
    /// How many of its users are linked to no customer.
    pub unlinked: u64,
    /// How many of its conflicts are open.
    pub conflicts: u64,
    /// When the last request came, in milliseconds since the Unix epoch; for reads, to the minute.
    pub last_request: Option<u64>,
    /// When the last successful request came, likewise.
    pub last_success: Option<u64>,
    /// The last request that was refused.
    pub last_failure: Option<LoggedRequest>,
    /// How many requests were refused in the hours below.
    pub failures: u32,
    /// The hours of the last 24 in which the log got requests, oldest first.
    pub hours: Vec<Hour>,
    /// Until when deletions go through uncounted, if an administrator has released them.
    pub released_until: Option<u64>,
    /// The keys that work, oldest first.
    pub keys: Vec<KeyStatus>,
}

/// A key, and whether it expires soon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyStatus {
    /// The key.
    pub key: Key,
    /// Whether it expires within 30 days.
    pub expires_soon: bool,
}

/// One page of a directory's request log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPage {
    /// The requests, newest first.
    pub values: Vec<LoggedRequest>,
    /// The cursor for the next page, unless this is the last one.
    pub next: Option<String>,
}

/// The number in a cursor of the log.
fn sequence(cursor: &str) -> Result<u64> {
    // Only digits: the parser would accept a sign as well.
    let digits = Some(cursor).filter(|cursor| cursor.bytes().all(|byte| byte.is_ascii_digit()));
    digits.and_then(|digits| digits.parse().ok()).ok_or_else(|| no_such_cursor().into())
}

impl Engine<'_> {
    /// How a directory is doing.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn directory_status(&self, id: &str) -> Result<DirectoryStatus> {
        let now = self.now().milliseconds;
        self.read(|transaction| {
            let record = load(transaction, id)?;
            let site = settings::load(transaction)?;
            let counts = transaction.get(keys::counts(id))?;
            let counts = read_counts(id, counts)?;
            let status = load_status(transaction, id)?;
            let keys = load_keys(transaction, id)?;
            let hours = status.last_hours(now);
            Ok(DirectoryStatus {
                state: state(&record, &status),
                users: counts.users,
                groups: counts.groups,
                group_limit: u64::from(site.max_groups),
                memberships: counts.memberships,
                member_limit: site.max_members,
                unlinked: counts.unlinked,
                conflicts: counts.conflicts,
                last_request: status.last_request,
                last_success: status.last_success,
                failures: hours.iter().fold(0, |sum, hour| sum.saturating_add(hour.failures)),
                hours,
                released_until: Some(status.open_until).filter(|until| now < *until),
                last_failure: status.last_failure,
                keys: keys
                    .into_iter()
                    .filter(|(_, key)| now < key.expires)
                    .map(|(id, key)| KeyStatus {
                        expires_soon: key.expires.saturating_sub(now) <= u64::from(SOON_DAYS) * DAY_MS,
                        key: describe_key(id, &key),
                    })
                    .collect(),
            })
        })
    }

    /// The requests in a directory's log, newest first.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Invalid`] for a limit or cursor that is not valid.
    pub fn requests(&self, id: &str, cursor: Option<&str>, limit: u32) -> Result<LogPage> {
        check_limit(limit)?;
        let before = cursor.map(sequence).transpose()?;
        let now = self.now().milliseconds;
        self.read(|transaction| {
            load(transaction, id)?;
            let mut range = prefix_range(&keys::log(id), limit + 1);
            range.reverse = true;
            if let Some(before) = before {
                range.end = keys::logged(id, before);
            }
            let entries = transaction.scan(&range)?;
            let entries = entries.iter().map(|entry| Ok(records::read(&entry.key, &entry.value)?));
            let mut values: Vec<LoggedRequest> = entries.collect::<Result<_>>()?;
            // Upkeep removes them in its own time.
            values.retain(|request| now < request.at.saturating_add(MAX_AGE_MS));
            let more = values.len() > limit as usize;
            values.truncate(limit as usize);
            let next = values.last().filter(|_| more).map(|last| last.sequence.to_string());
            Ok(LogPage { values, next })
        })
    }

    /// Lets held deletions through, all of them, for an hour. After that they are counted anew.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Refused`] where the directory has no deletion limit.
    pub fn release_deletions(&self, actor: &str, id: &str) -> Result<()> {
        self.administer(actor, |work| {
            let transaction = &mut *work.transaction;
            let record = load(transaction, id)?;
            if record.deletion_limit.is_none() {
                return Err(Error::Refused("the directory has no limit of deletions".to_string()));
            }
            let mut status = load_status(transaction, id)?;
            status.release(work.now.milliseconds);
            transaction.put(keys::status(id), records::write(&status));
            work.record(ChangeKind::DeletionsReleased, Detail::of_directory(id));
            Ok(())
        })
    }
}

/// What happens to the writes of a directory. In a dry run no deletion is made, so none can be held.
fn state(record: &DirectoryRecord, status: &StatusRecord) -> State {
    if record.dry_run {
        State::DryRun
    } else if status.held {
        State::Held
    } else {
        State::Connected
    }
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

/// Lifts the hold of deletions, if their limit is gone, or is higher than before and has not been reached in the last
/// hour. The deletions of that hour go on to count.
///
/// # Errors
/// Where the storage fails.
pub fn ease_hold(
    transaction: &mut Transaction,
    id: &str,
    old: Option<u32>,
    new: Option<u32>,
    now: u64,
) -> store::Result<()> {
    let status = load_status(transaction, id)?;
    let deletions = match (old, new) {
        (Some(_), None) => Vec::new(),
        (Some(old), Some(new)) if old < new && status.deletions_within_hour(now) < new => status.deletions.clone(),
        _ => return Ok(()),
    };
    let eased = StatusRecord { held: false, deletions, ..status.clone() };
    if eased != status {
        transaction.put(keys::status(id), records::write(&eased));
    }
    Ok(())
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
    for entry in entries {
        let request: LoggedRequest = records::read(&entry.key, &entry.value)?;
        let end = request.at.saturating_add(MAX_AGE_MS);
        if now < end {
            // Not for every single request, however evenly they come.
            status.log_due = Some(end.max(now.saturating_add(HOUR_MS)));
            break;
        }
        work.transaction.delete(entry.key);
    }
    if let Some(time) = status.log_due {
        let due = Due::Log(id.to_string());
        work.transaction.put(due.key(time), records::write(&due));
    }
    work.transaction.put(keys::status(id), records::write(&status));
    Ok(())
}
