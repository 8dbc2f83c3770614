//! `usher serve` in a process of its own, with durable storage, as its users run it. So what it takes of the machine can
//! be told from what measuring it takes.

use super::call::Credentials;
use super::client::Client;
use super::{call::Call, usage};
use serde::Deserialize;
use serde_json::{Value, json};
use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use usher_host::http::AdminKey;

/// How long to wait at the most until a server has nothing to do any more.
const SETTLING: Duration = Duration::from_mins(1);

/// What `usher serve` takes from the environment, which must not reach a server that is measured.
const ENVIRONMENT: [&str; 8] = [
    "USHER_DATA",
    "USHER_STORAGE",
    "USHER_STORAGE_PASSWORD_FILE",
    "USHER_ADMIN_KEY",
    "USHER_LISTEN",
    "USHER_PUBLIC_URL",
    "USHER_LOG",
    "USHER_LOG_FORMAT",
];

/// Where a server keeps what it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept<'a> {
    OnDisk,
    InMemory,
    /// In the database at this URL.
    InDatabase(&'a str),
}

/// A server. Dropped, it is stopped and what it kept is removed.
pub(super) struct Server {
    process: Process,
    address: SocketAddr,
    admin_key: String,
    /// Last, so that the folder is removed when the process has ended.
    folder: TempDir,
}

struct Process {
    child: Child,
    /// Kept open: whoever writes to a pipe that nobody reads is ended.
    out: Option<BufReader<ChildStdout>>,
}

