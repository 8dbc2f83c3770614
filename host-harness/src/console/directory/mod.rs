//! The directories: the list of them, and the pages of one.

pub(super) mod apply;
pub(super) mod capture;
pub(super) mod conflicts;
pub(super) mod disconnect;
pub(super) mod group;
pub(super) mod groups;
mod head;
pub(super) mod held;
pub(super) mod keys;
pub(super) mod list;
mod logged;
pub(super) mod plan;
pub(super) mod planned;
pub(super) mod release;
pub(super) mod requests;
pub(super) mod resolve;
mod rule_lines;
pub(super) mod rules;
pub(super) mod set_up;
pub(super) mod settings;
pub(super) mod stage;
pub(super) mod status;
pub(super) mod unlinked;
