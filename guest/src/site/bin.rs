//! The bin: deleted customers and organizations are kept for the site's retention time, out of sight, and then erased
//! for good. Until then they can be restored.
//!
//! The memberships and project associations of a deleted customer stay where they are, without effect. Only those that
//! were its user's become its own, because the user is gone. Once it is restored, it is on probation in those of its
//! organizations that are managed. The members of a deleted organization stay likewise.

use alloc::string::ToString;
use alloc::vec::Vec;

use super::customers::{self, Customer};
use super::error::{Error, Result};
use super::kept::{customer, organization, take_customer, take_organization};
use super::organizations::{self, Organization};
use super::standing::check_local;
use super::{arrivals, index, numbers, parting, probation, totals};
use crate::engine::Engine;
use crate::store::feed::{ChangeKind, Detail};
use crate::store::keys::{self, Association};
use crate::store::pages::{Page, Position, scan_page};
use crate::store::records::{self, CustomerRecord, DeletedCustomerRecord, DeletedOrganizationRecord, Due, Link, Turn};
use crate::store::{self, Transaction};
use crate::work::Work;

/// A deleted customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletedCustomer {
    /// The customer, as it was.
    pub customer: Customer,
    /// When it was deleted, in milliseconds since the Unix epoch.
    pub deleted_at: u64,
    /// When it is erased, likewise.
    pub erased_at: u64,
}

/// A deleted organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletedOrganization {
    /// The organization, as it was.
    pub organization: Organization,
    /// When it was deleted, in milliseconds since the Unix epoch.
    pub deleted_at: u64,
    /// When it is erased, likewise.
    pub erased_at: u64,
}

/// Erases a deleted customer for good.
///
/// # Errors
/// Where the storage fails.
pub fn erase_customer(work: &mut Work<'_>, id: &str) -> store::Result<()> {
    let Some(kept) = customer(work.transaction, id)? else { return Ok(()) };
    take_customer(work, id, &kept);
    customers::erase(work, id, &kept.record, kept.followed.as_ref())
}

/// Erases a customer for good: one that is deleted, or one that is local, which is deleted with it. Returns the user that
/// it was linked to last.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Managed`] where a directory manages it.
pub fn erase_on_demand(work: &mut Work<'_>, id: &str) -> Result<Option<Link>> {
    if let Some(kept) = customer(work.transaction, id)? {
        erase_customer(work, id)?;
        return Ok(kept.followed);
    }
    // Also a customer that is being removed with its directory.
    let old = customers::load(work.transaction, id)?;
    let old = old.ok_or_else(|| Error::NotFound("there is no such customer".to_string()))?;
    check_local(work.transaction, old.link.as_ref(), "the customer")?;
    customers::remove_for(work, id, 0)?;
    Ok(old.last)
}

/// Erases a deleted organization for good.
///
/// # Errors
/// Where the storage fails.
pub fn erase_organization(work: &mut Work<'_>, id: u64) -> store::Result<()> {
    let Some(kept) = organization(work.transaction, id)? else { return Ok(()) };
    take_organization(work, id, &kept);
    organizations::erase(work, id, &kept.record, kept.followed.as_ref())
}

/// Opens those of these projects that still exist to a restored organization again.
fn associate_again(transaction: &mut Transaction, id: u64, kept: &[u64]) -> store::Result<()> {
    let found = transaction.get_many(kept.iter().map(|project| keys::project(*project)).collect())?;
    for (project, _) in kept.iter().zip(found).filter(|(_, found)| found.is_some()) {
        for key in Association::Organization.both(*project, &keys::number(id)) {
            transaction.put(key, "");
        }
    }
    Ok(())
}

