//! Projects: service desks, where customers ask for help. Directories have no say in what is associated with them.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::customers::{self, Customer};
use super::error::{Error, Result};
use super::organizations::{self, Organization};
use super::standing::{Standings, is_all_in_sight, shown_page};
use super::{membership, numbers, totals};
use crate::engine::Engine;
use crate::names;
use crate::store::edges::SWEPT_AT_ONCE;
use crate::store::feed::{self, ChangeKind, Detail};
use crate::store::keys::{self, Association};
use crate::store::pages::{Page, Position, check_limit, is_cursor, no_such_cursor, scan_page};
pub use crate::store::records::Audience;
use crate::store::records::{self, ProjectRecord, Sweep};
use crate::store::{self, Transaction, prefix_range};
use crate::work::Work;

/// A project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// Its number.
    pub id: u64,
    /// Its key: 2 to 10 capital letters and digits, a letter first. Unique on the site.
    pub key: String,
    /// The name, 1 to 200 characters.
    pub name: String,
    /// Who may use it.
    pub audience: Audience,
    /// When it was made, in milliseconds since the Unix epoch.
    pub created_at: u64,
}

/// The record of a project.
///
/// # Errors
/// [`Error::NotFound`].
pub fn existing(transaction: &mut Transaction, id: u64) -> Result<ProjectRecord> {
    let key = keys::project(id);
    let text = transaction.get(key.clone())?.ok_or_else(|| Error::NotFound("there is no such project".to_string()))?;
    Ok(records::read(&key, &text)?)
}

/// Stores a project, and whether it is open to every customer.
fn store(transaction: &mut Transaction, id: u64, record: &ProjectRecord) {
    transaction.put(keys::project(id), records::write(record));
    match record.audience {
        Audience::Open => transaction.put(keys::open_project(id), ""),
        Audience::Restricted => transaction.delete(keys::open_project(id)),
    }
}

/// A project as callers see it.
#[must_use]
pub fn describe(id: u64, record: ProjectRecord) -> Project {
    Project { id, key: record.key, name: record.name, audience: record.audience, created_at: record.created }
}

/// Opens a project to the members of an organization. Returns whether that changed anything.
///
/// # Errors
/// Where the storage fails.
pub fn open_to(work: &mut Work<'_>, project: u64, organization: u64) -> store::Result<bool> {
    set_organization(work, project, organization, true)
}

/// Opens a project to the members of an organization, or closes it to them. Returns whether that changed anything.
fn set_organization(work: &mut Work<'_>, project: u64, organization: u64, associated: bool) -> store::Result<bool> {
    let keys = Association::Organization.both(project, &keys::number(organization));
    let changed = set_all(work.transaction, keys, associated)?;
    if changed {
        let kind =
            if associated { ChangeKind::ProjectOrganizationAdded } else { ChangeKind::ProjectOrganizationRemoved };
        work.record(kind, Detail { organization: Some(organization), ..Detail::of_project(project) });
    }
    Ok(changed)
}

/// Removes up to `limit` associations of a deleted project. Returns how many, and whether others remain.
///
/// # Errors
/// Where the storage fails.
pub fn drop_associations(transaction: &mut Transaction, id: u64, limit: u32) -> store::Result<(u32, bool)> {
    let mut removed = 0;
    for association in [Association::Organization, Association::Customer] {
        let mut range = prefix_range(&association.of_project(id), limit - removed + 1);
        range.keys_only = true;
        for entry in transaction.scan(&range)? {
            if removed == limit {
                return Ok((removed, true));
            }
            association.both(id, keys::id_of(&entry.key)).into_iter().for_each(|key| transaction.delete(key));
            removed += 1;
        }
    }
    Ok((removed, false))
}

