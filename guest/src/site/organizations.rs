//! Organizations: named sets of customers. The members of one that is linked to a group *are* the group's; no membership
//! is stored twice.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::customers::{self, Customer};
use super::{Error, Page, Position, Result, Work, bin, check_limit, check_local, is_managed, scan_page};
use crate::engine::Engine;
use crate::error::{Error as Failure, Result as ScimResult};
use crate::scim::members::{self, SWEPT_AT_ONCE};
use crate::store::keys::{self, Association};
use crate::store::records::{
    self, ConflictPolicy, CustomerRecord, Detail, Due, Link, OrganizationRecord, Retained, Sweep,
};
use crate::store::{Transaction, prefix_range};

/// The longest name, in characters.
const MAX_NAME_CHARACTERS: usize = 200;

/// How many memberships are read at once while an organization is gone through.
const MEMBERS_AT_ONCE: u32 = 1_000;

/// How many customers one call may add or remove.
const MAX_CUSTOMERS_PER_CALL: usize = 1_000;

/// How many projects an organization can be associated with; a site has far fewer.
const MAX_PROJECTS: u32 = 10_000;

/// An organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// Its number.
    pub id: u64,
    /// The name, 1 to 200 characters.
    pub name: String,
    /// A UUID, which clients of the reference product expect besides the number.
    pub uuid: String,
    /// When it was made, in milliseconds since the Unix epoch.
    pub created_at: u64,
    /// The directory that manages it; none for a local one.
    pub managed_by: Option<String>,
    /// The group that it is linked to, while it is managed.
    pub group: Option<String>,
}

/// Makes or adopts the organization of a group that is first pushed; none where the policy leaves a local one alone.
/// Without a grace, only the group's members are members of an adopted one from now on.
///
/// # Errors
/// 409 `uniqueness` when the name is a managed organization's, or a local one's and the policy says so.
pub fn provision(
    work: &mut Work<'_>,
    link: Link,
    name: &str,
    policy: ConflictPolicy,
    grace_seconds: Option<u32>,
) -> ScimResult<Option<u64>> {
    let Some((id, old)) = named(work.transaction, name)? else { return create(work, link, name).map(Some) };
    if is_managed(work.transaction, old.link.as_ref())? {
        return Err(Failure::uniqueness("a managed organization has this name already"));
    }
    match policy {
        ConflictPolicy::Reject => Err(Failure::uniqueness("an organization of the site has this name")),
        ConflictPolicy::Skip => {
            let (directory, group) = (Some(link.directory), Some(link.resource));
            work.record("organization.conflict", Detail { directory, group, ..of_organization(id) });
            Ok(None)
        }
        ConflictPolicy::Sync => {
            adopt(work, id, old, link, grace_seconds)?;
            Ok(Some(id))
        }
    }
}

/// Makes the organization of a group.
fn create(work: &mut Work<'_>, link: Link, name: &str) -> ScimResult<u64> {
    let group = link.resource.clone();
    let record = OrganizationRecord {
        name: name.trim().to_string(),
        uuid: uuid(&group),
        created: work.now.milliseconds,
        link: Some(link),
        former: None,
        restored: false,
        retained: None,
    };
    let id = insert(work, &record)?;
    work.transaction.put(keys::organization_of(&group), keys::number(id));
    work.record("organization.created", Detail { group: Some(group), ..of_organization(id) });
    Ok(id)
}

/// Makes a local organization a group's. Without a grace, whoever is no member of the group is out at once.
fn adopt(
    work: &mut Work<'_>,
    id: u64,
    old: OrganizationRecord,
    link: Link,
    grace_seconds: Option<u32>,
) -> ScimResult<()> {
    let group = link.resource.clone();
    let holders = match grace_seconds {
        Some(_) => holders(work.transaction, id, &old, work.now.milliseconds)?,
        None => Vec::new(),
    };
    for holder in all_holders(id, &old).iter().filter(|holder| !holders.contains(holder)) {
        forget_members(work.transaction, holder)?;
    }
    let due = Due::Adoption(id);
    if let Some(retained) = &old.retained {
        work.transaction.delete(due.key(retained.until));
    }
    let retained = grace_seconds.map(|grace| {
        let until = work.now.milliseconds.saturating_add(u64::from(grace) * 1_000);
        work.transaction.put(due.key(until), records::write(&due));
        Retained { until, holders }
    });
    let record = OrganizationRecord { link: Some(link), former: None, restored: false, retained, ..old };
    work.transaction.put(keys::organization(id), records::write(&record));
    work.transaction.put(keys::organization_of(&group), keys::number(id));
    work.record("organization.adopted", Detail { group: Some(group), ..of_organization(id) });
    Ok(())
}

