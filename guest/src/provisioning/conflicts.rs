//! Conflicts: groups that are left apart from the local organization of their name, until an administrator decides; and
//! users and groups that came to have the name of another, until one of the two gets another name.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::MAX_NAMED;
use super::profile::{group_name, text};
use super::rules;
use crate::directories::record::load;
use crate::directories::{Error, Result};
use crate::engine::Engine;
use crate::site::holders::{self, Holder};
use crate::site::numbers;
use crate::site::organizations;
use crate::site::projects::{self, Audience};
use crate::storage::Range;
use crate::store::feed::{ChangeKind, Detail};
use crate::store::keys::{self, Association, Kind};
use crate::store::pages::{Page, scan_ids};
use crate::store::records::{self, ConflictPolicy, ConflictRecord, Header, Link, OrganizationRecord, Stored, Subject};
use crate::store::{self, Transaction, prefix_range};

/// How many projects of an organization a preview looks at.
const MAX_PROJECTS: u32 = 1_000;

/// What a conflict is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConflictSubject {
    /// A group, by its id.
    Group(String),
    /// A user, by its id.
    User(String),
}

/// An open conflict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The group or user.
    pub subject: ConflictSubject,
    /// Its name.
    pub name: String,
    /// Whether it is a group that is left apart from the organization of its name.
    pub apart: bool,
    /// The id of the other group or user of the directory with the same name, if there is one.
    pub same_name: Option<String>,
    /// The organization that now has the name of the group, if one has: its number and name.
    pub organization: Option<(u64, String)>,
    /// When it began, in milliseconds since the Unix epoch.
    pub since: u64,
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

/// A group that is left apart.
struct OpenConflict {
    stored: Stored,
    name: String,
    record: ConflictRecord,
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
                let conflict = open(transaction, directory, id, record)?;
                let organization = organizations::named(transaction, &conflict.name)?;
                values.push(describe(id, conflict, organization.as_ref()));
            }
            Ok(Page { values, next })
        })
    }

    /// What adopting the organization of a conflict would do.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the directory or the conflict.
    pub fn preview_conflict(&self, directory: &str, group: &str) -> Result<ConflictPreview> {
        let now = self.now().milliseconds;
        self.read(|transaction| {
            load(transaction, directory)?;
            let conflict = existing(transaction, directory, group)?;
            let organization = organizations::named(transaction, &conflict.name)?;
            let (holders, projects) = match &organization {
                Some((id, record)) => {
                    (holders::holders(transaction, *id, record, now)?, restricted_projects(transaction, *id)?)
                }
                None => (Vec::new(), Vec::new()),
            };
            let of_group = [Holder::lasting(group.to_string())];
            let (mut added, mut removed) = (MemberChange::default(), MemberChange::default());
            holders::difference(transaction, &of_group, &holders, |customer| added.add(customer))?;
            holders::difference(transaction, &holders, &of_group, |customer| removed.add(customer))?;
            let conflict = describe(group, conflict, organization.as_ref());
            Ok(ConflictPreview { conflict, added, removed, projects })
        })
    }

    /// Resolves a conflict. If no organization has the group's name any more, adopting and renaming make one.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the directory or the conflict; [`Error::Invalid`] for a name that is not allowed;
    /// [`Error::Refused`] where a managed organization has the group's name, or any organization the new one.
    pub fn resolve_conflict(&self, actor: &str, directory: &str, group: &str, resolution: &Resolution) -> Result<()> {
        self.administer_directory(actor, directory, |work, counts| {
            let conflict = existing(work.transaction, directory, group)?;
            if let Resolution::Rename(new) = resolution {
                organizations::make_way(work, &conflict.name, new)?;
            }
            let (action, organization) = match resolution {
                Resolution::Leave => ("leave", None),
                adopt_or_rename => {
                    let action = if *adopt_or_rename == Resolution::Adopt { "adopt" } else { "rename" };
                    let link = Link { directory: directory.to_string(), resource: group.to_string() };
                    (action, organizations::provision(work, link, &conflict.name, ConflictPolicy::Sync, None)?)
                }
            };
            let key = keys::conflict(directory, group);
            if conflict.record.same_name.is_some() {
                work.transaction.put(key, records::write(&ConflictRecord { apart: false, ..conflict.record }));
            } else {
                work.transaction.delete(key);
                counts.conflicts = counts.conflicts.saturating_sub(1);
            }
            if let Some(number) = organization {
                rules::associate(work, directory, number, &conflict.name)?;
                let header = Header { organization, ..conflict.stored.header.next(&work.now.text) };
                let text = conflict.stored.with_header(header);
                work.transaction.put(Kind::Group.resource(directory, group), text.text());
            }
            let (directory, group) = (Some(directory.to_string()), Some(group.to_string()));
            let action = Some(action.to_string());
            work.record(
                ChangeKind::ConflictResolved,
                Detail { directory, group, organization, action, ..Detail::default() },
            );
            Ok(())
        })
    }
}

/// The group of an open conflict.
fn existing(transaction: &mut Transaction, directory: &str, group: &str) -> Result<OpenConflict> {
    let missing = || Error::NotFound("the directory has no such conflict".to_string());
    if !keys::is_id(group) {
        return Err(missing());
    }
    let at = keys::conflict(directory, group);
    let record = transaction.get(at.clone())?.ok_or_else(missing)?;
    let record: ConflictRecord = records::read(&at, &record)?;
    if !record.apart {
        return Err(Error::Refused(
            "another of this directory has the same name: the conflict is over when the identity provider renames one of them"
                .to_string(),
        ));
    }
    open(transaction, directory, group, record)
}

/// The group of a conflict.
fn open(transaction: &mut Transaction, directory: &str, group: &str, record: ConflictRecord) -> Result<OpenConflict> {
    let key = Kind::Group.resource(directory, group);
    let stored = Stored::read(&key, transaction.get(key.clone())?.ok_or_else(|| store::Error::corrupt(&key))?)?;
    let name = group_name(&stored.attributes(&key)?).to_string();
    Ok(OpenConflict { stored, name, record })
}

fn describe(group: &str, conflict: OpenConflict, organization: Option<&(u64, OrganizationRecord)>) -> Conflict {
    Conflict {
        subject: ConflictSubject::Group(group.to_string()),
        name: conflict.name,
        apart: conflict.record.apart,
        same_name: conflict.record.same_name.map(|other| other.id()),
        organization: organization.map(|(id, record)| (*id, record.name.clone())),
        since: conflict.record.since,
    }
}

/// The conflict of a user.
fn of_user(transaction: &mut Transaction, directory: &str, user: &str, record: ConflictRecord) -> Result<Conflict> {
    let key = Kind::User.resource(directory, user);
    let stored = Stored::read(&key, transaction.get(key.clone())?.ok_or_else(|| store::Error::corrupt(&key))?)?;
    let attributes = stored.attributes(&key)?;
    let name = text(&attributes, "userName").unwrap_or_default().to_string();
    let subject = ConflictSubject::User(user.to_string());
    let same_name = record.same_name.map(|other| other.id());
    Ok(Conflict { subject, name, apart: false, same_name, organization: None, since: record.since })
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
