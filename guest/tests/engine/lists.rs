//! Lists: filters, sorting, pages by index, projections, `.search` (RFC 7644, sections 3.4.2, 3.4.3, 3.9).

use proptest::prelude::*;
use serde_json::{Value, json};

use super::integrity;
use super::site::{Answer, Directory, GROUP, LIST, Site, USER, settings};
use super::staging::stage;

/// Users with what is different about them, and two groups.
fn people(site: &Site) -> (Directory<'_>, Vec<String>, Vec<String>) {
    let directory = site.connect(&settings("idp"));
    let users = [
        json!({ "userName": "dora", "title": "Boss", "externalId": "E1", "active": false }),
        json!({ "userName": "Bob", "title": "assistant", "externalId": "e1" }),
        json!({ "userName": "carl", "name": { "familyName": "Ö" }, "emails": [{ "value": "C@x.test", "type": "work" }, { "value": "a@x.test", "primary": true }] }),
        json!({ "userName": "Ann", "name": { "familyName": "Z" }, "emails": [{ "value": "b@x.test" }] }),
    ];
    let users = directory.many("/Users", users.into_iter());
    let groups = vec![directory.group("Staff", &users[..2]), directory.group("desk", &users[1..3])];
    (directory, users, groups)
}

fn filtered(directory: &Directory<'_>, endpoint: &str, filter: &str) -> Answer {
    let encoded: String =
        percent_encoding::percent_encode(filter.as_bytes(), percent_encoding::NON_ALPHANUMERIC).to_string();
    let by_get = directory.get(&format!("{endpoint}?filter={encoded}"));
    let by_post = directory.post(&format!("{endpoint}/.search"), &json!({ "filter": filter }));
    assert_eq!(by_get, by_post);
    by_get
}

#[test]
fn filters_find_what_they_describe() {
    let site = Site::new();
    let (directory, users, groups) = people(&site);
    let (u, g) = (|at: usize| users[at].as_str(), |at: usize| groups[at].as_str());
    for (filter, expected) in [
        ("userName eq \"BOB\"".to_string(), vec![1]),
        ("userName eq \" bob\"".into(), vec![1]),
        ("userName sw \"\"".into(), vec![0, 1, 2, 3]),
        ("userName gt \"bob\"".into(), vec![0, 2]),
        ("externalId eq \"e1\"".into(), vec![1]),
        ("externalId eq \"e1\" or externalId eq \"E1\"".into(), vec![0, 1]),
        ("externalId eq \"!\" or externalId eq \"e\"".into(), vec![]),
        ("emails.value eq \"c@X.test\"".into(), vec![2]),
        ("emails[type eq \"work\"].value eq \"a@x.test\"".into(), vec![]),
        ("emails[type eq \"work\" and value co \"@X\"]".into(), vec![2]),
        ("active eq false".into(), vec![0]),
        ("not (active eq false) and title pr".into(), vec![1]),
        ("schemas eq \"urn:ietf:params:scim:schemas:core:2.0:User\"".into(), vec![0, 1, 2, 3]),
        ("meta.created gt \"2020-01-01T00:00:00Z\"".into(), vec![0, 1, 2, 3]),
        (format!("id eq \"{}\"", u(2)), vec![2]),
        ("id eq \"u/x\" or id eq \"\"".into(), vec![]),
        (format!("groups.value eq \"{}\"", g(0)), vec![0, 1]),
        (format!("groups eq \"{}\" and active eq true", g(0)), vec![1]),
        (format!("groups.value eq \"{}\" or groups eq \"{}\"", g(0), g(1)), vec![0, 1, 2]),
        ("groups.display eq \"STAFF\"".into(), vec![0, 1]),
        (format!("not (groups.value eq \"{}\")", g(0)), vec![2, 3]),
        ("groups pr".into(), vec![0, 1, 2]),
        ("groups.value eq \"nothing\"".into(), vec![]),
    ] {
        let answer = filtered(&directory, "/Users", &filter).expect(200);
        let expected: Vec<&str> = expected.into_iter().map(u).collect();
        assert_eq!(answer.ids(), expected, "{filter}");
        assert_eq!(answer.body["totalResults"], expected.len());
    }
    for (filter, expected) in [
        (format!("members.value eq \"{}\"", u(1)), vec![0, 1]),
        (format!("members eq \"{}\" and displayName eq \"staff\"", u(0)), vec![0]),
        (format!("members[value eq \"{}\" or value eq \"{}\"]", u(0), u(2)), vec![0, 1]),
        (format!("not (members eq \"{}\")", u(0)), vec![1]),
        (format!("members eq \"{}\"", u(3)), vec![]),
        ("members[type eq \"User\"]".into(), vec![0, 1]),
        ("members.value pr and displayName sw \"D\"".into(), vec![1]),
        ("displayName eq \" DESK \"".into(), vec![1]),
    ] {
        let expected: Vec<&str> = expected.into_iter().map(g).collect();
        assert_eq!(filtered(&directory, "/Groups", &filter).expect(200).ids(), expected, "{filter}");
    }
    for filter in ["nonsense eq 1", "userName eq", "userName", "members pr", "emails[", "password eq \"x\""] {
        filtered(&directory, "/Users", filter).refused(400, "invalidFilter");
    }
}

