//! Plans of staged directories, and applying them.

use super::{Answer, Argument, Site};
use crate::runtime::directories::{
    AccessTurn, ApplyProgress, Error, MemberTurn, PersonAccessPage, Plan, PlannedList, PlannedMemberPage, PlannedPage,
};

exports! {
    directories(Error) {
        /// What applying the plan of a directory would do, counted.
        read plan(id: &str) -> Plan = call_get_plan;

        /// What is planned of one kind, or is blocked, in the order of the names, for those whose names begin with `query`:
        /// what follows `cursor`, at most `limit` (1 to 1,000) of it.
        read planned(
            id: &str,
            list: PlannedList,
            query: Option<&str>,
            cursor: Option<&str>,
            limit: u32,
        ) -> PlannedPage = call_planned;

        /// Who comes into the organization of a group by the plan, or goes: those after `cursor`, at most `limit` (1 to
        /// 1,000) of them.
        read planned_members(
            id: &str,
            group: &str,
            turn: MemberTurn,
            cursor: Option<&str>,
            limit: u32,
        ) -> PlannedMemberPage = call_planned_members;

        /// Who loses or gains projects by the plan, as upkeep worked it out last, for those whose names begin with `query`:
        /// those after `cursor`, at most `limit` (1 to 1,000) of them.
        read planned_access(
            id: &str,
            turn: AccessTurn,
            query: Option<&str>,
            cursor: Option<&str>,
            limit: u32,
        ) -> PersonAccessPage = call_planned_access;

        /// Begins to apply the plan of a staged directory; upkeep does it, step by step. If more go than the directory's
        /// deletion limit, so many have to be `accepted`.
        write apply_plan(actor: &str, id: &str, accepted: Option<u64>) -> ApplyProgress = call_apply_plan;

        /// How the last apply of a directory's plan goes, or went; none if there was none.
        read apply_progress(id: &str) -> Option<ApplyProgress> = call_get_apply_progress;
    }
}
