//! Users: creation, changes and deletion, with the rules of the product that concern a user alone.

use alloc::string::{String, ToString};

use super::domains;
use super::index;
use super::leaving;
use super::links;
use super::profile::{email, profile, text};
use super::scope::Scope;
use super::unlinked;
use crate::json::{Object, Value};
use crate::language::error::{Error, Result, Status};
use crate::language::resource;
use crate::language::schema::ENTERPRISE_USER;
use crate::site;
use crate::site::arrivals;
use crate::site::customers::{self, Profile};
use crate::site::{index as site_index, totals};
use crate::store;
use crate::store::feed::{ChangeKind, Detail};
use crate::store::keys::{self, Kind};
use crate::store::records::{EmailChange, EmailPresence, Header, Link, OutsideDomains, Stored, Turn, UnlinkedReason};

/// The attributes that have indexes.
const INDEXED: [&str; 3] = ["userName", "externalId", "emails"];

/// The attributes of a user that its customer follows, besides whether it is active.
const FOLLOWED: [&str; 7] = ["userName", "emails", "displayName", "name", "timezone", "locale", "preferredLanguage"];

/// Makes a user.
///
/// # Errors
/// 409 `uniqueness` when the name is taken; 400 `invalidValue` if it has no email address and the directory requires
/// one, or one outside of the directory's domains and the directory refuses such.
pub fn create(scope: &mut Scope<'_>, id: &str, attributes: &Object<'_>) -> Result<Stored> {
    let mut attributes = attributes.clone();
    if attributes.get("active").is_none() {
        attributes.set("active", Value::Bool(true));
    }
    check_email_presence(scope, &attributes)?;
    check_domain(scope, &attributes)?;
    let inactive = attributes.get("active") == Some(&Value::Bool(false));
    let link = Link { directory: scope.directory().to_string(), resource: id.to_string() };
    // First, so that a taken user name is reported as such, whatever the email address is.
    index::replace(scope, Kind::User, id, None, None, Some(&attributes))?;
    scope.record(ChangeKind::UserCreated, Detail::of_user(id));
    let profile = profile(&attributes, inactive);
    let customer = match domains::reason(&scope.settings, profile.email.as_deref()) {
        None if scope.is_staged() => {
            scope.plan_customer(id, &profile)?;
            set_unlinked(scope, id, Some(UnlinkedReason::Staged))?;
            None
        }
        None => customers::provision(&mut scope.work(), link, &profile, false)?,
        Some(reason) => {
            set_unlinked(scope, id, Some(reason))?;
            scope.record(ChangeKind::UserUnlinked, Detail { reason: Some(reason), ..Detail::of_user(id) });
            None
        }
    };
    let header = Header {
        version: 1,
        created: scope.context.now.text.clone(),
        modified: scope.context.now.text.clone(),
        enterprise: attributes.get(ENTERPRISE_USER).is_some(),
        inactive,
        members: 0,
        customer,
        unlinked: None,
        organization: None,
        twin: None,
    };
    let stored = Stored::new(header, &attributes);
    scope.store(Kind::User, id, &stored);
    count_inactive(scope, None, Some(&stored.header))?;
    scope.count_in(Kind::User, id)?;
    Ok(stored)
}

/// What is left out of a leaver's request, tried one after the other until the rest can be done. A change of a user can
/// be refused only for its name or its address.
const LEFT_OUT: [&[&str]; 4] = [&[], &["userName"], &["emails"], &["userName", "emails"]];

/// Changes the attributes of a user. Nothing happens if they are the same. `leaves` says that the request wants the
/// user inactive: that is done whatever else the request asks for, and what cannot be done is left out and noted.
///
/// # Errors
/// 400 `mutability` for a change of email that the directory refuses; 503 for a deactivation that is held; otherwise as
/// [`create`]. For a leaver, only 503. What a directory refuses of addresses concerns new ones only.
pub fn update(
    scope: &mut Scope<'_>,
    id: &str,
    old: &Stored,
    mut attributes: Object<'_>,
    leaves: bool,
) -> Result<Stored> {
    let before = scope.attributes(Kind::User, id, old)?;
    if attributes.get("active").is_none() {
        // A blind default must not let a leaver in again: a request without a status leaves it as it is.
        attributes.set("active", Value::Bool(!old.header.inactive));
    }
    let attributes = &attributes;
    if !leaves {
        return change(scope, id, old, &before, attributes);
    }
    let mut refusal = None;
    for names in LEFT_OUT {
        let mark = scope.savepoint();
        let outcome = leave_out(&before, attributes, names)
            .and_then(|after| change(scope, id, old, &before, after.as_ref().unwrap_or(attributes)));
        match outcome {
            Err(error) if !error.is_breakdown && error.status != Status::Unavailable => {
                scope.undo_since(mark);
                refusal.get_or_insert(error);
            }
            done => {
                if let Some(refusal) = refusal.filter(|_| done.is_ok()) {
                    note_left_out(scope, id, &names.join(" and "), &refusal);
                }
                return done;
            }
        }
    }
    let mut after = before.clone();
    after.set("active", Value::Bool(false));
    let stored = change(scope, id, old, &before, &after)?;
    if let Some(refusal) = refusal {
        note_left_out(scope, id, "everything else", &refusal);
    }
    Ok(stored)
}

