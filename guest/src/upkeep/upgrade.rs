//! Bringing a storage of an older layout to the layout of this version, in bounded steps of upkeep that can be
//! interrupted anywhere: what is done is noted in the transaction that does it. A storage goes through the stages of
//! every layout after its own.
//!
//! Until it is done, everything can be read and nothing else can be written. From layout 1 to 2, names and addresses
//! begin to compare by the mapping steps of PRECIS, and only an email address leads to a customer:
//!
//! - every name and address in an index gets the key that it has now. If two become the same, the index leads to the
//!   older, and both are listed among the conflicts, see [`crate::twins`];
//! - customers who were restored and are members of managed organizations only for that reason get an end to their
//!   probation;
//! - a customer whose address is not an email address follows its user to a real one if there is one; otherwise it
//!   becomes local, and its user is linked to no customer, like a user without an address.
//!
//! From layout 2 to 3, more can be asked:
//!
//! - customers and organizations can be searched and are counted, see `searchable`;
//! - groups that an administrator has left apart are listed, so that they can be taken up again;
//! - every change of a customer or an organization that still exists goes into its history, without the values, which
//!   are not known any more;
//! - groups are put into the order of their sizes, and users that are linked to no customer are counted by reason.
//!
//! From layout 3 to 4, directories in a dry run become staged. From layout 4 to 5, users and groups are counted by blocks
//! of ids.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::searchable;
use crate::address::is_address;
use crate::engine::Engine;
use crate::provisioning::profile::{email, profile};
use crate::provisioning::{conflicts, links};
use crate::site::{self, customers, probation};
use crate::storage::Entry;
use crate::store::blocks::Ids;
use crate::store::feed::ChangeRecord;
use crate::store::keys::{self, Kind};
use crate::store::pages;
use crate::store::records::{
    self, CustomerRecord, DirectoryRecord, Mode, Stored, Subject, UnlinkedCounts, UnlinkedReason, UpgradeRecord,
};
use crate::store::{self, Result, Transaction, counts, plan, prefix_range, sizes};
use crate::text::fold;
use crate::twins;
use crate::work::{USHER, Work};

/// The stages: what is gone through, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The index of the names of directories.
    Directories,
    /// The index of the names of users or groups.
    Names(Kind),
    /// The index of the email addresses of users.
    Emails,
    /// The index of the email addresses of customers.
    Addresses,
    /// The index of the names of organizations.
    Organizations,
    /// Customers.
    Customers,
    /// The own members of organizations.
    OwnMembers,
    /// Groups of all directories.
    Groups,
    /// How much directories manage, and how much is local, to be counted anew.
    ManagedCounts,
    /// Customers, for searches.
    FoundCustomers,
    /// Organizations, for searches.
    FoundOrganizations,
    /// Projects, to be counted.
    Projects,
    /// Users that were unlinked from a customer, for searches.
    FoundUnlinked,
    /// The change feed.
    Changes,
    /// Groups, for the order of their sizes.
    Sizes,
    /// The counts of directories: those by reason begin with nothing.
    Counts,
    /// Users that are linked to no customer, to be counted by reason.
    Unlinked,
    /// Directories, of which those in a dry run become staged.
    Modes,
    /// Users or groups, to be counted by blocks.
    Blocks(Kind),
}

/// The stages from layout 1 on; those from layout 2 on are the ones after the first [`OF_LAYOUT_2`], and so on.
const STAGES: [Stage; 21] = [
    Stage::Directories,
    Stage::Names(Kind::User),
    Stage::Emails,
    Stage::Names(Kind::Group),
    Stage::Addresses,
    Stage::Organizations,
    Stage::Customers,
    Stage::OwnMembers,
    Stage::Groups,
    Stage::ManagedCounts,
    Stage::FoundCustomers,
    Stage::FoundOrganizations,
    Stage::Projects,
    Stage::FoundUnlinked,
    Stage::Changes,
    Stage::Sizes,
    Stage::Counts,
    Stage::Unlinked,
    Stage::Modes,
    Stage::Blocks(Kind::User),
    Stage::Blocks(Kind::Group),
];

/// How many of the stages bring a storage to layout 2.
const OF_LAYOUT_2: u32 = 8;

/// How many bring it to layout 3.
const OF_LAYOUT_3: u32 = 18;

/// How many bring it to layout 4.
const OF_LAYOUT_4: u32 = 19;

/// How far a storage has been brought to the layout of this version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Upgrade {
    /// How many of the stages are done.
    pub stage: u32,
    /// How many stages there are.
    pub stages: u32,
    /// How many entries have been looked at so far.
    pub entries: u64,
}

