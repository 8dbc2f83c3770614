//! The change feed as it is stored: what was done to what, by whom.

use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::keys;
use super::records::{Subject, UnlinkedReason};
use crate::json;

/// How many users or customers an entry of the change feed names.
pub const MEMBERS_PER_CHANGE: usize = 1_000;

macro_rules! change_kinds {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        /// What was done to what. `wit/changes.wit` lists the same kinds.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum ChangeKind {
            $($(#[$doc])* $name,)*
        }

        impl ChangeKind {
            /// Every kind.
            pub const ALL: &[ChangeKind] = &[$(ChangeKind::$name),*];

            /// The kind as text.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self {
                    $(ChangeKind::$name => $text,)*
                }
            }
        }
    };
}

change_kinds! {
    /// An administrator connected a directory.
    DirectoryConnected = "directory.connected";
    /// An administrator changed settings of a directory, those in `changed`.
    DirectoryUpdated = "directory.updated";
    /// An administrator disconnected a directory; what it managed stays, as local.
    DirectoryDisconnected = "directory.disconnected";
    /// An administrator disconnected a directory; what it managed is removed.
    DirectoryRemoved = "directory.removed";
    /// An administrator has the plan of a staged directory applied.
    PlanApplyStarted = "plan.apply-started";
    /// The plan is applied, and the directory is live.
    PlanApplied = "plan.applied";
    /// A part of what was planned for a customer or organization was blocked by what the site had changed: it keeps its
    /// address or name.
    PlanBlocked = "plan.blocked";
    /// The directory's deletions are held, because there were more than its limit.
    DeletionsHeld = "directory.deletions-held";
    /// An administrator let the directory's deletions through.
    DeletionsReleased = "directory.released";
    /// An administrator has the bodies of a directory's requests captured, `until` a time (RFC 3339), with `values` or
    /// without.
    CaptureStarted = "directory.capture-started";
    /// An administrator stopped that before its time.
    CaptureStopped = "directory.capture-stopped";
    /// An API key was issued.
    KeyIssued = "key.issued";
    /// An API key expires in this many `days`.
    KeyExpiring = "key.expiring";
    /// An API key was revoked.
    KeyRevoked = "key.revoked";
    /// An administrator made a set-up link, with which somebody else gets a key, `until` a time (RFC 3339).
    SetupLinkMade = "setup-link.made";
    /// A set-up link was used: whoever has it got the `key`.
    SetupLinkUsed = "setup-link.used";
    /// An administrator took a set-up link back.
    SetupLinkRevoked = "setup-link.revoked";
    /// A set-up link expired before it was used.
    SetupLinkExpired = "setup-link.expired";
    /// The host refused sign-ins with a wrong admin key: `count` of them, between the times `first` and `last` (RFC
    /// 3339).
    AdminKeyRefused = "admin-key.refused";
    /// A user was made.
    UserCreated = "user.created";
    /// Attributes of a user changed, those in `changed`.
    UserUpdated = "user.updated";
    /// A user is linked to no customer, for this `reason`: `noEmail` or `outsideDomains`.
    UserUnlinked = "user.unlinked";
    /// A user was deleted.
    UserDeleted = "user.deleted";
    /// A group was made.
    GroupCreated = "group.created";
    /// Attributes of a group changed, those in `changed`.
    GroupUpdated = "group.updated";
    /// Users became members of a group, those in `members`, and their customers of its `organization`, where one is named.
    GroupMembersAdded = "group.members-added";
    /// Users are no longer members of a group, those in `members`, nor their customers of its `organization`, where one is
    /// named.
    GroupMembersRemoved = "group.members-removed";
    /// An administrator had a group and its organization put right.
    GroupRepaired = "group.repaired";
    /// A group was deleted.
    GroupDeleted = "group.deleted";
    /// A customer was made, for a user where one is named.
    CustomerCreated = "customer.created";
    /// A local customer was linked to a user.
    CustomerLinked = "customer.linked";
    /// A customer was unlinked from its user, and is local: by an administrator, or for this `reason`: `outsideDomains`.
    CustomerUnlinked = "customer.unlinked";
    /// Attributes of a customer changed, those in `changed`.
    CustomerUpdated = "customer.updated";
    /// Portals are open to a customer again.
    CustomerActivated = "customer.activated";
    /// Portals are closed to a customer.
    CustomerDeactivated = "customer.deactivated";
    /// A customer was deleted, and can be restored for the site's retention time.
    CustomerDeleted = "customer.deleted";
    /// A deleted customer was restored.
    CustomerRestored = "customer.restored";
    /// A deleted customer was erased for good.
    CustomerErased = "customer.erased";
    /// An organization was made, for a group where one is named.
    OrganizationCreated = "organization.created";
    /// A local organization became a group's.
    OrganizationAdopted = "organization.adopted";
    /// The grace of an adopted organization is over: its members are the group's alone. Those who are no members any more
    /// are named by `organization.members-removed`.
    OrganizationSettled = "organization.settled";
    /// A group was left apart from the local organization that has its name.
    OrganizationConflict = "organization.conflict";
    /// An organization was unlinked from its group, and is local with the members that it had.
    OrganizationUnlinked = "organization.unlinked";
    /// An organization got another name.
    OrganizationRenamed = "organization.renamed";
    /// Customers became members of an organization, those in `members`, but not by coming into its group.
    OrganizationMembersAdded = "organization.members-added";
    /// Customers are no longer members of an organization, those in `members`, but not by leaving its group.
    OrganizationMembersRemoved = "organization.members-removed";
    /// An organization was deleted, and can be restored for the site's retention time.
    OrganizationDeleted = "organization.deleted";
    /// A deleted organization was restored.
    OrganizationRestored = "organization.restored";
    /// A deleted organization was erased for good.
    OrganizationErased = "organization.erased";
    /// A group was refused for the first time, because a local organization has its name.
    ConflictRefused = "conflict.refused";
    /// Something has the same name as another, because names compare differently than in the version that made it.
    ConflictFound = "conflict.found";
    /// An administrator resolved a conflict by this `action`: `adopt`, `rename` or `leave`.
    ConflictResolved = "conflict.resolved";
    /// A project was made.
    ProjectCreated = "project.created";
    /// Settings of a project changed, those in `changed`.
    ProjectUpdated = "project.updated";
    /// A project was associated with an organization.
    ProjectOrganizationAdded = "project.organization-added";
    /// A project is no longer associated with an organization.
    ProjectOrganizationRemoved = "project.organization-removed";
    /// A project was associated with a customer.
    ProjectCustomerAdded = "project.customer-added";
    /// A project is no longer associated with a customer.
    ProjectCustomerRemoved = "project.customer-removed";
    /// A project was deleted.
    ProjectDeleted = "project.deleted";
    /// Settings of the site changed, those in `changed`.
    SettingsUpdated = "settings.updated";
}

