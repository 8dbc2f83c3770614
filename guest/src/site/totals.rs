//! How much there is on the site. What a directory manages is counted for the directory, and what is local for the site,
//! only when something becomes local or ceases to be: a new user of a directory changes no number that is not its
//! directory's.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::ops::ControlFlow;

use super::error::Result;
use crate::engine::Engine;
use crate::store::pages::{ENTRIES_AT_ONCE, for_each_page};
use crate::store::records::{self, Counts, CustomerRecord, DirectoryRecord, ManagedCounts};
use crate::store::{self, Transaction, keys, prefix_range};

/// How much there is on the site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Totals {
    /// The customers.
    pub customers: CustomerTotals,
    /// The organizations.
    pub organizations: OrganizationTotals,
    /// How many projects there are.
    pub projects: u64,
    /// What each connected directory manages, oldest first.
    pub directories: Vec<DirectoryTotals>,
}

/// How many customers there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CustomerTotals {
    /// All of them.
    pub all: u64,
    /// Those who are local.
    pub local: u64,
    /// Those whom a directory manages.
    pub managed: u64,
    /// Those who are deactivated, local or managed.
    pub inactive: u64,
}

/// How many organizations there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OrganizationTotals {
    /// All of them.
    pub all: u64,
    /// Those that are local.
    pub local: u64,
    /// Those that a directory manages.
    pub managed: u64,
}

/// How much a directory manages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryTotals {
    /// The directory.
    pub id: String,
    /// Its name.
    pub name: String,
    /// How many customers it manages.
    pub customers: u64,
    /// How many of them are deactivated.
    pub inactive: u64,
    /// How many organizations it manages.
    pub organizations: u64,
}

/// Changes how much a directory manages, or the site has: then the directory is [`keys::SITE`].
///
/// # Errors
/// Where the storage fails.
pub fn count(
    transaction: &mut Transaction,
    directory: &str,
    change: impl FnOnce(&mut ManagedCounts),
) -> store::Result<()> {
    let old = counts_of(transaction, directory)?;
    let mut new = old;
    change(&mut new);
    if new == ManagedCounts::default() {
        transaction.delete(keys::managed_counts(directory));
    } else if new != old {
        transaction.put(keys::managed_counts(directory), records::write(&new));
    }
    Ok(())
}

fn counts_of(transaction: &mut Transaction, directory: &str) -> store::Result<ManagedCounts> {
    let key = keys::managed_counts(directory);
    let stored = transaction.get(key.clone())?;
    read_counts(&key, stored)
}

fn read_counts(key: &str, stored: Option<String>) -> store::Result<ManagedCounts> {
    stored.map_or(Ok(ManagedCounts::default()), |text| records::read(key, &text))
}

/// Counts a customer that has become local.
///
/// # Errors
/// Where the storage fails.
pub fn add_local(transaction: &mut Transaction, record: &CustomerRecord) -> store::Result<()> {
    count(transaction, keys::SITE, |counts| {
        counts.customers = counts.customers.saturating_add(1);
        counts.inactive = counts.inactive.saturating_add(u64::from(!record.active));
    })
}

/// Counts a customer that is local no longer, or is deleted.
///
/// # Errors
/// Where the storage fails.
pub fn remove_local(transaction: &mut Transaction, record: &CustomerRecord) -> store::Result<()> {
    count(transaction, keys::SITE, |counts| {
        counts.customers = counts.customers.saturating_sub(1);
        counts.inactive = counts.inactive.saturating_sub(u64::from(!record.active));
    })
}

/// Counts a deactivated customer that a directory manages, before and after a change.
///
/// # Errors
/// Where the storage fails.
pub fn count_inactive(transaction: &mut Transaction, directory: &str, [before, after]: [bool; 2]) -> store::Result<()> {
    if before == after {
        return Ok(());
    }
    count(transaction, directory, |counts| {
        counts.inactive = if after { counts.inactive.saturating_add(1) } else { counts.inactive.saturating_sub(1) };
    })
}

