//! A back end for the engine that is compiled into the same program.

use super::{Access, Change, Entry, Error, Range, Storage, Transaction};
use std::sync::Arc;
use usher_engine::storage as engine;

/// A back end as the engine takes it that is compiled into the same program, for tests and for measuring the engine without
/// WebAssembly. Its commits return when the writes are durable.
///
/// ```
/// use std::sync::Arc;
/// use usher_engine::storage::{Access, Storage};
/// use usher_host::storage::{MemoryStorage, NativeStorage};
///
/// let storage = NativeStorage::new(Arc::new(MemoryStorage::new()));
/// let transaction = storage.begin(Access::ReadOnly)?;
/// # Ok::<_, usher_host::storage::Error>(())
/// ```
#[derive(Clone)]
pub struct NativeStorage(Arc<dyn Storage>);

impl NativeStorage {
    /// The back end `storage`, for the engine.
    pub fn new(storage: Arc<dyn Storage>) -> Self {
        Self(storage)
    }
}

impl engine::Storage for NativeStorage {
    fn begin(&self, access: Access) -> Result<Box<dyn engine::Transaction>, Error> {
        Ok(Box::new(NativeTransaction(self.0.begin(access)?)))
    }
}

struct NativeTransaction(Box<dyn Transaction>);

impl engine::Transaction for NativeTransaction {
    fn get_many(&mut self, keys: &[String]) -> Result<Vec<Option<String>>, Error> {
        self.0.get_many(keys)
    }

    fn scan(&mut self, range: &Range) -> Result<Vec<Entry>, Error> {
        self.0.scan(range)
    }

    fn write(&mut self, changes: Vec<Change>) -> Result<(), Error> {
        self.0.write(changes)
    }

    fn commit(self: Box<Self>) -> Result<(), Error> {
        self.0.commit()?.wait()
    }
}
