//! A storage that an older version wrote, as it is kept in `layouts/`, is brought to the layout of this version.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use usher_engine::directories::Mode;
use usher_engine::provisioning::conflicts::{Conflict, ConflictKind};
use usher_engine::provisioning::unlinked::UnlinkedReason;
use usher_engine::site::Position;
use usher_engine::site::customers::{CustomerUpdate, NewCustomer};
use usher_engine::site::same_names::Subject;
use usher_engine::upkeep::Readiness;

use super::integrity;
use super::site::{Directory, Site};
use super::storage::{Fault, Plan};

const START: Position = Position::Offset(0);

/// The id of what a conflict is about.
pub fn about(conflict: &Conflict) -> String {
    conflict.subject.id().to_string()
}

/// A site as version 0.1.0 of the program left it, with names in composed and decomposed form, full-width letters, and what
/// is no address in the place of one.
fn layout_1() -> Site {
    stored(include_str!("layouts/1.jsonl"))
}

/// A site as the first version with layout 2 left it: local and managed customers, active and not, unlinked, deleted
/// and restored; organizations adopted, left apart and resolved; directories connected, disconnected, and one whose
/// removal is under way.
fn layout_2() -> Site {
    stored(include_str!("layouts/2.jsonl"))
}

/// A site as the version before the plan left it, with layout 3: rules, domains, a group that was refused, a removal under
/// way, and two directories in the dry run of that time, one of them empty.
fn layout_3() -> Site {
    stored(include_str!("layouts/3.jsonl"))
}

/// A site as the version before blocks of ids left it, with layout 4: live and staged directories, an apply that has just
/// begun, disconnected directories of which one is being swept and one removed with what it managed.
fn layout_4() -> Site {
    stored(include_str!("layouts/4.jsonl"))
}

fn stored(entries: &str) -> Site {
    let site = Site::new();
    let entries = entries.lines().map(|line| serde_json::from_str(line).unwrap());
    site.storage.restore(&entries.collect::<BTreeMap<String, String>>().into());
    site
}

#[test]
fn groups_are_in_the_order_of_their_sizes_and_the_unlinked_are_counted_by_reason() {
    let site = layout_2();
    upgrade(&site, 7);
    let engine = site.engine();
    let (mut largest, mut unlinked) = (0, 0);
    for directory in engine.directories(None, 10).unwrap().values {
        let status = engine.directory_status(&directory.id).unwrap();
        largest = largest.max(status.largest_group.map_or(0, |group| group.members));
        unlinked += status.unlinked_by.len();
        assert_eq!(status.unlinked_by.iter().map(|unlinked| unlinked.count).sum::<u64>(), status.unlinked);
    }
    assert!(largest > 1 && unlinked > 1, "{largest} {unlinked}");
}

/// Does all that is to be done, by steps of a size.
fn upgrade(site: &Site, budget: u32) {
    while let Readiness::Upgrading(_) = site.engine().readiness().unwrap() {
        site.engine().upkeep_step(budget).unwrap();
    }
    integrity::check(&site.storage);
    // What it has left to do.
    site.sweep(100);
    integrity::check(&site.storage);
}

/// The directory of this kind of conflict policy, with a new key.
fn directory<'s>(site: &'s Site, at: usize) -> Directory<'s> {
    let id = site.engine().directories(None, 10).unwrap().values[at].id.clone();
    let key = site.engine().rotate_key("ann", &id, 60).unwrap().api_key;
    Directory { site, path: format!("/scim/directory/{id}"), id, key }
}

#[test]
fn until_it_is_brought_along_it_can_be_read_and_not_written() {
    let site = layout_1();
    let before = site.storage.snapshot();
    let new =
        NewCustomer { email: "new@x.test".to_string(), display_name: "New".to_string(), time_zone: None, locale: None };
    for done in 0_u64.. {
        let Readiness::Upgrading(upgrade) = site.engine().readiness().unwrap() else { break };
        assert!(upgrade.stage < upgrade.stages && upgrade.entries >= done);
        let refused = site.engine().create_customer("ann", &new).unwrap_err();
        assert!(
            matches!(refused, usher_engine::site::Error::Store(usher_engine::StoreError::Upgrading)),
            "{refused:?}"
        );
        assert_eq!(site.customers().len(), 9);
        site.engine().upkeep_step(7).unwrap();
    }
    assert_ne!(site.storage.snapshot(), before);
    site.engine().create_customer("ann", &new).unwrap();
    integrity::check(&site.storage);
}

