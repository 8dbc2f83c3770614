//! `/console/organizations`: all of them, those that are deleted, and one.

mod deleted;
pub(super) mod edit;
mod list;
pub(super) mod members;
mod one;
pub(super) mod removal;

pub(super) use deleted::show as deleted;
pub(super) use list::show as list;
pub(super) use one::{history, show as one};

use super::parts::{Tab, tabs};
use super::request::ConsoleRequest;
use maud::Markup;

/// The lists of organizations.
fn lists(request: &ConsoleRequest<'_>, current: &str) -> Markup {
    let tab = |name, path: &str| Tab { name, path: path.to_owned(), count: None };
    tabs(
        request,
        "Organizations",
        current,
        &[tab("On the site", "/organizations"), tab("Deleted", "/organizations/deleted")],
    )
}
