//! A SCIM server under test, however it is reached.

use std::future::pending;
use std::net::Ipv4Addr;
use std::sync::{Arc, LazyLock};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;
use tokio::runtime::Runtime;
use ureq::http::{HeaderName, HeaderValue};
use ureq::{Agent, Body};
use usher_engine::{Engine, Environment, directories};
use usher_host::http::{AdminKey, Server, Settings};
use usher_host::storage::{MemoryStorage, NativeStorage, PostgresAddress, PostgresOptions, PostgresStorage, Storage};
use usher_host::{Site, Usher, scim};

/// Where the servers claim to be.
pub const ORIGIN: &str = "https://usher.test";

/// A SCIM server. Requests may come from several threads at once.
pub trait ScimServer: Send + Sync {
    /// Answers a request.
    fn send(&self, request: Request) -> Response;
}

/// An HTTP request.
#[derive(Debug, Clone)]
pub struct Request {
    /// The method, in capitals.
    pub method: String,
    /// Path and query, percent-encoded.
    pub target: String,
    /// The header fields.
    pub headers: Vec<(String, String)>,
    /// The body, where there is one.
    pub body: Option<String>,
}

/// An HTTP response.
#[derive(Debug, Clone)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The header fields.
    pub headers: Vec<(String, String)>,
    /// The body; empty where there is none.
    pub body: String,
}

impl Response {
    /// The value of a header field.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// Where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("a body is JSON: {error}: {}", self.body))
    }
}

/// One directory of a server: what an identity provider is told when it is connected.
#[derive(Clone)]
pub struct Directory {
    server: Arc<dyn ScimServer>,
    /// The SCIM base URL.
    pub base: String,
    /// The API key.
    pub api_key: String,
}

impl Directory {
    /// A directory of a server that is reached in whatever way. `base` is its SCIM base URL, without a slash at its end.
    pub fn new(server: Arc<dyn ScimServer>, base: String, api_key: String) -> Self {
        Self { server, base, api_key }
    }

    /// Sends a request whose target is relative to the base URL.
    pub fn send(&self, mut request: Request) -> Response {
        let path = self.base.splitn(4, '/').nth(3).unwrap_or_default();
        request.target = format!("/{path}{}", request.target);
        self.server.send(request)
    }
}

/// The settings of the directories under test: those that a directory has unless it is told otherwise.
fn settings() -> directories::Settings {
    directories::Settings {
        name: "test".to_owned(),
        email_change: directories::EmailChange::Refuse,
        email: directories::EmailPresence::Optional,
        unknown_members: directories::UnknownMembers::Refuse,
        conflict_policy: directories::ConflictPolicy::Sync,
        adoption_grace_seconds: 3_600,
        deletion_limit: None,
        mode: directories::Mode::Live,
        domains: Vec::new(),
        outside_domains: directories::OutsideDomains::Unlinked,
        project_rules: Vec::new(),
        membership_resources: false,
        silent_after: 3,
    }
}

/// A directory of the engine compiled into this program, over a storage of its own.
///
/// # Panics
/// Where it cannot be connected.
pub fn native() -> Directory {
    let server = Native { storage: NativeStorage::new(storage()) };
    let connected = server.engine().connect("admin:test", &settings()).expect("the directory is connected");
    let base = format!("{ORIGIN}{}", connected.directory.scim_path);
    Directory::new(Arc::new(server), base, connected.key.api_key)
}

/// The engine without WebAssembly.
struct Native {
    storage: NativeStorage,
}

impl Native {
    fn engine(&self) -> Engine<'_> {
        Engine::new(&self.storage, &System)
    }
}

impl ScimServer for Native {
    fn send(&self, request: Request) -> Response {
        let (path, query) = split(&request.target);
        let response = self.engine().handle(&usher_engine::Request {
            method: request.method,
            origin: ORIGIN.to_owned(),
            path,
            query,
            headers: request.headers,
            body: request.body,
        });
        Response { status: response.status, headers: response.headers, body: response.body.unwrap_or_default() }
    }
}

/// The time and the random data of this machine.
struct System;

impl Environment for System {
    fn now(&self) -> u64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past 1970");
        u64::try_from(now.as_millis()).expect("the clock is before the year 500,000,000")
    }

    fn random(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the system has random data");
    }
}

