//! The change feed.

use super::{Answer, Argument, Site};
use crate::runtime::changes::{Change, Error};

exports! {
    changes(Error) {
        /// The changes after position `after` (0 for all) in the feed, at most `limit` (1 to 1,000) of them.
        read changes(after: u64, limit: u32) -> Vec<Change> = call_read;
    }
}
