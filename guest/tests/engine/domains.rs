//! Directories that are bound to email domains: whom they link, and whom they do not.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::{Value, json};
use usher_engine::directories::{EmailChange, OutsideDomains, Settings, SettingsUpdate, Warning};
use usher_engine::provisioning::unlinked::UnlinkedReason;

use super::integrity;
use super::site::{Directory, Site, settings};

fn bound(name: &str, domains: &[&str], outside_domains: OutsideDomains) -> Settings {
    Settings {
        domains: domains.iter().map(ToString::to_string).collect(),
        outside_domains,
        email_change: EmailChange::Follow,
        ..settings(name)
    }
}

fn reasons(directory: &Directory<'_>) -> Vec<UnlinkedReason> {
    let unlinked = directory.site.engine().unlinked(&directory.id, None, 100).unwrap().values;
    unlinked.into_iter().map(|user| user.reason).collect()
}

fn address(value: &str) -> Value {
    json!([{ "op": "replace", "path": "emails", "value": [{ "value": value, "primary": true }] }])
}

#[test]
fn a_user_with_an_address_elsewhere_is_kept_and_takes_over_nobody() {
    let site = Site::new();
    let local = site.local_customer("boss@other.test");
    let idp = site.connect(&bound("idp", &["X.test", "x.test", " büro.test "], OutsideDomains::Unlinked));
    assert_eq!(site.engine().directory(&idp.id).unwrap().settings.domains, ["x.test", "büro.test"]);
    let user = idp.user("boss@other.test");
    assert_eq!(site.engine().customer(&local.id).unwrap(), local);
    assert_eq!(reasons(&idp), [UnlinkedReason::OutsideDomains]);
    // Domains below it are others, and one that ends like it is.
    for name in ["a@sub.x.test", "a@notx.test", "\"a@x.test\"@other.test"] {
        idp.user(name);
    }
    assert_eq!(reasons(&idp).len(), 4);
    for name in ["ann@X.TEST", "zoe@BU\u{308}RO.test"] {
        idp.user(name);
    }
    assert_eq!(reasons(&idp).len(), 4);
    // Neither an administrator can link it.
    site.engine().relink_customer("ann", &local.id, None).unwrap_err();
    idp.patch(&format!("/Users/{user}"), address("ann2@x.test")).expect(200);
    assert_eq!(reasons(&idp).len(), 3);
    assert!(site.customer("ann2@x.test").is_some_and(|customer| customer.managed_by.is_some()));
    idp.patch(&format!("/Users/{user}"), json!([{ "op": "replace", "path": "title", "value": "Dr" }])).expect(200);
    integrity::check(&site.storage);
}

#[test]
fn who_moves_elsewhere_is_unlinked_and_nobody_keeps_the_access() {
    let site = Site::new();
    let idp = site.connect(&bound("idp", &["x.test"], OutsideDomains::Unlinked));
    let user = idp.user("ann@x.test");
    idp.group("Staff", std::slice::from_ref(&user));
    let customer = site.customer("ann@x.test").unwrap().id;
    let leave = json!([{ "op": "replace", "value": { "active": false, "emails": [{ "value": "ann@other.test" }] } }]);
    for (at, operations) in [address("ann@other.test"), leave].into_iter().enumerate() {
        let gone = idp.patch(&format!("/Users/{user}"), operations).expect(200);
        assert_eq!(gone.body["emails"][0]["value"], "ann@other.test");
        let now = site.engine().customer(&customer).unwrap();
        assert_eq!((now.managed_by, now.active, now.email.as_str()), (None, false, "ann@x.test"));
        assert_eq!(reasons(&idp), [UnlinkedReason::OutsideDomains]);
        assert!(site.members(1).is_empty());
        integrity::check(&site.storage);
        // Whoever comes back is who it was.
        let back = json!([{ "op": "replace", "value": { "active": true, "emails": [{ "value": "ann@x.test" }] } }]);
        idp.patch(&format!("/Users/{user}"), back).expect(200);
        let now = site.engine().customer(&customer).unwrap();
        assert_eq!((now.managed_by.as_ref(), now.active), (Some(&idp.id), true), "{at}");
        assert_eq!(site.members(1), ["ann@x.test"]);
    }
    // Without an address, a linked customer keeps its last one, as ever.
    idp.patch(&format!("/Users/{user}"), json!([{ "op": "remove", "path": "emails" }])).expect(200);
    assert_eq!(reasons(&idp), []);
    let kinds = site.engine().changes(0, 1_000).unwrap();
    let unlinked = kinds.iter().filter(|change| change.kind == "customer.unlinked").collect::<Vec<_>>();
    assert_eq!(unlinked.len(), 2);
    assert!(unlinked.iter().all(|change| change.detail.contains("\"reason\":\"outsideDomains\"")));
}

