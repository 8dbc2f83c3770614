//! Users become customers: the rows of the product's table, one by one.

use serde_json::{Value, json};
use usher_engine::directories::{EmailChange, EmailPresence};
use usher_engine::site::customers::{Customer, CustomerUpdate, NewCustomer};
use usher_engine::site::projects::Audience;
use usher_engine::site::{Error, Position, access::Reason};

use super::integrity;
use super::site::{Directory, Site, settings};

fn make(directory: &Directory<'_>, body: impl Into<Value>) -> (String, Customer) {
    let id = directory.post("/Users", &body.into()).expect(201).id();
    let customer = directory.site.engine().customer(&id).unwrap();
    (id, customer)
}

fn set(path: &str, value: impl Into<Value>) -> Value {
    json!([{ "op": "replace", "path": path, "value": value.into() }])
}

#[test]
fn a_new_address_makes_a_managed_customer() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let body = json!({ "userName": "ann", "displayName": "Ann", "timezone": "Europe/Berlin", "locale": "de_at",
        "emails": [{ "value": "Ann@X.test" }] });
    let (_, customer) = make(&directory, body);
    let expected = Customer {
        id: customer.id.clone(),
        email: "ann@x.test".to_string(),
        display_name: "Ann".to_string(),
        active: true,
        time_zone: Some("Europe/Berlin".to_string()),
        locale: "de-DE".to_string(),
        created_at: customer.created_at,
        managed_by: Some(directory.id.clone()),
    };
    assert_eq!(site.customers(), [expected]);
    integrity::check(&site.storage);
}

#[test]
fn a_client_that_asks_is_told_which_customer_a_user_is() {
    const URN: &str = "urn:scim:schemas:extension:usher:1.0:User";
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let (id, customer) = make(&directory, json!({ "userName": "ann@x.test", URN: { "customerId": "mine" } }));
    let path = format!("/Users/{id}");
    let plain = directory.get(&path).expect(200).body;
    assert!(plain.get(URN).is_none() && !plain["schemas"].to_string().contains("usher"));
    let excluding = directory.get(&format!("{path}?excludedAttributes=groups")).expect(200).body;
    assert!(excluding.get(URN).is_none());
    for wanted in [URN.to_string(), format!("{URN}:customerId"), format!("userName,{URN}")] {
        let asked = directory.get(&format!("{path}?attributes={wanted}")).expect(200).body;
        assert_eq!(asked[URN], json!({ "customerId": customer.id }));
        assert_eq!(asked["schemas"][1], URN);
    }
    let query = format!("/Users?filter={URN}:customerId%20eq%20%22{}%22", customer.id);
    assert_eq!(directory.get(&query).expect(200).body["totalResults"], 1);
    let refused = directory.patch(&path, set(&format!("{URN}:customerId"), "other")).expect(400);
    assert_eq!(refused.body["scimType"], "mutability");
    let nobody = directory.post("/Users", &json!({ "userName": "no address" })).expect(201).id();
    let asked = directory.get(&format!("/Users/{nobody}?attributes={URN}")).expect(200).body;
    assert!(asked.get(URN).is_none());
}

#[test]
fn the_address_is_the_primary_one_else_the_first_else_the_user_name() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    for (body, email) in [
        (
            json!({ "userName": "a", "emails": [{ "value": "a1@x.test" }, { "value": "a2@x.test", "primary": true }] }),
            "a2@x.test",
        ),
        (
            json!({ "userName": "b@x.test", "emails": [{ "value": "b1@x.test" }, { "value": "b2@x.test" }] }),
            "b1@x.test",
        ),
        (json!({ "userName": "C@X.test" }), "c@x.test"),
    ] {
        assert_eq!(make(&directory, body).1.email, email);
    }
}

