//! The wire shapes: what clients get, to the letter. Golden files in `golden/wire`; `USHER_BLESS=1` rewrites them.

use serde_json::{Value, json};
use usher_tests::golden;
use usher_tests::server::{self, Directory, Request, Response};

fn send(directory: &Directory, method: &str, target: &str, body: Option<Value>) -> Response {
    send_with(directory, method, target, body, &[])
}

fn send_with(
    directory: &Directory,
    method: &str,
    target: &str,
    body: Option<Value>,
    headers: &[(&str, &str)],
) -> Response {
    let mut all = vec![("authorization".to_owned(), format!("Bearer {}", directory.api_key))];
    if body.is_some() {
        all.push(("content-type".to_owned(), "application/scim+json".to_owned()));
    }
    for (name, value) in headers {
        all.retain(|(known, _)| known != name);
        all.push(((*name).to_owned(), (*value).to_owned()));
    }
    let body = body.map(|body| body.to_string());
    directory.send(Request { method: method.to_owned(), target: target.to_owned(), headers: all, body })
}

/// Compares a response with a golden file.
fn shape(name: &str, response: &Response) {
    golden::compare_response(&format!("wire/{name}"), response);
}

fn id_of(response: &Response) -> String {
    response.json()["id"].as_str().expect("a resource has an id").to_owned()
}

fn ann() -> Value {
    json!({
        "schemas": [
            "urn:ietf:params:scim:schemas:core:2.0:User",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
        ],
        "externalId": "e-1",
        "userName": "Ann@Example.com",
        "name": {"givenName": "Ann", "familyName": "Ärlig \"A\""},
        "active": "True",
        "emails": [{"value": "ann@example.com", "type": "work", "primary": true}],
        "password": "ignored",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": "Looms", "manager": "m-1"},
    })
}

#[test]
fn users_and_groups() {
    let directory = server::component();
    let user = send(&directory, "POST", "/Users", Some(ann()));
    shape("user-created", &user);
    let id = id_of(&user);
    let group =
        send(&directory, "POST", "/Groups", Some(json!({"displayName": "Weavers", "members": [{"value": id}]})));
    shape("group-created", &group);
    let group = id_of(&group);
    shape("user-read", &send(&directory, "GET", &format!("/Users/{id}"), None));
    shape(
        "user-read-in-part",
        &send(&directory, "GET", &format!("/Users/{id}?attributes=userName,emails.value"), None),
    );
    shape(
        "group-read-without-members",
        &send(&directory, "GET", &format!("/Groups/{group}?excludedAttributes=members"), None),
    );
    let etag = [("if-none-match", "W/\"1\"")];
    shape("user-not-modified", &send_with(&directory, "GET", &format!("/Users/{id}"), None, &etag));
    shape("users-listed", &send(&directory, "GET", "/Users?count=1", None));
    shape("users-found", &send(&directory, "GET", "/Users?filter=userName+eq+%22nobody%22", None));
    let patch = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "Replace", "path": "active", "value": "False"}],
    });
    shape("user-patched", &send(&directory, "PATCH", &format!("/Users/{id}"), Some(patch.clone())));
    let minimal = [("prefer", "return=minimal")];
    shape("user-patched-minimal", &send_with(&directory, "PATCH", &format!("/Users/{id}"), Some(patch), &minimal));
    shape("user-deleted", &send(&directory, "DELETE", &format!("/Users/{id}"), None));
    shape("group-read-when-empty", &send(&directory, "GET", &format!("/Groups/{group}"), None));
}

