//! Groups become organizations, and organizations open projects: the rows of the product's tables, one by one.

use serde_json::{Value, json};
use usher_engine::changes::Filter;
use usher_engine::directories::{self, ConflictPolicy, Settings};
use usher_engine::provisioning::conflicts::Resolution;
use usher_engine::provisioning::group_list::Group;
use usher_engine::site::customers::CustomerUpdate;
use usher_engine::site::organizations::Organization;
use usher_engine::site::projects::Audience;
use usher_engine::site::{Error, Position, access::Reason};

use super::find::all;
use super::integrity;
use super::on_site::everything;
use super::site::{Directory, Site, settings};

/// A directory with users of these names.
fn with_users<'s>(site: &'s Site, names: &[&str]) -> (Directory<'s>, Vec<String>) {
    let directory = site.connect(&settings("idp"));
    let users = names.iter().map(|name| directory.user(name)).collect();
    (directory, users)
}

fn members(ids: &[String]) -> Value {
    ids.iter().map(|id| json!({ "value": id })).collect()
}

fn edit(op: &str, ids: &[String]) -> Value {
    json!([{ "op": op, "path": "members", "value": members(ids) }])
}

/// An organization of the site with a local member.
fn local(site: &Site, name: &str, member: &str) -> u64 {
    let customer = site.local_customer(member).id;
    let id = site.engine().create_organization("ann", name).unwrap().id;
    site.engine().add_members("ann", id, &[customer]).unwrap();
    id
}

#[test]
fn the_groups_of_a_directory_are_listed_and_found_by_name() {
    let site = Site::new();
    let (directory, users) = with_users(&site, &["a@x.test", "b@x.test"]);
    let (engine, id) = (site.engine(), &directory.id);
    engine.create_organization("ann", "Harbour").unwrap();
    let other = site.connect(&Settings { conflict_policy: ConflictPolicy::Skip, ..settings("other") });
    let apart = other.group("harbour", &[]);
    let groups: Vec<String> = ["Staff", "Största", "Guests"].iter().map(|name| directory.group(name, &users)).collect();
    let shown = |id: &String, name: &str, members, organization| Group {
        id: id.clone(),
        name: name.to_string(),
        members,
        organization,
    };
    let all = [
        shown(&groups[0], "Staff", 2, Some(2)),
        shown(&groups[1], "Största", 2, Some(3)),
        shown(&groups[2], "Guests", 2, Some(4)),
    ];
    for limit in [1, 2, 3, 1_000] {
        let list = |query: Option<&str>| {
            let (mut cursor, mut found) = (None, Vec::new());
            loop {
                let page = engine.groups(id, query, cursor.as_deref(), limit).unwrap();
                assert!(page.values.len() <= limit as usize);
                found.extend(page.values);
                cursor = page.next;
                if cursor.is_none() {
                    return found;
                }
            }
        };
        assert_eq!(list(None), all);
        assert_eq!(list(Some("")), [all[2].clone(), all[0].clone(), all[1].clone()]);
        assert_eq!(list(Some(" sT")), [all[0].clone(), all[1].clone()]);
        assert_eq!(list(Some("stÖ")), [all[1].clone()]);
        assert!(list(Some("taff")).is_empty() && list(Some(&"x".repeat(5_000))).is_empty());
    }
    assert_eq!(engine.group(id, &groups[0]).unwrap(), all[0]);
    assert_eq!(engine.groups(&other.id, None, None, 10).unwrap().values, [shown(&apart, "harbour", 0, None)]);
    for (directory, group) in [(id.as_str(), "x"), (id.as_str(), apart.as_str()), ("x", groups[0].as_str())] {
        assert!(matches!(engine.group(directory, group), Err(directories::Error::NotFound(_))));
    }
    assert!(matches!(engine.groups("x", None, None, 10), Err(directories::Error::NotFound(_))));
    for (query, cursor, limit) in
        [(None, None, 0), (Some(""), None, 1_001), (None, Some("?"), 1), (Some(""), Some(""), 1)]
    {
        assert!(matches!(engine.groups(id, query, cursor, limit), Err(directories::Error::Invalid(_))));
    }
}

