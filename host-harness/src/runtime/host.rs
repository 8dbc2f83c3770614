//! The component's imports: the storage, the clock and random numbers. Nothing else can be reached from inside.

use super::bindings::usher::provisioning::storage as wit;
use super::bindings::wasi::clocks::wall_clock;
use super::bindings::wasi::random::random;
use super::failure::{HeldLimit, MemoryLimit, WantsToWrite};
use super::lanes::WriteLock;
use super::limits::Limits;
use super::open::Open;
use super::outcome::StorageUse;
use crate::storage::{Access, Change, Entry, Error, Range, Storage};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use wasmtime::component::{Resource, ResourceTable};

/// How many entries are taken from a back end at a time, so that a scan without a reasonable limit meets
/// [`Limits::held`] before it has filled the host's memory.
const SCAN_CHUNK: u32 = 4_096;

/// The most random bytes that are handed out at a time. The engine asks for 32.
const MAX_RANDOM_BYTES: usize = 64 << 10;

/// What one instance works with.
pub(super) struct Host {
    storage: Arc<dyn Storage>,
    limits: Arc<Limits>,
    /// Whether the call was said to write when it was scheduled.
    access: Access,
    write_lock: WriteLock,
    table: ResourceTable,
    open: usize,
    /// Bytes written in all transactions that are open.
    pending: usize,
    pub(super) storage_use: StorageUse,
}

impl Host {
    pub(super) fn new(storage: Arc<dyn Storage>, limits: Arc<Limits>, access: Access, write_lock: WriteLock) -> Self {
        let (table, storage_use) = (ResourceTable::new(), StorageUse::default());
        Self { storage, limits, access, write_lock, table, open: 0, pending: 0, storage_use }
    }

    fn remove(&mut self, this: Resource<Open>) -> wasmtime::Result<Open> {
        let open = self.table.delete(this)?;
        self.open -= 1;
        self.pending -= open.written;
        Ok(open)
    }
}

impl wit::Host for Host {
    fn begin(&mut self, access: wit::Access) -> wasmtime::Result<Result<Resource<Open>, wit::Error>> {
        if self.open >= self.limits.transactions {
            return Err(HeldLimit("too many open transactions").into());
        }
        let access = match access {
            wit::Access::ReadOnly => Access::ReadOnly,
            wit::Access::ReadWrite => Access::ReadWrite,
        };
        // Where only calls that read are made, no call may wait for its turn to write.
        if access != self.access && access == Access::ReadWrite && self.storage_use.durabilities.is_empty() {
            return Err(WantsToWrite.into());
        }
        if access == Access::ReadWrite {
            self.storage_use.writing = true;
            self.write_lock.wait();
        }
        match self.storage.begin(access) {
            Ok(transaction) => {
                let open = self.table.push(Open { transaction, written: 0 })?;
                self.open += 1;
                Ok(Ok(open))
            }
            Err(error) => Ok(Err(error.into())),
        }
    }
}

impl wit::HostTransaction for Host {
    fn get_many(
        &mut self,
        this: Resource<Open>,
        keys: Vec<String>,
    ) -> wasmtime::Result<Result<Vec<Option<String>>, wit::Error>> {
        let open = self.table.get_mut(&this)?;
        Ok(open.transaction.get_many(&keys).map_err(Into::into))
    }

