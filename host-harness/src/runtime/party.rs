//! Whose a call is, for sharing what there is.

use super::scim;
use std::sync::Arc;

/// Whose a call is. What calls wait in is shared out by party, so that no party can fill it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Party {
    /// The host itself: administrators and housekeeping.
    Host,
    /// Nobody yet: it was not looked whether a key came with it.
    Unknown,
    /// Nobody: it is the look whose key came with another call.
    Asking,
    /// The directory of this id, whose key came with it. What a path says is not enough: anybody could write it there.
    Directory(Arc<str>),
}

/// What tells whose a call is, should it come to waiting.
pub(super) enum Caller {
    /// It is known.
    Of(Party),
    /// The key of a SCIM request tells.
    Scim(Arc<scim::Request>),
}
