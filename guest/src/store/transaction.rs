//! A storage transaction that sees its own writes.
//!
//! The storage contract has no reads after writes, so writes are gathered here and handed over at the end. Reads look
//! at them first. A bulk request runs all its operations in one transaction: [`Transaction::undo_since`] undoes the
//! writes of a failed one.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet, btree_map};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cmp::Ordering;

use super::error::{Error, Result};
use super::feed::{self, ChangeRecord};
use super::keys;
use crate::storage::{self, Access, Change, Entry, Range, Storage};

/// How many writes are handed to the storage at once. This bounds what a call makes the host hold while it copies.
const WRITES_AT_ONCE: usize = 4_096;

/// How many entries are read at once to skip them, where something is to be written among them.
const SKIPPED_AT_ONCE: u32 = 1_000;

/// A storage transaction that sees its own writes and adds to the change feed.
pub struct Transaction {
    inner: Box<dyn storage::Transaction>,
    /// The new value of each written key; `None` if it is removed.
    writes: BTreeMap<String, Option<String>>,
    /// The earlier entry in `writes` for each write, newest last.
    undo: Vec<(String, Option<Option<String>>)>,
    /// The changes to add to the feed.
    changes: Vec<ChangeRecord>,
    /// The keys of claims of staged directories to be looked at anew before it is committed.
    claims: BTreeSet<String>,
    /// Whether another transaction got in the way.
    conflicted: bool,
    access: Access,
    layout: Layout,
}

/// What is known about the layout of the storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// Nothing yet: the first read looks at it.
    Unknown,
    /// It is this one.
    Fits,
    /// It is an older one, which can be read, but has not everything that this one has.
    Older,
    /// The storage is new, and has no layout yet: the first commit writes it.
    New,
    /// It does not matter.
    Any,
}

/// A point to which [`Transaction::undo_since`] can go back; by default the beginning.
#[derive(Debug, Clone, Copy, Default)]
pub struct Savepoint {
    undo: usize,
    changes: usize,
}

/// The range of all keys that begin with `prefix`, values included.
#[must_use]
pub fn prefix_range(prefix: &str, limit: u32) -> Range {
    Range { start: prefix.to_string(), end: keys::after(prefix), reverse: false, skip: 0, limit, keys_only: false }
}

impl Transaction {
    /// Begins a transaction. A storage of a layout that this version does not know is refused by the first read, or by
    /// the commit if nothing was read. One of an older layout can be read, but not written until it has been brought to
    /// this one.
    ///
    /// # Errors
    /// Where the storage does not answer.
    pub fn begin(storage: &dyn Storage, access: Access) -> Result<Self> {
        Ok(Transaction { layout: Layout::Unknown, ..Self::begin_any_layout(storage, access)? })
    }

    /// Begins a transaction, whatever layout the storage has.
    ///
    /// # Errors
    /// Where the storage does not answer.
    pub fn begin_any_layout(storage: &dyn Storage, access: Access) -> Result<Self> {
        Ok(Transaction {
            inner: storage.begin(access)?,
            writes: BTreeMap::new(),
            undo: Vec::new(),
            changes: Vec::new(),
            claims: BTreeSet::new(),
            conflicted: false,
            access,
            layout: Layout::Any,
        })
    }

    /// Whether a failure came from another transaction, so that beginning again makes sense.
    #[must_use]
    pub fn is_conflicted(&self) -> bool {
        self.conflicted
    }

    /// The value of a key.
    ///
    /// # Errors
    /// Where the storage fails.
    pub fn get(&mut self, key: String) -> Result<Option<String>> {
        Ok(self.get_many(alloc::vec![key])?.pop().flatten())
    }