/// Names of which some begin with others, more than are read in one go.
#[test]
fn a_prefix_finds_every_name_that_begins_with_it() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let users = directory.many("/Users", (0..1_203).map(|n| json!({ "userName": format!("user{n}") })));
    let found = directory.get("/Users?filter=userName%20sw%20%22USER%22&count=1").expect(200);
    assert_eq!(found.body["totalResults"], users.len());
    let found = directory.get("/Users?filter=userName%20sw%20%22user54%22").expect(200);
    assert_eq!(found.body["totalResults"], 11);
}

#[test]
fn lists_are_sorted_by_any_attribute() {
    let site = Site::new();
    let (directory, ..) = people(&site);
    for (query, expected) in [
        ("sortBy=userName", ["Ann", "Bob", "carl", "dora"]),
        ("sortBy=USERNAME&sortOrder=Ascending", ["Ann", "Bob", "carl", "dora"]),
        ("sortBy=userName&sortOrder=descending", ["dora", "carl", "Bob", "Ann"]),
        ("sortBy=title", ["Bob", "dora", "carl", "Ann"]),
        ("sortBy=title&sortOrder=descending", ["carl", "Ann", "dora", "Bob"]),
        ("sortBy=name.familyName", ["Ann", "carl", "dora", "Bob"]),
        ("sortBy=emails", ["carl", "Ann", "dora", "Bob"]),
        ("sortBy=emails.value&sortOrder=descending", ["dora", "Bob", "Ann", "carl"]),
        ("sortBy=active", ["dora", "Bob", "carl", "Ann"]),
        // Of several groups the first counts: Bob is in both.
        ("sortBy=groups.display", ["carl", "dora", "Bob", "Ann"]),
        ("sortBy=meta.created&sortOrder=descending", ["dora", "Bob", "carl", "Ann"]),
        ("sortBy=id&sortOrder=descending", ["Ann", "carl", "Bob", "dora"]),
        ("sortOrder=descending", ["dora", "Bob", "carl", "Ann"]),
        ("sortBy=", ["dora", "Bob", "carl", "Ann"]),
    ] {
        assert_eq!(directory.get(&format!("/Users?{query}")).column("userName"), expected, "{query}");
    }
    for query in ["sortBy=nonsense", "sortBy=name"] {
        directory.get(&format!("/Users?{query}")).refused(400, "invalidPath");
    }
    directory.get("/Users?sortBy=id&sortOrder=upwards").refused(400, "invalidValue");
}

#[test]
fn pages_by_index_are_counted_from_one() {
    let site = Site::new();
    let (directory, users, _) = people(&site);
    for filter in ["", "&filter=id%20pr", "&sortBy=meta.resourceType"] {
        for (query, from, shown, start) in [
            ("startIndex=1", 0, 4, 1),
            ("startIndex=2&count=2", 1, 2, 2),
            ("startIndex=4&count=2", 3, 1, 4),
            ("startIndex=5", 4, 0, 5),
            ("startIndex=0&count=1", 0, 1, 1),
            ("startIndex=-7&count=1", 0, 1, 1),
            ("count=0", 0, 0, 1),
            ("count=-1", 0, 0, 1),
            ("count=99999999999999999999", 0, 4, 1),
            ("startIndex=18446744073709551615", 0, 0, i64::MAX),
            ("STARTINDEX=2&Count=1", 1, 1, 2),
        ] {
            let answer = directory.get(&format!("/Users?{query}{filter}")).expect(200);
            assert_eq!(answer.body["schemas"], json!([LIST]));
            assert_eq!(answer.body["totalResults"], 4);
            assert_eq!(answer.body["itemsPerPage"], shown, "{query}{filter}");
            assert_eq!(answer.body["startIndex"], start);
            assert_eq!(answer.ids(), users[from..from + shown]);
            assert!(answer.body.get("nextCursor").is_none());
        }
    }
    for query in ["startIndex=x", "count=1.5", "count="] {
        directory.get(&format!("/Users?{query}")).refused(400, "invalidValue");
    }
}

