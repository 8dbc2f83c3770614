//! What administrators ask a site, and what they get to hear: rows of the product's description that are about asking
//! and deciding, over HTTP through the component. Golden files in `golden/admin`; `USHER_BLESS=1` rewrites them.

use serde_json::{Value, json};
use usher_tests::asked::{ADMIN, Asked};

#[test]
fn a_user_outside_of_the_domains_takes_over_nobody() {
    let asked = Asked::new(&json!({ "name": "Okta", "domains": ["X.test"], "emailChange": "follow" }));
    let settings = asked.admin("GET", &asked.at, None);
    assert_eq!((&settings["domains"], &settings["outsideDomains"]), (&json!(["x.test"]), &json!("unlinked")));
    let boss = json!({ "email": "boss@other.test", "displayName": "Boss" });
    let boss = asked.admin("POST", &format!("{ADMIN}/customers"), boss);
    let user = asked.user("boss@other.test");
    let unlinked = asked.admin("GET", &format!("{}/unlinked", asked.at), None);
    assert_eq!(
        unlinked["values"],
        json!([{ "id": user, "userName": "boss@other.test", "reason": "outsideDomains", "customerId": null }])
    );
    let customer = format!("{ADMIN}/customers/{}", boss["id"].as_str().expect("an id"));
    assert_eq!(asked.admin("GET", &customer, None)["managedBy"], Value::Null);
    // Inside, linking is as ever; who moves out is unlinked, and closed.
    let ann = asked.user("ann@x.test");
    let moved = json!([{ "value": "ann@other.test", "primary": true }]);
    assert_eq!(asked.patch(&format!("/Users/{ann}"), "emails", &moved).status, 200);
    let customer = asked.admin("GET", &format!("{ADMIN}/customers/{ann}"), None);
    assert_eq!((&customer["managedBy"], &customer["active"]), (&Value::Null, &json!(false)));
    let refuse = json!({ "outsideDomains": "refuse" });
    asked.admin("PATCH", &asked.at, refuse);
    let refused = asked.push("POST", "/Users", json!({ "userName": "eve@other.test" }));
    assert_eq!((refused.status, &refused.json()["scimType"]), (400, &json!("invalidValue")));
    // Whoever is let in is linked without a push.
    asked.admin("PATCH", &asked.at, json!({ "domains": ["x.test", "other.test"] }));
    asked.server.upkeep();
    assert_eq!(asked.admin("GET", &format!("{}/unlinked", asked.at), None)["values"], json!([]));
    assert!(asked.admin("GET", &format!("{ADMIN}/customers/{ann}"), None)["managedBy"].is_string() || user != ann);
    for domains in [json!(["@"]), json!(["a b"]), json!("x.test"), json!([1])] {
        let refused = asked.server.send("PATCH", &asked.at, Some(&json!({ "domains": domains })));
        assert_eq!(refused.status, 400, "{domains}");
    }
}

