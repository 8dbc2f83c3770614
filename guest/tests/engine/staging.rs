//! Staged directories: what they plan, what the site shows of it, and what becomes of both when the plan is applied.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use usher_engine::directories::{ConflictPolicy, EmailChange, Error, Mode, ProjectRule, Settings, SettingsUpdate};
use usher_engine::provisioning::conflicts::Resolution;
use usher_engine::provisioning::plan_access::AccessTurn;
use usher_engine::provisioning::planned_members::MemberTurn;
use usher_engine::provisioning::plans::{Obstacle, PlannedItem, PlannedKind, PlannedList};
use usher_engine::provisioning::unlinked::UnlinkedReason;
use usher_engine::site::customers::CustomerUpdate;
use usher_engine::site::projects::Audience;

use super::integrity;
use super::on_site::everything;
use super::site::{Answer, Directory, Site, settings};

pub const HOUR: u64 = 3_600_000;

pub fn staged(name: &str) -> Settings {
    Settings { mode: Mode::Staged, ..settings(name) }
}

pub fn stage(directory: &Directory<'_>) {
    let update = SettingsUpdate { mode: Some(Mode::Staged), ..SettingsUpdate::default() };
    directory.site.engine().update_directory("ann", &directory.id, &update).unwrap();
}

pub fn mode(directory: &Directory<'_>) -> Mode {
    directory.site.engine().directory(&directory.id).unwrap().settings.mode
}

/// Applies the plan of a directory to the end.
pub fn apply(directory: &Directory<'_>) {
    directory.site.engine().apply_plan("ann", &directory.id, Some(u64::MAX)).unwrap();
    directory.site.sweep(1_000);
    assert_eq!(mode(directory), Mode::Live);
    integrity::check(&directory.site.storage);
}

/// Has upkeep do the first step of an apply.
pub fn step(directory: &Directory<'_>) {
    let done = || directory.site.engine().apply_progress(&directory.id).unwrap().unwrap().done;
    while done() == 0 {
        assert!(directory.site.engine().upkeep_step(1_000).unwrap().more);
    }
}

/// How much is planned, by kind, where that is something.
pub fn counts(directory: &Directory<'_>) -> Vec<(PlannedKind, u64)> {
    let plan = directory.site.engine().plan(&directory.id).unwrap();
    plan.kinds.into_iter().filter(|of| of.count > 0).map(|of| (of.kind, of.count)).collect()
}

pub fn list(directory: &Directory<'_>, list: PlannedList) -> Vec<PlannedItem> {
    let mut items = Vec::new();
    let mut cursor = None;
    loop {
        let page = directory.site.engine().planned(&directory.id, list, None, cursor.as_deref(), 2).unwrap();
        items.extend(page.values);
        cursor = page.next;
        if cursor.is_none() {
            return items;
        }
    }
}

fn names(items: &[PlannedItem]) -> Vec<&str> {
    items.iter().map(|item| item.name.as_str()).collect()
}

/// Everything that is the site's.
fn on_site(site: &Site) -> BTreeMap<String, String> {
    const FAMILIES: [&str; 27] = [
        "s", "cu", "cm", "ch", "ci", "cw", "uc", "og", "o", "on", "oh", "ow", "sc", "p", "pk", "pa", "po", "op", "pc",
        "cp", "rc", "ro", "hc", "ho", "n", "ca", "dr",
    ];
    let mut content = site.content();
    content.retain(|key, _| FAMILIES.contains(&key.split('/').next().unwrap()));
    content
}

/// What people see of a site, without ids and times.
pub fn seen(site: &Site) -> Value {
    let engine = site.engine();
    let customers = site.customers();
    let projects = everything(|position, limit| engine.projects(position, limit).unwrap());
    let of_customers: BTreeMap<String, Value> = customers
        .iter()
        .map(|customer| {
            let open = engine.projects_of(&customer.id).unwrap();
            let open: Vec<String> = open.into_iter().map(|open| open.project.key).collect();
            let seen = json!({
                "name": customer.display_name, "active": customer.active, "zone": customer.time_zone,
                "locale": customer.locale, "managed": customer.managed_by.is_some(), "open": open,
            });
            (customer.email.to_lowercase(), seen)
        })
        .collect();
    let organizations = everything(|position, limit| engine.organizations(position, limit).unwrap());
    let of_organizations: BTreeMap<String, Value> = organizations
        .iter()
        .map(|organization| {
            let members: BTreeSet<String> =
                site.members(organization.id).into_iter().map(|email| email.to_lowercase()).collect();
            let associated: Vec<&String> = projects
                .iter()
                .filter(|project| {
                    let of = everything(|position, limit| {
                        engine.project_organizations(project.id, None, position, limit).unwrap()
                    });
                    of.iter().any(|one| one.id == organization.id)
                })
                .map(|project| &project.key)
                .collect();
            let managed = organization.managed_by.is_some();
            (organization.name.clone(), json!({ "members": members, "managed": managed, "projects": associated }))
        })
        .collect();
    assert_eq!((of_customers.len(), of_organizations.len()), (customers.len(), organizations.len()));
    let totals = engine.totals().unwrap();
    json!({
        "customers": of_customers, "organizations": of_organizations,
        "totals": [totals.customers.all, totals.customers.local, totals.customers.inactive, totals.organizations.all, totals.organizations.local],
    })
}

