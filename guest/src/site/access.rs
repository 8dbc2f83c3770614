//! Whether a customer may use a project, and why.

use alloc::string::String;
use alloc::vec::Vec;

use super::projects::{self, Audience, Project};
use super::{Position, Result, customers, organizations, scan_page};
use crate::engine::Engine;
use crate::store::keys::{self, Association};
use crate::store::records;

/// How many projects are gone through at once.
const PROJECTS_AT_ONCE: u32 = 500;

/// Whether a customer may use a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// Whether.
    pub allowed: bool,
    /// Why. For a deactivated customer, also what would hold again on reactivation.
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
    /// Why.
    pub reasons: Vec<Reason>,
}

impl Engine<'_> {
    /// Whether a customer may use a project, and why.
    ///
    /// # Errors
    /// [`Error::NotFound`](super::Error::NotFound) for either.
    pub fn access(&self, customer: &str, project: u64) -> Result<Access> {
        let now = self.now().milliseconds;
        self.read(|transaction| {
            let record = customers::existing(transaction, customer)?;
            let project_record = projects::existing(transaction, project)?;
            let organizations = organizations::of_customer(transaction, customer, &record, now)?;
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

    /// Every project that is open to a customer; none for a deactivated one.
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
            let organizations = organizations::of_customer(transaction, customer, &record, now)?;
            let (mut open, mut position) = (Vec::new(), Position::Offset(0));
            loop {
                let page = scan_page(transaction, keys::ALL_PROJECTS, &position, PROJECTS_AT_ONCE)?;
                for entry in &page.values {
                    let id = keys::id_of(&entry.key).parse().map_err(|_| records::corrupt(&entry.key))?;
                    let project = projects::describe(id, records::read(&entry.key, &entry.value)?);
                    let mut reasons = Vec::new();
                    if project.audience == Audience::Open {
                        reasons.push(Reason::Open);
                    }
                    let [direct, _] = Association::Customer.both(id, customer);
                    let mut keys_to_read = alloc::vec![direct];
                    keys_to_read.extend(organizations.keys().map(|organization| {
                        let [associated, _] = Association::Organization.both(id, &keys::number(*organization));
                        associated
                    }));
                    let mut found = transaction.get_many(keys_to_read)?.into_iter();
                    if found.next().flatten().is_some() {
                        reasons.push(Reason::Direct);
                    }
                    for ((organization, record), associated) in organizations.iter().zip(found) {
                        if associated.is_some() {
                            reasons.push(Reason::Organization((*organization, record.name.clone())));
                        }
                    }
                    if !reasons.is_empty() {
                        open.push(OpenProject { project, reasons });
                    }
                }
                match page.next {
                    Some(next) => position = Position::After(next),
                    None => return Ok(open),
                }
            }
        })
    }
}
