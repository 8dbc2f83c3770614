//! The rows of the product's tables, as an identity provider and an administrator see them over HTTP, through the component:
//! what an identity provider does, and what becomes of it on the site.

use serde_json::{Value, json};
use usher_tests::http::Served;
use usher_tests::server::{Directory, Request, Response};

const ADMIN: &str = "/admin/v1";

/// An identity provider that is connected to the site.
struct Idp {
    directory: Directory,
    id: String,
}

impl Idp {
    fn connect(server: &Served, settings: &Value) -> Self {
        let directory = server.connect(settings);
        let id = directory.base.rsplit('/').next().expect("a base URL ends with an id").to_owned();
        Self { directory, id }
    }

    fn send(&self, method: &str, target: &str, body: Option<&Value>) -> Response {
        let headers = [
            ("authorization", format!("Bearer {}", self.directory.api_key)),
            ("content-type", "application/scim+json".to_owned()),
        ];
        self.directory.send(Request {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: headers.map(|(name, value)| (name.to_owned(), value)).to_vec(),
            body: body.map(Value::to_string),
        })
    }

    /// Makes something and returns its id.
    fn make(&self, target: &str, body: impl Into<Value>) -> String {
        let made = self.send("POST", target, Some(&body.into()));
        assert_eq!(made.status, 201, "{}", made.body);
        made.json()["id"].as_str().expect("a resource has an id").to_owned()
    }

    fn user(&self, email: &str) -> String {
        self.make("/Users", json!({"userName": email, "emails": [{"value": email, "primary": true}]}))
    }

    fn group(&self, name: &str, members: &[&str]) -> String {
        let members: Vec<Value> = members.iter().map(|id| json!({"value": id})).collect();
        self.make("/Groups", json!({"displayName": name, "members": members}))
    }

    fn patch(&self, target: &str, operations: impl Into<Value>) -> Response {
        let schemas = ["urn:ietf:params:scim:api:messages:2.0:PatchOp"];
        self.send("PATCH", target, Some(&json!({"schemas": schemas, "Operations": operations.into()})))
    }

    fn set(&self, target: &str, path: &str, value: impl Into<Value>) -> Response {
        self.patch(target, json!([{"op": "replace", "path": path, "value": value.into()}]))
    }
}

fn get(server: &Served, target: &str) -> Value {
    let response = server.send("GET", &format!("{ADMIN}/{target}"), None);
    assert_eq!(response.status, 200, "{target}: {}", response.body);
    response.json()
}

fn send(server: &Served, method: &str, target: &str, body: Option<&Value>) -> Value {
    let response = server.send(method, &format!("{ADMIN}/{target}"), body);
    assert!(response.status < 300, "{method} {target}: {}", response.body);
    if response.body.is_empty() { Value::Null } else { response.json() }
}

fn local_customer(server: &Served, email: &str) -> String {
    let made = send(server, "POST", "customers", Some(&json!({"email": email, "displayName": "By hand"})));
    made["id"].as_str().expect("a customer has an id").to_owned()
}

fn local_organization(server: &Served, name: &str, members: &[&str]) -> u64 {
    let made = send(server, "POST", "organizations", Some(&json!({"name": name})));
    let id = made["id"].as_u64().expect("an organization has a number");
    for member in members {
        send(server, "PUT", &format!("organizations/{id}/members/{member}"), None);
    }
    id
}

/// A restricted project that is associated with an organization.
fn project_of(server: &Served, organization: u64) -> u64 {
    let made = send(server, "POST", "projects", Some(&json!({"key": "DESK", "name": "Desk"})));
    let id = made["id"].as_u64().expect("a project has a number");
    send(server, "PUT", &format!("projects/{id}/organizations/{organization}"), None);
    id
}

fn may_use(server: &Served, customer: &str, project: u64) -> bool {
    get(server, &format!("access?customer={customer}&project={project}"))["allowed"] == true
}

fn emails(server: &Served) -> Vec<String> {
    let values = get(server, "customers")["values"].clone();
    let all = values.as_array().expect("a page has values").iter();
    all.map(|customer| customer["email"].as_str().expect("an address").to_owned()).collect()
}

