//! Usher's wasmtime host.

pub mod storage;
