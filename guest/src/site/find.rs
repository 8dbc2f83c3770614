//! Finding customers and organizations: by what somebody types, by directory, by state.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::customers::{self, Customer};
use super::error::{Error, Result};
use super::organizations::{self, Organization};
use super::projects;
use super::query::Query;
use super::standing::{Standing, Standings};
use super::walk::{Candidate, Walk};
use super::{holders, numbers};
use crate::engine::Engine;
use crate::store::keys::{self, Association, Kind};
use crate::store::pages::{ENTRIES_AT_ONCE, Page, ends};
use crate::store::records::{self, CustomerRecord, OrganizationRecord, Parted, Stored};
use crate::store::{self, Transaction};

/// Which customers are wanted: those for which all of this holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CustomerFilter {
    /// What somebody types: each of its words is the beginning of a word of the name, or of the address.
    pub query: Option<String>,
    /// The directory that manages them, or from whose users they were unlinked if that is the state.
    pub directory: Option<String>,
    /// Their state.
    pub state: Option<CustomerState>,
}

impl CustomerFilter {
    /// Whether a customer has the wanted state and directory.
    fn fits(&self, record: &CustomerRecord, standing: Standing, unlinked: bool) -> bool {
        let manager = record.link.as_ref().filter(|_| standing == Standing::Managed).map(|link| &link.directory);
        let of_directory = self.directory.is_none() || self.directory.as_ref() == manager;
        match self.state {
            None => of_directory,
            Some(CustomerState::Local) => of_directory && standing == Standing::Local,
            Some(CustomerState::Managed) => of_directory && standing == Standing::Managed,
            Some(CustomerState::Active) => of_directory && record.active,
            Some(CustomerState::Inactive) => of_directory && !record.active,
            Some(CustomerState::Unlinked) => standing == Standing::Local && unlinked,
        }
    }
}

/// A state of customers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CustomerState {
    /// Edited on the site.
    Local,
    /// Edited by a directory only.
    Managed,
    /// Portals are open to them.
    Active,
    /// They are deactivated.
    Inactive,
    /// Local, and a directory has a user from which an administrator has unlinked them.
    Unlinked,
}

/// Which organizations are wanted: those for which all of this holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrganizationFilter {
    /// What somebody types: each of its words is the beginning of a word of the name.
    pub query: Option<String>,
    /// The directory that manages them, or from whose groups they were unlinked if that is the state.
    pub directory: Option<String>,
    /// Their state.
    pub state: Option<OrganizationState>,
}

impl OrganizationFilter {
    /// Whether an organization has the wanted state and directory.
    fn fits(&self, record: &OrganizationRecord, standing: Standing, unlinked: bool) -> bool {
        let manager = record.link.as_ref().filter(|_| standing == Standing::Managed).map(|link| &link.directory);
        let of_directory = self.directory.is_none() || self.directory.as_ref() == manager;
        let parted = record.parted.as_ref().map(|parted| &parted.link.directory);
        match self.state {
            None => of_directory,
            Some(OrganizationState::Local) => of_directory && standing == Standing::Local,
            Some(OrganizationState::Managed) => of_directory && standing == Standing::Managed,
            Some(OrganizationState::Unlinked) => {
                unlinked && (self.directory.is_none() || self.directory.as_ref() == parted)
            }
        }
    }
}

/// A state of organizations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrganizationState {
    /// Edited on the site.
    Local,
    /// Edited by a directory only.
    Managed,
    /// Local, and a directory has the group from which an administrator has unlinked it.
    Unlinked,
}

