//! The data folder: who may open it, and what is in it.
//!
//! ```text
//! format     which kind of store this is, and its version
//! lock       locked while a process has the store open
//! mark       what has to be in the engine's files: see `mark.rs`
//! entries/   the engine's files
//! ```
//!
//! Nobody but the owner can enter the folder, and so reach anything in it.

use super::error::OpenError;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

const FORMAT: &str = "format";
const FORMAT_NEW: &str = "format.new";
const LOCK: &str = "lock";
const MARK: &str = "mark";
const MARK_NEW: &str = "mark.new";
const ENTRIES: &str = "entries";
const JOURNAL_NEW: &str = "journal.new";
const TRIAL: &str = "trial";

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
    /// Opens the folder, or makes it where there is no folder or an empty one.
    pub(super) fn open(path: &Path) -> Result<Self, OpenError> {
        let failed = |error| OpenError::Io { path: path.to_owned(), error };
        create_private(path).map_err(failed)?;
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
        make_private(path)?;
        for leftover in [MARK_NEW, JOURNAL_NEW, TRIAL] {
            remove_if_there(&path.join(leftover)).map_err(failed)?;
        }
        Ok(Self { path: path.to_owned(), lock })
    }

    /// The folder itself.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The mark.
    pub(super) fn mark(&self) -> PathBuf {
        self.path.join(MARK)
    }

    /// A mark that is being made.
    pub(super) fn mark_new(&self) -> PathBuf {
        self.path.join(MARK_NEW)
    }

    /// A journal that is being made.
    pub(super) fn journal_new(&self) -> PathBuf {
        self.path.join(JOURNAL_NEW)
    }

    /// Whether so many bytes could be written: whether there is room for them, where that can be asked, and whether a few
    /// of them reach the disk.
    ///
    /// # Errors
    /// Why not.
    pub(super) fn try_writing(&self, bytes: u64) -> io::Result<()> {
        /// Less than this may fit where nothing else does.
        const TRIAL_BYTES: usize = 64 << 10;
        #[cfg(unix)]
        {
            let space = rustix::fs::statvfs(&self.path)?;
            if space.f_bavail.saturating_mul(space.f_frsize) < bytes {
                return Err(io::Error::new(
                    io::ErrorKind::StorageFull,
                    format!("less than {bytes} bytes are free on the disk"),
                ));
            }
        }
        #[cfg(not(unix))]
        let _ = bytes;
        let path = self.path.join(TRIAL);
        let written = File::create(&path).and_then(|mut file| {
            file.write_all(&vec![1; TRIAL_BYTES])?;
            file.sync_all()
        });
        remove_if_there(&path)?;
        written
    }

    /// Where the engine keeps its files.
    pub(super) fn entries(&self) -> PathBuf {
        self.path.join(ENTRIES)
    }
}

/// Makes a folder that only its owner can enter.
fn create_private(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Takes the folder and what is in it away from everybody but the owner, where it was made by somebody who did not.
#[cfg(unix)]
fn make_private(path: &Path) -> Result<(), OpenError> {
    use std::os::unix::fs::PermissionsExt;
    let exposed = |error| OpenError::Exposed { path: path.to_owned(), error };
    let mut left = vec![path.to_owned()];
    left.extend([FORMAT, LOCK, MARK, ENTRIES].map(|name| path.join(name)));
    while let Some(next) = left.pop() {
        // The folder itself may be somewhere else; nothing in it is.
        let found = if next == path { fs::metadata(&next) } else { fs::symlink_metadata(&next) };
        let found = match found {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            found => found.map_err(exposed)?,
        };
        if found.is_symlink() {
            continue;
        }
        let mode = found.permissions().mode();
        if mode & 0o077 != 0 {
            fs::set_permissions(&next, fs::Permissions::from_mode(mode & 0o700)).map_err(exposed)?;
        }
        // Only the engine's folder has folders in it.
        if found.is_dir() && next != path {
            for entry in fs::read_dir(&next).map_err(exposed)? {
                left.push(entry.map_err(exposed)?.path());
            }
        }
    }
    Ok(())
}

#[cfg(not(unix))]
fn make_private(_path: &Path) -> Result<(), OpenError> {
    // Elsewhere a folder inherits who may enter it.
    Ok(())
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
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

/// Makes the names in a folder durable.
#[cfg(unix)]
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

#[cfg(not(unix))]
pub(super) fn sync_folder(_path: &Path) -> io::Result<()> {
    // Elsewhere a folder cannot be opened as a file, and names are durable without.
    Ok(())
}