/// How far the upgrade of the storage is; `None` if it has this layout.
///
/// # Errors
/// Where the storage fails, or has a layout that this version does not know.
pub fn pending(transaction: &mut Transaction) -> Result<Option<Upgrade>> {
    let record = read(transaction)?;
    let stages = pages::count(STAGES.len());
    Ok(record.map(|record| Upgrade { stage: record.stage, stages, entries: record.entries }))
}

/// How far the upgrade of the storage is, as it is stored.
fn read(transaction: &mut Transaction) -> Result<Option<UpgradeRecord>> {
    let mut stored = transaction.get_many([keys::SCHEMA_KEY, keys::UPGRADE_KEY].map(ToString::to_string).to_vec())?;
    let record = stored.pop().flatten();
    match stored.pop().flatten().as_deref() {
        None | Some(keys::SCHEMA) => Ok(None),
        Some(older) if keys::OLDER_SCHEMAS.contains(&older) => {
            let stage = match older {
                "4" => OF_LAYOUT_4,
                "3" => OF_LAYOUT_3,
                "2" => OF_LAYOUT_2,
                _ => 0,
            };
            let beginning = UpgradeRecord { stage, after: None, entries: 0 };
            record.map_or(Ok(beginning), |text| records::read(keys::UPGRADE_KEY, &text)).map(Some)
        }
        Some(other) => Err(store::Error::Layout { found: other.to_string() }),
    }
}

impl Engine<'_> {
    /// Looks at up to `budget` entries more. Returns how many it looked at; `None` if the storage has this layout.
    pub(crate) fn upgrade_step(&self, budget: u32) -> site::Result<Option<u32>> {
        let now = self.now();
        self.write_any_layout(|transaction| {
            let Some(mut record) = read(transaction)? else { return Ok(None) };
            let settings = transaction.get(keys::SITE_SETTINGS_KEY.to_string())?;
            let mut work = Work { transaction, now: &now, actor: USHER, request: None, settings: settings.as_deref() };
            let mut entries = 0;
            if let Some(stage) = STAGES.get(record.stage as usize) {
                let (count, last) = stage.step(&mut work, record.after.take(), budget)?;
                (entries, record.after) = (count, last);
                record.entries = record.entries.saturating_add(u64::from(count));
                if record.after.is_none() {
                    record.stage += 1;
                }
            }
            if (record.stage as usize) < STAGES.len() {
                transaction.put(keys::SCHEMA_KEY.to_string(), keys::UPGRADING_SCHEMA);
                transaction.put(keys::UPGRADE_KEY.to_string(), records::write(&record));
            } else {
                transaction.put(keys::SCHEMA_KEY.to_string(), keys::SCHEMA);
                transaction.delete(keys::UPGRADE_KEY.to_string());
            }
            Ok(Some(entries))
        })
    }
}

