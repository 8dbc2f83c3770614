//! The description of the SCIM surface has the methods that the component has, and no other. The rest of the surface is
//! compared with its routes where these are.

use futures_lite::future::block_on;
use serde_json::Value;
use std::sync::Arc;
use usher_host::storage::MemoryStorage;
use usher_host::{Usher, directories, scim};

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

#[test]
fn each_path_has_the_methods_that_are_described() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json")).expect("it is there");
    let description: Value = serde_json::from_str(&text).expect("JSON");
    let site = Usher::load().expect("the component loads").site(Arc::new(MemoryStorage::new()));
    let settings = directories::Settings { membership_resources: true, ..directories::Settings::named("test") };
    let connected = block_on(site.connect_directory("test", settings));
    let connected = connected.expect("an answer").expect("connected");
    let paths = description["paths"].as_object().expect("paths");
    let mut compared = 0;
    for (path, item) in paths.iter().filter(|(path, _)| path.starts_with("/scim/")) {
        for method in METHODS {
            let request = scim::Request {
                method: method.into(),
                origin: "http://localhost".into(),
                path: path.replace("{directory}", &connected.directory.id).replace(['{', '}'], ""),
                query: None,
                headers: vec![("authorization".into(), format!("Bearer {}", connected.key.api_key))],
                body: None,
            };
            let response = block_on(site.handle(request)).expect("an answer");
            let responses = &item[method.to_lowercase()]["responses"];
            assert_eq!(response.status != 405, responses.is_object(), "{method} {path}: {}", response.status);
            if responses.is_object() {
                assert!(!responses[response.status.to_string()].is_null(), "{method} {path}: {}", response.status);
                compared += 1;
            }
        }
    }
    assert!(compared > 20);
}
