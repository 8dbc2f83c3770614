//! Going through indexes for somebody from outside: a page looks at a bounded number of entries, whatever it finds in
//! them, and says where to go on.
//!
//! Cursors are places in the order of keys, so writes between two pages neither hide nor repeat anything that was there
//! all the time with the same name, address and state.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::error::Result;
use super::query::{Index, Place};
use crate::storage::Range;
use crate::store::pages::{ENTRIES_AT_ONCE, Page, check_limit, is_cursor, no_such_cursor};
use crate::store::{self, Transaction, keys, pages, prefix_range};

/// How many entries of an index a page looks at. Those of which it shows nothing cost as much as the others, so that a
/// page can be shorter than asked for, or empty, although others follow.
pub const EXAMINED: u32 = 1_000;

/// By how much more is read at once each time that too little of it was shown.
pub const GROWTH: u32 = 4;

/// Something that may belong on the page.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The id of a customer, or the number of an organization as it stands in keys.
    pub id: String,
    /// Where it was found; `None` if it is in this walk only once.
    pub place: Option<Place>,
}

/// A walk through indexes.
#[derive(Debug)]
pub struct Walk {
    way: Way,
    /// How many entries may still be looked at.
    budget: u32,
    /// Whether nothing follows.
    is_over: bool,
}

#[derive(Debug)]
enum Way {
    /// By ids: what follows any of these prefixes, in one order, each id once.
    Ids { prefixes: Vec<String>, after: Option<String> },
    /// By keys: one prefix after the other.
    Keys { prefixes: Vec<(Index, String)>, after: Option<Place> },
    /// Through what would be found by keys, but is known already.
    List { rest: Vec<Candidate>, prefixes: Vec<(Index, String)> },
}

impl Walk {
    /// A walk through everything whose id follows one of these prefixes.
    ///
    /// # Errors
    /// For a cursor that no page has returned.
    pub fn by_ids(prefixes: Vec<String>, cursor: Option<&str>) -> Result<Self> {
        if cursor.is_some_and(|cursor| cursor.is_empty() || !is_cursor(cursor)) {
            return Err(no_such_cursor().into());
        }
        let is_over = prefixes.is_empty();
        let after = cursor.map(ToString::to_string);
        Ok(Walk { way: Way::Ids { prefixes, after }, budget: EXAMINED, is_over })
    }

    /// A walk through all keys with these prefixes.
    ///
    /// # Errors
    /// For a cursor that no page has returned.
    pub fn by_keys(prefixes: Vec<(Index, String)>, cursor: Option<&str>) -> Result<Self> {
        let after = cursor.map(|cursor| read_cursor(cursor, &prefixes).ok_or_else(no_such_cursor)).transpose()?;
        Ok(Walk { way: Way::Keys { prefixes, after }, budget: EXAMINED, is_over: false })
    }

    /// A walk through what a walk through all keys with these prefixes would find.
    ///
    /// # Errors
    /// For a cursor that no page has returned.
    pub fn by_list(mut list: Vec<Candidate>, prefixes: Vec<(Index, String)>, cursor: Option<&str>) -> Result<Self> {
        let after = cursor.map(|cursor| read_cursor(cursor, &prefixes).ok_or_else(no_such_cursor)).transpose()?;
        list.retain(|candidate| candidate.place > after);
        list.sort_unstable_by(|one, other| one.place.cmp(&other.place));
        Ok(Walk { is_over: list.is_empty(), way: Way::List { rest: list, prefixes }, budget: EXAMINED })
    }

    /// The next candidates, from about `wanted` entries.
    fn next(&mut self, transaction: &mut Transaction, wanted: u32) -> store::Result<Vec<Candidate>> {
        let wanted = wanted.min(self.budget);
        let (candidates, read) = match &mut self.way {
            Way::Ids { prefixes, after } => {
                let (ids, read, last) = next_ids(transaction, prefixes, after.as_deref(), wanted)?;
                self.is_over = last.is_none();
                *after = last;
                (ids.into_iter().map(|id| Candidate { id, place: None }).collect(), read)
            }
            Way::Keys { prefixes, after } => {
                let found = next_keys(transaction, prefixes, after.as_ref(), wanted)?;
                let read = pages::count(found.len());
                self.is_over = read < wanted;
                if let Some(last) = found.last() {
                    after.clone_from(&last.place);
                }
                (found, read)
            }
            Way::List { rest, .. } => {
                let found: Vec<Candidate> = rest.drain(..rest.len().min(wanted as usize)).collect();
                self.is_over = rest.is_empty();
                let read = pages::count(found.len());
                (found, read)
            }
        };
        self.budget = self.budget.saturating_sub(read);
        Ok(candidates)
    }

    /// Where the walk is, as a cursor.
    fn here(&self) -> Option<String> {
        match &self.way {
            Way::Ids { after, .. } => after.clone(),
            Way::Keys { prefixes, after } => after.as_ref().map(|place| write_cursor(place, prefixes)),
            // It is shorter than what a page looks at.
            Way::List { .. } => None,
        }
    }

    fn cursor(&self, candidate: &Candidate) -> String {
        match (&self.way, &candidate.place) {
            (Way::Keys { prefixes, .. } | Way::List { prefixes, .. }, Some(place)) => write_cursor(place, prefixes),
            _ => candidate.id.clone(),
        }
    }

