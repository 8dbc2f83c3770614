//! The site over HTTP: the admin API and the REST of service desks. Golden files in `golden/admin` and `golden/desk`;
//! `USHER_BLESS=1` rewrites them.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use usher_host::storage::{Access, Change, Storage};
use usher_tests::golden;
use usher_tests::http::Served;
use usher_tests::server::{Directory, Request, Response};

const ADMIN: &str = "/admin/v1";
const DESK: &str = "/rest/servicedeskapi";

fn get(server: &Served, target: &str) -> Response {
    server.send("GET", target, None)
}

fn id_of(response: &Response) -> String {
    let body = response.json();
    match &body["id"] {
        Value::String(id) => id.clone(),
        id => id.to_string(),
    }
}

/// Compares what a request of an administrator is answered with a golden file.
fn shape(server: &Served, name: &str, method: &str, target: &str, body: impl Into<Option<Value>>) -> Response {
    let response = server.send(method, target, body.into().as_ref());
    golden::compare_response(name, &response);
    response
}

/// What an identity provider pushes: a user, and a group with it.
fn push(directory: &Directory, user: &str, group: &str) -> (String, String) {
    let send = |target: &str, body: Value| {
        let made = scim(directory, "POST", target, Some(body));
        assert_eq!(made.status, 201, "{}", made.body);
        id_of(&made)
    };
    let user = send("/Users", json!({"userName": user, "displayName": "Bob", "active": true}));
    let group = send("/Groups", json!({"displayName": group, "members": [{"value": user}]}));
    (user, group)
}

#[test]
fn directories_say_what_becomes_of_organizations() {
    let server = Served::default();
    let at = &format!("{ADMIN}/directories");
    let settings = json!({"name": "Okta", "conflictPolicy": "skip", "adoptionGraceSeconds": 60.0});
    shape(&server, "admin/directory-connected", "POST", at, Some(settings));
    let by_default = id_of(&server.send("POST", at, Some(&json!({"name": "Entra ID"}))));
    let at = &format!("{at}/{by_default}");
    shape(&server, "admin/directory-by-default", "GET", at, None);
    let update = json!({"conflictPolicy": "reject", "adoptionGraceSeconds": 0});
    shape(&server, "admin/directory-updated", "PATCH", at, Some(update));
    shape(&server, "admin/directory-invalid", "PATCH", at, Some(json!({"adoptionGraceSeconds": -1})));
}

#[test]
fn set_up_links_are_made_listed_and_taken_back() {
    let server = Served::default();
    let id = id_of(&server.send("POST", &format!("{ADMIN}/directories"), Some(&json!({"name": "Okta"}))));
    let at = &format!("{ADMIN}/directories/{id}/setup-links");
    shape(&server, "admin/setup-links-none", "GET", at, None);
    shape(&server, "admin/setup-link-made", "POST", at, None);
    shape(&server, "admin/setup-link-invalid", "POST", at, Some(json!({"days": 31})));
    let made = server.send("POST", at, Some(&json!({"days": 1, "overlapSeconds": 0})));
    let link = &id_of(&made);
    let token = made.json()["token"].as_str().expect("a token").to_owned();
    let url = made.json()["url"].as_str().expect("an address").to_owned();
    assert!(url.ends_with(&format!("/console/set-up/{token}")), "{url}");
    let key = pollster::block_on(server.site.claim_setup_link(&token)).expect("an answer").expect("a key");
    shape(&server, "admin/setup-links", "GET", at, None);
    let listed = get(&server, at).body;
    assert!(listed.contains(&key.key.id) && !listed.contains(token.rsplit('.').next().unwrap_or_default()));
    shape(&server, "admin/setup-link-revoked", "DELETE", &format!("{at}/{link}"), None);
    shape(&server, "admin/setup-link-not-found", "DELETE", &format!("{at}/{link}"), None);
    let again = pollster::block_on(server.site.open_setup_link(&token)).expect("an answer");
    assert!(matches!(again, Err(usher_host::directories::Error::NotFound(_))));
}

/// A request of an identity provider.
fn scim(directory: &Directory, method: &str, target: &str, body: Option<Value>) -> Response {
    let headers = vec![
        ("authorization".to_owned(), format!("Bearer {}", directory.api_key)),
        ("content-type".to_owned(), "application/scim+json".to_owned()),
    ];
    let body = body.map(|body| body.to_string());
    directory.send(Request { method: method.to_owned(), target: target.to_owned(), headers, body })
}

#[test]
fn directories_say_how_they_are_doing() {
    let server = Served::default();
    let at = format!("{ADMIN}/directories");
    let directory = server.connect(&json!({"name": "Okta", "deletionLimit": 1}));
    let id = get(&server, &at).json()["values"][0]["id"].as_str().expect("it is listed").to_owned();
    let at = &format!("{at}/{id}");
    shape(&server, "admin/status-at-first", "GET", &format!("{at}/status"), None);
    let (user, group) = push(&directory, "ann@example.com", "Staff");
    assert_eq!(scim(&directory, "GET", "/Users/nobody", None).status, 404);
    let skip = scim(&directory, "POST", "/Groups", Some(json!({"displayName": "Desk", "members": [{"value": "bob"}]})));
    assert_eq!(skip.status, 400);
    assert_eq!(scim(&directory, "DELETE", &format!("/Groups/{group}"), None).status, 204);
    let held = scim(&directory, "DELETE", &format!("/Users/{user}"), None);
    assert!(held.headers.contains(&("retry-after".to_owned(), "3600".to_owned())));
    golden::compare_response("admin/deletion-held", &held);
    shape(&server, "admin/held", "GET", &format!("{at}/held"), None);
    shape(&server, "admin/requests", "GET", &format!("{at}/requests?limit=4"), None);
    let last = get(&server, &format!("{at}/requests?cursor=3")).json();
    assert_eq!((last["values"].as_array().map(Vec::len), &last["next"]), (Some(2), &Value::Null));
    shape(&server, "admin/requests-invalid", "GET", &format!("{at}/requests?cursor=x"), None);
    let of_ann = get(&server, &format!("{at}/requests?name=ANN&subject={user}&failed=true")).json();
    assert_eq!((of_ann["values"].as_array().map(Vec::len), &of_ann["values"][0]["effect"]), (Some(1), &json!("held")));
    shape(&server, "admin/status-held", "GET", &format!("{at}/status"), None);
    shape(&server, "admin/released", "POST", &format!("{at}/release"), None);
    assert_eq!(get(&server, &format!("{at}/status")).json()["state"], "first-sync");
    assert_eq!(scim(&directory, "DELETE", &format!("/Users/{user}"), None).status, 204);
    let update = json!({"mode": "staged", "deletionLimit": null});
    shape(&server, "admin/directory-staged", "PATCH", at, Some(update));
    shape(&server, "admin/release-refused", "POST", &format!("{at}/release"), None);
    let bob = json!({"userName": "bob@example.com"});
    assert_eq!(scim(&directory, "POST", "/Users", Some(bob)).status, 201);
    let now = get(&server, &format!("{at}/status")).json();
    assert_eq!((&now["state"], &now["users"], &now["planned"]), (&json!("staged"), &json!(1), &json!(1)));
    let nothing = [("GET", "status"), ("GET", "requests"), ("GET", "requests/1"), ("GET", "held"), ("POST", "release")];
    for (method, below) in nothing.into_iter().chain([("DELETE", "capture")]) {
        assert_eq!(server.send(method, &format!("{ADMIN}/directories/nothing/{below}"), None).status, 404);
    }
}

