//! Applying the plan of a staged directory: in steps, with what is pushed meanwhile, exchanges of addresses and names, and the
//! limit of deletions.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use usher_engine::directories::{ConflictPolicy, EmailChange, Error, Mode, Settings, SettingsUpdate};
use usher_engine::provisioning::planned_members::MemberTurn;
use usher_engine::provisioning::plans::{PlannedKind, PlannedList};
use usher_engine::site::customers::CustomerUpdate;

use super::integrity;
use super::site::{Site, settings};
use super::staging::{
    HOUR, apply, counts, list, make, members, mode, move_to, rename, seen, stage, staged, step, wait,
};

#[test]
fn staged_again_the_site_stands_still_until_the_next_apply() {
    let site = Site::new();
    let engine = site.engine();
    let settings = Settings { email_change: EmailChange::Follow, ..settings("idp") };
    let idp = site.connect(&settings);
    let [ann, ben, cleo, dan] = ["a", "b", "c", "d"].map(|name| idp.user(&format!("{name}@x.test")));
    let team = idp.group("Team", &[ann.clone(), ben.clone(), cleo.clone()]);
    let gone = idp.group("Gone", std::slice::from_ref(&ann));
    stage(&idp);
    let before = (seen(&site), site.customers());
    move_to(&idp, &ann, "b2@x.test").expect(200);
    move_to(&idp, &ben, "a@x.test").expect(200);
    move_to(&idp, &ann, "b@x.test").expect(200);
    idp.patch(&format!("/Users/{cleo}"), json!([{ "op": "replace", "path": "active", "value": false }])).expect(200);
    idp.delete(&format!("/Users/{dan}")).expect(204);
    idp.delete(&format!("/Groups/{gone}")).expect(204);
    let path = format!("/Groups/{team}");
    rename(&idp, &path, "Crew").expect(200);
    idp.patch(&path, json!([{ "op": "remove", "path": "members", "value": [{ "value": ben }] }])).expect(200);
    let eve = idp.user("e@x.test");
    idp.patch(&path, json!([{ "op": "add", "path": "members", "value": [{ "value": eve }] }])).expect(200);
    assert_eq!(before, (seen(&site), site.customers()));
    assert_eq!(
        counts(&idp),
        [
            (PlannedKind::DeleteCustomer, 1),
            (PlannedKind::DeactivateCustomer, 1),
            (PlannedKind::MakeCustomer, 1),
            (PlannedKind::ChangeCustomer, 2),
            (PlannedKind::RenameOrganization, 1),
            (PlannedKind::DeleteOrganization, 1)
        ]
    );
    let item = list(&idp, PlannedList::Kind(PlannedKind::RenameOrganization)).remove(0);
    assert_eq!((item.come, item.go, item.members), (1, 1, Some(3)));
    assert_eq!(members(&idp, &team, MemberTurn::Come), ["e@x.test"]);
    assert_eq!(members(&idp, &team, MemberTurn::Go), ["b@x.test"]);
    // What is planned cannot be unlinked, and the directory goes live by its plan alone.
    let customer = site.customer("a@x.test").unwrap().id;
    assert!(engine.unlink_customer("ann", &customer).is_err());
    let live = SettingsUpdate { mode: Some(Mode::Live), ..SettingsUpdate::default() };
    assert!(matches!(engine.update_directory("ann", &idp.id, &live), Err(Error::Refused(_))));
    apply(&idp);
    let crew = site.organization("Crew").unwrap();
    let of_crew: BTreeSet<String> = site.members(crew).into_iter().collect();
    assert_eq!(of_crew, ["b@x.test", "c@x.test", "e@x.test"].map(String::from).into());
    assert!(site.customer("d@x.test").is_none() && site.organization("Gone").is_none());
    assert!(!site.customer("c@x.test").unwrap().active);
    assert_eq!(site.customer("b@x.test").unwrap().id, customer);
}

