//! Conflicts: groups that are left apart from the local organization of their name, or are refused for it, until an
//! administrator decides; and users and groups that came to have the name of another, until one of the two gets another
//! name. Groups that an administrator has left apart are listed as well, and can be taken up again.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::MAX_NAMED;
use super::planned_members::{self, MemberTurn};
use super::profile::{group_name, text};
use super::staging::{self, Planner};
use super::{refused, rules};
use crate::directories::record::load;
use crate::directories::{Error, Result};
use crate::engine::Engine;
use crate::site::arrivals;
use crate::site::holders::{self, Holder};
use crate::site::numbers;
use crate::site::organizations;
use crate::site::parting;
use crate::site::projects::{self, Audience};
use crate::site::{standing, totals};
use crate::storage::Range;
use crate::store::feed::{ChangeKind, Detail};
use crate::store::keys::{self, Association, Kind};
use crate::store::pages::{ENTRIES_AT_ONCE, Page, scan_ids};
use crate::store::plan;
use crate::store::records::{
    self, AdoptionRecord, ConflictPolicy, ConflictRecord, Counts, Header, LeftApart, Link, RefusedGroup, Stored,
    Subject,
};
use crate::store::{self, Transaction, prefix_range};
use crate::work::Work;

/// How many projects of an organization a preview looks at.
const MAX_PROJECTS: u32 = 1_000;

/// What a conflict is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConflictSubject {
    /// A group, by its id.
    Group(String),
    /// A user, by its id.
    User(String),
    /// A group that was refused, by an id that its conflict alone has.
    RefusedGroup(String),
}

impl ConflictSubject {
    /// The id.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            ConflictSubject::Group(id) | ConflictSubject::User(id) | ConflictSubject::RefusedGroup(id) => id,
        }
    }
}

/// What the matter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConflictKind {
    /// A group is left apart from the organization of its name.
    Apart,
    /// An administrator has left a group apart, or unlinked its organization. That is no open conflict, and can be taken
    /// up again.
    Left,
    /// A group was refused because a local organization has its name.
    Refused,
    /// It has the same name as another of the directory.
    SameName,
}

/// A conflict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The group or user.
    pub subject: ConflictSubject,
    /// What the matter is.
    pub kind: ConflictKind,
    /// Its name.
    pub name: String,
    /// The id of the other group or user of the directory with the same name, if there is one.
    pub same_name: Option<String>,
    /// The organization that now has the name of the group, if one has.
    pub organization: Option<ConflictOrganization>,
    /// When it began, in milliseconds since the Unix epoch.
    pub since: u64,
    /// How often the group was refused, and when last.
    pub refusals: Option<(u32, u64)>,
    /// Whether a refused group gets the organization when it is pushed again.
    pub adopts: bool,
}

/// The organization that has the name of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConflictOrganization {
    /// Its number.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// The directory that manages it, its id and name; `None` if it is local.
    pub managed_by: Option<(String, String)>,
}

/// An organization that was adopted for a group when it was pushed (conflict policy `sync`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adoption {
    /// The group.
    pub group: String,
    /// The number of the organization.
    pub organization: u64,
    /// Its name.
    pub name: String,
    /// When it was adopted, in milliseconds since the Unix epoch.
    pub at: u64,
    /// Whether its grace is over: until then, members that it had before may still go.
    pub settled: bool,
    /// Who came with the group and was no member before.
    pub came: MemberChange,
    /// Who was a member before, and is none any more.
    pub went: MemberChange,
}

/// What adopting the organization of a conflict would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConflictPreview {
    /// The conflict.
    pub conflict: Conflict,
    /// Who would become a member.
    pub added: MemberChange,
    /// Who would no longer be a member.
    pub removed: MemberChange,
    /// The restricted projects that are associated with the organization, each with its number and name: those who are
    /// added gain them, those who are removed lose them unless something else opens them.
    pub projects: Vec<(u64, String)>,
}

/// Customers who would come or go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemberChange {
    /// How many there are in all.
    pub count: u32,
    /// The ids of the first hundred.
    pub first: Vec<String>,
}

