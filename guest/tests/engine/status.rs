//! A directory as a product: its request log and status, the deletion guard, and notices of keys that expire.

use serde_json::{Value, json};
use usher_engine::directories::{
    DirectoryStatus, Error, LogFilter, LoggedRequest, Settings, SettingsUpdate, State, UnknownMembers,
};
use usher_engine::provisioning::unlinked::UnlinkedReason::{NoEmail, Unlinked};

use super::integrity;
use super::site::{Directory, Site, settings};

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

fn log(directory: &Directory<'_>) -> Vec<LoggedRequest> {
    let (mut cursor, mut all) = (None, Vec::new());
    loop {
        let page =
            directory.site.engine().requests(&directory.id, &LogFilter::default(), cursor.as_deref(), 400).unwrap();
        all.extend(page.values);
        cursor = page.next;
        if cursor.is_none() {
            return all;
        }
    }
}

fn last(directory: &Directory<'_>) -> LoggedRequest {
    log(directory).remove(0)
}

fn status(directory: &Directory<'_>) -> DirectoryStatus {
    directory.site.engine().directory_status(&directory.id).unwrap()
}

fn update(directory: &Directory<'_>, update: &SettingsUpdate) {
    directory.site.engine().update_directory("ann", &directory.id, update).unwrap();
}

fn changes(request: &LoggedRequest) -> Vec<(&str, u32)> {
    request.changes.iter().map(|change| (change.kind.as_str(), change.count)).collect()
}

/// The kinds of all changes behind a position of the feed.
fn feed(site: &Site, after: u64) -> Vec<String> {
    site.engine().changes(after, 1_000).unwrap().into_iter().map(|change| change.kind).collect()
}

fn end_of_feed(site: &Site) -> u64 {
    site.engine().changes(0, 1_000).unwrap().last().unwrap().sequence
}

fn active(directory: &Directory<'_>, user: &str, active: bool) -> u16 {
    let operations = json!([{ "op": "replace", "path": "active", "value": active }]);
    directory.patch(&format!("/Users/{user}"), operations).status
}

#[test]
fn every_write_and_every_refusal_is_logged() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let ann = directory.user("ann@x.test");
    let made = last(&directory);
    assert_eq!((made.method.as_str(), made.path.as_str(), made.status), ("POST", "/Users", 201));
    assert_eq!(changes(&made), [("user.created", 1), ("customer.created", 1)]);
    let bob = directory.user("bob@x.test");
    directory.group("Staff", &[ann.clone(), bob]);
    assert!(changes(&last(&directory)).contains(&("group.members-added", 2)));
    let (path, user) = (format!("/Users/{ann}"), json!({ "userName": "ann@x.test" }));
    let refused = [
        ("POST", "/Users", user.clone(), 409, Some("uniqueness"), "/Users"),
        ("POST", "/Users", json!([]), 400, Some("invalidSyntax"), "/Users"),
        (
            "GET",
            "/Users?filter=emails%20eq%20%22secret%40x.test%22%20and",
            Value::Null,
            400,
            Some("invalidFilter"),
            "/Users",
        ),
        ("GET", "/Users/secret@x.test", Value::Null, 404, None, "/Users/*"),
        ("PUT", "/Schemas", user.clone(), 405, None, "/Schemas"),
        ("GET", "/Me", Value::Null, 501, None, "/Me"),
        ("GET", "/secret@x.test", Value::Null, 404, None, "/*"),
        ("POST", "/Bulk", json!({}), 400, Some("invalidSyntax"), "/Bulk"),
        (
            "PATCH",
            path.as_str(),
            json!({ "Operations": [{ "op": "none", "path": "title", "value": "x" }] }),
            400,
            None,
            path.as_str(),
        ),
        (
            "POST",
            "/Groups",
            json!({ "displayName": "Desk", "members": [{ "value": "secret@x.test" }] }),
            400,
            Some("invalidValue"),
            "/Groups",
        ),
    ];
    for (method, target, body, code, scim_type, shown) in &refused {
        let (before, logged) = (end_of_feed(&site), log(&directory).len());
        directory.send_with(method, target, body, &[("X-Request-Id", "r-7")]).expect(*code);
        let entry = last(&directory);
        assert_eq!((entry.method.as_str(), entry.path.as_str(), entry.status), (*method, *shown, *code));
        assert!(scim_type.is_none() || entry.scim_type.as_deref() == *scim_type, "{entry:?}");
        assert_eq!((entry.request.as_deref(), entry.changes.len()), (Some("r-7"), 0));
        assert!(entry.detail.is_some());
        assert_eq!((end_of_feed(&site), log(&directory).len()), (before, logged + 1));
    }
    // Good reads are not, and neither is what comes without a key.
    let logged = log(&directory).len();
    for target in ["/Users", "/Groups", "/Schemas", path.as_str()] {
        directory.get(target).expect(200);
    }
    let mut request = directory.request("GET", "/Users", None);
    request.headers.clear();
    site.handle(&request).expect(401);
    assert_eq!(log(&directory).len(), logged);
    let stored = site.storage.snapshot();
    assert!(stored.iter().all(|(key, value)| !key.contains("secret@") && !value.contains("secret@")));
    integrity::check(&site.storage);
}