#[test]
fn a_client_that_writes_meanwhile_is_told_to_come_back() {
    // In another storage, as a key can be issued there.
    let fresh = Site::new();
    let other = fresh.connect(&super::site::settings("Fresh"));
    let mut map = (*fresh.storage.snapshot()).clone();
    map.insert("schema".to_string(), ">5".to_string());
    fresh.storage.restore(&map.into());
    let refused = other.post("/Users", &json!({"userName": "ann@x.test"}));
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("10")));
    assert_eq!(other.get("/Users").status, 200);
    upgrade(&fresh, 100);
    assert_eq!(other.post("/Users", &json!({"userName": "ann@x.test"})).status, 201);
}

#[test]
fn it_comes_to_the_same_whatever_the_size_of_the_steps_and_wherever_they_end() {
    let whole = layout_1();
    upgrade(&whole, 10_000);
    for budget in [1, 2, 3, 5, 50] {
        let site = layout_1();
        upgrade(&site, budget);
        let without_feed = |site: &Site| {
            let mut content = site.content();
            content.retain(|key, _| !key.starts_with("c/") && !key.starts_with("cl"));
            content.into_iter().map(|(key, value)| (key, without_times(&value))).collect::<Vec<_>>()
        };
        assert_eq!(without_feed(&site), without_feed(&whole), "by {budget}");
    }
    // A step that fails anywhere has done nothing, and is done again.
    let site = layout_1();
    for from in 0.. {
        let error = usher_engine::storage::Error::Unavailable("away".to_string());
        site.storage.break_down(Plan { fault: Fault::Error(error), from, lasting: true });
        let before = site.storage.snapshot();
        let done = site.engine().upkeep_step(3);
        if !site.storage.repair() {
            break;
        }
        assert!(done.is_err());
        assert_eq!(site.storage.snapshot(), before);
    }
    upgrade(&site, 3);
}

/// A value without what depends on when the steps were made.
fn without_times(value: &str) -> String {
    let (header, rest) = value.split_once('\n').unwrap_or((value, ""));
    let Ok(Value::Object(mut header)) = serde_json::from_str(header) else { return value.to_string() };
    for time in ["since", "modified"] {
        header.remove(time);
    }
    format!("{}\n{rest}", Value::Object(header))
}

#[test]
fn a_storage_of_the_layouts_before_loses_nothing() {
    for site in [layout_2(), layout_3()] {
        let before = site.customers();
        upgrade(&site, 3);
        assert_eq!(site.customers(), before);
    }
    // Upkeep has more to do here than to bring it along.
    let site = layout_4();
    let users = |site: &Site| {
        let all = site.engine().directories(None, 10).unwrap().values;
        all.into_iter().map(|directory| (directory.id, directory.users)).collect::<Vec<_>>()
    };
    let before = users(&site);
    assert!(before.len() == 5 && before.iter().all(|(_, users)| *users > 0));
    upgrade(&site, 3);
    assert_eq!(users(&site), before);
    // What a version before had begun and not finished goes on.
    let begun = layout_1();
    let mut map = (*begun.storage.snapshot()).clone();
    map.insert("schema".to_string(), "1>2".to_string());
    map.insert("schema/upgrade".to_string(), json!({ "stage": 0, "after": "dn/", "entries": 4 }).to_string());
    begun.storage.restore(&map.into());
    assert!(matches!(begun.engine().readiness(), Ok(Readiness::Upgrading(upgrade)) if upgrade.entries == 4));
    upgrade(&begun, 5);
}

/// Users and groups of layout 4, more than a block of each: pages by number are right all the time, and upkeep divides
/// them into blocks by steps of any size.
#[test]
fn users_and_groups_are_divided_into_blocks() {
    for (budget, begun) in [(1_000, false), (100, true), (2_400, true)] {
        let site = Site::new();
        let directory = site.connect(&super::site::settings("idp"));
        let other = site.connect(&super::site::settings("other"));
        let users = directory.many("/Users", (0..2_400).map(|n| json!({ "userName": format!("u{n}") })));
        let groups = directory.many("/Groups", (0..700).map(|n| json!({ "displayName": format!("g{n}") })));
        other.user("ann@x.test");
        assert_eq!(site.storage.snapshot().keys().filter(|key| key.starts_with("ub/")).count(), 4);
        let mut map = (*site.storage.snapshot()).clone();
        map.retain(|key, _| !key.starts_with("ub/") && !key.starts_with("gb/"));
        for (_, counts) in map.iter_mut().filter(|(key, _)| key.starts_with("dc/")) {
            let mut record: Value = serde_json::from_str(counts).unwrap();
            record.as_object_mut().unwrap().remove("blocks");
            *counts = record.to_string();
        }
        map.insert("schema".to_string(), if begun { ">4" } else { "4" }.to_string());
        if begun {
            map.insert("schema/upgrade".to_string(), json!({ "stage": 18, "entries": 7 }).to_string());
        }
        site.storage.restore(&map.into());
        while let Readiness::Upgrading(_) = site.engine().readiness().unwrap() {
            assert_eq!(directory.ids("/Users?startIndex=1701&count=100"), users[1_700..1_800]);
            assert_eq!(directory.ids("/Groups?startIndex=641&count=20"), groups[640..660]);
            site.engine().upkeep_step(budget).unwrap();
        }
        integrity::check(&site.storage);
        let blocks = || {
            let stored = site.storage.snapshot();
            ["ub/", "gb/"].map(|family| stored.keys().filter(|key| key.starts_with(family)).count())
        };
        assert_eq!(blocks(), [4, 1]);
        // They go with the directory.
        site.engine().disconnect("ann", &directory.id, begun).unwrap();
        site.sweep(100);
        integrity::check(&site.storage);
        assert_eq!(blocks(), [0, 0]);
    }
}

