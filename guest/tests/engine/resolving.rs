//! What an administrator resolves: conflicts, users that are linked to no customer, groups that do not fit.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};
use usher_engine::directories::{ConflictPolicy, Error, Settings};
use usher_engine::provisioning::check::Difference;
use usher_engine::provisioning::conflicts::{
    Conflict, ConflictKind, ConflictOrganization, ConflictSubject, MemberChange, Resolution,
};
use usher_engine::provisioning::unlinked::UnlinkedReason;
use usher_engine::site;
use usher_engine::site::customers::CustomerUpdate;
use usher_engine::site::projects::Audience;
use usher_engine::storage::Error as StorageError;

use super::integrity;
use super::site::{Directory, Site, settings};
use super::storage::{Fault, Plan};

/// A directory that leaves groups apart.
fn skipping(site: &Site) -> Directory<'_> {
    let mut settings = settings("idp");
    settings.conflict_policy = ConflictPolicy::Skip;
    site.connect(&settings)
}

/// A group of two users that is left apart from a local organization, of which one of them is a member, and somebody else.
struct Apart<'s> {
    directory: Directory<'s>,
    group: String,
    /// The users, who are customers of the same ids but for the first, who was a local customer.
    users: Vec<String>,
    organization: u64,
    /// The restricted project that is associated with the organization.
    project: u64,
}

fn apart(site: &Site) -> Apart<'_> {
    let engine = site.engine();
    let locals = ["both@x.test", "old@x.test"].map(|email| site.local_customer(email).id);
    let organization = engine.create_organization("ann", "Staff").unwrap().id;
    engine.add_members("ann", organization, &locals).unwrap();
    let project = engine.create_project("ann", "HELP", "Help", Audience::Restricted).unwrap().id;
    let open = engine.create_project("ann", "OPEN", "Open", Audience::Open).unwrap().id;
    for project in [project, open] {
        engine.associate_organization("ann", project, organization, true).unwrap();
    }
    let directory = skipping(site);
    let users = vec![directory.user("both@x.test"), directory.user("new@x.test")];
    let group = directory.group("STAFF", &users);
    Apart { directory, group, users, organization, project }
}

/// A group that is left apart has no organization that could follow it, and no name that one has.
#[test]
fn a_group_that_is_left_apart_obeys_the_rename_rule() {
    let site = Site::new();
    let apart = apart(&site);
    let (directory, engine, path) = (&apart.directory, site.engine(), format!("/Groups/{}", apart.group));
    engine.create_organization("ann", "Local").unwrap();
    directory.group("Managed", &[]);
    let rename = |name: &str| json!([{ "op": "replace", "path": "displayName", "value": name }]);
    let other = format!("/Groups/{}", directory.group("Local", &[]));
    let known = conflicts(directory);
    let before = site.content();
    for name in ["local", " LOCAL ", "Managed"] {
        directory.patch(&path, rename(name)).refused(409, "uniqueness");
        directory.send("PUT", &path, &json!({ "displayName": name })).refused(409, "uniqueness");
    }
    assert_eq!((site.content(), conflicts(directory)), (before, known));
    // The name that it has already, written otherwise, is none that is taken.
    directory.patch(&path, rename("staff")).expect(200);
    assert_eq!(conflicts(directory)[0], ("staff".to_string(), Some((apart.organization, "Staff".to_string()))));
    directory.patch(&path, rename("Free")).expect(200);
    assert_eq!(conflicts(directory)[0], ("Free".to_string(), None));
    directory.patch(&path, rename("Staff")).refused(409, "uniqueness");
    // Also where the conflict is off the list.
    engine.resolve_conflict("ann", &directory.id, &apart.group, &Resolution::Leave).unwrap();
    directory.patch(&path, rename("Staff")).refused(409, "uniqueness");
    directory.delete(&other).expect(204);
    engine.delete_organization("ann", site.organization("Local").unwrap()).unwrap();
    directory.patch(&path, rename("Local")).expect(200);
    assert_eq!(site.organization("Local"), None);
    integrity::check(&site.storage);
}

fn conflicts(directory: &Directory<'_>) -> Vec<(String, Option<(u64, String)>)> {
    let page = directory.site.engine().conflicts(&directory.id, None, 100).unwrap();
    let values = page.values.into_iter().map(|conflict| {
        let organization = conflict.organization.map(|organization| (organization.id, organization.name));
        (conflict.name, organization)
    });
    let values: Vec<_> = values.collect();
    assert_eq!(directory.site.engine().directory(&directory.id).unwrap().conflicts, values.len() as u64);
    values
}

fn rename(directory: &Directory<'_>, group: &str, name: &str) {
    let path = format!("/Groups/{group}");
    directory.patch(&path, json!([{ "op": "replace", "path": "displayName", "value": name }])).expect(200);
}

/// The last change of a kind.
fn last(site: &Site, kind: &str) -> Value {
    let changes = site.engine().changes(0, 1_000).unwrap();
    let change = changes.into_iter().rfind(|change| change.kind == kind).unwrap();
    serde_json::from_str(&change.detail).unwrap()
}

