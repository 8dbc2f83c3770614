//! Why a call about directories yielded nothing.

use alloc::string::String;

use crate::invalid::Invalid;
use crate::site;
use crate::store;

/// Why a call yielded nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no such directory, or nothing such in it.
    #[error("{0}")]
    NotFound(String),
    /// A value cannot be taken. The text says which and why.
    #[error("{0}")]
    Invalid(String),
    /// The state does not allow it, such as a name that another directory has.
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
