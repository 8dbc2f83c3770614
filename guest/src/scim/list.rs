//! Lists: which resources match a query, in which order, and which page of them is asked for.
//!
//! Without a filter, and with the filters that identity providers send, this is index reads. Other filters look at every
//! resource, a bounded number at a time.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::cursor::{Cursor, Position};
use super::members;
use super::message::LIST_RESPONSE;
use super::query::{Query, Sort, sort_key};
use super::render::{self, Related};
use super::scope::Scope;
use crate::error::{Error, Result};
use crate::filter::{self, Filter, Read};
use crate::json::push_string;
use crate::resource::Projection;
use crate::store::keys::{self, Kind};
use crate::store::prefix_range;
use crate::store::records::Stored;

/// How many resources are read at once while they are gone through. Bounds the memory of a request, not the list.
const RESOURCES_AT_ONCE: usize = 500;

/// How many resources a filter without an index, or a sorted list, may go through: as many as the largest directory that
/// is planned for, with room. Past it the client is told to narrow the filter (RFC 7644, `tooMany`).
const MAX_EXAMINED: u64 = 1_000_000;

/// When a page has this many bytes it ends early, as RFC 7644 allows (section 3.4.2.4): a hundred groups with all their
/// members must not fill the memory.
const MAX_PAGE_BYTES: usize = 16 << 20;

/// A resource and its id.
type Resource = (String, Stored);

/// The resources of a page.
struct Found {
    /// How many there are in all.
    total: u64,
    /// Those of the page.
    page: Vec<Resource>,
    /// Whether any follow.
    more: bool,
}

/// Which part of the matches is wanted.
struct Window {
    /// How many to pass over.
    skip: u64,
    /// Only those behind this id.
    after: Option<String>,
    /// How many.
    count: usize,
    /// How many matches there are, where that is known from an earlier page.
    total: Option<u64>,
}

/// Where the resources that may match are.
enum Candidates {
    /// These, in order of their ids, each once.
    Ids(Vec<String>),
    /// All of the kind.
    All,
}

/// The list response for resources of one kind.
///
/// # Errors
/// 400 where the query cannot be taken; otherwise where the storage fails.
pub fn respond(scope: &mut Scope<'_>, kind: Kind, query: &Query<'_>) -> Result<String> {
    let window = window(query);
    let (skip, by_cursor) = (window.skip, query.cursor.is_some());
    let found = find(scope, kind, query, window)?;
    let (resources, shown) = page(scope, kind, &found.page, &query.wanted)?;
    let more = found.more || shown < found.page.len();
    let next = match (by_cursor && more && shown > 0, found.page.get(shown.saturating_sub(1))) {
        (true, Some((last, _))) => {
            let position = match query.sort {
                None => Position::After(last.clone()),
                Some(_) => Position::Offset(skip + shown as u64),
            };
            Some(Cursor::write(&position, found.total, &query.fingerprint))
        }
        _ => None,
    };
    let start_index = (!by_cursor).then_some(query.start_index);
    Ok(envelope(found.total, start_index, shown, next.as_deref(), &resources))
}

/// The list response for resources of both kinds, users first (RFC 7644, section 3.4.2.1). A kind whose attributes the
/// query does not fit has no matches; one of them has to fit.
///
/// # Errors
/// 400 where the query fits neither; otherwise as [`respond`].
pub fn respond_all(scope: &mut Scope<'_>, queries: [(Kind, Result<Query<'_>>); 2]) -> Result<String> {
    let (mut total, mut shown, mut resources, mut failure) = (0, 0, String::new(), None);
    let (mut start_index, mut full) = (None, false);
    for (kind, query) in queries {
        let query = match query {
            Ok(query) => query,
            Err(error) => {
                failure = Some(error);
                continue;
            }
        };
        if query.cursor.is_some() {
            return Err(Error::invalid_cursor("a search over all resource types is paged by startIndex"));
        }
        let begin = *start_index.get_or_insert(query.start_index);
        // The second kind goes on where the first one ended.
        let window = Window {
            skip: (begin - 1).saturating_sub(total),
            after: None,
            count: if full { 0 } else { (query.count as usize).saturating_sub(shown) },
            total: None,
        };
        let found = find(scope, kind, &query, window)?;
        total += found.total;
        let (text, count) = page(scope, kind, &found.page, &query.wanted)?;
        if !resources.is_empty() && !text.is_empty() {
            resources.push(',');
        }
        resources.push_str(&text);
        shown += count;
        full = count < found.page.len();
    }
    match (start_index, failure) {
        (None, Some(error)) => Err(error),
        (start_index, _) => Ok(envelope(total, start_index, shown, None, &resources)),
    }
}

