//! A load: so many connections, each with one call under way at a time.

use super::call::Call;
use super::client::Client;
use super::directory::Directory;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// How many connections there are in the measurements that have several.
pub(super) const CONNECTIONS: [usize; 3] = [1, 8, 32];

/// How many turns each of several things that are compared has.
pub(super) const TURNS: usize = 3;

/// What a load came to.
#[derive(Default)]
pub(super) struct Load {
    pub(super) elapsed: Duration,
    /// Each call: what it was, and how long it took.
    pub(super) calls: Vec<(&'static str, Duration)>,
}

/// Has one connection make calls; each says what it is.
pub(super) type Caller = Box<dyn FnMut() -> (&'static str, Call) + Send>;

impl Load {
    pub(super) fn per_second(&self) -> f64 {
        self.calls.len() as f64 / self.elapsed.as_secs_f64()
    }
}

/// Makes the calls of each connection for so long.
pub(super) async fn run(connections: Vec<(Client, Caller)>, duration: Duration) -> Result<Load, String> {
    let begin = Instant::now();
    let mut tasks = JoinSet::new();
    for (mut client, mut next) in connections {
        tasks.spawn(async move {
            let mut calls = Vec::new();
            while begin.elapsed() < duration {
                let (what, call) = next();
                calls.push((what, client.time(&call).await?));
            }
            Ok::<_, String>(calls)
        });
    }
    let mut calls = Vec::new();
    while let Some(task) = tasks.join_next().await {
        calls.extend(task.map_err(|error| error.to_string())??);
    }
    Ok(Load { elapsed: begin.elapsed(), calls })
}

/// Makes calls to a directory over so many connections for so long.
pub(super) async fn of_calls(
    directory: &Directory,
    connections: usize,
    duration: Duration,
    caller: impl Fn(usize) -> Caller,
) -> Result<Load, String> {
    let mut prepared = Vec::new();
    for number in 0..connections {
        prepared.push((directory.connect().await?, caller(number)));
    }
    run(prepared, duration).await
}
