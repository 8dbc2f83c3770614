//! What put a customer or an organization into its state. The change feed says what was done by whom; what the site
//! showed before and after is kept here, and erased with the customer or organization.
//!
//! Every entry of the feed about the state of one of them has an entry in its history, under the same number, with the
//! values that changed.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::error::Result;
use super::{customers, kept, organizations};
use crate::engine::Engine;
use crate::storage::Range;
use crate::store::feed::{ChangeRecord, ValueChange as StoredChange};
use crate::store::keys;
use crate::store::pages::{Page, check_limit, no_such_cursor};
use crate::store::records;
use crate::store::{self, Transaction, prefix_range};

/// How many entries are looked at once while the causes of a state are looked for.
const ENTRIES_AT_ONCE: u32 = 100;

/// How many of these pages are looked at. Hardly anybody has more than one; what lies further back is left to the history.
const MAX_PAGES: usize = 50;

/// A value that the site shows, before and after a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueChange {
    /// What it is the value of: `email`, `displayName`, `active` or `name`.
    pub attribute: String,
    /// The value before; `None` where there was none.
    pub old: Option<String>,
    /// The value after; `None` where there is none any more.
    pub new: Option<String>,
}

/// A change of a customer or an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEntry {
    /// The number of the change in the feed.
    pub sequence: u64,
    /// When it was made, in milliseconds since the Unix epoch.
    pub at: u64,
    /// Who made it, as in the feed.
    pub actor: String,
    /// The id of the request that made it, if it has one.
    pub request: Option<String>,
    /// What was done, as in the feed.
    pub kind: String,
    /// The user or group that it was done for, if there is one.
    pub resource: Option<String>,
    /// What the site showed before and after, where that changed. Of a change that a version before 0.2 made, it is not
    /// known: both values are `None`.
    pub values: Vec<ValueChange>,
}

/// What put something into its state; of something with more than 5,000 changes, what these tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Causes {
    /// What gave it its status: active or not; for an organization, that it is there.
    pub status: Option<HistoryEntry>,
    /// What linked it to its user or group, or made it local.
    pub link: Option<HistoryEntry>,
    /// What gave it its name.
    pub name: Option<HistoryEntry>,
}

impl Causes {
    /// Takes an entry, newest first, for what it is the last cause of.
    fn note(&mut self, entry: &HistoryEntry) {
        let names = |attribute: &str| entry.values.iter().any(|value| value.attribute == attribute);
        let action = entry.kind.split_once('.').map_or("", |(_, action)| action);
        let made = action == "created";
        let causes = [
            (&mut self.status, made || names("active") || matches!(action, "deleted" | "restored")),
            (&mut self.link, made || matches!(action, "linked" | "unlinked" | "adopted" | "deleted" | "restored")),
            (&mut self.name, made || names("displayName") || names("name")),
        ];
        for (cause, is_one) in causes {
            if is_one && cause.is_none() {
                *cause = Some(entry.clone());
            }
        }
    }

    const fn are_known(&self) -> bool {
        self.status.is_some() && self.link.is_some() && self.name.is_some()
    }
}

impl Engine<'_> {
    /// The history of a customer, newest first, also of one that is deleted and not erased yet.
    ///
    /// # Errors
    /// [`Error::NotFound`](super::Error::NotFound); [`Error::Invalid`](super::Error::Invalid) for a limit or cursor that is not valid.
    pub fn customer_history(&self, id: &str, cursor: Option<&str>, limit: u32) -> Result<Page<HistoryEntry>> {
        self.read(|transaction| {
            check_customer(transaction, id)?;
            page(transaction, &keys::customer_history(id), cursor, limit)
        })
    }

    /// The history of an organization, newest first, also of one that is deleted and not erased yet.
    ///
    /// # Errors
    /// As [`customer_history`](Self::customer_history).
    pub fn organization_history(&self, id: u64, cursor: Option<&str>, limit: u32) -> Result<Page<HistoryEntry>> {
        self.read(|transaction| {
            check_organization(transaction, id)?;
            page(transaction, &keys::organization_history(id), cursor, limit)
        })
    }

    /// What put a customer into its state.
    ///
    /// # Errors
    /// [`Error::NotFound`](super::Error::NotFound).
    pub fn customer_causes(&self, id: &str) -> Result<Causes> {
        self.read(|transaction| {
            check_customer(transaction, id)?;
            Ok(causes(transaction, &keys::customer_history(id))?)
        })
    }

    /// What put an organization into its state.
    ///
    /// # Errors
    /// [`Error::NotFound`](super::Error::NotFound).
    pub fn organization_causes(&self, id: u64) -> Result<Causes> {
        self.read(|transaction| {
            check_organization(transaction, id)?;
            Ok(causes(transaction, &keys::organization_history(id))?)
        })
    }
}

