//! `/console/customers`: all of them, those that are deleted, and one.

mod deleted;
pub(super) mod edit;
pub(super) mod link;
mod list;
mod one;
pub(super) mod removal;

pub(super) use deleted::show as deleted;
pub(super) use list::show as list;
pub(super) use one::{history, show as one};

use super::parts::{Tab, tabs};
use super::request::ConsoleRequest;
use maud::Markup;

/// The lists of customers.
fn lists(request: &ConsoleRequest<'_>, current: &str) -> Markup {
    let tab = |name, path: &str| Tab { name, path: path.to_owned(), count: None };
    tabs(request, "Customers", current, &[tab("On the site", "/customers"), tab("Deleted", "/customers/deleted")])
}
