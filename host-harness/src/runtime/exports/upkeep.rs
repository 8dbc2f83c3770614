//! Housekeeping.

use super::{Answer, Argument, Site};
use crate::runtime::upkeep::{Error, Progress, Readiness};

exports! {
    upkeep(Error) {
        /// Whether the storage can be written.
        read readiness() -> Readiness = call_ready;

        /// One step of housekeeping that removes at most about `budget` (1 to 10,000) entries. To be called after start-up,
        /// every minute or so, and again at once while there is more to do.
        write upkeep(budget: u32) -> Progress = call_step;
    }
}