/// The organization of this name, where there is one.
///
/// # Errors
/// Where the storage fails.
pub fn named(transaction: &mut Transaction, name: &str) -> ScimResult<Option<(u64, OrganizationRecord)>> {
    let Some(number) = transaction.get(keys::organization_name(name))? else { return Ok(None) };
    let id = parse(keys::organization_name(""), &number)?;
    let record = load(transaction, id)?.ok_or_else(|| records::corrupt("on"))?;
    Ok(Some((id, record)))
}

/// The number of the local organization of this name, where there is one.
///
/// # Errors
/// Where the storage fails.
pub fn local_named(transaction: &mut Transaction, name: &str) -> ScimResult<Option<u64>> {
    let Some((id, record)) = named(transaction, name)? else { return Ok(None) };
    let managed = is_managed(transaction, record.link.as_ref())?;
    Ok(if managed { None } else { Some(id) })
}

/// Ties a group and its organization to each other again, whatever has come between them: an organization of this very
/// group keeps it and gets its name; without one, a free name makes a new one. None where another organization has the
/// name.
///
/// # Errors
/// Where the storage fails.
pub fn mend(work: &mut Work<'_>, link: Link, name: &str, linked: Option<u64>) -> ScimResult<Option<u64>> {
    let record = linked.map(|id| load(work.transaction, id)).transpose()?.flatten();
    let Some((id, record)) = linked.zip(record).filter(|(_, record)| record.link.as_ref() == Some(&link)) else {
        work.transaction.delete(keys::organization_of(&link.resource));
        return match named(work.transaction, name)? {
            None => create(work, link, name).map(Some),
            Some(_) => Ok(None),
        };
    };
    work.transaction.put(keys::organization_of(&link.resource), keys::number(id));
    if named(work.transaction, name)?.is_none() {
        rename(work, id, &record, name.trim())?;
    }
    Ok(Some(id))
}

/// Gives the local organization that has a group's name another one, so that the group can have its own.
///
/// # Errors
/// [`Error::Invalid`]; [`Error::Taken`] where an organization has the new name; [`Error::Managed`].
pub fn make_way(work: &mut Work<'_>, name: &str, new: &str) -> Result<()> {
    let new = checked_name(new)?;
    if keys::comparable(&new) == keys::comparable(name) {
        return Err(Error::Invalid("the new name must be another than that of the group".to_string()));
    }
    let Some((id, old)) = named(work.transaction, name)? else { return Ok(()) };
    check_local(work.transaction, old.link.as_ref(), "the organization")?;
    Ok(rename(work, id, &old, &new)?)
}

/// Follows the new name of a group.
///
/// # Errors
/// 409 `uniqueness` when another organization has it.
pub fn follow_name(work: &mut Work<'_>, id: u64, name: &str) -> ScimResult<()> {
    let old = load(work.transaction, id)?.ok_or_else(|| records::corrupt("o"))?;
    rename(work, id, &old, name.trim())
}

/// Ends the grace of an adopted organization when its time has passed, or when the group's list is complete: whoever is not
/// on it is out then. Whether there can still be members besides the group's.
///
/// # Errors
/// Where the storage fails.
pub fn settle(work: &mut Work<'_>, id: u64, is_complete: bool) -> ScimResult<bool> {
    let Some(mut old) = load(work.transaction, id)? else { return Ok(false) };
    if is_complete && old.restored {
        forget_members(work.transaction, &own_holder(id, &old))?;
        old.restored = false;
        work.transaction.put(keys::organization(id), records::write(&old));
    }
    let Some(retained) = old.retained.take() else { return Ok(old.restored) };
    if !is_complete && work.now.milliseconds < retained.until {
        return Ok(true);
    }
    let due = Due::Adoption(id);
    work.transaction.delete(due.key(retained.until));
    if !is_managed(work.transaction, old.link.as_ref())? {
        // The directory went within the grace, and what it had stays as it was.
        let retained = Retained { until: u64::MAX, ..retained };
        work.transaction.put(due.key(retained.until), records::write(&due));
        old.retained = Some(retained);
        work.transaction.put(keys::organization(id), records::write(&old));
        return Ok(true);
    }
    for holder in &retained.holders {
        forget_members(work.transaction, holder)?;
    }
    work.transaction.put(keys::organization(id), records::write(&old));
    work.record("organization.settled", of_organization(id));
    Ok(old.restored)
}

