//! Who is a member of which organization.
//!
//! Members are kept under holders: the group that an organization is linked to, what held its members before it was
//! adopted, and the organization itself. The members of a linked one *are* the group's; no membership is stored twice.
//!
//! A customer whose user is deleted keeps, as its own, what the user's groups made it a member of; see `probation`.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::customers::{self, Customer};
use super::organizations::{self, Organization};
use super::{
    Error, KEYS_AT_ONCE, Page, Position, Result, Standing, Standings, Work, check_limit, check_local, ends, probation,
    standing,
};
use crate::engine::{Engine, Moment};
use crate::language::error::Result as ScimResult;
use crate::scim::members::{self, SWEPT_AT_ONCE};
use crate::store::keys;
use crate::store::records::{self, CustomerRecord, DeletedOrganizationRecord, Detail, Link, OrganizationRecord, Sweep};
use crate::store::{Transaction, prefix_range};

/// How many customers one call may add or remove.
const MAX_CUSTOMERS_PER_CALL: usize = 1_000;

/// How many customers an entry of the change feed names.
const MEMBERS_PER_CHANGE: usize = 1_000;

/// Something that holds members of an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The group, or [`keys::own_members`].
    pub name: String,
    /// Where those whom it holds are on probation: the time now, in milliseconds since the Unix epoch.
    pub(super) probation_at: Option<u64>,
}

impl Holder {
    /// One whose members count without an end.
    #[must_use]
    pub fn lasting(name: String) -> Self {
        Holder { name, probation_at: None }
    }

    /// Whether a membership counts of which this is stored.
    fn counts(&self, value: &str) -> bool {
        self.probation_at.is_none_or(|now| end_of(value).is_some_and(|end| now < end))
    }
}

/// The end of a probation, in milliseconds since the Unix epoch, in what is stored of a membership.
#[must_use]
pub fn end_of(value: &str) -> Option<u64> {
    value.parse().ok()
}

/// What holds an organization's own members, from now on.
pub(super) fn own_holder(id: u64, record: &OrganizationRecord) -> String {
    keys::own_members(id, group_of(record))
}

/// The group whose members are the organization's: the one that it is linked to, or was before it was deleted and restored.
fn group_of(record: &OrganizationRecord) -> Option<&str> {
    record.link.as_ref().map(|link| &link.resource).or(record.former.as_ref()).map(String::as_str)
}

/// Everything that may hold members of an organization, whether they count now or not.
pub(super) fn all_holders(id: u64, record: &OrganizationRecord) -> Vec<String> {
    let retained = record.retained.iter().flat_map(|retained| &retained.holders);
    let group = group_of(record).map(ToString::to_string);
    group.into_iter().chain(retained.cloned()).chain([own_holder(id, record)]).collect()
}

/// What holds the members of an organization: the group that it is linked to; while the grace of its adoption lasts, what
/// held them before; and what holds its own, while it is local or customers whose users are gone are kept there. Nothing
/// where it is out of sight.
///
/// # Errors
/// Where the storage fails.
pub fn holders(
    transaction: &mut Transaction,
    id: u64,
    record: &OrganizationRecord,
    now: u64,
) -> ScimResult<Vec<Holder>> {
    Ok(match standing(transaction, record.link.as_ref())? {
        Standing::Leaving => Vec::new(),
        // Where the directory is gone, everything stays as it was.
        Standing::Local => all_holders(id, record).into_iter().map(Holder::lasting).collect(),
        Standing::Managed => managed_holders(id, record, now),
    })
}

/// What holds the members of an organization that is managed.
pub(super) fn managed_holders(id: u64, record: &OrganizationRecord, now: u64) -> Vec<Holder> {
    let group = record.link.as_ref().map(|link| link.resource.clone());
    let retained = record.retained.iter().filter(|retained| now < retained.until);
    let retained = retained.flat_map(|retained| retained.holders.iter().cloned());
    let own = record.restored.then(|| Holder { name: own_holder(id, record), probation_at: Some(now) });
    group.into_iter().chain(retained).map(Holder::lasting).chain(own).collect()
}

/// The keys of the memberships that make a customer a member where there is one of them: as itself, or as one of its users.
fn memberships<'h>(
    holders: &'h [Holder],
    customer: &'h str,
    record: &'h CustomerRecord,
) -> impl Iterator<Item = (&'h Holder, &'h str)> + Clone {
    holders.iter().flat_map(move |holder| {
        let own = keys::owner(&holder.name).is_some();
        let users = customers::users(record).map(|link| link.resource.as_str()).filter(move |_| !own);
        let members = users.chain(Some(customer).filter(|_| own));
        members.map(move |member| (holder, member))
    })
}

