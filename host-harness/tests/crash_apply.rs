//! The server is killed while it applies the plan of a staged directory, again and again, and the identity provider goes
//! on pushing. In the end nothing is lost, and the site is as it would be had the directory been live from the start.
//!
//! `USHER_TEST_APPLY_KILLS` says how often it is killed.

mod process;

use process::{ADMIN_KEY, Process};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How often the server is killed while it applies a plan, unless the environment says it.
const KILLS: u64 = 25;

/// How many users and groups are pushed before the first plan is applied.
const USERS: usize = 3_000;
const GROUPS: usize = 240;

/// How many more are pushed before every other one.
const MORE_USERS: usize = 900;
const MORE_GROUPS: usize = 40;

/// Every which user is a local customer before, and for every which group there is a local organization.
const LOCAL_USERS: usize = 10;
const LOCAL_GROUPS: usize = 4;

/// How many clients push at a time.
const CLIENTS: usize = 8;

/// The server is killed within this time after it began to serve, in microseconds: about as long as two steps take.
const MOMENTS: u64 = 250_000;

/// How long a request is tried.
const PATIENCE: Duration = Duration::from_mins(1);

/// What the identity provider does. Users and groups go by numbers that come once.
#[derive(Debug, Clone)]
enum Push {
    MakeUser(usize),
    Call { user: usize, round: usize },
    Address { user: usize, round: usize },
    Activate { user: usize, active: bool },
    DeleteUser(usize),
    MakeGroup { group: usize, members: Vec<usize> },
    Members { group: usize, come: bool, members: Vec<usize> },
    Rename { group: usize, round: usize },
    DeleteGroup(usize),
}

/// A server with a directory, and the ids that it gave.
struct Pushed {
    agent: ureq::Agent,
    /// Where it serves, which is elsewhere after each start.
    url: Mutex<String>,
    directory: String,
    key: String,
    users: Mutex<HashMap<usize, String>>,
    groups: Mutex<HashMap<usize, String>>,
}

impl Pushed {
    /// Connects a directory.
    fn connect(server: &Process, mode: &str) -> Self {
        let config = ureq::Agent::config_builder().http_status_as_error(false);
        let agent = ureq::Agent::new_with_config(config.timeout_global(Some(Duration::from_secs(20))).build());
        let (url, ids) = (Mutex::new(server.url.clone()), || Mutex::new(HashMap::new()));
        let mut new = Self { agent, url, directory: String::new(), key: String::new(), users: ids(), groups: ids() };
        for (key, name) in [("ASSOC", "Associated"), ("RULE", "By rule")] {
            new.created("/projects", &json!({"key": key, "name": name}));
        }
        // By the part of the name that stays: an organization gets its projects by the name that it is made with.
        let rules = json!([{"pattern": "Team *1 *", "projects": [2]}]);
        let settings = json!({"name": "staged", "conflictPolicy": "sync", "emailChange": "follow", "mode": mode, "projectRules": rules});
        let connected = new.created("/directories", &settings);
        new.directory = text(&connected["id"]);
        new.key = text(&connected["apiKey"]);
        new
    }

    /// Sends a request; none where the connection breaks.
    fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Option<(u16, Value)> {
        let url = self.url.lock().expect("no client failed").clone();
        let key = if path.starts_with("/scim") { &self.key } else { ADMIN_KEY };
        let request = ureq::http::Request::builder().method(method).uri(format!("{url}{path}"));
        let request = request.header("authorization", format!("Bearer {key}"));
        let response = match body {
            Some(body) => {
                let request = request.header("content-type", "application/json");
                self.agent.run(request.body(body.to_string()).expect("a request"))
            }
            None => self.agent.run(request.body(()).expect("a request")),
        };
        let mut response = response.ok()?;
        let status = response.status().as_u16();
        let text = response.body_mut().with_config().limit(64 << 20).read_to_string().ok()?;
        Some((status, serde_json::from_str(&text).unwrap_or(Value::Null)))
    }

    /// Sends a request until it is answered. Whether it was sent before and broke, so that it may have been done already.
    fn answered(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value, bool) {
        let (begin, mut broke) = (Instant::now(), false);
        loop {
            match self.send(method, path, body) {
                Some((status, answer)) if status != 503 => return (status, answer, broke),
                _ => broke = true,
            }
            assert!(begin.elapsed() < PATIENCE, "{method} {path} is not answered");
            thread::sleep(Duration::from_millis(3));
        }
    }