#[test]
fn a_conflict_is_listed_as_long_as_it_is_open() {
    let site = Site::new();
    let Apart { directory, group, organization, .. } = apart(&site);
    assert_eq!(conflicts(&directory), [("STAFF".to_string(), Some((organization, "Staff".to_string())))]);
    let listed = site.engine().conflicts(&directory.id, None, 1).unwrap();
    assert_eq!((listed.values[0].subject.clone(), listed.next), (ConflictSubject::Group(group.clone()), None));
    // It follows the name, and the policy is not asked again.
    rename(&directory, &group, "Friends");
    assert_eq!(conflicts(&directory), [("Friends".to_string(), None)]);
    assert_eq!(site.organization("Friends"), None);
    directory.delete(&format!("/Groups/{group}")).expect(204);
    assert!(conflicts(&directory).is_empty());
    integrity::check(&site.storage);
}

#[test]
fn a_disconnected_directory_has_no_conflicts_and_leaves_nothing_of_them() {
    let site = Site::new();
    let Apart { directory, .. } = apart(&site);
    site.engine().disconnect("ann", &directory.id, false).unwrap();
    assert!(matches!(site.engine().conflicts(&directory.id, None, 1), Err(Error::NotFound(_))));
    site.sweep(3);
    integrity::check(&site.storage);
    assert!(!site.storage.snapshot().keys().any(|key| key.starts_with("cf/")));
}

#[test]
fn a_preview_says_who_comes_and_who_goes_and_changes_nothing() {
    let site = Site::new();
    let Apart { directory, group, users, organization, project } = apart(&site);
    let before = site.storage.snapshot();
    let preview = site.engine().preview_conflict(&directory.id, &group).unwrap();
    let one = |id: &str| MemberChange { count: 1, first: vec![id.to_string()] };
    let expected = ConflictOrganization { id: organization, name: "Staff".to_string(), managed_by: None };
    assert_eq!(preview.conflict.organization, Some(expected));
    assert_eq!((preview.added, preview.removed), (one(&users[1]), one(&site.customer("old@x.test").unwrap().id)));
    assert_eq!(preview.projects, [(project, "Help".to_string())]);
    assert_eq!(site.storage.snapshot(), before);
    // Where the name is free by now, adopting makes an organization of the group.
    rename(&directory, &group, "Friends");
    let preview = site.engine().preview_conflict(&directory.id, &group).unwrap();
    assert_eq!((preview.added.count, preview.removed.count, preview.projects.len()), (2, 0, 0));
}

#[test]
fn a_large_preview_counts_all_and_names_some() {
    let site = Site::new();
    site.engine().create_organization("ann", "Staff").unwrap();
    let directory = skipping(&site);
    let user = |n: usize| json!({ "userName": format!("user{n:04}@x.test") });
    let users = directory.many("/Users", (0..1_200).map(user));
    let group = directory.group("Staff", &users);
    let preview = site.engine().preview_conflict(&directory.id, &group).unwrap();
    assert_eq!((preview.added.count, preview.added.first.as_slice()), (1_200, &users[..100]));
}

#[test]
fn adopting_makes_the_members_the_groups_at_once() {
    let site = Site::new();
    let Apart { directory, group, users, organization, project } = apart(&site);
    site.engine().resolve_conflict("ann", &directory.id, &group, &Resolution::Adopt).unwrap();
    let adopted = site.engine().organization(organization).unwrap();
    assert_eq!((adopted.name.as_str(), adopted.group.as_ref()), ("Staff", Some(&group)));
    assert_eq!(site.members(organization), ["both@x.test", "new@x.test"]);
    assert!(site.engine().access(&users[1], project).unwrap().allowed);
    assert!(!site.engine().access(&site.customer("old@x.test").unwrap().id, project).unwrap().allowed);
    assert!(conflicts(&directory).is_empty());
    assert_eq!(last(&site, "conflict.resolved")["action"], "adopt");
    // From now on it follows the group.
    rename(&directory, &group, "Friends");
    assert_eq!(site.organization("Friends"), Some(organization));
    let again = site.engine().resolve_conflict("ann", &directory.id, &group, &Resolution::Adopt);
    assert!(matches!(again, Err(Error::NotFound(_))));
    integrity::check(&site.storage);
}

#[test]
fn renaming_makes_room_for_the_groups_own_organization() {
    let site = Site::new();
    let Apart { directory, group, organization, .. } = apart(&site);
    let to = |name: &str| {
        let resolution = Resolution::Rename(name.to_string());
        site.engine().resolve_conflict("ann", &directory.id, &group, &resolution)
    };
    site.engine().create_organization("ann", "Taken").unwrap();
    let before = site.storage.snapshot();
    for name in ["", " staff ", &"n".repeat(201)] {
        assert!(matches!(to(name), Err(Error::Invalid(_))), "{name}");
    }
    assert!(matches!(to("taken"), Err(Error::Refused(_))));
    assert_eq!(site.storage.snapshot(), before);
    to("Old staff").unwrap();
    assert_eq!(site.organization("Old staff"), Some(organization));
    assert_eq!(site.members(organization), ["both@x.test", "old@x.test"]);
    assert_eq!(site.members(site.organization("STAFF").unwrap()), ["both@x.test", "new@x.test"]);
    integrity::check(&site.storage);
}

