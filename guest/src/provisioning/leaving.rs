//! Deleted users, who leave their groups, and deleted groups, which lose their members.

use alloc::string::String;
use alloc::vec::Vec;
use core::ops::ControlFlow;

use super::scope::Scope;
use super::staging::Planner;
use crate::engine::Moment;
use crate::language::error::Result;
use crate::site::customers::{self, Kept};
use crate::site::membership;
use crate::storage::Range;
use crate::store::edges::{self, Removal, SWEPT_AT_ONCE};
use crate::store::keys::{self, Kind};
use crate::store::pages::{self, ENTRIES_AT_ONCE, for_each_page};
use crate::store::records::{self, Counts, Header, Stored, Sweep};
use crate::store::{self, Transaction, counts, plan, prefix_range, sizes};

/// Takes a deleted user out of its groups. Its customer keeps the memberships that they gave it.
///
/// # Errors
/// Where the storage fails.
pub fn forget_user(scope: &mut Scope<'_>, user: &str, customer: Option<&str>) -> Result<()> {
    let directory = scope.directory();
    let now = &scope.context.now;
    let (removal, counted) = if scope.is_staged() {
        let counts = &mut scope.counts;
        let planned = customer.map_or(PlannedCustomer::Nobody, |_| PlannedCustomer::Stays);
        leave_staged_groups(scope.transaction, counts, directory, user, SWEPT_AT_ONCE, now, planned)?
    } else {
        leave_groups(scope.transaction, directory, user, SWEPT_AT_ONCE, now, customer)?
    };
    scope.counts.memberships = scope.counts.memberships.saturating_sub(u64::from(counted));
    if removal.more {
        scope.transaction.put(keys::sweep(directory, user), records::write(&Sweep::User(customer.map(String::from))));
        scope.counts.unswept_users = scope.counts.unswept_users.saturating_add(1);
    }
    Ok(())
}

/// Takes a deleted user out of up to `limit` of its groups, each of which gets a new version. A customer that exists or
/// can be restored keeps the memberships that they gave it.
///
/// # Errors
/// Where the storage fails.
pub fn leave_groups(
    transaction: &mut Transaction,
    directory: &str,
    user: &str,
    limit: u32,
    now: &Moment,
    customer: Option<&str>,
) -> store::Result<(Removal, u32)> {
    let kept = customer.map(|id| customers::kept(transaction, id)).transpose()?.flatten();
    let (removal, groups) = edges::drop_memberships(transaction, user, limit)?;
    let keys: Vec<String> = groups.iter().map(|(group, _)| Kind::Group.resource(directory, group)).collect();
    let values = transaction.get_many(keys.clone())?;
    let mut counted = 0;
    for (((group, _), key), value) in groups.iter().zip(keys).zip(values) {
        // The memberships of a deleted group are still to be swept.
        let Some(value) = value else { continue };
        counted += 1;
        lose_one(transaction, directory, group, &Stored::read(&key, value)?, now);
    }
    if let (Some(customer), Some(kept)) = (customer, kept) {
        let groups: Vec<&str> =
            groups.iter().filter(|(_, is_known)| *is_known).map(|(group, _)| group.as_str()).collect();
        membership::remember(transaction, &groups, customer, kept == Kept::Present, now)?;
    }
    Ok((removal, counted))
}

/// Counts one member fewer in a group, which has a new version by that.
fn lose_one(transaction: &mut Transaction, directory: &str, group: &str, stored: &Stored, now: &Moment) {
    let members = stored.header.members.saturating_sub(1);
    sizes::resize(transaction, directory, group, stored.header.members, members);
    let header = Header { members, ..stored.header.next(&now.text) };
    transaction.put(Kind::Group.resource(directory, group), stored.with_header(header).text());
}

/// Takes a deleted user out of more of its groups. As long as that is planned, its customer keeps the memberships.
///
/// # Errors
/// Where the storage fails.
pub fn sweep_user(
    transaction: &mut Transaction,
    directory: &str,
    user: &str,
    limit: u32,
    now: &Moment,
    customer: Option<&str>,
) -> store::Result<(Removal, u32)> {
    if !plan::is_staged(transaction, directory)? {
        return leave_groups(transaction, directory, user, limit, now, customer);
    }
    let planned = plan::find(transaction, directory, user)?;
    let customer = match customer {
        Some(_) if planned.is_some_and(|planned| planned.linked) => PlannedCustomer::Stays,
        Some(customer) => PlannedCustomer::Deleted(customer),
        None => PlannedCustomer::Nobody,
    };
    counts::with(transaction, directory, |transaction, counts| {
        leave_staged_groups(transaction, counts, directory, user, limit, now, customer)
    })
}

