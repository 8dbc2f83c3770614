//! Builds the component that the harness runs, as part of building the harness.
//!
//! Everything that is made for it is under `target/component`: the component is `usher.wasm` there. The harness finds its
//! path in the environment variable `USHER_COMPONENT` while it is compiled, and what tells it from all others in
//! `USHER_COMPONENT_DIGEST`: computed at every start, that would take the memory of the whole component.

use sha2::{Digest, Sha256};
use std::fs;

fn main() {
    for input in ["../guest", "../wit", "../Cargo.toml", "../Cargo.lock"] {
        println!("cargo::rerun-if-changed={input}");
    }
    println!("cargo::rerun-if-env-changed={}", usher_build::WAY);
    let folder = usher_build::folder().expect("cargo sets OUT_DIR");
    let built = usher_build::component(&folder).and_then(|path| {
        let bytes = fs::read(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        let digest = Sha256::digest(bytes).iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
        Ok((path, digest))
    });
    match built {
        Ok((component, digest)) => {
            println!("cargo::rustc-env=USHER_COMPONENT={}", component.display());
            println!("cargo::rustc-env=USHER_COMPONENT_DIGEST={digest}");
        }
        // Cargo shows these lines and fails the build; what else a build script prints it shows only in a long report.
        Err(message) => message.lines().for_each(|line| println!("cargo::error={line}")),
    }
}