#[test]
fn bodies_are_captured_on_demand() {
    let server = Served::default();
    let at = format!("{ADMIN}/directories");
    let directory = server.connect(&json!({"name": "Okta"}));
    let id = get(&server, &at).json()["values"][0]["id"].as_str().expect("it is listed").to_owned();
    let at = &format!("{at}/{id}");
    shape(&server, "admin/capture-invalid", "POST", &format!("{at}/capture"), Some(json!({"seconds": 90_000})));
    shape(&server, "admin/capture", "POST", &format!("{at}/capture"), Some(json!({"seconds": 600})));
    let ann = json!({"userName": "ann@example.com", "password": "secret", "title": 7});
    assert_eq!(scim(&directory, "POST", "/Users", Some(ann.clone())).status, 400);
    shape(&server, "admin/request", "GET", &format!("{at}/requests/1"), None);
    let with_values = json!({"seconds": 600, "values": true});
    assert_eq!(server.send("POST", &format!("{at}/capture"), Some(&with_values)).status, 200);
    assert_eq!(scim(&directory, "POST", "/Users", Some(ann)).status, 400);
    let request = get(&server, &format!("{at}/requests/2")).json();
    assert_eq!(request["body"]["text"], r#"{"password":"*","title":7,"userName":"ann@example.com"}"#);
    assert_eq!(get(&server, &format!("{at}/status")).json()["capture"]["values"], true);
    assert_eq!(server.send("DELETE", &format!("{at}/capture"), None).status, 204);
    shape(&server, "admin/capture-none", "DELETE", &format!("{at}/capture"), None);
    shape(&server, "admin/request-not-found", "GET", &format!("{at}/requests/3"), None);
    assert_eq!(get(&server, &format!("{at}/status")).json()["capture"], Value::Null);
}

#[test]
fn requests_refused_for_their_key_are_counted() {
    let server = Served::new(|settings| settings.sign_in_report = Duration::from_millis(20));
    let directory = server.connect(&json!({"name": "Okta"}));
    let id =
        get(&server, &format!("{ADMIN}/directories")).json()["values"][0]["id"].as_str().expect("an id").to_owned();
    let nobody = "0123456789abcdefghij";
    let tried = |id: &str, key: &str| {
        let headers = vec![("authorization".to_owned(), format!("Bearer {key}"))];
        let target = format!("/scim/directory/{id}/Users");
        let request = Request { method: "GET".to_owned(), target, headers, body: None };
        assert_eq!(server.send_raw(request).status, 401);
    };
    for key in ["nonsense", &format!("{}x", directory.api_key)] {
        tried(&id, key);
        tried(nobody, key);
    }
    let status = || get(&server, &format!("{ADMIN}/directories/{id}/status")).json()["refusedForKey"].clone();
    let told = (0..500).any(|_| {
        std::thread::sleep(Duration::from_millis(10));
        status()[0]["count"] == 2
    });
    assert!(told, "{}", status());
    assert_eq!((&status()[0]["expired"], status().as_array().map(Vec::len)), (&json!(false), Some(1)));
}

#[test]
fn metrics_tell_of_each_directory() {
    let server = Served::default();
    let directory = server.connect(&json!({"name": "A \"quoted\" one", "deletionLimit": 0}));
    let (user, _) = push(&directory, "ann@example.com", "Staff");
    assert_eq!(scim(&directory, "DELETE", &format!("/Users/{user}"), None).status, 503);
    let id =
        get(&server, &format!("{ADMIN}/directories")).json()["values"][0]["id"].as_str().expect("an id").to_owned();
    let metrics = get(&server, "/metrics").body;
    let of = format!("{{directory=\"{id}\",name=\"A \\\"quoted\\\" one\"}}");
    for (name, value) in [
        ("directory_users", "1.0"),
        ("directory_groups", "1.0"),
        ("directory_failures_in_24_hours", "1.0"),
        ("directory_holding", "1.0"),
        ("directory_held_deletions", "1.0"),
        ("directory_open_conflicts", "0.0"),
        ("directory_staged", "0.0"),
        ("directory_planned", "0.0"),
    ] {
        assert!(metrics.contains(&format!("\nusher_{name}{of} {value}\n")), "{name}: {metrics}");
        assert!(metrics.contains(&format!("\n# TYPE usher_{name} gauge\n")), "{name}: {metrics}");
    }
    for name in ["directory_last_success_age_seconds", "directory_key_expiry_seconds"] {
        assert!(metrics.contains(&format!("\n# UNIT usher_{name} seconds\n")), "{name}: {metrics}");
        assert!(metrics.contains(&format!("\nusher_{name}{of} ")), "{name}: {metrics}");
    }
    assert!(metrics.contains("\nusher_directories_left_out 0\n"), "{metrics}");
}

#[test]
fn a_storage_that_an_earlier_version_wrote_is_brought_along() {
    let storage: Arc<dyn Storage> = usher_tests::server::storage();
    let entries = include_str!("../guest/tests/engine/layouts/1.jsonl").lines();
    let changes = entries.map(|line| {
        let (key, value) = serde_json::from_str(line).expect("a key and a value");
        Change { key, value: Some(value) }
    });
    let mut transaction = storage.begin(Access::ReadWrite).expect("it begins");
    transaction.write(changes.collect()).expect("it takes writes");
    transaction.commit().map(drop).expect("it commits");

    let server = Served::over(storage, |_| {});
    shape(&server, "admin/storage-not-ready", "GET", "/readyz", None);
    let at = &format!("{ADMIN}/customers");
    let new = json!({"email": "new@example.com", "displayName": "New"});
    assert_eq!(server.send("POST", at, Some(&new)).status, 503);
    assert_eq!(get(&server, at).status, 200);
    server.upkeep();
    assert_eq!(get(&server, "/readyz").status, 200);
    assert_eq!(server.send("POST", at, Some(&new)).status, 201);
    shape(&server, "admin/conflicts-of-the-site", "GET", &format!("{ADMIN}/conflicts?limit=3"), None);
    let directories = get(&server, &format!("{ADMIN}/directories")).json();
    let id = directories["values"][0]["id"].as_str().expect("it is listed").to_owned();
    shape(&server, "admin/conflicts-of-names", "GET", &format!("{ADMIN}/directories/{id}/conflicts"), None);
}

#[test]
fn customers_of_the_admin_api() {
    let server = Served::default();
    let at = &format!("{ADMIN}/customers");
    let ann = json!({"email": "ann@example.com", "displayName": "Ann", "timeZone": "Europe/Vienna", "locale": "de_AT"});
    let id = id_of(&shape(&server, "admin/customer-created", "POST", at, Some(ann.clone())));
    shape(&server, "admin/customer-taken", "POST", at, Some(ann));
    let unknown = json!({"email": "bob@example.com", "displayName": "Bob", "phone": "1"});
    shape(&server, "admin/customer-unknown-member", "POST", at, Some(unknown));
    shape(&server, "admin/customer-invalid", "POST", at, Some(json!({"email": "bob", "displayName": "Bob"})));
    shape(&server, "admin/customers", "GET", at, None);
    let one = &format!("{at}/{id}");
    shape(&server, "admin/customer", "GET", one, None);
    shape(&server, "admin/customer-updated", "PATCH", one, Some(json!({"active": false, "displayName": "Ann B"})));
    shape(&server, "admin/customer-deleted", "DELETE", one, None);
    shape(&server, "admin/customer-not-found", "GET", one, None);
    shape(&server, "admin/unknown-parameter", "GET", &format!("{at}?page=2"), None);
    shape(&server, "admin/method-not-allowed", "PUT", at, None);
}

#[test]
fn organizations_of_the_admin_api() {
    let server = Served::default();
    let ann = json!({"email": "ann@example.com", "displayName": "Ann"});
    let ann = id_of(&server.send("POST", &format!("{ADMIN}/customers"), Some(&ann)));
    let at = &format!("{ADMIN}/organizations");
    shape(&server, "admin/organization-created", "POST", at, Some(json!({"name": " Acme "})));
    shape(&server, "admin/organization-taken", "POST", at, Some(json!({"name": "ACME"})));
    shape(&server, "admin/organizations", "GET", at, None);
    let one = &format!("{at}/1");
    shape(&server, "admin/organization", "GET", one, None);
    shape(&server, "admin/organization-renamed", "PATCH", one, Some(json!({"name": "Acme Ltd"})));
    let members = &format!("{one}/members");
    shape(&server, "admin/member-added", "PUT", &format!("{members}/{ann}"), None);
    assert_eq!(server.send("PUT", &format!("{members}/{ann}"), None).status, 204);
    shape(&server, "admin/members", "GET", members, None);
    shape(&server, "admin/member", "GET", &format!("{members}/{ann}"), None);
    shape(&server, "admin/member-unknown", "PUT", &format!("{members}/nobody"), None);
    shape(&server, "admin/member-removed", "DELETE", &format!("{members}/{ann}"), None);
    shape(&server, "admin/member-not-found", "GET", &format!("{members}/{ann}"), None);
    assert_eq!(get(&server, members).json()["values"], json!([]));
    shape(&server, "admin/organization-deleted", "DELETE", one, None);
    shape(&server, "admin/organization-not-found", "GET", one, None);
    assert_eq!(get(&server, &format!("{at}/one")).status, 404);
}

#[test]
fn projects_and_access_of_the_admin_api() {
    let server = Served::default();
    let ann = json!({"email": "ann@example.com", "displayName": "Ann"});
    let ann = &id_of(&server.send("POST", &format!("{ADMIN}/customers"), Some(&ann)));
    server.send("POST", &format!("{ADMIN}/organizations"), Some(&json!({"name": "Acme"})));
    server.send("PUT", &format!("{ADMIN}/organizations/1/members/{ann}"), None);
    let at = &format!("{ADMIN}/projects");
    shape(&server, "admin/project-created", "POST", at, Some(json!({"key": "help", "name": "Help"})));
    shape(&server, "admin/project-taken", "POST", at, Some(json!({"key": "HELP", "name": "More help"})));
    shape(&server, "admin/project-invalid", "POST", at, Some(json!({"key": "1", "name": "One"})));
    let open = json!({"key": "OPEN", "name": "Open", "audience": "open"});
    assert_eq!(server.send("POST", at, Some(&open)).status, 201);
    shape(&server, "admin/projects", "GET", at, None);
    let one = &format!("{at}/1");
    shape(&server, "admin/project-updated", "PATCH", one, Some(json!({"name": "Help!"})));

    let access = &format!("{ADMIN}/access?customer={ann}");
    shape(&server, "admin/access-denied", "GET", &format!("{access}&project=1"), None);
    shape(&server, "admin/project-opened", "PUT", &format!("{one}/organizations/1"), None);
    assert_eq!(server.send("PUT", &format!("{one}/customers/{ann}"), None).status, 204);
    shape(&server, "admin/project-organizations", "GET", &format!("{one}/organizations"), None);
    shape(&server, "admin/project-customers", "GET", &format!("{one}/customers"), None);
    shape(&server, "admin/access", "GET", &format!("{access}&project=1"), None);
    shape(&server, "admin/access-to-all", "GET", access, None);
    server.send("PATCH", &format!("{ADMIN}/customers/{ann}"), Some(&json!({"active": false})));
    shape(&server, "admin/access-deactivated", "GET", &format!("{access}&project=1"), None);
    shape(&server, "admin/access-to-none", "GET", access, None);
    shape(&server, "admin/access-of-whom", "GET", &format!("{ADMIN}/access"), None);

    for target in [format!("{one}/organizations/1"), format!("{one}/customers/{ann}")] {
        assert_eq!(server.send("DELETE", &target, None).status, 204);
        assert_eq!(server.send("DELETE", &target, None).status, 204);
    }
    assert_eq!(get(&server, &format!("{one}/organizations")).json()["values"], json!([]));
    assert_eq!(get(&server, &format!("{one}/customers")).json()["values"], json!([]));
    shape(&server, "admin/project-deleted", "DELETE", one, None);
    shape(&server, "admin/project-not-found", "GET", one, None);
}

#[test]
fn customers_and_organizations_of_the_service_desk() {
    let server = Served::default();
    let (customer, organization) = (&format!("{DESK}/customer"), &format!("{DESK}/organization"));
    let ann = json!({"displayName": "Ann", "email": "ann@example.com", "unknown": "is passed over"});
    let ann_id = &id_of_user(&shape(&server, "desk/customer-created", "POST", customer, Some(ann.clone())));
    shape(&server, "desk/customer-taken", "POST", customer, Some(ann.clone()));
    let strict = &format!("{customer}?strictConflictStatusCode=true");
    shape(&server, "desk/customer-taken-strict", "POST", strict, Some(ann));
    let bob = json!({"fullName": "Bob", "email": "bob@example.com"});
    let bob_id = &id_of_user(&server.send("POST", customer, Some(&bob)));
    server.send("PATCH", &format!("{ADMIN}/customers/{bob_id}"), Some(&json!({"timeZone": "Europe/Vienna"})));

    shape(&server, "desk/organization-created", "POST", organization, Some(json!({"name": "Acme"})));
    shape(&server, "desk/organization-taken", "POST", organization, Some(json!({"name": "acme"})));
    shape(&server, "desk/organization-invalid", "POST", organization, Some(json!({"name": ""})));
    shape(&server, "desk/organizations", "GET", organization, None);
    let one = &format!("{organization}/1");
    shape(&server, "desk/organization", "GET", one, None);
    let users = &format!("{one}/user");
    let both = json!({"accountIds": [ann_id], "usernames": [bob_id, ann_id]});
    shape(&server, "desk/users-added", "POST", users, Some(both));
    shape(&server, "desk/users", "GET", users, None);
    server.send("POST", organization, Some(&json!({"name": "Other"})));
    shape(&server, "desk/organizations-of-account", "GET", &format!("{organization}?accountId={ann_id}"), None);
    assert_eq!(get(&server, &format!("{organization}?accountId=nobody")).status, 404);
    let behind = get(&server, &format!("{organization}?accountId={ann_id}&start=1")).json();
    assert_eq!((&behind["size"], &behind["isLastPage"]), (&json!(0), &json!(true)));
    shape(&server, "desk/users-unknown", "POST", users, Some(json!({"accountIds": ["nobody"]})));
    shape(&server, "desk/users-unnamed", "POST", users, Some(json!({})));
    shape(&server, "desk/users-removed", "DELETE", users, Some(json!({"usernames": [ann_id]})));
    assert_eq!(get(&server, users).json()["values"][0]["accountId"], **bob_id);

    let revoke = &format!("{customer}/user/{bob_id}/revoke-portal-only-access");
    shape(&server, "desk/access-revoked", "PUT", revoke, None);
    shape(&server, "desk/users-revoked", "GET", users, None);
    shape(&server, "desk/organization-deleted", "DELETE", one, None);
    shape(&server, "desk/organization-not-found", "GET", one, None);
    shape(&server, "desk/no-such-endpoint", "GET", &format!("{DESK}/request"), None);
    shape(&server, "desk/method-not-allowed", "PATCH", one, None);
    let target = organization.clone();
    let unauthorized = Request { method: "GET".to_owned(), target, headers: Vec::new(), body: None };
    golden::compare_response("desk/unauthorized", &server.send_raw(unauthorized));
}

fn id_of_user(response: &Response) -> String {
    response.json()["accountId"].as_str().expect("a user has an account").to_owned()
}

#[test]
fn service_desks() {
    let server = Served::default();
    let create = |email: &str, name: &str| {
        let body = json!({"displayName": name, "email": email});
        id_of_user(&server.send("POST", &format!("{DESK}/customer"), Some(&body)))
    };
    let (ann, bob) = (create("ann@example.com", "Ann"), create("bob@example.net", "Bob"));
    server.send("POST", &format!("{ADMIN}/organizations"), Some(&json!({"name": "Acme"})));
    for project in [json!({"key": "HELP", "name": "Help"}), json!({"key": "OPEN", "name": "Open", "audience": "open"})]
    {
        assert_eq!(server.send("POST", &format!("{ADMIN}/projects"), Some(&project)).status, 201);
    }
    let at = &format!("{DESK}/servicedesk");
    shape(&server, "desk/service-desks", "GET", at, None);
    shape(&server, "desk/service-desk", "GET", &format!("{at}/help"), None);
    assert_eq!(get(&server, &format!("{at}/1")).json(), get(&server, &format!("{at}/HELP")).json());
    shape(&server, "desk/service-desk-not-found", "GET", &format!("{at}/NONE"), None);

    let organizations = &format!("{at}/HELP/organization");
    shape(&server, "desk/organization-added", "POST", organizations, Some(json!({"organizationId": 1})));
    assert_eq!(server.send("POST", organizations, Some(&json!({"organizationId": "1"}))).status, 204);
    shape(&server, "desk/service-desk-organizations", "GET", organizations, None);
    let of_account = |account: &str| get(&server, &format!("{organizations}?accountId={account}&limit=1"));
    assert_eq!(of_account(&ann).json()["values"], json!([]));
    let members = json!({"accountIds": [ann]});
    assert_eq!(server.send("POST", &format!("{DESK}/organization/1/user"), Some(&members)).status, 204);
    let page = of_account(&ann).json();
    assert_eq!((&page["values"][0]["name"], &page["isLastPage"]), (&json!("Acme"), &json!(true)));
    assert!(page["_links"]["self"].as_str().is_some_and(|link| link.contains(&format!("accountId={ann}"))), "{page}");
    assert_eq!(of_account(&bob).json()["size"], 0);
    assert_eq!(of_account("nobody").status, 404);
    shape(&server, "desk/organization-removed", "DELETE", organizations, Some(json!({"organizationId": 1})));
    assert_eq!(server.send("DELETE", organizations, Some(&json!({"organizationId": 1}))).status, 204);
    assert_eq!(server.send("POST", organizations, Some(&json!({"organizationId": 9}))).status, 404);

    let customers = &format!("{at}/1/customer");
    let both = json!({"accountIds": [ann], "usernames": [bob]});
    shape(&server, "desk/customers-added", "POST", customers, Some(both));
    shape(&server, "desk/service-desk-customers", "GET", &format!("{customers}?query=BOB@example&limit=5000"), None);
    let whole = format!("{customers}?query={}", "x".repeat(257));
    assert_eq!(get(&server, &whole).status, 400, "nobody types so much");
    let offered = |query: &str| get(&server, &format!("{customers}?query={query}")).json()["size"].clone();
    assert_eq!((offered("b"), offered("")), (json!(1), json!(2)));
    assert_eq!(server.send("PUT", &format!("{DESK}/customer/user/{bob}/revoke-portal-only-access"), None).status, 204);
    assert_eq!((offered("b"), offered("")), (json!(0), json!(1)), "who is deactivated is not offered");
    let unknown = json!({"accountIds": [ann, "nobody"]});
    assert_eq!(server.send("DELETE", customers, Some(&unknown)).status, 404);
    assert_eq!(get(&server, customers).json()["size"], 2, "a request with someone unknown changes nothing");
    shape(&server, "desk/customers-removed", "DELETE", customers, Some(json!({"accountIds": [ann, bob]})));
    let open = &format!("{at}/OPEN/customer");
    shape(&server, "desk/customers-of-an-open-one", "DELETE", open, Some(json!({"accountIds": [ann]})));
}

#[test]
fn what_a_directory_manages_is_read_only_on_every_surface() {
    let server = Served::default();
    let directory = server.connect(&json!({"name": "Entra ID"}));
    let (bob, _) = push(&directory, "bob@example.com", "Acme");
    let ann = json!({"email": "ann@example.com", "displayName": "Ann"});
    let ann = id_of(&server.send("POST", &format!("{ADMIN}/customers"), Some(&ann)));
    let state = || {
        ["customers", "organizations", "organizations/1/members"]
            .map(|list| get(&server, &format!("{ADMIN}/{list}")).json().to_string())
    };
    let before = state();
    assert!(before[2].contains(&bob), "the customer of a user has the user's id: {}", before[2]);

    let accounts = |id: &str| Some(json!({"accountIds": [id]}));
    let admin = [
        ("PATCH", format!("customers/{bob}"), Some(json!({"displayName": "Robert"}))),
        ("PATCH", format!("customers/{bob}"), Some(json!({"active": false}))),
        ("DELETE", format!("customers/{bob}"), None),
        ("PATCH", "organizations/1".to_owned(), Some(json!({"name": "Acme Ltd"}))),
        ("DELETE", "organizations/1".to_owned(), None),
        ("PUT", format!("organizations/1/members/{ann}"), None),
        ("DELETE", format!("organizations/1/members/{bob}"), None),
    ];
    for (method, target, body) in admin {
        let response = server.send(method, &format!("{ADMIN}/{target}"), body.as_ref());
        let problem = response.json();
        assert_eq!(response.status, 409, "{method} {target}: {problem}");
        assert_eq!(problem["type"], "urn:usher:problem:managed");
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains("Entra ID")), "{problem}");
    }
    let desk = [
        ("PUT", format!("customer/user/{bob}/revoke-portal-only-access"), None),
        ("DELETE", "organization/1".to_owned(), None),
        ("POST", "organization/1/user".to_owned(), accounts(&ann)),
        ("DELETE", "organization/1/user".to_owned(), accounts(&bob)),
    ];
    for (method, target, body) in desk {
        let response = server.send(method, &format!("{DESK}/{target}"), body.as_ref());
        let error = response.json();
        assert_eq!(response.status, 403, "{method} {target}: {error}");
        assert_eq!(error["i18nErrorMessage"]["i18nKey"], "usher.error.managed");
        assert!(error["errorMessage"].as_str().is_some_and(|message| message.contains("Entra ID")), "{error}");
    }
    assert_eq!(state(), before);
    shape(&server, "admin/customer-managed", "DELETE", &format!("{ADMIN}/customers/{bob}"), None);
    shape(&server, "desk/organization-managed", "DELETE", &format!("{DESK}/organization/1"), None);
    shape(&server, "desk/organization-scim-managed", "GET", &format!("{DESK}/organization/1"), None);

    // What a project is open to is the site's own.
    let project = json!({"key": "HELP", "name": "Help"});
    assert_eq!(server.send("POST", &format!("{ADMIN}/projects"), Some(&project)).status, 201);
    for target in ["organizations/1".to_owned(), format!("customers/{bob}")] {
        assert_eq!(server.send("PUT", &format!("{ADMIN}/projects/1/{target}"), None).status, 204);
    }
    let access = get(&server, &format!("{ADMIN}/access?customer={bob}&project=1")).json();
    assert_eq!(access["allowed"], true, "{access}");
}

