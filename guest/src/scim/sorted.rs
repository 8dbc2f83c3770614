//! Lists in the order of an attribute (RFC 7644, section 3.4.2.3).

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cmp::Ordering;

use super::cursor::Position;
use super::list::{Found, Search, Window};
use super::query::{Sort, sort_key};
use super::render;
use super::scope::Scope;
use crate::language::error::{Error, Result};

/// How much of a value counts when resources are sorted, in bytes. It goes into cursors and is held for many resources at
/// once. Values that differ only behind it keep the order of their ids.
const MAX_KEY_BYTES: usize = 100;

/// How many resources are held while the first ones among them are looked for: some 100 MiB.
const MAX_HELD: usize = 500_000;

/// Where a resource stands: by its value, then by its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rank {
    /// The value as text, none where the resource has none.
    pub key: Option<String>,
    /// The id.
    pub id: String,
}

impl Rank {
    /// Resources without a value come last, or first when descending. Equal ones keep the order of their ids.
    fn cmp(&self, other: &Self, sort: Sort) -> Ordering {
        let order = match (&self.key, &other.key) {
            (Some(one), Some(other)) => one.cmp(other),
            (one, other) => one.is_none().cmp(&other.is_none()),
        };
        let order = if sort.descending { order.reverse() } else { order };
        order.then_with(|| self.id.cmp(&other.id))
    }
}

/// A page of the matches. Of all of them no more are held than come before the end of the page.
///
/// # Errors
/// 400 `tooMany` where a page by index is too far from the start; otherwise as [`Search::for_each`].
pub fn page(scope: &mut Scope<'_>, search: &Search<'_, '_>, sort: Sort, window: &Window) -> Result<Found> {
    let skip = usize::try_from(window.skip).unwrap_or(usize::MAX);
    let wanted = skip.saturating_add(window.count);
    let (mut total, mut behind, mut first) = (0_u64, 0_usize, Vec::new());
    search.for_each(scope, None, |scope, found| {
        total += 1;
        let object = render::object(scope, search.kind, &found.id, &found.stored, &found.related)?;
        let rank = Rank { key: sort_key(sort.path, &object).map(cut), id: found.id.to_string() };
        if matches!(&window.after, Some(Position::Behind(last)) if rank.cmp(last, sort).is_le()) {
            return Ok(true);
        }
        behind += 1;
        first.push(rank);
        if first.len() >= wanted.saturating_mul(2).max(1_000) {
            keep_first(&mut first, wanted, sort);
        }
        if first.len() > MAX_HELD {
            return Err(Error::too_many("a sorted list that is this long can be paged by cursor only"));
        }
        Ok(true)
    })?;
    keep_first(&mut first, wanted, sort);
    let ranks = first.split_off(skip.min(first.len()));
    let ids: Vec<&str> = ranks.iter().map(|rank| rank.id.as_str()).collect();
    let stored = scope.find_many(search.kind, &ids)?;
    let page = ids.into_iter().zip(stored).filter_map(|(id, stored)| Some((id.to_string(), stored?))).collect();
    let more = skip.saturating_add(ranks.len()) < behind;
    Ok(Found { total: window.total.unwrap_or(total), page, more, ranks })
}

fn keep_first(ranks: &mut Vec<Rank>, wanted: usize, sort: Sort) {
    ranks.sort_unstable_by(|one, other| one.cmp(other, sort));
    ranks.truncate(wanted);
}

fn cut(mut key: String) -> String {
    key.truncate(key.floor_char_boundary(MAX_KEY_BYTES));
    key
}
