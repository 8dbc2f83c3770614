//! Anything at all is answered, and with well-formed SCIM: the form of every answer is checked where it is read.

use std::thread;

use proptest::prelude::*;
use serde_json::{Value, json};
use usher_engine::Request;
use usher_engine::directories::Settings;

use super::integrity;
use super::site::{Directory, Site, settings};

/// The stack that a call of the component has.
const STACK: usize = 128 << 10;

const PATHS: [&str; 17] = [
    "",
    "/",
    "/Users",
    "/Users/ID",
    "/Groups",
    "/Groups/ID",
    "/.search",
    "/GroupMemberships",
    "/GroupMemberships/ID-ID",
    "/GroupMemberships/.search",
    "/Users/.search",
    "/Bulk",
    "/Me",
    "/Schemas",
    "/Schemas/urn:ietf:params:scim:schemas:core:2.0:User",
    "/ResourceTypes/User",
    "/ServiceProviderConfig",
];

const BODIES: [&str; 9] = [
    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ann@x.test","name":{"givenName":"Ann"},"emails":[{"value":"a@x.test","type":"work","primary":true}],"active":"True"}"#,
    r#"{"displayName":"Staff","members":[{"value":"ID","type":"User","$ref":"https://x/Users/ID"}]}"#,
    r#"{"Operations":[{"op":"Add","path":"emails[type eq \"work\" and not (primary eq true)].value","value":"b@x.test"},{"op":"remove","path":"members[value eq \"ID\" or type sw \"U\"]"}]}"#,
    r#"{"Operations":[{"op":"replace","value":{"active":false,"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager":{"value":"ID"}}}]}"#,
    r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"filter":"userName sw \"a\" or groups.value eq \"ID\"","sortBy":"name.givenName","sortOrder":"descending","startIndex":1,"count":3,"attributes":["userName"]}"#,
    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:GroupMembership"],"group":{"value":"ID"},"member":{"value":"ID","type":"User"}}"#,
    r#"{"Operations":[{"method":"POST","path":"/GroupMemberships","bulkId":"m","data":{"group":"ID","member":{"value":"bulkId:m"}}},{"method":"DELETE","path":"/GroupMemberships/bulkId:m"}]}"#,
    r#"{"failOnErrors":1,"Operations":[{"method":"POST","path":"/Users","bulkId":"a","data":{"userName":"c"}},{"method":"PATCH","path":"/Groups/ID","data":{"Operations":[{"op":"add","path":"members","value":[{"value":"bulkId:a"}]}]}}]}"#,
    r#"{"Operations":[{"method":"PUT","path":"/Users/bulkId:b","version":"W/\"1\"","data":{"userName":"bulkId:b"}},{"method":"DELETE","path":"/Users/ID"}]}"#,
];

const QUERIES: [&str; 10] = [
    "filter=userName%20eq%20%22ann%40x.test%22",
    "filter=members.value%20eq%20%22ID%22%20or%20displayName%20sw%20%22S%22",
    "filter=not%20(emails%5Btype%20eq%20%22work%22%5D.value%20co%20%22x%22)&sortBy=meta.created&sortOrder=descending",
    "filter=group.value%20eq%20%22ID%22%20and%20member.value%20eq%20%22ID%22&count=1&cursor=",
    "filter=member%20eq%20%22ID%22&startIndex=2&attributes=group.display",
    "startIndex=-1&count=18446744073709551616",
    "cursor=&count=1&sortBy=userName",
    "cursor=AAAA.BBBB",
    "attributes=userName,groups.display,members.value&count=2",
    "excludedAttributes=members,meta,emails.type",
];

fn site() -> (Site, String, String) {
    let site = Site::new();
    let directory = site.connect(&Settings { membership_resources: true, ..settings("idp") });
    let user = directory.user("zoe@x.test");
    directory.group("All", std::slice::from_ref(&user));
    let (id, key) = (directory.id.clone(), directory.key.clone());
    drop(directory);
    site.storage.take_work();
    (site, format!("{id} {key}"), user)
}