pub fn address(at: usize) -> String {
    // The last one is none.
    if at == 8 { "n/a".to_string() } else { format!("a{at}@x.test") }
}

pub fn group_name(at: usize) -> String {
    format!("Group {at}")
}

/// A site with local customers and organizations, and projects.
pub fn site_with(locals: &[usize], organizations: &[(usize, Vec<usize>)]) -> Site {
    let site = Site::new();
    let engine = site.engine();
    let help = engine.create_project("ann", "HELP", "Help", Audience::Restricted).unwrap().id;
    engine.create_project("ann", "OPEN", "Open", Audience::Open).unwrap();
    let own = engine.create_project("ann", "OWN", "Own", Audience::Restricted).unwrap().id;
    for at in locals {
        if site.customer(&address(*at)).is_none() {
            let customer = site.local_customer(&address(*at));
            engine.associate_customers("ann", own, &[customer.id], true).unwrap();
        }
    }
    for (name, members) in organizations {
        // Written otherwise than by the identity provider, every second one.
        let name = if name % 2 == 0 { group_name(*name) } else { group_name(*name).to_lowercase() };
        let Ok(organization) = engine.create_organization("ann", &name) else { continue };
        let members: Vec<String> = members.iter().filter_map(|at| Some(site.customer(&address(*at))?.id)).collect();
        engine.add_members("ann", organization.id, &members).unwrap();
        engine.associate_organization("ann", help, organization.id, true).unwrap();
    }
    site
}

/// The names on a list of a plan that begin with this.
fn found(directory: &Directory<'_>, list: PlannedList, query: &str) -> Vec<String> {
    let page = directory.site.engine().planned(&directory.id, list, Some(query), None, 100).unwrap();
    page.values.into_iter().map(|item| item.name).collect()
}

pub fn members(directory: &Directory<'_>, group: &str, turn: MemberTurn) -> Vec<String> {
    let mut members = Vec::new();
    let mut cursor = None;
    loop {
        let page = directory.site.engine().planned_members(&directory.id, group, turn, cursor.as_deref(), 1).unwrap();
        members.extend(page.values.into_iter().map(|member| member.email.unwrap_or(member.name)));
        cursor = page.next;
        if cursor.is_none() {
            return members;
        }
    }
}

pub fn make(directory: &Directory<'_>, address: &str, name: &str) -> String {
    let body = json!({ "userName": name, "emails": [{ "value": address }], "displayName": name });
    directory.post("/Users", &body).expect(201).id()
}

pub fn rename(directory: &Directory<'_>, path: &str, name: &str) -> Answer {
    directory.patch(path, json!([{ "op": "replace", "path": "displayName", "value": name }]))
}

pub fn move_to(directory: &Directory<'_>, user: &str, address: &str) -> Answer {
    let value = json!([{ "value": address }]);
    directory.patch(&format!("/Users/{user}"), json!([{ "op": "replace", "path": "emails", "value": value }]))
}

/// Has upkeep do everything that falls due within a minute, such as working out who gains or loses what.
pub fn wait(site: &Site) {
    for _ in 0..30 {
        site.surroundings.pass(2_000);
        site.sweep(1_000);
    }
}

fn who(directory: &Directory<'_>, turn: AccessTurn) -> Vec<(String, Vec<String>)> {
    let page = directory.site.engine().plan_access(&directory.id, turn, None, None, 100).unwrap();
    let of = |projects: Vec<(u64, String)>| projects.into_iter().map(|(_, name)| name).collect();
    page.values.into_iter().map(|person| (person.name, of(person.projects))).collect()
}

