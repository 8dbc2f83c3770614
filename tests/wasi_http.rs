//! The component for hosts of `wasi:http`, served by a plain wasmtime over HTTP. `idp_traffic` has it answer recorded
//! traffic as well.

use serde_json::json;
use usher_tests::plain::{self, HTTP_COMPONENT};
use usher_tests::server::{Directory, Request, Response};

/// All that it can reach. What the engine's component does not import is for requests and their bodies.
const IMPORTS: [&str; 6] = [
    "usher:provisioning/storage@0.2.0",
    "wasi:clocks/wall-clock@0.2.0",
    "wasi:http/types@0.2.0",
    "wasi:io/error@0.2.0",
    "wasi:io/streams@0.2.0",
    "wasi:random/random@0.2.0",
];

#[test]
fn it_imports_what_the_engine_does_and_http_and_exports_what_the_engine_does_and_the_handler() {
    let (imports, exports) = names(HTTP_COMPONENT);
    let (_, mut expected) = names(usher_host::EMBEDDED);
    expected.push("wasi:http/incoming-handler@0.2.0".to_owned());
    assert_eq!(imports, IMPORTS);
    assert_eq!(exports, expected);
}

/// What a component imports and exports.
fn names(component: &[u8]) -> (Vec<String>, Vec<String>) {
    let component = wit_component::decode(component).expect("it is a component");
    let resolve = component.resolve();
    let (_, world) = resolve.worlds.iter().next().expect("it has a world");
    let [imports, exports] = [&world.imports, &world.exports].map(|items| {
        let mut names: Vec<String> = items.keys().map(|name| resolve.name_world_key(name)).collect();
        names.sort();
        names
    });
    (imports, exports)
}

#[test]
fn a_user_is_created_and_found() {
    let directory = plain::served();
    let created = send(&directory, "POST", "/Users", Some(ADA));
    assert_eq!(created.status, 201, "{}", created.body);
    let location = created.header("location").expect("it says where the user is");
    assert!(location.starts_with(&directory.base), "{location}");
    assert_eq!(created.header("content-length"), Some(created.body.len().to_string().as_str()));

    let path = location.strip_prefix(&directory.base).expect("it is in the directory");
    let got = send(&directory, "GET", path, None);
    assert_eq!(got.status, 200);
    assert_eq!(got.json(), created.json());
    assert_eq!(got.header("etag"), created.header("etag"));

    let head = send(&directory, "HEAD", path, None);
    assert_eq!((head.status, head.body.as_str()), (200, ""));

    let found = send(&directory, "GET", "/Users?filter=userName%20eq%20%22ADA@example.com%22", None);
    assert_eq!(found.json()["Resources"], json!([created.json()]));

    assert_eq!(send(&directory, "DELETE", path, None).status, 204);
    assert_eq!(send(&directory, "GET", path, None).status, 404);
}

#[test]
fn a_wrong_key_is_refused() {
    let mut directory = plain::served();
    directory.api_key = "nobody.knows".to_owned();
    assert_eq!(send(&directory, "GET", "/Users", None).status, 401);
}

#[test]
fn a_long_answer_arrives_whole() {
    let directory = plain::served();
    for number in 0..200 {
        let user = format!(
            r#"{{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"user{number}@example.com","title":"{}"}}"#,
            "x".repeat(500)
        );
        assert_eq!(send(&directory, "POST", "/Users", Some(&user)).status, 201);
    }
    let all = send(&directory, "GET", "/Users?count=200", None);
    assert!(all.body.len() > 100_000);
    assert_eq!(all.json()["Resources"].as_array().map(Vec::len), Some(200));
}

#[test]
fn bodies_that_cannot_be_taken_are_refused_as_scim_does() {
    let directory = plain::served();
    for (status, body) in [(413, vec![b' '; (16 << 20) + 1]), (400, vec![b'"', 0xff, b'"'])] {
        let request = ureq::http::Request::post(format!("{}/Users", directory.base))
            .header("authorization", format!("Bearer {}", directory.api_key))
            .header("content-type", "application/scim+json")
            .body(body)
            .expect("it is a request");
        let agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
        let mut response = agent.run(request).expect("the server answers");
        assert_eq!(response.status().as_u16(), status);
        let error: serde_json::Value =
            serde_json::from_str(&response.body_mut().read_to_string().expect("it is text")).expect("it is JSON");
        assert_eq!(error["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:Error"]));
        assert_eq!(error["status"], json!(status.to_string()));
    }
    // 16 MiB are taken, and blanks are no JSON.
    let longest = " ".repeat(16 << 20);
    assert_eq!(send(&directory, "POST", "/Users", Some(&longest)).status, 400);
}

/// A user.
const ADA: &str = r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com"}"#;

fn send(directory: &Directory, method: &str, target: &str, body: Option<&str>) -> Response {
    directory.send(Request {
        method: method.to_owned(),
        target: target.to_owned(),
        headers: vec![
            ("authorization".to_owned(), format!("Bearer {}", directory.api_key)),
            ("content-type".to_owned(), "application/scim+json".to_owned()),
        ],
        body: body.map(str::to_owned),
    })
}