fn members(server: &Served, organization: u64) -> Vec<String> {
    let values = get(server, &format!("organizations/{organization}/members"))["values"].clone();
    let all = values.as_array().expect("a page has values").iter();
    all.map(|customer| customer["id"].as_str().expect("an id").to_owned()).collect()
}

fn organization_named(server: &Served, name: &str) -> Option<Value> {
    let values = get(server, "organizations")["values"].clone();
    values.as_array().expect("a page has values").iter().find(|organization| organization["name"] == name).cloned()
}

/// What a refusal says: its status and keyword.
fn refusal(response: &Response) -> (u16, String) {
    (response.status, response.json()["scimType"].as_str().unwrap_or_default().to_owned())
}

/// Everything that the site and the directory hold, to show that a refusal changed nothing.
fn everything(server: &Served, idp: &Idp) -> [Value; 4] {
    let pushed = |target: &str| idp.send("GET", target, None).json();
    [get(server, "customers"), get(server, "organizations"), pushed("/Users"), pushed("/Groups")]
}

#[test]
fn creates_a_user() {
    let server = Served::default();
    let idp = Idp::connect(&server, &json!({"name": "Entra ID"}));
    let ann = idp.user("Ann@example.com");
    assert_eq!(emails(&server), ["ann@example.com"]);
    assert_eq!(get(&server, &format!("customers/{ann}"))["managedBy"], idp.id);

    let local = local_customer(&server, "bob@example.com");
    let body = json!({"userName": "bob", "displayName": "Bob", "emails": [{"value": " BOB@example.com"}]});
    idp.make("/Users", body);
    let linked = get(&server, &format!("customers/{local}"));
    assert_eq!((&linked["displayName"], &linked["managedBy"]), (&json!("Bob"), &json!(idp.id)));

    let other = Idp::connect(&server, &json!({"name": "Okta"}));
    let before = everything(&server, &other);
    for who in [&idp, &other] {
        let body = json!({"userName": "another", "emails": [{"value": "ann@example.com"}]});
        assert_eq!(refusal(&who.send("POST", "/Users", Some(&body))), (409, "uniqueness".to_owned()));
    }
    assert_eq!(everything(&server, &other), before);
}

#[test]
fn updates_attributes() {
    let server = Served::default();
    let idp = Idp::connect(&server, &json!({"name": "Entra ID"}));
    let ann = &idp.user("ann@example.com");
    let at = &format!("/Users/{ann}");
    let shown = |name: &str| get(&server, &format!("customers/{ann}"))[name].clone();
    assert_eq!(shown("displayName"), "ann@example.com");
    idp.patch(at, json!([{"op": "add", "path": "name.familyName", "value": "Lee"}]));
    idp.patch(at, json!([{"op": "add", "path": "name.givenName", "value": "Ann"}]));
    assert_eq!(shown("displayName"), "Ann Lee");
    idp.set(at, "name.formatted", "Dr. Ann Lee");
    assert_eq!(shown("displayName"), "Dr. Ann Lee");
    idp.set(at, "displayName", "Annie");
    idp.set(at, "timezone", "Europe/Vienna");
    idp.set(at, "locale", "de_at");
    assert_eq!([shown("displayName"), shown("timeZone"), shown("locale")], ["Annie", "Europe/Vienna", "de-DE"]);
    assert_eq!(idp.send("GET", at, None).json()["locale"], "de_at");
}

#[test]
fn changes_the_email() {
    let server = Served::default();
    let idp = Idp::connect(&server, &json!({"name": "Entra ID"}));
    let ann = idp.make("/Users", json!({"userName": "ann", "emails": [{"value": "ann@example.com", "type": "work"}]}));
    let at = &format!("/Users/{ann}");
    let before = everything(&server, &idp);
    let value = "emails[type eq \"work\"].value";
    assert_eq!(refusal(&idp.set(at, value, "other@example.com")), (400, "mutability".to_owned()));
    assert_eq!(everything(&server, &idp), before);
    assert_eq!(idp.set(at, value, " ANN@example.com ").status, 200);
    assert_eq!(idp.set(at, "userName", "ann.lee").status, 200);

    let both = json!([{"op": "replace", "path": value, "value": "other@example.com"},
        {"op": "replace", "path": "active", "value": "False"}, {"op": "replace", "path": "title", "value": "CTO"}]);
    let answer = idp.patch(at, both);
    assert_eq!((answer.status, &answer.json()["title"]), (200, &json!("CTO")));
    let customer = get(&server, &format!("customers/{ann}"));
    assert_eq!((&customer["email"], &customer["active"]), (&json!("ann@example.com"), &json!(false)));

    let organization = local_organization(&server, "Acme", &[]);
    send(&server, "PATCH", &format!("directories/{}", idp.id), Some(&json!({"emailChange": "follow"})));
    assert_eq!(idp.set(at, value, "other@example.com").status, 200);
    assert_eq!(get(&server, &format!("customers/{ann}"))["email"], "other@example.com");
    assert!(members(&server, organization).is_empty());
}

