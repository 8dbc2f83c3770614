//! What is deleted is invisible at once, and `upkeep` removes what is left of it in bounded steps.

use serde_json::{Value, json};
use usher_engine::site::Position;

use super::integrity;
use super::on_site::everything;
use super::site::{Directory, Site, settings};

/// A user in many groups beside somebody who stays.
fn user_in_groups(site: &Site, count: usize) -> (Directory<'_>, Vec<String>, Vec<String>) {
    let directory = site.connect(&settings("idp"));
    let users = vec![directory.user("gone@x.test"), directory.user("stays@x.test")];
    let members: Value = users.iter().map(|id| json!({ "value": id })).collect();
    let groups =
        directory.many("/Groups", (0..count).map(|n| json!({ "displayName": format!("g{n:03}"), "members": members })));
    (directory, users, groups)
}

#[test]
fn a_deleted_user_of_many_groups_is_in_none() {
    let site = Site::new();
    site.retain(0);
    let (directory, users, groups) = user_in_groups(&site, 200);
    directory.delete(&format!("/Users/{}", users[0])).expect(204);
    let check = || {
        integrity::check(&site.storage);
        for group in groups.iter().step_by(13) {
            let path = format!("/Groups/{group}");
            let stays = json!([{ "value": users[1] }]);
            assert_eq!(directory.get(&path).body["members"].as_array().unwrap().len(), 1);
            assert_eq!(directory.get(&format!("{path}?attributes=members.value")).body["members"], stays);
            // A copy of the group from before must not be told to be current, whatever its version says.
            directory.send_with("GET", &path, &Value::Null, &[("If-None-Match", "W/\"1\"")]).expect(200);
        }
        let found = |filter: &str| {
            directory
                .get(&format!("/Groups?count=0&filter={}", filter.replace(' ', "%20").replace('"', "%22")))
                .expect(200)
                .body["totalResults"]
                .clone()
        };
        assert_eq!(found(&format!("members.value eq \"{}\"", users[0])), 0);
        assert_eq!(found(&format!("members eq \"{}\" or displayName eq \"g007\"", users[0])), 1);
        assert_eq!(found(&format!("members eq \"{}\" and displayName pr", users[0])), 0);
        assert_eq!(found(&format!("not (members eq \"{}\") and displayName pr", users[0])), 200);
        assert_eq!(found(&format!("members[value eq \"{}\" and type eq \"User\"]", users[0])), 0);
        assert_eq!(found(&format!("members.value eq \"{}\"", users[1])), 200);
        let back = json!([{ "op": "add", "path": "members", "value": [{ "value": users[0] }] }]);
        directory.patch(&format!("/Groups/{}", groups[199]), back).refused(400, "invalidValue");
        let again = json!([{ "op": "replace", "path": "members", "value": [{ "value": users[0] }] }]);
        directory.patch(&format!("/Groups/{}", groups[198]), again).refused(400, "invalidValue");
    };
    check();
    // A group that is emptied meanwhile, one that goes, and one whose member is taken out who is gone already.
    let last = |back: usize| format!("/Groups/{}", groups[200 - back]);
    directory.delete(&last(3)).expect(204);
    directory.send("PUT", &last(4), &json!({ "displayName": "g196", "members": [{ "value": users[1] }] })).expect(200);
    let remove = json!([{ "op": "remove", "path": format!("members[value eq \"{}\"]", users[0]) }]);
    directory.patch(&last(5), remove).expect(200);
    directory.patch(&last(6), json!([{ "op": "remove", "path": "members[type eq \"User\"]" }])).expect(200);
    directory
        .patch(&last(6), json!([{ "op": "add", "path": "members", "value": [{ "value": users[1] }] }]))
        .expect(200);
    integrity::check(&site.storage);
    assert!(site.engine().upkeep_step(20).unwrap().removed <= 20);
    integrity::check(&site.storage);
    assert!(site.sweep(20) >= 12);
    integrity::check(&site.storage);
    assert!(site.storage.snapshot().keys().all(|key| key.starts_with("c/") || !key.contains(&users[0])));
    let counts = site.engine().directory(&directory.id).unwrap();
    assert_eq!((counts.users, counts.groups, counts.memberships), (1, 199, 199));
}