    fn get(&self, path: &str) -> Value {
        let (status, answer, _) = self.answered("GET", path, None);
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    fn admin(&self, path: &str) -> Value {
        self.get(&format!("/admin/v1{path}"))
    }

    /// Makes something as the administrator.
    fn created(&self, path: &str, body: &Value) -> Value {
        let (status, answer, _) = self.answered("POST", &format!("/admin/v1{path}"), Some(body));
        assert_eq!(status, 201, "{path}: {answer}");
        answer
    }

    /// All of a list of the admin API.
    fn list(&self, path: &str) -> Vec<Value> {
        let (mut values, mut cursor) = (Vec::new(), String::new());
        let sign = if path.contains('?') { '&' } else { '?' };
        loop {
            let mut page = self.admin(&format!("{path}{sign}limit=1000{cursor}"));
            values.append(page["values"].as_array_mut().expect("a list has values"));
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return values,
            }
        }
    }

    fn scim(&self, path: &str) -> String {
        format!("/scim/directory/{}{path}", self.directory)
    }

    /// All users or groups.
    fn resources(&self, kind: &str) -> Vec<Value> {
        let (mut resources, mut cursor) = (Vec::new(), String::new());
        loop {
            let mut page = self.get(&self.scim(&format!("/{kind}?count=1000&cursor={cursor}")));
            resources.append(page["Resources"].as_array_mut().expect("a list has resources"));
            match page["nextCursor"].as_str() {
                Some(next) => next.clone_into(&mut cursor),
                None => return resources,
            }
        }
    }

    /// Puts on the site what is there before the identity provider pushes it.
    fn add_local(&self, users: &[usize], groups: &[usize]) {
        for user in users.iter().filter(|user| **user % LOCAL_USERS == 0) {
            self.created("/customers", &json!({"email": address(*user, 0), "displayName": format!("Local {user}")}));
        }
        for group in groups.iter().filter(|group| **group % LOCAL_GROUPS == 0) {
            let email = format!("partner{group}@example.org");
            let partner = self.created("/customers", &json!({"email": email, "displayName": "Partner"}));
            let organization = self.created("/organizations", &json!({"name": team(*group, 0)}));
            let (organization, partner) = (&organization["id"], text(&partner["id"]));
            for path in [
                format!("/organizations/{organization}/members/{partner}"),
                format!("/projects/1/organizations/{organization}"),
            ] {
                let (status, answer, _) = self.answered("PUT", &format!("/admin/v1{path}"), None);
                assert!((200..300).contains(&status), "{path}: {answer}");
            }
        }
    }

    /// Pushes until it is acknowledged.
    fn push(&self, push: &Push) {
        let patch = |path: &str, value: Value| json!({"op": "replace", "path": path, "value": value});
        match push {
            Push::MakeUser(user) => {
                let email = address(*user, 0);
                let emails = json!([{"value": email, "primary": true}]);
                let body = json!({"userName": email, "displayName": name(*user, 0), "emails": emails});
                let id = self.make("Users", "userName", &email, &body);
                self.users.lock().expect("no client failed").insert(*user, id);
            }
            Push::Call { user, round } => self.patch_user(*user, &[patch("displayName", name(*user, *round).into())]),
            Push::Address { user, round } => {
                let email = address(*user, *round);
                let emails = json!([{"value": email, "primary": true}]);
                self.patch_user(*user, &[patch("userName", email.into()), patch("emails", emails)]);
            }
            Push::Activate { user, active } => self.patch_user(*user, &[patch("active", (*active).into())]),
            Push::DeleteUser(user) => self.delete(&format!("/Users/{}", self.user(*user))),
            Push::MakeGroup { group, members } => {
                let name = team(*group, 0);
                let body = json!({"displayName": name, "members": self.values(members)});
                let id = self.make("Groups", "displayName", &name, &body);
                self.groups.lock().expect("no client failed").insert(*group, id);
            }
            Push::Members { group, come: true, members } => {
                self.patch_group(*group, &json!({"op": "add", "path": "members", "value": self.values(members)}));
            }
            Push::Members { group, come: false, members } => {
                self.patch_group(*group, &json!({"op": "remove", "path": "members", "value": self.values(members)}));
            }
            Push::Rename { group, round } => {
                self.patch_group(*group, &patch("displayName", team(*group, *round).into()));
            }
            Push::DeleteGroup(group) => self.delete(&format!("/Groups/{}", self.group(*group))),
        }
    }

