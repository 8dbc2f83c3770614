//! Methods, media types, credentials and paths (RFC 7644, sections 2, 3.1, 3.8, 3.11, 3.13; RFC 9110).

use serde_json::{Value, json};

use super::site::{Site, settings};

#[test]
fn every_endpoint_says_which_methods_it_has() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    for (path, allow) in [
        ("", "GET, HEAD"),
        ("/Users", "GET, HEAD, POST"),
        ("/Groups", "GET, HEAD, POST"),
        ("/Users/0", "GET, HEAD, PUT, PATCH, DELETE"),
        ("/Groups/0", "GET, HEAD, PUT, PATCH, DELETE"),
        ("/.search", "POST"),
        ("/Users/.search", "POST"),
        ("/Groups/.search", "POST"),
        ("/Bulk", "POST"),
        ("/ServiceProviderConfig", "GET, HEAD"),
        ("/ResourceTypes", "GET, HEAD"),
        ("/ResourceTypes/User", "GET, HEAD"),
        ("/Schemas", "GET, HEAD"),
        ("/Schemas/urn:ietf:params:scim:schemas:core:2.0:User", "GET, HEAD"),
    ] {
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW", "get", ""] {
            let answer = directory.send(method, path, &Value::Null);
            let allowed = allow.split(", ").any(|allowed| allowed == method);
            assert_eq!(answer.status != 405, allowed, "{method} {path}: {}", answer.body);
            assert!(allowed || answer.header("allow") == Some(allow), "{method} {path}");
        }
    }
}

#[test]
fn a_head_is_answered_like_a_get() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let user = format!("/Users/{}", directory.user("ann@x.test"));
    for path in [&user, "/Users?filter=title%20pr", "/Schemas", "/Users/0", "/Users?filter=x"] {
        assert_eq!(directory.send("HEAD", path, &Value::Null), directory.get(path));
    }
}

#[test]
fn nobody_is_anybody_here() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
        directory.send(method, "/Me", &Value::Null).expect(501);
    }
}

#[test]
fn bodies_are_json_of_either_media_type() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    for (at, (media_type, status)) in [
        ("application/scim+json", 201),
        ("application/json", 201),
        ("Application/SCIM+JSON; charset=utf-8", 201),
        ("application/json;charset=UTF-8", 201),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("application/xml", 415),
        ("", 415),
    ]
    .into_iter()
    .enumerate()
    {
        let body = json!({ "userName": format!("u{at}") });
        directory.send_with("POST", "/Users", &body, &[("Content-Type", media_type)]).expect(status);
    }
    for (method, path) in
        [("POST", "/Users"), ("POST", "/.search"), ("POST", "/Bulk"), ("PATCH", "/Users/0"), ("PUT", "/Groups/0")]
    {
        for body in [None, Some(""), Some(" \n"), Some("{"), Some("nonsense"), Some("{}}"), Some("\u{feff}{}")] {
            let request = directory.request(method, path, body.map(ToString::to_string));
            site.handle(&request).refused(400, "invalidSyntax");
        }
    }
}

#[test]
fn without_a_key_that_works_here_there_is_nothing_to_see() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let other = site.connect(&settings("other"));
    let (id, secret) = directory.key.split_once('.').unwrap();
    let keys = [
        String::new(),
        "Bearer".to_string(),
        "Bearer ".to_string(),
        format!("Basic {}", directory.key),
        format!("Bearer {}", other.key),
        format!("Bearer {id}."),
        format!("Bearer {id}.{}", "A".repeat(43)),
        format!("Bearer {secret}.{id}"),
        format!("Bearer {}x", directory.key),
        format!("Bearer {id}.{}", "x".repeat(1 << 20)),
    ];
    for key in keys.iter().map(Some).chain([None]) {
        for path in ["", "/Users", "/Users/0", "/Nothing", "/ServiceProviderConfig", "/Bulk", "/Me"] {
            let mut request = directory.request("GET", path, None);
            request.headers = key.iter().map(|key| ("authorization".to_string(), (*key).clone())).collect();
            let answer = site.handle(&request).expect(401);
            assert!(answer.header("www-authenticate").unwrap().starts_with("Bearer"));
        }
    }
    for path in ["/scim/directory/none", "/scim/directory/0123456789abcdefghij", "/scim/directory/%2e%2e%2fd"] {
        let mut request = directory.request("GET", "", None);
        request.path = path.to_string();
        site.handle(&request).expect(401);
    }
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let mut request = directory.request("GET", "/Users", None);
        request.headers = vec![("AUTHORIZATION".into(), format!(" {scheme}  {} ", directory.key))];
        site.handle(&request).expect(200);
    }
}

#[test]
fn paths_lead_to_one_place_only() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let id = directory.user("ann@x.test");
    for path in
        [format!("/Users/{id}"), format!("/v2/Users/{id}"), format!("/V2//Users//{id}/"), format!("/%55sers/{id}")]
    {
        directory.get(&path).expect(200);
    }
    for path in [
        "/users",
        "/Users/a/b",
        "/Users/a/.search",
        "/Nothing",
        "/v3/Users",
        "/v2/v2/Users",
        "/Users/%FF",
        "/Users/%00",
        "/Users/..",
        "/Users/%2e%2e%2f",
    ] {
        directory.get(path).expect(404);
    }
    let foreign = site.connect(&settings("other")).user("bob@x.test");
    for kind in ["Users", "Groups"] {
        directory.get(&format!("/{kind}/{foreign}")).expect(404);
        directory.delete(&format!("/{kind}/{foreign}")).expect(404);
    }
}

#[test]
fn a_body_that_is_encoded_is_not_taken() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let body = json!({ "userName": "ann" });
    let search = json!({ "filter": "userName pr" });
    for (method, path, body) in [
        ("POST", "/Users", &body),
        ("POST", "/Bulk", &body),
        ("POST", "/.search", &search),
        ("POST", "/Users/.search", &search),
        ("PUT", "/Users/0123456789abcdefghij", &body),
        ("PATCH", "/Groups/0123456789abcdefghij", &body),
    ] {
        for coding in ["gzip", "br", "x", "identity, gzip", "GZIP, identity"] {
            let answer = directory.send_with(method, path, body, &[("Content-Encoding", coding)]).expect(415);
            assert!(answer.body["detail"].as_str().unwrap().contains("Content-Encoding"));
        }
        // What is no text is not handed over.
        directory.send_with(method, path, &Value::Null, &[("content-encoding", "gzip")]).expect(415);
    }
    for coding in ["identity", "Identity", "", " ", "identity, identity"] {
        directory.send_with("POST", "/Users/.search", &search, &[("Content-Encoding", coding)]).expect(200);
    }
    directory.send_with("GET", "/Users", &Value::Null, &[("Content-Encoding", "gzip")]).expect(200);
}
