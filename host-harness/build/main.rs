//! Builds the component that the harness runs.
fn main() {}