#[test]
fn what_is_left_apart_is_off_the_list_and_can_be_taken_up_again() {
    let site = Site::new();
    let Apart { directory, group, organization, .. } = apart(&site);
    let leave = || site.engine().resolve_conflict("ann", &directory.id, &group, &Resolution::Leave);
    let left = || site.engine().left_apart(&directory.id, None, 10).unwrap().values;
    leave().unwrap();
    assert!(conflicts(&directory).is_empty());
    assert_eq!(site.engine().organization(organization).unwrap().managed_by, None);
    assert_eq!((left()[0].subject.id(), left()[0].kind, left().len()), (group.as_str(), ConflictKind::Left, 1));
    integrity::check(&site.storage);
    let before = site.content();
    leave().unwrap();
    assert_eq!(site.content(), before);
    // It is taken up again without a push.
    let preview = site.engine().preview_conflict(&directory.id, &group).unwrap();
    assert_eq!((preview.added.count, preview.removed.count), (1, 1));
    site.engine().resolve_conflict("ann", &directory.id, &group, &Resolution::Adopt).unwrap();
    assert_eq!(site.engine().organization(organization).unwrap().group, Some(group.clone()));
    assert!(left().is_empty());
    integrity::check(&site.storage);
}

#[test]
fn a_repair_opens_the_conflict_again_of_what_is_left_apart() {
    let site = Site::new();
    let Apart { directory, group, .. } = apart(&site);
    site.engine().resolve_conflict("ann", &directory.id, &group, &Resolution::Leave).unwrap();
    // A repair of the group opens it again.
    let repair = site.engine().repair_group("ann", &directory.id, &group).unwrap();
    assert_eq!((repair.found.differences, repair.left.len()), (vec![Difference::NoOrganization], 1));
    assert_eq!(conflicts(&directory).len(), 1);
    assert!(site.engine().left_apart(&directory.id, None, 10).unwrap().values.is_empty());
    integrity::check(&site.storage);
}

/// A directory that refuses groups, with one that it has refused.
fn refusing(site: &Site) -> (Directory<'_>, Conflict, u64) {
    let organization = site.engine().create_organization("ann", "Staff").unwrap().id;
    let old = site.local_customer("old@x.test").id;
    site.engine().add_members("ann", organization, &[old]).unwrap();
    let directory = site.connect(&Settings { conflict_policy: ConflictPolicy::Reject, ..settings("idp") });
    directory.post("/Groups", &json!({ "displayName": "STAFF" })).refused(409, "uniqueness");
    let conflict = site.engine().conflicts(&directory.id, None, 10).unwrap().values.remove(0);
    (directory, conflict, organization)
}

#[test]
fn a_group_that_is_refused_is_listed_by_name() {
    let site = Site::new();
    let (directory, conflict, organization) = refusing(&site);
    assert_eq!((conflict.kind, conflict.name.as_str()), (ConflictKind::Refused, "STAFF"));
    assert_eq!(conflict.organization.as_ref().map(|one| one.id), Some(organization));
    assert_eq!(conflict.refusals.map(|(count, _)| count), Some(1));
    integrity::check(&site.storage);
    // The identity provider tries again and again: it is one conflict, and one change in the feed.
    directory.post("/Groups", &json!({ "displayName": " staff " })).refused(409, "uniqueness");
    let operations =
        json!([{ "method": "POST", "path": "/Groups", "bulkId": "1", "data": { "displayName": "Staff" } }]);
    directory.post("/Bulk", &json!({ "Operations": operations })).expect(200);
    let again = site.engine().conflicts(&directory.id, None, 10).unwrap().values;
    assert_eq!((again.len(), again[0].refusals.map(|(count, _)| count)), (1, Some(3)));
    assert_eq!((&again[0].subject, again[0].since), (&conflict.subject, conflict.since));
    let changes = site.engine().changes(0, 1_000).unwrap();
    assert_eq!(changes.iter().filter(|change| change.kind == "conflict.refused").count(), 1);
    assert_eq!(site.engine().directory_status(&directory.id).unwrap().conflicts, 1);
    // A name that another group has is no conflict of this kind.
    directory.group("Other", &[]);
    directory.post("/Groups", &json!({ "displayName": "Other" })).refused(409, "uniqueness");
    assert_eq!(site.engine().conflicts(&directory.id, None, 10).unwrap().values.len(), 1);
    integrity::check(&site.storage);
    site.engine().disconnect("ann", &directory.id, false).unwrap();
    site.sweep(2);
    integrity::check(&site.storage);
}