#[test]
fn an_initial_sync_moves_nothing_of_the_site_and_is_planned() {
    let site = site_with(&[0, 1], &[(0, vec![0, 1])]);
    let before = on_site(&site);
    let idp = site.connect(&staged("idp"));
    let connected = on_site(&site);
    assert_eq!(before, connected);
    let ada = make(&idp, "a0@x.test", "Ada");
    let new = make(&idp, "new@x.test", "Bea");
    let group = idp.group("Group 0", &[ada.clone(), new.clone()]);
    let own = idp.group("Own", std::slice::from_ref(&new));
    idp.post("/Users", &json!({ "userName": "nobody", "displayName": "Nobody" })).expect(201);
    assert_eq!(before, on_site(&site));
    // What was sent is there, with its id and members.
    assert_eq!(idp.get(&format!("/Groups/{group}")).expect(200).body["members"].as_array().unwrap().len(), 2);
    assert_eq!(
        counts(&idp),
        [
            (PlannedKind::LinkCustomer, 1),
            (PlannedKind::MakeCustomer, 1),
            (PlannedKind::AdoptOrganization, 1),
            (PlannedKind::MakeOrganization, 1)
        ]
    );
    let made = list(&idp, PlannedList::Kind(PlannedKind::MakeCustomer));
    assert_eq!((made[0].name.as_str(), made[0].resource.as_str()), ("Bea", new.as_str()));
    let values: Vec<_> = made[0].changes.iter().map(|change| (&*change.attribute, change.new.as_deref())).collect();
    assert!(values.contains(&("email", Some("new@x.test"))) && values.contains(&("displayName", Some("Bea"))));
    let linked = list(&idp, PlannedList::Kind(PlannedKind::LinkCustomer));
    assert_eq!(linked[0].customer.as_deref(), Some(site.customer("a0@x.test").unwrap().id.as_str()));
    let name = linked[0].changes.iter().find(|change| change.attribute == "displayName").unwrap();
    assert_eq!((name.old.as_deref(), name.new.as_deref()), (Some("Local"), Some("Ada")));
    assert_eq!(members(&idp, &group, MemberTurn::Come), ["new@x.test"]);
    assert_eq!(members(&idp, &group, MemberTurn::Go), ["a1@x.test"]);
    assert_eq!(members(&idp, &own, MemberTurn::Come), ["new@x.test"]);
    wait(&site);
    assert_eq!(before, on_site(&site));
    let plan = site.engine().plan(&idp.id).unwrap();
    let access = plan.access.unwrap();
    assert!(access.is_current);
    // Both have the open project anyway; the one who comes gets the restricted one, the one who goes loses it.
    assert_eq!(who(&idp, AccessTurn::Loses), [("Local".to_string(), vec!["Help".to_string()])]);
    assert_eq!(access.losing, 1);
    assert!(who(&idp, AccessTurn::Gains).iter().any(|(name, of)| name == "Bea" && of.contains(&"Help".to_string())));

    apply(&idp);
    site.surroundings.pass(2 * HOUR);
    site.sweep(1_000);
    let zero = site.organization("Group 0").unwrap();
    assert_eq!(site.members(zero).len(), 2);
    assert_eq!(site.members(site.organization("Own").unwrap()), ["new@x.test"]);
    assert!(counts(&idp).is_empty());
    let progress = site.engine().apply_progress(&idp.id).unwrap().unwrap();
    assert_eq!((progress.done, progress.of, progress.blocked, progress.stopped), (4, 4, 0, false));
}

#[test]
fn lists_are_in_the_order_of_names_and_found_by_their_beginning() {
    let site = Site::new();
    let idp = site.connect(&staged("idp"));
    for (at, name) in ["Zoe", "adam", "Ada", "Étienne", "Bo", "10", "9"].into_iter().enumerate() {
        make(&idp, &format!("u{at}@x.test"), name);
    }
    let made = PlannedList::Kind(PlannedKind::MakeCustomer);
    assert_eq!(names(&list(&idp, made)), ["10", "9", "Ada", "adam", "Bo", "Zoe", "Étienne"]);
    assert_eq!(found(&idp, made, "AD"), ["Ada", "adam"]);
    assert_eq!(found(&idp, made, "z"), ["Zoe"]);
    assert!(found(&idp, made, "x").is_empty());
    let engine = site.engine();
    assert!(engine.planned(&idp.id, made, None, Some("\u{e9}"), 2).is_err());
    assert!(engine.planned(&idp.id, made, None, None, 0).is_err());
    assert!(engine.planned("nothing", made, None, None, 2).is_err());
    assert!(engine.planned_members(&idp.id, "nothing", MemberTurn::Come, None, 2).is_err());
}

