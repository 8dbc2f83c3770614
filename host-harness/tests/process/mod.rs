//! `usher serve` as a process of its own.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// The admin key that it is started with.
pub const ADMIN_KEY: &str = "the admin key of this test";

/// The process, which ends with this.
pub struct Process {
    process: Child,
    /// Where it serves.
    pub url: String,
}

impl Process {
    /// Starts it over a data folder, on a free port, and waits until it serves.
    pub fn start(data: &Path) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_usher"))
            .args(["serve", "--listen", "127.0.0.1:0", "--admin-key", ADMIN_KEY, "--log", "error", "--data"])
            .arg(data)
            .stdout(Stdio::piped())
            .spawn()
            .expect("usher starts");
        let mut line = String::new();
        let out = process.stdout.take().expect("its output is piped");
        BufReader::new(out).read_line(&mut line).expect("it prints a line");
        let url = line.trim().rsplit(' ').next().filter(|url| url.starts_with("http")).expect("the line has the URL");
        Self { url: url.to_owned(), process }
    }
}

impl Drop for Process {
    /// Kills it, so that it has no chance to write anything, and waits until it is gone.
    fn drop(&mut self) {
        // It may have ended by itself, which the test has noticed.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