#[test]
fn what_is_decided_about_a_refused_group_holds_when_it_is_pushed_again() {
    for resolution in [Resolution::Adopt, Resolution::Rename("Old staff".to_string()), Resolution::Leave] {
        let site = Site::new();
        let (directory, conflict, organization) = refusing(&site);
        let preview = site.engine().preview_conflict(&directory.id, conflict.subject.id()).unwrap();
        assert_eq!((preview.added.count, preview.removed.count), (0, 1));
        site.engine().resolve_conflict("ann", &directory.id, conflict.subject.id(), &resolution).unwrap();
        integrity::check(&site.storage);
        let listed = site.engine().conflicts(&directory.id, None, 10).unwrap().values;
        let pushed = directory.post("/Groups", &json!({ "displayName": "STAFF" }));
        integrity::check(&site.storage);
        let now = site.engine().organization(organization).unwrap();
        match &resolution {
            Resolution::Adopt => {
                assert!(listed[0].adopts);
                assert_eq!((pushed.status, now.group), (201, Some(pushed.id())));
            }
            Resolution::Rename(name) => {
                assert!(listed.is_empty());
                assert_eq!((pushed.status, &now.name), (201, name));
                assert!(site.organization("STAFF").is_some());
            }
            Resolution::Leave => {
                assert!(listed.is_empty());
                assert_eq!((pushed.status, now.group), (409, None));
                assert_eq!(site.engine().conflicts(&directory.id, None, 10).unwrap().values.len(), 1);
            }
        }
        if pushed.status == 201 {
            assert!(site.engine().conflicts(&directory.id, None, 10).unwrap().values.is_empty());
        }
    }
    // A group that comes because the name is free by now ends it as well.
    let site = Site::new();
    let (directory, _, organization) = refusing(&site);
    site.engine().delete_organization("ann", organization).unwrap();
    directory.group("Staff", &[]);
    assert!(site.engine().conflicts(&directory.id, None, 10).unwrap().values.is_empty());
    integrity::check(&site.storage);
}

#[test]
fn what_was_adopted_is_listed_with_who_came_and_who_went() {
    for complete in [true, false] {
        let site = Site::new();
        let organization = site.engine().create_organization("ann", "Staff").unwrap().id;
        let [stays, goes] = ["stays@x.test", "goes@x.test"].map(|email| site.local_customer(email).id);
        site.engine().add_members("ann", organization, &[stays, goes.clone()]).unwrap();
        let idp = site.connect(&settings("idp"));
        let users = ["stays@x.test", "new@x.test"].map(|name| idp.user(name));
        let adoption = || site.engine().adoptions(&idp.id, None, 10).unwrap().values.remove(0);
        let group = if complete {
            idp.group("Staff", &users)
        } else {
            let group = idp.group("Staff", &[]);
            let add =
                json!([{ "op": "add", "path": "members", "value": [{ "value": users[0] }, { "value": users[1] }] }]);
            idp.patch(&format!("/Groups/{group}"), add).expect(200);
            assert_eq!((adoption().settled, adoption().went.count), (false, 0));
            site.surroundings.pass(3_600_000);
            site.sweep(10);
            group
        };
        let seen = adoption();
        assert_eq!((seen.group, seen.organization, seen.name.as_str()), (group.clone(), organization, "Staff"));
        assert_eq!((seen.settled, seen.came.first, seen.went.first), (true, vec![users[1].clone()], vec![goes]));
        assert_eq!((seen.came.count, seen.went.count), (1, 1));
        // Afterwards, the group is a group like any other.
        let later = idp.user("later@x.test");
        let add = json!([{ "op": "add", "path": "members", "value": [{ "value": later }] }]);
        idp.patch(&format!("/Groups/{group}"), add).expect(200);
        assert_eq!(adoption().came.count, 1);
        integrity::check(&site.storage);
        idp.delete(&format!("/Groups/{group}")).expect(204);
        assert!(site.engine().adoptions(&idp.id, None, 10).unwrap().values.is_empty());
        integrity::check(&site.storage);
    }
}

/// The email addresses of an organization's members, of which there may be many.
fn all_members(site: &Site, organization: u64) -> BTreeSet<String> {
    let (mut all, mut position) = (BTreeSet::new(), site::Position::Offset(0));
    loop {
        let page = site.engine().organization_members(organization, &position, 1_000).unwrap();
        for customer in page.values {
            assert!(all.insert(customer.email));
        }
        let Some(next) = page.next else { return all };
        position = site::Position::After(next);
    }
}

#[test]
fn an_organization_is_unlinked_from_its_group_and_keeps_its_members() {
    for size in [3, 2_500] {
        let site = Site::new();
        let idp = site.connect(&settings("idp"));
        let users = idp.many("/Users", (0..size).map(|n| json!({ "userName": format!("u{n:04}@x.test") })));
        let group = idp.group("Staff", &users);
        let organization = site.organization("Staff").unwrap();
        let project = site.engine().create_project("ann", "HELP", "Help", Audience::Restricted).unwrap().id;
        site.engine().associate_organization("ann", project, organization, true).unwrap();
        let before = all_members(&site, organization);
        // The customer of a user has its id.
        let customer = users[1].clone();
        let local = site.engine().unlink_organization("ann", organization).unwrap();
        assert_eq!((local.managed_by, local.group), (None, None));
        let now = || all_members(&site, organization);
        integrity::check(&site.storage);
        assert_eq!(now(), before);
        assert!(site.engine().access(&customer, project).unwrap().allowed);
        if size > 1_000 {
            assert!(matches!(site.engine().delete_organization("ann", organization), Err(site::Error::Refused(_))));
            let adopted = site.engine().resolve_conflict("ann", &idp.id, &group, &Resolution::Adopt);
            assert!(matches!(adopted, Err(Error::Refused(_))));
        }
        // Whoever is deleted in the meantime, and whoever joins the group later.
        idp.delete(&format!("/Users/{}", users[2])).expect(204);
        site.sweep(100);
        let remaining: BTreeSet<String> = before.iter().filter(|email| *email != "u0002@x.test").cloned().collect();
        assert_eq!(now(), remaining);
        integrity::check(&site.storage);
        let new = idp.user("new@x.test");
        let join = |op: &str, user: &str| json!([{ "op": op, "path": "members", "value": [{ "value": user }] }]);
        idp.patch(&format!("/Groups/{group}?attributes=id"), join("add", &new)).expect(200);
        idp.patch(&format!("/Groups/{group}?attributes=id"), join("remove", &users[1])).expect(200);
        assert_eq!(now(), remaining);
        assert!(site.engine().access(&customer, project).unwrap().allowed);
        assert_eq!(site.engine().organizations_of(&customer).unwrap().len(), 1);
        site.engine().remove_members("ann", organization, std::slice::from_ref(&customer)).unwrap();
        assert!(!site.engine().access(&customer, project).unwrap().allowed);
        // It is linked again without a push, and is what the group is.
        let left = site.engine().left_apart(&idp.id, None, 10).unwrap().values;
        assert_eq!((left.len(), left[0].name.as_str()), (1, "Staff"));
        site.engine().resolve_conflict("ann", &idp.id, &group, &Resolution::Adopt).unwrap();
        site.sweep(100);
        assert!(now().contains("new@x.test") && !now().contains("u0001@x.test"));
        assert_eq!(now().len(), remaining.len());
        integrity::check(&site.storage);
        assert!(matches!(site.engine().unlink_organization("ann", 99), Err(site::Error::NotFound(_))));
    }
}

