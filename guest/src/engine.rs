//! The engine: what a host embeds. It holds no state; everything is in the storage.

use alloc::string::String;

use jiff::Timestamp;

use crate::storage::{Access, Storage};
use crate::store::{Error, Result, Transaction, keys, plan};

/// How often a transaction is begun again after a conflict before the client is told to come back. With storages that
/// let writers wait there is never a conflict; with optimistic ones eight tries are enough for all but a storm.
const MAX_ATTEMPTS: u32 = 8;

/// The latest time that is believed, in milliseconds since the Unix epoch: the end of the year 2499. A clock that shows
/// a later time is wrong, and times computed from it would not fit into ids, keys and dates.
const LATEST_MS: u64 = 16_725_225_599_999;

/// The milliseconds of a minute.
pub(crate) const MINUTE_MS: u64 = 60 * 1_000;

/// The milliseconds of an hour.
pub(crate) const HOUR_MS: u64 = 60 * MINUTE_MS;

/// The milliseconds of a day.
pub(crate) const DAY_MS: u64 = 24 * HOUR_MS;

/// What the engine needs from its host besides storage.
pub trait Environment {
    /// The time in milliseconds since the Unix epoch; 0 if the clock shows an earlier time.
    fn now(&self) -> u64;

    /// Fills `bytes` with cryptographically secure random data.
    fn random(&self, bytes: &mut [u8]);
}

/// The engine over a storage and an environment.
#[derive(Clone, Copy)]
pub struct Engine<'h> {
    storage: &'h dyn Storage,
    environment: &'h dyn Environment,
}

/// One moment, as number and as text.
#[derive(Debug, Clone)]
pub struct Moment {
    /// Milliseconds since the Unix epoch.
    pub milliseconds: u64,
    /// RFC 3339 in UTC with milliseconds, as SCIM's `dateTime` (RFC 7643, section 2.3.5).
    pub text: String,
}

impl<'h> Engine<'h> {
    /// An engine that works on this storage.
    #[must_use]
    pub fn new(storage: &'h dyn Storage, environment: &'h dyn Environment) -> Self {
        Engine { storage, environment }
    }

    /// Runs `work` in a transaction that only reads.
    pub(crate) fn read<T, E: From<Error>>(&self, work: impl FnOnce(&mut Transaction) -> Result<T, E>) -> Result<T, E> {
        work(&mut Transaction::begin(self.storage, Access::ReadOnly)?)
    }

    /// Runs `work` in a transaction and commits it. A conflict with another transaction is no failure: `work` runs
    /// again on the newer state, up to [`MAX_ATTEMPTS`] times in all.
    pub(crate) fn write<T, E: From<Error>>(
        &self,
        mut work: impl FnMut(&mut Transaction) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut attempt = 1;
        loop {
            let mut transaction = Transaction::begin(self.storage, Access::ReadWrite)?;
            // What staged directories plan is to fit what the work has done.
            let done = work(&mut transaction).and_then(|result| {
                plan::reconsider(&mut transaction, self.environment.now())?;
                Ok(result)
            });
            let (error, conflicted) = match done {
                Ok(result) => match transaction.commit() {
                    Ok(()) => return Ok(result),
                    Err((error, conflicted)) => (error.into(), conflicted),
                },
                Err(error) => {
                    let conflicted = transaction.is_conflicted();
                    (error, conflicted)
                }
            };
            if !conflicted || attempt == MAX_ATTEMPTS {
                return Err(error);
            }
            attempt += 1;
        }
    }

    /// Runs `work` once in a transaction and commits it, whatever layout the storage has. For bringing it to this one.
    pub(crate) fn write_any_layout<T, E: From<Error>>(
        &self,
        work: impl FnOnce(&mut Transaction) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut transaction = Transaction::begin_any_layout(self.storage, Access::ReadWrite)?;
        let done = work(&mut transaction)?;
        transaction.commit().map_err(|(error, _)| error)?;
        Ok(done)
    }

    /// The current time.
    pub(crate) fn now(&self) -> Moment {
        let milliseconds = self.environment.now().min(LATEST_MS);
        Moment { milliseconds, text: time(milliseconds) }
    }

    /// A new id.
    pub(crate) fn new_id(&self, now: &Moment) -> String {
        let mut random = [0; 8];
        self.environment.random(&mut random);
        keys::new_id(now.milliseconds, u64::from_le_bytes(random))
    }

    /// Random bytes.
    pub(crate) fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.environment.random(&mut bytes);
        bytes
    }
}

/// A time in milliseconds since the Unix epoch, as [`Moment::text`].
pub(crate) fn time(milliseconds: u64) -> String {
    let timestamp = i64::try_from(milliseconds).ok().and_then(|now| Timestamp::from_millisecond(now).ok());
    alloc::format!("{:.3}", timestamp.unwrap_or(Timestamp::MAX))
}