#[test]
fn the_display_name_falls_back() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let name = json!({ "formatted": "Dr. Ann Lee", "givenName": "Ann", "familyName": "Lee" });
    for (at, (body, expected)) in [
        (json!({ "displayName": "Annie", "name": name }), "Annie"),
        (json!({ "displayName": " ", "name": name }), "Dr. Ann Lee"),
        (json!({ "name": { "givenName": "Ann", "familyName": "Lee" } }), "Ann Lee"),
        (json!({ "name": { "familyName": "Lee" } }), "Lee"),
        (json!({}), "user4"),
    ]
    .into_iter()
    .enumerate()
    {
        let mut body = body;
        body["userName"] = format!("user{at}").into();
        body["emails"] = json!([{ "value": format!("user{at}@x.test") }]);
        assert_eq!(make(&directory, body).1.display_name, expected);
    }
}

#[test]
fn a_locale_is_mapped_and_returned_as_it_was_sent() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let (id, customer) = make(&directory, json!({ "userName": "a@x.test", "locale": "fr_ca" }));
    assert_eq!(customer.locale, "fr-FR");
    assert_eq!(directory.get(&format!("/Users/{id}")).expect(200).body["locale"], "fr_ca");
    let (_, customer) = make(&directory, json!({ "userName": "b@x.test", "preferredLanguage": "sv" }));
    assert_eq!(customer.locale, "sv-SE");
    directory.patch(&format!("/Users/{id}"), set("locale", "xx")).expect(200);
    assert_eq!(site.customer("a@x.test").unwrap().locale, "en-US");
}

#[test]
fn only_zones_of_the_database_become_time_zones_of_customers() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let (id, customer) = make(&directory, json!({ "userName": "ann@x.test", "timezone": "Mars/Phobos" }));
    assert_eq!(customer.time_zone, None);
    let path = format!("/Users/{id}");
    assert_eq!(directory.get(&path).body["timezone"], "Mars/Phobos");
    for (sent, expected) in [
        ("europe/berlin", Some("Europe/Berlin")),
        ("W. Europe Standard Time", None),
        (" Asia/Tokyo ", Some("Asia/Tokyo")),
        ("+02:00", None),
    ] {
        directory.patch(&path, set("timezone", sent)).expect(200);
        assert_eq!(directory.get(&path).body["timezone"], sent);
        assert_eq!(site.customer("ann@x.test").unwrap().time_zone.as_deref(), expected, "{sent}");
    }
    let engine = site.engine();
    let local = site.local_customer("bob@x.test").id;
    let zone = |name: &str| CustomerUpdate { time_zone: Some(name.to_string()), ..CustomerUpdate::default() };
    for name in ["Mars/Phobos", "", "GMT+25", "Europe"] {
        assert!(matches!(engine.update_customer("ann", &local, &zone(name)), Err(Error::Invalid(_))), "{name}");
        let new = NewCustomer {
            email: "c@x.test".to_string(),
            display_name: "C".to_string(),
            time_zone: Some(name.to_string()),
            locale: None,
        };
        assert!(matches!(engine.create_customer("ann", &new), Err(Error::Invalid(_))), "{name}");
    }
    let updated = engine.update_customer("ann", &local, &zone("america/new_york")).unwrap();
    assert_eq!(updated.time_zone.as_deref(), Some("America/New_York"));
}

