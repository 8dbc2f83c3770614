//! Usher's wasmtime host.
