//! The settings that are a choice: what each value is called, and what comes of it.

use super::parts::Choice;
use crate::runtime::directories::{ConflictPolicy, EmailChange, EmailPresence, OutsideDomains, UnknownMembers};
use crate::runtime::site::Audience;

/// When a group is first pushed with the name of a local organization.
pub(super) static CONFLICT_POLICIES: [Choice<ConflictPolicy>; 3] = [
    Choice {
        is: ConflictPolicy::Sync,
        word: "sync",
        name: "Adopt the organization",
        does: "It keeps its number and projects, becomes managed, and its members become those of the group.",
    },
    Choice {
        is: ConflictPolicy::Skip,
        word: "skip",
        name: "Leave the group apart",
        does: "The organization stays as it is. The group waits under Conflicts for you to decide.",
    },
    Choice {
        is: ConflictPolicy::Reject,
        word: "reject",
        name: "Refuse the group",
        does: "The identity provider is answered 409, and nothing is stored. It is listed under Conflicts.",
    },
];

/// When the address of a user changes.
pub(super) static EMAIL_CHANGES: [Choice<EmailChange>; 2] = [
    Choice {
        is: EmailChange::Refuse,
        word: "refuse",
        name: "Refuse it",
        does: "The identity provider is answered 400, and nothing is changed.",
    },
    Choice {
        is: EmailChange::Follow,
        word: "follow",
        name: "Follow it",
        does: "The customer gets the new address and keeps its id, organizations and history.",
    },
];

/// When a user has no address.
pub(super) static EMAIL_PRESENCES: [Choice<EmailPresence>; 2] = [
    Choice {
        is: EmailPresence::Optional,
        word: "optional",
        name: "Keep the user",
        does: "It is linked to a customer when an address arrives. Until then it stands under Unlinked.",
    },
    Choice {
        is: EmailPresence::Required,
        word: "required",
        name: "Refuse the user",
        does: "The identity provider is answered 400, and nothing is stored.",
    },
];

/// When a user's address is outside of the domains.
pub(super) static OUTSIDE_DOMAINS: [Choice<OutsideDomains>; 2] = [
    Choice {
        is: OutsideDomains::Unlinked,
        word: "unlinked",
        name: "Keep the user",
        does: "It is linked to no customer, and stands under Unlinked.",
    },
    Choice {
        is: OutsideDomains::Refuse,
        word: "refuse",
        name: "Refuse the user",
        does: "The identity provider is answered 400, and nothing is stored.",
    },
];

/// When a group names members that are no users of its directory.
pub(super) static UNKNOWN_MEMBERS: [Choice<UnknownMembers>; 2] = [
    Choice {
        is: UnknownMembers::Refuse,
        word: "refuse",
        name: "Refuse the request",
        does: "The identity provider is answered 400 with their ids, and nothing of the request is applied.",
    },
    Choice {
        is: UnknownMembers::Skip,
        word: "skip",
        name: "Leave them out",
        does: "The rest is applied. The request log says who was left out.",
    },
];

/// Who may use a project.
pub(super) static AUDIENCES: [Choice<Audience>; 2] = [
    Choice {
        is: Audience::Restricted,
        word: "restricted",
        name: "Restricted",
        does: "For the members of its organizations, and customers of its own.",
    },
    Choice { is: Audience::Open, word: "open", name: "Open", does: "Every active customer may use it." },
];
