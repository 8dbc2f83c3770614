//! The change feed. That it suffices to rebuild what there is, `integrity` checks after every step of every test.

use std::sync::Arc;

use serde_json::{Value, json};
use usher_engine::changes::{Change, ChangeKind, Error, Filter, Name, Subject};
use usher_engine::site::projects::Audience;

use super::integrity;
use super::site::{Site, settings};

#[test]
fn changes_say_who_did_what_to_what() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let user = directory.user("ann@x.test");
    let headers = [("X-Request-Id", "r-1")];
    let body = json!({ "displayName": "Staff", "members": [{ "value": user }] });
    let group = directory.send_with("POST", "/Groups", &body, &headers).expect(201).id();
    let patch = json!({ "Operations": [{ "op": "replace", "path": "title", "value": "t" }, { "op": "replace", "path": "nickName", "value": "n" }] });
    directory.send_with("PATCH", &format!("/Users/{user}"), &patch, &[("X-Request-Id", &"x".repeat(129))]).expect(200);
    let rename =
        json!([{ "op": "replace", "path": "displayName", "value": "All" }, { "op": "remove", "path": "members" }]);
    directory.patch(&format!("/Groups/{group}"), rename).expect(200);
    directory.delete(&format!("/Groups/{group}")).expect(204);
    directory.delete(&format!("/Users/{user}")).expect(204);
    let changes = site.engine().changes(0, 1_000).unwrap();
    let id = &directory.id;
    let key = directory.key.split_once('.').unwrap().0;
    let expected = [
        ("directory.connected", json!({ "directory": id })),
        ("key.issued", json!({ "directory": id, "key": key })),
        ("user.created", json!({ "directory": id, "user": user })),
        ("customer.created", json!({ "customer": user, "user": user })),
        ("group.created", json!({ "directory": id, "group": group })),
        ("organization.created", json!({ "organization": 1, "group": group })),
        ("group.members-added", json!({ "directory": id, "group": group, "organization": 1, "members": [user] })),
        ("user.updated", json!({ "directory": id, "user": user, "changed": ["title", "nickName"] })),
        ("group.updated", json!({ "directory": id, "group": group, "changed": ["displayName"] })),
        ("organization.renamed", json!({ "organization": 1 })),
        ("group.members-removed", json!({ "directory": id, "group": group, "organization": 1, "members": [user] })),
        ("group.deleted", json!({ "directory": id, "group": group })),
        ("organization.deleted", json!({ "organization": 1 })),
        ("user.deleted", json!({ "directory": id, "user": user })),
        ("customer.deleted", json!({ "customer": user })),
    ];
    let seen: Vec<(&str, Value)> =
        changes.iter().map(|change| (change.kind.as_str(), serde_json::from_str(&change.detail).unwrap())).collect();
    assert_eq!(seen, expected);
    for (at, change) in changes.iter().enumerate() {
        assert_eq!(change.sequence, at as u64 + 1);
        assert_eq!(change.actor, if at < 2 { "admin:ann".to_string() } else { format!("directory:{id}") });
        assert_eq!(change.request.as_deref(), matches!(at, 4..=6).then_some("r-1"));
    }
    assert!(changes.is_sorted_by_key(|change| change.at));
}

#[test]
fn it_is_read_from_any_position() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    directory.many("/Users", (0..20).map(|n| json!({ "userName": format!("u{n}") })));
    let all = site.engine().changes(0, 1_000).unwrap();
    for after in 0..=all.len() {
        let page = site.engine().changes(after as u64, 5).unwrap();
        assert_eq!(page, all.iter().skip(after).take(5).cloned().collect::<Vec<_>>());
    }
    assert!(site.engine().changes(u64::MAX, 1).unwrap().is_empty());
    for limit in [0, 1_001] {
        assert!(matches!(site.engine().changes(0, limit), Err(Error::Invalid(_))));
    }
}