#[test]
fn the_projects_of_an_organization_are_listed() {
    let site = Site::new();
    let engine = site.engine();
    let guests = engine.create_organization("ann", "Guests").unwrap().id;
    let projects: Vec<u64> = ["ONE", "TWO", "THREE"]
        .iter()
        .map(|key| engine.create_project("ann", key, key, Audience::Restricted).unwrap().id)
        .collect();
    for project in &projects {
        engine.associate_organization("ann", *project, guests, true).unwrap();
    }
    let all = everything(|position, limit| engine.organization_projects(guests, position, limit).unwrap());
    assert_eq!(all.iter().map(|project| project.id).collect::<Vec<_>>(), projects);
    engine.associate_organization("ann", projects[0], guests, false).unwrap();
    engine.delete_project("ann", projects[2]).unwrap();
    let left = engine.organization_projects(guests, &Position::Offset(0), 10).unwrap();
    assert_eq!(left.values.iter().map(|project| project.id).collect::<Vec<_>>(), [projects[1]]);
    assert!(matches!(engine.organization_projects(9, &Position::Offset(0), 10), Err(Error::NotFound(_))));
    assert!(matches!(engine.organization_projects(guests, &Position::Offset(0), 0), Err(Error::Invalid(_))));
}

#[test]
fn a_free_name_makes_a_managed_organization() {
    let site = Site::new();
    let (directory, users) = with_users(&site, &["a@x.test"]);
    let group = directory.group(" Staff ", &users);
    let organization = site.engine().organization(site.organization("Staff").unwrap()).unwrap();
    assert_eq!((organization.managed_by, organization.group), (Some(directory.id.clone()), Some(group)));
    assert_eq!(site.members(organization.id), ["a@x.test"]);
    let engine = site.engine();
    for refused in [
        engine.rename_organization("ann", organization.id, "Other").map(drop),
        engine.delete_organization("ann", organization.id),
        engine.add_members("ann", organization.id, &users),
        engine.remove_members("ann", organization.id, &users),
    ] {
        assert!(matches!(refused, Err(Error::Managed(reason)) if reason.contains("\"idp\"")));
    }
    integrity::check(&site.storage);
}

#[test]
fn the_policy_decides_about_a_local_name() {
    for policy in [ConflictPolicy::Sync, ConflictPolicy::Skip, ConflictPolicy::Reject] {
        let site = Site::new();
        let id = local(&site, "Staff", "old@x.test");
        let mut settings = settings("idp");
        settings.conflict_policy = policy;
        let directory = site.connect(&settings);
        let before = site.content();
        let made = directory.post("/Groups", &json!({ "displayName": "STAFF" }));
        let organization = site.engine().organization(id).unwrap();
        assert_eq!((organization.id, organization.name.as_str()), (id, "Staff"));
        assert_eq!(organization.managed_by.is_some(), policy == ConflictPolicy::Sync);
        assert_eq!(site.members(id), ["old@x.test"]);
        match policy {
            ConflictPolicy::Reject => {
                made.refused(409, "uniqueness");
                // All that is left of it is the conflict.
                let mut after = site.content();
                after.retain(|key, _| !["cf/", "cr/", "c/", "cl", "dc/"].iter().any(|front| key.starts_with(front)));
                assert!(after.iter().all(|(key, value)| before.get(key) == Some(value)));
            }
            _ => drop(made.expect(201)),
        }
        integrity::check(&site.storage);
    }
}

#[test]
fn a_managed_name_is_refused() {
    let site = Site::new();
    let (one, other) = (site.connect(&settings("one")), site.connect(&settings("other")));
    one.group("Staff", &[]);
    other.post("/Groups", &json!({ "displayName": " staff" })).refused(409, "uniqueness");
    assert!(other.ids("/Groups").is_empty());
}

#[test]
fn a_rename_is_followed_unless_the_name_is_taken() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let group = directory.group("Staff", &[]);
    let id = site.organization("Staff").unwrap();
    site.engine().create_organization("ann", "Friends").unwrap();
    let rename = |name: &str| {
        directory.patch(&format!("/Groups/{group}"), json!([{ "op": "replace", "path": "displayName", "value": name }]))
    };
    rename("friends").refused(409, "uniqueness");
    rename("STAFF").expect(200);
    rename("People").expect(200);
    assert_eq!(site.organization("People"), Some(id));
    site.engine().create_organization("ann", "Staff").unwrap();
    integrity::check(&site.storage);
}