#[test]
fn what_the_site_changes_meanwhile_is_blocked_and_can_be_free_again() {
    let site = Site::new();
    let engine = site.engine();
    let linked = site.local_customer("linked@x.test");
    let adopted = engine.create_organization("ann", "Adopted").unwrap().id;
    let idp = site.connect(&staged("idp"));
    let other = site.connect(&settings("other"));
    let made = make(&idp, "made@x.test", "Made");
    let link = make(&idp, "linked@x.test", "Linked");
    let adopt = idp.group("Adopted", std::slice::from_ref(&link));
    let group = idp.group("Made", std::slice::from_ref(&made));

    // Another directory takes the address, the local customer is gone, the organizations get other names.
    let taken = other.user("made@x.test");
    engine.delete_customer("ann", &linked.id).unwrap();
    engine.rename_organization("ann", adopted, "Renamed").unwrap();
    let stranger = engine.create_organization("ann", "Made").unwrap().id;
    integrity::check(&site.storage);
    let blocked: BTreeMap<String, Option<Obstacle>> =
        list(&idp, PlannedList::Blocked).into_iter().map(|item| (item.resource, item.blocked)).collect();
    let expected = [
        (made.clone(), Some(Obstacle::AddressTaken)),
        (link.clone(), Some(Obstacle::CustomerChanged)),
        (adopt.clone(), Some(Obstacle::OrganizationChanged)),
        (group.clone(), Some(Obstacle::NameTaken)),
    ];
    assert_eq!(blocked, expected.into());
    assert!(counts(&idp).is_empty());
    assert_eq!(engine.plan(&idp.id).unwrap().blocked, 4);

    // What gives way is free again.
    engine.rename_organization("ann", stranger, "Elsewhere").unwrap();
    engine.rename_organization("ann", adopted, "Adopted").unwrap();
    assert_eq!(counts(&idp), [(PlannedKind::AdoptOrganization, 1), (PlannedKind::MakeOrganization, 1)]);
    engine.rename_organization("ann", stranger, "Made").unwrap();

    apply(&idp);
    assert_eq!(engine.apply_progress(&idp.id).unwrap().unwrap().blocked, 3);
    let why = |user: &str| {
        let page = engine.unlinked(&idp.id, None, 100).unwrap();
        page.values.into_iter().find(|one| one.id == user).map(|one| one.reason)
    };
    assert_eq!(why(&made), Some(UnlinkedReason::AddressTaken));
    assert_eq!(why(&link), Some(UnlinkedReason::AddressTaken));
    assert!(site.customer("linked@x.test").is_none());
    let apart: Vec<String> = engine
        .conflicts(&idp.id, None, 100)
        .unwrap()
        .values
        .into_iter()
        .map(|one| one.subject.id().to_string())
        .collect();
    assert_eq!(apart, std::slice::from_ref(&group));
    assert!(site.members(adopted).is_empty());
    // Once the address is free, it is linked with the next change.
    other.delete(&format!("/Users/{taken}")).expect(204);
    site.sweep(1_000);
    rename(&idp, &format!("/Users/{made}"), "Made again").expect(200);
    assert_eq!(site.customer("made@x.test").unwrap().display_name, "Made again");
    integrity::check(&site.storage);
}

#[test]
fn the_four_cases_of_a_name_that_is_there_already() {
    let cases = [(ConflictPolicy::Sync, 201), (ConflictPolicy::Skip, 201), (ConflictPolicy::Reject, 409)];
    for (policy, status) in cases {
        let site = Site::new();
        let engine = site.engine();
        let number = engine.create_organization("ann", "Team").unwrap().id;
        let before = seen(&site);
        let idp = site.connect(&Settings { conflict_policy: policy, ..staged("idp") });
        let answer = idp.post("/Groups", &json!({ "displayName": "Team" })).expect(status);
        assert_eq!(before, seen(&site));
        assert_eq!(counts(&idp).len(), usize::from(policy == ConflictPolicy::Sync));
        if policy == ConflictPolicy::Skip {
            let conflict = engine.conflicts(&idp.id, None, 10).unwrap().values.remove(0);
            assert_eq!(conflict.subject.id(), answer.id());
            // What an administrator decides while the directory is staged is planned as well.
            engine.resolve_conflict("ann", &idp.id, &answer.id(), &Resolution::Adopt).unwrap();
            assert_eq!(before, seen(&site));
            assert_eq!(counts(&idp), [(PlannedKind::AdoptOrganization, 1)]);
            integrity::check(&site.storage);
        }
        if policy == ConflictPolicy::Reject {
            continue;
        }
        apply(&idp);
        assert_eq!(engine.organization(number).unwrap().managed_by.as_ref(), Some(&idp.id));
    }
    // The name of a managed organization is refused whatever the policy.
    let site = Site::new();
    site.connect(&settings("first")).group("Team", &[]);
    let idp = site.connect(&staged("idp"));
    idp.post("/Groups", &json!({ "displayName": "Team" })).refused(409, "uniqueness");
    assert!(counts(&idp).is_empty());
}