impl Engine<'_> {
    /// The customers for which all of the filter holds. With a query, by address and then by word, in the order of the
    /// alphabet; without one, in the order in which they were made. A page looks at a bounded number of entries, so it
    /// can be shorter than asked for, or empty, although others follow.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the directory; [`Error::Invalid`] for a query, limit or cursor that is not valid;
    /// [`Error::Store`] while the storage is brought to the layout of this version.
    pub fn find_customers(&self, filter: &CustomerFilter, cursor: Option<&str>, limit: u32) -> Result<Page<Customer>> {
        let query = filter.query.as_deref().map(Query::read).transpose()?.flatten();
        self.read(|transaction| {
            transaction.check_searchable()?;
            let directories = directories(transaction, filter.directory.as_deref())?;
            let walk = match &query {
                Some(query) => Walk::by_keys(query.customers(), cursor)?,
                None => Walk::by_ids(customer_prefixes(transaction, filter, &directories)?, cursor)?,
            };
            let mut standings = Standings::default();
            walk.page(transaction, limit, |transaction, candidates| {
                let records = customer_records(transaction, candidates)?;
                let unlinked = match filter.state {
                    Some(CustomerState::Unlinked) => unlinked(transaction, candidates, &directories)?,
                    _ => alloc::vec![false; candidates.len()],
                };
                let mut shown = Vec::with_capacity(candidates.len());
                for ((candidate, record), unlinked) in candidates.iter().zip(records).zip(unlinked) {
                    let Some(record) = record.filter(|record| is_found(query.as_ref(), candidate, record)) else {
                        shown.push(None);
                        continue;
                    };
                    let standing = standings.of(transaction, record.link.as_ref())?;
                    let fits = filter.fits(&record, standing, unlinked);
                    let found = fits.then(|| customers::show(transaction, &mut standings, &candidate.id, record));
                    shown.push(found.transpose()?.flatten());
                }
                Ok(shown)
            })
        })
    }

    /// The organizations for which all of the filter holds, as [`find_customers`](Self::find_customers).
    ///
    /// # Errors
    /// As [`find_customers`](Self::find_customers).
    pub fn find_organizations(
        &self,
        filter: &OrganizationFilter,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Page<Organization>> {
        let query = filter.query.as_deref().map(Query::read).transpose()?.flatten();
        self.read(|transaction| {
            transaction.check_searchable()?;
            let directories = directories(transaction, filter.directory.as_deref())?;
            let walk = match &query {
                Some(query) => Walk::by_keys(query.organizations(), cursor)?,
                None => Walk::by_ids(organization_prefixes(transaction, filter, &directories)?, cursor)?,
            };
            let mut standings = Standings::default();
            walk.page(transaction, limit, |transaction, candidates| {
                let mut shown = Vec::with_capacity(candidates.len());
                for (candidate, (id, record)) in candidates.iter().zip(organization_records(transaction, candidates)?) {
                    let place = |record: &OrganizationRecord| match &query {
                        Some(query) => query.organization(id, record) == candidate.place,
                        None => true,
                    };
                    let Some(record) = record.filter(place) else {
                        shown.push(None);
                        continue;
                    };
                    let standing = standings.of(transaction, record.link.as_ref())?;
                    let unlinked = filter.state == Some(OrganizationState::Unlinked)
                        && standing == Standing::Local
                        && is_parted(transaction, &record)?;
                    let fits = filter.fits(&record, standing, unlinked);
                    let found = fits.then(|| organizations::show(transaction, &mut standings, id, record));
                    shown.push(found.transpose()?.flatten());
                }
                Ok(shown)
            })
        })
    }

    /// A project's own customers whom a picker offers for a query: those who are active. Ordered and bounded as
    /// [`find_customers`](Self::find_customers).
    ///
    /// # Errors
    /// [`Error::NotFound`] for the project; otherwise as [`find_customers`](Self::find_customers).
    pub fn find_project_customers(
        &self,
        id: u64,
        query: &str,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Page<Customer>> {
        let query = Query::read(query)?;
        self.read(|transaction| {
            transaction.check_searchable()?;
            projects::existing(transaction, id)?;
            let all = Association::Customer.of_project(id);
            let walk = match &query {
                None => Walk::by_ids(alloc::vec![all], cursor)?,
                Some(query) => {
                    // If there are few, they are looked at, instead of everybody on the site for whom the query is.
                    let few = ends(transaction, &all, ENTRIES_AT_ONCE)?;
                    if few.len() < ENTRIES_AT_ONCE as usize {
                        let places = places(transaction, query, &few)?;
                        Walk::by_list(places, query.customers(), cursor)?
                    } else {
                        Walk::by_keys(query.customers(), cursor)?
                    }
                }
            };
            let mut standings = Standings::default();
            walk.page(transaction, limit, |transaction, candidates| {
                let own = candidates.iter().map(|candidate| {
                    let [own, _] = Association::Customer.both(id, &candidate.id);
                    own
                });
                let own = transaction.get_many(own.collect())?;
                let records = customer_records(transaction, candidates)?;
                let mut shown = Vec::with_capacity(candidates.len());
                for ((candidate, record), own) in candidates.iter().zip(records).zip(own) {
                    let offered = |record: &CustomerRecord| {
                        own.is_some() && record.active && is_found(query.as_ref(), candidate, record)
                    };
                    shown.push(match record.filter(offered) {
                        Some(record) => customers::show(transaction, &mut standings, &candidate.id, record)?,
                        None => None,
                    });
                }
                Ok(shown)
            })
        })
    }
}

/// The directory that is wanted, or else all that are connected.
fn directories(transaction: &mut Transaction, wanted: Option<&str>) -> Result<Vec<String>> {
    let Some(id) = wanted else { return Ok(ends(transaction, keys::ALL_DIRECTORIES, u32::MAX)?) };
    if !keys::is_id(id) || transaction.get(keys::directory(id))?.is_none() {
        return Err(Error::NotFound("there is no such directory".to_string()));
    }
    Ok(alloc::vec![id.to_string()])
}

/// What the keys begin with that have the customers of a filter without a query, and as few others as may be.
fn customer_prefixes(
    transaction: &mut Transaction,
    filter: &CustomerFilter,
    directories: &[String],
) -> store::Result<Vec<String>> {
    let of_directories = |prefix: fn(&str) -> String| directories.iter().map(|id| prefix(id)).collect();
    Ok(match filter.state {
        Some(CustomerState::Unlinked) => of_directories(keys::unlinked_customers),
        Some(CustomerState::Inactive) => alloc::vec![keys::INACTIVE_CUSTOMERS.to_string()],
        // What a directory manages is not local.
        Some(CustomerState::Local) if filter.directory.is_some() => Vec::new(),
        Some(CustomerState::Local) => of_site(transaction, keys::customers_held)?,
        Some(CustomerState::Managed) => of_directories(keys::customers_held),
        _ if filter.directory.is_some() => of_directories(keys::customers_held),
        _ => alloc::vec![keys::ALL_CUSTOMERS.to_string()],
    })
}

/// As [`customer_prefixes`].
fn organization_prefixes(
    transaction: &mut Transaction,
    filter: &OrganizationFilter,
    directories: &[String],
) -> store::Result<Vec<String>> {
    let of_directories = || directories.iter().map(|id| keys::organizations_held(id)).collect();
    Ok(match filter.state {
        Some(OrganizationState::Local) if filter.directory.is_some() => Vec::new(),
        Some(OrganizationState::Local | OrganizationState::Unlinked) => of_site(transaction, keys::organizations_held)?,
        Some(OrganizationState::Managed) => of_directories(),
        None if filter.directory.is_some() => of_directories(),
        None => alloc::vec![keys::ALL_ORGANIZATIONS.to_string()],
    })
}

/// What the keys of all that is local begin with: those of the site, and of directories that are gone, of which something
/// is still to be moved there.
fn of_site(transaction: &mut Transaction, prefix: fn(&str) -> String) -> store::Result<Vec<String>> {
    let gone = ends(transaction, keys::GONE_DIRECTORIES, u32::MAX)?;
    Ok([keys::SITE].into_iter().chain(gone.iter().map(String::as_str)).map(prefix).collect())
}

/// The records of candidates; `None` for those that are deleted.
fn customer_records(
    transaction: &mut Transaction,
    candidates: &[Candidate],
) -> store::Result<Vec<Option<CustomerRecord>>> {
    let keys: Vec<String> = candidates.iter().map(|candidate| keys::customer(&candidate.id)).collect();
    let values = transaction.get_many(keys.clone())?;
    keys.iter().zip(values).map(|(key, value)| value.map(|text| records::read(key, &text)).transpose()).collect()
}

/// Likewise of organizations, each with its number.
fn organization_records(
    transaction: &mut Transaction,
    candidates: &[Candidate],
) -> store::Result<Vec<(u64, Option<OrganizationRecord>)>> {
    let ids = candidates.iter().map(|candidate| numbers::parse(keys::ALL_ORGANIZATIONS, &candidate.id));
    let ids: Vec<u64> = ids.collect::<store::Result<_>>()?;
    let values = transaction.get_many(ids.iter().map(|id| keys::organization(*id)).collect())?;
    let records = ids.into_iter().zip(values).map(|(id, value)| {
        let record = value.map(|text| records::read(&keys::organization(id), &text)).transpose()?;
        Ok((id, record))
    });
    records.collect()
}

/// Whether a candidate is found at this place, and at none before it.
fn is_found(query: Option<&Query>, candidate: &Candidate, record: &CustomerRecord) -> bool {
    query.is_none_or(|query| query.customer(&candidate.id, record) == candidate.place)
}

/// Which candidates have users in one of these directories that were unlinked from them.
fn unlinked(
    transaction: &mut Transaction,
    candidates: &[Candidate],
    directories: &[String],
) -> store::Result<Vec<bool>> {
    let mut unlinked = alloc::vec![false; candidates.len()];
    for directory in directories {
        let keys = candidates.iter().map(|candidate| keys::unlinked_customer(directory, &candidate.id));
        for (unlinked, value) in unlinked.iter_mut().zip(transaction.get_many(keys.collect())?) {
            *unlinked |= value.is_some();
        }
    }
    Ok(unlinked)
}

/// Whether a directory still has the group from which this organization was unlinked, and it has no other.
fn is_parted(transaction: &mut Transaction, record: &OrganizationRecord) -> store::Result<bool> {
    let Some(Parted { link, .. }) = &record.parted else { return Ok(false) };
    let key = Kind::Group.resource(&link.directory, &link.resource);
    let mut found = transaction.get_many(alloc::vec![keys::directory(&link.directory), key.clone()])?;
    match (found.pop().flatten(), found.pop().flatten()) {
        (Some(group), Some(_)) => Ok(Stored::read(&key, group)?.header.organization.is_none()),
        _ => Ok(false),
    }
}

/// Where these customers are found, those for whom the query is.
fn places(transaction: &mut Transaction, query: &Query, ids: &[String]) -> store::Result<Vec<Candidate>> {
    let records = holders::load_customers(transaction, ids)?;
    let found = records.into_iter().filter_map(|(id, record)| {
        let place = Some(query.customer(&id, &record)?);
        Some(Candidate { id, place })
    });
    Ok(found.collect())
}
