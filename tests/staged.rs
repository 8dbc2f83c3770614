//! Staged directories over HTTP, through the component: what is pushed is planned, and reaches the site when the plan is
//! applied. Golden files in `golden/admin`; `USHER_BLESS=1` rewrites them.

use std::thread::sleep;
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use usher_tests::asked::{ADMIN, Asked};
use usher_tests::server::Request;

/// A site with a staged directory of these settings.
fn staged(mut settings: Value) -> Asked {
    settings["name"] = json!("Okta");
    settings["mode"] = json!("staged");
    Asked::new(&settings)
}

fn stage(asked: &Asked) {
    assert_eq!(asked.admin("PATCH", &asked.at, json!({ "mode": "staged" }))["mode"], "staged");
}

/// A local customer.
fn local(asked: &Asked, name: &str) -> String {
    let new = json!({ "email": format!("{name}@x.test"), "displayName": name });
    let made = asked.admin("POST", &format!("{ADMIN}/customers"), new);
    made["id"].as_str().expect("it has an id").to_owned()
}

/// A local organization with these members.
fn organization(asked: &Asked, name: &str, members: &[&str]) -> String {
    let made = asked.admin("POST", &format!("{ADMIN}/organizations"), json!({ "name": name }));
    let at = format!("{ADMIN}/organizations/{}", made["id"]);
    for member in members {
        asked.admin("PUT", &format!("{at}/members/{member}"), None);
    }
    at
}

/// All that the site shows of customers and organizations.
fn site(asked: &Asked) -> [Value; 4] {
    let customers = asked.admin("GET", &format!("{ADMIN}/customers"), None);
    let organizations = asked.admin("GET", &format!("{ADMIN}/organizations"), None);
    let members = values(&organizations)
        .iter()
        .map(|one| asked.admin("GET", &format!("{ADMIN}/organizations/{}/members", one["id"]), None));
    let members = Value::Array(members.collect());
    [customers, organizations, members, asked.admin("GET", &format!("{ADMIN}/totals"), None)["customers"].clone()]
}

fn values(page: &Value) -> &[Value] {
    page["values"].as_array().expect("a list")
}

/// What is in one field of each value of a list.
fn each(page: &Value, field: &str) -> Vec<Value> {
    values(page).iter().map(|value| value[field].clone()).collect()
}

/// The same in the order of the text: ids that are made in one moment are in no order.
fn sorted(page: &Value, field: &str) -> Vec<Value> {
    let mut found = each(page, field);
    found.sort_by_key(ToString::to_string);
    found
}

fn list(asked: &Asked, below: &str) -> Value {
    asked.admin("GET", &format!("{}/{below}", asked.at), None)
}

fn plan(asked: &Asked) -> Value {
    list(asked, "plan")
}

/// The plan, as soon as it is worked out who gains and who loses which project by it.
fn plan_with_access(asked: &Asked) -> Value {
    for _ in 0..120 {
        asked.server.upkeep();
        let plan = plan(asked);
        if plan["access"]["current"] == true {
            return plan;
        }
        sleep(Duration::from_millis(250));
    }
    panic!("it is never worked out who gains and who loses what: {}", plan(asked));
}

/// Applies the plan to its end; the progress then.
fn apply(asked: &Asked) -> Value {
    let at = format!("{}/apply", asked.at);
    let begun = asked.server.send("POST", &at, None);
    assert_eq!(begun.status, 202, "{}", begun.body);
    asked.server.upkeep();
    let progress = asked.admin("GET", &at, None);
    assert_eq!((&progress["done"], &progress["stopped"]), (&progress["of"], &json!(false)), "{progress}");
    assert!(progress["endedAt"].is_string(), "{progress}");
    assert_eq!(asked.admin("GET", &asked.at, None)["mode"], "live");
    progress
}