#[test]
fn deactivates_whatever_stands_beside_it() {
    let server = Served::default();
    for email_change in ["refuse", "follow"] {
        let idp = Idp::connect(&server, &json!({"name": email_change, "emailChange": email_change}));
        let (ann, bob) = (format!("ann@{email_change}.example"), format!("bob@{email_change}.example"));
        let id = &idp.user(&ann);
        idp.user(&bob);
        let body = json!({"userName": bob, "emails": [{"value": bob}], "title": "Former", "active": false});
        // The provider repeats what it has sent.
        for _ in 0..2 {
            let answer = idp.send("PUT", &format!("/Users/{id}"), Some(&body));
            assert_eq!(answer.status, 200, "{}", answer.body);
            let user = answer.json();
            assert_eq!((&user["active"], &user["title"]), (&json!(false), &json!("Former")));
            assert_eq!((&user["userName"], &user["emails"][0]["value"]), (&json!(ann), &json!(ann)));
            let requests = get(&server, &format!("directories/{}/requests", idp.id));
            assert_eq!(requests["values"][0]["notes"].as_array().map(Vec::len), Some(1), "{requests}");
        }
        let customer = get(&server, &format!("customers/{id}"));
        assert_eq!((&customer["email"], &customer["active"]), (&json!(ann), &json!(false)));
    }
}

#[test]
fn renames_the_login_that_is_the_email() {
    let server = Served::default();
    let idp = Idp::connect(&server, &json!({"name": "Entra ID"}));
    let ann = idp.make("/Users", json!({"userName": "ann@example.com"}));
    let refused = idp.set(&format!("/Users/{ann}"), "userName", "lee@example.com");
    assert_eq!(refusal(&refused), (400, "mutability".to_owned()));
}

#[test]
fn replaces_without_active_and_deactivates_and_activates() {
    let server = Served::default();
    let idp = Idp::connect(&server, &json!({"name": "Entra ID"}));
    let ann = &idp.user("ann@example.com");
    idp.group("Staff", &[ann]);
    let organization = organization_named(&server, "Staff").expect("it is made")["id"].as_u64().expect("a number");
    let project = project_of(&server, organization);
    assert!(may_use(&server, ann, project));

    let at = &format!("/Users/{ann}");
    idp.set(at, "active", false);
    assert!(!may_use(&server, ann, project));
    assert_eq!(get(&server, &format!("access?customer={ann}"))["values"], json!([]));
    assert_eq!(members(&server, organization), [ann.as_str()], "memberships are kept, without effect");

    let body = json!({"userName": "ann@example.com", "emails": [{"value": "ann@example.com"}]});
    assert_eq!(idp.send("PUT", at, Some(&body)).json()["active"], false, "a leaver is not let in by a default");
    idp.set(at, "active", "True");
    assert!(may_use(&server, ann, project));
}

#[test]
fn deletes_a_user() {
    let server = Served::default();
    let idp = Idp::connect(&server, &json!({"name": "Entra ID"}));
    let ann = &idp.user("ann@example.com");
    let group = idp.group("Staff", &[ann]);
    let at = &format!("/Users/{ann}");
    assert_eq!(idp.send("DELETE", at, None).status, 204);
    assert_eq!(idp.send("GET", at, None).status, 404);
    assert_eq!(idp.send("DELETE", at, None).status, 404);
    assert!(emails(&server).is_empty());
    assert_eq!(idp.send("GET", &format!("/Groups/{group}"), None).json()["members"], json!([]));
    let again = idp.user("ann@example.com");
    assert_ne!(&again, ann, "a new push of the same email is a new customer");
}

