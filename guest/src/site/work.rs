//! A transaction on somebody's behalf: what the change feed says of every change.

use alloc::string::{String, ToString};

use crate::engine::Moment;
use crate::store::Transaction;
use crate::store::records::{ChangeRecord, Detail};

/// A transaction, who makes it, and when.
pub struct Work<'w> {
    /// The transaction.
    pub transaction: &'w mut Transaction,
    /// When.
    pub now: &'w Moment,
    /// Who, as the change feed names them.
    pub actor: &'w str,
    /// In which request.
    pub request: Option<&'w str>,
    /// The settings of the site as they are stored; none where they are the default.
    pub settings: Option<&'w str>,
}

impl Work<'_> {
    /// Adds an entry to the change feed.
    pub fn record(&mut self, kind: &str, detail: Detail) {
        self.transaction.record(ChangeRecord {
            at: self.now.milliseconds,
            actor: self.actor.to_string(),
            request: self.request.map(String::from),
            kind: kind.to_string(),
            detail,
        });
    }
}
