//! How many ids are before a place in their order, so that a page by number is found without going through all that is
//! before it.
//!
//! The ids of the users of a directory, and those of its groups, fall into blocks: a block has the ids from its first
//! one on to the first one of the next. The first block begins before all ids, so that every id belongs to one. All but
//! the last block are closed, and each has a key with its count. The last one is open, and is noted in the counts of the
//! directory, which are written with every user or group anyway: nearly every new id is the greatest, and costs nothing
//! more. Another is counted in the closed block that it belongs to.
//!
//! Where blocks are divided follows from the ids that are there, so that they may come in any order.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::error::{Error, Result};
use super::keys::{self, Kind};
use super::pages::ENTRIES_AT_ONCE;
use super::records::OpenBlock;
use super::transaction::{Transaction, prefix_range};
use crate::storage::{Entry, Range};

/// How many ids are cut off as a block of their own. A page goes through some of one block, and through half of all
/// blocks: this keeps both few up to a million ids.
const BLOCK: u64 = 512;

/// How many a block has when it is cut. What is more than [`BLOCK`] stays in the open one, so that the ids of requests
/// that overtake each other still belong to it.
const FULL: u64 = BLOCK + BLOCK / 4;

/// How many blocks are read more than there would be if none had become smaller.
const SPARE_BLOCKS: u32 = 16;

/// Which ids are meant.
#[derive(Debug, Clone, Copy)]
pub struct Ids<'d> {
    /// Those of this directory.
    pub directory: &'d str,
    /// Of its users, or of its groups.
    pub kind: Kind,
}

impl Ids<'_> {
    /// Counts an id whose resource was stored; there are `total` with it.
    ///
    /// # Errors
    /// Where the storage fails.
    pub fn add(self, transaction: &mut Transaction, open: &mut OpenBlock, id: &str, total: u64) -> Result<()> {
        if id < open.from.as_str() {
            open.before = open.before.saturating_add(1);
            return self.add_to_closed(transaction, id);
        }
        if is_full(open, total) { self.close(transaction, open) } else { Ok(()) }
    }

    /// Counts an id fewer.
    ///
    /// # Errors
    /// Where the storage fails.
    pub fn remove(self, transaction: &mut Transaction, open: &mut OpenBlock, id: &str) -> Result<()> {
        if id >= open.from.as_str() {
            return Ok(());
        }
        open.before = open.before.saturating_sub(1);
        let mut found = self.closed(transaction, id, 2)?.into_iter();
        let (key, count) = found.next().ok_or_else(|| self.missing(id))?;
        let count = count.checked_sub(1).ok_or_else(|| Error::corrupt(&key))?;
        match found.next() {
            // Blocks that have become small are joined, or there would be ever more of them as users come and go.
            Some((previous, others)) if others.saturating_add(count) <= BLOCK => {
                transaction.delete(key);
                transaction.put(previous, others.saturating_add(count).to_string());
            }
            _ => transaction.put(key, count.to_string()),
        }
        Ok(())
    }

    /// Where the resource is that has `skip` others before it: an id to begin at, and how many to pass over from there.
    ///
    /// # Errors
    /// Where the storage fails.
    pub fn locate(self, transaction: &mut Transaction, open: &OpenBlock, skip: u64) -> Result<(String, u64)> {
        if skip < BLOCK {
            return Ok((String::new(), skip));
        }
        if skip >= open.before {
            return Ok((open.from.clone(), skip - open.before));
        }
        let reverse = skip > open.before / 2;
        // How many there still are from the end that is nearer.
        let mut left = if reverse { open.before - skip } else { skip };
        let mut range = Range { reverse, ..prefix_range(&self.kind.blocks(self.directory), 0) };
        loop {
            let expected = u32::try_from(left / BLOCK).unwrap_or(u32::MAX);
            range.limit = expected.saturating_add(SPARE_BLOCKS).min(ENTRIES_AT_ONCE);
            let page = transaction.scan(&range)?;
            for entry in &page {
                let count = count_of(entry)?;
                let id = || keys::id_of(&entry.key).to_string();
                match count.checked_sub(left) {
                    Some(rest) if reverse => return Ok((id(), rest)),
                    Some(1..) => return Ok((id(), left)),
                    _ => left -= count,
                }
            }
            match page.last() {
                None => return Err(self.missing("")),
                Some(last) if reverse => range.end.clone_from(&last.key),
                Some(last) => range.start = keys::next(&last.key),
            }
        }
    }

    /// Closes blocks that were never counted, as many of them as `entries` fill: of `total` ids, all that are not in
    /// closed blocks are in the open one.
    ///
    /// # Errors
    /// Where the storage fails.
    pub fn build(self, transaction: &mut Transaction, open: &mut OpenBlock, total: u64, entries: u64) -> Result<()> {
        for _ in 0..entries.div_ceil(BLOCK) {
            if is_full(open, total) {
                self.close(transaction, open)?;
            }
        }
        Ok(())
    }

    /// Closes the open block but for what is more than [`BLOCK`], which is the open one from now on.
    fn close(self, transaction: &mut Transaction, open: &mut OpenBlock) -> Result<()> {
        let next = self.cut(transaction, &open.from)?;
        let from = core::mem::replace(&mut open.from, next);
        open.before = open.before.saturating_add(BLOCK);
        transaction.put(self.kind.block(self.directory, &from), BLOCK.to_string());
        Ok(())
    }

    fn add_to_closed(self, transaction: &mut Transaction, id: &str) -> Result<()> {
        let (key, count) = self.closed(transaction, id, 1)?.pop().ok_or_else(|| self.missing(id))?;
        let count = count.saturating_add(1);
        if count < FULL {
            transaction.put(key, count.to_string());
            return Ok(());
        }
        let next = self.cut(transaction, keys::id_of(&key))?;
        transaction.put(key, BLOCK.to_string());
        transaction.put(self.kind.block(self.directory, &next), (count - BLOCK).to_string());
        Ok(())
    }

    /// The closed block that an id belongs to, and the ones before it.
    fn closed(self, transaction: &mut Transaction, id: &str, limit: u32) -> Result<Vec<(String, u64)>> {
        let range = Range {
            end: keys::next(&self.kind.block(self.directory, id)),
            reverse: true,
            ..prefix_range(&self.kind.blocks(self.directory), limit)
        };
        let entries = transaction.scan(&range)?.into_iter();
        entries.map(|entry| count_of(&entry).map(|count| (entry.key, count))).collect()
    }

    /// The first id after the first [`BLOCK`] of the block that begins here.
    fn cut(self, transaction: &mut Transaction, from: &str) -> Result<String> {
        let range = Range {
            start: self.kind.resource(self.directory, from),
            skip: u32::try_from(BLOCK).unwrap_or(u32::MAX),
            keys_only: true,
            ..prefix_range(&self.kind.resources(self.directory), 1)
        };
        let next = transaction.scan(&range)?.pop().ok_or_else(|| self.missing(from))?;
        Ok(keys::id_of(&next.key).to_string())
    }

    fn missing(self, id: &str) -> Error {
        Error::corrupt(&self.kind.block(self.directory, id))
    }
}

/// Whether the open block has so many that it is cut.
fn is_full(open: &OpenBlock, total: u64) -> bool {
    total.saturating_sub(open.before) >= FULL
}

fn count_of(block: &Entry) -> Result<u64> {
    block.value.parse().map_err(|_| Error::corrupt(&block.key))
}