#[test]
fn the_deletion_guard_asks_at_apply_how_many_may_go() {
    let site = Site::new();
    let engine = site.engine();
    let idp = site.connect(&Settings { deletion_limit: Some(2), ..settings("idp") });
    let users: Vec<String> = (0..5).map(|at| idp.user(&format!("u{at}@x.test"))).collect();
    stage(&idp);
    for user in &users[..4] {
        // Nobody holds what is only planned.
        idp.delete(&format!("/Users/{user}")).expect(204);
    }
    let plan = engine.plan(&idp.id).unwrap();
    assert_eq!((plan.going, plan.limit), (4, Some(2)));
    for accepted in [None, Some(3)] {
        let Err(Error::Refused(detail)) = engine.apply_plan("ann", &idp.id, accepted) else { panic!("not asked") };
        assert!(detail.contains("4 would go") && detail.contains("accept 4"), "{detail}");
    }
    assert_eq!((mode(&idp), site.customers().len()), (Mode::Staged, 5));
    engine.apply_plan("ann", &idp.id, Some(4)).unwrap();
    site.sweep(1_000);
    assert_eq!((mode(&idp), site.customers().len()), (Mode::Live, 1));
    assert!(matches!(engine.apply_plan("ann", &idp.id, None), Err(Error::Refused(_))));
}

#[test]
fn what_is_pushed_during_an_apply_is_done_with_the_rest() {
    let site = Site::new();
    let engine = site.engine();
    let idp = site.connect(&staged("idp"));
    let body = |at: usize| json!({ "userName": format!("u{at}@x.test"), "displayName": format!("User {at}") });
    let users = idp.many("/Users", (0..600).map(body));
    let group = idp.group("Team", &users[..10]);
    engine.apply_plan("ann", &idp.id, None).unwrap();
    step(&idp);
    let progress = engine.apply_progress(&idp.id).unwrap().unwrap();
    assert!((1..601).contains(&progress.done) && progress.of == 601, "{progress:?}");
    assert_eq!((mode(&idp), progress.ended), (Mode::Applying, None));
    integrity::check(&site.storage);
    idp.delete(&format!("/Users/{}", users[0])).expect(204);
    idp.delete(&format!("/Users/{}", users[599])).expect(204);
    let late = idp.user("late@x.test");
    idp.patch(&format!("/Groups/{group}"), json!([{ "op": "add", "path": "members", "value": [{ "value": late }] }]))
        .expect(200);
    integrity::check(&site.storage);
    site.sweep(1_000);
    assert_eq!((mode(&idp), site.customers().len()), (Mode::Live, 599));
    assert_eq!(site.members(site.organization("Team").unwrap()).len(), 10);
    integrity::check(&site.storage);
}

#[test]
fn an_apply_can_be_stopped_and_begun_again() {
    let site = Site::new();
    let engine = site.engine();
    let idp = site.connect(&staged("idp"));
    let body = |at: usize| json!({ "userName": format!("u{at}@x.test"), "displayName": format!("User {at}") });
    idp.many("/Users", (0..600).map(body));
    engine.apply_plan("ann", &idp.id, None).unwrap();
    step(&idp);
    stage(&idp);
    let there = site.customers().len();
    site.sweep(1_000);
    let progress = engine.apply_progress(&idp.id).unwrap().unwrap();
    assert!(progress.stopped && progress.ended.is_some());
    assert_eq!((mode(&idp), site.customers().len()), (Mode::Staged, there));
    integrity::check(&site.storage);
    apply(&idp);
    assert_eq!(site.customers().len(), 600);
}

