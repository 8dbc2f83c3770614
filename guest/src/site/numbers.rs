//! Organizations and projects have numbers for ids, in the order in which they were made.

use alloc::string::ToString;

use crate::store::records::{self, OrganizationRecord};
use crate::store::{self, Transaction, keys};

/// The next number of a kind.
///
/// # Errors
/// Where the storage fails.
pub fn next(transaction: &mut Transaction, key: &str) -> store::Result<u64> {
    let last = match transaction.get(key.to_string())? {
        Some(text) => text.parse().map_err(|_| store::Error::corrupt(key))?,
        None => 0_u64,
    };
    let next = last + 1;
    transaction.put(key.to_string(), next.to_string());
    Ok(next)
}

/// Reads the number of an organization or a project from a key or a value.
pub fn parse(key: &str, number: &str) -> store::Result<u64> {
    number.parse().map_err(|_| store::Error::corrupt(key))
}

/// The record of an organization, if there is one, even if it is out of sight.
///
/// # Errors
/// Where the storage fails.
pub fn organization(transaction: &mut Transaction, id: u64) -> store::Result<Option<OrganizationRecord>> {
    let key = keys::organization(id);
    transaction.get(key.clone())?.map(|text| records::read(&key, &text)).transpose()
}