#[test]
fn lists_are_read_to_their_end_page_by_page() {
    const COUNT: usize = 7;
    let server = Served::default();
    for number in 0..COUNT {
        let customer = json!({"email": format!("c{number}@example.com"), "displayName": format!("C {number}")});
        let id = id_of(&server.send("POST", &format!("{ADMIN}/customers"), Some(&customer)));
        let organization = json!({"name": format!("O {number}")});
        assert_eq!(server.send("POST", &format!("{ADMIN}/organizations"), Some(&organization)).status, 201);
        let project = json!({"key": format!("P{number}"), "name": format!("P {number}")});
        assert_eq!(server.send("POST", &format!("{ADMIN}/projects"), Some(&project)).status, 201);
        for target in [
            format!("organizations/1/members/{id}"),
            format!("projects/1/customers/{id}"),
            format!("projects/1/organizations/{}", number + 1),
        ] {
            assert_eq!(server.send("PUT", &format!("{ADMIN}/{target}"), None).status, 204, "{target}");
        }
    }
    for list in [
        "customers",
        "organizations",
        "organizations/1/members",
        "projects",
        "projects/1/customers",
        "projects/1/organizations",
        "customers?query=c",
        "customers?state=local",
        "organizations?query=o",
        "access?project=1",
    ] {
        let sign = if list.contains('?') { '&' } else { '?' };
        let all = get(&server, &format!("{ADMIN}/{list}")).json();
        assert_eq!((all["values"].as_array().map(Vec::len), &all["next"]), (Some(COUNT), &Value::Null), "{list}");
        let (mut values, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = get(&server, &format!("{ADMIN}/{list}{sign}limit=3{cursor}")).json();
            values.extend(page["values"].as_array().expect("a page has values").clone());
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(Value::from(values), all["values"], "{list}");
    }
    for list in [
        "organization",
        "organization/1/user",
        "servicedesk",
        "servicedesk/1/customer",
        "servicedesk/1/organization",
        "servicedesk/1/customer?query=c",
    ] {
        let all = get(&server, &format!("{DESK}/{list}")).json();
        assert_eq!(
            (&all["size"], &all["isLastPage"], &all["limit"]),
            (&json!(COUNT), &json!(true), &json!(50)),
            "{list}"
        );
        let sign = if list.contains('?') { '&' } else { '?' };
        let (mut values, mut target) = (Vec::new(), format!("{DESK}/{list}{sign}limit=3"));
        let mut visited = Vec::new();
        loop {
            let page = get(&server, &target).json();
            values.extend(page["values"].as_array().expect("a page has values").clone());
            let links = &page["_links"];
            assert_eq!(page["start"] == 0, links["prev"].is_null(), "{page}");
            visited.push(links["self"].clone());
            if let Some(before) = visited.len().checked_sub(2) {
                assert_eq!(links["prev"], visited[before]);
            }
            assert_eq!(page["isLastPage"], links["next"].is_null(), "{page}");
            match links["next"].as_str() {
                Some(next) => target = next.replace("https://usher.test", ""),
                None => break,
            }
        }
        assert_eq!(Value::from(values), all["values"], "{list}");
    }
    for query in ["limit=0", "limit=x", "start=-1", "start=99999999999"] {
        assert_eq!(get(&server, &format!("{DESK}/organization?{query}")).status, 400, "{query}");
    }
    for query in ["limit=0", "limit=1001", "cursor=%2F"] {
        assert_eq!(get(&server, &format!("{ADMIN}/organizations?{query}")).status, 400, "{query}");
    }
}

#[test]
fn what_is_looked_for_on_the_site_is_found() {
    let server = Served::default();
    let directory = server.connect(&json!({"name": "Entra ID"}));
    let id = directory.base.rsplit('/').next().expect("a base URL ends with an id").to_owned();
    let (bob, _) = push(&directory, "bob@example.com", "Acme Support");
    let ann = json!({"email": "ann.b@example.com", "displayName": "Ann Lee-Bobson"});
    let ann = id_of(&server.send("POST", &format!("{ADMIN}/customers"), Some(&ann)));
    server.send("POST", &format!("{ADMIN}/organizations"), Some(&json!({"name": "Acme & Sons"})));
    server.send("PUT", &format!("{ADMIN}/organizations/2/members/{ann}"), None);
    for (key, audience) in [("OPEN", "open"), ("HELP", "restricted")] {
        let project = json!({"key": key, "name": key, "audience": audience});
        assert_eq!(server.send("POST", &format!("{ADMIN}/projects"), Some(&project)).status, 201);
    }
    server.send("PUT", &format!("{ADMIN}/projects/2/organizations/1"), None);
    server.send("PUT", &format!("{ADMIN}/projects/2/organizations/2"), None);
    server.send("PUT", &format!("{ADMIN}/projects/2/customers/{ann}"), None);

    let (customers, organizations) = (&format!("{ADMIN}/customers"), &format!("{ADMIN}/organizations"));
    shape(&server, "admin/customers-found", "GET", &format!("{customers}?query=BOB&limit=1"), None);
    let of = |query: &str| get(&server, &format!("{customers}?{query}")).json()["values"].clone();
    let emails = |query: &str| {
        let found = of(query);
        let all = found.as_array().expect("a page has values").iter();
        all.map(|customer| customer["email"].as_str().expect("an address").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(emails("query=bob"), ["bob@example.com", "ann.b@example.com"]);
    assert_eq!(emails("query=bob%20lee"), ["ann.b@example.com"]);
    assert_eq!(emails("query=obson"), [""; 0]);
    assert_eq!(emails(&format!("directory={id}")), ["bob@example.com"]);
    assert_eq!(emails("state=local"), ["ann.b@example.com"]);
    assert_eq!(emails("state=managed&query=bob"), ["bob@example.com"]);
    assert_eq!((emails("state=inactive"), emails("state=unlinked")), (vec![], vec![]));
    shape(&server, "admin/organizations-found", "GET", &format!("{organizations}?query=support%20acme"), None);
    let local = get(&server, &format!("{organizations}?state=local")).json();
    assert_eq!((&local["values"][0]["name"], &local["values"][1]), (&json!("Acme & Sons"), &Value::Null));
    shape(&server, "admin/organizations-of-customer", "GET", &format!("{customers}/{ann}/organizations"), None);
    shape(&server, "admin/totals", "GET", &format!("{ADMIN}/totals"), None);
    shape(&server, "admin/access-of-all", "GET", &format!("{ADMIN}/access?project=2"), None);
    let everyone = get(&server, &format!("{ADMIN}/access?project=1")).json();
    assert_eq!(everyone["values"].as_array().map(Vec::len), Some(2), "{everyone}");

    server.send("PATCH", &format!("{customers}/{ann}"), Some(&json!({"active": false})));
    assert_eq!(server.send("POST", &format!("{customers}/{bob}/unlink"), None).status, 200);
    assert_eq!(
        (emails("state=inactive"), emails("state=unlinked")),
        (vec!["ann.b@example.com".into()], vec!["bob@example.com".into()])
    );
    assert_eq!(get(&server, &format!("{ADMIN}/access?project=2")).json()["values"], json!([]));
    shape(&server, "admin/search-invalid", "GET", &format!("{customers}?state=gone"), None);
    for query in ["deleted=true&query=x", "query=x&cursor=%2F", "query=x&cursor=", "limit=0&state=local"] {
        assert_eq!(get(&server, &format!("{customers}?{query}")).status, 400, "{query}");
        assert_eq!(get(&server, &format!("{organizations}?{query}")).status, 400, "{query}");
    }
    assert_eq!(get(&server, &format!("{customers}?directory=none")).status, 404);
    assert_eq!(get(&server, &format!("{customers}/none/organizations")).status, 404);
    for (query, status) in
        [("project=9", 404), ("project=x", 400), ("project=1&cursor=x", 400), ("customer=x&limit=1", 400)]
    {
        assert_eq!(get(&server, &format!("{ADMIN}/access?{query}")).status, status, "{query}");
    }
}

#[test]
fn a_disconnected_directory_leaves_or_takes_what_it_managed() {
    let server = Served::default();
    for (name, user, query) in [("Entra ID", "ann@example.com", ""), ("Okta", "bob@example.com", "?remove=true")] {
        let directory = server.connect(&json!({"name": name}));
        push(&directory, user, name);
        let id = directory.base.rsplit('/').next().unwrap_or_default();
        let at = format!("{ADMIN}/directories/{id}");
        assert_eq!(server.send("DELETE", &format!("{at}?remove=perhaps"), None).status, 400);
        assert_eq!(server.send("DELETE", &format!("{at}{query}"), None).status, 204);
        server.upkeep();
        for list in ["customers", "organizations"] {
            let values = get(&server, &format!("{ADMIN}/{list}")).json()["values"].clone();
            // The first directory's stay and become local, the second's go.
            assert_eq!(values.as_array().map(Vec::len), Some(1), "{values}");
            assert_eq!(values[0]["managedBy"], Value::Null);
        }
    }
}

/// The ids, names or whatever stands under a name in the values of a list.
fn listed(server: &Served, target: &str, name: &str) -> Vec<Value> {
    let list = get(server, target);
    assert_eq!(list.status, 200, "{target}: {}", list.body);
    let values = list.json()["values"].as_array().cloned().unwrap_or_default();
    values.into_iter().map(|value| value[name].clone()).collect()
}

#[test]
fn what_a_removed_directory_managed_is_gone_before_it_is_swept() {
    let server = Served::default();
    let (customers, organizations) = (&format!("{ADMIN}/customers"), &format!("{ADMIN}/organizations"));
    let ann = json!({"email": "ann@example.com", "displayName": "Ann"});
    assert_eq!(server.send("POST", customers, Some(&ann)).status, 201);
    assert_eq!(server.send("POST", organizations, Some(&json!({"name": "Local"}))).status, 201);
    let help = json!({"key": "HELP", "name": "Help"});
    assert_eq!(server.send("POST", &format!("{ADMIN}/projects"), Some(&help)).status, 201);
    assert_eq!(server.send("PUT", &format!("{ADMIN}/projects/1/organizations/1"), None).status, 204);
    let idp = server.connect(&json!({"name": "Okta"}));
    let (user, _) = push(&idp, "bob@example.com", "Staff");
    let directory = format!("{ADMIN}/directories/{}", idp.base.rsplit('/').next().unwrap_or_default());
    assert_eq!(server.send("PUT", &format!("{ADMIN}/projects/1/organizations/2"), None).status, 204);
    assert_eq!(server.send("PUT", &format!("{ADMIN}/projects/1/customers/{user}"), None).status, 204);
    let access = &format!("{ADMIN}/access?customer={user}&project=1");
    assert_eq!(get(&server, access).json()["allowed"], true);
    assert_eq!(server.send("DELETE", &format!("{directory}?remove=true"), None).status, 204);
    let gone = |server: &Served| {
        assert_eq!(get(server, access).status, 404);
        assert_eq!(get(server, &format!("{ADMIN}/access?customer={user}")).status, 404);
        for target in [
            format!("{customers}/{user}"),
            format!("{organizations}/2/members/{user}"),
            format!("{organizations}/2"),
            format!("{organizations}/2/members"),
            format!("{DESK}/organization/2"),
            format!("{DESK}/organization/2/user"),
        ] {
            assert_eq!(get(server, &target).status, 404, "{target}");
        }
        assert_eq!(listed(server, &format!("{ADMIN}/projects/1/organizations"), "name"), ["Local"]);
        assert!(listed(server, &format!("{ADMIN}/projects/1/customers"), "email").is_empty());
        assert_eq!(listed(server, &format!("{DESK}/servicedesk/1/organization"), "name"), ["Local"]);
        assert!(listed(server, &format!("{DESK}/servicedesk/1/customer"), "emailAddress").is_empty());
    };
    gone(&server);
    assert_eq!(listed(&server, customers, "email"), ["ann@example.com"]);
    assert_eq!(listed(&server, organizations, "name"), ["Local"]);
    assert_eq!(listed(&server, &format!("{DESK}/organization"), "name"), ["Local"]);
    // What it held is free at once.
    let new = json!({"email": "bob@example.com", "displayName": "Another Bob"});
    assert_eq!(server.send("POST", customers, Some(&new)).status, 201);
    assert_eq!(server.send("POST", organizations, Some(&json!({"name": "Staff"}))).status, 201);
    server.upkeep();
    gone(&server);
    assert_eq!(listed(&server, customers, "displayName"), ["Ann", "Another Bob"]);
    assert_eq!(listed(&server, &format!("{customers}?deleted=true"), "id"), [json!(user)]);
    assert_eq!(listed(&server, &format!("{organizations}?deleted=true"), "name"), ["Staff"]);
}

#[test]
fn settings_of_the_site() {
    let server = Served::default();
    let at = &format!("{ADMIN}/settings");
    shape(&server, "admin/settings", "GET", at, None);
    let few = json!({"locales": ["de-DE", "fr_FR"], "defaultLocale": "FR-fr", "maxMembers": 1, "maxGroups": 2});
    shape(&server, "admin/settings-updated", "PATCH", at, Some(few));
    let ann = json!({"email": "ann@example.com", "displayName": "Ann", "locale": "en-US"});
    let made = server.send("POST", &format!("{ADMIN}/customers"), Some(&ann)).json();
    assert_eq!(made["locale"], "fr-FR");
    shape(&server, "admin/settings-invalid", "PATCH", at, Some(json!({"locales": ["en-US"]})));
    for refused in [
        json!({"locales": []}),
        json!({"locales": ["no tag"], "defaultLocale": "no tag"}),
        json!({"defaultLocale": "ja-JP"}),
        json!({"maxMembers": 0}),
        json!({"maxGroups": 1.5}),
        json!({"retentionDays": 3_651}),
        json!({"retention": 1}),
    ] {
        assert_eq!(server.send("PATCH", at, Some(&refused)).status, 400, "{refused}");
    }
    let feed = get(&server, &format!("{ADMIN}/changes")).json();
    let told: Vec<&Value> = feed["values"].as_array().expect("a page").iter().map(|change| &change["kind"]).collect();
    assert_eq!(told, ["settings.updated", "customer.created"]);
    let kinds = |query: &str| {
        let feed = get(&server, &format!("{ADMIN}/changes?{query}")).json();
        let kinds = feed["values"].as_array().expect("a page").iter().map(|change| change["kind"].clone());
        (kinds.collect::<Vec<_>>(), feed["next"].clone())
    };
    assert_eq!(kinds("order=newest&limit=1"), (vec![json!("customer.created")], json!(2)));
    assert_eq!(kinds("order=newest&before=2"), (vec![json!("settings.updated")], Value::Null));
    assert_eq!(kinds("order=oldest&after=1&limit=5").0, ["customer.created"]);
    assert_eq!(
        (kinds("since=1970-01-01T00:00:00Z").0.len(), kinds("since=9000-01-01T00:00:00%2B02:00").0.len()),
        (2, 0)
    );
    for refused in [
        "order=up",
        "order=newest&after=1",
        "before=1",
        "since=yesterday",
        "since=1970-01-01T00:00:00Z&after=1",
        "before=x&order=newest",
    ] {
        assert_eq!(get(&server, &format!("{ADMIN}/changes?{refused}")).status, 400, "{refused}");
    }
}

#[test]
fn limits_of_the_site_hold_for_every_directory() {
    let server = Served::default();
    server.send("PATCH", &format!("{ADMIN}/settings"), Some(&json!({"maxMembers": 1, "maxGroups": 2})));
    let directory = server.connect(&json!({"name": "Entra ID"}));
    let (ann, staff) = push(&directory, "ann@example.com", "Staff");
    let (bob, _) = push(&directory, "bob@example.com", "Others");
    let refused = |method: &str, target: &str, body: Value| {
        let headers = vec![
            ("authorization".to_owned(), format!("Bearer {}", directory.api_key)),
            ("content-type".to_owned(), "application/scim+json".to_owned()),
        ];
        let (method, target) = (method.to_owned(), target.to_owned());
        let response = directory.send(Request { method, target, headers, body: Some(body.to_string()) });
        assert_eq!((response.status, &response.json()["scimType"]), (400, &json!("invalidValue")));
        response.json()["detail"].to_string()
    };
    let third = refused("POST", "/Groups", json!({"displayName": "Third"}));
    assert!(third.contains("may have 2 groups"), "{third}");
    let both = json!([{"value": ann}, {"value": bob}]);
    let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "add", "path": "members", "value": both}]});
    let second = refused("PATCH", &format!("/Groups/{staff}"), body);
    assert!(second.contains("may have 1 members"), "{second}");
}