/// The new attributes, but those of these names as they were before; `None` if nothing is left out.
///
/// # Errors
/// 400 `invalidValue` if old and new attributes together are too large.
fn leave_out<'a>(before: &Object<'a>, attributes: &Object<'a>, names: &[&'static str]) -> Result<Option<Object<'a>>> {
    if names.is_empty() {
        return Ok(None);
    }
    let mut after = attributes.clone();
    for name in names {
        keep(before, &mut after, name);
    }
    resource::check(Kind::User.resource_type(), &after)?;
    Ok(Some(after))
}

/// Notes what was left out of a leaver's request, and why.
pub fn note_left_out(scope: &mut Scope<'_>, id: &str, what: &str, refusal: &Error) {
    let detail = &refusal.detail;
    scope.notes.add(alloc::format!("the user {id} is inactive as asked, and this was left out: {what}: {detail}"));
}

/// Changes the attributes of a user, all of them or none.
fn change(scope: &mut Scope<'_>, id: &str, old: &Stored, before: &Object<'_>, after: &Object<'_>) -> Result<Stored> {
    let inactive = after.get("active") == Some(&Value::Bool(false));
    if scope.settings.email_change == EmailChange::Refuse && changes_email(before, after) {
        return Err(Error::mutability(
            "the email address of a user cannot be changed here; a userName that is the email address neither",
        ));
    }
    let moves = email(before) != email(after);
    if moves {
        check_domain(scope, after)?;
    }
    // A user who had no address before the directory required one can leave without it.
    if !inactive || email(before).is_some() {
        check_email_presence(scope, after)?;
    }
    let changed = index::changed_names(before, after);
    if changed.is_empty() {
        return Ok(old.clone());
    }
    let mut twin = old.header.twin;
    if concerns(&changed, &INDEXED) {
        twin = index::replace(scope, Kind::User, id, twin, Some(before), Some(after))?;
    }
    if inactive && !old.header.inactive {
        scope.pass_deletion(Kind::User, id, old, false)?;
    }
    let followed = concerns(&changed, &FOLLOWED) || inactive != old.header.inactive;
    scope.record(ChangeKind::UserUpdated, Detail { changed, ..Detail::of_user(id) });
    let profile = profile(after, inactive);
    let reason = domains::reason(&scope.settings, profile.email.as_deref());
    let customer = match &old.header.customer {
        customer if scope.is_staged() => {
            let leaves = customer.is_some() && moves && reason == Some(UnlinkedReason::OutsideDomains);
            if leaves && !inactive {
                // It is deactivated by that; while the plan is being applied, nobody asks any more how many go.
                scope.pass_deletion(Kind::User, id, old, false)?;
            }
            if followed || moves {
                scope.plan_change(id, &old.header, &profile, moves, reason)?;
            }
            customer.clone()
        }
        Some(customer) if moves && reason == Some(UnlinkedReason::OutsideDomains) => {
            if !inactive {
                // Its customer is deactivated by that.
                scope.pass_deletion(Kind::User, id, old, false)?;
            }
            part(scope, id, customer, profile)?;
            None
        }
        Some(customer) => {
            if followed {
                customers::follow(&mut scope.work(), customer, &profile)?;
            }
            Some(customer.clone())
        }
        // What an administrator has unlinked stays so until an administrator links it again.
        None if old.header.unlinked.is_some() => None,
        None => {
            let before = unlinked::reason(scope.transaction, scope.context.directory, id)?;
            let customer = match reason {
                None => {
                    let link = Link { directory: scope.directory().to_string(), resource: id.to_string() };
                    match customers::provision(&mut scope.work(), link, &profile, true) {
                        // Somebody else has had the address for long: that is no reason to refuse what has come now.
                        Err(site::Error::Taken(_)) if !moves => None,
                        provided => provided?,
                    }
                }
                Some(_) => None,
            };
            // Why it was not linked before is why it is not linked now.
            let reason = if customer.is_none() { reason.or(before) } else { None };
            if let Some(customer) = &customer {
                arrivals::record_turn(&mut scope.work(), customer, id, Turn::Linked, None)?;
            }
            if before != reason {
                set_unlinked(scope, id, reason)?;
            }
            if let Some(reason) = reason.filter(|reason| before != Some(*reason)) {
                scope.record(ChangeKind::UserUnlinked, Detail { reason: Some(reason), ..Detail::of_user(id) });
            }
            customer
        }
    };
    let enterprise = after.get(ENTERPRISE_USER).is_some();
    let header = Header { enterprise, inactive, customer, twin, ..old.header.next(&scope.context.now.text) };
    let stored = Stored::new(header, after);
    scope.store(Kind::User, id, &stored);
    if !scope.is_staged() {
        count_inactive(scope, Some(&old.header), Some(&stored.header))?;
    }
    Ok(stored)
}