/// A change names a bounded number of members; the next one goes on.
#[test]
fn many_members_are_many_changes() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let users = directory.many("/Users", (0..2_500).map(|n| json!({ "userName": format!("u{n}") })));
    let before = site.engine().changes(0, 1_000).unwrap().len() as u64;
    let mut position = before;
    while let Some(last) = site.engine().changes(position, 1_000).unwrap().last() {
        position = last.sequence;
    }
    directory.group("All", &users);
    let changes = site.engine().changes(position, 1_000).unwrap();
    let members: Vec<usize> = changes
        .iter()
        .filter(|change| change.kind == "group.members-added")
        .map(|change| {
            let detail: Value = serde_json::from_str(&change.detail).unwrap();
            detail["members"].as_array().unwrap().len()
        })
        .collect();
    assert_eq!(members, [1_000, 1_000, 500]);
}

#[test]
fn refused_keys_of_administrators_are_one_entry_with_count_and_times() {
    use usher_engine::site::Error as SiteError;
    let site = Site::new();
    let before = site.engine().changes(0, 1_000).unwrap().len() as u64;
    site.engine().note_refused_keys(3_000, 1_750_000_000_000, 1_750_000_000_400).unwrap();
    let changes = site.engine().changes(before, 10).unwrap();
    let [change] = &changes[..] else { panic!("one entry: {changes:?}") };
    assert_eq!((change.kind.as_str(), change.actor.as_str()), ("admin-key.refused", "usher"));
    let expected = r#"{"count":3000,"first":"2025-06-15T15:06:40.000Z","last":"2025-06-15T15:06:40.400Z"}"#;
    assert_eq!(change.detail, expected);
    for (count, first, last) in [(0, 1, 2), (1, 2, 1)] {
        assert!(matches!(site.engine().note_refused_keys(count, first, last), Err(SiteError::Invalid(_))));
    }
}

#[test]
fn the_contract_lists_every_kind_of_change() {
    let contract = include_str!("../../../wit/changes.wit");
    let listed = contract.lines().filter_map(|line| line.trim().strip_prefix("/// - `")?.split('`').next());
    assert!(listed.eq(ChangeKind::ALL.iter().map(|kind| kind.text())));
}

/// Such as after going back to the version before.
#[test]
fn a_kind_that_a_later_version_wrote_is_read_as_it_is() {
    let site = Site::new();
    site.connect(&settings("idp"));
    let mut entries = (*site.storage.snapshot()).clone();
    let changed = entries.values_mut().filter(|value| value.contains("\"key.issued\""));
    changed.for_each(|value| *value = value.replace("key.issued", "key.blessed"));
    site.storage.restore(&Arc::new(entries));
    let kinds: Vec<String> = site.engine().changes(0, 10).unwrap().into_iter().map(|change| change.kind).collect();
    assert_eq!(kinds, ["directory.connected", "key.blessed"]);
}

/// The changes that fit a filter, gone through in calls for so many.
fn among(site: &Site, filter: &Filter, limit: u32) -> Vec<Change> {
    let (mut after, mut found) = (0, Vec::new());
    loop {
        let part = site.engine().changes_among(after, filter, limit).unwrap();
        assert!(part.changes.len() <= limit as usize && part.position >= after);
        assert!(part.changes.iter().all(|change| (after + 1..=part.position).contains(&change.sequence)));
        after = part.position;
        found.extend(part.changes);
        if !part.more {
            assert!(site.engine().changes(after, 1).unwrap().is_empty());
            return found;
        }
    }
}

/// The same on the way back, newest first.
fn among_back(site: &Site, filter: &Filter, limit: u32) -> Vec<Change> {
    let (mut before, mut found) = (None, Vec::new());
    loop {
        let part = site.engine().changes_back(before, filter, limit).unwrap();
        assert!(part.changes.len() <= limit as usize);
        let looked_at = part.position..before.unwrap_or(u64::MAX);
        assert!(part.changes.iter().all(|change| looked_at.contains(&change.sequence)));
        before = Some(part.position);
        found.extend(part.changes);
        if !part.more {
            return found;
        }
    }
}

/// Whether a change is one that was asked for.
type Fits<'t> = Box<dyn Fn(&Change) -> bool + 't>;

