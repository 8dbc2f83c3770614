//! Somebody who leaves loses access, whatever else the request asks for.

use proptest::prelude::*;
use serde_json::{Value, json};
use usher_engine::directories::{EmailChange, EmailPresence, LogFilter};
use usher_engine::site::projects::Audience;

use super::integrity;
use super::site::{Answer, Directory, Site, settings};

/// The user of the tests below is called that and has that address, unless a setting says otherwise.
const LEAVER: &str = "ann@x.test";

/// The names and addresses that a request asks for: the user's own, those of another user of the directory, of a user of
/// another directory, of a local customer, of nobody, and what is no address.
const NAMES: [&str; 7] = [LEAVER, "Ann@X.test", "ben@x.test", "cid@y.test", "local@x.test", "new@x.test", "plain"];

/// What stands beside the deactivation.
#[derive(Debug, Clone)]
enum Ask {
    Name(usize),
    Email(usize),
    NoEmail,
    /// Through a filter that may match nothing.
    EmailOfType(&'static str, usize),
    /// A part of an address that there may not be.
    Display(usize),
    /// So many addresses more.
    Emails(usize),
    /// As long as this.
    Title(usize),
    Status(bool),
}

fn ask() -> impl Strategy<Value = Ask> {
    prop_oneof![
        3 => (0..NAMES.len()).prop_map(Ask::Name),
        3 => (0..NAMES.len()).prop_map(Ask::Email),
        1 => Just(Ask::NoEmail),
        2 => (prop::sample::select(vec!["work", "home"]), 0..NAMES.len())
            .prop_map(|(kind, name)| Ask::EmailOfType(kind, name)),
        2 => (0..NAMES.len()).prop_map(Ask::Display),
        1 => (50..90_usize).prop_map(Ask::Emails),
        1 => (0..4_000_usize).prop_map(Ask::Title),
        1 => any::<bool>().prop_map(Ask::Status),
    ]
}

/// How the deactivation is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Put,
    /// One operation for each thing.
    Operations,
    /// One operation without a path.
    Pathless,
    BulkPut,
    BulkPatch,
}

/// The settings, and what there is of the user before.
#[derive(Debug, Clone)]
struct Start {
    follows: bool,
    requires: bool,
    has_email: bool,
    active: bool,
    unlinked: bool,
}

fn operations(asks: &[Ask], at: usize, status: &Value) -> Vec<Value> {
    let mut operations: Vec<Value> = asks.iter().map(operation).collect();
    operations.insert(at.min(asks.len()), json!({ "op": "replace", "path": "active", "value": status }));
    operations
}

fn operation(ask: &Ask) -> Value {
    match ask {
        Ask::Name(name) => json!({ "op": "replace", "path": "userName", "value": NAMES[*name] }),
        Ask::Email(name) => json!({ "op": "replace", "path": "emails", "value": [{ "value": NAMES[*name] }] }),
        Ask::NoEmail => json!({ "op": "remove", "path": "emails" }),
        Ask::EmailOfType(kind, name) => {
            json!({ "op": "replace", "path": format!("emails[type eq \"{kind}\"].value"), "value": NAMES[*name] })
        }
        Ask::Display(name) => {
            let path = format!("emails[value eq \"{}\"].display", NAMES[*name]);
            json!({ "op": "replace", "path": path, "value": "Ann" })
        }
        Ask::Emails(count) => {
            let emails = (0..*count).map(|at| json!({ "value": format!("{count}.{at}@x.test") }));
            json!({ "op": "add", "path": "emails", "value": emails.collect::<Value>() })
        }
        Ask::Title(length) => json!({ "op": "add", "path": "title", "value": "t".repeat(*length) }),
        Ask::Status(active) => json!({ "op": "replace", "path": "active", "value": active }),
    }
}