#[test]
fn organizations_with_many_members_are_changed_in_steps() {
    let site = Site::new();
    let idp = site.connect(&settings("idp"));
    let body = |at: usize| json!({ "userName": format!("u{at}@x.test") });
    let users = idp.many("/Users", (0..2_000).map(body));
    let values = |users: &[String]| -> Value { users.iter().map(|id| json!({ "value": id })).collect() };
    let left = idp.group("Left", &[]);
    let right = idp.group("Right", &[]);
    let add = |group: &str, users: &[String]| {
        for some in users.chunks(1_000) {
            let add = json!([{ "op": "add", "path": "members", "value": values(some) }]);
            idp.patch(&format!("/Groups/{group}"), add);
        }
    };
    add(&left, &users[..1_000]);
    add(&right, &users[1_000..]);
    stage(&idp);
    // They exchange their names and their members.
    for (group, name) in [(&left, "Between"), (&right, "Left"), (&left, "Right")] {
        assert!(rename(&idp, &format!("/Groups/{group}"), name).status < 300);
    }
    for (group, users) in [(&left, &users[1_000..]), (&right, &users[..1_000])] {
        let replace = json!([{ "op": "replace", "path": "members", "value": values(users) }]);
        idp.patch(&format!("/Groups/{group}"), replace);
    }
    let numbers = ["Left", "Right"].map(|name| site.organization(name).unwrap());
    assert_eq!(counts(&idp), [(PlannedKind::RenameOrganization, 2)]);
    site.engine().apply_plan("ann", &idp.id, None).unwrap();
    while site.engine().upkeep_step(1_000).unwrap().more {
        integrity::check(&site.storage);
    }
    assert_eq!(mode(&idp), Mode::Live);
    assert_eq!(["Right", "Left"].map(|name| site.organization(name).unwrap()), numbers);
    let of: BTreeSet<String> = site.members(numbers[0]).into_iter().collect();
    assert_eq!(of, (1_000..2_000).map(|at| format!("u{at}@x.test")).collect());
}

#[test]
fn long_rows_of_addresses_are_done_and_rings_that_are_too_long_are_blocked() {
    let site = Site::new();
    let engine = site.engine();
    let idp = site.connect(&Settings { email_change: EmailChange::Follow, ..settings("idp") });
    let address = |at: usize| format!("u{at:05}@x.test");
    let body = |at: usize| json!({ "userName": format!("n{at}"), "displayName": format!("{at:05}"), "emails": [{ "value": address(at) }] });
    let users = idp.many("/Users", (0..1_500).map(body));
    let addresses = || -> BTreeMap<String, String> {
        let content = site.content();
        content.into_iter().filter_map(|(key, id)| Some((key.strip_prefix("cm/")?.to_string(), id))).collect()
    };
    let first = addresses();
    let shift = |last: usize| {
        // Each takes the address of the next, who gives it up.
        move_to(&idp, &users[last - 1], "spare@x.test").expect(200);
        for at in (0..last - 1).rev() {
            move_to(&idp, &users[at], &address(at + 1)).expect(200);
        }
    };
    stage(&idp);
    shift(1_500);
    engine.apply_plan("ann", &idp.id, None).unwrap();
    let mut steps = 0;
    while engine.upkeep_step(1_000).unwrap().more {
        steps += 1;
    }
    assert!(steps > 2, "{steps}");
    integrity::check(&site.storage);
    let now = addresses();
    assert_eq!(now[&address(1)], first[&address(0)]);
    assert_eq!(now["spare@x.test"], first[&address(1_499)]);
    assert_eq!(now.len(), 1_500);
    assert_eq!(engine.apply_progress(&idp.id).unwrap().unwrap().blocked, 0);

    // The first takes what the last gives up: nobody is first.
    stage(&idp);
    move_to(&idp, &users[1_499], "free@x.test").expect(200);
    for at in (0..1_499).rev() {
        move_to(&idp, &users[at], &if at == 1_498 { "spare@x.test".to_string() } else { address(at + 2) }).expect(200);
    }
    move_to(&idp, &users[1_499], &address(1)).expect(200);
    engine.apply_plan("ann", &idp.id, None).unwrap();
    while engine.upkeep_step(1_000).unwrap().more {}
    integrity::check(&site.storage);
    assert_eq!(mode(&idp), Mode::Live);
    assert_eq!(engine.apply_progress(&idp.id).unwrap().unwrap().blocked, 1_500);
    assert_eq!(now, addresses());
}