#[test]
fn it_can_be_asked_by_kind_actor_and_subject() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let [ann, bob] = ["ann@x.test", "bob@x.test"].map(|name| directory.user(name));
    let group = directory.group("Staff", std::slice::from_ref(&ann));
    let members = |op: &str, id: &String| json!([{ "op": op, "path": "members", "value": [{ "value": id }] }]);
    directory.patch(&format!("/Groups/{group}"), members("add", &bob)).expect(200);
    directory.patch(&format!("/Groups/{group}"), members("remove", &ann)).expect(200);
    let guests = site.engine().create_organization("eve", "Guests").unwrap().id;
    let local = site.local_customer("local@x.test").id;
    site.engine().add_members("eve", guests, &[local.clone(), ann.clone()]).unwrap();
    let desk = site.engine().create_project("ann", "DESK", "Desk", Audience::Restricted).unwrap().id;
    site.engine().associate_organization("ann", desk, guests, true).unwrap();
    let all = site.engine().changes(0, 1_000).unwrap();
    let detail = |change: &Change| serde_json::from_str::<Value>(&change.detail).unwrap();
    let has = |change: &Change, name: &str, id: &str| detail(change)[name] == id;
    let lists = |change: &Change, kind: &str, id: &String| {
        change.kind.starts_with(kind)
            && detail(change)["members"].as_array().is_some_and(|all| all.contains(&json!(id)))
    };
    let text = |id: &String| Some(id.clone());
    let open = Filter::default();
    let cases: Vec<(Filter, usize, Fits<'_>)> = vec![
        (open.clone(), all.len(), Box::new(|_| true)),
        (
            Filter { kinds: vec!["user.created".into(), "organization.created".into()], ..open.clone() },
            4,
            Box::new(|change| matches!(change.kind.as_str(), "user.created" | "organization.created")),
        ),
        (Filter { actor: Some("admin:eve".into()), ..open.clone() }, 2, Box::new(|change| change.actor == "admin:eve")),
        (
            Filter { directory: text(&directory.id), ..open.clone() },
            8,
            Box::new(|change| has(change, "directory", &directory.id)),
        ),
        (
            Filter { user: text(&ann), ..open.clone() },
            4,
            Box::new(|change| has(change, "user", &ann) || lists(change, "group.", &ann)),
        ),
        // The customer has the id of its user, and was not in the group: the user was.
        (
            Filter { customer: text(&ann), ..open.clone() },
            2,
            Box::new(|change| has(change, "customer", &ann) || lists(change, "organization.", &ann)),
        ),
        (Filter { group: text(&group), ..open.clone() }, 5, Box::new(|change| has(change, "group", &group))),
        (
            Filter { organization: Some(guests), ..open.clone() },
            3,
            Box::new(move |change| detail(change)["organization"] == guests),
        ),
        (Filter { project: Some(desk), ..open.clone() }, 2, Box::new(move |change| detail(change)["project"] == desk)),
        (
            Filter { kinds: vec!["organization.members-added".into()], customer: text(&local), ..open.clone() },
            1,
            Box::new(|change| lists(change, "organization.members-added", &local)),
        ),
        (Filter { kinds: vec!["key.issued".into()], project: Some(desk), ..open.clone() }, 0, Box::new(|_| false)),
        (Filter { user: Some("nobody".into()), ..open.clone() }, 0, Box::new(|_| false)),
    ];
    for (filter, count, fits) in cases {
        let expected: Vec<Change> = all.iter().filter(|change| fits(change)).cloned().collect();
        assert_eq!(expected.len(), count, "{filter:?}");
        for limit in [1, 2, 1_000] {
            assert_eq!(among(&site, &filter, limit), expected, "{filter:?}");
            let back: Vec<Change> = expected.iter().rev().cloned().collect();
            assert_eq!(among_back(&site, &filter, limit), back, "{filter:?}");
        }
    }
    let unknown = Filter { kinds: vec!["user.blessed".into()], ..open.clone() };
    let too_many = Filter { kinds: vec!["user.created".into(); 1_000], ..open.clone() };
    for (filter, limit) in [(&unknown, 1), (&too_many, 1), (&open, 0), (&open, 1_001)] {
        assert!(matches!(site.engine().changes_among(0, filter, limit), Err(Error::Invalid(_))));
        assert!(matches!(site.engine().changes_back(None, filter, limit), Err(Error::Invalid(_))));
    }
    let end = site.engine().changes_among(u64::MAX, &open, 1).unwrap();
    assert_eq!((end.changes.len(), end.position, end.more), (0, u64::MAX, false));
    let behind = site.engine().changes_among(1_000, &open, 1).unwrap();
    assert_eq!((behind.position, behind.more), (1_000, false));
    for (before, count, more) in [(0, 0, false), (1, 0, false), (2, 1, false), (3, 1, true), (u64::MAX, 1, true)] {
        let part = site.engine().changes_back(Some(before), &open, 1).unwrap();
        assert_eq!((part.changes.len(), part.more), (count, more), "before {before}");
    }
}