/// An entry of the change feed; its sequence number is in its key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeRecord {
    /// When it was made, in milliseconds since the Unix epoch.
    pub at: u64,
    /// Who made it: `directory:{id}`, `admin:{name}`, `setup:{link}` or `usher`.
    pub actor: String,
    /// The id of the request that made it, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// What was done to what: the text of a [`ChangeKind`]. A later version of the program may have written another one,
    /// which readers of the feed get as it is.
    pub kind: Cow<'static, str>,
    /// What the change is about.
    pub detail: Detail,
    /// What the site shows of it, before and after. It is not kept in the feed, but with the customer or organization,
    /// and goes with it.
    #[serde(skip)]
    pub values: Vec<ValueChange>,
}

/// A value that the site shows, before and after a change: the email address, name or status of a customer, the name of
/// an organization.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(Serialize))]
pub struct ValueChange {
    /// What it is the value of: `email`, `displayName`, `active` or `name`.
    #[serde(rename = "of")]
    pub attribute: Cow<'static, str>,
    /// The value before; `None` where there was none.
    #[serde(rename = "from", default)]
    #[cfg_attr(test, serde(skip_serializing_if = "Option::is_none"))]
    pub old: Option<String>,
    /// The value after; `None` where there is none any more.
    #[serde(rename = "to", default)]
    #[cfg_attr(test, serde(skip_serializing_if = "Option::is_none"))]
    pub new: Option<String>,
}

impl ValueChange {
    /// A value that is there from now on.
    #[must_use]
    pub fn first(attribute: &'static str, value: &str) -> Self {
        ValueChange { attribute: attribute.into(), old: None, new: Some(value.to_string()) }
    }

    /// A value that changes; `None` if it stays the same.
    #[must_use]
    pub fn between(attribute: &'static str, old: &str, new: &str) -> Option<Self> {
        let change = || ValueChange { old: Some(old.to_string()), ..Self::first(attribute, new) };
        (old != new).then(change)
    }
}

/// Values as they are stored; empty if there are none. The same as serializing them would make of them, and quicker:
/// every user that is made has some.
#[must_use]
pub fn values_text(values: &[ValueChange]) -> String {
    let mut text = String::new();
    for (at, value) in values.iter().enumerate() {
        text.push_str(if at == 0 { "[{\"of\":" } else { ",{\"of\":" });
        json::push_string(&mut text, &value.attribute);
        for (name, value) in [(",\"from\":", &value.old), (",\"to\":", &value.new)] {
            if let Some(value) = value {
                text.push_str(name);
                json::push_string(&mut text, value);
            }
        }
        text.push('}');
    }
    if !text.is_empty() {
        text.push(']');
    }
    text
}

