//! What a directory managed that is removed with all of it is gone for everybody from that moment, although upkeep sweeps
//! it later.

use serde_json::json;
use usher_engine::site::customers::{CustomerUpdate, NewCustomer};
use usher_engine::site::projects::Audience;
use usher_engine::site::{Error, Position};

use super::integrity;
use super::on_site::everything;
use super::site::{Directory, Site, settings};

/// Customers `a` to `e` of a directory in its organization `Staff`, of which every second is in a local one too.
struct Removed {
    customers: Vec<String>,
    staff: u64,
    local: u64,
    stays: String,
    projects: [u64; 3],
}

fn connected(site: &Site) -> (Directory<'_>, Removed) {
    let directory = site.connect(&settings("idp"));
    let engine = site.engine();
    let local = engine.create_organization("ann", "Local").unwrap().id;
    let first = site.local_customer("first@x.test").id;
    let names = ["a", "b", "c", "d", "e"].map(|name| format!("{name}@x.test"));
    let users: Vec<String> = names.iter().map(|name| directory.user(name)).collect();
    let stays = site.local_customer("stays@x.test").id;
    directory.group("Staff", &users);
    let staff = site.organization("Staff").unwrap();
    engine.create_organization("ann", "After").unwrap();
    let customers: Vec<String> = names.iter().map(|name| site.customer(name).unwrap().id).collect();
    engine.add_members("ann", local, &[customers[0].clone(), stays.clone(), customers[2].clone(), first]).unwrap();
    let project = |key: &str, audience| engine.create_project("ann", key, "Help", audience).unwrap().id;
    let projects =
        [project("OPEN", Audience::Open), project("HELP", Audience::Restricted), project("OWN", Audience::Restricted)];
    engine.associate_organization("ann", projects[1], staff, true).unwrap();
    engine.associate_organization("ann", projects[1], local, true).unwrap();
    let own = [customers.clone(), vec![stays.clone()]].concat();
    engine.associate_customers("ann", projects[2], &own, true).unwrap();
    (directory, Removed { customers, staff, local, stays, projects })
}

#[track_caller]
fn is_missing<T: std::fmt::Debug>(outcome: &Result<T, Error>) {
    assert!(matches!(outcome, Err(Error::NotFound(_))), "{outcome:?}");
}

/// Nothing of it is seen anywhere, and nothing can be done to it.
fn check_gone(site: &Site, removed: &Removed) {
    let engine = site.engine();
    let emails: Vec<String> = site.customers().into_iter().map(|customer| customer.email).collect();
    assert_eq!(emails, ["first@x.test", "stays@x.test"]);
    let names = everything(|position, limit| engine.organizations(position, limit).unwrap());
    let names: Vec<String> = names.into_iter().map(|organization| organization.name).collect();
    assert_eq!(names, ["Local", "After"]);
    let mut members = site.members(removed.local);
    members.sort();
    assert_eq!(members, ["first@x.test", "stays@x.test"]);
    let [_, help, own] = removed.projects;
    let of_project = everything(|position, limit| engine.project_organizations(help, None, position, limit).unwrap());
    assert_eq!(of_project.iter().map(|one| one.id).collect::<Vec<_>>(), [removed.local]);
    let of_project = everything(|position, limit| engine.project_customers(own, position, limit).unwrap());
    assert_eq!(of_project.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), [removed.stays.as_str()]);
    for id in &removed.customers {
        is_missing(&engine.customer(id));
        is_missing(&engine.organizations_of(id));
        is_missing(&engine.organization_member(removed.local, id));
        is_missing(&engine.projects_of(id));
        for project in removed.projects {
            is_missing(&engine.access(id, project));
            is_missing(&engine.associate_customers("ann", project, std::slice::from_ref(id), true));
        }
        is_missing(&engine.update_customer("ann", id, &CustomerUpdate::default()));
        is_missing(&engine.delete_customer("ann", id));
        is_missing(&engine.unlink_customer("ann", id));
        is_missing(&engine.relink_customer("ann", id, None));
        is_missing(&engine.add_members("ann", removed.local, std::slice::from_ref(id)));
        is_missing(&engine.remove_members("ann", removed.local, std::slice::from_ref(id)));
    }
    let staff = removed.staff;
    is_missing(&engine.organization(staff));
    is_missing(&engine.organization_members(staff, &Position::Offset(0), 10));
    is_missing(&engine.organization_member(staff, &removed.stays));
    is_missing(&engine.rename_organization("ann", staff, "Other"));
    is_missing(&engine.delete_organization("ann", staff));
    is_missing(&engine.add_members("ann", staff, std::slice::from_ref(&removed.stays)));
    is_missing(&engine.remove_members("ann", staff, std::slice::from_ref(&removed.stays)));
    is_missing(&engine.associate_organization("ann", help, staff, true));
    is_missing(&engine.associate_organization("ann", help, staff, false));
    integrity::check(&site.storage);
}

#[test]
fn what_a_removed_directory_managed_is_gone_at_once_on_every_surface() {
    let site = Site::new();
    let (directory, removed) = connected(&site);
    // Somebody of the site in an organization that goes has it no more.
    let engine = site.engine();
    engine.disconnect("ann", &directory.id, true).unwrap();
    check_gone(&site, &removed);
    while engine.upkeep_step(4).unwrap().more {
        check_gone(&site, &removed);
    }
    check_gone(&site, &removed);
    // All of it can be restored.
    let deleted = everything(|position, limit| engine.deleted_customers(position, limit).unwrap());
    assert_eq!(deleted.len(), 5);
    engine.restore_organization("ann", removed.staff).unwrap();
    for id in &removed.customers {
        engine.restore_customer("ann", id).unwrap();
    }
    assert_eq!((site.members(removed.staff).len(), site.members(removed.local).len()), (5, 4));
    assert!(engine.access(&removed.customers[0], removed.projects[1]).unwrap().allowed);
    integrity::check(&site.storage);
}

