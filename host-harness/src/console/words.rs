//! What things are called: one word for each, on all pages.

use super::choices::CONFLICT_POLICIES;
use super::parts::{Tone, badge};
use crate::runtime::directories::{
    ConflictKind, ConflictPolicy, DirectoryStatus, Effect, Mode, Obstacle, PlannedKind, State, UnlinkedReason,
};
use crate::runtime::site;
use maud::Markup;

/// Whether portals are open to a customer.
pub(super) fn active(active: bool) -> Markup {
    if active { badge(Tone::Good, "Active") } else { badge(Tone::Warn, "Deactivated") }
}

/// The states of customers that a list is narrowed down by, as in the query, and what they are called.
pub(super) const CUSTOMER_STATES: [(&str, &str); 5] = [
    ("active", "Active"),
    ("inactive", "Deactivated"),
    ("managed", "Managed by a directory"),
    ("local", "Local"),
    ("unlinked", "Unlinked"),
];

/// The state that a query names.
pub(super) fn customer_state(text: &str) -> Option<site::CustomerState> {
    match text {
        "active" => Some(site::CustomerState::Active),
        "inactive" => Some(site::CustomerState::Inactive),
        "managed" => Some(site::CustomerState::Managed),
        "local" => Some(site::CustomerState::Local),
        "unlinked" => Some(site::CustomerState::Unlinked),
        _ => None,
    }
}

/// The states of organizations that a list is narrowed down by, likewise.
pub(super) const ORGANIZATION_STATES: [(&str, &str); 3] =
    [("managed", "Managed by a directory"), ("local", "Local"), ("unlinked", "Unlinked")];

/// The state that a query names.
pub(super) fn organization_state(text: &str) -> Option<site::OrganizationState> {
    match text {
        "managed" => Some(site::OrganizationState::Managed),
        "local" => Some(site::OrganizationState::Local),
        "unlinked" => Some(site::OrganizationState::Unlinked),
        _ => None,
    }
}

/// Where something is edited.
pub(super) fn manages(directory: Option<&str>) -> Markup {
    if directory.is_some() { badge(Tone::Busy, "Managed") } else { badge(Tone::Quiet, "Local") }
}

/// Who may use a project.
pub(super) fn audience(audience: site::Audience) -> Markup {
    match audience {
        site::Audience::Open => badge(Tone::Good, "Open"),
        site::Audience::Restricted => badge(Tone::Quiet, "Restricted"),
    }
}

/// The state of a directory.
pub(super) fn directory_state(status: &DirectoryStatus) -> Markup {
    match status.state {
        State::Connected => badge(Tone::Good, "In sync"),
        State::Waiting => badge(Tone::Busy, "Waiting"),
        State::FirstSync => badge(Tone::Busy, "First sync"),
        State::Failing => badge(Tone::Bad, "Failing"),
        State::Held => badge(Tone::Bad, "Held"),
        State::Staged => badge(Tone::Busy, "Staged"),
        State::Applying => badge(Tone::Busy, "Applying"),
        State::Silent => badge(Tone::Warn, "Silent"),
        State::NoKeyWorks => badge(Tone::Bad, "No key works"),
    }
}

/// Whether what a directory pushes reaches the site.
pub(super) fn mode(mode: Mode) -> Markup {
    match mode {
        Mode::Live => badge(Tone::Good, "Live"),
        Mode::Staged => badge(Tone::Busy, "Staged"),
        Mode::Applying => badge(Tone::Busy, "Applying"),
    }
}

/// What happens to a local organization when a group of its name is first pushed.
pub(super) fn conflict_policy(policy: ConflictPolicy) -> &'static str {
    CONFLICT_POLICIES.iter().find(|choice| choice.is == policy).map_or("", |choice| choice.name)
}

pub(super) fn conflict_kind(kind: ConflictKind) -> &'static str {
    match kind {
        ConflictKind::Apart => "Apart from the organization of its name",
        ConflictKind::Left => "Left apart by an administrator",
        ConflictKind::Refused => "Refused, because an organization has its name",
        ConflictKind::SameName => "Has the name of another",
    }
}

/// Why a user is linked to no customer.
pub(super) fn unlinked_reason(reason: UnlinkedReason) -> &'static str {
    match reason {
        UnlinkedReason::NoEmail => "No email address",
        UnlinkedReason::Unlinked => "Unlinked by an administrator",
        UnlinkedReason::OutsideDomains => "Address outside of the domains",
        UnlinkedReason::Staged => "Staged",
        UnlinkedReason::AddressTaken => "Address taken",
    }
}