#[test]
fn a_group_or_directory_that_goes_while_its_members_are_copied_takes_none_of_them_along() {
    for what in ["group", "directory", "removal"] {
        let site = Site::new();
        let idp = site.connect(&settings("idp"));
        let users = idp.many("/Users", (0..2_500).map(|n| json!({ "userName": format!("u{n:04}@x.test") })));
        let group = idp.group("Staff", &users);
        let organization = site.organization("Staff").unwrap();
        site.engine().unlink_organization("ann", organization).unwrap();
        match what {
            "group" => drop(idp.delete(&format!("/Groups/{group}")).expect(204)),
            _ => site.engine().disconnect("ann", &idp.id, what == "removal").unwrap(),
        }
        integrity::check(&site.storage);
        site.sweep(1_000);
        integrity::check(&site.storage);
        // With the removal of a directory, its customers go.
        assert_eq!(all_members(&site, organization).len(), if what == "removal" { 0 } else { 2_500 }, "{what}");
    }
}

#[test]
fn a_name_that_is_managed_by_now_is_refused() {
    let site = Site::new();
    let Apart { directory, group, organization, .. } = apart(&site);
    site.engine().delete_organization("ann", organization).unwrap();
    let other = site.connect(&settings("other"));
    other.group("Staff", &[]);
    // Who manages it is named.
    let listed = site.engine().conflicts(&directory.id, None, 10).unwrap().values.remove(0);
    let preview = site.engine().preview_conflict(&directory.id, &group).unwrap();
    for conflict in [listed, preview.conflict] {
        assert_eq!(conflict.organization.unwrap().managed_by, Some((other.id.clone(), "other".to_string())));
    }
    for resolution in [Resolution::Adopt, Resolution::Rename("Old staff".to_string())] {
        let refused = site.engine().resolve_conflict("ann", &directory.id, &group, &resolution);
        assert!(matches!(refused, Err(Error::Refused(_))), "{refused:?}");
    }
    integrity::check(&site.storage);
}

#[test]
fn ids_of_nothing_are_refused() {
    let site = Site::new();
    let Apart { directory, group, .. } = apart(&site);
    let engine = site.engine();
    for id in ["", "../g", "00000000000000000000"] {
        for (directory, group) in [(directory.id.as_str(), id), (id, group.as_str())] {
            assert!(matches!(engine.preview_conflict(directory, group), Err(Error::NotFound(_))));
            let resolved = engine.resolve_conflict("ann", directory, group, &Resolution::Leave);
            assert!(matches!(resolved, Err(Error::NotFound(_))));
            assert!(matches!(engine.check_group(directory, group), Err(Error::NotFound(_))));
            assert!(matches!(engine.repair_group("ann", directory, group), Err(Error::NotFound(_))));
        }
        assert!(matches!(engine.unlinked(id, None, 1), Err(Error::NotFound(_))));
        assert!(matches!(engine.conflicts(&directory.id, Some(id), 1), Err(Error::Invalid(_))) || id.len() == 20);
        assert!(matches!(engine.unlink_customer("ann", id), Err(site::Error::NotFound(_))));
        assert!(matches!(engine.relink_customer("ann", id, None), Err(site::Error::NotFound(_))));
    }
    for limit in [0, 1_001] {
        assert!(matches!(engine.conflicts(&directory.id, None, limit), Err(Error::Invalid(_))));
        assert!(matches!(engine.unlinked(&directory.id, None, limit), Err(Error::Invalid(_))));
    }
}

/// Calls every function that is tested here.
fn everything(site: &Site, directory: &str, group: &str, linked: &str, local: &str) -> [bool; 10] {
    let engine = site.engine();
    [
        engine.conflicts(directory, None, 10).is_ok(),
        engine.preview_conflict(directory, group).is_ok(),
        engine.unlinked(directory, None, 10).is_ok(),
        engine.check_group(directory, group).is_ok(),
        engine.resolve_conflict("ann", directory, group, &Resolution::Rename("Other".to_string())).is_ok(),
        engine.repair_group("ann", directory, group).is_ok(),
        engine.unlink_customer("ann", linked).is_ok(),
        engine.relink_customer("ann", linked, Some(directory)).is_ok(),
        engine.unlink_customer("ann", linked).is_ok(),
        engine.relink_customer("ann", local, None).is_ok(),
    ]
}