#[test]
fn local_ones_exchange_their_addresses_and_names() {
    let site = Site::new();
    let engine = site.engine();
    let customers = ["a@x.test", "b@x.test"].map(|email| site.local_customer(email).id);
    let [one, two] = ["One", "Two"].map(|name| engine.create_organization("ann", name).unwrap().id);
    let idp = site.connect(&Settings { email_change: EmailChange::Follow, ..staged("idp") });
    let [a, b] = ["a@x.test", "b@x.test"].map(|email| make(&idp, email, email));
    let groups = ["One", "Two"].map(|name| idp.group(name, &[]));
    for (user, address) in [(&a, "c@x.test"), (&b, "a@x.test"), (&a, "b@x.test")] {
        move_to(&idp, user, address).expect(200);
    }
    for (group, name) in [(&groups[0], "Three"), (&groups[1], "One"), (&groups[0], "Two")] {
        rename(&idp, &format!("/Groups/{group}"), name).expect(200);
    }
    integrity::check(&site.storage);
    apply(&idp);
    assert_eq!(engine.apply_progress(&idp.id).unwrap().unwrap().blocked, 0);
    assert_eq!(["b@x.test", "a@x.test"].map(|email| site.customer(email).unwrap().id), customers);
    assert_eq!(["Two", "One"].map(|name| site.organization(name)), [Some(one), Some(two)]);
    assert!(site.customers().into_iter().all(|customer| customer.managed_by.is_some()));
}

#[test]
fn an_apply_waits_for_an_organization_that_is_still_being_unlinked() {
    let site = Site::new();
    let engine = site.engine();
    let team = engine.create_organization("ann", "Team").unwrap().id;
    let planner = site.connect(&staged("planner"));
    let group = planner.group("Team", &[]);
    let other = site.connect(&settings("other"));
    let body = |at: usize| json!({ "userName": format!("u{at}@x.test") });
    let users = other.many("/Users", (0..2_500).map(body));
    let members: Vec<Value> = users.iter().map(|id| json!({ "value": id })).collect();
    other.post("/Groups", &json!({ "displayName": "Team", "members": members })).expect(201);
    assert_eq!(engine.plan(&planner.id).unwrap().blocked, 1);
    engine.unlink_organization("ann", team).unwrap();
    engine.apply_plan("ann", &planner.id, None).unwrap();
    wait(&site);
    assert_eq!(mode(&planner), Mode::Live);
    assert_eq!(engine.organization(team).unwrap().managed_by.as_ref(), Some(&planner.id));
    assert_eq!(planner.get(&format!("/Groups/{group}")).expect(200).header("etag"), Some("W/\"1\""));
    integrity::check(&site.storage);
}

#[test]
fn who_is_linked_and_inactive_goes_as_well() {
    let site = Site::new();
    let engine = site.engine();
    let idp = site.connect(&Settings { deletion_limit: Some(1), ..staged("idp") });
    for name in ["a@x.test", "b@x.test"] {
        site.local_customer(name);
        let user = idp.user(name);
        idp.patch(&format!("/Users/{user}"), json!([{ "op": "replace", "path": "active", "value": false }]))
            .expect(200);
    }
    assert_eq!(counts(&idp), [(PlannedKind::LinkCustomer, 2)]);
    assert_eq!(engine.plan(&idp.id).unwrap().going, 2);
    assert!(matches!(engine.apply_plan("ann", &idp.id, None), Err(Error::Refused(_))));
    apply(&idp);
    assert!(site.customers().iter().all(|customer| !customer.active));
}

