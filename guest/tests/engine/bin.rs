//! What is deleted can be restored for a time, and is erased then: the rows of the product's tables, one by one.

use serde_json::{Value, json};
use usher_engine::site::projects::Audience;
use usher_engine::site::{Error, Position};

use super::integrity;
use super::site::{Directory, Site, settings};

/// A day, in milliseconds.
const DAY: u64 = 86_400_000;

/// A directory with these users in the group `Staff`, and the number of its organization.
fn staff<'s>(site: &'s Site, names: &[&str]) -> (Directory<'s>, Vec<String>, String, u64) {
    let directory = site.connect(&settings("idp"));
    let users: Vec<String> = names.iter().map(|name| directory.user(name)).collect();
    let group = directory.group("Staff", &users);
    let organization = site.organization("Staff").unwrap();
    (directory, users, group, organization)
}

fn project(site: &Site, key: &str) -> u64 {
    site.engine().create_project("ann", key, "Help", Audience::Restricted).unwrap().id
}

fn patch(directory: &Directory<'_>, group: &str, op: &str, users: &[&String]) {
    let members: Vec<Value> = users.iter().map(|id| json!({ "value": id })).collect();
    let edit = json!([{ "op": op, "path": "members", "value": members }]);
    directory.patch(&format!("/Groups/{group}"), edit).expect(200);
}

/// Nothing of the storage holds this text.
fn is_gone(site: &Site, text: &str) -> bool {
    site.storage.snapshot().iter().all(|(key, value)| !key.contains(text) && !value.contains(text))
}

#[test]
fn a_customer_that_its_directory_deletes_is_restored_as_it_was() {
    let site = Site::new();
    let (directory, users, group, organization) = staff(&site, &["a@x.test", "b@x.test"]);
    let (help, own) = (project(&site, "HELP"), project(&site, "OWN"));
    let id = site.customer("a@x.test").unwrap().id;
    let engine = site.engine();
    engine.associate_organization("ann", help, organization, true).unwrap();
    engine.associate_customers("ann", own, std::slice::from_ref(&id), true).unwrap();
    directory.delete(&format!("/Users/{}", users[0])).expect(204);
    integrity::check(&site.storage);
    assert!(matches!(engine.customer(&id), Err(Error::NotFound(_))));
    assert_eq!(site.members(organization), ["b@x.test"]);
    assert!(engine.project_customers(own, &Position::Offset(0), 10).unwrap().values.is_empty());
    let deleted = engine.deleted_customers(&Position::Offset(0), 10).unwrap().values;
    assert_eq!((deleted.len(), deleted[0].customer.email.as_str()), (1, "a@x.test"));
    assert_eq!(deleted[0].erased_at - deleted[0].deleted_at, 14 * DAY);
    site.sweep(10);
    let restored = engine.restore_customer("ann", &id).unwrap();
    integrity::check(&site.storage);
    assert_eq!((restored.id.as_str(), restored.managed_by), (id.as_str(), None));
    assert!(engine.deleted_customers(&Position::Offset(0), 10).unwrap().values.is_empty());
    assert_eq!(site.members(organization), ["b@x.test", "a@x.test"]);
    assert!(engine.access(&id, help).unwrap().allowed && engine.access(&id, own).unwrap().allowed);
    assert!(matches!(engine.restore_customer("ann", &id), Err(Error::NotFound(_))));
    // A user with the address is linked to it, and may be removed from the group, of which it is no member.
    let again = directory.user("a@x.test");
    assert_eq!(site.customer("a@x.test").unwrap().id, id);
    patch(&directory, &group, "remove", &[&again]);
    assert_eq!(site.members(organization), ["b@x.test"]);
    patch(&directory, &group, "add", &[&again]);
    assert_eq!(site.members(organization).len(), 2);
    integrity::check(&site.storage);
}