#[test]
fn a_first_sync_is_planned_and_reaches_the_site_when_it_is_applied() {
    let asked = staged(json!({ "emailChange": "follow" }));
    let project = json!({ "key": "HELP", "name": "Help desk", "audience": "restricted" });
    let project = asked.admin("POST", &format!("{ADMIN}/projects"), project)["id"].clone();
    let rules = json!([{ "pattern": "sales*", "projects": [project] }]);
    asked.admin("PATCH", &asked.at, json!({ "projectRules": rules }));
    let (bob, old) = (local(&asked, "bob"), local(&asked, "old"));
    let staff = organization(&asked, "Staff", &[&old]);
    let number = staff.rsplit('/').next().expect("it ends with a number");
    asked.admin("PUT", &format!("{ADMIN}/projects/{project}/organizations/{number}"), None);
    let before = site(&asked);

    let users = ["ann", "bob", "cid", "Anton"].map(|name| asked.user(&format!("{name}@x.test")));
    let members = |users: &[&String]| users.iter().map(|user| json!({ "value": user })).collect::<Vec<_>>();
    let group = json!({ "displayName": "Staff", "members": members(&[&users[0], &users[1]]) });
    let group = asked.make("/Groups", group);
    asked.make("/Groups", json!({ "displayName": "Sales", "members": members(&[&users[2]]) }));
    // Ids and answers are real, and nothing of it is on the site.
    let answered = asked.push("GET", &format!("/Groups/{group}"), None).json();
    assert_eq!(answered["members"].as_array().map(Vec::len), Some(2));
    assert_eq!(site(&asked), before);
    let status = list(&asked, "status");
    assert_eq!(
        (&status["state"], &status["planned"], &status["users"], &status["groups"], &status["unlinked"]),
        (&json!("staged"), &json!(6), &json!(4), &json!(2), &json!(4))
    );
    assert_eq!(each(&list(&asked, "unlinked"), "reason"), vec![json!("staged"); 4]);
    let id = asked.at.rsplit('/').next().expect("it ends with an id");
    let metrics = asked.server.send("GET", "/metrics", None).body;
    for (name, value) in [("staged", "1.0"), ("planned", "6.0")] {
        let line = format!("\nusher_directory_{name}{{directory=\"{id}\",name=\"Okta\"}} {value}\n");
        assert!(metrics.contains(&line), "{metrics}");
    }

    // What would be done, counted and listed by name.
    plan_with_access(&asked);
    asked.shape("plan", "GET", &format!("{}/plan", asked.at), None);
    assert_eq!(each(&list(&asked, "plan/make-customer"), "name"), ["ann", "Anton", "cid"]);
    assert_eq!(each(&list(&asked, "plan/make-customer?query=AN"), "name"), ["ann", "Anton"]);
    assert_eq!(each(&list(&asked, "plan/make-customer?query=nn"), "name"), Vec::<Value>::new());
    let mut names = Vec::new();
    let mut next = String::new();
    loop {
        let page = list(&asked, &format!("plan/make-customer?limit=1{next}"));
        names.extend(each(&page, "name"));
        let Some(cursor) = page["next"].as_str() else { break };
        next = format!("&cursor={}", utf8_percent_encode(cursor, NON_ALPHANUMERIC));
    }
    assert_eq!(names, ["ann", "Anton", "cid"]);
    asked.shape("plan-link-customer", "GET", &format!("{}/plan/link-customer", asked.at), None);
    asked.shape("plan-adopt-organization", "GET", &format!("{}/plan/adopt-organization", asked.at), None);
    assert_eq!(each(&list(&asked, "plan/make-organization"), "name"), ["Sales"]);
    for (turn, emails) in [("come", ["ann@x.test", "bob@x.test"].as_slice()), ("go", ["old@x.test"].as_slice())] {
        let page = list(&asked, &format!("plan/members/{group}?turn={turn}"));
        assert_eq!(sorted(&page, "email"), emails, "{turn}");
    }
    asked.shape("plan-members-go", "GET", &format!("{}/plan/members/{group}?turn=go", asked.at), None);
    asked.shape("plan-loses-access", "GET", &format!("{}/plan/loses-access", asked.at), None);
    asked.shape("plan-gains-access", "GET", &format!("{}/plan/gains-access?query=b", asked.at), None);
    assert_eq!(each(&list(&asked, "plan/gains-access"), "name"), ["ann", "bob", "cid"]);
    assert_eq!(site(&asked), before);

    // And then it is done.
    assert_eq!(asked.status("GET", &format!("{}/apply", asked.at), None), 404);
    asked.shape("apply-begun", "POST", &format!("{}/apply", asked.at), None);
    assert_eq!(list(&asked, "status")["state"], "applying");
    assert_eq!(asked.admin("GET", &asked.at, None)["mode"], "applying");
    assert_eq!(site(&asked), before);
    apply(&asked);
    asked.shape("apply-ended", "GET", &format!("{}/apply", asked.at), None);
    asked.shape("plan-of-a-live-directory", "GET", &format!("{}/plan", asked.at), None);
    assert_eq!(list(&asked, "status")["state"], "first-sync");
    assert!(values(&list(&asked, "unlinked")).is_empty());
    let customers = asked.admin("GET", &format!("{ADMIN}/customers"), None);
    let managed = values(&customers).iter().filter(|one| one["managedBy"].is_string());
    let mut managed: Vec<&str> = managed.filter_map(|one| one["email"].as_str()).collect();
    managed.sort_unstable();
    assert_eq!(managed, ["ann@x.test", "anton@x.test", "bob@x.test", "cid@x.test"]);
    assert!(asked.admin("GET", &format!("{ADMIN}/customers/{bob}"), None)["managedBy"].is_string());
    assert_eq!(asked.admin("GET", &staff, None)["group"], json!(group));
    let of_project = asked.admin("GET", &format!("{ADMIN}/projects/{project}/organizations"), None);
    assert_eq!(each(&of_project, "name"), ["Staff", "Sales"]);
    for kind in ["plan.apply-started", "plan.applied"] {
        let changes = asked.admin("GET", &format!("{ADMIN}/changes?kind={kind}"), None);
        assert_eq!(each(&changes, "actor"), ["admin:key"], "{kind}");
    }
    // What comes now is on the site at once.
    let eve = asked.user("eve@x.test");
    assert!(asked.admin("GET", &format!("{ADMIN}/customers/{eve}"), None)["managedBy"].is_string());
}