#[test]
fn a_directory_in_a_dry_run_is_staged() {
    let site = layout_3();
    upgrade(&site, 2);
    let engine = site.engine();
    let all = engine.directories(None, 10).unwrap().values;
    let modes: BTreeMap<&str, Mode> =
        all.iter().map(|directory| (directory.settings.name.as_str(), directory.settings.mode)).collect();
    assert!(modes.len() > 2);
    for (name, mode) in modes {
        assert_eq!(mode == Mode::Staged, ["Rehearsal", "Empty rehearsal"].contains(&name), "{name}");
    }
    for at in (0..all.len()).filter(|at| all[*at].settings.mode == Mode::Staged) {
        let idp = directory(&site, at);
        let before = site.customers();
        let user = idp.user(&format!("planned{at}@x.test"));
        idp.group(&format!("Planned {at}"), &[user]);
        assert_eq!(site.customers(), before);
        integrity::check(&site.storage);
        engine.apply_plan("ann", &idp.id, None).unwrap();
        site.sweep(100);
        assert_eq!(site.customers().len(), before.len() + 1);
        assert_eq!(site.members(site.organization(&format!("Planned {at}")).unwrap()), [format!("planned{at}@x.test")]);
        integrity::check(&site.storage);
    }
}

#[test]
fn of_two_names_that_become_one_the_older_is_found_and_both_are_listed() {
    let site = layout_1();
    upgrade(&site, 100);
    let engine = site.engine();
    let entra = directory(&site, 0);
    let listed = engine.conflicts(&entra.id, None, 100).unwrap().values;
    let names: Vec<&str> = listed.iter().map(|conflict| conflict.name.as_str()).collect();
    assert_eq!(names, ["zoe\u{308}@x.test", "zo\u{eb}@x.test", "Gru\u{308}ne", "Gr\u{fc}ne"]);
    assert!(listed.iter().all(|conflict| conflict.kind == ConflictKind::SameName));
    for pair in listed.chunks(2) {
        assert_eq!(pair[0].same_name, Some(about(&pair[1])));
        assert_eq!(pair[1].same_name, Some(about(&pair[0])));
    }
    assert_eq!(engine.directory(&entra.id).unwrap().conflicts, 4);
    let found = entra.get(r"/Users?filter=userName%20eq%20%22ZO%C3%8B@x.test%22");
    assert_eq!((found.body["totalResults"].clone(), found.ids()), (json!(1), vec![about(&listed[0])]));
    let found = entra.get("/Groups?filter=displayName%20eq%20%22gr%C3%BCne%22");
    assert_eq!(found.ids(), vec![about(&listed[2])]);

    let on_site = engine.same_names(&START, 100).unwrap().values;
    let names: Vec<&str> = on_site.iter().map(|same| same.name.as_str()).collect();
    assert_eq!(names.len(), 10, "{names:?}");
    assert!(matches!(on_site[0].subject, Subject::Organization(1)) && on_site[0].other == Subject::Organization(2));

    // Nobody is lost, and none of the names can be taken by a third.
    assert_eq!(site.customers().len(), 9);
    assert_eq!(entra.post("/Users", &json!({"userName": "Zoe\u{308}@x.test"})).status, 409);
    assert!(engine.create_organization("ann", "KO\u{308}LN").is_err());
}

