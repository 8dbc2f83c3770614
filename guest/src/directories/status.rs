//! How a directory is doing.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::activity::{FirstSync, Hour, RefusedKeys, StatusRecord, load_status};
use super::error::Result;
use super::keys::{Key, describe_key, load_keys};
use super::logged::LoggedRequest;
use super::notices::SOON_DAYS;
use super::record::{load, read_counts};
use crate::engine::{DAY_MS, Engine};
use crate::site::settings;
use crate::store::keys::Kind;
use crate::store::records::{ApiKeyRecord, DirectoryRecord, Mode, Stored, UnlinkedReason};
use crate::store::{self, Transaction, keys, prefix_range};

/// The state of a directory; of several that hold, the one that asks the most of an administrator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Its writes are applied.
    Connected,
    /// Nothing has come yet.
    Waiting,
    /// Its first sync is under way: since the first request in its log, there was no quarter of an hour without one.
    FirstSync,
    /// Its last three writes, or more, were refused, in whole or in part, each with a reason that the request log has.
    Failing,
    /// Deletions and deactivations are held until an administrator releases them; other writes are applied.
    Held,
    /// What it pushes is planned, and reaches the site when the plan is applied.
    Staged,
    /// Its plan is being applied.
    Applying,
    /// Nothing has come for so many times its usual interval as its settings say.
    Silent,
    /// It has no key that works, so that nothing can come.
    NoKeyWorks,
}

/// How many users are linked to no customer for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnlinkedCount {
    /// The reason.
    pub reason: UnlinkedReason,
    /// How many users.
    pub count: u64,
}

/// The group that has the most members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LargestGroup {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// How many members it has.
    pub members: u32,
}

/// Requests that were refused for their key since the directory was connected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedRequests {
    /// Whether the key had expired; otherwise it was a wrong or revoked one, or none.
    pub expired: bool,
    /// How many there were.
    pub count: u64,
    /// When the last one came, in milliseconds since the Unix epoch.
    pub last: u64,
}

/// Something that an administrator should look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Warning {
    /// The site has another directory, and this one is bound to no email domains: it takes over every local customer
    /// whose address it pushes.
    NoDomains,
}

/// How a directory is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryStatus {
    /// Its state.
    pub state: State,
    /// What an administrator should look at.
    pub warnings: Vec<Warning>,
    /// How many users it has.
    pub users: u64,
    /// How many groups it has.
    pub groups: u64,
    /// How many groups it may have.
    pub group_limit: u64,
    /// How many memberships its groups have in all.
    pub memberships: u64,
    /// How many members a group may have.
    pub member_limit: u32,
    /// The group that has the most members; `None` if none has any.
    pub largest_group: Option<LargestGroup>,
    /// How many of its users are linked to no customer.
    pub unlinked: u64,
    /// The same by reason: those for which there are any.
    pub unlinked_by: Vec<UnlinkedCount>,
    /// How many of its conflicts are open.
    pub conflicts: u64,
    /// How many customers and organizations its plan is about, while it is staged.
    pub planned: u64,
    /// When the last request came, in milliseconds since the Unix epoch; for reads, to the minute.
    pub last_request: Option<u64>,
    /// When the last successful request came, likewise.
    pub last_success: Option<u64>,
    /// How long the pauses between its requests usually are, in milliseconds; `None` while too little is known. It is the
    /// second longest of the longest pauses of each of the last fourteen days with requests, and at least an hour.
    pub usual_interval: Option<u64>,
    /// The first sync, while it is under way.
    pub first_sync: Option<FirstSync>,
    /// Since when it is silent, if it is: so many times the usual interval after the last request as its settings say.
    pub silent_since: Option<u64>,
    /// The last request that was refused.
    pub last_failure: Option<LoggedRequest>,
    /// How many requests were refused in the hours below.
    pub failures: u32,
    /// The hours of the last 24 in which the log got requests, oldest first.
    pub hours: Vec<Hour>,
    /// How many users and groups are listed whose deletion or deactivation is held.
    pub held: u32,
    /// Until when deletions go through uncounted, if an administrator has released them.
    pub released_until: Option<u64>,
    /// Until when the bodies of requests are captured, if they are.
    pub captured_until: Option<u64>,
    /// Whether they are captured with values.
    pub captured_values: bool,
    /// The keys that work, oldest first.
    pub keys: Vec<KeyStatus>,
    /// The requests that were refused for their key, by reason.
    pub refused: Vec<RefusedRequests>,
}

/// A key, when it was used, and whether it expires soon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyStatus {
    /// The key.
    pub key: Key,
    /// When it was last used, in milliseconds since the Unix epoch, to the minute; `None` if it was not.
    pub last_used: Option<u64>,
    /// Whether it expires within 30 days.
    pub expires_soon: bool,
}