#[test]
fn pushes_a_user_without_an_email_address() {
    let server = Served::default();
    let idp = Idp::connect(&server, &json!({"name": "Entra ID"}));
    let bot = idp.make("/Users", json!({"userName": "bot"}));
    assert!(emails(&server).is_empty());
    let address = json!([{"op": "add", "path": "emails", "value": [{"value": "bot@example.com"}]}]);
    assert_eq!(idp.patch(&format!("/Users/{bot}"), address).status, 200);
    assert_eq!(emails(&server), ["bot@example.com"]);
    let strict = Idp::connect(&server, &json!({"name": "Okta", "email": "required"}));
    let refused = strict.send("POST", "/Users", Some(&json!({"userName": "bot"})));
    assert_eq!(refusal(&refused), (400, "invalidValue".to_owned()));
}

#[test]
fn creates_a_group() {
    let server = Served::default();
    let idp = Idp::connect(&server, &json!({"name": "Entra ID"}));
    let group = idp.group("Staff", &[]);
    let made = organization_named(&server, "Staff").expect("it is made");
    assert_eq!((&made["managedBy"], &made["group"]), (&json!(idp.id), &json!(group)));
    let other = Idp::connect(&server, &json!({"name": "Okta"}));
    let refused = other.send("POST", "/Groups", Some(&json!({"displayName": " staff "})));
    assert_eq!(refusal(&refused), (409, "uniqueness".to_owned()));
}

#[test]
fn meets_a_local_organization_of_the_name() {
    let server = Served::default();
    let guest = local_customer(&server, "guest@example.com");
    for (policy, status, managed) in [("sync", 201, true), ("skip", 201, false), ("reject", 409, false)] {
        let id = local_organization(&server, policy, &[&guest]);
        let idp = Idp::connect(&server, &json!({"name": policy, "conflictPolicy": policy}));
        let answer = idp.send("POST", "/Groups", Some(&json!({"displayName": policy.to_uppercase()})));
        assert_eq!(answer.status, status, "{policy}");
        let organization = get(&server, &format!("organizations/{id}"));
        assert_eq!(organization["managedBy"].is_string(), managed, "{policy}");
        assert_eq!(members(&server, id), [guest.as_str()], "nobody is locked out by accident");
    }
}

#[test]
fn adopts_an_organization_until_its_list_is_complete() {
    let server = Served::default();
    let guest = &local_customer(&server, "guest@example.com");
    let id = local_organization(&server, "Staff", &[guest]);
    let project = project_of(&server, id);
    let idp = Idp::connect(&server, &json!({"name": "Entra ID"}));
    let (ann, group) = (&idp.user("ann@example.com"), idp.group("Staff", &[]));
    let at = &format!("/Groups/{group}");
    idp.patch(at, json!([{"op": "add", "path": "members", "value": [{"value": ann}]}]));
    assert!(may_use(&server, ann, project) && may_use(&server, guest, project));
    idp.set(at, "members", json!([{"value": ann}]));
    assert!(may_use(&server, ann, project) && !may_use(&server, guest, project));
    assert_eq!(get(&server, &format!("organizations/{id}"))["id"], id);
}

#[test]
fn renames_a_group() {
    let server = Served::default();
    let idp = Idp::connect(&server, &json!({"name": "Entra ID"}));
    let group = idp.group("Staff", &[]);
    local_organization(&server, "Guests", &[]);
    let at = &format!("/Groups/{group}");
    assert_eq!(refusal(&idp.set(at, "displayName", "guests")), (409, "uniqueness".to_owned()));
    assert_eq!(idp.send("GET", at, None).json()["displayName"], "Staff");
    assert_eq!(idp.set(at, "displayName", "People").status, 200);
    assert!(organization_named(&server, "People").is_some() && organization_named(&server, "Staff").is_none());
}