    fn make(&self, kind: &str, attribute: &str, name: &str, body: &Value) -> String {
        let (status, answer, broke) = self.answered("POST", &self.scim(&format!("/{kind}")), Some(body));
        if status == 409 && broke {
            // It was done, but not acknowledged.
            let name = name.replace(' ', "%20");
            let found = self.get(&self.scim(&format!("/{kind}?filter={attribute}%20eq%20%22{name}%22")));
            return text(&found["Resources"][0]["id"]);
        }
        assert_eq!(status, 201, "{name}: {answer}");
        text(&answer["id"])
    }

    fn patch(&self, path: &str, operations: &[Value]) {
        let schemas = ["urn:ietf:params:scim:api:messages:2.0:PatchOp"];
        let body = json!({"schemas": schemas, "Operations": operations});
        let (status, answer, _) = self.answered("PATCH", &self.scim(path), Some(&body));
        assert!(status == 200 || status == 204, "{path}: {answer}");
    }

    fn patch_user(&self, user: usize, operations: &[Value]) {
        self.patch(&format!("/Users/{}", self.user(user)), operations);
    }

    fn patch_group(&self, group: usize, operation: &Value) {
        self.patch(&format!("/Groups/{}", self.group(group)), std::slice::from_ref(operation));
    }

    fn delete(&self, path: &str) {
        let (status, answer, broke) = self.answered("DELETE", &self.scim(path), None);
        assert!(status == 204 || (status == 404 && broke), "{path}: {status} {answer}");
    }

    fn user(&self, user: usize) -> String {
        self.users.lock().expect("no client failed")[&user].clone()
    }

    fn group(&self, group: usize) -> String {
        self.groups.lock().expect("no client failed")[&group].clone()
    }

    fn values(&self, members: &[usize]) -> Vec<Value> {
        members.iter().map(|user| json!({"value": self.user(*user)})).collect()
    }

    /// Pushes everything over several connections, in no order.
    fn push_all(&self, pushes: &[Push]) {
        let next = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..CLIENTS {
                scope.spawn(|| {
                    while let Some(push) = pushes.get(next.fetch_add(1, Ordering::Relaxed)) {
                        self.push(push);
                    }
                });
            }
        });
    }

    /// What the identity provider finds.
    fn provisioned(&self) -> Value {
        let (mut names, mut users, mut groups) = (HashMap::new(), BTreeMap::new(), BTreeMap::new());
        for user in self.resources("Users") {
            names.insert(text(&user["id"]), text(&user["userName"]));
            users.insert(
                text(&user["userName"]),
                json!([user["displayName"], user["active"], user["emails"][0]["value"]]),
            );
        }
        for group in self.resources("Groups") {
            let members = group["members"].as_array().into_iter().flatten();
            let members: BTreeSet<&String> =
                members.map(|member| &names[member["value"].as_str().expect("an id")]).collect();
            groups.insert(text(&group["displayName"]), json!(members));
        }
        json!({"users": users, "groups": groups})
    }

    /// What administrators find.
    fn seen(&self) -> Value {
        let all = self.list("/customers");
        let number = all.len();
        let customers: BTreeMap<String, Value> = all
            .iter()
            .map(|of| (text(&of["email"]), json!([of["displayName"], of["active"], !of["managedBy"].is_null()])))
            .collect();
        assert_eq!(customers.len(), number, "no two customers have the same address");
        let mut organizations = BTreeMap::new();
        for organization in self.list("/organizations") {
            let id = &organization["id"];
            let members = self.list(&format!("/organizations/{id}/members"));
            let members: BTreeSet<String> = members.iter().map(|member| text(&member["email"])).collect();
            organizations.insert(text(&organization["name"]), json!([!organization["managedBy"].is_null(), members]));
        }
        let projects: Vec<Value> = [1, 2].into_iter().map(|project| self.project(project)).collect();
        let mut directory = self.admin(&format!("/directories/{}", self.directory));
        let mut totals = self.admin("/totals");
        for shown in [&mut directory, &mut totals["directories"][0]] {
            let shown = shown.as_object_mut().expect("an object");
            shown.retain(|field, _| !["id", "scimBaseUrl", "createdAt"].contains(&field.as_str()));
        }
        json!({
            "customers": customers, "organizations": organizations, "projects": projects, "directory": directory,
            "totals": totals,
        })
    }

    /// Which organizations a project is associated with, and who may use it, through how many of them.
    fn project(&self, project: u64) -> Value {
        let associated = self.list(&format!("/projects/{project}/organizations"));
        let associated: BTreeSet<String> = associated.iter().map(|of| text(&of["name"])).collect();
        let open = self.list(&format!("/access?project={project}"));
        let through = |of: &Value| of["reasons"].as_array().map_or(0, Vec::len);
        let open: BTreeMap<String, usize> =
            open.iter().map(|of| (text(&of["customer"]["email"]), through(of))).collect();
        json!({"organizations": associated, "open": open})
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is a text")).to_owned()
}

