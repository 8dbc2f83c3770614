//! Whatever comes as a request, the component answers, and so does the server around it. Neither ever breaks down, and the
//! answer is well-formed.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng};
use serde_json::{Value, json};
use usher_tests::http::{ADMIN_KEY, Served};
use usher_tests::server::{self, Directory, Request, Response};

/// How many requests of each kind are made up. The same properties are tried on far more by the engine's own tests.
const CASES: u32 = 300;

fn check(response: &Response) {
    assert!((200..600).contains(&response.status), "{}", response.status);
    assert_ne!(response.status, 500, "{}", response.body);
    if matches!(response.status, 204 | 304) {
        assert!(response.body.is_empty());
        return;
    }
    assert_eq!(response.header("content-type"), Some("application/scim+json"));
    let body: Value = serde_json::from_str(&response.body).expect("a body is JSON");
    if response.status >= 400 {
        assert_eq!(body["schemas"], serde_json::json!(["urn:ietf:params:scim:api:messages:2.0:Error"]));
        assert_eq!(body["status"], response.status.to_string());
        assert!(body["detail"].as_str().is_some_and(|detail| !detail.is_empty()));
    }
}

fn method() -> impl Strategy<Value = String> {
    prop_oneof![
        9 => prop::sample::select(vec!["GET", "POST", "PUT", "PATCH", "DELETE"]).prop_map(str::to_owned),
        1 => any::<String>(),
    ]
}

fn target() -> impl Strategy<Value = String> {
    let known = vec![
        "/Users",
        "/Groups",
        "/Users/0123456789abcdefghij",
        "/Groups/x",
        "/Bulk",
        "/.search",
        "/Users/.search",
        "/Schemas",
        "/ResourceTypes/User",
        "/Me",
        "",
        "/v2/Users",
    ];
    let parameter = prop::sample::select(vec!["filter", "startIndex", "count", "cursor", "sortBy", "attributes", "x"]);
    let query = prop::option::of((parameter, any::<String>()).prop_map(|(name, value)| {
        let value = percent_encoding::utf8_percent_encode(&value, percent_encoding::NON_ALPHANUMERIC);
        format!("?{name}={value}")
    }));
    let path = prop_oneof![4 => prop::sample::select(known).prop_map(str::to_owned), 1 => "/[ -~]{0,40}"];
    (path, query).prop_map(|(path, query)| path + &query.unwrap_or_default())
}

/// JSON with the names and values that mean something here, put together in any way.
fn json() -> impl Strategy<Value = Value> {
    let names = vec![
        "schemas",
        "userName",
        "USERNAME",
        "displayName",
        "emails",
        "value",
        "primary",
        "type",
        "active",
        "members",
        "name",
        "givenName",
        "Operations",
        "op",
        "path",
        "method",
        "bulkId",
        "data",
        "failOnErrors",
        "filter",
        "id",
        "meta",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
        "manager",
    ];
    let texts = vec![
        "add",
        "replace",
        "remove",
        "POST",
        "PATCH",
        "DELETE",
        "/Users",
        "/Groups",
        "bulkId:a",
        "a",
        "ann@example.com",
        "emails[type eq \"work\"].value",
        "members[value eq \"x\"]",
        "name.givenName",
        "True",
        "",
        "urn:ietf:params:scim:api:messages:2.0:PatchOp",
        "urn:ietf:params:scim:api:messages:2.0:BulkRequest",
    ];
    let leaf = prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        1 => any::<String>().prop_map(Value::from),
        8 => prop::sample::select(texts).prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            3 => prop::collection::vec((prop::sample::select(names.clone()), inner), 0..6).prop_map(|members| {
                Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
            }),
        ]
    })
}

fn body() -> impl Strategy<Value = Option<String>> {
    prop_oneof![
        1 => Just(None),
        2 => any::<String>().prop_map(Some),
        6 => json().prop_map(|value| Some(value.to_string())),
    ]
}