#[test]
fn a_complete_list_of_the_group_ends_what_was_restored() {
    let site = Site::new();
    let (directory, users, group, organization) = staff(&site, &["a@x.test", "b@x.test"]);
    let id = site.customer("a@x.test").unwrap().id;
    directory.delete(&format!("/Users/{}", users[0])).expect(204);
    site.engine().restore_customer("ann", &id).unwrap();
    assert_eq!(site.members(organization).len(), 2);
    patch(&directory, &group, "replace", &[&users[1]]);
    assert_eq!(site.members(organization), ["b@x.test"]);
    assert!(site.engine().organizations_of(&id).unwrap().is_empty());
    integrity::check(&site.storage);
}

#[test]
fn memberships_that_are_swept_after_the_restoration_hold_as_well() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let user = directory.user("a@x.test");
    let bodies = (0..150).map(|at| json!({ "displayName": format!("g{at}"), "members": [{ "value": user }] }));
    directory.many("/Groups", bodies);
    let id = site.customer("a@x.test").unwrap().id;
    directory.delete(&format!("/Users/{user}")).expect(204);
    site.engine().restore_customer("ann", &id).unwrap();
    while site.engine().upkeep_step(20).unwrap().more {
        integrity::check(&site.storage);
    }
    assert_eq!(site.engine().organizations_of(&id).unwrap().len(), 150);
    // Erased for good, it leaves nothing behind.
    site.engine().erase_customer("ann", &id).unwrap();
    integrity::check(&site.storage);
    site.sweep(20);
    assert!(!site.storage.snapshot().keys().any(|key| key.starts_with("m/") || key.starts_with("mo/")));
    integrity::check(&site.storage);
}