fn check_customer(transaction: &mut Transaction, id: &str) -> Result<()> {
    if kept::customer(transaction, id)?.is_none() {
        customers::existing(transaction, id)?;
    }
    Ok(())
}

fn check_organization(transaction: &mut Transaction, id: u64) -> Result<()> {
    if kept::organization(transaction, id)?.is_none() {
        organizations::existing(transaction, id)?;
    }
    Ok(())
}

/// A page of the history whose keys begin with a prefix, newest first.
fn page(transaction: &mut Transaction, prefix: &str, cursor: Option<&str>, limit: u32) -> Result<Page<HistoryEntry>> {
    check_limit(limit)?;
    let before = match cursor {
        None => None,
        Some(text) => {
            let digits = Some(text).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
            Some(digits.and_then(|digits| digits.parse::<u64>().ok()).ok_or_else(no_such_cursor)?)
        }
    };
    let mut values = entries(transaction, prefix, before, limit + 1)?;
    let more = values.len() > limit as usize;
    values.truncate(limit as usize);
    let next = values.last().filter(|_| more).map(|last| last.sequence.to_string());
    Ok(Page { values, next })
}

/// Up to `limit` entries of a history, newest first: those before a number, or the newest.
fn entries(
    transaction: &mut Transaction,
    prefix: &str,
    before: Option<u64>,
    limit: u32,
) -> store::Result<Vec<HistoryEntry>> {
    let mut range = Range { reverse: true, ..prefix_range(prefix, limit) };
    if let Some(before) = before {
        range.end = alloc::format!("{prefix}{before:020}");
    }
    let found = transaction.scan(&range)?;
    let mut sequences: Vec<u64> = Vec::with_capacity(found.len());
    for entry in &found {
        sequences.push(keys::id_of(&entry.key).parse().map_err(|_| store::Error::corrupt(&entry.key))?);
    }
    let changes = transaction.get_many(sequences.iter().map(|sequence| keys::change(*sequence)).collect())?;
    let mut entries = Vec::with_capacity(found.len());
    for ((entry, sequence), change) in found.iter().zip(sequences).zip(changes) {
        let key = keys::change(sequence);
        let change: ChangeRecord = records::read(&key, &change.ok_or_else(|| store::Error::corrupt(&key))?)?;
        let values: Vec<StoredChange> =
            if entry.value.is_empty() { unknown(&change) } else { records::read(&entry.key, &entry.value)? };
        entries.push(HistoryEntry {
            sequence,
            at: change.at,
            actor: change.actor,
            request: change.request,
            kind: change.kind.into_owned(),
            resource: change.detail.user.or(change.detail.group),
            values: values.into_iter().map(ValueChange::from).collect(),
        });
    }
    Ok(entries)
}

/// The values of a change that an older version made, which did not keep them.
fn unknown(change: &ChangeRecord) -> Vec<StoredChange> {
    let attributes: &[&'static str] = match &*change.kind {
        "customer.updated" => &["email", "displayName"],
        "customer.activated" | "customer.deactivated" => &["active"],
        "organization.renamed" => &["name"],
        _ => &[],
    };
    let changed =
        |attribute: &&str| change.detail.changed.is_empty() || change.detail.changed.iter().any(|one| one == attribute);
    let values = attributes.iter().filter(|attribute| changed(attribute));
    values.map(|attribute| StoredChange { attribute: (*attribute).into(), old: None, new: None }).collect()
}

impl From<StoredChange> for ValueChange {
    fn from(value: StoredChange) -> Self {
        Self { attribute: value.attribute.into_owned(), old: value.old, new: value.new }
    }
}

/// Goes back in a history until the causes of the present state are known, but not for ever.
fn causes(transaction: &mut Transaction, prefix: &str) -> store::Result<Causes> {
    let (mut causes, mut before) = (Causes::default(), None);
    for _ in 0..MAX_PAGES {
        let entries = entries(transaction, prefix, before, ENTRIES_AT_ONCE)?;
        for entry in &entries {
            causes.note(entry);
        }
        match entries.last() {
            Some(last) if entries.len() >= ENTRIES_AT_ONCE as usize && !causes.are_known() => {
                before = Some(last.sequence);
            }
            _ => break,
        }
    }
    Ok(causes)
}