#[test]
fn a_bulk_request_is_one_entry() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let make = |id: &str, name: &str| json!({ "method": "POST", "path": "/Users", "bulkId": id, "data": { "userName": name } });
    let body = json!({ "Operations": [make("a", "ann@x.test"), make("b", "ANN@x.test"), make("c", "bob")] });
    directory.post("/Bulk", &body).expect(200);
    let entry = last(&directory);
    assert_eq!((entry.sequence, entry.status, entry.operations, entry.refused), (1, 200, Some(3), Some(1)));
    assert_eq!(
        (entry.scim_type.as_deref(), changes(&entry)),
        (Some("uniqueness"), vec![("user.created", 2), ("customer.created", 1), ("user.unlinked", 1)])
    );
    assert_eq!(status(&directory).failures, 1);
    integrity::check(&site.storage);
}

#[test]
fn what_is_done_otherwise_than_asked_is_noted() {
    let site = Site::new();
    let directory = site.connect(&Settings { unknown_members: UnknownMembers::Skip, ..settings("idp") });
    let ann = directory.user("ann@x.test");
    let nobody = "0123456789abcdefghij".to_string();
    directory.group("Staff", &[ann.clone(), nobody.clone()]);
    assert!(last(&directory).notes[0].contains(&nobody));
    let leaves = json!([{ "op": "replace", "value": { "active": false, "emails": [{ "value": "new@x.test" }] } }]);
    directory.patch(&format!("/Users/{ann}"), leaves).expect(200);
    assert!(last(&directory).notes[0].contains(&ann));
    assert!(!site.customer("ann@x.test").unwrap().active);
}

#[test]
fn the_log_has_a_length_and_an_age() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    for _ in 0..1_100 {
        directory.delete("/Users/0123456789abcdefghij").expect(404);
    }
    let all = log(&directory);
    assert_eq!((all.len(), all[0].sequence, all[999].sequence), (1_000, 1_100, 101));
    integrity::check(&site.storage);
    site.surroundings.pass(10 * DAY);
    directory.user("ann@x.test");
    site.surroundings.pass(4 * DAY);
    // Invisible at once, removed later.
    assert_eq!(log(&directory).len(), 1);
    site.surroundings.pass(HOUR);
    site.sweep(100);
    assert_eq!(site.storage.snapshot().keys().filter(|key| key.starts_with("rl/")).count(), 1);
    integrity::check(&site.storage);
    site.surroundings.pass(20 * DAY);
    site.sweep(100);
    assert_eq!(site.storage.snapshot().keys().filter(|key| key.starts_with("rl/")).count(), 0);
    integrity::check(&site.storage);
    directory.user("bob@x.test");
    assert_eq!(last(&directory).sequence, 1_102);
    integrity::check(&site.storage);
    for (cursor, limit) in [(None, 0), (None, 1_001), (Some("x"), 1), (Some("-1"), 1)] {
        assert!(matches!(
            site.engine().requests(&directory.id, &LogFilter::default(), cursor, limit),
            Err(Error::Invalid(_))
        ));
    }
    for id in ["../x", "0123456789abcdefghij"] {
        assert!(matches!(site.engine().requests(id, &LogFilter::default(), None, 1), Err(Error::NotFound(_))));
        assert!(matches!(site.engine().directory_status(id), Err(Error::NotFound(_))));
        assert!(matches!(site.engine().release_deletions("ann", id), Err(Error::NotFound(_))));
    }
}