fn address(user: usize, round: usize) -> String {
    format!("user{user}.{round}@example.com")
}

fn name(user: usize, round: usize) -> String {
    format!("User {user} {round}")
}

fn team(group: usize, round: usize) -> String {
    format!("Team {group} {round}")
}

/// What the identity provider has, and what it does next: the same in every run, but for how long it goes on.
#[derive(Default)]
struct Provider {
    users: Vec<usize>,
    groups: Vec<usize>,
    /// How many there ever were.
    made: (usize, usize),
    random: u64,
}

impl Provider {
    fn random(&mut self, below: usize) -> usize {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.random >> 33).expect("31 bits") % below
    }

    fn some_user(&mut self) -> usize {
        let at = self.random(self.users.len());
        self.users[at]
    }

    fn some_users(&mut self, count: usize) -> Vec<usize> {
        let some: BTreeSet<usize> = (0..count).map(|_| self.some_user()).collect();
        some.into_iter().collect()
    }

    fn some_group(&mut self) -> usize {
        let at = self.random(self.groups.len());
        self.groups[at]
    }

    fn new_users(&mut self, count: usize) -> Vec<usize> {
        let new = self.made.0..self.made.0 + count;
        self.made.0 += count;
        self.users.extend(new.clone());
        new.collect()
    }

    fn new_groups(&mut self, count: usize) -> Vec<usize> {
        let new = self.made.1..self.made.1 + count;
        self.made.1 += count;
        self.groups.extend(new.clone());
        new.collect()
    }

    /// What it does with users and groups that it has had before: with each only one thing.
    fn changes(&mut self, round: usize) -> Vec<Push> {
        let mut pushes = Vec::new();
        for user in self.users.clone() {
            match self.random(20) {
                0..6 => pushes.push(Push::Call { user, round }),
                6 => pushes.push(Push::Address { user, round }),
                7 => pushes.push(Push::Activate { user, active: false }),
                8 => pushes.push(Push::Activate { user, active: true }),
                9 => {
                    self.users.retain(|kept| *kept != user);
                    pushes.push(Push::DeleteUser(user));
                }
                _ => {}
            }
        }
        for group in self.groups.clone() {
            match self.random(20) {
                0..6 => {
                    let members = self.some_users(8);
                    pushes.push(Push::Members { group, come: true, members });
                }
                6..9 => {
                    let members = self.some_users(60);
                    pushes.push(Push::Members { group, come: false, members });
                }
                9 => pushes.push(Push::Rename { group, round }),
                // The first one is the large one.
                10 if group > 0 => {
                    self.groups.retain(|kept| *kept != group);
                    pushes.push(Push::DeleteGroup(group));
                }
                _ => {}
            }
        }
        pushes
    }

    /// What it does while the plan is applied.
    fn next(&mut self, number: usize) -> Push {
        let round = 1_000 + number;
        match self.random(12) {
            0..2 => Push::MakeUser(self.new_users(1)[0]),
            2 => {
                let members = self.some_users(20);
                Push::MakeGroup { group: self.new_groups(1)[0], members }
            }
            3..5 => Push::Call { user: self.some_user(), round },
            5 => Push::Address { user: self.some_user(), round },
            6 => Push::Activate { user: self.some_user(), active: number.is_multiple_of(2) },
            7 => {
                let user = self.some_user();
                self.users.retain(|kept| *kept != user);
                Push::DeleteUser(user)
            }
            8 => Push::Members { group: self.some_group(), come: true, members: self.some_users(10) },
            9 => Push::Members { group: self.some_group(), come: false, members: self.some_users(100) },
            10 => Push::Rename { group: self.some_group(), round },
            _ => {
                let group = self.some_group();
                if group == 0 {
                    return Push::Members { group, come: false, members: self.some_users(300) };
                }
                self.groups.retain(|kept| *kept != group);
                Push::DeleteGroup(group)
            }
        }
    }
}