#[test]
fn the_position_of_a_time_is_that_of_the_last_change_before_it() {
    let site = Site::new();
    assert_eq!(site.engine().changes_before_time(u64::MAX).unwrap(), 0);
    let directory = site.connect(&settings("idp"));
    for name in ["ann@x.test", "bob@x.test", "eve@x.test"] {
        site.surroundings.pass(1_000);
        directory.user(name);
    }
    let all = site.engine().changes(0, 1_000).unwrap();
    let times = all.iter().flat_map(|change| [change.at - 1, change.at, change.at + 1]);
    for time in times.chain([0, u64::MAX]) {
        let expected = all.iter().filter(|change| change.at < time).count() as u64;
        assert_eq!(site.engine().changes_before_time(time).unwrap(), expected, "at {time}");
    }
}

#[test]
fn what_changes_are_about_has_a_name() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let id = directory.id.clone();
    let [ann, bob] = ["ann@x.test", "bob@x.test"].map(|name| directory.user(name));
    let group = directory.group("Staff", std::slice::from_ref(&ann));
    let staff = site.organization("Staff").unwrap();
    let guests = site.engine().create_organization("eve", "Guests").unwrap().id;
    let desk = site.engine().create_project("ann", "DESK", "Desk", Audience::Restricted).unwrap().id;
    directory.delete(&format!("/Users/{bob}")).expect(204);
    site.engine().delete_organization("eve", guests).unwrap();
    let asked = [
        Subject::Directory(id.clone()),
        Subject::User((id.clone(), ann.clone())),
        Subject::Group((id.clone(), group.clone())),
        Subject::Customer(ann.clone()),
        Subject::Organization(staff),
        Subject::Project(desk),
        Subject::Customer(bob.clone()),
        Subject::Organization(guests),
        // There are none of these.
        Subject::Directory("x".into()),
        Subject::User((id.clone(), bob)),
        Subject::User((id.clone(), "../../k/".into())),
        Subject::Group(("s".into(), group.clone())),
        Subject::Customer(id.clone()),
        Subject::Organization(u64::MAX),
        Subject::Project(0),
    ];
    let name = |text: &str, deleted| Some(Name { text: text.to_string(), deleted });
    let mut expected = vec![
        name("idp", false),
        name("ann@x.test", false),
        name("Staff", false),
        name("ann@x.test", false),
        name("Staff", false),
        name("Desk", false),
        name("bob@x.test", true),
        name("Guests", true),
    ];
    expected.resize(asked.len(), None);
    site.storage.take_work();
    assert_eq!(site.engine().names(&asked).unwrap(), expected);
    let work = site.storage.take_work();
    assert!(work.gets <= 3 && work.scans == 0, "{work:?}");
    assert!(site.engine().names(&[]).unwrap().is_empty());
    let many = vec![Subject::Project(desk); 1_001];
    assert!(matches!(site.engine().names(&many), Err(Error::Invalid(_))));
    // What a directory had has no name any more once it is disconnected, though upkeep has still to remove it.
    site.engine().disconnect("ann", &id, false).unwrap();
    let gone = [Subject::Directory(id.clone()), Subject::User((id.clone(), ann)), Subject::Group((id, group))];
    assert_eq!(site.engine().names(&gone).unwrap(), [None, None, None]);
}