impl Stage {
    /// What the keys of the stage begin with.
    fn prefix(self) -> &'static str {
        match self {
            Stage::Directories => "dn/",
            Stage::Names(Kind::User) => "un/",
            Stage::Names(Kind::Group) => "gn/",
            Stage::Emails => "ue/",
            Stage::Addresses => "cm/",
            Stage::Organizations => "on/",
            Stage::Customers | Stage::FoundCustomers => keys::ALL_CUSTOMERS,
            Stage::OwnMembers => keys::ALL_OWN_MEMBERS,
            Stage::Blocks(Kind::User) => "u/",
            Stage::Groups | Stage::Sizes | Stage::Blocks(Kind::Group) => "g/",
            Stage::ManagedCounts => keys::ALL_MANAGED_COUNTS,
            Stage::FoundOrganizations => keys::ALL_ORGANIZATIONS,
            Stage::Projects => keys::ALL_PROJECTS,
            Stage::Changes => keys::ALL_CHANGES,
            Stage::Counts => "dc/",
            Stage::Unlinked | Stage::FoundUnlinked => "ul/",
            Stage::Modes => keys::ALL_DIRECTORIES,
        }
    }

    /// Deals with the entries after `after`. Returns how many those were, and the last of them if others follow.
    fn step(self, work: &mut Work<'_>, after: Option<String>, budget: u32) -> site::Result<(u32, Option<String>)> {
        let mut range = prefix_range(self.prefix(), budget);
        range.keys_only = matches!(self, Stage::Blocks(_));
        if let Some(after) = after {
            range.start = keys::next(&after);
        }
        let entries = work.transaction.scan(&range)?;
        let count = pages::count(entries.len());
        let last = entries.last().map(|last| last.key.clone()).filter(|_| count >= budget);
        match self {
            Stage::OwnMembers => probation::find_without_end(work.transaction, &entries, work.now)?,
            Stage::ManagedCounts => searchable::forget_counts(work.transaction, entries),
            Stage::Projects => searchable::projects(work.transaction, count)?,
            Stage::Blocks(kind) => blocks(work.transaction, kind, &entries)?,
            _ => self.each(work, entries)?,
        }
        Ok((count, last))
    }

    /// Deals with entries one by one.
    fn each(self, work: &mut Work<'_>, entries: Vec<Entry>) -> site::Result<()> {
        for entry in entries {
            match self {
                Stage::Customers => customer(work, &entry)?,
                Stage::Groups => group(work, entry)?,
                Stage::FoundCustomers => searchable::customer(work.transaction, &entry)?,
                Stage::FoundOrganizations => searchable::organization(work.transaction, &entry)?,
                Stage::FoundUnlinked => searchable::unlinked(work.transaction, &entry)?,
                Stage::Changes => change(work.transaction, &entry)?,
                Stage::Sizes => size(work.transaction, entry)?,
                Stage::Counts => {
                    let directory = keys::id_of(&entry.key);
                    counts::change(work.transaction, directory, |counts| {
                        counts.unlinked_by = UnlinkedCounts::default();
                    })?;
                }
                Stage::Unlinked => unlinked(work.transaction, &entry)?,
                Stage::Modes => mode(work, entry)?,
                // ASCII text folds as before, and any other text has a `~` in its key.
                _ if !entry.key.contains('~') => {}
                Stage::Emails => email_of_user(work.transaction, entry)?,
                _ => self.name(work, entry)?,
            }
        }
        Ok(())
    }

    /// Gives a name in an index the key that it has now.
    fn name(self, work: &mut Work<'_>, entry: Entry) -> Result<()> {
        let corrupt = || store::Error::corrupt(&entry.key);
        let below = entry.key.strip_prefix(self.prefix()).ok_or_else(corrupt)?;
        let (directory, part) = match self {
            Stage::Names(_) => {
                below.split_once('/').map(|(directory, part)| (Some(directory), part)).ok_or_else(corrupt)?
            }
            _ => (None, below),
        };
        let text = keys::decode(part).ok_or_else(corrupt)?;
        let front = entry.key.strip_suffix(part).ok_or_else(corrupt)?;
        let key = format!("{front}{}", keys::encode(&fold(&text)));
        if key == entry.key {
            return Ok(());
        }
        let own = self.subject(&entry.value).ok_or_else(corrupt)?;
        let holder = work.transaction.get(key.clone())?;
        work.transaction.delete(entry.key.clone());
        let Some(holder) = holder.filter(|holder| *holder != entry.value) else {
            work.transaction.put(key, entry.value);
            return Ok(());
        };
        let other = self.subject(&holder).ok_or_else(|| store::Error::corrupt(&key))?;
        // Ids and numbers are in the order of creation.
        let (older, newer) = if own < other { (own, other) } else { (other, own) };
        work.transaction.put(key, older.id());
        let opened = twins::note(work, directory, &older, &newer)?;
        if let Some(directory) = directory {
            counts::change(work.transaction, directory, |counts| {
                counts.conflicts = counts.conflicts.saturating_add(opened);
            })?;
        }
        Ok(())
    }

    /// What an entry of the index leads to.
    fn subject(self, value: &str) -> Option<Subject> {
        let id = value.to_string();
        Some(match self {
            Stage::Directories => Subject::Directory(id),
            Stage::Names(Kind::User) => Subject::User(id),
            Stage::Names(Kind::Group) => Subject::Group(id),
            Stage::Addresses => Subject::Customer(id),
            Stage::Organizations => Subject::Organization(value.parse().ok()?),
            _ => return None,
        })
    }
}

/// Gives an email address of a user the key that it has now.
fn email_of_user(transaction: &mut Transaction, entry: Entry) -> Result<()> {
    let corrupt = || store::Error::corrupt(&entry.key);
    let id = keys::id_of(&entry.key);
    let below = entry.key.strip_prefix(Stage::Emails.prefix()).ok_or_else(corrupt)?;
    let (directory, part) = below.split_once('/').ok_or_else(corrupt)?;
    let (part, _) = part.rsplit_once('!').ok_or_else(corrupt)?;
    let key = keys::email(directory, &keys::decode(part).ok_or_else(corrupt)?) + id;
    if key != entry.key {
        transaction.put(key, entry.value);
        transaction.delete(entry.key);
    }
    Ok(())
}

/// Puts a group into the order of sizes.
fn size(transaction: &mut Transaction, entry: Entry) -> Result<()> {
    let (directory, group) = keys::two_ids(&entry.key).ok_or_else(|| store::Error::corrupt(&entry.key))?;
    let stored = Stored::read(&entry.key, entry.value)?;
    sizes::resize(transaction, directory, group, 0, stored.header.members);
    Ok(())
}

