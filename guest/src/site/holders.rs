//! What holds the members of an organization: the group that it is linked to, what held its members before it was
//! adopted, and the organization itself. The members of a linked organization *are* the group's; no membership is
//! stored twice.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::ops::ControlFlow;

use super::standing::{Standing, Standings, standing};
use super::{adoptions, numbers};
use crate::storage::Range;
use crate::store::edges::{self, PLANNED, Removal, SWEPT_AT_ONCE, end_of};
use crate::store::feed::{ChangeKind, Detail, MEMBERS_PER_CHANGE};
use crate::store::pages::{ENTRIES_AT_ONCE, for_each_page};
use crate::store::records::{self, CustomerRecord, OrganizationRecord, Sweep};
use crate::store::{self, Transaction, keys, prefix_range};
use crate::work::Work;

/// Something that holds members of an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The id of the group, or [`keys::own_members`].
    pub name: String,
    /// If its members are on probation: the current time, in milliseconds since the Unix epoch.
    pub probation_at: Option<u64>,
}

impl Holder {
    /// A holder whose members count without an end.
    #[must_use]
    pub fn lasting(name: String) -> Self {
        Holder { name, probation_at: None }
    }

    /// Whether a membership with this stored value counts.
    pub fn counts(&self, value: &str) -> bool {
        value != PLANNED && self.probation_at.is_none_or(|now| end_of(value).is_some_and(|end| now < end))
    }
}

/// The holder of an organization's own members at present.
pub fn own_holder(id: u64, record: &OrganizationRecord) -> String {
    let parted = || record.parted.as_ref().map(|parted| parted.link.resource.as_str());
    keys::own_members(id, group_of(record).or_else(parted))
}

/// The group whose members are the organization's: the one that it is linked to, or was before it was deleted and
/// restored.
pub fn group_of(record: &OrganizationRecord) -> Option<&str> {
    record.link.as_ref().map(|link| &link.resource).or(record.former.as_ref()).map(String::as_str)
}

/// What holds members who have left the group of an organization while its directory was staged, if there are any.
fn staying(record: &OrganizationRecord) -> Option<String> {
    group_of(record).filter(|_| record.staying).map(keys::staying_members)
}

/// Everything that may hold members of an organization, whether they count now or not.
pub fn all_holders(id: u64, record: &OrganizationRecord) -> Vec<String> {
    let retained = record.retained.iter().flat_map(|retained| &retained.holders);
    let copied = record.parted.as_ref().filter(|parted| parted.after.is_some()).map(|parted| &parted.link.resource);
    let group = group_of(record).map(ToString::to_string).or_else(|| copied.cloned());
    group.into_iter().chain(retained.cloned()).chain(staying(record)).chain([own_holder(id, record)]).collect()
}

/// What holds the members of an organization: the group that it is linked to; while the grace of its adoption lasts,
/// what held them before; and the holder of its own members, while it is local, or customers whose users are gone are
/// kept there. Empty if it is out of sight.
///
/// # Errors
/// Where the storage fails.
pub fn holders(
    transaction: &mut Transaction,
    id: u64,
    record: &OrganizationRecord,
    now: u64,
) -> store::Result<Vec<Holder>> {
    Ok(match standing(transaction, record.link.as_ref())? {
        Standing::Leaving => Vec::new(),
        // If the directory is gone, everything stays as it was.
        Standing::Local => all_holders(id, record).into_iter().map(Holder::lasting).collect(),
        Standing::Managed => managed_holders(id, record, now),
    })
}

/// What holds the members of an organization that is managed.
pub fn managed_holders(id: u64, record: &OrganizationRecord, now: u64) -> Vec<Holder> {
    let group = record.link.as_ref().map(|link| link.resource.clone());
    let retained = record.retained.iter().filter(|retained| now < retained.until);
    let retained = retained.flat_map(|retained| retained.holders.iter().cloned());
    let own = record.restored.then(|| Holder { name: own_holder(id, record), probation_at: Some(now) });
    group.into_iter().chain(retained).chain(staying(record)).map(Holder::lasting).chain(own).collect()
}

