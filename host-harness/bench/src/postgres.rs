//! The storage in a PostgreSQL database on the same machine: against what `pgbench` commits when it writes the same, and against the
//! embedded storage.

use super::context::Bench;
use super::directory::Directory;
use super::load::{self, CONNECTIONS, TURNS};
use super::report::{Cell, Column, RATES, Section, Table, rates};
use super::server::Kept;
use super::stats::Rates;
use super::sync::{Plan, push};
use super::users::{creating, reading};
use std::sync::Arc;
use std::time::{Duration, Instant};
use usher_test_postgres::Server;

/// How long the database takes until its statistics tell of all that was done.
const COUNTED: Duration = Duration::from_secs(2);

/// Measures it.
pub(super) async fn run(bench: &mut Bench) -> Result<Section, String> {
    if !usher_test_postgres::is_there("the workload `postgres`") {
        return Ok(Section::new("postgres")
            .note("Left out: PostgreSQL is not installed. Debian's package `postgresql` has it."));
    }
    let server = Server::start(&["max_connections=200"]);
    let version = server.sql("usher", "SHOW server_version");
    Ok(Section::new("postgres")
        .table(creating_users(bench, &server).await?)
        .table(reading_users(bench, &server).await?)
        .table(syncing(bench, &server).await?)
        .note(format!(
            "PostgreSQL {version}, on the same processors as the server and the load, with its settings as they come. `pgbench` \
             has as many connections, moves the head of one site as they do, and writes as many new and replaced rows of the \
             same sizes in each transaction as a batch has had on average."
        )))
}

/// What a batch was, on average.
struct Batch {
    requests: f64,
    /// For each request: rows that were new, and that were replaced.
    new: f64,
    replaced: f64,
    key_bytes: usize,
    value_bytes: usize,
}

/// What the database has counted.
struct Counted {
    batches: f64,
    new: f64,
    replaced: f64,
}

impl Counted {
    async fn so_far(server: &Server) -> Result<Self, String> {
        tokio::time::sleep(COUNTED).await;
        let text = server.sql(
            "usher",
            "SELECT sum(seq), (SELECT n_tup_ins FROM pg_stat_user_tables WHERE relname = 'usher_kv'), \
             (SELECT n_tup_upd FROM pg_stat_user_tables WHERE relname = 'usher_kv') FROM usher_head",
        );
        let numbers: Vec<f64> = text.split('|').filter_map(|number| number.parse().ok()).collect();
        let [batches, new, replaced] = numbers[..] else { return Err(format!("the database has counted {text}")) };
        Ok(Self { batches, new, replaced })
    }
}

impl Batch {
    fn between(server: &Server, before: &Counted, after: &Counted, requests: f64) -> Result<Self, String> {
        let sizes = server.sql("usher", "SELECT round(avg(length(key))), round(avg(length(value))) FROM usher_kv");
        let sizes: Vec<usize> = sizes.split('|').filter_map(|number| number.parse().ok()).collect();
        let [key_bytes, value_bytes] = sizes[..] else { return Err("the database has no rows".into()) };
        Ok(Self {
            requests: requests / (after.batches - before.batches).max(1.0),
            new: (after.new - before.new) / requests,
            replaced: (after.replaced - before.replaced) / requests,
            key_bytes,
            value_bytes,
        })
    }

    /// As a script of `pgbench`.
    fn script(&self) -> String {
        let replaced = (self.replaced * self.requests).round();
        let rows = ((self.new + self.replaced) * self.requests).round();
        let Self { key_bytes, value_bytes, .. } = self;
        format!(
            "\\set turn :turn + 1\n\
             WITH head AS (UPDATE usher_head SET seq = seq + 1, until = now() + interval '10 second' \
             WHERE site = 'pgbench' RETURNING seq) \
             INSERT INTO usher_kv (site, key, value) SELECT 'pgbench', \
             convert_to(rpad(:client_id || '/' || row || CASE WHEN row <= {replaced} THEN '' ELSE '/' || :turn END, {key_bytes}, '-'), 'UTF8'), \
             convert_to(rpad(:turn::text, {value_bytes}, 'v'), 'UTF8') FROM head, generate_series(1, {rows}) AS row \
             ON CONFLICT (site, key) DO UPDATE SET value = excluded.value;\n"
        )
    }
}

