//! Making, replacing, changing and deleting users (RFC 7644, sections 3.3, 3.5, 3.6, 3.12, and the product's rules).

use serde_json::{Value, json};
use usher_engine::directories::{EmailChange, EmailPresence, Settings};

use super::site::{GROUP, ORIGIN, Site, USER, settings};

#[test]
fn what_is_made_is_returned_with_where_it_is() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let made = directory
        .post("/Users", &json!({ "schemas": [USER], "userName": "ann", "id": "mine", "meta": {}, "x": 1 }))
        .expect(201);
    let location = format!("{ORIGIN}{}/Users/{}", directory.path, made.id());
    assert_eq!(made.header("location"), Some(location.as_str()));
    assert_eq!(made.body["meta"]["location"], location.as_str());
    assert_eq!(made.body["meta"]["resourceType"], "User");
    assert_eq!(made.body["meta"]["created"], made.body["meta"]["lastModified"]);
    assert_eq!(made.body["active"], true);
    assert_ne!(made.id(), "mine");
    assert_eq!(directory.get(&format!("/Users/{}", made.id())).expect(200).body, made.body);
    for body in [json!({ "userName": " ANN " }), json!({ "userName": "Ann", "active": false })] {
        directory.post("/Users", &body).refused(409, "uniqueness");
    }
    for body in [
        json!({}),
        json!({ "userName": "" }),
        json!({ "userName": null }),
        json!({ "schemas": [GROUP], "userName": "b" }),
    ] {
        directory.post("/Users", &body).refused(400, "invalidValue");
    }
    directory.post("/Users", &json!([])).refused(400, "invalidSyntax");
}

#[test]
fn what_is_put_is_all_there_is() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let id =
        directory.post("/Users", &json!({ "userName": "ann", "title": "t", "externalId": "e", "active": false })).id();
    let path = format!("/Users/{id}");
    let put = directory
        .send("PUT", &path, &json!({ "id": "other", "userName": "anna", "groups": [{ "value": "x" }] }))
        .expect(200);
    assert_eq!(put.id(), id);
    for gone in ["title", "externalId", "groups"] {
        assert!(put.body.get(gone).is_none(), "{gone}");
    }
    // A leaver is not let in again by who says nothing about it.
    assert_eq!(put.body["active"], false);
    assert_eq!(directory.get(&path).body, put.body);
    assert_eq!(directory.ids("/Users?filter=userName%20eq%20%22ann%22"), Vec::<String>::new());
    directory.send("PUT", &path, &json!({ "title": "no name" })).refused(400, "invalidValue");
    directory.send("PUT", "/Users/0", &json!({ "userName": "x" })).expect(404);
    directory.user("bob@x.test");
    directory.send("PUT", &path, &json!({ "userName": "BOB@x.test" })).refused(409, "uniqueness");
}

#[test]
fn a_client_that_wants_nothing_back_gets_nothing() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let path = format!("/Users/{}", directory.user("ann@x.test"));
    let mut title = 0;
    let mut patch = |query: &str, headers: &[(&str, &str)]| {
        title += 1;
        let body = json!({ "Operations": [{ "op": "add", "path": "title", "value": title.to_string() }] });
        directory.send_with("PATCH", &format!("{path}{query}"), &body, headers)
    };
    assert_eq!(patch("", &[]).expect(200).body["title"], "1");
    for value in ["return=minimal", "RETURN=\"minimal\"", "respond-async, return = minimal", "return=minimal; x=y"] {
        let answer = patch("", &[("Prefer", value)]).expect(204);
        assert_eq!(answer.header("preference-applied"), Some("return=minimal"), "{value}");
        assert!(answer.header("etag").is_some());
    }
    patch("", &[("Prefer", "respond-async"), ("Prefer", "return=minimal")]).expect(204);
    for value in ["return=representation", "minimal", "x=y; return=minimal", ""] {
        patch("", &[("Prefer", value)]).expect(200);
    }
    patch("?attributes=title", &[("Prefer", "return=minimal")]).expect(200);
}