/// The whole user; what is asked for later counts.
fn whole(asks: &[Ask], status: &Value) -> Value {
    let mut body = json!({ "userName": LEAVER, "emails": [{ "value": LEAVER }] });
    for ask in asks {
        match ask {
            Ask::Name(name) => body["userName"] = NAMES[*name].into(),
            Ask::Email(name) | Ask::EmailOfType(_, name) | Ask::Display(name) => {
                body["emails"] = json!([{ "value": NAMES[*name] }]);
            }
            Ask::NoEmail => body["emails"] = json!([]),
            Ask::Emails(count) => {
                body["emails"] = (0..*count).map(|at| json!({ "value": format!("{count}.{at}@x.test") })).collect();
            }
            Ask::Title(length) => body["title"] = "t".repeat(*length).into(),
            Ask::Status(_) => {}
        }
    }
    body["active"] = status.clone();
    body
}

/// Sends it and says how the user was answered for.
fn send(directory: &Directory<'_>, id: &str, way: Way, asks: &[Ask], at: usize, status: &Value) -> u16 {
    let path = format!("/Users/{id}");
    let (method, body) = match way {
        Way::Put | Way::BulkPut => ("PUT", whole(asks, status)),
        Way::Operations | Way::BulkPatch => ("PATCH", json!({ "Operations": operations(asks, at, status) })),
        Way::Pathless => {
            let mut value = whole(asks, status);
            if !asks.iter().any(|ask| matches!(ask, Ask::Name(_))) {
                value.as_object_mut().unwrap().remove("userName");
            }
            ("PATCH", json!({ "Operations": [{ "op": "replace", "value": value }] }))
        }
    };
    if matches!(way, Way::BulkPut | Way::BulkPatch) {
        let operation = json!({ "method": method, "path": path, "data": body });
        let answer = directory.post("/Bulk", &json!({ "Operations": [operation] })).expect(200);
        return answer.body["Operations"][0]["status"].as_str().unwrap().parse().unwrap();
    }
    directory.send(method, &path, &body).status
}

fn is_active(directory: &Directory<'_>, id: &str) -> bool {
    directory.get(&format!("/Users/{id}")).expect(200).body["active"].as_bool().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_request_that_deactivates_leaves_a_user_active(
        start in (any::<bool>(), any::<bool>(), prop::bool::weighted(0.7), any::<bool>(), prop::bool::weighted(0.2))
            .prop_map(|(follows, requires, has_email, active, unlinked)| {
                Start { follows, requires, has_email, active, unlinked }
            }),
        way in prop::sample::select(vec![Way::Put, Way::Operations, Way::Pathless, Way::BulkPut, Way::BulkPatch]),
        asks in prop::collection::vec(ask(), 0..5),
        at in 0..5_usize,
        status in prop::sample::select(vec![json!(false), json!("False")]),
        held in prop::bool::weighted(0.1),
    ) {
        let site = Site::new();
        let mut wanted = settings("idp");
        if start.follows {
            wanted.email_change = EmailChange::Follow;
        }
        wanted.deletion_limit = held.then_some(0);
        let directory = site.connect(&wanted);
        let other = site.connect(&settings("other"));
        other.user("cid@y.test");
        directory.user("ben@x.test");
        site.local_customer("local@x.test");
        let name = if start.has_email { LEAVER } else { "ann" };
        let mut body = json!({ "userName": name, "active": start.active });
        if start.has_email {
            body["emails"] = json!([{ "value": LEAVER, "type": "work" }]);
        }
        let id = directory.post("/Users", &body).expect(201).id();
        if start.requires {
            let update = usher_engine::directories::SettingsUpdate {
                email: Some(EmailPresence::Required),
                ..Default::default()
            };
            site.engine().update_directory("ann", &directory.id, &update).unwrap();
        }
        let project = site.engine().create_project("ann", "OPEN", "Open", Audience::Open).unwrap().id;
        let customer = site.customer(LEAVER);
        if let Some(customer) = customer.as_ref().filter(|_| start.unlinked) {
            site.engine().unlink_customer("ann", &customer.id).unwrap();
        }
        // What an operation says of the status last is what counts.
        let mut statuses = asks.iter().enumerate().filter_map(|(place, ask)| match ask {
            Ask::Status(active) if place >= at => Some(*active),
            _ => None,
        });
        let by_operations = matches!(way, Way::Operations | Way::BulkPatch);
        let says_active = by_operations && statuses.next_back().unwrap_or(false);
        let status_of = send(&directory, &id, way, &asks, at, &status);
        integrity::check(&site.storage);
        if says_active {
            return Ok(());
        }
        if held && start.active {
            prop_assert_eq!(status_of, 503);
            prop_assert!(is_active(&directory, &id));
            return Ok(());
        }
        prop_assert_eq!(status_of, 200);
        prop_assert!(!is_active(&directory, &id));
        if let Some(customer) = customer.filter(|_| !start.unlinked) {
            prop_assert!(!site.engine().access(&customer.id, project).unwrap().allowed);
        }
        // The same again, and whatever the provider sends of the whole user later.
        prop_assert_eq!(send(&directory, &id, way, &asks, at, &status), 200);
        prop_assert_eq!(send(&directory, &id, Way::Put, &asks, at, &status), 200);
        prop_assert!(!is_active(&directory, &id));
        integrity::check(&site.storage);
    }
}