/// The memberships that would make a customer a member if one of them exists: its own, or those of its users.
pub fn memberships<'h>(
    holders: &'h [Holder],
    customer: &'h str,
    record: &'h CustomerRecord,
) -> impl Iterator<Item = (&'h Holder, &'h str)> + Clone {
    holders.iter().flat_map(move |holder| {
        let own = keys::owner(&holder.name).is_some();
        let users = record.users().map(|link| link.resource.as_str()).filter(move |_| !own);
        let members = users.chain(Some(customer).filter(|_| own));
        members.map(move |member| (holder, member))
    })
}

/// Whether one of these memberships exists and counts.
pub fn is_any<'h>(
    transaction: &mut Transaction,
    memberships: impl Iterator<Item = (&'h Holder, &'h str)> + Clone,
) -> store::Result<bool> {
    let keys = memberships.clone().map(|(holder, member)| keys::member(&holder.name, member)).collect();
    let values = transaction.get_many(keys)?;
    Ok(memberships.zip(values).any(|((holder, _), value)| value.is_some_and(|value| holder.counts(&value))))
}

/// Removes those of these memberships that exist. Returns whether one of them counted.
pub fn remove_all<'h>(
    transaction: &mut Transaction,
    memberships: impl Iterator<Item = (&'h Holder, &'h str)> + Clone,
) -> store::Result<bool> {
    let keys = memberships.clone().map(|(holder, member)| keys::member(&holder.name, member)).collect();
    let values = transaction.get_many(keys)?;
    let mut counted = false;
    for ((holder, member), value) in memberships.zip(values) {
        let Some(value) = value else { continue };
        counted |= holder.counts(&value);
        edges::remove_stored(transaction, &holder.name, member, &value);
    }
    Ok(counted)
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
) -> store::Result<()> {
    for (place, holder) in holders.iter().enumerate() {
        let before: Vec<Holder> = holders[..place].iter().chain(others).cloned().collect();
        let range = prefix_range(&keys::members(&holder.name), ENTRIES_AT_ONCE);
        for_each_page(transaction, range, |transaction, entries| {
            let counting = entries.iter().filter(|entry| holder.counts(&entry.value));
            let members: Vec<&str> = counting.map(|entry| keys::id_of(&entry.key)).collect();
            let customers = customers_of(transaction, holder, &members)?;
            let customers: Vec<String> = customers.into_iter().map(|(_, customer)| customer).collect();
            let customers = in_sight(transaction, &customers)?;
            without(transaction, &before, &customers)?.into_iter().for_each(&mut visit);
            Ok::<_, store::Error>(ControlFlow::Continue(()))
        })?;
    }
    Ok(())
}

/// Those of these customers whom no holder in `holders` makes a member.
pub fn without(
    transaction: &mut Transaction,
    holders: &[Holder],
    customers: &[(String, CustomerRecord)],
) -> store::Result<Vec<String>> {
    let edges: Vec<usize> =
        customers.iter().map(|(customer, record)| memberships(holders, customer, record).count()).collect();
    let keys = customers.iter().flat_map(|(customer, record)| {
        memberships(holders, customer, record).map(|(holder, member)| keys::member(&holder.name, member))
    });
    let mut values = transaction.get_many(keys.collect())?.into_iter();
    let mut left = Vec::new();
    for ((customer, record), count) in customers.iter().zip(edges) {
        // All values of a customer are taken, even if the first one decides.
        let values: Vec<Option<String>> = values.by_ref().take(count).collect();
        let mut memberships = memberships(holders, customer, record).zip(values);
        if !memberships.any(|((holder, _), value)| value.is_some_and(|value| holder.counts(&value))) {
            left.push(customer.clone());
        }
    }
    Ok(left)
}

