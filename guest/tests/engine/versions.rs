//! Entity tags (RFC 7644, section 3.14; RFC 9110, section 13).

use serde_json::{Value, json};

use super::site::{Site, settings};

#[test]
fn reads_are_answered_by_what_the_client_has() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let path = format!("/Users/{}", directory.user("ann@x.test"));
    let first = directory.get(&path).expect(200);
    assert_eq!(first.header("etag"), Some("W/\"1\""));
    assert_eq!(first.body["meta"]["version"], "W/\"1\"");
    for (name, value, status) in [
        ("If-None-Match", "W/\"1\"", 304),
        ("if-none-match", "\"1\"", 304),
        ("If-None-Match", "W/\"7\", W/\"1\"", 304),
        ("If-None-Match", "*", 304),
        ("If-None-Match", "W/\"2\"", 200),
        ("If-None-Match", "", 200),
        ("If-Match", "W/\"1\"", 200),
        ("If-Match", "*", 200),
        ("If-Match", "W/\"2\"", 412),
    ] {
        let answer = directory.send_with("GET", &path, &Value::Null, &[(name, value)]).expect(status);
        assert_eq!(answer.header("etag").is_some(), status != 412, "{name}: {value}");
    }
    let lines = [("If-None-Match", "W/\"7\""), ("If-None-Match", "W/\"1\"")];
    directory.send_with("GET", &path, &Value::Null, &lines).expect(304);
    // A precondition of what is not there says nothing.
    directory.send_with("GET", "/Users/0", &Value::Null, &[("If-Match", "*")]).expect(404);
}

#[test]
fn writes_go_ahead_in_the_expected_state_only() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let id = directory.user("ann@x.test");
    let path = format!("/Users/{id}");
    let title = |title: &str| json!({ "Operations": [{ "op": "add", "path": "title", "value": title }] });
    let bodies = [
        ("PUT", json!({ "userName": "ann@x.test", "emails": [{ "value": "ann@x.test" }] })),
        ("PATCH", title("x")),
        ("DELETE", Value::Null),
    ];
    for (method, body) in &bodies {
        for header in
            [("If-Match", "W/\"7\""), ("If-Match", "\"\""), ("If-None-Match", "*"), ("If-None-Match", "W/\"1\"")]
        {
            let answer = directory.send_with(method, &path, body, &[header]).expect(412);
            assert!(answer.body["detail"].as_str().unwrap().contains("W/\"1\""));
        }
    }
    let matching = [("If-Match", "W/\"9\", W/\"1\"")];
    let second = directory.send_with("PATCH", &path, &title("x"), &matching).expect(200);
    assert_eq!(second.header("etag"), Some("W/\"2\""));
    // What changes nothing makes no new version.
    let same = directory.send_with("PATCH", &path, &title("x"), &[("If-Match", "W/\"2\"")]).expect(200);
    assert_eq!(same.body["meta"], second.body["meta"]);
    directory.send_with("DELETE", &path, &Value::Null, &[("If-Match", "*")]).expect(204);
}

#[test]
fn a_group_has_a_new_version_when_its_members_change() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let users: Vec<String> = (0..3).map(|n| directory.user(&format!("u{n}@x.test"))).collect();
    let path = format!("/Groups/{}", directory.group("g", &users[..1]));
    let add = |id: &str| json!([{ "op": "add", "path": "members", "value": [{ "value": id }] }]);
    assert_eq!(directory.patch(&path, add(&users[0])).expect(200).header("etag"), Some("W/\"1\""));
    assert_eq!(directory.patch(&path, add(&users[1])).expect(200).header("etag"), Some("W/\"2\""));
    directory.delete(&format!("/Users/{}", users[0])).expect(204);
    assert_eq!(directory.get(&path).header("etag"), Some("W/\"3\""));
}
