//! What is acknowledged survives the process: it is killed in mid-load, again and again over one folder, also while the
//! disk is full and after it was.

mod load;
mod small_disk;

use load::{WRITERS, check, commit};
use small_disk::SmallDisk;
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};
use usher_host::storage::{EmbeddedOptions, EmbeddedStorage, Error};

/// How often the process is killed.
const KILLS: u64 = 150;
/// How often it is killed on a disk that was filled up, every other time when there is space again.
const KILLS_WHEN_FULL: u64 = 50;
/// Names the folder to the process that is to be killed.
const FOLDER: &str = "USHER_TEST_STORAGE_CRASH_FOLDER";
/// How long to wait for what the process is to say.
const PATIENCE: Duration = Duration::from_mins(1);

/// Small, so that tables are written and merged all the time.
fn open(folder: &Path) -> EmbeddedStorage {
    EmbeddedStorage::open_with(folder, &small()).expect("the storage opens")
}

fn small() -> EmbeddedOptions {
    EmbeddedOptions { cache_bytes: 4 << 20, write_buffer_bytes: 256 << 10, ..EmbeddedOptions::default() }
}

/// Not a test of its own: the process that is killed. This program starts itself with [`FOLDER`] set.
#[test]
fn writes_until_it_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let storage = open(Path::new(&folder));
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let storage = &storage;
            scope.spawn(move || {
                let say = |what: &str, number: u64| {
                    // One line in one call, so that none is torn or mixed with another.
                    let line = format!("{what} {writer} {number}\n");
                    std::io::stdout().write_all(line.as_bytes()).expect("the parent reads");
                };
                let mut last = None;
                loop {
                    match commit(storage, writer) {
                        Ok(number) => {
                            // What was refused is nowhere to be seen.
                            assert!(last.is_none_or(|last| number == last + 1), "{number} follows {last:?}");
                            last = Some(number);
                            say("acknowledged", number);
                        }
                        Err(Error::Unavailable(_)) => {
                            say("refused", last.unwrap_or(0));
                            thread::sleep(Duration::from_millis(5));
                        }
                        Err(error) => panic!("{error}"),
                    }
                }
            });
        }
    });
}

fn start(folder: &Path) -> Child {
    let program = std::env::current_exe().expect("this program");
    let mut command = Command::new(program);
    command.args(["--exact", "writes_until_it_is_killed", "--nocapture", "--test-threads", "1"]);
    command.env(FOLDER, folder).stdout(Stdio::piped());
    command.spawn().expect("a process starts")
}

/// A line that tells of a writer and a number. Before the first one, the test runner writes on the same line.
fn told(line: &str, what: &str) -> Option<(u64, u64)> {
    let (_, told) = line.rsplit_once(what)?;
    let (writer, number) = told.trim_start().split_once(' ')?;
    Some((writer.parse().ok()?, number.parse().ok()?))
}

/// What a process says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    Acknowledged,
    Refused,
}

/// Listens to a process to its end: what it says, and in the end the last number of each writer that was acknowledged.
fn listen(child: &mut Child) -> (Receiver<Said>, thread::JoinHandle<HashMap<u64, u64>>) {
    let output = BufReader::new(child.stdout.take().expect("a pipe"));
    let (say, said) = channel();
    let listener = thread::spawn(move || {
        let mut last = HashMap::new();
        for line in output.lines().map_while(Result::ok) {
            // Nobody may listen any more.
            if let Some((writer, number)) = told(&line, "acknowledged") {
                last.insert(writer, number);
                let _ = say.send(Said::Acknowledged);
            } else if told(&line, "refused").is_some() {
                let _ = say.send(Said::Refused);
            }
        }
        last
    });
    (said, listener)
}

/// Waits until the process says this.
fn wait_for(said: &Receiver<Said>, what: Said) {
    while said.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("the process does not say {what:?}")) != what {}
}

#[test]
fn what_was_acknowledged_survives_sigkill_and_nothing_is_there_in_half() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut acknowledged: HashMap<u64, u64> = HashMap::new();
    for round in 0..KILLS {
        let mut child = start(folder.path());
        let (said, listener) = listen(&mut child);
        // One in four is killed while it starts, at any moment of it; the others in mid-load.
        let moment = round * 37 % 101;
        if round % 4 == 3 {
            thread::sleep(Duration::from_millis(moment));
        } else {
            wait_for(&said, Said::Acknowledged);
            thread::sleep(Duration::from_millis(50 + 2 * moment));
        }
        child.kill().expect("the process is killed");
        child.wait().expect("the process has ended");
        let told = listener.join().expect("no panic");
        assert!(round % 4 == 3 || !told.is_empty());
        acknowledged.extend(told);
        check(&open(folder.path()), &acknowledged, round);
    }
    let commits: u64 = acknowledged.values().sum();
    assert!(commits > KILLS * WRITERS, "{commits} commits in all are no load");
    println!("{commits} acknowledged commits survived {KILLS} kills");
}

#[test]
fn what_was_acknowledged_survives_a_full_disk_and_writing_goes_on_when_there_is_space_again() {
    let test = "what_was_acknowledged_survives_a_full_disk_and_writing_goes_on_when_there_is_space_again";
    let Some(disk) = SmallDisk::mount(test, 256) else { return };
    let folder = disk.path().join("store");
    let mut acknowledged: HashMap<u64, u64> = HashMap::new();
    for round in 0..KILLS_WHEN_FULL {
        let mut child = start(&folder);
        let (said, listener) = listen(&mut child);
        wait_for(&said, Said::Acknowledged);
        thread::sleep(Duration::from_millis(round * 37 % 101));
        disk.fill();
        // The process gives space back when it merges tables.
        let began = Instant::now();
        while !said.try_iter().any(|said| said == Said::Refused) {
            assert!(began.elapsed() < PATIENCE, "round {round}: nothing is refused on a full disk");
            thread::sleep(Duration::from_millis(5));
            disk.fill();
        }
        if round % 2 == 1 {
            disk.free();
            while said.try_recv().is_ok() {}
            wait_for(&said, Said::Acknowledged);
            thread::sleep(Duration::from_millis(round * 53 % 101));
        }
        child.kill().expect("the process is killed");
        child.wait().expect("the process has ended");
        acknowledged.extend(listener.join().expect("no panic"));
        if round % 2 == 0 {
            // To open it on a full disk may fail, but does no harm.
            drop(EmbeddedStorage::open_with(&folder, &small()));
            disk.free();
        }
        check(&open(&folder), &acknowledged, round);
    }
    let commits: u64 = acknowledged.values().sum();
    println!("{commits} acknowledged commits survived {KILLS_WHEN_FULL} kills on a disk that was full");
}
