//! A storage transaction that sees its own writes.
//!
//! The storage contract has no reads after writes, so writes are gathered here and handed over at the end. Reads look at
//! them first. A bulk request runs all its operations in one transaction: [`Transaction::undo_since`] takes the writes
//! of a failed operation back.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::keys;
use super::records::{ChangeRecord, corrupt};
use crate::error::{Error, Result};
use crate::storage::{self, Access, Change, Entry, Range, Storage};

/// How many writes are handed to the storage at once. Bounds what a call makes the host hold while it copies.
const WRITES_AT_ONCE: usize = 4_096;

/// A storage transaction that sees its own writes and adds to the change feed.
pub struct Transaction {
    inner: Box<dyn storage::Transaction>,
    /// The value that each written key is to have.
    writes: BTreeMap<String, Option<String>>,
    /// What each written key was to have before, newest last.
    undo: Vec<(String, Option<Option<String>>)>,
    /// The changes to add to the feed.
    changes: Vec<ChangeRecord>,
    /// Whether another transaction got in the way.
    conflicted: bool,
}

/// A point to which [`Transaction::undo_since`] can go back.
#[derive(Debug, Clone, Copy)]
pub struct Mark {
    undo: usize,
    changes: usize,
}

/// The range of all keys that begin with `prefix`, values included.
#[must_use]
pub fn prefix_range(prefix: &str, limit: u32) -> Range {
    Range { start: prefix.to_string(), end: keys::after(prefix), reverse: false, skip: 0, limit, keys_only: false }
}

impl Transaction {
    /// Begins.
    ///
    /// # Errors
    /// Where the storage does not answer.
    pub fn begin(storage: &dyn Storage, access: Access) -> Result<Self> {
        Ok(Transaction {
            inner: storage.begin(access)?,
            writes: BTreeMap::new(),
            undo: Vec::new(),
            changes: Vec::new(),
            conflicted: false,
        })
    }

    /// Whether a failure came of another transaction, so that beginning again makes sense.
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
    pub fn get_many(&mut self, keys: Vec<String>) -> Result<Vec<Option<String>>> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let result = self.inner.get_many(&keys);
        let mut values = self.noting_conflict(result)?;
        if values.len() != keys.len() {
            return Err(corrupt("get-many"));
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
        let written = self.writes.range(range.start.clone()..range.end.clone()).count();
        if written == 0 {
            let result = self.inner.scan(range);
            return self.noting_conflict(result);
        }
        // Every write in the range can hide one entry at the most, so that many more make up for them.
        let wanted = range.skip.saturating_add(range.limit);
        let stored = Range { skip: 0, limit: wanted.saturating_add(written as u32), ..range.clone() };
        let result = self.inner.scan(&stored);
        let mut merged: BTreeMap<String, String> =
            self.noting_conflict(result)?.into_iter().map(|entry| (entry.key, entry.value)).collect();
        let complete = merged.len() < stored.limit as usize;
        let last = if range.reverse { merged.keys().next() } else { merged.keys().next_back() }.cloned();
        for (key, value) in self.writes.range(range.start.clone()..range.end.clone()) {
            // Behind the last entry read there may be others that come before this write.
            let beyond = last.as_ref().is_some_and(|last| if range.reverse { key < last } else { key > last });
            if beyond && !complete {
                continue;
            }
            match value {
                Some(value) => {
                    let value = if range.keys_only { String::new() } else { value.clone() };
                    merged.insert(key.clone(), value);
                }
                None => {
                    merged.remove(key);
                }
            }
        }
        let entries = merged.into_iter().map(|(key, value)| Entry { key, value });
        let (skip, limit) = (range.skip as usize, range.limit as usize);
        Ok(if range.reverse {
            entries.rev().skip(skip).take(limit).collect()
        } else {
            entries.skip(skip).take(limit).collect()
        })
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

    /// Adds an entry to the change feed.
    pub fn record(&mut self, change: ChangeRecord) {
        self.changes.push(change);
    }

    /// Where the transaction is now.
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark { undo: self.undo.len(), changes: self.changes.len() }
    }

    /// Takes back all writes and changes since `mark`.
    pub fn undo_since(&mut self, mark: Mark) {
        for (key, before) in self.undo.drain(mark.undo..).rev() {
            match before {
                Some(before) => self.writes.insert(key, before),
                None => self.writes.remove(&key),
            };
        }
        self.changes.truncate(mark.changes);
    }

    /// Writes everything, the changes with their sequence numbers included, and ends. Nothing written is nothing to do.
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
            Some(text) => text.parse().map_err(|_| corrupt(keys::LAST_CHANGE_KEY))?,
            None => 0,
        };
        for change in core::mem::take(&mut self.changes) {
            last += 1;
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
