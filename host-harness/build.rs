//! Builds the component that the harness runs, as part of building the harness.
//!
//! Everything that is made for it is under `target/component`: the component is `usher.wasm` there, and the harness finds
//! its path in the environment variable `USHER_COMPONENT` while it is compiled.

use std::env;
use std::path::PathBuf;

fn main() {
    for input in ["../guest", "../wit", "../Cargo.toml", "../Cargo.lock"] {
        println!("cargo::rerun-if-changed={input}");
    }
    match usher_build::component(&folder()) {
        Ok(component) => println!("cargo::rustc-env=USHER_COMPONENT={}", component.display()),
        // Cargo shows these lines and fails the build; what else a build script prints it shows only in a long report.
        Err(message) => message.lines().for_each(|line| println!("cargo::error={line}")),
    }
}

/// `target/component`, one folder for all profiles of the harness: the component is the same for each.
///
/// Cargo tells a build script no more than `OUT_DIR`, which is `target/[triple/]profile/build/…`.
fn folder() -> PathBuf {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    out.ancestors()
        .skip_while(|folder| !folder.ends_with("build"))
        .nth(2)
        .map_or_else(|| out.join("component"), |target| target.join("component"))
}