#[test]
fn a_deleted_group_of_many_members_has_none() {
    let site = Site::new();
    site.retain(0);
    let directory = site.connect(&settings("idp"));
    let users = directory.many("/Users", (0..200).map(|n| json!({ "userName": format!("u{n}") })));
    let (gone, stays) = (directory.group("gone", &users), directory.group("stays", &users[..3]));
    directory.delete(&format!("/Groups/{gone}")).expect(204);
    let check = || {
        integrity::check(&site.storage);
        for (at, user) in users.iter().enumerate().step_by(7) {
            let expected = if at < 3 { vec![stays.as_str()] } else { vec![] };
            let groups = directory.get(&format!("/Users/{user}")).body["groups"].clone();
            let groups: Vec<&str> =
                groups.as_array().into_iter().flatten().map(|group| group["value"].as_str().unwrap()).collect();
            assert_eq!(groups, expected);
            let of = directory.ids(&format!("/Groups?filter=members%20eq%20%22{user}%22"));
            assert_eq!(of, expected);
        }
        let found = |filter: &str| {
            directory.get(&format!("/Users?count=0&filter={filter}")).expect(200).body["totalResults"].clone()
        };
        assert_eq!(found(&format!("groups.value%20eq%20%22{gone}%22")), 0);
        assert_eq!(found(&format!("groups.value%20eq%20%22{gone}%22%20and%20active%20eq%20true")), 0);
        assert_eq!(found("groups%20pr"), 3);
        assert_eq!(found("groups.display%20eq%20%22gone%22"), 0);
    };
    check();
    assert_eq!(site.engine().directory(&directory.id).unwrap().memberships, 3);
    let again = directory.group("Gone", &users[..1]);
    directory.delete(&format!("/Groups/{again}")).expect(204);
    // Users go while memberships of theirs in it wait.
    directory.delete(&format!("/Users/{}", users[199])).expect(204);
    directory.delete(&format!("/Users/{}", users[0])).expect(204);
    integrity::check(&site.storage);
    assert!(site.engine().upkeep_step(1).unwrap().removed <= 2);
    integrity::check(&site.storage);
    site.sweep(10);
    integrity::check(&site.storage);
    assert!(site.storage.snapshot().keys().all(|key| key.starts_with("c/") || !key.contains(&gone)));
}

#[test]
fn with_nothing_to_do_nobody_has_to_wait() {
    let site = Site::new();
    site.connect(&settings("idp"));
    site.storage.take_work();
    assert!(!site.engine().upkeep_step(u32::MAX).unwrap().more);
    let work = site.storage.take_work();
    assert_eq!((work.transactions, work.scans, work.commits), (1, 3, 0));
}

#[test]
fn a_directory_goes_while_others_of_its_deletions_wait() {
    let site = Site::new();
    site.retain(0);
    let (directory, users, groups) = user_in_groups(&site, 150);
    directory.delete(&format!("/Users/{}", users[0])).expect(204);
    directory.delete(&format!("/Groups/{}", groups[0])).expect(204);
    site.engine().disconnect("ann", &directory.id, false).unwrap();
    integrity::check(&site.storage);
    while site.engine().upkeep_step(30).unwrap().more {
        integrity::check(&site.storage);
    }
    // What is left is the site's: organizations with their members, and customers.
    let engine = site.engine();
    let all = everything(|position, limit| engine.organizations(position, limit).unwrap());
    for organization in &all {
        engine.delete_organization("ann", organization.id).unwrap();
    }
    site.customers().iter().for_each(|customer| engine.delete_customer("ann", &customer.id).unwrap());
    site.sweep(30);
    integrity::check(&site.storage);
    let snapshot = site.storage.snapshot();
    let left: Vec<&String> =
        snapshot.keys().filter(|key| !key.starts_with("c/") && *key != "cl" && *key != "s").collect();
    assert_eq!(left, ["n/organization", "schema"]);
}

#[test]
fn a_directory_takes_with_it_what_it_managed_where_that_is_wanted() {
    let site = Site::new();
    let (directory, _, _) = user_in_groups(&site, 150);
    let local = site.local_customer("local@x.test");
    let own = site.engine().create_organization("ann", "Own").unwrap().id;
    directory.post("/Users", &json!({ "userName": "linked@x.test" })).expect(201);
    let other = site.connect(&settings("other"));
    site.engine().disconnect("ann", &directory.id, true).unwrap();
    integrity::check(&site.storage);
    // What another directory has taken over by then is that one's.
    let taken = other.post("/Users", &json!({ "userName": "linked@x.test" })).expect(201).id();
    while site.engine().upkeep_step(64).unwrap().more {
        integrity::check(&site.storage);
    }
    let names: Vec<String> = site.customers().into_iter().map(|customer| customer.email).collect();
    assert_eq!(names, ["local@x.test", "linked@x.test"]);
    assert_eq!(site.customers()[1].managed_by, Some(other.id.clone()));
    assert_eq!(site.engine().customer(&local.id).unwrap(), local);
    let organizations = site.engine().organizations(&Position::Offset(0), 1_000).unwrap().values;
    assert_eq!(organizations.iter().map(|one| one.id).collect::<Vec<_>>(), [own]);
    other.delete(&format!("/Users/{taken}")).expect(204);
    integrity::check(&site.storage);
}