fn window(query: &Query<'_>) -> Window {
    let count = query.count as usize;
    match &query.cursor {
        None => Window { skip: query.start_index - 1, after: None, count, total: None },
        Some(Cursor { position: Position::Offset(skip), total }) => {
            Window { skip: *skip, after: None, count, total: *total }
        }
        Some(Cursor { position: Position::After(id), total }) => {
            Window { skip: 0, after: Some(id.clone()), count, total: *total }
        }
    }
}

fn envelope(total: u64, start_index: Option<u64>, shown: usize, next: Option<&str>, resources: &str) -> String {
    let mut out = String::with_capacity(resources.len() + 200);
    out.push_str("{\"schemas\":[\"");
    out.push_str(LIST_RESPONSE);
    out.push_str("\"],\"totalResults\":");
    out.push_str(&total.to_string());
    if let Some(start_index) = start_index {
        out.push_str(",\"startIndex\":");
        out.push_str(&start_index.to_string());
    }
    out.push_str(",\"itemsPerPage\":");
    out.push_str(&shown.to_string());
    if let Some(next) = next {
        out.push_str(",\"nextCursor\":");
        push_string(&mut out, next);
    }
    out.push_str(",\"Resources\":[");
    out.push_str(resources);
    out.push_str("]}");
    out
}

/// The resources of a page as text, and how many of them fit.
fn page(scope: &mut Scope<'_>, kind: Kind, found: &[Resource], wanted: &Projection) -> Result<(String, usize)> {
    let mut groups = if kind == Kind::User && wanted.wants("groups") {
        let ids: Vec<&str> = found.iter().map(|(id, _)| id.as_str()).collect();
        render::groups_with_names(scope, &ids)?.into_iter()
    } else {
        Vec::new().into_iter()
    };
    let mut out = String::new();
    for (at, (id, stored)) in found.iter().enumerate() {
        if out.len() > MAX_PAGE_BYTES {
            return Ok((out, at));
        }
        if at > 0 {
            out.push(',');
        }
        match kind {
            Kind::User => {
                render::push_user(&mut out, scope, id, stored, wanted, groups.next().unwrap_or_default())?;
            }
            Kind::Group => render::push_group(&mut out, scope, id, stored, wanted)?,
        }
    }
    Ok((out, found.len()))
}

fn find(scope: &mut Scope<'_>, kind: Kind, query: &Query<'_>, window: Window) -> Result<Found> {
    let Some(filter) = &query.filter else {
        return match query.sort {
            None => all_in_order(scope, kind, &window),
            Some(sort) => sorted(scope, kind, &Candidates::All, None, sort, &window),
        };
    };
    let plan = filter::plan(filter);
    let candidates = candidates(scope, kind, &plan.read)?;
    let residual = (!plan.exact).then_some(filter);
    match query.sort {
        Some(sort) => sorted(scope, kind, &candidates, residual, sort, &window),
        None => in_order(scope, kind, &candidates, residual, &window),
    }
}

/// A page of all resources of a kind, by counting only.
fn all_in_order(scope: &mut Scope<'_>, kind: Kind, window: &Window) -> Result<Found> {
    let total = match kind {
        Kind::User => scope.counts.users,
        Kind::Group => scope.counts.groups,
    };
    let mut range = prefix_range(&kind.resources(scope.directory()), 0);
    if let Some(after) = &window.after {
        range.start = keys::after(&kind.resource(scope.directory(), after));
    }
    if window.skip >= total || window.count == 0 {
        return Ok(Found { total, page: Vec::new(), more: false });
    }
    range.skip = u32::try_from(window.skip).unwrap_or(u32::MAX);
    // One more than wanted tells whether there are any more.
    range.limit = window.count as u32 + 1;
    let mut page = read_entries(scope.transaction.scan(&range)?)?;
    let more = page.len() > window.count;
    page.truncate(window.count);
    Ok(Found { total: window.total.unwrap_or(total), page, more })
}

fn read_entries(entries: Vec<crate::storage::Entry>) -> Result<Vec<Resource>> {
    entries
        .into_iter()
        .map(|entry| {
            let id = keys::id_of(&entry.key).to_string();
            let stored = Stored::read(&entry.key, entry.value)?;
            Ok((id, stored))
        })
        .collect()
}

