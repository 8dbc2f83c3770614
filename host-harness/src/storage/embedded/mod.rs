//! A storage in one folder on disk.

mod disk;
mod fjall;
mod folder;
mod group;
mod journal;
mod merge;

use super::{Access, Error, Storage, Transaction};
use fjall::FjallDisk;
pub(crate) use fjall::open as open_engine;
use folder::Folder;
use group::GroupCommit;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// Keeps a site in one folder on disk: the default, for one machine, without a server.
///
/// What is acknowledged is on disk (`fdatasync`). Writers run one after another and share their trips to the disk;
/// readers see what is on disk, and wait for nobody.
///
/// One process at a time can have the folder open. Dropping the storage writes what was committed; the folder is free
/// again when the last transaction has been dropped as well. Where writing fails (a full disk, a broken one), nothing is
/// acknowledged from then on: each commit ends in [`Error::Unavailable`] until the storage is opened again. Reading goes
/// on.
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

/// How much memory an [`EmbeddedStorage`] takes.
#[derive(Debug, Clone)]
pub struct EmbeddedOptions {
    /// Bytes of the disk that are kept in memory for reading.
    pub cache_bytes: u64,
    /// Bytes of new entries that are collected in memory before they are written out in order. Up to five times as much
    /// is held while writing out falls behind. Larger takes fewer rewrites, and longer to open after a crash. It is kept
    /// from when the folder was made.
    pub write_buffer_bytes: u64,
}

impl Default for EmbeddedOptions {
    /// 32 MiB for reading, 8 MiB for writing.
    fn default() -> Self {
        Self { cache_bytes: 32 << 20, write_buffer_bytes: 8 << 20 }
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
        let folder = Folder::open(path)?;
        let damaged = |reason: String| OpenError::Damaged { path: path.to_owned(), reason };
        let failed = |error| OpenError::Io { path: path.to_owned(), error };
        if let Some(what) = journal::damage(&folder.entries()).map_err(failed)? {
            return Err(damaged(what));
        }
        // Some kinds of damage make the engine panic rather than fail.
        let disk = catch_unwind(AssertUnwindSafe(|| FjallDisk::open(folder, options)));
        let disk = match disk {
            Ok(Ok(disk)) => disk,
            Ok(Err(::fjall::Error::Io(error))) => return Err(failed(error)),
            Ok(Err(error)) => return Err(damaged(error.to_string())),
            Err(_) => return Err(damaged("the engine panicked; see the log".into())),
        };
        let commits = GroupCommit::new(disk).map_err(|error| damaged(error.to_string()))?;
        Ok(Self { commits })
    }
}

impl Storage for EmbeddedStorage {
    fn begin(&self, access: Access) -> Result<Box<dyn Transaction>, Error> {
        self.commits.begin(access)
    }
}
