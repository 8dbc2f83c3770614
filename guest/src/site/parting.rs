//! Organizations that are unlinked from their group and keep the members that they had. The members of a group are not
//! stored twice, so they are copied: a page of them at once, the rest by upkeep. Until that is done, those of the group
//! count as well, and whoever leaves the group without having been copied is no member any more.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::error::{Error, Result};
use super::holders::{Holder, customers_of, forget_members, in_sight, own_holder, own_sweep};
use super::{index, numbers, totals};
use crate::store::edges;
use crate::store::feed::{ChangeKind, Detail};
use crate::store::keys::{self, Kind};
use crate::store::pages::ENTRIES_AT_ONCE;
use crate::store::records::{self, Due, Link, OrganizationRecord, Parted};
use crate::store::{self, Transaction, prefix_range};
use crate::work::Work;

/// Makes a managed organization local. Its members stay. Those on probation are members like any other from now on.
///
/// # Errors
/// Where the storage fails.
pub fn begin(work: &mut Work<'_>, id: u64, old: &OrganizationRecord, link: &Link) -> store::Result<()> {
    let parted = Some(Parted { link: link.clone(), after: Some(String::new()) });
    let record = OrganizationRecord { link: None, restored: false, parted, ..old.clone() };
    work.transaction.put(keys::organization(id), records::write(&record));
    index::replace_organization(work.transaction, id, Some(old), Some(&record));
    totals::count_organization(work.transaction, &link.directory, [true, false])?;
    totals::count_organization(work.transaction, keys::SITE, [false, true])?;
    let (directory, group) = (Some(link.directory.clone()), Some(link.resource.clone()));
    work.record(ChangeKind::OrganizationUnlinked, Detail { directory, group, ..Detail::of_organization(id) });
    go_on(work, id)
}

/// Copies a page of members. After the last one, the organization has nothing to do with the group any more.
///
/// # Errors
/// Where the storage fails.
pub fn go_on(work: &mut Work<'_>, id: u64) -> store::Result<()> {
    let Some(mut record) = numbers::organization(work.transaction, id)? else { return Ok(()) };
    let Some(Parted { link, after: Some(after) }) = record.parted.clone() else { return Ok(()) };
    let (group, own) = (&link.resource, own_holder(id, &record));
    let mut range = prefix_range(&keys::members(group), ENTRIES_AT_ONCE);
    range.keys_only = true;
    if !after.is_empty() {
        range.start = keys::next(&keys::member(group, &after));
    }
    let entries = work.transaction.scan(&range)?;
    let users: Vec<&str> = entries.iter().map(|entry| keys::id_of(&entry.key)).collect();
    let customers = customers_of(work.transaction, &Holder::lasting(group.clone()), &users)?;
    let customers: Vec<String> = customers.into_iter().map(|(_, customer)| customer).collect();
    for (customer, _) in in_sight(work.transaction, &customers)? {
        edges::add(work.transaction, &own, &customer, "");
    }
    let last = users.last().filter(|_| users.len() >= range.limit as usize).map(ToString::to_string);
    if last.is_some() {
        let due = Due::Parting(id);
        work.transaction.put(due.key(work.now.milliseconds), records::write(&due));
    } else if work.transaction.get(keys::organization_of(group))? == Some(keys::number(id)) {
        if work.transaction.get(Kind::Group.resource(&link.directory, group))?.is_some() {
            work.transaction.delete(keys::organization_of(group));
        } else {
            // The group has gone with its directory meanwhile, and its members were left for this.
            forget_members(work.transaction, group)?;
        }
    }
    record.parted = Some(Parted { link, after: last });
    work.transaction.put(keys::organization(id), records::write(&record));
    Ok(())
}

/// Leaves the members of a deleted group to the organization to which they are still being copied, if there is one.
/// Returns whether there is.
///
/// # Errors
/// Where the storage fails.
pub fn keep_members(work: &mut Work<'_>, group: &str) -> store::Result<bool> {
    let Some(number) = work.transaction.get(keys::organization_of(group))? else { return Ok(false) };
    let id = numbers::parse(&keys::organization_of(group), &number)?;
    let Some(mut record) = numbers::organization(work.transaction, id)? else { return Ok(false) };
    let Some(parted) = record.parted.take_if(|parted| parted.link.resource == group) else { return Ok(false) };
    record.former = Some(parted.link.resource);
    work.transaction.put(keys::organization(id), records::write(&record));
    Ok(true)
}

/// Refuses to give a group an organization while its members are being copied to the one that it had.
///
/// # Errors
/// [`Error::Refused`].
pub fn check_group_done(transaction: &mut Transaction, group: &str) -> Result<()> {
    let key = keys::organization_of(group);
    let Some(number) = transaction.get(key.clone())? else { return Ok(()) };
    let record = numbers::organization(transaction, numbers::parse(&key, &number)?)?;
    record.map_or(Ok(()), |record| check_done(&record))
}

/// Refuses what needs the place of an organization's own members while members that it had are still being removed from
/// there: who came now would go with them.
///
/// # Errors
/// [`Error::Refused`].
pub fn check_swept(transaction: &mut Transaction, id: u64, record: &OrganizationRecord) -> Result<()> {
    if transaction.get(own_sweep(id, record))?.is_some() {
        let detail = "members that the organization had are still being removed; try again in a moment";
        return Err(Error::Refused(detail.to_string()));
    }
    Ok(())
}

/// Refuses what cannot be done to an organization while its members are being copied.
///
/// # Errors
/// [`Error::Refused`].
pub fn check_done(record: &OrganizationRecord) -> Result<()> {
    if record.parted.as_ref().is_some_and(|parted| parted.after.is_some()) {
        let detail = "the members of the organization are being copied from its former group; try again in a moment";
        return Err(Error::Refused(detail.to_string()));
    }
    Ok(())
}