/// What has become of the customer of a deleted user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PlannedCustomer<'c> {
    /// It keeps the memberships until its deletion is applied.
    Stays,
    /// Its deletion is applied.
    Deleted(&'c str),
    /// There never was one.
    Nobody,
}

/// As [`leave_groups`], in a staged directory: the customer keeps the memberships until that is applied.
///
/// # Errors
/// Where the storage fails.
fn leave_staged_groups(
    transaction: &mut Transaction,
    counts: &mut Counts,
    directory: &str,
    user: &str,
    limit: u32,
    now: &Moment,
    customer: PlannedCustomer<'_>,
) -> store::Result<(Removal, u32)> {
    let range =
        Range { end: keys::own_memberships(user), ..prefix_range(&keys::memberships(user), limit.saturating_add(1)) };
    let mut entries = transaction.scan(&range)?;
    let more = entries.len() > limit as usize;
    entries.truncate(limit as usize);
    let keys = entries.iter().map(|entry| Kind::Group.resource(directory, keys::id_of(&entry.key))).collect();
    let values = transaction.get_many(keys)?;
    let mut counted = 0;
    for (entry, value) in entries.iter().zip(values) {
        let group = keys::id_of(&entry.key);
        let key = Kind::Group.resource(directory, group);
        // A deleted group no longer counts.
        let stored = value.map(|value| Stored::read(&key, value)).transpose()?;
        if let Some(stored) = &stored {
            counted += 1;
            lose_one(transaction, directory, group, stored, now);
        }
        let is_planned = entry.value == edges::PLANNED;
        let now = now.milliseconds;
        let is_linked = customer == PlannedCustomer::Stays;
        Planner { transaction, counts, directory, id: group, now }.leave(
            stored.as_ref(),
            user,
            is_planned,
            is_linked,
        )?;
    }
    if let PlannedCustomer::Deleted(customer) = customer
        && let Some(kept) = customers::kept(transaction, customer)?
    {
        let known = entries.iter().filter(|entry| entry.value != edges::PLANNED);
        let known: Vec<&str> = known.map(|entry| keys::id_of(&entry.key)).collect();
        membership::remember(transaction, &known, customer, kept == Kept::Present, now)?;
    }
    let mut removal = Removal { removed: pages::count(entries.len()), more };
    if customer != PlannedCustomer::Stays {
        // There is no customer that would keep what it has left before.
        let range = Range { keys_only: true, ..prefix_range(&keys::staying_memberships(user), limit) };
        let entries = transaction.scan(&range)?;
        for entry in &entries {
            let group = keys::group_of_holder(keys::id_of(&entry.key));
            let now = now.milliseconds;
            Planner { transaction, counts, directory, id: group, now }.stay_no_longer(user)?;
        }
        removal.removed += pages::count(entries.len());
        removal.more |= entries.len() >= limit as usize;
    }
    Ok((removal, counted))
}

/// Makes the memberships that a user has through deleted groups its customer's own. The organizations of these groups
/// are local or can be restored, and no directory decides about them any more.
///
/// # Errors
/// Where the storage fails.
pub fn leave_deleted_groups(
    transaction: &mut Transaction,
    directory: &str,
    user: &str,
    customer: &str,
    now: &Moment,
) -> store::Result<()> {
    let end = keys::own_memberships(user);
    let range = Range { end, ..prefix_range(&keys::memberships(user), ENTRIES_AT_ONCE) };
    for_each_page(transaction, range, |transaction, entries| {
        // What is only planned never was.
        let known = entries.iter().filter(|entry| entry.value != edges::PLANNED);
        let groups: Vec<&str> = known.map(|entry| keys::id_of(&entry.key)).collect();
        let found = groups.iter().map(|group| Kind::Group.resource(directory, group)).collect();
        let found = transaction.get_many(found)?;
        let deleted: Vec<&str> =
            groups.into_iter().zip(found).filter(|(_, found)| found.is_none()).map(|(group, _)| group).collect();
        for group in &deleted {
            edges::remove(transaction, group, user);
        }
        membership::remember(transaction, &deleted, customer, true, now)?;
        Ok::<_, store::Error>(ControlFlow::Continue(()))
    })
}

/// Removes the memberships of a deleted group, unless its organization keeps them.
///
/// # Errors
/// Where the storage fails.
pub fn forget_group(scope: &mut Scope<'_>, group: &str, count: u32, kept: bool) -> Result<()> {
    // They no longer count, even those that are swept later.
    scope.counts.memberships = scope.counts.memberships.saturating_sub(u64::from(count));
    if count > 0 && !kept && edges::drop_members(scope.transaction, group, SWEPT_AT_ONCE)?.more {
        scope.transaction.put(keys::sweep(scope.directory(), group), records::write(&Sweep::Group));
    }
    Ok(())
}