impl Engine<'_> {
    /// Restores a deleted customer: local, with its id, its memberships and its projects. In managed organizations it
    /// is on probation: a member until its directory confirms or ends that, at most for the directory's adoption grace.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Taken`] where another customer has taken the email address.
    pub fn restore_customer(&self, actor: &str, id: &str) -> Result<Customer> {
        self.administer(actor, |work| {
            customers::remove_leaving(work, id)?;
            let kept = customer(work.transaction, id)?.filter(|kept| work.now.milliseconds < kept.until);
            let kept = kept.ok_or_else(|| Error::NotFound("there is no such deleted customer".to_string()))?;
            if customers::is_taken(work, &kept.record.email)? || customers::load(work.transaction, id)?.is_some() {
                return Err(Error::Taken("another customer has this email address".to_string()));
            }
            take_customer(work, id, &kept);
            let record = CustomerRecord { last: kept.followed.clone(), ..kept.record.clone() };
            work.transaction.put(keys::customer_email(&kept.record.email), id);
            work.transaction.put(keys::customer(id), records::write(&record));
            index::replace_customer(work.transaction, id, None, Some(&record));
            totals::add_local(work.transaction, &record)?;
            work.record(ChangeKind::CustomerRestored, Detail::of_customer(id));
            probation::begin(work, id, None)?;
            for link in record.users() {
                arrivals::record_turn(work, id, &link.resource, Turn::Restored, None)?;
            }
            customers::describe(work.transaction, id, record)
        })
    }

    /// Restores a deleted organization: local, with its number, its members, and those of its projects that still
    /// exist.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Taken`] where another organization has taken the name.
    pub fn restore_organization(&self, actor: &str, id: u64) -> Result<Organization> {
        self.administer(actor, |work| {
            organizations::remove_leaving(work, id)?;
            let kept = organization(work.transaction, id)?.filter(|kept| work.now.milliseconds < kept.until);
            let kept = kept.ok_or_else(|| Error::NotFound("there is no such deleted organization".to_string()))?;
            if organizations::is_taken(work, &kept.record.name)? {
                return Err(Error::Taken("another organization has this name".to_string()));
            }
            parting::check_swept(work.transaction, id, &kept.record)?;
            take_organization(work, id, &kept);
            if let Some(retained) = &kept.record.retained {
                let due = Due::Adoption(id);
                work.transaction.put(due.key(retained.until), records::write(&due));
            }
            associate_again(work.transaction, id, &kept.projects)?;
            work.transaction.put(keys::organization_name(&kept.record.name), keys::number(id));
            work.transaction.put(keys::organization(id), records::write(&kept.record));
            index::replace_organization(work.transaction, id, None, Some(&kept.record));
            totals::count_organization(work.transaction, keys::SITE, [false, true])?;
            work.record(ChangeKind::OrganizationRestored, Detail::of_organization(id));
            organizations::describe(work.transaction, id, kept.record)
        })
    }

    /// The deleted customers that are not erased yet, in the order in which they were made.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a limit or cursor that is not valid.
    pub fn deleted_customers(&self, position: &Position, limit: u32) -> Result<Page<DeletedCustomer>> {
        self.read(|transaction| {
            let page = scan_page::<Error>(transaction, keys::ALL_DELETED_CUSTOMERS, position, limit)?;
            let mut values = Vec::with_capacity(page.values.len());
            for entry in &page.values {
                let kept: DeletedCustomerRecord = records::read(&entry.key, &entry.value)?;
                let customer = customers::describe(transaction, keys::id_of(&entry.key), kept.record)?;
                values.push(DeletedCustomer { customer, deleted_at: kept.deleted, erased_at: kept.until });
            }
            Ok(Page { values, next: page.next })
        })
    }

    /// The deleted organizations that are not erased yet, in the order in which they were made.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a limit or cursor that is not valid.
    pub fn deleted_organizations(&self, position: &Position, limit: u32) -> Result<Page<DeletedOrganization>> {
        self.read(|transaction| {
            let page = scan_page::<Error>(transaction, keys::ALL_DELETED_ORGANIZATIONS, position, limit)?;
            let mut values = Vec::with_capacity(page.values.len());
            for entry in &page.values {
                let id = numbers::parse(&entry.key, keys::id_of(&entry.key))?;
                let kept: DeletedOrganizationRecord = records::read(&entry.key, &entry.value)?;
                let organization = organizations::describe(transaction, id, kept.record)?;
                values.push(DeletedOrganization { organization, deleted_at: kept.deleted, erased_at: kept.until });
            }
            Ok(Page { values, next: page.next })
        })
    }
}