#[test]
fn a_storage_that_fails_or_is_damaged_is_an_error_and_no_crash() {
    let site = Site::new();
    let Apart { directory, group, users, .. } = apart(&site);
    let local = directory.user("unlinked@x.test");
    site.engine().unlink_customer("ann", &local).unwrap();
    let before = site.storage.snapshot();
    let call = || everything(&site, &directory.id, &group, &users[1], &local);
    assert_eq!(call(), [true; 10]);
    integrity::check(&site.storage);
    let values = ["", "1", "{}", "\u{0}", "{\"version\":1,\"created\":\"x\",\"modified\":\"\"}\n{\"emails\":[[]]}"];
    let faults = (values.into_iter().map(Fault::Value)).chain(["", "u", "g/x/\"", "zzz"].map(Fault::Key)).chain([
        Fault::Short,
        Fault::Backwards,
        Fault::Error(StorageError::Unavailable(String::new())),
        Fault::Error(StorageError::Conflict),
    ]);
    for fault in faults {
        for from in 0..120 {
            site.storage.restore(&before);
            let fails = matches!(fault, Fault::Error(_));
            site.storage.break_down(Plan { fault: fault.clone(), from, lasting: false });
            call();
            site.storage.repair();
            if fails {
                integrity::check(&site.storage);
            }
        }
    }
}

fn unlinked(directory: &Directory<'_>) -> Vec<(String, UnlinkedReason)> {
    let engine = directory.site.engine();
    let (mut all, mut cursor) = (Vec::new(), None);
    loop {
        let page = engine.unlinked(&directory.id, cursor.as_deref(), 1).unwrap();
        all.extend(page.values.into_iter().map(|user| (user.user_name, user.reason)));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(engine.directory(&directory.id).unwrap().unlinked, all.len() as u64);
    all
}

#[test]
fn users_without_an_address_are_listed_until_one_arrives() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let one = directory.post("/Users", &json!({ "userName": "one" })).expect(201).id();
    let two = directory.post("/Users", &json!({ "userName": "two" })).expect(201).id();
    directory.user("three@x.test");
    assert_eq!(last(&site, "user.unlinked")["reason"], "noEmail");
    assert_eq!(
        unlinked(&directory),
        [("one".to_string(), UnlinkedReason::NoEmail), ("two".to_string(), UnlinkedReason::NoEmail)]
    );
    let address = json!([{ "op": "add", "path": "emails", "value": [{ "value": "one@x.test" }] }]);
    directory.patch(&format!("/Users/{one}"), address).expect(200);
    assert_eq!(unlinked(&directory).len(), 1);
    directory.delete(&format!("/Users/{two}")).expect(204);
    assert!(unlinked(&directory).is_empty());
    integrity::check(&site.storage);
}

#[test]
fn an_unlinked_customer_is_local_until_it_is_linked_again() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let user = directory.user("a@x.test");
    let group = directory.group("Staff", std::slice::from_ref(&user));
    let (organization, id) = (site.organization("Staff").unwrap(), site.customer("a@x.test").unwrap().id);
    let local = site.engine().create_organization("ann", "Local").unwrap().id;
    let unlink = || site.engine().unlink_customer("ann", &id);
    assert_eq!(unlink().unwrap().managed_by, None);
    assert!(matches!(unlink(), Err(site::Error::Refused(_))));
    assert_eq!(unlinked(&directory), [("a@x.test".to_string(), UnlinkedReason::Unlinked)]);
    integrity::check(&site.storage);
    // It is edited on the site, and no member through the directory's groups.
    let update = CustomerUpdate { display_name: Some("Ann".to_string()), ..CustomerUpdate::default() };
    site.engine().update_customer("ann", &id, &update).unwrap();
    site.engine().add_members("ann", local, std::slice::from_ref(&id)).unwrap();
    assert!(site.members(organization).is_empty());
    // What becomes of the user is not its concern.
    let path = format!("/Users/{user}");
    directory.patch(&path, json!([{ "op": "replace", "path": "displayName", "value": "Anna" }])).expect(200);
    assert_eq!(site.customer("a@x.test").unwrap().display_name, "Ann");
    assert_eq!(directory.get(&format!("/Groups/{group}")).body["members"].as_array().unwrap().len(), 1);
    // Linked again, it follows the user at once.
    let linked = site.engine().relink_customer("ann", &id, None).unwrap();
    assert_eq!((linked.display_name.as_str(), linked.managed_by.as_ref()), ("Anna", Some(&directory.id)));
    assert_eq!((site.members(organization), site.members(local)), (vec![linked.email.clone()], vec![linked.email]));
    assert!(unlinked(&directory).is_empty());
    assert!(matches!(site.engine().relink_customer("ann", &id, None), Err(site::Error::Managed(_))));
    integrity::check(&site.storage);
    // It stays when its user goes while it is unlinked.
    unlink().unwrap();
    directory.delete(&path).expect(204);
    assert!(matches!(site.engine().relink_customer("ann", &id, None), Err(site::Error::Refused(_))));
    assert!(site.customer("a@x.test").is_some());
    integrity::check(&site.storage);
}