impl Process {
    /// Asks it to end, where the system can ask, and waits until it has.
    fn end(&mut self) -> Result<(), String> {
        #[cfg(unix)]
        let asked = {
            use rustix::process::{Pid, Signal, kill_process};
            kill_process(Pid::from_child(&self.child), Signal::TERM)
        };
        #[cfg(not(unix))]
        let asked = self.child.kill();
        asked.map_err(|error| format!("a server cannot be ended: {error}"))?;
        self.child.wait().map(drop).map_err(|error| format!("a server did not end: {error}"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // What it keeps is thrown away, so it need not end in order. It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What servers are made of: the program that is measured, and a folder on the disk that is measured.
pub(super) struct Servers {
    program: PathBuf,
    folder: PathBuf,
}

impl Servers {
    /// Servers of this program, or where none is named, of the `usher` in the folder of the program that runs now, as cargo
    /// builds them. They keep their data below `folder`.
    pub(super) fn new(program: Option<PathBuf>, folder: PathBuf) -> Result<Self, String> {
        let program = match program {
            Some(program) => program,
            None => std::env::current_exe()
                .map_err(|error| format!("cannot find the folder of this program: {error}"))?
                .with_file_name(format!("usher{}", std::env::consts::EXE_SUFFIX)),
        };
        Ok(Self { program, folder })
    }

    /// Says how to come by the program where it is missing.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.program.is_file() {
            return Ok(());
        }
        let profile = if cfg!(debug_assertions) { "" } else { " --release" };
        Err(format!(
            "the server to measure, {}, is missing. `cargo build{profile} --package usher-host --package usher-bench` \
             builds both programs; --usher PROGRAM names another server.",
            self.program.display()
        ))
    }

    /// Starts one.
    pub(super) fn start(&self, kept: Kept<'_>) -> Result<Server, String> {
        let (_, admin_key) = AdminKey::generate().map_err(|error| format!("cannot make an admin key: {error}"))?;
        let folder = self.folder()?;
        let kept = match kept {
            Kept::OnDisk => [OsStr::new("--data"), folder.path().as_os_str()].to_vec(),
            Kept::InMemory => vec![OsStr::new("--memory")],
            Kept::InDatabase(url) => [OsStr::new("--storage"), OsStr::new(url)].to_vec(),
        };
        let (process, address) = self.launch(&admin_key, &kept)?;
        Ok(Server { process, address, admin_key, folder })
    }

    /// Starts the program with these options, and returns when it can be reached.
    fn launch(&self, admin_key: &str, options: &[&OsStr]) -> Result<(Process, SocketAddr), String> {
        let mut command = Command::new(&self.program);
        for name in ENVIRONMENT {
            command.env_remove(name);
        }
        command.args(["serve", "--listen", "127.0.0.1:0", "--log", "warn"]).args(options);
        command.env("USHER_ADMIN_KEY", admin_key).stdin(Stdio::null()).stdout(Stdio::piped());
        let child =
            command.spawn().map_err(|error| format!("cannot start the server {}: {error}", self.program.display()))?;
        let mut process = Process { child, out: None };
        let out = process.child.stdout.take().ok_or("a server has no output")?;
        let mut line = String::new();
        let out = process.out.insert(BufReader::new(out));
        out.read_line(&mut line).map_err(|error| format!("a server did not start: {error}"))?;
        let address = line.trim().rsplit("http://").next().and_then(|address| address.parse().ok());
        let address = address.ok_or_else(|| "a server did not start: see above".to_owned())?;
        Ok((process, address))
    }

    /// A folder on the disk that is measured, removed when it is dropped.
    pub(super) fn folder(&self) -> Result<TempDir, String> {
        let failed = |error: std::io::Error| format!("cannot use {}: {error}", self.folder.display());
        std::fs::create_dir_all(&self.folder).map_err(failed)?;
        tempfile::Builder::new().prefix("usher-bench-").tempdir_in(&self.folder).map_err(failed)
    }
}

impl Server {
    /// The key of its administrators.
    pub(super) fn admin_key(&self) -> &str {
        &self.admin_key
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Connects a directory of this name.
    pub(super) async fn connect_directory(&self, name: &str) -> Result<Credentials, String> {
        self.connect(&json!({ "name": name })).await
    }

    /// Connects a directory with these settings.
    pub(super) async fn connect(&self, settings: &Value) -> Result<Credentials, String> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Connected {
            scim_base_url: String,
            api_key: String,
        }
        let mut admin = self.admin().await?;
        let answer = admin.call(&Call::post("/directories", settings.to_string())).await?;
        let connected: Connected = serde_json::from_slice(answer.body).map_err(|error| error.to_string())?;
        let origin = format!("http://{}", self.address);
        let scim_path = connected.scim_base_url.strip_prefix(&origin).unwrap_or(&connected.scim_base_url);
        Ok(Credentials { scim_path: scim_path.to_owned(), api_key: connected.api_key })
    }

    /// Lets groups have so many members.
    pub(super) async fn allow_members(&self, members: usize) -> Result<(), String> {
        let body = json!({ "maxMembers": members }).to_string();
        let call = Call { method: "PATCH", path: "/settings".into(), body: Some(body) };
        self.admin().await?.time(&call).await.map(drop)
    }

    /// A connection of its administrators.
    pub(super) async fn admin(&self) -> Result<Client, String> {
        Client::open(self.address, "/admin/v1".into(), &self.admin_key).await
    }

    /// Has one that keeps its data on disk end in order, and starts it again over the same data, with further options.
    pub(super) fn restart(&mut self, servers: &Servers, options: &[&str]) -> Result<(), String> {
        self.process.end()?;
        let mut all = [OsStr::new("--data"), self.folder.path().as_os_str()].to_vec();
        all.extend(options.iter().map(OsStr::new));
        (self.process, self.address) = servers.launch(&self.admin_key, &all)?;
        Ok(())
    }

    /// How much memory it has, and had at the most, in bytes, where the system tells.
    pub(super) fn memory(&self) -> Option<usage::Memory> {
        usage::memory(self.process.child.id())
    }

    /// How many bytes its files take.
    pub(super) fn disk(&self) -> Option<u64> {
        usage::disk(self.folder.path()).ok()
    }

    /// Waits until it has done what it put off: what comes next is not to be measured along with that.
    pub(super) async fn settle(&self) {
        let begin = Instant::now();
        let mut before = usage::processor_time(self.process.child.id());
        while begin.elapsed() < SETTLING {
            tokio::time::sleep(Duration::from_millis(500)).await;
            let now = usage::processor_time(self.process.child.id());
            let idle = now.zip(before).is_none_or(|(now, before)| now.saturating_sub(before) <= 2);
            if idle {
                return;
            }
            before = now;
        }
    }
}