fn directory<'s>(site: &'s Site, id_and_key: &str) -> Directory<'s> {
    let (id, key) = id_and_key.split_once(' ').unwrap();
    Directory { site, id: id.into(), path: format!("/scim/directory/{id}"), key: key.into() }
}

/// A text with some of its bytes replaced, taken out or put in.
fn mutated(texts: &'static [&'static str]) -> impl Strategy<Value = String> {
    let edits = prop::collection::vec((any::<prop::sample::Index>(), 0..3_u8, any::<u8>()), 0..4);
    (prop::sample::select(texts), edits).prop_map(|(text, edits)| {
        let mut bytes = text.as_bytes().to_vec();
        for (at, kind, byte) in edits {
            let at = at.index(bytes.len() + 1);
            match kind {
                0 => bytes.insert(at, byte),
                1 if at < bytes.len() => bytes[at] = byte,
                _ if at < bytes.len() => drop(bytes.remove(at)),
                _ => {}
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn headers() -> impl Strategy<Value = Vec<(String, String)>> {
    let name = prop_oneof![
        3 => prop::sample::select(&["if-match", "If-None-Match", "prefer", "Content-Type", "X-Request-Id", "Authorization"][..]).prop_map(String::from),
        1 => any::<String>(),
    ];
    let value = prop_oneof![
        3 => prop::sample::select(&["*", "W/\"1\"", "\"1\", W/\"2\"", "return=minimal", "application/json; charset=utf-8", "text/plain", "Bearer x.y"][..]).prop_map(String::from),
        1 => any::<String>(),
    ];
    prop::collection::vec((name, value), 0..3)
}

fn request() -> impl Strategy<Value = Request> {
    let method = prop_oneof![
        9 => prop::sample::select(&["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"][..]).prop_map(String::from),
        1 => any::<String>(),
    ];
    let path = prop_oneof![8 => prop::sample::select(&PATHS[..]).prop_map(String::from), 1 => mutated(&PATHS), 1 => any::<String>()];
    let query = prop::option::of(prop_oneof![8 => mutated(&QUERIES), 1 => any::<String>()]);
    let body = prop::option::of(prop_oneof![9 => mutated(&BODIES), 1 => any::<String>()]);
    (method, path, query, headers(), body).prop_map(|(method, path, query, headers, body)| Request {
        method,
        origin: "https://desk.example/base\"".into(),
        path,
        query,
        headers,
        body,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_request_is_answered(requests in prop::collection::vec(request(), 1..6), with_key in prop::bool::weighted(0.95)) {
        let (site, id_and_key, user) = site();
        let directory = directory(&site, &id_and_key);
        for mut request in requests {
            let key = ("authorization".to_string(), format!("Bearer {}", directory.key));
            let at = if with_key { 0 } else { request.headers.len() };
            request.headers.insert(at, key);
            request.path = format!("{}{}", directory.path, request.path.replace("ID", &user));
            request.body = request.body.map(|body| body.replace("ID", &user));
            site.handle(&request);
        }
        integrity::check(&site.storage);
    }

    #[test]
    fn any_path_is_answered(path in any::<String>(), method in any::<String>(), headers in headers()) {
        let site = Site::new();
        let request = Request { method, origin: String::new(), path, query: None, headers, body: None };
        prop_assert!([401, 404].contains(&site.handle(&request).status));
    }
}

/// What nests as deep as it can, or goes as wide, does its work on the component's stack.
#[test]
fn hostile_shapes_fit_on_the_stack() {
    let nested = |open: &str, close: &str, depth: usize| format!("{}{}", open.repeat(depth), close.repeat(depth));
    let filter = |depth: usize| format!("{}id pr{}", "not (".repeat(depth), ")".repeat(depth));
    let element = |depth: usize| format!("emails[{}type pr{}]", "(".repeat(depth), ")".repeat(depth));
    let mut bodies: Vec<String> = [20, 24, 25, 10_000].iter().map(|depth| nested("[", "]", *depth)).collect();
    bodies.extend([22, 23, 10_000].map(|depth| {
        format!("{{\"userName\":\"n\",\"name\":{}}}", nested("{\"a\":", "}", depth).replace(":}", ":0}"))
    }));
    for depth in [31, 32, 33, 2_000] {
        bodies.push(json!({ "filter": filter(depth) }).to_string());
        let patch = json!({ "Operations": [{ "op": "remove", "path": element(depth) }] });
        bodies.push(json!({ "Operations": [{ "method": "PATCH", "path": "/Users/ID", "data": patch }] }).to_string());
        bodies.push(patch.to_string());
    }
    let work = move || {
        let (site, id_and_key, user) = site();
        let directory = directory(&site, &id_and_key);
        for body in &bodies {
            for (method, path) in [
                ("POST", "/Users"),
                ("POST", "/.search"),
                ("POST", "/Bulk"),
                ("PATCH", "/Users/ID"),
                ("PUT", "/Groups/ID"),
            ] {
                let body = body.replace("ID", &user);
                site.handle(&directory.request(method, &path.replace("ID", &user), Some(body)));
            }
        }
    };
    thread::Builder::new().stack_size(STACK).spawn(work).unwrap().join().unwrap();
}

/// As wide as a body can be: all of these come back, and most of them at once.
#[test]
fn hostile_sizes_are_refused_or_done() {
    let (site, id_and_key, user) = site();
    let directory = directory(&site, &id_and_key);
    let send = |method: &str, path: &str, body: String| site.handle(&directory.request(method, path, Some(body)));
    let repeated = |text: &str, count: usize| vec![text; count].join(",");
    let user_path = format!("/Users/{user}");
    send("POST", "/Users", format!("[{}]", repeated("[0]", 4_000_000))).refused(400, "invalidSyntax");
    send("POST", "/Users", " ".repeat(16 << 20)).refused(400, "invalidSyntax");
    send("POST", "/.search", " ".repeat((16 << 20) + 1)).expect(413);
    send("POST", "/Users", format!("{{\"userName\":\"{}\"}}", "x".repeat(15 << 20))).refused(400, "invalidValue");
    send("POST", "/Users", format!("{{{}}}", repeated("\"a\":0", 100_000))).refused(400, "invalidSyntax");
    send(
        "POST",
        "/Groups",
        format!("{{\"displayName\":\"g\",\"members\":[{}]}}", repeated("{\"value\":\"nobody\"}", 400_000)),
    )
    .refused(400, "invalidValue");
    let operations = |count| repeated(r#"{"op":"add","path":"roles","value":[{"value":"r"}]}"#, count);
    send("PATCH", &user_path, format!("{{\"Operations\":[{}]}}", operations(10_000))).expect(200);
    send("PATCH", &user_path, format!("{{\"Operations\":[{}]}}", operations(10_001))).refused(400, "invalidValue");
    let big = "x".repeat(4_000);
    let makes = |count: usize| -> Value {
        let make = |n: usize| json!({ "method": "POST", "path": "/Users", "bulkId": n.to_string(), "data": { "userName": format!("u{n}"), "title": big, "nickName": big } });
        json!({ "Operations": (0..count).map(make).collect::<Value>() })
    };
    assert_eq!(
        send("POST", "/Bulk", makes(1_000).to_string()).expect(200).body["Operations"].as_array().unwrap().len(),
        1_000
    );
    send("POST", "/Bulk", makes(1_001).to_string()).expect(413);
    for query in [format!("filter={}", "a".repeat(1 << 20)), "attributes=".to_string() + &"a,".repeat(1 << 20)] {
        directory.get(&format!("/Users?{query}")).expect(400);
    }
    integrity::check(&site.storage);
}