/// Ends every grace whose time has passed, where upkeep has not come round to it yet.
///
/// # Errors
/// Where the storage fails.
pub fn settle_due(work: &mut Work<'_>) -> ScimResult<()> {
    let mut range = prefix_range(keys::ALL_DUE, MEMBERS_AT_ONCE);
    range.end = keys::due(work.now.milliseconds.saturating_add(1), "");
    for entry in work.transaction.scan(&range)? {
        if let Due::Adoption(organization) = records::read(&entry.key, &entry.value)? {
            settle(work, organization, false)?;
        }
    }
    Ok(())
}

/// Takes users who were removed from the group of an adopted organization out of its former members as well: the identity
/// provider has decided about them, so that their grace is over.
///
/// # Errors
/// Where the storage fails.
pub fn release(work: &mut Work<'_>, id: u64, users: &[String]) -> ScimResult<()> {
    let Some(record) = load(work.transaction, id)?.filter(|_| !users.is_empty()) else { return Ok(()) };
    let Some(Link { directory, .. }) = record.link.clone() else { return Ok(()) };
    let mut holders = record.retained.as_ref().map(|retained| retained.holders.clone()).unwrap_or_default();
    holders.extend(Some(own_holder(id, &record)).filter(|_| record.restored));
    for chunk in users.chunks(MEMBERS_AT_ONCE as usize) {
        let customers = work.transaction.get_many(chunk.iter().map(|user| keys::customer_of(user)).collect())?;
        let customers: Vec<String> = customers.into_iter().flatten().collect();
        let mut records = load_customers(work.transaction, &customers)?;
        // Whom a user of a disconnected directory was linked to is not for this one to decide about.
        let named: BTreeSet<&String> = chunk.iter().collect();
        let is_named = |link: &Link| link.directory == directory && named.contains(&link.resource);
        records.retain(|(_, customer)| customer.link.as_ref().is_some_and(is_named));
        let mut released = Vec::new();
        for (customer, record) in &records {
            let edges = || memberships(&holders, customer, record);
            if is_any(work.transaction, edges())? {
                edges().for_each(|(holder, member)| members::remove_edge(work.transaction, holder, member));
                released.push(customer.clone());
            }
        }
        if !released.is_empty() {
            work.record("organization.members-removed", Detail { members: released, ..of_organization(id) });
        }
    }
    Ok(())
}

/// The records of customers, without those that are deleted.
fn load_customers(transaction: &mut Transaction, ids: &[String]) -> ScimResult<Vec<(String, CustomerRecord)>> {
    let values = transaction.get_many(ids.iter().map(|id| keys::customer(id)).collect())?;
    let found = ids.iter().zip(values).filter_map(|(id, value)| Some((id.clone(), value?)));
    found.map(|(id, value)| Ok((id, records::read(keys::ALL_CUSTOMERS, &value)?))).collect()
}

/// Calls `visit` with every customer whom one of `holders` makes a member, once, unless one of `others` does so too.
///
/// # Errors
/// Where the storage fails.
pub fn difference(
    transaction: &mut Transaction,
    holders: &[String],
    others: &[String],
    mut visit: impl FnMut(String),
) -> ScimResult<()> {
    for (place, holder) in holders.iter().enumerate() {
        let before: Vec<String> = holders[..place].iter().chain(others).cloned().collect();
        let mut range = prefix_range(&keys::members(holder), MEMBERS_AT_ONCE);
        range.keys_only = true;
        loop {
            let entries = transaction.scan(&range)?;
            let members: Vec<&str> = entries.iter().map(|entry| keys::id_of(&entry.key)).collect();
            let customers = customers_of(transaction, holder, &members)?;
            let customers: Vec<String> = customers.into_iter().map(|(_, customer)| customer).collect();
            let customers = load_customers(transaction, &customers)?;
            without(transaction, &before, customers)?.into_iter().for_each(&mut visit);
            match entries.last() {
                Some(last) if entries.len() >= range.limit as usize => range.start = keys::after(&last.key),
                _ => break,
            }
        }
    }
    Ok(())
}

/// Those customers whom none of `holders` makes a member.
fn without(
    transaction: &mut Transaction,
    holders: &[String],
    customers: Vec<(String, CustomerRecord)>,
) -> ScimResult<Vec<String>> {
    let edges: Vec<usize> =
        customers.iter().map(|(customer, record)| memberships(holders, customer, record).count()).collect();
    let keys = customers.iter().flat_map(|(customer, record)| {
        memberships(holders, customer, record).map(|(holder, member)| keys::member(holder, member))
    });
    let mut values = transaction.get_many(keys.collect())?.into_iter();
    let mut left = Vec::new();
    for ((customer, _), count) in customers.into_iter().zip(edges) {
        // All of them are taken, whichever is the first that there is.
        if values.by_ref().take(count).filter(Option::is_some).count() == 0 {
            left.push(customer);
        }
    }
    Ok(left)
}

