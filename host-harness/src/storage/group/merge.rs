//! Reading the disk as it will be once all that is committed has been written to it.

use super::disk::{Changes, Part, Snapshot};
use super::read_cache::ReadCache;
use crate::storage::{Entry, Error, MAX_KEY_BYTES, Range};
use std::cmp::Ordering;
use std::iter::Peekable;
use std::ops::Bound;

/// The values of `keys`, from the first of `layers` that has the key, or else from what is known of the disk's state with this
/// number, or else from the disk, which is asked once.
pub(super) fn get_many<S: Snapshot>(
    disk: &S,
    (cache, number): (&ReadCache, u64),
    layers: [&Changes; 2],
    keys: &[String],
) -> Result<Vec<Option<String>>, Error> {
    let (mut values, mut wanted) = (Vec::with_capacity(keys.len()), Vec::new());
    for (place, key) in keys.iter().enumerate() {
        let pending = layers.iter().find_map(|layer| layer.get(key.as_str()));
        let known = match pending {
            Some(value) => Some(value.clone()),
            // The engine need not know keys that it never holds.
            None if key.is_empty() || key.len() > MAX_KEY_BYTES => Some(None),
            None => cache.get(key, number),
        };
        if known.is_none() {
            wanted.push((place, key.as_str()));
        }
        values.push(known.flatten());
    }
    if wanted.is_empty() {
        return Ok(values);
    }
    let stored = disk.get_many(&wanted.iter().map(|(_, key)| *key).collect::<Vec<_>>())?;
    for ((place, _), value) in wanted.iter().zip(stored) {
        values[*place] = value.map(|value| text(value.as_ref())).transpose()?;
    }
    cache.keep(number, wanted.iter().map(|(place, key)| (*key, values[*place].as_deref())));
    Ok(values)
}

/// The entries of a range, those of `newer` before those of `older` before those of the disk.
pub(super) fn scan<S: Snapshot>(disk: &S, [newer, older]: [&Changes; 2], range: &Range) -> Result<Vec<Entry>, Error> {
    let (start, end) = (bound(&range.start), bound(&range.end));
    if start >= end || range.limit == 0 {
        return Ok(Vec::new());
    }
    let (reverse, keys_only) = (range.reverse, range.keys_only);
    let mut newer = within(newer, range).peekable();
    let mut older = within(older, range).peekable();
    if newer.peek().is_none() && older.peek().is_none() {
        let part = Part { start, end, reverse, skip: range.skip, expected: range.limit.into(), keys_only };
        let stored = disk.range(&part)?.map(|entry| Ok(Candidate::from_disk(entry?)));
        return collect(stored, &Range { skip: 0, ..range.clone() });
    }
    let expected = u64::from(range.skip) + u64::from(range.limit);
    let stored = disk.range(&Part { start, end, reverse, skip: 0, expected, keys_only })?;
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
fn text(bytes: &[u8]) -> Result<String, Error> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(error) => Err(Error::Other(format!("the store is damaged: a text that is not UTF-8: {error}"))),
    }
}
