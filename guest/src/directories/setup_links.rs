//! Set-up links: for whoever runs the identity provider and has no account here. Each is good for one API key.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::activity::load_status;
use super::error::{Error, Result};
use super::keys::{IssuedKey, rotate};
use super::record::{base_path, load, read_counts};
use super::secret;
use crate::engine::{DAY_MS, Engine, time};
use crate::store::feed::{ChangeKind, Detail};
use crate::store::records::{self, DirectoryRecord, Due, LinkUse, SetupLinkRecord};
use crate::store::{self, Transaction, keys, prefix_range};
use crate::work::Work;

/// How many days a link may be good for. Nobody remembers longer who was to have it.
const MAX_DAYS: u32 = 30;

/// How many links a directory may have that have not expired.
const MAX_LINKS: u32 = 20;

/// A set-up link without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetupLink {
    /// Its id.
    pub id: String,
    /// When it was made, in milliseconds since the Unix epoch.
    pub created_at: u64,
    /// When it expires, likewise.
    pub expires_at: u64,
    /// Who made it, as the change feed names them.
    pub made_by: String,
    /// For how many seconds the keys that work until it is used go on working then.
    pub overlap_seconds: u32,
    /// When it was used, in milliseconds since the Unix epoch; `None` if it was not.
    pub used_at: Option<u64>,
    /// The id of the key that was issued then.
    pub key: Option<String>,
}

/// A set-up link with its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSetupLink {
    /// What opens it, for an address that is sent to whoever is to have it.
    pub token: String,
    /// The same link without its secret.
    pub link: SetupLink,
}

/// What whoever has a link may know of the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setup {
    /// The name of the directory.
    pub directory: String,
    /// The path of its SCIM base URL.
    pub scim_path: String,
    /// When the link expires, in milliseconds since the Unix epoch.
    pub expires_at: u64,
    /// When it was used, likewise; `None` if it was not.
    pub used_at: Option<u64>,
    /// When its key was last used, likewise, to the minute; `None` if it was not.
    pub heard_at: Option<u64>,
    /// When the last request was refused for its key, likewise, if that was after the link was used.
    pub wrong_key_at: Option<u64>,
    /// Why the last request was refused that came with a key that works, if that was after the link was used and nothing has
    /// succeeded since: the sentence that the identity provider was answered.
    pub failure: Option<String>,
    /// How many users the directory has.
    pub users: u64,
    /// How many groups it has.
    pub groups: u64,
}

/// A link as it is stored, and where.
struct Found {
    directory: String,
    id: String,
    record: SetupLinkRecord,
    of: DirectoryRecord,
}

