//! Memberships as resources of their own (draft-zollner-scim-group-members).

use proptest::prelude::*;
use serde_json::{Value, json};
use usher_engine::Environment;
use usher_engine::directories::{Settings, SettingsUpdate, UnknownMembers};

use super::integrity;
use super::on_site::everything;
use super::site::{Answer, Directory, ORIGIN, Site, settings};

const SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:GroupMembership";
const PATH: &str = "/GroupMemberships";

fn with_memberships(name: &str) -> Settings {
    Settings { membership_resources: true, ..settings(name) }
}

fn body(group: &str, user: &str) -> Value {
    json!({ "schemas": [SCHEMA], "group": { "value": group }, "member": { "value": user } })
}

fn filter(text: &str) -> String {
    format!("filter={}", text.replace(' ', "%20").replace('"', "%22"))
}

fn of_group(group: &str) -> String {
    filter(&format!("group.value eq \"{group}\""))
}

fn of_user(user: &str) -> String {
    filter(&format!("member.value eq \"{user}\""))
}

/// The ids of a list, by cursor, so many to a page.
fn pages(directory: &Directory<'_>, query: &str, count: usize) -> Vec<String> {
    let (mut cursor, mut ids) = (String::new(), Vec::new());
    loop {
        let page = directory.get(&format!("{PATH}?count={count}&cursor={cursor}&{query}")).expect(200);
        assert!(page.body.get("startIndex").is_none());
        assert_eq!(page.body["itemsPerPage"], page.resources().len());
        assert!(page.resources().len() <= count);
        ids.extend(page.ids());
        match page.body["nextCursor"].as_str() {
            Some(next) => cursor = next.to_string(),
            None => return ids,
        }
    }
}

fn total(answer: &Answer) -> u64 {
    answer.body["totalResults"].as_u64().unwrap()
}

#[test]
fn without_the_setting_there_is_nothing_of_it() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let user = directory.user("ann@x.test");
    let group = directory.group("Staff", std::slice::from_ref(&user));
    let before = site.content();
    for (method, path, body) in [
        ("GET", PATH.to_string(), Value::Null),
        ("POST", PATH.into(), body(&group, &user)),
        ("POST", PATH.into(), json!("nonsense")),
        ("PUT", PATH.into(), Value::Null),
        ("POST", format!("{PATH}/.search"), json!({})),
        ("GET", format!("{PATH}/{group}-{user}"), Value::Null),
        ("DELETE", format!("{PATH}/{group}-{user}"), Value::Null),
        ("PATCH", format!("{PATH}/{group}-{user}"), json!({})),
        ("GET", "/ResourceTypes/GroupMembership".into(), Value::Null),
        ("GET", format!("/Schemas/{SCHEMA}"), Value::Null),
    ] {
        directory.send(method, &path, &body).expect(404);
    }
    assert_eq!(directory.ids("/ResourceTypes"), ["User", "Group"]);
    let operations = json!([
        { "method": "POST", "path": PATH, "bulkId": "m", "data": body(&group, &user) },
        { "method": "DELETE", "path": format!("{PATH}/{group}-{user}") },
    ]);
    let done = directory.post("/Bulk", &json!({ "Operations": operations })).expect(200).body;
    assert_eq!((&done["Operations"][0]["status"], &done["Operations"][1]["status"]), (&json!("404"), &json!("404")));
    assert_eq!(site.content(), before);

    let on = SettingsUpdate { membership_resources: Some(true), ..SettingsUpdate::default() };
    site.engine().update_directory("ann", &directory.id, &on).unwrap();
    directory.get(&format!("{PATH}/{group}-{user}")).expect(200);
    let last = site.engine().changes(0, 1_000).unwrap().pop().unwrap();
    let detail: Value = serde_json::from_str(&last.detail).unwrap();
    assert_eq!((last.kind.as_str(), &detail["changed"]), ("directory.updated", &json!(["membershipResources"])));
    let mut request = directory.request("GET", PATH, None);
    request.headers.clear();
    site.handle(&request).expect(401);
}

