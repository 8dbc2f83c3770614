//! The API keys of a directory.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::activity::{load_status, put_status};
use super::api_key;
use super::error::{Error, Result};
use super::notices::{next_notice, remove_key, store_key};
use super::record::load;
use crate::engine::Engine;
use crate::store::feed::{ChangeKind, Detail};
use crate::store::records::{self, ApiKeyRecord};
use crate::store::{self, Transaction, keys, prefix_range};
use crate::work::Work;

/// How many working keys a directory may have: the current one, those that overlap with it, and room for mistakes.
const MAX_KEYS: u32 = 20;

/// An API key without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Its id, the part of the token before the dot.
    pub id: String,
    /// When it was issued, in milliseconds since the Unix epoch.
    pub created_at: u64,
    /// When it stops working, likewise.
    pub expires_at: u64,
}

/// An API key with its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedKey {
    /// The bearer token.
    pub api_key: String,
    /// The same key without its secret.
    pub key: Key,
}

impl Engine<'_> {
    /// The keys of a directory that work, oldest first.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn keys(&self, id: &str) -> Result<Vec<Key>> {
        let now = self.now().milliseconds;
        self.read(|transaction| {
            load(transaction, id)?;
            let records = load_keys(transaction, id)?;
            Ok(records
                .into_iter()
                .filter(|(_, record)| now < record.expires)
                .map(|(key, record)| describe_key(key, &record))
                .collect())
        })
    }

    /// Issues a new key. The keys that worked until now stop working after the overlap.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Refused`] where too many keys still work.
    pub fn rotate_key(&self, actor: &str, id: &str, overlap_seconds: u32) -> Result<IssuedKey> {
        self.administer(actor, |work| {
            load(work.transaction, id)?;
            rotate(self, work, id, overlap_seconds)
        })
    }

    /// Revokes a key at once.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn revoke_key(&self, actor: &str, id: &str, key_id: &str) -> Result<()> {
        self.administer(actor, |work| {
            let transaction = &mut *work.transaction;
            load(transaction, id)?;
            let missing = || Error::NotFound("the directory has no such key".to_string());
            if !keys::is_id(key_id) {
                return Err(missing());
            }
            let at = keys::api_key(id, key_id);
            let record = transaction.get(at.clone())?.ok_or_else(missing)?;
            remove_key(transaction, id, key_id, &records::read(&at, &record)?);
            forget_use(transaction, id, key_id)?;
            work.record(ChangeKind::KeyRevoked, Detail::of_key(id, key_id));
            Ok(())
        })
    }
}

/// Issues a new key of a directory that is connected. The keys that worked until now stop working after the overlap.
///
/// # Errors
/// [`Error::Refused`] where too many keys still work.
pub fn rotate(engine: &Engine<'_>, work: &mut Work<'_>, id: &str, overlap_seconds: u32) -> Result<IssuedKey> {
    let (transaction, now) = (&mut *work.transaction, work.now.milliseconds);
    let end_of_overlap = now.saturating_add(u64::from(overlap_seconds) * 1_000);
    let mut working = 0;
    for (old_id, old) in load_keys(transaction, id)? {
        remove_key(transaction, id, &old_id, &old);
        let expires = old.expires.min(end_of_overlap);
        if expires <= now {
            forget_use(transaction, id, &old_id)?;
        } else {
            working += 1;
            let notice = if expires == old.expires { old.notice } else { next_notice(expires, now) };
            store_key(transaction, id, &old_id, &ApiKeyRecord { expires, notice, ..old });
        }
    }
    if working >= MAX_KEYS {
        return Err(Error::Refused(format!("{MAX_KEYS} keys still work; revoke some first")));
    }
    let (api_key, key_id, key) = api_key::issue(engine, work.now);
    store_key(transaction, id, &key_id, &key);
    work.record(ChangeKind::KeyIssued, Detail::of_key(id, &key_id));
    Ok(IssuedKey { api_key, key: describe_key(key_id, &key) })
}

/// Forgets when a key was last used that is no longer there.
fn forget_use(transaction: &mut Transaction, id: &str, key: &str) -> store::Result<()> {
    let mut status = load_status(transaction, id)?;
    if status.uses.of(key).is_some() {
        status.uses.forget(key);
        put_status(transaction, id, &status);
    }
    Ok(())
}

/// The keys of a directory as they are stored, oldest first.
///
/// # Errors
/// Where the storage fails.
pub fn load_keys(transaction: &mut Transaction, id: &str) -> store::Result<Vec<(String, ApiKeyRecord)>> {
    // Expired keys are removed whenever a new one is issued, so twice the number of working ones is never reached.
    let entries = transaction.scan(&prefix_range(&keys::api_keys(id), 2 * MAX_KEYS))?;
    entries
        .into_iter()
        .map(|entry| Ok((keys::id_of(&entry.key).to_string(), records::read(&entry.key, &entry.value)?)))
        .collect()
}

/// A key without its secret.
#[must_use]
pub fn describe_key(id: String, record: &ApiKeyRecord) -> Key {
    Key { id, created_at: record.created, expires_at: record.expires }
}
