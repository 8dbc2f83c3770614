//! Whether a storage can do its part.

use std::fmt::{Display, Formatter, Result};

/// How a storage is, as operators want to know it.
///
/// ```
/// use usher_host::storage::{MemoryStorage, Storage, Trouble};
///
/// assert_eq!(MemoryStorage::new().health().trouble, None);
/// assert_eq!(Trouble::NoSpace.to_string(), "no space is left on the disk");
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Health {
    /// Why nothing can be written at the moment; `None` where all is well.
    pub trouble: Option<Trouble>,
    /// How often writing has come to a stop since the storage was opened.
    pub failures: u64,
    /// How often it was taken up again, by the storage itself.
    pub recoveries: u64,
}

/// Why a storage takes no writes. What it says of itself tells nothing of the inside, and may be shown to anyone; the
/// log has more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trouble {
    /// The disk is full, or a quota is used up.
    NoSpace,
    /// The file system is mounted, or was made by an error, read-only.
    ReadOnly,
    /// What is on disk is not all that was acknowledged, or cannot be read.
    Damaged,
    /// The database does not answer, or not in time.
    Unreachable,
    /// The database does not let this user in, or not do what has to be done.
    Refused,
    /// The database takes no writes.
    DatabaseReadOnly,
    /// The database's tables are not those of this version.
    Tables,
    /// Another host serves the site.
    InUse,
    /// Any other failure to write.
    Failed,
}

impl Display for Trouble {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> Result {
        formatter.write_str(match self {
            Self::NoSpace => "no space is left on the disk",
            Self::ReadOnly => "the file system is read-only",
            Self::Damaged => "what is on the disk is not what was written to it",
            Self::Unreachable => "the database does not answer",
            Self::Refused => "the database refuses this user",
            Self::DatabaseReadOnly => "the database is read-only",
            Self::Tables => "the database's tables are not those of this version",
            Self::InUse => "another host serves the site",
            Self::Failed => "writing failed",
        })
    }
}
