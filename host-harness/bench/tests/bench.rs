//! What the program names, what it prints, and that nothing is left of it. How fast anything is, no test says.
//!
//! The server is the program `usher` beside it, which `cargo test --workspace` builds along; so does `cargo build`.

use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn bench(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_usher-bench"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(arguments: &[&str]) -> Output {
    bench(arguments).output().expect("usher-bench runs")
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("text")
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).expect("the folder is there").next().is_none()
}

#[test]
fn every_workload_is_listed_and_said_what_it_measures() {
    let list = text(run(&["--list"]).stdout);
    let named: BTreeSet<&str> = list.lines().filter_map(|line| line.split_whitespace().next()).collect();
    for name in [
        "create",
        "get",
        "filter",
        "page",
        "member",
        "member-1000",
        "sync",
        "full-directory",
        "plan",
        "bulk",
        "mixed",
        "fairness",
        "empty",
        "growth",
        "restart",
    ] {
        assert!(named.contains(name), "{name}: {list}");
    }
    assert!(list.lines().all(|line| line.split_whitespace().count() > 3), "each has a description: {list}");
    let help = text(run(&["--help"]).stdout);
    for name in named {
        assert!(help.contains(name), "{name}: {help}");
    }
    for option in ["--seconds", "--data", "--usher", "--json", "--quick", "--all"] {
        assert!(help.contains(option), "{option}: {help}");
    }
}

#[test]
fn an_unknown_workload_is_refused_with_the_known_ones() {
    let output = run(&["gett"]);
    assert!(!output.status.success() && output.stdout.is_empty());
    let told = text(output.stderr);
    assert!(told.contains("'gett'") && told.contains("lifecycle"), "{told}");
}

#[test]
fn a_server_that_is_missing_is_named_with_the_way_to_build_it() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let missing = folder.path().join("usher");
    let output = run(&["get", "--quick", "--usher", missing.to_str().expect("the folder's name is text")]);
    assert!(!output.status.success() && output.stdout.is_empty());
    let told = text(output.stderr);
    assert!(told.contains(&*missing.to_string_lossy()) && told.contains("cargo build"), "{told}");
}

#[test]
fn figures_are_json_and_nothing_is_left_behind() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let data = folder.path().to_str().expect("the folder's name is text");
    let output = run(&["user-groups", "cold-start", "--quick", "--json", "--data", data]);
    let told = text(output.stderr);
    assert!(output.status.success(), "{told}");
    assert!(told.contains("user-groups"), "progress is told: {told}");
    let report: Value = serde_json::from_slice(&output.stdout).expect("standard output is JSON");
    assert!(report["version"].is_string() && report["componentBytes"].is_u64() && report["processors"].is_u64());
    let workloads = report["workloads"].as_array().expect("a list");
    let names: Vec<_> = workloads.iter().map(|workload| workload["name"].as_str().expect("a name")).collect();
    assert_eq!(names, ["cold-start", "user-groups"], "in the order in which they ran");
    for row in workloads.iter().flat_map(|workload| workload["tables"][0]["rows"].as_array().expect("rows")) {
        assert!(row["count"].as_u64() > Some(0), "{row}");
        assert!(row["p50Us"].as_f64() > Some(0.0) && row["p99Us"].as_f64() >= row["p50Us"].as_f64(), "{row}");
    }
    let rows = workloads[1]["tables"][0]["rows"].as_array().expect("rows");
    assert!(rows.iter().any(|row| row["operation"] == "DELETE user" && row["groups"] == 10), "{rows:?}");
    assert!(is_empty(folder.path()));
}

#[test]
fn what_is_aimed_at_is_met_or_missed() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let data = folder.path().to_str().expect("the folder's name is text");
    let output = run(&["empty", "growth", "restart", "--quick", "--json", "--data", data]);
    assert!(output.status.success(), "{}", text(output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).expect("standard output is JSON");
    let rows = |workload: usize, table: usize| {
        let rows = report["workloads"][workload]["tables"][table]["rows"].as_array().expect("rows");
        rows.clone()
    };
    let is_told = |aim: &Value| aim == "met" || aim == "missed" || (aim.is_null() && !cfg!(target_os = "linux"));
    let servers = rows(0, 0);
    assert_eq!(servers.len(), 4, "{servers:?}");
    assert!(servers.iter().all(|row| is_told(&row["aim"])), "{servers:?}");
    assert!(rows(1, 0).iter().all(|row| row["perSecond"].as_f64() > Some(0.0)), "{:?}", rows(1, 0));
    let whole = &rows(1, 1)[0];
    assert_eq!(whole["users"], 8_000);
    assert!(["steady", "prompt", "small"].iter().all(|aim| is_told(&whole[*aim])), "{whole}");
    let restarted = rows(2, 0);
    assert_eq!(restarted.len(), 5, "{restarted:?}");
    assert!(restarted.iter().all(|row| is_told(&row["aim"])), "{restarted:?}");
    assert!(is_empty(folder.path()));
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_leaves_neither_a_server_nor_a_folder() {
    use rustix::process::{Pid, Signal, kill_process};
    use std::time::{Duration, Instant};
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let data = folder.path().to_str().expect("the folder's name is text");
    let running = bench(&["user-groups", "--seconds", "60", "--data", data]).spawn().expect("usher-bench runs");
    let begin = Instant::now();
    let served = || {
        let place = std::fs::read_dir(folder.path()).expect("the folder is there").next()?.ok()?;
        place.path().join("store").exists().then_some(())
    };
    while served().is_none() {
        assert!(begin.elapsed() < Duration::from_mins(1), "a server keeps its data in the folder");
        std::thread::sleep(Duration::from_millis(20));
    }
    kill_process(Pid::from_child(&running), Signal::INT).expect("it is told");
    let output = running.wait_with_output().expect("it ends");
    assert!(!output.status.success() && output.stdout.is_empty());
    let told = text(output.stderr);
    assert!(told.contains("interrupted"), "{told}");
    // A server that ran on would write here again.
    std::thread::sleep(Duration::from_millis(300));
    assert!(is_empty(folder.path()));
}
