//! Changing who is a member of a group.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::memberships::{for_each, unswept_users};
use super::scope::Scope;
use super::staging::Turnover;
use crate::json::{Object, Value};
use crate::language::error::{Error, Result};
use crate::language::filter::Filter;
use crate::language::patch::MemberEdit;
use crate::store::edges;
use crate::store::feed::{ChangeKind, Detail, MEMBERS_PER_CHANGE};
use crate::store::keys::{self, Kind};
use crate::store::pages::{self, ENTRIES_AT_ONCE};
use crate::store::records::UnknownMembers;
use crate::text::quoted;

/// How many ids an error names.
const IDS_PER_ERROR: usize = 10;

/// What reading one member costs when all members of a group are read, counted in tests of a filter.
const TESTS_PER_READ: usize = 16;

/// A member as a sequence of edits leaves it.
#[derive(Debug, Clone, Copy)]
struct State {
    was: bool,
    is: bool,
    /// The first edit after the last one that named it or was about all members: filters before that do not matter.
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
    /// What that means for the plan, if the group is linked to an organization and its directory is staged.
    pub turnover: Turnover,
}

/// Applies edits to the members of a group, in order. If it is linked to an organization and its directory is staged, the
/// site does not see that yet.
///
/// # Errors
/// 400 `invalidValue` that names the ids which are not users of the directory, or the limit; 400 `tooMany` if filters
/// would have to be tried on too many members.
pub fn edit(
    scope: &mut Scope<'_>,
    group: &str,
    count: u32,
    edits: &[MemberEdit<'_>],
    organization: Option<u64>,
) -> Result<Edited> {
    if edits.is_empty() {
        let (added, removed) = (Vec::new(), Vec::new());
        return Ok(Edited { count, changed: false, added, removed, turnover: Turnover::default() });
    }
    // The result does not depend on edits before the last one that replaces all members, but these must be valid too.
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
        let member = member_for_filter(&base, user);
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
    let after = count.saturating_sub(pages::count(removed.len())).saturating_add(pages::count(added.len()));
    if after > count {
        let limit = scope.limits()?.max_members;
        if after > limit {
            return Err(Error::invalid_value(format!("a group may have {limit} members, this would make {after}")));
        }
    }
    let changed = !(added.is_empty() && removed.is_empty());
    let done = &mut scope.notes.done.members;
    (done.added, done.removed) = (pages::count(added.len()), pages::count(removed.len()));
    let turnover = write(scope, group, &added, &removed, organization)?;
    Ok(Edited { count: after, changed, added, removed, turnover })
}

/// The states of all users that the edits concern: those that they name, or all members if one edit concerns all.
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
    for chunk in named.chunks(ENTRIES_AT_ONCE as usize) {
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

/// Collects the ids of an edit that are to be members but do not have the form of an id.
fn collect_unknown(edit: &MemberEdit<'_>, unknown: &mut BTreeSet<String>) {
    if let MemberEdit::Add(ids) | MemberEdit::Replace(ids) = edit {
        unknown.extend(ids.iter().filter(|id| !keys::is_id(id)).map(ToString::to_string));
    }
}

/// Applies the edit at this place in the list. An edit by a filter does nothing here.
fn apply(members: &mut BTreeMap<String, State>, at: usize, edit: &MemberEdit<'_>) {
    let open_from = at + 1;
    if is_about_all(edit) {
        for state in members.values_mut() {
            *state = State { is: false, open_from, ..*state };
        }
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

/// Makes sure that all new members are users of the directory.
fn check_known(
    scope: &mut Scope<'_>,
    members: &mut BTreeMap<String, State>,
    mut unknown: BTreeSet<String>,
) -> Result<()> {
    let coming: Vec<&String> = members.iter().filter(|(_, state)| state.is && !state.was).map(|(id, _)| id).collect();
    for chunk in coming.chunks(ENTRIES_AT_ONCE as usize) {
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
        scope.notes.add(format!("members that are no users of this directory were left out: {named}"));
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

fn write(
    scope: &mut Scope<'_>,
    group: &str,
    added: &[String],
    removed: &[String],
    organization: Option<u64>,
) -> Result<Turnover> {
    let mut turnover = Turnover::default();
    let seen = organization.filter(|_| !scope.is_staged());
    if organization.is_some() && seen.is_none() {
        turnover = scope.plan_members(group, added, removed)?;
    } else {
        for user in added {
            edges::add(scope.transaction, group, user, "");
        }
        for user in removed {
            edges::remove(scope.transaction, group, user);
        }
    }
    let memberships = scope.counts.memberships.saturating_add(added.len() as u64);
    scope.counts.memberships = memberships.saturating_sub(removed.len() as u64);
    for (kind, users) in [(ChangeKind::GroupMembersAdded, added), (ChangeKind::GroupMembersRemoved, removed)] {
        for chunk in users.chunks(MEMBERS_PER_CHANGE) {
            scope.record(kind, Detail { members: chunk.to_vec(), organization: seen, ..Detail::of_group(group) });
        }
    }
    Ok(turnover)
}

/// A member of a group, with all that is returned of it. `base` is the URL of all users, with a slash at its end.
#[must_use]
pub fn member_for_filter<'s>(base: &str, user: &'s str) -> Object<'s> {
    [("value", Value::from(user)), ("$ref", Value::from([base, user].concat())), ("type", Value::from("User"))]
        .into_iter()
        .map(|(name, value)| (name.into(), value))
        .collect()
}
