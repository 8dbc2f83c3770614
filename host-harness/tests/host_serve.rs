//! The program: what it prints, what it keeps, how it ends.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

struct Program {
    process: Child,
    out: BufReader<ChildStdout>,
    url: String,
}

fn usher(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_usher"));
    command.env_remove("USHER_ADMIN_KEY").args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

impl Program {
    fn serve(arguments: &[&str]) -> Self {
        Self::start(usher(&["serve", "--listen", "127.0.0.1:0"]).args(arguments))
    }

    fn start(command: &mut Command) -> Self {
        let mut process = command.spawn().expect("usher starts");
        let mut out = BufReader::new(process.stdout.take().expect("its output is piped"));
        let mut line = String::new();
        out.read_line(&mut line).expect("it prints a line");
        let url = line.strip_prefix("usher is ready on ").expect("it is the ready line").trim().to_owned();
        Self { process, out, url }
    }

    fn send(&self, method: &str, path: &str, key: &str, body: Option<&Value>) -> Option<(u16, Value)> {
        send(method, &format!("{}{path}", self.url), key, body)
    }

    /// Asks it to end, and returns what it printed after the ready line on both streams.
    #[cfg(unix)]
    fn terminate(mut self) -> (String, String) {
        let id = rustix::process::Pid::from_child(&self.process);
        rustix::process::kill_process(id, rustix::process::Signal::TERM).expect("it is told");
        let (mut out, mut err) = (String::new(), String::new());
        self.out.read_to_string(&mut out).expect("text");
        self.process.stderr.take().expect("piped").read_to_string(&mut err).expect("text");
        assert!(self.process.wait().expect("it ends").success(), "{err}");
        (out, err)
    }
}

fn send(method: &str, url: &str, key: &str, body: Option<&Value>) -> Option<(u16, Value)> {
    let config = ureq::Agent::config_builder().http_status_as_error(false);
    let agent = ureq::Agent::new_with_config(config.timeout_global(Some(Duration::from_secs(30))).build());
    let request =
        ureq::http::Request::builder().method(method).uri(url).header("authorization", format!("Bearer {key}"));
    let request = request.header("content-type", "application/json");
    let response = match body {
        Some(body) => agent.run(request.body(body.to_string()).expect("a request")),
        None => agent.run(request.body(()).expect("a request")),
    };
    let mut response = response.ok()?;
    let text = response.body_mut().read_to_string().ok()?;
    Some((response.status().as_u16(), serde_json::from_str(&text).unwrap_or(Value::Null)))
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("there is room for a folder")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("the folder's name is text")
}

#[cfg(unix)]
#[test]
fn the_admin_key_is_made_once_shown_once_and_never_stored() {
    let folder = folder();
    let data = folder.path().join("data");
    let program = Program::serve(&["--data", text(&data)]);
    let (out, err) = program.terminate();
    assert_eq!(out, "", "the ready line is all");
    let line = err.lines().find(|line| line.starts_with("The admin key")).expect("the key is shown");
    let key = line.rsplit(' ').next().expect("a key");
    let program = Program::serve(&["--data", text(&data)]);
    assert_eq!(program.send("GET", "/admin/v1/directories", key, None).expect("an answer").0, 200);
    assert_eq!(program.send("GET", "/admin/v1/directories", "other", None).expect("an answer").0, 401);
    let (_, err) = program.terminate();
    assert!(!err.contains(key), "it is shown once");
    let kept = std::fs::read_to_string(data.join("admin-key")).expect("the hash is kept");
    assert!(!kept.contains(key));
}

#[cfg(unix)]
#[test]
fn a_shutdown_under_load_loses_nothing_that_was_acknowledged() {
    let (folder, key) = (folder(), "the admin key of this test");
    let arguments = ["--data", text(folder.path()), "--admin-key", key];
    let program = Program::serve(&arguments);
    let connected = program.send("POST", "/admin/v1/directories", key, Some(&json!({"name": "x"}))).expect("an answer");
    let (api_key, base) = (connected.1["apiKey"].as_str().expect("a key"), connected.1["scimBaseUrl"].clone());
    let base = base.as_str().expect("a URL").to_owned();
    let ended = AtomicBool::new(false);
    let acknowledged: Vec<String> = std::thread::scope(|scope| {
        let (base, ended) = (&base, &ended);
        let clients: Vec<_> = (0..8)
            .map(|client| {
                scope.spawn(move || {
                    let mut made = Vec::new();
                    for number in 0.. {
                        let user = json!({"userName": format!("c{client}n{number}@example.com")});
                        match send("POST", &format!("{base}/Users"), api_key, Some(&user)) {
                            Some((201, user)) => made.push(user["id"].as_str().expect("an id").to_owned()),
                            Some((status, body)) => panic!("{status} {body}"),
                            // Refused, which is no loss: nothing was acknowledged.
                            None if ended.load(Ordering::Relaxed) => break,
                            None => std::thread::sleep(Duration::from_millis(1)),
                        }
                    }
                    made
                })
            })
            .collect();
        std::thread::sleep(Duration::from_millis(400));
        program.terminate();
        ended.store(true, Ordering::Relaxed);
        clients.into_iter().flat_map(|client| client.join().expect("no client saw an error")).collect()
    });
    assert!(acknowledged.len() > 8, "there was something to lose");
    let program = Program::serve(&arguments);
    let path = base.splitn(4, '/').nth(3).expect("a path");
    for id in &acknowledged {
        let user = program.send("GET", &format!("/{path}/Users/{id}"), api_key, None).expect("an answer");
        assert_eq!(user.0, 200, "an acknowledged user is gone");
    }
    program.terminate();
}

#[test]
fn what_is_in_the_way_of_a_start_is_said() {
    let folder = folder();
    let first = Program::serve(&["--data", text(folder.path()), "--admin-key", "the admin key of this test"]);
    let refused = |arguments: &[&str]| {
        let output = usher(&[&["serve"], arguments].concat()).output().expect("usher runs");
        assert!(!output.status.success());
        assert!(output.stdout.is_empty(), "no ready line");
        String::from_utf8(output.stderr).expect("text")
    };
    let address = first.url.strip_prefix("http://").expect("a URL");
    let taken = refused(&["--memory", "--listen", address]);
    assert!(taken.contains("taken by another program") && taken.contains(address), "{taken}");
    let locked = refused(&["--data", text(folder.path()), "--listen", "127.0.0.1:0"]);
    assert!(locked.contains(text(folder.path())), "{locked}");
    let file = folder.path().join("file");
    std::fs::write(&file, "").expect("written");
    let unusable = refused(&["--data", text(&file), "--listen", "127.0.0.1:0"]);
    assert!(unusable.contains("--data"), "{unusable}");
    let url = refused(&["--memory", "--public-url", "usher.example.com"]);
    assert!(url.contains("https://usher.example.com"), "{url}");
    let log = refused(&["--memory", "--log", "inof"]);
    assert!(log.contains("`inof`") && log.contains("warn"), "{log}");
    for listen in ["127.0.0.1", "nowhere.invalid:8080"] {
        let told = refused(&["--memory", "--listen", listen]);
        assert!(told.contains(listen) && told.contains("--listen"), "{told}");
    }
    let mut process = first.process;
    process.kill().expect("it is killed");
    process.wait().expect("it is gone");
}

#[cfg(all(unix, feature = "console"))]
#[test]
fn a_demonstration_ends_with_a_link_that_signs_a_browser_in_once() {
    let folder = folder();
    let mut command = usher(&["demo", "--listen", "127.0.0.1:0", "--users", "20", "--groups", "4"]);
    let mut program = Program::start(command.current_dir(folder.path()));
    let mut line = String::new();
    while !line.contains("/console/sign-in/") {
        line.clear();
        assert!(program.out.read_line(&mut line).expect("text") > 0, "it ends without a link");
    }
    let link = line.trim();
    let config = ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0);
    let agent = ureq::Agent::new_with_config(config.max_redirects_will_error(false).build());
    assert!(link.starts_with(&program.url));
    assert_eq!(agent.get(link).call().expect("an answer").status(), 200);
    let entered = agent.post(link).send_empty().expect("an answer");
    assert_eq!((entered.status().as_u16(), entered.headers()["location"].as_bytes()), (303, &b"/console"[..]));
    let cookie = entered.headers()["set-cookie"].to_str().expect("text").split(';').next().unwrap_or_default();
    let console = agent.get(format!("{}/console", program.url)).header("cookie", cookie).call();
    let console = console.expect("an answer").body_mut().read_to_string().expect("text");
    assert!(console.contains("Entra ID (demo)") && console.contains("Last changes"), "{console}");
    assert_eq!(agent.post(link).send_empty().expect("an answer").status(), 403);
    program.terminate();
}