/// What links a user who is linked to no customer.
pub(super) fn unlinked_remedy(reason: UnlinkedReason) -> &'static str {
    match reason {
        UnlinkedReason::NoEmail => "Give the user an email address at the identity provider.",
        UnlinkedReason::Unlinked => "Link the customer again.",
        UnlinkedReason::OutsideDomains => "Bind the directory to the domain, or change the address.",
        UnlinkedReason::Staged => "Apply the plan.",
        UnlinkedReason::AddressTaken => "Free the address, or change it at the identity provider.",
    }
}

/// What became of a request. An earlier version logged none: then the status tells.
pub(super) fn effect(effect: Option<Effect>, status: u16) -> Markup {
    match effect {
        Some(Effect::Created) => badge(Tone::Good, "Created"),
        Some(Effect::Changed) => badge(Tone::Good, "Changed"),
        Some(Effect::Unchanged) => badge(Tone::Quiet, "Unchanged"),
        Some(Effect::Deleted) => badge(Tone::Busy, "Deleted"),
        Some(Effect::Held) => badge(Tone::Warn, "Held"),
        None if status < 400 => badge(Tone::Good, "Accepted"),
        Some(Effect::Refused) | None => badge(Tone::Bad, "Refused"),
    }
}

/// One kind of what a plan does.
pub(super) struct Planned {
    pub(super) kind: PlannedKind,
    /// As the path of its list names it.
    pub(super) path: &'static str,
    pub(super) name: &'static str,
    /// Whether somebody or something is no longer there for it.
    pub(super) goes: bool,
}

/// The kinds that a plan has: those of customers, then those of organizations, in each case what takes something away
/// first.
pub(super) static PLANNED_CUSTOMERS: [Planned; 7] = [
    Planned { kind: PlannedKind::DeleteCustomer, path: "delete-customer", name: "Customers to delete", goes: true },
    Planned {
        kind: PlannedKind::DeactivateCustomer,
        path: "deactivate-customer",
        name: "Customers to deactivate",
        goes: true,
    },
    Planned { kind: PlannedKind::UnlinkCustomer, path: "unlink-customer", name: "Customers to unlink", goes: true },
    Planned { kind: PlannedKind::LinkCustomer, path: "link-customer", name: "Customers to link", goes: false },
    Planned { kind: PlannedKind::MakeCustomer, path: "make-customer", name: "Customers to make", goes: false },
    Planned {
        kind: PlannedKind::ActivateCustomer,
        path: "activate-customer",
        name: "Customers to activate",
        goes: false,
    },
    Planned { kind: PlannedKind::ChangeCustomer, path: "change-customer", name: "Customers to change", goes: false },
];

pub(super) static PLANNED_ORGANIZATIONS: [Planned; 5] = [
    Planned {
        kind: PlannedKind::DeleteOrganization,
        path: "delete-organization",
        name: "Organizations to delete",
        goes: true,
    },
    Planned {
        kind: PlannedKind::AdoptOrganization,
        path: "adopt-organization",
        name: "Organizations to adopt",
        goes: false,
    },
    Planned {
        kind: PlannedKind::MakeOrganization,
        path: "make-organization",
        name: "Organizations to make",
        goes: false,
    },
    Planned {
        kind: PlannedKind::RenameOrganization,
        path: "rename-organization",
        name: "Organizations to rename",
        goes: false,
    },
    Planned { kind: PlannedKind::ChangeMembers, path: "change-members", name: "Members who come or go", goes: false },
];

/// The kind that something planned is of, by what is asked of it.
pub(super) fn planned(is: impl Fn(&Planned) -> bool) -> Option<&'static Planned> {
    PLANNED_CUSTOMERS.iter().chain(&PLANNED_ORGANIZATIONS).find(|planned| is(planned))
}

/// Why something planned cannot be done.
pub(super) fn obstacle(obstacle: Obstacle) -> &'static str {
    match obstacle {
        Obstacle::AddressTaken => "Another customer has the address",
        Obstacle::CustomerChanged => "The local customer is gone, has another address, or is managed now",
        Obstacle::NameTaken => "Another organization has the name",
        Obstacle::OrganizationChanged => "The local organization is gone, has another name, or is managed now",
    }
}

/// What a value of a customer or an organization is called.
pub(super) fn attribute(name: &str) -> &str {
    match name {
        "email" => "Address",
        "displayName" | "name" => "Name",
        "active" => "Active",
        "locale" => "Locale",
        "timeZone" => "Time zone",
        other => other,
    }
}

/// A value of it.
pub(super) fn value<'a>(attribute: &str, value: &'a str) -> &'a str {
    match (attribute, value) {
        ("active", "true") => "yes",
        ("active", "false") => "no",
        (_, value) => value,
    }
}
