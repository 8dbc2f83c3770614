//! A site to send requests to. Every answer is checked for its form.

use std::cell::Cell;
use std::collections::BTreeMap;

use serde_json::{Value, json};
use usher_engine::directories::{
    ConflictPolicy, EmailChange, EmailPresence, Mode, OutsideDomains, Settings, UnknownMembers,
};
use usher_engine::site::customers::{Customer, NewCustomer};
use usher_engine::{Engine, Environment, Request, Response};

use super::on_site::everything;
use super::storage::Memory;

pub const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
pub const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
pub const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";
pub const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
pub const ORIGIN: &str = "https://desk.example";

/// A clock that goes on by a millisecond whenever it is read, and random bytes that are the same in every run.
#[derive(Debug)]
pub struct Surroundings {
    now: Cell<u64>,
    random: Cell<u64>,
}

impl Surroundings {
    pub fn set(&self, now: u64) {
        self.now.set(now);
    }

    pub fn pass(&self, milliseconds: u64) {
        self.now.set(self.now.get() + milliseconds);
    }
}

impl Environment for Surroundings {
    fn now(&self) -> u64 {
        self.pass(1);
        self.now.get()
    }

    fn random(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            // SplitMix64.
            self.random.set(self.random.get().wrapping_add(0x9e37_79b9_7f4a_7c15));
            let mut mixed = self.random.get();
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(mixed ^ (mixed >> 31)).to_le_bytes()[..chunk.len()]);
        }
    }
}

#[derive(Debug)]
pub struct Site {
    pub storage: Memory,
    pub surroundings: Surroundings,
}

/// A connected directory and its key.
#[derive(Debug)]
pub struct Directory<'s> {
    pub site: &'s Site,
    pub id: String,
    pub path: String,
    pub key: String,
}

/// An answer, its body read.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    /// `null` where there is none.
    pub body: Value,
}

/// A directory's settings with the defaults of the product.
pub fn settings(name: &str) -> Settings {
    Settings {
        name: name.to_string(),
        email_change: EmailChange::Refuse,
        email: EmailPresence::Optional,
        unknown_members: UnknownMembers::Refuse,
        conflict_policy: ConflictPolicy::Sync,
        adoption_grace_seconds: 3_600,
        deletion_limit: None,
        mode: Mode::Live,
        domains: Vec::new(),
        outside_domains: OutsideDomains::Unlinked,
        project_rules: Vec::new(),
        membership_resources: false,
        silent_after: 3,
    }
}

impl Site {
    pub fn new() -> Self {
        let surroundings = Surroundings { now: Cell::new(1_750_000_000_000), random: Cell::new(7) };
        Site { storage: Memory::default(), surroundings }
    }

    pub fn engine(&self) -> Engine<'_> {
        Engine::new(&self.storage, &self.surroundings)
    }

    pub fn connect(&self, settings: &Settings) -> Directory<'_> {
        let connected = self.engine().connect("ann", settings).unwrap();
        Directory {
            site: self,
            id: connected.directory.id,
            path: connected.directory.scim_path,
            key: connected.key.api_key,
        }
    }

    /// Sets how long what is deleted can be restored.
    pub fn retain(&self, days: u32) {
        let mut map = (*self.storage.snapshot()).clone();
        map.insert("s".to_string(), json!({ "retentionDays": days }).to_string());
        self.storage.restore(&map.into());
    }

    /// Does everything that upkeep has to do, in steps; in how many.
    pub fn sweep(&self, budget: u32) -> u32 {
        let mut steps = 0;
        while self.engine().upkeep_step(budget).unwrap().more {
            steps += 1;
        }
        steps
    }

    /// What is stored, without what is only noted of requests.
    pub fn content(&self) -> BTreeMap<String, String> {
        let noted = |key: &str| {
            ["rl/", "rb/", "ds/", "hd/"].iter().any(|noted| key.starts_with(noted)) || key.contains("/log/")
        };
        let stored = self.storage.snapshot();
        stored.iter().filter(|(key, _)| !noted(key)).map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    /// All customers.
    pub fn customers(&self) -> Vec<Customer> {
        everything(|position, limit| self.engine().customers(position, limit).unwrap())
    }

    /// The customer with this email address.
    pub fn customer(&self, email: &str) -> Option<Customer> {
        self.customers().into_iter().find(|customer| customer.email.eq_ignore_ascii_case(email))
    }

    /// Makes a local customer.
    pub fn local_customer(&self, email: &str) -> Customer {
        let new = NewCustomer {
            email: email.to_string(),
            display_name: "Local".to_string(),
            time_zone: Some("Europe/Berlin".to_string()),
            locale: None,
        };
        self.engine().create_customer("ann", &new).unwrap()
    }

    /// The email addresses of an organization's members.
    pub fn members(&self, organization: u64) -> Vec<String> {
        let members =
            everything(|position, limit| self.engine().organization_members(organization, position, limit).unwrap());
        members.into_iter().map(|customer| customer.email).collect()
    }

    /// The number of the organization of this name.
    pub fn organization(&self, name: &str) -> Option<u64> {
        let all = everything(|position, limit| self.engine().organizations(position, limit).unwrap());
        all.into_iter().find(|organization| organization.name == name).map(|organization| organization.id)
    }

    /// Answers a request and checks the form of the answer.
    pub fn handle(&self, request: &Request) -> Answer {
        read(&self.engine().handle(request))
    }
}

