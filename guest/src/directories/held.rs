//! Deletions and deactivations that are held: who waits for them, and letting them through.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::activity::{StatusRecord, load_status, put_status};
use super::error::{Error, Result};
use super::record::load;
use crate::engine::Engine;
use crate::store::feed::{ChangeKind, Detail};
use crate::store::keys::{self, Kind};
use crate::store::pages::{Page, scan_ids};
use crate::store::records::{self, HeldRecord};
use crate::store::{self, Transaction, prefix_range};

/// How many are listed in a directory. More are held, and not listed.
const MAX_LISTED: u32 = 1_000;

/// A user or group whose deletion or deactivation is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldDeletion {
    /// Whether it is a user or a group.
    pub kind: Kind,
    /// Its id.
    pub id: String,
    /// Its `userName` or `displayName`.
    pub name: String,
    /// Whether it is to be deleted; otherwise it is to be deactivated.
    pub deletes: bool,
    /// When that was first asked for, in milliseconds since the Unix epoch.
    pub since: u64,
}

impl Engine<'_> {
    /// The users and groups of a directory whose deletion or deactivation is held, at most a thousand of them, in the
    /// order in which they were made. They are listed until the deletions are released.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Invalid`] for a limit or cursor that is not valid.
    pub fn held(&self, id: &str, cursor: Option<&str>, limit: u32) -> Result<Page<HeldDeletion>> {
        self.read(|transaction| {
            load(transaction, id)?;
            let Page { values, next } = scan_ids::<Error>(transaction, &keys::all_held(id), cursor, limit)?;
            let values = values.iter().map(|entry| {
                let HeldRecord { kind, name, deletes, since } = records::read(&entry.key, &entry.value)?;
                Ok(HeldDeletion { kind, id: keys::id_of(&entry.key).to_string(), name, deletes, since })
            });
            Ok(Page { values: values.collect::<Result<_>>()?, next })
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
            drop_list(transaction, id)?;
            status.release(work.now.milliseconds);
            put_status(transaction, id, &status);
            work.record(ChangeKind::DeletionsReleased, Detail::of_directory(id));
            Ok(())
        })
    }
}

/// Lists those whose deletion or deactivation a request has wanted in vain, unless they are listed. A client that tries
/// again and again writes nothing here.
///
/// # Errors
/// Where the storage fails.
pub fn list(
    transaction: &mut Transaction,
    directory: &str,
    status: &mut StatusRecord,
    held: &[(String, HeldRecord)],
) -> store::Result<()> {
    let keys: Vec<String> = held.iter().map(|(id, _)| keys::held(directory, id)).collect();
    let listed = transaction.get_many(keys.clone())?;
    for ((key, (_, record)), listed) in keys.into_iter().zip(held).zip(listed) {
        if listed.is_none() && status.listed_held < MAX_LISTED {
            transaction.put(key, records::write(record));
            status.listed_held += 1;
        }
    }
    Ok(())
}

/// Takes one off the list that is gone.
///
/// # Errors
/// Where the storage fails.
pub fn take_off(
    transaction: &mut Transaction,
    directory: &str,
    status: &mut StatusRecord,
    id: &str,
) -> store::Result<()> {
    let key = keys::held(directory, id);
    if status.listed_held > 0 && transaction.get(key.clone())?.is_some() {
        transaction.delete(key);
        status.listed_held -= 1;
    }
    Ok(())
}

fn drop_list(transaction: &mut Transaction, id: &str) -> store::Result<()> {
    let mut range = prefix_range(&keys::all_held(id), MAX_LISTED);
    range.keys_only = true;
    for entry in transaction.scan(&range)? {
        transaction.delete(entry.key);
    }
    Ok(())
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
    let eased = StatusRecord { held: false, listed_held: 0, deletions, ..status.clone() };
    if eased != status {
        drop_list(transaction, id)?;
        put_status(transaction, id, &eased);
    }
    Ok(())
}