/// One call looks at a bounded part of the feed, and says up to where.
#[test]
fn a_call_looks_at_so_many_changes_and_no_more() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    directory.many("/Users", (0..6_000).map(|n| json!({ "userName": format!("u{n}") })));
    directory.group("Last", &[]);
    let filter = Filter { kinds: vec!["group.created".into()], ..Filter::default() };
    let (mut after, mut calls) = (0, 0);
    loop {
        site.storage.take_work();
        let part = site.engine().changes_among(after, &filter, 1).unwrap();
        let work = site.storage.take_work();
        assert!(work.entries <= 5_000 && work.scans <= 10, "{work:?}");
        (after, calls) = (part.position, calls + 1);
        if let [found] = &part.changes[..] {
            assert_eq!(found.kind, "group.created");
            break;
        }
        assert!(part.more);
    }
    assert_eq!(calls, 3);
    // Who asks for everything reads no more than that.
    site.storage.take_work();
    assert_eq!(site.engine().changes_among(0, &Filter::default(), 10).unwrap().changes.len(), 10);
    assert_eq!(site.storage.take_work().entries, 10);
}

/// Who came into an organization and who went, as the feed names them besides the members of its group: a plus or minus in
/// front of the email address.
fn named(site: &Site, after: u64, organization: u64) -> Vec<String> {
    let changes = site.engine().changes(after, 1_000).unwrap();
    let mut named = Vec::new();
    for change in changes {
        let detail: Value = serde_json::from_str(&change.detail).unwrap();
        let sign = match change.kind.as_str() {
            "organization.members-added" => '+',
            "organization.members-removed" => '-',
            _ => continue,
        };
        if detail["organization"] == organization {
            let ids = detail["members"].as_array().unwrap().iter().map(|id| id.as_str().unwrap());
            named.extend(ids.map(|id| format!("{sign}{}", site.engine().customer(id).unwrap().email)));
        }
    }
    named
}

#[test]
fn whoever_comes_or_goes_with_a_link_or_a_restoring_is_named() {
    let site = Site::new();
    let (engine, now) = (site.engine(), |site: &Site| site.engine().changes(0, 1_000).unwrap().len() as u64);
    let idp = site.connect(&settings("idp"));
    let user = idp.post("/Users", &json!({ "userName": "ann" })).expect(201).id();
    idp.group("Staff", std::slice::from_ref(&user));
    let staff = site.organization("Staff").unwrap();
    let friends = engine.create_organization("ann", "Friends").unwrap().id;
    // An address arrives: the user is a customer, and a member of what its groups are.
    let mark = now(&site);
    let address = json!([{ "op": "replace", "path": "emails", "value": [{ "value": "ann@x.test" }] }]);
    idp.patch(&format!("/Users/{user}"), address).expect(200);
    let ann = site.customer("ann@x.test").unwrap().id;
    assert_eq!(named(&site, mark, staff), ["+ann@x.test"]);
    engine.add_members("ann", friends, std::slice::from_ref(&ann)).unwrap();
    for (turn, expected) in [("unlink", "-ann@x.test"), ("relink", "+ann@x.test")] {
        let mark = now(&site);
        match turn {
            "unlink" => engine.unlink_customer("ann", &ann).unwrap(),
            _ => engine.relink_customer("ann", &ann, None).unwrap(),
        };
        assert_eq!((named(&site, mark, staff), named(&site, mark, friends)), (vec![expected.to_string()], vec![]));
    }
    // Restored, it is a member where no directory decides, and on probation where one does.
    idp.delete(&format!("/Users/{user}")).expect(204);
    let mark = now(&site);
    engine.restore_customer("ann", &ann).unwrap();
    site.sweep(10);
    for organization in [staff, friends] {
        assert_eq!(named(&site, mark, organization), ["+ann@x.test"]);
        assert_eq!(site.members(organization), ["ann@x.test"]);
    }
    // Also through the group of a directory that is gone.
    let gone = site.connect(&settings("gone"));
    let bob = gone.user("bob@x.test");
    gone.group("Guests", std::slice::from_ref(&bob));
    let guests = site.organization("Guests").unwrap();
    engine.disconnect("ann", &gone.id, false).unwrap();
    engine.delete_customer("ann", &bob).unwrap();
    let mark = now(&site);
    engine.restore_customer("ann", &bob).unwrap();
    assert_eq!(named(&site, mark, guests), ["+bob@x.test"]);
    integrity::check(&site.storage);
}
