//! The change feed, from its end.
//!
//! The feed is read from a position onwards; pages want what came last. So its end is looked for: from where it was seen
//! last, in steps that double, and then between the last two. That takes as many short calls as the number of changes has
//! binary digits, twice, and hardly any once it is known. The position of a time is found likewise.

use crate::http::fault::Fault;
use crate::runtime::Site;
use crate::runtime::changes::{Change, Filter};
use std::sync::atomic::{AtomicU64, Ordering};

/// How many changes are looked at in one call for those that are asked for.
const STRETCH: u64 = 2_000;

/// How many calls one page makes for those that are asked for.
const STRETCHES: usize = 10;

/// How many changes one call returns at most.
const RETURNED: u32 = 1_000;

/// Where the feed was last seen to end.
#[derive(Debug, Default)]
pub(super) struct End(AtomicU64);

/// A part of the feed: what follows one position and comes before another one, or up to the end.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Part {
    pub(super) after: u64,
    pub(super) before: Option<u64>,
}

/// The last changes that were asked for.
pub(super) struct Last {
    /// Newest first.
    pub(super) changes: Vec<Change>,
    /// What to go on before for older ones; `None` at the beginning of the part.
    pub(super) before: Option<u64>,
}

/// The feed of a site.
#[derive(Clone, Copy)]
pub(super) struct Feed<'a> {
    pub(super) site: &'a Site,
    pub(super) end: &'a End,
}

impl Feed<'_> {
    /// The last changes of a part that fit a filter: at most `limit`. There may be fewer, and older ones behind them, as only so
    /// much of the feed is looked at.
    pub(super) async fn last(self, filter: &Filter, part: Part, limit: usize) -> Result<Last, Fault> {
        let mut before = match part.before {
            Some(before) => before,
            None => self.end.find(self.site).await? + 1,
        };
        let mut changes = Vec::new();
        // Unless something is looked for, what is shown is what is read.
        let stretch = if *filter == Filter::everything() { limit as u64 } else { STRETCH };
        for _ in 0..STRETCHES {
            if before <= part.after + 1 || changes.len() >= limit {
                break;
            }
            let after = before.saturating_sub(stretch + 1).max(part.after);
            changes.extend(between(self.site, filter, after, before).await?.into_iter().rev());
            before = after + 1;
        }
        if changes.len() > limit {
            changes.truncate(limit);
            before = changes.last().map_or(before, |change| change.sequence);
        }
        Ok(Last { changes, before: (before > part.after + 1).then_some(before) })
    }

    /// The position of the last change that was made before a time.
    pub(super) async fn before_time(self, time: u64) -> Result<u64, Fault> {
        let (mut low, mut high) = (0, self.end.find(self.site).await?);
        // What comes up to `low` was made before, and what follows `high` was not.
        while low < high {
            let middle = low + (high - low) / 2;
            let part = self.site.changes(middle, Filter::everything(), 1).await??;
            if part.changes.first().is_some_and(|change| change.at < time) { low = middle + 1 } else { high = middle }
        }
        Ok(low)
    }
}

/// The changes between two positions that fit a filter, oldest first.
async fn between(site: &Site, filter: &Filter, mut after: u64, before: u64) -> Result<Vec<Change>, Fault> {
    let mut changes = Vec::new();
    while after + 1 < before {
        let limit = u32::try_from(before - after - 1).unwrap_or(RETURNED).min(RETURNED);
        let part = site.changes(after, filter.clone(), limit).await??;
        let over = part.position + 1 >= before || !part.more || part.position <= after;
        after = part.position;
        changes.extend(part.changes.into_iter().filter(|change| change.sequence < before));
        if over {
            break;
        }
    }
    Ok(changes)
}

impl End {
    /// The position of the last change; 0 if there is none.
    async fn find(&self, site: &Site) -> Result<u64, Fault> {
        let seen = self.0.load(Ordering::Relaxed);
        let (mut low, mut step) = (seen, 1);
        // Nothing follows `high`; `low` is there, or the beginning.
        let mut high = seen;
        while goes_on(site, high).await? {
            low = high + 1;
            high = seen + step;
            step = step.saturating_mul(2);
        }
        while low < high {
            let middle = low + (high - low) / 2;
            if goes_on(site, middle).await? { low = middle + 1 } else { high = middle }
        }
        self.0.fetch_max(low, Ordering::Relaxed);
        Ok(low)
    }
}

/// Whether there is a change after a position.
async fn goes_on(site: &Site, position: u64) -> Result<bool, Fault> {
    let part = site.changes(position, Filter::everything(), 1).await??;
    Ok(!part.changes.is_empty())
}