/// Removes the members that something holds which is an organization's no more, as far as that takes no time; the rest
/// leads to nothing and is left to upkeep.
fn forget_members(transaction: &mut Transaction, holder: &str) -> ScimResult<()> {
    transaction.delete(keys::organization_of(holder));
    if members::drop_members(transaction, holder, SWEPT_AT_ONCE)?.more {
        transaction.put(keys::sweep(keys::SITE, holder), records::write(&Sweep::Group));
    }
    Ok(())
}

/// Makes the membership of a customer in a group its own, where the group is an organization's: the user in the group is
/// deleted, and the customer is or may be restored.
///
/// # Errors
/// Where the storage fails.
pub fn remember(transaction: &mut Transaction, group: &str, customer: &str) -> ScimResult<()> {
    let Some(number) = transaction.get(keys::organization_of(group))? else { return Ok(()) };
    let id = parse(String::from("og"), &number)?;
    let record = match load(transaction, id)? {
        Some(record) => record,
        None => match bin::organization(transaction, id)? {
            Some(deleted) => return keep_own(transaction, id, &deleted.record, group, customer),
            None => return Ok(()),
        },
    };
    let is_current = group_of(&record) == Some(group);
    if is_current && !record.restored && is_managed(transaction, record.link.as_ref())? {
        // What is being swept under this name must not come back; until that is done, nothing is remembered.
        if transaction.get(keys::sweep(keys::SITE, &own_holder(id, &record)))?.is_some() {
            return Ok(());
        }
        let record = OrganizationRecord { restored: true, ..record.clone() };
        transaction.put(keys::organization(id), records::write(&record));
    }
    keep_own(transaction, id, &record, group, customer)
}

/// Makes a customer an organization's own member, where the group is the organization's now or, while the grace of its
/// adoption lasts, was before: then the customer is one as long as those are whom the group had.
fn keep_own(
    transaction: &mut Transaction,
    id: u64,
    record: &OrganizationRecord,
    group: &str,
    customer: &str,
) -> ScimResult<()> {
    let own = keys::own_members(id, Some(group));
    if all_holders(id, record).contains(&own) {
        transaction.put(keys::member(&own, customer), "");
        transaction.put(keys::member_of(customer, &own), "");
    }
    Ok(())
}

/// Removes an organization from the site; its customers stay. Whether it is kept, so that it can be restored with its
/// members.
///
/// # Errors
/// Where the storage fails.
pub fn remove(work: &mut Work<'_>, id: u64) -> ScimResult<bool> {
    let Some(mut old) = load(work.transaction, id)? else { return Ok(false) };
    work.transaction.delete(keys::organization(id));
    work.transaction.delete(keys::organization_name(&old.name));
    if let Some(retained) = &old.retained {
        work.transaction.delete(Due::Adoption(id).key(retained.until));
    }
    let number = keys::number(id);
    let mut projects = Vec::new();
    for project in ends(work.transaction, &Association::Organization.of_other(&number), MAX_PROJECTS)? {
        let project = parse(String::from("op"), &project)?;
        Association::Organization.both(project, &number).into_iter().for_each(|key| work.transaction.delete(key));
        projects.push(project);
    }
    work.record("organization.deleted", of_organization(id));
    let retention = bin::retention(work)?;
    if retention == 0 {
        erase(work, id, &old)?;
        return Ok(false);
    }
    old.retained = kept_with(work, old.retained)?;
    old.former = old.link.take().map(|link| link.resource).or(old.former);
    old.restored = false;
    bin::keep_organization(work, id, old, projects, retention);
    Ok(true)
}

/// What is kept of the members that an organization had before it was adopted: where their grace lasts still, they are
/// members when it is restored, without an end.
fn kept_with(work: &mut Work<'_>, retained: Option<Retained>) -> ScimResult<Option<Retained>> {
    let Some(retained) = retained else { return Ok(None) };
    if work.now.milliseconds < retained.until {
        return Ok(Some(Retained { until: u64::MAX, ..retained }));
    }
    for holder in &retained.holders {
        forget_members(work.transaction, holder)?;
    }
    Ok(None)
}

/// Removes all that is left of a deleted organization.
///
/// # Errors
/// Where the storage fails.
pub fn erase(work: &mut Work<'_>, id: u64, old: &OrganizationRecord) -> ScimResult<()> {
    for holder in all_holders(id, old) {
        forget_members(work.transaction, &holder)?;
    }
    work.record("organization.erased", of_organization(id));
    Ok(())
}

