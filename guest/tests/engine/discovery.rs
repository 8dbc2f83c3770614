//! The discovery endpoints (RFC 7644, section 4; RFC 7643, sections 5 to 7) say what is done.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::site::{GROUP, LIST, ORIGIN, Site, USER, settings};

const USHER_USER: &str = "urn:scim:schemas:extension:usher:1.0:User";
const USHER_GROUP: &str = "urn:scim:schemas:extension:usher:1.0:Group";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

#[test]
fn the_configuration_is_the_truth() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let configuration = directory.get("/ServiceProviderConfig").expect(200).body;
    for feature in ["patch", "bulk", "filter", "sort", "etag"] {
        assert_eq!(configuration[feature]["supported"], true, "{feature}");
    }
    assert_eq!(configuration["changePassword"]["supported"], false);
    assert_eq!(configuration["pagination"]["cursor"], true);
    assert_eq!(configuration["pagination"]["index"], true);
    assert_eq!(configuration["authenticationSchemes"][0]["type"], "oauthbearertoken");
    let limit = configuration["bulk"]["maxOperations"].as_u64().and_then(|limit| usize::try_from(limit).ok()).unwrap();
    let operations =
        |count: usize| json!({ "Operations": vec![json!({ "method": "DELETE", "path": "/Users/0" }); count] });
    directory.post("/Bulk", &operations(limit)).expect(200);
    directory.post("/Bulk", &operations(limit + 1)).expect(413);
    let longest = configuration["filter"]["maxResults"].as_u64().and_then(|limit| usize::try_from(limit).ok()).unwrap();
    let default =
        configuration["pagination"]["defaultPageSize"].as_u64().and_then(|limit| usize::try_from(limit).ok()).unwrap();
    directory.many("/Users", (0..=longest).map(|n| json!({ "userName": format!("u{n}") })));
    assert_eq!(directory.ids("/Users?count=100000&attributes=id").len(), longest);
    assert_eq!(directory.ids("/Users?attributes=id").len(), default);
    assert_eq!(configuration["pagination"]["maxPageSize"], longest);
}

#[test]
fn schemas_and_types_are_found_where_they_say_they_are() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    for (path, ids) in [
        ("/Schemas", [USER, ENTERPRISE, USHER_USER, GROUP, USHER_GROUP].as_slice()),
        ("/ResourceTypes", &["User", "Group"]),
    ] {
        let list = directory.get(path).expect(200);
        assert_eq!(list.body["schemas"], json!([LIST]));
        assert_eq!(list.body["totalResults"], ids.len());
        assert_eq!(list.ids(), ids);
        for resource in list.resources() {
            let location = resource["meta"]["location"].as_str().unwrap();
            let below = location.strip_prefix(&format!("{ORIGIN}{}", directory.path)).unwrap();
            assert_eq!(directory.get(below).expect(200).body, *resource);
            assert_eq!(directory.get(&below.replace(':', "%3A")).expect(200).body, *resource);
        }
        directory.get(&format!("{path}/nothing")).expect(404);
        // Filters are not taken, and what else a list has is ignored.
        directory.get(&format!("{path}?filter=id%20pr")).expect(403);
        assert_eq!(directory.get(&format!("{path}?startIndex=2&count=0&attributes=id&sortBy=id")), list);
    }
    directory.get("/ServiceProviderConfig?filter=x").expect(403);
}

/// What a schema says can be written comes back, and nothing comes back that it does not have.
#[test]
fn everything_that_a_schema_offers_is_kept() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let mut body = json!({ "externalId": "x" });
    let schemas = directory.get("/Schemas").body["Resources"].clone();
    body.as_object_mut().unwrap().extend(sample(&schemas[0]["attributes"]).as_object().unwrap().clone());
    body[ENTERPRISE] = sample(&schemas[1]["attributes"]);
    let made = directory.post("/Users", &body).expect(201).body;
    for (name, value) in body.as_object().unwrap() {
        assert_eq!(made[name], *value, "{name}");
    }
    let offered: BTreeSet<&str> =
        ["schemas", "id", "meta"].into_iter().chain(body.as_object().unwrap().keys().map(String::as_str)).collect();
    assert_eq!(made.as_object().unwrap().keys().map(String::as_str).collect::<BTreeSet<_>>(), offered);
    assert_eq!(made["schemas"], json!([USER, ENTERPRISE]));
}

/// A value for every attribute that can be written.
fn sample(attributes: &Value) -> Value {
    let writable = attributes.as_array().unwrap().iter().filter(|attribute| attribute["mutability"] != "readOnly");
    let value = |attribute: &Value| {
        let value = match attribute["type"].as_str().unwrap() {
            "complex" => sample(&attribute["subAttributes"]),
            "boolean" => true.into(),
            "binary" => "AQID".into(),
            _ => "a@x.test".into(),
        };
        if attribute["multiValued"] == true { json!([value]) } else { value }
    };
    writable.map(|attribute| (attribute["name"].as_str().unwrap().to_string(), value(attribute))).collect()
}
