//! Lists: which page of the matches is asked for, and how it is sent.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::cursor::{Cursor, Place};
use super::message::LIST_RESPONSE;
use super::query::Query;
use super::search::{self, Resource, ResultPage, Search, Window};
use super::{render, sorted};
use crate::json::push_string;
use crate::language::error::{Error, Result};
use crate::language::resource::Projection;
use crate::provisioning::memberships;
use crate::provisioning::scope::Scope;
use crate::store::keys::Kind;

/// When a page has this many bytes it ends early, as RFC 7644 allows (section 3.4.2.4): a hundred groups with all their
/// members must not fill the memory.
const MAX_PAGE_BYTES: usize = 16 << 20;

/// The list response for resources of one kind.
///
/// # Errors
/// 400 if the query cannot be accepted; and where the storage fails.
pub fn respond(scope: &mut Scope<'_>, kind: Kind, query: &Query<'_>) -> Result<String> {
    let by_cursor = query.cursor.is_some();
    let found = find(scope, kind, query, &window(query))?;
    let (resources, shown) = page(scope, kind, &found.page, &query.wanted)?;
    let more = found.more || shown < found.page.len();
    let next = match (by_cursor && more && shown > 0, found.page.get(shown.saturating_sub(1))) {
        (true, Some((last, _))) => {
            let place = match found.ranks.get(shown - 1) {
                None => Place::After(last.clone()),
                Some(rank) => Place::Ranked(rank.clone()),
            };
            Some(Cursor::write(&place, found.total, &query.fingerprint))
        }
        _ => None,
    };
    let start_index = (!by_cursor).then_some(query.start_index);
    Ok(envelope(found.total, start_index, shown, next.as_deref(), &resources))
}

/// The list response for resources of both kinds, users first (RFC 7644, section 3.4.2.1). Both queries come from the
/// same parameters.
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
        let found = find(scope, kind, &query, &window)?;
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
        Some(Cursor { place, total }) => Window { skip: 0, after: place, count, total },
    }
}

/// A list response around these resources.
#[must_use]
pub fn envelope(total: u64, start_index: Option<u64>, shown: usize, next: Option<&str>, resources: &str) -> String {
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
        memberships::groups_with_names(scope, &ids)?.into_iter()
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

fn find(scope: &mut Scope<'_>, kind: Kind, query: &Query<'_>, window: &Window) -> Result<ResultPage> {
    if query.filter.is_none() && query.sort.is_none() {
        return search::all_in_order(scope, kind, window);
    }
    let search = Search::new(scope, kind, query)?;
    match query.sort {
        Some(sort) => sorted::page(scope, &search, sort, window),
        None => search::in_order(scope, &search, window),
    }
}
