//! Who is a member of which organization.
//!
//! Members are kept under [`holders`](super::holders).
//!
//! A customer whose user is deleted keeps the memberships from the user's groups as its own; see `probation`.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::ops::ControlFlow;

use super::customers::{self, Customer};
use super::error::{Error, Result};
use super::holders::{
    Holder, all_holders, customers_of, holders, is_any, load_customers, managed_holders, memberships, own_holder,
    own_sweep, record_members, remove_all,
};
use super::organizations::{self, Organization};
use super::standing::{Standings, check_local};
use super::{adoptions, numbers, parting, probation};
use crate::engine::{Engine, Moment};
use crate::store::edges;
use crate::store::feed::{ChangeKind, Detail};
use crate::store::pages::{self, ENTRIES_AT_ONCE, Page, Position, check_limit, ends, for_each_page, no_such_cursor};
use crate::store::records::{self, CustomerRecord, DeletedOrganizationRecord, Link, OrganizationRecord};
use crate::store::{self, Transaction, keys, prefix_range};
use crate::work::Work;

/// How many customers one call may add or remove.
const MAX_CUSTOMERS_PER_CALL: usize = 1_000;

/// The organizations that a customer is a member of, in order of their numbers.
///
/// # Errors
/// Where the storage fails.
pub(crate) fn of_customer(
    transaction: &mut Transaction,
    customer: &str,
    customer_record: &CustomerRecord,
    now: u64,
) -> store::Result<BTreeMap<u64, OrganizationRecord>> {
    let own = ends(transaction, &keys::own_memberships(customer), u32::MAX)?;
    let mut ids: Vec<u64> = own.iter().filter_map(|holder| keys::owner(holder)).collect();
    for link in customer_record.users() {
        let groups = ends(transaction, &keys::memberships(&link.resource), u32::MAX)?;
        let of_groups = groups.iter().map(|holder| keys::organization_of(keys::group_of_holder(holder)));
        let of_groups = transaction.get_many(of_groups.collect())?;
        for number in of_groups.into_iter().flatten() {
            ids.push(numbers::parse("og", &number)?);
        }
    }
    let mut organizations = BTreeMap::new();
    for id in ids {
        // A membership may outlast its organization until it is swept.
        let Some(record) = numbers::organization(transaction, id)? else { continue };
        let holders = holders(transaction, id, &record, now)?;
        if is_any(transaction, memberships(&holders, customer, customer_record))? {
            organizations.insert(id, record);
        }
    }
    Ok(organizations)
}

/// Takes users who were removed from the group of an adopted organization out of its former members as well: the
/// identity provider has decided about them, so their grace is over.
///
/// # Errors
/// Where the storage fails.
pub fn take_out(work: &mut Work<'_>, id: u64, users: &[String]) -> store::Result<()> {
    let Some(record) = numbers::organization(work.transaction, id)?.filter(|_| !users.is_empty()) else {
        return Ok(());
    };
    let Some(Link { directory, .. }) = record.link.clone() else { return Ok(()) };
    // All holders but the group itself.
    let holders: Vec<Holder> = managed_holders(id, &record, work.now.milliseconds).into_iter().skip(1).collect();
    for chunk in users.chunks(ENTRIES_AT_ONCE as usize) {
        let customers = work.transaction.get_many(chunk.iter().map(|user| keys::customer_of(user)).collect())?;
        let customers: Vec<String> = customers.into_iter().flatten().collect();
        let mut records = load_customers(work.transaction, &customers)?;
        // This directory does not decide about customers that were linked to users of a disconnected one.
        let named: BTreeSet<&String> = chunk.iter().collect();
        let is_named = |link: &Link| link.directory == directory && named.contains(&link.resource);
        records.retain(|(_, customer)| customer.link.as_ref().is_some_and(is_named));
        let mut released = Vec::new();
        for (customer, record) in &records {
            if remove_all(work.transaction, memberships(&holders, customer, record))? {
                released.push(customer.clone());
            }
        }
        record_members(work, id, ChangeKind::OrganizationMembersRemoved, &released);
        adoptions::note(work.transaction, record.link.as_ref(), &[], &released)?;
    }
    Ok(())
}

