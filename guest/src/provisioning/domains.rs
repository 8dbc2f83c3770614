//! The email domains that a directory is bound to: a user with an address elsewhere is linked to no customer.
//!
//! They are asked about whenever a user gets an address. What is linked stays linked when the setting changes; users
//! whom a change lets in are linked by upkeep, see [`super::links::link_those_inside`].

use crate::address;
use crate::store::records::{DirectoryRecord, UnlinkedReason};

/// Whether an email address, as it is compared, is inside the domains of a directory.
#[must_use]
pub fn is_inside(settings: &DirectoryRecord, address: &str) -> bool {
    let is_one = |domain: &str| settings.domains.iter().any(|known| known == domain);
    settings.domains.is_empty() || address::domain(address).is_some_and(is_one)
}

/// Why a user with this email address, as it is compared, is to be linked to no customer; `None` if it may be linked.
#[must_use]
pub fn reason(settings: &DirectoryRecord, address: Option<&str>) -> Option<UnlinkedReason> {
    match address {
        None => Some(UnlinkedReason::NoEmail),
        Some(address) => (!is_inside(settings, address)).then_some(UnlinkedReason::OutsideDomains),
    }
}
