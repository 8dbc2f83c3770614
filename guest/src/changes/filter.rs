//! Which changes a reader of the feed asks for.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::invalid::Invalid;
use crate::store::feed::{ChangeKind, ChangeRecord};
use crate::text::quoted;

/// Which changes are asked for: those that fit all that is given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of one of these kinds; if there are none, of any.
    pub kinds: Vec<String>,
    /// Made by this one, as [`Change::actor`] has it.
    pub actor: Option<String>,
    /// About this directory.
    pub directory: Option<String>,
    /// About this user; or the user is one of the members who came into a group, or went.
    pub user: Option<String>,
    /// About this group.
    pub group: Option<String>,
    /// About this customer; or the customer is one of the members who came into an organization, or went.
    pub customer: Option<String>,
    /// About this organization.
    pub organization: Option<u64>,
    /// About this project.
    pub project: Option<u64>,
}

impl Filter {
    /// Whether every change fits.
    pub(super) fn is_open(&self) -> bool {
        *self == Filter::default()
    }

    pub(super) fn check(&self) -> Result<(), Invalid> {
        if self.kinds.len() > ChangeKind::ALL.len() {
            return Err(Invalid(format!("there are {} kinds of changes, no more", ChangeKind::ALL.len())));
        }
        let is_kind = |text: &str| ChangeKind::ALL.iter().any(|kind| kind.text() == text);
        match self.kinds.iter().find(|kind| !is_kind(kind)) {
            None => Ok(()),
            Some(unknown) => Err(Invalid(format!("there is no kind of change {}", quoted(unknown)))),
        }
    }

    /// What stands in the text of every stored change that fits: ids as they are, numbers with their names. Most of a long
    /// feed can be passed by without being read.
    pub(super) fn marks(&self) -> Vec<String> {
        let ids = [&self.directory, &self.user, &self.group, &self.customer];
        let numbers = [("organization", self.organization), ("project", self.project)];
        let numbers = numbers.into_iter().filter_map(|(name, number)| Some(format!("\"{name}\":{}", number?)));
        ids.into_iter().flatten().cloned().chain(numbers).collect()
    }

    pub(super) fn fits(&self, record: &ChangeRecord) -> bool {
        let detail = &record.detail;
        let is = |wanted: &Option<String>, found: &Option<String>| wanted.is_none() || wanted == found;
        // The members of a group are users, those of an organization customers: they may have the same ids.
        let are_users = record.kind.starts_with("group.");
        let is_member = |wanted: &Option<String>| wanted.as_ref().is_some_and(|wanted| detail.members.contains(wanted));
        (self.kinds.is_empty() || self.kinds.iter().any(|kind| *kind == record.kind))
            && self.actor.as_ref().is_none_or(|actor| *actor == record.actor)
            && is(&self.directory, &detail.directory)
            && is(&self.group, &detail.group)
            && (is(&self.user, &detail.user) || are_users && is_member(&self.user))
            && (is(&self.customer, &detail.customer) || !are_users && is_member(&self.customer))
            && (self.organization.is_none() || self.organization == detail.organization)
            && (self.project.is_none() || self.project == detail.project)
    }
}
