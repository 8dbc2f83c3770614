//! Reading memberships: of a group, and of users.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::ops::ControlFlow;

use super::profile::group_name;
use super::scope::Scope;
use crate::language::error::Result;
use crate::storage::Range;
use crate::store::keys::{self, Kind};
use crate::store::pages::{self, ENTRIES_AT_ONCE, ends, for_each_page};
use crate::store::records::Stored;
use crate::store::{self, prefix_range};

/// How many memberships of a page of users are read at once. If there are more, each user is read separately.
const MEMBERSHIPS_PER_PAGE: u32 = 2_000;

/// Calls `visit` with every member of a group that has `count` of them, in order of their ids.
///
/// # Errors
/// Where the storage fails, and the errors of `visit`.
pub fn for_each(
    scope: &mut Scope<'_>,
    group: &str,
    count: u32,
    mut visit: impl FnMut(&str) -> Result<()>,
) -> Result<()> {
    if count == 0 {
        return Ok(());
    }
    let gone = unswept_users(scope)?;
    let range = Range { keys_only: true, ..prefix_range(&keys::members(group), ENTRIES_AT_ONCE) };
    for_each_page(scope.transaction, range, |_, entries| {
        for entry in entries {
            let user = keys::id_of(&entry.key);
            if !gone.contains(user) {
                visit(user)?;
            }
        }
        Ok(ControlFlow::Continue(()))
    })
}

/// Which of these users are members of a group.
///
/// # Errors
/// Where the storage fails.
pub fn among(scope: &mut Scope<'_>, group: &str, users: &[&str]) -> Result<Vec<String>> {
    let gone = unswept_users(scope)?;
    let users: Vec<&str> = users.iter().copied().filter(|user| keys::is_id(user) && !gone.contains(*user)).collect();
    stored_among(scope, group, &users)
}

/// Which of these users a group has memberships of, be it that they are deleted and still to be swept.
///
/// # Errors
/// Where the storage fails.
pub fn stored_among(scope: &mut Scope<'_>, group: &str, users: &[&str]) -> Result<Vec<String>> {
    let values = scope.transaction.get_many(users.iter().map(|user| keys::member(group, user)).collect())?;
    Ok(users.iter().zip(values).filter(|(_, value)| value.is_some()).map(|(user, _)| (*user).to_string()).collect())
}

/// The group of a membership, if there is this membership.
///
/// # Errors
/// Where the storage fails.
pub fn find(scope: &mut Scope<'_>, group: &str, user: &str) -> Result<Option<Stored>> {
    let Some(stored) = scope.find(Kind::Group, group)? else { return Ok(None) };
    let is_member = !among(scope, group, &[user])?.is_empty();
    Ok(Some(stored).filter(|_| is_member))
}

