//! What is acknowledged survives the process: it is killed in mid-load, again and again over one folder, also while the
//! disk is full and after it was.

mod small_disk;

use small_disk::SmallDisk;
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};
use usher_host::storage::{Access, Change, EmbeddedOptions, EmbeddedStorage, Error, Range, Storage, Transaction};

/// How often the process is killed.
const KILLS: u64 = 150;
/// How often it is killed on a disk that was filled up, every other time when there is space again.
const KILLS_WHEN_FULL: u64 = 50;
/// How many threads of it write.
const WRITERS: u64 = 8;
/// How many keys each commit sets.
const KEYS: u64 = 8;
/// After how many more commits of its writer a commit's keys are removed again.
const KEPT: u64 = 25;
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

fn key(writer: u64, number: u64, part: u64) -> String {
    // Parts of one commit lie far from one another.
    format!("{part}/{writer}/{number:010}")
}

fn value(writer: u64, number: u64, part: u64) -> String {
    // Now and then one that is large.
    let length = if number.is_multiple_of(97) { 40_000 } else { 20 + number % 400 };
    format!("{writer} {number} {part} ").repeat(usize::try_from(length / 8).expect("short"))
}

fn number(transaction: &mut dyn Transaction, key: &str) -> Result<u64, Error> {
    let value = transaction.get_many(&[key.into()])?.remove(0);
    Ok(value.map_or(0, |text| text.parse().expect("a number was stored")))
}

fn set(key: String, value: String) -> Change {
    Change { key, value: Some(value) }
}

/// One request: its own keys, the removal of old ones, its writer's number, and the sum over all writers.
fn commit(storage: &dyn Storage, writer: u64) -> Result<u64, Error> {
    let mut transaction = storage.begin(Access::ReadWrite)?;
    let own = format!("last/{writer}");
    let next = number(&mut *transaction, &own)? + 1;
    let sum = number(&mut *transaction, "sum")? + 1;
    let mut changes: Vec<Change> =
        (0..KEYS).map(|part| set(key(writer, next, part), value(writer, next, part))).collect();
    if let Some(old) = next.checked_sub(KEPT) {
        changes.extend((0..KEYS).map(|part| Change { key: key(writer, old, part), value: None }));
    }
    changes.push(set(own, next.to_string()));
    transaction.write(changes)?;
    transaction.write(vec![set("sum".into(), sum.to_string())])?;
    transaction.commit()?.wait()?;
    Ok(next)
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

/// Everything that must be there: all of each commit, and of none a part.
fn check(storage: &dyn Storage, acknowledged: &HashMap<u64, u64>, round: u64) {
    let mut transaction = storage.begin(Access::ReadOnly).expect("a transaction");
    let mut sum = 0;
    let mut expected = Vec::new();
    for writer in 0..WRITERS {
        let last = number(&mut *transaction, &format!("last/{writer}")).expect("a read");
        let told = acknowledged.get(&writer).copied().unwrap_or(0);
        assert!(last >= told, "round {round}: {told} of {writer} was acknowledged, {last} is there");
        sum += last;
        for number in (last + 1).saturating_sub(KEPT).max(1)..=last {
            let parts = (0..KEYS).map(|part| (key(writer, number, part), value(writer, number, part)));
            expected.extend(parts);
        }
    }
    assert_eq!(number(&mut *transaction, "sum").expect("a read"), sum, "round {round}");
    expected.sort();
    let range =
        Range { start: "0".into(), end: "9".into(), reverse: false, skip: 0, limit: u32::MAX, keys_only: false };
    let found = transaction.scan(&range).expect("a scan");
    let found: Vec<_> = found.into_iter().map(|entry| (entry.key, entry.value)).collect();
    assert_eq!(found.len(), expected.len(), "round {round}: half a commit, or one too many");
    assert!(found == expected, "round {round}: a value is not what was written");
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
