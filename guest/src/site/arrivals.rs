//! Who comes into an organization with a group that had members before it had the organization: an administrator has given
//! it one. Names in the change feed, a page at once, the rest by upkeep.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::holders::{Holder, customers_of, in_sight, record_members, without};
use super::{adoptions, numbers};
use crate::storage::Range;
use crate::store::feed::ChangeKind;
use crate::store::pages::ENTRIES_AT_ONCE;
use crate::store::records::{self, Due};
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
