//! The change feed.

use super::{Answer, Site};
use crate::runtime::changes;

impl Site {
    /// The changes behind position `after` (0 for all) in the feed, at most `limit` (1 to 1,000) of them.
    ///
    /// # Errors
    /// See [`Failure`](crate::Failure) and [`changes::Error`].
    pub async fn changes(&self, after: u64, limit: u32) -> Answer<Vec<changes::Change>, changes::Error> {
        let call = self.read(move |component, store| {
            let changes = component.changes(store)?;
            changes.call_read(store, after, limit)
        });
        call.await
    }
}
