//! The `usher` program.

mod cli;

use std::process::ExitCode;

/// Requests allocate on one thread and free on another all the time, of which the C library's allocator makes a tenth of
/// what a write costs.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::run()
}