/// Deletes a user; it leaves all its groups.
///
/// # Errors
/// 503 where deletions are held.
pub fn delete(scope: &mut Scope<'_>, id: &str, old: &Stored) -> Result<()> {
    scope.pass_deletion(Kind::User, id, old, true)?;
    let key = Kind::User.resource(scope.directory(), id);
    let before = old.attributes(&key)?;
    index::replace(scope, Kind::User, id, old.header.twin, Some(&before), None)?;
    scope.take_off_held(id)?;
    scope.transaction.delete(key);
    scope.count_out(Kind::User, id)?;
    if let Some(customer) = &old.header.unlinked {
        site_index::count_unlinked(scope.transaction, scope.context.directory, customer, false)?;
    }
    scope.record(ChangeKind::UserDeleted, Detail::of_user(id));
    if scope.is_staged() {
        scope.plan_deletion(id, old, &profile(&before, old.header.inactive).display_name)?;
    } else if let Some(customer) = &old.header.customer {
        count_inactive(scope, Some(&old.header), None)?;
        customers::remove(&mut scope.work(), customer)?;
    }
    if old.header.customer.is_none() {
        set_unlinked(scope, id, None)?;
    }
    leaving::forget_user(scope, id, old.header.customer.as_deref())
}

/// Counts the deactivated customers of the directory, after a user has changed.
fn count_inactive(scope: &mut Scope<'_>, before: Option<&Header>, after: Option<&Header>) -> Result<()> {
    let is_one = |header: Option<&Header>| header.is_some_and(|header| header.inactive && header.customer.is_some());
    Ok(totals::count_inactive(scope.transaction, scope.context.directory, [before, after].map(is_one))?)
}

/// Unlinks the customer of a user whose new address is outside of the directory's domains. It becomes local, with its
/// last address, and is deactivated: the directory vouches for nobody at that address any more, and what it says of the
/// user from now on reaches no customer.
fn part(scope: &mut Scope<'_>, user: &str, customer: &str, profile: Profile) -> Result<()> {
    let last = Profile { email: None, active: false, ..profile };
    customers::follow(&mut scope.work(), customer, &last)?;
    let record = customers::load(scope.transaction, customer)?;
    let record = record.ok_or_else(|| store::Error::corrupt(&keys::customer(customer)))?;
    let link = Link { directory: scope.directory().to_string(), resource: user.to_string() };
    links::part(&mut scope.work(), customer, &record, &link, Some(UnlinkedReason::OutsideDomains))?;
    set_unlinked(scope, user, Some(UnlinkedReason::OutsideDomains))
}

/// Notes why a user is linked to no customer; `None` if it is linked or deleted.
fn set_unlinked(scope: &mut Scope<'_>, id: &str, reason: Option<UnlinkedReason>) -> Result<()> {
    let directory = scope.directory();
    Ok(unlinked::note(scope.transaction, &mut scope.counts, directory, id, reason)?)
}

fn changes_email(before: &Object<'_>, after: &Object<'_>) -> bool {
    let Some(old) = email(before) else { return false };
    let name = |attributes: &Object<'_>| text(attributes, "userName").map(keys::comparable);
    // Where the user name is the email address, renaming it is a change of email although `emails` still has the old
    // one.
    let renames_email = name(before).as_ref() == Some(&old) && name(after) != name(before);
    renames_email || email(after) != Some(old)
}

fn check_email_presence(scope: &Scope<'_>, attributes: &Object<'_>) -> Result<()> {
    if scope.settings.email == EmailPresence::Required && email(attributes).is_none() {
        return Err(Error::invalid_value("this directory requires an email address for every user"));
    }
    Ok(())
}

fn check_domain(scope: &Scope<'_>, attributes: &Object<'_>) -> Result<()> {
    let refuses = scope.settings.outside_domains == OutsideDomains::Refuse;
    if refuses && email(attributes).is_some_and(|address| !domains::is_inside(&scope.settings, &address)) {
        return Err(Error::invalid_value(
            "the email address is outside of the domains that this directory is bound to",
        ));
    }
    Ok(())
}

/// Leaves an attribute as it was.
fn keep<'a>(before: &Object<'a>, after: &mut Object<'a>, name: &'static str) {
    match before.get(name) {
        Some(value) => after.set(name, value.clone()),
        None => {
            after.remove(name);
        }
    }
}

/// Whether one of these attributes has changed.
fn concerns(changed: &[String], names: &[&str]) -> bool {
    changed.iter().any(|changed| names.contains(&changed.as_str()))
}
