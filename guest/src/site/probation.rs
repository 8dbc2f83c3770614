//! Probation: restored customers are members of managed organizations for a time, although their users are gone.
//!
//! A customer whose user is deleted keeps the memberships from the user's groups as its own. While the organization is
//! managed, they have no effect until the customer is restored, and then for a time: the customer is on probation. That
//! ends when the directory says anything about the customer's membership, when an administrator repairs the group, or
//! when the time is over. If the directory or the group is removed before that, the customer is a member like any
//! other.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::holders::{self, Holder, difference, holders, managed_holders, own_holder, record_members, remove_all};
use super::standing::is_managed;
use super::{customers, numbers};
use crate::engine::Moment;
use crate::storage::Entry;
use crate::store::edges::{self, end_of};
use crate::store::feed::ChangeKind;
use crate::store::pages::ENTRIES_AT_ONCE;
use crate::store::records::{self, DirectoryRecord, Due, Link, OrganizationRecord};
use crate::store::{self, Transaction, keys, prefix_range};
use crate::work::Work;

/// Leaves it to upkeep to give the memberships of a restored customer their end, those after the holder `after`.
pub(super) fn go_on_later(transaction: &mut Transaction, customer: &str, after: Option<&str>, now: &Moment) {
    let due = Due::Restored { customer: customer.to_string(), after: after.map(ToString::to_string) };
    transaction.put(due.key(now.milliseconds), records::write(&due));
}

/// Puts a restored customer on probation in the managed organizations that its user made it a member of, for the grace
/// of the directory. A probation that has begun already is not prolonged. Begins after the holder `after`, does one
/// page of memberships, and leaves the rest to upkeep.
///
/// # Errors
/// Where the storage fails.
pub fn begin(work: &mut Work<'_>, customer: &str, after: Option<&str>) -> store::Result<()> {
    if customers::visible(work.transaction, customer)?.is_none() {
        return Ok(());
    }
    let mut range = prefix_range(&keys::own_memberships(customer), ENTRIES_AT_ONCE);
    if let Some(after) = after {
        range.start = keys::next(&keys::member_of(customer, after));
    }
    let entries = work.transaction.scan(&range)?;
    let now = work.now.milliseconds;
    for (id, holder, value, grace) in of_managed(work.transaction, &entries)? {
        let until = match end_of(&value) {
            None => now.saturating_add(u64::from(grace) * 1_000),
            Some(end) => end,
        };
        if until <= now {
            edges::remove_stored(work.transaction, holder, customer, &value);
            continue;
        }
        edges::add(work.transaction, holder, customer, &until.to_string());
        let due = Due::Probation { holder: holder.to_string(), customer: customer.to_string() };
        work.transaction.put(due.key(until), records::write(&due));
        record_members(work, id, ChangeKind::OrganizationMembersAdded, &[customer.to_string()]);
    }
    for id in of_local(work.transaction, &entries, now)? {
        record_members(work, id, ChangeKind::OrganizationMembersAdded, &[customer.to_string()]);
    }
    if let Some(last) = entries.last().filter(|_| entries.len() >= range.limit as usize) {
        go_on_later(work.transaction, customer, Some(keys::id_of(&last.key)), work.now);
    }
    Ok(())
}

/// Those of a customer's own memberships that are, or are to be, on probation: for each the organization, the holder,
/// the stored value, and the grace of the directory in seconds.
fn of_managed<'e>(
    transaction: &mut Transaction,
    entries: &'e [Entry],
) -> store::Result<Vec<(u64, &'e str, String, u32)>> {
    let own = entries.iter().map(|entry| (keys::id_of(&entry.key), entry));
    let own: Vec<(u64, &str, &Entry)> =
        own.filter_map(|(holder, entry)| Some((keys::owner(holder)?, holder, entry))).collect();
    let found = transaction.get_many(own.iter().map(|(id, _, _)| keys::organization(*id)).collect())?;
    let mut linked = Vec::new();
    for ((id, holder, entry), text) in own.into_iter().zip(found) {
        let Some(text) = text else { continue };
        let record: OrganizationRecord = records::read(keys::ALL_ORGANIZATIONS, &text)?;
        if own_holder(id, &record) == holder
            && let Some(Link { directory, .. }) = record.link
        {
            linked.push((id, holder, entry.value.clone(), directory));
        }
    }
    let directories: BTreeSet<String> = linked.iter().map(|(.., directory)| directory.clone()).collect();
    let found = transaction.get_many(directories.iter().map(|directory| keys::directory(directory)).collect())?;
    let mut graces = BTreeMap::new();
    for (directory, text) in directories.iter().zip(found) {
        if let Some(text) = text {
            let record: DirectoryRecord = records::read(keys::ALL_DIRECTORIES, &text)?;
            graces.insert(directory.as_str(), record.adoption_grace);
        }
    }
    let managed = linked.iter().filter_map(|(id, holder, value, directory)| {
        graces.get(directory.as_str()).map(|grace| (*id, *holder, value.clone(), *grace))
    });
    Ok(managed.collect())
}

