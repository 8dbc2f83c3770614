//! Whatever bytes come, the server answers them or closes the connection. Nothing that is wrong with a request is an error
//! of the server's.

use proptest::prelude::Rng;
use proptest::test_runner::{RngAlgorithm, TestRng};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::oneshot;
use usher_host::http::{AdminKey, Server, Settings};
use usher_host::storage::MemoryStorage;
use usher_host::{Usher, directories};

const ADMIN_KEY: &str = "the admin key of this test";

/// How many requests are mutated, unless `USHER_MUTATIONS` says.
const MUTATIONS: usize = 3_000;

/// After how many of them there is a new server, as the ones before may have been emptied by what was sent to them.
const OF_A_SERVER: usize = 2_500;

/// How many are under way at a time. Some of them end only when the server has waited long enough for the rest.
const SENDERS: usize = 16;

/// Requests that are answered as they should be, to all parts of the server.
fn seeds(scim: &str, api_key: &str) -> Vec<Vec<u8>> {
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
    let of_scim = |method, path: &str, body| with_key(api_key, method, format!("{scim}{path}"), body);
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
    let mut below = |end: usize| usize::try_from(random.next_u64() % end.max(1) as u64).expect("below `end`");
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
    let usher = Usher::builder().short_calls_inline(true).load().expect("the component loads");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads");
    let (mut sent, answered, meant) = (0, AtomicUsize::new(0), AtomicUsize::new(0));
    while sent < count {
        let mut settings = Settings::new(AdminKey::new(ADMIN_KEY));
        // Many of them promise more than they are.
        settings.body_timeout = Duration::from_millis(100);
        settings.idle_timeout = Duration::from_millis(100);
        let site = usher.site(Arc::new(MemoryStorage::new()));
        let (connected, server) = runtime.block_on(async {
            let connected = site.connect_directory("test", directories::Settings::named("test")).await;
            let server = Server::bind(site.clone(), settings, SocketAddr::from(([127, 0, 0, 1], 0))).await;
            (connected.expect("an answer").expect("connected"), server.expect("an address"))
        });
        let address = server.address();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = runtime.spawn(server.serve(async {
            let _ = stopped.await;
        }));
        let seeds = seeds(&connected.directory.scim_path, &connected.key.api_key);
        let part = OF_A_SERVER.min(count - sent);
        std::thread::scope(|scope| {
            let (seeds, answered, meant) = (&seeds, &answered, &meant);
            for sender in 0..SENDERS {
                scope.spawn(move || {
                    let mut seed = [0; 32];
                    seed[..8].copy_from_slice(&(sent as u64).to_le_bytes());
                    seed[8..16].copy_from_slice(&(sender as u64).to_le_bytes());
                    let mut random = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
                    for _ in (sender..part).step_by(SENDERS) {
                        let request = mutated(&mut random, seeds);
                        let answer = exchange(address, &request).expect("it answers or closes");
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
        let ready = exchange(address, b"GET /readyz HTTP/1.1\r\nhost: x\r\n\r\n").expect("it answers");
        assert!(ready.starts_with(b"HTTP/1.1 200 "));
        drop(stop);
        runtime.block_on(serving).expect("it ends");
        sent += part;
    }
    let (answered, meant) = (answered.into_inner(), meant.into_inner());
    println!("{sent} mutated requests, {answered} answered, {meant} of them with a 5xx that is meant");
    assert!(answered > sent / 2, "most are answered: {answered} of {sent}");
}
