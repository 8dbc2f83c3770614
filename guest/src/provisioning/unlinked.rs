//! Users that are linked to no customer.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::directories::record::load;
use crate::directories::{Error, Result};
use crate::engine::Engine;
use crate::json::Value;
use crate::store::keys::{self, Kind};
use crate::store::pages::{Page, scan_ids};
pub use crate::store::records::UnlinkedReason;
use crate::store::records::{self, Counts, Stored};
use crate::store::{self, Transaction};

/// A user that is linked to no customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnlinkedUser {
    /// The id of the user.
    pub id: String,
    /// Its user name.
    pub user_name: String,
    /// Why it is linked to no customer.
    pub reason: UnlinkedReason,
    /// The customer from which an administrator has unlinked it, if one has.
    pub customer: Option<String>,
}

/// Notes why a user is linked to no customer, and counts it; `None` if it is linked or deleted.
///
/// # Errors
/// Where the storage fails.
pub(crate) fn note(
    transaction: &mut Transaction,
    counts: &mut Counts,
    directory: &str,
    user: &str,
    reason: Option<UnlinkedReason>,
) -> store::Result<()> {
    let key = keys::unlinked(directory, user);
    counts.count_unlinked(self::reason(transaction, directory, user)?, reason);
    match reason {
        Some(reason) => transaction.put(key, records::write(&reason)),
        None => transaction.delete(key),
    }
    Ok(())
}

/// Why a user is linked to no customer; `None` if it is linked.
///
/// # Errors
/// Where the storage fails.
pub(crate) fn reason(
    transaction: &mut Transaction,
    directory: &str,
    user: &str,
) -> store::Result<Option<UnlinkedReason>> {
    let key = keys::unlinked(directory, user);
    transaction.get(key.clone())?.map(|text| records::read(&key, &text)).transpose()
}

impl Engine<'_> {
    /// The users of a directory that are linked to no customer.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Invalid`] for a limit or cursor that is not valid.
    pub fn unlinked(&self, directory: &str, cursor: Option<&str>, limit: u32) -> Result<Page<UnlinkedUser>> {
        self.read(|transaction| {
            load(transaction, directory)?;
            let prefix = keys::all_unlinked(directory);
            let Page { values: entries, next } = scan_ids::<Error>(transaction, &prefix, cursor, limit)?;
            let at = |id: &str| Kind::User.resource(directory, id);
            let users = transaction.get_many(entries.iter().map(|entry| at(keys::id_of(&entry.key))).collect())?;
            let mut values = Vec::with_capacity(entries.len());
            for (entry, user) in entries.iter().zip(users) {
                let id = keys::id_of(&entry.key);
                let user = Stored::read(&at(id), user.ok_or_else(|| store::Error::corrupt(&entry.key))?)?;
                let attributes = user.attributes(&entry.key)?;
                let name = attributes.get("userName").and_then(Value::as_str).unwrap_or_default();
                values.push(UnlinkedUser {
                    id: id.to_string(),
                    user_name: name.to_string(),
                    reason: records::read(&entry.key, &entry.value)?,
                    customer: user.header.unlinked.clone(),
                });
            }
            Ok(Page { values, next })
        })
    }
}
