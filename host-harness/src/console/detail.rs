//! The details of a change, as the feed tells them.

use crate::runtime::changes::Change;
use serde::Deserialize;

/// What a change is about; which of it is there depends on the kind.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Detail {
    pub(super) directory: Option<String>,
    pub(super) user: Option<String>,
    pub(super) group: Option<String>,
    pub(super) customer: Option<String>,
    pub(super) organization: Option<u64>,
    pub(super) project: Option<u64>,
    pub(super) members: Vec<String>,
    pub(super) days: Option<u32>,
    pub(super) changed: Vec<String>,
    pub(super) reason: Option<String>,
    pub(super) action: Option<String>,
    pub(super) count: Option<u32>,
    pub(super) values: Option<bool>,
}

impl Detail {
    /// That of a change. A later version of the component may tell of something else: then there is less to show.
    pub(super) fn of(change: &Change) -> Self {
        serde_json::from_str(&change.detail).unwrap_or_default()
    }

    /// The directory to which a user or group belongs: of a change that an identity provider made, its own.
    pub(super) fn home<'a>(&'a self, change: &'a Change) -> Option<&'a str> {
        self.directory.as_deref().or_else(|| change.actor.strip_prefix("directory:"))
    }
}