#[test]
fn members_and_access_follow_the_group() {
    let site = Site::new();
    let (directory, users) = with_users(&site, &["a@x.test", "b@x.test"]);
    let group = directory.group("Staff", &users[..1]);
    let id = site.organization("Staff").unwrap();
    let project = site.engine().create_project("ann", "HELP", "Help", Audience::Restricted).unwrap().id;
    site.engine().associate_organization("ann", project, id, true).unwrap();
    let allowed = |user: &String| site.engine().access(user, project).unwrap().allowed;
    assert_eq!((allowed(&users[0]), allowed(&users[1])), (true, false));
    let path = format!("/Groups/{group}");
    directory.patch(&path, edit("add", &users[1..])).expect(200);
    assert!(allowed(&users[1]));
    directory.patch(&path, edit("remove", &users[..1])).expect(200);
    assert_eq!((allowed(&users[0]), site.members(id)), (false, vec!["b@x.test".to_string()]));
    directory.delete(&path).expect(204);
    assert!(matches!(site.engine().organization(id), Err(Error::NotFound(_))));
    assert!(!allowed(&users[1]));
    assert_eq!(site.customers().len(), 2);
    assert!(site.engine().project_organizations(project, None, &Position::Offset(0), 10).unwrap().values.is_empty());
    integrity::check(&site.storage);
}

#[test]
fn an_adopted_organization_keeps_its_members_for_a_while() {
    // What ends it: the time, or a full list.
    for by_time in [false, true] {
        let site = Site::new();
        let id = local(&site, "Staff", "old@x.test");
        let both = site.local_customer("both@x.test").id;
        site.engine().add_members("ann", id, &[both]).unwrap();
        let (directory, users) = with_users(&site, &["a@x.test", "both@x.test"]);
        let group = directory.group("Staff", &[]);
        let path = format!("/Groups/{group}");
        directory.patch(&path, edit("add", &users)).expect(200);
        // Whoever is a member both ways is one member.
        assert_eq!(site.members(id), ["a@x.test", "both@x.test", "old@x.test"]);
        if by_time {
            site.surroundings.pass(3_600_000);
        } else {
            directory.patch(&path, edit("replace", &users)).expect(200);
        }
        assert_eq!(site.members(id), ["a@x.test", "both@x.test"]);
        // They do not come back when the directory goes.
        site.engine().disconnect("ann", &directory.id, false).unwrap();
        assert_eq!(site.members(id), ["a@x.test", "both@x.test"]);
        let customer = site.customer("old@x.test").unwrap().id;
        site.engine().add_members("ann", id, &[customer]).unwrap();
        assert_eq!(site.members(id), ["a@x.test", "both@x.test", "old@x.test"]);
        integrity::check(&site.storage);
    }
}

#[test]
fn a_group_that_comes_with_its_members_leaves_an_adopted_organization_no_others() {
    let site = Site::new();
    let id = local(&site, "Staff", "old@x.test");
    let (directory, users) = with_users(&site, &["a@x.test"]);
    directory.group("Staff", &users);
    assert_eq!(site.members(id), ["a@x.test"]);
    integrity::check(&site.storage);
}

/// Who is named in the change feed as no member of an organization any more, since a position; the last position.
fn named_as_gone(site: &Site, organization: u64, since: u64) -> (Vec<String>, u64) {
    named(site, "organization.members-removed", organization, since)
}

/// Who is named as having come into an organization, or gone.
fn named(site: &Site, kind: &str, organization: u64, since: u64) -> (Vec<String>, u64) {
    let filter = Filter { kinds: vec![kind.into()], organization: Some(organization), ..Filter::default() };
    let (mut gone, mut position) = (Vec::new(), since);
    loop {
        let part = site.engine().changes_among(position, &filter, 1_000).unwrap();
        position = part.position;
        for change in part.changes {
            let detail: Value = serde_json::from_str(&change.detail).unwrap();
            gone.extend(detail["members"].as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_string()));
        }
        if !part.more {
            return (gone, position);
        }
    }
}

