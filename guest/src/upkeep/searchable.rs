//! From layout 2 to 3: customers and organizations get the entries by which they are found, and are counted.

use alloc::vec::Vec;

use crate::site::standing::{Standing, is_managed, standing};
use crate::site::{index, totals};
use crate::storage::Entry;
use crate::store::keys::{self, Kind};
use crate::store::records::{self, CustomerRecord, Link, OrganizationRecord, Stored, UnlinkedReason};
use crate::store::{self, Result, Transaction};

/// Begins to count: what the stages before have counted are only those that they changed.
pub fn forget_counts(transaction: &mut Transaction, entries: Vec<Entry>) {
    for entry in entries {
        transaction.delete(entry.key);
    }
}

pub fn customer(transaction: &mut Transaction, entry: &Entry) -> Result<()> {
    let mut record: CustomerRecord = records::read(&entry.key, &entry.value)?;
    record.link = holding(transaction, record.link)?;
    index::replace_customer(transaction, keys::id_of(&entry.key), None, Some(&record));
    match &record.link {
        None => totals::add_local(transaction, &record),
        Some(link) if is_managed(transaction, Some(link))? => {
            totals::count_inactive(transaction, &link.directory, [false, !record.active])
        }
        // What leaves with its directory counts nowhere.
        Some(_) => Ok(()),
    }
}

pub fn organization(transaction: &mut Transaction, entry: &Entry) -> Result<()> {
    let mut record: OrganizationRecord = records::read(&entry.key, &entry.value)?;
    let id = keys::id_of(&entry.key).parse().map_err(|_| store::Error::corrupt(&entry.key))?;
    record.link = holding(transaction, record.link)?;
    index::replace_organization(transaction, id, None, Some(&record));
    match &record.link {
        None => totals::count_organization(transaction, keys::SITE, [false, true]),
        Some(link) if is_managed(transaction, Some(link))? => {
            totals::count_organization(transaction, &link.directory, [false, true])
        }
        Some(_) => Ok(()),
    }
}

pub fn projects(transaction: &mut Transaction, number: u32) -> Result<()> {
    totals::count(transaction, keys::SITE, |counts| counts.projects = counts.projects.saturating_add(u64::from(number)))
}

/// Notes from which customer a user was unlinked.
pub fn unlinked(transaction: &mut Transaction, entry: &Entry) -> Result<()> {
    let reason: UnlinkedReason = records::read(&entry.key, &entry.value)?;
    let (directory, user) = keys::two_ids(&entry.key).ok_or_else(|| store::Error::corrupt(&entry.key))?;
    // The users of a directory that was disconnected are being swept.
    if reason != UnlinkedReason::Unlinked || transaction.get(keys::directory(directory))?.is_none() {
        return Ok(());
    }
    let key = Kind::User.resource(directory, user);
    let text = transaction.get(key.clone())?.ok_or_else(|| store::Error::corrupt(&key))?;
    match Stored::read(&key, text)?.header.unlinked {
        Some(customer) => index::count_unlinked(transaction, directory, &customer, true),
        None => Ok(()),
    }
}

/// The link whose directory holds the entry: that of a directory that is gone holds none any more.
fn holding(transaction: &mut Transaction, link: Option<Link>) -> Result<Option<Link>> {
    Ok(if standing(transaction, link.as_ref())? == Standing::Local { None } else { link })
}