#[test]
fn who_is_inside_again_when_the_plan_is_applied_stays_linked() {
    let site = Site::new();
    let domains = vec!["in.test".to_string()];
    let idp = site.connect(&Settings { email_change: EmailChange::Follow, domains, ..settings("idp") });
    let user = make(&idp, "a@in.test", "Ann");
    stage(&idp);
    move_to(&idp, &user, "a@new.test").expect(200);
    assert_eq!(counts(&idp), [(PlannedKind::UnlinkCustomer, 1)]);
    let domains = Some(vec!["in.test".to_string(), "new.test".to_string()]);
    let wider = SettingsUpdate { domains, ..SettingsUpdate::default() };
    site.engine().update_directory("ann", &idp.id, &wider).unwrap();
    apply(&idp);
    let customer = site.customer("a@new.test").unwrap();
    assert!(customer.active && customer.managed_by.is_some());
}

#[test]
fn who_goes_is_counted_anew_when_the_site_changes_a_status() {
    let site = Site::new();
    let engine = site.engine();
    let local = site.local_customer("a@x.test");
    let status = |active| CustomerUpdate { active: Some(active), ..CustomerUpdate::default() };
    engine.update_customer("ann", &local.id, &status(false)).unwrap();
    let idp = site.connect(&Settings { deletion_limit: Some(0), ..staged("idp") });
    let body = json!({ "userName": "a@x.test", "active": false });
    idp.post("/Users", &body).expect(201);
    assert_eq!(engine.plan(&idp.id).unwrap().going, 0);
    engine.update_customer("ann", &local.id, &status(true)).unwrap();
    assert_eq!(engine.plan(&idp.id).unwrap().going, 1);
    let Err(Error::Refused(detail)) = engine.apply_plan("ann", &idp.id, None) else { panic!("not asked") };
    assert!(detail.contains("1 deactivated"), "{detail}");
    integrity::check(&site.storage);
}

#[test]
fn who_leaves_the_domains_during_an_apply_is_held_past_the_limit() {
    let site = Site::new();
    let engine = site.engine();
    let settings = settings("idp");
    let domains = vec!["in.test".to_string()];
    let settings = Settings { email_change: EmailChange::Follow, deletion_limit: Some(1), domains, ..settings };
    let idp = site.connect(&settings);
    let users: Vec<String> = (0..3).map(|at| make(&idp, &format!("u{at}@in.test"), &format!("User {at}"))).collect();
    stage(&idp);
    engine.apply_plan("ann", &idp.id, None).unwrap();
    let statuses: Vec<u16> =
        users.iter().enumerate().map(|(at, user)| move_to(&idp, user, &format!("u{at}@out.test")).status).collect();
    assert_eq!(statuses, [200, 503, 503]);
    site.sweep(1_000);
    integrity::check(&site.storage);
}

#[test]
fn whose_customer_is_linked_with_the_adoption_does_not_go() {
    let site = Site::new();
    let customers = ["ann@example.com", "bea@example.com"].map(|email| site.local_customer(email).id);
    let organization = site.engine().create_organization("ann", "Staff").unwrap().id;
    site.engine().add_members("ann", organization, &customers).unwrap();
    let directory = site.connect(&Settings { conflict_policy: ConflictPolicy::Sync, ..staged("idp") });
    let users = ["ann@example.com", "cid@example.com"].map(|name| directory.user(name));
    let group = directory.group("Staff", &users);
    let of = |turn| {
        let page = site.engine().planned_members(&directory.id, &group, turn, None, 10).unwrap();
        page.values.into_iter().map(|member| member.email.unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(
        (of(MemberTurn::Come), of(MemberTurn::Go)),
        (vec!["cid@example.com".into()], vec!["bea@example.com".into()])
    );
    apply(&directory);
    site.surroundings.pass(2 * HOUR);
    site.sweep(1_000);
    assert_eq!(site.members(organization), ["ann@example.com", "cid@example.com"]);
}
