//! Memberships: one fact each, stored as two keys so that it is read from the group and from the user alike.
//!
//! Adding, removing and testing one member costs the same in every group. A deletion removes up to [`SWEPT_AT_ONCE`]
//! memberships itself; where there are more, the rest is left to `upkeep` and invisible meanwhile.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::render;
use super::scope::Scope;
use crate::engine::Moment;
use crate::language::error::{Error, Result};
use crate::language::filter::Filter;
use crate::language::patch::MemberEdit;
use crate::language::path::quoted;
use crate::site::customers::{self, Kept};
use crate::site::membership;
use crate::store::keys::{self, Kind};
use crate::store::records::{self, Detail, Due, Header, Stored, Sweep, UnknownMembers};
use crate::store::{Transaction, prefix_range};

/// How many memberships a deletion removes itself. People are in a few dozen groups and most groups are as small, so that
/// hardly anything is left to sweep, and the cost of a deletion has a bound.
pub const SWEPT_AT_ONCE: u32 = 64;

/// How many keys are read at once where a request names many members or a whole group is read.
const KEYS_AT_ONCE: usize = 1_000;

/// How many members an entry of the change feed names.
const MEMBERS_PER_CHANGE: usize = 1_000;

/// How many ids an error names.
const IDS_PER_ERROR: usize = 10;

/// What it costs to read a member of a group of which all are read, in tests of a filter.
const TESTS_PER_READ: usize = 16;

/// A member as a sequence of edits leaves it.
#[derive(Debug, Clone, Copy)]
struct State {
    was: bool,
    is: bool,
    /// The first edit after the last one that named it or was about all: what filters say before does not matter.
    open_from: usize,
}

/// What edits did to the members of a group.
#[derive(Debug, Clone)]
pub struct Edited {
    /// How many members it has now.
    pub count: u32,
    /// Whether any came or went.
    pub changed: bool,
    /// Those who came.
    pub added: Vec<String>,
    /// Those who went.
    pub removed: Vec<String>,
}

