//! `usher serve --storage`: what it keeps, and what it tells when the database is away.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use usher_test_postgres::{Server, is_there, shared, unique};

/// How long something that happens by itself may take.
const PATIENCE: Duration = Duration::from_mins(1);

fn usher(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_usher"));
    command.env_remove("USHER_ADMIN_KEY").args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

struct Program {
    process: Child,
    url: String,
}

impl Program {
    fn serve(storage: &str, more: &[&str]) -> Self {
        let mut command = usher(&["serve", "--listen", "127.0.0.1:0", "--storage", storage]);
        let mut process = command.args(more).spawn().expect("usher starts");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("piped")).read_line(&mut line).expect("it prints a line");
        let url = line.strip_prefix("usher is ready on ").expect("it is the ready line").trim().to_owned();
        Self { process, url }
    }

    /// Asks it to end, and returns what it printed on standard error.
    fn terminate(mut self) -> String {
        let id = rustix::process::Pid::from_child(&self.process);
        rustix::process::kill_process(id, rustix::process::Signal::TERM).expect("it is told");
        let mut err = String::new();
        self.process.stderr.take().expect("piped").read_to_string(&mut err).expect("text");
        assert!(self.process.wait().expect("it ends").success(), "{err}");
        err
    }

    fn send(&self, method: &str, path: &str, key: &str, body: Option<&Value>) -> (u16, Option<String>, String) {
        let config = ureq::Agent::config_builder().http_status_as_error(false);
        let agent = ureq::Agent::new_with_config(config.timeout_global(Some(PATIENCE)).build());
        let request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.url));
        let request =
            request.header("authorization", format!("Bearer {key}")).header("content-type", "application/json");
        let response = match body {
            Some(body) => agent.run(request.body(body.to_string()).expect("a request")),
            None => agent.run(request.body(()).expect("a request")),
        };
        let mut response = response.expect("it answers");
        let retry = response.headers().get("retry-after").map(|value| value.to_str().expect("text").to_owned());
        (response.status().as_u16(), retry, response.body_mut().read_to_string().expect("text"))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended in order.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn shown(err: &str) -> Option<&str> {
    Some(err.split_once("The admin key, shown this once: ")?.1.lines().next()?.trim())
}

#[test]
fn the_admin_key_is_kept_in_the_database_as_a_hash() {
    let Some(server) = shared("the_admin_key_is_kept_in_the_database_as_a_hash") else { return };
    let database = unique("served");
    server.sql("postgres", &format!("CREATE DATABASE {database}"));
    let err = Program::serve(&server.url(&database), &[]).terminate();
    let key = shown(&err).expect("the key is shown").to_owned();
    let program = Program::serve(&server.url(&database), &[]);
    let made = program.send("POST", "/admin/v1/directories", &key, Some(&json!({"name": "Okta"})));
    assert_eq!(made.0, 201, "{}", made.2);
    let err = program.terminate();
    assert_eq!(shown(&err), None, "it is shown once");
    let dump = server.program("pg_dump").arg(server.url(&database)).output().expect("pg_dump runs");
    assert!(!String::from_utf8_lossy(&dump.stdout).contains(&key));
    let program = Program::serve(&server.url(&database), &[]);
    let listed = program.send("GET", "/admin/v1/directories", &key, None);
    assert!(listed.2.contains("Okta"), "{}", listed.2);
}

