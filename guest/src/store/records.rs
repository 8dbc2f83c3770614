//! The records: what the stored values hold.
//!
//! All are JSON. A user or group is two lines: a [`Header`] with what the service provider keeps about it, then the
//! attributes as the client sent them, in the form in which they are returned: a read copies them without looking
//! inside.

use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::error::{Error, Result};
use super::keys::{self, Kind};
pub use super::open_blocks::{OpenBlock, OpenBlocks};
pub use super::planned::{
    ApplyRecord, Claims, Obstacle, PlanAccessPlace, PlanAccessRecord, PlanAccessRun, PlannedCounts, PlannedKind,
    PlannedRecord,
};
use crate::json::{self, Object, Value};

/// What the service provider keeps about a resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The number of the version, 1 at creation.
    pub version: u64,
    /// When it was made, as RFC 3339 text: it is returned far more often than compared.
    pub created: String,
    /// When it was last changed, likewise.
    pub modified: String,
    /// Whether a user has attributes of the enterprise extension, so that `schemas` need not be stored.
    #[serde(default, skip_serializing_if = "is_false")]
    pub enterprise: bool,
    /// Whether a user is deactivated, as the attribute `active` says. Earlier versions let clients remove the
    /// attribute; the last status is then shown in its place.
    #[serde(default, skip_serializing_if = "is_false")]
    pub inactive: bool,
    /// How many members a group has.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub members: u32,
    /// The customer that a user is linked to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
    /// The customer from which an administrator has unlinked a user. While there is one, the user is linked to no
    /// customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unlinked: Option<String>,
    /// The organization that a group is linked to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<u64>,
    /// Whether another user or group of the directory has the same name, see [`Twin`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub twin: Option<Twin>,
}

/// What something says about itself if another has the same name: both were made under an older layout, which told
/// their names apart. The index leads to the older one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Twin {
    /// The index leads to this one.
    Indexed,
    /// The index leads to the other one.
    NotIndexed,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Header {
    /// The entity tag, also `meta.version`. Weak: it identifies a state, not the bytes of one representation.
    #[must_use]
    pub fn etag(&self) -> String {
        alloc::format!("W/\"{}\"", self.version)
    }

    /// The header of the next version.
    #[must_use]
    pub fn next(&self, now: &str) -> Self {
        Header { version: self.version.saturating_add(1), modified: now.to_string(), ..self.clone() }
    }
}

/// A stored resource, in its parts.
#[derive(Debug, Clone)]
pub struct Stored {
    /// What the service provider keeps.
    pub header: Header,
    /// The whole value.
    text: String,
    /// Where the attributes begin in it.
    attributes_at: usize,
}

impl Stored {
    /// Splits a value into its parts.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if the value is not of this form.
    pub fn read(key: &str, text: String) -> Result<Self> {
        let (header, attributes) = text.split_once('\n').ok_or_else(|| Error::corrupt(key))?;
        let header: Header = serde_json::from_str(header).map_err(|_| Error::corrupt(key))?;
        // It is spliced into answers later, so it has to be an object, whatever the storage has done to it.
        if !(attributes.starts_with('{') && attributes.ends_with('}')) {
            return Err(Error::corrupt(key));
        }
        let attributes_at = text.len() - attributes.len();
        Ok(Stored { header, text, attributes_at })
    }

    /// Builds the value from its parts.
    #[must_use]
    pub fn new(header: Header, attributes: &Object<'_>) -> Self {
        let mut text = json::to_text(&header);
        text.push('\n');
        let attributes_at = text.len();
        attributes.push_to(&mut text);
        Stored { header, text, attributes_at }
    }

    /// The same attributes under another header.
    #[must_use]
    pub fn with_header(&self, header: Header) -> Self {
        let mut text = json::to_text(&header);
        text.push('\n');
        let attributes_at = text.len();
        text.push_str(self.attributes_text());
        Stored { header, text, attributes_at }
    }

    /// The value to store.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The attributes as JSON text.
    #[must_use]
    pub fn attributes_text(&self) -> &str {
        &self.text[self.attributes_at..]
    }