impl Engine<'_> {
    /// Makes a project.
    ///
    /// # Errors
    /// [`Error::Invalid`]; [`Error::Taken`] where a project has this key.
    pub fn create_project(&self, actor: &str, key: &str, name: &str, audience: Audience) -> Result<Project> {
        let record = ProjectRecord {
            key: checked_key(key)?,
            name: names::checked(name)?,
            audience,
            created: self.now().milliseconds,
        };
        self.administer(actor, |work| {
            let at = keys::project_key(&record.key);
            if work.transaction.get(at.clone())?.is_some() {
                return Err(Error::Taken("a project has this key".to_string()));
            }
            let id = numbers::next(work.transaction, keys::LAST_PROJECT_KEY)?;
            work.transaction.put(at, keys::number(id));
            store(work.transaction, id, &record);
            totals::count(work.transaction, keys::SITE, |counts| counts.projects = counts.projects.saturating_add(1))?;
            work.record(ChangeKind::ProjectCreated, Detail::of_project(id));
            Ok(describe(id, record.clone()))
        })
    }

    /// The projects of the site, in the order in which they were made.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a limit or cursor that is not valid.
    pub fn projects(&self, position: &Position, limit: u32) -> Result<Page<Project>> {
        self.read(|transaction| {
            let page = scan_page::<Error>(transaction, keys::ALL_PROJECTS, position, limit)?;
            let values = page.values.iter().map(|entry| {
                let id = numbers::parse(&entry.key, keys::id_of(&entry.key))?;
                Ok(describe(id, records::read(&entry.key, &entry.value)?))
            });
            Ok(Page { values: values.collect::<Result<_>>()?, next: page.next })
        })
    }

    /// The project with this number.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn project(&self, id: u64) -> Result<Project> {
        self.read(|transaction| Ok(describe(id, existing(transaction, id)?)))
    }

    /// The project of this key, in any letter case.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn project_by_key(&self, key: &str) -> Result<Project> {
        self.read(|transaction| {
            let missing = || Error::NotFound("there is no such project".to_string());
            let at = keys::project_key(key);
            if !keys::is_storable(&at) {
                return Err(missing());
            }
            let number = transaction.get(at.clone())?.ok_or_else(missing)?;
            let id = numbers::parse(&at, &number)?;
            Ok(describe(id, existing(transaction, id)?))
        })
    }

    /// Changes the name or the audience of a project; what is `None` stays as it is.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`].
    pub fn update_project(
        &self,
        actor: &str,
        id: u64,
        name: Option<&str>,
        audience: Option<Audience>,
    ) -> Result<Project> {
        let name = name.map(names::checked).transpose()?;
        self.administer(actor, |work| {
            let old = existing(work.transaction, id)?;
            let new = ProjectRecord {
                name: name.clone().unwrap_or_else(|| old.name.clone()),
                audience: audience.unwrap_or(old.audience),
                ..old.clone()
            };
            if new != old {
                store(work.transaction, id, &new);
                let changed =
                    feed::changed([("name", new.name != old.name), ("audience", new.audience != old.audience)]);
                work.record(ChangeKind::ProjectUpdated, Detail { changed, ..Detail::of_project(id) });
            }
            Ok(describe(id, new))
        })
    }

    /// Deletes a project.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn delete_project(&self, actor: &str, id: u64) -> Result<()> {
        self.administer(actor, |work| {
            let old = existing(work.transaction, id)?;
            work.transaction.delete(keys::project(id));
            work.transaction.delete(keys::open_project(id));
            work.transaction.delete(keys::project_key(&old.key));
            totals::count(work.transaction, keys::SITE, |counts| counts.projects = counts.projects.saturating_sub(1))?;
            if drop_associations(work.transaction, id, SWEPT_AT_ONCE)?.1 {
                work.transaction.put(keys::sweep(keys::SITE, &keys::number(id)), records::write(&Sweep::Project));
            }
            work.record(ChangeKind::ProjectDeleted, Detail::of_project(id));
            Ok(())
        })
    }

    /// Opens a project to the members of an organization, or closes it to them. Doing so again changes nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the project or the organization.
    pub fn associate_organization(&self, actor: &str, project: u64, organization: u64, associated: bool) -> Result<()> {
        self.administer(actor, |work| {
            existing(work.transaction, project)?;
            organizations::existing(work.transaction, organization)?;
            Ok(set_organization(work, project, organization, associated).map(drop)?)
        })
    }

    /// Makes customers a project's own, or ends that. Those for whom it holds already stay as they are. If one of them
    /// is unknown, nothing is changed.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the project or a customer; [`Error::Invalid`] for too many.
    pub fn associate_customers(&self, actor: &str, project: u64, customers: &[String], associated: bool) -> Result<()> {
        membership::check_number(customers)?;
        self.administer(actor, |work| {
            existing(work.transaction, project)?;
            for customer in customers {
                customers::existing(work.transaction, customer)?;
                if set_all(work.transaction, Association::Customer.both(project, customer), associated)? {
                    let kind =
                        if associated { ChangeKind::ProjectCustomerAdded } else { ChangeKind::ProjectCustomerRemoved };
                    work.record(kind, Detail { customer: Some(customer.clone()), ..Detail::of_project(project) });
                }
            }
            Ok(())
        })
    }

    /// The organizations that a project is associated with, in order of their numbers. If a member is named, only those
    /// that this customer is a member of.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the project or the customer; [`Error::Invalid`] for a limit or cursor that is not valid.
    pub fn project_organizations(
        &self,
        id: u64,
        member: Option<&str>,
        position: &Position,
        limit: u32,
    ) -> Result<Page<Organization>> {
        let now = self.now().milliseconds;
        self.read(|transaction| {
            existing(transaction, id)?;
            let mut standings = Standings::default();
            if let Some(customer) = member {
                let page = page_of(associated_with(transaction, id, customer, now)?, position, limit)?;
                let mut values = Vec::with_capacity(page.values.len());
                for organization in page.values {
                    let record = organizations::existing(transaction, organization)?;
                    values.extend(organizations::show(transaction, &mut standings, organization, record)?);
                }
                return Ok(Page { values, next: page.next });
            }
            let (prefix, every) = (Association::Organization.of_project(id), is_all_in_sight(transaction)?);
            shown_page(transaction, &prefix, position, limit, every, |transaction, entry| {
                let organization = numbers::parse(&entry.key, keys::id_of(&entry.key))?;
                let record = numbers::organization(transaction, organization)?;
                let record = record.ok_or_else(|| store::Error::corrupt(&entry.key))?;
                organizations::show(transaction, &mut standings, organization, record)
            })
        })
    }

    /// The projects that an organization is associated with, in order of their numbers.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Invalid`] for a limit or cursor that is not valid.
    pub fn organization_projects(&self, id: u64, position: &Position, limit: u32) -> Result<Page<Project>> {
        self.read(|transaction| {
            organizations::existing(transaction, id)?;
            let prefix = Association::Organization.of_other(&keys::number(id));
            let page = scan_page::<Error>(transaction, &prefix, position, limit)?;
            let numbers = page.values.iter().map(|entry| numbers::parse(&entry.key, keys::id_of(&entry.key)));
            let numbers = numbers.collect::<store::Result<Vec<u64>>>()?;
            let found = transaction.get_many(numbers.iter().map(|number| keys::project(*number)).collect())?;
            let mut values = Vec::with_capacity(found.len());
            for (number, text) in numbers.into_iter().zip(found) {
                // An association may outlast its project until it is swept.
                let Some(text) = text else { continue };
                values.push(describe(number, records::read(&keys::project(number), &text)?));
            }
            Ok(Page { values, next: page.next })
        })
    }

    /// A project's own customers, in the order in which they were made.
    ///
    /// # Errors
    /// As [`project_organizations`](Self::project_organizations).
    pub fn project_customers(&self, id: u64, position: &Position, limit: u32) -> Result<Page<Customer>> {
        self.read(|transaction| {
            existing(transaction, id)?;
            let (prefix, mut standings) = (Association::Customer.of_project(id), Standings::default());
            shown_page(transaction, &prefix, position, limit, false, |transaction, entry| {
                let customer = keys::id_of(&entry.key);
                // An association may outlast its customer until it is swept.
                let Some(record) = customers::load(transaction, customer)? else { return Ok(None) };
                customers::show(transaction, &mut standings, customer, record)
            })
        })
    }
}

