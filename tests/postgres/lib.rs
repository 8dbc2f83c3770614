//! A PostgreSQL server of its own for a test program or a benchmark: on a Unix socket in a folder of its own, both gone when the
//! program ends, however it does.
//!
//! The programs of PostgreSQL are looked for in `PATH`, and where Debian has them. PostgreSQL refuses to run as root, so
//! that root has it run as the user `postgres`.

use std::fs;
use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Where it is set, a test that finds no PostgreSQL fails in place of being skipped.
const NEEDED: &str = "USHER_NEEDS_POSTGRES";

/// How long a server may take to start or to stop.
const PATIENCE: Duration = Duration::from_mins(1);

/// The superuser of every server here.
pub const SUPERUSER: &str = "usher";

/// Keeps a server for as long as its standard input is open, so that no server outlives the program that has started it. Then
/// removes its folder, unless that is still wanted.
const KEEP: &str = r#"folder="$1"; shift
"$@" </dev/null &
read -r wanted
kill -s INT $!
wait $!
test "$wanted" = keep || rm -rf "$folder""#;

/// A server, which ends with this.
pub struct Server {
    folder: Option<TempDir>,
    programs: PathBuf,
    user: Option<(u32, u32)>,
    settings: Vec<String>,
    port: u16,
    process: Mutex<Option<Child>>,
}

/// Whether a test that needs PostgreSQL can be made. If not, says so, or fails where it has to be made.
///
/// # Panics
/// Where there is none and `USHER_NEEDS_POSTGRES` is set.
pub fn is_there(test: &str) -> bool {
    let there = programs().is_some();
    if !there {
        assert!(std::env::var_os(NEEDED).is_none(), "{test} needs PostgreSQL, and there is none");
        // Past the test runner, which shows what is printed of failures only.
        let _ = writeln!(std::io::stderr(), "skipped: {test} needs PostgreSQL");
    }
    there
}

/// The server that all tests of a program share, for as long as that runs; `None` where the test is to be skipped.
///
/// # Panics
/// Where it does not start.
pub fn shared(test: &str) -> Option<&'static Server> {
    static SERVER: OnceLock<Server> = OnceLock::new();
    is_there(test).then(|| SERVER.get_or_init(|| Server::start(&["fsync=off", "max_connections=400"])))
}

/// A name that nothing else in the server has.
///
/// # Panics
/// Where the system has no random numbers.
pub fn unique(what: &str) -> String {
    format!("{what}_{:016x}", getrandom::u64().expect("random numbers"))
}

/// The folder with the programs of the newest version.
fn programs() -> Option<PathBuf> {
    let is_server = |folder: &PathBuf| folder.join("initdb").is_file() && folder.join("postgres").is_file();
    let path = std::env::var_os("PATH").unwrap_or_default();
    if let Some(found) = std::env::split_paths(&path).find(is_server) {
        // What is there may be links to a few of its programs.
        return fs::canonicalize(found.join("postgres")).ok()?.parent().map(Path::to_owned);
    }
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
    let mut found: Vec<_> = versions.flatten().map(|version| version.path().join("bin")).filter(is_server).collect();
    found.sort();
    found.pop()
}

/// The user and the group by these names, as numbers.
fn user(name: &str) -> Option<(u32, u32)> {
    let id = |option: &str| {
        let output = Command::new("id").args([option, name]).output().ok()?;
        String::from_utf8(output.stdout).ok()?.trim().parse().ok()
    };
    Some((id("-u")?, id("-g")?))
}

impl Server {
    /// Starts one with these settings, as `name=value`.
    ///
    /// # Panics
    /// Where it does not start, or there is no PostgreSQL.
    pub fn start(settings: &[&str]) -> Self {
        let programs = programs().expect("PostgreSQL");
        let folder = tempfile::Builder::new().prefix("usher-postgres-").tempdir().expect("a folder");
        let user = rustix::process::getuid().is_root().then(|| user("postgres").expect("a user `postgres`"));
        if let Some((user, group)) = user {
            chown(folder.path(), Some(user), Some(group)).expect("the folder is that user's");
        }
        let port =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|free| free.local_addr()).expect("a port").port();
        let server = Self {
            programs,
            user,
            settings: settings.iter().map(ToString::to_string).collect(),
            port,
            process: Mutex::default(),
            folder: Some(folder),
        };
        let mut made = server.command(&server.programs.join("initdb"));
        made.args(["--no-sync", "--auth=trust", "--encoding=UTF8", "--no-locale", "--username", SUPERUSER, "--pgdata"]);
        let made = made.arg(server.data()).output().expect("initdb runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        server.start_again();
        server.sql("postgres", "CREATE DATABASE usher");
        server
    }