    /// Whether the attributes of a user have `active`. No other attribute or sub-attribute has this name, and in a
    /// value the quotation marks would be escaped, so nothing needs to be parsed.
    #[must_use]
    pub fn has_status(&self) -> bool {
        // Every user is made with a status.
        self.header.version == 1 || self.attributes_text().contains("\"active\":")
    }

    /// The `userName` of a user, or the `displayName` of a group, without reading the other attributes.
    #[must_use]
    pub fn name(&self, kind: Kind) -> Option<Cow<'_, str>> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Names<'a> {
            #[serde(borrow, default)]
            user_name: Option<Cow<'a, str>>,
            #[serde(borrow, default)]
            display_name: Option<Cow<'a, str>>,
        }
        let names: Names<'_> = serde_json::from_str(self.attributes_text()).ok()?;
        match kind {
            Kind::User => names.user_name,
            Kind::Group => names.display_name,
        }
    }

    /// The attributes as they are stored. Those of a user may lack `active`: see [`has_status`](Self::has_status).
    ///
    /// # Errors
    /// [`Error::Corrupt`] if they are not a JSON object.
    pub fn attributes(&self, key: &str) -> Result<Object<'_>> {
        match json::parse(self.attributes_text()) {
            Ok(Value::Object(attributes)) => Ok(attributes),
            _ => Err(Error::corrupt(key)),
        }
    }
}

/// A directory: an identity provider that is connected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DirectoryRecord {
    /// The name, as the administrator wrote it.
    pub name: String,
    /// When it was connected, in milliseconds since the Unix epoch.
    pub created: u64,
    /// What happens when the email address of a user changes.
    pub email_change: EmailChange,
    /// Whether every user needs an email address.
    pub email: EmailPresence,
    /// What happens to members that are not users of the directory.
    pub unknown_members: UnknownMembers,
    /// What happens when a group is first pushed with the name of a local organization.
    pub conflict_policy: ConflictPolicy,
    /// For how many seconds the members that an adopted organization had before stay members.
    pub adoption_grace: u32,
    /// How many deletions and deactivations an hour may have before the rest is held; `None` for no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_limit: Option<u32>,
    /// Whether what it pushes reaches the site.
    #[serde(default, skip_serializing_if = "Mode::is_live")]
    pub mode: Mode,
    /// The email domains that it is bound to, as they are compared; none if it may have users of any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub domains: Vec<String>,
    /// What happens to users with an email address outside of these domains.
    #[serde(default, skip_serializing_if = "OutsideDomains::is_default")]
    pub outside_domains: OutsideDomains,
    /// Whether memberships are resources of their own, at `/GroupMemberships`.
    #[serde(default, skip_serializing_if = "is_false")]
    pub membership_resources: bool,
    /// After how many times its usual interval the directory counts as silent; 0 for never.
    #[serde(default = "usual_silence", skip_serializing_if = "is_usual_silence")]
    pub silent_after: u32,
    /// Whether another directory has the same name, see [`Twin`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub twin: Option<Twin>,
}

/// Whether what a directory pushes reaches the site.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Mode {
    /// It does, at once.
    #[default]
    Live,
    /// It is planned, until an administrator has the plan applied.
    Staged,
    /// The plan is being applied, step by step. What is pushed meanwhile is planned as well, and applied with the rest.
    Applying,
}

impl Mode {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
    fn is_live(&self) -> bool {
        *self == Self::Live
    }
}

/// What happens to users with an email address outside of the domains that their directory is bound to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum OutsideDomains {
    /// They are kept, linked to no customer.
    #[default]
    Unlinked,
    /// They are refused: 400 `invalidValue`.
    Refuse,
}

impl OutsideDomains {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
    fn is_default(&self) -> bool {
        *self == Self::Unlinked
    }
}

/// A rule of a directory: the organizations of groups with such a name are associated with these projects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectRule {
    /// The name, in which `*` stands for any text.
    pub pattern: String,
    /// The numbers of the projects.
    pub projects: Vec<u64>,
}

/// After how many times its usual interval a directory counts as silent unless an administrator says.
pub const USUAL_SILENCE: u32 = 3;

