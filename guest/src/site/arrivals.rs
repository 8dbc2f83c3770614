//! Who comes into an organization with a group that had members before it had the organization: an administrator has given
//! it one. Names in the change feed, a page at once, the rest by upkeep.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::holders::{Holder, customers_of, in_sight, record_members, without};
use super::numbers;
use crate::storage::Range;
use crate::store::feed::ChangeKind;
use crate::store::pages::ENTRIES_AT_ONCE;
use crate::store::records::{self, Due};
use crate::store::{self, keys, prefix_range};
use crate::work::Work;

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
