//! Builds the component for hosts of `wasi:http`, whose path the tests find in the environment variable
//! `USHER_HTTP_COMPONENT` while they are compiled.

fn main() {
    for input in ["../guest", "../wit", "../Cargo.toml", "../Cargo.lock"] {
        println!("cargo::rerun-if-changed={input}");
    }
    println!("cargo::rerun-if-env-changed={}", usher_build::WAY);
    let folder = usher_build::folder().expect("cargo sets OUT_DIR");
    match usher_build::http_component(&folder) {
        Ok(component) => println!("cargo::rustc-env=USHER_HTTP_COMPONENT={}", component.display()),
        Err(message) => message.lines().for_each(|line| println!("cargo::error={line}")),
    }
}