#[test]
fn a_directory_that_refuses_them_refuses_new_addresses_only() {
    let site = Site::new();
    let idp = site.connect(&settings("idp"));
    let old = idp.user("old@other.test");
    let update = SettingsUpdate {
        domains: Some(vec!["x.test".to_string()]),
        outside_domains: Some(OutsideDomains::Refuse),
        email_change: Some(EmailChange::Follow),
        ..SettingsUpdate::default()
    };
    site.engine().update_directory("ann", &idp.id, &update).unwrap();
    idp.post("/Users", &json!({ "userName": "new@other.test" })).refused(400, "invalidValue");
    idp.post("/Users", &json!({ "userName": "n", "emails": [{ "value": "n@other.test" }] }))
        .refused(400, "invalidValue");
    let ann = idp.user("ann@x.test");
    idp.patch(&format!("/Users/{ann}"), address("ann@other.test")).refused(400, "invalidValue");
    // What was linked stays so, and can change in every other way.
    idp.patch(&format!("/Users/{old}"), json!([{ "op": "replace", "path": "displayName", "value": "Old" }]))
        .expect(200);
    assert_eq!(site.customer("old@other.test").unwrap().display_name, "Old");
    idp.patch(&format!("/Users/{old}"), address("old2@other.test")).refused(400, "invalidValue");
    // A deactivation is never lost.
    let leave = json!([{ "op": "replace", "value": { "active": false, "emails": [{ "value": "ann@other.test" }] } }]);
    let left = idp.patch(&format!("/Users/{ann}"), leave).expect(200);
    assert_eq!((&left.body["active"], &left.body["emails"][0]["value"]), (&json!(false), &json!("ann@x.test")));
    assert!(!site.customer("ann@x.test").unwrap().active);
    // Nobody without an address is outside.
    idp.post("/Users", &json!({ "userName": "nobody" })).expect(201);
    assert_eq!(reasons(&idp), [UnlinkedReason::NoEmail]);
    integrity::check(&site.storage);
}

#[test]
fn the_reason_follows_the_address() {
    let site = Site::new();
    let idp = site.connect(&bound("idp", &["x.test"], OutsideDomains::Unlinked));
    let user = idp.post("/Users", &json!({ "userName": "ann" })).expect(201).id();
    for (operations, reason) in [
        (address("ann@other.test"), Some(UnlinkedReason::OutsideDomains)),
        (json!([{ "op": "remove", "path": "emails" }]), Some(UnlinkedReason::NoEmail)),
        (address("ann@x.test"), None),
    ] {
        idp.patch(&format!("/Users/{user}"), operations).expect(200);
        assert_eq!(reasons(&idp), reason.into_iter().collect::<Vec<_>>());
        integrity::check(&site.storage);
    }
    idp.delete(&format!("/Users/{}", idp.user("bob@other.test"))).expect(204);
    assert_eq!(site.engine().directory(&idp.id).unwrap().unlinked, 0);
    integrity::check(&site.storage);
}