/// The organizations in which these own memberships of a restored customer count at once, because no directory decides
/// about them.
fn of_local(transaction: &mut Transaction, entries: &[Entry], now: u64) -> store::Result<BTreeSet<u64>> {
    let mut local = BTreeSet::new();
    for entry in entries {
        let holder = keys::id_of(&entry.key);
        let Some(id) = keys::owner(holder) else { continue };
        let Some(record) = numbers::organization(transaction, id)? else { continue };
        let holders = holders(transaction, id, &record, now)?;
        if holders.iter().any(|known| known.name == holder && known.probation_at.is_none()) {
            local.insert(id);
        }
    }
    Ok(local)
}

/// Ends a probation whose time has come. If no directory manages the organization by then, the customer is a member
/// like any other.
///
/// # Errors
/// Where the storage fails.
pub fn end(work: &mut Work<'_>, holder: &str, customer: &str) -> store::Result<()> {
    let Some(value) = work.transaction.get(keys::member(holder, customer))? else { return Ok(()) };
    if end_of(&value).is_none_or(|end| work.now.milliseconds < end) {
        return Ok(());
    }
    let id = keys::owner(holder).ok_or_else(|| store::Error::corrupt(holder))?;
    let record = numbers::organization(work.transaction, id)?.filter(|record| own_holder(id, record) == holder);
    let is_managed = is_managed(work.transaction, record.as_ref().and_then(|record| record.link.as_ref()))?;
    if !is_managed {
        edges::add(work.transaction, holder, customer, "");
        return Ok(());
    }
    edges::remove_stored(work.transaction, holder, customer, &value);
    record_gone(work, id, &[customer.to_string()])
}

/// Notes in the change feed which of these customers, whose probation is over, are no longer members.
///
/// # Errors
/// Where the storage fails.
pub fn record_gone(work: &mut Work<'_>, id: u64, customers: &[String]) -> store::Result<()> {
    if customers.is_empty() {
        return Ok(());
    }
    let Some(record) = numbers::organization(work.transaction, id)? else { return Ok(()) };
    let holders = holders(work.transaction, id, &record, work.now.milliseconds)?;
    let mut gone = Vec::new();
    for customers in customers.chunks(ENTRIES_AT_ONCE as usize) {
        let customers = holders::in_sight(work.transaction, customers)?;
        gone.extend(holders::without(work.transaction, &holders, &customers)?);
    }
    record_members(work, id, ChangeKind::OrganizationMembersRemoved, &gone);
    Ok(())
}

/// The customers who are on probation in a managed organization, in order of their ids: those who are members through
/// nothing else, each with its end.
///
/// # Errors
/// Where the storage fails.
pub fn list(
    transaction: &mut Transaction,
    id: u64,
    record: &OrganizationRecord,
    now: u64,
) -> store::Result<Vec<(String, u64)>> {
    let mut holders = managed_holders(id, record, now);
    let Some(own) = holders.pop_if(|holder| holder.probation_at.is_some()) else { return Ok(Vec::new()) };
    let mut customers = Vec::new();
    difference(transaction, core::slice::from_ref(&own), &holders, |customer| customers.push(customer))?;
    let values = transaction.get_many(customers.iter().map(|customer| keys::member(&own.name, customer)).collect())?;
    let ends = values.into_iter().map(|value| value.and_then(|value| end_of(&value)));
    Ok(customers.into_iter().zip(ends).filter_map(|(customer, end)| Some((customer, end?))).collect())
}

/// Ends the probation of customers in an organization before its time.
///
/// # Errors
/// Where the storage fails.
pub fn end_early(work: &mut Work<'_>, id: u64, record: &OrganizationRecord, customers: &[String]) -> store::Result<()> {
    let own = Holder::lasting(own_holder(id, record));
    remove_all(work.transaction, customers.iter().map(|customer| (&own, customer.as_str())))?;
    record_gone(work, id, customers)
}

/// Ends the probation of the customers of users who were added to the group of an organization: they are members
/// through the group now.
///
/// # Errors
/// Where the storage fails.
pub fn confirm(work: &mut Work<'_>, id: u64, users: &[String]) -> store::Result<()> {
    let Some(record) = numbers::organization(work.transaction, id)?.filter(|record| record.restored) else {
        return Ok(());
    };
    let own = Holder::lasting(own_holder(id, &record));
    for chunk in users.chunks(ENTRIES_AT_ONCE as usize) {
        let customers = work.transaction.get_many(chunk.iter().map(|user| keys::customer_of(user)).collect())?;
        let customers: Vec<String> = customers.into_iter().flatten().collect();
        remove_all(work.transaction, customers.iter().map(|customer| (&own, customer.as_str())))?;
    }
    Ok(())
}

/// Has upkeep put restored customers on probation if they have one of these own memberships without an end: layout 1
/// had no ends.
///
/// # Errors
/// Where the storage fails.
pub fn find_without_end(transaction: &mut Transaction, entries: &[Entry], now: &Moment) -> store::Result<()> {
    let without = entries.iter().filter(|entry| entry.value.is_empty());
    let customers: BTreeSet<&str> = without.map(|entry| keys::id_of(&entry.key)).collect();
    let found = transaction.get_many(customers.iter().map(|customer| keys::customer(customer)).collect())?;
    for (customer, _) in customers.iter().zip(found).filter(|(_, found)| found.is_some()) {
        go_on_later(transaction, customer, None, now);
    }
    Ok(())
}