const fn usual_silence() -> u32 {
    USUAL_SILENCE
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_usual_silence(times: &u32) -> bool {
    *times == USUAL_SILENCE
}

/// What happens when the email address of a user changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum EmailChange {
    /// The change is refused: 400 `mutability`.
    Refuse,
    /// The change is made.
    Follow,
}

/// Whether every user needs an email address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum EmailPresence {
    /// A user may have no email address.
    Optional,
    /// A user without one is refused: 400 `invalidValue`.
    Required,
}

/// What happens to members that are not users of the directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum UnknownMembers {
    /// The request is refused: 400 `invalidValue` with the ids.
    Refuse,
    /// They are dropped.
    Skip,
}

/// What happens to a local organization when a group with its name is first pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ConflictPolicy {
    /// It is adopted and becomes managed.
    Sync,
    /// It is left alone; the group has no organization.
    Skip,
    /// The group is refused: 409 `uniqueness`.
    Reject,
}

/// A customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CustomerRecord {
    /// The email address, as it was written.
    pub email: String,
    /// The name to show.
    pub display_name: String,
    /// Whether portals are open to the customer at all.
    pub active: bool,
    /// The time zone, by its name in the IANA database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// The locale, one of the site's.
    pub locale: String,
    /// When it was made, in milliseconds since the Unix epoch.
    pub created: u64,
    /// The user that it is linked to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Link>,
    /// What it was linked to before, in directories that are disconnected: the memberships of these users are still the
    /// customer's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former: Vec<Link>,
    /// The user that it was linked to last, while it is linked to none: the log of that directory may name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Link>,
    /// Whether another customer has the same email address, see [`Twin`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub twin: Option<Twin>,
}

impl CustomerRecord {
    /// The users whose memberships are the customer's: the one that it is linked to, and those of disconnected
    /// directories.
    pub fn users(&self) -> impl Iterator<Item = &Link> + Clone {
        self.link.iter().chain(&self.former)
    }
}

/// The tie of a customer to a user, or of an organization to a group. What is linked is managed while the directory is
/// connected. After that, the link only says whose memberships it has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The directory.
    pub directory: String,
    /// The user or group in it.
    pub resource: String,
}

/// An organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrganizationRecord {
    /// The name, as it was written.
    pub name: String,
    /// A UUID, which clients of the reference product expect besides the number.
    pub uuid: String,
    /// When it was made, in milliseconds since the Unix epoch.
    pub created: u64,
    /// The group that it is linked to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Link>,
    /// The group that it was linked to before it was deleted: its members are still the organization's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub former: Option<String>,
    /// Whether it has members of its own although it is managed: customers whose users were deleted. They are kept for
    /// those of them who are restored, until the group's list is complete, and count while they are on probation.
    #[serde(default, skip_serializing_if = "is_false")]
    pub restored: bool,
    /// The members that it had before it was adopted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retained: Option<Retained>,
    /// The group that an administrator unlinked it from last: its own members are named after that group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parted: Option<Parted>,
    /// Whether it has members who have left its group while the directory was staged: see
    /// [`keys::staying_members`].
    #[serde(default, skip_serializing_if = "is_false")]
    pub staying: bool,
    /// Whether another organization has the same name, see [`Twin`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub twin: Option<Twin>,
}

/// The group that an organization was unlinked from. It keeps the members that it had through the group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parted {
    /// The group, with its directory.
    pub link: Link,
    /// While members are still being copied: the user after which to go on. Until that is done, those of the group count
    /// as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// The members that an organization had before it was adopted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retained {
    /// Until when they stay members, in milliseconds since the Unix epoch.
    pub until: u64,
    /// What holds them: groups of disconnected directories, or [`super::keys::own_members`].
    pub holders: Vec<String>,
}

/// The settings of the site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SiteRecord {
    /// The locales that customers can have.
    pub locales: Vec<String>,
    /// The locale of customers that have no other.
    pub default_locale: String,
    /// How many users a group may have.
    pub max_members: u32,
    /// How many groups a directory may have.
    pub max_groups: u32,
    /// For how many days deleted customers and organizations can be restored.
    pub retention_days: u32,
}