#[test]
fn what_the_site_has_changed_since_is_blocked_and_stays_unlinked_or_apart() {
    let asked = staged(json!({}));
    let bob = local(&asked, "bob");
    let team = organization(&asked, "Team", &[]);
    for name in ["ann", "bob", "cid"] {
        asked.user(&format!("{name}@x.test"));
    }
    for name in ["Sales", "Team"] {
        asked.make("/Groups", json!({ "displayName": name }));
    }
    assert_eq!(plan(&asked)["blocked"], 0);
    // Somebody takes an address and a name; and what was to be linked and adopted is not what it was.
    let ann = local(&asked, "ann");
    let sales = organization(&asked, "Sales", &[]);
    asked.admin("PATCH", &format!("{ADMIN}/customers/{bob}"), json!({ "email": "robert@x.test" }));
    asked.admin("PATCH", &team, json!({ "name": "Crew" }));
    asked.shape("plan-blocked", "GET", &format!("{}/plan/blocked", asked.at), None);
    let counted = plan(&asked);
    assert_eq!((&counted["blocked"], &counted["customers"]["make"]), (&json!(4), &json!(1)));
    // What can be done again is planned again.
    asked.admin("DELETE", &sales, None);
    let counted = plan(&asked);
    assert_eq!((&counted["blocked"], &counted["organizations"]["make"]), (&json!(3), &json!(1)));
    let sales = organization(&asked, "sales", &[]);

    let done = apply(&asked);
    assert_eq!((&done["done"], &done["blocked"]), (&json!(5), &json!(4)));
    let unlinked = list(&asked, "unlinked");
    assert_eq!(sorted(&unlinked, "userName"), ["ann@x.test", "bob@x.test"]);
    assert_eq!(each(&unlinked, "reason"), ["addressTaken", "addressTaken"]);
    let conflicts = list(&asked, "conflicts");
    assert_eq!(sorted(&conflicts, "groupName"), ["Sales", "Team"]);
    assert_eq!(each(&conflicts, "kind"), ["apart", "apart"]);
    for at in [format!("{ADMIN}/customers/{ann}"), format!("{ADMIN}/customers/{bob}"), sales, team] {
        assert_eq!(asked.admin("GET", &at, None)["managedBy"], Value::Null, "{at}");
    }
    // It is linked when an administrator links it.
    asked.admin("POST", &format!("{ADMIN}/customers/{ann}/relink"), None);
    assert!(asked.admin("GET", &format!("{ADMIN}/customers/{ann}"), None)["managedBy"].is_string());
}

