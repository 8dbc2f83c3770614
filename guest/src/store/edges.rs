//! Memberships as edges: each is stored under two keys, so that it can be read from its holder and from its member.
//!
//! The holder is a group and its member a user; or an organization itself, under [`keys::own_members`], and a customer.
//! Adding, removing and testing one edge costs the same whatever the size of the holder. A deletion removes up to
//! [`SWEPT_AT_ONCE`] edges itself; if there are more, the rest is left to upkeep, and invisible meanwhile.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::error::Result;
use super::keys;
use super::pages::count;
use super::records::Due;
use super::transaction::{Transaction, prefix_range};

/// How many edges a deletion removes itself. Most people are in a few dozen groups, and most groups have as few
/// members, so hardly anything is left to sweep, and the cost of a deletion has a bound.
pub const SWEPT_AT_ONCE: u32 = 64;

/// The value of an edge between a group and a user that is planned, while the directory is staged: the site does not know
/// it yet.
pub const PLANNED: &str = "+";

/// The result of removing edges.
#[derive(Debug, Clone, Copy)]
pub struct Removal {
    /// How many were removed.
    pub removed: u32,
    /// Whether others remain.
    pub more: bool,
}

/// Adds an edge. Its value is empty, [`PLANNED`], or the end of a probation in milliseconds since the Unix epoch.
pub fn add(transaction: &mut Transaction, holder: &str, member: &str, value: &str) {
    transaction.put(keys::member(holder, member), value);
    transaction.put(keys::member_of(member, holder), value);
}

/// Removes an edge that has no end.
pub fn remove(transaction: &mut Transaction, holder: &str, member: &str) {
    transaction.delete(keys::member(holder, member));
    transaction.delete(keys::member_of(member, holder));
}

/// Removes an edge with this value, and the entry for what is due at its end.
pub fn remove_stored(transaction: &mut Transaction, holder: &str, member: &str, value: &str) {
    remove(transaction, holder, member);
    if let Some(end) = end_of(value) {
        let due = Due::Probation { holder: holder.to_string(), customer: member.to_string() };
        transaction.delete(due.key(end));
    }
}

/// When the edge with this value ends, in milliseconds since the Unix epoch. One with an empty value has no end.
#[must_use]
pub fn end_of(value: &str) -> Option<u64> {
    value.parse().ok()
}

/// Removes up to `limit` of a holder's edges.
///
/// # Errors
/// Where the storage fails.
pub fn drop_members(transaction: &mut Transaction, holder: &str, limit: u32) -> Result<Removal> {
    let mut entries = transaction.scan(&prefix_range(&keys::members(holder), limit.saturating_add(1)))?;
    let more = entries.len() > limit as usize;
    entries.truncate(limit as usize);
    for entry in &entries {
        remove_stored(transaction, holder, keys::id_of(&entry.key), &entry.value);
    }
    Ok(Removal { removed: count(entries.len()), more })
}

/// Removes up to `limit` of a user's memberships of groups. Returns the groups, each with whether the site knows of the
/// membership: it does not, if it was only planned.
///
/// # Errors
/// Where the storage fails.
pub fn drop_memberships(
    transaction: &mut Transaction,
    user: &str,
    limit: u32,
) -> Result<(Removal, Vec<(String, bool)>)> {
    let mut range = prefix_range(&keys::memberships(user), limit.saturating_add(1));
    // A customer often has the id of its user, and what it has of its own sorts after the groups: no id of a group
    // begins with an `o` before the year 2806.
    range.end = keys::own_memberships(user);
    let entries = transaction.scan(&range)?;
    let more = entries.len() > limit as usize;
    let groups = entries.iter().take(limit as usize);
    let groups: Vec<(String, bool)> =
        groups.map(|entry| (keys::id_of(&entry.key).to_string(), entry.value != PLANNED)).collect();
    for (group, is_known) in &groups {
        remove(transaction, group, user);
        if !is_known {
            transaction.delete(keys::planned_member(group, user));
        }
    }
    Ok((Removal { removed: count(groups.len()), more }, groups))
}