#[test]
fn projects_follow_rules() {
    let asked = Asked::new(&json!({ "name": "Okta" }));
    let project = json!({ "key": "SALES", "name": "Sales desk", "audience": "restricted" });
    let project = asked.admin("POST", &format!("{ADMIN}/projects"), project)["id"].clone();
    asked.make("/Groups", json!({ "displayName": "Sales before" }));
    asked.make("/Groups", json!({ "displayName": "Others" }));
    let rules = json!({ "projectRules": [{ "pattern": "sales *", "projects": [project] }] });
    assert_eq!(asked.admin("PATCH", &asked.at, rules.clone())["projectRules"], rules["projectRules"]);
    asked.make("/Groups", json!({ "displayName": "Sales after" }));
    let of_project = || {
        let target = format!("{ADMIN}/projects/{project}/organizations");
        let listed = asked.admin("GET", &target, None);
        let names = listed["values"].as_array().expect("a list").iter();
        names.map(|one| one["name"].as_str().expect("a name").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(of_project(), ["Sales after"]);
    asked.shape("rules-preview", "POST", &format!("{}/rules/preview", asked.at), None);
    asked.shape("rules-applied", "POST", &format!("{}/rules/apply", asked.at), None);
    assert_eq!(of_project(), ["Sales before", "Sales after"]);
    for rule in [json!({ "pattern": "", "projects": [project] }), json!({ "pattern": "*", "projects": [99] })] {
        let refused = asked.server.send("PATCH", &asked.at, Some(&json!({ "projectRules": [rule] })));
        assert_eq!(refused.status, 400, "{rule}");
    }
}

#[test]
fn a_refused_group_is_listed_and_decided_about() {
    let asked = Asked::new(&json!({ "name": "Okta", "conflictPolicy": "reject" }));
    asked.admin("POST", &format!("{ADMIN}/organizations"), json!({ "name": "Staff" }));
    for _ in 0..2 {
        assert_eq!(asked.push("POST", "/Groups", json!({ "displayName": "STAFF" })).status, 409);
    }
    let listed = asked.shape("conflicts-refused", "GET", &format!("{}/conflicts", asked.at), None);
    assert_eq!(listed["values"][0]["refusals"]["count"], 2);
    let conflict = format!("{}/conflicts/{}", asked.at, listed["values"][0]["id"].as_str().expect("an id"));
    asked.shape("conflict-refused-preview", "GET", &conflict, None);
    asked.admin("POST", &conflict, json!({ "action": "adopt" }));
    let group = asked.make("/Groups", json!({ "displayName": "STAFF" }));
    let organization = asked.admin("GET", &format!("{ADMIN}/organizations/{}", asked.organization("Staff")), None);
    assert_eq!(organization["group"], json!(group));
    assert_eq!(asked.admin("GET", &format!("{}/conflicts", asked.at), None)["values"], json!([]));
}

#[test]
fn what_is_left_apart_or_unlinked_is_taken_up_again() {
    let asked = Asked::new(&json!({ "name": "Okta", "conflictPolicy": "skip" }));
    asked.admin("POST", &format!("{ADMIN}/organizations"), json!({ "name": "Staff" }));
    let group = asked.make("/Groups", json!({ "displayName": "Staff" }));
    let conflict = format!("{}/conflicts/{group}", asked.at);
    asked.admin("POST", &conflict, json!({ "action": "leave" }));
    let left = format!("{}/conflicts?state=left", asked.at);
    assert_eq!(asked.admin("GET", &format!("{}/conflicts", asked.at), None)["values"], json!([]));
    asked.shape("conflicts-left", "GET", &left, None);
    asked.admin("POST", &conflict, json!({ "action": "adopt" }));
    assert_eq!(asked.admin("GET", &left, None)["values"], json!([]));
    // And the other way round: the organization is unlinked, and keeps its members.
    let ann = asked.user("ann@x.test");
    assert_eq!(asked.patch(&format!("/Groups/{group}"), "members", &json!([{ "value": ann }])).status, 200);
    let at = format!("{ADMIN}/organizations/{}", asked.organization("Staff"));
    asked.shape("organization-unlinked", "POST", &format!("{at}/unlink"), None);
    let members = asked.admin("GET", &format!("{at}/members"), None);
    assert_eq!(members["values"][0]["email"], "ann@x.test");
    assert_eq!(asked.patch(&format!("/Groups/{group}"), "members", &json!([])).status, 200);
    assert_eq!(asked.admin("GET", &format!("{at}/members"), None), members);
    assert_eq!(asked.admin("GET", &left, None)["values"][0]["groupId"], json!(group));
    asked.admin("POST", &conflict, json!({ "action": "adopt" }));
    assert_eq!(asked.admin("GET", &format!("{at}/members"), None)["values"], json!([]));
    assert_eq!(asked.server.send("POST", &format!("{ADMIN}/organizations/99/unlink"), None).status, 404);
    assert_eq!(asked.server.send("GET", &format!("{}/conflicts?state=x", asked.at), None).status, 400);
}

#[test]
fn a_customer_and_an_organization_say_who_put_them_into_their_state() {
    let asked = Asked::new(&json!({ "name": "Okta" }));
    let ann = asked.user("ann@x.test");
    assert_eq!(asked.patch(&format!("/Users/{ann}"), "displayName", &json!("Ann Lee")).status, 200);
    assert_eq!(asked.patch(&format!("/Users/{ann}"), "active", &json!(false)).status, 200);
    asked.shape("customer-history", "GET", &format!("{ADMIN}/customers/{ann}/history?limit=2"), None);
    asked.shape("customer-with-causes", "GET", &format!("{ADMIN}/customers/{ann}"), None);
    asked.make("/Groups", json!({ "displayName": "Staff" }));
    let organization = format!("{ADMIN}/organizations/{}", asked.organization("Staff"));
    asked.shape("organization-history", "GET", &format!("{organization}/history"), None);
    asked.shape("organization-with-causes", "GET", &organization, None);
    // It goes with the customer.
    assert_eq!(asked.push("DELETE", &format!("/Users/{ann}"), None).status, 204);
    asked.admin("GET", &format!("{ADMIN}/customers/{ann}/history"), None);
    asked.admin("POST", &format!("{ADMIN}/customers/{ann}/erase"), None);
    let gone = asked.server.send("GET", &format!("{ADMIN}/customers/{ann}/history"), None);
    assert_eq!(gone.status, 404);
}

#[test]
fn what_was_adopted_is_listed_with_who_came_and_who_went() {
    let asked = Asked::new(&json!({ "name": "Okta" }));
    let organization = asked.admin("POST", &format!("{ADMIN}/organizations"), json!({ "name": "Staff" }))["id"].clone();
    let old = json!({ "email": "old@x.test", "displayName": "Old" });
    let old = asked.admin("POST", &format!("{ADMIN}/customers"), old)["id"].clone();
    let member = format!("{ADMIN}/organizations/{organization}/members/{}", old.as_str().expect("an id"));
    asked.admin("PUT", &member, None);
    let new = asked.user("new@x.test");
    asked.make("/Groups", json!({ "displayName": "Staff", "members": [{ "value": new }] }));
    let listed = asked.shape("adoptions", "GET", &format!("{}/adoptions", asked.at), None);
    let adoption = &listed["values"][0];
    assert_eq!((&adoption["came"]["customers"], &adoption["went"]["customers"]), (&json!([new]), &json!([old])));
}

#[test]
fn beside_another_directory_one_without_domains_is_a_warning() {
    let asked = Asked::new(&json!({ "name": "Okta" }));
    let warnings = || asked.admin("GET", &format!("{}/status", asked.at), None)["warnings"].clone();
    assert_eq!(warnings(), json!([]));
    asked.server.connect(&json!({ "name": "Entra ID", "domains": ["x.test"] }));
    assert_eq!(warnings(), json!(["noDomains"]));
    asked.admin("PATCH", &asked.at, json!({ "domains": ["y.test"] }));
    assert_eq!(warnings(), json!([]));
}