/// Those who go because an adoption leaves them no place are named, each once, and nobody who stays: at the end of the
/// grace, with a full list, with a group that brings its members, and where an administrator resolves the conflict.
#[test]
fn who_goes_with_the_end_of_a_grace_is_named() {
    for (how, policy) in [
        ("time", ConflictPolicy::Sync),
        ("a request later", ConflictPolicy::Sync),
        ("list", ConflictPolicy::Sync),
        ("at once", ConflictPolicy::Sync),
        ("resolved", ConflictPolicy::Skip),
    ] {
        let site = Site::new();
        let id = local(&site, "Staff", "old@x.test");
        let old = site.customer("old@x.test").unwrap().id;
        let [both, gone] = ["both@x.test", "deleted@x.test"].map(|email| site.local_customer(email).id);
        site.engine().add_members("ann", id, &[both, gone.clone()]).unwrap();
        site.engine().delete_customer("ann", &gone).unwrap();
        let directory = site.connect(&Settings { conflict_policy: policy, ..settings("idp") });
        let users = ["a@x.test", "both@x.test"].map(|name| directory.user(name));
        let (_, before) = named_as_gone(&site, id, 0);
        let group = directory.group("Staff", if ["at once", "resolved"].contains(&how) { &users } else { &[] });
        let path = format!("/Groups/{group}");
        match how {
            "at once" => {}
            "resolved" => site.engine().resolve_conflict("ann", &directory.id, &group, &Resolution::Adopt).unwrap(),
            _ => {
                directory.patch(&path, edit("add", &users)).expect(200);
                assert_eq!(named_as_gone(&site, id, before).0, Vec::<String>::new(), "{how}");
                match how {
                    "list" => drop(directory.patch(&path, edit("replace", &users)).expect(200)),
                    "time" => {
                        site.surroundings.pass(3_600_000);
                        site.sweep(100);
                    }
                    _ => {
                        site.surroundings.pass(3_600_000);
                        directory.patch(&path, edit("add", &users)).expect(200);
                    }
                }
            }
        }
        assert_eq!(site.members(id), ["a@x.test", "both@x.test"], "{how}");
        assert_eq!(named_as_gone(&site, id, before).0, [old], "{how}");
        // Who came into the group is named with that; when it gets the organization only later, with this.
        let came = named(&site, "organization.members-added", id, before).0;
        assert_eq!(came, if how == "resolved" { &users[..1] } else { &[] }, "{how}");
        site.sweep(100);
        integrity::check(&site.storage);
    }
}

/// The members that a group has before it gets an organization are named when it does, step by step.
#[test]
fn who_comes_with_a_group_is_named() {
    for resolution in [Resolution::Adopt, Resolution::Rename("Old staff".into())] {
        let site = Site::new();
        let local = local(&site, "Staff", "old@x.test");
        let directory = site.connect(&Settings { conflict_policy: ConflictPolicy::Skip, ..settings("idp") });
        let users = directory.many("/Users", (0..1_100).map(|n| json!({ "userName": format!("u{n}@x.test") })));
        let group = directory.group("Staff", &users);
        site.engine().resolve_conflict("ann", &directory.id, &group, &resolution).unwrap();
        let organization = site.organization("Staff").unwrap();
        assert_eq!(organization == local, resolution == Resolution::Adopt);
        assert_eq!(
            named(&site, "organization.members-added", organization, 0).0.len(),
            1_000 + usize::from(organization == local)
        );
        site.sweep(100);
        let (mut came, _) = named(&site, "organization.members-added", organization, 0);
        came.retain(|id| users.contains(id));
        assert_eq!(came, users);
        integrity::check(&site.storage);
    }
}

/// What is too much for one transaction is named as it is swept; whoever has come again by then has not gone.
#[test]
fn many_who_go_are_named_step_by_step() {
    let site = Site::new();
    let id = local(&site, "Staff", "old@x.test");
    let customers: Vec<String> = (0..300).map(|n| site.local_customer(&format!("u{n}@x.test")).id).collect();
    site.engine().add_members("ann", id, &customers).unwrap();
    let directory = site.connect(&settings("idp"));
    let users: Vec<String> = (0..3).map(|n| directory.user(&format!("u{}@x.test", n * 149))).collect();
    let group = directory.group("Staff", &users[..2]);
    let (at_once, _) = named_as_gone(&site, id, 0);
    assert!(at_once.len() <= 64);
    // The last one comes back before it is swept.
    directory.patch(&format!("/Groups/{group}"), edit("add", &users[2..])).expect(200);
    assert_eq!(site.members(id).len(), 3);
    assert!(site.sweep(20) > 10);
    let (mut gone, _) = named_as_gone(&site, id, 0);
    let mut expected: Vec<String> =
        customers.iter().enumerate().filter(|(n, _)| ![0, 149, 298].contains(n)).map(|(_, id)| id.clone()).collect();
    expected.push(site.customer("old@x.test").unwrap().id);
    gone.sort_unstable();
    expected.sort_unstable();
    assert_eq!(gone, expected);
    integrity::check(&site.storage);
}

