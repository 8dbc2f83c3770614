//! The served component is killed in mid-load, again and again. What it acknowledged is there afterwards, and nothing is
//! there in part.

mod process;

use process::{ADMIN_KEY, Process};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

/// How often the process is killed.
const KILLS: u64 = 20;

/// How many clients write at a time.
const CLIENTS: usize = 8;

/// Sends a request; none where the connection breaks.
fn send(method: &str, url: &str, key: &str, body: Option<Value>) -> Option<(u16, Value)> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(20)))
        .build()
        .into();
    let key = format!("Bearer {key}");
    let response = match (method, body) {
        ("POST", Some(body)) => agent.post(url).header("authorization", key).send_json(body),
        _ => agent.get(url).header("authorization", key).call(),
    };
    let mut response = response.ok()?;
    let status = response.status().as_u16();
    let text = response.body_mut().read_to_string().ok()?;
    Some((status, serde_json::from_str(&text).unwrap_or(Value::Null)))
}

/// One client's load: users, and groups of two of them. Yields the ids of the users and groups that were acknowledged.
fn load(
    base: &str,
    key: &str,
    client: usize,
    round: u64,
    stop: &AtomicBool,
    acknowledged: &AtomicU64,
) -> Vec<(String, String)> {
    let mut made: Vec<(String, String)> = Vec::new();
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let name = format!("r{round}c{client}n{number}");
        let users: Vec<&String> =
            made.iter().rev().filter(|(kind, _)| kind == "Users").map(|(_, id)| id).take(2).collect();
        let (kind, body) = if number % 3 == 2 && users.len() == 2 {
            let members = [json!({"value": users[0]}), json!({"value": users[1]})];
            ("Groups", json!({"displayName": name, "externalId": name, "members": members}))
        } else {
            let email = format!("{name}@example.com");
            ("Users", json!({"userName": email, "externalId": name, "emails": [{"value": email, "primary": true}]}))
        };
        let Some((201, answer)) = send("POST", &format!("{base}/{kind}"), key, Some(body)) else { break };
        acknowledged.fetch_add(1, Ordering::Relaxed);
        made.push((kind.to_owned(), answer["id"].as_str().expect("what is made has an id").to_owned()));
    }
    made
}

#[test]
fn what_was_acknowledged_outlives_the_process_and_nothing_is_there_in_part() {
    let data = tempfile::tempdir().expect("there is room for a folder");
    let mut server = Process::start(data.path());
    let directories = format!("{}/admin/v1/directories", server.url);
    let (_, directory) = send("POST", &directories, ADMIN_KEY, Some(json!({"name": "crash"}))).expect("it answers");
    let id = directory["id"].as_str().expect("a directory has an id").to_owned();
    let key = directory["apiKey"].as_str().expect("and a key").to_owned();
    let mut acknowledged: Vec<(String, String)> = Vec::new();
    for round in 0..KILLS {
        let base = format!("{}/scim/directory/{id}", server.url);
        let (stop, count) = (AtomicBool::new(false), AtomicU64::new(0));
        let made: Vec<_> = thread::scope(|scope| {
            let (base, key, stop, count) = (&base, &key, &stop, &count);
            let clients: Vec<_> =
                (0..CLIENTS).map(|client| scope.spawn(move || load(base, key, client, round, stop, count))).collect();
            // At another moment each time, but never before there is something to lose.
            while count.load(Ordering::Relaxed) < 10 + round {
                thread::sleep(Duration::from_millis(1));
            }
            thread::sleep(Duration::from_micros(round * 1_700 % 20_000));
            drop(server);
            stop.store(true, Ordering::Relaxed);
            clients.into_iter().flat_map(|client| client.join().expect("a client ends")).collect()
        });
        acknowledged.extend(made);
        server = Process::start(data.path());
        check(&format!("{}/scim/directory/{id}", server.url), &key, &acknowledged);
    }
    drop(server);
    assert!(acknowledged.len() as u64 >= KILLS * 10);
}

fn check(base: &str, key: &str, acknowledged: &[(String, String)]) {
    let get = |path: &str| send("GET", &format!("{base}{path}"), key, None).expect("the server answers");
    for (kind, id) in acknowledged.iter().rev().take(200) {
        assert_eq!(get(&format!("/{kind}/{id}?attributes=id")).0, 200, "an acknowledged one of {kind} is gone");
    }
    for kind in ["Users", "Groups"] {
        let (mut listed, mut cursor) = (Vec::new(), String::new());
        loop {
            let (_, page) = get(&format!("/{kind}?count=1000&cursor={cursor}"));
            listed.extend(page["Resources"].as_array().expect("a list has resources").clone());
            match page["nextCursor"].as_str() {
                Some(next) => next.clone_into(&mut cursor),
                None => break,
            }
        }
        let (_, counted) = get(&format!("/{kind}?count=0"));
        assert_eq!(counted["totalResults"], listed.len(), "{kind} are counted as they are");
        let known: Vec<&str> = listed.iter().filter_map(|resource| resource["id"].as_str()).collect();
        for (_, id) in acknowledged.iter().filter(|(made, _)| made == kind) {
            assert!(known.contains(&id.as_str()), "an acknowledged one of {kind} is not listed");
        }
        for resource in listed.iter().rev().take(40) {
            let name = resource["externalId"].as_str().expect("all have one");
            let (_, found) = get(&format!("/{kind}?filter=externalId+eq+%22{name}%22"));
            assert_eq!(found["Resources"][0]["id"], resource["id"], "the index knows what the list has");
            if kind == "Groups" {
                assert_eq!(resource["members"].as_array().map(Vec::len), Some(2), "a group has both its members");
                let member = resource["members"][0]["value"].as_str().expect("a member has a value");
                let (_, user) = get(&format!("/Users/{member}"));
                let groups = user["groups"].as_array().expect("the member knows its groups");
                assert!(groups.iter().any(|group| group["value"] == resource["id"]), "both ends of a membership agree");
            }
        }
    }
}
