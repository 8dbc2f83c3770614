//! Sign-ins of administrators that the host refused.

use alloc::string::ToString;

use super::error::{Error, Result};
use crate::engine::{Engine, time};
use crate::store::feed::{ChangeKind, Detail};
use crate::work::{USHER, Work};

impl Engine<'_> {
    /// Notes in the change feed that the host refused `count` keys of administrators, the first and the last at these
    /// times in milliseconds since the Unix epoch.
    ///
    /// # Errors
    /// [`Error::Invalid`] if `count` is 0, or the last came before the first.
    pub fn note_refused_keys(&self, count: u32, first: u64, last: u64) -> Result<()> {
        if count == 0 || first > last {
            return Err(Error::Invalid("a series has a count, a first and a last time".to_string()));
        }
        let now = self.now();
        self.write(|transaction| {
            let mut work = Work { transaction, now: &now, actor: USHER, request: None, settings: None };
            let series =
                Detail { count: Some(count), first: Some(time(first)), last: Some(time(last)), ..Detail::default() };
            work.record(ChangeKind::AdminKeyRefused, series);
            Ok(())
        })
    }
}