#[test]
fn a_live_directory_is_staged_again_and_the_site_stands_still() {
    let asked = Asked::new(&json!({ "name": "Okta", "emailChange": "follow" }));
    let [ann, bob, cid] = ["ann", "bob", "cid"].map(|name| asked.user(&format!("{name}@x.test")));
    let member = |user: &String| json!([{ "value": user }]);
    let staff = asked.make("/Groups", json!({ "displayName": "Staff", "members": member(&ann) }));
    let sales = asked.make("/Groups", json!({ "displayName": "Sales", "members": member(&cid) }));
    stage(&asked);
    assert_eq!(plan(&asked)["changedAt"], Value::Null);
    let before = site(&asked);
    for (target, path, value) in [
        (format!("/Users/{ann}"), "displayName", json!("Ann Lee")),
        (format!("/Users/{ann}"), "emails", json!([{ "value": "ann.lee@x.test", "primary": true }])),
        (format!("/Users/{bob}"), "active", json!(false)),
        (format!("/Groups/{staff}"), "displayName", json!("All staff")),
        (format!("/Groups/{staff}"), "members", member(&bob)),
    ] {
        assert_eq!(asked.patch(&target, path, &value).status, 200, "{target} {path}");
    }
    assert_eq!(asked.push("DELETE", &format!("/Users/{cid}"), None).status, 204);
    assert_eq!(asked.push("DELETE", &format!("/Groups/{sales}"), None).status, 204);
    assert_eq!(site(&asked), before);
    let counted = plan(&asked);
    assert_eq!(
        counted["customers"],
        json!({ "delete": 1, "deactivate": 1, "unlink": 0, "link": 0, "make": 0, "activate": 0, "change": 1 })
    );
    assert_eq!(counted["organizations"], json!({ "adopt": 0, "make": 0, "rename": 1, "members": 0, "delete": 1 }));
    assert_eq!(counted["going"], 3);
    asked.shape("plan-change-customer", "GET", &format!("{}/plan/change-customer", asked.at), None);
    asked.shape("plan-delete-customer", "GET", &format!("{}/plan/delete-customer", asked.at), None);
    asked.shape("plan-rename-organization", "GET", &format!("{}/plan/rename-organization", asked.at), None);
    for (turn, name) in [("come", "bob"), ("go", "ann")] {
        let page = list(&asked, &format!("plan/members/{staff}?turn={turn}"));
        assert_eq!(each(&page, "name"), [name], "{turn}");
    }

    // It can be staged again while the plan is applied: what is not done yet stays planned.
    asked.admin("POST", &format!("{}/apply", asked.at), None);
    asked.user("dan@x.test");
    let progress = list(&asked, "apply");
    assert_eq!((&progress["done"], &progress["of"], &progress["endedAt"]), (&json!(0), &json!(6), &Value::Null));
    stage(&asked);
    asked.server.upkeep();
    let progress = list(&asked, "apply");
    assert_eq!((&progress["stopped"], progress["endedAt"].is_string()), (&json!(true), true));
    assert_eq!(site(&asked), before);

    apply(&asked);
    let ann = asked.admin("GET", &format!("{ADMIN}/customers/{ann}"), None);
    assert_eq!((&ann["displayName"], &ann["email"]), (&json!("Ann Lee"), &json!("ann.lee@x.test")));
    assert_eq!(asked.admin("GET", &format!("{ADMIN}/customers/{bob}"), None)["active"], false);
    assert_eq!(asked.status("GET", &format!("{ADMIN}/customers/{cid}"), None), 404);
    let organizations = asked.admin("GET", &format!("{ADMIN}/organizations"), None);
    assert_eq!(each(&organizations, "name"), ["All staff"]);
    let deleted = asked.admin("GET", &format!("{ADMIN}/organizations?deleted=true"), None);
    assert_eq!(each(&deleted, "name"), ["Sales"]);
}