fn headers(directory: &Directory) -> Vec<(String, String)> {
    vec![("authorization".to_owned(), format!("Bearer {}", directory.api_key))]
}

#[test]
fn any_request_to_a_directory_is_answered() {
    let directory = server::component();
    proptest!(ProptestConfig::with_cases(CASES), |(method in method(), target in target(), body in body())| {
        check(&directory.send(Request { method, target, headers: headers(&directory), body }));
    });
}

#[test]
fn any_bytes_are_answered() {
    let directory = server::component();
    let fields = prop::collection::vec((any::<String>(), any::<String>()), 0..5);
    proptest!(ProptestConfig::with_cases(CASES), |(method in any::<String>(), target in any::<String>(), headers in fields,
                                                   body in any::<Option<String>>())| {
        check(&directory.send(Request { method, target, headers, body }));
    });
}

#[test]
fn the_deepest_and_longest_bodies_are_answered() {
    let directory = server::component();
    let long = "x".repeat(15 << 20);
    let bodies = [
        "[".repeat(1 << 20),
        "{\"a\":".repeat(1 << 20),
        format!("{{\"userName\":\"{long}\"}}"),
        format!(
            "{{\"schemas\":[],\"Operations\":[{}]}}",
            "{\"op\":\"add\",\"path\":\"members\",\"value\":[]},".repeat(200_000)
        ),
        format!("[{}]", "1,".repeat(5 << 20)),
        format!("{{\"userName\":\"a\",\"emails\":[{}{{}}]}}", "{\"value\":\"a\"},".repeat(500_000)),
    ];
    for body in bodies {
        for (method, target) in [("POST", "/Users"), ("PATCH", "/Groups/0123456789abcdefghij"), ("POST", "/Bulk")] {
            let request = Request {
                method: method.to_owned(),
                target: target.to_owned(),
                headers: headers(&directory),
                body: Some(body.clone()),
            };
            let response = directory.send(request);
            check(&response);
            assert!((400..500).contains(&response.status), "{method} {target}: {}", response.status);
        }
    }
    let filter = format!("/Users?filter={}", "(".repeat(100_000));
    check(&directory.send(Request {
        method: "GET".to_owned(),
        target: filter,
        headers: headers(&directory),
        body: None,
    }));
}

/// How many requests are mutated, unless `USHER_MUTATIONS` says.
const MUTATIONS: usize = 3_000;

/// After how many of them there is a new server, as the ones before may have been emptied by what was sent to them.
const OF_A_SERVER: usize = 2_500;

/// How many are under way at a time. Some of them end only when the server has waited long enough for the rest.
const SENDERS: usize = 16;