#[test]
fn a_conflict_is_resolved_by_renaming_while_staged() {
    let site = Site::new();
    let engine = site.engine();
    engine.create_organization("ann", "Team").unwrap();
    let idp = site.connect(&Settings { conflict_policy: ConflictPolicy::Skip, ..staged("idp") });
    let group = idp.group("Team", &[]);
    let rename = Resolution::Rename("Old team".to_string());
    engine.resolve_conflict("ann", &idp.id, &group, &rename).unwrap();
    assert!(site.organization("Old team").is_some() && site.organization("Team").is_none());
    assert_eq!(counts(&idp), [(PlannedKind::MakeOrganization, 1)]);
    assert!(matches!(engine.repair_group("ann", &idp.id, &group), Err(Error::Refused(_))));
    integrity::check(&site.storage);
    apply(&idp);
    assert!(site.organization("Team").is_some());
}

#[test]
fn disconnecting_a_staged_directory_leaves_the_site_or_removes_what_it_managed() {
    for remove in [false, true] {
        let site = site_with(&[0], &[(0, vec![0])]);
        let engine = site.engine();
        let idp = site.connect(&settings("idp"));
        let [a, b] = ["a", "b"].map(|name| idp.user(&format!("{name}@x.test")));
        let team = idp.group("Team", &[a.clone(), b.clone()]);
        let local = make(&idp, "a0@x.test", "Linked");
        stage(&idp);
        idp.delete(&format!("/Users/{a}")).expect(204);
        let c = idp.user("c@x.test");
        idp.patch(&format!("/Groups/{team}"), json!([{ "op": "add", "path": "members", "value": [{ "value": c }] }]))
            .expect(200);
        idp.group("Group 0", &[local, c]);
        let before = seen(&site);
        engine.disconnect("ann", &idp.id, remove).unwrap();
        integrity::check(&site.storage);
        site.sweep(7);
        wait(&site);
        integrity::check(&site.storage);
        let after = seen(&site);
        let emails: Vec<String> = site.customers().into_iter().map(|customer| customer.email).collect();
        if remove {
            assert!(emails.is_empty(), "{emails:?}");
            assert!(site.organization("Team").is_none() && site.organization("Group 0").is_some());
        } else {
            // The same people in the same organizations, now local.
            assert_eq!(emails.len(), 3);
            let members = |seen: &Value| seen["organizations"]["Team"]["members"].clone();
            assert_eq!(
                (members(&before), after["organizations"]["Team"]["managed"].clone()),
                (members(&after), false.into())
            );
        }
        let left: Vec<String> = site.content().into_keys().filter(|key| key.contains(&idp.id)).collect();
        assert!(
            left.iter().all(|key| !["pl/", "pn/", "pg/", "pr/", "ap/"].iter().any(|of| key.starts_with(of))),
            "{left:?}"
        );
    }
}

#[test]
fn domains_and_rules_while_staged() {
    let site = Site::new();
    let engine = site.engine();
    site.local_customer("a@out.test");
    let help = engine.create_project("ann", "HELP", "Help", Audience::Restricted).unwrap().id;
    let idp = site.connect(&Settings { domains: vec!["in.test".to_string()], ..staged("idp") });
    let inside = make(&idp, "b@in.test", "In");
    let outside = make(&idp, "a@out.test", "Out");
    idp.group("Support", &[inside, outside]);
    assert_eq!(counts(&idp), [(PlannedKind::MakeCustomer, 1), (PlannedKind::MakeOrganization, 1)]);
    let wide = SettingsUpdate { domains: Some(Vec::new()), ..SettingsUpdate::default() };
    engine.update_directory("ann", &idp.id, &wide).unwrap();
    site.sweep(1_000);
    integrity::check(&site.storage);
    assert_eq!(counts(&idp)[0], (PlannedKind::LinkCustomer, 1));
    let rule = ProjectRule { pattern: "sup*".to_string(), projects: vec![help] };
    let ruled = SettingsUpdate { project_rules: Some(vec![rule]), ..SettingsUpdate::default() };
    engine.update_directory("ann", &idp.id, &ruled).unwrap();
    wait(&site);
    assert_eq!(engine.plan(&idp.id).unwrap().access.unwrap().gaining, 2);
    apply(&idp);
    let open = engine.projects_of(&site.customer("a@out.test").unwrap().id).unwrap();
    assert_eq!(open.into_iter().map(|open| open.project.id).collect::<Vec<_>>(), [help]);
}