/// Earlier versions let a client take the status away.
#[test]
fn a_user_that_is_stored_without_its_status_has_one() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let users = ["on@x.test", "off@x.test"].map(|name| directory.user(name));
    directory.patch(&format!("/Users/{}", users[0]), set("title", "\"active\":")).expect(200);
    directory.patch(&format!("/Users/{}", users[1]), set("active", false)).expect(200);
    let mut stored = (*site.storage.snapshot()).clone();
    let mut taken = 0;
    for (key, value) in stored.iter_mut().filter(|(key, _)| key.starts_with("u/")) {
        let (header, attributes) = value.split_once('\n').unwrap();
        let mut attributes: Value = serde_json::from_str(attributes).unwrap();
        taken += usize::from(attributes.as_object_mut().unwrap().remove("active").is_some());
        *value = format!("{header}\n{attributes}");
        assert!(key.ends_with(&users[0]) || key.ends_with(&users[1]));
    }
    assert_eq!(taken, 2);
    site.storage.restore(&stored.into());
    for (at, active) in [(0, true), (1, false)] {
        let path = format!("/Users/{}", users[at]);
        assert_eq!(directory.get(&path).body["active"], active);
        assert_eq!(directory.get(&format!("{path}?attributes=active")).body["active"], active);
        assert_eq!(directory.ids(&format!("/Users?filter=active%20eq%20{active}")), [users[at].clone()]);
        assert_eq!(directory.get("/Users").resources()[at]["active"], active);
        let version = directory.get(&path).body["meta"]["version"].clone();
        let same = directory.patch(&path, json!([{ "op": "remove", "path": "active" }])).expect(200);
        assert_eq!((&same.body["active"], &same.body["meta"]["version"]), (&json!(active), &version));
        let changed = directory.patch(&path, set("nickName", "N")).expect(200);
        assert_eq!(changed.body["active"], active);
    }
    let activated = directory.patch(&format!("/Users/{}", users[1]), set("active", true)).expect(200);
    assert_eq!(activated.body["active"], true);
    integrity::check(&site.storage);
}

#[test]
fn updates_reach_the_customer() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let id = directory.user("a@x.test");
    directory.patch(&format!("/Users/{id}"), set("displayName", "New")).expect(200);
    directory.patch(&format!("/Users/{id}"), set("timezone", "Asia/Tokyo")).expect(200);
    let customer = site.customer("a@x.test").unwrap();
    assert_eq!((customer.display_name.as_str(), customer.time_zone.as_deref()), ("New", Some("Asia/Tokyo")));
}

#[test]
fn a_local_customer_is_linked_and_read_only_from_then_on() {
    let site = Site::new();
    let directory = site.connect(&settings("The IdP"));
    let local = site.local_customer("Ann@X.test");
    let organization = site.engine().create_organization("ann", "Friends").unwrap().id;
    site.engine().add_members("ann", organization, std::slice::from_ref(&local.id)).unwrap();
    directory.user("ann@x.test");
    let linked = site.customer("ann@x.test").unwrap();
    assert_eq!((&linked.id, linked.created_at), (&local.id, local.created_at));
    assert_eq!(linked.managed_by, Some(directory.id.clone()));
    assert_eq!(site.members(organization), ["ann@x.test"]);
    let update = CustomerUpdate { active: Some(false), ..CustomerUpdate::default() };
    for refused in [
        site.engine().update_customer("ann", &local.id, &update).map(drop),
        site.engine().delete_customer("ann", &local.id),
    ] {
        assert!(matches!(refused, Err(Error::Managed(reason)) if reason.contains("\"The IdP\"")));
    }
    assert_eq!(site.customers(), [linked]);
    integrity::check(&site.storage);
}

#[test]
fn a_local_customer_is_matched_by_the_address_that_it_has_now() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let local = site.local_customer("old@x.test");
    let update = CustomerUpdate { email: Some("new@x.test".to_string()), ..CustomerUpdate::default() };
    site.engine().update_customer("ann", &local.id, &update).unwrap();
    directory.user("old@x.test");
    assert_ne!(site.customer("old@x.test").unwrap().id, local.id);
    directory.user("new@x.test");
    assert_eq!(site.customer("new@x.test").unwrap().id, local.id);
    integrity::check(&site.storage);
}

#[test]
fn a_managed_customer_cannot_be_had_by_another_user() {
    let site = Site::new();
    let (one, other) = (site.connect(&settings("one")), site.connect(&settings("other")));
    one.user("a@x.test");
    let before = site.content();
    for directory in [&one, &other] {
        let body = json!({ "userName": "second", "emails": [{ "value": " A@x.test" }] });
        directory.post("/Users", &body).refused(409, "uniqueness");
    }
    assert_eq!(site.content(), before);
}

