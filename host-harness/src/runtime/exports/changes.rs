//! The change feed.

use super::{Answer, Argument, Site};
use crate::runtime::changes::{Error, Filter, Name, Part, Subject};

exports! {
    changes(Error) {
        /// Those of the changes after position `after` (0 for all) in the feed that fit the filter, at most `limit` (1 to
        /// 1,000) of them, and up to where the feed was looked at.
        read changes(after: u64, filter: Filter, limit: u32) -> Part = call_read;

        /// Those of the changes before position `before`, or of all, that fit the filter, newest first, at most `limit` (1 to
        /// 1,000) of them, and down to where the feed was looked at.
        read changes_back(before: Option<u64>, filter: Filter, limit: u32) -> Part = call_read_back;

        /// The position of the last change that was made before a time; 0 if there is none.
        read changes_before_time(time: u64) -> u64 = call_before_time;

        /// What these are called now, in the same order: at most 1,000. `None` for what there is not.
        read names(subjects: Vec<Subject>) -> Vec<Option<Name>> = call_names;
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
