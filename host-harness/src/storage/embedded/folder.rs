//! The data folder: who may open it, and what is in it.
//!
//! ```text
//! format     which kind of store this is, and its version
//! lock       locked while a process has the store open
//! entries/   the engine's files
//! ```

use super::OpenError;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

const FORMAT: &str = "format";
const FORMAT_NEW: &str = "format.new";
const LOCK: &str = "lock";
const ENTRIES: &str = "entries";

/// What the format file says. The number changes when older programs cannot read the store any more.
const FORMAT_KIND: &str = "usher embedded storage ";
const FORMAT_VERSION: &str = "1";

/// A data folder that this process has to itself, until this is dropped.
pub(super) struct Folder {
    path: PathBuf,
    #[expect(dead_code, reason = "the lock ends with the open file")]
    lock: File,
}

impl Folder {
    /// Opens the folder, or makes it where there is none or an empty one.
    pub(super) fn open(path: &Path) -> Result<Self, OpenError> {
        let failed = |error| OpenError::Io { path: path.to_owned(), error };
        fs::create_dir_all(path).map_err(failed)?;
        let known = path.join(FORMAT).try_exists().map_err(failed)?;
        if !known && !is_unused(path).map_err(failed)? {
            return Err(OpenError::NotAStore { path: path.to_owned() });
        }
        let lock = File::options().create(true).truncate(false).write(true).open(path.join(LOCK));
        let lock = lock.map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(OpenError::Locked { path: path.to_owned() });
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        // Only now: another process may just have been making it.
        match fs::read_to_string(path.join(FORMAT)) {
            Ok(format) => check(path, &format)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                write_format(path).map_err(failed)?;
            }
            Err(error) if error.kind() == io::ErrorKind::InvalidData => check(path, "")?,
            Err(error) => return Err(failed(error)),
        }
        Ok(Self { path: path.to_owned(), lock })
    }

    /// Where the engine keeps its files.
    pub(super) fn entries(&self) -> PathBuf {
        self.path.join(ENTRIES)
    }
}

/// Whether there is nothing in it but what a start that was cut short leaves, or a new file system has.
fn is_unused(path: &Path) -> io::Result<bool> {
    for entry in fs::read_dir(path)? {
        let name = entry?.file_name();
        if ![LOCK, FORMAT_NEW, "lost+found"].iter().any(|known| name == *known) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn check(path: &Path, format: &str) -> Result<(), OpenError> {
    match format.trim_end().strip_prefix(FORMAT_KIND) {
        Some(FORMAT_VERSION) => Ok(()),
        Some(version) => Err(OpenError::Version { path: path.to_owned(), version: version.to_owned() }),
        None => Err(OpenError::NotAStore { path: path.to_owned() }),
    }
}

/// Written aside and renamed, so that it is there as a whole or not at all; then the folder's list of names is synced.
fn write_format(path: &Path) -> io::Result<()> {
    let new = path.join(FORMAT_NEW);
    let mut file = File::create(&new)?;
    writeln!(file, "{FORMAT_KIND}{FORMAT_VERSION}")?;
    file.sync_all()?;
    fs::rename(new, path.join(FORMAT))?;
    sync_folder(path)?;
    // The folder itself may be new, too.
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => sync_folder(parent),
        _ => Ok(()),
    }
}

#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_path: &Path) -> io::Result<()> {
    // Elsewhere a folder cannot be opened as a file, and names are durable without.
    Ok(())
}
