//! Going through what is stored, page by page: all of it inside, one page at a time for whoever asks from outside.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::ops::ControlFlow;

use super::error::{Error, Result};
use super::keys;
use super::transaction::{Transaction, prefix_range};
use crate::invalid::Invalid;
use crate::storage::{Entry, Range};

/// How many entries are read at once where many are gone through.
pub const ENTRIES_AT_ONCE: u32 = 1_000;

/// The longest cursor of a list by names, in bytes.
const MAX_CURSOR_BYTES: usize = 2_000;

/// How many values a page for callers from outside may have.
const MAX_PAGE: u32 = 1_000;

/// Where a page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Position {
    /// After this many values from the beginning.
    Offset(u32),
    /// After the page that returned this cursor.
    After(String),
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The values of the page.
    pub values: Vec<T>,
    /// The cursor for the next page, unless this is the last one.
    pub next: Option<String>,
}

/// Goes through a range, as many entries at a time as its limit says, until all are seen or `visit` ends it. The range
/// goes forward and skips nothing.
///
/// # Errors
/// Where the storage fails, and the errors of `visit`.
pub fn for_each_page<E: From<Error>>(
    transaction: &mut Transaction,
    mut range: Range,
    mut visit: impl FnMut(&mut Transaction, &[Entry]) -> Result<ControlFlow<()>, E>,
) -> Result<(), E> {
    loop {
        let entries = transaction.scan(&range)?;
        let next = entries.last().filter(|_| entries.len() >= range.limit as usize).map(|last| keys::next(&last.key));
        if visit(transaction, &entries)?.is_break() {
            return Ok(());
        }
        let Some(next) = next else { return Ok(()) };
        range.start = next;
    }
}

/// The ends of the keys that begin with a prefix: about `limit` of them, to whole pages.
///
/// # Errors
/// Where the storage fails.
pub fn ends(transaction: &mut Transaction, prefix: &str, limit: u32) -> Result<Vec<String>> {
    let mut all = Vec::new();
    let range = Range { keys_only: true, ..prefix_range(prefix, limit.min(ENTRIES_AT_ONCE)) };
    for_each_page(transaction, range, |_, entries| {
        all.extend(entries.iter().map(|entry| keys::id_of(&entry.key).to_string()));
        Ok::<_, Error>(if all.len() < limit as usize { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
    })?;
    Ok(all)
}

/// Checks how many values a page is to have.
///
/// # Errors
/// [`Invalid`] if it is not 1 to 1,000.
pub fn check_limit(limit: u32) -> Result<(), Invalid> {
    if (1..=MAX_PAGE).contains(&limit) {
        return Ok(());
    }
    Err(Invalid(format!("the limit must be 1 to {MAX_PAGE}")))
}

/// A page of the entries whose keys begin with a prefix, for a caller from outside.
///
/// # Errors
/// [`Invalid`] for a limit or cursor that is not valid; where the storage fails.
pub fn scan_page<E: From<Error> + From<Invalid>>(
    transaction: &mut Transaction,
    prefix: &str,
    position: &Position,
    limit: u32,
) -> Result<Page<Entry>, E> {
    check_limit(limit)?;
    let mut range = prefix_range(prefix, limit + 1);
    match position {
        Position::Offset(skip) => range.skip = *skip,
        Position::After(cursor) if is_cursor(cursor) => range.start = keys::after(&(prefix.to_string() + cursor)),
        Position::After(_) => return Err(no_such_cursor().into()),
    }
    let mut values = transaction.scan(&range)?;
    let more = values.len() > limit as usize;
    values.truncate(limit as usize);
    let next = values.last().filter(|_| more).map(|last| keys::id_of(&last.key).to_string());
    Ok(Page { values, next })
}

/// A page of entries whose keys end with ids, for a caller from outside: the one after a cursor, or the first.
///
/// # Errors
/// As [`scan_page`].
pub fn scan_ids<E: From<Error> + From<Invalid>>(
    transaction: &mut Transaction,
    prefix: &str,
    cursor: Option<&str>,
    limit: u32,
) -> Result<Page<Entry>, E> {
    let position = match cursor {
        None => Position::Offset(0),
        Some(cursor) if keys::is_id(cursor) => Position::After(cursor.to_string()),
        Some(_) => return Err(no_such_cursor().into()),
    };
    scan_page(transaction, prefix, &position, limit)
}

/// A page of the entries whose keys begin with `some`, among those that begin with `all`: what follows `all` in a key is the
/// cursor. With it, the cursor for the next page.
///
/// # Errors
/// [`Invalid`] for a limit or cursor that is not valid; where the storage fails.
pub fn named<E: From<Error> + From<Invalid>>(
    transaction: &mut Transaction,
    all: &str,
    some: &str,
    cursor: Option<&str>,
    limit: u32,
) -> Result<(Vec<Entry>, Option<String>), E> {
    check_limit(limit)?;
    let mut range = prefix_range(some, limit + 1);
    if let Some(cursor) = cursor {
        let is_one =
            (1..=MAX_CURSOR_BYTES).contains(&cursor.len()) && cursor.bytes().all(|byte| (0x21..0x7f).contains(&byte));
        if !is_one {
            return Err(no_such_cursor().into());
        }
        range.start = range.start.max(keys::next(&[all, cursor].concat()));
    }
    let mut entries = transaction.scan(&range)?;
    let more = entries.len() > limit as usize;
    entries.truncate(limit as usize);
    let next = entries.last().filter(|_| more).map(|last| last.key[all.len()..].to_string());
    Ok((entries, next))
}

/// A number of entries as the contract and the records have it.
#[must_use]
pub fn count(entries: usize) -> u32 {
    u32::try_from(entries).unwrap_or(u32::MAX)
}

/// The error for a cursor that no page has returned.
#[must_use]
pub fn no_such_cursor() -> Invalid {
    Invalid("the cursor is not one that a page named".to_string())
}

/// Whether a text can be the end of a key, as cursors are.
#[must_use]
pub fn is_cursor(text: &str) -> bool {
    text.len() <= keys::ID_LENGTH && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}
