//! Usher's engine.
#![no_std]
extern crate alloc;
#[cfg(target_family = "wasm")]
mod component;
pub mod storage;