/// Requests that are answered as they should be, to all parts of the server.
fn seeds(directory: &Directory) -> Vec<Vec<u8>> {
    let scim = directory.base.splitn(4, '/').nth(3).unwrap_or_default();
    let user = r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ann@example.com","externalId":"7","active":true,"name":{"givenName":"Ann","familyName":"Lee"},"emails":[{"value":"ann@example.com","type":"work","primary":true}],"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Looms"}}"#;
    let patch = r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":"emails[type eq \"work\"].value","value":"a@example.com"},{"op":"Add","path":"members","value":[{"value":"0123456789abcdefghij"}]},{"op":"remove","path":"name.givenName"}]}"#;
    let bulk = r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"failOnErrors":1,"Operations":[{"method":"POST","path":"/Users","bulkId":"a","data":{"userName":"b1"}},{"method":"POST","path":"/Groups","data":{"displayName":"g","members":[{"value":"bulkId:a"}]}}]}"#;
    let search = r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"filter":"userName sw \"a\" and not (active eq false)","startIndex":1,"count":10,"sortBy":"userName"}"#;
    let with_key = |key: &str, method: &str, path: String, body: &str| {
        let kind = if body.is_empty() { String::new() } else { "content-type: application/json\r\n".to_owned() };
        let length = if body.is_empty() { String::new() } else { format!("content-length: {}\r\n", body.len()) };
        format!("{method} {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\n{kind}{length}\r\n{body}")
            .into_bytes()
    };
    let of_scim = |method, path: &str, body| with_key(&directory.api_key, method, format!("/{scim}{path}"), body);
    let of_admin = |method, path: &str, body| with_key(ADMIN_KEY, method, path.to_owned(), body);
    vec![
        of_scim("POST", "/Users", user),
        of_scim("PUT", "/Users/0123456789abcdefghij?attributes=userName", user),
        of_scim("PATCH", "/Groups/0123456789abcdefghij", patch),
        of_scim("POST", "/Groups", r#"{"displayName":"All","members":[]}"#),
        of_scim("POST", "/Bulk", bulk),
        of_scim("POST", "/.search", search),
        of_scim("GET", "/Users?filter=userName%20eq%20%22ann%22%20or%20emails.value%20pr&count=5&startIndex=2", ""),
        of_scim("GET", "/Groups?cursor&count=1&excludedAttributes=members&sortOrder=descending", ""),
        of_scim("GET", "/Schemas", ""),
        of_scim("DELETE", "/Users/0123456789abcdefghij", ""),
        of_admin("POST", "/admin/v1/directories", r#"{"name":"Okta","conflictPolicy":"skip","deletionLimit":5000}"#),
        of_admin("GET", "/admin/v1/directories?limit=10", ""),
        of_admin(
            "PATCH",
            "/admin/v1/settings",
            r#"{"locales":["en-US","de-DE"],"defaultLocale":"en-US","retentionDays":3}"#,
        ),
        of_admin("POST", "/admin/v1/customers", r#"{"email":"bo@example.com","displayName":"Bo","locale":"de"}"#),
        of_admin("GET", "/admin/v1/customers?deleted=true&cursor=0123456789abcdefghij", ""),
        of_admin("POST", "/admin/v1/organizations", r#"{"name":"Büro"}"#),
        of_admin("PUT", "/admin/v1/organizations/1/members/0123456789abcdefghij", ""),
        of_admin("POST", "/admin/v1/projects", r#"{"key":"HELP","name":"Help","audience":"open"}"#),
        of_admin("GET", "/admin/v1/access?customer=0123456789abcdefghij&project=1", ""),
        of_admin("GET", "/admin/v1/changes?after=3&limit=2", ""),
        of_admin("GET", "/admin/v1/changes/stream?after=1", ""),
        of_admin("POST", "/rest/servicedeskapi/customer", r#"{"displayName":"Cy","email":"cy@example.com"}"#),
        of_admin(
            "DELETE",
            "/rest/servicedeskapi/servicedesk/HELP/customer",
            r#"{"accountIds":["0123456789abcdefghij"]}"#,
        ),
        of_admin("GET", "/rest/servicedeskapi/organization?start=1&limit=2&accountId=x", ""),
        of_admin("GET", "/metrics", ""),
        b"GET /readyz HTTP/1.1\r\nhost: x\r\n\r\n".to_vec(),
        b"GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n".to_vec(),
    ]
}

/// What is put into requests: what means something to HTTP, to JSON, to filters, or to nobody.
const PIECES: [&[u8]; 40] = [
    b"\r\n",
    b"\n",
    b"\0",
    b"\xff\xfe",
    b"\"",
    b"\\",
    b"\\ud800",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"null",
    b"-1",
    b"0",
    b"1e999",
    b"18446744073709551616",
    b"true",
    b"%00",
    b"%2F",
    b"%",
    b"..",
    b"/",
    b"?",
    b"&",
    b"=",
    b" ",
    b"\t",
    b"Transfer-Encoding: chunked\r\n",
    b"Content-Length: 5\r\n",
    b"Expect: 100-continue\r\n",
    b"Host: y\r\n",
    b"Origin: null\r\n",
    b"If-Match: W/\"x\"\r\n",
    b"Prefer: return=minimal\r\n",
    b"not (",
    b" eq ",
    b"[value pr].x",
    "\u{202e}é".as_bytes(),
];

/// A request with some of its bytes changed, taken out, doubled, or put in from elsewhere.
fn mutated(random: &mut TestRng, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut below = |end: usize| (random.next_u64() % end.max(1) as u64) as usize;
    let mut request = seeds[below(seeds.len())].clone();
    for _ in 0..=below(4) {
        let at = below(request.len());
        let end = (at + 1 + below(20)).min(request.len());
        match below(6) {
            0 => {
                if let Some(byte) = request.get_mut(at) {
                    *byte ^= 1 << below(8);
                }
            }
            1 => {
                request.drain(at..end);
            }
            2 => {
                let part = request[at..end].to_vec();
                request.splice(at..at, part);
            }
            3 => {
                let other = &seeds[below(seeds.len())];
                let from = below(other.len());
                let part = other[from..(from + below(60)).min(other.len())].to_vec();
                request.splice(at..end, part);
            }
            _ => {
                let piece = PIECES[below(PIECES.len())].to_vec();
                request.splice(at..at, piece);
            }
        }
    }
    request
}

/// Sends bytes, and returns the beginning of what comes back: nothing where the server has taken the connection for dead.
fn exchange(address: SocketAddr, request: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    // The server may have seen enough before all of it is there.
    let _ = stream.write_all(request);
    let mut answer = vec![0; 16 << 10];
    let mut length = 0;
    while length < 12 {
        match stream.read(&mut answer[length..]) {
            Ok(0) => break,
            Ok(more) => length += more,
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => break,
            Err(error) => return Err(error),
        }
    }
    answer.truncate(length);
    Ok(answer)
}

#[test]
fn requests_with_a_few_wrong_bytes_are_answered_and_break_nothing() {
    let count = std::env::var("USHER_MUTATIONS").map_or(MUTATIONS, |text| text.parse().expect("a number"));
    let (mut sent, answered, meant) = (0, AtomicUsize::new(0), AtomicUsize::new(0));
    while sent < count {
        let server = Served::new(|settings| {
            // Many of them promise more than they are.
            settings.body_timeout = Duration::from_millis(100);
            settings.idle_timeout = Duration::from_millis(100);
        });
        let seeds = seeds(&server.connect(&json!({"name": "test"})));
        let part = OF_A_SERVER.min(count - sent);
        std::thread::scope(|scope| {
            let (server, seeds, answered, meant) = (&server, &seeds, &answered, &meant);
            for sender in 0..SENDERS {
                scope.spawn(move || {
                    let mut seed = [0; 32];
                    seed[..8].copy_from_slice(&(sent as u64).to_le_bytes());
                    seed[8..16].copy_from_slice(&(sender as u64).to_le_bytes());
                    let mut random = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
                    for _ in (sender..part).step_by(SENDERS) {
                        let request = mutated(&mut random, seeds);
                        let answer = exchange(server.address(), &request).expect("it answers or closes");
                        let shown = || (String::from_utf8_lossy(&request), String::from_utf8_lossy(&answer));
                        if answer.is_empty() {
                            continue;
                        }
                        assert!(answer.starts_with(b"HTTP/1."), "{:?}", shown());
                        answered.fetch_add(1, Ordering::Relaxed);
                        if answer.get(9) == Some(&b'5') {
                            let text = String::from_utf8_lossy(&answer);
                            let streams = text.contains("as many streams of changes as there may be");
                            let nobody = text.starts_with("HTTP/1.1 501 ") && text.contains("stands for a directory");
                            assert!(streams || nobody, "{:?}", shown());
                            meant.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                });
            }
        });
        assert_eq!(server.send("GET", "/readyz", None).status, 200);
        sent += part;
    }
    let (answered, meant) = (answered.into_inner(), meant.into_inner());
    println!("{sent} mutated requests, {answered} answered, {meant} of them with a 5xx that is meant");
    assert!(answered > sent / 2, "most are answered: {answered} of {sent}");
}
