//! Groups: creation, changes and deletion.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::index::{self, changed_names};
use super::profile::group_name;
use super::scope::Scope;
use super::{leaving, members, memberships, refused, rules};
use crate::json::Object;
use crate::language::error::{Error, Result};
use crate::language::patch::MemberEdit;
use crate::site::{arrivals, membership, organizations, parting, probation, totals};
use crate::store::feed::{ChangeKind, Detail};
use crate::store::keys::{self, Kind};
use crate::store::records::{self, ConflictPolicy, ConflictRecord, Counts, Header, Link, Stored};
use crate::store::{Transaction, plan, sizes};
use crate::text::quoted;

/// Makes a group.
///
/// # Errors
/// 409 `uniqueness` when the name is taken; 400 `invalidValue` for unknown members, or above a limit.
pub fn create(scope: &mut Scope<'_>, id: &str, attributes: &Object<'_>, members: &[MemberEdit<'_>]) -> Result<Stored> {
    let limit = scope.limits()?.max_groups;
    if scope.counts.groups >= u64::from(limit) {
        return Err(Error::invalid_value(alloc::format!("a directory may have {limit} groups")));
    }
    index::replace(scope, Kind::Group, id, None, None, Some(attributes))?;
    scope.record(ChangeKind::GroupCreated, Detail::of_group(id));
    let link = Link { directory: scope.directory().to_string(), resource: id.to_string() };
    // A list of members is the whole list: there is no grace for those who are not on it.
    let is_complete = members.iter().any(|edit| matches!(edit, MemberEdit::Add(ids) if !ids.is_empty()));
    let name = group_name(attributes);
    let policy = refused::policy(scope, name)?;
    let made = if scope.is_staged() {
        scope.plan_organization(id, name, policy, is_complete).map(|planned| (None, planned))
    } else {
        let grace = Some(scope.settings.adoption_grace).filter(|_| !is_complete);
        let made = organizations::provision(&mut scope.work(), link, name, policy, grace);
        made.map(|made| (made, made.is_some())).map_err(Error::from)
    };
    if made.is_err() && policy == ConflictPolicy::Reject {
        scope.notes.refused_groups.push((id.to_string(), name.to_string()));
    }
    let (organization, has_one) = made?;
    let directory = scope.directory();
    totals::count_organization(scope.transaction, directory, [false, organization.is_some()])?;
    if let Some(organization) = organization {
        arrivals::begin_adoption(&mut scope.work(), organization)?;
        rules::associate(&mut scope.work(), directory, organization, name)?;
    }
    if !has_one {
        keep_apart(scope.transaction, &mut scope.counts, directory, id, scope.context.now.milliseconds);
    }
    let members = members::edit(scope, id, 0, members, organization)?;
    if let Some(organization) = organization.filter(|_| is_complete) {
        arrivals::note_adoption(&mut scope.work(), organization, &[], &members.added)?;
        organizations::settle_at_once(&mut scope.work(), organization, true)?;
    }
    let header = Header {
        version: 1,
        created: scope.context.now.text.clone(),
        modified: scope.context.now.text.clone(),
        enterprise: false,
        inactive: false,
        members: members.count,
        customer: None,
        unlinked: None,
        organization,
        twin: None,
    };
    let stored = Stored::new(header, attributes);
    scope.store(Kind::Group, id, &stored);
    sizes::resize(scope.transaction, scope.context.directory, id, 0, members.count);
    scope.count_in(Kind::Group, id)?;
    Ok(stored)
}

/// Lists a group as one that is left apart from the organization of its name.
pub fn keep_apart(transaction: &mut Transaction, counts: &mut Counts, directory: &str, group: &str, now: u64) {
    let conflict = ConflictRecord { since: now, apart: true, same_name: None, refused: None };
    transaction.put(keys::conflict(directory, group), records::write(&conflict));
    counts.conflicts = counts.conflicts.saturating_add(1);
}

/// Changes the attributes of a group and edits its members. Nothing happens if all stays the same.
///
/// # Errors
/// As [`create`].
pub fn update(
    scope: &mut Scope<'_>,
    id: &str,
    old: &Stored,
    after: &Object<'_>,
    members: &[MemberEdit<'_>],
) -> Result<Stored> {
    let key = Kind::Group.resource(scope.directory(), id);
    let before = old.attributes(&key)?;
    let changed = changed_names(&before, after);
    let mut twin = old.header.twin;
    if !changed.is_empty() {
        twin = index::replace(scope, Kind::Group, id, twin, Some(&before), Some(after))?;
        scope.record(ChangeKind::GroupUpdated, Detail { changed: changed.clone(), ..Detail::of_group(id) });
        match old.header.organization {
            _ if group_name(&before) == group_name(after) => {}
            // It has no organization, and may keep the name of the one that it is left apart from.
            None if keys::comparable(group_name(&before)) == keys::comparable(group_name(after)) => {}
            _ if scope.is_staged() => scope.check_planned_name(id, &old.header, group_name(after))?,
            Some(organization) => organizations::follow_name(&mut scope.work(), organization, group_name(after))?,
            None => organizations::check_free(&mut scope.work(), group_name(after))?,
        }
    }
    let is_complete = |edit: &MemberEdit<'_>| matches!(edit, MemberEdit::Replace(_) | MemberEdit::RemoveAll);
    let (mut others_in, mut settled_now) = (None, None);
    if let Some(organization) = old.header.organization.filter(|_| !scope.is_staged()) {
        let is_complete = members.iter().any(is_complete);
        let settled = organizations::settle(&mut scope.work(), organization, is_complete)?;
        others_in = Some(organization).filter(|_| settled.has_others);
        settled_now = Some((organization, settled));
    }
    let edited = members::edit(scope, id, old.header.members, members, old.header.organization)?;
    if scope.is_staged() && (edited.changed || !changed.is_empty() || members.iter().any(is_complete)) {
        let is_complete = members.iter().any(is_complete);
        let names = [group_name(&before), group_name(after)];
        scope.plan_group(id, &old.header, names, edited.turnover, is_complete)?;
        if edited.changed {
            // Who gains and who loses a project may be another, also where the same number comes and goes.
            scope.counts.planned.changed = scope.context.now.milliseconds;
        }
    }
    if let Some((organization, settled)) = settled_now {
        if settled.has_others || !settled.former.is_empty() {
            arrivals::note_adoption(&mut scope.work(), organization, &settled.former, &edited.added)?;
        }
        organizations::part(&mut scope.work(), organization, &settled)?;
    }
    if let Some(organization) = others_in {
        probation::confirm(&mut scope.work(), organization, &edited.added)?;
        // Also those who are not members of the group: they may be members through something else.
        let named = members.iter().filter(|edit| matches!(edit, MemberEdit::Remove(_))).flat_map(members::named);
        let named = named.filter(|id| keys::is_id(id)).map(ToString::to_string);
        let removed: Vec<String> = named.chain(edited.removed.iter().cloned()).collect();
        membership::take_out(&mut scope.work(), organization, &removed)?;
    }
    if changed.is_empty() && !edited.changed {
        return Ok(old.clone());
    }
    let header = Header { members: edited.count, twin, ..old.header.next(&scope.context.now.text) };
    let stored = if changed.is_empty() { old.with_header(header) } else { Stored::new(header, after) };
    scope.store(Kind::Group, id, &stored);
    sizes::resize(scope.transaction, scope.context.directory, id, old.header.members, edited.count);
    Ok(stored)
}

/// Adds a user to a group, as a PATCH of the group does. The ids are as the client wrote them. Returns the group as it is
/// then.
///
/// # Errors
/// 400 `invalidValue` where the directory has no such group or user, or above a limit; 409 `uniqueness` where the user is
/// a member.
pub fn add_member(scope: &mut Scope<'_>, group: &str, user: &str) -> Result<Stored> {
    let unknown = |what: &str, id: &str| Error::invalid_value(alloc::format!("there is no {what} {}", quoted(id)));
    let Some(old) = scope.find(Kind::Group, group)? else { return Err(unknown("group", group)) };
    // Somebody unknown is refused under either setting: there is nothing else in the request that could be done.
    if scope.find(Kind::User, user)?.is_none() {
        return Err(unknown("user", user));
    }
    if !memberships::among(scope, group, &[user])?.is_empty() {
        return Err(Error::uniqueness("the user is a member of the group"));
    }
    edit_members(scope, group, &old, MemberEdit::Add(alloc::vec![user.into()]))
}

/// Removes a user from a group that it is a member of, as a PATCH of the group does. Returns the group as it is then.
///
/// # Errors
/// Where the storage fails.
pub fn remove_member(scope: &mut Scope<'_>, group: &str, old: &Stored, user: &str) -> Result<Stored> {
    edit_members(scope, group, old, MemberEdit::Remove(alloc::vec![user.into()]))
}

fn edit_members(scope: &mut Scope<'_>, group: &str, old: &Stored, edit: MemberEdit<'_>) -> Result<Stored> {
    let attributes = old.attributes(&Kind::Group.resource(scope.directory(), group))?;
    update(scope, group, old, &attributes, &[edit])
}

/// Deletes a group; its members stay.
///
/// # Errors
/// 503 where deletions are held.
pub fn delete(scope: &mut Scope<'_>, id: &str, old: &Stored) -> Result<()> {
    scope.pass_deletion(Kind::Group, id, old, true)?;
    let key = Kind::Group.resource(scope.directory(), id);
    let before = old.attributes(&key)?;
    index::replace(scope, Kind::Group, id, old.header.twin, Some(&before), None)?;
    scope.take_off_held(id)?;
    scope.transaction.delete(key);
    if !scope.is_staged() {
        scope.transaction.delete(keys::adoption(scope.directory(), id));
    }
    sizes::resize(scope.transaction, scope.context.directory, id, old.header.members, 0);
    scope.count_out(Kind::Group, id)?;
    scope.record(ChangeKind::GroupDeleted, Detail::of_group(id));
    let planned = if scope.is_staged() { plan::find(scope.transaction, scope.context.directory, id)? } else { None };
    let kept = match old.header.organization {
        organization if scope.is_staged() && (organization.is_some() || planned.is_some()) => {
            scope.plan_group_deletion(id, old, group_name(&before))?
        }
        Some(organization) => {
            totals::count_organization(scope.transaction, scope.context.directory, [true, false])?;
            organizations::remove(&mut scope.work(), organization)?
        }
        None => {
            forget_conflict(scope, id)?;
            parting::keep_members(&mut scope.work(), id)?
        }
    };
    leaving::forget_group(scope, id, old.header.members, kept)
}

/// Takes the conflict of a group off the lists, if there is one.
fn forget_conflict(scope: &mut Scope<'_>, id: &str) -> Result<()> {
    let key = keys::conflict(scope.directory(), id);
    if scope.transaction.get(key.clone())?.is_some() {
        scope.transaction.delete(key);
        scope.counts.conflicts = scope.counts.conflicts.saturating_sub(1);
    }
    scope.transaction.delete(keys::left_apart(scope.directory(), id));
    Ok(())
}
