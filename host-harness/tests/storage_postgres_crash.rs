//! What is acknowledged survives the host and the database: one or the other is killed in mid-load, again and again over one site.

mod load;

use load::{WRITERS, check, commit};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};
use usher_host::storage::{Error, PostgresAddress, PostgresOptions, PostgresStorage};
use usher_test_postgres::Server;

/// How often one of the two is killed, unless [`ROUNDS`] says otherwise.
const KILLS: u64 = 20;
/// Says how often.
const ROUNDS: &str = "USHER_TEST_DATABASE_KILLS";
/// Names the database to the process that is to be killed.
const DATABASE: &str = "USHER_TEST_DATABASE";
/// How long to wait for what is to come by itself.
const PATIENCE: Duration = Duration::from_mins(1);

fn open(url: &str) -> PostgresStorage {
    let options = PostgresOptions {
        connections: 5,
        lease: Duration::from_secs(1),
        timeout: Duration::from_secs(2),
        ..PostgresOptions::default()
    };
    let address = PostgresAddress::parse(url).expect("an address");
    let began = Instant::now();
    loop {
        match PostgresStorage::open(&address, &options) {
            Ok(storage) => return storage,
            // The database may be about to start.
            Err(error) => assert!(began.elapsed() < PATIENCE, "{error}"),
        }
        thread::sleep(Duration::from_millis(50));
    }
}

/// Not a test of its own: the process that is killed. This program starts itself with [`DATABASE`] set.
#[test]
fn writes_until_it_is_killed() {
    let Ok(url) = std::env::var(DATABASE) else { return };
    let storage = open(&url);
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let storage = &storage;
            scope.spawn(move || {
                loop {
                    match commit(storage, writer) {
                        Ok(number) => {
                            // One line in one call, so that none is torn or mixed with another.
                            let line = format!("acknowledged {writer} {number}\n");
                            std::io::stdout().write_all(line.as_bytes()).expect("the parent reads");
                        }
                        Err(Error::Unavailable(_)) => thread::sleep(Duration::from_millis(5)),
                        Err(error) => panic!("{error}"),
                    }
                }
            });
        }
    });
}

fn start(url: &str) -> Child {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(["--exact", "writes_until_it_is_killed", "--nocapture", "--test-threads", "1"]);
    command.env(DATABASE, url).stdout(Stdio::piped()).spawn().expect("a process starts")
}

/// A line that tells of a writer and a number. Before the first one, the test runner writes on the same line.
fn told(line: &str) -> Option<(u64, u64)> {
    let (_, told) = line.rsplit_once("acknowledged")?;
    let (writer, number) = told.trim_start().split_once(' ')?;
    Some((writer.parse().ok()?, number.parse().ok()?))
}

/// Listens to a process to its end: that something was acknowledged, and in the end the last number of each writer.
fn listen(child: &mut Child) -> (Receiver<()>, thread::JoinHandle<HashMap<u64, u64>>) {
    let output = BufReader::new(child.stdout.take().expect("a pipe"));
    let (say, said) = channel();
    let listener = thread::spawn(move || {
        let mut last = HashMap::new();
        for (writer, number) in output.lines().map_while(Result::ok).filter_map(|line| told(&line)) {
            last.insert(writer, number);
            // Nobody may listen any more.
            let _ = say.send(());
        }
        last
    });
    (said, listener)
}

/// Waits until something is acknowledged that was not yet when this is called.
fn wait_for_more(said: &Receiver<()>, round: u64) {
    while said.try_recv().is_ok() {}
    said.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("round {round}: nothing is acknowledged"));
}

#[test]
fn what_was_acknowledged_survives_host_and_database_killed_in_turn() {
    if std::env::var_os(DATABASE).is_some()
        || !usher_test_postgres::is_there("what_was_acknowledged_survives_host_and_database_killed_in_turn")
    {
        return;
    }
    let kills = std::env::var(ROUNDS).map_or(KILLS, |rounds| rounds.parse().expect("a number of rounds"));
    let server = Server::start(&[]);
    let url = server.url("usher");
    let mut acknowledged: HashMap<u64, u64> = HashMap::new();
    let mut round = 0;
    while round < kills {
        let mut child = start(&url);
        let (said, listener) = listen(&mut child);
        wait_for_more(&said, round);
        // The database dies under the host's hands, which goes on by itself when it is back.
        for _ in 0..2 {
            thread::sleep(Duration::from_millis(round * 37 % 101));
            server.crash();
            server.start_again();
            wait_for_more(&said, round);
            round += 1;
        }
        // Then the host dies, and every other time the database with it.
        thread::sleep(Duration::from_millis(round * 53 % 101));
        child.kill().expect("the process is killed");
        child.wait().expect("the process has ended");
        acknowledged.extend(listener.join().expect("no panic"));
        if round.is_multiple_of(2) {
            server.crash();
            server.start_again();
        }
        round += 1;
        check(&open(&url), &acknowledged, round);
    }
    let commits: u64 = acknowledged.values().sum();
    assert!(commits > kills * WRITERS, "{commits} commits in all are no load");
    println!("{commits} acknowledged commits survived {round} kills");
}
