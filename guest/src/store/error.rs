//! Errors of reading and writing, in the store's own words: for the host's log.

use alloc::string::{String, ToString};

use super::keys;
use crate::storage;

/// Why the store did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Other transactions got in the way, again and again.
    #[error("the storage is busy: other transactions got in the way again and again")]
    Conflict,
    /// A key or value is longer than the storage takes.
    #[error("a key or value cannot be stored: {0}")]
    TooLarge(String),
    /// The storage cannot be reached now; trying again later may help.
    #[error("the storage is unavailable: {0}")]
    Unavailable(String),
    /// The storage failed in another way.
    #[error("the storage failed: {0}")]
    Failed(String),
    /// A stored value is not one that this program writes.
    #[error("the value stored under {key:?} cannot be read")]
    Corrupt {
        /// The key.
        key: String,
    },
    /// The storage is being brought to the layout of this version, and cannot be written meanwhile.
    #[error("the storage is being brought to the layout of this version; try again later")]
    Upgrading,
    /// Another version of the program wrote the storage.
    #[error(
        "the storage has layout {found:?}, this version knows {}: it was written by another version of the program",
        keys::SCHEMA
    )]
    Layout {
        /// The layout that the storage has.
        found: String,
    },
}

/// What the functions of the store return.
pub type Result<T, E = Error> = core::result::Result<T, E>;

impl Error {
    /// The error for a value that cannot be read.
    #[must_use]
    pub fn corrupt(key: &str) -> Self {
        Error::Corrupt { key: key.to_string() }
    }

    /// Whether trying again later may help.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Error::Conflict | Error::Unavailable(_) | Error::Upgrading)
    }
}

impl From<storage::Error> for Error {
    fn from(error: storage::Error) -> Self {
        match error {
            storage::Error::Conflict => Error::Conflict,
            storage::Error::TooLarge(reason) => Error::TooLarge(reason),
            storage::Error::Unavailable(reason) => Error::Unavailable(reason),
            storage::Error::Other(reason) => Error::Failed(reason),
        }
    }
}