#[test]
fn an_apply_goes_on_where_it_was_killed_and_ends_as_if_the_directory_had_been_live() {
    let wanted = std::env::var("USHER_TEST_APPLY_KILLS").map_or(KILLS, |text| text.parse().expect("a number"));
    let (data, live_data) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    // Both at once, as each compiles the component.
    let (first, live_server) = thread::scope(|scope| {
        let first = scope.spawn(|| Process::start(data.path()));
        let live_server = Process::start(live_data.path());
        (first.join().expect("it starts"), live_server)
    });
    let (staged, live) = (Pushed::connect(&first, "staged"), Pushed::connect(&live_server, "live"));
    let mut server = Some(first);
    let path = format!("/admin/v1/directories/{}", staged.directory);
    let mut provider = Provider::default();
    let (mut kills, mut round, mut pushed) = (0_u64, 0, 0);
    while kills < wanted {
        if round > 0 {
            let (status, answer, _) = staged.answered("PATCH", &path, Some(&json!({"mode": "staged"})));
            assert_eq!(status, 200, "{answer}");
        }
        fill(&mut provider, round, &staged, &live);
        let (status, progress, _) = staged.answered("POST", &format!("{path}/apply"), None);
        assert_eq!(status, 202, "{progress}");
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            let ending = Ending(&over);
            let pushing = scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    let push = provider.next(pushed);
                    pushed += 1;
                    staged.push(&push);
                    live.push(&push);
                }
            });
            let mut done = 0;
            loop {
                // At another moment each time.
                thread::sleep(Duration::from_micros(kills * 61_803 % MOMENTS));
                drop(server.take());
                let started = Process::start(data.path());
                started.url.clone_into(&mut staged.url.lock().expect("no client failed"));
                server = Some(started);
                let progress = staged.get(&format!("{path}/apply"));
                let now = progress["done"].as_u64().expect("a number");
                assert!(now >= done, "what was done stays done: {progress} after {done}");
                done = now;
                if !progress["endedAt"].is_null() || pushing.is_finished() {
                    break;
                }
                kills += 1;
            }
            drop(ending);
            pushing.join().expect("all was acknowledged");
        });
        compare(&staged, &live, &provider);
        round += 1;
        println!("{kills} kills, {round} plans, {pushed} pushes between");
    }
}

/// Ends the pushes, also when the test fails.
struct Ending<'a>(&'a AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Pushes much to both servers, one of which stages it.
fn fill(provider: &mut Provider, round: usize, staged: &Pushed, live: &Pushed) {
    let changes = if round > 0 { provider.changes(round) } else { Vec::new() };
    let (users, groups) = if round == 0 { (USERS, GROUPS) } else { (MORE_USERS, MORE_GROUPS) };
    let (users, groups) = (provider.new_users(users), provider.new_groups(groups));
    for server in [staged, live] {
        server.add_local(&users, &groups);
    }
    let before = staged.seen();
    let make_users: Vec<Push> = users.iter().copied().map(Push::MakeUser).collect();
    let make_groups = groups.iter().map(|group| {
        let members = if *group == 0 { users.clone() } else { provider.some_users(12) };
        Push::MakeGroup { group: *group, members }
    });
    let make_groups: Vec<Push> = make_groups.collect();
    let join = [Push::Members { group: 0, come: true, members: users.clone() }];
    thread::scope(|scope| {
        for server in [staged, live] {
            let pushes = [&changes[..], &make_users, &make_groups, &join];
            scope.spawn(move || pushes.into_iter().for_each(|pushes| server.push_all(pushes)));
        }
    });
    let staged = staged.seen();
    for what in ["customers", "organizations", "projects"] {
        same(&before[what], &staged[what], what);
    }
}

/// Compares what has become of both.
fn compare(staged: &Pushed, live: &Pushed, provider: &Provider) {
    let directory = staged.admin(&format!("/directories/{}", staged.directory));
    assert_eq!(directory["mode"], "live", "all is applied");
    assert_eq!(directory["users"], provider.users.len(), "no user is lost");
    assert_eq!(directory["groups"], provider.groups.len(), "no group is lost");
    let plan = staged.admin(&format!("/directories/{}/plan", staged.directory));
    let counts = ["customers", "organizations"].map(|of| plan[of].as_object().expect("counts").values());
    assert!(counts.into_iter().flatten().all(|count| count == 0) && plan["blocked"] == 0, "nothing is left: {plan}");
    same(&staged.provisioned(), &live.provisioned(), "");
    same(&staged.seen(), &live.seen(), "");
}

/// Says where two values differ rather than all that they are.
fn same(one: &Value, other: &Value, place: &str) {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let fields: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
            for field in fields {
                let of = |values: &serde_json::Map<String, Value>| values.get(field).cloned().unwrap_or_default();
                same(&of(one), &of(other), &format!("{place}/{field}"));
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (at, (one, other)) in one.iter().zip(other).enumerate() {
                same(one, other, &format!("{place}/{at}"));
            }
        }
        _ => assert_eq!(one, other, "at {place}"),
    }
}