/// How many users a second `pgbench` would have written.
async fn pgbench(server: &Server, batch: &Batch, connections: usize, duration: Duration) -> Result<f64, String> {
    server.sql(
        "usher",
        "INSERT INTO usher_head (site, seq, batch, epoch, holder, until) VALUES ('pgbench', 0, '', 0, '', now()) \
         ON CONFLICT (site) DO NOTHING",
    );
    let script = server.folder().join("pgbench.sql");
    std::fs::write(&script, batch.script()).map_err(|error| error.to_string())?;
    let (seconds, connections) = (duration.as_secs().max(1).to_string(), connections.to_string());
    let mut command = server.program("pgbench");
    command.args(["-n", "-M", "prepared", "-D", "turn=0", "-T", &seconds, "-c", &connections, "-f"]).arg(&script);
    command.arg(server.url("usher"));
    let output = tokio::task::spawn_blocking(move || command.output()).await.map_err(|error| error.to_string())?;
    let output = output.map_err(|error| format!("pgbench: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let rate = text.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse::<f64>().ok());
    let rate = rate.ok_or_else(|| format!("pgbench: {}", String::from_utf8_lossy(&output.stderr)))?;
    server.sql("usher", "DELETE FROM usher_kv WHERE site = 'pgbench'");
    Ok(rate * batch.requests)
}

async fn creating_users(bench: &mut Bench, server: &Server) -> Result<Table, String> {
    const COLUMNS: [Column; 9] = [
        ("connections", "connections"),
        RATES[0],
        RATES[1],
        RATES[2],
        RATES[3],
        ("batch", "users a batch"),
        ("pgbench", "pgbench, users/s"),
        ("ratio", "of pgbench"),
        ("aim", "at least 0.3"),
    ];
    let directory = Directory::kept(&bench.servers, Kept::InDatabase(&server.url("usher"))).await?;
    let mut table = Table::new("`POST /Users` over PostgreSQL, durable", &COLUMNS);
    for connections in CONNECTIONS {
        bench.progress.step(format!("postgres: users created over {connections} connections"));
        let (mut measured, mut against, mut requests) = (Vec::new(), Vec::new(), Vec::new());
        for turn in 0..TURNS {
            let before = Counted::so_far(server).await?;
            let caller = |number: usize| creating(format!("c{connections}t{turn}n{number}"));
            let load = load::of_calls(&directory, connections, bench.duration, caller).await?;
            measured.push(load.per_second());
            let after = Counted::so_far(server).await?;
            let batch = Batch::between(server, &before, &after, load.calls.len() as f64)?;
            requests.push(batch.requests);
            against.push(pgbench(server, &batch, connections, bench.duration).await?);
        }
        let (measured, against, requests) = (Rates::of(measured), Rates::of(against), Rates::of(requests));
        let ratio = measured.median / against.median;
        let cells = rates(measured);
        let more = [
            Cell::Figure(requests.median, 1),
            Cell::Figure(against.median, 0),
            Cell::ratio(ratio),
            Cell::aim(ratio >= 0.3),
        ];
        table.row(std::iter::once(Cell::count(connections)).chain(cells).chain(more));
    }
    Ok(table)
}

/// A database of its own on the server.
fn database(server: &Server) -> String {
    let name = usher_test_postgres::unique("bench");
    server.sql("postgres", &format!("CREATE DATABASE {name}"));
    server.url(&name)
}

async fn reading_users(bench: &mut Bench, server: &Server) -> Result<Table, String> {
    const COLUMNS: [Column; 7] = [
        ("connections", "connections"),
        RATES[0],
        RATES[1],
        RATES[2],
        ("embedded", "embedded, calls/s"),
        ("ratio", "as long as embedded"),
        ("aim", "at most 3"),
    ];
    let users = bench.scaled(150_000, 1_000);
    bench.progress.step(format!("postgres: {users} users, in a database and embedded"));
    let url = database(server);
    let mut both =
        [Directory::kept(&bench.servers, Kept::InDatabase(&url)).await?, Directory::start(&bench.servers).await?];
    for directory in &mut both {
        directory.fill(users).await?;
        directory.server.settle().await;
    }
    server.sql("postgres", "CHECKPOINT");
    let mut table = Table::new(format!("One of {users} users by id over PostgreSQL, another one each time"), &COLUMNS);
    for connections in CONNECTIONS {
        bench.progress.step(format!("postgres: users read over {connections} connections"));
        let mut measured = [const { Vec::new() }; 2];
        for _ in 0..TURNS {
            for (directory, measured) in both.iter().zip(&mut measured) {
                let users: Arc<[String]> = directory.users[..].into();
                let caller = |number| reading(users.clone(), number, false);
                measured.push(load::of_calls(directory, connections, bench.duration, caller).await?.per_second());
            }
        }
        let [over, embedded] = measured.map(Rates::of);
        let ratio = embedded.median / over.median;
        let [rate, lowest, highest, _] = rates(over);
        let (embedded, ratio, aim) = (Cell::Figure(embedded.median, 0), Cell::ratio(ratio), Cell::aim(ratio <= 3.0));
        table.row([Cell::count(connections), rate, lowest, highest, embedded, ratio, aim]);
    }
    Ok(table)
}

async fn syncing(bench: &mut Bench, server: &Server) -> Result<Table, String> {
    const COLUMNS: [Column; 7] = [
        ("users", "users"),
        ("groups", "groups"),
        ("membersAtOnce", "members a request"),
        ("seconds", "seconds"),
        ("embedded", "embedded, seconds"),
        ("ratio", "as long as embedded"),
        ("aim", "at most 3"),
    ];
    let (groups, members) = (bench.scaled(500, 20), 100);
    let mut table = Table::new("First sync over PostgreSQL, by single requests", &COLUMNS);
    for at_once in [100, 20] {
        let plan = Plan { users: groups * members / 10, groups: vec![members; groups], at_once };
        let mut measured = [const { Vec::new() }; 2];
        for turn in 0..TURNS {
            bench.progress.step(format!("postgres: sync, {at_once} members a request, turn {} of {TURNS}", turn + 1));
            let url = database(server);
            for (kept, measured) in [Kept::InDatabase(&url), Kept::OnDisk].into_iter().zip(&mut measured) {
                let directory = Directory::kept(&bench.servers, kept).await?;
                let begin = Instant::now();
                push(&directory, &plan, |_| ()).await?;
                measured.push(begin.elapsed().as_secs_f64());
            }
        }
        let [over, embedded] = measured.map(Rates::of);
        let ratio = over.median / embedded.median;
        table.row([
            Cell::count(plan.users),
            Cell::count(groups),
            Cell::count(at_once),
            Cell::Figure(over.median, 2),
            Cell::Figure(embedded.median, 2),
            Cell::ratio(ratio),
            Cell::aim(ratio <= 3.0),
        ]);
    }
    Ok(table)
}
