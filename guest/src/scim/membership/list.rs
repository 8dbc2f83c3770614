//! Lists of memberships, in order of their groups and, within a group, of their members.
//!
//! A page by cursor costs the same wherever it is in the list. Only the groups of one user are gone through as a whole for
//! their first page, to count them.

use alloc::string::String;
use alloc::vec::Vec;

use super::super::membership_id::MembershipId;
use super::question::Question;
use super::render::{self, Membership};
use crate::language::error::{Error, Result};
use crate::provisioning::memberships;
use crate::provisioning::scope::Scope;
use crate::scim::cursor::{Cursor, Place};
use crate::scim::list::envelope;
use crate::scim::query::Query;
use crate::store::keys::{self, Kind};
use crate::store::pages;
use crate::store::prefix_range;
use crate::store::records::Stored;

/// How many groups are looked at for a page of all memberships. Behind them the page ends early, unless it is empty: so
/// it is no more than as many scans.
const GROUPS_AT_ONCE: u32 = 100;

/// How many groups of a user are read at once. This bounds the memory of a request.
const GROUPS_OF_USER_AT_ONCE: u32 = 500;

/// Which part of the matches is wanted.
struct Window {
    /// How many to pass over.
    skip: u64,
    /// Only those after this one.
    after: Option<MembershipId>,
    /// How many at most.
    count: usize,
    /// How many there are in all, if an earlier page has told.
    total: Option<u64>,
}

/// What there is in the window.
struct Found {
    total: u64,
    page: Vec<Membership>,
    /// Whether more may follow.
    more: bool,
}

impl Found {
    fn nothing() -> Self {
        Found { total: 0, page: Vec::new(), more: false }
    }
}

/// The list response for memberships.
///
/// # Errors
/// 400 for a filter or an order that memberships do not have; and where the storage fails.
pub fn respond(scope: &mut Scope<'_>, query: &Query<'_>) -> Result<String> {
    if query.sort.is_some() {
        return Err(Error::invalid_path("memberships have an order of their own, by group and member"));
    }
    let question = Question::of(query.filter.as_ref())?;
    let window = window(query);
    let found = match &question {
        Question::All => all(scope, &window)?,
        Question::OfGroup(group) => of_group(scope, group, &window)?,
        Question::OfUser(user) => of_user(scope, user, &window)?,
        Question::One(id) => one(scope, id, &window)?,
        Question::Nothing => Found::nothing(),
    };
    let next = match found.page.last() {
        Some(last) if query.cursor.is_some() && found.more => {
            Some(Cursor::write(&Place::Membership(last.id.clone()), found.total, &query.fingerprint))
        }
        _ => None,
    };
    let mut resources = String::new();
    for membership in &found.page {
        if !resources.is_empty() {
            resources.push(',');
        }
        resources.push_str(&render::text(scope, membership, &query.wanted));
    }
    let start_index = query.cursor.is_none().then_some(query.start_index);
    Ok(envelope(found.total, start_index, found.page.len(), next.as_deref(), &resources))
}

fn window(query: &Query<'_>) -> Window {
    let count = query.count as usize;
    match query.cursor.clone() {
        None => Window { skip: query.start_index - 1, after: None, count, total: None },
        Some(Cursor { place, total }) => {
            let after = match place {
                Some(Place::Membership(id)) => Some(id),
                _ => None,
            };
            Window { skip: 0, after, count, total }
        }
    }
}

