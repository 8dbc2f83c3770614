//! A served site whose disk is full: it says so at once, goes on reading, and goes on writing when there is space.

mod process;
mod small_disk;

use process::{ADMIN_KEY, Process};
use serde_json::{Value, json};
use small_disk::SmallDisk;
use std::cell::Cell;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// How long the server may take to notice that there is no space, and that there is some again.
const PATIENCE: Duration = Duration::from_mins(1);

struct Server(Process);

impl Server {
    fn start(data: &Path) -> Self {
        Self(Process::start(data))
    }

    fn send(&self, path: &str, body: Option<&Value>) -> (u16, String) {
        let config = ureq::Agent::config_builder().http_status_as_error(false);
        let agent = ureq::Agent::new_with_config(config.timeout_global(Some(PATIENCE)).build());
        let url = format!("{}{path}", self.0.url);
        let key = format!("Bearer {ADMIN_KEY}");
        let response = match body {
            Some(body) => agent.post(url).header("authorization", key).send_json(body),
            None => agent.get(url).header("authorization", key).call(),
        };
        let mut response = response.expect("it answers");
        (response.status().as_u16(), response.body_mut().read_to_string().expect("text"))
    }

    fn connect(&self, name: &str) -> u16 {
        self.send("/admin/v1/directories", Some(&json!({ "name": name }))).0
    }

    fn until(&self, what: &str, done: impl Fn(&Self) -> bool) {
        let began = Instant::now();
        while !done(self) {
            assert!(began.elapsed() < PATIENCE, "{what}");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
fn a_full_disk_is_said_at_once_and_writing_goes_on_when_there_is_space_again() {
    let test = "a_full_disk_is_said_at_once_and_writing_goes_on_when_there_is_space_again";
    let Some(disk) = SmallDisk::mount(test, 192) else { return };
    let server = Server::start(&disk.path().join("data"));
    assert_eq!(server.connect("first"), 201);
    assert_eq!(server.send("/readyz", None).0, 200);
    // Each has a name of its own: one that is taken would be refused without a write.
    let attempts = Cell::new(0_u32);
    let connect_another = |server: &Server| {
        attempts.set(attempts.get() + 1);
        server.connect(&format!("attempt {}", attempts.get()))
    };
    for round in 1..=2 {
        disk.fill();
        server.until("nothing is refused", |server| connect_another(server) == 503);
        let (status, told) = server.send("/readyz", None);
        assert_eq!(status, 503);
        assert!(told.contains("no space is left on the disk"), "{told}");
        let (_, metrics) = server.send("/metrics", None);
        assert!(metrics.contains("\nusher_storage_writable 0\n"), "{metrics}");
        assert!(metrics.contains(&format!("\nusher_storage_failures_total {round}\n")), "{metrics}");
        let (status, listed) = server.send("/admin/v1/directories", None);
        assert!(status == 200 && listed.contains("first"), "what is durable can be read: {listed}");
        disk.free();
        server.until("it is not ready again", |server| server.send("/readyz", None).0 == 200);
        let (_, metrics) = server.send("/metrics", None);
        assert!(metrics.contains("\nusher_storage_writable 1\n"), "{metrics}");
        assert!(metrics.contains(&format!("\nusher_storage_recoveries_total {round}\n")), "{metrics}");
        assert_eq!(connect_another(&server), 201);
    }
}