/// A deleted customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeletedCustomerRecord {
    /// The record as it was, to be restored.
    pub record: CustomerRecord,
    /// The user that it followed until it was deleted, whose directory's log may name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub followed: Option<Link>,
    /// When it was deleted, in milliseconds since the Unix epoch.
    pub deleted: u64,
    /// Until when it can be restored, likewise.
    pub until: u64,
}

/// A deleted organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeletedOrganizationRecord {
    /// The record as it was, to be restored.
    pub record: OrganizationRecord,
    /// The group that it followed until it was deleted, whose directory's log may name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub followed: Option<Link>,
    /// The projects that were open to its members.
    pub projects: Vec<u64>,
    /// When it was deleted, in milliseconds since the Unix epoch.
    pub deleted: u64,
    /// Until when it can be restored, likewise.
    pub until: u64,
}

/// Who may use a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Audience {
    /// Every active customer.
    Open,
    /// The members of its organizations, and its own customers.
    Restricted,
}

/// A project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProjectRecord {
    /// The key, such as `HELP`.
    pub key: String,
    /// The name.
    pub name: String,
    /// Who may use it.
    pub audience: Audience,
    /// When it was made, in milliseconds since the Unix epoch.
    pub created: u64,
}

/// How much a directory has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// The number of users.
    pub users: u64,
    /// The number of groups.
    pub groups: u64,
    /// The number of memberships of all groups.
    pub memberships: u64,
    /// The number of deleted users whose memberships are still to be swept. While it is not 0, readers of members look
    /// these users up.
    #[serde(default, skip_serializing_if = "is_none_of")]
    pub unswept_users: u64,
    /// The number of users that are linked to no customer.
    #[serde(default, skip_serializing_if = "is_none_of")]
    pub unlinked: u64,
    /// The same by reason.
    #[serde(default, rename = "unlinkedBy", skip_serializing_if = "UnlinkedCounts::are_zero")]
    pub unlinked_by: UnlinkedCounts,
    /// The number of open conflicts.
    #[serde(default, skip_serializing_if = "is_none_of")]
    pub conflicts: u64,
    /// The number of customers whose users are deleted while the directory is staged: they stay until that is applied.
    #[serde(default, skip_serializing_if = "is_none_of")]
    pub leaving: u64,
    /// What is planned, by kind.
    #[serde(default, skip_serializing_if = "PlannedCounts::are_zero")]
    pub planned: PlannedCounts,
    /// The last blocks of ids, see [`super::blocks`].
    #[serde(default, skip_serializing_if = "OpenBlocks::are_only")]
    pub blocks: OpenBlocks,
}

/// How many users are linked to no customer, by reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct UnlinkedCounts {
    /// See [`UnlinkedReason::NoEmail`].
    #[serde(skip_serializing_if = "is_none_of")]
    pub no_email: u64,
    /// See [`UnlinkedReason::Unlinked`].
    #[serde(skip_serializing_if = "is_none_of")]
    pub unlinked: u64,
    /// See [`UnlinkedReason::OutsideDomains`].
    #[serde(skip_serializing_if = "is_none_of")]
    pub outside_domains: u64,
    /// See [`UnlinkedReason::Staged`].
    #[serde(skip_serializing_if = "is_none_of")]
    pub staged: u64,
    /// See [`UnlinkedReason::AddressTaken`].
    #[serde(skip_serializing_if = "is_none_of")]
    pub address_taken: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference; on some targets the lint does not mind")]
fn is_none_of(count: &u64) -> bool {
    *count == 0
}

impl UnlinkedCounts {
    fn are_zero(&self) -> bool {
        *self == Self::default()
    }

    /// Every reason with its count.
    pub fn all(mut self) -> impl Iterator<Item = (UnlinkedReason, u64)> {
        UnlinkedReason::ALL.into_iter().map(move |reason| (reason, *self.of(reason)))
    }