#[test]
fn the_status_says_how_it_went() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let fresh = status(&directory);
    assert_eq!((fresh.last_request, fresh.last_success, fresh.last_failure), (None, None, None));
    assert_eq!((fresh.state, fresh.hours.len(), fresh.keys.len()), (State::Waiting, 0, 1));
    let ann = directory.user("ann@x.test");
    directory.group("Staff", &[ann]);
    directory.get("/Users/x").expect(404);
    let now = status(&directory);
    assert_eq!((now.users, now.groups, now.memberships, now.failures), (1, 1, 1, 1));
    assert_eq!((now.group_limit, now.member_limit), (20_000, 150_000));
    assert_eq!(now.last_failure.as_ref().map(|entry| entry.status), Some(404));
    assert!(now.last_success < now.last_request);
    assert_eq!((now.hours[0].requests, now.hours[0].failures), (3, 1));
    assert!(now.hours[0].changes >= 5);
    // A read moves the time of the last request by the minute.
    directory.get("/Users").expect(200);
    assert_eq!(status(&directory).last_request, now.last_request);
    site.surroundings.pass(MINUTE);
    site.storage.take_work();
    directory.get("/Users").expect(200);
    assert_eq!(site.storage.take_work().written, 1);
    directory.get("/Users").expect(200);
    assert_eq!(site.storage.take_work().written, 0);
    assert!(status(&directory).last_success > now.last_request);
    site.surroundings.pass(DAY);
    let next_day = status(&directory);
    assert_eq!((next_day.failures, next_day.hours.len()), (0, 0));
    assert!(next_day.last_failure.is_some());
    assert!(!next_day.keys[0].expires_soon);
    site.surroundings.pass(335 * DAY);
    assert!(status(&directory).keys[0].expires_soon);
}

#[test]
fn deletions_past_the_limit_are_held_until_they_are_released() {
    let site = Site::new();
    let directory = site.connect(&Settings { deletion_limit: Some(2), ..settings("idp") });
    let users: Vec<String> = (0..12).map(|n| directory.user(&format!("u{n}@x.test"))).collect();
    let path = |n: usize| format!("/Users/{}", users[n]);
    let group = format!("/Groups/{}", directory.group("Staff", &users));
    directory.delete(&path(0)).expect(204);
    assert_eq!(active(&directory, &users[1], false), 200);
    let before = end_of_feed(&site);
    let held = directory.delete(&path(2)).expect(503);
    assert_eq!(held.header("retry-after"), Some("3600"));
    assert_eq!(feed(&site, before), ["directory.deletions-held"]);
    assert_eq!((last(&directory).status, status(&directory).state), (503, State::Held));
    assert_eq!(active(&directory, &users[2], false), 503);
    directory.delete(&group).expect(503);
    assert_eq!(feed(&site, before).len(), 1);
    // What is no deletion goes on, also for those whose deletion is held.
    directory.get(&path(2)).expect(200);
    assert_eq!(active(&directory, &users[1], true), 200);
    // What is deactivated already is not deactivated again.
    let inactive = directory.post("/Users", &json!({ "userName": "i", "active": false })).expect(201).id();
    assert_eq!(active(&directory, &inactive, false), 200);
    // It stays held when the hour is over.
    site.surroundings.pass(2 * HOUR);
    directory.delete(&path(2)).expect(503);
    let before = end_of_feed(&site);
    site.engine().release_deletions("bob", &directory.id).unwrap();
    assert_eq!(feed(&site, before), ["directory.released"]);
    assert_eq!(status(&directory).state, State::Connected);
    assert!(status(&directory).released_until.is_some());
    (2..7).for_each(|n| drop(directory.delete(&path(n)).expect(204)));
    // They are counted anew after an hour.
    site.surroundings.pass(HOUR);
    (7..9).for_each(|n| drop(directory.delete(&path(n)).expect(204)));
    site.surroundings.pass(HOUR);
    (9..11).for_each(|n| drop(directory.delete(&path(n)).expect(204)));
    directory.delete(&group).expect(503);
    // Without a limit nothing is held.
    update(&directory, &SettingsUpdate { deletion_limit: Some(None), ..SettingsUpdate::default() });
    assert_eq!(status(&directory).state, State::Connected);
    directory.delete(&group).expect(204);
    assert!(matches!(site.engine().release_deletions("bob", &directory.id), Err(Error::Refused(_))));
    integrity::check(&site.storage);
}

