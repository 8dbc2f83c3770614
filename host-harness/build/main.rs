//! `cargo run --package usher-build -- FOLDER` builds the component alone and prints its path, `usher.wasm` in the folder.

use std::env;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(folder) = env::args_os().nth(1) else {
        eprintln!("usage: usher-build FOLDER");
        return ExitCode::FAILURE;
    };
    match usher_build::component(Path::new(&folder)) {
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