/// All memberships of the directory, group by group. While deleted users are still to be swept, they count, and a page by
/// index may have what an earlier one had; it leaves nobody out.
fn all(scope: &mut Scope<'_>, window: &Window) -> Result<Found> {
    let total = window.total.unwrap_or(scope.counts.memberships);
    let mut found = Found { total, ..Found::nothing() };
    if window.count == 0 {
        return Ok(found);
    }
    let gone = memberships::unswept_users(scope)?;
    let mut skip = window.skip;
    let mut range = prefix_range(&Kind::Group.resources(scope.directory()), GROUPS_AT_ONCE);
    if let Some(place) = &window.after {
        range.start = Kind::Group.resource(scope.directory(), &place.group);
    }
    loop {
        let entries = scope.transaction.scan(&range)?;
        let next =
            entries.last().filter(|_| entries.len() == GROUPS_AT_ONCE as usize).map(|last| keys::next(&last.key));
        for entry in entries {
            let id = String::from(keys::id_of(&entry.key));
            let group = Stored::read(&entry.key, entry.value)?;
            let members = u64::from(group.header.members);
            if members <= skip {
                skip -= members;
                continue;
            }
            let after = window.after.as_ref().filter(|place| place.group == id).map(|place| place.user.as_str());
            // One more than wanted tells whether there are any more.
            let wanted = window.count - found.page.len() + 1;
            let users = memberships::some_of(scope, &id, &gone, after, skip, wanted)?;
            skip = 0;
            found.page.extend(Membership::of(scope, &id, &group, users)?);
            if found.page.len() > window.count {
                found.page.truncate(window.count);
                found.more = true;
                return Ok(found);
            }
        }
        match next {
            Some(next) if found.page.is_empty() => range.start = next,
            more => {
                found.more = more.is_some();
                return Ok(found);
            }
        }
    }
}

fn of_group(scope: &mut Scope<'_>, id: &str, window: &Window) -> Result<Found> {
    let Some(group) = scope.find(Kind::Group, id)? else { return Ok(Found::nothing()) };
    let gone = memberships::unswept_users(scope)?;
    let total = match window.total {
        Some(total) => total,
        None => {
            let gone: Vec<&str> = gone.iter().map(String::as_str).collect();
            let unswept = memberships::stored_among(scope, id, &gone)?;
            u64::from(group.header.members).saturating_sub(unswept.len() as u64)
        }
    };
    let mut found = Found { total, ..Found::nothing() };
    if window.count == 0 {
        return Ok(found);
    }
    let after = window.after.as_ref().map(|place| place.user.as_str());
    let users = memberships::some_of(scope, id, &gone, after, window.skip, window.count + 1)?;
    found.page.extend(Membership::of(scope, id, &group, users)?);
    found.more = found.page.len() > window.count;
    found.page.truncate(window.count);
    Ok(found)
}

fn of_user(scope: &mut Scope<'_>, user: &str, window: &Window) -> Result<Found> {
    if scope.find(Kind::User, user)?.is_none() {
        return Ok(Found::nothing());
    }
    let (mut seen, mut groups, mut more) = (0_u64, Vec::new(), false);
    let after = window.after.as_ref().map(|place| place.group.as_str());
    let at_once = match window.total {
        Some(_) => GROUPS_OF_USER_AT_ONCE.min(pages::count(window.count).saturating_add(1)),
        None => GROUPS_OF_USER_AT_ONCE,
    };
    memberships::for_each_group(scope, user, after, at_once, |group, stored| {
        seen += 1;
        if seen > window.skip {
            if groups.len() < window.count {
                groups.push((String::from(group), stored));
            } else {
                more = true;
            }
        }
        // Once the total is known, what follows a full page need not be looked at.
        !(more && window.total.is_some())
    })?;
    let mut found = Found { total: window.total.unwrap_or(seen), page: Vec::with_capacity(groups.len()), more };
    for (id, group) in &groups {
        found.page.extend(Membership::of(scope, id, group, alloc::vec![user.into()])?);
    }
    Ok(found)
}

fn one(scope: &mut Scope<'_>, id: &MembershipId, window: &Window) -> Result<Found> {
    let Some(group) = memberships::find(scope, &id.group, &id.user)? else { return Ok(Found::nothing()) };
    let mut found = Found { total: 1, ..Found::nothing() };
    if window.skip == 0 && window.after.is_none() && window.count > 0 {
        found.page = Membership::of(scope, &id.group, &group, alloc::vec![id.user.clone()])?;
    }
    Ok(found)
}
