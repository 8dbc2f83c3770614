//! What a site is kept in.

use super::data::DataFolder;
use super::database::DatabaseArgs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use usher_host::http::AdminKey;
use usher_host::storage::{EmbeddedStorage, MemoryStorage, PostgresStorage, Storage};

/// A site's storage, and what else is kept with it.
pub(super) enum Kept {
    Memory(Arc<MemoryStorage>),
    Folder(DataFolder, Arc<EmbeddedStorage>),
    Database(Arc<PostgresStorage>),
}

impl Kept {
    pub(super) fn in_memory() -> Self {
        Self::Memory(Arc::default())
    }

    pub(super) fn in_folder(path: &Path) -> Result<Self, String> {
        let data = DataFolder::open(path)?;
        let storage = Arc::new(data.storage()?);
        Ok(Self::Folder(data, storage))
    }

    pub(super) fn in_database(args: &DatabaseArgs) -> Result<Self, String> {
        Ok(Self::Database(Arc::new(args.open()?)))
    }

    pub(super) fn storage(&self) -> Arc<dyn Storage> {
        match self {
            Self::Memory(storage) => storage.clone(),
            Self::Folder(_, storage) => storage.clone(),
            Self::Database(storage) => storage.clone(),
        }
    }

    /// Where the compiled component is kept, if that is with the data.
    pub(super) fn cache(&self) -> Option<PathBuf> {
        match self {
            Self::Folder(data, _) => Some(data.cache()),
            Self::Memory(_) | Self::Database(_) => None,
        }
    }

    /// Whether short calls are made where requests come in. A call that has to wait for a database would keep whoever else
    /// comes in there waiting, too.
    pub(super) fn short_calls_inline(&self) -> bool {
        !matches!(self, Self::Database(_))
    }

    /// The key whose hash is kept here, or a new one, with the text to show.
    pub(super) fn admin_key(&self) -> Result<(AdminKey, Option<String>), String> {
        if let Self::Folder(data, _) = self {
            return data.admin_key();
        }
        let (key, text) = AdminKey::generate().map_err(|error| format!("cannot make an admin key: {error}"))?;
        let Self::Database(storage) = self else { return Ok((key, Some(text))) };
        // Of two hosts that start at once, one makes the key.
        let hash = storage.admin_key_hash(key.hash()).map_err(|error| error.to_string())?;
        Ok(if hash == key.hash() { (key, Some(text)) } else { (AdminKey::from_hash(hash), None) })
    }
}