/// Applies edits to the members of a group, in order.
///
/// # Errors
/// 400 `invalidValue` that names the ids which are no users of the directory, or the limit; 400 `tooMany` where filters
/// would have to be tried on too many members.
pub fn edit(scope: &mut Scope<'_>, group: &str, count: u32, edits: &[MemberEdit<'_>]) -> Result<Edited> {
    if edits.is_empty() {
        return Ok(Edited { count, changed: false, added: Vec::new(), removed: Vec::new() });
    }
    // Who is a member then depends on nothing that comes before all members are replaced, except that it must be possible.
    let from = edits.iter().rposition(is_about_all).unwrap_or_default();
    let filters: Vec<(usize, &Filter<'_>)> = filters(edits).filter(|(at, _)| *at >= from).collect();
    if !filters.is_empty() {
        let tests = filters.iter().fold(TESTS_PER_READ, |sum, (_, filter)| sum.saturating_add(filter.tests()));
        let named = edits.iter().flat_map(named).count();
        scope.effort.spend((count as usize).saturating_add(named), tests)?;
    }
    let mut members = load_states(scope, group, count, edits)?;
    let mut unknown = BTreeSet::new();
    for (at, edit) in edits.iter().enumerate() {
        collect_unknown(edit, &mut unknown);
        if at >= from {
            apply(&mut members, at, edit);
        }
    }
    let base = scope.location(Kind::User, "");
    for (user, state) in members.iter_mut().filter(|(_, state)| state.is && !filters.is_empty()) {
        let member = render::member(&base, user);
        state.is = !filters.iter().any(|(at, filter)| *at >= state.open_from && filter.matches(&member));
    }
    check_known(scope, &mut members, unknown)?;
    let (mut added, mut removed) = (Vec::new(), Vec::new());
    for (user, state) in members {
        match (state.was, state.is) {
            (false, true) => added.push(user),
            (true, false) => removed.push(user),
            _ => {}
        }
    }
    let after = count.saturating_sub(length(&removed)).saturating_add(length(&added));
    if after > count {
        let limit = scope.limits()?.max_members;
        if after > limit {
            return Err(Error::invalid_value(format!("a group may have {limit} members, this would make {after}")));
        }
    }
    let changed = !(added.is_empty() && removed.is_empty());
    write(scope, group, &added, &removed);
    Ok(Edited { count: after, changed, added, removed })
}

fn length(users: &[String]) -> u32 {
    u32::try_from(users.len()).unwrap_or(u32::MAX)
}

/// The states of all users that the edits concern: those that they name, or all members where one edit concerns all.
fn load_states(
    scope: &mut Scope<'_>,
    group: &str,
    count: u32,
    edits: &[MemberEdit<'_>],
) -> Result<BTreeMap<String, State>> {
    let mut members = BTreeMap::new();
    if count == 0 {
        return Ok(members);
    }
    if edits.iter().any(is_about_all) || filters(edits).next().is_some() {
        for_each(scope, group, count, |user| {
            members.insert(user.to_string(), State { was: true, is: true, open_from: 0 });
            Ok(())
        })?;
        return Ok(members);
    }
    let named: BTreeSet<&str> = edits.iter().flat_map(named).filter(|id| keys::is_id(id)).collect();
    let named: Vec<&str> = named.into_iter().collect();
    let gone = unswept_users(scope)?;
    for chunk in named.chunks(KEYS_AT_ONCE) {
        let values = scope.transaction.get_many(chunk.iter().map(|user| keys::member(group, user)).collect())?;
        for (user, value) in chunk.iter().zip(values) {
            let was = value.is_some() && !gone.contains(*user);
            members.insert((*user).to_string(), State { was, is: was, open_from: 0 });
        }
    }
    Ok(members)
}

fn is_about_all(edit: &MemberEdit<'_>) -> bool {
    matches!(edit, MemberEdit::Replace(_) | MemberEdit::RemoveAll)
}

/// The filters by which edits remove members, and which edits these are.
fn filters<'e, 'f>(edits: &'e [MemberEdit<'f>]) -> impl Iterator<Item = (usize, &'e Filter<'f>)> {
    edits.iter().enumerate().filter_map(|(at, edit)| match edit {
        MemberEdit::RemoveWhere(filter) => Some((at, filter)),
        _ => None,
    })
}

/// The ids that an edit names.
pub fn named<'e>(edit: &'e MemberEdit<'_>) -> impl Iterator<Item = &'e str> {
    let ids = match edit {
        MemberEdit::Add(ids) | MemberEdit::Remove(ids) | MemberEdit::Replace(ids) => ids.as_slice(),
        MemberEdit::RemoveAll | MemberEdit::RemoveWhere(_) => &[],
    };
    ids.iter().map(AsRef::as_ref)
}

/// Collects the ids of an edit that are to be members and cannot be anybody's.
fn collect_unknown(edit: &MemberEdit<'_>, unknown: &mut BTreeSet<String>) {
    if let MemberEdit::Add(ids) | MemberEdit::Replace(ids) = edit {
        unknown.extend(ids.iter().filter(|id| !keys::is_id(id)).map(ToString::to_string));
    }
}

/// Applies the edit that stands at a place among the others, unless it is one by a filter.
fn apply(members: &mut BTreeMap<String, State>, at: usize, edit: &MemberEdit<'_>) {
    let open_from = at + 1;
    if is_about_all(edit) {
        members.values_mut().for_each(|state| *state = State { is: false, open_from, ..*state });
    }
    let stays = !matches!(edit, MemberEdit::Remove(_));
    for id in named(edit) {
        match members.get_mut(id) {
            Some(state) => *state = State { is: stays, open_from, ..*state },
            None if stays && keys::is_id(id) => {
                members.insert(id.to_string(), State { was: false, is: true, open_from });
            }
            None => {}
        }
    }
}

/// Makes sure that all who come are users of the directory.
fn check_known(
    scope: &mut Scope<'_>,
    members: &mut BTreeMap<String, State>,
    mut unknown: BTreeSet<String>,
) -> Result<()> {
    let coming: Vec<&String> = members.iter().filter(|(_, state)| state.is && !state.was).map(|(id, _)| id).collect();
    for chunk in coming.chunks(KEYS_AT_ONCE) {
        let keys = chunk.iter().map(|id| Kind::User.resource(scope.directory(), id)).collect();
        let values = scope.transaction.get_many(keys)?;
        let strangers = chunk.iter().zip(values).filter(|(_, value)| value.is_none());
        unknown.extend(strangers.map(|(id, _)| (*id).clone()));
    }
    if unknown.is_empty() {
        return Ok(());
    }
    let named = some_of(&unknown);
    if scope.settings.unknown_members == UnknownMembers::Skip {
        members.retain(|id, _| !unknown.contains(id));
        scope.noted.note(format!("members that are no users of this directory were left out: {named}"));
        return Ok(());
    }
    Err(Error::invalid_value(format!("members must be users of this directory; these are not: {named}")))
}

/// Some ids, and how many more there are.
fn some_of(ids: &BTreeSet<String>) -> String {
    let named: Vec<String> = ids.iter().take(IDS_PER_ERROR).map(|id| quoted(id)).collect();
    let more = if ids.len() > named.len() { format!(" and {} more", ids.len() - named.len()) } else { String::new() };
    format!("{}{more}", named.join(", "))
}

fn write(scope: &mut Scope<'_>, group: &str, added: &[String], removed: &[String]) {
    for user in added {
        scope.transaction.put(keys::member(group, user), "");
        scope.transaction.put(keys::member_of(user, group), "");
    }
    for user in removed {
        remove_edge(scope.transaction, group, user);
    }
    let memberships = scope.counts.memberships.saturating_add(added.len() as u64);
    scope.counts.memberships = memberships.saturating_sub(removed.len() as u64);
    for (kind, users) in [("group.members-added", added), ("group.members-removed", removed)] {
        for chunk in users.chunks(MEMBERS_PER_CHANGE) {
            scope.record(kind, Detail { group: Some(group.to_string()), members: chunk.to_vec(), ..Detail::default() });
        }
    }
}

/// Removes a membership, with what is due of it: `value` is what is stored of it.
pub fn remove_stored_edge(transaction: &mut Transaction, holder: &str, member: &str, value: &str) {
    remove_edge(transaction, holder, member);
    if let Some(end) = membership::end_of(value) {
        let due = Due::Probation { holder: holder.to_string(), customer: member.to_string() };
        transaction.delete(due.key(end));
    }
}

/// Removes a membership of a group.
pub fn remove_edge(transaction: &mut Transaction, group: &str, user: &str) {
    transaction.delete(keys::member(group, user));
    transaction.delete(keys::member_of(user, group));
}

/// Takes a deleted user out of its groups. Its customer keeps what they made it a member of.
///
/// # Errors
/// Where the storage fails.
pub fn forget_user(scope: &mut Scope<'_>, user: &str, customer: Option<&str>) -> Result<()> {
    let directory = scope.directory();
    let left = leave_groups(scope.transaction, directory, user, SWEPT_AT_ONCE, &scope.call.now, customer)?;
    scope.counts.memberships = scope.counts.memberships.saturating_sub(u64::from(left.counted));
    if left.more {
        scope.transaction.put(keys::sweep(directory, user), records::write(&Sweep::User(customer.map(String::from))));
        scope.counts.unswept_users = scope.counts.unswept_users.saturating_add(1);
    }
    Ok(())
}

/// What a bounded removal of memberships did.
#[derive(Debug, Clone, Copy)]
pub struct Left {
    /// How many memberships were removed from the storage.
    pub removed: u32,
    /// How many of them still counted: those of a deleted group have been taken off the count with it.
    pub counted: u32,
    /// Whether others remain.
    pub more: bool,
}

/// Takes a user that is deleted out of up to `limit` of its groups, each of which gets a new version. A customer keeps
/// what they made it a member of, where it is or can be restored.
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
) -> Result<Left> {
    let kept = customer.map(|id| customers::kept(transaction, id)).transpose()?.flatten();
    let mut range = prefix_range(&keys::memberships(user), limit.saturating_add(1));
    range.keys_only = true;
    // A customer often has the id of its user, and what it has of its own sorts behind the groups: no id of a group begins
    // with an `o` before the year 2806.
    range.end = keys::own_memberships(user);
    let entries = transaction.scan(&range)?;
    let more = entries.len() > limit as usize;
    let groups: Vec<&str> = entries.iter().take(limit as usize).map(|entry| keys::id_of(&entry.key)).collect();
    let keys: Vec<String> = groups.iter().map(|group| Kind::Group.resource(directory, group)).collect();
    let values = transaction.get_many(keys.clone())?;
    let mut counted = 0;
    for ((group, key), value) in groups.iter().zip(keys).zip(values) {
        remove_edge(transaction, group, user);
        // A group that is gone has left its memberships to be swept.
        let Some(value) = value else { continue };
        counted += 1;
        let stored = Stored::read(&key, value)?;
        let members = stored.header.members.saturating_sub(1);
        let header = Header { members, ..stored.header.next(&now.text) };
        transaction.put(key, stored.with_header(header).text());
    }
    if let (Some(customer), Some(kept)) = (customer, kept) {
        membership::remember(transaction, &groups, customer, kept == Kept::Present, now)?;
    }
    Ok(Left { removed: u32::try_from(groups.len()).unwrap_or(u32::MAX), counted, more })
}