#[test]
fn deletions_are_held_by_nobody_while_staged_and_the_guard_asks_at_apply() {
    let asked = Asked::new(&json!({ "name": "Okta", "deletionLimit": 1 }));
    let users = ["ann", "bob", "cid"].map(|name| asked.user(&format!("{name}@x.test")));
    stage(&asked);
    for user in &users[..2] {
        assert_eq!(asked.push("DELETE", &format!("/Users/{user}"), None).status, 204);
    }
    assert_eq!(asked.patch(&format!("/Users/{}", users[2]), "active", &json!(false)).status, 200);
    let counted = plan(&asked);
    assert_eq!((&counted["going"], &counted["deletionLimit"]), (&json!(3), &json!(1)));
    let at = format!("{}/apply", asked.at);
    asked.shape("apply-refused", "POST", &at, None);
    assert_eq!(asked.status("POST", &at, json!({ "accept": 2 })), 409);
    for body in [json!({ "accept": "3" }), json!({ "accept": -1 }), json!({ "accept": 1.5 }), json!({ "all": true })] {
        assert_eq!(asked.status("POST", &at, body.clone()), 400, "{body}");
    }
    assert_eq!(list(&asked, "status")["state"], "staged");
    assert_eq!(asked.status("POST", &at, json!({ "accept": 3 })), 202);
    apply(&asked);
    assert_eq!(each(&asked.admin("GET", &format!("{ADMIN}/customers"), None), "active"), [false]);
    let deleted = asked.admin("GET", &format!("{ADMIN}/customers?deleted=true"), None);
    assert_eq!(values(&deleted).len(), 2);
}

#[test]
fn what_live_would_refuse_is_refused_when_staged_too() {
    let asked = staged(json!({ "conflictPolicy": "reject", "domains": ["x.test"], "outsideDomains": "refuse" }));
    organization(&asked, "Staff", &[]);
    let user = |name: &str, address: &str| {
        let body = json!({ "userName": name, "emails": [{ "value": address, "primary": true }] });
        let answer = asked.push("POST", "/Users", body);
        (answer.status, answer.json()["scimType"].clone())
    };
    assert_eq!(user("ann", "ann@x.test").0, 201);
    assert_eq!(user("ANN", "other@x.test"), (409, json!("uniqueness")));
    assert_eq!(user("ann2", "Ann@x.test"), (409, json!("uniqueness")));
    assert_eq!(user("eve", "eve@other.test"), (400, json!("invalidValue")));
    let group = asked.push("POST", "/Groups", json!({ "displayName": "STAFF" }));
    assert_eq!((group.status, &group.json()["scimType"]), (409, &json!("uniqueness")));
    assert_eq!(each(&list(&asked, "conflicts"), "groupName"), ["STAFF"]);
    let counted = plan(&asked);
    assert_eq!((&counted["customers"]["make"], &counted["organizations"]["adopt"]), (&json!(1), &json!(0)));
    // So is the address of a customer whom another directory manages.
    let other = asked.server.connect(&json!({ "name": "Entra ID" }));
    let headers = vec![
        ("authorization".to_owned(), format!("Bearer {}", other.api_key)),
        ("content-type".to_owned(), "application/scim+json".to_owned()),
    ];
    let body = Some(json!({ "userName": "dan@x.test" }).to_string());
    let made = other.send(Request { method: "POST".to_owned(), target: "/Users".to_owned(), headers, body });
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(user("dan", "dan@x.test"), (409, json!("uniqueness")));
}

