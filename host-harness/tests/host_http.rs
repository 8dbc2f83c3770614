//! What the server does with clients that send too much, too slowly, or nonsense.

use socket2::{Domain, Socket, Type};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use usher_host::http::{AdminKey, Server, Settings};
use usher_host::storage::MemoryStorage;
use usher_host::{Limits, Site, Usher, changes, directories, scim};

const ADMIN_KEY: &str = "the admin key of this test";

/// A server in this process, that ends with this.
struct Running {
    address: SocketAddr,
    site: Site,
    scim_path: String,
    api_key: String,
    _stop: oneshot::Sender<()>,
    _runtime: Runtime,
}

fn serve(change: impl FnOnce(&mut Settings)) -> Running {
    static USHER: LazyLock<Usher> = LazyLock::new(|| Usher::load().expect("the component loads"));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads");
    let mut settings = Settings::new(AdminKey::new(ADMIN_KEY));
    change(&mut settings);
    serve_on(&USHER, runtime, settings)
}

fn serve_on(usher: &Usher, runtime: Runtime, settings: Settings) -> Running {
    let site = usher.site(Arc::new(MemoryStorage::new()));
    let (connected, server) = runtime.block_on(async {
        let connected = site.connect_directory("test", directories::Settings::named("test")).await;
        let server = Server::bind(site.clone(), settings, SocketAddr::from(([127, 0, 0, 1], 0))).await;
        (connected.expect("an answer").expect("connected"), server.expect("an address"))
    });
    let address = server.address();
    let (stop, stopped) = oneshot::channel::<()>();
    runtime.spawn(server.serve(async {
        let _ = stopped.await;
    }));
    let (scim_path, api_key) = (connected.directory.scim_path, connected.key.api_key);
    Running { address, site, scim_path, api_key, _stop: stop, _runtime: runtime }
}