#[test]
fn discovery_names_what_is_there() {
    let site = Site::new();
    let directory = site.connect(&with_memberships("idp"));
    assert_eq!(directory.ids("/ResourceTypes"), ["User", "Group", "GroupMembership"]);
    let resource_type = directory.get("/ResourceTypes/GroupMembership").expect(200).body;
    assert_eq!((&resource_type["endpoint"], &resource_type["schema"]), (&json!(PATH), &json!(SCHEMA)));
    let schema = directory.get(&format!("/Schemas/{SCHEMA}")).expect(200).body;
    for (at, name, parts) in [(0, "group", ["value", "$ref", "display"]), (1, "member", ["value", "$ref", "type"])] {
        let attribute = &schema["attributes"][at];
        let properties = ["name", "type", "multiValued", "mutability", "required"].map(|name| attribute[name].clone());
        assert_eq!(properties, [json!(name), json!("complex"), json!(false), json!("immutable"), json!(true)]);
        for (at, part) in parts.into_iter().enumerate() {
            let found = &attribute["subAttributes"][at];
            let is_value = part == "value";
            let mutability = if is_value { "immutable" } else { "readOnly" };
            assert_eq!((&found["name"], &found["mutability"]), (&json!(part), &json!(mutability)));
            assert_eq!(found["required"], is_value);
        }
    }
    assert!(directory.ids("/Schemas").contains(&SCHEMA.to_string()));
}

#[test]
fn a_membership_is_made_read_and_removed() {
    let site = Site::new();
    let directory = site.connect(&with_memberships("idp"));
    let (group, user) = (directory.group("Staff", &[]), directory.user("ann@x.test"));
    let made = directory.post(PATH, &body(&group, &user)).expect(201);
    let id = format!("{group}-{user}");
    let base = format!("{ORIGIN}{}", directory.path);
    let location = format!("{base}{PATH}/{id}");
    let expected = json!({
        "schemas": [SCHEMA],
        "id": id,
        "group": { "value": group, "$ref": format!("{base}/Groups/{group}"), "display": "Staff" },
        "member": { "value": user, "$ref": format!("{base}/Users/{user}"), "type": "User" },
        "meta": { "resourceType": "GroupMembership", "location": location },
    });
    assert_eq!((&made.body, made.header("location")), (&expected, Some(location.as_str())));
    let path = format!("{PATH}/{id}");
    assert_eq!(directory.get(&path).expect(200).body, expected);
    assert_eq!(directory.get(PATH).expect(200).resources(), std::slice::from_ref(&expected));
    let part = directory.get(&format!("{path}?attributes=member.value")).expect(200).body;
    assert_eq!(part, json!({ "schemas": [SCHEMA], "id": id, "member": { "value": user } }));
    let without = directory.get(&format!("{PATH}?excludedAttributes=meta,group.$ref")).expect(200);
    assert_eq!(without.resources()[0]["group"], json!({ "value": group, "display": "Staff" }));
    assert!(without.resources()[0].get("meta").is_none());
    // It is the same membership from every side.
    assert_eq!(directory.get(&format!("/Groups/{group}")).body["members"][0]["value"], user);
    assert_eq!(directory.get(&format!("/Users/{user}")).body["groups"][0]["value"], group);
    assert_eq!(site.members(site.organization("Staff").unwrap()), ["ann@x.test"]);

    directory.send_with("DELETE", &path, &Value::Null, &[("If-Match", "W/\"1\"")]).expect(412);
    directory.send_with("GET", &path, &Value::Null, &[("If-Match", "W/\"1\"")]).expect(412);
    for method in ["PUT", "PATCH"] {
        assert_eq!(
            directory.send(method, &path, &body(&group, &user)).expect(405).header("allow"),
            Some("GET, HEAD, DELETE")
        );
    }
    directory.send_with("DELETE", &path, &Value::Null, &[("If-Match", "*")]).expect(204);
    directory.get(&path).expect(404);
    directory.delete(&path).expect(404);
    assert_eq!(directory.get(&format!("/Groups/{group}")).body["members"], json!([]));
    assert!(site.members(site.organization("Staff").unwrap()).is_empty());
    let changes = site.engine().changes(0, 1_000).unwrap();
    let of_members = changes.iter().filter(|change| change.kind.starts_with("group.members-"));
    let members = |detail: &str| serde_json::from_str::<Value>(detail).unwrap()["members"].clone();
    let seen: Vec<_> = of_members.map(|change| (change.kind.as_str(), members(&change.detail))).collect();
    assert_eq!(seen, [("group.members-added", json!([user])), ("group.members-removed", json!([user]))]);
    integrity::check(&site.storage);
}