impl Engine<'_> {
    /// How a directory is doing.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn directory_status(&self, id: &str) -> Result<DirectoryStatus> {
        let now = self.now().milliseconds;
        self.read(|transaction| {
            let record = load(transaction, id)?;
            let site = settings::load(transaction)?;
            let counts = transaction.get(keys::counts(id))?;
            let counts = read_counts(id, counts)?;
            let status = load_status(transaction, id)?;
            let keys = working_keys(transaction, id, now)?;
            let hours = status.last_hours(now);
            let capture = status.capture.filter(|capture| now < capture.until);
            Ok(DirectoryStatus {
                state: state(&record, &status, keys.len(), now),
                warnings: warnings(transaction, &record)?,
                users: counts.users,
                groups: counts.groups,
                group_limit: u64::from(site.max_groups),
                memberships: counts.memberships,
                member_limit: site.max_members,
                largest_group: largest_group(transaction, id)?,
                unlinked: counts.unlinked,
                unlinked_by: counts
                    .unlinked_by
                    .all()
                    .filter(|(_, count)| *count > 0)
                    .map(|(reason, count)| UnlinkedCount { reason, count })
                    .collect(),
                conflicts: counts.conflicts,
                planned: counts.planned.all(),
                last_request: status.last_request,
                last_success: status.last_success,
                usual_interval: status.rhythm.usual(),
                first_sync: status.first_sync(now),
                silent_since: status.rhythm.silent_since(status.last_request, now, record.silent_after),
                failures: hours.iter().fold(0, |sum, hour| sum.saturating_add(hour.failures)),
                hours,
                held: status.listed_held,
                released_until: Some(status.open_until).filter(|until| now < *until),
                captured_until: capture.map(|capture| capture.until),
                captured_values: capture.is_some_and(|capture| capture.values),
                keys: keys
                    .into_iter()
                    .map(|(id, key)| KeyStatus {
                        last_used: status.uses.of(&id),
                        expires_soon: key.expires.saturating_sub(now) <= u64::from(SOON_DAYS) * DAY_MS,
                        key: describe_key(id, &key),
                    })
                    .collect(),
                refused: [(false, status.wrong_keys), (true, status.expired_keys)]
                    .into_iter()
                    .filter_map(|(expired, refused)| {
                        refused.map(|RefusedKeys { count, last }| RefusedRequests { expired, count, last })
                    })
                    .collect(),
                last_failure: status.last_failure,
            })
        })
    }
}

/// The keys of a directory that work, oldest first.
///
/// # Errors
/// Where the storage fails.
pub fn working_keys(transaction: &mut Transaction, id: &str, now: u64) -> store::Result<Vec<(String, ApiKeyRecord)>> {
    let mut keys = load_keys(transaction, id)?;
    keys.retain(|(_, key)| now < key.expires);
    Ok(keys)
}

fn warnings(transaction: &mut Transaction, record: &DirectoryRecord) -> store::Result<Vec<Warning>> {
    let mut range = prefix_range(keys::ALL_DIRECTORIES, 2);
    range.keys_only = true;
    let warns = record.domains.is_empty() && transaction.scan(&range)?.len() > 1;
    Ok(warns.then_some(Warning::NoDomains).into_iter().collect())
}

fn largest_group(transaction: &mut Transaction, id: &str) -> store::Result<Option<LargestGroup>> {
    let mut range = prefix_range(&keys::sizes(id), 1);
    (range.reverse, range.keys_only) = (true, true);
    let Some(entry) = transaction.scan(&range)?.pop() else { return Ok(None) };
    let group = keys::id_of(&entry.key).to_string();
    let key = Kind::Group.resource(id, &group);
    let text = transaction.get(key.clone())?.ok_or_else(|| store::Error::corrupt(&entry.key))?;
    let stored = Stored::read(&key, text)?;
    let name = stored.name(Kind::Group).unwrap_or_default().into_owned();
    Ok(Some(LargestGroup { id: group, name, members: stored.header.members }))
}

/// The state of a directory that has so many keys that work. While it is staged, nothing is held.
#[must_use]
pub fn state(record: &DirectoryRecord, status: &StatusRecord, keys: usize, now: u64) -> State {
    if keys == 0 {
        State::NoKeyWorks
    } else if status.held && record.mode != Mode::Staged {
        State::Held
    } else if status.rhythm.silent_since(status.last_request, now, record.silent_after).is_some() {
        State::Silent
    } else if status.is_failing() {
        State::Failing
    } else {
        match record.mode {
            Mode::Live if status.last_request.is_none() => State::Waiting,
            Mode::Live if status.first_sync(now).is_some() => State::FirstSync,
            Mode::Live => State::Connected,
            Mode::Staged => State::Staged,
            Mode::Applying => State::Applying,
        }
    }
}
