//! As much as a site may hold: what does a server take of memory that is started over it, and reads all of it?

use super::call::{Call, id_of};
use super::client::Client;
use super::context::Bench;
use super::directory::Directory;
use super::report::{Cell, Column, Section, Table};
use std::sync::Arc;
use std::time::Instant;
use tokio::task::JoinSet;

const CONNECTIONS: usize = 4;

/// How many users there are, how many groups, and of how many members each.
const FULL: (usize, usize, usize) = (1_000_000, 20_000, 250);

/// The same where it has to be quick.
const QUICK: (usize, usize, usize) = (2_000, 20, 100);

/// How many entries are asked for at once.
const PAGE: usize = 1_000;

/// At most so much memory, after all of it.
const MEMORY: u64 = 256 << 20;

const TAKES: [Column; 6] = [
    ("after", "after"),
    ("seconds", "seconds"),
    ("residentMib", "resident MiB"),
    ("peakResidentMib", "at the most"),
    ("aim", "at most 256"),
    ("diskMib", "disk MiB"),
];

pub(super) async fn run(bench: &mut Bench) -> Result<Section, String> {
    let (users, groups, members) = if bench.quick { QUICK } else { FULL };
    let begin = Instant::now();
    let mut directory = Directory::with_memberships(&bench.servers).await?;
    bench.progress.step(format!("restart: {users} users"));
    directory.fill(users).await?;
    bench.progress.step(format!("restart: {groups} groups of {members} members"));
    fill_groups(&directory, groups, members).await?;
    directory.server.settle().await;
    let title = format!("A server with {users} users, {groups} groups and {} memberships", groups * members);
    let mut table = Table::new(title, &TAKES);
    table.row(row("filling it", begin, &directory));
    let begin = Instant::now();
    directory.server.restart(&bench.servers, &[])?;
    let mut client = directory.connect().await?;
    table.row(row("starting it again", begin, &directory));
    for (list, rest) in [("Users", ""), ("Groups", "&excludedAttributes=members"), ("GroupMemberships", "")] {
        bench.progress.step(format!("restart: a walk through all {list}"));
        let begin = Instant::now();
        walk(&mut client, list, rest).await?;
        table.row(row(&format!("reading all {list}"), begin, &directory));
    }
    Ok(Section::new("restart").table(table))
}

fn row(after: &str, begin: Instant, directory: &Directory) -> [Cell; 6] {
    let memory = directory.server.memory();
    [
        Cell::text_of(after),
        Cell::Figure(begin.elapsed().as_secs_f64(), 1),
        Cell::mebibytes(memory.map(|memory| memory.resident)),
        Cell::mebibytes(memory.map(|memory| memory.peak)),
        memory.map_or(Cell::None, |memory| Cell::aim(memory.resident <= MEMORY)),
        Cell::mebibytes(directory.server.disk()),
    ]
}

/// Makes so many groups; the members of the next one begin where those of the one before end.
async fn fill_groups(directory: &Directory, groups: usize, members: usize) -> Result<(), String> {
    let users: Arc<[String]> = directory.users.as_slice().into();
    let mut tasks = JoinSet::new();
    for connection in 0..CONNECTIONS {
        let (mut client, users) = (directory.connect().await?, users.clone());
        tasks.spawn(async move {
            for group in (0..groups).skip(connection).step_by(CONNECTIONS) {
                let id = id_of(client.call(&Call::create_group(&format!("group{group}"))).await?.body)?;
                let begin = group * members % users.len();
                let members: Vec<String> = users.iter().cycle().skip(begin).take(members).cloned().collect();
                client.call(&Call::add_members(&id, &members)).await?;
            }
            Ok::<_, String>(())
        });
    }
    while let Some(task) = tasks.join_next().await {
        task.map_err(|error| error.to_string())??;
    }
    Ok(())
}

/// Reads a list from its first page to its last.
async fn walk(client: &mut Client, list: &str, rest: &str) -> Result<(), String> {
    #[derive(serde::Deserialize)]
    struct Listed {
        #[serde(rename = "nextCursor")]
        next_cursor: Option<String>,
    }
    let mut cursor = String::new();
    loop {
        let call = Call::get(format!("/{list}?count={PAGE}&cursor={cursor}{rest}"));
        let answer = client.call(&call).await?;
        let listed: Listed =
            serde_json::from_slice(answer.body).map_err(|error| format!("a page of {list} that is none: {error}"))?;
        match listed.next_cursor {
            Some(next) => cursor = next,
            None => return Ok(()),
        }
    }
}
