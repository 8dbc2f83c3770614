//! For measuring: what this library adds to what it is built on.

mod engine;

pub use engine::BareEngine;
