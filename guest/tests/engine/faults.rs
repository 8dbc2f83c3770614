//! A storage that fails at any of its calls leaves everything done or nothing, and what damaged storage answers is an
//! error and no crash.

use serde_json::{Value, json};
use usher_engine::directories::{LogFilter, SettingsUpdate};
use usher_engine::storage::Error;

use super::integrity;
use super::site::{Answer, Directory, Site, settings};
use super::storage::{Fault, Plan};

/// How often a transaction is tried, as the engine has it, and one more for the check of the key before it.
const MOST_TRANSACTIONS: usize = 9;

struct Scene<'s> {
    directory: Directory<'s>,
    users: Vec<String>,
    group: String,
}

fn scene(site: &Site) -> Scene<'_> {
    let directory = site.connect(&settings("idp"));
    let users: Vec<String> = (0..70).map(|n| directory.user(&format!("user{n}@x.test"))).collect();
    let group = directory.group("Staff", &users);
    directory.group("Desk", &users[..3]);
    Scene { directory, users, group }
}

/// Requests of every kind, and whether they write.
fn requests(scene: &Scene<'_>) -> Vec<(bool, &'static str, String, Value)> {
    let (user, group) = (format!("/Users/{}", scene.users[0]), format!("/Groups/{}", scene.group));
    let bulk = json!({ "Operations": [
        { "method": "POST", "path": "/Users", "bulkId": "a", "data": { "userName": "new@x.test" } },
        { "method": "POST", "path": "/Users", "bulkId": "b", "data": { "userName": "NEW@x.test" } },
        { "method": "PATCH", "path": group, "data": { "Operations": [{ "op": "remove", "path": "members" }] } },
        { "method": "PATCH", "path": group, "data": { "Operations": [{ "op": "add", "path": "members", "value": [{ "value": "bulkId:a" }] }] } },
        { "method": "DELETE", "path": user },
    ] });
    vec![
        (false, "GET", user.clone(), Value::Null),
        (false, "GET", group.clone(), Value::Null),
        (false, "GET", "/Users".into(), Value::Null),
        (false, "GET", "/Users?filter=groups%20pr%20and%20title%20pr".into(), Value::Null),
        (false, "GET", "/Groups?filter=members%20pr&sortBy=displayName".into(), Value::Null),
        (false, "GET", format!("/Groups?filter=members.value%20eq%20%22{}%22", scene.users[1]), Value::Null),
        (true, "POST", "/Users".into(), json!({ "userName": "new@x.test", "externalId": "7" })),
        (
            true,
            "PUT",
            user.clone(),
            json!({ "userName": "user0@x.test", "title": "Chief", "emails": [{ "value": "user0@x.test" }] }),
        ),
        (true, "PATCH", user.clone(), json!({ "Operations": [{ "op": "replace", "path": "active", "value": false }] })),
        (true, "DELETE", user, Value::Null),
        (true, "POST", "/Groups".into(), json!({ "displayName": "New", "members": [{ "value": scene.users[2] }] })),
        (
            true,
            "PATCH",
            group.clone(),
            json!({ "Operations": [{ "op": "replace", "path": "displayName", "value": "Renamed" }] }),
        ),
        (
            true,
            "PATCH",
            group.clone(),
            json!({ "Operations": [{ "op": "remove", "path": format!("members[value eq \"{}\"]", scene.users[1]) }] }),
        ),
        (true, "PUT", group.clone(), json!({ "displayName": "Staff", "members": [{ "value": scene.users[5] }] })),
        (true, "DELETE", group, Value::Null),
        (true, "POST", "/Bulk".into(), bulk),
    ]
}

/// Sends a request whose storage goes wrong at each of its calls in turn.
fn at_every_call(fault: &Fault, lasting: bool, mut check: impl FnMut(&Site, bool, &Answer, &Answer, bool)) {
    let site = Site::new();
    let scene = scene(&site);
    let before = site.storage.snapshot();
    for (writes, method, path, body) in requests(&scene) {
        let whole = scene.directory.send(method, &path, &body);
        assert!(whole.status < 300, "{}", whole.body);
        let after = site.storage.snapshot();
        for from in 0.. {
            site.storage.restore(&before);
            site.storage.take_work();
            site.storage.break_down(Plan { fault: fault.clone(), from, lasting });
            let answer = scene.directory.send(method, &path, &body);
            if !site.storage.repair() {
                break;
            }
            let unchanged = site.storage.snapshot() == before;
            // What differs otherwise is only when things were done, and their ids.
            assert!(unchanged || site.storage.snapshot().len() == after.len(), "{method} {path} is done in part");
            integrity::check(&site.storage);
            check(&site, writes, &whole, &answer, unchanged);
        }
        site.storage.restore(&before);
    }
}