#[test]
fn whoever_is_removed_during_the_grace_of_an_adoption_is_out_at_once() {
    let site = Site::new();
    let id = local(&site, "Staff", "old@x.test");
    let other = site.local_customer("other@x.test").id;
    site.engine().add_members("ann", id, &[other]).unwrap();
    let directory = site.connect(&settings("idp"));
    let path = format!("/Groups/{}", directory.group("Staff", &[]));
    let old = [directory.user("old@x.test")];
    directory.patch(&path, edit("add", &old)).expect(200);
    assert_eq!(site.members(id), ["old@x.test", "other@x.test"]);
    directory.patch(&path, edit("remove", &old)).expect(200);
    assert_eq!(site.members(id), ["other@x.test"]);
    integrity::check(&site.storage);
}

#[test]
fn organizations_of_a_disconnected_directory_are_local_and_can_be_adopted_again() {
    for sweeps in [false, true] {
        let site = Site::new();
        let (directory, users) = with_users(&site, &["a@x.test", "b@x.test", "c@x.test"]);
        directory.group("Staff", &users);
        let id = site.organization("Staff").unwrap();
        site.engine().disconnect("ann", &directory.id, false).unwrap();
        if sweeps {
            site.sweep(3);
        }
        let engine = site.engine();
        let organization = engine.organization(id).unwrap();
        assert_eq!((organization.managed_by, organization.group), (None, None));
        assert_eq!(site.members(id).len(), 3);
        engine.remove_members("ann", id, &users[..1]).unwrap();
        engine.delete_customer("ann", &users[1]).unwrap();
        let new = site.local_customer("new@x.test").id;
        engine.add_members("ann", id, &[new]).unwrap();
        assert_eq!(site.members(id), ["c@x.test", "new@x.test"]);
        engine.rename_organization("ann", id, "People").unwrap();
        integrity::check(&site.storage);
        let other = site.connect(&settings("other"));
        let user = other.user("c@x.test");
        let group = other.group("People", &[]);
        assert_eq!(site.members(id), ["c@x.test", "new@x.test"]);
        other.send(
            "PUT",
            &format!("/Groups/{group}"),
            &json!({ "displayName": "People", "members": members(&[user]) }),
        );
        assert_eq!(site.members(id), ["c@x.test"]);
        integrity::check(&site.storage);
    }
}

#[test]
fn a_deleted_organization_is_invisible_at_once_and_swept() {
    let site = Site::new();
    site.retain(0);
    let directory = site.connect(&settings("idp"));
    let bodies = (0..200).map(|at| json!({ "userName": format!("u{at}@x.test") }));
    let users = directory.many("/Users", bodies);
    directory.group("Staff", &users);
    let id = site.organization("Staff").unwrap();
    site.engine().disconnect("ann", &directory.id, false).unwrap();
    site.sweep(100);
    assert_eq!(site.members(id).len(), 200);
    let customers: Vec<String> = (0..100).map(|at| site.local_customer(&format!("l{at}@x.test")).id).collect();
    site.engine().add_members("ann", id, &customers).unwrap();
    site.engine().delete_organization("ann", id).unwrap();
    assert!(matches!(site.engine().organization_members(id, &Position::Offset(0), 1), Err(Error::NotFound(_))));
    integrity::check(&site.storage);
    assert!(site.sweep(50) > 4);
    assert!(!site.storage.snapshot().keys().any(|key| key.starts_with("m/") || key.starts_with("mo/")));
    assert_eq!(site.customers().len(), 300);
    integrity::check(&site.storage);
}

#[test]
fn what_it_costs_does_not_depend_on_the_size_of_an_organization() {
    let work = |count: usize| {
        let site = Site::new();
        let directory = site.connect(&settings("idp"));
        let users = directory.many("/Users", (0..count).map(|at| json!({ "userName": format!("u{at}@x.test") })));
        directory.group("Staff", &users);
        let id = site.organization("Staff").unwrap();
        let project = site.engine().create_project("ann", "HELP", "Help", Audience::Restricted).unwrap().id;
        site.engine().associate_organization("ann", project, id, true).unwrap();
        let outsider = site.local_customer("new@x.test").id;
        let mut all = Vec::new();
        site.storage.take_work();
        let mut note = || all.push(site.storage.take_work());
        site.engine().access(&users[5], project).unwrap();
        note();
        site.engine().projects_of(&users[5]).unwrap();
        note();
        let page = site.engine().organization_members(id, &Position::Offset(0), 5).unwrap();
        note();
        site.engine().organization_members(id, &Position::After(page.next.unwrap()), 5).unwrap();
        note();
        site.engine().disconnect("ann", &directory.id, false).unwrap();
        note();
        site.engine().add_members("ann", id, &[outsider]).unwrap();
        note();
        site.engine().remove_members("ann", id, &users[..1]).unwrap();
        note();
        site.engine().delete_organization("ann", id).unwrap();
        note();
        all
    };
    assert_eq!(work(100), work(3_000));
}