fn notes(site: &Site, directory: &Directory<'_>) -> Vec<String> {
    site.engine().requests(&directory.id, &LogFilter::default(), None, 1).unwrap().values.remove(0).notes
}

fn emails(answer: &Answer) -> Value {
    answer.body["emails"][0]["value"].clone()
}

#[test]
fn what_stands_beside_a_deactivation_is_applied_as_far_as_it_is_allowed() {
    let site = Site::new();
    let mut wanted = settings("idp");
    wanted.email_change = EmailChange::Follow;
    let directory = site.connect(&wanted);
    directory.user("ben@x.test");
    site.local_customer("local@x.test");
    let id = directory.user(LEAVER);
    let path = format!("/Users/{id}");
    // A name that is taken stays out, the address and the title do not.
    let body = json!({
        "userName": "ben@x.test", "emails": [{ "value": "new@x.test" }], "title": "Former", "active": false
    });
    let answer = directory.send("PUT", &path, &body).expect(200);
    assert_eq!((&answer.body["userName"], emails(&answer)), (&json!(LEAVER), json!("new@x.test")));
    assert_eq!((&answer.body["title"], &answer.body["active"]), (&json!("Former"), &json!(false)));
    let noted = notes(&site, &directory);
    assert!(noted.len() == 1 && noted[0].contains("userName") && !noted[0].contains("emails"), "{noted:?}");
    // An address that is taken stays out, a free name does not.
    let body = json!({ "userName": "former", "emails": [{ "value": "local@x.test" }], "active": false });
    let answer = directory.send("PUT", &path, &body).expect(200);
    assert_eq!((&answer.body["userName"], emails(&answer)), (&json!("former"), json!("new@x.test")));
    assert!(notes(&site, &directory)[0].contains("emails"));
    // Nobody leaves by this, so that it is refused as ever.
    directory
        .patch(&path, json!([{ "op": "replace", "path": "userName", "value": "ben@x.test" }]))
        .refused(409, "uniqueness");
    let body = json!({ "userName": "former", "emails": [{ "value": "local@x.test" }], "active": true });
    directory.send("PUT", &path, &body).refused(409, "uniqueness");
    assert!(!is_active(&directory, &id));
    integrity::check(&site.storage);
}

#[test]
fn an_operation_that_finds_nothing_keeps_no_leaver_active() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let id = directory.user(LEAVER);
    let path = format!("/Users/{id}");
    let missing = json!({ "op": "replace", "path": "emails[value eq \"gone@x.test\"].display", "value": "x" });
    let title = json!({ "op": "replace", "path": "title", "value": "Former" });
    let leave = json!({ "op": "replace", "path": "active", "value": false });
    directory.patch(&path, json!([missing, title])).refused(400, "noTarget");
    assert_eq!(directory.get(&path).body.get("title"), None);
    let answer = directory.patch(&path, json!([missing, title, leave])).expect(200);
    assert_eq!((&answer.body["title"], &answer.body["active"]), (&json!("Former"), &json!(false)));
    assert_eq!(notes(&site, &directory).len(), 1);
}