#[test]
fn changes_the_members() {
    let server = Served::default();
    let idp = Idp::connect(&server, &json!({"name": "Entra ID"}));
    let ann = &idp.user("ann@example.com");
    let group = idp.group("Staff", &[]);
    let nested = idp.group("Nested", &[]);
    let organization = organization_named(&server, "Staff").expect("it is made")["id"].as_u64().expect("a number");
    let project = project_of(&server, organization);
    let at = &format!("/Groups/{group}");
    let edit = |op: &str, id: &str| idp.patch(at, json!([{"op": op, "path": "members", "value": [{"value": id}]}]));
    for _ in 0..2 {
        assert_eq!(edit("add", ann).status, 200);
        assert!(may_use(&server, ann, project));
    }
    for stranger in ["stranger", &nested] {
        let refused = edit("add", stranger);
        assert_eq!(refusal(&refused), (400, "invalidValue".to_owned()));
        assert!(refused.body.contains(stranger), "{}", refused.body);
    }
    for _ in 0..2 {
        assert_eq!(edit("remove", ann).status, 200);
        assert!(!may_use(&server, ann, project));
    }
    send(&server, "PATCH", &format!("directories/{}", idp.id), Some(&json!({"unknownMembers": "skip"})));
    let both = json!([{"op": "add", "path": "members", "value": [{"value": "stranger"}, {"value": ann}]}]);
    assert_eq!(idp.patch(at, both).status, 200);
    assert_eq!(members(&server, organization), [ann.as_str()]);
}

/// Members are read in pages, added and removed one by one, where the directory's settings say so.
#[test]
fn reads_and_changes_members_one_by_one() {
    let server = Served::default();
    let idp = Idp::connect(&server, &json!({"name": "Entra ID"}));
    let group = idp.group("Staff", &[]);
    let mut users: Vec<String> = (0..5).map(|n| idp.user(&format!("u{n}@example.com"))).collect();
    // Ids that were made in the same millisecond are in no order.
    users.sort_unstable();
    let membership = |user: &str| json!({"group": {"value": group}, "member": {"value": user}});
    let at = "/GroupMemberships";
    assert_eq!(idp.send("POST", at, Some(&membership(&users[0]))).status, 404);
    assert!(!idp.send("GET", "/ResourceTypes", None).body.contains("GroupMembership"));
    let on = json!({"membershipResources": true});
    assert_eq!(send(&server, "PATCH", &format!("directories/{}", idp.id), Some(&on))["membershipResources"], true);
    assert!(idp.send("GET", "/ResourceTypes", None).body.contains("GroupMembership"));

    let organization = organization_named(&server, "Staff").expect("it is made")["id"].as_u64().expect("a number");
    let project = project_of(&server, organization);
    let ids: Vec<String> = users.iter().map(|user| idp.make(at, membership(user))).collect();
    assert!(users.iter().all(|user| may_use(&server, user, project)));
    assert_eq!(refusal(&idp.send("POST", at, Some(&membership(&users[0])))), (409, "uniqueness".to_owned()));
    assert_eq!(refusal(&idp.send("POST", at, Some(&membership("nobody")))), (400, "invalidValue".to_owned()));
    for (attribute, id, found) in [("group", &group, &ids[..]), ("member", &users[2], &ids[2..3])] {
        let (mut cursor, mut seen) = (String::new(), Vec::new());
        loop {
            let query = format!("filter={attribute}.value+eq+%22{id}%22&count=2&cursor={cursor}");
            let page = idp.send("GET", &format!("{at}?{query}"), None).json();
            assert_eq!(page["totalResults"], found.len());
            let resources = page["Resources"].as_array().expect("a page has resources");
            seen.extend(resources.iter().map(|one| one["id"].as_str().expect("an id").to_owned()));
            let Some(next) = page["nextCursor"].as_str() else { break };
            next.clone_into(&mut cursor);
        }
        assert_eq!(seen, found);
    }
    let wrong = idp.send("GET", &format!("{at}?filter=group.display+eq+%22Staff%22"), None);
    assert_eq!(refusal(&wrong), (400, "invalidFilter".to_owned()));
    assert_eq!(idp.send("DELETE", &format!("{at}/{}", ids[0]), None).status, 204);
    assert_eq!(idp.send("DELETE", &format!("{at}/{}", ids[0]), None).status, 404);
    assert!(!may_use(&server, &users[0], project) && may_use(&server, &users[1], project));
    assert_eq!(members(&server, organization), users[1..]);
    let told = get(&server, "changes?limit=1000")["values"].clone();
    let removed = told.as_array().expect("a page has values").last().expect("there are changes").clone();
    assert_eq!(
        (&removed["kind"], &removed["detail"]["members"]),
        (&json!("group.members-removed"), &json!([users[0]]))
    );
}

