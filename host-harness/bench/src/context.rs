//! What the workloads of one run share.

use super::progress::Progress;
use super::server::Servers;
use super::sizes::Sizes;
use std::time::{Duration, Instant};

/// One run.
pub(super) struct Bench {
    pub(super) servers: Servers,
    /// How long one measurement takes.
    pub(super) duration: Duration,
    /// Whether small directories will do.
    pub(super) quick: bool,
    pub(super) progress: Progress,
    sizes: Option<Sizes>,
}

impl Bench {
    pub(super) fn new(servers: Servers, duration: Duration, quick: bool) -> Self {
        Self { servers, duration, quick, progress: Progress::start(), sizes: None }
    }

    /// The directories of several sizes, made when they are first asked for.
    pub(super) async fn sizes(&mut self) -> Result<&mut Sizes, String> {
        let sizes = match self.sizes.take() {
            Some(sizes) => sizes,
            None => Sizes::make(&self.servers, self.quick, &self.progress).await?,
        };
        Ok(self.sizes.insert(sizes))
    }

    /// Stops their servers: what comes next does not need them.
    pub(super) fn drop_sizes(&mut self) {
        self.sizes = None;
    }

    /// When a workload that takes turns among several sizes is over: it has four measurements' time.
    pub(super) fn end(&self) -> Instant {
        Instant::now() + 4 * self.duration
    }

    /// This or that, for a quick run.
    pub(super) fn scaled(&self, full: usize, quick: usize) -> usize {
        if self.quick { quick } else { full }
    }
}