impl Running {
    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("a connection");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time-out");
        stream
    }

    /// Sends text as it is, and returns all that comes until the server closes the connection.
    fn raw(&self, text: &str) -> String {
        let mut stream = self.connect();
        stream.write_all(text.as_bytes()).expect("sent");
        read_all(&mut stream)
    }

    fn head(&self, method: &str, path: &str, more: &str) -> String {
        let Self { scim_path, api_key, .. } = self;
        format!(
            "{method} {scim_path}{path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {api_key}\r\n\
             content-type: application/scim+json\r\nconnection: close\r\n{more}\r\n"
        )
    }

    /// The header of a request with the admin key.
    #[expect(clippy::unused_self, reason = "asked of the server, as its other headers are")]
    fn admin(&self, method: &str, path: &str, more: &str) -> String {
        format!(
            "{method} {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {ADMIN_KEY}\r\nconnection: close\r\n{more}\r\n"
        )
    }

    /// Makes so many users, a thousand in a request.
    fn fill(&self, users: usize) {
        for first in (0..users).step_by(1_000) {
            let operation = |number: usize| {
                format!(r#"{{"method":"POST","path":"/Users","bulkId":"{number}","data":{{"userName":"u{number}"}}}}"#)
            };
            let operations: Vec<String> = (first..users.min(first + 1_000)).map(operation).collect();
            let body = format!(
                r#"{{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[{}]}}"#,
                operations.join(",")
            );
            assert_eq!(self.handle("POST", "/Bulk", body).status, 200);
        }
    }

    /// Makes a call without HTTP.
    fn handle(&self, method: &str, path: &str, body: String) -> scim::Response {
        let request = scim::Request {
            method: method.into(),
            origin: "http://x".into(),
            path: format!("{}{path}", self.scim_path),
            query: None,
            headers: vec![("authorization".into(), format!("Bearer {}", self.api_key))],
            body: Some(body).filter(|body| !body.is_empty()),
        };
        futures_lite::future::block_on(self.site.handle(request)).expect("an answer")
    }

    fn get(&self, path: &str) -> String {
        self.raw(&format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"))
    }
}

fn read_all(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    // A connection that is reset yields what came before.
    let _ = stream.read_to_end(&mut bytes);
    String::from_utf8(bytes).expect("text")
}

fn assert_scim_error(response: &str, status: u16) {
    assert!(response.starts_with(&format!("HTTP/1.1 {status} ")), "{response}");
    assert!(response.contains("content-type: application/scim+json"), "{response}");
    assert!(response.contains("urn:ietf:params:scim:api:messages:2.0:Error"), "{response}");
    assert!(response.contains(&format!("\"status\":\"{status}\"")), "{response}");
}

#[test]
fn a_body_that_announces_too_much_is_refused_before_it_is_read() {
    let server = serve(|_| {});
    let response = server.raw(&server.head("POST", "/Users", "content-length: 16777217\r\n"));
    assert_scim_error(&response, 413);
    assert!(response.contains("connection: close"), "{response}");
    let asking = server.head("POST", "/Users", "content-length: 16777217\r\nexpect: 100-continue\r\n");
    assert_scim_error(&server.raw(&asking), 413);
}

#[test]
fn a_client_that_sends_all_of_too_long_a_body_sees_why_it_is_refused() {
    let server = serve(|_| {});
    let head = server.head("POST", "/Users", "content-length: 20000000\r\n");
    let response = server.raw(&(head + &" ".repeat(20_000_000)));
    assert_scim_error(&response, 413);
}

#[test]
fn a_body_that_grows_too_long_is_refused() {
    let server = serve(|settings| settings.body = 100_000);
    let chunk = format!("{:x}\r\n{}\r\n", 50_000, " ".repeat(50_000));
    let head = server.head("POST", "/Users", "transfer-encoding: chunked\r\n");
    assert_scim_error(&server.raw(&(head + &chunk.repeat(3) + "0\r\n\r\n")), 413);
}

#[test]
fn a_body_as_long_as_may_be_is_taken() {
    let server = serve(|_| {});
    let (front, back) = (r#"{"userName":"long@example.com","unknown":""#, r#""}"#);
    let body = format!("{front}{}{back}", "x".repeat((16 << 20) - front.len() - back.len()));
    let head = server.head("POST", "/Users", &format!("content-length: {}\r\n", body.len()));
    let response = server.raw(&(head + &body));
    assert!(response.starts_with("HTTP/1.1 201 "), "{}", &response[..response.len().min(400)]);
}

#[test]
fn a_body_that_is_no_text_is_refused_as_no_syntax() {
    let server = serve(|_| {});
    let mut stream = server.connect();
    stream.write_all(server.head("POST", "/Users", "content-length: 2\r\n").as_bytes()).expect("sent");
    stream.write_all(&[0xff, 0xfe]).expect("sent");
    let response = read_all(&mut stream);
    assert_scim_error(&response, 400);
    assert!(response.contains("\"scimType\":\"invalidSyntax\""), "{response}");
}

/// It may be no text, and may not be as long as what is in it: the reason is the coding, on every surface.
#[test]
fn a_body_that_is_encoded_is_not_taken() {
    let server = serve(|_| {});
    let gzip = b"\x1f\x8b\x08\0\0\0\0\0\0\xff\xab\xae\x05\0C\xbf\xa6\xa3\x02\0\0\0";
    let send = |head: String| {
        let mut stream = server.connect();
        stream.write_all(head.as_bytes()).expect("sent");
        stream.write_all(gzip).expect("sent");
        read_all(&mut stream)
    };
    let coding = format!("content-encoding: gzip\r\ncontent-length: {}\r\n", gzip.len());
    for (method, path) in [("POST", "/Users"), ("POST", "/.search"), ("PATCH", "/Groups/0123456789abcdefghij")] {
        assert_scim_error(&send(server.head(method, path, &coding)), 415);
    }
    // Who has no key is not told what a body may be.
    let stranger = server.head("POST", "/Users", &coding).replace("authorization", "x-authorization");
    assert_scim_error(&send(stranger), 401);
    for (method, path, kind) in [
        ("POST", "/admin/v1/customers", "application/problem+json"),
        ("PATCH", "/admin/v1/settings", "application/problem+json"),
        ("POST", "/rest/servicedeskapi/organization", "application/json"),
        ("DELETE", "/rest/servicedeskapi/organization/1/user", "application/json"),
    ] {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {ADMIN_KEY}\r\n\
             content-type: application/json\r\nconnection: close\r\n{coding}\r\n"
        );
        let response = send(head.clone());
        assert!(response.starts_with("HTTP/1.1 415 "), "{method} {path}: {response}");
        assert!(response.contains(&format!("content-type: {kind}")), "{response}");
        assert!(send(head.replace("gzip", "identity")).starts_with("HTTP/1.1 400 "), "what is not encoded is no text");
    }
    assert_scim_error(&send(server.head("POST", "/Users", &coding.replace("gzip", "identity"))), 400);
}

#[test]
fn a_body_that_does_not_come_is_not_waited_for() {
    let server = serve(|settings| settings.body_timeout = Duration::from_millis(300));
    let begin = Instant::now();
    let response = server.raw(&server.head("POST", "/Users", "content-length: 10\r\n"));
    assert_scim_error(&response, 408);
    assert!(begin.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_header_that_does_not_come_is_not_waited_for() {
    let server = serve(|settings| settings.idle_timeout = Duration::from_millis(300));
    let begin = Instant::now();
    server.raw("GET /healthz HTTP/1.1\r\nhost:");
    assert!(begin.elapsed() < Duration::from_secs(10));
}

#[test]
fn clients_that_open_connections_and_send_little_keep_nobody_out() {
    let server = serve(|settings| settings.connections = 20);
    let lazy: Vec<TcpStream> = (0..60)
        .map(|_| {
            let mut stream = server.connect();
            stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\nx-slow:").expect("sent");
            stream
        })
        .collect();
    for _ in 0..5 {
        let begin = Instant::now();
        assert!(server.get("/healthz").starts_with("HTTP/1.1 200 "));
        assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    }
    drop(lazy);
}

#[test]
fn a_connection_is_used_again() {
    let server = serve(|_| {});
    let mut stream = server.connect();
    for _ in 0..3 {
        stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").expect("sent");
        let mut buffer = [0; 1_024];
        let length = stream.read(&mut buffer).expect("a response");
        assert!(buffer[..length].starts_with(b"HTTP/1.1 200 "));
    }
}

#[test]
fn requests_are_named_and_keep_the_name_that_the_client_gave_them() {
    let server = serve(|_| {});
    assert!(server.get("/healthz").contains("x-request-id: "));
    for path in ["/healthz", "/scim/x", "/admin/v1/directories"] {
        let named = format!("GET {path} HTTP/1.1\r\nhost: x\r\nx-request-id: mine-1\r\nconnection: close\r\n\r\n");
        assert!(server.raw(&named).contains("x-request-id: mine-1\r\n"), "{path}");
    }
}

#[test]
fn what_is_not_there_is_told_in_the_shape_of_its_surface() {
    let server = serve(|_| {});
    for path in ["/", "/x", "/admin/v1/x", "/admin/v1/directories/a/b/c/d"] {
        let response = server.get(path);
        assert!(response.starts_with("HTTP/1.1 404 "), "{path}: {response}");
        assert!(response.contains("content-type: application/problem+json"), "{path}: {response}");
    }
    assert_scim_error(&server.get("/scim/x"), 404);
    let wrong = |path| server.raw(&format!("PUT {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"));
    for (path, allow) in [("/healthz", "GET, HEAD"), ("/admin/v1/directories", "GET, HEAD, POST")] {
        let response = wrong(path);
        assert!(response.starts_with("HTTP/1.1 405 "), "{path}: {response}");
        assert!(response.contains(&format!("allow: {allow}\r\n")), "{path}: {response}");
    }
    let response = server.raw(&server.head("PUT", "/Users", ""));
    assert_scim_error(&response, 405);
    assert!(response.contains("allow: GET, HEAD, POST\r\n"), "{response}");
}

#[test]
fn a_host_that_is_none_makes_no_links() {
    let server = serve(|_| {});
    let request = server.head("GET", "/Users", "").replacen("host: x", "host: evil/%20path", 1);
    assert_scim_error(&server.raw(&request), 400);
}

#[test]
fn the_admin_api_and_the_metrics_want_the_admin_key_and_the_rest_does_not() {
    let server = serve(|_| {});
    for path in ["/healthz", "/readyz", "/openapi.json"] {
        assert!(server.get(path).starts_with("HTTP/1.1 200 "), "{path}");
    }
    for path in ["/metrics", "/admin/v1/directories", "/admin/v1/changes", "/admin/v1/directories/x/keys"] {
        for credentials in ["", "authorization: Bearer x\r\n", "authorization: Basic eDp5\r\n"] {
            let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\n{credentials}connection: close\r\n\r\n");
            let response = server.raw(&request);
            assert!(response.starts_with("HTTP/1.1 401 "), "{path}: {response}");
            assert!(response.contains("www-authenticate: Bearer realm="), "{path}: {response}");
            assert!(response.contains("www-authenticate: Basic realm="), "{path}: {response}");
        }
        let request =
            format!("GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {ADMIN_KEY}\r\nconnection: close\r\n\r\n");
        assert!(!server.raw(&request).starts_with("HTTP/1.1 401 "), "{path}");
    }
}

#[test]
fn a_body_of_the_admin_api_that_says_too_much_is_refused_by_name() {
    let server = serve(|_| {});
    let post = |body: &str| {
        let length = body.len();
        server.raw(&format!(
            "POST /admin/v1/directories HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {ADMIN_KEY}\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
        ))
    };
    let response = post(r#"{"name":"x","emailchange":"follow"}"#);
    assert!(response.starts_with("HTTP/1.1 400 ") && response.contains("`emailchange`"), "{response}");
    let response = post(r#"{"name":"x","emailChange":"follow"}"#);
    assert!(response.starts_with("HTTP/1.1 201 ") && response.contains("cache-control: no-store"), "{response}");
    assert!(post(r#"{"name":"X"}"#).starts_with("HTTP/1.1 409 "));
    assert!(post("").starts_with("HTTP/1.1 400 "));
    assert!(post("[]").starts_with("HTTP/1.1 400 "));
}

#[test]
fn a_request_names_its_host_once() {
    let server = serve(|_| {});
    for fields in ["", "host: x\r\nhost: x\r\n", "host: x\r\nhost: y\r\n", "host: a b\r\n", "host: u@x\r\n"] {
        for path in ["/healthz", "/scim/x", "/admin/v1/directories"] {
            let response = server.raw(&format!("GET {path} HTTP/1.1\r\n{fields}connection: close\r\n\r\n"));
            assert!(
                response.starts_with("HTTP/1.1 400 ") && response.contains("`Host`"),
                "{path} {fields}: {response}"
            );
        }
    }
    assert!(server.raw("GET /healthz HTTP/1.0\r\n\r\n").starts_with("HTTP/1.0 200 "), "HTTP/1.0 needs none");
}

#[test]
fn a_connection_is_closed_in_word_and_deed_where_a_body_was_not_read() {
    let server = serve(|_| {});
    let closed = |response: &str| response.contains("connection: close\r\n");
    for request in [
        format!("POST {}/Users HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n", server.scim_path),
        "POST /admin/v1/directories HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n".to_owned(),
        "POST /healthz HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n".to_owned(),
        "POST /healthz HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\nexpect: 100-continue\r\n\r\n".to_owned(),
    ] {
        let response = server.raw(&request);
        assert!(response.starts_with("HTTP/1.1 4") && closed(&response), "{request} {response}");
    }
    // What came along is passed over, and the connection goes on.
    let mut stream = server.connect();
    for _ in 0..3 {
        stream.write_all(b"POST /healthz HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\nbody").expect("sent");
        let mut buffer = [0; 1_024];
        let length = stream.read(&mut buffer).expect("a response");
        let response = String::from_utf8_lossy(&buffer[..length]);
        assert!(response.starts_with("HTTP/1.1 405 ") && !closed(&response), "{response}");
    }
}

#[test]
fn no_page_of_another_site_changes_anything() {
    let server = serve(|_| {});
    let body = r#"{"name":"another"}"#;
    let post = |path: &str, fields: &str, body: &str| {
        let fields = format!("{fields}content-length: {}\r\n", body.len());
        server.raw(&(server.admin("POST", path, &fields) + body))
    };
    let json = "content-type: application/json\r\n";
    for path in ["/admin/v1/directories", "/rest/servicedeskapi/organization"] {
        for foreign in ["origin: http://evil.example\r\n", "origin: null\r\n", "sec-fetch-site: cross-site\r\n"] {
            for kind in ["content-type: text/plain\r\n", json] {
                let response = post(path, &format!("{foreign}{kind}"), body);
                assert!(response.starts_with("HTTP/1.1 403 "), "{path} {foreign}{kind}: {response}");
            }
        }
        for kind in ["", "content-type: text/plain\r\n", "content-type: application/x-www-form-urlencoded\r\n"] {
            let response = post(path, kind, body);
            assert!(response.starts_with("HTTP/1.1 415 "), "{path} {kind}: {response}");
        }
        let own = format!("origin: http://x\r\nsec-fetch-site: same-origin\r\n{json}");
        assert!(post(path, &own, body).starts_with("HTTP/1.1 201 "), "{path}");
    }
    let keys = format!("/admin/v1/directories/{}/keys", server.scim_path.rsplit('/').next().expect("an id"));
    assert!(post(&keys, "", "").starts_with("HTTP/1.1 201 "), "a change without a body needs no type");
    let chunked = server.admin("POST", &keys, "transfer-encoding: chunked\r\n");
    assert!(server.raw(&(chunked.clone() + "0\r\n\r\n")).starts_with("HTTP/1.1 201 "), "nor does one that is empty");
    assert!(server.raw(&(chunked + "2\r\n{}\r\n0\r\n\r\n")).starts_with("HTTP/1.1 415 "));
    let connected = server.raw(&server.admin("GET", "/admin/v1/directories", ""));
    assert_eq!(connected.matches("\"scimBaseUrl\"").count(), 2, "{connected}");
}

#[test]
fn wrong_admin_keys_are_slowed_counted_and_told_of_and_the_right_one_is_not_slowed() {
    let server = serve(|settings| settings.sign_in_report = Duration::from_millis(300));
    let sign_in = |key: &str| {
        server.raw(&format!(
            "GET /admin/v1/settings HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\nconnection: close\r\n\r\n"
        ))
    };
    let answered = std::sync::atomic::AtomicUsize::new(0);
    let order = std::sync::atomic::Ordering::SeqCst;
    std::thread::scope(|scope| {
        for _ in 0..40 {
            scope.spawn(|| {
                assert!(sign_in("wrong").starts_with("HTTP/1.1 401 "));
                answered.fetch_add(1, order);
            });
        }
        while answered.load(order) < 20 {
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(sign_in(ADMIN_KEY).starts_with("HTTP/1.1 200 "));
        assert!(answered.load(order) < 40, "the right key waits for no wrong one");
    });
    let begin = Instant::now();
    let mut told = 0;
    while told < 40 {
        assert!(begin.elapsed() < Duration::from_secs(20), "{told} were told of");
        std::thread::sleep(Duration::from_millis(50));
        let feed = futures_lite::future::block_on(server.site.changes(0, changes::Filter::everything(), 1_000))
            .expect("an answer")
            .expect("a feed")
            .changes;
        let counts = feed.iter().filter(|change| change.kind == "admin-key.refused").map(|change| {
            let detail: serde_json::Value = serde_json::from_str(&change.detail).expect("JSON");
            assert!(detail["first"].is_string() && detail["last"].is_string() && change.actor == "usher");
            detail["count"].as_u64().expect("a count")
        });
        told = counts.sum();
    }
    assert_eq!(told, 40);
}

#[test]
fn senders_without_a_key_take_no_room_and_are_sent_away() {
    let server = serve(|settings| settings.bodies = 16 << 20);
    let length = "content-length: 16777216\r\n";
    let strange = server.head("POST", "/Users", length).replace("Bearer ", "Bearer x");
    let mut strangers: Vec<TcpStream> = (0..64)
        .map(|_| {
            let mut stream = server.connect();
            stream.write_all(strange.as_bytes()).expect("sent");
            stream
        })
        .collect();
    // Those with a key that announce much and send nothing take none, either.
    let _silent: Vec<TcpStream> = (0..8)
        .map(|_| {
            let mut stream = server.connect();
            stream.write_all(server.head("POST", "/Users", length).as_bytes()).expect("sent");
            stream
        })
        .collect();
    let begin = Instant::now();
    let body = format!(r#"{{"userName":"long@example.com","unknown":"{}"}}"#, "x".repeat(1 << 20));
    let head = server.head("POST", "/Users", &format!("content-length: {}\r\n", body.len()));
    assert!(server.raw(&(head + &body)).starts_with("HTTP/1.1 201 "));
    assert!(begin.elapsed() < Duration::from_secs(15), "{:?}", begin.elapsed());
    for stream in &mut strangers {
        assert_scim_error(&read_all(stream), 401);
    }
}

#[test]
fn a_short_body_that_does_not_come_is_waited_for_only_from_those_with_a_key() {
    let server = serve(|settings| settings.body_timeout = Duration::from_mins(1));
    let begin = Instant::now();
    let strange = server.head("POST", "/Users", "content-length: 10\r\n").replace("Bearer ", "Bearer x");
    assert_scim_error(&server.raw(&(strange + "{")), 401);
    assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", begin.elapsed());
    let mut slow = server.connect();
    let body = r#"{"userName":"slow@example.com"}"#;
    let head = server.head("POST", "/Users", &format!("content-length: {}\r\n", body.len()));
    slow.write_all((head + &body[..1]).as_bytes()).expect("sent");
    std::thread::sleep(Duration::from_millis(1_500));
    slow.write_all(&body.as_bytes()[1..]).expect("sent");
    assert!(read_all(&mut slow).starts_with("HTTP/1.1 201 "));
}

#[test]
fn clients_that_stop_in_the_middle_of_a_body_keep_nobody_out() {
    let server = serve(|settings| settings.connections = 20);
    let stuck: Vec<TcpStream> = (0..60)
        .map(|number| {
            let mut stream = server.connect();
            let head = server.head("POST", "/Users", "content-length: 10\r\n");
            let head = if number % 2 == 0 { head } else { head.replace("Bearer ", "Bearer x") };
            stream.write_all((head + "{").as_bytes()).expect("sent");
            stream
        })
        .collect();
    for _ in 0..5 {
        let begin = Instant::now();
        assert!(server.get("/healthz").starts_with("HTTP/1.1 200 "));
        assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    }
    drop(stuck);
}

/// Has as little as can be taken in by the system at either end before the client reads it.
fn connect_narrowly(server: &Running) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    // The server's end keeps a few segments, however long they are.
    socket.set_recv_buffer_size(4 << 10).expect("a smaller buffer");
    socket.set_tcp_mss(536).expect("shorter segments");
    socket.connect(&server.address.into()).expect("a connection");
    socket.set_read_timeout(Some(Duration::from_secs(20))).expect("a time-out");
    socket.into()
}

#[test]
fn answers_that_nobody_takes_are_bounded_and_leave_room_to_others() {
    const BUDGET: usize = 4 << 20;
    let mut server = serve(|settings| {
        settings.answers = BUDGET;
        // None of them is to be closed for its slowness.
        settings.write_timeout = Duration::from_mins(10);
    });
    server.fill(1_000);
    let all = |server: &Running| server.head("GET", "/Users?count=1000", "");
    let length = server.raw(&all(&server)).len();
    assert!((256 << 10..BUDGET / 4).contains(&length), "{length} bytes");

    let mut taking_nothing = Vec::new();
    let refused = loop {
        let mut stream = connect_narrowly(&server);
        stream.write_all(all(&server).as_bytes()).expect("sent");
        let mut begin = [0; 12];
        stream.read_exact(&mut begin).expect("an answer begins");
        if &begin != b"HTTP/1.1 200" {
            break String::from_utf8_lossy(&begin).into_owned() + &read_all(&mut stream);
        }
        taking_nothing.push(stream);
        assert!(taking_nothing.len() * length <= BUDGET, "{} are on their way", taking_nothing.len());
    };
    assert_scim_error(&refused, 429);
    assert!(refused.contains("retry-after: 1\r\n"), "{refused}");
    assert!(server.raw(&server.head("GET", "/Users?count=1", "")).starts_with("HTTP/1.1 200 "), "short ones go out");

    let first = (server.scim_path.clone(), server.api_key.clone());
    let neighbour = directories::Settings::named("neighbour");
    let neighbour = futures_lite::future::block_on(server.site.connect_directory("test", neighbour));
    let neighbour = neighbour.expect("an answer").expect("connected");
    (server.scim_path, server.api_key) = (neighbour.directory.scim_path, neighbour.key.api_key);
    server.fill(1_000);
    let answer = server.raw(&all(&server));
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.len() > 256 << 10, "another directory is answered");

    (server.scim_path, server.api_key) = first;
    assert_scim_error(&server.raw(&all(&server)), 429);
    let as_many = taking_nothing.len();
    drop(taking_nothing);
    // As many find room again, once the server has seen that those before are gone.
    let begin = Instant::now();
    let mut taking_nothing = Vec::new();
    while taking_nothing.len() < as_many {
        assert!(begin.elapsed() < Duration::from_mins(1), "{} of {as_many} found room", taking_nothing.len());
        let mut stream = connect_narrowly(&server);
        stream.write_all(all(&server).as_bytes()).expect("sent");
        let mut begin = [0; 12];
        stream.read_exact(&mut begin).expect("an answer begins");
        if &begin == b"HTTP/1.1 200" {
            taking_nothing.push(stream);
        }
    }
}

/// A server of its own component, whose threads are as few as can be.
fn serve_narrowly() -> Running {
    let mut limits = Limits::default();
    limits.deadline = Duration::from_mins(1);
    let usher = Usher::builder().limits(limits).threads(1).short_calls_inline(true).load();
    let usher = usher.expect("the component loads");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads");
    serve_on(&usher, runtime, Settings::new(AdminKey::new(ADMIN_KEY)))
}

/// A search that looks at every user, and at each for long: far longer than it takes to send another. A path can be written
/// in more ways than one.
fn search(server: &Running, number: usize) -> String {
    let terms: Vec<String> = (0..200).map(|term| format!(r#"userName co \"none {term}\""#)).collect();
    let filter = terms.join(" or ");
    let body = format!(r#"{{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"filter":"{filter}"}}"#);
    let path = ["/Users/.search", "/Users/%2Esearch"][number % 2];
    server.head("POST", path, &format!("content-length: {}\r\n", body.len())) + &body
}

#[test]
fn searches_keep_no_write_waiting() {
    let server = serve_narrowly();
    server.fill(20_000);
    let neighbour = directories::Settings::named("neighbour");
    let neighbour = futures_lite::future::block_on(server.site.connect_directory("test", neighbour));
    let neighbour = neighbour.expect("an answer").expect("connected");
    let done = std::sync::atomic::AtomicUsize::new(0);
    let order = std::sync::atomic::Ordering::SeqCst;
    std::thread::scope(|scope| {
        for number in 0..16 {
            let (server, done) = (&server, &done);
            scope.spawn(move || {
                let response = server.raw(&search(server, number));
                done.fetch_add(1, order);
                assert!(response.starts_with("HTTP/1.1 200 ") || response.starts_with("HTTP/1.1 503 "), "{response}");
            });
        }
        std::thread::sleep(Duration::from_millis(100));
        let body = r#"{"userName":"victim@example.com"}"#;
        let head = server.head("POST", "/Users", &format!("content-length: {}\r\n", body.len()));
        let head = head.replace(&server.scim_path, &neighbour.directory.scim_path);
        let head = head.replace(&server.api_key, &neighbour.key.api_key);
        assert!(server.raw(&(head + body)).starts_with("HTTP/1.1 201 "));
        assert!(done.load(order) < 12, "the write waited for the searches");
    });
}

#[test]
fn searches_that_nobody_waits_for_are_given_up_and_a_directory_has_its_share() {
    let server = serve_narrowly();
    server.fill(20_000);
    let mut all: Vec<TcpStream> = (0..400)
        .map(|number| {
            let mut stream = server.connect();
            stream.write_all(search(&server, number).as_bytes()).expect("sent");
            stream
        })
        .collect();
    // Twice 128 may wait, for being tried and for taking their time. Of the others, few come when one has just ended.
    let is_refused = |stream: &TcpStream| {
        let mut beginning = [0; 13];
        stream.set_nonblocking(true).expect("it does not wait");
        let there = stream.peek(&mut beginning).is_ok() && beginning == *b"HTTP/1.1 429 ";
        stream.set_nonblocking(false).expect("it waits");
        there
    };
    let begin = Instant::now();
    while all.iter().filter(|stream| is_refused(stream)).count() < 100 {
        assert!(begin.elapsed() < Duration::from_secs(20), "more wait than may");
        std::thread::sleep(Duration::from_millis(20));
    }
    let refused = all.iter_mut().rfind(|stream| is_refused(stream)).map(read_all).expect("one of a hundred");
    assert_scim_error(&refused, 429);
    assert!(refused.contains("retry-after: 1\r\n"), "{refused}");
    assert!(server.get("/readyz").starts_with("HTTP/1.1 200 "), "others are answered");
    let answered = |request: &str| {
        let begin = Instant::now();
        loop {
            let response = server.raw(request);
            if !response.starts_with("HTTP/1.1 429 ") || begin.elapsed() > Duration::from_secs(20) {
                break response;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    // As soon as all have been tried, what is short is made at once.
    let short = answered(&server.head("GET", "/Users?count=1", ""));
    assert!(short.starts_with("HTTP/1.1 200 "), "{short}");
    drop(all);
    // Were they all made, this one would be waited for in vain.
    let response = answered(&search(&server, 0));
    assert!(response.starts_with("HTTP/1.1 200 "), "{response}");
}