#[test]
fn what_goes_is_restored_and_erased_without_waiting_for_upkeep() {
    let site = Site::new();
    let (directory, removed) = connected(&site);
    let engine = site.engine();
    engine.disconnect("ann", &directory.id, true).unwrap();
    engine.restore_organization("ann", removed.staff).unwrap();
    engine.restore_customer("ann", &removed.customers[1]).unwrap();
    engine.erase_customer("ann", &removed.customers[2]).unwrap();
    integrity::check(&site.storage);
    assert_eq!(site.members(removed.staff), ["b@x.test"]);
    assert!(engine.access(&removed.customers[1], removed.projects[1]).unwrap().allowed);
    site.sweep(4);
    assert_eq!(site.members(removed.staff), ["b@x.test"]);
    is_missing(&engine.restore_customer("ann", &removed.customers[2]));
    integrity::check(&site.storage);
}

#[test]
fn the_addresses_and_names_of_what_goes_are_free() {
    let site = Site::new();
    let (directory, removed) = connected(&site);
    let engine = site.engine();
    engine.disconnect("ann", &directory.id, true).unwrap();
    let other = site.connect(&settings("other"));
    // A push, a change of address by an administrator, a new customer, one that is restored.
    let pushed = other.user("A@x.test");
    assert_eq!(site.customer("a@x.test").unwrap().managed_by, Some(other.id.clone()));
    let update = CustomerUpdate { email: Some("b@x.test".to_string()), ..CustomerUpdate::default() };
    engine.update_customer("ann", &removed.stays, &update).unwrap();
    let new = |email: &str| NewCustomer {
        email: email.to_string(),
        display_name: "New".to_string(),
        time_zone: None,
        locale: None,
    };
    let made = engine.create_customer("ann", &new("c@x.test")).unwrap();
    assert!(matches!(engine.create_customer("ann", &new("c@x.test")), Err(Error::Taken(_))));
    let organization = other.group("Staff", std::slice::from_ref(&pushed));
    let staff = site.organization("Staff").unwrap();
    assert_ne!(staff, removed.staff);
    assert_eq!(engine.organization(staff).unwrap().group, Some(organization));
    integrity::check(&site.storage);
    // The new ones have nothing of those who are gone, and upkeep leaves them alone.
    assert_eq!(site.members(staff), ["a@x.test"]);
    assert!(!engine.access(&made.id, removed.projects[1]).unwrap().allowed);
    while engine.upkeep_step(4).unwrap().more {
        integrity::check(&site.storage);
    }
    let emails: Vec<String> = site.customers().into_iter().map(|customer| customer.email).collect();
    assert_eq!(emails.len(), 4, "{emails:?}");
    assert_eq!(site.members(staff), ["a@x.test"]);
    assert!(matches!(engine.restore_customer("ann", &removed.customers[0]), Err(Error::Taken(_))));
    engine.restore_customer("ann", &removed.customers[3]).unwrap();
    integrity::check(&site.storage);
}

#[test]
fn a_user_of_another_directory_gets_the_address_of_somebody_who_goes() {
    let site = Site::new();
    let (directory, removed) = connected(&site);
    let mut wanted = settings("other");
    wanted.email_change = usher_engine::directories::EmailChange::Follow;
    let other = site.connect(&wanted);
    let user = other.user("z@x.test");
    let group = other.group("Crew", &[]);
    let email = json!([{ "op": "replace", "path": "emails", "value": [{ "value": "e@x.test" }] }]);
    let name = json!([{ "op": "replace", "path": "displayName", "value": "staff" }]);
    other.patch(&format!("/Users/{user}"), email.clone()).refused(409, "uniqueness");
    other.patch(&format!("/Groups/{group}"), name.clone()).refused(409, "uniqueness");
    site.engine().disconnect("ann", &directory.id, true).unwrap();
    other.patch(&format!("/Users/{user}"), email).expect(200);
    other.patch(&format!("/Groups/{group}"), name).expect(200);
    integrity::check(&site.storage);
    site.sweep(4);
    assert_eq!(site.customer("e@x.test").unwrap().managed_by, Some(other.id.clone()));
    assert!(site.organization("staff").is_some_and(|id| id != removed.staff));
    integrity::check(&site.storage);
}

#[test]
fn what_goes_at_once_is_erased_at_once_where_nothing_is_kept() {
    let site = Site::new();
    let (directory, removed) = connected(&site);
    site.retain(0);
    site.engine().disconnect("ann", &directory.id, true).unwrap();
    is_missing(&site.engine().restore_customer("ann", &removed.customers[0]));
    is_missing(&site.engine().restore_organization("ann", removed.staff));
    site.engine().erase_customer("ann", &removed.customers[0]).unwrap();
    integrity::check(&site.storage);
    site.local_customer("b@x.test");
    integrity::check(&site.storage);
    site.sweep(4);
    assert_eq!(site.customers().len(), 3);
    integrity::check(&site.storage);
}