/// Makes the memberships that a customer has through groups its own, if the groups belong to organizations: the user in
/// the groups is deleted, and the customer `is_present` or may be restored. Many groups cost no more calls of the
/// storage than one.
///
/// # Errors
/// Where the storage fails.
pub fn remember(
    transaction: &mut Transaction,
    groups: &[&str],
    customer: &str,
    is_present: bool,
    now: &Moment,
) -> store::Result<()> {
    let organizations = of_groups(transaction, groups)?;
    let asked = organizations.iter().filter_map(|(group, id, record)| {
        let link = unopened(record, group)?;
        Some([keys::directory(&link.directory), own_sweep(*id, record)])
    });
    let present = present(transaction, asked.flatten().collect())?;
    // The directory last said that the customer is a member, so an earlier probation is over.
    let opened = organizations.iter().filter(|(group, _, record)| record.restored && is_linked(record, group));
    let opened: Vec<Holder> = opened.map(|(_, id, record)| Holder::lasting(own_holder(*id, record))).collect();
    remove_all(transaction, opened.iter().map(|holder| (holder, customer)))?;
    for (group, id, record) in &organizations {
        if unopened(record, group).is_some_and(|link| present.contains(&keys::directory(&link.directory))) {
            // Members that are being swept under this name must not come back. Until that is done, nobody is added.
            if present.contains(&own_sweep(*id, record)) {
                continue;
            }
            let record = OrganizationRecord { restored: true, ..record.clone() };
            transaction.put(keys::organization(*id), records::write(&record));
        }
        keep_own(transaction, *id, record, group, customer);
    }
    if is_present && organizations.iter().any(|(group, _, record)| is_linked(record, group)) {
        probation::go_on_later(transaction, customer, None, now);
    }
    Ok(())
}

/// The organizations of these groups, each with its group; also deleted ones that can be restored.
fn of_groups<'g>(
    transaction: &mut Transaction,
    groups: &[&'g str],
) -> store::Result<Vec<(&'g str, u64, OrganizationRecord)>> {
    let numbers = transaction.get_many(groups.iter().map(|group| keys::organization_of(group)).collect())?;
    let numbers = groups.iter().zip(numbers).filter_map(|(group, number)| Some((*group, number?)));
    let linked: Vec<(&str, u64)> =
        numbers.map(|(group, number)| Ok((group, numbers::parse("og", &number)?))).collect::<store::Result<_>>()?;
    let found = transaction.get_many(linked.iter().map(|(_, id)| keys::organization(*id)).collect())?;
    let (mut organizations, mut gone) = (Vec::with_capacity(linked.len()), Vec::new());
    for ((group, id), text) in linked.into_iter().zip(found) {
        match text {
            Some(text) => organizations.push((group, id, records::read(keys::ALL_ORGANIZATIONS, &text)?)),
            None => gone.push((group, id)),
        }
    }
    let kept = transaction.get_many(gone.iter().map(|(_, id)| keys::deleted_organization(*id)).collect())?;
    for ((group, id), text) in gone.into_iter().zip(kept) {
        let Some(text) = text else { continue };
        let kept: DeletedOrganizationRecord = records::read(keys::ALL_DELETED_ORGANIZATIONS, &text)?;
        organizations.push((group, id, kept.record));
    }
    Ok(organizations)
}

/// Whether an organization is linked to this group. A deleted one has no link.
fn is_linked(record: &OrganizationRecord, group: &str) -> bool {
    record.link.as_ref().is_some_and(|link| link.resource == group)
}

/// The link of an organization to this group, while it has no members of its own.
fn unopened<'r>(record: &'r OrganizationRecord, group: &str) -> Option<&'r Link> {
    record.link.as_ref().filter(|_| is_linked(record, group) && !record.restored)
}

