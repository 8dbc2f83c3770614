//! Groups and their members.

use serde_json::{Value, json};
use usher_engine::directories::{Settings, UnknownMembers};

use super::integrity;
use super::site::{ORIGIN, Site, settings};

#[test]
fn a_membership_is_seen_from_both_ends() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let user = directory.user("ann@x.test");
    let made = directory
        .post("/Groups", &json!({ "displayName": "Staff", "members": [{ "value": user, "display": "Ann" }] }))
        .expect(201);
    let base = format!("{ORIGIN}{}", directory.path);
    let member = json!({ "value": user, "$ref": format!("{base}/Users/{user}"), "type": "User" });
    assert_eq!(made.body["members"], json!([member]));
    let of = json!({ "value": made.id(), "$ref": format!("{base}/Groups/{}", made.id()), "display": "Staff", "type": "direct" });
    assert_eq!(directory.get(&format!("/Users/{user}")).body["groups"], json!([of]));
    let path = format!("/Groups/{}", made.id());
    directory.patch(&path, json!([{ "op": "replace", "path": "displayName", "value": "All" }])).expect(200);
    assert_eq!(directory.get(&format!("/Users/{user}")).body["groups"][0]["display"], "All");
    let emptied = directory.send("PUT", &path, &json!({ "displayName": "All" })).expect(200);
    assert_eq!(emptied.body["members"], json!([]));
    assert!(directory.get(&format!("/Users/{user}")).body.get("groups").is_none());
}

#[test]
fn members_are_users_of_the_directory() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let skips = site.connect(&Settings { unknown_members: UnknownMembers::Skip, ..settings("skips") });
    let (user, foreign) = (directory.user("ann@x.test"), skips.user("bob@x.test"));
    let path = format!("/Groups/{}", directory.group("Staff", &[]));
    let before = directory.get(&path);
    for (stranger, named) in
        [(foreign.as_str(), true), ("nobody", true), ("0123456789abcdefghij", true), (&path[8..], true), ("", false)]
    {
        let members = json!([{ "value": user }, { "value": stranger }]);
        for answer in [
            directory.patch(&path, json!([{ "op": "add", "path": "members", "value": members }])),
            directory.send("PUT", &path, &json!({ "displayName": "Other", "members": members })),
            directory.post("/Groups", &json!({ "displayName": "Other", "members": members })),
        ] {
            let detail = answer.refused(400, "invalidValue").body["detail"].as_str().unwrap().to_string();
            assert!(!named || detail.contains(stranger), "{detail}");
        }
    }
    let group = json!([{ "op": "add", "path": "members", "value": [{ "value": user, "type": "Group" }] }]);
    directory.patch(&path, group).refused(400, "invalidValue");
    assert_eq!(directory.get(&path), before);
    let made = skips.post(
        "/Groups",
        &json!({ "displayName": "g", "members": [{ "value": user }, { "value": foreign }, { "value": "x" }] }),
    );
    assert_eq!(made.expect(201).body["members"].as_array().unwrap().len(), 1);
    integrity::check(&site.storage);
}

#[test]
fn what_is_there_already_changes_nothing() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let users: Vec<String> = (0..3).map(|n| directory.user(&format!("u{n}@x.test"))).collect();
    let path = format!("/Groups/{}", directory.group("Staff", &users[..2]));
    let before = directory.get(&path);
    let feed = site.engine().changes(0, 1_000).unwrap().len();
    let list = |ids: &[String]| ids.iter().map(|id| json!({ "value": id })).collect::<Value>();
    for operation in [
        json!({ "op": "add", "path": "members", "value": list(&users[..1]) }),
        json!({ "op": "remove", "path": "members", "value": list(&users[2..]) }),
        json!({ "op": "remove", "path": "members[value eq \"nobody\"]" }),
        json!({ "op": "replace", "path": "members", "value": list(&users[..2]) }),
        json!({ "op": "remove", "path": "members[type eq \"Group\"]" }),
        json!({ "op": "replace", "path": "displayName", "value": "Staff" }),
    ] {
        assert_eq!(directory.patch(&path, json!([operation])).expect(200).body, before.body);
    }
    let there_and_back = json!([
        { "op": "add", "path": "members", "value": list(&users) },
        { "op": "remove", "path": format!("members[value eq \"{}\"]", users[2]) },
    ]);
    assert_eq!(directory.patch(&path, there_and_back).expect(200).body, before.body);
    assert_eq!(site.engine().changes(0, 1_000).unwrap().len(), feed);
}

#[test]
fn a_large_group_is_not_sent_back() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let users = directory.many("/Users", (0..101).map(|n| json!({ "userName": format!("u{n}") })));
    let path = format!("/Groups/{}", directory.group("Staff", &users[..99]));
    let add = |id: &str| json!([{ "op": "add", "path": "members", "value": [{ "value": id }] }]);
    directory.patch(&path, add(&users[99])).expect(200);
    let answer = directory.patch(&path, add(&users[100])).expect(204);
    assert_eq!((answer.header("etag"), answer.header("preference-applied")), (Some("W/\"3\""), None));
    let rename = json!([{ "op": "replace", "path": "displayName", "value": "x" }]);
    assert_eq!(
        directory.patch(&format!("{path}?excludedAttributes=members"), rename).expect(200).body["displayName"],
        "x"
    );
    assert_eq!(directory.get(&path).body["members"].as_array().unwrap().len(), 101);
}

#[test]
fn names_of_groups_are_unique() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let path = format!("/Groups/{}", directory.group("Staff", &[]));
    directory.group("Desk", &[]);
    directory.post("/Groups", &json!({ "displayName": "  STAFF " })).refused(409, "uniqueness");
    directory
        .patch(&path, json!([{ "op": "replace", "path": "displayName", "value": "desk" }]))
        .refused(409, "uniqueness");
    directory.patch(&path, json!([{ "op": "replace", "path": "displayName", "value": "STAFF" }])).expect(200);
    let longest = "\u{1f600}".repeat(200);
    directory.patch(&path, json!([{ "op": "replace", "path": "displayName", "value": longest }])).expect(200);
    directory
        .patch(&path, json!([{ "op": "replace", "path": "displayName", "value": format!("{longest}x") }]))
        .refused(400, "invalidValue");
    integrity::check(&site.storage);
}