/// Whether there is one of these memberships.
fn is_any<'h>(
    transaction: &mut Transaction,
    memberships: impl Iterator<Item = (&'h Holder, &'h str)> + Clone,
) -> ScimResult<bool> {
    let keys = memberships.clone().map(|(holder, member)| keys::member(&holder.name, member)).collect();
    let values = transaction.get_many(keys)?;
    Ok(memberships.zip(values).any(|((holder, _), value)| value.is_some_and(|value| holder.counts(&value))))
}

/// Removes these memberships where there are any. Whether one of them counted.
pub(super) fn remove_all<'h>(
    transaction: &mut Transaction,
    memberships: impl Iterator<Item = (&'h Holder, &'h str)> + Clone,
) -> ScimResult<bool> {
    let keys = memberships.clone().map(|(holder, member)| keys::member(&holder.name, member)).collect();
    let values = transaction.get_many(keys)?;
    let mut counted = false;
    for ((holder, member), value) in memberships.zip(values) {
        let Some(value) = value else { continue };
        counted |= holder.counts(&value);
        members::remove_stored_edge(transaction, &holder.name, member, &value);
    }
    Ok(counted)
}

/// The organizations that a customer is a member of, in order of their numbers.
///
/// # Errors
/// Where the storage fails.
pub(super) fn of_customer(
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
            ids.push(organizations::parse(String::from("og"), &number)?);
        }
    }
    let mut organizations = BTreeMap::new();
    for id in ids {
        // A membership may outlast its organization until it is swept.
        let Some(record) = organizations::load(transaction, id)? else { continue };
        let holders = holders(transaction, id, &record, now)?;
        if is_any(transaction, memberships(&holders, customer, customer_record))? {
            organizations.insert(id, record);
        }
    }
    Ok(organizations)
}