    /// The folder of the server, which holds its socket, and can hold what a test gives it.
    ///
    /// # Panics
    /// Never.
    pub fn folder(&self) -> &Path {
        self.folder.as_ref().expect("a folder until the end").path()
    }

    fn data(&self) -> PathBuf {
        self.folder().join("data")
    }

    /// A program of PostgreSQL.
    pub fn program(&self, name: &str) -> Command {
        Command::new(self.programs.join(name))
    }

    /// The port that it listens on, where `listen_addresses` is set.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A command as the server's user.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
        command.current_dir(self.folder());
        command
    }

    /// The URL of a database, over the socket.
    pub fn url(&self, database: &str) -> String {
        format!("postgres:///{database}?host={}&port={}&user={SUPERUSER}", self.folder().display(), self.port)
    }

    /// What a statement says, a line for each row.
    ///
    /// # Panics
    /// Where it fails.
    pub fn sql(&self, database: &str, statement: &str) -> String {
        self.try_sql(database, statement).unwrap_or_else(|error| panic!("{statement}: {error}"))
    }

    /// The same, or what went wrong.
    ///
    /// # Errors
    /// What `psql` says.
    ///
    /// # Panics
    /// Where `psql` does not run.
    pub fn try_sql(&self, database: &str, statement: &str) -> Result<String, String> {
        let mut psql = self.program("psql");
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", &self.url(database), "-c", statement]);
        let output = psql.output().expect("psql runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }

    /// Stops it as a loss of power does: what it has not written is gone.
    ///
    /// # Panics
    /// Where it does not stop.
    pub fn crash(&self) {
        self.control("immediate");
    }

    /// Stops it in an orderly way, which cuts all connections.
    ///
    /// # Panics
    /// Where it does not stop.
    pub fn stop(&self) {
        self.control("fast");
    }

    fn control(&self, mode: &str) {
        let mut stop = self.command(&self.programs.join("pg_ctl"));
        stop.args(["stop", "-s", "-w", "-m", mode, "-D"]).arg(self.data());
        let stopped = stop.output().expect("pg_ctl runs");
        assert!(stopped.status.success(), "{}", String::from_utf8_lossy(&stopped.stderr));
        self.end_keeper();
    }

    fn end_keeper(&self) {
        let mut process = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(mut keeper) = process.take() {
            if let Some(mut input) = keeper.stdin.take() {
                // It may have ended by itself.
                let _ = input.write_all(b"keep\n");
            }
            keeper.wait().expect("it has ended");
        }
    }

    /// Starts it after it was stopped, and waits until it answers.
    ///
    /// # Panics
    /// Where it does not.
    pub fn start_again(&self) {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.folder().join("log")).expect("a log");
        let mut keeper = self.command(Path::new("sh"));
        keeper.args(["-c", KEEP, "keep"]).arg(self.folder()).arg(self.programs.join("postgres"));
        keeper.arg("-D").arg(self.data()).arg("-k").arg(self.folder()).args(["-p", &self.port.to_string()]);
        let listens = self.settings.iter().any(|setting| setting.starts_with("listen_addresses="));
        if !listens {
            keeper.args(["-c", "listen_addresses="]);
        }
        for setting in &self.settings {
            keeper.args(["-c", setting]);
        }
        let error = log.try_clone().expect("a log");
        // A group of its own: who interrupts the tests does not mean the server, which ends with them.
        keeper.stdin(Stdio::piped()).stdout(log).stderr(error).process_group(0);
        *self.process.lock().unwrap_or_else(PoisonError::into_inner) = Some(keeper.spawn().expect("it starts"));
        let began = Instant::now();
        while let Err(error) = self.try_sql("postgres", "SELECT 1") {
            let log = || fs::read_to_string(self.folder().join("log")).unwrap_or_default();
            assert!(began.elapsed() < PATIENCE, "it does not answer: {error}\n{}", log());
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end_keeper();
        // What a user of its own has made there is that user's, and root may remove it.
        drop(self.folder.take());
    }
}