/// Removes the organization of a group whose directory goes with all that it managed; unless another group has it by now.
///
/// # Errors
/// Where the storage fails.
pub fn remove_of_group(work: &mut Work<'_>, group: &str) -> ScimResult<()> {
    let Some(number) = work.transaction.get(keys::organization_of(group))? else {
        return forget_members(work.transaction, group);
    };
    let id = parse(String::from("og"), &number)?;
    let is_linked = |record: OrganizationRecord| record.link.is_some_and(|link| link.resource == group);
    if load(work.transaction, id)?.is_some_and(is_linked) { remove(work, id).map(drop) } else { Ok(()) }
}

fn insert(work: &mut Work<'_>, record: &OrganizationRecord) -> ScimResult<u64> {
    let id = super::projects::next_number(work.transaction, keys::LAST_ORGANIZATION_KEY)?;
    work.transaction.put(keys::organization(id), records::write(record));
    work.transaction.put(keys::organization_name(&record.name), keys::number(id));
    Ok(id)
}

fn rename(work: &mut Work<'_>, id: u64, old: &OrganizationRecord, name: &str) -> ScimResult<()> {
    if old.name == name {
        return Ok(());
    }
    let (old_key, new_key) = (keys::organization_name(&old.name), keys::organization_name(name));
    if old_key != new_key {
        if work.transaction.get(new_key.clone())?.is_some() {
            return Err(Failure::uniqueness("another organization has this name"));
        }
        work.transaction.delete(old_key);
        work.transaction.put(new_key, keys::number(id));
    }
    let record = OrganizationRecord { name: name.to_string(), ..old.clone() };
    work.transaction.put(keys::organization(id), records::write(&record));
    work.record("organization.renamed", of_organization(id));
    Ok(())
}

/// The record of an organization, where there is one.
///
/// # Errors
/// Where the storage fails.
pub fn load(transaction: &mut Transaction, id: u64) -> ScimResult<Option<OrganizationRecord>> {
    let key = keys::organization(id);
    transaction.get(key.clone())?.map(|text| records::read(&key, &text)).transpose()
}

/// The record of an organization.
///
/// # Errors
/// [`Error::NotFound`].
pub fn existing(transaction: &mut Transaction, id: u64) -> Result<OrganizationRecord> {
    load(transaction, id)?.ok_or_else(|| Error::NotFound("there is no such organization".to_string()))
}

/// What holds an organization's own members, from now on.
fn own_holder(id: u64, record: &OrganizationRecord) -> String {
    keys::own_members(id, group_of(record))
}

/// The group whose members are the organization's: the one that it is linked to, or was before it was deleted and restored.
fn group_of(record: &OrganizationRecord) -> Option<&str> {
    record.link.as_ref().map(|link| &link.resource).or(record.former.as_ref()).map(String::as_str)
}

/// Everything that may hold members of an organization, whether they count now or not.
fn all_holders(id: u64, record: &OrganizationRecord) -> Vec<String> {
    let retained = record.retained.iter().flat_map(|retained| &retained.holders);
    let group = group_of(record).map(ToString::to_string);
    group.into_iter().chain(retained.cloned()).chain([own_holder(id, record)]).collect()
}

/// What holds the members of an organization: the group that it is linked to; while the grace of its adoption lasts, what
/// held them before; and what holds its own, while it is local or customers whose users are gone are kept there.
///
/// # Errors
/// Where the storage fails.
pub fn holders(
    transaction: &mut Transaction,
    id: u64,
    record: &OrganizationRecord,
    now: u64,
) -> ScimResult<Vec<String>> {
    let managed = is_managed(transaction, record.link.as_ref())?;
    let mut holders = all_holders(id, record);
    // Where the directory is gone, everything stays as it was.
    let retained = record.retained.as_ref().filter(|retained| managed && now >= retained.until);
    holders.retain(|holder| !retained.is_some_and(|retained| retained.holders.contains(holder)));
    if managed && !record.restored {
        holders.pop();
    }
    Ok(holders)
}

/// The keys of the memberships that make a customer a member where there is one of them: as itself, or as one of its users.
fn memberships<'h>(
    holders: &'h [String],
    customer: &'h str,
    record: &'h CustomerRecord,
) -> impl Iterator<Item = (&'h str, &'h str)> {
    holders.iter().flat_map(move |holder| {
        let own = keys::owner(holder).is_some();
        let users = customers::users(record).map(|link| link.resource.as_str()).filter(move |_| !own);
        let members = users.chain(Some(customer).filter(|_| own));
        members.map(move |member| (holder.as_str(), member))
    })
}