#[test]
fn a_higher_limit_lifts_a_hold() {
    let site = Site::new();
    let directory = site.connect(&Settings { deletion_limit: Some(3), ..settings("idp") });
    let users: Vec<String> = (0..12).map(|n| directory.user(&format!("u{n}@x.test"))).collect();
    let delete = |n: usize| directory.delete(&format!("/Users/{}", users[n])).status;
    let limit =
        |limit| update(&directory, &SettingsUpdate { deletion_limit: Some(limit), ..SettingsUpdate::default() });
    assert_eq!([0, 1, 2, 3].map(delete), [204, 204, 204, 503]);
    for same_or_lower in [Some(3), Some(2), Some(3)] {
        limit(same_or_lower);
        assert_eq!((status(&directory).state, delete(3)), (State::Held, 503), "{same_or_lower:?}");
    }
    // What was deleted counts still.
    limit(Some(5));
    assert_eq!(status(&directory).state, State::FirstSync);
    assert_eq!([3, 4, 5].map(delete), [204, 204, 503]);
    assert_eq!(status(&directory).state, State::Held);
    limit(None);
    assert_eq!(status(&directory).state, State::FirstSync);
    limit(Some(1));
    assert_eq!([5, 6].map(delete), [204, 503]);
    integrity::check(&site.storage);
}

#[test]
fn in_a_bulk_request_each_deletion_is_judged_for_itself() {
    let site = Site::new();
    let directory = site.connect(&Settings { deletion_limit: Some(1), ..settings("idp") });
    let users: Vec<String> = (0..4).map(|n| directory.user(&format!("u{n}@x.test"))).collect();
    let delete = |n: usize| json!({ "method": "DELETE", "path": format!("/Users/{}", users[n]) });
    let taken = json!({ "method": "PATCH", "path": format!("/Users/{}", users[3]), "data": { "Operations": [{ "op": "replace", "value": { "active": false, "userName": "u0@x.test" } }] } });
    let rename = json!({ "method": "PATCH", "path": format!("/Users/{}", users[3]), "data": { "Operations": [{ "op": "add", "path": "title", "value": "Chief" }] } });
    // The first is refused for its name and does not count.
    let answer = directory.post(
        "/Bulk",
        &json!({ "Operations": [
        { "method": "DELETE", "path": "/Users/0123456789abcdefghij" }, delete(1), delete(2), rename, taken
    ] }),
    );
    let statuses: Vec<&str> =
        answer.body["Operations"].as_array().unwrap().iter().map(|done| done["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["404", "204", "503", "200", "503"]);
    let entry = last(&directory);
    assert_eq!((entry.status, entry.operations, entry.refused), (200, Some(5), Some(3)));
    assert_eq!(status(&directory).state, State::Held);
    assert_eq!(feed(&site, 0).iter().filter(|kind| *kind == "directory.deletions-held").count(), 1);
    integrity::check(&site.storage);
}

#[test]
fn keys_that_expire_are_announced() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let other = site.connect(&settings("other"));
    site.engine().disconnect("ann", &other.id, false).unwrap();
    site.sweep(100);
    integrity::check(&site.storage);
    let days = |after: u64| -> Vec<u64> {
        let changes = site.engine().changes(after, 1_000).unwrap();
        let expiring = changes.iter().filter(|change| change.kind == "key.expiring");
        expiring
            .map(|change| serde_json::from_str::<Value>(&change.detail).unwrap()["days"].as_u64().unwrap())
            .collect()
    };
    for (passed, said) in [(334, vec![]), (2, vec![30]), (16, vec![30, 14]), (7, vec![30, 14, 7])] {
        site.surroundings.pass(passed * DAY);
        site.sweep(100);
        integrity::check(&site.storage);
        assert_eq!(days(0), said);
    }
    // A key whose end an overlap brings near needs none, and the new one has its own.
    site.engine().rotate_key("ann", &directory.id, 3_600).unwrap();
    integrity::check(&site.storage);
    let position = end_of_feed(&site);
    site.surroundings.pass(7 * DAY);
    site.sweep(100);
    assert_eq!(days(position), [0; 0]);
    // Upkeep that comes late says what is so by then.
    site.surroundings.pass(350 * DAY);
    site.sweep(100);
    assert_eq!(days(position), [14]);
    let key = site.engine().keys(&directory.id).unwrap().remove(0);
    site.engine().revoke_key("ann", &directory.id, &key.id).unwrap();
    integrity::check(&site.storage);
    // One that has expired before anybody could say so is past announcing.
    site.engine().rotate_key("ann", &directory.id, 0).unwrap();
    let position = end_of_feed(&site);
    site.surroundings.pass(400 * DAY);
    site.sweep(100);
    assert_eq!(days(position), [0; 0]);
    integrity::check(&site.storage);
}

#[test]
fn the_largest_group_is_known_whatever_happens_to_the_groups() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let users: Vec<String> = (0..12).map(|n| directory.user(&format!("u{n}@x.test"))).collect();
    let largest = || status(&directory).largest_group.map(|group| (group.name, group.members));
    assert_eq!(largest(), None);
    let groups: Vec<String> = ["ten", "nine", "none"]
        .into_iter()
        .zip([10, 9, 0])
        .map(|(name, size)| directory.group(name, &users[..size]))
        .collect();
    assert_eq!(largest(), Some(("ten".into(), 10)));
    let member = |op: &str, at: usize| json!([{ "op": op, "path": "members", "value": [{ "value": users[at] }] }]);
    directory.patch(&format!("/Groups/{}", groups[0]), member("remove", 0)).expect(200);
    directory.patch(&format!("/Groups/{}", groups[0]), member("remove", 1)).expect(200);
    assert_eq!(largest(), Some(("nine".into(), 9)));
    directory.patch(&format!("/Groups/{}", groups[1]), json!([{ "op": "remove", "path": "members" }])).expect(200);
    assert_eq!(largest(), Some(("ten".into(), 8)));
    directory.delete(&format!("/Users/{}", users[5])).expect(204);
    assert_eq!(largest(), Some(("ten".into(), 7)));
    directory.patch(&format!("/Groups/{}", groups[2]), member("add", 0)).expect(200);
    directory.delete(&format!("/Groups/{}", groups[0])).expect(204);
    assert_eq!(largest(), Some(("none".into(), 1)));
    // What a repair counts anew is in its place.
    let mut map = (*site.storage.snapshot()).clone();
    let key = format!("g/{}/{}", directory.id, groups[2]);
    let wrong = map[&key].replace("\"members\":1", "\"members\":5");
    map.insert(key, wrong);
    map.remove(&format!("gs/{}/0000000001/{}", directory.id, groups[2]));
    map.insert(format!("gs/{}/0000000005/{}", directory.id, groups[2]), String::new());
    site.storage.restore(&map.into());
    site.engine().repair_group("ann", &directory.id, &groups[2]).unwrap();
    assert_eq!(largest(), Some(("none".into(), 1)));
    // The count of memberships, which was right before, is wrong by what was put in.
    directory.delete(&format!("/Groups/{}", groups[2])).expect(204);
    assert_eq!(largest(), None);
}

