//! Building the crate `usher-engine` as a component.

use std::error::Error;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use wasm_encoder::{ComponentSection, CustomSection};
use wasm_metadata::{AddMetadata, AddMetadataField};

use crate::target::TARGET;
use crate::{tools, workspace};

/// Builds the component and returns its path, `usher.wasm` in `folder`.
pub(crate) fn build(folder: &Path, sysroot: Option<&Path>) -> Result<PathBuf, String> {
    let sysroot = sysroot.map(|sysroot| {
        let mut flag = OsStr::new("--sysroot=").to_owned();
        flag.push(sysroot);
        flag
    });
    let rustflags: Vec<&OsStr> = sysroot.iter().map(AsRef::as_ref).collect();
    // A target folder of its own, since the outer cargo holds the lock of the usual one.
    let target_dir = folder.join("target");
    tools::run(
        tools::cargo(&rustflags)
            .current_dir(workspace())
            .args(["rustc", "--quiet", "--locked", "--package", "usher-engine", "--lib"])
            .args(["--crate-type", "cdylib", "--profile", "component", "--target", TARGET])
            .arg("--target-dir")
            .arg(&target_dir)
            .arg("--")
            // The component has nothing of WASI preview 1 to adapt. With an adapter, its version of WASI would also
            // replace the one that the world names.
            .args(["-C", "link-arg=--wasi-adapter=none"])
            // Recursion is bounded in the engine, and the stack lies below the data, so that running over its end is a
            // trap. A small one leaves fewer pages for a host to clear between requests.
            .args(["-C", "link-arg=-zstack-size=131072"])
            // What nearly every request needs, so that no instance has to ask for more; see the engine's allocator.
            .args(["-C", "link-arg=--initial-heap=524288"]),
    )
    .map_err(|reason| format!("the component could not be built: {reason}"))?;
    let built = target_dir.join(TARGET).join("component/usher_engine.wasm");
    let component = fs::read(&built).map_err(|error| format!("cannot read {}: {error}", built.display()))?;
    let component = label(&component).map_err(|error| format!("the component cannot be labelled: {error}"))?;
    publish(&component, &folder.join("usher.wasm"))
}

/// Puts into the component what tools and registries show of it. The compiler's linker has no option for that.
fn label(component: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut name = AddMetadata::default();
    name.name = AddMetadataField::Set("usher".to_owned());
    let mut component = name.to_wasm(component)?;
    for (field, value) in [
        ("version", env!("CARGO_PKG_VERSION")),
        ("description", "Customer provisioning for service desks: SCIM 2.0 over a storage that the host lends"),
        ("licenses", env!("CARGO_PKG_LICENSE")),
    ] {
        CustomSection { name: field.into(), data: value.as_bytes().into() }.append_to_component(&mut component);
    }
    Ok(component)
}

/// Puts the component at `path`, and leaves what is there when it is the same: a newer file would have everything that
/// includes it compiled again.
fn publish(component: &[u8], path: &Path) -> Result<PathBuf, String> {
    let publish = || {
        if fs::read(path).ok().as_deref() != Some(component) {
            let new = path.with_extension("wasm.new");
            fs::write(&new, component)?;
            fs::rename(new, path)?;
        }
        Ok(path.to_owned())
    };
    publish().map_err(|error: std::io::Error| format!("cannot put the component at {}: {error}", path.display()))
}