#[test]
fn a_conflict_of_names_is_over_when_one_of_them_goes_or_gets_another_name() {
    let site = layout_1();
    upgrade(&site, 100);
    let engine = site.engine();
    let entra = directory(&site, 0);
    let listed = engine.conflicts(&entra.id, None, 100).unwrap().values;
    let [older, newer, group, twin] = [0, 1, 2, 3].map(|at| about(&listed[at]));
    // The older user goes: what it was found by leads to the other.
    assert_eq!(entra.delete(&format!("/Users/{older}")).status, 204);
    integrity::check(&site.storage);
    assert_eq!(entra.get("/Users?filter=userName%20eq%20%22zo%C3%AB@x.test%22").ids(), vec![newer]);
    // The newer group is renamed: the older stays what it was.
    let renamed = json!([{"op": "replace", "path": "displayName", "value": "Blaue"}]);
    assert_eq!(entra.patch(&format!("/Groups/{twin}"), renamed).status, 200);
    integrity::check(&site.storage);
    assert_eq!(entra.get("/Groups?filter=displayName%20eq%20%22gr%C3%BCne%22").ids(), vec![group]);
    assert_eq!(entra.get("/Groups?filter=displayName%20eq%20%22blaue%22").ids(), vec![twin]);
    assert_eq!(engine.directory(&entra.id).unwrap().conflicts, 0);
    // On the site: an organization is renamed, a customer gets another address, a directory another name.
    engine.rename_organization("ann", 1, "Bonn").unwrap();
    integrity::check(&site.storage);
    assert!(engine.create_organization("ann", "K\u{f6}ln").is_err());
    let same = engine.same_names(&START, 100).unwrap().values;
    let customer = same.iter().find(|same| same.name.contains("local")).unwrap().subject.id();
    let update = CustomerUpdate { email: Some("other@x.test".to_string()), ..CustomerUpdate::default() };
    engine.update_customer("ann", &customer, &update).unwrap();
    integrity::check(&site.storage);
    engine.disconnect("ann", &directory(&site, 1).id, false).unwrap();
    site.sweep(100);
    integrity::check(&site.storage);
    assert_eq!(engine.same_names(&START, 100).unwrap().values, []);
}

#[test]
fn who_has_no_real_address_is_unlinked_and_its_customer_stays() {
    let site = layout_1();
    let before = site.customers();
    let customer = |name: &str| before.iter().find(|customer| customer.display_name == name).unwrap().clone();
    let (nobody, dora) = (customer("No Address"), customer("Dora"));
    assert!(nobody.managed_by.is_some() && dora.managed_by.is_some());
    upgrade(&site, 100);
    let engine = site.engine();
    let now = engine.customer(&nobody.id).unwrap();
    assert_eq!((now.managed_by, now.email.as_str()), (None, "n/a"));
    let entra = directory(&site, 0);
    let unlinked = engine.unlinked(&entra.id, None, 100).unwrap().values;
    assert_eq!((unlinked.len(), unlinked[0].reason), (1, UnlinkedReason::NoEmail));
    // The user name of this one is an address.
    let now = engine.customer(&dora.id).unwrap();
    assert_eq!((now.managed_by, now.email.as_str()), (dora.managed_by, "dora@x.test"));
    // An address arrives.
    let user = &unlinked[0].id;
    let arrived = json!([{"op": "replace", "path": "emails", "value": [{"value": "known@x.test"}]}]);
    assert_eq!(entra.patch(&format!("/Users/{user}"), arrived).status, 200);
    assert!(site.customer("known@x.test").is_some_and(|customer| customer.managed_by.is_some()));
    integrity::check(&site.storage);
}

#[test]
fn what_another_version_wrote_is_refused_by_every_way_in() {
    let site = layout_1();
    upgrade(&site, 100);
    let entra = directory(&site, 0);
    let mut map = (*site.storage.snapshot()).clone();
    map.insert("schema".to_string(), "6".to_string());
    site.storage.restore(&map.clone().into());
    let engine = site.engine();
    assert_eq!(entra.get("/Users").status, 500);
    assert_eq!(entra.post("/Users", &json!({"userName": "a@x.test"})).status, 500);
    let texts = [
        engine.readiness().unwrap_err().to_string(),
        engine.upkeep_step(100).unwrap_err().to_string(),
        engine.changes(0, 1).unwrap_err().to_string(),
        engine.customers(&START, 1).unwrap_err().to_string(),
        engine.directories(None, 1).unwrap_err().to_string(),
        engine.site_settings().unwrap_err().to_string(),
        engine.disconnect("ann", &entra.id, false).unwrap_err().to_string(),
        engine.create_organization("ann", "New").unwrap_err().to_string(),
    ];
    for text in texts {
        assert!(text.contains("layout \"6\""), "{text}");
    }
    assert_eq!(*site.storage.snapshot(), map);
}