#[test]
fn what_is_there_already_is_refused_and_changes_nothing() {
    let site = Site::new();
    let directory = site.connect(&with_memberships("idp"));
    // The organization is adopted: its former members have a grace, which a refused request must not end either.
    let local = site.local_customer("local@x.test");
    let organization = site.engine().create_organization("ann", "Staff").unwrap().id;
    site.engine().add_members("ann", organization, &[local.id]).unwrap();
    let (user, group) = (directory.user("ann@x.test"), directory.group("Staff", &[]));
    directory.post(PATH, &body(&group, &user)).expect(201);
    let (before, feed) = (site.content(), site.engine().changes(0, 1_000).unwrap());
    for _ in 0..2 {
        directory.post(PATH, &body(&group, &user)).refused(409, "uniqueness");
    }
    assert_eq!((site.content(), site.engine().changes(0, 1_000).unwrap()), (before, feed));
}

#[test]
fn who_cannot_be_a_member_is_named() {
    let site = Site::new();
    let other = site.connect(&with_memberships("other"));
    let skips = Settings { unknown_members: UnknownMembers::Skip, ..with_memberships("skips") };
    for settings in [with_memberships("idp"), skips] {
        let directory = site.connect(&settings);
        let (user, group) =
            (directory.user(&format!("{}@x.test", settings.name)), directory.group(&settings.name, &[]));
        let (foreign, foreign_group) = (other.user("f@x.test"), other.group("Foreign", &[]));
        let (gone, gone_group) = (directory.user("gone@x.test"), directory.group("Gone", &[]));
        directory.delete(&format!("/Users/{gone}")).expect(204);
        directory.delete(&format!("/Groups/{gone_group}")).expect(204);
        let before = site.content();
        for stranger in [foreign.as_str(), &gone, &group, "nobody", "../x", "o:0000000001", "bulkId:x", "é"] {
            let answer = directory.post(PATH, &body(&group, stranger)).refused(400, "invalidValue");
            assert!(answer.body["detail"].as_str().unwrap().contains(stranger), "{}", answer.body);
        }
        for stranger in [foreign_group.as_str(), &gone_group, &user, "nothing", "", " "] {
            directory.post(PATH, &body(stranger, &user)).refused(400, "invalidValue");
        }
        for (wrong, scim_type) in [
            (json!([]), "invalidSyntax"),
            (json!({}), "invalidValue"),
            (json!({ "group": { "value": group } }), "invalidValue"),
            (json!({ "group": {}, "member": { "value": user } }), "invalidValue"),
            (json!({ "group": { "value": 7 }, "member": { "value": user } }), "invalidValue"),
            (json!({ "group": { "value": [group] }, "member": { "value": user } }), "invalidValue"),
            (json!({ "group": [{ "value": group }, { "value": group }], "member": { "value": user } }), "invalidValue"),
            (json!({ "group": { "value": group, "VALUE": group }, "member": { "value": user } }), "invalidSyntax"),
            (
                json!({ "Group": { "value": group }, "group": { "value": group }, "member": { "value": user } }),
                "invalidSyntax",
            ),
            (
                json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "group": { "value": group }, "member": { "value": user } }),
                "invalidValue",
            ),
        ] {
            directory.post(PATH, &wrong).refused(400, scim_type);
        }
        assert_eq!(site.content(), before);
        // What the schema does not know or a client cannot say is ignored.
        let more = json!({
            "id": "x", "externalId": "e", "nothing": 7, "meta": { "created": "x" },
            "group": { "VALUE": group, "display": 7, "$ref": "x" }, "member": { "value": user, "type": "User", "more": 1 },
        });
        directory.post(PATH, &more).expect(201);
        other.delete(&format!("/Users/{foreign}")).expect(204);
        other.delete(&format!("/Groups/{foreign_group}")).expect(204);
    }
}

#[test]
fn a_group_that_is_full_takes_nobody_more() {
    let site = Site::new();
    let directory = site.connect(&with_memberships("idp"));
    let users: Vec<String> = (0..3).map(|n| directory.user(&format!("u{n}@x.test"))).collect();
    let group = directory.group("Staff", &users[..2]);
    let settings = usher_engine::site::settings::SettingsUpdate { max_members: Some(2), ..Default::default() };
    site.engine().update_site_settings("ann", &settings).unwrap();
    let refused = directory.post(PATH, &body(&group, &users[2])).refused(400, "invalidValue");
    assert!(refused.body["detail"].as_str().unwrap().contains('2'));
}