/// Makes what a user is a member of through deleted groups its customer's own: the organizations of these groups are local
/// or can be restored, and no directory decides about them any more.
///
/// # Errors
/// Where the storage fails.
pub fn leave_deleted_groups(
    transaction: &mut Transaction,
    directory: &str,
    user: &str,
    customer: &str,
    now: &Moment,
) -> Result<()> {
    let mut range = prefix_range(&keys::memberships(user), KEYS_AT_ONCE as u32);
    range.keys_only = true;
    range.end = keys::own_memberships(user);
    loop {
        let entries = transaction.scan(&range)?;
        let groups: Vec<&str> = entries.iter().map(|entry| keys::id_of(&entry.key)).collect();
        let found = groups.iter().map(|group| Kind::Group.resource(directory, group)).collect();
        let found = transaction.get_many(found)?;
        let deleted: Vec<&str> =
            groups.into_iter().zip(found).filter(|(_, found)| found.is_none()).map(|(group, _)| group).collect();
        deleted.iter().for_each(|group| remove_edge(transaction, group, user));
        membership::remember(transaction, &deleted, customer, true, now)?;
        match entries.last() {
            Some(last) if entries.len() >= KEYS_AT_ONCE => range.start = keys::next(&last.key),
            _ => return Ok(()),
        }
    }
}