/// Some members of a group, in order of their ids: at most `count` of those after a user, but for the first `skip`. The
/// users who are `gone` are still to be swept. While there are none, this is one scan, wherever it begins.
///
/// # Errors
/// Where the storage fails.
pub fn some_of(
    scope: &mut Scope<'_>,
    group: &str,
    gone: &BTreeSet<String>,
    after: Option<&str>,
    mut skip: u64,
    count: usize,
) -> Result<Vec<String>> {
    let mut range = Range { keys_only: true, ..prefix_range(&keys::members(group), pages::count(count)) };
    if let Some(user) = after {
        range.start = keys::next(&keys::member(group, user));
    }
    if gone.is_empty() {
        range.skip = u32::try_from(skip).unwrap_or(u32::MAX);
        return Ok(scope.transaction.scan(&range)?.iter().map(|entry| keys::id_of(&entry.key).to_string()).collect());
    }
    let mut users = Vec::new();
    range.limit = ENTRIES_AT_ONCE;
    for_each_page(scope.transaction, range, |_, entries| {
        for user in entries.iter().map(|entry| keys::id_of(&entry.key)).filter(|user| !gone.contains(*user)) {
            if users.len() == count {
                return Ok::<_, store::Error>(ControlFlow::Break(()));
            }
            if skip > 0 {
                skip -= 1;
            } else {
                users.push(user.to_string());
            }
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(users)
}

/// Calls `visit` with the groups that a user is a member of, those after one, in order of their ids, until `visit` says
/// that it has seen enough. Reads `at_once` of them at a time.
///
/// # Errors
/// Where the storage fails.
pub fn for_each_group(
    scope: &mut Scope<'_>,
    user: &str,
    after: Option<&str>,
    at_once: u32,
    mut visit: impl FnMut(&str, Stored) -> bool,
) -> Result<()> {
    let directory = scope.directory();
    let mut range = Range { keys_only: true, ..prefix_range(&keys::memberships(user), at_once) };
    // A customer may have the id of its user: what it has of its own comes after the groups.
    range.end = keys::own_memberships(user);
    if let Some(group) = after {
        range.start = keys::next(&keys::member_of(user, group));
    }
    for_each_page(scope.transaction, range, |transaction, entries| {
        let groups: Vec<&str> = entries.iter().map(|entry| keys::id_of(&entry.key)).collect();
        let keys: Vec<String> = groups.iter().map(|group| Kind::Group.resource(directory, group)).collect();
        let values = transaction.get_many(keys.clone())?;
        for ((group, key), value) in groups.into_iter().zip(keys).zip(values) {
            // Memberships of a deleted group may still be waiting to be swept: they no longer count.
            let Some(value) = value else { continue };
            if !visit(group, Stored::read(&key, value)?) {
                return Ok::<_, store::Error>(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(())
}

/// The groups that a user is a member of, in order of their ids. Includes groups that are deleted but not yet swept.
///
/// # Errors
/// Where the storage fails.
pub fn groups_of(scope: &mut Scope<'_>, user: &str) -> Result<Vec<String>> {
    Ok(ends(scope.transaction, &keys::memberships(user), u32::MAX)?)
}

/// The deleted users whose memberships are still to be swept. There are hardly ever any, and then this costs nothing.
pub fn unswept_users(scope: &mut Scope<'_>) -> Result<BTreeSet<String>> {
    if scope.counts.unswept_users == 0 {
        return Ok(BTreeSet::new());
    }
    let mut range = prefix_range(&keys::sweeps(scope.directory()), u32::MAX);
    range.keys_only = true;
    Ok(scope.transaction.scan(&range)?.iter().map(|entry| keys::id_of(&entry.key).to_string()).collect())
}

/// The groups of each of these users, with their names. One scan is enough if the ids are in ascending order.
///
/// # Errors
/// Where the storage fails.
pub fn groups_with_names<T: AsRef<str>>(scope: &mut Scope<'_>, users: &[T]) -> Result<Vec<Vec<(String, String)>>> {
    let of_users = groups_of_all(scope, users)?;
    let mut distinct: Vec<&str> = of_users.iter().flatten().map(String::as_str).collect();
    distinct.sort_unstable();
    distinct.dedup();
    let stored = scope.find_many(Kind::Group, &distinct)?;
    let mut names: BTreeMap<&str, String> = BTreeMap::new();
    for (group, stored) in distinct.iter().zip(stored) {
        // Memberships of a deleted group may still be waiting to be swept: they no longer count.
        if let Some(stored) = stored {
            let key = Kind::Group.resource(scope.directory(), group);
            let attributes = stored.attributes(&key)?;
            names.insert(group, group_name(&attributes).to_string());
        }
    }
    Ok(of_users
        .iter()
        .map(|groups| {
            groups.iter().filter_map(|group| Some((group.clone(), names.get(group.as_str())?.clone()))).collect()
        })
        .collect())
}

fn groups_of_all<T: AsRef<str>>(scope: &mut Scope<'_>, users: &[T]) -> Result<Vec<Vec<String>>> {
    if let [first, .., last] = users
        && users.is_sorted_by(|a, b| a.as_ref() < b.as_ref())
    {
        // A page of a list: all their memberships lie side by side.
        let mut range = prefix_range(&keys::memberships(first.as_ref()), MEMBERSHIPS_PER_PAGE);
        range.end = keys::after(&keys::memberships(last.as_ref()));
        range.keys_only = true;
        let entries = scope.transaction.scan(&range)?;
        if entries.len() < MEMBERSHIPS_PER_PAGE as usize {
            let mut groups: BTreeMap<&str, Vec<String>> = BTreeMap::new();
            for entry in &entries {
                if let Some((user, group)) = keys::two_ids(&entry.key) {
                    groups.entry(user).or_default().push(group.to_string());
                }
            }
            return Ok(users.iter().map(|user| groups.remove(user.as_ref()).unwrap_or_default()).collect());
        }
    }
    users.iter().map(|user| groups_of(scope, user.as_ref())).collect()
}
