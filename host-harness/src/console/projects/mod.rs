//! `/console/projects`: all of them, and one.

mod list;
mod one;

pub(super) use list::show as list;
pub(super) use one::{customers, organizations, show as one};