    /// The values of keys, in the same order.
    ///
    /// # Errors
    /// Where the storage fails.
    pub fn get_many(&mut self, mut keys: Vec<String>) -> Result<Vec<Option<String>>> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        // The layout is read along with the first keys, so that it costs no call of its own.
        if self.layout == Layout::Unknown {
            keys.push(keys::SCHEMA_KEY.to_string());
        }
        let result = self.inner.get_many(&keys);
        let mut values = self.noting_conflict(result)?;
        if values.len() != keys.len() {
            return Err(unusable("get-many"));
        }
        if self.layout == Layout::Unknown {
            keys.pop();
            self.note_layout(values.pop().flatten().as_deref())?;
        }
        if !self.writes.is_empty() {
            for (key, value) in keys.iter().zip(&mut values) {
                if let Some(written) = self.writes.get(key) {
                    value.clone_from(written);
                }
            }
        }
        Ok(values)
    }

    /// The entries of a range.
    ///
    /// # Errors
    /// Where the storage fails.
    pub fn scan(&mut self, range: &Range) -> Result<Vec<Entry>> {
        if range.start >= range.end || range.limit == 0 {
            return Ok(Vec::new());
        }
        self.check_layout()?;
        if self.writes.range(range.start.clone()..range.end.clone()).next().is_some() {
            return self.scan_with_writes(range);
        }
        self.scan_stored(range)
    }

    /// Checks the layout of the storage, unless a read has done so.
    fn check_layout(&mut self) -> Result<()> {
        if self.layout != Layout::Unknown {
            return Ok(());
        }
        let result = self.inner.get_many(&[keys::SCHEMA_KEY.to_string()]);
        let mut values = self.noting_conflict(result)?;
        if values.len() != 1 {
            return Err(unusable("get-many"));
        }
        self.note_layout(values.pop().flatten().as_deref())
    }

    /// Refuses to search while the storage is brought to this layout: what the indexes lack by then would be missing in
    /// the answer.
    ///
    /// # Errors
    /// [`Error::Upgrading`].
    pub fn check_searchable(&mut self) -> Result<()> {
        self.check_layout()?;
        if self.layout == Layout::Older { Err(Error::Upgrading) } else { Ok(()) }
    }

    /// Refuses a storage that was written with a layout that this version does not know, or cannot write yet.
    fn note_layout(&mut self, stored: Option<&str>) -> Result<()> {
        self.layout = match stored {
            None => Layout::New,
            Some(keys::SCHEMA) => Layout::Fits,
            Some(older) if keys::OLDER_SCHEMAS.contains(&older) => {
                if self.access == Access::ReadWrite {
                    return Err(Error::Upgrading);
                }
                Layout::Older
            }
            Some(other) => return Err(Error::Layout { found: other.to_string() }),
        };
        Ok(())
    }

    /// What is stored in a range. Checks that it is in the range, in order, and no more than asked for: code that goes
    /// through a range in steps relies on that.
    fn scan_stored(&mut self, range: &Range) -> Result<Vec<Entry>> {
        let result = self.inner.scan(range);
        let entries = self.noting_conflict(result)?;
        let in_order = |one: &Entry, other: &Entry| {
            if range.reverse { one.key > other.key } else { one.key < other.key }
        };
        let inside = |entry: &Entry| (range.start.as_str()..range.end.as_str()).contains(&entry.key.as_str());
        // In order, what is between two that are inside is inside as well.
        let fits = entries.len() <= range.limit as usize
            && entries.is_sorted_by(in_order)
            && entries.first().is_none_or(inside)
            && entries.last().is_none_or(inside);
        if fits { Ok(entries) } else { Err(unusable("scan")) }
    }

    /// The entries of a range in which something is to be written: what is stored, with the writes in their places.
    /// Goes through no more entries than it skips and returns, however many writes follow.
    fn scan_with_writes(&mut self, range: &Range) -> Result<Vec<Entry>> {
        let (mut skip, mut entries) = (range.skip, Vec::new());
        let mut part = Range { skip: 0, ..range.clone() };
        while part.start < part.end {
            // What is skipped has to be read as well, and not by as few at a time as are wanted.
            part.limit = skip.min(SKIPPED_AT_ONCE).saturating_add(range.limit);
            let page = self.scan_stored(&part)?;
            let last = page.last().filter(|_| page.len() >= part.limit as usize).map(|last| last.key.clone());
            let bounds = match &last {
                None => (part.start.clone(), part.end.clone()),
                Some(last) if range.reverse => (last.clone(), part.end.clone()),
                Some(last) => (part.start.clone(), keys::next(last)),
            };
            for entry in merge(page, self.writes.range(bounds.0..bounds.1), range) {
                if skip > 0 {
                    skip -= 1;
                    continue;
                }
                entries.push(entry);
                if entries.len() == range.limit as usize {
                    return Ok(entries);
                }
            }
            match last {
                None => return Ok(entries),
                Some(last) if range.reverse => part.end = last,
                Some(last) => part.start = keys::next(&last),
            }
        }
        Ok(entries)
    }

    /// Writes a value.
    pub fn put(&mut self, key: String, value: impl Into<String>) {
        self.set(key, Some(value.into()));
    }

    /// Removes a key.
    pub fn delete(&mut self, key: String) {
        self.set(key, None);
    }

    fn set(&mut self, key: String, value: Option<String>) {
        let before = self.writes.insert(key.clone(), value);
        self.undo.push((key, before));
    }

    /// The keys that begin with a text and are to be written, each with its new value; `None` if it is removed.
    pub fn written(&self, prefix: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
        let range = prefix.to_string()..keys::after(prefix);
        self.writes.range(range).map(|(key, value)| (key.as_str(), value.as_deref()))
    }

    /// Has who claims something by these keys looked at anew before this is committed.
    pub fn reconsider(&mut self, claims: impl IntoIterator<Item = String>) {
        self.claims.extend(claims);
    }

    /// The keys of the claims to be looked at anew.
    pub fn take_reconsidered(&mut self) -> BTreeSet<String> {
        core::mem::take(&mut self.claims)
    }

    /// Adds an entry to the change feed.
    pub fn record(&mut self, change: ChangeRecord) {
        self.changes.push(change);
    }

    /// Where the transaction is now.
    #[must_use]
    pub fn savepoint(&self) -> Savepoint {
        Savepoint { undo: self.undo.len(), changes: self.changes.len() }
    }

    /// The changes since the savepoint.
    pub fn changes_since(&self, savepoint: Savepoint) -> &[ChangeRecord] {
        self.changes.get(savepoint.changes..).unwrap_or_default()
    }

    /// Undoes all writes and changes since the savepoint.
    pub fn undo_since(&mut self, savepoint: Savepoint) {
        for (key, before) in self.undo.drain(savepoint.undo..).rev() {
            match before {
                Some(before) => self.writes.insert(key, before),
                None => self.writes.remove(&key),
            };
        }
        self.changes.truncate(savepoint.changes);
    }

    /// Writes everything, including the changes with their sequence numbers, and ends the transaction. Does nothing if
    /// nothing was written.
    ///
    /// # Errors
    /// The error, and whether beginning again makes sense.
    pub fn commit(mut self) -> Result<(), (Error, bool)> {
        match self.write_all() {
            Ok(false) => return Ok(()),
            Ok(true) => {}
            Err(error) => return Err((error, self.conflicted)),
        }
        self.inner.commit().map_err(|error| {
            let conflicted = error == storage::Error::Conflict;
            (error.into(), conflicted)
        })
    }

    fn write_all(&mut self) -> Result<bool> {
        self.number_changes()?;
        if !self.writes.is_empty() {
            self.check_layout()?;
            if self.layout == Layout::New {
                self.writes.insert(keys::SCHEMA_KEY.to_string(), Some(keys::SCHEMA.to_string()));
            }
        }
        let mut writes = core::mem::take(&mut self.writes).into_iter();
        let mut any = false;
        loop {
            let batch: Vec<Change> =
                writes.by_ref().take(WRITES_AT_ONCE).map(|(key, value)| Change { key, value }).collect();
            if batch.is_empty() {
                return Ok(any);
            }
            any = true;
            let result = self.inner.write(batch);
            self.noting_conflict(result)?;
        }
    }

    fn number_changes(&mut self) -> Result<()> {
        if self.changes.is_empty() {
            return Ok(());
        }
        let mut last: u64 = match self.get(keys::LAST_CHANGE_KEY.to_string())? {
            Some(text) => text.parse().map_err(|_| Error::corrupt(keys::LAST_CHANGE_KEY))?,
            None => 0,
        };
        let changes = core::mem::take(&mut self.changes);
        let erased: Vec<String> = changes.iter().filter_map(ChangeRecord::erased_history).collect();
        for change in changes {
            last = last.saturating_add(1);
            if let Some(history) = change.history().filter(|history| !erased.contains(history)) {
                let key = history + &keys::sequence_digits(last);
                self.writes.insert(key, Some(feed::values_text(&change.values)));
            }
            self.writes.insert(keys::change(last), Some(crate::json::to_text(&change)));
        }
        self.writes.insert(keys::LAST_CHANGE_KEY.to_string(), Some(last.to_string()));
        Ok(())
    }

    fn noting_conflict<T>(&mut self, result: Result<T, storage::Error>) -> Result<T> {
        if matches!(result, Err(storage::Error::Conflict)) {
            self.conflicted = true;
        }
        Ok(result?)
    }
}

