//! Searching: which resources match a query.
//!
//! Without a filter, and with the filters that identity providers send, this is index reads. Other filters look at
//! every resource, a bounded number at a time.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::ops::ControlFlow;

use super::cursor::Place;
use super::order::Rank;
use super::query::Query;
use super::render::{self, Related};
use crate::language::error::{Error, Result};
use crate::language::filter::{self, Filter, Lookup};
use crate::provisioning::memberships;
use crate::provisioning::scope::Scope;
use crate::storage::{Entry, Range};
use crate::store::blocks::Ids;
use crate::store::keys::{self, Kind};
use crate::store::pages::{self, for_each_page};
use crate::store::records::Stored;
use crate::store::{self, prefix_range};

/// How many resources are read at once while they are gone through. This bounds the memory of a request, not the length
/// of a list.
const RESOURCES_AT_ONCE: u32 = 500;

/// How many resources a filter without an index, or a sorted list, may go through: as many as the largest directory
/// that is planned for, and some more. Above that, the client is told to narrow the filter (RFC 7644, `tooMany`).
const MAX_EXAMINED: usize = 1_000_000;

/// A resource and its id.
pub type Resource = (String, Stored);

/// The resources of a page.
pub struct ResultPage {
    /// How many matches there are in all.
    pub total: u64,
    /// The resources of the page.
    pub page: Vec<Resource>,
    /// Whether more follow.
    pub more: bool,
    /// The ranks of the resources of the page, if the list is sorted.
    pub ranks: Vec<Rank>,
}

/// Which part of the matches is wanted.
pub struct Window {
    /// How many matches to pass over.
    pub skip: u64,
    /// Only those after this place.
    pub after: Option<Place>,
    /// How many matches to return.
    pub count: usize,
    /// How many matches there are, if an earlier page has told.
    pub total: Option<u64>,
}

/// What is searched for.
pub struct Search<'s, 'q> {
    /// The kind of resource.
    pub kind: Kind,
    /// Where the matches are.
    candidates: Candidates,
    /// Which of them match; `None` if all do.
    filter: Option<&'s Filter<'q>>,
    /// Whether the groups of a user, or the members of a group, are needed.
    needs_related: bool,
}

/// A match.
pub struct Match {
    /// The id of the resource.
    pub id: String,
    /// What is stored.
    pub stored: Stored,
    /// What else belongs to it, if the search needs that.
    pub related: Related,
}

/// Where the resources that may match are.
enum Candidates {
    /// These, in order of their ids, each once.
    Ids(Vec<String>),
    /// All of the kind.
    All,
}

/// A page of all resources of a kind, by counting only. It either skips some or goes on after an id.
pub fn all_in_order(scope: &mut Scope<'_>, kind: Kind, window: &Window) -> Result<ResultPage> {
    let total = match kind {
        Kind::User => scope.counts.users,
        Kind::Group => scope.counts.groups,
    };
    let mut range = prefix_range(&kind.resources(scope.directory()), 0);
    if let Some(Place::After(id)) = &window.after {
        range.start = keys::next(&kind.resource(scope.directory(), id));
    }
    if window.skip >= total || window.count == 0 {
        return Ok(ResultPage { total, page: Vec::new(), more: false, ranks: Vec::new() });
    }
    if window.skip > 0 {
        let directory = scope.directory();
        let ids = Ids { directory, kind };
        let (from, skip) = ids.locate(scope.transaction, scope.counts.blocks.of(kind), window.skip)?;
        range.start = kind.resource(directory, &from);
        range.skip = u32::try_from(skip).unwrap_or(u32::MAX);
    }
    // One more than wanted tells whether there are any more.
    range.limit = pages::count(window.count).saturating_add(1);
    let mut page = read_entries(scope.transaction.scan(&range)?)?;
    let more = page.len() > window.count;
    page.truncate(window.count);
    Ok(ResultPage { total: window.total.unwrap_or(total), page, more, ranks: Vec::new() })
}

fn read_entries(entries: Vec<Entry>) -> Result<Vec<Resource>> {
    entries
        .into_iter()
        .map(|entry| {
            let id = keys::id_of(&entry.key).to_string();
            if !keys::is_id(&id) {
                return Err(store::Error::corrupt(&entry.key).into());
            }
            let stored = Stored::read(&entry.key, entry.value)?;
            Ok((id, stored))
        })
        .collect()
}