#[test]
fn a_change_of_email_is_refused_or_followed() {
    for follows in [false, true] {
        let site = Site::new();
        let mut settings = settings("idp");
        settings.email_change = if follows { EmailChange::Follow } else { EmailChange::Refuse };
        let directory = site.connect(&settings);
        let (id, customer) = make(&directory, json!({ "userName": "a", "emails": [{ "value": "a@x.test" }] }));
        directory.group("Staff", std::slice::from_ref(&id));
        let path = format!("/Users/{id}");
        directory.patch(&path, set("emails", json!([{ "value": " A@X.test " }]))).expect(200);
        assert_eq!(site.customer("a@x.test").unwrap().id, customer.id);
        let changed = directory.patch(&path, set("emails", json!([{ "value": "b@x.test" }])));
        if follows {
            changed.expect(200);
            assert_eq!(site.customer("b@x.test").unwrap().id, customer.id);
            assert_eq!(site.members(site.organization("Staff").unwrap()), ["b@x.test"]);
            // The old address is free.
            directory.user("a@x.test");
        } else {
            changed.refused(400, "mutability");
            assert_eq!(site.customers().len(), 1);
            assert_eq!(site.customers()[0].email, "a@x.test");
        }
        integrity::check(&site.storage);
    }
}

#[test]
fn the_login_alone_can_be_renamed() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let (id, _) = make(&directory, json!({ "userName": "a", "emails": [{ "value": "a@x.test" }] }));
    directory.patch(&format!("/Users/{id}"), set("userName", "b")).expect(200);
    assert_eq!(site.customers()[0].email, "a@x.test");
    let id = directory.user("c@x.test");
    directory.patch(&format!("/Users/{id}"), set("userName", "d@x.test")).refused(400, "mutability");
}

#[test]
fn whoever_leaves_is_deactivated_whatever_else_is_asked() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let id = directory.user("a@x.test");
    let path = format!("/Users/{id}");
    let value = json!({ "userName": "b@x.test", "displayName": "Gone", "active": false });
    directory.patch(&path, json!([{ "op": "replace", "value": value }])).expect(200);
    let customer = site.customer("a@x.test").unwrap();
    assert_eq!((customer.active, customer.display_name.as_str()), (false, "Gone"));
    // A PUT without `active` does not let a leaver in again.
    directory.send("PUT", &path, &json!({ "userName": "a@x.test", "emails": [{ "value": "a@x.test" }] })).expect(200);
    assert!(!site.customer("a@x.test").unwrap().active);
}

#[test]
fn deactivation_ends_access_at_once_and_keeps_memberships() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let id = directory.user("a@x.test");
    let group = directory.group("Staff", std::slice::from_ref(&id));
    let organization = site.organization("Staff").unwrap();
    let engine = site.engine();
    let open = engine.create_project("ann", "OPEN", "Open", Audience::Open).unwrap().id;
    let closed = engine.create_project("ann", "HELP", "Help", Audience::Restricted).unwrap().id;
    engine.associate_organization("ann", closed, organization, true).unwrap();
    let because = Reason::Organization((organization, "Staff".to_string()));
    let access = |project: u64| {
        let access = engine.access(&id, project).unwrap();
        (access.allowed, access.reasons)
    };
    let set_active = |active: bool| directory.patch(&format!("/Users/{id}"), set("active", active)).expect(200);
    assert_eq!((access(open), access(closed)), ((true, vec![Reason::Open]), (true, vec![because.clone()])));
    set_active(false);
    assert_eq!(access(open), (false, vec![Reason::Deactivated, Reason::Open]));
    assert_eq!(access(closed), (false, vec![Reason::Deactivated, because.clone()]));
    assert!(engine.projects_of(&id).unwrap().is_empty());
    assert_eq!(site.members(organization), ["a@x.test"]);
    set_active(true);
    assert_eq!(access(closed), (true, vec![because]));
    assert_eq!(engine.projects_of(&id).unwrap().len(), 2);
    // Whoever is taken out first comes back without.
    set_active(false);
    directory.patch(&format!("/Groups/{group}"), json!([{ "op": "remove", "path": "members" }])).expect(200);
    set_active(true);
    assert_eq!(access(closed), (false, Vec::new()));
}

