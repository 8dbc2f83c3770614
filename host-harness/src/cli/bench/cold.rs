//! How long it takes from nothing to the first answer.

use super::sandbox::connect;
use super::traffic;
use serde::Serialize;
use std::sync::Arc;
use std::time::Instant;
use usher_host::storage::MemoryStorage;
use usher_host::{Builder, Usher};

/// From loading the component to the answer to the first request, in milliseconds.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ColdStart {
    /// The first start on a machine, which compiles.
    pub(super) compiling_ms: f64,
    /// Every later start, which loads what was compiled: the median of several.
    pub(super) cached_ms: f64,
}

pub(super) fn measure() -> Result<ColdStart, String> {
    let folder = tempfile::tempdir().map_err(|error| format!("cannot make a temporary folder: {error}"))?;
    let start = || first_answer(Usher::builder().cache(folder.path()));
    let compiling_ms = start()?;
    let mut cached = (0..5).map(|_| start()).collect::<Result<Vec<_>, _>>()?;
    cached.sort_by(f64::total_cmp);
    Ok(ColdStart { compiling_ms, cached_ms: cached[cached.len() / 2] })
}

fn first_answer(builder: Builder) -> Result<f64, String> {
    let begin = Instant::now();
    let usher = builder.load().map_err(|error| error.to_string())?;
    let site = usher.site(Arc::new(MemoryStorage::new()));
    let target = connect(&site)?;
    let request = traffic::request(&target, "GET", "/ServiceProviderConfig", None, None);
    let response = site.handle_blocking(&request).map_err(|failure| failure.to_string())?;
    let elapsed = begin.elapsed();
    if response.status != 200 {
        return Err(format!("the first request was answered {}", response.status));
    }
    Ok(elapsed.as_secs_f64() * 1e3)
}