/// The records of customers, without those that are deleted or out of sight.
pub fn in_sight(transaction: &mut Transaction, ids: &[String]) -> store::Result<Vec<(String, CustomerRecord)>> {
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
pub fn load_customers(transaction: &mut Transaction, ids: &[String]) -> store::Result<Vec<(String, CustomerRecord)>> {
    let values = transaction.get_many(ids.iter().map(|id| keys::customer(id)).collect())?;
    let found = ids.iter().zip(values).filter_map(|(id, value)| Some((id.clone(), value?)));
    found.map(|(id, value)| Ok((id, records::read(keys::ALL_CUSTOMERS, &value)?))).collect()
}

/// The customers of a holder's members, each with its member. The members of a group are users; those linked to no
/// customer are left out.
pub fn customers_of<'m>(
    transaction: &mut Transaction,
    holder: &Holder,
    members: &[&'m str],
) -> store::Result<Vec<(&'m str, String)>> {
    if keys::owner(&holder.name).is_some() {
        return Ok(members.iter().map(|member| (*member, (*member).to_string())).collect());
    }
    let customers = transaction.get_many(members.iter().map(|user| keys::customer_of(user)).collect())?;
    Ok(members.iter().zip(customers).filter_map(|(member, customer)| Some((*member, customer?))).collect())
}

/// The key of what is left to sweep of an organization's own members.
pub fn own_sweep(id: u64, record: &OrganizationRecord) -> String {
    keys::sweep(keys::SITE, &own_holder(id, record))
}

/// Notes in the change feed who came into an organization, or left it.
pub fn record_members(work: &mut Work<'_>, id: u64, kind: ChangeKind, customers: &[String]) {
    for members in customers.chunks(MEMBERS_PER_CHANGE) {
        work.record(kind, Detail { members: members.to_vec(), ..Detail::of_organization(id) });
    }
}

/// Takes what held members of an organization from it, and notes in the change feed who is no member any more. If there are
/// many, the rest has no effect, and upkeep notes it when it removes it. Returns whom it has named.
pub fn leave_behind(work: &mut Work<'_>, id: u64, former: &[String]) -> store::Result<Vec<String>> {
    let mut named = Vec::new();
    for (place, holder) in former.iter().enumerate() {
        work.transaction.delete(keys::organization_of(holder));
        // Whom a later one of them holds is named with that.
        let later: Vec<Holder> = former[place + 1..].iter().cloned().map(Holder::lasting).collect();
        let (removal, gone) = drop_former(work, id, holder, &later, SWEPT_AT_ONCE)?;
        if removal.more {
            work.transaction.put(keys::sweep(keys::SITE, holder), records::write(&Sweep::Former(id)));
        }
        named.extend(gone);
    }
    Ok(named)
}

/// Removes up to `limit` members of what held members of an organization before, and notes in the change feed who of them
/// is no member any more, but for those of `others`. Returns them as well.
pub fn drop_former(
    work: &mut Work<'_>,
    id: u64,
    former: &str,
    others: &[Holder],
    limit: u32,
) -> store::Result<(Removal, Vec<String>)> {
    let range = Range { keys_only: true, ..prefix_range(&keys::members(former), limit) };
    let entries = work.transaction.scan(&range)?;
    let members: Vec<&str> = entries.iter().map(|entry| keys::id_of(&entry.key)).collect();
    let customers = customers_of(work.transaction, &Holder::lasting(former.to_string()), &members)?;
    let customers: Vec<String> = customers.into_iter().map(|(_, customer)| customer).collect();
    let removal = edges::drop_members(work.transaction, former, limit)?;
    // One that is deleted meanwhile has no members.
    let Some(record) = numbers::organization(work.transaction, id)? else { return Ok((removal, Vec::new())) };
    let mut holders = holders(work.transaction, id, &record, work.now.milliseconds)?;
    holders.extend_from_slice(others);
    let customers = in_sight(work.transaction, &customers)?;
    let gone = without(work.transaction, &holders, &customers)?;
    record_members(work, id, ChangeKind::OrganizationMembersRemoved, &gone);
    adoptions::note(work.transaction, record.link.as_ref(), &[], &gone)?;
    Ok((removal, gone))
}

/// Removes the members of a holder that no longer belongs to an organization. If there are many, the rest has no effect
/// and is left to upkeep.
pub fn forget_members(transaction: &mut Transaction, holder: &str) -> store::Result<()> {
    transaction.delete(keys::organization_of(holder));
    if edges::drop_members(transaction, holder, SWEPT_AT_ONCE)?.more {
        transaction.put(keys::sweep(keys::SITE, holder), records::write(&Sweep::Group));
    }
    Ok(())
}
