//! Running other programs, and keeping runs of this one apart.

use std::env;
use std::ffi::OsStr;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// Runs `command` to its end and returns what it printed, or why it failed in its own words.
pub(crate) fn run(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        // Rustup and cargo would put a backtrace of their own into what a person is to read.
        .env_remove("RUST_BACKTRACE")
        .output()
        .map_err(|error| format!("cannot run {name}: {error}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        let reason = String::from_utf8_lossy(&output.stderr);
        Err(format!("{name} failed ({}):\n{}", output.status, reason.trim_end()))
    }
}

/// The compiler that cargo is using: it names it to build scripts.
pub(crate) fn rustc() -> Command {
    Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
}

/// A cargo of its own for the component's target, with `rustflags` and no others.
///
/// What the outer cargo was told is meant for the machine's own target, and a tool that wraps the compiler there
/// (Clippy, coverage) has no business here, so that neither is passed on.
pub(crate) fn cargo(rustflags: &[&OsStr]) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for wrapper in ["RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER"] {
        cargo.env_remove(wrapper);
    }
    // Empty counts as given: it keeps flags from RUSTFLAGS and from configuration files out as well.
    cargo.env("CARGO_ENCODED_RUSTFLAGS", rustflags.join(OsStr::new("\x1f")));
    // Incremental compilation and link-time optimisation exclude each other.
    cargo.env("CARGO_INCREMENTAL", "0");
    cargo
}

/// Waits until no other build holds the lock at `path`, and holds it until the returned file is dropped.
pub(crate) fn lock(path: &Path) -> Result<File, String> {
    File::create(path)
        .and_then(|file| file.lock().map(|()| file))
        .map_err(|error| format!("cannot lock {}: {error}", path.display()))
}

/// Tells a person at a terminal what is taking long, in the form of cargo's own messages.
///
/// Cargo would show a warning instead only when the build script has ended, and then again at every later build.
pub(crate) fn announce(what: &str) {
    if let Ok(mut terminal) = File::options().write(true).open("/dev/tty") {
        // Where nobody is there to read it, nothing is lost.
        let _ = writeln!(terminal, "\r\x1b[K\x1b[1;32m{:>12}\x1b[0m {what}", "Preparing");
    }
}
