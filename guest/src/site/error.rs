//! Why a call about the site yielded nothing.

use alloc::string::String;

use crate::invalid::Invalid;
use crate::store;

/// Why a call yielded nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no such thing.
    #[error("{0}")]
    NotFound(String),
    /// A value cannot be taken. The text says which and why.
    #[error("{0}")]
    Invalid(String),
    /// A unique value is taken.
    #[error("{0}")]
    Taken(String),
    /// A directory manages it.
    #[error("{0}")]
    Managed(String),
    /// The state does not allow it.
    #[error("{0}")]
    Refused(String),
    /// The storage did not do its part.
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
