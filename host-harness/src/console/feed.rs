//! The change feed, from its end.

use crate::http::fault::Fault;
use crate::runtime::Site;
use crate::runtime::changes::{Change, Filter};

/// How many calls one page makes for those that are asked for: each looks at a bounded part of the feed.
const CALLS: usize = 4;

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

/// The last changes of a part of the feed that fit a filter: at most `limit`. There may be fewer, and older ones behind them,
/// as only so much of the feed is looked at.
pub(super) async fn last(site: &Site, filter: &Filter, part: Part, limit: u32) -> Result<Last, Fault> {
    let (mut changes, mut before): (Vec<Change>, _) = (Vec::new(), part.before);
    for _ in 0..CALLS {
        let missing = limit.saturating_sub(u32::try_from(changes.len()).unwrap_or(limit));
        if missing == 0 {
            break;
        }
        let found = site.changes_back(before, filter.clone(), missing).await??;
        changes.extend(found.changes.into_iter().filter(|change| change.sequence > part.after));
        before = Some(found.position);
        if !found.more || found.position <= part.after + 1 {
            return Ok(Last { changes, before: None });
        }
    }
    Ok(Last { changes, before })
}
