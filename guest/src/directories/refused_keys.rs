//! Requests that the host answered 401 because their key opens nothing here.

use alloc::string::ToString;

use super::activity::{RefusedKeys, load_status, put_status};
use super::error::{Error, Result};
use super::record::load;
use crate::engine::Engine;

impl Engine<'_> {
    /// Counts requests to a directory that were refused for their key: `count` of them since the last call, the last one
    /// at this time in milliseconds since the Unix epoch. `expired` says that the key has expired; otherwise it was a
    /// wrong one, or none. See [`RefusedKey`](crate::RefusedKey).
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Invalid`] if `count` is 0.
    pub fn note_refused_requests(&self, id: &str, expired: bool, count: u32, last: u64) -> Result<()> {
        if count == 0 {
            return Err(Error::Invalid("a series has a count".to_string()));
        }
        self.write(|transaction| {
            load(transaction, id)?;
            let mut status = load_status(transaction, id)?;
            let known = if expired { &mut status.expired_keys } else { &mut status.wrong_keys };
            let before = known.unwrap_or(RefusedKeys { count: 0, last });
            let count = before.count.saturating_add(u64::from(count));
            *known = Some(RefusedKeys { count, last: last.max(before.last) });
            put_status(transaction, id, &status);
            Ok(())
        })
    }
}