impl ChangeRecord {
    /// What the keys of the history begin with to which the change belongs: that of a customer or an organization, if it
    /// is about the state of one. What is erased has no history.
    #[must_use]
    pub fn history(&self) -> Option<String> {
        match self.kind.split_once('.')? {
            (_, "erased" | "members-added" | "members-removed") => None,
            ("customer", _) => self.detail.customer.as_deref().map(keys::customer_history),
            ("organization", _) => self.detail.organization.map(keys::organization_history),
            _ => None,
        }
    }

    /// The same of what the change erases.
    #[must_use]
    pub fn erased_history(&self) -> Option<String> {
        match &*self.kind {
            "customer.erased" => self.detail.customer.as_deref().map(keys::customer_history),
            "organization.erased" => self.detail.organization.map(keys::organization_history),
            _ => None,
        }
    }
}

/// The details of a change; which members there are depends on its kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Detail {
    /// The directory concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directory: Option<String>,
    /// The API key concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The set-up link concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// The user concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The group concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The customer concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
    /// The organization concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<u64>,
    /// The project concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<u64>,
    /// The users that were added to or removed from the group, or the customers from the organization.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<String>,
    /// In how many days the key expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
    /// The names of the attributes or settings that changed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<String>,
    /// Why a user is linked to no customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<UnlinkedReason>,
    /// How a conflict was resolved: `adopt`, `rename` or `leave`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// How many keys of administrators were refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// When the first of them was refused, as RFC 3339 text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<String>,
    /// When the last of them was refused, as RFC 3339 text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
    /// When something ends by itself, as RFC 3339 text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Whether values are captured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub values: Option<bool>,
}

impl Detail {
    /// The details of a change of a subject. For a user or group, `directory` is its directory.
    #[must_use]
    pub fn of_subject(subject: &Subject, directory: Option<&str>) -> Self {
        let detail = match subject {
            Subject::Directory(id) => return Detail::of_directory(id),
            Subject::User(id) => Detail::of_user(id),
            Subject::Group(id) => Detail::of_group(id),
            Subject::Customer(id) => Detail::of_customer(id),
            Subject::Organization(number) => Detail::of_organization(*number),
        };
        Detail { directory: directory.map(ToString::to_string), ..detail }
    }

    /// The details of a change of a directory.
    #[must_use]
    pub fn of_directory(id: &str) -> Self {
        Detail { directory: Some(id.to_string()), ..Detail::default() }
    }

    /// The details of a change of an API key.
    #[must_use]
    pub fn of_key(directory: &str, key: &str) -> Self {
        Detail { key: Some(key.to_string()), ..Detail::of_directory(directory) }
    }

    /// The details of a change of a set-up link.
    #[must_use]
    pub fn of_setup_link(directory: &str, link: &str) -> Self {
        Detail { link: Some(link.to_string()), ..Detail::of_directory(directory) }
    }

    /// The details of a change that a directory made to one of its users.
    #[must_use]
    pub fn of_user(id: &str) -> Self {
        Detail { user: Some(id.to_string()), ..Detail::default() }
    }

    /// The details of a change that a directory made to one of its groups.
    #[must_use]
    pub fn of_group(id: &str) -> Self {
        Detail { group: Some(id.to_string()), ..Detail::default() }
    }

    /// The details of a change of a customer.
    #[must_use]
    pub fn of_customer(id: &str) -> Self {
        Detail { customer: Some(id.to_string()), ..Detail::default() }
    }

    /// The details of a change of an organization.
    #[must_use]
    pub fn of_organization(id: u64) -> Self {
        Detail { organization: Some(id), ..Detail::default() }
    }

    /// The details of a change of a project.
    #[must_use]
    pub fn of_project(id: u64) -> Self {
        Detail { project: Some(id), ..Detail::default() }
    }
}

/// The names of those of these that changed.
#[must_use]
pub fn changed<const N: usize>(names: [(&str, bool); N]) -> Vec<String> {
    names.into_iter().filter(|(_, changed)| *changed).map(|(name, _)| name.to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_they_are_read() {
        let first = ValueChange::first("email", "a\"b\\@x.test");
        let all = [first, ValueChange { old: Some("\u{1f3e2}\n".into()), new: None, attribute: "name".into() }];
        for values in [&all[..], &all[..1], &all[1..]] {
            assert_eq!(values_text(values), json::to_text(&values));
            let read: Vec<ValueChange> = serde_json::from_str(&values_text(values)).unwrap();
            assert_eq!(read, values);
        }
        assert_eq!(values_text(&[]), "");
    }
}