/// A page of the matches in order of their ids.
pub fn in_order(scope: &mut Scope<'_>, search: &Search<'_, '_>, window: &Window) -> Result<ResultPage> {
    let (mut matches, mut page, mut more) = (0_u64, Vec::new(), false);
    let after = match &window.after {
        Some(Place::After(id)) => Some(id.clone()),
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
    Ok(ResultPage { total: window.total.unwrap_or(matches), page, more, ranks: Vec::new() })
}

impl<'s, 'q> Search<'s, 'q> {
    /// What a query looks for among the resources of a kind.
    ///
    /// # Errors
    /// 400 `tooMany` if an index leads to more resources than are looked at; and where the storage fails.
    pub fn new(scope: &mut Scope<'_>, kind: Kind, query: &'s Query<'q>) -> Result<Self> {
        let Some(filter) = &query.filter else {
            let needs_related = query.sorts_by("groups");
            return Ok(Search { kind, candidates: Candidates::All, filter: None, needs_related });
        };
        let plan = filter::plan(filter);
        let candidates = candidates(scope, kind, &plan.lookup)?;
        let needs_related = match kind {
            Kind::User => !plan.exact && filter.mentions("groups") || query.sorts_by("groups"),
            Kind::Group => !plan.exact && filter.mentions("members"),
        };
        Ok(Search { kind, candidates, filter: (!plan.exact).then_some(filter), needs_related })
    }

    /// Calls `visit` with each match, in order of ids, until `visit` says that it has seen enough.
    ///
    /// # Errors
    /// 400 `tooMany` if too many resources would have to be looked at; where the storage fails; and the errors of
    /// `visit`.
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
        memberships::groups_with_names(scope, &ids)
    }

    /// The members of a group, as far as they are needed: a filter that asks only for certain members need not see the
    /// others.
    fn members(&self, scope: &mut Scope<'_>, group: &str, stored: &Stored) -> Result<Vec<String>> {
        let mut members = Vec::new();
        if self.kind != Kind::Group || !self.needs_related {
            return Ok(members);
        }
        if let Some(users) = self.filter.and_then(|filter| filter.values_compared("members")) {
            return memberships::among(scope, group, &users);
        }
        memberships::for_each(scope, group, stored.header.members, |user| {
            members.push(user.to_string());
            Ok(())
        })?;
        Ok(members)
    }
}

fn too_many() -> Error {
    Error::too_many("too many resources would have to be looked at; narrow the filter")
}

/// The next candidates after an id, and the id after which to go on; `None` if these are the last.
fn next_candidates(
    scope: &mut Scope<'_>,
    kind: Kind,
    candidates: &Candidates,
    after: Option<&str>,
) -> Result<(Vec<Resource>, Option<String>)> {
    match candidates {
        Candidates::All => {
            let mut range = prefix_range(&kind.resources(scope.directory()), RESOURCES_AT_ONCE);
            if let Some(after) = after {
                range.start = keys::next(&kind.resource(scope.directory(), after));
            }
            let resources = read_entries(scope.transaction.scan(&range)?)?;
            let full = resources.len() >= RESOURCES_AT_ONCE as usize;
            let next = resources.last().filter(|_| full).map(|(id, _)| id.clone());
            Ok((resources, next))
        }
        Candidates::Ids(ids) => {
            let begin = after.map_or(0, |after| ids.partition_point(|id| id.as_str() <= after));
            let (chunk, rest) = match ids.get(begin..) {
                Some(ids) => ids.split_at(ids.len().min(RESOURCES_AT_ONCE as usize)),
                None => return Ok((Vec::new(), None)),
            };
            let stored = scope.find_many(kind, chunk)?;
            // An index may still lead to resources that are waiting to be swept.
            let resources = chunk.iter().zip(stored).filter_map(|(id, stored)| Some((id.clone(), stored?))).collect();
            Ok((resources, chunk.last().filter(|_| !rest.is_empty()).cloned()))
        }
    }
}

fn candidates(scope: &mut Scope<'_>, kind: Kind, lookup: &Lookup<'_>) -> Result<Candidates> {
    let mut ids = Vec::new();
    if !collect(scope, kind, lookup, &mut ids)? {
        return Ok(Candidates::All);
    }
    each_once(&mut ids);
    Ok(Candidates::Ids(ids))
}

fn each_once(ids: &mut Vec<String>) {
    ids.sort_unstable();
    ids.dedup();
}

/// Adds the ids to which an index leads. Returns false if there is no index.
fn collect(scope: &mut Scope<'_>, kind: Kind, lookup: &Lookup<'_>, ids: &mut Vec<String>) -> Result<bool> {
    let directory = scope.directory();
    match lookup {
        Lookup::Scan => return Ok(false),
        Lookup::Id(id) => ids.push((*id).to_string()),
        Lookup::UserName(name) | Lookup::DisplayName(name) => {
            let key = kind.name(directory, name);
            if keys::is_storable(&key) {
                ids.extend(scope.transaction.get(key)?);
            }
        }
        Lookup::UserNamePrefix(prefix) | Lookup::DisplayNamePrefix(prefix) => {
            scan_all(scope, &kind.names(directory, prefix), false, |_, value| ids.push(value.to_string()))?;
        }
        Lookup::ExternalId(external_id) => {
            let prefix = kind.external_id(directory, external_id);
            scan_all(scope, &prefix, true, |key, _| ids.push(keys::id_of(key).to_string()))?;
        }
        Lookup::Email(address) => {
            let prefix = keys::email(directory, address);
            scan_all(scope, &prefix, true, |key, _| ids.push(keys::id_of(key).to_string()))?;
        }
        Lookup::Member(user) => {
            if scope.find(Kind::User, user)?.is_some() {
                ids.extend(memberships::groups_of(scope, user)?);
            }
        }
        Lookup::InGroup(group) => {
            if let Some(stored) = scope.find(Kind::Group, group)? {
                memberships::for_each(scope, group, stored.header.members, |user| {
                    ids.push(user.to_string());
                    Ok(())
                })?;
            }
        }
        Lookup::Union(lookups) => {
            for lookup in lookups {
                if !collect(scope, kind, lookup, ids)? {
                    return Ok(false);
                }
                // An id that several of them find is held only once.
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
    let range = Range { keys_only, ..prefix_range(prefix, RESOURCES_AT_ONCE) };
    for_each_page(scope.transaction, range, |_, entries| {
        for entry in entries {
            visit(&entry.key, &entry.value);
        }
        Ok(ControlFlow::Continue(()))
    })
}
