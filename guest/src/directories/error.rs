//! Why a call about directories failed.

use alloc::string::String;

use crate::invalid::Invalid;
use crate::site;
use crate::store;

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no such directory, or it has no such key, group or conflict.
    #[error("{0}")]
    NotFound(String),
    /// A value cannot be accepted. The text says which and why.
    #[error("{0}")]
    Invalid(String),
    /// The present state does not allow it; another directory may have the name, for example.
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

impl From<site::Error> for Error {
    fn from(error: site::Error) -> Self {
        match error {
            site::Error::NotFound(detail) => Error::NotFound(detail),
            site::Error::Invalid(detail) => Error::Invalid(detail),
            site::Error::Taken(detail) | site::Error::Managed(detail) | site::Error::Refused(detail) => {
                Error::Refused(detail)
            }
            site::Error::Store(error) => Error::Store(error),
        }
    }
}

/// What functions about directories return.
pub type Result<T> = core::result::Result<T, Error>;
