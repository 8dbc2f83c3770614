//! Builds the component that the harness runs, as part of building the harness.
//!
//! Everything that it makes is under `target/component`: the component is `usher.wasm` there, and the harness finds its
//! path in the environment variable `USHER_COMPONENT` while it is compiled.

mod component;
mod target;
mod tools;

use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    for input in ["build", "../guest", "../wit", "../Cargo.toml", "../Cargo.lock"] {
        println!("cargo::rerun-if-changed={input}");
    }
    match build() {
        Ok(component) => println!("cargo::rustc-env=USHER_COMPONENT={}", component.display()),
        // Cargo shows these lines and fails the build; what else a build script prints it shows only in a long report.
        Err(message) => message.lines().for_each(|line| println!("cargo::error={line}")),
    }
}

fn build() -> Result<PathBuf, String> {
    let folder = folder();
    fs::create_dir_all(&folder).map_err(|error| format!("cannot make the folder {}: {error}", folder.display()))?;
    // Cargo itself keeps builds of one profile apart, but not a debug build from a release build.
    let _lock = tools::lock(&folder.join(".lock"))?;
    let sysroot = target::ensure(&folder)?;
    component::build(&folder, sysroot.as_deref())
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

/// The root of the workspace.
fn workspace() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}