/// The entries as they are with the writes made, in the order of the range.
fn merge<'w>(
    stored: Vec<Entry>,
    written: btree_map::Range<'w, String, Option<String>>,
    range: &'w Range,
) -> impl Iterator<Item = Entry> + use<'w> {
    let mut stored = stored.into_iter().peekable();
    let mut written = Directed { entries: written, reverse: range.reverse }.peekable();
    let reverse = range.reverse;
    core::iter::from_fn(move || {
        loop {
            let order = match (stored.peek(), written.peek()) {
                (_, None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(stored), Some((written, _))) if reverse => (*written).cmp(&stored.key),
                (Some(stored), Some((written, _))) => stored.key.cmp(written),
            };
            if order.is_lt() {
                return stored.next();
            }
            if order.is_eq() {
                stored.next();
            }
            let (key, value) = written.next()?;
            if let Some(value) = value {
                let value = if range.keys_only { String::new() } else { value.clone() };
                return Some(Entry { key: key.clone(), value });
            }
        }
    })
}

/// The writes of a range, in its direction.
struct Directed<'w> {
    entries: btree_map::Range<'w, String, Option<String>>,
    reverse: bool,
}

impl<'w> Iterator for Directed<'w> {
    type Item = (&'w String, &'w Option<String>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.reverse { self.entries.next_back() } else { self.entries.next() }
    }
}

/// The error for an answer that the storage contract does not allow.
fn unusable(call: &str) -> Error {
    Error::Failed(alloc::format!("{call} was answered otherwise than the contract says"))
}
