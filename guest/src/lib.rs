//! Usher's engine: customer provisioning over SCIM 2.0.
#![no_std]
#![deny(unsafe_code)]

extern crate alloc;

mod error;
mod filter;
mod json;
mod patch;
mod path;
mod resource;
mod schema;
pub mod storage;
mod text;
