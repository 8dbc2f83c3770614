//! Groups: creation, changes and deletion.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::index;
use super::members;
use super::scope::Scope;
use super::users::changed_names;
use crate::error::{Error, Result};
use crate::json::{Object, Value};
use crate::patch::MemberEdit;
use crate::site::organizations;
use crate::store::keys::Kind;
use crate::store::records::{Detail, Header, Link, Stored};

/// How many groups a directory may have.
pub const MAX_GROUPS: u64 = 20_000;

/// Makes a group.
///
/// # Errors
/// 409 `uniqueness` when the name is taken; 400 `invalidValue` for unknown members or past a limit.
pub fn create(scope: &mut Scope<'_>, id: &str, attributes: &Object<'_>, members: &[MemberEdit<'_>]) -> Result<Stored> {
    if scope.counts.groups >= MAX_GROUPS {
        return Err(Error::invalid_value(alloc::format!("a directory may have {MAX_GROUPS} groups")));
    }
    index_group(scope, id, None, Some(attributes))?;
    scope.record("group.created", of_group(id));
    let link = Link { directory: scope.directory().to_string(), resource: id.to_string() };
    let (policy, grace) = (scope.settings.conflict_policy, scope.settings.adoption_grace);
    let organization = organizations::provision(&mut scope.work(), link, name(attributes), policy, grace)?;
    let (count, _) = members::edit(scope, id, 0, members)?;
    let header = Header {
        version: 1,
        created: scope.call.now.text.clone(),
        modified: scope.call.now.text.clone(),
        enterprise: false,
        inactive: false,
        members: count,
        customer: None,
        organization,
    };
    let stored = Stored::new(header, attributes);
    scope.store(Kind::Group, id, &stored);
    scope.counts.groups = scope.counts.groups.saturating_add(1);
    Ok(stored)
}

/// Gives a group other attributes and edits its members. Nothing happens where all is as before.
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
    if !changed.is_empty() {
        index_group(scope, id, Some(&before), Some(after))?;
        scope.record("group.updated", Detail { changed: changed.clone(), ..of_group(id) });
        if let Some(organization) = old.header.organization
            && name(&before) != name(after)
        {
            organizations::follow_name(&mut scope.work(), organization, name(after))?;
        }
    }
    let is_complete = |edit: &MemberEdit<'_>| matches!(edit, MemberEdit::Replace(_) | MemberEdit::RemoveAll);
    if let Some(organization) = old.header.organization {
        organizations::settle(&mut scope.work(), organization, members.iter().any(is_complete))?;
        let removals = members.iter().filter(|edit| matches!(edit, MemberEdit::Remove(_)));
        let removed: Vec<&str> = removals.flat_map(members::named).collect();
        organizations::drop_restored(&mut scope.work(), organization, &removed)?;
    }
    let (count, members_changed) = if members.is_empty() {
        (old.header.members, false)
    } else {
        members::edit(scope, id, old.header.members, members)?
    };
    if changed.is_empty() && !members_changed {
        return Ok(old.clone());
    }
    let header = Header { members: count, ..old.header.next(&scope.call.now.text) };
    let stored = if changed.is_empty() { old.with_header(header) } else { Stored::new(header, after) };
    scope.store(Kind::Group, id, &stored);
    Ok(stored)
}

/// Deletes a group; its members stay.
///
/// # Errors
/// Where the storage fails.
pub fn delete(scope: &mut Scope<'_>, id: &str, old: &Stored) -> Result<()> {
    let key = Kind::Group.resource(scope.directory(), id);
    let before = old.attributes(&key)?;
    index_group(scope, id, Some(&before), None)?;
    scope.transaction.delete(key);
    scope.counts.groups = scope.counts.groups.saturating_sub(1);
    scope.record("group.deleted", of_group(id));
    let kept = match old.header.organization {
        Some(organization) => organizations::remove(&mut scope.work(), organization)?,
        None => false,
    };
    members::forget_group(scope, id, old.header.members, kept)
}

fn index_group(scope: &mut Scope<'_>, id: &str, before: Option<&Object<'_>>, after: Option<&Object<'_>>) -> Result<()> {
    let directory = scope.directory();
    let entries =
        |attributes: Option<&Object<'_>>| attributes.map(|all| entries(directory, id, all)).unwrap_or_default();
    index::replace(scope, &Kind::Group.name(directory, ""), entries(before), entries(after), || {
        Error::uniqueness("another group of this directory has this displayName")
    })
}

/// The index entries of a group.
fn entries(directory: &str, id: &str, attributes: &Object<'_>) -> BTreeMap<String, String> {
    let text = |name: &str| attributes.get(name).and_then(Value::as_str);
    let mut entries = BTreeMap::new();
    if let Some(name) = text("displayName") {
        entries.insert(Kind::Group.name(directory, name), id.to_string());
    }
    if let Some(external_id) = text("externalId") {
        entries.insert(Kind::Group.external_id(directory, external_id) + id, String::new());
    }
    entries
}

fn name<'o>(attributes: &'o Object<'_>) -> &'o str {
    attributes.get("displayName").and_then(Value::as_str).unwrap_or_default()
}

fn of_group(id: &str) -> Detail {
    Detail { group: Some(id.to_string()), ..Detail::default() }
}