/// Calls `visit` with every customer whom one of `holders` makes a member, once, unless one of `others` does so too.
///
/// # Errors
/// Where the storage fails.
pub fn difference(
    transaction: &mut Transaction,
    holders: &[Holder],
    others: &[Holder],
    mut visit: impl FnMut(String),
) -> ScimResult<()> {
    for (place, holder) in holders.iter().enumerate() {
        let before: Vec<Holder> = holders[..place].iter().chain(others).cloned().collect();
        let mut range = prefix_range(&keys::members(&holder.name), KEYS_AT_ONCE);
        range.keys_only = holder.probation_at.is_none();
        loop {
            let entries = transaction.scan(&range)?;
            let counting = entries.iter().filter(|entry| holder.counts(&entry.value));
            let members: Vec<&str> = counting.map(|entry| keys::id_of(&entry.key)).collect();
            let customers = customers_of(transaction, holder, &members)?;
            let customers: Vec<String> = customers.into_iter().map(|(_, customer)| customer).collect();
            let customers = in_sight(transaction, &customers)?;
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
pub(super) fn without(
    transaction: &mut Transaction,
    holders: &[Holder],
    customers: Vec<(String, CustomerRecord)>,
) -> ScimResult<Vec<String>> {
    let edges: Vec<usize> =
        customers.iter().map(|(customer, record)| memberships(holders, customer, record).count()).collect();
    let keys = customers.iter().flat_map(|(customer, record)| {
        memberships(holders, customer, record).map(|(holder, member)| keys::member(&holder.name, member))
    });
    let mut values = transaction.get_many(keys.collect())?.into_iter();
    let mut left = Vec::new();
    for ((customer, record), count) in customers.iter().zip(edges) {
        // All of them are taken, whichever is the first that there is.
        let values: Vec<Option<String>> = values.by_ref().take(count).collect();
        let mut memberships = memberships(holders, customer, record).zip(values);
        if !memberships.any(|((holder, _), value)| value.is_some_and(|value| holder.counts(&value))) {
            left.push(customer.clone());
        }
    }
    Ok(left)
}

/// Takes users who were removed from the group of an adopted organization out of its former members as well: the identity
/// provider has decided about them, so that their grace is over.
///
/// # Errors
/// Where the storage fails.
pub fn release(work: &mut Work<'_>, id: u64, users: &[String]) -> ScimResult<()> {
    let Some(record) = organizations::load(work.transaction, id)?.filter(|_| !users.is_empty()) else { return Ok(()) };
    let Some(Link { directory, .. }) = record.link.clone() else { return Ok(()) };
    // All but the group itself.
    let holders: Vec<Holder> = managed_holders(id, &record, work.now.milliseconds).into_iter().skip(1).collect();
    for chunk in users.chunks(KEYS_AT_ONCE as usize) {
        let customers = work.transaction.get_many(chunk.iter().map(|user| keys::customer_of(user)).collect())?;
        let customers: Vec<String> = customers.into_iter().flatten().collect();
        let mut records = load_customers(work.transaction, &customers)?;
        // Whom a user of a disconnected directory was linked to is not for this one to decide about.
        let named: BTreeSet<&String> = chunk.iter().collect();
        let is_named = |link: &Link| link.directory == directory && named.contains(&link.resource);
        records.retain(|(_, customer)| customer.link.as_ref().is_some_and(is_named));
        let mut released = Vec::new();
        for (customer, record) in &records {
            if remove_all(work.transaction, memberships(&holders, customer, record))? {
                released.push(customer.clone());
            }
        }
        record_members(work, id, "organization.members-removed", &released);
    }
    Ok(())
}

/// Names those who came into an organization, or went.
pub(super) fn record_members(work: &mut Work<'_>, id: u64, kind: &str, customers: &[String]) {
    for members in customers.chunks(MEMBERS_PER_CHANGE) {
        work.record(kind, Detail { members: members.to_vec(), ..organizations::of_organization(id) });
    }
}

/// The records of customers, without those that are deleted or out of sight.
pub(super) fn in_sight(transaction: &mut Transaction, ids: &[String]) -> ScimResult<Vec<(String, CustomerRecord)>> {
    let customers = load_customers(transaction, ids)?;
    let mut standings = Standings::default();
    let mut in_sight = Vec::with_capacity(customers.len());
    for (id, record) in customers {
        if standings.of(transaction, record.link.as_ref())? != Standing::Leaving {
            in_sight.push((id, record));
        }
    }
    Ok(in_sight)
}

/// The records of customers, without those that are deleted.
fn load_customers(transaction: &mut Transaction, ids: &[String]) -> ScimResult<Vec<(String, CustomerRecord)>> {
    let values = transaction.get_many(ids.iter().map(|id| keys::customer(id)).collect())?;
    let found = ids.iter().zip(values).filter_map(|(id, value)| Some((id.clone(), value?)));
    found.map(|(id, value)| Ok((id, records::read(keys::ALL_CUSTOMERS, &value)?))).collect()
}

/// The members that a holder has as customers: users where it is a group, of whom some may be linked to none.
fn customers_of<'m>(
    transaction: &mut Transaction,
    holder: &Holder,
    members: &[&'m str],
) -> ScimResult<Vec<(&'m str, String)>> {
    if keys::owner(&holder.name).is_some() {
        return Ok(members.iter().map(|member| (*member, (*member).to_string())).collect());
    }
    let customers = transaction.get_many(members.iter().map(|user| keys::customer_of(user)).collect())?;
    Ok(members.iter().zip(customers).filter_map(|(member, customer)| Some((*member, customer?))).collect())
}

/// Makes the memberships of a customer in groups its own, where the groups are organizations': the user in the groups is
/// deleted, and the customer `is_present` or may be restored. Asks the storage no more often for many groups than for one.
///
/// # Errors
/// Where the storage fails.
pub fn remember(
    transaction: &mut Transaction,
    groups: &[&str],
    customer: &str,
    is_present: bool,
    now: &Moment,
) -> ScimResult<()> {
    let organizations = of_groups(transaction, groups)?;
    let asked = organizations.iter().filter_map(|(group, id, record)| {
        let link = unopened(record, group)?;
        Some([keys::directory(&link.directory), own_sweep(*id, record)])
    });
    let present = present(transaction, asked.flatten().collect())?;
    // What the directory has said last was that the customer is a member: an earlier probation is over.
    let opened = organizations.iter().filter(|(group, _, record)| record.restored && is_linked(record, group));
    let opened: Vec<Holder> = opened.map(|(_, id, record)| Holder::lasting(own_holder(*id, record))).collect();
    remove_all(transaction, opened.iter().map(|holder| (holder, customer)))?;
    for (group, id, record) in &organizations {
        if unopened(record, group).is_some_and(|link| present.contains(&keys::directory(&link.directory))) {
            // What is being swept under this name must not come back; until that is done, nothing is remembered.
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

/// Stores something of an organization's own membership, from both ends.
pub(super) fn set_value(transaction: &mut Transaction, holder: &str, customer: &str, value: &str) {
    transaction.put(keys::member(holder, customer), value);
    transaction.put(keys::member_of(customer, holder), value);
}

/// The organizations of those groups that have one, each with its group; also deleted ones that can be restored.
fn of_groups<'g>(
    transaction: &mut Transaction,
    groups: &[&'g str],
) -> ScimResult<Vec<(&'g str, u64, OrganizationRecord)>> {
    let numbers = transaction.get_many(groups.iter().map(|group| keys::organization_of(group)).collect())?;
    let numbers = groups.iter().zip(numbers).filter_map(|(group, number)| Some((*group, number?)));
    let linked: Vec<(&str, u64)> = numbers
        .map(|(group, number)| Ok((group, organizations::parse(String::from("og"), &number)?)))
        .collect::<ScimResult<_>>()?;
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

/// The key of what is left to sweep of an organization's own members.
fn own_sweep(id: u64, record: &OrganizationRecord) -> String {
    keys::sweep(keys::SITE, &own_holder(id, record))
}

/// Those of these keys that there are.
fn present(transaction: &mut Transaction, keys: BTreeSet<String>) -> ScimResult<BTreeSet<String>> {
    let values = transaction.get_many(keys.iter().cloned().collect())?;
    Ok(keys.into_iter().zip(values).filter_map(|(key, value)| value.map(|_| key)).collect())
}

/// Makes a customer an organization's own member, where the group is the organization's now or, while the grace of its
/// adoption lasts, was before: then the customer is one as long as those are whom the group had.
fn keep_own(transaction: &mut Transaction, id: u64, record: &OrganizationRecord, group: &str, customer: &str) {
    let own = keys::own_members(id, Some(group));
    if all_holders(id, record).contains(&own) {
        set_value(transaction, &own, customer, "");
    }
}

/// Removes the members that something holds which is an organization's no more, as far as that takes no time; the rest
/// leads to nothing and is left to upkeep.
pub(super) fn forget_members(transaction: &mut Transaction, holder: &str) -> ScimResult<()> {
    transaction.delete(keys::organization_of(holder));
    if members::drop_members(transaction, holder, SWEPT_AT_ONCE)?.more {
        transaction.put(keys::sweep(keys::SITE, holder), records::write(&Sweep::Group));
    }
    Ok(())
}

impl Engine<'_> {
    /// The members of an organization: those of its group first, then those that it had before it was linked, then its own,
    /// each in the order in which they were made.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Invalid`] for a limit or cursor that cannot be.
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
    /// [`Error::NotFound`] for the organization, or a customer that is no member of it.
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
            let record = organizations::existing(work.transaction, id)?;
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
                    set_value(work.transaction, &own, customer, "");
                } else {
                    remove_all(work.transaction, edges())?;
                }
                changed.push(customer.clone());
            }
            if !changed.is_empty() {
                let kind = if add { "organization.members-added" } else { "organization.members-removed" };
                work.record(kind, Detail { members: changed, ..organizations::of_organization(id) });
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
    standings: Standings,
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
        Ok(Self { skip, after, limit: limit as usize, standings: Standings::default(), found: Vec::new() })
    }

    /// Reads on until there is one more than wanted.
    fn page(mut self, transaction: &mut Transaction, holders: &[Holder]) -> Result<Page<Customer>> {
        for place in 0..holders.len() {
            self.read(transaction, holders, place)?;
        }
        let more = self.found.len() > self.limit;
        self.found.truncate(self.limit);
        let next = self.found.last().filter(|_| more).map(|(_, cursor)| cursor.clone());
        Ok(Page { values: self.found.into_iter().map(|(customer, _)| customer).collect(), next })
    }

    fn read(&mut self, transaction: &mut Transaction, holders: &[Holder], place: usize) -> Result<()> {
        let holder = &holders[place];
        let wanted = self.skip.saturating_add(self.limit as u32 + 1).min(KEYS_AT_ONCE);
        let mut range = prefix_range(&keys::members(&holder.name), wanted);
        range.keys_only = holder.probation_at.is_none();
        match &self.after {
            Some((after, _)) if *after > place => return Ok(()),
            Some((after, id)) if *after == place => range.start = keys::after(&keys::member(&holder.name, id)),
            _ => {}
        }
        while self.found.len() <= self.limit {
            let entries = transaction.scan(&range)?;
            let counting = entries.iter().filter(|entry| holder.counts(&entry.value));
            let members: Vec<&str> = counting.map(|entry| keys::id_of(&entry.key)).collect();
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
        holders: &[Holder],
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
        let Some(customer) = customers::show(transaction, &mut self.standings, customer, record)? else {
            return Ok(());
        };
        if self.skip > 0 {
            self.skip -= 1;
        } else {
            self.found.push((customer, format!("{place}.{member}")));
        }
        Ok(())
    }
}

/// Refuses more customers than a call may name.
///
/// # Errors
/// [`Error::Invalid`].
pub(super) fn check_number(customers: &[String]) -> Result<()> {
    if customers.len() > MAX_CUSTOMERS_PER_CALL {
        return Err(Error::Invalid(format!("at most {MAX_CUSTOMERS_PER_CALL} customers at once")));
    }
    Ok(())
}