#[test]
fn the_unlinked_are_counted_by_reason() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let counts = || -> Vec<_> {
        status(&directory).unlinked_by.into_iter().map(|unlinked| (unlinked.reason, unlinked.count)).collect()
    };
    let bob = directory.post("/Users", &json!({ "userName": "bob" })).expect(201).id();
    directory.post("/Users", &json!({ "userName": "cid" })).expect(201);
    directory.user("ann@x.test");
    let ann = site.customer("ann@x.test").unwrap().id;
    assert_eq!(counts(), [(NoEmail, 2)]);
    site.engine().unlink_customer("ann", &ann).unwrap();
    assert_eq!(counts(), [(NoEmail, 2), (Unlinked, 1)]);
    let address = json!([{ "op": "add", "path": "emails", "value": [{ "value": "bob@x.test" }] }]);
    directory.patch(&format!("/Users/{bob}"), address).expect(200);
    assert_eq!(counts(), [(NoEmail, 1), (Unlinked, 1)]);
    site.engine().relink_customer("ann", &ann, None).unwrap();
    assert_eq!((counts(), status(&directory).unlinked), (vec![(NoEmail, 1)], 1));
    integrity::check(&site.storage);
}

#[test]
fn keys_are_known_by_their_last_use_to_the_minute() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let uses = || -> Vec<_> { status(&directory).keys.into_iter().map(|key| key.last_used).collect() };
    assert_eq!(uses(), [None]);
    directory.get("/Users").expect(200);
    let first = uses()[0].unwrap();
    assert_eq!(first % MINUTE, 0);
    let key = site.engine().rotate_key("ann", &directory.id, 3_600).unwrap();
    let other = Directory { key: key.api_key, site: &site, id: directory.id.clone(), path: directory.path.clone() };
    site.storage.take_work();
    other.get("/Users").expect(200);
    other.get("/Users").expect(200);
    directory.get("/Users").expect(200);
    assert_eq!((uses(), site.storage.take_work().written), (vec![Some(first), Some(first)], 1));
    site.surroundings.pass(3 * MINUTE);
    other.user("ann@x.test");
    assert_eq!(uses(), [Some(first), Some(first + 3 * MINUTE)]);
    // What is revoked or has expired is not remembered.
    let id = directory.key.split_once('.').unwrap().0;
    site.engine().revoke_key("ann", &directory.id, id).unwrap();
    site.surroundings.pass(2 * HOUR);
    site.engine().rotate_key("ann", &directory.id, 0).unwrap();
    assert_eq!(uses(), [None]);
    assert!(!site.storage.snapshot()[&format!("ds/{}", directory.id)].contains("\"key\""));
    integrity::check(&site.storage);
}

