//! `/console/projects`: all of them, and one.

pub(super) mod edit;
mod list;
mod one;
pub(super) mod opening;

pub(super) use list::show as list;
pub(super) use one::{customers, organizations, show as one};
