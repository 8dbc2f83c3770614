//! A transaction on somebody's behalf: what the change feed says of every change.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::engine::{Engine, Moment};
use crate::invalid::Invalid;
use crate::store::feed::{ChangeKind, ChangeRecord, Detail, ValueChange};
use crate::store::{self, Transaction, keys};

/// The longest name of an administrator that goes into the change feed, in bytes.
const MAX_ACTOR_BYTES: usize = 200;

/// How the change feed names the engine itself, when it does something on its own or notes what the host did.
pub const USHER: &str = "usher";

/// A transaction, with who makes it, and when.
pub struct Work<'w> {
    /// The transaction.
    pub transaction: &'w mut Transaction,
    /// When the changes are made.
    pub now: &'w Moment,
    /// Who makes the changes, as the change feed names them.
    pub actor: &'w str,
    /// The id of the request that makes them, if it has one.
    pub request: Option<&'w str>,
    /// The settings of the site as they are stored; `None` while they are the default.
    pub settings: Option<&'w str>,
}

impl Work<'_> {
    /// Adds an entry to the change feed.
    pub fn record(&mut self, kind: ChangeKind, detail: Detail) {
        self.record_values(kind, detail, Vec::new());
    }

    /// Adds an entry to the change feed, and to the history of the customer or organization what the site shows of it,
    /// before and after.
    pub fn record_values(&mut self, kind: ChangeKind, detail: Detail, values: Vec<ValueChange>) {
        self.transaction.record(ChangeRecord {
            at: self.now.milliseconds,
            actor: self.actor.to_string(),
            request: self.request.map(String::from),
            kind: kind.text().into(),
            detail,
            values,
        });
    }
}

impl Engine<'_> {
    /// Makes a change for an administrator, in one transaction.
    pub(crate) fn administer<T, E: From<store::Error> + From<Invalid>>(
        &self,
        actor: &str,
        change: impl FnMut(&mut Work<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        if actor.is_empty() || actor.len() > MAX_ACTOR_BYTES {
            return Err(Invalid(format!("the actor must be 1 to {MAX_ACTOR_BYTES} bytes long")).into());
        }
        self.change_as(&format!("admin:{actor}"), change)
    }

    /// Makes a change for somebody whom the change feed names like this, in one transaction.
    pub(crate) fn change_as<T, E: From<store::Error>>(
        &self,
        actor: &str,
        mut change: impl FnMut(&mut Work<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let now = self.now();
        self.write(|transaction| {
            let settings = transaction.get(keys::SITE_SETTINGS_KEY.to_string())?;
            change(&mut Work { transaction, now: &now, actor, request: None, settings: settings.as_deref() })
        })
    }
}