/// Removes the memberships of a deleted group, unless its organization keeps them.
///
/// # Errors
/// Where the storage fails.
pub fn forget_group(scope: &mut Scope<'_>, group: &str, count: u32, kept: bool) -> Result<()> {
    // They are gone from the count at once, also those that are swept later.
    scope.counts.memberships = scope.counts.memberships.saturating_sub(u64::from(count));
    if count > 0 && !kept && drop_members(scope.transaction, group, SWEPT_AT_ONCE)?.more {
        scope.transaction.put(keys::sweep(scope.call.directory, group), records::write(&Sweep::Group));
    }
    Ok(())
}

/// Removes up to `limit` memberships of a group that is deleted, or of what else holds members.
///
/// # Errors
/// Where the storage fails.
pub fn drop_members(transaction: &mut Transaction, group: &str, limit: u32) -> Result<Left> {
    let mut entries = transaction.scan(&prefix_range(&keys::members(group), limit.saturating_add(1)))?;
    let more = entries.len() > limit as usize;
    entries.truncate(limit as usize);
    for entry in &entries {
        remove_stored_edge(transaction, group, keys::id_of(&entry.key), &entry.value);
    }
    Ok(Left { removed: u32::try_from(entries.len()).unwrap_or(u32::MAX), counted: 0, more })
}

/// Calls `visit` with every member of a group that has `count` of them, in order of their ids.
///
/// # Errors
/// Where the storage fails, or what `visit` says.
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
    let mut range = prefix_range(&keys::members(group), KEYS_AT_ONCE as u32);
    range.keys_only = true;
    loop {
        let entries = scope.transaction.scan(&range)?;
        for entry in &entries {
            let user = keys::id_of(&entry.key);
            if !gone.contains(user) {
                visit(user)?;
            }
        }
        match entries.last() {
            Some(last) if entries.len() >= KEYS_AT_ONCE => range.start = keys::next(&last.key),
            _ => return Ok(()),
        }
    }
}

/// Which of these users are members of a group.
///
/// # Errors
/// Where the storage fails.
pub fn among(scope: &mut Scope<'_>, group: &str, users: &[&str]) -> Result<Vec<String>> {
    let gone = unswept_users(scope)?;
    let users: Vec<&str> = users.iter().copied().filter(|user| keys::is_id(user) && !gone.contains(*user)).collect();
    let values = scope.transaction.get_many(users.iter().map(|user| keys::member(group, user)).collect())?;
    Ok(users.iter().zip(values).filter(|(_, value)| value.is_some()).map(|(user, _)| (*user).to_string()).collect())
}

/// The groups that a user is a member of, in order of their ids; also such as are deleted and not yet swept.
///
/// # Errors
/// Where the storage fails.
pub fn groups_of(scope: &mut Scope<'_>, user: &str) -> Result<Vec<String>> {
    let mut range = prefix_range(&keys::memberships(user), KEYS_AT_ONCE as u32);
    range.keys_only = true;
    let mut groups = Vec::new();
    loop {
        let entries = scope.transaction.scan(&range)?;
        groups.extend(entries.iter().map(|entry| keys::id_of(&entry.key).to_string()));
        match entries.last() {
            Some(last) if entries.len() >= KEYS_AT_ONCE => range.start = keys::next(&last.key),
            _ => return Ok(groups),
        }
    }
}

/// The deleted users of whom memberships are left. Almost always none, and then it costs nothing to know.
fn unswept_users(scope: &mut Scope<'_>) -> Result<BTreeSet<String>> {
    if scope.counts.unswept_users == 0 {
        return Ok(BTreeSet::new());
    }
    let mut range = prefix_range(&keys::sweeps(scope.call.directory), u32::MAX);
    range.keys_only = true;
    Ok(scope.transaction.scan(&range)?.iter().map(|entry| keys::id_of(&entry.key).to_string()).collect())
}