impl MemberChange {
    fn add(&mut self, customer: String) {
        self.count = self.count.saturating_add(1);
        if self.first.len() < MAX_NAMED {
            self.first.push(customer);
        }
    }
}

/// How a conflict is resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution {
    /// The organization becomes the group's, and its members are those of the group at once: whoever decides has seen
    /// the preview.
    Adopt,
    /// The organization gets this name, and the group gets an organization of its own.
    Rename(String),
    /// They stay apart, and the conflict is taken off the list.
    Leave,
}

/// A group that is left apart, or was refused.
struct Case {
    name: String,
    record: ConflictRecord,
    kind: ConflictKind,
    /// The group as it is stored, unless it was refused.
    stored: Option<Stored>,
}

impl Engine<'_> {
    /// The open conflicts of a directory.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Invalid`] for a limit or cursor that is not valid.
    pub fn conflicts(&self, directory: &str, cursor: Option<&str>, limit: u32) -> Result<Page<Conflict>> {
        self.read(|transaction| {
            load(transaction, directory)?;
            let prefix = keys::conflicts(directory);
            let Page { values: entries, next } = scan_ids::<Error>(transaction, &prefix, cursor, limit)?;
            let mut values = Vec::with_capacity(entries.len());
            for entry in &entries {
                let record: ConflictRecord = records::read(&entry.key, &entry.value)?;
                let id = keys::id_of(&entry.key);
                if let Some(Subject::User(_)) = record.same_name {
                    values.push(of_user(transaction, directory, id, record)?);
                    continue;
                }
                let case = open(transaction, directory, id, record)?;
                values.push(describe(transaction, id, case)?);
            }
            Ok(Page { values, next })
        })
    }

    /// The groups of a directory that an administrator has left apart, or whose organization an administrator has
    /// unlinked, in the order in which they were made.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Invalid`] for a limit or cursor that is not valid.
    pub fn left_apart(&self, directory: &str, cursor: Option<&str>, limit: u32) -> Result<Page<Conflict>> {
        self.read(|transaction| {
            load(transaction, directory)?;
            let prefix = keys::all_left_apart(directory);
            let Page { values: entries, next } = scan_ids::<Error>(transaction, &prefix, cursor, limit)?;
            let mut values = Vec::with_capacity(entries.len());
            for entry in &entries {
                let left: LeftApart = records::read(&entry.key, &entry.value)?;
                let id = keys::id_of(&entry.key);
                let case = left_case(transaction, directory, id, left.at)?;
                values.push(describe(transaction, id, case)?);
            }
            Ok(Page { values, next })
        })
    }

    /// The organizations that were adopted for groups of a directory, in the order in which the groups were made.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Invalid`] for a limit or cursor that is not valid.
    pub fn adoptions(&self, directory: &str, cursor: Option<&str>, limit: u32) -> Result<Page<Adoption>> {
        self.read(|transaction| {
            load(transaction, directory)?;
            let prefix = keys::adoptions(directory);
            let Page { values: entries, next } = scan_ids::<Error>(transaction, &prefix, cursor, limit)?;
            let mut values = Vec::with_capacity(entries.len());
            for entry in &entries {
                let record: AdoptionRecord = records::read(&entry.key, &entry.value)?;
                let organization = numbers::organization(transaction, record.organization)?;
                let organization = organization.ok_or_else(|| store::Error::corrupt(&entry.key))?;
                let change = |(count, first)| MemberChange { count, first };
                values.push(Adoption {
                    group: keys::id_of(&entry.key).to_string(),
                    organization: record.organization,
                    name: organization.name,
                    at: record.at,
                    settled: organization.retained.is_none(),
                    came: change(record.came),
                    went: change(record.went),
                });
            }
            Ok(Page { values, next })
        })
    }

    /// What adopting the organization of a conflict would do. Of a group that was refused, no members are known: those
    /// of the organization are said to go.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the directory or the conflict.
    pub fn preview_conflict(&self, directory: &str, group: &str) -> Result<ConflictPreview> {
        let now = self.now().milliseconds;
        self.read(|transaction| {
            load(transaction, directory)?;
            let case = existing(transaction, directory, group)?;
            let organization = organizations::named(transaction, &case.name)?;
            let (holders, projects) = match &organization {
                Some((id, record)) => {
                    (holders::holders(transaction, *id, record, now)?, restricted_projects(transaction, *id)?)
                }
                None => (Vec::new(), Vec::new()),
            };
            let (mut added, mut removed) = (MemberChange::default(), MemberChange::default());
            match &organization {
                Some((id, _)) if plan::is_staged(transaction, directory)? => {
                    added = planned(transaction, (directory, group), &case.name, *id, MemberTurn::Come, now)?;
                    removed = planned(transaction, (directory, group), &case.name, *id, MemberTurn::Go, now)?;
                }
                _ => {
                    let of_group = [Holder::lasting(group.to_string())];
                    holders::difference(transaction, &of_group, &holders, |customer| added.add(customer))?;
                    holders::difference(transaction, &holders, &of_group, |customer| removed.add(customer))?;
                }
            }
            let conflict = describe(transaction, group, case)?;
            Ok(ConflictPreview { conflict, added, removed, projects })
        })
    }

    /// Resolves a conflict, be it one that an administrator has left apart before. If no organization has the group's
    /// name any more, adopting and renaming make one. For a group that was refused, this says what happens when it is
    /// pushed again. What a staged directory resolves is planned, but for the new name of the organization that is
    /// renamed.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the directory or the conflict; [`Error::Invalid`] for a name that is not allowed;
    /// [`Error::Refused`] where a managed organization has the group's name, or any organization the new one.
    pub fn resolve_conflict(&self, actor: &str, directory: &str, group: &str, resolution: &Resolution) -> Result<()> {
        self.administer_directory(actor, directory, |work, counts| {
            let case = existing(work.transaction, directory, group)?;
            if *resolution != Resolution::Leave {
                parting::check_group_done(work.transaction, group)?;
            }
            if let Resolution::Rename(new) = resolution {
                organizations::make_way(work, &case.name, new)?;
            }
            let organization = match &case.stored {
                None => resolve_refused(work, counts, directory, group, &case.record, resolution)?,
                Some(stored) => {
                    if case.kind == ConflictKind::Left && *resolution == Resolution::Leave {
                        return Ok(());
                    }
                    take_off(work, counts, directory, group, &case);
                    if *resolution != Resolution::Leave && plan::is_staged(work.transaction, directory)? {
                        let (transaction, now) = (&mut *work.transaction, work.now.milliseconds);
                        let mut planner = Planner { transaction, counts, directory, id: group, now };
                        planner.begin_organization(&case.name, ConflictPolicy::Sync, true)?;
                        planner.find()?.and_then(|planned| planned.organization)
                    } else {
                        resolve_apart(work, directory, group, &case.name, stored, resolution)?
                    }
                }
            };
            let action = match resolution {
                Resolution::Adopt => "adopt",
                Resolution::Rename(_) => "rename",
                Resolution::Leave => "leave",
            };
            let group = case.stored.is_some().then(|| group.to_string());
            let (directory, action) = (Some(directory.to_string()), Some(action.to_string()));
            work.record(
                ChangeKind::ConflictResolved,
                Detail { directory, group, organization, action, ..Detail::default() },
            );
            Ok(())
        })
    }
}

