//! Reading the disk as it will be once all that is committed has been written to it.

use super::disk::{Changes, Snapshot};
use crate::storage::{Entry, Error, MAX_KEY_BYTES, Range};
use std::cmp::Ordering;
use std::iter::Peekable;
use std::ops::Bound;

/// The values of `keys`, from the first of `layers` that has the key, or else from the disk, as `read` does.
pub(super) fn get_many(
    read: impl Fn(&str) -> Result<Option<String>, Error>,
    layers: [&Changes; 2],
    keys: &[String],
) -> Result<Vec<Option<String>>, Error> {
    let get = |key: &String| {
        if let Some(value) = layers.iter().find_map(|layer| layer.get(key.as_str())) {
            return Ok(value.clone());
        }
        // The engine need not know keys that it never holds.
        if key.is_empty() || key.len() > MAX_KEY_BYTES {
            return Ok(None);
        }
        read(key)
    };
    keys.iter().map(get).collect()
}

/// The entries of a range, those of `newer` before those of `older` before those of the disk.
pub(super) fn scan<S: Snapshot>(disk: &S, [newer, older]: [&Changes; 2], range: &Range) -> Result<Vec<Entry>, Error> {
    let (start, end) = (bound(&range.start), bound(&range.end));
    if start >= end || range.limit == 0 {
        return Ok(Vec::new());
    }
    let reverse = range.reverse;
    let stored = disk.range(start, end, reverse)?;
    let mut newer = within(newer, range).peekable();
    let mut older = within(older, range).peekable();
    if newer.peek().is_none() && older.peek().is_none() {
        return collect(stored.map(|entry| Ok(Candidate::from_disk(entry?))), range);
    }
    let pending = Merge { newer, older, reverse };
    let found = Merge {
        newer: pending.peekable(),
        older: stored.map(|entry| Ok(Candidate::from_disk(entry?))).peekable(),
        reverse,
    };
    let is_there = |found: &Result<Candidate<'_, _>, _>| !matches!(found, Ok(Candidate::Pending(_, None)));
    collect(found.filter(is_there), range)
}

/// A bound no longer than the engine takes. What is cut off makes no difference: no key is that long.
fn bound(bound: &str) -> &[u8] {
    let length = bound.len().min(MAX_KEY_BYTES + 1);
    &bound.as_bytes()[..length]
}

fn collect<'a, B: AsRef<[u8]>>(
    entries: impl Iterator<Item = Result<Candidate<'a, B>, Error>>,
    range: &Range,
) -> Result<Vec<Entry>, Error> {
    let mut skip = range.skip;
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        if skip > 0 {
            skip -= 1;
            continue;
        }
        found.push(entry.into_entry(range.keys_only)?);
        if found.len() as u64 >= u64::from(range.limit) {
            break;
        }
    }
    Ok(found)
}

/// The changes within a range, in the direction of the scan.
fn within<'a, B>(
    changes: &'a Changes,
    range: &Range,
) -> impl Iterator<Item = Result<Candidate<'a, B>, Error>> + use<'a, B> {
    let bounds = (Bound::Included(range.start.as_str()), Bound::Excluded(range.end.as_str()));
    let mut changes = changes.range::<str, _>(bounds);
    let reverse = range.reverse;
    std::iter::from_fn(move || {
        let next = if reverse { changes.next_back() } else { changes.next() };
        next.map(|(key, value)| Ok(Candidate::Pending(key, value.as_deref())))
    })
}

/// One entry on its way to the answer.
enum Candidate<'a, B> {
    /// A change that is not on disk yet: a value, or `None` where the key is removed.
    Pending(&'a str, Option<&'a str>),
    /// A key and a value from the disk.
    Stored(B, B),
}

impl<B: AsRef<[u8]>> Candidate<'_, B> {
    fn from_disk((key, value): (B, B)) -> Self {
        Self::Stored(key, value)
    }

    fn key(&self) -> &[u8] {
        match self {
            Self::Pending(key, _) => key.as_bytes(),
            Self::Stored(key, _) => key.as_ref(),
        }
    }

    fn into_entry(self, keys_only: bool) -> Result<Entry, Error> {
        let (key, value) = match &self {
            Self::Pending(key, value) => (key.as_bytes(), value.unwrap_or_default().as_bytes()),
            Self::Stored(key, value) => (key.as_ref(), value.as_ref()),
        };
        Ok(Entry { key: text(key)?, value: if keys_only { String::new() } else { text(value)? } })
    }
}

/// Two sorted sequences as one; of two entries with the same key the newer counts.
struct Merge<N: Iterator, O: Iterator> {
    newer: Peekable<N>,
    older: Peekable<O>,
    reverse: bool,
}

impl<'a, B, N, O> Iterator for Merge<N, O>
where
    B: AsRef<[u8]>,
    N: Iterator<Item = Result<Candidate<'a, B>, Error>>,
    O: Iterator<Item = Result<Candidate<'a, B>, Error>>,
{
    type Item = Result<Candidate<'a, B>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let order = match (self.newer.peek(), self.older.peek()) {
            (Some(Ok(newer)), Some(Ok(older))) => {
                let order = newer.key().cmp(older.key());
                if self.reverse { order.reverse() } else { order }
            }
            // What failed is handed out at once.
            (Some(Err(_)), _) | (Some(Ok(_)), None) => Ordering::Less,
            (_, _) => Ordering::Greater,
        };
        match order {
            Ordering::Less => self.newer.next(),
            Ordering::Greater => self.older.next(),
            Ordering::Equal => {
                self.older.next();
                self.newer.next()
            }
        }
    }
}

/// The engine stores bytes; only text was ever written to it.
pub(super) fn text(bytes: &[u8]) -> Result<String, Error> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(error) => Err(Error::Other(format!("the store is damaged: a text that is not UTF-8: {error}"))),
    }
}
