//! The `usher` program.

mod cli;

use std::process::ExitCode;

/// Requests allocate on one thread and free on another all the time, and the C library's allocator is slow at that: a
/// tenth of what a write costs. Version 2, because version 3 gives memory back so late that a large directory's first sync
/// leaves fifty megabytes more.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::run()
}