#[test]
fn deletes_a_group() {
    let server = Served::default();
    let idp = Idp::connect(&server, &json!({"name": "Entra ID"}));
    let ann = &idp.user("ann@example.com");
    let group = idp.group("Staff", &[ann]);
    assert_eq!(idp.send("DELETE", &format!("/Groups/{group}"), None).status, 204);
    assert!(organization_named(&server, "Staff").is_none());
    assert_eq!(emails(&server), ["ann@example.com"]);
}

#[test]
fn says_what_it_did_in_the_change_feed() {
    let server = Served::default();
    let idp = Idp::connect(&server, &json!({"name": "Entra ID"}));
    let ann = &idp.user("ann@example.com");
    idp.set(&format!("/Users/{ann}"), "active", false);
    local_customer(&server, "guest@example.com");
    let changes = get(&server, "changes");
    let told: Vec<(String, String)> = changes["values"]
        .as_array()
        .expect("a page has values")
        .iter()
        .map(|change| (change["kind"].to_string(), change["actor"].to_string()))
        .collect();
    let directory = format!("\"directory:{}\"", idp.id);
    let expected = [
        ("directory.connected", "\"admin:key\""),
        ("key.issued", "\"admin:key\""),
        ("user.created", &directory),
        ("customer.created", &directory),
        ("user.updated", &directory),
        ("customer.deactivated", &directory),
        ("customer.created", "\"admin:key\""),
    ];
    assert_eq!(told, expected.map(|(kind, actor)| (format!("{kind:?}"), actor.to_owned())));
}

#[test]
fn erases_what_the_log_says_of_somebody() {
    let server = Served::default();
    let idp = Idp::connect(&server, &json!({"name": "Entra ID"}));
    let at = format!("directories/{}", idp.id);
    send(&server, "POST", &format!("{at}/capture"), Some(&json!({"seconds": 600, "values": true})));
    let gone = idp.user("gone@example.com");
    assert_eq!(idp.send("POST", "/Users", Some(&json!({"userName": "GONE@example.com"}))).status, 409);
    idp.user("other@example.com");
    assert_eq!(idp.send("DELETE", &format!("/Users/{gone}"), None).status, 204);
    let log = || get(&server, &format!("{at}/requests"))["values"].clone();
    assert_eq!(log().as_array().map(Vec::len), Some(4));
    assert!(log().to_string().contains("gone@example.com"));
    let body = |sequence: u64| get(&server, &format!("{at}/requests/{sequence}"))["body"].clone();
    assert!(body(2)["text"].to_string().contains("GONE@example.com"));
    send(&server, "POST", &format!("customers/{gone}/erase"), None);
    assert!(!log().to_string().to_lowercase().contains("gone@example.com"));
    assert_eq!((body(1), body(2)), (Value::Null, Value::Null));
    assert!(body(3)["text"].to_string().contains("other@example.com"));
    assert_eq!(log().as_array().map(Vec::len), Some(4));
}

#[test]
fn says_that_no_key_works_and_which_group_is_the_largest() {
    let server = Served::default();
    let idp = Idp::connect(&server, &json!({"name": "Entra ID", "silentAfter": 5}));
    let (ann, bob) = (idp.user("ann@example.com"), idp.user("bob@example.com"));
    idp.group("One", &[&ann]);
    idp.group("Two", &[&ann, &bob]);
    idp.make("/Users", json!({"userName": "nobody"}));
    let at = format!("directories/{}", idp.id);
    let status = || get(&server, &format!("{at}/status"));
    assert_eq!((&status()["largestGroup"]["name"], &status()["largestGroup"]["members"]), (&json!("Two"), &json!(2)));
    assert_eq!(status()["unlinkedBy"], json!([{"reason": "noEmail", "count": 1}]));
    assert!(status()["keys"][0]["lastUsedAt"].is_string());
    assert_eq!((&status()["state"], &get(&server, &at)["silentAfter"]), (&json!("first-sync"), &json!(5)));
    let key = status()["keys"][0]["id"].as_str().expect("a key has an id").to_owned();
    send(&server, "DELETE", &format!("{at}/keys/{key}"), None);
    assert_eq!(status()["state"], "no-key-works");
}

