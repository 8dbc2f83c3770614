//! Runs the component: loads it once, and calls it in a fresh instance each time.

mod bindings;
mod cache;
mod call;
mod failure;
mod host;
mod lanes;
mod limits;
mod load;
mod site;
mod usher;
mod workers;

pub use bindings::exports::usher::provisioning::{changes, directories, scim, upkeep};
pub use failure::Failure;
pub use limits::Limits;
pub use load::{Builder, EMBEDDED, LoadError};
pub use site::Site;
pub use usher::{Usage, Usher};
