//! Builds Usher's components.
//!
//! The harness has the engine's built as part of building itself; the program `usher-build` builds components alone.

mod component;
#[cfg(feature = "http")]
mod http;
mod sizes;
mod target;
mod tools;

pub use target::WAY;

use std::path::{self, Path, PathBuf};
use std::{env, fs};

/// Builds the component in `folder` and returns its path, `usher.wasm` there. What it takes to build it is kept in the
/// folder as well.
///
/// # Errors
/// In words for a person, when a tool fails or files cannot be written.
pub fn component(folder: &Path) -> Result<PathBuf, String> {
    in_folder(folder, |folder, sysroot| {
        component::publish(&component::engine(folder, sysroot)?, &folder.join("usher.wasm"))
    })
}

/// Builds the component that exports `wasi:http/incoming-handler` as well, composed of that of [`component`] and the
/// adapter in `guest/http`, and returns its path, `usher-http.wasm` in `folder`.
///
/// # Errors
/// As [`component`].
#[cfg(feature = "http")]
pub fn http_component(folder: &Path) -> Result<PathBuf, String> {
    in_folder(folder, |folder, sysroot| {
        let engine = component::engine(folder, sysroot)?;
        let adapter = component::compile("usher-http", &[], folder, sysroot)?;
        let composed = http::compose(engine, adapter)
            .map_err(|error| format!("the component and the adapter cannot be composed: {error}"))?;
        let labelled = component::label(&composed, "usher-http", "Usher for hosts of wasi:http")?;
        component::publish(&labelled, &folder.join("usher-http.wasm"))
    })
}

/// What is in a component that one of the functions above has built, and what each part is for, as a Markdown table.
///
/// # Errors
/// In words for a person, when a file cannot be read or the component is damaged.
pub fn sizes(component: &Path) -> Result<String, String> {
    let read = fs::read(component).map_err(|error| format!("cannot read {}: {error}", component.display()))?;
    sizes::table(&read)
}

/// `target/component`, where a build script has components built: one folder for all profiles, as they are the same for
/// each. Elsewhere than in a build script there is none.
///
/// Cargo tells a build script no more than `OUT_DIR`, which is `target/[triple/]profile/build/…`.
pub fn folder() -> Option<PathBuf> {
    let out = PathBuf::from(env::var_os("OUT_DIR")?);
    let target = out.ancestors().skip_while(|folder| !folder.ends_with("build")).nth(2).unwrap_or(&out);
    Some(target.join("component"))
}

/// Does something in a folder while no other build does, and with a compiler that has the target.
fn in_folder(
    folder: &Path,
    build: impl FnOnce(&Path, Option<&Path>) -> Result<PathBuf, String>,
) -> Result<PathBuf, String> {
    // The tools run in folders of their own.
    let folder = path::absolute(folder).map_err(|error| format!("there is no folder {}: {error}", folder.display()))?;
    fs::create_dir_all(&folder).map_err(|error| format!("cannot make the folder {}: {error}", folder.display()))?;
    // Cargo itself keeps builds of one profile apart, but not a debug build from a release build.
    let _lock = tools::lock(&folder.join(".lock"))?;
    let sysroot = target::ensure(&folder)?;
    build(&folder, sysroot.as_deref())
}

/// The root of the workspace.
fn workspace() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}