#[test]
fn a_directory_whose_writes_are_refused_one_after_the_other_is_failing() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    directory.user("ann@x.test");
    let refused = || drop(directory.post("/Users", &json!({ "userName": "ann@x.test" })).expect(409));
    let state = || status(&directory).state;
    // What is asked for and is not there says nothing about writes, nor do reads between them.
    (0..5).for_each(|_| drop(directory.get("/Users/x").expect(404)));
    (0..2).for_each(|_| refused());
    assert_eq!(state(), State::FirstSync);
    directory.get("/Users").expect(200);
    refused();
    assert_eq!(state(), State::Failing);
    directory.user("bob@x.test");
    assert_eq!(state(), State::FirstSync);
    integrity::check(&site.storage);
}

#[test]
fn silence_and_the_want_of_a_key_are_states() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let state = || (status(&directory).state, status(&directory).silent_since.is_some());
    // Every two hours, on five days, with one outage.
    for hour in (0..120).step_by(2) {
        if !(50..80).contains(&hour) {
            directory.get("/Users").expect(200);
        }
        site.surroundings.pass(2 * HOUR);
    }
    let usual = status(&directory).usual_interval.unwrap();
    assert_eq!(usual / MINUTE, 120);
    assert_eq!(state(), (State::Connected, false));
    site.surroundings.pass(3 * HOUR + 59 * MINUTE);
    assert_eq!(state(), (State::Connected, false));
    site.surroundings.pass(2 * MINUTE);
    assert_eq!(state(), (State::Silent, true));
    let since = status(&directory);
    assert_eq!(since.silent_since, since.last_request.map(|last| last + 3 * usual));
    for (times, expected) in [(0, State::Connected), (100, State::Connected), (1, State::Silent)] {
        update(&directory, &SettingsUpdate { silent_after: Some(times), ..SettingsUpdate::default() });
        assert_eq!(state().0, expected, "{times}");
    }
    directory.get("/Users").expect(200);
    assert_eq!(state(), (State::Connected, false));
    let key = site.engine().keys(&directory.id).unwrap().remove(0);
    site.engine().revoke_key("ann", &directory.id, &key.id).unwrap();
    assert_eq!(state().0, State::NoKeyWorks);
    site.engine().rotate_key("ann", &directory.id, 0).unwrap();
    assert_eq!(state().0, State::Connected);
    site.surroundings.pass(366 * DAY);
    assert_eq!(state().0, State::NoKeyWorks);
    integrity::check(&site.storage);
}

#[test]
fn what_alerts_need_is_measured_for_a_hundred_directories() {
    let site = Site::new();
    let first = site.connect(&Settings { deletion_limit: Some(0), ..settings("first") });
    let ann = first.user("ann@x.test");
    first.group("Staff", std::slice::from_ref(&ann));
    first.delete(&format!("/Users/{ann}")).expect(503);
    let measures = site.engine().measures().unwrap();
    assert_eq!((measures.directories.len(), measures.left_out), (1, 0));
    let of = &measures.directories[0];
    assert_eq!(
        (of.id.as_str(), of.name.as_str(), of.users, of.groups, of.conflicts),
        (first.id.as_str(), "first", 1, 1, 0)
    );
    assert_eq!((of.failures, of.is_holding, of.held), (1, true, 1));
    let shown = status(&first);
    assert_eq!((of.last_success, of.key_expires_at), (shown.last_success, Some(shown.keys[0].key.expires_at)));
    (0..101).for_each(|n| drop(site.connect(&settings(&format!("other{n}")))));
    let measures = site.engine().measures().unwrap();
    assert_eq!((measures.directories.len(), measures.left_out), (100, 2));
    assert_eq!((measures.directories[1].last_success, measures.directories[1].users), (None, 0));
    site.surroundings.pass(400 * DAY);
    assert_eq!(site.engine().measures().unwrap().directories[0].key_expires_at, None);
}
