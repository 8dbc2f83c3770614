//! Builds the component that the harness runs, as part of building the harness.
//!
//! Everything that is made for it is under `target/component`: the component is `usher.wasm` there, and the harness finds
//! its path in the environment variable `USHER_COMPONENT` while it is compiled.

fn main() {
    for input in ["../guest", "../wit", "../Cargo.toml", "../Cargo.lock"] {
        println!("cargo::rerun-if-changed={input}");
    }
    println!("cargo::rerun-if-env-changed={}", usher_build::WAY);
    let folder = usher_build::folder().expect("cargo sets OUT_DIR");
    match usher_build::component(&folder) {
        Ok(component) => println!("cargo::rustc-env=USHER_COMPONENT={}", component.display()),
        // Cargo shows these lines and fails the build; what else a build script prints it shows only in a long report.
        Err(message) => message.lines().for_each(|line| println!("cargo::error={line}")),
    }
}
