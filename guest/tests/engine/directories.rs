//! Connecting directories, their settings and keys.

use serde_json::{Value, json};
use usher_engine::directories::{EmailChange, Error, SettingsUpdate};

use super::integrity;
use super::site::{Directory, Site, settings};

const HOUR: u64 = 3_600_000;

fn status_with(directory: &Directory<'_>, key: &str) -> u16 {
    let mut request = directory.request("GET", "/Users", None);
    request.headers = vec![("authorization".into(), format!("Bearer {key}"))];
    directory.site.handle(&request).status
}

#[test]
fn keys_work_until_they_expire_or_are_revoked() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let engine = site.engine();
    let first = engine.keys(&directory.id).unwrap();
    assert_eq!(first[0].expires_at - first[0].created_at, 365 * 24 * HOUR);
    let second = engine.rotate_key("ann", &directory.id, 3_600).unwrap();
    assert_eq!((status_with(&directory, &directory.key), status_with(&directory, &second.api_key)), (200, 200));
    site.surroundings.pass(HOUR);
    assert_eq!((status_with(&directory, &directory.key), status_with(&directory, &second.api_key)), (401, 200));
    assert_eq!(engine.keys(&directory.id).unwrap().len(), 1);
    let third = engine.rotate_key("ann", &directory.id, 0).unwrap();
    assert_eq!((status_with(&directory, &second.api_key), status_with(&directory, &third.api_key)), (401, 200));
    engine.revoke_key("ann", &directory.id, &third.key.id).unwrap();
    assert_eq!(status_with(&directory, &third.api_key), 401);
    assert!(matches!(engine.revoke_key("ann", &directory.id, &third.key.id), Err(Error::NotFound(_))));
    assert!(matches!(engine.revoke_key("ann", &directory.id, "../x"), Err(Error::NotFound(_))));
    let last = engine.rotate_key("ann", &directory.id, u32::MAX).unwrap();
    site.surroundings.pass(365 * 24 * HOUR);
    assert_eq!(status_with(&directory, &last.api_key), 401);
    integrity::check(&site.storage);
}

#[test]
fn working_keys_have_a_number_and_secrets_are_not_stored() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    for _ in 0..19 {
        site.engine().rotate_key("ann", &directory.id, 60).unwrap();
    }
    site.engine().rotate_key("ann", &directory.id, 60).unwrap_err();
    site.surroundings.pass(60_000);
    site.engine().rotate_key("ann", &directory.id, 60).unwrap();
    let secret = directory.key.split_once('.').unwrap().1;
    assert!(site.storage.snapshot().iter().all(|(key, value)| !key.contains(secret) && !value.contains(secret)));
}

#[test]
fn settings_are_checked_and_hold_at_once() {
    let site = Site::new();
    let directory = site.connect(&settings(" IdP "));
    let engine = site.engine();
    assert_eq!(engine.directory(&directory.id).unwrap().settings.name, "IdP");
    assert!(matches!(engine.connect("ann", &settings("idp")), Err(Error::Refused(_))));
    for name in ["", "  ", &"x".repeat(201)] {
        assert!(matches!(engine.connect("ann", &settings(name)), Err(Error::Invalid(_))));
    }
    for actor in ["", &"x".repeat(201)] {
        assert!(matches!(engine.connect(actor, &settings("second")), Err(Error::Invalid(_))));
    }
    let path = format!("/Users/{}", directory.user("ann@x.test"));
    let email = serde_json::json!([{ "op": "replace", "path": "emails", "value": [{ "value": "b@x.test" }] }]);
    directory.patch(&path, email.clone()).refused(400, "mutability");
    let update = SettingsUpdate {
        name: Some("IDP".into()),
        email_change: Some(EmailChange::Follow),
        ..SettingsUpdate::default()
    };
    engine.update_directory("ann", &directory.id, &update).unwrap();
    directory.patch(&path, email).expect(200);
    let changes = engine.changes(0, 1_000).unwrap().len();
    engine.update_directory("ann", &directory.id, &update).unwrap();
    assert_eq!(engine.changes(0, 1_000).unwrap().len(), changes);
    let other = site.connect(&settings("other"));
    let taken = SettingsUpdate { name: Some("idp".into()), ..SettingsUpdate::default() };
    assert!(matches!(engine.update_directory("ann", &other.id, &taken), Err(Error::Refused(_))));
    assert!(matches!(engine.directory("0123456789abcdefghij"), Err(Error::NotFound(_))));
    integrity::check(&site.storage);
}