#[test]
fn a_user_in_many_groups_is_deleted_while_staged() {
    let site = Site::new();
    site.retain(30);
    let idp = site.connect(&settings("idp"));
    let user = idp.user("a@x.test");
    let other = idp.user("b@x.test");
    let body =
        |at: usize| json!({ "displayName": format!("Group {at}"), "members": [{ "value": user }, { "value": other }] });
    idp.many("/Groups", (0..150).map(body));
    stage(&idp);
    let before = seen(&site);
    idp.delete(&format!("/Users/{user}")).expect(204);
    site.sweep(1_000);
    assert_eq!(before, seen(&site));
    integrity::check(&site.storage);
    assert_eq!(counts(&idp)[0], (PlannedKind::DeleteCustomer, 1));
    apply(&idp);
    assert_eq!(site.members(site.organization("Group 149").unwrap()), ["b@x.test"]);
}

#[test]
fn whom_the_provider_confirms_while_staged_outlasts_a_grace_that_began_before() {
    let site = Site::new();
    let team = site.engine().create_organization("ann", "Team").unwrap().id;
    let customers = ["a@x.test", "b@x.test"].map(|email| site.local_customer(email).id);
    site.engine().add_members("ann", team, &customers).unwrap();
    let idp = site.connect(&settings("idp"));
    let [a, _] = ["a@x.test", "b@x.test"].map(|email| idp.user(email));
    let group = idp.group("Team", &[]);
    stage(&idp);
    let add = json!([{ "op": "add", "path": "members", "value": [{ "value": a }] }]);
    idp.patch(&format!("/Groups/{group}"), add);
    assert!(counts(&idp).is_empty());
    site.surroundings.pass(2 * HOUR);
    site.sweep(1_000);
    assert_eq!(site.members(team), ["a@x.test"]);
    integrity::check(&site.storage);
    apply(&idp);
    assert_eq!(site.members(team), ["a@x.test"]);
}

#[test]
fn what_is_lost_is_said_although_the_new_name_is_blocked() {
    let site = Site::new();
    let engine = site.engine();
    let help = engine.create_project("ann", "HELP", "Help", Audience::Restricted).unwrap().id;
    let idp = site.connect(&settings("idp"));
    let user = make(&idp, "a@x.test", "Ann");
    let group = idp.group("Team", std::slice::from_ref(&user));
    engine.associate_organization("ann", help, site.organization("Team").unwrap(), true).unwrap();
    stage(&idp);
    let remove = json!([{ "op": "remove", "path": "members", "value": [{ "value": user }] }]);
    idp.patch(&format!("/Groups/{group}"), remove);
    rename(&idp, &format!("/Groups/{group}"), "Crew").expect(200);
    engine.create_organization("ann", "Crew").unwrap();
    wait(&site);
    assert_eq!(engine.plan(&idp.id).unwrap().blocked, 1);
    assert_eq!(who(&idp, AccessTurn::Loses), [("Ann".to_string(), vec!["Help".to_string()])]);
    apply(&idp);
    assert!(engine.projects_of(&site.customer("a@x.test").unwrap().id).unwrap().is_empty());
    assert!(site.organization("Team").is_some());
}

#[test]
fn who_leaves_the_domains_keeps_the_address_that_was_planned_before() {
    for is_staged in [false, true] {
        let site = Site::new();
        let domains = vec!["in.test".to_string()];
        let idp = site.connect(&Settings { email_change: EmailChange::Follow, domains, ..settings("idp") });
        let user = make(&idp, "a@in.test", "Ann");
        if is_staged {
            stage(&idp);
        }
        move_to(&idp, &user, "b@in.test").expect(200);
        make(&idp, "a@in.test", "Bea");
        move_to(&idp, &user, "c@out.test").expect(200);
        integrity::check(&site.storage);
        if is_staged {
            apply(&idp);
        }
        let shown =
            |email: &str| site.customer(email).map(|one| (one.display_name, one.active, one.managed_by.is_some()));
        assert_eq!(shown("b@in.test"), Some(("Ann".to_string(), false, false)));
        assert_eq!(shown("a@in.test"), Some(("Bea".to_string(), true, true)));
    }
}