/// What a complete list has ended is swept later where it is much, and nothing that is remembered meanwhile brings it back.
#[test]
fn who_is_being_swept_out_of_an_organization_stays_out() {
    let site = Site::new();
    let names: Vec<String> = (0..70).map(|at| format!("u{at}@x.test")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (directory, users, group, organization) = staff(&site, &names);
    for (name, user) in names.iter().zip(&users).skip(2) {
        let id = site.customer(name).unwrap().id;
        directory.delete(&format!("/Users/{user}")).expect(204);
        site.engine().restore_customer("ann", &id).unwrap();
    }
    assert_eq!(site.members(organization).len(), 70);
    patch(&directory, &group, "replace", &[&users[0], &users[1]]);
    assert_eq!(site.members(organization), ["u0@x.test", "u1@x.test"]);
    assert!(site.storage.snapshot().keys().any(|key| key.starts_with("w/site/")));
    directory.delete(&format!("/Users/{}", users[0])).expect(204);
    assert_eq!(site.members(organization), ["u1@x.test"]);
    integrity::check(&site.storage);
    site.sweep(10);
    assert_eq!(site.members(organization), ["u1@x.test"]);
    integrity::check(&site.storage);
}

#[test]
fn a_new_push_of_the_address_is_a_new_customer() {
    let site = Site::new();
    let (directory, users, _, _) = staff(&site, &["a@x.test"]);
    let id = site.customer("a@x.test").unwrap().id;
    directory.delete(&format!("/Users/{}", users[0])).expect(204);
    directory.user("a@x.test");
    assert_ne!(site.customer("a@x.test").unwrap().id, id);
    assert!(matches!(site.engine().restore_customer("ann", &id), Err(Error::Taken(_))));
    integrity::check(&site.storage);
}

#[test]
fn what_nobody_restores_is_erased_when_its_time_has_come() {
    for days in [0, 2, 14] {
        let site = Site::new();
        site.retain(days);
        let (directory, users, group, organization) = staff(&site, &["gone@x.test"]);
        let id = site.customer("gone@x.test").unwrap().id;
        directory.delete(&format!("/Users/{}", users[0])).expect(204);
        directory.delete(&format!("/Groups/{group}")).expect(204);
        site.sweep(10);
        assert_eq!(is_gone(&site, "gone@x.test"), days == 0);
        site.surroundings.pass(u64::from(days) * DAY);
        // It cannot be restored any more, although upkeep has not come round yet.
        assert!(matches!(site.engine().restore_customer("ann", &id), Err(Error::NotFound(_))));
        assert!(matches!(site.engine().restore_organization("ann", organization), Err(Error::NotFound(_))));
        site.sweep(10);
        integrity::check(&site.storage);
        assert!(is_gone(&site, "gone@x.test") && is_gone(&site, "Staff") && is_gone(&site, "staff"));
    }
}

#[test]
fn a_customer_is_erased_on_demand_unless_a_directory_manages_it() {
    let site = Site::new();
    let (directory, users, _, organization) = staff(&site, &["gone@x.test", "b@x.test"]);
    let id = site.customer("gone@x.test").unwrap().id;
    let engine = site.engine();
    assert!(matches!(engine.erase_customer("ann", &id), Err(Error::Managed(_))));
    directory.delete(&format!("/Users/{}", users[0])).expect(204);
    engine.erase_customer("ann", &id).unwrap();
    assert!(is_gone(&site, "gone@x.test"));
    assert!(matches!(engine.erase_customer("ann", &id), Err(Error::NotFound(_))));
    assert!(matches!(engine.restore_customer("ann", &id), Err(Error::NotFound(_))));
    let local = site.local_customer("gone@x.test").id;
    engine.erase_customer("ann", &local).unwrap();
    assert!(is_gone(&site, "gone@x.test"));
    assert_eq!(site.members(organization), ["b@x.test"]);
    for nothing in ["", "x/y", "00000000000000000000"] {
        assert!(matches!(engine.restore_customer("ann", nothing), Err(Error::NotFound(_))));
        assert!(matches!(engine.erase_customer("ann", nothing), Err(Error::NotFound(_))));
    }
    integrity::check(&site.storage);
}

#[test]
fn an_organization_is_restored_with_its_members_and_projects() {
    let site = Site::new();
    let (directory, users, group, organization) = staff(&site, &["a@x.test", "b@x.test"]);
    let (help, gone) = (project(&site, "HELP"), project(&site, "GONE"));
    let engine = site.engine();
    for project in [help, gone] {
        engine.associate_organization("ann", project, organization, true).unwrap();
    }
    let before = engine.organization(organization).unwrap();
    directory.delete(&format!("/Groups/{group}")).expect(204);
    integrity::check(&site.storage);
    assert_eq!(engine.directory(&directory.id).unwrap().memberships, 0);
    assert_eq!(directory.get(&format!("/Users/{}", users[0])).body.get("groups"), None);
    let customer = site.customer("a@x.test").unwrap().id;
    assert!(engine.organizations_of(&customer).unwrap().is_empty());
    assert!(!engine.access(&customer, help).unwrap().allowed);
    let deleted = engine.deleted_organizations(&Position::Offset(0), 10).unwrap().values;
    assert_eq!((deleted.len(), deleted[0].organization.id), (1, organization));
    engine.delete_project("ann", gone).unwrap();
    // A member that is deleted and restored meanwhile is one still.
    let other = site.customer("b@x.test").unwrap().id;
    directory.delete(&format!("/Users/{}", users[1])).expect(204);
    engine.restore_customer("ann", &other).unwrap();
    integrity::check(&site.storage);
    let restored = engine.restore_organization("ann", organization).unwrap();
    integrity::check(&site.storage);
    assert_eq!((restored.id, restored.uuid, restored.managed_by), (organization, before.uuid, None));
    assert_eq!(site.members(organization), ["a@x.test", "b@x.test"]);
    assert!(engine.access(&customer, help).unwrap().allowed);
    // It is local: edited, and adopted, like any other.
    engine.remove_members("ann", organization, &[other]).unwrap();
    assert_eq!(site.members(organization), ["a@x.test"]);
    let again = directory.group("Staff", &users[..1]);
    assert_eq!(engine.organization(organization).unwrap().group, Some(again.clone()));
    integrity::check(&site.storage);
    patch(&directory, &again, "remove", &[&users[0]]);
    site.surroundings.pass(3_600_000);
    site.sweep(10);
    assert!(site.members(organization).is_empty());
    integrity::check(&site.storage);
}

#[test]
fn a_name_that_is_taken_by_now_is_not_restored() {
    let site = Site::new();
    let id = site.engine().create_organization("ann", "Staff").unwrap().id;
    site.engine().delete_organization("ann", id).unwrap();
    let other = site.engine().create_organization("ann", "STAFF").unwrap().id;
    assert!(matches!(site.engine().restore_organization("ann", id), Err(Error::Taken(_))));
    site.engine().rename_organization("ann", other, "Other").unwrap();
    assert_eq!(site.engine().restore_organization("ann", id).unwrap().name, "Staff");
    assert!(matches!(site.engine().restore_organization("ann", id), Err(Error::NotFound(_))));
    integrity::check(&site.storage);
}

#[test]
fn what_a_directory_took_with_it_is_restored() {
    let site = Site::new();
    let (directory, users, _, organization) = staff(&site, &["a@x.test", "b@x.test"]);
    let id = site.customer("a@x.test").unwrap().id;
    assert_eq!(id, users[0]);
    site.engine().disconnect("ann", &directory.id, true).unwrap();
    while site.engine().upkeep_step(20).unwrap().more {
        integrity::check(&site.storage);
    }
    assert!(site.customers().is_empty());
    site.engine().restore_organization("ann", organization).unwrap();
    assert!(site.members(organization).is_empty());
    site.engine().restore_customer("ann", &id).unwrap();
    assert_eq!(site.members(organization), ["a@x.test"]);
    integrity::check(&site.storage);
    site.surroundings.pass(14 * DAY);
    site.sweep(10);
    integrity::check(&site.storage);
    assert!(is_gone(&site, "b@x.test"));
}

#[test]
fn an_unlinked_customer_keeps_what_it_owes_to_a_deleted_group() {
    // Unlinked before or after the organization is restored.
    for restored_first in [false, true] {
        let site = Site::new();
        let (directory, users, group, organization) = staff(&site, &["a@x.test", "b@x.test"]);
        let id = site.customer("a@x.test").unwrap().id;
        directory.delete(&format!("/Groups/{group}")).expect(204);
        if restored_first {
            site.engine().restore_organization("ann", organization).unwrap();
            site.engine().unlink_customer("ann", &id).unwrap();
        } else {
            site.engine().unlink_customer("ann", &id).unwrap();
            site.engine().restore_organization("ann", organization).unwrap();
        }
        assert_eq!(site.members(organization), ["b@x.test", "a@x.test"]);
        integrity::check(&site.storage);
        // Whoever the user is linked to later has no part in it.
        directory.delete(&format!("/Users/{}", users[0])).expect(204);
        site.engine().remove_members("ann", organization, &[id]).unwrap();
        assert_eq!(site.members(organization), ["b@x.test"]);
        integrity::check(&site.storage);
    }
}

#[test]
fn a_customer_restored_during_the_grace_of_an_adoption_is_a_member_until_its_end() {
    let site = Site::new();
    let (directory, users, group, organization) = staff(&site, &["a@x.test", "b@x.test"]);
    let id = site.customer("a@x.test").unwrap().id;
    directory.delete(&format!("/Groups/{group}")).expect(204);
    site.engine().restore_organization("ann", organization).unwrap();
    directory.group("Staff", &[]);
    directory.delete(&format!("/Users/{}", users[0])).expect(204);
    site.engine().restore_customer("ann", &id).unwrap();
    integrity::check(&site.storage);
    assert_eq!(site.members(organization), ["b@x.test", "a@x.test"]);
    site.surroundings.pass(3_600_000);
    assert!(site.members(organization).is_empty());
    site.sweep(10);
    integrity::check(&site.storage);
}

#[test]
fn a_directory_takes_nobody_out_by_the_id_of_a_user_of_another_one() {
    let site = Site::new();
    let (former, users, _, organization) = staff(&site, &["a@x.test"]);
    site.engine().disconnect("ann", &former.id, false).unwrap();
    let directory = site.connect(&settings("other"));
    let group = directory.group("Staff", &[]);
    patch(&directory, &group, "remove", &[&users[0]]);
    assert_eq!(site.members(organization), ["a@x.test"]);
    // The user that has the customer now is another matter.
    let user = directory.user("a@x.test");
    patch(&directory, &group, "remove", &[&user]);
    assert!(site.members(organization).is_empty());
    integrity::check(&site.storage);
}