    /// A page of what `show` makes of the candidates, in their order; it returns `None` for those that do not belong on
    /// it.
    ///
    /// # Errors
    /// For a limit that is not valid; where the storage fails.
    pub fn page<T>(
        mut self,
        transaction: &mut Transaction,
        limit: u32,
        mut show: impl FnMut(&mut Transaction, &[Candidate]) -> Result<Vec<Option<T>>>,
    ) -> Result<Page<T>> {
        check_limit(limit)?;
        let (mut values, mut last, mut wanted) = (Vec::new(), None, limit.saturating_add(1));
        while !self.is_over && self.budget > 0 {
            let candidates = self.next(transaction, wanted)?;
            let shown = show(transaction, &candidates)?;
            for (candidate, shown) in candidates.iter().zip(shown) {
                let Some(shown) = shown else { continue };
                if values.len() == limit as usize {
                    return Ok(Page { values, next: last });
                }
                values.push(shown);
                last = Some(self.cursor(candidate));
            }
            wanted = wanted.saturating_mul(GROWTH).min(ENTRIES_AT_ONCE);
        }
        let next = if self.is_over { None } else { self.here() };
        Ok(Page { values, next })
    }
}

/// The ids that follow `after` in any of these families, how many entries were read for them, and the last id; `None`
/// if nothing follows.
fn next_ids(
    transaction: &mut Transaction,
    prefixes: &[String],
    after: Option<&str>,
    wanted: u32,
) -> store::Result<(BTreeSet<String>, u32, Option<String>)> {
    let each = wanted.div_ceil(pages::count(prefixes.len()).max(1));
    let (mut ids, mut read, mut horizon) = (BTreeSet::new(), 0_u32, None::<String>);
    for prefix in prefixes {
        let mut range = Range { keys_only: true, ..prefix_range(prefix, each) };
        if let Some(after) = after {
            range.start = keys::after(&[prefix, after].concat());
        }
        let entries = transaction.scan(&range)?;
        let found = pages::count(entries.len());
        read = read.saturating_add(found);
        let mut found_ids: Vec<String> = entries.iter().map(|entry| keys::id_of(&entry.key).to_string()).collect();
        if found == each {
            // Of this family, others may follow, and those of the others behind them have to wait.
            horizon = found_ids.last().cloned().into_iter().chain(horizon).min();
        }
        ids.extend(found_ids.drain(..));
    }
    if let Some(horizon) = &horizon {
        ids.retain(|id| id <= horizon);
    }
    Ok((ids, read, horizon))
}

/// The candidates at the keys that follow `after`.
fn next_keys(
    transaction: &mut Transaction,
    prefixes: &[(Index, String)],
    after: Option<&Place>,
    wanted: u32,
) -> store::Result<Vec<Candidate>> {
    let mut candidates = Vec::new();
    for (index, prefix) in prefixes {
        let mut range = prefix_range(prefix, wanted.saturating_sub(pages::count(candidates.len())));
        range.keys_only = *index == Index::Words;
        match after {
            Some(after) if after.index > *index => continue,
            Some(after) if after.index == *index => range.start = keys::next(&after.key),
            _ => {}
        }
        for entry in transaction.scan(&range)? {
            let id = match index {
                Index::Whole => entry.value,
                Index::Words => keys::id_of(&entry.key).to_string(),
            };
            candidates.push(Candidate { id, place: Some(Place { index: *index, key: entry.key }) });
        }
    }
    Ok(candidates)
}

/// How a cursor calls an index.
fn letter(index: Index) -> char {
    match index {
        Index::Whole => 'a',
        Index::Words => 'w',
    }
}

/// A place as a cursor: what the key has after the prefix, encoded. The query, which whoever goes on has to name again,
/// has the rest.
fn write_cursor(place: &Place, prefixes: &[(Index, String)]) -> String {
    let prefix = prefixes.iter().find(|(index, _)| *index == place.index);
    let rest = prefix.and_then(|(_, prefix)| place.key.strip_prefix(prefix.as_str())).unwrap_or_default();
    format!("{}{}", letter(place.index), URL_SAFE_NO_PAD.encode(rest))
}

fn read_cursor(cursor: &str, prefixes: &[(Index, String)]) -> Option<Place> {
    let (index, prefix) = prefixes.iter().find(|(index, _)| cursor.starts_with(letter(*index)))?;
    let rest = URL_SAFE_NO_PAD.decode(cursor.get(1..)?).ok()?;
    let key = [prefix, core::str::from_utf8(&rest).ok()?].concat();
    (rest.iter().all(u8::is_ascii_graphic) && keys::is_storable(&key)).then_some(Place { index: *index, key })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back_and_nothing_else_is_one() {
        let prefixes = [(Index::Whole, "cm/gr".to_string()), (Index::Words, "cw/gr".to_string())];
        for (index, key) in [(Index::Whole, "cm/grace@x.test"), (Index::Words, "cw/grace!id"), (Index::Words, "cw/gr")]
        {
            let place = Place { index, key: key.to_string() };
            let cursor = write_cursor(&place, &prefixes);
            assert!(!cursor.contains("grace"));
            assert_eq!(read_cursor(&cursor, &prefixes), Some(place));
            assert_eq!(read_cursor(&cursor, &prefixes[..0]), None);
        }
        let long = format!("w{}", URL_SAFE_NO_PAD.encode("x".repeat(10_000)));
        let spaced = format!("w{}", URL_SAFE_NO_PAD.encode("a b"));
        for text in ["", "x", "é", "w*", "w=", &long, &spaced] {
            assert_eq!(read_cursor(text, &prefixes), None, "{text}");
        }
        assert!(Walk::by_ids(Vec::new(), Some("a/b")).is_err() && Walk::by_ids(Vec::new(), Some("")).is_err());
    }
}