#[test]
fn those_whom_other_domains_let_in_are_linked_by_upkeep() {
    let site = Site::new();
    let idp = site.connect(&bound("idp", &["x.test"], OutsideDomains::Unlinked));
    let other = site.connect(&settings("other"));
    let users = idp.many("/Users", (0..250).map(|n| json!({ "userName": format!("u{n}@new.test") })));
    idp.post("/Users", &json!({ "userName": "nobody" })).expect(201);
    idp.user("far@away.test");
    other.user("u7@new.test");
    let local = site.local_customer("u8@new.test");
    let group = idp.group("All", &users);
    let update = SettingsUpdate { domains: Some(vec!["new.test".to_string()]), ..SettingsUpdate::default() };
    site.engine().update_directory("ann", &idp.id, &update).unwrap();
    integrity::check(&site.storage);
    site.sweep(10);
    integrity::check(&site.storage);
    let left = site.engine().unlinked(&idp.id, None, 100).unwrap().values;
    let left: Vec<&str> = left.iter().map(|user| user.user_name.as_str()).collect();
    assert_eq!(left, ["u7@new.test", "nobody", "far@away.test"]);
    assert_eq!(site.engine().customer(&local.id).unwrap().managed_by.as_ref(), Some(&idp.id));
    assert_eq!(site.members(1).len(), 249);
    assert!(idp.get(&format!("/Groups/{group}")).status == 200);
}

#[test]
fn a_user_who_could_not_be_linked_can_change_and_leave_all_the_same() {
    let site = Site::new();
    let idp = site.connect(&bound("idp", &["x.test"], OutsideDomains::Unlinked));
    let user = idp.user("ann@y.test");
    let other = site.connect(&settings("other"));
    other.user("ann@y.test");
    let update = SettingsUpdate { domains: Some(Vec::new()), ..SettingsUpdate::default() };
    site.engine().update_directory("ann", &idp.id, &update).unwrap();
    site.sweep(10);
    let path = format!("/Users/{user}");
    idp.patch(&path, json!([{ "op": "replace", "path": "title", "value": "Dr" }])).expect(200);
    let left = idp.patch(&path, json!([{ "op": "replace", "path": "active", "value": false }])).expect(200);
    assert_eq!(left.body["active"], false);
    assert_eq!(reasons(&idp), [UnlinkedReason::OutsideDomains]);
    // Its own new address is another matter.
    other.user("bob@y.test");
    idp.patch(&path, json!([{ "op": "replace", "path": "active", "value": true }])).expect(200);
    idp.patch(&path, address("bob@y.test")).refused(409, "uniqueness");
    integrity::check(&site.storage);
}

#[test]
fn the_limit_of_deletions_holds_those_who_move_elsewhere() {
    let site = Site::new();
    let settings = Settings { deletion_limit: Some(1), ..bound("idp", &["x.test"], OutsideDomains::Unlinked) };
    let idp = site.connect(&settings);
    let users = ["a@x.test", "b@x.test"].map(|name| idp.user(name));
    idp.patch(&format!("/Users/{}", users[0]), address("a@y.test")).expect(200);
    idp.patch(&format!("/Users/{}", users[1]), address("b@y.test")).expect(503);
    assert!(site.customer("b@x.test").is_some_and(|customer| customer.active && customer.managed_by.is_some()));
    site.engine().release_deletions("ann", &idp.id).unwrap();
    idp.patch(&format!("/Users/{}", users[1]), address("b@y.test")).expect(200);
    integrity::check(&site.storage);
}

#[test]
fn beside_another_directory_one_without_domains_is_a_warning() {
    let site = Site::new();
    let one = site.connect(&settings("one"));
    let warnings = |directory: &Directory<'_>| site.engine().directory_status(&directory.id).unwrap().warnings;
    assert_eq!(warnings(&one), []);
    let other = site.connect(&bound("other", &["x.test"], OutsideDomains::Unlinked));
    assert_eq!((warnings(&one), warnings(&other)), (vec![Warning::NoDomains], vec![]));
    site.engine().disconnect("ann", &other.id, false).unwrap();
    assert_eq!(warnings(&one), []);
}

#[test]
fn what_is_no_domain_is_refused() {
    let site = Site::new();
    for domains in [vec!["@x.test"], vec![""], vec!["a@x.test"], vec!["x..test"], vec!["x test"], vec!["x.test"; 101]] {
        site.engine().connect("ann", &bound("idp", &domains, OutsideDomains::Unlinked)).unwrap_err();
    }
}

const DOMAINS: [&str; 3] = ["a.test", "b.test", "c.test"];