#[test]
fn what_cannot_be_asked_for_is_refused() {
    let asked = staged(json!({}));
    asked.user("ann@x.test");
    let group = asked.make("/Groups", json!({ "displayName": "Staff" }));
    asked.shape("staged-set-live", "PATCH", &asked.at, json!({ "mode": "live" }));
    for (method, below, body, status) in [
        ("PATCH", "", Some(json!({ "mode": "applying" })), 400),
        ("PATCH", "", Some(json!({ "mode": "dry" })), 400),
        ("PATCH", "", Some(json!({ "dryRun": true })), 400),
        ("GET", "/plan/nothing", None, 404),
        ("GET", "/plan/members", None, 404),
        ("GET", "/plan?query=a", None, 400),
        ("GET", "/plan/blocked?limit=0", None, 400),
        ("GET", "/plan/blocked?limit=1001", None, 400),
        ("GET", "/plan/make-customer?cursor=%20", None, 400),
        ("GET", "/plan/loses-access?cursor=%20", None, 400),
        ("GET", &format!("/plan/members/{group}"), None, 400),
        ("GET", &format!("/plan/members/{group}?turn=stay"), None, 400),
        ("GET", &format!("/plan/members/{group}?turn=come&cursor=x"), None, 400),
        ("GET", "/plan/members/nothing?turn=come", None, 404),
        ("GET", "/apply", None, 404),
        ("DELETE", "/plan", None, 405),
    ] {
        assert_eq!(
            asked.status(method, &format!("{}{below}", asked.at), body.clone()),
            status,
            "{method} {below} {body:?}"
        );
    }
    for below in ["plan", "plan/blocked", "plan/loses-access", "plan/members/nothing?turn=go", "apply"] {
        assert_eq!(asked.status("GET", &format!("{ADMIN}/directories/nothing/{below}"), None), 404, "{below}");
    }
    assert_eq!(asked.status("POST", &format!("{ADMIN}/directories/nothing/apply"), None), 404);
    let applying = json!({ "name": "Entra ID", "mode": "applying" });
    assert_eq!(asked.status("POST", &format!("{ADMIN}/directories"), applying), 400);
    apply(&asked);
    assert_eq!(asked.status("POST", &format!("{}/apply", asked.at), None), 409);
}

#[test]
fn who_gains_a_project_is_worked_out_anew_when_members_or_rules_change() {
    let asked = staged(json!({}));
    let project = json!({ "key": "HELP", "name": "Help desk", "audience": "restricted" });
    let project = asked.admin("POST", &format!("{ADMIN}/projects"), project)["id"].clone();
    let [ann, bob] = ["ann", "bob"].map(|name| asked.user(&format!("{name}@x.test")));
    let group = asked.make("/Groups", json!({ "displayName": "Sales", "members": [{ "value": ann }] }));
    let gaining = || plan_with_access(&asked)["access"]["gaining"].clone();
    assert_eq!(gaining(), 0);
    let rules = json!([{ "pattern": "sales", "projects": [project] }]);
    asked.admin("PATCH", &asked.at, json!({ "projectRules": rules }));
    assert_eq!(plan(&asked)["access"]["current"], false);
    assert_eq!(gaining(), 1);
    let members = json!([{ "value": ann }, { "value": bob }]);
    assert_eq!(asked.patch(&format!("/Groups/{group}"), "members", &members).status, 200);
    assert_eq!(plan(&asked)["access"]["current"], false);
    assert_eq!(gaining(), 2);
}

