//! Requests of identity providers that were refused for their key, counted until the component is told of them.

use crate::runtime::scim::RefusedKey;
use crate::runtime::{Site, directories};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

/// For how many directories they are counted at a time. The component names only directories that there are.
const MAX_DIRECTORIES: usize = 10_000;

/// The requests that were refused since the component was last told.
#[derive(Default)]
pub(super) struct RefusedKeys {
    untold: Mutex<BTreeMap<Refusal, Series>>,
}

/// A directory, and why its requests were refused.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Refusal {
    directory: String,
    expired: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Series {
    count: u32,
    /// When the last one came, in milliseconds since the Unix epoch.
    last: u64,
}

impl RefusedKeys {
    /// Counts a request.
    pub(super) fn count(&self, refused: RefusedKey) {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let last = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        let RefusedKey { directory, expired } = refused;
        self.add(Refusal { directory, expired }, Series { count: 1, last });
    }

    fn add(&self, refusal: Refusal, more: Series) {
        let mut untold = self.untold.lock();
        if untold.len() < MAX_DIRECTORIES || untold.contains_key(&refusal) {
            let series = untold.entry(refusal).or_default();
            *series = Series { count: series.count.saturating_add(more.count), last: series.last.max(more.last) };
        }
    }

    /// Tells the component of what was refused since the last time.
    pub(super) async fn tell(&self, site: &Site) {
        let untold = std::mem::take(&mut *self.untold.lock());
        for (refusal, series) in untold {
            let Refusal { directory, expired } = &refusal;
            let Series { count, last } = series;
            let failed = match site.note_refused_requests(directory, *expired, count, last).await {
                // It was disconnected meanwhile.
                Ok(Ok(()) | Err(directories::Error::NotFound(_))) => continue,
                Ok(Err(error)) => error.to_string(),
                Err(failure) => failure.to_string(),
            };
            tracing::warn!(directory, count, failed, "refused requests could not be noted, which is tried again");
            self.add(refusal, series);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_counted_by_directory_and_reason() {
        let keys = RefusedKeys::default();
        for (directory, expired) in [("a", false), ("b", true), ("a", false), ("a", true)] {
            keys.count(RefusedKey { directory: directory.to_owned(), expired });
        }
        let counted: Vec<_> = keys.untold.lock().iter().map(|(of, series)| (of.expired, series.count)).collect();
        assert_eq!(counted, [(false, 2), (true, 1), (true, 1)]);
        assert!(keys.untold.lock().values().all(|series| series.last > 0));
    }

    #[test]
    fn they_take_little_memory_however_many_directories_there_are() {
        let keys = RefusedKeys::default();
        for number in 0..2 * MAX_DIRECTORIES {
            keys.count(RefusedKey { directory: number.to_string(), expired: false });
        }
        assert_eq!(keys.untold.lock().len(), MAX_DIRECTORIES);
    }
}