/// Who would come into an organization, or go, if a group of a staged directory adopted it: users whom the plan links count
/// as linked. Those who are to have a customer of their own are counted, and not named.
fn planned(
    transaction: &mut Transaction,
    (directory, group): (&str, &str),
    name: &str,
    organization: u64,
    turn: MemberTurn,
    now: u64,
) -> Result<MemberChange> {
    let adoption = staging::adoption(name, organization);
    let (mut change, mut cursor) = (MemberChange::default(), None);
    loop {
        let place = (directory, group);
        let limit = ENTRIES_AT_ONCE;
        let page = planned_members::members(transaction, place, &adoption, turn, cursor.as_deref(), limit, now)?;
        for member in page.values {
            match member.customer {
                Some(customer) => change.add(customer),
                None => change.count = change.count.saturating_add(1),
            }
        }
        cursor = page.next;
        if cursor.is_none() {
            return Ok(change);
        }
    }
}

/// Gives a group that is left apart an organization, or leaves it apart. Returns the organization that it has now.
fn resolve_apart(
    work: &mut Work<'_>,
    directory: &str,
    group: &str,
    name: &str,
    stored: &Stored,
    resolution: &Resolution,
) -> Result<Option<u64>> {
    if *resolution == Resolution::Leave {
        leave(work, directory, group);
        return Ok(None);
    }
    let link = Link { directory: directory.to_string(), resource: group.to_string() };
    let organization = organizations::provision(work, link, name, ConflictPolicy::Sync, None)?;
    if let Some(number) = organization {
        arrivals::record(work, number, group, None)?;
        organizations::settle_at_once(work, number, true)?;
        totals::count_organization(work.transaction, directory, [false, true])?;
        rules::associate(work, directory, number, name)?;
        let header = Header { organization, ..stored.header.next(&work.now.text) };
        work.transaction.put(Kind::Group.resource(directory, group), stored.with_header(header).text());
    }
    Ok(organization)
}

