//! What an embedded storage can be told.

use std::time::Duration;

/// How long what was removed or replaced may be found in the files of an [`EmbeddedStorage`](super::EmbeddedStorage)
/// afterwards, while it is open and can write: a day. What is due when it is opened is erased then. See
/// [`EmbeddedOptions::erased_within`].
pub const ERASED_WITHIN: Duration = Duration::from_hours(24);

/// How much memory an [`EmbeddedStorage`](super::EmbeddedStorage) takes, and how soon what was removed is out of its files.
///
/// ```
/// use usher_host::storage::{EmbeddedOptions, EmbeddedStorage};
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path();
///
/// let options = EmbeddedOptions { cache_bytes: 256 << 20, ..EmbeddedOptions::default() };
/// let storage = EmbeddedStorage::open_with(folder, &options)?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct EmbeddedOptions {
    /// Bytes of the disk that are kept in memory for reading, as they are on disk.
    pub cache_bytes: u64,
    /// Bytes of single keys and values that are kept in memory for reading them again without asking the disk's engine. What
    /// every request reads takes next to nothing of it; the rest is for users and groups that are read again and again, of
    /// which each takes about a kibibyte. 0 keeps none.
    pub read_cache_bytes: u64,
    /// Bytes of new entries that are collected in memory before they are written out in order. While that falls behind, more
    /// is held, up to 48 times as much before writes wait. Larger takes fewer rewrites, and longer to open after a crash. It
    /// is kept from when the folder was made.
    pub write_buffer_bytes: u64,
    /// How long what was removed or replaced may be found in the files afterwards. In half of that time, where anything was
    /// written, all that is stored is written anew once, besides some 130 MB. Counted in seconds.
    pub erased_within: Duration,
}

impl Default for EmbeddedOptions {
    /// 32 and 8 MiB for reading, 8 MiB for writing, [`ERASED_WITHIN`].
    fn default() -> Self {
        Self {
            cache_bytes: 32 << 20,
            read_cache_bytes: 8 << 20,
            write_buffer_bytes: 8 << 20,
            erased_within: ERASED_WITHIN,
        }
    }
}