/// Whether a directory manages organizations.
///
/// # Errors
/// Where the storage fails.
pub fn has_organizations(transaction: &mut Transaction, directory: &str) -> store::Result<bool> {
    Ok(counts_of(transaction, directory)?.organizations > 0)
}

/// Counts an organization that a directory manages, or the site has, before and after a change.
///
/// # Errors
/// Where the storage fails.
pub fn count_organization(
    transaction: &mut Transaction,
    directory: &str,
    [before, after]: [bool; 2],
) -> store::Result<()> {
    if before == after {
        return Ok(());
    }
    count(transaction, directory, |counts| {
        counts.organizations =
            if after { counts.organizations.saturating_add(1) } else { counts.organizations.saturating_sub(1) };
    })
}

/// Forgets how much a directory managed that is disconnected. If what it managed `stays`, that is local from now on.
///
/// # Errors
/// Where the storage fails.
pub fn forget_directory(
    transaction: &mut Transaction,
    directory: &str,
    counts: &Counts,
    stays: bool,
) -> store::Result<()> {
    let managed = counts_of(transaction, directory)?;
    transaction.delete(keys::managed_counts(directory));
    if !stays {
        return Ok(());
    }
    count(transaction, keys::SITE, |local| {
        local.customers = local.customers.saturating_add(counts.customers());
        local.inactive = local.inactive.saturating_add(managed.inactive);
        local.organizations = local.organizations.saturating_add(managed.organizations);
    })
}

impl Engine<'_> {
    /// How much there is on the site. What is deleted, or leaves with its directory, does not count.
    ///
    /// # Errors
    /// [`Error::Store`](super::Error::Store) while the storage is brought to the layout of this version.
    pub fn totals(&self) -> Result<Totals> {
        self.read(|transaction| {
            transaction.check_searchable()?;
            let local = counts_of(transaction, keys::SITE)?;
            let (mut directories, mut inactive) = (Vec::new(), local.inactive);
            for_each_page(
                transaction,
                prefix_range(keys::ALL_DIRECTORIES, ENTRIES_AT_ONCE),
                |transaction, entries| {
                    let ids = entries.iter().map(|entry| keys::id_of(&entry.key));
                    let of_each = ids.clone().flat_map(|id| [keys::counts(id), keys::managed_counts(id)]);
                    let mut found = transaction.get_many(of_each.collect())?.into_iter();
                    for (entry, id) in entries.iter().zip(ids) {
                        let counts = found.next().flatten();
                        let counts = counts.ok_or_else(|| store::Error::corrupt(&keys::counts(id)))?;
                        let counts: Counts = records::read(&keys::counts(id), &counts)?;
                        let managed = read_counts(&keys::managed_counts(id), found.next().flatten())?;
                        inactive = inactive.saturating_add(managed.inactive);
                        directories.push(DirectoryTotals {
                            id: id.to_string(),
                            name: records::read::<DirectoryRecord>(&entry.key, &entry.value)?.name,
                            customers: counts.customers(),
                            inactive: managed.inactive,
                            organizations: managed.organizations,
                        });
                    }
                    Ok::<_, store::Error>(ControlFlow::Continue(()))
                },
            )?;
            let sum = |of: fn(&DirectoryTotals) -> u64| directories.iter().map(of).fold(0, u64::saturating_add);
            let (customers, organizations) = (sum(|one| one.customers), sum(|one| one.organizations));
            Ok(Totals {
                customers: CustomerTotals {
                    all: local.customers.saturating_add(customers),
                    local: local.customers,
                    managed: customers,
                    inactive,
                },
                organizations: OrganizationTotals {
                    all: local.organizations.saturating_add(organizations),
                    local: local.organizations,
                    managed: organizations,
                },
                projects: local.projects,
                directories,
            })
        })
    }
}
