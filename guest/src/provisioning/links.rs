//! Links of customers and organizations that an administrator undoes and makes again, and those that upkeep makes when a directory is
//! bound to other domains.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::ops::ControlFlow;

use super::conflicts;
use super::domains;
use super::leaving;
use super::profile::{email, profile};
use super::staging;
use super::unlinked;
use crate::engine::Engine;
use crate::site::arrivals;
use crate::site::customers::{self, Customer};
use crate::site::organizations::{self, Organization};
use crate::site::parting;
use crate::site::standing::{check_local, is_managed};
use crate::site::{Error, Result, index, totals};
use crate::store::feed::{ChangeKind, Detail};
use crate::store::keys::{self, Kind};
use crate::store::pages::{ENTRIES_AT_ONCE, for_each_page};
use crate::store::records::{
    self, CustomerRecord, DirectoryRecord, Due, Header, Link, Mode, Stored, Turn, UnlinkedReason,
};
use crate::store::{self, Transaction, counts, plan, prefix_range};
use crate::work::Work;

/// How many users with one email address are looked at in a directory. There is hardly ever more than one.
const MAX_USERS: u32 = 100;

/// How many users one step of upkeep looks at.
const USERS_AT_ONCE: u32 = 100;

/// How many users a refusal names.
const MAX_NAMED: usize = 10;

/// A user to which a customer can be linked.
struct Candidate {
    link: Link,
    /// The name of its directory.
    directory: String,
    user: Stored,
}

