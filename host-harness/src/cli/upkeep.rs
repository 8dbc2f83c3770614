//! Housekeeping in the background.

use std::time::Duration;
use usher_host::Site;

/// How long to rest when there is nothing to do.
const REST: Duration = Duration::from_secs(60);

/// How many entries one step may remove: a few milliseconds of work, so that requests hardly notice.
const BUDGET: u32 = 1_000;

/// Keeps house until it is dropped.
pub(super) async fn run(site: Site) {
    loop {
        match site.upkeep(BUDGET).await {
            Ok(Ok(progress)) => {
                if progress.removed > 0 {
                    tracing::debug!(removed = progress.removed, "kept house");
                }
                if progress.more {
                    tokio::task::yield_now().await;
                    continue;
                }
            }
            Ok(Err(error)) => tracing::warn!(%error, "a step of housekeeping failed"),
            Err(error) => tracing::warn!(%error, "a step of housekeeping failed"),
        }
        tokio::time::sleep(REST).await;
    }
}
