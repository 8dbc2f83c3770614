//! Housekeeping in the background.

use std::time::{Duration, Instant};
use usher_host::{Site, upkeep};

/// How long to rest when there is nothing to do. It costs one read to find that out, and whoever applies a plan waits for the
/// first step.
const REST: Duration = Duration::from_secs(2);

/// How long to rest after a failure: each is told in the log.
const REST_AFTER_FAILURE: Duration = Duration::from_mins(1);

/// How many entries one step may remove: a few milliseconds of work, so that requests hardly notice.
const BUDGET: u32 = 1_000;

/// How often it is said how far the storage has been brought to the layout of this version.
const SAID_EVERY: Duration = Duration::from_secs(5);

/// Keeps house until it is dropped.
pub(super) async fn run(site: Site) {
    let mut upgrade = Upgrade::default();
    loop {
        upgrade.tell(&site).await;
        let rest = match site.upkeep(BUDGET).await {
            Ok(Ok(progress)) => {
                if progress.removed > 0 {
                    tracing::debug!(removed = progress.removed, "kept house");
                }
                if progress.more {
                    tokio::task::yield_now().await;
                    continue;
                }
                REST
            }
            Ok(Err(error)) => failed(&error),
            Err(error) => failed(&error),
        };
        tokio::time::sleep(rest).await;
    }
}

/// Tells a failure. Returns how long to rest after it.
fn failed(error: &dyn std::fmt::Display) -> Duration {
    tracing::warn!(%error, "a step of housekeeping failed");
    REST_AFTER_FAILURE
}

/// Says how the storage is brought to the layout of this version, where an earlier version wrote it.
#[derive(Default)]
struct Upgrade {
    /// When it was said last.
    said: Option<Instant>,
    over: bool,
}

impl Upgrade {
    async fn tell(&mut self, site: &Site) {
        if self.over || self.said.is_some_and(|said| said.elapsed() < SAID_EVERY) {
            return;
        }
        // What fails here is told by the step that follows.
        let Ok(Ok(readiness)) = site.readiness().await else { return };
        match readiness {
            upkeep::Readiness::Ready => {
                if self.said.is_some() {
                    tracing::info!("the storage has the layout of this version");
                }
                self.over = true;
            }
            upkeep::Readiness::Upgrading(upkeep::Upgrade { stage, stages, entries }) => {
                tracing::info!(stage, stages, entries, "bringing the storage to the layout of this version");
                self.said = Some(Instant::now());
            }
        }
    }
}
