//! Builds the component alone and prints its path, `usher.wasm` in a folder. With the feature `http`, builds
//! `usher-http.wasm` in its place.
//!
//! ```console
//! $ cargo run --package usher-build -- FOLDER
//! $ cargo run --package usher-build --features http -- FOLDER
//! ```

use std::env;
use std::path::Path;
use std::process::ExitCode;

#[cfg(not(feature = "http"))]
use usher_build::component as build;
#[cfg(feature = "http")]
use usher_build::http_component as build;

fn main() -> ExitCode {
    let Some(folder) = env::args_os().nth(1) else {
        eprintln!("usage: usher-build FOLDER");
        return ExitCode::FAILURE;
    };
    match build(Path::new(&folder)) {
        Ok(component) => {
            println!("{}", component.display());
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}
