//! Directories that are filled before anything is measured, by requests of a thousand, which is the fastest way.

use super::call::{Call, Credentials, id_of, ids_of_bulk};
use super::client::Client;
use super::server::{Kept, Server, Servers};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::ops::Range;
use tokio::task::JoinSet;

/// How many users or members one request makes.
pub(super) const AT_ONCE: usize = 1_000;

/// How many requests are under way at a time.
const CONNECTIONS: usize = 4;

/// A server with one directory, and a connection to it.
pub(super) struct Directory {
    pub(super) server: Server,
    pub(super) credentials: Credentials,
    pub(super) client: Client,
    /// The ids of its users, in the order of their numbers.
    pub(super) users: Vec<String>,
}

impl Directory {
    /// Starts a server that keeps its data on disk, with an empty directory.
    pub(super) async fn start(servers: &Servers) -> Result<Self, String> {
        Self::kept(servers, Kept::OnDisk).await
    }

    /// Likewise, with a directory that is staged.
    pub(super) async fn staged(servers: &Servers) -> Result<Self, String> {
        Self::connected(servers, Kept::OnDisk, &json!({ "name": "bench", "mode": "staged" })).await
    }

    /// Likewise, with a directory that has memberships as resources of their own.
    pub(super) async fn with_memberships(servers: &Servers) -> Result<Self, String> {
        Self::connected(servers, Kept::OnDisk, &json!({ "name": "bench", "membershipResources": true })).await
    }

    /// Likewise, with the data kept there.
    pub(super) async fn kept(servers: &Servers, kept: Kept<'_>) -> Result<Self, String> {
        Self::connected(servers, kept, &json!({ "name": "bench" })).await
    }

    async fn connected(servers: &Servers, kept: Kept<'_>, settings: &Value) -> Result<Self, String> {
        let server = servers.start(kept)?;
        let credentials = server.connect(settings).await?;
        let client = Client::connect(server.address(), &credentials).await?;
        Ok(Self { server, credentials, client, users: Vec::new() })
    }

    /// Makes another directory on the same server, with so many other users.
    pub(super) async fn neighbour(&self, users: usize) -> Result<(), String> {
        let credentials = self.server.connect_directory("neighbour").await?;
        fill(self.server.address(), &credentials, "neighbour", 0..users).await.map(drop)
    }

    /// A further connection.
    pub(super) async fn connect(&self) -> Result<Client, String> {
        Client::connect(self.server.address(), &self.credentials).await
    }

    /// Makes users `user0` and on until there are so many.
    pub(super) async fn fill(&mut self, count: usize) -> Result<(), String> {
        let made = fill(self.server.address(), &self.credentials, "user", self.users.len()..count).await?;
        self.users.extend(made);
        Ok(())
    }

    /// Makes a group with the first so many users in it.
    pub(super) async fn group(&mut self, name: &str, members: usize) -> Result<String, String> {
        let id = id_of(self.client.call(&Call::create_group(name)).await?.body)?;
        for members in self.users[..members.min(self.users.len())].chunks(AT_ONCE) {
            self.client.call(&Call::add_members(&id, members)).await?;
        }
        Ok(id)
    }
}

/// Makes users with this name and these numbers, and returns their ids in order.
async fn fill(
    address: SocketAddr,
    directory: &Credentials,
    name: &'static str,
    numbers: Range<usize>,
) -> Result<Vec<String>, String> {
    let mut made = vec![Vec::new(); numbers.len().div_ceil(AT_ONCE)];
    let mut tasks = JoinSet::new();
    for first in 0..CONNECTIONS {
        let mut client = Client::connect(address, directory).await?;
        let (end, begins) = (numbers.end, numbers.clone().step_by(AT_ONCE).enumerate());
        let mine = begins.skip(first).step_by(CONNECTIONS);
        tasks.spawn(async move {
            let mut made = Vec::new();
            for (at, begin) in mine {
                let names = (begin..end.min(begin + AT_ONCE)).map(|number| format!("{name}{number}"));
                made.push((at, ids_of_bulk(client.call(&Call::bulk_users(names)).await?.body)?));
            }
            Ok::<_, String>(made)
        });
    }
    while let Some(task) = tasks.join_next().await {
        for (at, ids) in task.map_err(|error| error.to_string())?? {
            made[at] = ids;
        }
    }
    Ok(made.into_iter().flatten().collect())
}
