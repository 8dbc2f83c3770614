//! Usher for hosts of `wasi:http`: an adapter between `wasi:http/incoming-handler` and `usher:provisioning/scim`.
//!
//! It is a component of its own, to be composed with `usher.wasm` as it is, and exists for WebAssembly only.
#![no_std]

#[cfg(target_family = "wasm")]
extern crate alloc;

#[cfg(target_family = "wasm")]
mod adapter;
#[cfg(target_family = "wasm")]
mod runtime;
