//! Operations on one user, and lists of users, in directories of several sizes.

use super::call::{Call, id_of};
use super::client::Client;
use super::context::Bench;
use super::directory::Directory;
use super::load::{self, CONNECTIONS, Caller, TURNS};
use super::report::{Cell, Column, RATES, Section, TIMES, Table, rates, times};
use super::sizes::{CALLS_PER_TURN, EVERYBODY, Filled, Sheet};
use super::stats::{Rates, Times};
use serde::Deserialize;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How many users are on a page.
const PAGE: usize = 100;

/// Users made over several connections, each acknowledged when it is on disk.
pub(super) async fn create(bench: &mut Bench) -> Result<Section, String> {
    const COLUMNS: [Column; 9] = {
        let ([count, p50, p90, p99], [rate, lowest, highest, turns]) = (TIMES, RATES);
        [("connections", "connections"), rate, lowest, highest, turns, count, p50, p90, p99]
    };
    let directory = Directory::start(&bench.servers).await?;
    let mut table = Table::new("`POST /Users`, durable", &COLUMNS);
    for connections in CONNECTIONS {
        bench.progress.step(format!("create: {connections} connections"));
        let (mut measured, mut all) = (Vec::new(), Vec::new());
        for turn in 0..TURNS {
            let caller = |number: usize| creating(format!("c{connections}t{turn}n{number}"));
            let load = load::of_calls(&directory, connections, bench.duration, caller).await?;
            measured.push(load.per_second());
            all.extend(load.calls.into_iter().map(|(_, took)| took));
        }
        let cells = rates(Rates::of(measured)).into_iter().chain(times(Times::of(all)));
        table.row(std::iter::once(Cell::count(connections)).chain(cells));
    }
    Ok(Section::new("create").table(table))
}

/// Makes one user after another.
pub(super) fn creating(prefix: String) -> Caller {
    let mut made = 0;
    Box::new(move || {
        made += 1;
        ("POST user", Call::create_user(&format!("{prefix}u{made}")))
    })
}

/// One user by its id: in directories of several sizes, and how many a second.
pub(super) async fn get(bench: &mut Bench) -> Result<Section, String> {
    let sheet = by_turns(bench, "get", &[("GET user", by_id)]).await?;
    Ok(Section::new("get")
        .table(sheet.table("One user by id, one connection"))
        .table(reads(bench).await?)
        .note("The server answers `/healthz` without the component and the storage: what is less than that is theirs."))
}

