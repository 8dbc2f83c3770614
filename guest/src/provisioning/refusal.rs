//! Refusals of the site and the store as SCIM errors: a status, and a sentence for the client.
//!
//! The store's own words may name keys, hosts and paths. They are for the host's log, and never for the client.

use alloc::format;
use alloc::string::ToString;

use crate::language::error::{Error, Status};
use crate::site;
use crate::store;

/// After how many seconds a client whose deletions are held may ask again.
const HELD_RETRY_SECONDS: u32 = 3_600;

/// After how many seconds a client may ask again while the storage is brought to another layout.
const UPGRADE_RETRY_SECONDS: u32 = 10;

/// 503: deletions are held until an administrator lets them through.
#[must_use]
pub fn held(limit: u32) -> Error {
    let detail = format!(
        "deletions and deactivations are held: more than {limit} came within an hour; an administrator of the \
         service desk must let them through"
    );
    Error { retry_after: HELD_RETRY_SECONDS, ..Error::new(Status::Unavailable, detail) }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        // A conflict comes from many writers at once, and an upgrade reports its own progress: neither is a failure.
        let is_failure = !matches!(error, store::Error::Conflict | store::Error::Upgrading);
        let inside = is_failure.then(|| error.to_string());
        let refusal = match error {
            store::Error::TooLarge(_) => Error::new(Status::PayloadTooLarge, "the resource is too large to be stored"),
            store::Error::Conflict | store::Error::Unavailable(_) => {
                Error::new(Status::Unavailable, "the storage is busy or out of reach; try again later")
            }
            store::Error::Failed(_) => Error::new(Status::Internal, "the storage failed"),
            store::Error::Corrupt { key } => {
                let kind = key.split('/').next().unwrap_or_default();
                Error::new(Status::Internal, format!("a stored entry of kind {kind:?} cannot be read"))
            }
            store::Error::Upgrading => {
                let detail = "the storage is being brought to the layout of this version; try again later";
                Error { retry_after: UPGRADE_RETRY_SECONDS, ..Error::new(Status::Unavailable, detail) }
            }
            store::Error::Layout { .. } => {
                Error::new(Status::Internal, "the storage was written by another version of the program")
            }
        };
        Error { is_breakdown: true, inside, ..refusal }
    }
}

impl From<site::Error> for Error {
    fn from(error: site::Error) -> Self {
        match error {
            site::Error::NotFound(detail) => Error::not_found(detail),
            site::Error::Invalid(detail) => Error::invalid_value(detail),
            site::Error::Taken(detail) => Error::uniqueness(detail),
            site::Error::Managed(detail) | site::Error::Refused(detail) => Error::new(Status::Conflict, detail),
            site::Error::Store(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_is_told_no_key_and_the_log_is() {
        let refusal = Error::from(store::Error::corrupt("un/d/ann@example.com"));
        assert_eq!(refusal.status, Status::Internal);
        assert!(!refusal.detail.contains("example") && refusal.inside.is_some_and(|log| log.contains("example")));
    }

    #[test]
    fn a_conflict_is_no_failure() {
        let refusal = Error::from(store::Error::Conflict);
        assert_eq!((refusal.status, refusal.inside, refusal.is_breakdown), (Status::Unavailable, None, true));
    }
}