#[test]
fn deletion_removes_the_customer_from_everything() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let id = directory.user("a@x.test");
    let group = directory.group("Staff", std::slice::from_ref(&id));
    let own = site.engine().create_organization("ann", "Friends").unwrap().id;
    let project = site.engine().create_project("ann", "HELP", "Help", Audience::Restricted).unwrap().id;
    site.engine().add_members("ann", own, std::slice::from_ref(&id)).unwrap();
    site.engine().associate_customers("ann", project, std::slice::from_ref(&id), true).unwrap();
    directory.delete(&format!("/Users/{id}")).expect(204);
    directory.get(&format!("/Users/{id}")).expect(404);
    assert!(matches!(site.engine().customer(&id), Err(Error::NotFound(_))));
    for organization in [own, site.organization("Staff").unwrap()] {
        assert!(site.members(organization).is_empty());
    }
    assert!(site.engine().project_customers(project, &Position::Offset(0), 10).unwrap().values.is_empty());
    assert_eq!(directory.get(&format!("/Groups/{group}")).expect(200).body["members"], json!([]));
    integrity::check(&site.storage);
    // The same address is somebody new.
    assert_ne!(directory.user("a@x.test"), id);
    assert!(site.members(own).is_empty());
}

#[test]
fn more_relations_than_are_removed_at_once_are_invisible_and_swept() {
    let site = Site::new();
    site.retain(0);
    let customer = site.local_customer("a@x.test");
    let project = site.engine().create_project("ann", "HELP", "Help", Audience::Restricted).unwrap().id;
    site.engine().associate_customers("ann", project, std::slice::from_ref(&customer.id), true).unwrap();
    let organizations: Vec<u64> =
        (0..100).map(|at| site.engine().create_organization("ann", &format!("org {at}")).unwrap().id).collect();
    for organization in &organizations {
        site.engine().add_members("ann", *organization, std::slice::from_ref(&customer.id)).unwrap();
    }
    site.engine().delete_customer("ann", &customer.id).unwrap();
    let nobody = |site: &Site| {
        assert!(organizations.iter().all(|organization| site.members(*organization).is_empty()));
        assert!(site.engine().project_customers(project, &Position::Offset(0), 10).unwrap().values.is_empty());
        integrity::check(&site.storage);
    };
    nobody(&site);
    assert!(site.sweep(10) > 1);
    nobody(&site);
    assert!(!site.storage.snapshot().keys().any(|key| key.contains(&customer.id)));
}

#[test]
fn a_user_without_an_address_is_linked_when_one_arrives() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let id = directory.post("/Users", &json!({ "userName": "ann" })).expect(201).id();
    let group = directory.group("Staff", std::slice::from_ref(&id));
    let organization = site.organization("Staff").unwrap();
    assert!(site.customers().is_empty() && site.members(organization).is_empty());
    directory.patch(&format!("/Users/{id}"), set("emails", json!([{ "value": "ann@x.test" }]))).expect(200);
    assert_eq!(site.members(organization), ["ann@x.test"]);
    assert_eq!(directory.get(&format!("/Groups/{group}")).expect(200).body["members"][0]["value"], json!(id));
    integrity::check(&site.storage);
}

#[test]
fn an_address_can_be_required() {
    let site = Site::new();
    let mut settings = settings("idp");
    settings.email = EmailPresence::Required;
    let directory = site.connect(&settings);
    directory.post("/Users", &json!({ "userName": "ann" })).refused(400, "invalidValue");
    assert!(site.customers().is_empty());
}

