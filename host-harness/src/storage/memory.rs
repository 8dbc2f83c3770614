//! A storage that ends with the process.

use super::turns::{Turn, Turns};
use super::{Access, Change, Durability, Entry, Error, Range, Storage, Transaction, Writes};
use imbl::OrdMap;
use parking_lot::Mutex;
use std::ops::Bound;
use std::sync::Arc;

/// Keeps a site in memory, for tests and trials. About 150 bytes for each short entry.
///
/// The map is persistent in the functional sense: a snapshot costs two counters, and a write copies the few nodes on its
/// way that a snapshot has as well.
///
/// ```
/// use std::sync::Arc;
/// use usher_host::{Usher, storage::MemoryStorage};
///
/// let site = Usher::load()?.site(Arc::new(MemoryStorage::new()));
/// # Ok::<_, usher_host::LoadError>(())
/// ```
#[derive(Default)]
pub struct MemoryStorage {
    turns: Turns,
    latest: Arc<Mutex<Map>>,
}

/// Up to how many changes are made while readers wait: some tens of microseconds. More are made to a copy.
const IN_PLACE: usize = 256;

/// Both sides are shared, so that copying a node copies no text.
type Map = OrdMap<Arc<str>, Arc<str>>;

impl MemoryStorage {
    /// An empty storage.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Storage for MemoryStorage {
    fn begin(&self, access: Access) -> Result<Box<dyn Transaction>, Error> {
        let turn = match access {
            Access::ReadOnly => None,
            Access::ReadWrite => Some(self.turns.wait()),
        };
        let map = self.latest.lock().clone();
        Ok(Box::new(MemoryTransaction { map, writes: Writes::new(access), latest: self.latest.clone(), turn }))
    }
}

struct MemoryTransaction {
    map: Map,
    writes: Writes,
    latest: Arc<Mutex<Map>>,
    turn: Option<Turn>,
}

impl Transaction for MemoryTransaction {
    fn get_many(&mut self, keys: &[String]) -> Result<Vec<Option<String>>, Error> {
        self.writes.check_read()?;
        let get = |key: &String| self.map.get(key.as_str()).map(|value| String::from(&**value));
        Ok(keys.iter().map(get).collect())
    }

    fn scan(&mut self, range: &Range) -> Result<Vec<Entry>, Error> {
        self.writes.check_read()?;
        if range.start >= range.end {
            return Ok(Vec::new());
        }
        let entry = |(key, value): (&Arc<str>, &Arc<str>)| Entry {
            key: String::from(&**key),
            value: if range.keys_only { String::new() } else { String::from(&**value) },
        };
        let bounds = (Bound::Included(range.start.as_str()), Bound::Excluded(range.end.as_str()));
        let entries = self.map.range::<_, str>(bounds);
        let (skip, limit) = (range.skip as usize, range.limit as usize);
        Ok(if range.reverse {
            entries.rev().skip(skip).take(limit).map(entry).collect()
        } else {
            entries.skip(skip).take(limit).map(entry).collect()
        })
    }

    fn write(&mut self, changes: Vec<Change>) -> Result<(), Error> {
        self.writes.add(changes)
    }

    fn commit(self: Box<Self>) -> Result<Durability, Error> {
        let Self { map, writes, latest, turn } = *self;
        let changes = writes.finish()?;
        // This snapshot is the newest state, and what it shares with it would be copied.
        drop(map);
        if changes.len() <= IN_PLACE {
            apply(changes, &mut latest.lock());
        } else {
            let mut map = latest.lock().clone();
            apply(changes, &mut map);
            std::mem::swap(&mut *latest.lock(), &mut map);
        }
        drop(turn);
        Ok(Durability::done())
    }
}

fn apply(changes: Vec<Change>, map: &mut Map) {
    for Change { key, value } in changes {
        match value {
            Some(value) => map.insert(key.into(), value.into()),
            None => map.remove(key.as_str()),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Range {
        Range { start: "a".into(), end: "b".into(), reverse: false, skip: 0, limit: u32::MAX, keys_only: false }
    }

    /// Writes so many keys, all with this value.
    fn commit(storage: &MemoryStorage, keys: usize, value: &str) {
        let mut transaction = storage.begin(Access::ReadWrite).expect("a transaction");
        let change = |number| Change { key: format!("a{number}"), value: Some(value.into()) };
        transaction.write((0..keys).map(change).collect()).expect("written");
        transaction.commit().expect("committed").wait().expect("durable");
    }

    #[test]
    fn what_a_transaction_reads_stays_as_it_is_however_much_is_committed_meanwhile() {
        let storage = MemoryStorage::new();
        commit(&storage, IN_PLACE, "first");
        for keys in [1, IN_PLACE, IN_PLACE + 1] {
            let mut reader = storage.begin(Access::ReadOnly).expect("a transaction");
            let before = reader.scan(&all()).expect("read");
            commit(&storage, keys, &keys.to_string());
            assert_eq!(reader.scan(&all()).expect("read"), before, "{keys}");
            let after = storage.begin(Access::ReadOnly).and_then(|mut reader| reader.scan(&all())).expect("read");
            assert_eq!(after.iter().filter(|entry| entry.value == keys.to_string()).count(), keys);
        }
    }
}