impl Engine<'_> {
    /// Makes a managed customer local. Its user stays in the directory, linked to no customer until
    /// [`relink_customer`](Self::relink_customer) links it again. The customer is no longer a member through the groups
    /// of that directory; memberships from deleted groups become its own.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Refused`] where no directory manages it.
    pub fn unlink_customer(&self, actor: &str, id: &str) -> Result<Customer> {
        self.administer(actor, |work| {
            let old = customers::existing(work.transaction, id)?;
            let Some(link) = managing(work.transaction, &old)? else {
                return Err(Error::Refused("the customer is managed by no directory".to_string()));
            };
            staging::check_unplanned(work.transaction, &link.directory, &link.resource, "customer")?;
            let key = Kind::User.resource(&link.directory, &link.resource);
            let user = work.transaction.get(key.clone())?.ok_or_else(|| store::Error::corrupt(&key))?;
            let user = Stored::read(&key, user)?;
            detach(work, id, &old, &link, &user, UnlinkedReason::Unlinked)?;
            let new = customers::existing(work.transaction, id)?;
            customers::describe(work.transaction, id, new)
        })
    }

    /// Makes a managed organization local. It keeps the members that it had, also those of the time of a grace or on
    /// probation. Its group stays in the directory and is left apart, until an administrator gives it an organization
    /// again, see [`resolve_conflict`](Self::resolve_conflict).
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Refused`] where no directory manages it.
    pub fn unlink_organization(&self, actor: &str, id: u64) -> Result<Organization> {
        self.administer(actor, |work| {
            organizations::existing(work.transaction, id)?;
            // Who is out by now does not come back.
            organizations::settle_due(work)?;
            let old = organizations::existing(work.transaction, id)?;
            let managed = is_managed(work.transaction, old.link.as_ref())?;
            let Some(link) = old.link.clone().filter(|_| managed) else {
                return Err(Error::Refused("the organization is managed by no directory".to_string()));
            };
            parting::check_swept(work.transaction, id, &old)?;
            staging::check_unplanned(work.transaction, &link.directory, &link.resource, "organization")?;
            let key = Kind::Group.resource(&link.directory, &link.resource);
            let group = work.transaction.get(key.clone())?.ok_or_else(|| store::Error::corrupt(&key))?;
            let group = Stored::read(&key, group)?;
            let header = Header { organization: None, ..group.header.next(&work.now.text) };
            work.transaction.put(key, group.with_header(header).text());
            conflicts::leave(work, &link.directory, &link.resource);
            work.transaction.delete(keys::adoption(&link.directory, &link.resource));
            parting::begin(work, id, &old, &link)?;
            let new = organizations::existing(work.transaction, id)?;
            organizations::describe(work.transaction, id, new)
        })
    }

    /// Links a local customer to the user that has its email address and is linked to no customer, in this directory,
    /// or in any if `directory` is `None`. The customer follows the user at once. Of several such users, it is linked
    /// to the one that it was unlinked from.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the customer or directory; [`Error::Managed`]; [`Error::Refused`] where there is no such
    /// user, or more than one.
    pub fn relink_customer(&self, actor: &str, id: &str, directory: Option<&str>) -> Result<Customer> {
        self.administer(actor, |work| {
            let old = customers::existing(work.transaction, id)?;
            check_local(work.transaction, old.link.as_ref(), "the customer")?;
            let candidates = candidates(work.transaction, &old.email, directory)?;
            let Candidate { link, user, .. } = choose(candidates, id)?;
            let key = Kind::User.resource(&link.directory, &link.resource);
            let profile = profile(&user.attributes(&key)?, user.header.inactive);
            customers::link(work, id, &old, link.clone(), &profile)?;
            set_link(work, &link, &user, Ok(id), false)?;
            arrivals::record_turn(work, id, &link.resource, Turn::Linked, None)?;
            let new = customers::existing(work.transaction, id)?;
            customers::describe(work.transaction, id, new)
        })
    }
}

/// Makes a customer local. Its user stays in its directory, linked to no customer. If an administrator asked for it,
/// that lasts until an administrator links it again.
///
/// # Errors
/// Where the storage fails.
pub fn detach(
    work: &mut Work<'_>,
    id: &str,
    old: &CustomerRecord,
    link: &Link,
    user: &Stored,
    reason: UnlinkedReason,
) -> store::Result<()> {
    part(work, id, old, link, None)?;
    set_link(work, link, user, Err((id, reason)), false)
}

/// Makes a customer local. What its user says of it is left to the caller.
///
/// # Errors
/// Where the storage fails.
pub fn part(
    work: &mut Work<'_>,
    id: &str,
    old: &CustomerRecord,
    link: &Link,
    reason: Option<UnlinkedReason>,
) -> store::Result<()> {
    let new = CustomerRecord { link: None, last: Some(link.clone()), ..old.clone() };
    work.transaction.put(keys::customer(id), records::write(&new));
    index::replace_customer(work.transaction, id, Some(old), Some(&new));
    totals::add_local(work.transaction, &new)?;
    work.transaction.delete(keys::customer_of(&link.resource));
    leaving::leave_deleted_groups(work.transaction, &link.directory, &link.resource, id, work.now)?;
    let (user, directory) = (Some(link.resource.clone()), Some(link.directory.clone()));
    work.record(ChangeKind::CustomerUnlinked, Detail { directory, user, reason, ..Detail::of_customer(id) });
    arrivals::record_turn(work, id, &link.resource, Turn::Unlinked, None)
}

/// Links users who are inside the domains of their directory now, those after the user `after`: one page of them, the
/// rest is left to the next step. A user whose address has come to be that of a managed customer stays as it is.
///
/// # Errors
/// Where the storage fails.
pub fn link_those_inside(work: &mut Work<'_>, directory: &str, after: Option<&str>) -> Result<()> {
    let key = keys::directory(directory);
    let Some(settings) = work.transaction.get(key.clone())? else { return Ok(()) };
    let settings: DirectoryRecord = records::read(&key, &settings)?;
    let mut range = prefix_range(&keys::all_unlinked(directory), USERS_AT_ONCE);
    if let Some(after) = after {
        range.start = keys::next(&keys::unlinked(directory, after));
    }
    let entries = work.transaction.scan(&range)?;
    for entry in &entries {
        let reason: UnlinkedReason = records::read(&entry.key, &entry.value)?;
        if !matches!(reason, UnlinkedReason::OutsideDomains | UnlinkedReason::Staged) {
            continue;
        }
        let key = Kind::User.resource(directory, keys::id_of(&entry.key));
        let user = work.transaction.get(key.clone())?.ok_or_else(|| store::Error::corrupt(&key))?;
        let user = Stored::read(&key, user)?;
        let attributes = user.attributes(&key)?;
        let is_inside = domains::reason(&settings, email(&attributes).as_deref()).is_none();
        if is_inside == (reason == UnlinkedReason::Staged) {
            continue;
        }
        if !is_inside {
            let now = work.now.milliseconds;
            staging::forget_user_outside(work.transaction, directory, keys::id_of(&entry.key), now)?;
            continue;
        }
        if settings.mode != Mode::Live {
            let now = work.now.milliseconds;
            staging::plan_user_inside(work.transaction, directory, &settings, keys::id_of(&entry.key), &user, now)?;
            continue;
        }
        let link = Link { directory: directory.to_string(), resource: keys::id_of(&entry.key).to_string() };
        match customers::provision(work, link.clone(), &profile(&attributes, user.header.inactive), true) {
            Ok(Some(customer)) => {
                set_link(work, &link, &user, Ok(&customer), false)?;
                arrivals::record_turn(work, &customer, &link.resource, Turn::Linked, None)?;
            }
            Ok(None) | Err(Error::Taken(_)) => {}
            Err(error) => return Err(error),
        }
    }
    if let Some(last) = entries.last().filter(|_| entries.len() >= range.limit as usize) {
        let due = Due::Domains { directory: directory.to_string(), after: Some(keys::id_of(&last.key).to_string()) };
        work.transaction.put(due.key(work.now.milliseconds), records::write(&due));
    }
    Ok(())
}

/// The link of a customer, if its directory is connected.
fn managing(transaction: &mut Transaction, customer: &CustomerRecord) -> store::Result<Option<Link>> {
    let managed = is_managed(transaction, customer.link.as_ref())?;
    Ok(customer.link.clone().filter(|_| managed))
}

/// Stores what a user is linked to, or what it was unlinked from and why: in the user, in the list of users that are
/// linked to no customer, and in their number. When a plan is applied, the user keeps its version: it is the one that was
/// pushed.
///
/// # Errors
/// Where the storage fails.
pub fn set_link(
    work: &mut Work<'_>,
    link: &Link,
    user: &Stored,
    customer: core::result::Result<&str, (&str, UnlinkedReason)>,
    keeps_version: bool,
) -> store::Result<()> {
    let by_admin = customer.err().filter(|(_, reason)| *reason == UnlinkedReason::Unlinked);
    let header = Header {
        customer: customer.ok().map(ToString::to_string),
        unlinked: by_admin.map(|(former, _)| former.to_string()),
        ..if keeps_version { user.header.clone() } else { user.header.next(&work.now.text) }
    };
    let transaction = &mut *work.transaction;
    transaction.put(Kind::User.resource(&link.directory, &link.resource), user.with_header(header).text());
    for (customer, is_one_more) in
        [(user.header.unlinked.as_deref(), false), (by_admin.map(|(former, _)| former), true)]
    {
        if let Some(customer) = customer {
            index::count_unlinked(transaction, &link.directory, customer, is_one_more)?;
        }
    }
    let is_inactive = |linked: bool| linked && user.header.inactive;
    totals::count_inactive(transaction, &link.directory, [customer.is_err(), customer.is_ok()].map(is_inactive))?;
    let reason = customer.err().map(|(_, reason)| reason);
    counts::with(transaction, &link.directory, |transaction, counts| {
        unlinked::note(transaction, counts, &link.directory, &link.resource, reason)
    })
}

/// The only candidate, or among several the one from which the customer was unlinked.
fn choose(mut candidates: Vec<Candidate>, customer: &str) -> Result<Candidate> {
    let is_former = |candidate: &Candidate| candidate.user.header.unlinked.as_deref() == Some(customer);
    if candidates.iter().filter(|candidate| is_former(candidate)).count() == 1 {
        candidates.retain(is_former);
    }
    match candidates.len() {
        1 => Ok(candidates.remove(0)),
        0 => Err(Error::Refused("no user that is linked to no customer has the email address of this one".to_string())),
        _ => {
            let named = candidates.iter().take(MAX_NAMED);
            let named: Vec<String> =
                named.map(|one| format!("{} of the directory {:?}", one.link.resource, one.directory)).collect();
            Err(Error::Refused(format!("several users have this email address: {}", named.join(", "))))
        }
    }
}

/// The users with this email address that are linked to no customer, in one directory or in all that are connected.
/// A directory has none outside of its domains.
fn candidates(transaction: &mut Transaction, address: &str, directory: Option<&str>) -> Result<Vec<Candidate>> {
    let mut found = Vec::new();
    if let Some(directory) = directory {
        let missing = || Error::NotFound("there is no such directory".to_string());
        let key = Some(directory).filter(|id| keys::is_id(id)).map(keys::directory).ok_or_else(missing)?;
        let record = transaction.get(key.clone())?.ok_or_else(missing)?;
        let record: DirectoryRecord = records::read(&key, &record)?;
        add_candidates(transaction, &mut found, address, directory, &record)?;
        return Ok(found);
    }
    for_each_page(transaction, prefix_range(keys::ALL_DIRECTORIES, ENTRIES_AT_ONCE), |transaction, entries| {
        for entry in entries {
            let record: DirectoryRecord = records::read(&entry.key, &entry.value)?;
            add_candidates(transaction, &mut found, address, keys::id_of(&entry.key), &record)?;
        }
        Ok::<_, store::Error>(ControlFlow::Continue(()))
    })?;
    Ok(found)
}

fn add_candidates(
    transaction: &mut Transaction,
    found: &mut Vec<Candidate>,
    address: &str,
    directory: &str,
    settings: &DirectoryRecord,
) -> store::Result<()> {
    if !domains::is_inside(settings, &keys::comparable(address)) {
        return Ok(());
    }
    let mut range = prefix_range(&keys::email(directory, address), MAX_USERS);
    range.keys_only = true;
    let mut users: Vec<String> =
        transaction.scan(&range)?.iter().map(|entry| keys::id_of(&entry.key).to_string()).collect();
    // The user name is the address of users who have no other.
    users.extend(transaction.get(Kind::User.name(directory, address))?);
    users.sort_unstable();
    users.dedup();
    for user in users {
        let key = Kind::User.resource(directory, &user);
        let Some(text) = transaction.get(key.clone())? else { continue };
        let stored = Stored::read(&key, text)?;
        let matches = email(&stored.attributes(&key)?).is_some_and(|email| email == keys::comparable(address));
        // What is planned for the user is done first.
        let free = matches && stored.header.customer.is_none();
        if free && plan::find(transaction, directory, &user)?.is_none() {
            let link = Link { directory: directory.to_string(), resource: user };
            found.push(Candidate { link, directory: settings.name.clone(), user: stored });
        }
    }
    Ok(())
}