/// An empty storage: in memory, or in a PostgreSQL database, where the variable `USHER_TEST_STORAGE` says `postgres`.
///
/// # Panics
/// Where the variable says something else, or there is no PostgreSQL.
pub fn storage() -> Arc<dyn Storage> {
    match std::env::var("USHER_TEST_STORAGE").as_deref() {
        Err(_) | Ok("memory") => Arc::new(MemoryStorage::new()),
        Ok("postgres") => {
            let server = usher_test_postgres::shared("USHER_TEST_STORAGE=postgres").expect("PostgreSQL");
            let address = PostgresAddress::parse(&server.url("usher")).expect("its address");
            let site = usher_test_postgres::unique("site");
            let options = PostgresOptions { site, connections: 4, ..PostgresOptions::default() };
            Arc::new(PostgresStorage::open(&address, &options).expect("the storage opens"))
        }
        Ok(other) => panic!("USHER_TEST_STORAGE is memory or postgres, not {other}"),
    }
}

/// The component, loaded once.
pub fn usher() -> &'static Usher {
    static USHER: LazyLock<Usher> = LazyLock::new(|| Usher::load().expect("the component loads"));
    &USHER
}

/// A directory of the component, over a storage of its own.
pub fn component() -> Directory {
    component_with(|_| ())
}

/// The same with other settings than those that a directory has unless it is told otherwise.
///
/// # Panics
/// Where it cannot be connected.
pub fn component_with(change: impl FnOnce(&mut usher_host::directories::Settings)) -> Directory {
    let (site, connected) = connect(change);
    let base = format!("{ORIGIN}{}", connected.directory.scim_path);
    Directory::new(Arc::new(Component { site }), base, connected.key.api_key)
}

/// A directory of the component, over a storage of its own, served over HTTP on a port of this machine until the program
/// ends.
///
/// # Panics
/// Where it cannot be started.
pub fn served() -> Directory {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("the runtime starts"));
    let (site, connected) = connect(|_| ());
    let settings = Settings::new(AdminKey::new("not used here"));
    let server =
        RUNTIME.block_on(Server::bind(site, settings, (Ipv4Addr::LOCALHOST, 0).into())).expect("a port is free");
    let origin = format!("http://{}", server.address());
    RUNTIME.spawn(server.serve(pending()));
    let base = format!("{origin}{}", connected.directory.scim_path);
    Directory::new(Arc::new(Http::new(origin)), base, connected.key.api_key)
}

/// A site of the component with a directory.
fn connect(change: impl FnOnce(&mut usher_host::directories::Settings)) -> (Site, usher_host::directories::Connected) {
    let site = usher().site(storage());
    let mut settings = usher_host::directories::Settings::named("test");
    change(&mut settings);
    let connected = pollster::block_on(site.connect_directory("admin:test", settings))
        .expect("the component answers")
        .expect("the directory is connected");
    (site, connected)
}

/// A server at the other end of a connection.
#[derive(Clone)]
pub struct Http {
    agent: Agent,
    origin: String,
}

impl Http {
    /// The server at this URL.
    pub fn new(origin: String) -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .max_redirects(0)
            .build()
            .new_agent();
        Self { agent, origin }
    }

    /// Sends a request. The body of the response can be read as it comes.
    ///
    /// # Panics
    /// Where no response comes.
    pub fn begin(&self, request: Request) -> ureq::http::Response<Body> {
        let mut builder = ureq::http::Request::builder()
            .method(request.method.as_str())
            .uri(format!("{}{}", self.origin, request.target));
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        let response = match request.body {
            Some(body) => builder.body(body).map_err(ureq::Error::from).and_then(|request| self.agent.run(request)),
            None => builder.body(()).map_err(ureq::Error::from).and_then(|request| self.agent.run(request)),
        };
        response.expect("the server answers")
    }
}

impl ScimServer for Http {
    fn send(&self, request: Request) -> Response {
        let mut response = self.begin(request);
        let header = |(name, value): (&HeaderName, &HeaderValue)| {
            (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        Response {
            status: response.status().as_u16(),
            headers: response.headers().iter().map(header).collect(),
            body: response.body_mut().read_to_string().expect("the answer is text"),
        }
    }
}

/// The component in the host library.
struct Component {
    site: Site,
}

impl ScimServer for Component {
    fn send(&self, request: Request) -> Response {
        let (path, query) = split(&request.target);
        let request = scim::Request {
            method: request.method,
            origin: ORIGIN.to_owned(),
            path,
            query,
            headers: request.headers,
            body: request.body,
        };
        let response = pollster::block_on(self.site.handle(request)).expect("the component answers");
        Response { status: response.status, headers: response.headers, body: response.body.unwrap_or_default() }
    }
}

/// Path and query of a target.
fn split(target: &str) -> (String, Option<String>) {
    match target.split_once('?') {
        Some((path, query)) => (path.to_owned(), Some(query.to_owned())),
        None => (target.to_owned(), None),
    }
}