impl Directory<'_> {
    /// A request with this directory's key.
    pub fn request(&self, method: &str, path: &str, body: Option<String>) -> Request {
        let (path, query) = match path.split_once('?') {
            Some((path, query)) => (path, Some(query.to_string())),
            None => (path, None),
        };
        Request {
            method: method.to_string(),
            origin: ORIGIN.to_string(),
            path: format!("{}{path}", self.path),
            query,
            headers: vec![("Authorization".to_string(), format!("Bearer {}", self.key))],
            body,
        }
    }

    pub fn send(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.send_with(method, path, body, &[])
    }

    /// The same with more header fields. `null` is no body.
    pub fn send_with(&self, method: &str, path: &str, body: &Value, headers: &[(&str, &str)]) -> Answer {
        let mut request = self.request(method, path, (!body.is_null()).then(|| body.to_string()));
        request.headers.extend(headers.iter().map(|(name, value)| (name.to_string(), value.to_string())));
        self.site.handle(&request)
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &Value::Null)
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, body)
    }

    pub fn patch(&self, path: &str, operations: impl Into<Value>) -> Answer {
        self.send("PATCH", path, &json!({ "Operations": operations.into() }))
    }

    pub fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, &Value::Null)
    }

    /// Makes a user whose name is its email address.
    pub fn user(&self, name: &str) -> String {
        self.post("/Users", &json!({ "userName": name, "emails": [{ "value": name }] })).expect(201).id()
    }

    pub fn group(&self, name: &str, members: &[String]) -> String {
        let members: Vec<Value> = members.iter().map(|id| json!({ "value": id })).collect();
        self.post("/Groups", &json!({ "displayName": name, "members": members })).expect(201).id()
    }

    /// Makes many resources at once: a thousand to a request.
    pub fn many(&self, path: &str, bodies: impl Iterator<Item = Value>) -> Vec<String> {
        let bodies: Vec<Value> = bodies.collect();
        let ids = bodies.chunks(1_000).flat_map(|chunk| {
            let operations: Vec<Value> = (chunk.iter().enumerate())
                .map(|(at, data)| json!({ "method": "POST", "path": path, "bulkId": at.to_string(), "data": data }))
                .collect();
            let answer = self.post("/Bulk", &json!({ "Operations": operations })).expect(200);
            let done = answer.body["Operations"].as_array().unwrap().clone();
            done.into_iter().map(|done| {
                assert_eq!(done["status"], "201", "{done}");
                done["location"].as_str().unwrap().rsplit('/').next().unwrap().to_string()
            })
        });
        ids.collect()
    }

    /// The ids of the resources of a list response.
    pub fn ids(&self, path: &str) -> Vec<String> {
        self.get(path).expect(200).ids()
    }
}

impl Answer {
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    /// An error with this keyword.
    #[track_caller]
    pub fn refused(self, status: u16, scim_type: &str) -> Self {
        let answer = self.expect(status);
        assert_eq!(answer.body["scimType"], scim_type, "{}", answer.body);
        answer
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn id(&self) -> String {
        self.body["id"].as_str().unwrap().to_string()
    }

    pub fn resources(&self) -> &[Value] {
        self.body["Resources"].as_array().map_or(&[], Vec::as_slice)
    }

    pub fn ids(&self) -> Vec<String> {
        self.resources().iter().map(|resource| resource["id"].as_str().unwrap().to_string()).collect()
    }

    /// The values of an attribute of the resources of a list response.
    pub fn column(&self, name: &str) -> Vec<String> {
        self.resources().iter().map(|resource| resource[name].as_str().unwrap_or("-").to_string()).collect()
    }
}

const STATUSES: [u16; 17] = [200, 201, 204, 304, 400, 401, 403, 404, 405, 409, 412, 413, 415, 500, 501, 503, 507];

const SCIM_TYPES: [&str; 12] = [
    "invalidFilter",
    "tooMany",
    "uniqueness",
    "mutability",
    "invalidSyntax",
    "invalidPath",
    "noTarget",
    "invalidValue",
    "invalidVers",
    "invalidCursor",
    "expiredCursor",
    "invalidCount",
];

/// Reads an answer.
///
/// # Panics
/// Where it is not well-formed SCIM.
pub fn read(response: &Response) -> Answer {
    let Response { status, headers, body, failure, refused_key } = response;
    assert!(refused_key.is_none() || *status == 401);
    // What went wrong inside is told to the host, and nothing of it to the client.
    assert!(failure.is_some() || *status != 500, "{response:?}");
    assert!(failure.as_ref().is_none_or(|failure| body.as_ref().is_none_or(|body| !body.contains(failure))));
    assert!(STATUSES.contains(status), "{response:?}");
    for (name, value) in headers {
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{name:?}");
        assert!(value.chars().all(|character| !character.is_control()), "{value:?}");
    }
    let mut answer = Answer { status: *status, headers: headers.clone(), body: Value::Null };
    if matches!(status, 204 | 304) {
        assert_eq!(*body, None);
        return answer;
    }
    assert_eq!(answer.header("content-type"), Some("application/scim+json"));
    answer.body = serde_json::from_str(body.as_deref().unwrap()).unwrap();
    let schemas = answer.body["schemas"].as_array().unwrap();
    assert!(!schemas.is_empty());
    if *status >= 400 {
        assert_eq!(*schemas, [json!(ERROR)]);
        assert_eq!(answer.body["status"], status.to_string());
        assert!(answer.body["detail"].as_str().is_some_and(|detail| !detail.is_empty()));
        if let Some(scim_type) = answer.body.get("scimType") {
            assert!(matches!(status, 400 | 409));
            assert!(SCIM_TYPES.contains(&scim_type.as_str().unwrap()));
        }
    }
    assert_eq!(answer.header("www-authenticate").is_some(), *status == 401);
    assert_eq!(answer.header("allow").is_some(), *status == 405);
    assert_eq!(answer.header("retry-after").is_some(), *status == 503);
    assert_eq!(answer.header("location").is_some(), *status == 201);
    answer
}