#[test]
fn memberships() {
    let directory = server::component_with(|settings| settings.membership_resources = true);
    let user = id_of(&send(&directory, "POST", "/Users", Some(ann())));
    let group = id_of(&send(&directory, "POST", "/Groups", Some(json!({"displayName": "Weavers"}))));
    let body = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:GroupMembership"],
        "group": {"value": group},
        "member": {"value": user},
    });
    let made = send(&directory, "POST", "/GroupMemberships", Some(body.clone()));
    shape("membership-created", &made);
    let path = format!("/GroupMemberships/{}", id_of(&made));
    shape("membership-read", &send(&directory, "GET", &path, None));
    shape("membership-taken", &send(&directory, "POST", "/GroupMemberships", Some(body)));
    let by_group = format!("/GroupMemberships?filter=group.value+eq+%22{group}%22&cursor=");
    shape("memberships-listed", &send(&directory, "GET", &by_group, None));
    let filter = "/GroupMemberships?filter=group.display+eq+%22Weavers%22";
    shape("memberships-filter-refused", &send(&directory, "GET", filter, None));
    shape("membership-not-replaced", &send(&directory, "PUT", &path, Some(json!({}))));
    shape("membership-removed", &send(&directory, "DELETE", &path, None));
    shape("membership-not-found", &send(&directory, "GET", &path, None));
    shape("membership-type", &send(&directory, "GET", "/ResourceTypes/GroupMembership", None));
    let schema = "/Schemas/urn:ietf:params:scim:schemas:core:2.0:GroupMembership";
    shape("membership-schema", &send(&directory, "GET", schema, None));
    shape("memberships-off", &send(&server::component(), "GET", "/GroupMemberships", None));
}

#[test]
fn bulk() {
    let directory = server::component();
    let body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": [
            {"method": "POST", "path": "/Groups", "bulkId": "g", "data": {"displayName": "Weavers", "members": [{"value": "bulkId:u"}]}},
            {"method": "POST", "path": "/Users", "bulkId": "u", "data": {"userName": "ann"}},
            {"method": "POST", "path": "/Users", "bulkId": "v", "data": {"userName": "ANN"}},
            {"method": "PATCH", "path": "/Users/bulkId:u", "data": {"Operations": [{"op": "add", "path": "title", "value": "Countess"}]}},
            {"method": "DELETE", "path": "/Users/bulkId:v"},
        ],
    });
    shape("bulk", &send(&directory, "POST", "/Bulk", Some(body)));
}

#[test]
fn refusals() {
    let directory = server::component();
    let user = id_of(&send(&directory, "POST", "/Users", Some(ann())));
    shape("unauthorized", &send_with(&directory, "GET", "/Users", None, &[("authorization", "Bearer wrong")]));
    shape("not-found", &send(&directory, "GET", "/Users/nobody", None));
    shape("no-such-endpoint", &send(&directory, "GET", "/Robots", None));
    shape("method-not-allowed", &send(&directory, "DELETE", "/Users", None));
    shape("uniqueness", &send(&directory, "POST", "/Users", Some(ann())));
    shape("invalid-filter", &send(&directory, "GET", "/Users?filter=userName+like+%22x%22", None));
    shape("invalid-value", &send(&directory, "POST", "/Users", Some(json!({"userName": 42}))));
    shape("invalid-syntax", &send(&directory, "POST", "/Users", Some(json!([]))));
    let stale = [("if-match", "W/\"7\"")];
    shape("precondition-failed", &send_with(&directory, "DELETE", &format!("/Users/{user}"), None, &stale));
    let text = [("content-type", "text/plain")];
    shape("unsupported-media-type", &send_with(&directory, "POST", "/Users", Some(ann()), &text));
    shape("me", &send(&directory, "GET", "/Me", None));
    let unknown = json!({"displayName": "Weavers", "members": [{"value": "nobody"}]});
    shape("unknown-member", &send(&directory, "POST", "/Groups", Some(unknown)));
}

#[test]
fn discovery() {
    let directory = server::component();
    shape("service-provider-config", &send(&directory, "GET", "/ServiceProviderConfig", None));
    shape("resource-types", &send(&directory, "GET", "/ResourceTypes", None));
    shape("schemas", &send(&directory, "GET", "/Schemas", None));
}
