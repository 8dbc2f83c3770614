//! Why a call about the site failed.

use alloc::string::String;

use crate::invalid::Invalid;
use crate::store;

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no such customer, organization, project or directory.
    #[error("{0}")]
    NotFound(String),
    /// A value cannot be accepted. The text says which and why.
    #[error("{0}")]
    Invalid(String),
    /// A value that must be unique is taken.
    #[error("{0}")]
    Taken(String),
    /// A directory manages it.
    #[error("{0}")]
    Managed(String),
    /// The present state does not allow it.
    #[error("{0}")]
    Refused(String),
    /// The storage failed, or cannot do its part now.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl From<Invalid> for Error {
    fn from(Invalid(detail): Invalid) -> Self {
        Error::Invalid(detail)
    }
}

/// What the functions of the site return.
pub type Result<T> = core::result::Result<T, Error>;