#[test]
fn the_email_is_changed_only_where_that_is_wanted() {
    let site = Site::new();
    let strict = site.connect(&settings("strict"));
    let follows = site.connect(&Settings { email_change: EmailChange::Follow, ..settings("follows") });
    let emails = |value: &str| json!([{ "op": "replace", "path": "emails", "value": [{ "value": value }] }]);
    let path = format!("/Users/{}", strict.user("ann@x.test"));
    let before = strict.get(&path);
    strict.patch(&path, emails("other@x.test")).refused(400, "mutability");
    strict
        .patch(
            &path,
            json!([{ "op": "remove", "path": "emails" }, { "op": "replace", "path": "userName", "value": "ann" }]),
        )
        .refused(400, "mutability");
    strict.patch(&path, json!([{ "op": "replace", "path": "userName", "value": "ann" }])).refused(400, "mutability");
    assert_eq!(strict.get(&path), before);
    strict.patch(&path, emails(" ANN@X.test ")).expect(200);
    // Who leaves, leaves, whatever else is asked.
    let left = json!([{ "op": "replace", "value": { "active": "False", "title": "t", "emails": [{ "value": "other@x.test" }] } }]);
    let left = strict.patch(&path, left).expect(200).body;
    assert_eq!(
        (&left["active"], &left["title"], &left["emails"][0]["value"]),
        (&json!(false), &json!("t"), &json!(" ANN@X.test "))
    );
    let path = format!("/Users/{}", follows.user("bob@x.test"));
    assert_eq!(follows.patch(&path, emails("other@x.test")).expect(200).body["emails"][0]["value"], "other@x.test");
}

#[test]
fn an_address_can_be_required() {
    let site = Site::new();
    let directory = site.connect(&Settings { email: EmailPresence::Required, ..settings("idp") });
    directory.post("/Users", &json!({ "userName": "ann" })).refused(400, "invalidValue");
    directory.post("/Users", &json!({ "userName": "ann", "emails": [{ "value": " " }] })).refused(400, "invalidValue");
    directory.post("/Users", &json!({ "userName": "ann@x.test" })).expect(201);
    let path = format!(
        "/Users/{}",
        directory.post("/Users", &json!({ "userName": "bob", "emails": ["b@x.test"] })).expect(201).id()
    );
    let remove = json!([{ "op": "remove", "path": "emails" }]);
    assert!(directory.patch(&path, remove).status == 400);
}

#[test]
fn what_is_deleted_is_gone() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let path = format!("/Users/{}", directory.user("ann@x.test"));
    directory.delete(&path).expect(204);
    directory.delete(&path).expect(404);
    directory.get(&path).expect(404);
    directory.patch(&path, json!([])).expect(404);
    directory.send("PUT", &path, &json!({ "userName": "ann@x.test" })).expect(404);
    assert_ne!(format!("/Users/{}", directory.user("ann@x.test")), path);
}

#[test]
fn operations_that_cannot_be_done_say_why() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let path = format!("/Users/{}", directory.user("ann@x.test"));
    let before = directory.get(&path);
    let fine = json!({ "op": "add", "path": "title", "value": "t" });
    for (operation, scim_type) in [
        (json!({ "op": "remove" }), "noTarget"),
        (
            json!({ "op": "replace", "path": "emails[type eq \"work\" or type eq \"home\"].value", "value": "x@x.test" }),
            "noTarget",
        ),
        (json!({ "op": "add", "path": "emails[", "value": "x" }), "invalidFilter"),
        (json!({ "op": "add", "path": "userName[value eq \"x\"]", "value": "x" }), "invalidPath"),
        (json!({ "op": "add", "path": "title" }), "invalidValue"),
        (json!({ "op": "add", "path": "active", "value": "maybe" }), "invalidValue"),
        (json!({ "op": "replace", "path": "id", "value": "x" }), "mutability"),
        (json!({ "op": "add", "path": "groups", "value": [] }), "mutability"),
        (json!({ "op": "remove", "path": "userName" }), "mutability"),
        (json!({ "op": "move", "path": "title" }), "invalidSyntax"),
        (json!([]), "invalidSyntax"),
    ] {
        // The operation in front of it is not done either.
        directory.patch(&path, json!([fine, operation])).refused(400, scim_type);
        assert_eq!(directory.get(&path), before);
    }
    directory.send("PATCH", &path, &json!({ "schemas": ["urn:x"], "Operations": [] })).refused(400, "invalidSyntax");
    directory.send("PATCH", &path, &json!({})).refused(400, "invalidSyntax");
    assert_eq!(directory.send("PATCH", &path, &json!({ "Operations": [] })).expect(200).body, before.body);
    assert_eq!(directory.send("PATCH", &path, &Value::Null).status, 400);
}