#[test]
fn a_search_from_the_top_goes_over_both_kinds() {
    let site = Site::new();
    let (directory, users, groups) = people(&site);
    let everything: Vec<String> = users.iter().chain(&groups).cloned().collect();
    assert_eq!(directory.ids(""), everything);
    let search = |body: Value| directory.post("/.search", &body).expect(200);
    assert_eq!(search(json!({})).ids(), everything);
    for (start, count) in [(1, 4), (1, 5), (4, 1), (5, 1), (4, 2), (6, 9), (7, 2)] {
        let answer = search(json!({ "startIndex": start, "count": count }));
        let expected: Vec<String> = everything.iter().skip(start - 1).take(count).cloned().collect();
        assert_eq!(answer.ids(), expected);
        assert_eq!(answer.body["totalResults"], 6);
    }
    assert_eq!(search(json!({ "filter": "userName eq \"bob\"" })).ids(), users[1..2]);
    assert_eq!(search(json!({ "filter": "displayName eq \"desk\"" })).ids(), groups[1..]);
    assert_eq!(
        search(json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "count": "1" })).ids(),
        users[..1]
    );
    directory.post("/.search", &json!({ "filter": "x" })).refused(400, "invalidFilter");
    directory.post("/.search", &json!({ "cursor": "" })).refused(400, "invalidCursor");
    for body in [json!([]), json!({ "schemas": [] }), json!({ "schemas": ["urn:x"] })] {
        directory.post("/Users/.search", &body).refused(400, "invalidSyntax");
    }
    for body in
        [json!({ "filter": 7 }), json!({ "count": [] }), json!({ "startIndex": 1.5 }), json!({ "attributes": "id" })]
    {
        directory.post("/Users/.search", &body).refused(400, "invalidValue");
    }
}

/// What resources of one type do not have has no value there; where none has it, the filter is refused.
#[test]
fn a_search_from_the_top_finds_the_union() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let user = |name: &str, title: &str| {
        let body = json!({ "userName": name, "displayName": format!("User {name}"), "title": title });
        directory.post("/Users", &body).expect(201).id()
    };
    let (ann, bob) = (user("ann", "Chief"), user("bob", "Clerk"));
    let (anglers, staff) = (directory.group("Anglers", &[]), directory.group("Staff", std::slice::from_ref(&bob)));

    for (filter, expected) in [
        ("userName sw \"an\" or displayName sw \"an\"".to_string(), vec![&ann, &anglers]),
        ("userName sw \"an\" and displayName pr".to_string(), vec![&ann]),
        ("userName eq \"bob\" or members eq \"x\"".to_string(), vec![&bob]),
        (format!("userName eq \"ann\" or members[value eq \"{bob}\"]"), vec![&ann, &staff]),
        ("title ne \"Chief\"".to_string(), vec![&bob, &anglers, &staff]),
        ("not (title eq \"Chief\")".to_string(), vec![&bob, &anglers, &staff]),
        ("title eq null or title pr".to_string(), vec![&ann, &bob, &anglers, &staff]),
        ("title eq null".to_string(), vec![&anglers, &staff]),
        ("title pr and members pr".to_string(), vec![]),
        ("not (title pr and members pr)".to_string(), vec![&ann, &bob, &anglers, &staff]),
        ("emails[type eq \"work\"] or meta.resourceType eq \"Group\"".to_string(), vec![&anglers, &staff]),
        (format!("{USER}:displayName sw \"\""), vec![&ann, &bob]),
        (format!("{USER}:userName eq \"ann\" or {GROUP}:displayName eq \"staff\""), vec![&ann, &staff]),
    ] {
        let search = json!({ "filter": filter });
        assert_eq!(
            directory.post("/.search", &search).expect(200).ids().iter().collect::<Vec<_>>(),
            expected,
            "{filter}"
        );
        assert_eq!(
            filtered(&directory, "", &filter).expect(200).ids().iter().collect::<Vec<_>>(),
            expected,
            "{filter}"
        );
        let first = directory.post("/.search", &json!({ "filter": filter, "count": 1 })).expect(200);
        assert_eq!(first.body["totalResults"], expected.len(), "{filter}");
    }
    for filter in ["nonsense eq \"x\"", "userName eq \"x\" or nonsense pr", "title gt true", "members[nonsense pr]"] {
        directory.post("/.search", &json!({ "filter": filter })).refused(400, "invalidFilter");
        filtered(&directory, "", filter).refused(400, "invalidFilter");
    }
    // One type alone has to know what is named.
    filtered(&directory, "/Groups", "userName sw \"an\" or displayName sw \"an\"").refused(400, "invalidFilter");
    let sorted = directory.post("/.search", &json!({ "sortBy": "userName", "sortOrder": "descending" })).expect(200);
    assert_eq!(sorted.ids(), [&bob, &ann, &anglers, &staff].map(String::clone));
    directory.post("/.search", &json!({ "sortBy": "nonsense" })).refused(400, "invalidPath");
}

