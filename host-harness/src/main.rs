//! The `usher` program.

mod cli;

use std::process::ExitCode;

/// Requests allocate on one thread and free on another all the time, and the C library's allocator is slow at that: a
/// tenth of what a write costs.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// For how many milliseconds mimalloc keeps memory that is free, an option of its header (`mimalloc.h`) that the bindings
/// do not name.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;

/// Whether mimalloc asks at once for all memory of the addresses that it reserves, another such option.
const ARENA_EAGER_COMMIT: libmimalloc_sys::mi_option_t = 4;

fn main() -> ExitCode {
    // mimalloc asks for pages of 2 MiB for the memory of each thread, of which most threads need some kilobytes. Where that
    // cannot be changed, the process is larger, and works all the same.
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(true);
    // Memory that is free goes back at once: with mimalloc's 10 ms, threads that have nothing more to do keep theirs, and
    // the first sync of a large directory takes fifty megabytes more, for nothing gained. Nor is any asked for before it
    // is needed, which saves three.
    // SAFETY: it stores a number, twice.
    unsafe {
        libmimalloc_sys::mi_option_set(PURGE_DELAY, 0);
        libmimalloc_sys::mi_option_set(ARENA_EAGER_COMMIT, 0);
    }
    cli::run()
}

#[cfg(test)]
mod tests {
    /// Any package that is built along can ask for another, for all of them.
    #[test]
    fn the_allocator_is_of_the_version_that_gives_large_blocks_back() {
        // SAFETY: it returns a number.
        let version = unsafe { libmimalloc_sys::mi_version() };
        assert!(version >= 300, "{version}");
    }
}