/// Counts a user that is linked to no customer by its reason.
fn unlinked(transaction: &mut Transaction, entry: &Entry) -> Result<()> {
    let (directory, _) = keys::two_ids(&entry.key).ok_or_else(|| store::Error::corrupt(&entry.key))?;
    let reason: UnlinkedReason = records::read(&entry.key, &entry.value)?;
    counts::change(transaction, directory, |counts| {
        let of_reason = counts.unlinked_by.of(reason);
        *of_reason = of_reason.saturating_add(1);
    })
}

/// Divides the users or groups of directories into blocks. What else there is of a directory than these entries counts as
/// well: this says only how much is done in one step.
fn blocks(transaction: &mut Transaction, kind: Kind, entries: &[Entry]) -> Result<()> {
    let directory = |entry: &Entry| keys::two_ids(&entry.key).map(|(directory, _)| directory.to_string());
    for part in entries.chunk_by(|one, other| directory(one) == directory(other)) {
        let key = part.first().map(|entry| entry.key.as_str()).unwrap_or_default();
        let (directory, _) = keys::two_ids(key).ok_or_else(|| store::Error::corrupt(key))?;
        counts::divide(transaction, Ids { directory, kind }, part.len() as u64)?;
    }
    Ok(())
}

/// Stages a directory that was in a dry run.
fn mode(work: &mut Work<'_>, entry: Entry) -> Result<()> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Before {
        #[serde(default)]
        dry_run: bool,
    }
    let before: Before = records::read(&entry.key, &entry.value)?;
    let record: DirectoryRecord = records::read(&entry.key, &entry.value)?;
    if !before.dry_run || record.mode != Mode::Live {
        return Ok(());
    }
    plan::count_staged(work.transaction, [record.mode, Mode::Staged])?;
    plan::look(work.transaction, keys::id_of(&entry.key), work.now.milliseconds)?;
    work.transaction.put(entry.key, records::write(&DirectoryRecord { mode: Mode::Staged, ..record }));
    Ok(())
}

/// If a customer's address is not an email address, gives it the real one of its user, or else unlinks it.
fn customer(work: &mut Work<'_>, entry: &Entry) -> site::Result<()> {
    let record: CustomerRecord = records::read(&entry.key, &entry.value)?;
    let Some(link) = record.link.clone().filter(|_| !is_address(&record.email)) else { return Ok(()) };
    if work.transaction.get(keys::directory(&link.directory))?.is_none() {
        return Ok(());
    }
    let (id, key) = (keys::id_of(&entry.key), Kind::User.resource(&link.directory, &link.resource));
    let user = work.transaction.get(key.clone())?.ok_or_else(|| store::Error::corrupt(&key))?;
    let user = Stored::read(&key, user)?;
    let attributes = user.attributes(&key)?;
    if let Some(address) = email(&attributes)
        && work.transaction.get(keys::customer_email(&address))?.is_none()
    {
        return customers::follow(work, id, &profile(&attributes, user.header.inactive));
    }
    Ok(links::detach(work, id, &record, &link, &user, UnlinkedReason::NoEmail)?)
}

/// Lists a group that an administrator has left apart.
fn group(work: &mut Work<'_>, entry: Entry) -> Result<()> {
    let (directory, id) = keys::two_ids(&entry.key).ok_or_else(|| store::Error::corrupt(&entry.key))?;
    let (directory, id) = (directory.to_string(), id.to_string());
    let stored = Stored::read(&entry.key, entry.value)?;
    if stored.header.organization.is_none() && !conflicts::is_apart(work.transaction, &directory, &id)? {
        conflicts::leave(work, &directory, &id);
    }
    Ok(())
}

/// Puts a change into the history of the customer or organization that it is about, if that still exists.
fn change(transaction: &mut Transaction, entry: &Entry) -> Result<()> {
    let change: ChangeRecord = records::read(&entry.key, &entry.value)?;
    let Some(history) = change.history() else { return Ok(()) };
    let of_customer = change.detail.customer.as_deref().map(|id| [keys::customer(id), keys::deleted_customer(id)]);
    let of_organization = change.detail.organization.map(|id| [keys::organization(id), keys::deleted_organization(id)]);
    let places = if change.kind.starts_with("customer.") { of_customer } else { of_organization };
    let found = transaction.get_many(places.into_iter().flatten().collect())?;
    let key = [history.as_str(), keys::id_of(&entry.key)].concat();
    // A change that was made while the storage was brought along has its values.
    if found.iter().any(Option::is_some) && transaction.get(key.clone())?.is_none() {
        transaction.put(key, "");
    }
    Ok(())
}