/// Whether there is one of these memberships.
fn is_any<'h>(
    transaction: &mut Transaction,
    memberships: impl Iterator<Item = (&'h str, &'h str)>,
) -> ScimResult<bool> {
    let keys = memberships.map(|(holder, member)| keys::member(holder, member)).collect();
    Ok(transaction.get_many(keys)?.iter().any(Option::is_some))
}

/// The organizations that a customer is a member of, in order of their numbers.
///
/// # Errors
/// Where the storage fails.
pub fn of_customer(
    transaction: &mut Transaction,
    customer: &str,
    customer_record: &CustomerRecord,
    now: u64,
) -> ScimResult<BTreeMap<u64, OrganizationRecord>> {
    let own = ends(transaction, &keys::own_memberships(customer), u32::MAX)?;
    let mut ids: Vec<u64> = own.iter().filter_map(|holder| keys::owner(holder)).collect();
    for link in customers::users(customer_record) {
        let groups = ends(transaction, &keys::memberships(&link.resource), u32::MAX)?;
        let of_groups = transaction.get_many(groups.iter().map(|group| keys::organization_of(group)).collect())?;
        for number in of_groups.into_iter().flatten() {
            ids.push(parse(String::from("og"), &number)?);
        }
    }
    let mut organizations = BTreeMap::new();
    for id in ids {
        // A membership may outlast its organization until it is swept.
        let Some(record) = load(transaction, id)? else { continue };
        let holders = holders(transaction, id, &record, now)?;
        if is_any(transaction, memberships(&holders, customer, customer_record))? {
            organizations.insert(id, record);
        }
    }
    Ok(organizations)
}

/// What stands at the end of the keys that begin with a prefix.
///
/// # Errors
/// Where the storage fails.
pub fn ends(transaction: &mut Transaction, prefix: &str, limit: u32) -> ScimResult<Vec<String>> {
    let mut range = prefix_range(prefix, limit.min(MEMBERS_AT_ONCE));
    range.keys_only = true;
    let mut all = Vec::new();
    loop {
        let entries = transaction.scan(&range)?;
        all.extend(entries.iter().map(|entry| keys::id_of(&entry.key).to_string()));
        match entries.last() {
            Some(last) if entries.len() >= range.limit as usize && all.len() < limit as usize => {
                range.start = keys::after(&last.key);
            }
            _ => return Ok(all),
        }
    }
}

fn parse(key: String, number: &str) -> ScimResult<u64> {
    number.parse().map_err(|_| records::corrupt(&key))
}

/// An organization as callers see it.
///
/// # Errors
/// Where the storage fails.
pub fn describe(transaction: &mut Transaction, id: u64, record: OrganizationRecord) -> Result<Organization> {
    let link = if is_managed(transaction, record.link.as_ref())? { record.link } else { None };
    let (managed_by, group) = link.map(|link| (link.directory, link.resource)).unzip();
    Ok(Organization { id, name: record.name, uuid: record.uuid, created_at: record.created, managed_by, group })
}

/// What a change of an organization says of it.
#[must_use]
pub fn of_organization(id: u64) -> Detail {
    Detail { organization: Some(id), ..Detail::default() }
}

/// A UUID (RFC 9562, version 8: made from what is unique already) from an id.
fn uuid(id: &str) -> String {
    let mut bytes = [0; 16];
    for (byte, from) in bytes.iter_mut().zip(id.bytes().rev()) {
        *byte = from;
    }
    uuid::Builder::from_custom_bytes(bytes).into_uuid().to_string()
}

