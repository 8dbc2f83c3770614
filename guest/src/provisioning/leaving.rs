//! Deleted users, who leave their groups, and deleted groups, which lose their members.

use alloc::string::String;
use alloc::vec::Vec;
use core::ops::ControlFlow;

use super::scope::Scope;
use crate::engine::Moment;
use crate::language::error::Result;
use crate::site::customers::{self, Kept};
use crate::site::membership;
use crate::storage::Range;
use crate::store::edges::{self, Removal, SWEPT_AT_ONCE};
use crate::store::keys::{self, Kind};
use crate::store::pages::{ENTRIES_AT_ONCE, for_each_page};
use crate::store::records::{self, Header, Stored, Sweep};
use crate::store::{self, Transaction, prefix_range, sizes};

/// Takes a deleted user out of its groups. Its customer keeps the memberships that they gave it.
///
/// # Errors
/// Where the storage fails.
pub fn forget_user(scope: &mut Scope<'_>, user: &str, customer: Option<&str>) -> Result<()> {
    let directory = scope.directory();
    let (removal, counted) =
        leave_groups(scope.transaction, directory, user, SWEPT_AT_ONCE, &scope.context.now, customer)?;
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
    let keys: Vec<String> = groups.iter().map(|group| Kind::Group.resource(directory, group)).collect();
    let values = transaction.get_many(keys.clone())?;
    let mut counted = 0;
    for ((group, key), value) in groups.iter().zip(keys).zip(values) {
        // The memberships of a deleted group are still to be swept.
        let Some(value) = value else { continue };
        counted += 1;
        let stored = Stored::read(&key, value)?;
        let members = stored.header.members.saturating_sub(1);
        sizes::resize(transaction, directory, group, stored.header.members, members);
        let header = Header { members, ..stored.header.next(&now.text) };
        transaction.put(key, stored.with_header(header).text());
    }
    if let (Some(customer), Some(kept)) = (customer, kept) {
        let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
        membership::remember(transaction, &groups, customer, kept == Kept::Present, now)?;
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
    let range = Range { keys_only: true, end, ..prefix_range(&keys::memberships(user), ENTRIES_AT_ONCE) };
    for_each_page(transaction, range, |transaction, entries| {
        let groups: Vec<&str> = entries.iter().map(|entry| keys::id_of(&entry.key)).collect();
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