/// Those of these keys that exist.
fn present(transaction: &mut Transaction, keys: BTreeSet<String>) -> store::Result<BTreeSet<String>> {
    let values = transaction.get_many(keys.iter().cloned().collect())?;
    Ok(keys.into_iter().zip(values).filter_map(|(key, value)| value.map(|_| key)).collect())
}

/// Makes a customer an organization's own member, if the group holds members of the organization: now, or from before
/// its adoption while the grace lasts. In the latter case the customer stays for the grace, like the former members.
fn keep_own(transaction: &mut Transaction, id: u64, record: &OrganizationRecord, group: &str, customer: &str) {
    let own = keys::own_members(id, Some(group));
    if all_holders(id, record).contains(&own) {
        edges::add(transaction, &own, customer, "");
    }
}

impl Engine<'_> {
    /// The members of an organization: those of its group first, then those that it had before it was linked, then its
    /// own, each in the order in which they were made.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Invalid`] for a limit or cursor that is not valid.
    pub fn organization_members(&self, id: u64, position: &Position, limit: u32) -> Result<Page<Customer>> {
        check_limit(limit)?;
        let now = self.now().milliseconds;
        self.read(|transaction| {
            let record = organizations::existing(transaction, id)?;
            let holders = holders(transaction, id, &record, now)?;
            MemberReader::new(position, limit)?.page(transaction, &holders)
        })
    }

    /// One member of an organization.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the organization, or a customer that is not a member of it.
    pub fn organization_member(&self, id: u64, customer: &str) -> Result<Customer> {
        let now = self.now().milliseconds;
        self.read(|transaction| {
            let record = organizations::existing(transaction, id)?;
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
            organizations.into_iter().map(|(id, record)| organizations::describe(transaction, id, record)).collect()
        })
    }

    /// Adds customers to a local organization. Those who are members already stay so.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the organization or a customer; [`Error::Managed`] where a directory manages it.
    pub fn add_members(&self, actor: &str, id: u64, customers: &[String]) -> Result<()> {
        self.edit_members(actor, id, customers, true)
    }

    /// Removes customers from a local organization. Those who are not members are passed over.
    ///
    /// # Errors
    /// As [`add_members`](Self::add_members).
    pub fn remove_members(&self, actor: &str, id: u64, customers: &[String]) -> Result<()> {
        self.edit_members(actor, id, customers, false)
    }

    fn edit_members(&self, actor: &str, id: u64, customers: &[String], add: bool) -> Result<()> {
        check_number(customers)?;
        let now = self.now().milliseconds;
        self.administer(actor, |work| {
            let record = organizations::existing(work.transaction, id)?;
            check_local(work.transaction, record.link.as_ref(), "the organization")?;
            parting::check_swept(work.transaction, id, &record)?;
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
                    edges::add(work.transaction, &own, customer, "");
                } else {
                    remove_all(work.transaction, edges())?;
                }
                changed.push(customer.clone());
            }
            if !changed.is_empty() {
                let kind =
                    if add { ChangeKind::OrganizationMembersAdded } else { ChangeKind::OrganizationMembersRemoved };
                work.record(kind, Detail { members: changed, ..Detail::of_organization(id) });
            }
            Ok(())
        })
    }
}

/// The place and name of a holder, and a member, in a cursor.
fn read_cursor(cursor: &str) -> Option<(usize, String, String)> {
    let mut parts = cursor.split('.');
    let (place, holder, id) = (parts.next()?, parts.next()?.replace('_', ":"), parts.next()?);
    let is_place = (1..=9).contains(&place.len()) && place.bytes().all(|byte| byte.is_ascii_digit());
    let is_one = is_place && keys::is_holder(&holder) && keys::is_id(id) && parts.next().is_none();
    let place = place.parse().ok().filter(|_| is_one)?;
    Some((place, holder, id.to_string()))
}

