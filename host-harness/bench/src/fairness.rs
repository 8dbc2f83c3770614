//! What one sender costs another: a victim's calls beside each of several attackers, against the victim alone.

use super::attack::{Attack, Target};
use super::call::{Call, Credentials};
use super::client::Client;
use super::context::Bench;
use super::directory::Directory;
use super::report::{Cell, Column, Section, TIMES, Table, times};
use super::server::Server;
use super::stats::Times;
use serde_json::json;
use std::time::{Duration, Instant};

/// How long an attack goes on before the victim is measured.
const LEAD: Duration = Duration::from_secs(1);

/// How long after an attack the memory is looked at that has not been given back.
const REST: Duration = Duration::from_secs(5);

/// How many users the victim has.
const USERS: usize = 100;

/// How many bytes a long body has: more than are taken in without a look at the key.
const LONG: usize = 128 << 10;

/// What the victim does, in turn.
const CALLS: [&str; 5] = ["GET a user", "PATCH a user", "PUT of 128 KiB", "GET on a new connection", "GET by an admin"];

const COLUMNS: [Column; 9] = {
    let [count, p50, p90, p99] = TIMES;
    [
        ("attacker", "attacker"),
        ("call", "the victim's call"),
        count,
        p50,
        p90,
        p99,
        ("p50Ratio", "p50 to alone"),
        ("p99Ratio", "p99 to alone"),
        ("failed", "failed"),
    ]
};

const MEMORY: [Column; 4] = [
    ("attacker", "attacker"),
    ("residentMiB", "resident, MiB"),
    ("peakMiB", "at the most"),
    ("afterwardsMiB", "5 s afterwards"),
];

pub(super) async fn run(bench: &Bench) -> Result<Section, String> {
    let users = bench.scaled(100_000, 2_000);
    bench.progress.step(format!("fairness: filling a directory with {users} users"));
    let mut strong = Directory::start(&bench.servers).await?;
    strong.fill(users).await?;
    // The one from the beginning may have been closed meanwhile: it had nothing to do.
    strong.client = strong.connect().await?;
    let group = strong.group("Everybody", users).await?;
    let mut victim = Victim::make(&strong.server).await?;
    strong.server.settle().await;
    let target = Target { address: strong.server.address(), directory: strong.credentials.clone(), group };
    let mut calls = Table::new("The victim's calls, one at a time, in its own directory", &COLUMNS);
    let mut memory = Table::new(format!("The server's memory, with {users} users of the attacker's"), &MEMORY);
    bench.progress.step("fairness: alone");
    let alone = victim.measure(2 * bench.duration).await;
    rows(&mut calls, "none", &alone, &alone);
    let mut row = |attacker: &str, during: Option<u64>, server: &Server| {
        let now = server.memory();
        let of = |bytes: Option<u64>| Cell::mebibytes(bytes);
        let peak = now.map(|memory| memory.peak);
        memory.row([Cell::text_of(attacker), of(during), of(peak), of(now.map(|memory| memory.resident))]);
    };
    row("none", strong.server.memory().map(|memory| memory.resident), &strong.server);
    for attack in Attack::ALL {
        bench.progress.step(format!("fairness: beside {}", attack.name()));
        let under_way = attack.begin(&target, bench.quick)?;
        tokio::time::sleep(LEAD).await;
        let beside = victim.measure(2 * bench.duration).await;
        let during = strong.server.memory().map(|memory| memory.resident);
        drop(under_way);
        tokio::time::sleep(REST).await;
        rows(&mut calls, attack.name(), &beside, &alone);
        row(attack.name(), during, &strong.server);
    }
    Ok(Section::new("fairness").table(calls).table(memory).note(
        "The attackers share the two ends' processors with the victim and with the thread that makes all calls. A call \
         has failed that was not answered with a success.",
    ))
}

/// What the victim's calls of one kind came to.
#[derive(Default)]
struct Measured {
    took: Vec<Duration>,
    failed: usize,
}

fn rows(table: &mut Table, attacker: &str, beside: &[Measured], alone: &[Measured]) {
    for ((call, beside), alone) in CALLS.iter().zip(beside).zip(alone) {
        let (measured, base) = (Times::of(beside.took.clone()), Times::of(alone.took.clone()));
        let [count, p50, p90, p99] = times(measured);
        table.row([
            Cell::text_of(attacker),
            Cell::text_of(*call),
            count,
            p50,
            p90,
            p99,
            Cell::ratio(measured.p50 / base.p50),
            Cell::ratio(measured.p99 / base.p99),
            Cell::count(beside.failed),
        ]);
    }
}

/// A directory whose calls are measured, and an administrator.
struct Victim {
    address: std::net::SocketAddr,
    directory: Credentials,
    admin_key: String,
    users: Vec<String>,
    turn: usize,
}

impl Victim {
    async fn make(server: &Server) -> Result<Self, String> {
        let directory = server.connect_directory("victim").await?;
        let mut client = Client::connect(server.address(), &directory).await?;
        let mut users = Vec::new();
        for number in 0..USERS {
            let made = client.call(&Call::create_user(&format!("victim{number}"))).await?;
            users.push(super::call::id_of(made.body)?);
        }
        let (address, admin_key) = (server.address(), server.admin_key().to_owned());
        Ok(Self { address, directory, admin_key, users, turn: 0 })
    }

    /// Makes calls of each kind in turn, for so long.
    async fn measure(&mut self, duration: Duration) -> Vec<Measured> {
        let mut measured: Vec<Measured> = CALLS.iter().map(|_| Measured::default()).collect();
        let begin = Instant::now();
        let mut clients = [None, None, None, None, None];
        while begin.elapsed() < duration {
            for (kind, (measured, client)) in measured.iter_mut().zip(&mut clients).enumerate() {
                self.turn += 1;
                let call = self.call(kind);
                let begin = Instant::now();
                match self.make_call(kind, client, &call).await {
                    Ok(()) => measured.took.push(begin.elapsed()),
                    Err(_) => {
                        measured.failed += 1;
                        *client = None;
                    }
                }
                if kind == NEW_CONNECTION {
                    *client = None;
                }
            }
        }
        measured
    }

    fn call(&self, kind: usize) -> Call {
        let path = format!("/Users/{}", self.users[self.turn % self.users.len()]);
        let name = format!("Victim {}", self.turn);
        match kind {
            1 => Call::replace(path, "displayName", name),
            2 => {
                let user = format!("victim{}@example.com", self.turn % self.users.len());
                let body = json!({ "userName": user, "displayName": name, "unknown": "x".repeat(LONG) });
                Call { method: "PUT", path, body: Some(body.to_string()) }
            }
            ADMIN => Call::get("/settings"),
            _ => Call::get(path),
        }
    }

    async fn make_call(&self, kind: usize, client: &mut Option<Client>, call: &Call) -> Result<(), String> {
        if client.is_none() {
            *client = Some(match kind {
                ADMIN => Client::open(self.address, "/admin/v1".into(), &self.admin_key).await?,
                _ => Client::connect(self.address, &self.directory).await?,
            });
        }
        match client {
            Some(client) => client.time(call).await.map(drop),
            None => Ok(()),
        }
    }
}

/// The place in [`CALLS`] of the one on a connection of its own.
const NEW_CONNECTION: usize = 3;

/// The place in [`CALLS`] of the one by an administrator.
const ADMIN: usize = 4;
