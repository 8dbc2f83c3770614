//! The change feed. That it suffices to rebuild what there is, `integrity` checks after every step of every test.

use std::sync::Arc;

use serde_json::{Value, json};
use usher_engine::changes::{ChangeKind, Error};

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
        ("group.members-added", json!({ "directory": id, "group": group, "members": [user] })),
        ("user.updated", json!({ "directory": id, "user": user, "changed": ["title", "nickName"] })),
        ("group.updated", json!({ "directory": id, "group": group, "changed": ["displayName"] })),
        ("organization.renamed", json!({ "organization": 1 })),
        ("group.members-removed", json!({ "directory": id, "group": group, "members": [user] })),
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