#[test]
fn of_several_users_the_administrator_says_which() {
    let site = Site::new();
    let (one, other) = (site.connect(&settings("one")), site.connect(&settings("other")));
    let first = one.user("a@x.test");
    let id = site.customer("a@x.test").unwrap().id;
    site.engine().unlink_customer("ann", &id).unwrap();
    // The customer is local, so that another directory can have it.
    let second = other.user("a@x.test");
    assert_eq!(site.customer("a@x.test").unwrap().managed_by.as_ref(), Some(&other.id));
    site.engine().unlink_customer("ann", &id).unwrap();
    let refused = site.engine().relink_customer("ann", &id, None);
    let Err(site::Error::Refused(reason)) = refused else { panic!("{refused:?}") };
    for name in [&first, &second, "\"one\"", "\"other\""] {
        assert!(reason.contains(name), "{reason}");
    }
    for directory in ["", "d/x", "00000000000000000000"] {
        let unknown = site.engine().relink_customer("ann", &id, Some(directory));
        assert!(matches!(unknown, Err(site::Error::NotFound(_))));
    }
    let linked = site.engine().relink_customer("ann", &id, Some(&one.id)).unwrap();
    assert_eq!(linked.managed_by, Some(one.id.clone()));
    integrity::check(&site.storage);
}

/// Changes what is stored, as no request could.
fn tamper(site: &Site, change: impl FnOnce(&mut std::collections::BTreeMap<String, String>)) {
    let mut map = (*site.storage.snapshot()).clone();
    change(&mut map);
    site.storage.restore(&Arc::new(map));
}

type Tampering<'t> = Box<dyn Fn(&mut std::collections::BTreeMap<String, String>) + 't>;

#[test]
fn a_group_is_compared_with_its_organization_and_put_right() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let users = ["a@x.test", "b@x.test", "c@x.test"].map(|name| directory.user(name));
    let group = directory.group("Staff", &users[..2]);
    let id = site.organization("Staff").unwrap();
    let whole = site.storage.snapshot();
    let check = site.engine().check_group(&directory.id, &group).unwrap();
    assert_eq!((check.name.as_str(), check.organization, check.members), ("Staff", Some(id), 2));
    assert!(check.differences.is_empty());
    let at = site.engine().changes(0, 1_000).unwrap().len();
    site.engine().repair_group("ann", &directory.id, &group).unwrap();
    assert_eq!(site.engine().changes(0, 1_000).unwrap().len(), at, "nothing was repaired");

    let put = |key: String| -> Tampering<'_> { Box::new(move |map| drop(map.insert(key.clone(), String::new()))) };
    let take = |key: String| -> Tampering<'_> { Box::new(move |map| drop(map.remove(&key))) };
    let edit = |key: String, from: &'static str, to: &'static str| -> Tampering<'_> {
        Box::new(move |map| {
            let value = map.get_mut(&key).unwrap();
            assert!(value.contains(from), "{value}");
            *value = value.replace(from, to);
        })
    };
    let at = format!("g/{}/{group}", directory.id);
    let stranger = "0".repeat(20);
    let cases: [(Vec<Tampering<'_>>, Vec<Difference>); 6] = [
        (vec![edit(at.clone(), "\"members\":2", "\"members\":7")], vec![Difference::MemberCount(7)]),
        (vec![take(format!("mo/{}/{group}", users[0]))], vec![Difference::OneSided(1)]),
        (vec![put(format!("mo/{}/{group}", users[2]))], vec![Difference::OneSided(1)]),
        (
            vec![put(format!("m/{group}/{stranger}")), put(format!("mo/{stranger}/{group}"))],
            vec![Difference::MemberCount(2), Difference::Strangers(1)],
        ),
        (vec![take(format!("og/{group}"))], vec![Difference::BrokenLink]),
        (
            vec![
                edit(format!("o/{id:010}"), "Staff", "Stuff"),
                take("on/staff".to_string()),
                Box::new(move |map| drop(map.insert("on/stuff".to_string(), format!("{id:010}")))),
            ],
            vec![Difference::Name("Stuff".to_string())],
        ),
    ];
    for (tampering, differences) in cases {
        site.storage.restore(&whole);
        tamper(&site, |map| tampering.iter().for_each(|change| change(map)));
        assert_eq!(site.engine().check_group(&directory.id, &group).unwrap().differences, differences);
        let repair = site.engine().repair_group("ann", &directory.id, &group).unwrap();
        assert_eq!((repair.found.differences, repair.left), (differences, vec![]));
        assert_eq!(last(&site, "group.repaired")["organization"], id);
        assert_eq!(site.organization("Staff"), Some(id));
        assert_eq!(site.members(id), ["a@x.test", "b@x.test"]);
        integrity::check(&site.storage);
    }
}