/// Decides what happens to a group that was refused when it is pushed again. Returns the organization that it gets then.
fn resolve_refused(
    work: &mut Work<'_>,
    counts: &mut Counts,
    directory: &str,
    id: &str,
    record: &ConflictRecord,
    resolution: &Resolution,
) -> Result<Option<u64>> {
    let Some(refused) = &record.refused else { return Ok(None) };
    if *resolution != Resolution::Adopt {
        refused::close(work.transaction, directory, id, refused, counts);
        return Ok(None);
    }
    let refused = Some(RefusedGroup { adopt: true, ..refused.clone() });
    let organization = organizations::local_named(work.transaction, refused.as_ref().map_or("", |one| &one.name))?;
    let record = ConflictRecord { refused, ..record.clone() };
    work.transaction.put(keys::conflict(directory, id), records::write(&record));
    Ok(organization)
}

/// Takes the conflict of a group that is left apart off the list on which it stands.
fn take_off(work: &mut Work<'_>, counts: &mut Counts, directory: &str, group: &str, case: &Case) {
    if case.kind == ConflictKind::Left {
        work.transaction.delete(keys::left_apart(directory, group));
        return;
    }
    let key = keys::conflict(directory, group);
    if case.record.same_name.is_some() {
        work.transaction.put(key, records::write(&ConflictRecord { apart: false, ..case.record.clone() }));
    } else {
        work.transaction.delete(key);
        counts.conflicts = counts.conflicts.saturating_sub(1);
    }
}

/// Lists a group among those that an administrator has left apart.
pub fn leave(work: &mut Work<'_>, directory: &str, group: &str) {
    let left = LeftApart { at: work.now.milliseconds };
    work.transaction.put(keys::left_apart(directory, group), records::write(&left));
}

/// Whether a group is left apart as an open conflict.
///
/// # Errors
/// Where the storage fails.
pub fn is_apart(transaction: &mut Transaction, directory: &str, group: &str) -> store::Result<bool> {
    let key = keys::conflict(directory, group);
    let record: Option<ConflictRecord> =
        transaction.get(key.clone())?.map(|text| records::read(&key, &text)).transpose()?;
    Ok(record.is_some_and(|record| record.apart))
}

/// The conflict of a group, open or left.
fn existing(transaction: &mut Transaction, directory: &str, group: &str) -> Result<Case> {
    let missing = || Error::NotFound("the directory has no such conflict".to_string());
    if !keys::is_id(group) {
        return Err(missing());
    }
    let at = keys::conflict(directory, group);
    if let Some(record) = transaction.get(at.clone())? {
        let record: ConflictRecord = records::read(&at, &record)?;
        if record.apart || record.refused.is_some() {
            return open(transaction, directory, group, record);
        }
        if transaction.get(keys::left_apart(directory, group))?.is_none() {
            return Err(Error::Refused(
                "another of this directory has the same name: the conflict is over when the identity provider renames \
                 one of them"
                    .to_string(),
            ));
        }
    }
    let at = keys::left_apart(directory, group);
    let left = transaction.get(at.clone())?.ok_or_else(missing)?;
    left_case(transaction, directory, group, records::read::<LeftApart>(&at, &left)?.at)
}

