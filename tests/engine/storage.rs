//! A storage of the host library, as the engine's tests take it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use usher_engine::storage::{Access, Change, Entry, Error, MAX_KEY_BYTES, Range, Storage, Transaction};
use usher_host::storage::NativeStorage;
use usher_tests::server;

type Map = BTreeMap<String, String>;

/// How many sequences of requests the model is compared with. `PROPTEST_CASES` says another number.
pub fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().map_or(30, |text| text.parse().expect("PROPTEST_CASES is a number"))
}

/// How many entries are read or written at once.
const AT_ONCE: u32 = 1_000;

/// How a call goes wrong.
#[derive(Debug, Clone)]
pub enum Fault {
    /// It fails.
    Error(Error),
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
struct Faults {
    plan: Option<Plan>,
    calls: usize,
    met: bool,
}

/// The storage.
#[derive(Clone)]
pub struct Memory {
    storage: NativeStorage,
    faults: Arc<Mutex<Faults>>,
}

impl Default for Memory {
    fn default() -> Self {
        Self { storage: NativeStorage::new(server::storage()), faults: Arc::default() }
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Memory").finish_non_exhaustive()
    }
}

impl Memory {
    /// Everything in it.
    pub fn snapshot(&self) -> Arc<Map> {
        let mut map = Map::new();
        let mut transaction = self.storage.begin(Access::ReadOnly).expect("a transaction begins");
        let mut start = "!".to_owned();
        loop {
            let end = "~".repeat(MAX_KEY_BYTES);
            let range = Range { start, end, limit: AT_ONCE, reverse: false, keys_only: false, skip: 0 };
            let entries = transaction.scan(&range).expect("a scan is answered");
            let (last, more) = (entries.last().map(|entry| entry.key.clone()), entries.len() == AT_ONCE as usize);
            map.extend(entries.into_iter().map(|Entry { key, value }| (key, value)));
            match last {
                Some(last) if more => start = last + "\0",
                _ => return Arc::new(map),
            }
        }
    }

    /// Puts everything back.
    pub fn restore(&self, map: &Arc<Map>) {
        let now = self.snapshot();
        let gone = now.keys().filter(|key| !map.contains_key(*key)).map(|key| Change { key: key.clone(), value: None });
        let put = map.iter().filter(|(key, value)| now.get(*key) != Some(value));
        let put = put.map(|(key, value)| Change { key: key.clone(), value: Some(value.clone()) });
        let changes: Vec<Change> = gone.chain(put).collect();
        for changes in changes.chunks(AT_ONCE as usize) {
            let mut transaction = self.storage.begin(Access::ReadWrite).expect("a transaction begins");
            transaction.write(changes.to_vec()).expect("changes are taken");
            transaction.commit().expect("changes are committed");
        }
    }

    /// Lets calls go wrong from now on.
    pub fn break_down(&self, plan: Plan) {
        *self.faults() = Faults { plan: Some(plan), ..Faults::default() };
    }

    /// Nothing goes wrong any more. Whether something did.
    pub fn repair(&self) -> bool {
        let mut faults = self.faults();
        faults.plan = None;
        faults.met
    }

    fn faults(&self) -> std::sync::MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a call, and fails where it is to.
    fn call(&self) -> Result<(), Error> {
        let mut faults = self.faults();
        let at = faults.calls;
        faults.calls += 1;
        match &faults.plan {
            Some(Plan { fault: Fault::Error(error), from, lasting }) if at == *from || *lasting && at > *from => {
                let error = error.clone();
                faults.met = true;
                Err(error)
            }
            _ => Ok(()),
        }
    }
}

impl Storage for Memory {
    fn begin(&self, access: Access) -> Result<Box<dyn Transaction>, Error> {
        self.call()?;
        Ok(Box::new(Open { memory: self.clone(), inner: self.storage.begin(access)? }))
    }
}

struct Open {
    memory: Memory,
    inner: Box<dyn Transaction>,
}

impl Transaction for Open {
    fn get_many(&mut self, keys: &[String]) -> Result<Vec<Option<String>>, Error> {
        self.memory.call()?;
        self.inner.get_many(keys)
    }

    fn scan(&mut self, range: &Range) -> Result<Vec<Entry>, Error> {
        self.memory.call()?;
        self.inner.scan(range)
    }

    fn write(&mut self, changes: Vec<Change>) -> Result<(), Error> {
        self.memory.call()?;
        self.inner.write(changes)
    }

    fn commit(self: Box<Self>) -> Result<(), Error> {
        self.memory.call()?;
        self.inner.commit()
    }
}