impl Engine<'_> {
    /// Makes a set-up link that is good for so many days (1 to 30). The keys that work until it is used stop working after
    /// the overlap then.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Invalid`] for another number of days; [`Error::Refused`] where too many links are
    /// there.
    pub fn make_setup_link(&self, actor: &str, id: &str, days: u32, overlap_seconds: u32) -> Result<NewSetupLink> {
        if !(1..=MAX_DAYS).contains(&days) {
            return Err(Error::Invalid(format!("a set-up link is good for 1 to {MAX_DAYS} days")));
        }
        self.administer(actor, |work| {
            let now = work.now.milliseconds;
            load(work.transaction, id)?;
            let (expired, good): (Vec<_>, Vec<_>) =
                load_links(work.transaction, id)?.into_iter().partition(|(_, record)| record.expires <= now);
            for (link, _) in expired {
                expire(work, id, &link)?;
            }
            if good.len() >= MAX_LINKS as usize {
                return Err(Error::Refused(format!(
                    "the directory has {MAX_LINKS} set-up links; take some back first"
                )));
            }
            let (link, secret) = (self.new_id(work.now), secret::fresh(self));
            let record = SetupLinkRecord {
                hash: secret::hash(&secret),
                created: now,
                expires: now.saturating_add(u64::from(days) * DAY_MS),
                by: work.actor.to_string(),
                overlap: overlap_seconds,
                used: None,
            };
            work.transaction.put(keys::setup_link(id, &link), records::write(&record));
            let due = due(id, &link);
            work.transaction.put(due.key(record.expires), records::write(&due));
            let detail = Detail { until: Some(time(record.expires)), ..Detail::of_setup_link(id, &link) };
            work.record(ChangeKind::SetupLinkMade, detail);
            Ok(NewSetupLink { token: format!("{id}.{link}.{secret}"), link: describe(link, record) })
        })
    }

    /// The set-up links of a directory that have not expired, oldest first.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn setup_links(&self, id: &str) -> Result<Vec<SetupLink>> {
        let now = self.now().milliseconds;
        self.read(|transaction| {
            load(transaction, id)?;
            let links = load_links(transaction, id)?.into_iter().filter(|(_, record)| now < record.expires);
            Ok(links.map(|(link, record)| describe(link, record)).collect())
        })
    }

    /// Takes a set-up link back: it opens nothing any more. A key that it has issued goes on working.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn revoke_setup_link(&self, actor: &str, id: &str, link: &str) -> Result<()> {
        self.administer(actor, |work| {
            load(work.transaction, id)?;
            let missing = || Error::NotFound("the directory has no such set-up link".to_string());
            if !keys::is_id(link) {
                return Err(missing());
            }
            let at = keys::setup_link(id, link);
            let record: SetupLinkRecord = records::read(&at, &work.transaction.get(at.clone())?.ok_or_else(missing)?)?;
            remove(work.transaction, id, link, &record);
            work.record(ChangeKind::SetupLinkRevoked, Detail::of_setup_link(id, link));
            Ok(())
        })
    }

    /// What whoever has a set-up link may know of its directory.
    ///
    /// # Errors
    /// [`Error::NotFound`] for what is no link that opens something: not one of ours, expired, taken back, or of a
    /// directory that is disconnected. Which of it is not told.
    pub fn open_setup_link(&self, token: &str) -> Result<Setup> {
        let now = self.now().milliseconds;
        self.read(|transaction| {
            let Found { directory, record, of, .. } = find(transaction, token, now)?;
            let counts = transaction.get(keys::counts(&directory))?;
            let (counts, status) = (read_counts(&directory, counts)?, load_status(transaction, &directory)?);
            let used = record.used.as_ref();
            let since = |at: &u64| used.is_some_and(|used| used.at <= *at);
            let refused = [status.wrong_keys, status.expired_keys].into_iter().flatten().map(|refused| refused.last);
            let failure = status
                .last_failure
                .as_ref()
                .filter(|failure| since(&failure.at) && status.last_success.is_none_or(|success| success < failure.at));
            Ok(Setup {
                directory: of.name,
                scim_path: base_path(&directory),
                expires_at: record.expires,
                used_at: used.map(|used| used.at),
                heard_at: used.and_then(|used| status.uses.of(&used.key)),
                wrong_key_at: refused.max().filter(since),
                failure: failure.map(|failure| failure.detail.clone().unwrap_or_default()),
                users: counts.users,
                groups: counts.groups,
            })
        })
    }

    /// Issues the API key of a set-up link, to whoever has the link: once.
    ///
    /// # Errors
    /// [`Error::NotFound`] as for [`open_setup_link`](Self::open_setup_link); [`Error::Refused`] if it was used, or where
    /// too many keys still work.
    pub fn claim_setup_link(&self, token: &str) -> Result<IssuedKey> {
        // Whoever has no link makes nothing be written, and has no name in the feed.
        let moment = self.now().milliseconds;
        let id = self.read(|transaction| find(transaction, token, moment).map(|found| found.id))?;
        self.change_as(&format!("setup:{id}"), |work| {
            let now = work.now.milliseconds;
            let Found { directory, id, record, .. } = find(work.transaction, token, now)?;
            if record.used.is_some() {
                return Err(Error::Refused("the set-up link was used: its key is issued once".to_string()));
            }
            let key = rotate(self, work, &directory, record.overlap)?;
            let used = LinkUse { at: now, key: key.key.id.clone() };
            let record = SetupLinkRecord { used: Some(used), ..record };
            work.transaction.put(keys::setup_link(&directory, &id), records::write(&record));
            let detail = Detail { key: Some(key.key.id.clone()), ..Detail::of_setup_link(&directory, &id) };
            work.record(ChangeKind::SetupLinkUsed, detail);
            Ok(key)
        })
    }
}

