//! The change feed as server-sent events.

use std::collections::BTreeMap;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use usher_tests::http::Served;

/// The next event: its fields. Comments and what is no event are passed over.
fn next(lines: &mut impl Iterator<Item = String>) -> Option<BTreeMap<String, String>> {
    let mut fields = BTreeMap::new();
    for line in lines {
        match line.split_once(": ") {
            Some((name, value)) => {
                fields.insert(name.to_owned(), value.to_owned());
            }
            None if line.is_empty() && fields.contains_key("data") => return Some(fields),
            None => fields.clear(),
        }
    }
    None
}

fn create(server: &Served, name: &str) {
    let body = json!({"email": format!("{name}@example.com"), "displayName": name});
    assert_eq!(server.send("POST", "/admin/v1/customers", Some(&body)).status, 201);
}

#[test]
fn every_change_comes_once_and_in_order_wherever_a_client_begins() {
    let server = Served::default();
    create(&server, "a");
    create(&server, "b");
    let mut stream = server.stream("", &[]);
    create(&server, "c");
    for (sequence, change) in (1..=3).zip(feed(&server)) {
        let event = next(&mut stream).expect("the stream goes on");
        assert_eq!(event["id"], sequence.to_string());
        assert_eq!(event["event"], "customer.created");
        assert_eq!(serde_json::from_str::<Value>(&event["data"]).expect("data is JSON"), change);
    }
    let mut later = server.stream("?after=2", &[]);
    assert_eq!(next(&mut later).expect("the stream goes on")["id"], "3");
    // Where a client was goes before where it began.
    let mut resumed = server.stream("?after=0", &[("last-event-id", "1")]);
    assert_eq!(next(&mut resumed).expect("the stream goes on")["id"], "2");
}

/// A client that asks for certain changes gets these and no others, those that come later too.
#[test]
fn a_stream_of_certain_changes_has_no_others() {
    let server = Served::default();
    create(&server, "a");
    server.send("POST", "/admin/v1/organizations", Some(&json!({"name": "One"})));
    let mut stream = server.stream("?kind=organization.created,organization.deleted&actor=admin:key", &[]);
    create(&server, "b");
    server.send("DELETE", "/admin/v1/organizations/1", None);
    for (id, kind) in [("2", "organization.created"), ("4", "organization.deleted")] {
        let event = next(&mut stream).expect("the stream goes on");
        assert_eq!((event["id"].as_str(), event["event"].as_str()), (id, kind));
    }
    let mut resumed = server.stream("?kind=organization.deleted", &[("last-event-id", "2")]);
    assert_eq!(next(&mut resumed).expect("the stream goes on")["id"], "4");
    for query in ["?limit=1", "?project=x"] {
        assert_eq!(server.send("GET", &format!("/admin/v1/changes/stream{query}"), None).status, 400, "{query}");
    }
}

fn feed(server: &Served) -> Vec<Value> {
    let page = server.send("GET", "/admin/v1/changes", None).json();
    page["values"].as_array().expect("a page has values").clone()
}

#[test]
fn a_commit_wakes_the_streams() {
    let server = Served::default();
    let mut stream = server.stream("", &[]);
    // Without being woken, a stream looks again at once after an event, and then every two seconds. One attempt of several
    // may meet a machine that does something else.
    let quickest = (0..4).map(|number| {
        std::thread::sleep(Duration::from_millis(200));
        create(&server, &format!("c{number}"));
        let begun = Instant::now();
        next(&mut stream).expect("the stream goes on");
        begun.elapsed()
    });
    let quickest = quickest.min().unwrap_or_default();
    assert!(quickest < Duration::from_millis(500), "{quickest:?}");
}

#[test]
fn a_client_that_takes_nothing_holds_nobody_up() {
    let server = Served::default();
    let _idle = server.stream("", &[]);
    let mut stream = server.stream("", &[]);
    for number in 0..300 {
        create(&server, &format!("c{number}"));
    }
    for sequence in 1..=300 {
        assert_eq!(next(&mut stream).expect("the stream goes on")["id"], sequence.to_string());
    }
}

#[test]
fn streams_are_bounded_and_their_places_are_given_back() {
    let server = Served::new(|settings| settings.streams = 1);
    let stream = server.stream("", &[]);
    let refused = server.send("GET", "/admin/v1/changes/stream", None);
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")));
    let reason = refused.json()["detail"].as_str().expect("it says why").to_owned();
    assert!(reason.contains("as many streams of changes as there may be, 1"), "{reason}");
    drop(stream);
    let begun = Instant::now();
    // That a client is gone shows when something is sent to it, or when its end of the connection is closed.
    while server.send("HEAD", "/admin/v1/changes/stream", None).status != 200 {
        assert!(begun.elapsed() < Duration::from_secs(20), "the place was not given back");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_stream_makes_no_room_for_connections_that_are_idle() {
    let server = Served::new(|settings| settings.connections = 3);
    let mut stream = server.stream("", &[]);
    let mut idle = Vec::new();
    for number in 0..4 {
        idle.push(TcpStream::connect(server.address()).expect("the server listens"));
        create(&server, &format!("c{number}"));
        assert_eq!(next(&mut stream).expect("the stream goes on")["id"], (number + 1).to_string());
    }
}

#[test]
fn positions_are_checked() {
    let server = Served::default();
    for query in ["?after=x", "?after=-1", "?limit=1"] {
        assert_eq!(server.send("GET", &format!("/admin/v1/changes/stream{query}"), None).status, 400, "{query}");
    }
}

#[test]
fn a_shutdown_ends_the_streams() {
    let server = Served::default();
    create(&server, "a");
    let mut stream = server.stream("", &[]);
    assert!(next(&mut stream).is_some());
    assert!(server.stop(), "everything was answered");
    assert!(next(&mut stream).is_none());
}