#[test]
fn what_waits_for_something_that_is_blocked_is_blocked_as_well() {
    let site = Site::new();
    let engine = site.engine();
    let idp = site.connect(&Settings { email_change: EmailChange::Follow, ..settings("idp") });
    let first = make(&idp, "a@x.test", "Ann");
    stage(&idp);
    move_to(&idp, &first, "b@x.test").expect(200);
    make(&idp, "a@x.test", "Bea");
    let local = site.local_customer("b@x.test");
    assert_eq!(engine.plan(&idp.id).unwrap().blocked, 2);
    integrity::check(&site.storage);
    engine.delete_customer("ann", &local.id).unwrap();
    assert_eq!(engine.plan(&idp.id).unwrap().blocked, 0);
    // A deletion that is blocked frees nothing.
    let gone = site.local_customer("gone@x.test");
    let user = make(&idp, "gone@x.test", "Gone");
    idp.delete(&format!("/Users/{user}")).expect(204);
    assert_eq!(counts(&idp)[0], (PlannedKind::DeleteCustomer, 1));
    let moved = CustomerUpdate { email: Some("moved@x.test".to_string()), ..CustomerUpdate::default() };
    engine.update_customer("ann", &gone.id, &moved).unwrap();
    assert!(!site.content().into_iter().any(|(key, value)| key.starts_with("pl/") && value.contains("Gone")));
    make(&idp, "moved@x.test", "Moved");
    integrity::check(&site.storage);
    apply(&idp);
    assert_eq!(site.customer("moved@x.test").unwrap().id, gone.id);
    assert_eq!(site.customer("a@x.test").unwrap().display_name, "Bea");
}

#[test]
fn whoever_is_erased_is_in_no_plan() {
    let site = site_with(&[0, 1], &[(0, vec![0, 1])]);
    let engine = site.engine();
    site.retain(30);
    let idp = site.connect(&staged("idp"));
    idp.group("Group 0", &[]);
    let user = make(&idp, "a0@x.test", "Zoe Zebra");
    idp.delete(&format!("/Users/{user}")).expect(204);
    let rename = CustomerUpdate { display_name: Some("Yan Yak".to_string()), ..CustomerUpdate::default() };
    engine.update_customer("ann", &site.customer("a1@x.test").unwrap().id, &rename).unwrap();
    wait(&site);
    assert!(who(&idp, AccessTurn::Loses).iter().any(|(name, _)| name == "Yan Yak"));
    for address in ["a0@x.test", "a1@x.test"] {
        let id = site.customer(address).unwrap().id;
        engine.erase_customer("ann", &id).unwrap();
    }
    wait(&site);
    for word in ["Zebra", "Yak", "zebra", "yak"] {
        let left: Vec<(String, String)> = (site.content().into_iter())
            .filter(|(key, value)| !key.starts_with("c/") && (key.contains(word) || value.contains(word)))
            .collect();
        assert!(left.is_empty(), "{left:?}");
    }
    integrity::check(&site.storage);
}

#[test]
fn the_preview_of_a_conflict_knows_who_would_be_linked() {
    let site = Site::new();
    let engine = site.engine();
    let team = engine.create_organization("ann", "Team").unwrap().id;
    let customers = ["a@x.test", "b@x.test"].map(|email| site.local_customer(email).id);
    engine.add_members("ann", team, &customers).unwrap();
    let idp = site.connect(&Settings { conflict_policy: ConflictPolicy::Skip, ..staged("idp") });
    let users = ["a@x.test", "c@x.test"].map(|email| idp.user(email));
    let group = idp.group("Team", &users);
    let preview = engine.preview_conflict(&idp.id, &group).unwrap();
    assert_eq!((preview.added.count, preview.removed.first), (1, vec![customers[1].clone()]));
}

#[test]
fn an_adopted_organization_keeps_its_way_of_writing_the_name() {
    let site = Site::new();
    site.engine().create_organization("ann", "the team").unwrap();
    let idp = site.connect(&staged("idp"));
    let user = idp.user("a@x.test");
    let group = idp.group("The Team", &[]);
    apply(&idp);
    assert!(site.organization("the team").is_some());
    stage(&idp);
    idp.patch(&format!("/Groups/{group}"), json!([{ "op": "add", "path": "members", "value": [{ "value": user }] }]));
    let item = list(&idp, PlannedList::Kind(PlannedKind::ChangeMembers)).remove(0);
    assert!(item.changes.is_empty());
    apply(&idp);
    assert_eq!(site.members(site.organization("the team").unwrap()), ["a@x.test"]);
    // A new way of writing that the identity provider sends is followed.
    stage(&idp);
    rename(&idp, &format!("/Groups/{group}"), "THE TEAM").expect(200);
    apply(&idp);
    assert!(site.organization("THE TEAM").is_some());
}

