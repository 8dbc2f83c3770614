//! Conflicts of groups, users that are linked to no customer, projects by rule, and groups compared with their
//! organizations.

use super::{Answer, Argument, Site};
use crate::runtime::directories::{
    AdoptionPage, ConflictPage, ConflictPreview, Error, Group, GroupCheck, GroupPage, GroupRepair, Resolution,
    RulePage, RulesApplied, UnlinkedPage,
};

exports! {
    directories(Error) {
        /// The open conflicts of a directory: those after `cursor`, at most `limit` (1 to 1,000) of them.
        read conflicts(id: &str, cursor: Option<&str>, limit: u32) -> ConflictPage = call_conflicts;

        /// The groups of a directory that an administrator has left apart: those after `cursor`, at most `limit` (1 to
        /// 1,000) of them.
        read left_apart(id: &str, cursor: Option<&str>, limit: u32) -> ConflictPage = call_left_apart;

        /// The organizations that were adopted for groups of a directory: those after `cursor`, at most `limit` (1 to 1,000)
        /// of them.
        read adoptions(id: &str, cursor: Option<&str>, limit: u32) -> AdoptionPage = call_adoptions;

        /// What adopting the organization of a conflict would do.
        read preview_conflict(id: &str, group: &str) -> ConflictPreview = call_preview_conflict;

        /// Resolves a conflict, with nothing to push again.
        write resolve_conflict(
            actor: &str,
            id: &str,
            group: &str,
            resolution: Resolution,
        ) -> () = call_resolve_conflict;

        /// The users of a directory that are linked to no customer: those after `cursor`, at most `limit` (1 to 1,000) of
        /// them.
        read unlinked(id: &str, cursor: Option<&str>, limit: u32) -> UnlinkedPage = call_unlinked;

        /// What the project rules of a directory would associate organizations with: those of up to `limit` (1 to 1,000)
        /// groups after `cursor`.
        read preview_rules(id: &str, cursor: Option<&str>, limit: u32) -> RulePage = call_preview_rules;

        /// Does what [`preview_rules`](Self::preview_rules) with the same cursor and limit says.
        write apply_rules(actor: &str, id: &str, cursor: Option<&str>, limit: u32) -> RulesApplied = call_apply_rules;

        /// The groups of a directory, in the order in which they were made; with a query, those whose names begin with it, by
        /// name: those after `cursor`, at most `limit` (1 to 1,000) of them.
        read groups(id: &str, query: Option<&str>, cursor: Option<&str>, limit: u32) -> GroupPage = call_groups;

        /// One group of a directory.
        read group(id: &str, group: &str) -> Group = call_get_group;

        /// Compares a group with its organization.
        read check_group(id: &str, group: &str) -> GroupCheck = call_check_group;

        /// Puts right what does not fit between a group and its organization.
        write repair_group(actor: &str, id: &str, group: &str) -> GroupRepair = call_repair_group;
    }
}