#[test]
fn names_and_members_that_cannot_be_are_refused() {
    let site = Site::new();
    let engine = site.engine();
    let id = engine.create_organization("ann", " Friends ").unwrap().id;
    assert_eq!(engine.organization(id).unwrap().name, "Friends");
    let taken = engine.create_organization("ann", "FRIENDS");
    assert!(matches!(taken, Err(Error::Taken(_))));
    for name in ["", "  ", &"n".repeat(201)] {
        assert!(matches!(engine.create_organization("ann", name), Err(Error::Invalid(_))));
        assert!(matches!(engine.rename_organization("ann", id, name), Err(Error::Invalid(_))));
    }
    let known = site.local_customer("a@x.test").id;
    let before = site.storage.snapshot();
    let unknown = engine.add_members("ann", id, &[known.clone(), "nobody".to_string()]);
    assert!(matches!(unknown, Err(Error::NotFound(_))));
    let many = vec![known; 1_001];
    assert!(matches!(engine.add_members("ann", id, &many), Err(Error::Invalid(_))));
    assert_eq!(site.storage.snapshot(), before);
    assert!(matches!(engine.organization(id + 1), Err(Error::NotFound(_))));
}

#[test]
fn projects_are_edited_on_the_site_alone() {
    let site = Site::new();
    let engine = site.engine();
    let id = engine.create_project("ann", "help", "Help", Audience::Restricted).unwrap().id;
    assert_eq!(engine.project_by_key("Help").unwrap().id, id);
    assert!(matches!(engine.create_project("ann", "HELP", "Other", Audience::Open), Err(Error::Taken(_))));
    for key in ["", "A", "1A", "A-B", "ABCDEFGHIJK", "ÄB"] {
        assert!(matches!(engine.create_project("ann", key, "Name", Audience::Open), Err(Error::Invalid(_))), "{key}");
    }
    let customers: Vec<String> = (0..150).map(|at| site.local_customer(&format!("c{at}@x.test")).id).collect();
    for customer in &customers {
        engine.associate_customers("ann", id, std::slice::from_ref(customer), true).unwrap();
        engine.associate_customers("ann", id, std::slice::from_ref(customer), true).unwrap();
    }
    let offered = |query: &str| all(|cursor, limit| engine.find_project_customers(id, query, cursor, limit).unwrap());
    assert_eq!(offered("C14").len(), 11);
    let update = CustomerUpdate { active: Some(false), ..CustomerUpdate::default() };
    engine.update_customer("ann", &customers[14], &update).unwrap();
    assert_eq!((offered("C14").len(), offered("").len()), (10, 149), "who is deactivated is not offered");
    let own = everything(|position, limit| engine.project_customers(id, position, limit).unwrap());
    assert_eq!(own.len(), 150, "and is the project's own still");
    let access = engine.access(&customers[0], id).unwrap();
    assert_eq!((access.allowed, access.reasons), (true, vec![Reason::Direct]));
    let open = engine.update_project("ann", id, Some("Open"), Some(Audience::Open)).unwrap();
    assert_eq!((open.name.as_str(), open.audience), ("Open", Audience::Open));
    assert_eq!(engine.projects_of(&customers[0]).unwrap()[0].reasons, [Reason::Open, Reason::Direct]);
    integrity::check(&site.storage);
    engine.delete_project("ann", id).unwrap();
    assert!(matches!(engine.access(&customers[0], id), Err(Error::NotFound(_))));
    assert!(engine.projects_of(&customers[0]).unwrap().is_empty());
    integrity::check(&site.storage);
    site.sweep(20);
    assert!(!site.storage.snapshot().keys().any(|key| key.starts_with("pc/") || key.starts_with("cp/")));
    // Its number and its associations are nobody's again.
    assert_ne!(engine.create_project("ann", "HELP", "Help", Audience::Restricted).unwrap().id, id);
    integrity::check(&site.storage);
}