#[test]
fn ids_of_memberships_are_read_strictly() {
    let site = Site::new();
    let directory = site.connect(&with_memberships("idp"));
    let other = site.connect(&with_memberships("other"));
    let user = directory.user("ann@x.test");
    let (group, empty) = (directory.group("Staff", std::slice::from_ref(&user)), directory.group("Empty", &[]));
    let before = site.content();
    for id in [
        format!("{group}{user}"),
        format!("{user}-{group}"),
        format!("{empty}-{user}"),
        format!("{group}-{user}-"),
        format!("{group}-{user}%00"),
        format!("{group}%2F{user}"),
        format!("{group}-{}", user.to_uppercase()),
        format!("o:0000000001-{user}"),
        format!("{group}-bulkId:x"),
        group.clone(),
        "-".into(),
        "x".repeat(10_000),
    ] {
        directory.get(&format!("{PATH}/{id}")).expect(404);
        directory.delete(&format!("{PATH}/{id}")).expect(404);
    }
    other.get(&format!("{PATH}/{group}-{user}")).expect(404);
    other.delete(&format!("{PATH}/{group}-{user}")).expect(404);
    assert_eq!(site.content(), before);
    directory.get(&format!("{PATH}/{group}%2D{user}")).expect(200);
}

/// Groups of different sizes, with two empty ones among them.
fn several(directory: &Directory<'_>) -> (Vec<String>, Vec<String>, Vec<String>) {
    let users = directory.many("/Users", (0..9).map(|n| json!({ "userName": format!("u{n}") })));
    let members: [&[usize]; 6] = [&[0, 1, 2, 3], &[], &[1], &[1, 3, 5, 7, 8], &[], &[0, 8]];
    let mut all = Vec::new();
    let groups = members.iter().enumerate().map(|(at, members)| {
        let members: Vec<String> = members.iter().map(|user| users[*user].clone()).collect();
        let group = directory.group(&format!("g{at}"), &members);
        all.extend(members.iter().map(|user| format!("{group}-{user}")));
        group
    });
    let groups = groups.collect();
    (users, groups, all)
}

#[test]
fn pages_are_the_list_in_parts() {
    let site = Site::new();
    let directory = site.connect(&with_memberships("idp"));
    let other = site.connect(&with_memberships("other"));
    let foreign = other.user("f@x.test");
    let (users, groups, all) = several(&directory);
    other.group("Foreign", &[foreign]);
    for (query, expected) in [
        (String::new(), all.clone()),
        (of_group(&groups[3]), all.iter().filter(|id| id.starts_with(&groups[3])).cloned().collect()),
        (of_group(&groups[1]), Vec::new()),
        (of_user(&users[1]), all.iter().filter(|id| id.ends_with(&users[1])).cloned().collect()),
        (of_user(&users[4]), Vec::new()),
        (
            filter(&format!("group.value eq \"{}\" and member.value eq \"{}\"", groups[3], users[5])),
            vec![format!("{}-{}", groups[3], users[5])],
        ),
        (filter(&format!("group.value eq \"{}\" and member.value eq \"{}\"", groups[3], users[0])), Vec::new()),
        (of_group(&users[0]), Vec::new()),
        (of_user("nobody"), Vec::new()),
    ] {
        let whole = directory.get(&format!("{PATH}?{query}")).expect(200);
        assert_eq!((whole.ids(), total(&whole)), (expected.clone(), expected.len() as u64), "{query}");
        for count in 1..=expected.len() + 1 {
            assert_eq!(pages(&directory, &query, count), expected, "{query}");
            for start in 1..=expected.len() + 2 {
                let page = directory.get(&format!("{PATH}?count={count}&startIndex={start}&{query}")).expect(200);
                let (from, to) = ((start - 1).min(expected.len()), (start - 1 + count).min(expected.len()));
                assert_eq!((page.ids(), total(&page)), (expected[from..to].to_vec(), expected.len() as u64));
                assert_eq!((page.body.get("nextCursor"), &page.body["startIndex"]), (None, &json!(start)));
            }
        }
        let counted = directory.get(&format!("{PATH}?count=0&{query}")).expect(200);
        assert_eq!((counted.ids(), total(&counted)), (Vec::new(), expected.len() as u64));
        let counted = directory.get(&format!("{PATH}?count=0&cursor=&{query}")).expect(200);
        assert!(counted.body.get("nextCursor").is_none());
    }
    let search = json!({ "filter": format!("group.value eq \"{}\"", groups[3]), "count": 2, "cursor": "" });
    let page = directory.post(&format!("{PATH}/.search"), &search).expect(200);
    assert_eq!(page.ids(), all[5..7]);
    directory.get(&format!("{PATH}/.search")).expect(405);
    // A search over everything is over users and groups.
    assert_eq!(directory.get("/?attributes=id").expect(200).body["totalResults"], users.len() + groups.len());
}