#[derive(Debug, Clone)]
enum Step {
    Push(usize, usize),
    Move(usize, usize),
    Delete(usize),
    Local(usize),
    Unlink(usize),
    Relink(usize),
    Bind(usize, Vec<usize>),
    Upkeep,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..2_usize, 0..6_usize).prop_map(|(directory, address)| Step::Push(directory, address)),
        4 => (0..8_usize, 0..6_usize).prop_map(|(user, address)| Step::Move(user, address)),
        1 => (0..8_usize).prop_map(Step::Delete),
        3 => (0..6_usize).prop_map(Step::Local),
        1 => (0..6_usize).prop_map(Step::Unlink),
        1 => (0..6_usize).prop_map(Step::Relink),
        2 => (0..2_usize, prop::collection::vec(0..3_usize, 1..3)).prop_map(|(at, domains)| Step::Bind(at, domains)),
        1 => Just(Step::Upkeep),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn two_directories_that_fight_over_addresses_link_nobody_outside_of_their_domains(
        steps in prop::collection::vec(step(), 1..40),
        refuses in any::<bool>(),
    ) {
        let site = Site::new();
        let outside = if refuses { OutsideDomains::Refuse } else { OutsideDomains::Unlinked };
        let directories = [
            site.connect(&bound("a", &["a.test"], OutsideDomains::Unlinked)),
            site.connect(&bound("b", &["b.test"], outside)),
        ];
        let address = |at: usize| format!("u{}@{}", at % 2, DOMAINS[at / 2]);
        let mut users: Vec<(usize, String)> = Vec::new();
        // Who was linked to whom, and at which address, before the step.
        let mut linked: BTreeMap<String, (String, String)> = BTreeMap::new();
        for step in steps {
            let engine = site.engine();
            let customer = |at: usize| site.customers().get(at).map(|customer| customer.id.clone()).unwrap_or_default();
            match step {
                Step::Push(at, email) => {
                    let body = json!({ "userName": format!("n{}", users.len()), "emails": [{ "value": address(email) }] });
                    let made = directories[at].post("/Users", &body);
                    if made.status == 201 {
                        users.push((at, made.id()));
                    }
                }
                Step::Move(at, email) => if let Some((directory, user)) = users.get(at) {
                    directories[*directory].patch(&format!("/Users/{user}"), self::address(&address(email)));
                }
                Step::Delete(at) => if let Some((directory, user)) = users.get(at) {
                    directories[*directory].delete(&format!("/Users/{user}"));
                }
                Step::Local(email) => {
                    let new = usher_engine::site::customers::NewCustomer {
                        email: address(email), display_name: "Local".into(), time_zone: None, locale: None,
                    };
                    let _ = engine.create_customer("ann", &new);
                }
                Step::Unlink(at) => drop(engine.unlink_customer("ann", &customer(at))),
                Step::Relink(at) => drop(engine.relink_customer("ann", &customer(at), None)),
                Step::Bind(at, domains) => {
                    let domains = domains.into_iter().map(|domain| DOMAINS[domain].to_string()).collect();
                    let update = SettingsUpdate { domains: Some(domains), ..SettingsUpdate::default() };
                    engine.update_directory("ann", &directories[at].id, &update).unwrap();
                }
                Step::Upkeep => drop(site.sweep(50)),
            }
            integrity::check(&site.storage);
            let now = site.customers().into_iter().filter_map(|customer| {
                Some((customer.id, (customer.managed_by?, customer.email)))
            });
            let now: BTreeMap<String, (String, String)> = now.collect();
            for (customer, (directory, email)) in &now {
                // What is new was inside when it was made.
                if linked.get(customer) != Some(&(directory.clone(), email.clone())) {
                    let domains = engine.directory(directory).unwrap().settings.domains;
                    let domain = email.rsplit_once('@').unwrap().1;
                    prop_assert!(domains.iter().any(|known| known == domain), "{email} in {domains:?}");
                }
            }
            let emails: BTreeSet<&String> = now.values().map(|(_, email)| email).collect();
            prop_assert_eq!(emails.len(), now.len());
            linked = now;
        }
    }
}