#[test]
fn customers_of_a_disconnected_directory_are_local_and_keep_their_organizations() {
    for sweeps in [false, true] {
        let site = Site::new();
        let directory = site.connect(&settings("one"));
        let id = directory.user("a@x.test");
        directory.group("Staff", std::slice::from_ref(&id));
        let organization = site.organization("Staff").unwrap();
        site.engine().disconnect("ann", &directory.id, false).unwrap();
        if sweeps {
            site.sweep(3);
        }
        assert_eq!(site.customer("a@x.test").unwrap().managed_by, None);
        let update = CustomerUpdate { display_name: Some("Mine".to_string()), ..CustomerUpdate::default() };
        assert_eq!(site.engine().update_customer("ann", &id, &update).unwrap().display_name, "Mine");
        assert_eq!(site.members(organization), ["a@x.test"]);
        let other = site.connect(&settings("other"));
        let user = other.user("a@x.test");
        let customer = site.customer("a@x.test").unwrap();
        assert_eq!((customer.id, customer.managed_by), (id, Some(other.id.clone())));
        assert_eq!(site.members(organization), ["a@x.test"]);
        integrity::check(&site.storage);
        other.delete(&format!("/Users/{user}")).expect(204);
        assert!(site.customers().is_empty() && site.members(organization).is_empty());
        site.sweep(3);
        integrity::check(&site.storage);
    }
}

#[test]
fn what_a_customer_cannot_be_is_refused() {
    let site = Site::new();
    let customer = site.local_customer("a@x.test");
    let engine = site.engine();
    let new = |email: &str, name: &str| NewCustomer {
        email: email.to_string(),
        display_name: name.to_string(),
        time_zone: None,
        locale: Some("en".to_string()),
    };
    for (email, name) in
        [("a", "A"), ("@x", "A"), ("b@x", " "), ("b@x", &"n".repeat(201)), (&format!("{}@x", "b".repeat(300)), "B")]
    {
        assert!(matches!(engine.create_customer("ann", &new(email, name)), Err(Error::Invalid(_))), "{email} {name}");
    }
    assert!(matches!(engine.create_customer("ann", &new(" A@X.test", "A")), Err(Error::Taken(_))));
    assert!(matches!(engine.create_customer("", &new("b@x", "B")), Err(Error::Invalid(_))));
    let other = engine.create_customer("ann", &new(" b@x ", "B")).unwrap();
    assert_eq!((other.email.as_str(), other.locale.as_str()), ("b@x", "en-US"));
    let update = CustomerUpdate { email: Some("b@X".to_string()), ..CustomerUpdate::default() };
    assert!(matches!(engine.update_customer("ann", &customer.id, &update), Err(Error::Taken(_))));
    for id in ["", "nobody", "c/x", "00000000000000000000"] {
        assert!(matches!(engine.customer(id), Err(Error::NotFound(_))));
        assert!(matches!(engine.delete_customer("ann", id), Err(Error::NotFound(_))));
    }
}

#[test]
fn limits_and_cursors_that_cannot_be_are_refused() {
    let site = Site::new();
    let organization = site.engine().create_organization("ann", "Friends").unwrap().id;
    let project = site.engine().create_project("ann", "HELP", "Help", Audience::Open).unwrap().id;
    let cursors = ["", "x", "0.", "9", "0.x/y", "q.00000000000000000000", "../cu"];
    let cases = [0, 1_001].map(|limit| (Position::Offset(0), limit)).into_iter();
    for (position, limit) in cases.chain(cursors.map(|cursor| (Position::After(cursor.to_string()), 10))) {
        let members = site.engine().organization_members(organization, &position, limit);
        assert!(matches!(members, Err(Error::Invalid(_))), "{position:?} {limit}");
    }
    for (position, limit) in [(Position::Offset(0), 0), (Position::After("a/b".to_string()), 1)] {
        assert!(matches!(site.engine().customers(&position, limit), Err(Error::Invalid(_))));
        assert!(matches!(site.engine().organizations(&position, limit), Err(Error::Invalid(_))));
        assert!(matches!(site.engine().projects(&position, limit), Err(Error::Invalid(_))));
        assert!(matches!(site.engine().project_organizations(project, None, &position, limit), Err(Error::Invalid(_))));
        assert!(matches!(site.engine().project_customers(project, &position, limit), Err(Error::Invalid(_))));
    }
}