/// All memberships of a directory with very many groups: a page looks at so many of them, and ends early, but is not empty.
#[test]
fn many_small_groups_are_gone_through_in_steps() {
    let site = Site::new();
    let directory = site.connect(&with_memberships("idp"));
    let user = directory.user("ann@x.test");
    let members =
        |n: usize| if n.is_multiple_of(7) || (300..620).contains(&n) { vec![] } else { vec![json!({ "value": user })] };
    let groups =
        directory.many("/Groups", (0..900).map(|n| json!({ "displayName": format!("g{n}"), "members": members(n) })));
    let expected: Vec<String> =
        (0..900).filter(|n| !members(*n).is_empty()).map(|n| format!("{}-{user}", groups[n])).collect();
    let (mut cursor, mut ids) = (String::new(), Vec::new());
    loop {
        site.storage.take_work();
        let page = directory.get(&format!("{PATH}?count=1000&cursor={cursor}")).expect(200);
        let work = site.storage.take_work();
        assert!(work.scans <= 105 && work.entries < 700, "{work:?}");
        assert_eq!(total(&page), expected.len() as u64);
        ids.extend(page.ids());
        match page.body["nextCursor"].as_str() {
            Some(next) => {
                assert!(!page.resources().is_empty());
                cursor = next.to_string();
            }
            None => break,
        }
    }
    assert_eq!(ids, expected);
    let (mut start, mut by_index) = (1, Vec::new());
    while start <= expected.len() {
        let page = directory.ids(&format!("{PATH}?count=1000&startIndex={start}"));
        assert!(!page.is_empty());
        start += page.len();
        by_index.extend(page);
    }
    assert_eq!(by_index, expected);
    assert_eq!(pages(&directory, &of_user(&user), 17), expected);
}

#[test]
fn only_some_filters_are_taken() {
    let site = Site::new();
    let directory = site.connect(&with_memberships("idp"));
    let (users, groups, _) = several(&directory);
    for text in [
        format!("group.value eq \"{}\" or member.value eq \"{}\"", groups[0], users[0]),
        format!("group.value ne \"{}\"", groups[0]),
        format!("not (group.value eq \"{}\")", groups[0]),
        "group.value pr".into(),
        "group.display eq \"g0\"".into(),
        "id pr".into(),
        "displayName eq \"g0\"".into(),
        "members.value eq \"x\"".into(),
        "group.value eq".into(),
        "group.value eq 7".into(),
        "(".repeat(40),
    ] {
        directory.get(&format!("{PATH}?{}", filter(&text))).refused(400, "invalidFilter");
    }
    directory.get(&format!("{PATH}?sortBy=id")).refused(400, "invalidPath");
    directory.get(&format!("{PATH}?sortBy=group.display")).refused(400, "invalidPath");
    directory.get(&format!("{PATH}?count=x")).refused(400, "invalidValue");
}

#[test]
fn a_cursor_is_of_one_list() {
    let site = Site::new();
    let directory = site.connect(&with_memberships("idp"));
    let other = site.connect(&with_memberships("other"));
    let (users, groups, all) = several(&directory);
    let next = |path: &str| directory.get(path).expect(200).body["nextCursor"].as_str().unwrap().to_string();
    let plain = next(&format!("{PATH}?count=2&cursor="));
    let in_group = next(&format!("{PATH}?count=2&cursor=&{}", of_group(&groups[0])));
    let of_users = next("/Users?count=2&cursor=");
    for query in [
        format!("cursor={plain}&{}", of_group(&groups[0])),
        format!("cursor={in_group}&{}", of_group(&groups[3])),
        format!("cursor={in_group}&{}", of_user(&users[0])),
        format!("cursor={in_group}"),
        format!("cursor={of_users}"),
        format!("cursor={plain}A"),
        "cursor=nonsense".into(),
        "cursor=%00".into(),
    ] {
        directory.get(&format!("{PATH}?{query}")).refused(400, "invalidCursor");
    }
    directory.get(&format!("/Groups?cursor={plain}")).refused(400, "invalidCursor");
    other.get(&format!("{PATH}?cursor={plain}")).refused(400, "invalidCursor");
    directory.get(&format!("{PATH}?cursor={plain}&startIndex=1")).refused(400, "invalidValue");
    // What it stands behind may be gone meanwhile.
    directory.delete(&format!("{PATH}/{}", all[1])).expect(204);
    assert_eq!(directory.ids(&format!("{PATH}?cursor={plain}&count=2")), all[2..4]);
    directory.delete(&format!("/Groups/{}", groups[0])).expect(204);
    assert_eq!(directory.ids(&format!("{PATH}?cursor={plain}&count=2")), all[4..6]);
}

