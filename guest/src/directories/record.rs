//! A directory as it is stored.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::error::{Error, Result};
use crate::engine::Engine;
use crate::store::records::{self, Counts, DirectoryRecord, ProjectRule};
use crate::store::{self, Transaction, keys};
use crate::work::Work;

/// A directory that is connected.
///
/// # Errors
/// [`Error::NotFound`].
pub fn load(transaction: &mut Transaction, id: &str) -> Result<DirectoryRecord> {
    let missing = || Error::NotFound("there is no such directory".to_string());
    if !keys::is_id(id) {
        return Err(missing());
    }
    let key = keys::directory(id);
    let record = transaction.get(key.clone())?;
    Ok(records::read(&key, &record.ok_or_else(missing)?)?)
}

/// The project rules of a directory.
///
/// # Errors
/// Where the storage fails.
pub fn load_rules(transaction: &mut Transaction, id: &str) -> store::Result<Vec<ProjectRule>> {
    let rules = transaction.get(keys::project_rules(id))?;
    read_rules(id, rules)
}

/// Reads the project rules of a directory from the stored value; it has none without one.
///
/// # Errors
/// Where the value cannot be read.
pub fn read_rules(id: &str, rules: Option<String>) -> store::Result<Vec<ProjectRule>> {
    rules.map_or(Ok(Vec::new()), |text| records::read(&keys::project_rules(id), &text))
}

/// Reads the counts of a directory from the stored value.
///
/// # Errors
/// Where the value is missing or cannot be read.
pub fn read_counts(id: &str, counts: Option<String>) -> store::Result<Counts> {
    let key = keys::counts(id);
    records::read(&key, &counts.ok_or_else(|| store::Error::corrupt(&key))?)
}

/// The path of a directory's SCIM base URL.
#[must_use]
pub fn base_path(directory: &str) -> String {
    format!("/scim/directory/{directory}")
}

impl Engine<'_> {
    /// Makes an administrator's change in a directory, and stores its counts.
    pub(crate) fn administer_directory<T>(
        &self,
        actor: &str,
        id: &str,
        mut change: impl FnMut(&mut Work<'_>, &mut Counts) -> Result<T>,
    ) -> Result<T> {
        self.administer(actor, |work| {
            load(work.transaction, id)?;
            let stored = work.transaction.get(keys::counts(id))?;
            let stored = read_counts(id, stored)?;
            let mut counts = stored.clone();
            let done = change(work, &mut counts)?;
            if counts != stored {
                work.transaction.put(keys::counts(id), records::write(&counts));
            }
            Ok(done)
        })
    }
}
