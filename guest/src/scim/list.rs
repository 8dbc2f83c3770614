//! Lists: which resources match a query, in which order, and which page of them is asked for.
//!
//! Without a filter, and with the filters that identity providers send, this is index reads. Other filters look at every
//! resource, a bounded number at a time.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::cursor::{Cursor, Position};
use super::members;
use super::message::LIST_RESPONSE;
use super::query::Query;
use super::render::{self, Related};
use super::scope::Scope;
use super::sorted::{self, Rank};
use crate::json::push_string;
use crate::language::error::{Error, Result};
use crate::language::filter::{self, Filter, Read};
use crate::language::resource::Projection;
use crate::store::keys::{self, Kind};
use crate::store::prefix_range;
use crate::store::records::{Stored, corrupt};

/// How many resources are read at once while they are gone through. Bounds the memory of a request, not the list.
const RESOURCES_AT_ONCE: usize = 500;

/// How many resources a filter without an index, or a sorted list, may go through: as many as the largest directory that
/// is planned for, with room. Past it the client is told to narrow the filter (RFC 7644, `tooMany`).
const MAX_EXAMINED: usize = 1_000_000;

/// When a page has this many bytes it ends early, as RFC 7644 allows (section 3.4.2.4): a hundred groups with all their
/// members must not fill the memory.
const MAX_PAGE_BYTES: usize = 16 << 20;

/// A resource and its id.
pub type Resource = (String, Stored);

/// The resources of a page.
pub struct Found {
    /// How many there are in all.
    pub total: u64,
    /// Those of the page.
    pub page: Vec<Resource>,
    /// Whether any follow.
    pub more: bool,
    /// Where those of the page stand, in a list that is sorted.
    pub ranks: Vec<Rank>,
}

/// Which part of the matches is wanted.
pub struct Window {
    /// How many to pass over.
    pub skip: u64,
    /// Only those behind this place.
    pub after: Option<Position>,
    /// How many.
    pub count: usize,
    /// How many matches there are, where that is known from an earlier page.
    pub total: Option<u64>,
}

/// What is searched for.
pub struct Search<'s, 'q> {
    /// The kind of resource.
    pub kind: Kind,
    /// Where the matches are.
    candidates: Candidates,
    /// What of them matches; none where all do.
    filter: Option<&'s Filter<'q>>,
    /// Whether the groups of a user or the members of a group have to be known.
    needs_related: bool,
}

/// A match.
pub struct Match {
    /// Its id.
    pub id: String,
    /// What is stored.
    pub stored: Stored,
    /// What else belongs to it, where the search needs that.
    pub related: Related,
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
    let by_cursor = query.cursor.is_some();
    let found = find(scope, kind, query, window(query))?;
    let (resources, shown) = page(scope, kind, &found.page, &query.wanted)?;
    let more = found.more || shown < found.page.len();
    let next = match (by_cursor && more && shown > 0, found.page.get(shown.saturating_sub(1))) {
        (true, Some((last, _))) => {
            let position = match found.ranks.get(shown - 1) {
                None => Position::After(last.clone()),
                Some(rank) => Position::Behind(rank.clone()),
            };
            Some(Cursor::write(&position, found.total, &query.fingerprint))
        }
        _ => None,
    };
    let start_index = (!by_cursor).then_some(query.start_index);
    Ok(envelope(found.total, start_index, shown, next.as_deref(), &resources))
}