#[test]
fn a_host_name_can_be_listened_on() {
    let mut command = usher(&["serve", "--memory", "--listen", "localhost:0"]);
    let mut process = command.spawn().expect("usher starts");
    let mut line = String::new();
    BufReader::new(process.stdout.take().expect("piped")).read_line(&mut line).expect("it prints a line");
    let url = line.strip_prefix("usher is ready on ").expect("it is the ready line").trim();
    let answer = send("GET", &format!("{url}/admin/v1/directories"), "no key", None);
    assert_eq!(answer.expect("it answers").0, 401);
    process.kill().expect("it is killed");
    process.wait().expect("it is gone");
}

#[test]
fn a_demonstration_ends_with_everything_pushed_and_can_be_repeated() {
    let folder = folder();
    for _ in 0..2 {
        let mut command = usher(&["demo", "--exit", "--listen", "127.0.0.1:0", "--users", "60", "--groups", "10"]);
        let output = command.current_dir(folder.path()).output().expect("usher runs");
        let told = String::from_utf8(output.stdout).expect("text");
        assert!(output.status.success(), "{told} {}", String::from_utf8_lossy(&output.stderr));
        assert!(told.contains("none of them failed"), "{told}");
        for word in ["linked", "adopted", "leaves it alone", "yes: through Harbour All Employees"] {
            assert!(told.contains(word), "{word}: {told}");
        }
        // Thirty users and five groups of each provider. The site knew three of the users, and one of the groups.
        let (before, after) = told.split_once("Entra ID (demo) is staged").expect("the plan is printed");
        let (plan, after) =
            after.split_once("Entra ID (demo) is live: 35 customers and organizations").expect("it is applied");
        assert!(before.contains("Entra ID (demo)") && !before.contains("still being worked out"), "{told}");
        for row in [
            "customers 3 linked Amara Abebe, here as \"A. Abebe\"",
            "27 made",
            "organizations 1 adopted Harbour All Employees",
            "29 come: ",
            "2 go: ",
            "4 made Harbour Accounting",
            "access 1 lost by Walter Leaver: People Desk",
            "29 gained by",
            "People Desk 29 1",
        ] {
            assert!(plan.split_whitespace().collect::<Vec<_>>().join(" ").contains(row), "{row}: {told}");
        }
        let after = after.split_whitespace().collect::<Vec<_>>().join(" ");
        for row in ["customers 60 managed by a directory 2 local", "organizations 9 managed by a directory 1 local"] {
            assert!(after.contains(row), "{row}: {told}");
        }
        let going = plan.lines().find(|line| line.contains("2 go: ")).expect("the line is there");
        assert!(going.contains("Grace Guest") && going.contains("Walter Leaver"), "{told}");
        // What was planned has come about.
        assert!(after.contains("walter.leaver@harbour.example no: "), "{told}");
        assert!(told.lines().all(|line| line.chars().count() <= 80), "{told}");
    }
}

#[test]
fn help_teaches() {
    for (arguments, word) in
        [(&["--help"][..], "usher demo"), (&["serve", "--help"], "--public-url"), (&["demo", "--help"], "--exit")]
    {
        let output = usher(arguments).output().expect("usher runs");
        assert!(output.status.success());
        let help = String::from_utf8(output.stdout).expect("text");
        assert!(help.contains(word) && help.contains("default"), "{help}");
    }
}