/// A directory that leaves groups apart, and a group of its that is: the path of the directory, and the ids of both.
fn left_apart(server: &Served, user: &str) -> (String, String, String) {
    let ann = json!({"email": "ann@example.com", "displayName": "Ann"});
    let ann = id_of(&server.send("POST", &format!("{ADMIN}/customers"), Some(&ann)));
    server.send("POST", &format!("{ADMIN}/organizations"), Some(&json!({"name": "Acme"})));
    assert_eq!(server.send("PUT", &format!("{ADMIN}/organizations/1/members/{ann}"), None).status, 204);
    server.send("POST", &format!("{ADMIN}/projects"), Some(&json!({"key": "HELP", "name": "Help"})));
    assert_eq!(server.send("PUT", &format!("{ADMIN}/projects/1/organizations/1"), None).status, 204);
    let directory = server.connect(&json!({"name": "Okta", "conflictPolicy": "skip"}));
    let (user, group) = push(&directory, user, "ACME");
    let directories = get(server, &format!("{ADMIN}/directories")).json();
    let id = directories["values"][0]["id"].as_str().expect("there is one");
    (format!("{ADMIN}/directories/{id}"), user, group)
}

#[test]
fn conflicts_are_listed_previewed_and_resolved() {
    let server = Served::default();
    let (directory, _, group) = left_apart(&server, "bob@example.com");
    let at = &format!("{directory}/conflicts");
    shape(&server, "admin/conflicts", "GET", at, None);
    let one = &format!("{at}/{group}");
    shape(&server, "admin/conflict-preview", "GET", one, None);
    shape(&server, "admin/conflict-unnamed", "POST", one, Some(json!({"action": "rename"})));
    for body in [json!({}), json!({"action": "adopt", "name": "Acme"}), json!({"action": "delete"}), json!([])] {
        assert_eq!(server.send("POST", one, Some(&body)).status, 400, "{body}");
    }
    let same = json!({"action": "rename", "name": "acme"});
    assert_eq!(server.send("POST", one, Some(&same)).status, 400);
    shape(&server, "admin/conflict-resolved", "POST", one, Some(json!({"action": "rename", "name": "Acme before"})));
    shape(&server, "admin/conflict-not-found", "GET", one, None);
    assert_eq!(get(&server, at).json()["values"], json!([]));
    let organizations = get(&server, &format!("{ADMIN}/organizations")).json();
    let names = organizations["values"].as_array().expect("a page has values").iter();
    assert_eq!(names.map(|one| one["name"].clone()).collect::<Vec<_>>(), ["Acme before", "ACME"]);
}

