//! Builds the crate `usher-engine` as a component.
//!
//! The harness has it built as part of building itself; the program `usher-build` builds the component alone.

mod component;
mod target;
mod tools;

use std::fs;
use std::path::{self, Path, PathBuf};

/// Builds the component in `folder` and returns its path, `usher.wasm` there. What it takes to build it is kept in the
/// folder as well.
///
/// # Errors
/// In words for a person, when a tool fails or files cannot be written.
pub fn component(folder: &Path) -> Result<PathBuf, String> {
    // The tools run in folders of their own.
    let folder = &path::absolute(folder).map_err(|error| format!("there is no folder {}: {error}", folder.display()))?;
    fs::create_dir_all(folder).map_err(|error| format!("cannot make the folder {}: {error}", folder.display()))?;
    // Cargo itself keeps builds of one profile apart, but not a debug build from a release build.
    let _lock = tools::lock(&folder.join(".lock"))?;
    let sysroot = target::ensure(folder)?;
    component::build(folder, sysroot.as_deref())
}

/// The root of the workspace.
fn workspace() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}