#[test]
fn the_change_feed_can_be_asked() {
    let server = Served::default();
    let idp = Idp::connect(&server, &json!({"name": "Entra ID"}));
    let [ann, bob] = ["ann@example.com", "bob@example.com"].map(|email| idp.user(email));
    let group = idp.group("Staff", &[&ann]);
    idp.patch(&format!("/Groups/{group}"), json!([{"op": "add", "path": "members", "value": [{"value": bob}]}]));
    let guest = local_customer(&server, "guest@example.com");
    let guests = local_organization(&server, "Guests", &[&guest]);
    let project = project_of(&server, guests);
    let ask = |query: &str| {
        let (mut next, mut kinds) = (json!(0), Vec::new());
        while !next.is_null() {
            let page = get(&server, &format!("changes?after={next}&limit=2&{query}"));
            let values = page["values"].as_array().expect("a page has values");
            kinds.extend(values.iter().map(|change| change["kind"].as_str().expect("a kind").to_owned()));
            next = page["next"].clone();
        }
        kinds
    };
    for (query, kinds) in [
        (format!("kind=group.created,key.issued&directory={}", idp.id), &["key.issued", "group.created"][..]),
        (format!("user={bob}"), &["user.created", "customer.created", "group.members-added"]),
        (format!("group={group}&kind=group.members-added"), &["group.members-added", "group.members-added"]),
        (format!("customer={guest}"), &["customer.created", "organization.members-added"]),
        (format!("organization={guests}&actor=admin:key&kind=organization.created"), &["organization.created"]),
        (format!("project={project}"), &["project.created", "project.organization-added"]),
        ("actor=nobody".to_owned(), &[]),
    ] {
        assert_eq!(ask(&query), kinds, "{query}");
    }
    for query in ["kind=nothing", "organization=x", "project=-1", "who=me", "kind=", "user=a&user=b"] {
        assert_eq!(server.send("GET", &format!("{ADMIN}/changes?{query}"), None).status, 400, "{query}");
    }
}

/// Whoever comes into an organization, or goes, is named in the change feed, also by adoption and where an administrator
/// resolves a conflict.
#[test]
fn who_comes_and_goes_by_adoption_is_named() {
    for policy in ["sync", "skip"] {
        let server = Served::default();
        let idp = Idp::connect(&server, &json!({"name": "Entra ID", "conflictPolicy": policy}));
        let [old, both] = ["old@example.com", "ann@example.com"].map(|email| local_customer(&server, email));
        let staff = local_organization(&server, "Staff", &[&old, &both]);
        let [ann, bob] = ["ann@example.com", "bob@example.com"].map(|email| idp.user(email));
        let group = idp.group("Staff", &[&ann, &bob]);
        let named = |kind: &str, subject: &str| {
            let page = get(&server, &format!("changes?kind={kind}.members-added,{kind}.members-removed&{subject}"));
            let values = page["values"].as_array().expect("a page has values").clone();
            values.into_iter().map(|change| (change["kind"].clone(), change["detail"]["members"].clone())).next_back()
        };
        // Ids that were made in the same millisecond are in no order.
        let mut both = [&ann, &bob];
        both.sort_unstable();
        assert_eq!(named("group", &format!("group={group}")), Some((json!("group.members-added"), json!(both))));
        if policy == "skip" {
            let path = format!("directories/{}/conflicts/{group}", idp.id);
            send(&server, "POST", &path, Some(&json!({"action": "adopt"})));
            let came = named("organization", &format!("organization={staff}&customer={bob}"));
            assert_eq!(came, Some((json!("organization.members-added"), json!([bob]))));
        }
        let gone = named("organization", &format!("organization={staff}"));
        assert_eq!(gone, Some((json!("organization.members-removed"), json!([old]))), "{policy}");
        assert_eq!(members(&server, staff).len(), 2);
    }
}