#[test]
fn a_conflict_is_resolved_by_adopting_or_leaving_apart() {
    for action in ["adopt", "leave"] {
        let server = Served::default();
        let (directory, bob, group) = left_apart(&server, "bob@example.com");
        let resolution = json!({"action": action, "name": null});
        let one = format!("{directory}/conflicts/{group}");
        assert_eq!(server.send("POST", &one, Some(&resolution)).status, 204);
        assert_eq!(get(&server, &directory).json()["conflicts"], 0);
        let members = get(&server, &format!("{ADMIN}/organizations/1/members")).json();
        let members: Vec<&Value> = members["values"].as_array().expect("a page has values").iter().collect();
        assert_eq!((members.len(), members[0]["id"] == *bob), (1, action == "adopt"));
    }
}

#[test]
fn customers_are_unlinked_and_linked_again() {
    let server = Served::default();
    let (directory, bob, _) = left_apart(&server, "bob@example.com");
    let unlinked = &format!("{directory}/unlinked");
    let one = &format!("{ADMIN}/customers/{bob}");
    shape(&server, "admin/customer-unlinked", "POST", &format!("{one}/unlink"), None);
    shape(&server, "admin/customer-unlinked-already", "POST", &format!("{one}/unlink"), None);
    shape(&server, "admin/unlinked", "GET", unlinked, None);
    assert_eq!(get(&server, &directory).json()["unlinked"], 1);
    let relink = &format!("{one}/relink");
    assert_eq!(server.send("POST", relink, Some(&json!({"directory": "nowhere"}))).status, 404);
    shape(&server, "admin/customer-relinked", "POST", relink, None);
    shape(&server, "admin/customer-relinked-already", "POST", relink, Some(json!({})));
    assert_eq!(get(&server, unlinked).json()["values"], json!([]));
}

