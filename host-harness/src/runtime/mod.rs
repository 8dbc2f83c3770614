//! Runs the component: loads it once, and calls it in a fresh instance each time.

mod bindings;
mod cache;
mod call;
mod commits;
mod exports;
mod failure;
mod host;
mod interfaces;
mod lanes;
mod limits;
mod load;
mod loaded;
mod long_calls;
mod one_call;
mod open;
mod outcome;
mod party;
mod usher;
mod workers;

pub use bindings::exports::usher::provisioning::{changes, directories, scim, site, upkeep};
pub use commits::Commits;
pub use exports::Site;
pub use failure::Failure;
pub use limits::Limits;
pub use load::{Builder, EMBEDDED, LoadError};
#[cfg(feature = "http")]
pub(crate) use party::Party;
pub use usher::{Usage, Usher};
