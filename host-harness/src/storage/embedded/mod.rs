//! A storage in one folder on disk.

mod engine;
mod erasing;
mod error;
mod fjall;
mod folder;
mod journal;
mod mark;
mod opening;
mod options;
mod settings;

use super::group::GroupCommit;
use super::{Access, Error, Health, Storage, Transaction};
#[cfg(any(test, feature = "bench"))]
pub(crate) use engine::open as open_engine;
pub use error::OpenError;
use fjall::FjallDisk;
use folder::Folder;
pub use options::{ERASED_WITHIN, EmbeddedOptions};
use std::path::Path;
use std::time::Duration;

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
        let commits = GroupCommit::new(disk, options.read_cache_bytes)
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
