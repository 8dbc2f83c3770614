//! Notices in the change feed, some days before an API key expires.

use crate::engine::DAY_MS;
use crate::store::feed::{ChangeKind, Detail};
use crate::store::records::{self, ApiKeyRecord, Due};
use crate::store::{Result, Transaction, keys};
use crate::work::Work;

/// How many days before a key expires there is a notice, the first notice first.
const DAYS_BEFORE: [u32; 4] = [30, 14, 7, 1];

/// How many days before its end a key is said to expire soon.
pub const SOON_DAYS: u32 = DAYS_BEFORE[0];

/// When the next notice is due for a key that expires at this time.
#[must_use]
pub fn next_notice(expires: u64, now: u64) -> Option<u64> {
    DAYS_BEFORE.into_iter().filter_map(|days| notice_time(expires, days)).find(|time| *time > now)
}

fn notice_time(expires: u64, days: u32) -> Option<u64> {
    expires.checked_sub(u64::from(days) * DAY_MS)
}

/// Stores a key, with its notice in the queue of what is due.
pub fn store_key(transaction: &mut Transaction, directory: &str, id: &str, key: &ApiKeyRecord) {
    if let Some(time) = key.notice {
        let due = due(directory, id);
        transaction.put(due.key(time), records::write(&due));
    }
    transaction.put(keys::api_key(directory, id), records::write(key));
}

/// Removes a key, and its notice from the queue.
pub fn remove_key(transaction: &mut Transaction, directory: &str, id: &str, key: &ApiKeyRecord) {
    forget_notice(transaction, directory, id, key);
    transaction.delete(keys::api_key(directory, id));
}

/// Takes the notice of a key out of the queue.
pub fn forget_notice(transaction: &mut Transaction, directory: &str, id: &str, key: &ApiKeyRecord) {
    if let Some(time) = key.notice {
        transaction.delete(due(directory, id).key(time));
    }
}

/// Gives the notice that is due for a key, and puts the next one into the queue.
///
/// # Errors
/// Where the storage fails.
pub fn notify(work: &mut Work<'_>, directory: &str, id: &str) -> Result<()> {
    let at = keys::api_key(directory, id);
    let Some(text) = work.transaction.get(at.clone())? else { return Ok(()) };
    let key: ApiKeyRecord = records::read(&at, &text)?;
    let now = work.now.milliseconds;
    // Upkeep may be late: what counts is which notice fits now. There is no notice for a key that has expired.
    let reached = |days: &u32| notice_time(key.expires, *days).is_some_and(|time| time <= now);
    if let Some(days) = DAYS_BEFORE.into_iter().rev().find(reached)
        && now < key.expires
    {
        work.record(ChangeKind::KeyExpiring, Detail { days: Some(days), ..Detail::of_key(directory, id) });
    }
    let key = ApiKeyRecord { notice: next_notice(key.expires, now), ..key };
    store_key(work.transaction, directory, id, &key);
    Ok(())
}

fn due(directory: &str, id: &str) -> Due {
    Due::Key { directory: directory.into(), key: id.into() }
}