#[test]
fn where_old_and_new_together_are_too_large_only_the_status_changes() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let emails: Vec<Value> =
        (0..14).map(|at| json!({ "value": format!("ann{at}@x.test"), "display": "d".repeat(4_000) })).collect();
    let id = directory.post("/Users", &json!({ "userName": "ann", "emails": emails })).expect(201).id();
    let mut body = json!({ "userName": "ann", "emails": [{ "value": "other@x.test" }], "active": false });
    for name in ["displayName", "nickName", "title", "userType"] {
        body[name] = "x".repeat(4_000).into();
    }
    let answer = directory.send("PUT", &format!("/Users/{id}"), &body).expect(200);
    assert_eq!((&answer.body["active"], answer.body.get("title")), (&json!(false), None));
    assert_eq!(answer.body["emails"].as_array().unwrap().len(), 14);
    directory.send("PUT", &format!("/Users/{id}"), &body).expect(200);
    integrity::check(&site.storage);
}

#[test]
fn a_leaver_does_not_wait_for_what_an_operation_of_a_bulk_request_fails_to_make() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    directory.user("ben@x.test");
    let id = directory.user(LEAVER);
    let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let failing = json!({ "method": "POST", "path": "/Users", "bulkId": "b", "data": { "userName": "BEN@x.test" } });
    let send = |method: &str, data: Value, reference: &str| {
        let operation = json!({ "method": method, "path": format!("/Users/{id}"), "data": data });
        let operation: Value = serde_json::from_str(&operation.to_string().replace("<ref>", reference)).unwrap();
        let answer = directory.post("/Bulk", &json!({ "Operations": [failing, operation] })).expect(200);
        assert_eq!(answer.body["Operations"][0]["status"], "409");
        answer.body["Operations"][1]["status"].as_str().unwrap().to_string()
    };
    let patch = |active: bool| {
        json!({ "Operations": [
            { "op": "replace", "path": format!("{enterprise}:manager"), "value": { "value": "<ref>" } },
            { "op": "replace", "path": "active", "value": active },
        ] })
    };
    let put = |active: bool| {
        let manager = json!({ "manager": { "value": "<ref>" } });
        json!({ "userName": LEAVER, "emails": [{ "value": LEAVER }], enterprise: manager, "active": active })
    };
    for (method, body) in [("PATCH", &patch as &dyn Fn(bool) -> Value), ("PUT", &put)] {
        // What nobody ever made is no matter of state.
        assert_eq!(send(method, body(false), "bulkId:nothing"), "400");
        assert_eq!(send(method, body(true), "bulkId:b"), "400");
        assert!(is_active(&directory, &id));
        assert_eq!(send(method, body(false), "bulkId:b"), "200");
        assert!(!is_active(&directory, &id));
        let back = json!([{ "op": "replace", "path": "active", "value": true }]);
        directory.patch(&format!("/Users/{id}"), back).expect(200);
    }
    integrity::check(&site.storage);
}

#[test]
fn a_request_that_is_wrong_for_any_user_changes_nothing() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let id = directory.user(LEAVER);
    let path = format!("/Users/{id}");
    let leave = json!({ "op": "replace", "path": "active", "value": false });
    let missing = json!({ "op": "replace", "path": "emails[value eq \"gone@x.test\"].display", "value": "x" });
    for wrong in [
        json!({ "op": "replace", "path": "title", "value": 7 }),
        json!({ "op": "replace", "path": "userName", "value": " " }),
        json!({ "op": "remove", "path": "userName" }),
        json!({ "op": "replace", "path": "title", "value": "t".repeat(5_000) }),
    ] {
        assert_eq!(directory.patch(&path, json!([leave, wrong])).status, 400, "{wrong}");
        assert_eq!(directory.patch(&path, json!([missing, leave, wrong])).status, 400, "{wrong}");
    }
    directory.send("PUT", &path, &json!({ "userName": LEAVER, "title": 7, "active": false })).expect(400);
    let expected = [("If-Match", "W/\"9\"")];
    directory.send_with("PATCH", &path, &json!({ "Operations": [leave] }), &expected).expect(412);
    assert!(is_active(&directory, &id));
}
