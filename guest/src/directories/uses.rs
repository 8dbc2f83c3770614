//! When each key of a directory was last used, to the minute.
//!
//! Every request reads and may write this, so it is one text: each key and its minute, counted from the Unix epoch, with a
//! blank between any two.

use alloc::format;
use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::engine::MINUTE_MS;

/// For how many keys the last use is kept: as many as a directory may have.
const MAX_USES: usize = 20;

/// When each key was last used.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Uses(String);

impl Uses {
    /// Whether no key was used yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// When a key was last used, in milliseconds since the Unix epoch, to the minute.
    #[must_use]
    pub fn of(&self, key: &str) -> Option<u64> {
        last_use(&self.0, key)
    }

    /// Notes that a key is used.
    pub fn note(&mut self, key: &str, now: u64) {
        let minute = now / MINUTE_MS;
        if self.of(key) == Some(minute * MINUTE_MS) {
            return;
        }
        self.forget(key);
        let count = entries(&self.0).count();
        if count >= MAX_USES {
            // The first is the one that was used the longest ago.
            self.0 = self.0.splitn(3, ' ').nth(2).unwrap_or_default().into();
        }
        let blank = if self.0.is_empty() { "" } else { " " };
        self.0 = format!("{}{blank}{key} {minute}", self.0);
    }

    /// Forgets a key that is no longer there.
    pub fn forget(&mut self, key: &str) {
        let others = entries(&self.0).filter(|(used, _)| *used != key);
        let text = others.fold(String::new(), |text, (key, minute)| {
            let blank = if text.is_empty() { "" } else { " " };
            text + blank + key + " " + minute
        });
        self.0 = text;
    }
}

/// When a key was last used, by the text of all uses.
#[must_use]
pub fn last_use(uses: &str, key: &str) -> Option<u64> {
    let (_, minute) = entries(uses).find(|(used, _)| *used == key)?;
    Some(minute.parse::<u64>().ok()?.saturating_mul(MINUTE_MS))
}

fn entries(uses: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut words = uses.split_ascii_whitespace();
    core::iter::from_fn(move || Some((words.next()?, words.next()?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    const START: u64 = 1_750_000_000_000;

    #[test]
    fn each_key_has_its_last_use() {
        let mut uses = Uses::default();
        assert!(uses.is_empty());
        uses.note("a", START);
        uses.note("b", START);
        uses.note("a", START + 2 * MINUTE_MS);
        let minute = START - START % MINUTE_MS;
        assert_eq!((uses.of("a"), uses.of("b")), (Some(minute + 2 * MINUTE_MS), Some(minute)));
        let before = uses.clone();
        uses.note("a", minute + 3 * MINUTE_MS - 1);
        assert_eq!(uses, before);
        uses.forget("a");
        assert_eq!((uses.of("a"), uses.of("b")), (None, Some(minute)));
        uses.forget("b");
        assert!(uses.is_empty());
    }

    #[test]
    fn the_one_that_was_used_the_longest_ago_is_forgotten() {
        let mut uses = Uses::default();
        for key in 0..100_u64 {
            uses.note(&key.to_string(), START + key * MINUTE_MS);
            uses.note("always", START + key * MINUTE_MS);
            assert!(entries(&uses.0).count() <= MAX_USES);
        }
        assert!(uses.of("always").is_some() && uses.of("99").is_some() && uses.of("80").is_none());
    }
}