/// A page of the matches in order of their ids.
fn in_order(
    scope: &mut Scope<'_>,
    kind: Kind,
    candidates: &Candidates,
    filter: Option<&Filter<'_>>,
    window: &Window,
) -> Result<Found> {
    let (mut matches, mut page, mut more) = (0_u64, Vec::new(), false);
    for_each_match(scope, kind, candidates, filter, window.after.as_deref(), |_, id, stored| {
        matches += 1;
        if matches > window.skip {
            if page.len() < window.count {
                page.push((id, stored));
            } else {
                more = true;
            }
        }
        // Once the total is known, what follows a full page need not be looked at.
        Ok(!(more && window.total.is_some()))
    })?;
    Ok(Found { total: window.total.unwrap_or(matches), page, more })
}

/// A page of the matches in the order of an attribute; resources without a value come last, or first when descending
/// (RFC 7644, section 3.4.2.3). Equal ones keep the order of their ids.
fn sorted(
    scope: &mut Scope<'_>,
    kind: Kind,
    candidates: &Candidates,
    filter: Option<&Filter<'_>>,
    sort: Sort,
    window: &Window,
) -> Result<Found> {
    let mut matches: Vec<(Option<String>, String)> = Vec::new();
    for_each_match(scope, kind, candidates, filter, None, |scope, id, stored| {
        let related = related(scope, kind, &id, sort.path.is("groups", sort.path.sub_attribute.map(|a| a.name)), None)?;
        let key = sort_key(sort.path, &render::object(scope, kind, &id, &stored, &related)?);
        matches.push((key, id));
        Ok(true)
    })?;
    matches.sort_by(|(left, _), (right, _)| {
        let order = match (left, right) {
            (Some(left), Some(right)) => left.cmp(right),
            (left, right) => left.is_none().cmp(&right.is_none()),
        };
        if sort.descending { order.reverse() } else { order }
    });
    let total = matches.len() as u64;
    let skip = usize::try_from(window.skip).unwrap_or(usize::MAX);
    let ids: Vec<String> = matches.into_iter().skip(skip).take(window.count).map(|(_, id)| id).collect();
    let stored = scope.find_many(kind, &ids)?;
    let page: Vec<Resource> = ids.into_iter().zip(stored).filter_map(|(id, stored)| Some((id, stored?))).collect();
    let more = window.skip.saturating_add(page.len() as u64) < total;
    Ok(Found { total, page, more })
}

