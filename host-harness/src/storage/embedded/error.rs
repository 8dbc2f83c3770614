//! How a storage can fail to open.

use std::path::PathBuf;

/// Why a data folder could not be opened.
///
/// ```
/// use usher_host::storage::{EmbeddedStorage, OpenError};
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path();
///
/// let storage = EmbeddedStorage::open(folder)?;
/// assert!(matches!(EmbeddedStorage::open(folder), Err(OpenError::Locked { .. })));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
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
