//! Senders that cost others, each in its own way.

use super::call::{Call, Credentials};
use super::client::Client;
use super::handles;
use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// How long a sender waits before it goes on, where it does nothing but that.
const PAUSE: Duration = Duration::from_millis(20);

/// What is attacked, and with what key.
pub(super) struct Target {
    pub(super) address: SocketAddr,
    pub(super) directory: Credentials,
    /// A group whose members make a long answer.
    pub(super) group: String,
}

/// A way of costing others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attack {
    /// Searches that look at everything, one after another on each of 16 connections.
    Searches,
    /// The same, 20 at a time, whose clients go away.
    Abandoned,
    /// Bulk requests of 1,000 users each, on 8 connections.
    Bulks,
    /// 64 connections without a key that announce 16 MiB and send nothing.
    Silent,
    /// 4,300 connections without a key that stop in the middle of a body.
    Stuck,
    /// 400 connections that ask for a long answer and do not take it.
    Lazy,
    /// Wrong admin keys on 16 connections.
    WrongKeys,
}

/// An attack, until it is dropped.
pub(super) struct UnderWay(#[expect(dead_code, reason = "held, not used")] JoinSet<()>);

impl Attack {
    pub(super) const ALL: [Self; 7] =
        [Self::Searches, Self::Abandoned, Self::Bulks, Self::Silent, Self::Stuck, Self::Lazy, Self::WrongKeys];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Searches => "16 searches",
            Self::Abandoned => "20 abandoned searches",
            Self::Bulks => "8 bulk writers",
            Self::Silent => "64 silent senders",
            Self::Stuck => "4,300 stuck senders",
            Self::Lazy => "400 that do not read",
            Self::WrongKeys => "wrong admin keys",
        }
    }

    /// How many connections it has.
    fn connections(self, quick: bool) -> usize {
        match self {
            Self::Searches | Self::WrongKeys => 16,
            Self::Abandoned => 20,
            Self::Bulks => 8,
            Self::Silent => 64,
            Self::Stuck if quick => 100,
            Self::Stuck => 4_300,
            Self::Lazy if quick => 20,
            Self::Lazy => 400,
        }
    }

    /// Begins it.
    pub(super) fn begin(self, target: &Target, quick: bool) -> Result<UnderWay, String> {
        let count = self.connections(quick);
        handles::raise(count).map_err(|error| format!("{}: {error}", self.name()))?;
        let mut all = JoinSet::new();
        for number in 0..count {
            let (address, directory) = (target.address, target.directory.clone());
            match self {
                Self::Searches => spawn(&mut all, move || searches(address, directory.clone())),
                Self::Abandoned => spawn(&mut all, move || abandoned(address, directory.clone())),
                Self::Bulks => spawn(&mut all, move || bulks(address, directory.clone(), number)),
                Self::Silent => spawn(&mut all, move || {
                    let directory = Credentials { api_key: "wrong".into(), ..directory.clone() };
                    stays(address, head("POST", &directory, "/Users", 16 << 20))
                }),
                Self::Stuck => spawn(&mut all, move || {
                    let directory = Credentials { api_key: "wrong".into(), ..directory.clone() };
                    stays(address, head("POST", &directory, "/Users", 10) + "{")
                }),
                Self::Lazy => {
                    let path = format!("/Groups/{}", target.group);
                    spawn(&mut all, move || takes_nothing(address, head("GET", &directory, &path, 0)));
                }
                Self::WrongKeys => spawn(&mut all, move || wrong_keys(address)),
            }
        }
        Ok(UnderWay(all))
    }
}

/// Does something again and again, whatever becomes of it.
fn spawn<F>(all: &mut JoinSet<()>, act: impl Fn() -> F + Send + 'static)
where
    F: Future<Output = Result<(), String>> + Send + 'static,
{
    all.spawn(async move {
        loop {
            // That it is refused is what is wanted of the server.
            let _ = act().await;
            tokio::time::sleep(PAUSE).await;
        }
    });
}

fn search() -> Call {
    let body = r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"filter":"title co \"nobody\""}"#;
    Call::post("/Users/.search", body.to_owned())
}

async fn searches(address: SocketAddr, directory: Credentials) -> Result<(), String> {
    let mut client = Client::connect(address, &directory).await?;
    loop {
        client.call(&search()).await?;
    }
}

async fn abandoned(address: SocketAddr, directory: Credentials) -> Result<(), String> {
    let mut client = Client::connect(address, &directory).await?;
    let call = search();
    let waited = tokio::time::timeout(PAUSE, client.call(&call)).await;
    waited.map_or(Ok(()), |answer| answer.map(drop))
}

async fn bulks(address: SocketAddr, directory: Credentials, sender: usize) -> Result<(), String> {
    let mut client = Client::connect(address, &directory).await?;
    for turn in 0_u64.. {
        // Each name once, so that all of them are made.
        let run = getrandom::u32().unwrap_or_default();
        client.call(&Call::bulk_users((0..1_000).map(|number| format!("bulk{run}s{sender}t{turn}n{number}")))).await?;
    }
    Ok(())
}

async fn wrong_keys(address: SocketAddr) -> Result<(), String> {
    let mut client = Client::open(address, "/admin/v1".into(), "wrong").await?;
    loop {
        // Refused, and the connection goes on.
        if client.call(&Call::get("/settings")).await.is_err_and(|error| !error.contains("answered 401")) {
            return Ok(());
        }
    }
}

fn head(method: &str, directory: &Credentials, path: &str, length: usize) -> String {
    let Credentials { scim_path, api_key } = directory;
    format!(
        "{method} {scim_path}{path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {api_key}\r\n\
         content-type: application/scim+json\r\ncontent-length: {length}\r\n\r\n"
    )
}

/// Sends something and stays, until the server has had enough.
async fn stays(address: SocketAddr, sent: String) -> Result<(), String> {
    let mut stream = begun(address, sent).await?;
    let mut answer = [0; 1_024];
    while stream.read(&mut answer).await.map_err(|error| error.to_string())? > 0 {}
    Ok(())
}

/// Sends something, stays, and takes nothing of the answer.
async fn takes_nothing(address: SocketAddr, sent: String) -> Result<(), String> {
    let _stream = begun(address, sent).await?;
    std::future::pending().await
}

async fn begun(address: SocketAddr, sent: String) -> Result<TcpStream, String> {
    let failed = |error: std::io::Error| error.to_string();
    let mut stream = TcpStream::connect(address).await.map_err(failed)?;
    stream.write_all(sent.as_bytes()).await.map_err(failed)?;
    Ok(stream)
}
