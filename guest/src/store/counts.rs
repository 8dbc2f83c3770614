//! The counts of a directory, changed by whoever does not hold them anyway.

use super::error::{Error, Result};
use super::keys;
use super::records::{self, Counts};
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