/// The case of an open conflict.
fn open(transaction: &mut Transaction, directory: &str, group: &str, record: ConflictRecord) -> Result<Case> {
    if let Some(refused) = &record.refused {
        return Ok(Case { name: refused.name.clone(), record, kind: ConflictKind::Refused, stored: None });
    }
    let (stored, name) = of_group(transaction, directory, group)?;
    let kind = if record.apart { ConflictKind::Apart } else { ConflictKind::SameName };
    Ok(Case { name, record, kind, stored: Some(stored) })
}

/// The case of a group that an administrator has left apart.
fn left_case(transaction: &mut Transaction, directory: &str, group: &str, at: u64) -> Result<Case> {
    let (stored, name) = of_group(transaction, directory, group)?;
    let record = ConflictRecord { since: at, apart: true, same_name: None, refused: None };
    Ok(Case { name, record, kind: ConflictKind::Left, stored: Some(stored) })
}

fn of_group(transaction: &mut Transaction, directory: &str, group: &str) -> Result<(Stored, String)> {
    let key = Kind::Group.resource(directory, group);
    let stored = Stored::read(&key, transaction.get(key.clone())?.ok_or_else(|| store::Error::corrupt(&key))?)?;
    let name = group_name(&stored.attributes(&key)?).to_string();
    Ok((stored, name))
}

fn describe(transaction: &mut Transaction, id: &str, case: Case) -> Result<Conflict> {
    let organization = match organizations::named(transaction, &case.name)? {
        None => None,
        Some((number, record)) => {
            let manager = standing::manager(transaction, record.link.as_ref())?;
            let managed_by = record.link.zip(manager).map(|(link, manager)| (link.directory, manager.name));
            Some(ConflictOrganization { id: number, name: record.name, managed_by })
        }
    };
    let refused = case.record.refused;
    Ok(Conflict {
        subject: match refused {
            Some(_) => ConflictSubject::RefusedGroup(id.to_string()),
            None => ConflictSubject::Group(id.to_string()),
        },
        kind: case.kind,
        name: case.name,
        same_name: case.record.same_name.map(|other| other.id()),
        organization,
        since: case.record.since,
        refusals: refused.as_ref().map(|refused| (refused.count, refused.last)),
        adopts: refused.is_some_and(|refused| refused.adopt),
    })
}

/// The conflict of a user.
fn of_user(transaction: &mut Transaction, directory: &str, user: &str, record: ConflictRecord) -> Result<Conflict> {
    let key = Kind::User.resource(directory, user);
    let stored = Stored::read(&key, transaction.get(key.clone())?.ok_or_else(|| store::Error::corrupt(&key))?)?;
    let attributes = stored.attributes(&key)?;
    Ok(Conflict {
        subject: ConflictSubject::User(user.to_string()),
        kind: ConflictKind::SameName,
        name: text(&attributes, "userName").unwrap_or_default().to_string(),
        same_name: record.same_name.map(|other| other.id()),
        organization: None,
        since: record.since,
        refusals: None,
        adopts: false,
    })
}

/// The projects of an organization that not every customer may use, in order of their numbers.
fn restricted_projects(transaction: &mut Transaction, organization: u64) -> Result<Vec<(u64, String)>> {
    let prefix = Association::Organization.of_other(&keys::number(organization));
    let range = Range { keys_only: true, ..prefix_range(&prefix, MAX_PROJECTS) };
    let mut all = Vec::new();
    for entry in transaction.scan(&range)? {
        let id = numbers::parse(&entry.key, keys::id_of(&entry.key))?;
        let record = projects::existing(transaction, id)?;
        if record.audience == Audience::Restricted {
            all.push((id, record.name));
        }
    }
    Ok(all)
}