#[test]
fn domains_that_are_narrowed_while_staged_take_over_nobody_outside() {
    let site = Site::new();
    let local = site.local_customer("a@out.test").id;
    let idp = site.connect(&staged("idp"));
    let user = make(&idp, "a@out.test", "Ann");
    make(&idp, "b@in.test", "Bea");
    let narrow = SettingsUpdate { domains: Some(vec!["in.test".to_string()]), ..SettingsUpdate::default() };
    site.engine().update_directory("ann", &idp.id, &narrow).unwrap();
    site.sweep(1_000);
    integrity::check(&site.storage);
    assert_eq!(counts(&idp), [(PlannedKind::MakeCustomer, 1)]);
    apply(&idp);
    assert_eq!(site.engine().customer(&local).unwrap().managed_by, None);
    let unlinked = site.engine().unlinked(&idp.id, None, 10).unwrap().values;
    assert_eq!((unlinked[0].id.as_str(), unlinked[0].reason), (user.as_str(), UnlinkedReason::OutsideDomains));
}

#[test]
fn a_membership_that_was_only_planned_never_was() {
    let site = Site::new();
    let engine = site.engine();
    let idp = site.connect(&settings("idp"));
    let user = idp.user("a@x.test");
    let group = idp.group("Team", &[]);
    let team = site.organization("Team").unwrap();
    stage(&idp);
    let add = json!([{ "op": "add", "path": "members", "value": [{ "value": user }] }]);
    idp.patch(&format!("/Groups/{group}"), add);
    idp.delete(&format!("/Groups/{group}")).expect(204);
    engine.unlink_customer("ann", &site.customer("a@x.test").unwrap().id).unwrap();
    integrity::check(&site.storage);
    assert!(site.members(team).is_empty());
    apply(&idp);

    // Many of them, of a user that is deleted: they go with it, whether the directory stays or not.
    for disconnects in [false, true] {
        let site = Site::new();
        let idp = site.connect(&settings("idp"));
        let user = idp.user("a@x.test");
        let groups = idp.many("/Groups", (0..150).map(|at| json!({ "displayName": format!("Group {at}") })));
        stage(&idp);
        for group in &groups {
            let add = json!([{ "op": "add", "path": "members", "value": [{ "value": user }] }]);
            idp.patch(&format!("/Groups/{group}"), add);
        }
        idp.delete(&format!("/Users/{user}")).expect(204);
        if disconnects {
            site.engine().disconnect("ann", &idp.id, false).unwrap();
            site.sweep(10);
        } else {
            apply(&idp);
            assert!(groups.iter().all(|group| {
                idp.get(&format!("/Groups/{group}")).body["members"].as_array().is_none_or(Vec::is_empty)
            }));
        }
        assert!(
            groups
                .iter()
                .enumerate()
                .all(|(at, _)| { site.members(site.organization(&format!("Group {at}")).unwrap()).is_empty() })
        );
        integrity::check(&site.storage);
    }
}

#[test]
fn whoever_waits_for_a_plan_that_changes_is_looked_at_anew() {
    let site = Site::new();
    let engine = site.engine();
    let domains = vec!["x.test".to_string()];
    site.local_customer("l@x.test");
    let idp = site.connect(&Settings { email_change: EmailChange::Follow, domains, ..staged("idp") });
    let first = make(&idp, "l@x.test", "First");
    move_to(&idp, &first, "moved@x.test").expect(200);
    make(&idp, "l@x.test", "Second");
    assert_eq!(counts(&idp), [(PlannedKind::LinkCustomer, 1), (PlannedKind::MakeCustomer, 1)]);
    move_to(&idp, &first, "away@y.test").expect(200);
    assert_eq!((counts(&idp), engine.plan(&idp.id).unwrap().blocked), (vec![], 1));
    integrity::check(&site.storage);
}

#[test]
fn one_local_customer_is_planned_for_one_user() {
    let site = Site::new();
    let engine = site.engine();
    let local = site.local_customer("l@x.test");
    let idp = site.connect(&Settings { email_change: EmailChange::Follow, ..staged("idp") });
    let first = make(&idp, "l@x.test", "First");
    move_to(&idp, &first, "moved@x.test").expect(200);
    let stranger = site.local_customer("moved@x.test");
    make(&idp, "l@x.test", "Second");
    engine.delete_customer("ann", &stranger.id).unwrap();
    integrity::check(&site.storage);
    assert_eq!(counts(&idp), [(PlannedKind::LinkCustomer, 1)]);
    apply(&idp);
    assert_eq!(site.customer("moved@x.test").unwrap().id, local.id);
}
