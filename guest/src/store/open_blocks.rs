//! The last blocks of ids of a directory, as they stand in its counts; see [`super::blocks`].

use alloc::string::String;

use serde::{Deserialize, Serialize};

use super::keys::Kind;

/// The open blocks of a directory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OpenBlocks {
    /// That of its users.
    #[serde(skip_serializing_if = "OpenBlock::is_only")]
    pub users: OpenBlock,
    /// That of its groups.
    #[serde(skip_serializing_if = "OpenBlock::is_only")]
    pub groups: OpenBlock,
}

/// The last block of a kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenBlock {
    /// The first id that it may have; empty while it is the only block, which may have any.
    pub from: String,
    /// How many ids are before it, in closed blocks. How many it has itself follows from the count of all.
    pub before: u64,
}

impl OpenBlocks {
    /// Whether nothing has been cut off yet.
    #[must_use]
    pub fn are_only(&self) -> bool {
        self.users.is_only() && self.groups.is_only()
    }

    /// The one of a kind.
    #[must_use]
    pub fn of(&self, kind: Kind) -> &OpenBlock {
        match kind {
            Kind::User => &self.users,
            Kind::Group => &self.groups,
        }
    }
}

impl OpenBlock {
    fn is_only(&self) -> bool {
        self.from.is_empty()
    }
}