impl Engine<'_> {
    /// Makes a local organization.
    ///
    /// # Errors
    /// [`Error::Invalid`]; [`Error::Taken`] where an organization has this name.
    pub fn create_organization(&self, actor: &str, name: &str) -> Result<Organization> {
        let now = self.now();
        let record = OrganizationRecord {
            name: checked_name(name)?,
            uuid: uuid(&self.new_id(&now)),
            created: now.milliseconds,
            link: None,
            former: None,
            restored: false,
            retained: None,
        };
        self.site_write(actor, |work| {
            if work.transaction.get(keys::organization_name(&record.name))?.is_some() {
                return Err(Error::Taken("an organization has this name".to_string()));
            }
            let id = insert(work, &record)?;
            work.record("organization.created", of_organization(id));
            describe(work.transaction, id, record.clone())
        })
    }

    /// The organizations of the site, in the order in which they were made.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a limit or cursor that cannot be.
    pub fn organizations(&self, position: &Position, limit: u32) -> Result<Page<Organization>> {
        self.read(|transaction| {
            let page = scan_page(transaction, keys::ALL_ORGANIZATIONS, position, limit)?;
            let mut values = Vec::with_capacity(page.values.len());
            for entry in &page.values {
                let id = parse(String::from("o"), keys::id_of(&entry.key))?;
                values.push(describe(transaction, id, records::read(&entry.key, &entry.value)?)?);
            }
            Ok(Page { values, next: page.next })
        })
    }

    /// One organization.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn organization(&self, id: u64) -> Result<Organization> {
        self.read(|transaction| {
            let record = existing(transaction, id)?;
            describe(transaction, id, record)
        })
    }

    /// Renames a local organization.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`], [`Error::Taken`]; [`Error::Managed`] where a directory manages it.
    pub fn rename_organization(&self, actor: &str, id: u64, name: &str) -> Result<Organization> {
        let name = checked_name(name)?;
        self.site_write(actor, |work| {
            let old = existing(work.transaction, id)?;
            check_local(work.transaction, old.link.as_ref(), "the organization")?;
            rename(work, id, &old, &name)?;
            let record = existing(work.transaction, id)?;
            describe(work.transaction, id, record)
        })
    }

    /// Deletes a local organization; its customers stay.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Managed`] where a directory manages it.
    pub fn delete_organization(&self, actor: &str, id: u64) -> Result<()> {
        self.site_write(actor, |work| {
            let old = existing(work.transaction, id)?;
            check_local(work.transaction, old.link.as_ref(), "the organization")?;
            Ok(remove(work, id).map(drop)?)
        })
    }

    /// The members of an organization: those of its group first, then those that it had before it was linked, then its own,
    /// each in the order in which they were made.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Invalid`] for a limit or cursor that cannot be.
    pub fn organization_members(&self, id: u64, position: &Position, limit: u32) -> Result<Page<Customer>> {
        check_limit(limit)?;
        let now = self.now().milliseconds;
        self.read(|transaction| {
            let record = existing(transaction, id)?;
            let holders = holders(transaction, id, &record, now)?;
            MemberReader::new(position, limit)?.page(transaction, &holders)
        })
    }

    /// One member of an organization.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the organization, or a customer that is no member of it.
    pub fn organization_member(&self, id: u64, customer: &str) -> Result<Customer> {
        let now = self.now().milliseconds;
        self.read(|transaction| {
            let record = existing(transaction, id)?;
            let customer_record = customers::existing(transaction, customer)?;
            let holders = holders(transaction, id, &record, now)?;
            if !is_any(transaction, memberships(&holders, customer, &customer_record))? {
                return Err(Error::NotFound("the customer is no member of the organization".to_string()));
            }
            customers::describe(transaction, customer, customer_record)
        })
    }

    /// The organizations that a customer is a member of, in order of their numbers.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn organizations_of(&self, customer: &str) -> Result<Vec<Organization>> {
        let now = self.now().milliseconds;
        self.read(|transaction| {
            let customer_record = customers::existing(transaction, customer)?;
            let organizations = of_customer(transaction, customer, &customer_record, now)?;
            organizations.into_iter().map(|(id, record)| describe(transaction, id, record)).collect()
        })
    }

    /// Adds customers to a local organization. Those who are members already stay so.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the organization or a customer; [`Error::Managed`] where a directory manages it.
    pub fn add_members(&self, actor: &str, id: u64, customers: &[String]) -> Result<()> {
        self.edit_members(actor, id, customers, true)
    }

    /// Removes customers from a local organization. Those who are no members stay so.
    ///
    /// # Errors
    /// As [`add_members`](Self::add_members).
    pub fn remove_members(&self, actor: &str, id: u64, customers: &[String]) -> Result<()> {
        self.edit_members(actor, id, customers, false)
    }

    fn edit_members(&self, actor: &str, id: u64, customers: &[String], add: bool) -> Result<()> {
        check_number(customers)?;
        let now = self.now().milliseconds;
        self.site_write(actor, |work| {
            let record = existing(work.transaction, id)?;
            check_local(work.transaction, record.link.as_ref(), "the organization")?;
            let own = own_holder(id, &record);
            let holders = holders(work.transaction, id, &record, now)?;
            let mut changed = Vec::new();
            for customer in customers {
                let customer_record = customers::existing(work.transaction, customer)?;
                let edges = || memberships(&holders, customer, &customer_record);
                if is_any(work.transaction, edges())? == add {
                    continue;
                }
                if add {
                    work.transaction.put(keys::member(&own, customer), "");
                    work.transaction.put(keys::member_of(customer, &own), "");
                } else {
                    edges().for_each(|(holder, member)| members::remove_edge(work.transaction, holder, member));
                }
                changed.push(customer.clone());
            }
            if !changed.is_empty() {
                let kind = if add { "organization.members-added" } else { "organization.members-removed" };
                work.record(kind, Detail { members: changed, ..of_organization(id) });
            }
            Ok(())
        })
    }
}

