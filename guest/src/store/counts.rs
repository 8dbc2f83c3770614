//! The counts of a directory, changed by whoever does not hold them anyway.

use super::blocks::Ids;
use super::error::{Error, Result};
use super::keys::{self, Kind};
use super::records::{self, Counts, OpenBlock};
use super::transaction::Transaction;

/// The counts of a directory that is connected.
///
/// # Errors
/// Where the storage fails.
pub fn load(transaction: &mut Transaction, directory: &str) -> Result<Counts> {
    let key = keys::counts(directory);
    let text = transaction.get(key.clone())?.ok_or_else(|| Error::corrupt(&key))?;
    records::read(&key, &text)
}

/// Does something that changes the counts of a directory that is connected, and stores them.
///
/// # Errors
/// Where the storage fails, or `work` does.
pub fn with<T, E: From<Error>>(
    transaction: &mut Transaction,
    directory: &str,
    work: impl FnOnce(&mut Transaction, &mut Counts) -> Result<T, E>,
) -> Result<T, E> {
    let mut counts = load(transaction, directory)?;
    let done = work(transaction, &mut counts)?;
    transaction.put(keys::counts(directory), records::write(&counts));
    Ok(done)
}

/// Changes the counts of a directory. One that is disconnected has none by the time that it is swept.
///
/// # Errors
/// Where the storage fails.
pub fn change(transaction: &mut Transaction, directory: &str, change: impl FnOnce(&mut Counts)) -> Result<()> {
    let key = keys::counts(directory);
    if let Some(text) = transaction.get(key.clone())? {
        let mut counts = records::read(&key, &text)?;
        change(&mut counts);
        transaction.put(key, records::write(&counts));
    }
    Ok(())
}

/// Counts a user or group that is new, once it is stored.
///
/// # Errors
/// Where the storage fails.
pub fn add(transaction: &mut Transaction, counts: &mut Counts, ids: Ids<'_>, id: &str) -> Result<()> {
    let (total, open) = of(counts, ids.kind);
    *total = total.saturating_add(1);
    ids.add(transaction, open, id, *total)
}

/// Counts a user or group fewer.
///
/// # Errors
/// Where the storage fails.
pub fn remove(transaction: &mut Transaction, counts: &mut Counts, ids: Ids<'_>, id: &str) -> Result<()> {
    let (total, open) = of(counts, ids.kind);
    *total = total.saturating_sub(1);
    ids.remove(transaction, open, id)
}

/// Divides users or groups into blocks that were stored without them, as many as `entries` are; of a directory that is
/// connected.
///
/// # Errors
/// Where the storage fails.
pub fn divide(transaction: &mut Transaction, ids: Ids<'_>, entries: u64) -> Result<()> {
    if transaction.get(keys::directory(ids.directory))?.is_none() {
        return Ok(());
    }
    with(transaction, ids.directory, |transaction, counts| {
        let (total, open) = of(counts, ids.kind);
        ids.build(transaction, open, *total, entries)
    })
}

/// How many there are of a kind, and the last block of them.
fn of(counts: &mut Counts, kind: Kind) -> (&mut u64, &mut OpenBlock) {
    match kind {
        Kind::User => (&mut counts.users, &mut counts.blocks.users),
        Kind::Group => (&mut counts.groups, &mut counts.blocks.groups),
    }
}
