//! Histories, as they are removed: with the customer or organization to which they belong.

use super::error::Result;
use super::pages::count;
use super::transaction::{Transaction, prefix_range};
use crate::storage::Range;

/// Removes up to `limit` entries of the history whose keys begin with this prefix. Returns how many, and whether others
/// remain.
///
/// # Errors
/// Where the storage fails.
pub fn drop_entries(transaction: &mut Transaction, prefix: &str, limit: u32) -> Result<(u32, bool)> {
    let range = Range { keys_only: true, ..prefix_range(prefix, limit.saturating_add(1)) };
    let mut entries = transaction.scan(&range)?;
    let more = entries.len() > limit as usize;
    entries.truncate(limit as usize);
    let removed = count(entries.len());
    for entry in entries {
        transaction.delete(entry.key);
    }
    Ok((removed, more))
}
