//! Group commit over whatever keeps entries for good: an engine in a folder, or a database.

mod commit;
mod disk;
mod merge;
mod read_cache;

pub(super) use commit::GroupCommit;
pub(super) use disk::{Changes, Disk, DiskFailure, Part, Snapshot, Stored};
