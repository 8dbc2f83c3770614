//! A storage in one folder on disk.

mod disk;
mod erasing;
mod fjall;
mod folder;
mod group;
mod journal;
mod mark;
mod merge;
mod opening;

use super::{Access, Error, Health, Storage, Transaction};
use fjall::FjallDisk;
#[cfg(any(test, feature = "bench"))]
pub(crate) use fjall::open as open_engine;
use folder::Folder;
use group::GroupCommit;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long what was removed or replaced may be found in the files of an [`EmbeddedStorage`] afterwards, while it is open
/// and can write: a day. What is due when it is opened is erased then. See [`EmbeddedOptions::erased_within`].
pub const ERASED_WITHIN: Duration = Duration::from_hours(24);

/// By how much the mark of an [`EmbeddedStorage`] may lag behind what was acknowledged, where the process has ended without
/// closing it: two seconds. Where it was closed, the mark lags by nothing. A cut through what is younger than the mark cannot
/// be told from the end of a write that was under way when the power failed.
pub const MARKED_WITHIN: Duration = mark::EVERY.saturating_mul(2);

/// Keeps a site in one folder on disk: the default, for one machine, without a server.
///
/// What is acknowledged is on disk (`fdatasync`). Writers run one after another and share their trips to the disk;
/// readers see what is on disk, and wait for nobody.
///
/// One process at a time can have the folder open. Dropping the storage writes what was committed; the folder is free
/// again when the last transaction has been dropped as well.
///
/// Where writing fails (a full disk, a broken one), nothing is acknowledged from then on: each commit ends in
/// [`Error::Unavailable`], and [`health`](Storage::health) says why. Reading goes on. As soon as the disk can be written to
/// again, the storage is opened again by itself, with all checks; what was not acknowledged is gone then. Transactions
/// that are begun meanwhile wait.
///
/// A folder in which something is missing is not opened. What must be there is said by a mark beside the engine's files,
/// which lags by at most [`MARKED_WITHIN`]. A copy of a folder that is open is no backup: its files are from different
/// moments. Only a copy of a folder that is closed is one, or a snapshot of the file system, which is of one moment.
///
/// The folder can be entered by its owner only. What was removed is out of the files within a day, see [`ERASED_WITHIN`];
/// a disk may keep it for longer in blocks that are free.
///
/// ```
/// use usher_host::storage::{Access, Change, EmbeddedStorage, Storage};
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path();
///
/// let storage = EmbeddedStorage::open(folder)?;
/// let mut transaction = storage.begin(Access::ReadWrite)?;
/// transaction.write(vec![Change { key: "a".into(), value: Some("1".into()) }])?;
/// transaction.commit()?.wait()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct EmbeddedStorage {
    commits: GroupCommit<FjallDisk>,
}

/// How much memory an [`EmbeddedStorage`] takes, and how soon what was removed is out of its files.
#[derive(Debug, Clone)]
pub struct EmbeddedOptions {
    /// Bytes of the disk that are kept in memory for reading.
    pub cache_bytes: u64,
    /// Bytes of new entries that are collected in memory before they are written out in order. Up to five times as much
    /// is held while writing out falls behind. Larger takes fewer rewrites, and longer to open after a crash. It is kept
    /// from when the folder was made.
    pub write_buffer_bytes: u64,
    /// How long what was removed or replaced may be found in the files afterwards. In half of that time, where anything was
    /// written, all that is stored is written anew once, besides some 130 MB. Counted in seconds.
    pub erased_within: Duration,
}

impl Default for EmbeddedOptions {
    /// 32 MiB for reading, 8 MiB for writing, [`ERASED_WITHIN`].
    fn default() -> Self {
        Self { cache_bytes: 32 << 20, write_buffer_bytes: 8 << 20, erased_within: ERASED_WITHIN }
    }
}

/// Why a data folder could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process, or another storage in this one, has it open.
    #[error("the data folder {} is in use by another process", path.display())]
    Locked {
        /// The data folder.
        path: PathBuf,
    },
    /// The folder holds something else. Nothing in it was changed.
    #[error("{} is neither empty nor a data folder of Usher", path.display())]
    NotAStore {
        /// The folder.
        path: PathBuf,
    },
    /// Another version of Usher wrote it. Nothing in it was changed.
    #[error("the data folder {} has format {version}, which this version of Usher cannot read", path.display())]
    Version {
        /// The data folder.
        path: PathBuf,
        /// The version that its format file names.
        version: String,
    },
    /// What is in it cannot be read. A backup is needed, or a look at the disk.
    #[error("the data folder {} is damaged: {reason}", path.display())]
    Damaged {
        /// The data folder.
        path: PathBuf,
        /// What the engine found.
        reason: String,
    },
    /// Something that was acknowledged is not there: files were deleted, or cut, or copied while they were written. A
    /// backup is needed.
    #[error(
        "the data folder {} is not complete: {missing}. Restore it from a backup, or remove the file `mark` in it to go \
         on with what is left",
        path.display()
    )]
    Incomplete {
        /// The data folder.
        path: PathBuf,
        /// What is missing.
        missing: String,
    },
    /// Others than the owner of the folder can reach what is in it, and that cannot be changed.
    #[error(
        "others can reach the data folder {path}, and that cannot be changed: {error}. `chmod -R go= {path}` by its owner \
         mends it",
        path = path.display()
    )]
    Exposed {
        /// The data folder.
        path: PathBuf,
        /// What failed.
        #[source]
        error: std::io::Error,
    },
    /// The file system failed.
    #[error("the data folder {} cannot be opened: {error}", path.display())]
    Io {
        /// The data folder.
        path: PathBuf,
        /// What failed.
        #[source]
        error: std::io::Error,
    },
}

impl EmbeddedStorage {
    /// Opens the storage in `folder`, or makes one where there is no folder or an empty one.
    ///
    /// After a crash this reads what was written last again, at the most about 100 MB.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(folder: impl AsRef<Path>) -> Result<Self, OpenError> {
        Self::open_with(folder, &EmbeddedOptions::default())
    }

    /// Like [`open`](EmbeddedStorage::open), with settings.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open_with(folder: impl AsRef<Path>, options: &EmbeddedOptions) -> Result<Self, OpenError> {
        let path = folder.as_ref();
        let disk = FjallDisk::open(Folder::open(path)?, options)?;
        let commits = GroupCommit::new(disk)
            .map_err(|failed| OpenError::Damaged { path: path.to_owned(), reason: failed.reason })?;
        Ok(Self { commits })
    }
}

impl Storage for EmbeddedStorage {
    fn begin(&self, access: Access) -> Result<Box<dyn Transaction>, Error> {
        self.commits.begin(access)
    }

    fn health(&self) -> Health {
        self.commits.health()
    }
}
