//! The change feed (`wit/changes.wit`). Entries are numbered and written by the transaction when it
//! commits.
//!
//! ```
//! # mod host { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/host/provided.rs")); }
//! # use usher_engine::Engine;
//! # let (storage, environment) = (host::Memory::default(), host::System);
//! # let engine = Engine::new(&storage, &environment);
//! engine.connect("ada", &host::settings("Entra ID"))?;
//! let kinds: Vec<String> = engine.changes(0, 100)?.into_iter().map(|change| change.kind).collect();
//! assert_eq!(kinds, ["directory.connected", "key.issued"]);
//! // The next read begins after the last change that was seen.
//! assert!(engine.changes(2, 100)?.is_empty());
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

use alloc::string::String;
use alloc::vec::Vec;

use serde::Serialize;

use crate::engine::Engine;
use crate::invalid::Invalid;
use crate::json;
pub use crate::store::feed::ChangeKind;
use crate::store::feed::{ChangeRecord, Detail};
use crate::store::pages::check_limit;
use crate::store::records::{self, UnlinkedReason};
use crate::store::{self, keys, prefix_range};

/// Why a read failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A value cannot be accepted.
    #[error("{0}")]
    Invalid(String),
    /// The storage failed, or cannot do its part now.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl From<Invalid> for Error {
    fn from(Invalid(detail): Invalid) -> Self {
        Error::Invalid(detail)
    }
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its position in the feed, from 1.
    pub sequence: u64,
    /// When it was made, in milliseconds since the Unix epoch.
    pub at: u64,
    /// Who made it: `directory:{id}`, `admin:{name}` or `usher`.
    pub actor: String,
    /// The id of the request that made it, if it has one.
    pub request: Option<String>,
    /// What was done to what, such as `user.created`.
    pub kind: String,
    /// The details, a JSON object.
    pub detail: String,
}

impl Engine<'_> {
    /// The changes that follow position `after`, at most `limit` of them (1 to 1,000).
    ///
    /// # Errors
    /// [`Error::Invalid`] for a limit that is not 1 to 1,000.
    pub fn changes(&self, after: u64, limit: u32) -> Result<Vec<Change>, Error> {
        check_limit(limit)?;
        let Some(first) = after.checked_add(1) else { return Ok(Vec::new()) };
        self.read(|transaction| {
            let mut range = prefix_range("c/", limit);
            range.start = keys::change(first);
            let entries = transaction.scan(&range)?;
            let changes = entries.into_iter().map(|entry| {
                let sequence = keys::id_of(&entry.key).parse().map_err(|_| store::Error::corrupt(&entry.key))?;
                let record: ChangeRecord = records::read(&entry.key, &entry.value)?;
                Ok(Change {
                    sequence,
                    at: record.at,
                    actor: record.actor,
                    request: record.request,
                    kind: record.kind.into_owned(),
                    detail: describe(&record.detail),
                })
            });
            changes.collect()
        })
    }
}

/// The details of a change, as readers of the feed get them. The stored form may change without changing this one.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Details<'d> {
    #[serde(skip_serializing_if = "Option::is_none")]
    directory: Option<&'d str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'d str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'d str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<&'d str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer: Option<&'d str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    organization: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<u64>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    members: &'d [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    days: Option<u32>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    changed: &'d [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<&'d str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first: Option<&'d str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<&'d str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<&'d str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    values: Option<bool>,
}

fn describe(detail: &Detail) -> String {
    json::to_text(&Details {
        directory: detail.directory.as_deref(),
        key: detail.key.as_deref(),
        user: detail.user.as_deref(),
        group: detail.group.as_deref(),
        customer: detail.customer.as_deref(),
        organization: detail.organization,
        project: detail.project,
        members: &detail.members,
        days: detail.days,
        changed: &detail.changed,
        reason: detail.reason.map(|reason| match reason {
            UnlinkedReason::NoEmail => "noEmail",
            UnlinkedReason::Unlinked => "unlinked",
            UnlinkedReason::OutsideDomains => "outsideDomains",
        }),
        action: detail.action.as_deref(),
        count: detail.count,
        first: detail.first.as_deref(),
        last: detail.last.as_deref(),
        until: detail.until.as_deref(),
        values: detail.values,
    })
}
