//! The kinds of changes: what each is called, and those that belong together.

use super::parts::{Choices, Tone};

/// All kinds, those together that are about the same sort of thing: each as the feed names it, and what it is called. A later version of the component may have more: they are shown by the feed's own name.
pub(super) static GROUPS: [Choices<'static>; 8] = [
    Choices {
        all: "directories",
        name: "Directories and keys",
        choices: &[
            ("directory.connected", "Directory connected"),
            ("directory.updated", "Directory settings changed"),
            ("directory.disconnected", "Directory disconnected"),
            ("directory.removed", "Directory removed"),
            ("directory.deletions-held", "Deletions held"),
            ("directory.released", "Deletions let through"),
            ("directory.capture-started", "Capture started"),
            ("directory.capture-stopped", "Capture stopped"),
            ("key.issued", "Key issued"),
            ("key.expiring", "Key expiring"),
            ("key.revoked", "Key revoked"),
            ("setup-link.made", "Set-up link made"),
            ("setup-link.used", "Set-up link used"),
            ("setup-link.revoked", "Set-up link taken back"),
            ("setup-link.expired", "Set-up link expired"),
        ],
    },
    Choices {
        all: "plans",
        name: "Plans",
        choices: &[
            ("plan.apply-started", "Apply started"),
            ("plan.applied", "Plan applied"),
            ("plan.blocked", "Plan blocked"),
        ],
    },
    Choices {
        all: "users",
        name: "Users and groups",
        choices: &[
            ("user.created", "User added"),
            ("user.updated", "User changed"),
            ("user.unlinked", "User without customer"),
            ("user.deleted", "User deleted"),
            ("group.created", "Group added"),
            ("group.updated", "Group changed"),
            ("group.members-added", "Members added to group"),
            ("group.members-removed", "Members removed from group"),
            ("group.repaired", "Group repaired"),
            ("group.deleted", "Group deleted"),
        ],
    },
    Choices {
        all: "customers",
        name: "Customers",
        choices: &[
            ("customer.created", "Customer made"),
            ("customer.linked", "Customer linked"),
            ("customer.unlinked", "Customer unlinked"),
            ("customer.updated", "Customer changed"),
            ("customer.activated", "Customer activated"),
            ("customer.deactivated", "Customer deactivated"),
            ("customer.deleted", "Customer deleted"),
            ("customer.restored", "Customer restored"),
            ("customer.erased", "Customer erased"),
        ],
    },
    Choices {
        all: "organizations",
        name: "Organizations",
        choices: &[
            ("organization.created", "Organization made"),
            ("organization.adopted", "Organization adopted"),
            ("organization.settled", "Grace ended"),
            ("organization.unlinked", "Organization unlinked"),
            ("organization.renamed", "Organization renamed"),
            ("organization.members-added", "Members added to organization"),
            ("organization.members-removed", "Members removed from organization"),
            ("organization.deleted", "Organization deleted"),
            ("organization.restored", "Organization restored"),
            ("organization.erased", "Organization erased"),
        ],
    },
    Choices {
        all: "conflicts",
        name: "Conflicts",
        choices: &[
            ("organization.conflict", "Group left apart"),
            ("conflict.refused", "Group refused"),
            ("conflict.found", "Same name found"),
            ("conflict.resolved", "Conflict resolved"),
        ],
    },
    Choices {
        all: "projects",
        name: "Projects",
        choices: &[
            ("project.created", "Project made"),
            ("project.updated", "Project changed"),
            ("project.organization-added", "Organization added to project"),
            ("project.organization-removed", "Organization removed from project"),
            ("project.customer-added", "Customer added to project"),
            ("project.customer-removed", "Customer removed from project"),
            ("project.deleted", "Project deleted"),
        ],
    },
    Choices {
        all: "site",
        name: "Site",
        choices: &[("settings.updated", "Site settings changed"), ("admin-key.refused", "Sign-ins refused")],
    },
];

/// What a kind is called.
pub(super) fn name(kind: &str) -> &str {
    let mut all = GROUPS.iter().flat_map(|group| group.choices);
    all.find(|(known, _)| *known == kind).map_or(kind, |(_, name)| name)
}

/// How what was done at once is meant: as the gravest of its kinds.
pub(super) fn tone<'a>(kinds: impl Iterator<Item = &'a str>) -> Tone {
    const GRAVEST_FIRST: [Tone; 4] = [Tone::Bad, Tone::Warn, Tone::Good, Tone::Quiet];
    let tones: Vec<Tone> = kinds.map(tone_of).collect();
    GRAVEST_FIRST.into_iter().find(|tone| tones.contains(tone)).unwrap_or(Tone::Quiet)
}

fn tone_of(kind: &str) -> Tone {
    match kind.split_once('.').map_or("", |(_, done)| done) {
        "deleted" | "erased" | "removed" | "disconnected" | "deactivated" | "revoked" => Tone::Bad,
        "deletions-held"
        | "expiring"
        | "expired"
        | "unlinked"
        | "refused"
        | "conflict"
        | "found"
        | "blocked"
        | "members-removed"
        | "organization-removed"
        | "customer-removed" => Tone::Warn,
        "created" | "connected" | "issued" | "made" | "used" | "linked" | "activated" | "restored" | "adopted"
        | "members-added" | "organization-added" | "customer-added" | "applied" => Tone::Good,
        _ => Tone::Quiet,
    }
}

/// The kinds that a text from a query asks for: those of a group, or the one that it names.
pub(super) fn asked(text: &str) -> Vec<String> {
    match GROUPS.iter().find(|group| group.all == text) {
        Some(group) => group.choices.iter().map(|(kind, _)| (*kind).to_owned()).collect(),
        None => vec![text.to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_kind_of_the_contract_has_a_name() {
        let contract = include_str!("../../../wit/changes.wit");
        let listed = contract.lines().filter_map(|line| line.trim().strip_prefix("/// - `")?.split_once('`'));
        let listed: BTreeSet<&str> = listed.map(|(kind, _)| kind).collect();
        let named: Vec<&str> = GROUPS.iter().flat_map(|group| group.choices).map(|(kind, _)| *kind).collect();
        assert_eq!(named.iter().copied().collect::<BTreeSet<_>>(), listed);
        assert_eq!(named.len(), listed.len(), "none is there twice");
    }

    #[test]
    fn what_takes_something_away_is_not_overlooked() {
        assert_eq!(tone(["user.updated", "customer.deactivated"].into_iter()), Tone::Bad);
        assert_eq!(tone(["user.created", "customer.created"].into_iter()), Tone::Good);
        assert_eq!(tone(std::iter::empty()), Tone::Quiet);
    }

    #[test]
    fn a_query_names_a_group_of_kinds_or_one() {
        assert_eq!(asked("plans"), ["plan.apply-started", "plan.applied", "plan.blocked"]);
        assert_eq!(asked("key.issued"), ["key.issued"]);
        assert_eq!((name("key.issued"), name("later.kind")), ("Key issued", "later.kind"));
    }
}
