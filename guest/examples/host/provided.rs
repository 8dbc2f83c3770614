// What a host provides. The examples in the engine's docs include this file.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use usher_engine::directories::{
    ConflictPolicy, EmailChange, EmailPresence, Mode, OutsideDomains, Settings, UnknownMembers,
};
use usher_engine::storage::{Access, Change, Entry, Error, Range, Storage, Transaction};
use usher_engine::{Engine, Environment, Request};

/// A storage in memory. Every transaction sees what was there when it began; of two that write at once, the second to
/// commit is refused, and the engine begins it again.
#[derive(Clone, Default)]
pub struct Memory(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    map: Arc<BTreeMap<String, String>>,
    commits: u64,
}

impl Storage for Memory {
    fn begin(&self, access: Access) -> Result<Box<dyn Transaction>, Error> {
        let state = self.0.lock().map_err(|_| Error::Other("a writer panicked".into()))?;
        let (map, commits, storage) = (state.map.clone(), state.commits, self.clone());
        Ok(Box::new(MemoryTransaction { storage, map, commits, access, changes: Vec::new() }))
    }
}

struct MemoryTransaction {
    storage: Memory,
    map: Arc<BTreeMap<String, String>>,
    commits: u64,
    access: Access,
    changes: Vec<Change>,
}

impl Transaction for MemoryTransaction {
    fn get_many(&mut self, keys: &[String]) -> Result<Vec<Option<String>>, Error> {
        Ok(keys.iter().map(|key| self.map.get(key).cloned()).collect())
    }

    fn scan(&mut self, range: &Range) -> Result<Vec<Entry>, Error> {
        let bounds = (Bound::Included(range.start.as_str()), Bound::Excluded(range.end.as_str()));
        let entry = |(key, value): (&String, &String)| Entry {
            key: key.clone(),
            value: if range.keys_only { String::new() } else { value.clone() },
        };
        let (skip, limit) = (range.skip as usize, range.limit as usize);
        let found = self.map.range::<str, _>(bounds);
        Ok(if range.reverse {
            found.rev().skip(skip).take(limit).map(entry).collect()
        } else {
            found.skip(skip).take(limit).map(entry).collect()
        })
    }

    fn write(&mut self, changes: Vec<Change>) -> Result<(), Error> {
        if self.access == Access::ReadOnly {
            return Err(Error::Other("the transaction only reads".into()));
        }
        self.changes.extend(changes);
        Ok(())
    }

    fn commit(self: Box<Self>) -> Result<(), Error> {
        let mut state = self.storage.0.lock().map_err(|_| Error::Other("a writer panicked".into()))?;
        if self.changes.is_empty() {
            return Ok(());
        }
        if state.commits != self.commits {
            return Err(Error::Conflict);
        }
        // The transaction's own view would have the map copied.
        drop(self.map);
        let map = Arc::make_mut(&mut state.map);
        for Change { key, value } in self.changes {
            match value {
                Some(value) => drop(map.insert(key, value)),
                None => drop(map.remove(&key)),
            }
        }
        state.commits += 1;
        Ok(())
    }
}

/// The system's clock and its random numbers.
pub struct System;

impl Environment for System {
    fn now(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    fn random(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the system has random numbers");
    }
}

/// Settings of a directory, such as an administrator would choose.
pub fn settings(name: &str) -> Settings {
    Settings {
        name: name.into(),
        email_change: EmailChange::Follow,
        email: EmailPresence::Optional,
        unknown_members: UnknownMembers::Refuse,
        conflict_policy: ConflictPolicy::Sync,
        adoption_grace_seconds: 86_400,
        deletion_limit: Some(50),
        mode: Mode::Live,
        domains: Vec::new(),
        outside_domains: OutsideDomains::Unlinked,
        project_rules: Vec::new(),
        membership_resources: false,
        silent_after: 3,
    }
}

/// Sends a request as an identity provider does. The body of the response, where there is one.
pub fn send(engine: &Engine<'_>, key: &str, method: &str, path: &str, body: Option<&str>) -> (u16, String) {
    let response = engine.handle(&Request {
        method: method.into(),
        origin: "https://usher.example.com".into(),
        path: path.into(),
        query: None,
        headers: vec![("authorization".into(), format!("Bearer {key}"))],
        body: body.map(Into::into),
    });
    (response.status, response.body.unwrap_or_default())
}
