//! Builds the component alone and prints its path, `usher.wasm` in a folder. With the feature `http`, builds
//! `usher-http.wasm` in its place. With `--sizes`, prints what is in it instead.
//!
//! ```console
//! $ cargo run --package usher-build -- FOLDER
//! $ cargo run --package usher-build -- --sizes FOLDER
//! $ cargo run --package usher-build --features http -- FOLDER
//! ```

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::ExitCode;

#[cfg(not(feature = "http"))]
use usher_build::component as build;
#[cfg(feature = "http")]
use usher_build::http_component as build;
use usher_build::sizes;

const HELP: &str = "\
Builds Usher's component in FOLDER and prints its path.

usage: usher-build [--sizes] FOLDER

  --sizes  print what is in the component, by part, and what each part is for, as a Markdown table
  --help   print this";

fn main() -> ExitCode {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    let arguments: Vec<&OsStr> = arguments.iter().map(AsRef::as_ref).collect();
    let printed = match arguments[..] {
        [help] if help == "--help" => Ok(HELP.to_owned()),
        [option, folder] if option == "--sizes" => build(Path::new(folder)).and_then(|component| sizes(&component)),
        [folder] if !folder.as_encoded_bytes().starts_with(b"-") => {
            build(Path::new(folder)).map(|component| component.display().to_string())
        }
        _ => Err(HELP.to_owned()),
    };
    match printed {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}
