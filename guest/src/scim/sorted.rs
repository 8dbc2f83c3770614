//! Lists in the order of an attribute (RFC 7644, section 3.4.2.3).

use alloc::string::ToString;
use alloc::vec::Vec;

use super::cursor::Place;
use super::order::{Rank, Sort};
use super::render;
use super::search::{ResultPage, Search, Window};
use crate::language::error::{Error, Result};
use crate::provisioning::scope::Scope;

/// How many resources are held while the first ones among them are looked for: some 100 MiB.
const MAX_HELD: usize = 500_000;

/// A page of the matches. No more of them are held than come before the end of the page.
///
/// # Errors
/// 400 `tooMany` if a page by index is too far from the start; otherwise as [`Search::for_each`].
pub fn page(scope: &mut Scope<'_>, search: &Search<'_, '_>, sort: Sort, window: &Window) -> Result<ResultPage> {
    let skip = usize::try_from(window.skip).unwrap_or(usize::MAX);
    let wanted = skip.saturating_add(window.count);
    let (mut total, mut behind, mut first) = (0_u64, 0_usize, Vec::new());
    search.for_each(scope, None, |scope, found| {
        total += 1;
        let object = render::object(scope, search.kind, &found.id, &found.stored, &found.related)?;
        let rank = Rank::of(sort, &found.id, &object);
        if matches!(&window.after, Some(Place::Ranked(last)) if rank.cmp(last, sort).is_le()) {
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
    Ok(ResultPage { total: window.total.unwrap_or(total), page, more, ranks })
}

fn keep_first(ranks: &mut Vec<Rank>, wanted: usize, sort: Sort) {
    ranks.sort_unstable_by(|one, other| one.cmp(other, sort));
    ranks.truncate(wanted);
}