/// Others come and go meanwhile: who is a member all the time is seen once.
#[test]
fn everybody_is_seen_once_while_others_write() {
    for by in ["", "group", "user"] {
        let site = Site::new();
        let directory = site.connect(&with_memberships("idp"));
        let users = directory.many("/Users", (0..12).map(|n| json!({ "userName": format!("u{n}") })));
        let kept: Vec<String> = users[3..9].to_vec();
        let groups: Vec<String> = (0..12).map(|n| directory.group(&format!("g{n}"), &kept)).collect();
        let query = match by {
            "group" => of_group(&groups[5]),
            "user" => of_user(&users[5]),
            _ => String::new(),
        };
        let expected = directory.ids(&format!("{PATH}?count=1000&{query}"));
        let (mut cursor, mut seen, mut turn) = (String::new(), Vec::new(), 0);
        loop {
            let page = directory.get(&format!("{PATH}?count=3&cursor={cursor}&{query}")).expect(200);
            seen.extend(page.ids());
            let Some(next) = page.body["nextCursor"].as_str() else { break };
            cursor = next.to_string();
            for user in [&users[turn % 3], &users[9 + turn % 3]] {
                let path = format!("{PATH}/{}-{user}", groups[turn % 12]);
                if directory.delete(&path).status == 404 {
                    directory.post(PATH, &body(&groups[turn % 12], user)).expect(201);
                }
            }
            turn += 1;
        }
        seen.retain(|id| expected.contains(id));
        assert_eq!(seen, expected, "{by}");
        integrity::check(&site.storage);
    }
}

/// Users and groups that are deleted and still to be swept are out of sight.
#[test]
fn what_is_not_yet_swept_is_not_shown() {
    let site = Site::new();
    let directory = site.connect(&with_memberships("idp"));
    let users = directory.many("/Users", (0..100).map(|n| json!({ "userName": format!("u{n}") })));
    let [leaver, stays] = [&users[3], &users[4]];
    let few: Vec<Value> = users[2..6].iter().map(|id| json!({ "value": id })).collect();
    let groups = directory.many("/Groups", (0..80).map(|n| json!({ "displayName": format!("g{n}"), "members": few })));
    let large = directory.group("Large", &users);
    directory.delete(&format!("/Users/{leaver}")).expect(204);
    directory.delete(&format!("/Groups/{large}")).expect(204);
    let swept = |expected: bool| {
        let left = site.content().keys().any(|key| key.starts_with("w/"));
        assert_eq!(left, !expected);
        let expected: Vec<String> = groups
            .iter()
            .flat_map(|group| [&users[2], &users[4], &users[5]].map(|user| format!("{group}-{user}")))
            .collect();
        assert_eq!(pages(&directory, "", 7), expected);
        for group in [&groups[0], &groups[79]] {
            let whole = directory.get(&format!("{PATH}?{}", of_group(group))).expect(200);
            let of_it: Vec<String> = expected.iter().filter(|id| id.starts_with(group.as_str())).cloned().collect();
            assert_eq!((whole.ids(), total(&whole)), (of_it.clone(), 3));
            assert_eq!(pages(&directory, &of_group(group), 1), of_it);
            let page = directory.get(&format!("{PATH}?startIndex=2&count=1&{}", of_group(group)));
            assert_eq!(page.ids(), of_it[1..2]);
            directory.get(&format!("{PATH}/{group}-{leaver}")).expect(404);
            directory.delete(&format!("{PATH}/{group}-{leaver}")).expect(404);
            directory.post(PATH, &body(group, leaver)).refused(400, "invalidValue");
        }
        for (query, total) in [(of_user(leaver), 0), (of_group(&large), 0), (of_user(stays), 80)] {
            let list = directory.get(&format!("{PATH}?count=1000&{query}")).expect(200);
            assert_eq!((list.ids().len(), list.body["totalResults"].as_u64()), (total, Some(total as u64)), "{query}");
        }
        directory.get(&format!("{PATH}/{large}-{stays}")).expect(404);
        directory.post(PATH, &body(&large, stays)).refused(400, "invalidValue");
    };
    swept(false);
    site.sweep(1_000);
    swept(true);
    integrity::check(&site.storage);
}

