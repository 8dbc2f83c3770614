//! How deleted customers and organizations are kept until they are restored or erased.

use alloc::string::ToString;
use alloc::vec::Vec;

use super::settings;
use crate::engine::DAY_MS;
use crate::store::keys;
use crate::store::records::{
    self, CustomerRecord, DeletedCustomerRecord, DeletedOrganizationRecord, Due, Link, OrganizationRecord,
    ToForgetRecord,
};
use crate::store::{self, Transaction};
use crate::work::Work;

/// How long what is deleted can be restored, in milliseconds; 0 if it is erased at once.
///
/// # Errors
/// Where the settings of the site cannot be read.
pub fn retention(work: &Work<'_>) -> store::Result<u64> {
    Ok(u64::from(settings::numbers(work.settings)?.retention_days) * DAY_MS)
}

/// Leaves it to upkeep to have the log of a directory forget what is erased: `followed` is the user or group of it.
pub fn have_log_forget(work: &mut Work<'_>, followed: Option<&Link>, names: &[&str]) {
    let Some(Link { directory, resource }) = followed else { return };
    let names = names.iter().map(ToString::to_string).collect();
    work.transaction.put(keys::to_forget(directory, resource), records::write(&ToForgetRecord { names }));
}

/// Keeps a deleted customer.
pub fn keep_customer(work: &mut Work<'_>, id: &str, record: CustomerRecord, followed: Option<Link>, retention: u64) {
    let deleted = work.now.milliseconds;
    let until = deleted.saturating_add(retention);
    let due = Due::Customer(id.to_string());
    work.transaction.put(due.key(until), records::write(&due));
    let kept = DeletedCustomerRecord { record, followed, deleted, until };
    work.transaction.put(keys::deleted_customer(id), records::write(&kept));
}

/// Keeps a deleted organization.
pub fn keep_organization(
    work: &mut Work<'_>,
    id: u64,
    record: OrganizationRecord,
    followed: Option<Link>,
    projects: Vec<u64>,
    retention: u64,
) {
    let deleted = work.now.milliseconds;
    let until = deleted.saturating_add(retention);
    let due = Due::Organization(id);
    work.transaction.put(due.key(until), records::write(&due));
    let kept = DeletedOrganizationRecord { record, followed, projects, deleted, until };
    work.transaction.put(keys::deleted_organization(id), records::write(&kept));
}

/// The record of a deleted customer, if there is one.
///
/// # Errors
/// Where the storage fails.
pub fn customer(transaction: &mut Transaction, id: &str) -> store::Result<Option<DeletedCustomerRecord>> {
    if !keys::is_id(id) {
        return Ok(None);
    }
    let key = keys::deleted_customer(id);
    transaction.get(key.clone())?.map(|text| records::read(&key, &text)).transpose()
}

/// The record of a deleted organization, if there is one.
pub fn organization(transaction: &mut Transaction, id: u64) -> store::Result<Option<DeletedOrganizationRecord>> {
    let key = keys::deleted_organization(id);
    transaction.get(key.clone())?.map(|text| records::read(&key, &text)).transpose()
}

pub fn take_customer(work: &mut Work<'_>, id: &str, kept: &DeletedCustomerRecord) {
    work.transaction.delete(Due::Customer(id.to_string()).key(kept.until));
    work.transaction.delete(keys::deleted_customer(id));
}

pub fn take_organization(work: &mut Work<'_>, id: u64, kept: &DeletedOrganizationRecord) {
    work.transaction.delete(Due::Organization(id).key(kept.until));
    work.transaction.delete(keys::deleted_organization(id));
}
