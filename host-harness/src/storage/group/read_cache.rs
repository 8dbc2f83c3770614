//! What was read lately, kept in memory: an answer from the engine takes some 10 µs, be it from its own caches.
//!
//! A key is known with its newest value and the number of a state in which it had that value already. States of the disk are
//! numbered in the order of their commits, so that a reader of this state or a later one can take the value, and any other
//! asks the disk.

use super::disk::Changes;
use parking_lot::RwLock;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use std::sync::Arc;

/// What an entry takes besides its key and its value, about.
const OVERHEAD_BYTES: u64 = 96;

/// What an entry takes on average, about: for the sizes of the cache's own tables.
const USUAL_BYTES: u64 = 384;

/// The values of keys that were read lately, and the keys among them that are not there.
pub(super) struct ReadCache {
    entries: Cache<Box<str>, Known, Bytes>,
    /// The number of the newest state. Whoever puts in what it has read of that state holds this shared meanwhile; so nobody
    /// is about to put in what is outdated once the number has changed.
    newest: RwLock<u64>,
}

/// The newest value of a key; `None` if it is not there.
#[derive(Clone)]
struct Known {
    /// A state in which it has this value, as it has in all that came after it.
    since: u64,
    value: Option<Arc<str>>,
}

/// Weighs entries in bytes.
#[derive(Clone)]
struct Bytes;

impl Weighter<Box<str>, Known> for Bytes {
    fn weight(&self, key: &Box<str>, known: &Known) -> u64 {
        let value = known.value.as_ref().map_or(0, |value| value.len());
        (key.len() + value) as u64 + OVERHEAD_BYTES
    }
}

impl ReadCache {
    /// One that takes about so many bytes of memory, in front of a disk whose state has the number 0.
    pub(super) fn new(bytes: u64) -> Self {
        let items = usize::try_from(bytes / USUAL_BYTES).unwrap_or(usize::MAX);
        Self { entries: Cache::with_weighter(items, bytes, Bytes), newest: RwLock::new(0) }
    }

    /// The value of a key in the state with this number, `None` inside if it is not there; `None` where that is not known.
    pub(super) fn get(&self, key: &str, state: u64) -> Option<Option<String>> {
        let Known { since, value } = self.entries.get(key)?;
        (since <= state).then(|| value.as_deref().map(String::from))
    }

    /// Keeps what was read from the disk in the state with this number.
    pub(super) fn keep<'a>(&self, state: u64, read: impl Iterator<Item = (&'a str, Option<&'a str>)>) {
        let newest = self.newest.read();
        if *newest == state {
            for (key, value) in read {
                self.entries.insert(key.into(), Known { since: state, value: value.map(Arc::from) });
            }
        }
    }

    /// To be called before anybody can read the state with this number, which differs from the one before by these changes.
    /// Only what was asked for before is kept: most of what is written is not read again soon.
    pub(super) fn advance(&self, state: u64, changes: &Changes) {
        *self.newest.write() = state;
        for (key, value) in changes {
            if self.entries.contains_key(key.as_str()) {
                let known = Known { since: state, value: value.as_deref().map(Arc::from) };
                if self.entries.replace(key.as_str().into(), known, true).is_err() {
                    self.entries.remove(key.as_str());
                }
            }
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&self) {
        self.entries.clear();
    }
}
