//! The change feed.

use super::{Answer, Argument, Site};
use crate::runtime::changes::{Error, Filter, Part};

exports! {
    changes(Error) {
        /// Those of the changes after position `after` (0 for all) in the feed that fit the filter, at most `limit` (1 to
        /// 1,000) of them, and up to where the feed was looked at.
        read changes(after: u64, filter: Filter, limit: u32) -> Part = call_read;
    }
}

impl Filter {
    /// Every change.
    pub fn everything() -> Self {
        Self {
            kinds: Vec::new(),
            actor: None,
            directory: None,
            user: None,
            group: None,
            customer: None,
            organization: None,
            project: None,
        }
    }
}