    /// The count of one reason.
    pub fn of(&mut self, reason: UnlinkedReason) -> &mut u64 {
        match reason {
            UnlinkedReason::NoEmail => &mut self.no_email,
            UnlinkedReason::Unlinked => &mut self.unlinked,
            UnlinkedReason::OutsideDomains => &mut self.outside_domains,
            UnlinkedReason::Staged => &mut self.staged,
            UnlinkedReason::AddressTaken => &mut self.address_taken,
        }
    }
}

impl Counts {
    /// How many customers the directory manages: one for each user that is linked, and those whose users are deleted
    /// while the directory is staged.
    #[must_use]
    pub fn customers(&self) -> u64 {
        self.users.saturating_sub(self.unlinked).saturating_add(self.leaving)
    }

    /// Counts a user that was linked to no customer for one reason and is for another; `None` is for one that is linked,
    /// or not there.
    pub fn count_unlinked(&mut self, was: Option<UnlinkedReason>, is: Option<UnlinkedReason>) {
        if let Some(reason) = was {
            let of_reason = self.unlinked_by.of(reason);
            *of_reason = of_reason.saturating_sub(1);
            self.unlinked = self.unlinked.saturating_sub(1);
        }
        if let Some(reason) = is {
            let of_reason = self.unlinked_by.of(reason);
            *of_reason = of_reason.saturating_add(1);
            self.unlinked = self.unlinked.saturating_add(1);
        }
    }
}

/// How many a directory manages, or how many are local. It is apart from [`Counts`], which every request reads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ManagedCounts {
    /// The number of local customers. That of a directory follows from its users.
    #[serde(skip_serializing_if = "is_none_of")]
    pub customers: u64,
    /// The number of customers that are deactivated.
    #[serde(skip_serializing_if = "is_none_of")]
    pub inactive: u64,
    /// The number of organizations.
    #[serde(skip_serializing_if = "is_none_of")]
    pub organizations: u64,
    /// The number of projects, which are all the site's.
    #[serde(skip_serializing_if = "is_none_of")]
    pub projects: u64,
}

/// A user or group whose deletion or deactivation is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HeldRecord {
    /// Which of the two it is.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// Whether it is to be deleted; otherwise it is to be deactivated.
    pub deletes: bool,
    /// When that was first asked for, in milliseconds since the Unix epoch.
    pub since: u64,
}

/// How long a request stays in the log of its directory, in milliseconds: 14 days.
pub const LOG_AGE_MS: u64 = 14 * 24 * 60 * 60 * 1_000;

/// What was erased from the site, while the log of its directory may name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToForgetRecord {
    /// Names and addresses by which it may be known there.
    pub names: Vec<String>,
}

/// Why a user is linked to no customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum UnlinkedReason {
    /// It has no email address.
    NoEmail,
    /// An administrator has unlinked it.
    Unlinked,
    /// Its email address is outside of the domains that its directory is bound to.
    OutsideDomains,
    /// Its directory is staged: it is linked when the plan is applied.
    Staged,
    /// When the plan was applied, somebody else had come to have its address.
    AddressTaken,
}

impl UnlinkedReason {
    /// Every reason.
    pub const ALL: [Self; 5] = [Self::NoEmail, Self::Unlinked, Self::OutsideDomains, Self::Staged, Self::AddressTaken];
}

/// An open conflict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConflictRecord {
    /// When it began, in milliseconds since the Unix epoch.
    pub since: u64,
    /// Whether a group is left apart from the organization of its name.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub apart: bool,
    /// The other one with the same name, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_name: Option<Subject>,
    /// The group that was refused, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<RefusedGroup>,
}

/// A group that was refused because a local organization has its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedGroup {
    /// The name, as it was sent.
    pub name: String,
    /// When it was refused last, in milliseconds since the Unix epoch.
    pub last: u64,
    /// How often it was refused.
    pub count: u32,
    /// Whether the organization becomes the group's when it is pushed again.
    #[serde(default, skip_serializing_if = "is_false")]
    pub adopt: bool,
}

