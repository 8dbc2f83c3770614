//! Usher's engine.
#![no_std]
extern crate alloc;
pub mod storage;
