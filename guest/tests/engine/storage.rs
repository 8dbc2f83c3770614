//! A storage in memory that counts what is asked of it, checks that the contract is kept, and fails on demand.

use std::collections::BTreeMap;
use std::mem;
use std::sync::{Arc, Mutex};

use usher_engine::storage::{
    Access, Change, Entry, Error, MAX_KEY_BYTES, MAX_VALUE_BYTES, Range, Storage, Transaction,
};

type Map = BTreeMap<String, String>;

/// How many sequences of requests the model is compared with.
pub fn cases() -> u32 {
    1_000
}

/// What was asked of a storage.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Work {
    pub transactions: usize,
    pub gets: usize,
    pub keys: usize,
    pub scans: usize,
    pub entries: usize,
    /// What scans went past.
    pub skipped: usize,
    pub written: usize,
    pub commits: usize,
}

/// How a call goes wrong.
#[derive(Debug, Clone)]
pub enum Fault {
    /// It fails.
    Error(Error),
    /// Every value that it returns is this one.
    Value(&'static str),
    /// It returns an entry less, or a value less.
    Short,
    /// It returns its entries backwards.
    Backwards,
    /// The keys that it returns are all this one.
    Key(&'static str),
}

/// Which calls go wrong.
#[derive(Debug, Clone)]
pub struct Plan {
    /// How.
    pub fault: Fault,
    /// The first of them, counted from 0.
    pub from: usize,
    /// Whether all that follow go wrong too.
    pub lasting: bool,
}

#[derive(Debug, Default)]
struct State {
    map: Arc<Map>,
    work: Work,
    calls: usize,
    plan: Option<Plan>,
    met: bool,
}

/// The storage.
#[derive(Debug, Clone, Default)]
pub struct Memory(Arc<Mutex<State>>);

impl Memory {
    /// Everything in it.
    pub fn snapshot(&self) -> Arc<Map> {
        self.0.lock().unwrap().map.clone()
    }

    /// Puts everything back.
    pub fn restore(&self, map: &Arc<Map>) {
        self.0.lock().unwrap().map = map.clone();
    }

    /// What was asked of it since the last call.
    pub fn take_work(&self) -> Work {
        mem::take(&mut self.0.lock().unwrap().work)
    }

    /// Lets calls go wrong from now on.
    pub fn break_down(&self, plan: Plan) {
        let mut state = self.0.lock().unwrap();
        (state.plan, state.calls, state.met) = (Some(plan), 0, false);
    }

    /// Nothing goes wrong any more. Whether something did.
    pub fn repair(&self) -> bool {
        let mut state = self.0.lock().unwrap();
        state.plan = None;
        state.met
    }

    /// Counts a call and says how it goes wrong, where it does.
    fn call(&self, count: impl FnOnce(&mut Work)) -> Result<Option<Fault>, Error> {
        let mut state = self.0.lock().unwrap();
        count(&mut state.work);
        let at = state.calls;
        state.calls += 1;
        let fault = match &state.plan {
            Some(plan) if at == plan.from || plan.lasting && at > plan.from => plan.fault.clone(),
            _ => return Ok(None),
        };
        state.met = true;
        match fault {
            Fault::Error(error) => Err(error),
            other => Ok(Some(other)),
        }
    }
}

impl Storage for Memory {
    fn begin(&self, access: Access) -> Result<Box<dyn Transaction>, Error> {
        self.call(|work| work.transactions += 1)?;
        Ok(Box::new(Open { memory: self.clone(), map: self.snapshot(), writes: None, access }))
    }
}

struct Open {
    memory: Memory,
    map: Arc<Map>,
    writes: Option<Vec<Change>>,
    access: Access,
}

fn check_key(key: &str) {
    assert!(!key.is_empty() && key.len() <= MAX_KEY_BYTES && key.is_ascii(), "no key for a storage: {key:?}");
}

impl Transaction for Open {
    fn get_many(&mut self, keys: &[String]) -> Result<Vec<Option<String>>, Error> {
        assert!(self.writes.is_none(), "read after a write");
        for key in keys {
            check_key(key);
        }
        let fault = self.memory.call(|work| {
            work.gets += 1;
            work.keys += keys.len();
        })?;
        let mut values: Vec<Option<String>> = keys.iter().map(|key| self.map.get(key).cloned()).collect();
        match fault {
            Some(Fault::Value(text)) => values.iter_mut().flatten().for_each(|value| *value = text.to_string()),
            Some(Fault::Short) => drop(values.pop()),
            _ => {}
        }
        Ok(values)
    }

    fn scan(&mut self, range: &Range) -> Result<Vec<Entry>, Error> {
        assert!(self.writes.is_none(), "read after a write");
        assert!(range.start < range.end && range.limit > 0, "a needless scan: {range:?}");
        check_key(&range.start);
        check_key(&range.end);
        let all = self.map.range(range.start.clone()..range.end.clone());
        let entry = |(key, value): (&String, &String)| Entry {
            key: key.clone(),
            value: if range.keys_only { String::new() } else { value.clone() },
        };
        let (skip, limit) = (range.skip as usize, range.limit as usize);
        let skipped = all.clone().take(skip).count();
        let mut entries: Vec<Entry> = if range.reverse {
            all.rev().skip(skip).take(limit).map(entry).collect()
        } else {
            all.skip(skip).take(limit).map(entry).collect()
        };
        let fault = self.memory.call(|work| {
            work.scans += 1;
            work.entries += entries.len();
            work.skipped += skipped;
        })?;
        match fault {
            Some(Fault::Value(text)) => entries.iter_mut().for_each(|entry| entry.value = text.to_string()),
            Some(Fault::Key(text)) => entries.iter_mut().for_each(|entry| entry.key = text.to_string()),
            Some(Fault::Short) => drop(entries.pop()),
            Some(Fault::Backwards) => entries.reverse(),
            _ => {}
        }
        Ok(entries)
    }

    fn write(&mut self, changes: Vec<Change>) -> Result<(), Error> {
        assert_eq!(self.access, Access::ReadWrite);
        for change in &changes {
            check_key(&change.key);
            assert!(change.value.as_ref().is_none_or(|value| value.len() <= MAX_VALUE_BYTES));
        }
        self.memory.call(|work| work.written += changes.len())?;
        self.writes.get_or_insert_default().extend(changes);
        Ok(())
    }

    fn commit(self: Box<Self>) -> Result<(), Error> {
        self.memory.call(|work| work.commits += 1)?;
        let mut state = self.memory.0.lock().unwrap();
        let map = Arc::make_mut(&mut state.map);
        for Change { key, value } in self.writes.into_iter().flatten() {
            match value {
                Some(value) => map.insert(key, value),
                None => map.remove(&key),
            };
        }
        Ok(())
    }
}