/// The list response for resources of both kinds, users first (RFC 7644, section 3.4.2.1). Both queries come from the same
/// parameters.
///
/// # Errors
/// As [`respond`].
pub fn respond_all(scope: &mut Scope<'_>, queries: [(Kind, Query<'_>); 2]) -> Result<String> {
    let start_index = queries[0].1.start_index;
    let (mut total, mut shown, mut resources, mut full) = (0, 0, String::new(), false);
    for (kind, query) in queries {
        if query.cursor.is_some() {
            return Err(Error::invalid_cursor("a search over all resource types is paged by startIndex"));
        }
        // The second kind goes on where the first one ended.
        let window = Window {
            skip: (start_index - 1).saturating_sub(total),
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
    Ok(envelope(total, Some(start_index), shown, None, &resources))
}

fn window(query: &Query<'_>) -> Window {
    let count = query.count as usize;
    match query.cursor.clone() {
        None => Window { skip: query.start_index - 1, after: None, count, total: None },
        Some(Cursor { position, total }) => Window { skip: 0, after: position, count, total },
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
    let search = match &query.filter {
        None if query.sort.is_none() => return all_in_order(scope, kind, &window),
        None => Search { kind, candidates: Candidates::All, filter: None, needs_related: query.sorts_by("groups") },
        Some(filter) => {
            let plan = filter::plan(filter);
            let candidates = candidates(scope, kind, &plan.read)?;
            let needs_related = match kind {
                Kind::User => !plan.exact && filter.mentions("groups") || query.sorts_by("groups"),
                Kind::Group => !plan.exact && filter.mentions("members"),
            };
            Search { kind, candidates, filter: (!plan.exact).then_some(filter), needs_related }
        }
    };
    match query.sort {
        Some(sort) => sorted::page(scope, &search, sort, &window),
        None => in_order(scope, &search, &window),
    }
}

/// A page of all resources of a kind, by counting only.
fn all_in_order(scope: &mut Scope<'_>, kind: Kind, window: &Window) -> Result<Found> {
    let total = match kind {
        Kind::User => scope.counts.users,
        Kind::Group => scope.counts.groups,
    };
    let mut range = prefix_range(&kind.resources(scope.directory()), 0);
    if let Some(Position::After(id)) = &window.after {
        range.start = keys::next(&kind.resource(scope.directory(), id));
    }
    if window.skip >= total || window.count == 0 {
        return Ok(Found { total, page: Vec::new(), more: false, ranks: Vec::new() });
    }
    range.skip = u32::try_from(window.skip).unwrap_or(u32::MAX);
    // One more than wanted tells whether there are any more.
    range.limit = window.count as u32 + 1;
    let mut page = read_entries(scope.transaction.scan(&range)?)?;
    let more = page.len() > window.count;
    page.truncate(window.count);
    Ok(Found { total: window.total.unwrap_or(total), page, more, ranks: Vec::new() })
}

fn read_entries(entries: Vec<crate::storage::Entry>) -> Result<Vec<Resource>> {
    entries
        .into_iter()
        .map(|entry| {
            let id = keys::id_of(&entry.key).to_string();
            if !keys::is_id(&id) {
                return Err(corrupt(&entry.key));
            }
            let stored = Stored::read(&entry.key, entry.value)?;
            Ok((id, stored))
        })
        .collect()
}

/// A page of the matches in order of their ids.
fn in_order(scope: &mut Scope<'_>, search: &Search<'_, '_>, window: &Window) -> Result<Found> {
    let (mut matches, mut page, mut more) = (0_u64, Vec::new(), false);
    let after = match &window.after {
        Some(Position::After(id)) => Some(id.clone()),
        _ => None,
    };
    search.for_each(scope, after, |_, found| {
        matches += 1;
        if matches > window.skip {
            if page.len() < window.count {
                page.push((found.id, found.stored));
            } else {
                more = true;
            }
        }
        // Once the total is known, what follows a full page need not be looked at.
        Ok(!(more && window.total.is_some()))
    })?;
    Ok(Found { total: window.total.unwrap_or(matches), page, more, ranks: Vec::new() })
}

impl Search<'_, '_> {
    /// Calls `visit` with each match, in order of ids, until it says that it has seen enough.
    ///
    /// # Errors
    /// 400 `tooMany` where that would be too much to look at; where the storage fails; what `visit` says.
    pub fn for_each(
        &self,
        scope: &mut Scope<'_>,
        mut after: Option<String>,
        mut visit: impl FnMut(&mut Scope<'_>, Match) -> Result<bool>,
    ) -> Result<()> {
        let mut examined = 0;
        loop {
            let (resources, next) = next_candidates(scope, self.kind, &self.candidates, after.as_deref())?;
            examined += resources.len();
            if examined > MAX_EXAMINED {
                return Err(too_many());
            }
            let mut groups = self.groups(scope, &resources)?.into_iter();
            for (id, stored) in resources {
                let groups = groups.next().unwrap_or_default();
                let related = Related { groups, members: self.members(scope, &id, &stored)? };
                let matches = match self.filter {
                    None => true,
                    Some(filter) => filter.matches(&render::object(scope, self.kind, &id, &stored, &related)?),
                };
                if matches && !visit(scope, Match { id, stored, related })? {
                    return Ok(());
                }
            }
            if next.is_none() {
                return Ok(());
            }
            after = next;
        }
    }

    /// The groups of users, read for all of them at once; empty where they are not needed.
    fn groups(&self, scope: &mut Scope<'_>, users: &[Resource]) -> Result<Vec<Vec<(String, String)>>> {
        if self.kind != Kind::User || !self.needs_related {
            return Ok(Vec::new());
        }
        let ids: Vec<&str> = users.iter().map(|(id, _)| id.as_str()).collect();
        render::groups_with_names(scope, &ids)
    }

    /// The members of a group, as far as they are needed: a filter that only asks for certain ones need not see the others.
    fn members(&self, scope: &mut Scope<'_>, group: &str, stored: &Stored) -> Result<Vec<String>> {
        let mut members = Vec::new();
        if self.kind != Kind::Group || !self.needs_related {
            return Ok(members);
        }
        if let Some(users) = self.filter.and_then(|filter| filter.values_compared("members")) {
            return members::among(scope, group, &users);
        }
        members::for_each(scope, group, stored.header.members, |user| {
            members.push(user.to_string());
            Ok(())
        })?;
        Ok(members)
    }
}

fn too_many() -> Error {
    Error::too_many("too many resources would have to be looked at; narrow the filter")
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
                range.start = keys::next(&kind.resource(scope.directory(), after));
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
    each_once(&mut ids);
    Ok(Candidates::Ids(ids))
}

fn each_once(ids: &mut Vec<String>) {
    ids.sort_unstable();
    ids.dedup();
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
            if let Some(stored) = scope.find(Kind::Group, group)? {
                members::for_each(scope, group, stored.header.members, |user| {
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
                // What many of them find is not held many times.
                each_once(ids);
            }
        }
    }
    if ids.len() > MAX_EXAMINED { Err(too_many()) } else { Ok(true) }
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
