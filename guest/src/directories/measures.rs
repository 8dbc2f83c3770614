//! What an alert needs to know of the directories, for a host's metrics.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::activity::StatusRecord;
use super::error::Result;
use super::record::read_counts;
use super::status::working_keys;
use crate::engine::Engine;
use crate::storage::Range;
use crate::store::pages::{ENTRIES_AT_ONCE, count};
use crate::store::records::{self, DirectoryRecord, Mode};
use crate::store::{keys, prefix_range};

/// How many directories are measured: each is a label of every metric.
const MAX_DIRECTORIES: u32 = 100;

/// The measures of all directories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measures {
    /// Those of the directories that were connected first, at most a hundred.
    pub directories: Vec<DirectoryMeasures>,
    /// How many directories are left out; a thousand stands for that or more.
    pub left_out: u32,
}

/// The measures of a directory. Times are milliseconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryMeasures {
    /// The id of the directory.
    pub id: String,
    /// Its name.
    pub name: String,
    /// How many users it has.
    pub users: u64,
    /// How many groups it has.
    pub groups: u64,
    /// How many of its requests were refused in the last 24 hours.
    pub failures: u32,
    /// When the last successful request came, if any has.
    pub last_success: Option<u64>,
    /// When the last of its keys expires that work, if any does.
    pub key_expires_at: Option<u64>,
    /// Whether deletions and deactivations are held.
    pub is_holding: bool,
    /// How many users and groups are listed whose deletion or deactivation is held.
    pub held: u32,
    /// How many of its conflicts are open.
    pub conflicts: u64,
    /// Whether it is staged, or its plan is being applied.
    pub is_staged: bool,
    /// How many customers and organizations its plan is about.
    pub planned: u64,
}

impl Engine<'_> {
    /// The measures of the directories, oldest first. Costs the same however much they hold.
    ///
    /// # Errors
    /// Where the storage fails.
    pub fn measures(&self) -> Result<Measures> {
        let now = self.now().milliseconds;
        self.read(|transaction| {
            let range = prefix_range(keys::ALL_DIRECTORIES, MAX_DIRECTORIES);
            let entries = transaction.scan(&range)?;
            let of_each = |id: &str| [keys::counts(id), keys::status(id)];
            let more = entries.iter().flat_map(|entry| of_each(keys::id_of(&entry.key))).collect();
            let mut more = transaction.get_many(more)?.into_iter();
            let mut directories = Vec::with_capacity(entries.len());
            for entry in &entries {
                let id = keys::id_of(&entry.key);
                let record: DirectoryRecord = records::read(&entry.key, &entry.value)?;
                let counts = read_counts(id, more.next().flatten())?;
                let status = more.next().flatten().map(|text| records::read(&keys::status(id), &text)).transpose()?;
                let status: StatusRecord = status.unwrap_or_default();
                let expiries = working_keys(transaction, id, now)?.into_iter().map(|(_, key)| key.expires);
                directories.push(DirectoryMeasures {
                    id: id.to_string(),
                    name: record.name,
                    users: counts.users,
                    groups: counts.groups,
                    failures: status.last_hours(now).iter().fold(0, |sum, hour| sum.saturating_add(hour.failures)),
                    last_success: status.last_success,
                    key_expires_at: expiries.max(),
                    is_holding: status.held && record.mode != Mode::Staged,
                    held: status.listed_held,
                    conflicts: counts.conflicts,
                    is_staged: record.mode != Mode::Live,
                    planned: counts.planned.all(),
                });
            }
            let Some(last) = entries.last().filter(|_| count(entries.len()) == MAX_DIRECTORIES) else {
                return Ok(Measures { directories, left_out: 0 });
            };
            let left = Range { start: keys::next(&last.key), limit: ENTRIES_AT_ONCE, keys_only: true, ..range };
            Ok(Measures { directories, left_out: count(transaction.scan(&left)?.len()) })
        })
    }
}
