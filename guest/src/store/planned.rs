//! The records of plans: what is planned for a user or group, how much that is in all, who gains or loses what by it, and
//! how far it is applied.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// What a staged directory plans to do to one customer or organization. The order is the one in which it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PlannedKind {
    /// A customer is deleted, because its user was.
    DeleteCustomer,
    /// A customer is deactivated.
    DeactivateCustomer,
    /// A customer becomes local and is deactivated, because its user's address has moved outside of the directory's
    /// domains.
    UnlinkCustomer,
    /// A local customer is linked to a user.
    LinkCustomer,
    /// A customer is made.
    MakeCustomer,
    /// A customer is activated.
    ActivateCustomer,
    /// A customer's name, address, time zone or locale changes.
    ChangeCustomer,
    /// A local organization becomes a group's.
    AdoptOrganization,
    /// An organization is made.
    MakeOrganization,
    /// An organization gets another name; its members may change as well.
    RenameOrganization,
    /// Members of an organization come or go.
    ChangeMembers,
    /// An organization is deleted, because its group was.
    DeleteOrganization,
}

impl PlannedKind {
    /// Every kind, in their order.
    pub const ALL: [Self; 12] = [
        Self::DeleteCustomer,
        Self::DeactivateCustomer,
        Self::UnlinkCustomer,
        Self::LinkCustomer,
        Self::MakeCustomer,
        Self::ActivateCustomer,
        Self::ChangeCustomer,
        Self::AdoptOrganization,
        Self::MakeOrganization,
        Self::RenameOrganization,
        Self::ChangeMembers,
        Self::DeleteOrganization,
    ];

    /// Its place in [`ALL`](Self::ALL).
    #[must_use]
    pub const fn place(self) -> usize {
        self as usize
    }

    /// Whether it is about a user and its customer, and not about a group and its organization.
    #[must_use]
    pub fn concerns_user(self) -> bool {
        self < Self::AdoptOrganization
    }
}

/// How much is planned.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PlannedCounts {
    /// What can be done, by [`PlannedKind`].
    pub kinds: [u64; PlannedKind::ALL.len()],
    /// What is blocked.
    pub blocked: u64,
    /// How many customers and organizations go: are deleted, deactivated or unlinked.
    pub going: u64,
    /// When it last changed, in milliseconds since the Unix epoch.
    pub changed: u64,
}

impl PlannedCounts {
    /// Whether nothing is, nor ever was.
    pub(super) fn are_zero(&self) -> bool {
        *self == Self::default()
    }

    /// How many customers and organizations the plan is about, blocked ones included.
    #[must_use]
    pub fn all(&self) -> u64 {
        self.kinds.iter().copied().fold(self.blocked, u64::saturating_add)
    }
}

/// Why something that is planned cannot be done: what the site has changed since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Obstacle {
    /// Another customer has the address.
    AddressTaken,
    /// The local customer that was to be linked is gone, has another address, or is managed by a directory.
    CustomerChanged,
    /// Another organization has the name.
    NameTaken,
    /// The local organization that was to be adopted is gone, has another name, or is managed by a directory.
    OrganizationChanged,
}

/// What a staged directory plans for the customer of a user, or the organization of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedRecord {
    /// What is to be done.
    pub kind: PlannedKind,
    /// The name to show: that of the person, or of the group.
    pub name: String,
    /// Whether the user or group is linked on the site. If it is not, and is to be linked, the local customer or
    /// organization is named below.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub linked: bool,
    /// The customer that it is linked to, or is to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
    /// The organization that it is linked to, or is to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<u64>,
    /// The address or name, as it is compared, that the customer or organization is to have and does not have on the
    /// site as that of this user or group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wants: Option<String>,
    /// The address or name, as it is compared, of the local customer or organization when that was decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    /// Whether a local customer that is to be linked is active, and is not to be.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub deactivates: bool,
    /// Whether the group got another name while the directory was staged.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub renamed: bool,
    /// Whether the identity provider has sent all members of the group.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub complete: bool,
    /// How many members came to a group that is linked.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub come: u32,
    /// How many members left it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub go: u32,
    /// Why it cannot be done, if it cannot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked: Option<Obstacle>,
}

/// How far it has been worked out who gains or loses which project by the plan of a staged directory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PlanAccessRecord {
    /// The run that is complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub complete: Option<PlanAccessRun>,
    /// The run that is under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub running: Option<PlanAccessRun>,
    /// What the run under way goes on with.
    pub place: PlanAccessPlace,
    /// A run whose entries are still to be removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<u64>,
    /// When the next run is due, in milliseconds since the Unix epoch, if one is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<u64>,
}

/// A run in which it was worked out who gains or loses which project.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PlanAccessRun {
    /// When it began, in milliseconds since the Unix epoch. No two runs of a directory have the same.
    pub at: u64,
    /// How many persons lose a project.
    pub losing: u64,
    /// How many persons gain one.
    pub gaining: u64,
    /// The projects, each with how many persons lose and gain it.
    pub projects: Vec<(u64, u64, u64)>,
}

/// What a run goes on with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PlanAccessPlace {
    /// The first user of the directory.
    #[default]
    Begin,
    /// The users of the directory, after this one.
    Users(String),
    /// What is planned, after this user or group: deleted users whose customers are still there, and groups with
    /// organizations whose members are not all users of the directory.
    Planned(String),
    /// The members that the organization of this group has, after this customer.
    Members(String, String),
}

/// The staged directories that want something, each with its user or group.
pub type Claims = Vec<(String, String)>;

/// How the last apply of a plan goes, or went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplyRecord {
    /// Who asked for it, as the change feed names them.
    pub by: String,
    /// When it began, in milliseconds since the Unix epoch.
    pub since: u64,
    /// How many customers and organizations are done.
    pub done: u64,
    /// How many of them were blocked.
    #[serde(default)]
    pub blocked: u64,
    /// When it ended, likewise; `None` while it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<u64>,
    /// Whether it was stopped before all was done.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub stopped: bool,
    /// Where a long row goes on of those who wait for each other's addresses or names, and how many came before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<(String, u64)>,
}
