//! Durable writes over HTTP against commits to the bare storage engine: same disk, same run, and about the same bytes in
//! each commit.

use super::load::{self, Load};
use super::sandbox::connect;
use super::stats::Times;
use crate::cli::serve::{bind, runtime};
use serde::Serialize;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use usher_host::Usher;
use usher_host::bench::storage::{self, Commits};
use usher_host::http::{AdminKey, Settings};
use usher_host::storage::EmbeddedStorage;

/// How many connections, and how many writers of the bare engine, are measured.
const CONNECTIONS: [usize; 3] = [1, 8, 32];

/// One number of connections.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Comparison {
    pub(super) connections: usize,
    /// Users made over HTTP, each acknowledged when it is on disk.
    pub(super) usher_per_second: f64,
    /// Commits through the storage contract, without the component and HTTP.
    pub(super) contract_per_second: f64,
    /// Commits to the bare engine, with a group commit of its own.
    pub(super) bare_per_second: f64,
    pub(super) latency: Times,
}

pub(super) fn measure(folder: &Path, duration: Duration) -> Result<Vec<Comparison>, String> {
    let failed = |error: std::io::Error| format!("cannot use {}: {error}", folder.display());
    std::fs::create_dir_all(folder).map_err(failed)?;
    let place = tempfile::tempdir_in(folder).map_err(failed)?;
    let bare_load = storage::Load { users: 10_000, memberships: 10_000, writers: CONNECTIONS.to_vec(), time: duration };
    let bare = storage::measure(&place.path().join("bare"), &bare_load).map_err(|error| error.to_string())?;
    let usher = serve_and_load(&place.path().join("usher"), duration)?;
    let rate = |commits: &[Commits], at: usize| commits.get(at).map_or(f64::NAN, |commits| commits.per_second);
    let compare = |(at, (connections, load)): (usize, (usize, Load))| Comparison {
        connections,
        usher_per_second: load.per_second,
        contract_per_second: rate(&bare.contract.commits, at),
        bare_per_second: rate(&bare.bare.commits, at),
        latency: load.latency,
    };
    Ok(CONNECTIONS.into_iter().zip(usher).enumerate().map(compare).collect())
}

fn serve_and_load(folder: &Path, duration: Duration) -> Result<Vec<Load>, String> {
    let storage = EmbeddedStorage::open(folder).map_err(|error| error.to_string())?;
    let usher = Usher::load().map_err(|error| error.to_string())?;
    let site = usher.site(Arc::new(storage));
    let target = connect(&site)?;
    let (key, _) = AdminKey::generate().map_err(|error| error.to_string())?;
    runtime()?.block_on(async {
        let server = bind(site, Settings::new(key), ([127, 0, 0, 1], 0).into()).await?;
        let address = server.address();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let serving = tokio::spawn(server.serve(async {
            // The other end dropped is a stop as well.
            let _ = stopped.await;
        }));
        let mut loads = Vec::new();
        for (run, connections) in CONNECTIONS.into_iter().enumerate() {
            loads.push(load::create_users(address, &target, connections, run, duration).await?);
        }
        drop(stop);
        serving.await.map_err(|error| error.to_string())?;
        Ok(loads)
    })
}
