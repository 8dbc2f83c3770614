//! Usher's wasmtime host.

pub mod bench;
#[cfg(feature = "http")]
pub mod http;
mod runtime;
pub mod storage;

pub use runtime::{Builder, Failure, Limits, LoadError, Site, Usage, Usher, changes, directories, scim, upkeep};
