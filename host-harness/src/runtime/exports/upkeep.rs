//! Housekeeping.

use super::{Answer, Site};
use crate::runtime::upkeep;

impl Site {
    /// Whether the storage can be written.
    ///
    /// # Errors
    /// See [`Failure`](crate::Failure) and [`upkeep::Error`].
    pub async fn readiness(&self) -> Answer<upkeep::Readiness, upkeep::Error> {
        let call = self.read(move |component, store| {
            let upkeep = component.upkeep(store)?;
            upkeep.call_ready(store)
        });
        call.await
    }

    /// One step of housekeeping that removes at most about `budget` (1 to 10,000) entries. To be called after start-up,
    /// every minute or so, and again at once while there is more to do.
    ///
    /// # Errors
    /// See [`Failure`](crate::Failure) and [`upkeep::Error`].
    pub async fn upkeep(&self, budget: u32) -> Answer<upkeep::Progress, upkeep::Error> {
        let call = self.write(move |component, store| {
            let upkeep = component.upkeep(store)?;
            upkeep.call_step(store, budget)
        });
        call.await
    }
}
