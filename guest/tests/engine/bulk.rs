//! Bulk requests (RFC 7644, section 3.7).

use serde_json::{Value, json};

use super::integrity;
use super::site::{Site, settings};

const MANAGER: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn statuses(answer: &Value) -> Vec<&str> {
    answer["Operations"].as_array().unwrap().iter().map(|done| done["status"].as_str().unwrap()).collect()
}

#[test]
fn references_are_resolved_in_any_order_and_in_circles() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let user = |name: &str, manager: &str| json!({ "method": "POST", "path": "/Users", "bulkId": name, "data": { "userName": name, MANAGER: { "manager": { "value": format!("bulkId:{manager}") } } } });
    let operations = json!([
        { "method": "PATCH", "path": "/Groups/bulkId:g", "data": { "Operations": [{ "op": "add", "path": "members", "value": [{ "value": "bulkId:a" }] }] } },
        { "method": "post", "path": "/Groups", "bulkId": "g", "data": { "displayName": "g", "members": [{ "value": "bulkId:b" }] } },
        user("a", "b"),
        user("b", "a"),
        user("c", "c"),
        { "method": "PUT", "path": "/Users/bulkId:c", "data": { "userName": "renamed" } },
    ]);
    let answer = directory.post("/Bulk", &json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "failOnErrors": 1, "Operations": operations })).expect(200).body;
    assert_eq!(answer["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:BulkResponse"]));
    assert_eq!(statuses(&answer), ["200", "201", "201", "201", "201", "200"]);
    let location = |at: usize| answer["Operations"][at]["location"].as_str().unwrap();
    let id = |at: usize| location(at).rsplit('/').next().unwrap();
    assert_eq!(location(0), location(1));
    assert_eq!(answer["Operations"][1]["method"], "POST");
    assert_eq!(answer["Operations"][1]["bulkId"], "g");
    assert_eq!(answer["Operations"][0]["version"], "W/\"2\"");
    for (at, manager) in [(2, 3), (3, 2)] {
        let user = directory.get(&format!("/Users/{}", id(at))).expect(200).body;
        assert_eq!(user[MANAGER]["manager"]["value"], id(manager));
    }
    let members = directory.get(&format!("/Groups/{}", id(1))).body["members"].as_array().unwrap().len();
    assert_eq!((members, directory.ids("/Users?filter=userName%20eq%20%22renamed%22")), (2, vec![id(4).to_string()]));
    integrity::check(&site.storage);
}

#[test]
fn a_circle_is_entered_where_it_can_be() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let operations = json!([
        { "method": "POST", "path": "/Groups", "bulkId": "g", "data": { "displayName": "g", "members": [{ "value": "bulkId:u" }] } },
        { "method": "POST", "path": "/Users", "bulkId": "u", "data": { "userName": "u", "title": "bulkId:g" } },
    ]);
    let answer = directory.post("/Bulk", &json!({ "Operations": operations })).expect(200).body;
    assert_eq!(statuses(&answer), ["201", "201"]);
}

#[test]
fn an_operation_that_fails_leaves_nothing_and_the_others_stand() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let user = directory.user("ann@x.test");
    let group = directory.group("Staff", std::slice::from_ref(&user));
    let operations = json!([
        { "method": "POST", "path": "/Users", "bulkId": "a", "data": { "userName": "ANN@x.test" } },
        { "method": "POST", "path": "/Groups", "bulkId": "g", "data": { "displayName": "of a", "members": [{ "value": "bulkId:a" }] } },
        { "method": "PATCH", "path": format!("/Groups/{group}"), "data": { "Operations": [
            { "op": "remove", "path": "members" },
            { "op": "replace", "path": "displayName", "value": "Renamed" },
            { "op": "add", "path": "members", "value": [{ "value": "nobody" }] } ] } },
        { "method": "DELETE", "path": format!("/Users/{user}"), "version": "W/\"7\"" },
        { "method": "POST", "path": "/Users", "data": { "userName": "no bulkId" } },
        { "method": "GET", "path": "/Users" },
        { "method": "PUT", "path": "/Users", "data": { "userName": "x" } },
        { "method": "DELETE", "path": "/Nothing/1" },
        { "method": "PATCH", "path": format!("/Users/{user}") },
        { "method": "DELETE", "path": "/Users/bulkId:unknown" },
        { "method": "POST", "path": "/Users", "bulkId": "b", "data": { "userName": "bob@x.test" } },
    ]);
    let answer = directory.post("/Bulk", &json!({ "Operations": operations })).expect(200).body;
    assert_eq!(statuses(&answer), ["409", "400", "400", "412", "400", "400", "400", "404", "400", "400", "201"]);
    assert!(answer["Operations"][0].get("location").is_none());
    assert_eq!(answer["Operations"][0]["response"]["scimType"], "uniqueness");
    assert!(answer["Operations"][3]["location"].as_str().unwrap().ends_with(&user));
    let group = directory.get(&format!("/Groups/{group}")).expect(200).body;
    assert_eq!((&group["displayName"], group["members"].as_array().unwrap().len()), (&json!("Staff"), 1));
    assert_eq!(directory.get("/Users").body["totalResults"], 2);
    integrity::check(&site.storage);
}

#[test]
fn it_ends_after_as_many_errors_as_are_allowed() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let bad = json!({ "method": "DELETE", "path": "/Users/0" });
    let good = |n: usize| json!({ "method": "POST", "path": "/Users", "bulkId": n.to_string(), "data": { "userName": n.to_string() } });
    for (fail_on_errors, done) in [(json!(1), 2), (json!(2), 4), (json!(3), 5), (Value::Null, 5)] {
        let operations = json!([good(1), bad, good(2), bad, good(3)]);
        let answer = directory
            .post("/Bulk", &json!({ "failOnErrors": fail_on_errors, "Operations": operations }))
            .expect(200)
            .body;
        assert_eq!(statuses(&answer).len(), done, "{fail_on_errors}");
        for id in directory.ids("/Users") {
            directory.delete(&format!("/Users/{id}")).expect(204);
        }
    }
    for fail_on_errors in [json!(0), json!(-1), json!("1"), json!(1.5)] {
        directory
            .post("/Bulk", &json!({ "failOnErrors": fail_on_errors, "Operations": [] }))
            .refused(400, "invalidValue");
    }
}

#[test]
fn requests_that_are_not_built_right_are_refused() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let post = |bulk_id: &str| json!({ "method": "POST", "path": "/Users", "bulkId": bulk_id, "data": { "userName": bulk_id } });
    for body in [
        json!([]),
        json!({}),
        json!({ "Operations": {} }),
        json!({ "Operations": [7] }),
        json!({ "Operations": [{ "method": 7 }] }),
        json!({ "schemas": ["urn:x"], "Operations": [] }),
    ] {
        directory.post("/Bulk", &body).refused(400, "invalidSyntax");
    }
    directory.post("/Bulk", &json!({ "Operations": [post("a"), post("a")] })).refused(400, "invalidValue");
    assert_eq!(directory.post("/Bulk", &json!({ "Operations": [] })).expect(200).body["Operations"], json!([]));
    assert_eq!(directory.get("/Users").body["totalResults"], 0);
}