#[test]
fn answers_hold_what_is_asked_for() {
    let site = Site::new();
    let (directory, users, groups) = people(&site);
    let names = |body: &Value| body.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    let user = format!("/Users/{}", users[1]);
    for (query, expected) in [
        ("attributes=userName", "id schemas userName"),
        ("attributes=groups.display", "groups id schemas"),
        ("attributes=nonsense", "id schemas"),
        ("attributes=", "active externalId groups id meta schemas title userName"),
        ("excludedAttributes=groups,meta,id,schemas", "active externalId id schemas title userName"),
    ] {
        assert_eq!(names(&directory.get(&format!("{user}?{query}")).expect(200).body), expected, "{query}");
        for resource in directory.get(&format!("/Users?{query}&filter=userName%20eq%20%22bob%22")).resources() {
            assert_eq!(names(resource), expected, "{query}");
        }
        let patched =
            directory.patch(&format!("{user}?{query}"), json!([{ "op": "add", "path": "active", "value": true }]));
        assert_eq!(names(&patched.expect(200).body), expected, "{query}");
    }
    let group = format!("/Groups/{}", groups[0]);
    let members = directory.get(&format!("{group}?attributes=members.value")).body["members"].clone();
    assert_eq!(members, json!([{ "value": users[0] }, { "value": users[1] }]));
    assert!(directory.get(&format!("{group}?excludedAttributes=members")).body.get("members").is_none());
    directory.get(&format!("{user}?attributes=id&excludedAttributes=meta")).refused(400, "invalidValue");
}

/// A step by which many users or groups come or go.
#[derive(Debug, Clone)]
enum Turn {
    /// So many are made. One of them is refused, and undone.
    Make(usize),
    /// The same after the clock has been put back by so many steps.
    MakeEarlier(usize, u64),
    /// So many are deleted from this percentage of the list on, or every so many of them.
    Delete { from: usize, count: usize, every: usize },
}

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let turn = prop_oneof![
        3 => (1..900_usize).prop_map(Turn::Make),
        2 => (1..900_usize, 0..9_u64).prop_map(|(count, ago)| Turn::MakeEarlier(count, ago)),
        3 => (0..100_usize, 1..900_usize, 1..4_usize)
            .prop_map(|(from, count, every)| Turn::Delete { from, count, every }),
    ];
    prop::collection::vec(turn, 1..9)
}

const LIST_BEGINS: u64 = 1_750_000_100_000;

/// Carries out a step, by requests of at most a thousand operations.
fn take_turn(directory: &Directory<'_>, path: &str, name: &str, turn: &Turn, at: u64) {
    let ago = if let Turn::MakeEarlier(_, ago) = turn { *ago } else { 0 };
    directory.site.surroundings.set(LIST_BEGINS + at.saturating_sub(ago) * 1_000_000);
    let operations: Vec<Value> = match turn {
        Turn::Make(count) | Turn::MakeEarlier(count, _) => {
            let names = (0..*count).map(|n| format!("{at}-{n}")).chain([format!("{at}-0")]);
            let post = |(id, text): (usize, String)| json!({ "method": "POST", "path": path, "bulkId": id.to_string(), "data": { name: text } });
            names.enumerate().map(post).collect()
        }
        Turn::Delete { from, count, every } => {
            let ids = by_cursor(directory, path);
            let from = ids.len() * from / 100;
            let some = ids[from..].iter().step_by(*every).take(*count);
            some.map(|id| json!({ "method": "DELETE", "path": format!("{path}/{id}") })).collect()
        }
    };
    directory.post("/Bulk", &json!({ "Operations": operations })).expect(200);
}

/// The ids of a list, gone through by cursor.
fn by_cursor(directory: &Directory<'_>, path: &str) -> Vec<String> {
    let (mut ids, mut cursor) = (Vec::new(), String::new());
    loop {
        let answer = directory.get(&format!("{path}?attributes=id&count=1000&cursor={cursor}")).expect(200);
        ids.extend(answer.ids());
        match answer.body["nextCursor"].as_str() {
            Some(next) => cursor = next.to_string(),
            None => return ids,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever comes and goes wherever in the list, its pages by number are those by cursor.
    #[test]
    fn pages_by_number_are_those_by_cursor(turns in turns(), of_users in any::<bool>(), staged in any::<bool>()) {
        let site = Site::new();
        let directory = site.connect(&settings("idp"));
        if staged {
            stage(&directory);
        }
        let (path, name) = if of_users { ("/Users", "userName") } else { ("/Groups", "displayName") };
        for (at, turn) in (1..).zip(&turns) {
            take_turn(&directory, path, name, turn, at);
            let ids = by_cursor(&directory, path);
            for from in (0..ids.len()).step_by(61) {
                let found = directory.ids(&format!("{path}?attributes=id&count=7&startIndex={}", from + 1));
                prop_assert_eq!(&found, &ids[from..(from + 7).min(ids.len())]);
            }
        }
        integrity::check(&site.storage);
    }
}