/// Calls `visit` with each resource that matches, in order of ids, until it says that it has seen enough.
fn for_each_match(
    scope: &mut Scope<'_>,
    kind: Kind,
    candidates: &Candidates,
    filter: Option<&Filter<'_>>,
    after: Option<&str>,
    mut visit: impl FnMut(&mut Scope<'_>, String, Stored) -> Result<bool>,
) -> Result<()> {
    let mut examined = 0_u64;
    let mut after = after.map(ToString::to_string);
    loop {
        let (resources, next) = next_candidates(scope, kind, candidates, after.as_deref())?;
        for (id, stored) in resources {
            examined += 1;
            if examined > MAX_EXAMINED {
                return Err(Error::too_many("too many resources would have to be looked at; narrow the filter"));
            }
            let matches = match filter {
                Some(filter) => matches(scope, kind, &id, &stored, filter)?,
                None => true,
            };
            if matches && !visit(scope, id, stored)? {
                return Ok(());
            }
        }
        if next.is_none() {
            return Ok(());
        }
        after = next;
    }
}

fn matches(scope: &mut Scope<'_>, kind: Kind, id: &str, stored: &Stored, filter: &Filter<'_>) -> Result<bool> {
    let needed = match kind {
        Kind::User => filter.mentions("groups"),
        Kind::Group => filter.mentions("members"),
    };
    let related = related(scope, kind, id, needed, Some(filter))?;
    Ok(filter.matches(&render::object(scope, kind, id, stored, &related)?))
}

fn related(scope: &mut Scope<'_>, kind: Kind, id: &str, needed: bool, filter: Option<&Filter<'_>>) -> Result<Related> {
    let mut related = Related::default();
    match kind {
        _ if !needed => {}
        Kind::User => related.groups = render::groups_with_names(scope, &[id])?.pop().unwrap_or_default(),
        // A filter that only asks for certain members need not see the others.
        Kind::Group => match filter.and_then(|filter| filter.values_compared("members")) {
            Some(users) => related.members = members::among(scope, id, &users)?,
            None => members::for_each(scope, id, |user| {
                related.members.push(user.to_string());
                Ok(())
            })?,
        },
    }
    Ok(related)
}

/// The next candidates behind an id, and behind which id to go on; none where these are the last.
fn next_candidates(
    scope: &mut Scope<'_>,
    kind: Kind,
    candidates: &Candidates,
    after: Option<&str>,
) -> Result<(Vec<Resource>, Option<String>)> {
    match candidates {
        Candidates::All => {
            let mut range = prefix_range(&kind.resources(scope.directory()), RESOURCES_AT_ONCE as u32);
            if let Some(after) = after {
                range.start = keys::after(&kind.resource(scope.directory(), after));
            }
            let resources = read_entries(scope.transaction.scan(&range)?)?;
            let full = resources.len() >= RESOURCES_AT_ONCE;
            let next = resources.last().filter(|_| full).map(|(id, _)| id.clone());
            Ok((resources, next))
        }
        Candidates::Ids(ids) => {
            let begin = after.map_or(0, |after| ids.partition_point(|id| id.as_str() <= after));
            let (chunk, rest) = match ids.get(begin..) {
                Some(ids) => ids.split_at(RESOURCES_AT_ONCE.min(ids.len())),
                None => return Ok((Vec::new(), None)),
            };
            let stored = scope.find_many(kind, chunk)?;
            // An index may still lead to what waits to be swept.
            let resources = chunk.iter().zip(stored).filter_map(|(id, stored)| Some((id.clone(), stored?))).collect();
            Ok((resources, chunk.last().filter(|_| !rest.is_empty()).cloned()))
        }
    }
}

fn candidates(scope: &mut Scope<'_>, kind: Kind, read: &Read<'_>) -> Result<Candidates> {
    let mut ids = Vec::new();
    if !collect(scope, kind, read, &mut ids)? {
        return Ok(Candidates::All);
    }
    ids.sort_unstable();
    ids.dedup();
    Ok(Candidates::Ids(ids))
}

/// Adds the ids to which an index leads; false where there is none.
fn collect(scope: &mut Scope<'_>, kind: Kind, read: &Read<'_>, ids: &mut Vec<String>) -> Result<bool> {
    let directory = scope.directory();
    match read {
        Read::Scan => return Ok(false),
        Read::Id(id) => ids.push((*id).to_string()),
        Read::UserName(name) | Read::DisplayName(name) => {
            let key = kind.name(directory, name);
            if keys::is_storable(&key) {
                ids.extend(scope.transaction.get(key)?);
            }
        }
        Read::UserNamePrefix(prefix) | Read::DisplayNamePrefix(prefix) => {
            scan_all(scope, &kind.names(directory, prefix), false, |_, value| ids.push(value.to_string()))?;
        }
        Read::ExternalId(external_id) => {
            let prefix = kind.external_id(directory, external_id);
            scan_all(scope, &prefix, true, |key, _| ids.push(keys::id_of(key).to_string()))?;
        }
        Read::Email(address) => {
            let prefix = keys::email(directory, address);
            scan_all(scope, &prefix, true, |key, _| ids.push(keys::id_of(key).to_string()))?;
        }
        Read::Member(user) => {
            if scope.find(Kind::User, user)?.is_some() {
                ids.extend(members::groups_of(scope, user)?);
            }
        }
        Read::InGroup(group) => {
            if scope.find(Kind::Group, group)?.is_some() {
                members::for_each(scope, group, |user| {
                    ids.push(user.to_string());
                    Ok(())
                })?;
            }
        }
        Read::Union(reads) => {
            for read in reads {
                if !collect(scope, kind, read, ids)? {
                    return Ok(false);
                }
            }
        }
    }
    Ok(true)
}

fn scan_all(scope: &mut Scope<'_>, prefix: &str, keys_only: bool, mut visit: impl FnMut(&str, &str)) -> Result<()> {
    if !keys::is_storable(prefix) {
        return Ok(());
    }
    let mut range = prefix_range(prefix, RESOURCES_AT_ONCE as u32);
    range.keys_only = keys_only;
    loop {
        let entries = scope.transaction.scan(&range)?;
        for entry in &entries {
            visit(&entry.key, &entry.value);
        }
        match entries.last() {
            Some(last) if entries.len() >= RESOURCES_AT_ONCE => range.start = keys::next(&last.key),
            _ => return Ok(()),
        }
    }
}
