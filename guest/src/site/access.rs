//! Whether a customer may use a project, and why.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use super::error::Result;
use super::projects::{self, Audience, Project};
use super::{customers, membership, numbers};
use crate::engine::Engine;
use crate::store::keys::{self, Association};
use crate::store::pages::ends;
use crate::store::{self, Transaction, records};

/// Whether a customer may use a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// Whether the customer may use the project.
    pub allowed: bool,
    /// The reasons. For a deactivated customer, also those that would count again on reactivation.
    pub reasons: Vec<Reason>,
}

/// Why a customer may use a project, or may not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The project is open to every customer.
    Open,
    /// The customer is one of the project's own.
    Direct,
    /// The customer is a member of an organization that is associated with it: its number and name.
    Organization((u64, String)),
    /// The customer is deactivated, and no project is open to it.
    Deactivated,
}

/// A project that is open to a customer, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenProject {
    /// The project.
    pub project: Project,
    /// The reasons for which it is open.
    pub reasons: Vec<Reason>,
}

impl Engine<'_> {
    /// Whether a customer may use a project, and why.
    ///
    /// # Errors
    /// [`Error::NotFound`](super::Error::NotFound) for the customer or the project.
    pub fn access(&self, customer: &str, project: u64) -> Result<Access> {
        let now = self.now().milliseconds;
        self.read(|transaction| {
            let record = customers::existing(transaction, customer)?;
            let project_record = projects::existing(transaction, project)?;
            let organizations = membership::of_customer(transaction, customer, &record, now)?;
            let mut reasons = Vec::new();
            if project_record.audience == Audience::Open {
                reasons.push(Reason::Open);
            }
            let [direct, _] = Association::Customer.both(project, customer);
            if transaction.get(direct)?.is_some() {
                reasons.push(Reason::Direct);
            }
            for (id, organization) in organizations {
                let [associated, _] = Association::Organization.both(project, &keys::number(id));
                if transaction.get(associated)?.is_some() {
                    reasons.push(Reason::Organization((id, organization.name)));
                }
            }
            let allowed = record.active && !reasons.is_empty();
            if !record.active {
                reasons.insert(0, Reason::Deactivated);
            }
            Ok(Access { allowed, reasons })
        })
    }

    /// Every project that is open to a customer. No project is open to a deactivated one.
    ///
    /// # Errors
    /// [`Error::NotFound`](super::Error::NotFound).
    pub fn projects_of(&self, customer: &str) -> Result<Vec<OpenProject>> {
        let now = self.now().milliseconds;
        self.read(|transaction| {
            let record = customers::existing(transaction, customer)?;
            if !record.active {
                return Ok(Vec::new());
            }
            let mut reasons: BTreeMap<u64, Vec<Reason>> = BTreeMap::new();
            for project in projects_below(transaction, keys::OPEN_PROJECTS)? {
                reasons.entry(project).or_default().push(Reason::Open);
            }
            for project in projects_below(transaction, &Association::Customer.of_other(customer))? {
                reasons.entry(project).or_default().push(Reason::Direct);
            }
            for (id, organization) in membership::of_customer(transaction, customer, &record, now)? {
                for project in projects_below(transaction, &Association::Organization.of_other(&keys::number(id)))? {
                    let reason = Reason::Organization((id, organization.name.clone()));
                    reasons.entry(project).or_default().push(reason);
                }
            }
            let found = transaction.get_many(reasons.keys().map(|id| keys::project(*id)).collect())?;
            let mut open = Vec::with_capacity(found.len());
            for ((id, reasons), text) in reasons.into_iter().zip(found) {
                // An association may outlast its project until it is swept.
                let Some(text) = text else { continue };
                let project = projects::describe(id, records::read(&keys::project(id), &text)?);
                open.push(OpenProject { project, reasons });
            }
            Ok(open)
        })
    }
}

/// The projects whose numbers end the keys that begin with a prefix.
///
/// # Errors
/// Where the storage fails.
pub(crate) fn projects_below(transaction: &mut Transaction, prefix: &str) -> store::Result<Vec<u64>> {
    let ends = ends(transaction, prefix, u32::MAX)?;
    ends.iter().map(|number| numbers::parse(prefix, number)).collect()
}