#[test]
fn a_group_is_compared_with_its_organization() {
    let server = Served::default();
    let (directory, _, group) = left_apart(&server, "bob@example.com");
    let one = &format!("{directory}/groups/{group}");
    shape(&server, "admin/groups", "GET", &format!("{directory}/groups"), None);
    shape(&server, "admin/group", "GET", one, None);
    shape(&server, "admin/organization-projects", "GET", &format!("{ADMIN}/organizations/1/projects"), None);
    assert_eq!(
        get(&server, &format!("{directory}/groups?query=acM")).json(),
        get(&server, &format!("{directory}/groups")).json()
    );
    assert_eq!(get(&server, &format!("{directory}/groups?query=cme")).json()["values"], json!([]));
    shape(&server, "admin/group-check", "GET", &format!("{one}/check"), None);
    // Its name is free now.
    assert_eq!(server.send("DELETE", &format!("{ADMIN}/organizations/1"), None).status, 204);
    shape(&server, "admin/group-repair", "POST", &format!("{one}/repair"), None);
    assert_eq!(get(&server, &format!("{one}/check")).json()["differences"], json!([]));
    shape(&server, "admin/group-not-found", "GET", &format!("{directory}/groups/nothing/check"), None);
}

#[test]
fn a_restored_customer_is_on_probation_until_the_group_is_repaired() {
    let server = Served::default();
    let directory = server.connect(&json!({"name": "Okta"}));
    let (user, group) = push(&directory, "bob@example.com", "Staff");
    assert_eq!(scim(&directory, "DELETE", &format!("/Users/{user}"), None).status, 204);
    assert_eq!(server.send("POST", &format!("{ADMIN}/customers/{user}/restore"), None).status, 200);
    let member = format!("{ADMIN}/organizations/1/members/{user}");
    assert_eq!(get(&server, &member).status, 200);
    let id = directory.base.rsplit('/').next().unwrap_or_default();
    let one = &format!("{ADMIN}/directories/{id}/groups/{group}");
    shape(&server, "admin/group-check-probation", "GET", &format!("{one}/check"), None);
    shape(&server, "admin/group-repair-probation", "POST", &format!("{one}/repair"), None);
    assert_eq!(get(&server, &format!("{one}/check")).json()["probation"], json!({"count": 0, "customers": []}));
    assert_eq!(get(&server, &member).status, 404);
}