#[test]
fn directories_are_listed_in_pages() {
    let site = Site::new();
    let ids: Vec<String> = (0..5).map(|n| site.connect(&settings(&format!("idp {n}"))).id).collect();
    let (mut cursor, mut seen) = (None, Vec::new());
    loop {
        let page = site.engine().directories(cursor.as_deref(), 2).unwrap();
        seen.extend(page.values.into_iter().map(|directory| directory.id));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, ids);
    for (cursor, limit) in [(None, 0), (None, 1_001), (Some("x"), 1)] {
        assert!(matches!(site.engine().directories(cursor, limit), Err(Error::Invalid(_))));
    }
}

#[test]
fn what_is_disconnected_is_gone_at_once_and_swept_later() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let kept = site.connect(&settings("kept"));
    let users = directory.many(
        "/Users",
        (0..50).map(|n| serde_json::json!({ "userName": format!("u{n}"), "externalId": n.to_string() })),
    );
    (0..5).for_each(|n| drop(directory.group(&format!("g{n}"), &users)));
    let kept_user = kept.user("ann@x.test");
    site.engine().disconnect("ann", &directory.id, false).unwrap();
    directory.get("/Users").expect(401);
    assert!(matches!(site.engine().disconnect("ann", &directory.id, false), Err(Error::NotFound(_))));
    assert_eq!(site.engine().directories(None, 10).unwrap().values.len(), 1);
    let again = site.connect(&settings("idp"));
    assert_eq!(again.get("/Users").body["totalResults"], 0);
    // The members of its organizations stay.
    assert!(site.sweep(20) > 8);
    integrity::check(&site.storage);
    let left =
        site.storage.snapshot().keys().filter(|key| !key.starts_with("c/") && key.contains(&directory.id)).count();
    assert_eq!(left, 0);
    kept.send("GET", &format!("/Users/{kept_user}"), &Value::Null).expect(200);
}

/// A clock that is out of order is no reason to fail: it is believed from 1970 up to a time that ids and dates can hold.
#[test]
fn a_clock_that_is_out_of_order_fails_no_request() {
    for now in [0, 1, u64::MAX / 2, u64::MAX - 1_000_000] {
        let site = Site::new();
        site.surroundings.set(now);
        let directory = site.connect(&settings("idp"));
        let user = directory.user("ann@x.test");
        let group = directory.group("Staff", std::slice::from_ref(&user));
        let made = directory.get(&format!("/Users/{user}")).expect(200);
        let created = made.body["meta"]["created"].as_str().unwrap();
        assert!(
            created.starts_with(if now < 2 { "1970-01-01T00:00:00." } else { "2499-12-31T23:59:59.999" }),
            "{created}"
        );
        directory
            .patch(&format!("/Users/{user}"), json!([{ "op": "replace", "path": "active", "value": false }]))
            .expect(200);
        let engine = site.engine();
        engine.rotate_key("ann", &directory.id, u32::MAX).unwrap();
        engine.directory_status(&directory.id).unwrap();
        directory.delete(&format!("/Groups/{group}")).expect(204);
        directory.delete(&format!("/Users/{user}")).expect(204);
        site.sweep(20);
        engine.restore_customer("ann", &user).unwrap();
        integrity::check(&site.storage);
    }
}
