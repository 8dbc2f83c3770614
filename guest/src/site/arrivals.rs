//! Who comes into an organization, or goes, although no member of its group has changed: with a group that had members
//! before it had the organization, or because a customer is linked to a user, unlinked from it, or restored. Names in the
//! change feed, a page at once, the rest by upkeep.

use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::holders::{
    Holder, customers_of, holders, in_sight, is_any, load_customers, memberships, record_members, without,
};
use super::{adoptions, numbers};
use crate::storage::Range;
use crate::store::edges::PLANNED;
use crate::store::feed::ChangeKind;
use crate::store::pages::ENTRIES_AT_ONCE;
use crate::store::records::{self, Due, Turn};
use crate::store::{self, keys, prefix_range};
use crate::work::Work;

/// Lists the organization of a group that was just pushed, if it was adopted.
///
/// # Errors
/// Where the storage fails.
pub fn begin_adoption(work: &mut Work<'_>, id: u64) -> store::Result<()> {
    let record = numbers::organization(work.transaction, id)?.filter(|record| record.retained.is_some());
    if let Some(link) = record.and_then(|record| record.link) {
        adoptions::begin(work, &link, id);
    }
    Ok(())
}

/// Notes which of these users, who were added to a group, have come into its organization by its adoption: while it is
/// not settled, or is being settled and had these `former` holders of members.
///
/// # Errors
/// Where the storage fails.
pub fn note_adoption(work: &mut Work<'_>, id: u64, former: &[String], users: &[String]) -> store::Result<()> {
    let Some(record) = numbers::organization(work.transaction, id)? else { return Ok(()) };
    let retained = record.retained.iter().flat_map(|retained| &retained.holders);
    let former: Vec<Holder> = retained.chain(former).cloned().map(Holder::lasting).collect();
    let Some(link) = record.link.as_ref().filter(|_| !former.is_empty()) else { return Ok(()) };
    for users in users.chunks(ENTRIES_AT_ONCE as usize) {
        let users: Vec<&str> = users.iter().map(String::as_str).collect();
        let customers = customers_of(work.transaction, &Holder::lasting(link.resource.clone()), &users)?;
        let customers: Vec<String> = customers.into_iter().map(|(_, customer)| customer).collect();
        let customers = in_sight(work.transaction, &customers)?;
        let came = without(work.transaction, &former, &customers)?;
        adoptions::note(work.transaction, Some(link), &came, &[])?;
    }
    Ok(())
}

/// Names a customer as one who comes into the organizations of its user's groups, or goes, but where it is a member through
/// something else. Looks at a page of the groups, those after the group `after`.
///
/// # Errors
/// Where the storage fails.
pub fn record_turn(
    work: &mut Work<'_>,
    customer: &str,
    user: &str,
    turn: Turn,
    after: Option<&str>,
) -> store::Result<()> {
    let ids = [customer.to_string()];
    let Some((_, record)) = load_customers(work.transaction, &ids)?.pop() else { return Ok(()) };
    let rank = |member: &str| record.users().position(|link| link.resource == member);
    let end = keys::own_memberships(user);
    let mut range = Range { end, ..prefix_range(&keys::memberships(user), ENTRIES_AT_ONCE) };
    if let Some(after) = after {
        range.start = keys::next(&keys::member_of(user, after));
    }
    let entries = work.transaction.scan(&range)?;
    let last = entries.last().map(|last| keys::id_of(&last.key)).filter(|_| entries.len() >= range.limit as usize);
    // What is planned is named when it is applied.
    let known = entries.iter().filter(|entry| entry.value != PLANNED);
    let groups: Vec<&str> = known.map(|entry| keys::id_of(&entry.key)).collect();
    let numbers = work.transaction.get_many(groups.iter().map(|group| keys::organization_of(group)).collect())?;
    let mut named = BTreeSet::new();
    for (group, number) in groups.iter().zip(numbers) {
        let Some(number) = number else { continue };
        let id = numbers::parse("og", &number)?;
        let Some(organization) = numbers::organization(work.transaction, id)? else { continue };
        let holders = holders(work.transaction, id, &organization, work.now.milliseconds)?;
        if !holders.iter().any(|holder| holder.name == *group) || !named.insert(id) {
            continue;
        }
        // An own membership has the id of the customer, which is often that of its first user.
        let is_other = |holder: &Holder, member: &str| {
            let is_earlier = turn != Turn::Restored || rank(member) < rank(user);
            keys::owner(&holder.name).is_some() || member != user && is_earlier
        };
        let others = memberships(&holders, customer, &record).filter(|(holder, member)| is_other(holder, member));
        if !is_any(work.transaction, others)? {
            let kind = match turn {
                Turn::Linked | Turn::Restored => ChangeKind::OrganizationMembersAdded,
                Turn::Unlinked => ChangeKind::OrganizationMembersRemoved,
            };
            record_members(work, id, kind, &ids);
        }
    }
    if let Some(last) = last {
        let (customer, user, after) = (customer.to_string(), user.to_string(), last.to_string());
        let due = Due::Turn { customer, user, turn, after };
        work.transaction.put(due.key(work.now.milliseconds), records::write(&due));
    }
    Ok(())
}

/// Names a page of the members of a group as those who come into its organization: those after the user `after` who were
/// not there before it was adopted.
///
/// # Errors
/// Where the storage fails.
pub fn record(work: &mut Work<'_>, id: u64, group: &str, after: Option<&str>) -> store::Result<()> {
    let organization = numbers::organization(work.transaction, id)?;
    let Some(record) = organization.filter(|record| record.link.as_ref().is_some_and(|link| link.resource == group))
    else {
        return Ok(());
    };
    let mut range = Range { keys_only: true, ..prefix_range(&keys::members(group), ENTRIES_AT_ONCE) };
    if let Some(after) = after {
        range.start = keys::next(&keys::member(group, after));
    }
    let entries = work.transaction.scan(&range)?;
    let users: Vec<&str> = entries.iter().map(|entry| keys::id_of(&entry.key)).collect();
    let customers = customers_of(work.transaction, &Holder::lasting(group.to_string()), &users)?;
    let customers: Vec<String> = customers.into_iter().map(|(_, customer)| customer).collect();
    let customers = in_sight(work.transaction, &customers)?;
    let former = record.retained.iter().flat_map(|retained| retained.holders.iter().cloned());
    let former: Vec<Holder> = former.map(Holder::lasting).collect();
    let came = without(work.transaction, &former, &customers)?;
    record_members(work, id, ChangeKind::OrganizationMembersAdded, &came);
    if let Some(last) = users.last().filter(|_| users.len() >= ENTRIES_AT_ONCE as usize) {
        let due = Due::Arrivals { organization: id, group: group.to_string(), after: (*last).to_string() };
        work.transaction.put(due.key(work.now.milliseconds), records::write(&due));
    }
    Ok(())
}