#[test]
fn while_the_database_is_away_it_says_so_and_then_goes_on() {
    if !is_there("while_the_database_is_away_it_says_so_and_then_goes_on") {
        return;
    }
    let server = Server::start(&["fsync=off"]);
    let key = "the admin key of this test";
    let program = Program::serve(&server.url("usher"), &["--admin-key", key]);
    let customer = |number: u32| json!({"email": format!("u{number}@example.com"), "displayName": "U"});
    assert_eq!(program.send("POST", "/admin/v1/customers", key, Some(&customer(1))).0, 201);
    assert_eq!(program.send("GET", "/readyz", key, None).0, 200);
    server.stop();
    let (status, retry, _) = program.send("POST", "/admin/v1/customers", key, Some(&customer(2)));
    assert_eq!((status, retry.as_deref()), (503, Some("1")));
    let until = |what: &str, done: &dyn Fn() -> bool| {
        let began = Instant::now();
        while !done() {
            assert!(began.elapsed() < PATIENCE, "{what}");
            thread::sleep(Duration::from_millis(50));
        }
    };
    until("it says why", &|| program.send("GET", "/readyz", key, None).2.contains("the database does not answer"));
    assert_eq!(program.send("GET", "/readyz", key, None).0, 503);
    assert_eq!(program.send("GET", "/healthz", key, None).0, 200);
    assert!(program.send("GET", "/metrics", key, None).2.contains("usher_storage_writable 0"));
    server.start_again();
    until("it goes on", &|| program.send("GET", "/readyz", key, None).0 == 200);
    assert_eq!(program.send("POST", "/admin/v1/customers", key, Some(&customer(2))).0, 201);
    let listed: Value = serde_json::from_str(&program.send("GET", "/admin/v1/customers", key, None).2).expect("JSON");
    assert_eq!(listed["values"].as_array().map(Vec::len), Some(2), "{listed}");
    let err = program.terminate();
    assert!(err.contains("takes no writes") && err.contains("takes writes again"), "{err}");
}

#[test]
fn requests_are_answered_while_the_database_hangs() {
    let Some(server) = shared("requests_are_answered_while_the_database_hangs") else { return };
    let database = unique("hangs");
    server.sql("postgres", &format!("CREATE DATABASE {database}"));
    let key = "the admin key of this test";
    let program = Program::serve(&server.url(&database), &["--admin-key", key]);
    assert_eq!(program.send("GET", "/readyz", key, None).0, 200);
    let lock = "BEGIN; LOCK TABLE usher_head, usher_kv IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(6); COMMIT";
    thread::scope(|scope| {
        scope.spawn(|| server.sql(&database, lock));
        thread::sleep(Duration::from_millis(300));
        let asking: Vec<_> = (0..6)
            .map(|_| {
                scope.spawn(|| {
                    program.send(
                        "POST",
                        "/admin/v1/customers",
                        key,
                        Some(&json!({"email": "a@example.com", "displayName": "A"})),
                    )
                })
            })
            .collect();
        thread::sleep(Duration::from_millis(300));
        for _ in 0..20 {
            let began = Instant::now();
            assert_eq!(program.send("GET", "/healthz", key, None).0, 200);
            assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
        }
        for asked in asking {
            let (status, ..) = asked.join().expect("no panic");
            assert!([201, 400, 409, 503].contains(&status), "{status}");
        }
    });
}

#[test]
fn what_cannot_be_opened_is_said_without_the_password() {
    let Some(server) = shared("what_cannot_be_opened_is_said_without_the_password") else { return };
    let gone = format!("postgres://usher:sesame@127.0.0.1:{}/usher?sslmode=disable", server.port());
    let missing = server.url("nowhere");
    for (url, says) in [
        (gone.as_str(), "does not answer"),
        (&missing, "does not exist"),
        ("mysql://usher:sesame@db/usher", "postgres://user@host/database"),
    ] {
        let output = usher(&["serve", "--listen", "127.0.0.1:0", "--storage", url]).output().expect("usher runs");
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && err.contains(says) && !err.contains("sesame"), "{err}");
    }
}

#[test]
fn tables_are_made_by_a_command_of_its_own() {
    let Some(server) = shared("tables_are_made_by_a_command_of_its_own") else { return };
    let (database, user) = (unique("migrated"), unique("app"));
    server.sql("postgres", &format!("CREATE DATABASE {database}"));
    server.sql("postgres", &format!("CREATE ROLE {user} LOGIN"));
    let as_user = server.url(&database).replace("user=usher", &format!("user={user}"));
    let output = usher(&["serve", "--listen", "127.0.0.1:0", "--storage", &as_user]).output().expect("usher runs");
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(err.contains("usher storage migrate"), "{err}");
    for says in ["have been made", "nothing to do"] {
        let output = usher(&["storage", "migrate", "--storage", &server.url(&database)]).output().expect("usher runs");
        let out = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && out.contains(says), "{out}");
    }
}