#[test]
fn a_group_whose_organization_is_gone_gets_a_new_one_where_its_name_is_free() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let users = [directory.user("a@x.test")];
    let group = directory.group("Staff", &users);
    let id = site.organization("Staff").unwrap();
    tamper(&site, |map| {
        map.remove(&format!("o/{id:010}"));
        map.remove("on/staff");
    });
    let broken = site.engine().check_group(&directory.id, &group).unwrap();
    assert_eq!(broken.differences, [Difference::BrokenLink]);
    let whole = site.storage.snapshot();
    // A local organization has the name: that is a conflict.
    site.engine().create_organization("ann", "Staff").unwrap();
    let repair = site.engine().repair_group("ann", &directory.id, &group).unwrap();
    assert_eq!(repair.left, [Difference::NoOrganization]);
    assert_eq!(conflicts(&directory).len(), 1);
    site.storage.restore(&whole);
    // Nobody has it.
    let repair = site.engine().repair_group("ann", &directory.id, &group).unwrap();
    assert!(repair.left.is_empty());
    let new = site.organization("Staff").unwrap();
    assert_ne!(new, id);
    assert_eq!(site.members(new), ["a@x.test"]);
}

#[test]
fn an_organization_that_is_unlinked_linked_and_unlinked_again_keeps_its_members() {
    let site = Site::new();
    let idp = site.connect(&settings("idp"));
    let users = idp.many("/Users", (0..200).map(|n| json!({ "userName": format!("u{n:04}@x.test") })));
    let group = idp.group("Staff", &users);
    let organization = site.organization("Staff").unwrap();
    let unlink = || site.engine().unlink_organization("ann", organization);
    unlink().unwrap();
    site.engine().resolve_conflict("ann", &idp.id, &group, &Resolution::Adopt).unwrap();
    // What it had of its own is still being removed, and would take with it what it got now.
    assert!(matches!(unlink(), Err(site::Error::Refused(_))));
    assert_eq!(all_members(&site, organization).len(), 200);
    site.sweep(50);
    unlink().unwrap();
    site.sweep(50);
    assert_eq!(all_members(&site, organization).len(), 200);
    integrity::check(&site.storage);
}

#[test]
fn a_group_gets_no_other_organization_while_its_members_are_copied() {
    let site = Site::new();
    let idp = site.connect(&settings("idp"));
    let users = idp.many("/Users", (0..2_500).map(|n| json!({ "userName": format!("u{n:04}@x.test") })));
    let group = idp.group("Staff", &users);
    let organization = site.organization("Staff").unwrap();
    site.engine().unlink_organization("ann", organization).unwrap();
    let rename = Resolution::Rename("Crew".to_string());
    for resolution in [&Resolution::Adopt, &rename] {
        let refused = site.engine().resolve_conflict("ann", &idp.id, &group, resolution);
        assert!(matches!(refused, Err(Error::Refused(_))), "{refused:?}");
    }
    assert!(matches!(site.engine().repair_group("ann", &idp.id, &group), Err(Error::Refused(_))));
    // Another group of its name is told to come back.
    let other = site.connect(&settings("other"));
    assert_eq!(other.post("/Groups", &json!({ "displayName": "Staff" })).status, 503);
    site.sweep(1_000);
    site.engine().resolve_conflict("ann", &idp.id, &group, &rename).unwrap();
    site.sweep(1_000);
    for name in ["Crew", "Staff"] {
        assert_eq!(all_members(&site, site.organization(name).unwrap()).len(), 2_500, "{name}");
    }
    assert_eq!(site.engine().organizations_of(&users[2_499]).unwrap().len(), 2);
    integrity::check(&site.storage);
}

#[test]
fn who_is_a_member_all_the_time_is_missed_by_no_page_however_the_organization_changes() {
    for turn in ["adopt", "unlink", "settle"] {
        let site = Site::new();
        let organization = site.engine().create_organization("ann", "Staff").unwrap().id;
        let locals: Vec<String> = (0..6).map(|n| site.local_customer(&format!("l{n}@x.test")).id).collect();
        site.engine().add_members("ann", organization, &locals).unwrap();
        let idp = site.connect(&settings("idp"));
        // The first is linked to a local customer that is older than all others.
        let users: Vec<String> = (0..6).map(|n| idp.user(&format!("l{}@x.test", 5 - n))).collect();
        let adopt = || {
            let group = idp.group("Staff", &[]);
            let members: Vec<Value> = users.iter().map(|user| json!({ "value": user })).collect();
            let add = json!([{ "op": "add", "path": "members", "value": members }]);
            idp.patch(&format!("/Groups/{group}"), add).expect(200);
        };
        if turn != "adopt" {
            adopt();
        }
        for size in 1..6 {
            let before = site.storage.snapshot();
            let page = site.engine().organization_members(organization, &site::Position::Offset(0), size).unwrap();
            match turn {
                "adopt" => adopt(),
                "unlink" => drop(site.engine().unlink_organization("ann", organization).unwrap()),
                _ => {
                    site.surroundings.pass(3_600_000);
                    site.sweep(10);
                }
            }
            let mut seen: BTreeSet<String> = page.values.into_iter().map(|customer| customer.id).collect();
            let mut next = page.next;
            while let Some(cursor) = next {
                let position = site::Position::After(cursor);
                let page = site.engine().organization_members(organization, &position, size).unwrap();
                seen.extend(page.values.into_iter().map(|customer| customer.id));
                next = page.next;
            }
            assert_eq!(seen, locals.iter().cloned().collect(), "{turn} after {size}");
            site.storage.restore(&before);
        }
    }
}