/// Reads a page of members from several holders, one after the other. Its cursors name the holder.
struct MemberReader {
    skip: u32,
    /// The place and name of the holder, and the member after which to go on.
    after: Option<(usize, String, String)>,
    limit: usize,
    standings: Standings,
    /// The members, each with its cursor.
    found: Vec<(Customer, String)>,
}

impl MemberReader {
    fn new(position: &Position, limit: u32) -> Result<Self> {
        let (skip, after) = match position {
            Position::Offset(skip) => (*skip, None),
            Position::After(cursor) => (0, Some(read_cursor(cursor).ok_or_else(no_such_cursor)?)),
        };
        Ok(Self { skip, after, limit: limit as usize, standings: Standings::default(), found: Vec::new() })
    }

    /// Reads until there is one member more than wanted.
    fn page(mut self, transaction: &mut Transaction, holders: &[Holder]) -> Result<Page<Customer>> {
        let is_there =
            |(place, name, _): &(usize, String, String)| holders.get(*place).is_some_and(|holder| holder.name == *name);
        // If what holds the members has changed since, the list begins anew: nobody may be missed.
        self.after.take_if(|after| !is_there(after));
        let begin = self.after.as_ref().map_or(0, |(place, ..)| *place);
        for place in begin..holders.len() {
            self.read(transaction, holders, place)?;
        }
        let more = self.found.len() > self.limit;
        self.found.truncate(self.limit);
        let next = self.found.last().filter(|_| more).map(|(_, cursor)| cursor.clone());
        Ok(Page { values: self.found.into_iter().map(|(customer, _)| customer).collect(), next })
    }

    fn read(&mut self, transaction: &mut Transaction, holders: &[Holder], place: usize) -> Result<()> {
        let holder = &holders[place];
        let wanted = self.skip.saturating_add(pages::count(self.limit)).saturating_add(1).min(ENTRIES_AT_ONCE);
        let mut range = prefix_range(&keys::members(&holder.name), wanted);
        match &self.after {
            Some((at, name, id)) if *at == place => range.start = keys::after(&keys::member(name, id)),
            _ => {}
        }
        if self.is_full() {
            return Ok(());
        }
        for_each_page(transaction, range, |transaction, entries| {
            let counting = entries.iter().filter(|entry| holder.counts(&entry.value));
            let members: Vec<&str> = counting.map(|entry| keys::id_of(&entry.key)).collect();
            for (member, customer) in customers_of(transaction, holder, &members)? {
                self.visit(transaction, holders, place, member, &customer)?;
            }
            Ok(if self.is_full() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })
    }

    /// Whether there is one member more than fits on the page.
    fn is_full(&self) -> bool {
        self.found.len() > self.limit
    }

    /// Adds a member, unless an earlier holder has it too, or the page is full.
    fn visit(
        &mut self,
        transaction: &mut Transaction,
        holders: &[Holder],
        place: usize,
        member: &str,
        customer: &str,
    ) -> Result<()> {
        if self.is_full() {
            return Ok(());
        }
        // A membership may outlast its customer until it is swept.
        let Some(record) = customers::load(transaction, customer)? else { return Ok(()) };
        if is_any(transaction, memberships(&holders[..place], customer, &record))? {
            return Ok(());
        }
        let Some(customer) = customers::show(transaction, &mut self.standings, customer, record)? else {
            return Ok(());
        };
        if self.skip > 0 {
            self.skip -= 1;
        } else {
            let holder = holders[place].name.replace(':', "_");
            self.found.push((customer, format!("{place}.{holder}.{member}")));
        }
        Ok(())
    }
}

/// Checks that a call does not name too many customers.
///
/// # Errors
/// [`Error::Invalid`].
pub(super) fn check_number(customers: &[String]) -> Result<()> {
    if customers.len() > MAX_CUSTOMERS_PER_CALL {
        return Err(Error::Invalid(format!("at most {MAX_CUSTOMERS_PER_CALL} customers at once")));
    }
    Ok(())
}