/// An organization that a directory has adopted for a group that it pushed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdoptionRecord {
    /// The number of the organization.
    pub organization: u64,
    /// When it was adopted, in milliseconds since the Unix epoch.
    pub at: u64,
    /// How many customers have come with it, and the first of them.
    pub came: (u32, Vec<String>),
    /// How many customers have gone, and the first of them.
    pub went: (u32, Vec<String>),
}

/// A conflict that is over and can be taken up again: an administrator has left the group apart, or unlinked its
/// organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftApart {
    /// Since when, in milliseconds since the Unix epoch.
    pub at: u64,
}

const fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_true(flag: &bool) -> bool {
    *flag
}

/// Something with a name or address that nothing else of its kind may have.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Subject {
    /// A directory.
    Directory(String),
    /// A user of the directory at hand.
    User(String),
    /// A group of the directory at hand.
    Group(String),
    /// A customer.
    Customer(String),
    /// An organization.
    Organization(u64),
}

/// How far the storage has been brought to the layout of this version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpgradeRecord {
    /// How many of the stages are done.
    pub stage: u32,
    /// The last key that the stage under way has dealt with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// How many entries have been looked at so far.
    pub entries: u64,
}

/// An API key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKeyRecord {
    /// SHA-256 of the secret, in base64url. The secret has 256 random bits, so a fast hash is as good as a slow one.
    pub hash: String,
    /// When it was issued, in milliseconds since the Unix epoch.
    pub created: u64,
    /// When it stops working, likewise.
    pub expires: u64,
    /// When the next notice of its end is due, likewise; `None` if no notice follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<u64>,
}

/// A set-up link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetupLinkRecord {
    /// SHA-256 of the secret, in base64url, as of an API key.
    pub hash: String,
    /// When it was made, in milliseconds since the Unix epoch.
    pub created: u64,
    /// When it expires, likewise.
    pub expires: u64,
    /// Who made it, as the change feed names them.
    pub by: String,
    /// For how many seconds the keys that work until it is used go on working then.
    pub overlap: u32,
    /// That it was used; `None` if it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<LinkUse>,
}

/// That a set-up link was used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkUse {
    /// When, in milliseconds since the Unix epoch.
    pub at: u64,
    /// The id of the key that was issued.
    pub key: String,
}

/// Something deleted that has entries left to sweep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Sweep {
    /// A user: its memberships, which its customer keeps if that exists or can be restored.
    User(Option<String>),
    /// A group, or another holder of members: its memberships.
    Group,
    /// What held members of this organization before its grace was over: its memberships, and a word in the change feed
    /// on who is no member any more.
    Former(u64),
    /// A customer: its memberships and associations.
    Customer,
    /// An organization: its history.
    History,
    /// A project: its associations.
    Project,
    /// A directory: all that it had. Customers and organizations stay.
    Directory,
    /// A directory, and the customers and organizations that it managed.
    Removal,
}

/// Why the memberships of a customer's user begin to count for the customer, or cease to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Turn {
    /// The customer was linked to the user.
    Linked,
    /// It was unlinked from the user.
    Unlinked,
    /// It was restored, and the directory of the user is gone.
    Restored,
}

/// Something that `upkeep` does when its time has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Due {
    /// The grace of an organization's adoption ends.
    Adoption(u64),
    /// A directory's log may have requests that are too old.
    Log(String),
    /// An API key expires before long.
    Key {
        /// The directory.
        directory: String,
        /// The key.
        key: String,
    },
    /// A set-up link expires.
    SetupLink {
        /// The directory.
        directory: String,
        /// The link.
        link: String,
    },
    /// Users of a directory that were outside of its domains may be inside now.
    Domains {
        /// The directory.
        directory: String,
        /// The user after which to go on; `None` at the beginning.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<String>,
    },
    /// The members of an organization that was unlinked from its group are still to be copied.
    Parting(u64),
    /// The plan of a directory is being applied.
    Apply(String),
    /// Who gains or loses a project by the plan of a directory is to be worked out.
    PlanAccess(String),
    /// Those who came into an organization with its group, which had members before, are still to be named.
    Arrivals {
        /// The organization.
        organization: u64,
        /// The group.
        group: String,
        /// The user after whom to go on.
        after: String,
    },
    /// The organizations into which a customer comes with its user, or that it leaves, are still to be named.
    Turn {
        /// The customer.
        customer: String,
        /// The user.
        user: String,
        /// Why it comes or goes.
        turn: Turn,
        /// The group after which to go on.
        after: String,
    },
    /// A deleted customer is erased.
    Customer(String),
    /// A deleted organization is erased.
    Organization(u64),
    /// The probation of a restored customer ends in one organization.
    Probation {
        /// The holder, see [`super::keys::own_members`].
        holder: String,
        /// The customer.
        customer: String,
    },
    /// The memberships of a restored customer are given their end.
    Restored {
        /// The customer.
        customer: String,
        /// The holder after which to go on; `None` at the beginning.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<String>,
    },
}