#[test]
fn references_in_a_bulk_request_are_resolved() {
    let site = Site::new();
    let directory = site.connect(&with_memberships("idp"));
    let (user, group) = (directory.user("ann@x.test"), directory.group("Staff", &[]));
    let add = |id: &str, group: &str, user: &str| json!({ "method": "POST", "path": PATH, "bulkId": id, "data": body(group, user) });
    let operations = json!([
        { "method": "DELETE", "path": format!("{PATH}/bulkId:b") },
        add("a", "bulkId:g", "bulkId:u"),
        add("b", &group, "bulkId:u"),
        add("c", "bulkId:g", &user),
        add("d", "bulkId:g", &user),
        add("e", "bulkId:lost", &user),
        add("f", "bulkId:taken", &user),
        { "method": "POST", "path": "/Users", "bulkId": "u", "data": { "userName": "bob@x.test" } },
        { "method": "POST", "path": "/Groups", "bulkId": "g", "data": { "displayName": "Desk" } },
        { "method": "POST", "path": "/Groups", "bulkId": "taken", "data": { "displayName": "Staff" } },
        { "method": "POST", "path": PATH, "data": body(&group, &user) },
        { "method": "PATCH", "path": format!("{PATH}/{group}-{user}"), "data": {} },
        { "method": "DELETE", "path": format!("{PATH}/{group}-{user}") },
        { "method": "DELETE", "path": format!("{PATH}/bulkId:d") },
        { "method": "DELETE", "path": PATH },
        { "method": "POST", "path": format!("{PATH}/x"), "bulkId": "h", "data": body(&group, &user) },
        add("i", &group, &user),
        { "method": "DELETE", "path": "/groupmemberships/bulkId:i", "version": "W/\"1\"" },
    ]);
    let answer = directory.post("/Bulk", &json!({ "Operations": operations })).expect(200).body;
    let done = answer["Operations"].as_array().unwrap();
    let statuses: Vec<&str> = done.iter().map(|done| done["status"].as_str().unwrap()).collect();
    let expected = [
        "204", "201", "201", "201", "409", "400", "400", "201", "201", "409", "400", "405", "404", "400", "400", "400",
        "201", "412",
    ];
    assert_eq!(statuses, expected);
    let id = |at: usize| done[at]["location"].as_str().unwrap().rsplit('/').next().unwrap().to_string();
    let (bob, desk) = (id(7), id(8));
    assert_eq!(id(1), format!("{desk}-{bob}"));
    assert_eq!((id(0), id(2)), (format!("{group}-{bob}"), format!("{group}-{bob}")));
    assert!(done[4].get("location").is_none() && done[1].get("version").is_none());
    let mut all = directory.ids(PATH);
    all.sort_unstable();
    let mut left = vec![format!("{desk}-{bob}"), format!("{desk}-{user}"), format!("{group}-{user}")];
    left.sort_unstable();
    assert_eq!(all, left);
    integrity::check(&site.storage);
}

#[test]
fn the_request_log_names_the_membership() {
    let site = Site::new();
    let directory = site.connect(&with_memberships("idp"));
    let (user, group) = (directory.user("ann@x.test"), directory.group("Staff", &[]));
    directory.post(PATH, &body(&group, &user)).expect(201);
    directory.delete(&format!("{PATH}/{group}-{user}")).expect(204);
    directory.delete(&format!("{PATH}/ann@x.test-{user}")).expect(404);
    let log = site
        .engine()
        .requests(&directory.id, &usher_engine::directories::LogFilter::default(), None, 3)
        .unwrap()
        .values;
    let seen: Vec<_> =
        log.iter().map(|request| (request.method.as_str(), request.path.as_str(), request.status)).collect();
    let path = format!("{PATH}/{group}-{user}");
    assert_eq!(seen, [("DELETE", "/GroupMemberships/*", 404), ("DELETE", &path, 204), ("POST", PATH, 201)]);
    assert_eq!(
        (log[1].changes[0].kind.as_str(), log[2].changes[0].kind.as_str()),
        ("group.members-removed", "group.members-added")
    );
}

/// What the two sites of the property test do. Numbers choose among what there ever was.
#[derive(Debug, Clone)]
enum Step {
    MakeUser(usize),
    DeleteUser(usize),
    MakeGroup(usize, Vec<usize>),
    DeleteGroup(usize),
    Add(usize, usize),
    Remove(usize, usize),
    /// Everybody who can be restored is.
    Restore,
    Pass(u64),
    Sweep,
}

fn step() -> impl Strategy<Value = Step> {
    let (user, group) = (0..5_usize, 0..4_usize);
    prop_oneof![
        3 => user.clone().prop_map(Step::MakeUser),
        1 => user.clone().prop_map(Step::DeleteUser),
        2 => (group.clone(), prop::collection::vec(user.clone(), 0..3)).prop_map(|(group, users)| Step::MakeGroup(group, users)),
        1 => group.clone().prop_map(Step::DeleteGroup),
        6 => (group.clone(), user.clone()).prop_map(|(group, user)| Step::Add(group, user)),
        3 => (group, user).prop_map(|(group, user)| Step::Remove(group, user)),
        1 => Just(Step::Restore),
        1 => prop::sample::select(&[60_000, 3_600_000][..]).prop_map(Step::Pass),
        1 => Just(Step::Sweep),
    ]
}

