//! The captured bodies of requests: kept beside the log, each no longer than its request, and all together bounded.

use alloc::string::String;

use serde::{Deserialize, Serialize};

use super::activity::{KeptBodies, StatusRecord};
use crate::store::pages::ENTRIES_AT_ONCE;
use crate::store::records;
use crate::store::{self, Transaction, keys, prefix_range};

/// How many bytes the bodies of a directory may take in all. The oldest make room for the next.
const MAX_BYTES: u64 = 4 << 20;

/// The body of a request, as it was captured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CapturedBody {
    /// The body as JSON text, with what is not to be seen replaced by `*`; only its beginning if it was cut. Empty if it
    /// was no JSON: then nothing in it can be told from a secret.
    pub text: String,
    /// How many bytes it had as it came.
    pub bytes: u64,
    /// Whether it was cut.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub cut: bool,
    /// Whether it was captured with values.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub values: bool,
}

/// Keeps the body of a request that is in the log now.
///
/// # Errors
/// Where the storage fails.
pub fn keep(
    transaction: &mut Transaction,
    id: &str,
    status: &mut StatusRecord,
    sequence: u64,
    body: &CapturedBody,
) -> store::Result<()> {
    let text = records::write(body);
    let size = text.len() as u64;
    let mut kept = status.bodies.unwrap_or(KeptBodies { first: sequence, bytes: 0 });
    while kept.bytes > 0 && kept.bytes.saturating_add(size) > MAX_BYTES {
        let Some(oldest) = transaction.scan(&prefix_range(&keys::bodies(id), 1))?.pop() else { break };
        kept.bytes = kept.bytes.saturating_sub(oldest.value.len() as u64);
        transaction.delete(oldest.key);
    }
    transaction.put(keys::body(id, sequence), text);
    kept.bytes = kept.bytes.saturating_add(size);
    status.bodies = Some(kept);
    Ok(())
}

/// Removes the bodies of the requests up to this one, which are no longer in the log: at most a thousand at once.
///
/// # Errors
/// Where the storage fails.
pub fn drop_until(transaction: &mut Transaction, id: &str, status: &mut StatusRecord, last: u64) -> store::Result<()> {
    let Some(mut kept) = status.bodies.filter(|kept| kept.first <= last) else { return Ok(()) };
    let mut range = prefix_range(&keys::bodies(id), ENTRIES_AT_ONCE);
    range.end = keys::body(id, last.saturating_add(1));
    for entry in transaction.scan(&range)? {
        kept.bytes = kept.bytes.saturating_sub(entry.value.len() as u64);
        transaction.delete(entry.key);
    }
    kept.first = last.saturating_add(1);
    status.bodies = Some(kept).filter(|kept| kept.bytes > 0);
    Ok(())
}

/// Removes the bodies that are meant, by the number of their request or their text.
///
/// # Errors
/// Where the storage fails.
pub fn drop_where(
    transaction: &mut Transaction,
    id: &str,
    status: &mut StatusRecord,
    is_meant: impl Fn(u64, &str) -> bool,
) -> store::Result<()> {
    let Some(mut kept) = status.bodies else { return Ok(()) };
    for entry in transaction.scan(&prefix_range(&keys::bodies(id), ENTRIES_AT_ONCE))? {
        let body: CapturedBody = records::read(&entry.key, &entry.value)?;
        let sequence = keys::id_of(&entry.key).parse().map_err(|_| store::Error::corrupt(&entry.key))?;
        if is_meant(sequence, &body.text) {
            kept.bytes = kept.bytes.saturating_sub(entry.value.len() as u64);
            transaction.delete(entry.key);
        }
    }
    status.bodies = Some(kept).filter(|kept| kept.bytes > 0);
    Ok(())
}

/// The body of a request, if it is still kept.
///
/// # Errors
/// Where the storage fails.
pub fn read(transaction: &mut Transaction, id: &str, sequence: u64) -> store::Result<Option<CapturedBody>> {
    let key = keys::body(id, sequence);
    transaction.get(key.clone())?.map(|text| records::read(&key, &text)).transpose()
}
