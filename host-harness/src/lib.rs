//! Usher's wasmtime host.

#[cfg(feature = "http")]
pub mod http;
mod runtime;
pub mod storage;

pub use runtime::{
    Builder, EMBEDDED, Failure, Limits, LoadError, Site, Usage, Usher, changes, directories, scim, upkeep,
};