#[test]
fn conflicts_are_resolved_by_the_plan() {
    let asked = staged(json!({ "conflictPolicy": "skip" }));
    let old = local(&asked, "old");
    for name in ["Staff", "Sales", "Team"] {
        organization(&asked, name, &[&old]);
    }
    let ann = asked.user("ann@x.test");
    let [staff, sales, team] = ["Staff", "Sales", "Team"]
        .map(|name| asked.make("/Groups", json!({ "displayName": name, "members": [{ "value": ann }] })));
    assert_eq!(sorted(&list(&asked, "conflicts"), "groupName"), ["Sales", "Staff", "Team"]);
    assert_eq!(plan(&asked)["organizations"]["adopt"], 0);
    asked.shape("repair-refused-when-staged", "POST", &format!("{}/groups/{staff}/repair", asked.at), None);
    let before = site(&asked);
    for (group, resolution) in [(&staff, json!({ "action": "adopt" })), (&team, json!({ "action": "leave" }))] {
        asked.admin("POST", &format!("{}/conflicts/{group}", asked.at), resolution);
    }
    assert_eq!(site(&asked), before);
    let rename = json!({ "action": "rename", "name": "Sales before" });
    asked.admin("POST", &format!("{}/conflicts/{sales}", asked.at), rename);
    assert!(values(&list(&asked, "conflicts")).is_empty());
    let counted = plan(&asked);
    assert_eq!((&counted["organizations"]["adopt"], &counted["organizations"]["make"]), (&json!(1), &json!(1)));
    apply(&asked);
    let organizations = asked.admin("GET", &format!("{ADMIN}/organizations"), None);
    assert_eq!(each(&organizations, "name"), ["Staff", "Sales before", "Team", "Sales"]);
    assert_eq!(each(&organizations, "group"), [json!(staff), Value::Null, Value::Null, json!(sales)]);
    let members = asked.admin("GET", &format!("{ADMIN}/organizations/{}/members", asked.organization("Staff")), None);
    assert_eq!(each(&members, "email"), ["ann@x.test"]);
}

#[test]
fn what_is_planned_for_is_not_unlinked() {
    let asked = Asked::new(&json!({ "name": "Okta" }));
    let [ann, bob] = ["ann", "bob"].map(|name| asked.user(&format!("{name}@x.test")));
    let group = asked.make("/Groups", json!({ "displayName": "Staff", "members": [{ "value": ann }] }));
    stage(&asked);
    assert_eq!(asked.patch(&format!("/Users/{ann}"), "displayName", &json!("Ann Lee")).status, 200);
    assert_eq!(asked.patch(&format!("/Groups/{group}"), "displayName", &json!("All staff")).status, 200);
    asked.shape("unlink-refused-when-planned", "POST", &format!("{ADMIN}/customers/{ann}/unlink"), None);
    let organization = asked.organization("Staff");
    assert_eq!(asked.status("POST", &format!("{ADMIN}/organizations/{organization}/unlink"), None), 409);
    asked.admin("POST", &format!("{ADMIN}/customers/{bob}/unlink"), None);
    // What is to be linked is linked by the plan.
    let cid = local(&asked, "cid");
    asked.user("cid@x.test");
    assert_eq!(asked.status("POST", &format!("{ADMIN}/customers/{cid}/relink"), None), 409);
    apply(&asked);
    assert!(asked.admin("GET", &format!("{ADMIN}/customers/{cid}"), None)["managedBy"].is_string());
    assert_eq!(asked.admin("GET", &format!("{ADMIN}/customers/{bob}"), None)["managedBy"], Value::Null);
}

#[test]
fn a_staged_directory_that_is_disconnected_leaves_the_site_as_it_is() {
    for remove in [false, true] {
        let asked = staged(json!({}));
        let ann = local(&asked, "ann");
        organization(&asked, "Staff", &[&ann]);
        let before = site(&asked);
        let user = asked.user("ann@x.test");
        asked.user("bob@x.test");
        asked.make("/Groups", json!({ "displayName": "Staff", "members": [{ "value": user }] }));
        asked.admin("DELETE", &format!("{}?remove={remove}", asked.at), None);
        asked.server.upkeep();
        assert_eq!(site(&asked), before);
        assert_eq!(asked.status("GET", &format!("{}/plan", asked.at), None), 404);
    }
}