/// Reads a page of members from several holders, one after the other. Its cursors say which of them they are in.
struct MemberReader {
    skip: u32,
    after: Option<(usize, String)>,
    limit: usize,
    /// The members, each with its cursor.
    found: Vec<(Customer, String)>,
}

impl MemberReader {
    fn new(position: &Position, limit: u32) -> Result<Self> {
        let (skip, after) = match position {
            Position::Offset(skip) => (*skip, None),
            Position::After(cursor) => match cursor.split_once('.').map(|(place, id)| (place.parse(), id)) {
                Some((Ok(place), id)) if keys::is_id(id) => (0, Some((place, id.to_string()))),
                _ => return Err(Error::Invalid("the cursor is not one that a page named".to_string())),
            },
        };
        Ok(Self { skip, after, limit: limit as usize, found: Vec::new() })
    }

    /// Reads on until there is one more than wanted.
    fn page(mut self, transaction: &mut Transaction, holders: &[String]) -> Result<Page<Customer>> {
        for place in 0..holders.len() {
            self.read(transaction, holders, place)?;
        }
        let more = self.found.len() > self.limit;
        self.found.truncate(self.limit);
        let next = self.found.last().filter(|_| more).map(|(_, cursor)| cursor.clone());
        Ok(Page { values: self.found.into_iter().map(|(customer, _)| customer).collect(), next })
    }

    fn read(&mut self, transaction: &mut Transaction, holders: &[String], place: usize) -> Result<()> {
        let holder = &holders[place];
        let wanted = self.skip.saturating_add(self.limit as u32 + 1).min(MEMBERS_AT_ONCE);
        let mut range = prefix_range(&keys::members(holder), wanted);
        range.keys_only = true;
        match &self.after {
            Some((after, _)) if *after > place => return Ok(()),
            Some((after, id)) if *after == place => range.start = keys::after(&keys::member(holder, id)),
            _ => {}
        }
        while self.found.len() <= self.limit {
            let entries = transaction.scan(&range)?;
            let members: Vec<&str> = entries.iter().map(|entry| keys::id_of(&entry.key)).collect();
            for (member, customer) in customers_of(transaction, holder, &members)? {
                self.visit(transaction, holders, place, member, &customer)?;
            }
            match entries.last() {
                Some(last) if entries.len() >= range.limit as usize => range.start = keys::after(&last.key),
                _ => return Ok(()),
            }
        }
        Ok(())
    }

    /// Takes a member in, unless it has been read from a holder before this one, or the page is full.
    fn visit(
        &mut self,
        transaction: &mut Transaction,
        holders: &[String],
        place: usize,
        member: &str,
        customer: &str,
    ) -> Result<()> {
        if self.found.len() > self.limit {
            return Ok(());
        }
        // A membership may outlast its customer until it is swept.
        let Some(record) = customers::load(transaction, customer)? else { return Ok(()) };
        if is_any(transaction, memberships(&holders[..place], customer, &record))? {
            return Ok(());
        }
        if self.skip > 0 {
            self.skip -= 1;
            return Ok(());
        }
        let customer = customers::describe(transaction, customer, record)?;
        self.found.push((customer, format!("{place}.{member}")));
        Ok(())
    }
}

/// The members that a holder has as customers: users where it is a group, of whom some may be linked to none.
fn customers_of<'m>(
    transaction: &mut Transaction,
    holder: &str,
    members: &[&'m str],
) -> ScimResult<Vec<(&'m str, String)>> {
    if keys::owner(holder).is_some() {
        return Ok(members.iter().map(|member| (*member, (*member).to_string())).collect());
    }
    let customers = transaction.get_many(members.iter().map(|user| keys::customer_of(user)).collect())?;
    Ok(members.iter().zip(customers).filter_map(|(member, customer)| Some((*member, customer?))).collect())
}

/// Refuses more customers than a call may name.
///
/// # Errors
/// [`Error::Invalid`].
pub fn check_number(customers: &[String]) -> Result<()> {
    if customers.len() > MAX_CUSTOMERS_PER_CALL {
        return Err(Error::Invalid(format!("at most {MAX_CUSTOMERS_PER_CALL} customers at once")));
    }
    Ok(())
}

fn checked_name(name: &str) -> Result<String> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > MAX_NAME_CHARACTERS {
        return Err(Error::Invalid(format!("the name must be 1 to {MAX_NAME_CHARACTERS} characters long")));
    }
    Ok(name.to_string())
}
