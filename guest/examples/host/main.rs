//! A host of the engine as a library: what it has to provide is a storage and an environment.
//!
//! `cargo run -p usher-engine --example host`

mod provided;

use provided::{Memory, System, send, settings};
use usher_engine::Engine;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (storage, environment) = (Memory::default(), System);
    let engine = Engine::new(&storage, &environment);
    let connected = engine.connect("ada", &settings("Entra ID"))?;
    let (key, path) = (&connected.key.api_key, &connected.directory.scim_path);
    for (endpoint, body) in [
        ("Users", r#"{"userName":"grace@example.com","displayName":"Grace Hopper"}"#),
        ("Groups", r#"{"displayName":"Navy"}"#),
    ] {
        let (status, body) = send(&engine, key, "POST", &format!("{path}/{endpoint}"), Some(body));
        println!("{status} {body}");
    }
    for change in engine.changes(0, 100)? {
        println!("{} {} {}", change.sequence, change.kind, change.detail);
    }
    Ok(())
}