/// The organizations that a customer is a member of and a project is associated with, in order of their numbers.
fn associated_with(transaction: &mut Transaction, project: u64, customer: &str, now: u64) -> Result<Vec<u64>> {
    let record = customers::existing(transaction, customer)?;
    let all: Vec<u64> = membership::of_customer(transaction, customer, &record, now)?.into_keys().collect();
    let associations = all.iter().map(|id| Association::Organization.both(project, &keys::number(*id)));
    let found = transaction.get_many(associations.map(|[of_project, _]| of_project).collect())?;
    Ok(all.into_iter().zip(found).filter(|(_, found)| found.is_some()).map(|(id, _)| id).collect())
}

/// A page of these numbers, which are in order.
fn page_of(all: Vec<u64>, position: &Position, limit: u32) -> Result<Page<u64>> {
    check_limit(limit)?;
    let begin = match position {
        Position::Offset(skip) => *skip as usize,
        Position::After(cursor) => {
            let last: u64 = cursor.parse().ok().filter(|_| is_cursor(cursor)).ok_or_else(no_such_cursor)?;
            all.partition_point(|number| *number <= last)
        }
    };
    let mut values: Vec<u64> = all.into_iter().skip(begin).take(limit as usize + 1).collect();
    let more = values.len() > limit as usize;
    values.truncate(limit as usize);
    let next = values.last().filter(|_| more).map(|last| keys::number(*last));
    Ok(Page { values, next })
}

/// Sets or removes keys together. Returns whether that changed anything.
fn set_all(transaction: &mut Transaction, keys: [String; 2], set: bool) -> store::Result<bool> {
    let is_set = transaction.get(keys[0].clone())?.is_some();
    if is_set == set {
        return Ok(false);
    }
    for key in keys {
        if set {
            transaction.put(key, "");
        } else {
            transaction.delete(key);
        }
    }
    Ok(true)
}

fn checked_key(key: &str) -> Result<String> {
    let key = key.trim().to_ascii_uppercase();
    let fits = (2..=10).contains(&key.len())
        && key.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        && key.bytes().next().is_some_and(|byte| byte.is_ascii_uppercase());
    if fits {
        Ok(key)
    } else {
        Err(Error::Invalid("the key must be 2 to 10 letters and digits, a letter first".to_string()))
    }
}