/// The link that a token opens.
fn find(transaction: &mut Transaction, token: &str, now: u64) -> Result<Found> {
    let missing = || {
        Error::NotFound(
            "this set-up link opens nothing: it may be cut short, have expired, or have been taken back".into(),
        )
    };
    let mut parts = token.splitn(3, '.');
    let (Some(directory), Some(link), Some(secret)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(missing());
    };
    let Some(hash) = secret::hash_of_outside(secret).filter(|_| keys::is_id(directory) && keys::is_id(link)) else {
        return Err(missing());
    };
    let at = [keys::directory(directory), keys::setup_link(directory, link)];
    let mut found = transaction.get_many(at.to_vec())?.into_iter();
    let (Some(Some(of)), Some(Some(record))) = (found.next(), found.next()) else { return Err(missing()) };
    let (of, record): (_, SetupLinkRecord) = (records::read(&at[0], &of)?, records::read(&at[1], &record)?);
    if !secret::is_same(&hash, &record.hash) || record.expires <= now {
        return Err(missing());
    }
    Ok(Found { directory: directory.to_string(), id: link.to_string(), record, of })
}

/// Removes a link that has expired.
///
/// # Errors
/// Where the storage fails.
pub fn expire(work: &mut Work<'_>, directory: &str, link: &str) -> store::Result<()> {
    let at = keys::setup_link(directory, link);
    let Some(text) = work.transaction.get(at.clone())? else { return Ok(()) };
    let record: SetupLinkRecord = records::read(&at, &text)?;
    remove(work.transaction, directory, link, &record);
    if record.used.is_none() {
        work.record(ChangeKind::SetupLinkExpired, Detail::of_setup_link(directory, link));
    }
    Ok(())
}

/// Removes the links of a directory that is disconnected.
///
/// # Errors
/// Where the storage fails.
pub fn remove_all(transaction: &mut Transaction, directory: &str) -> store::Result<()> {
    for (link, record) in load_links(transaction, directory)? {
        remove(transaction, directory, &link, &record);
    }
    Ok(())
}

fn remove(transaction: &mut Transaction, directory: &str, link: &str, record: &SetupLinkRecord) {
    transaction.delete(due(directory, link).key(record.expires));
    transaction.delete(keys::setup_link(directory, link));
}

/// The links of a directory as they are stored, oldest first.
fn load_links(transaction: &mut Transaction, directory: &str) -> store::Result<Vec<(String, SetupLinkRecord)>> {
    // Expired ones are removed whenever one is made, so that there are never more.
    let entries = transaction.scan(&prefix_range(&keys::setup_links(directory), MAX_LINKS))?;
    let links = entries.into_iter();
    links.map(|entry| Ok((keys::id_of(&entry.key).to_string(), records::read(&entry.key, &entry.value)?))).collect()
}

fn due(directory: &str, link: &str) -> Due {
    Due::SetupLink { directory: directory.to_string(), link: link.to_string() }
}

fn describe(id: String, record: SetupLinkRecord) -> SetupLink {
    let (used_at, key) = record.used.map(|used| (used.at, used.key)).unzip();
    SetupLink {
        id,
        created_at: record.created,
        expires_at: record.expires,
        made_by: record.by,
        overlap_seconds: record.overlap,
        used_at,
        key,
    }
}