#[test]
fn what_is_deleted_is_restored_or_erased() {
    let server = Served::default();
    let (customers, organizations) = (&format!("{ADMIN}/customers"), &format!("{ADMIN}/organizations"));
    let new = json!({"email": "ann@example.com", "displayName": "Ann"});
    let customer = id_of(&server.send("POST", customers, Some(&new)));
    let organization = id_of(&server.send("POST", organizations, Some(&json!({"name": "Staff"}))));
    let member = format!("{organizations}/{organization}/members/{customer}");
    assert_eq!(server.send("PUT", &member, None).status, 204);
    let (customer, organization) = (format!("{customers}/{customer}"), format!("{organizations}/{organization}"));
    for deleted in [&customer, &organization] {
        assert_eq!(server.send("DELETE", deleted, None).status, 204);
    }
    shape(&server, "admin/customers-deleted", "GET", &format!("{customers}?deleted=true"), None);
    shape(&server, "admin/organizations-deleted", "GET", &format!("{organizations}?deleted=true"), None);
    assert_eq!(get(&server, &format!("{customers}?deleted=yes")).status, 400);
    shape(&server, "admin/customer-restored", "POST", &format!("{customer}/restore"), None);
    shape(&server, "admin/organization-restored", "POST", &format!("{organization}/restore"), None);
    assert_eq!(get(&server, &member).status, 200);
    assert_eq!(server.send("POST", &format!("{organization}/restore"), None).status, 404);
    assert_eq!(server.send("POST", &format!("{customer}/erase"), None).status, 204);
    shape(&server, "admin/customer-erased", "POST", &format!("{customer}/restore"), None);
    assert_eq!(get(&server, &format!("{customers}?deleted=true")).json()["values"], json!([]));
}