/// A site with local customers and organizations that the directory's users and groups will meet.
fn prepare(site: &Site) -> Directory<'_> {
    for at in 0..4 {
        let organization = site.engine().create_organization("ann", &format!("g{at}")).unwrap().id;
        for member in [format!("u{at}@x.test"), format!("local{at}@x.test")] {
            let customer = site.local_customer(&member).id;
            site.engine().add_members("ann", organization, &[customer]).unwrap();
        }
    }
    site.connect(&with_memberships("idp"))
}

/// Carries out a step; additions and removals by a PATCH of the group or as memberships. What was made has an id.
fn perform(directory: &Directory<'_>, users: &[String], groups: &[String], step: &Step, by_patch: bool) -> Answer {
    let nobody = "nobody".to_string();
    let user = |at: &usize| users.get(*at).unwrap_or(&nobody);
    let group = |at: &usize| groups.get(*at).unwrap_or(&nobody);
    let site = directory.site;
    let patch = |at: &usize, op: &str, user: &String| {
        let operation = json!([{ "op": op, "path": "members", "value": [{ "value": user }] }]);
        directory.patch(&format!("/Groups/{}", group(at)), operation)
    };
    match step {
        Step::MakeUser(at) => {
            let name = format!("u{at}@x.test");
            return directory.post("/Users", &json!({ "userName": name, "emails": [{ "value": name }] }));
        }
        Step::DeleteUser(at) => return directory.delete(&format!("/Users/{}", user(at))),
        Step::MakeGroup(at, members) => {
            let members: Vec<Value> = members.iter().map(|at| json!({ "value": user(at) })).collect();
            return directory.post("/Groups", &json!({ "displayName": format!("g{at}"), "members": members }));
        }
        Step::DeleteGroup(at) => return directory.delete(&format!("/Groups/{}", group(at))),
        Step::Add(at, who) if by_patch => return patch(at, "add", user(who)),
        Step::Add(at, who) => return directory.post(PATH, &body(group(at), user(who))),
        Step::Remove(at, who) if by_patch => return patch(at, "remove", user(who)),
        Step::Remove(at, who) => return directory.delete(&format!("{PATH}/{}-{}", group(at), user(who))),
        Step::Restore => {
            for deleted in everything(|position, limit| site.engine().deleted_customers(position, limit).unwrap()) {
                // Its address may be taken.
                let _ = site.engine().restore_customer("ann", &deleted.customer.id);
            }
        }
        Step::Pass(milliseconds) => site.surroundings.pass(*milliseconds),
        Step::Sweep => drop(site.sweep(100)),
    }
    directory.get("/ServiceProviderConfig")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whoever comes or goes this way leaves the same behind, to the last byte, as by a PATCH of the group.
    #[test]
    fn it_comes_to_the_same_as_by_patch(steps in prop::collection::vec(step(), 1..30)) {
        let (one, other) = (Site::new(), Site::new());
        let (by_patch, by_resource) = (prepare(&one), prepare(&other));
        let (mut users, mut groups) = (Vec::new(), Vec::new());
        for step in &steps {
            // The one that is only looked at does not stay behind.
            let time = one.surroundings.now().max(other.surroundings.now());
            one.surroundings.set(time);
            other.surroundings.set(time);
            let is_edit = matches!(step, Step::Add(..) | Step::Remove(..));
            let before = other.content();
            let answer = perform(&by_resource, &users, &groups, step, false);
            let refused = answer.status >= 400;
            if is_edit && refused {
                prop_assert_eq!(other.content(), before);
            } else {
                let patched = perform(&by_patch, &users, &groups, step, true);
                prop_assert_eq!(patched.status >= 400, refused);
            }
            match step {
                Step::MakeUser(_) if answer.status == 201 => users.push(answer.id()),
                Step::MakeGroup(..) if answer.status == 201 => groups.push(answer.id()),
                _ => {}
            }
            prop_assert_eq!(one.content(), other.content());
            let listed: usize = groups.iter().map(|group| by_resource.get(&format!("{PATH}?{}", of_group(group))).ids().len()).sum();
            prop_assert_eq!(listed, by_resource.ids(&format!("{PATH}?count=1000")).len());
        }
        integrity::check(&other.storage);
    }
}
