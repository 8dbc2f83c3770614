//! The counts of a directory, changed by upkeep.

use crate::store::records::{self, Counts};
use crate::store::{Result, Transaction, keys};

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
