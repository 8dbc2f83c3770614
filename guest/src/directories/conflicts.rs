//! Conflicts: groups that were left apart from the local organization of their name, until an administrator decides.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{Error, Result, load, scan_ids};
use crate::engine::Engine;
use crate::scim::groups::name;
use crate::site::membership::{self, Holder};
use crate::site::organizations;
use crate::site::projects::{self, Audience};
use crate::storage::Range;
use crate::store::keys::{self, Association, Kind};
use crate::store::records::{self, ConflictPolicy, ConflictRecord, Detail, Header, Link, OrganizationRecord, Stored};
use crate::store::{Transaction, prefix_range};

/// How many customers a preview names on either side.
const MAX_NAMED: usize = 100;

/// How many projects of an organization a preview looks at.
const MAX_PROJECTS: u32 = 1_000;

/// A conflict that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The group.
    pub group: String,
    /// Its name.
    pub name: String,
    /// The organization that has this name now: its number and name.
    pub organization: Option<(u64, String)>,
    /// Since when, in milliseconds since the Unix epoch.
    pub since: u64,
}

/// One page of conflicts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConflictPage {
    /// The conflicts, in the order in which their groups were made.
    pub values: Vec<Conflict>,
    /// What to pass for the next page.
    pub next: Option<String>,
}

/// What adopting would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConflictPreview {
    /// The conflict.
    pub conflict: Conflict,
    /// Who would become a member.
    pub added: MemberChange,
    /// Who would be a member no longer.
    pub removed: MemberChange,
    /// The restricted projects that are associated with the organization, each with its number and name: those who are
    /// added gain them, those who are removed lose them.
    pub projects: Vec<(u64, String)>,
}

/// Customers who come or go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemberChange {
    /// How many.
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
    /// The organization becomes the group's. Its members are the group's at once: who decides has seen the preview.
    Adopt,
    /// The organization gets this name, and the group one of its own.
    Rename(String),
    /// They stay apart, and the conflict is off the list.
    Leave,
}

/// A group that is left apart.
struct Apart {
    stored: Stored,
    name: String,
    since: u64,
}

impl Engine<'_> {
    /// The open conflicts of a directory.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Invalid`] for a limit or cursor that cannot be.
    pub fn conflicts(&self, directory: &str, cursor: Option<&str>, limit: u32) -> Result<ConflictPage> {
        self.read(|transaction| {
            load(transaction, directory)?;
            let (entries, next) = scan_ids(transaction, &keys::conflicts(directory), cursor, limit)?;
            let mut values = Vec::with_capacity(entries.len());
            for entry in &entries {
                let group = keys::id_of(&entry.key);
                let apart = existing(transaction, directory, group)?;
                let organization = organizations::named(transaction, &apart.name)?;
                values.push(describe(group, &apart, organization.as_ref()));
            }
            Ok(ConflictPage { values, next })
        })
    }

    /// What adopting the organization would do.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the directory or the conflict.
    pub fn preview_conflict(&self, directory: &str, group: &str) -> Result<ConflictPreview> {
        let now = self.now().milliseconds;
        self.read(|transaction| {
            load(transaction, directory)?;
            let apart = existing(transaction, directory, group)?;
            let organization = organizations::named(transaction, &apart.name)?;
            let (holders, projects) = match &organization {
                Some((id, record)) => {
                    (membership::holders(transaction, *id, record, now)?, restricted_projects(transaction, *id)?)
                }
                None => (Vec::new(), Vec::new()),
            };
            let of_group = [Holder::lasting(group.to_string())];
            let (mut added, mut removed) = (MemberChange::default(), MemberChange::default());
            membership::difference(transaction, &of_group, &holders, |customer| added.add(customer))?;
            membership::difference(transaction, &holders, &of_group, |customer| removed.add(customer))?;
            let conflict = describe(group, &apart, organization.as_ref());
            Ok(ConflictPreview { conflict, added, removed, projects })
        })
    }

    /// Resolves a conflict. Where no organization has the group's name by now, adopting and renaming make one.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the directory or the conflict; [`Error::Invalid`] for a name that cannot be;
    /// [`Error::Refused`] where a managed organization has the group's name by now, or any the new one.
    pub fn resolve_conflict(&self, actor: &str, directory: &str, group: &str, resolution: &Resolution) -> Result<()> {
        self.directory_write(actor, directory, |work, counts| {
            let apart = existing(work.transaction, directory, group)?;
            if let Resolution::Rename(new) = resolution {
                organizations::make_way(work, &apart.name, new)?;
            }
            let (action, organization) = match resolution {
                Resolution::Leave => ("leave", None),
                adopt_or_rename => {
                    let action = if *adopt_or_rename == Resolution::Adopt { "adopt" } else { "rename" };
                    let link = Link { directory: directory.to_string(), resource: group.to_string() };
                    (action, organizations::provision(work, link, &apart.name, ConflictPolicy::Sync, None)?)
                }
            };
            work.transaction.delete(keys::conflict(directory, group));
            counts.conflicts = counts.conflicts.saturating_sub(1);
            if organization.is_some() {
                let header = Header { organization, ..apart.stored.header.next(&work.now.text) };
                let text = apart.stored.with_header(header);
                work.transaction.put(Kind::Group.resource(directory, group), text.text());
            }
            let (directory, group) = (Some(directory.to_string()), Some(group.to_string()));
            let action = Some(action.to_string());
            work.record("conflict.resolved", Detail { directory, group, organization, action, ..Detail::default() });
            Ok(())
        })
    }
}

/// The group of an open conflict.
fn existing(transaction: &mut Transaction, directory: &str, group: &str) -> Result<Apart> {
    let missing = || Error::NotFound("the directory has no such conflict".to_string());
    if !keys::is_id(group) {
        return Err(missing());
    }
    let at = keys::conflict(directory, group);
    let conflict = transaction.get(at.clone())?.ok_or_else(missing)?;
    let ConflictRecord { since } = records::read(&at, &conflict)?;
    let key = Kind::Group.resource(directory, group);
    let stored = Stored::read(&key, transaction.get(key.clone())?.ok_or_else(|| records::corrupt(&at))?)?;
    let name = name(&stored.attributes(&key)?).to_string();
    Ok(Apart { stored, name, since })
}

fn describe(group: &str, apart: &Apart, organization: Option<&(u64, OrganizationRecord)>) -> Conflict {
    Conflict {
        group: group.to_string(),
        name: apart.name.clone(),
        organization: organization.map(|(id, record)| (*id, record.name.clone())),
        since: apart.since,
    }
}

/// The projects of an organization that not every customer may use, in order of their numbers.
fn restricted_projects(transaction: &mut Transaction, organization: u64) -> Result<Vec<(u64, String)>> {
    let prefix = Association::Organization.of_other(&keys::number(organization));
    let range = Range { keys_only: true, ..prefix_range(&prefix, MAX_PROJECTS) };
    let mut all = Vec::new();
    for entry in transaction.scan(&range)? {
        let id = keys::id_of(&entry.key).parse().map_err(|_| records::corrupt(&entry.key))?;
        let record = projects::existing(transaction, id)?;
        if record.audience == Audience::Restricted {
            all.push((id, record.name));
        }
    }
    Ok(all)
}