impl Subject {
    /// Its id as it stands in keys and in the index of names.
    #[must_use]
    pub fn id(&self) -> String {
        match self {
            Subject::Directory(id) | Subject::User(id) | Subject::Group(id) | Subject::Customer(id) => id.clone(),
            Subject::Organization(number) => keys::number(*number),
        }
    }
}

impl Due {
    /// Its key at this time, see [`super::keys::due`].
    #[must_use]
    pub fn key(&self, time: u64) -> String {
        let what = match self {
            Due::Adoption(organization) => alloc::format!("adoption/{}", keys::number(*organization)),
            Due::Log(directory) => alloc::format!("log/{directory}"),
            Due::Key { directory, key } => alloc::format!("key/{directory}/{key}"),
            Due::SetupLink { directory, link } => alloc::format!("setup-link/{directory}/{link}"),
            Due::Domains { directory, .. } => alloc::format!("domains/{directory}"),
            Due::Apply(directory) => alloc::format!("apply/{directory}"),
            Due::PlanAccess(directory) => alloc::format!("plan-access/{directory}"),
            Due::Parting(organization) => alloc::format!("parting/{}", keys::number(*organization)),
            Due::Arrivals { organization, .. } => alloc::format!("arrivals/{}", keys::number(*organization)),
            Due::Turn { customer, user, .. } => alloc::format!("turn/{customer}/{user}"),
            Due::Customer(customer) => alloc::format!("customer/{customer}"),
            Due::Organization(organization) => alloc::format!("organization/{}", keys::number(*organization)),
            Due::Probation { holder, customer } => alloc::format!("probation/{holder}/{customer}"),
            Due::Restored { customer, .. } => alloc::format!("restored/{customer}"),
        };
        keys::due(time, &what)
    }
}

/// Reads a record.
///
/// # Errors
/// [`Error::Corrupt`] if the value is not of this form.
pub fn read<T: DeserializeOwned>(key: &str, text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|_| Error::corrupt(key))
}

/// Writes a record.
#[must_use]
pub fn write(record: &impl Serialize) -> String {
    json::to_text(record)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_user_of_layout_1_is_read() {
        let text = "{\"version\":3,\"created\":\"2026-01-02T03:04:05.678Z\",\"modified\":\"2026-02-02T03:04:05.000Z\",\"enterprise\":true}\n{\"userName\":\"ann@example.com\"}";
        let stored = Stored::read("u/d/i", text.to_string()).unwrap();
        assert_eq!(
            (stored.header.version, stored.header.enterprise, stored.header.inactive, stored.header.members),
            (3, true, false, 0)
        );
        assert_eq!(stored.attributes_text(), "{\"userName\":\"ann@example.com\"}");
        let again = Stored::new(stored.header.clone(), &stored.attributes("u/d/i").unwrap());
        assert_eq!(again.text(), text);
        assert_eq!(stored.with_header(stored.header.clone()).text(), text);
    }

    #[test]
    fn a_stored_value_of_any_other_form_is_an_error() {
        for text in ["", "{}", "{}\n{}", "nonsense\n{}", "{\"version\":1,\"created\":\"\",\"modified\":\"\"}\nnull"] {
            let error = Stored::read("u/ann@example.com", text.to_string()).unwrap_err();
            assert_eq!(error, Error::corrupt("u/ann@example.com"));
        }
    }
}