    fn scan(
        &mut self,
        this: Resource<Open>,
        range: wit::Range,
    ) -> wasmtime::Result<Result<Vec<wit::Entry>, wit::Error>> {
        let transaction = &mut self.table.get_mut(&this)?.transaction;
        let mut range = Range {
            start: range.start,
            end: range.end,
            reverse: range.reverse,
            skip: range.skip,
            limit: range.limit,
            keys_only: range.keys_only,
        };
        if range.limit <= SCAN_CHUNK {
            return Ok(transaction.scan(&range).map(to_wit).map_err(Into::into));
        }
        let wanted = range.limit;
        let (mut entries, mut held) = (Vec::new(), 0);
        loop {
            let has = u32::try_from(entries.len()).unwrap_or(wanted);
            range.limit = SCAN_CHUNK.min(wanted.saturating_sub(has));
            let chunk = match transaction.scan(&range) {
                Ok(chunk) => chunk,
                Err(error) => return Ok(Err(error.into())),
            };
            let full = chunk.len() == range.limit as usize;
            held += chunk.iter().map(size).sum::<usize>();
            if held > self.limits.held {
                return Err(HeldLimit("too much read at once").into());
            }
            entries.extend(to_wit(chunk));
            let Some(last) = entries.last().filter(|_| full && entries.len() < wanted as usize) else {
                return Ok(Ok(entries));
            };
            range.skip = 0;
            if range.reverse {
                range.end.clone_from(&last.key);
            } else {
                range.start.clone_from(&last.key);
                range.start.push('\0');
            }
        }
    }

    fn write(&mut self, this: Resource<Open>, changes: Vec<wit::Change>) -> wasmtime::Result<Result<(), wit::Error>> {
        let open = self.table.get_mut(&this)?;
        let bytes =
            changes.iter().map(|change| change.key.len() + change.value.as_ref().map_or(0, String::len)).sum::<usize>();
        if self.pending + bytes > self.limits.held {
            return Err(HeldLimit("too much written before a commit").into());
        }
        open.written += bytes;
        self.pending += bytes;
        let changes = changes.into_iter().map(|change| Change { key: change.key, value: change.value }).collect();
        Ok(open.transaction.write(changes).map_err(Into::into))
    }

    fn commit(&mut self, this: Resource<Open>) -> wasmtime::Result<Result<(), wit::Error>> {
        let open = self.remove(this)?;
        Ok(match open.transaction.commit() {
            Ok(durability) => {
                self.storage_use.durabilities.push(durability);
                self.storage_use.committed += open.written;
                Ok(())
            }
            Err(error) => Err(error.into()),
        })
    }

    fn drop(&mut self, this: Resource<Open>) -> wasmtime::Result<()> {
        self.remove(this).map(drop)
    }
}

impl wall_clock::Host for Host {
    fn now(&mut self) -> wasmtime::Result<wall_clock::Datetime> {
        // The contract has no time before 1970. A clock that shows one is out of order, and calls go on nevertheless.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok(wall_clock::Datetime { seconds: now.as_secs(), nanoseconds: now.subsec_nanos() })
    }

    fn resolution(&mut self) -> wasmtime::Result<wall_clock::Datetime> {
        Ok(wall_clock::Datetime { seconds: 0, nanoseconds: 1 })
    }
}

impl random::Host for Host {
    fn get_random_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        let len = usize::try_from(len).ok().filter(|len| *len <= MAX_RANDOM_BYTES);
        let mut bytes = vec![0; len.ok_or(HeldLimit("too many random bytes at once"))?];
        getrandom::fill(&mut bytes).map_err(wasmtime::Error::new)?;
        Ok(bytes)
    }

    fn get_random_u64(&mut self) -> wasmtime::Result<u64> {
        getrandom::u64().map_err(wasmtime::Error::new)
    }
}

impl wasmtime::ResourceLimiter for Host {
    fn memory_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let limit = self.limits.memory;
        if desired > limit.next_multiple_of(64 << 10) {
            return Err(MemoryLimit { limit }.into());
        }
        Ok(true)
    }

    fn table_growing(&mut self, _current: usize, _desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(true)
    }
}

impl From<Error> for wit::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Conflict => Self::Conflict,
            Error::TooLarge(text) => Self::TooLarge(text),
            Error::Unavailable(text) => Self::Unavailable(text),
            Error::Other(text) => Self::Other(text),
        }
    }
}

/// The two types are laid out alike, so that the list is converted where it lies.
fn to_wit(entries: Vec<Entry>) -> Vec<wit::Entry> {
    entries.into_iter().map(|entry| wit::Entry { key: entry.key, value: entry.value }).collect()
}

fn size(entry: &Entry) -> usize {
    entry.key.len() + entry.value.len()
}