#[test]
fn a_storage_that_fails_changes_nothing() {
    for (error, status) in [
        (Error::Unavailable("postgres.internal".into()), 503),
        (Error::Other("secret".into()), 500),
        (Error::TooLarge("key".into()), 413),
    ] {
        for lasting in [false, true] {
            at_every_call(&Fault::Error(error.clone()), lasting, |_, _, _, answer, unchanged| {
                assert_eq!(answer.status, status);
                assert!(!answer.body.to_string().contains("postgres") && !answer.body.to_string().contains("secret"));
                assert!(unchanged);
            });
        }
    }
}

#[test]
fn a_lost_race_is_run_again() {
    at_every_call(&Fault::Error(Error::Conflict), false, |_, writes, whole, answer, unchanged| {
        // Reads never meet a conflict; one that comes all the same is a failure like any other.
        assert!(answer.status == 503 || writes && answer.status == whole.status, "{}", answer.body);
        assert!(unchanged == (answer.status == 503));
    });
}

#[test]
fn races_that_are_lost_for_ever_come_to_an_end() {
    at_every_call(&Fault::Error(Error::Conflict), true, |site, _, _, answer, unchanged| {
        assert_eq!(answer.status, 503);
        assert!(unchanged);
        assert!(site.storage.take_work().transactions <= MOST_TRANSACTIONS);
    });
}

#[test]
fn damaged_storage_is_an_error_and_no_crash() {
    let site = Site::new();
    let scene = scene(&site);
    let before = site.storage.snapshot();
    let values = [
        "",
        "1",
        "{}",
        "\u{0}",
        "{\"version\":18446744073709551615,\"created\":\"x\",\"modified\":\"\",\"members\":4294967295}\n{}",
        "{\"version\":1,\"created\":\"x\",\"modified\":\"\"}\n{\"userName\":7,\"emails\":[[]],\"displayName\":{}}",
    ];
    let faults = (values.into_iter().map(Fault::Value))
        .chain(["", "u", "g/x/\"", "zzz"].map(Fault::Key))
        .chain([Fault::Short, Fault::Backwards]);
    for fault in faults {
        for (_, method, path, body) in requests(&scene) {
            for from in 0..20 {
                site.storage.restore(&before);
                site.storage.break_down(Plan { fault: fault.clone(), from, lasting: false });
                // Its form is checked with every answer.
                scene.directory.send(method, &path, &body);
                site.storage.repair();
            }
        }
    }
}

#[test]
fn administration_and_upkeep_are_whole_or_nothing_too() {
    let site = Site::new();
    let scene = scene(&site);
    scene.directory.delete(&format!("/Groups/{}", scene.group)).expect(204);
    let limit = SettingsUpdate { deletion_limit: Some(Some(1)), ..SettingsUpdate::default() };
    let no_limit = SettingsUpdate { deletion_limit: Some(None), ..SettingsUpdate::default() };
    let id = scene.directory.id.as_str();
    let engine = site.engine();
    engine.update_directory("ann", id, &limit).unwrap();
    for group in &scene.directory.ids("/Groups") {
        scene.directory.delete(&format!("/Groups/{group}"));
    }
    scene.directory.delete(&format!("/Users/{}", scene.users[0])).expect(503);
    let before = site.storage.snapshot();
    let calls: [&dyn Fn() -> bool; 8] = [
        &|| engine.update_directory("ann", id, &no_limit).is_ok(),
        &|| engine.release_deletions("ann", id).is_ok(),
        &|| engine.directory_status(id).is_ok() && engine.requests(id, &LogFilter::default(), None, 10).is_ok(),
        &|| engine.connect("ann", &settings("second")).is_ok(),
        &|| engine.rotate_key("ann", id, 60).is_ok(),
        &|| engine.disconnect("ann", id, false).is_ok(),
        &|| engine.upkeep_step(4).is_ok(),
        &|| engine.changes(0, 10).is_ok() && engine.directories(None, 10).is_ok() && engine.keys(id).is_ok(),
    ];
    for call in calls {
        for error in [Error::Unavailable(String::new()), Error::Conflict] {
            for from in 0.. {
                site.storage.restore(&before);
                site.storage.break_down(Plan { fault: Fault::Error(error.clone()), from, lasting: false });
                let done = call();
                if !site.storage.repair() {
                    break;
                }
                assert!(done || site.storage.snapshot() == before);
                integrity::check(&site.storage);
            }
        }
        site.storage.restore(&before);
    }
}