#[test]
fn a_directory_that_goes_within_the_grace_leaves_the_former_members() {
    for passes_before in [false, true] {
        let site = Site::new();
        let id = local(&site, "Staff", "old@x.test");
        let (directory, users) = with_users(&site, &["new@x.test"]);
        let group = directory.post("/Groups", &json!({ "displayName": "Staff" })).expect(201).id();
        directory.patch(&format!("/Groups/{group}"), edit("add", &users)).expect(200);
        if passes_before {
            site.surroundings.pass(3_600_000);
        }
        site.engine().disconnect("ann", &directory.id, false).unwrap();
        let left = if passes_before { vec!["new@x.test"] } else { vec!["new@x.test", "old@x.test"] };
        assert_eq!(site.members(id), left);
        site.surroundings.pass(3_600_000);
        site.sweep(10);
        assert_eq!(site.members(id), left);
        integrity::check(&site.storage);
    }
}

#[test]
fn the_organizations_of_a_project_can_be_those_of_a_member() {
    let site = Site::new();
    let engine = site.engine();
    let (ann, bob) = (site.local_customer("ann@x.test").id, site.local_customer("bob@x.test").id);
    let project = engine.create_project("ann", "HELP", "Help", Audience::Restricted).unwrap().id;
    let directory = site.connect(&settings("idp"));
    let user = directory.user("ann@x.test");
    let mut expected = Vec::new();
    for at in 0..6 {
        let id = engine.create_organization("ann", &format!("o{at}")).unwrap().id;
        let (is_member, is_associated) = (at != 1, at != 4);
        engine
            .add_members("ann", id, if is_member { std::slice::from_ref(&ann) } else { std::slice::from_ref(&bob) })
            .unwrap();
        if is_associated {
            engine.associate_organization("ann", project, id, true).unwrap();
        }
        expected.extend((is_member && is_associated).then_some(id));
    }
    directory.group("Managed", &[user]);
    let managed = site.organization("Managed").unwrap();
    engine.associate_organization("ann", project, managed, true).unwrap();
    expected.push(managed);
    let all =
        |position: &Position, limit: u32| engine.project_organizations(project, Some(&ann), position, limit).unwrap();
    let numbers =
        |values: Vec<Organization>| values.into_iter().map(|organization| organization.id).collect::<Vec<_>>();
    assert_eq!(numbers(everything(all)), expected);
    let (mut paged, mut position) = (Vec::new(), Position::Offset(0));
    loop {
        let page = all(&position, 2);
        paged.extend(numbers(page.values));
        match page.next {
            Some(next) => position = Position::After(next),
            None => break,
        }
    }
    assert_eq!(paged, expected);
    assert_eq!(numbers(all(&Position::Offset(3), 10).values), expected[3..]);
    assert!(all(&Position::Offset(9), 10).values.is_empty());
    let refused = |customer: &str, position: Position, limit| {
        engine.project_organizations(project, Some(customer), &position, limit)
    };
    assert!(matches!(refused("0123456789abcdefghij", Position::Offset(0), 10), Err(Error::NotFound(_))));
    assert!(matches!(refused("nobody", Position::Offset(0), 10), Err(Error::NotFound(_))));
    for (position, limit) in
        [(Position::Offset(0), 0), (Position::Offset(0), 1_001), (Position::After("+1".to_string()), 10)]
    {
        assert!(matches!(refused(&ann, position, limit), Err(Error::Invalid(_))));
    }
    assert!(matches!(
        engine.project_organizations(project + 1, Some(&ann), &Position::Offset(0), 10),
        Err(Error::NotFound(_))
    ));
}

#[test]
fn who_is_refused_a_managed_name_is_told_which_directory_has_it() {
    let site = Site::new();
    let (one, other) = (site.connect(&settings("First \"IdP\"")), site.connect(&settings("other")));
    one.group("Staff", &[]);
    one.user("ann@x.test");
    for answer in [
        other.post("/Groups", &json!({ "displayName": "STAFF" })),
        other.post("/Users", &json!({ "userName": "ann@x.test", "emails": [{ "value": "ann@x.test" }] })),
    ] {
        let detail = answer.refused(409, "uniqueness").body["detail"].as_str().unwrap().to_string();
        assert!(detail.contains(r#"the directory "First \"IdP\"" manages"#), "{detail}");
    }
}