/// The filters that identity providers send.
pub(super) async fn filter(bench: &mut Bench) -> Result<Section, String> {
    let operations: [(&'static str, Operation); 4] = [
        ("userName eq", by_user_name),
        ("externalId eq", by_external_id),
        ("displayName eq", by_display_name),
        ("members.value eq", by_member),
    ];
    let sheet = by_turns(bench, "filter", &operations).await?;
    Ok(Section::new("filter").table(sheet.table("Filters, one connection")))
}

/// A call that is another one each time.
type Operation = fn(&mut Filled) -> Call;

fn by_id(filled: &mut Filled) -> Call {
    Call::get(format!("/Users/{}", filled.next_user()))
}

fn by_user_name(filled: &mut Filled) -> Call {
    Call::filter("/Users", &format!("userName eq \"user{}@example.com\"", filled.next_number()))
}

fn by_external_id(filled: &mut Filled) -> Call {
    Call::filter("/Users", &format!("externalId eq \"ext-user{}\"", filled.next_number()))
}

fn by_display_name(_: &mut Filled) -> Call {
    Call::filter("/Groups", &format!("displayName eq \"{EVERYBODY}\""))
}

fn by_member(filled: &mut Filled) -> Call {
    Call::filter("/Groups", &format!("members.value eq \"{}\"", filled.next_user()))
}

/// Makes these calls in all directories, turn by turn.
async fn by_turns(
    bench: &mut Bench,
    workload: &str,
    operations: &[(&'static str, Operation)],
) -> Result<Sheet, String> {
    bench.sizes().await?;
    bench.progress.step(format!("{workload}: directories of several sizes"));
    let (end, mut sheet) = (bench.end(), Sheet::by_users());
    let sizes = bench.sizes().await?;
    while Instant::now() < end {
        for filled in &mut sizes.0 {
            for (name, operation) in operations {
                for _ in 0..CALLS_PER_TURN {
                    let call = operation(filled);
                    sheet.flat(name, filled.size, filled.directory.client.time(&call).await?);
                }
            }
        }
    }
    Ok(sheet)
}

/// How many users a second are read, against an endpoint that has nothing to do.
async fn reads(bench: &mut Bench) -> Result<Table, String> {
    const COLUMNS: [Column; 8] = [
        ("connections", "connections"),
        ("call", "call"),
        RATES[0],
        RATES[1],
        RATES[2],
        RATES[3],
        ("ratio", "of /healthz"),
        ("aim", "at least 0.6 at 1, 0.35 at 8"),
    ];
    // There are many turns.
    let duration = bench.duration / 2;
    bench.progress.step("get: calls a second");
    let sizes = bench.sizes().await?;
    let filled = sizes.0.last().ok_or("there is no directory")?;
    let users: Arc<[String]> = filled.directory.users[..filled.size].into();
    let mut table = Table::new(format!("Reads a second, {} users", filled.size), &COLUMNS);
    for connections in CONNECTIONS {
        let mut measured = [const { Vec::new() }; 3];
        for _ in 0..TURNS {
            measured[0].push(healthz(&filled.directory, connections, duration).await?);
            for (at, filter) in [(1, false), (2, true)] {
                let caller = |number| reading(users.clone(), number, filter);
                measured[at].push(load::of_calls(&filled.directory, connections, duration, caller).await?.per_second());
            }
        }
        let measured = measured.map(Rates::of);
        for (call, of_call) in ["/healthz", "GET user", "userName eq"].into_iter().zip(measured) {
            let [rate, lowest, highest, turns] = rates(of_call);
            let ratio = of_call.median / measured[0].median;
            let aim = match connections {
                _ if call == "/healthz" => Cell::None,
                1 => Cell::aim(ratio >= 0.6),
                8 => Cell::aim(ratio >= 0.35),
                _ => Cell::None,
            };
            let (connections, call) = (Cell::count(connections), Cell::text_of(call));
            table.row([connections, call, rate, lowest, highest, turns, Cell::ratio(ratio), aim]);
        }
    }
    Ok(table)
}

/// Reads one user after another.
pub(super) fn reading(users: Arc<[String]>, connection: usize, filter: bool) -> Caller {
    let mut turn = connection * 104_729;
    Box::new(move || {
        turn += 1;
        let number = turn.wrapping_mul(7_919) % users.len();
        let call = if filter {
            Call::filter("/Users", &format!("userName eq \"user{number}@example.com\""))
        } else {
            Call::get(format!("/Users/{}", users[number]))
        };
        ("read", call)
    })
}

/// How often a second the server says that it is alive.
async fn healthz(directory: &Directory, connections: usize, duration: Duration) -> Result<f64, String> {
    let mut prepared = Vec::new();
    for _ in 0..connections {
        let client = Client::open(directory.server.address(), String::new(), "none").await?;
        let caller: Caller = Box::new(|| ("/healthz", Call::get("/healthz")));
        prepared.push((client, caller));
    }
    Ok(load::run(prepared, duration).await?.per_second())
}

/// Pages of a list, by index and by cursor.
pub(super) async fn page(bench: &mut Bench) -> Result<Section, String> {
    bench.sizes().await?;
    bench.progress.step("page: walking through the lists");
    let sizes = bench.sizes().await?;
    let mut pages = Vec::new();
    // In directories that fill a page: what a page has is to be the same.
    for filled in sizes.0.iter_mut().filter(|filled| filled.size >= PAGE) {
        pages.push(pages_of(filled).await?);
    }
    let mut sheet = Sheet::by_users();
    bench.progress.step("page: by startIndex and by cursor");
    let end = bench.end();
    let sizes = bench.sizes().await?;
    while Instant::now() < end {
        for (filled, pages) in sizes.0.iter_mut().filter(|filled| filled.size >= PAGE).zip(&pages) {
            for (name, call) in pages {
                sheet.flat(name, filled.size, filled.directory.client.time(call).await?);
            }
        }
    }
    let against = against_the_first(&sheet);
    Ok(Section::new("page").table(sheet.table("Pages of 100 users, one connection")).table(against))
}

/// Pages by index of the largest directory, against its first one.
fn against_the_first(sheet: &Sheet) -> Table {
    const COLUMNS: [Column; 3] = [("operation", "operation"), ("ratio", "p50 / first page"), ("aim", "at most 1.5")];
    let mut table = Table::new("Pages by startIndex of the largest directory against its first", &COLUMNS);
    for operation in ["startIndex, middle", "startIndex, last"] {
        let ratio = sheet.p50_of_largest(operation) / sheet.p50_of_largest("startIndex, first");
        table.row([Cell::text_of(operation), Cell::ratio(ratio), Cell::aim(ratio <= 1.5)]);
    }
    table
}

/// The first page, one in the middle and the last, by index and by cursor.
async fn pages_of(filled: &mut Filled) -> Result<Vec<(&'static str, Call)>, String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Listed {
        next_cursor: Option<String>,
    }
    let mut cursors = vec![String::new()];
    loop {
        let cursor = cursors.last().map(String::as_str).unwrap_or_default();
        let call = Call::get(format!("/Users?count={PAGE}&attributes=userName&cursor={cursor}"));
        let listed: Listed = serde_json::from_slice(filled.directory.client.call(&call).await?.body)
            .map_err(|error| format!("no list: {error}"))?;
        match listed.next_cursor {
            Some(next) => cursors.push(next),
            None => break,
        }
    }
    let by_index = |start: usize| Call::get(format!("/Users?count={PAGE}&startIndex={}", start.max(1)));
    let by_cursor = |at: usize| Call::get(format!("/Users?count={PAGE}&cursor={}", cursors[at]));
    let last = cursors.len() - 1;
    Ok(vec![
        ("startIndex, first", by_index(1)),
        ("startIndex, middle", by_index(last / 2 * PAGE + 1)),
        ("startIndex, last", by_index(last * PAGE + 1)),
        ("cursor, first", by_cursor(0)),
        ("cursor, middle", by_cursor(last / 2)),
        ("cursor, last", by_cursor(last)),
    ])
}

/// A user from its creation to its deletion, a member of the group of all.
pub(super) async fn lifecycle(bench: &mut Bench) -> Result<Section, String> {
    bench.sizes().await?;
    bench.progress.step("lifecycle: directories of several sizes");
    let (end, mut sheet) = (bench.end(), Sheet::by_users());
    let sizes = bench.sizes().await?;
    while Instant::now() < end {
        for filled in &mut sizes.0 {
            live(filled, &mut sheet).await?;
        }
    }
    Ok(Section::new("lifecycle")
        .table(sheet.table("A user from its creation to its deletion, one connection, durable"))
        .note("The user is a member of a group that all users of the directory are in."))
}

async fn live(filled: &mut Filled, sheet: &mut Sheet) -> Result<(), String> {
    filled.turn += 1;
    let (name, size, client) = (format!("visitor{}", filled.turn), filled.size, &mut filled.directory.client);
    let made = client.call(&Call::create_user(&name)).await?;
    sheet.flat("POST user", size, made.took);
    let id = id_of(made.body)?;
    client.call(&Call::add_members(&filled.everybody, std::slice::from_ref(&id))).await?;
    let path = format!("/Users/{id}");
    let calls = [
        ("GET user", Call::get(path.clone())),
        ("PATCH title", Call::replace(path.clone(), "title", "Chief")),
        ("PATCH displayName", Call::replace(path.clone(), "displayName", format!("{name} renamed"))),
        ("PATCH active false", Call::replace(path.clone(), "active", false)),
        ("PATCH active true", Call::replace(path.clone(), "active", true)),
        ("DELETE user", Call::delete(path)),
    ];
    for (operation, call) in &calls {
        sheet.flat(operation, size, client.time(call).await?);
    }
    Ok(())
}
