//! The directories: the list of them, and the pages of one.

pub(super) mod conflicts;
pub(super) mod group;
pub(super) mod groups;
mod head;
pub(super) mod held;
pub(super) mod keys;
pub(super) mod list;
mod logged;
pub(super) mod plan;
pub(super) mod planned;
pub(super) mod requests;
pub(super) mod settings;
pub(super) mod status;
pub(super) mod unlinked;
