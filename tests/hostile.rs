//! Whatever comes as a request, the component answers. It never traps, and its answer is well-formed.

use proptest::prelude::*;
use serde_json::Value;
use usher_tests::server::{self, Directory, Request, Response};

/// How many requests of each kind are made up. The same properties are tried on far more by the engine's own tests.
const CASES: u32 = 300;

fn check(response: &Response) {
    assert!((200..600).contains(&response.status), "{}", response.status);
    assert_ne!(response.status, 500, "{}", response.body);
    if matches!(response.status, 204 | 304) {
        assert!(response.body.is_empty());
        return;
    }
    assert_eq!(response.header("content-type"), Some("application/scim+json"));
    let body: Value = serde_json::from_str(&response.body).expect("a body is JSON");
    if response.status >= 400 {
        assert_eq!(body["schemas"], serde_json::json!(["urn:ietf:params:scim:api:messages:2.0:Error"]));
        assert_eq!(body["status"], response.status.to_string());
        assert!(body["detail"].as_str().is_some_and(|detail| !detail.is_empty()));
    }
}

fn method() -> impl Strategy<Value = String> {
    prop_oneof![
        9 => prop::sample::select(vec!["GET", "POST", "PUT", "PATCH", "DELETE"]).prop_map(str::to_owned),
        1 => any::<String>(),
    ]
}

fn target() -> impl Strategy<Value = String> {
    let known = vec![
        "/Users",
        "/Groups",
        "/GroupMemberships",
        "/GroupMemberships/0123456789abcdefghij-0123456789abcdefghij",
        "/Users/0123456789abcdefghij",
        "/Groups/x",
        "/Bulk",
        "/.search",
        "/Users/.search",
        "/Schemas",
        "/ResourceTypes/User",
        "/Me",
        "",
        "/v2/Users",
    ];
    let parameter = prop::sample::select(vec!["filter", "startIndex", "count", "cursor", "sortBy", "attributes", "x"]);
    let query = prop::option::of((parameter, any::<String>()).prop_map(|(name, value)| {
        let value = percent_encoding::utf8_percent_encode(&value, percent_encoding::NON_ALPHANUMERIC);
        format!("?{name}={value}")
    }));
    let path = prop_oneof![4 => prop::sample::select(known).prop_map(str::to_owned), 1 => "/[ -~]{0,40}"];
    (path, query).prop_map(|(path, query)| path + &query.unwrap_or_default())
}

/// JSON with the names and values that mean something here, put together in any way.
fn json() -> impl Strategy<Value = Value> {
    let names = vec![
        "schemas",
        "userName",
        "USERNAME",
        "displayName",
        "emails",
        "value",
        "primary",
        "type",
        "active",
        "members",
        "name",
        "givenName",
        "Operations",
        "op",
        "path",
        "method",
        "bulkId",
        "data",
        "failOnErrors",
        "filter",
        "id",
        "meta",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
        "manager",
    ];
    let texts = vec![
        "add",
        "replace",
        "remove",
        "POST",
        "PATCH",
        "DELETE",
        "/Users",
        "/Groups",
        "bulkId:a",
        "a",
        "ann@example.com",
        "emails[type eq \"work\"].value",
        "members[value eq \"x\"]",
        "name.givenName",
        "True",
        "",
        "urn:ietf:params:scim:api:messages:2.0:PatchOp",
        "urn:ietf:params:scim:api:messages:2.0:BulkRequest",
    ];
    let leaf = prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        1 => any::<String>().prop_map(Value::from),
        8 => prop::sample::select(texts).prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            3 => prop::collection::vec((prop::sample::select(names.clone()), inner), 0..6).prop_map(|members| {
                Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
            }),
        ]
    })
}

fn body() -> impl Strategy<Value = Option<String>> {
    prop_oneof![
        1 => Just(None),
        2 => any::<String>().prop_map(Some),
        6 => json().prop_map(|value| Some(value.to_string())),
    ]
}

fn headers(directory: &Directory) -> Vec<(String, String)> {
    vec![("authorization".to_owned(), format!("Bearer {}", directory.api_key))]
}

#[test]
fn any_request_to_a_directory_is_answered() {
    let directory = server::component_with(|settings| settings.membership_resources = true);
    proptest!(ProptestConfig::with_cases(CASES), |(method in method(), target in target(), body in body())| {
        check(&directory.send(Request { method, target, headers: headers(&directory), body }));
    });
}

#[test]
fn any_bytes_are_answered() {
    let directory = server::component_with(|settings| settings.membership_resources = true);
    let fields = prop::collection::vec((any::<String>(), any::<String>()), 0..5);
    proptest!(ProptestConfig::with_cases(CASES), |(method in any::<String>(), target in any::<String>(), headers in fields,
                                                   body in any::<Option<String>>())| {
        check(&directory.send(Request { method, target, headers, body }));
    });
}

#[test]
fn the_deepest_and_longest_bodies_are_answered() {
    let directory = server::component_with(|settings| settings.membership_resources = true);
    let long = "x".repeat(15 << 20);
    let bodies = [
        "[".repeat(1 << 20),
        "{\"a\":".repeat(1 << 20),
        format!("{{\"userName\":\"{long}\"}}"),
        format!(
            "{{\"schemas\":[],\"Operations\":[{}]}}",
            "{\"op\":\"add\",\"path\":\"members\",\"value\":[]},".repeat(200_000)
        ),
        format!("[{}]", "1,".repeat(5 << 20)),
        format!("{{\"userName\":\"a\",\"emails\":[{}{{}}]}}", "{\"value\":\"a\"},".repeat(500_000)),
    ];
    for body in bodies {
        for (method, target) in [("POST", "/Users"), ("PATCH", "/Groups/0123456789abcdefghij"), ("POST", "/Bulk")] {
            let request = Request {
                method: method.to_owned(),
                target: target.to_owned(),
                headers: headers(&directory),
                body: Some(body.clone()),
            };
            let response = directory.send(request);
            check(&response);
            assert!((400..500).contains(&response.status), "{method} {target}: {}", response.status);
        }
    }
    let filter = format!("/Users?filter={}", "(".repeat(100_000));
    check(&directory.send(Request {
        method: "GET".to_owned(),
        target: filter,
        headers: headers(&directory),
        body: None,
    }));
}
