//! Building crates of the workspace as components.

use std::error::Error;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use wasm_encoder::{ComponentSection, CustomSection};
use wasm_metadata::{AddMetadata, AddMetadataField};

use crate::target::TARGET;
use crate::{tools, workspace};

/// Builds the crate `usher-engine` and returns the component.
pub(crate) fn engine(folder: &Path, sysroot: Option<&Path>) -> Result<Vec<u8>, String> {
    let options = [
        // Recursion is bounded in the engine, and the stack lies below the data, so that running over its end is a
        // trap. A small one leaves fewer pages for a host to clear between requests.
        "link-arg=-zstack-size=131072",
        // What nearly every request needs, so that no instance has to ask for more; see the engine's allocator.
        "link-arg=--initial-heap=524288",
    ];
    let component = compile("usher-engine", &options, folder, sysroot)?;
    label(
        &component,
        "usher",
        "Customer provisioning for service desks: SCIM 2.0 over a storage that the host provides",
    )
}

/// Builds a crate and returns the component. `options` are the compiler's code generation options.
pub(crate) fn compile(
    package: &str,
    options: &[&str],
    folder: &Path,
    sysroot: Option<&Path>,
) -> Result<Vec<u8>, String> {
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
            .args(["rustc", "--quiet", "--locked", "--package", package, "--lib"])
            .args(["--crate-type", "cdylib", "--profile", "component", "--target", TARGET])
            .arg("--target-dir")
            .arg(&target_dir)
            .arg("--")
            // The component has nothing of WASI preview 1 to adapt. With an adapter, its version of WASI would also
            // replace the one that the world names.
            .args(["-C", "link-arg=--wasi-adapter=none"])
            // `memcmp` and its like. Rust's standard library leaves them to the target's C library, which only a crate
            // that is not `no_std` asks for.
            .args(["-C", "link-arg=-lc"])
            .args(options.iter().flat_map(|option| ["-C", option])),
    )
    .map_err(|reason| format!("{package} could not be built: {reason}"))?;
    let built = target_dir.join(TARGET).join("component").join(package.replace('-', "_")).with_extension("wasm");
    fs::read(&built).map_err(|error| format!("cannot read {}: {error}", built.display()))
}

/// Puts into a component what tools and registries show of it. The compiler's linker has no option for that.
pub(crate) fn label(component: &[u8], name: &str, description: &str) -> Result<Vec<u8>, String> {
    let label = || {
        let mut metadata = AddMetadata::default();
        metadata.name = AddMetadataField::Set(name.to_owned());
        let mut component = metadata.to_wasm(component)?;
        for (field, value) in [
            ("version", env!("CARGO_PKG_VERSION")),
            ("description", description),
            ("licenses", env!("CARGO_PKG_LICENSE")),
        ] {
            CustomSection { name: field.into(), data: value.as_bytes().into() }.append_to_component(&mut component);
        }
        Ok(component)
    };
    label().map_err(|error: Box<dyn Error>| format!("{name} cannot be labelled: {error}"))
}

/// Puts a component at `path`, and leaves what is there when it is the same: a newer file would have everything that
/// includes it compiled again.
pub(crate) fn publish(component: &[u8], path: &Path) -> Result<PathBuf, String> {
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
