//! Directories: connecting identity providers, their settings and API keys (`wit/directories.wit`).
//!
//! | module | what it holds |
//! |---|---|
//! | `settings` | connecting and disconnecting; the settings |
//! | `keys`, `api_key`, `notices` | issuing, rotating and revoking API keys; the form of a key; notices that one expires |
//! | `status`, `activity` | how a directory is doing; what is remembered about its requests |
//! | `record` | a directory as it is stored |
//!
//! ```
//! # mod host { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/host/provided.rs")); }
//! # use usher_engine::Engine;
//! # let (storage, environment) = (host::Memory::default(), host::System);
//! # let engine = Engine::new(&storage, &environment);
//! use usher_engine::directories::{Error, SettingsUpdate, State};
//!
//! let connected = engine.connect("ada", &host::settings("Entra ID"))?;
//! let id = connected.directory.id;
//! assert_eq!(engine.directories(None, 10)?.values.len(), 1);
//! let update = SettingsUpdate { dry_run: Some(true), ..SettingsUpdate::default() };
//! assert!(engine.update_directory("ada", &id, &update)?.settings.dry_run);
//! assert!(engine.directory(&id)?.settings.dry_run);
//!
//! // A new key; the one before works for another hour.
//! let key = engine.rotate_key("ada", &id, 3_600)?;
//! assert_eq!(engine.keys(&id)?.len(), 2);
//! engine.revoke_key("ada", &id, &key.key.id)?;
//!
//! let status = engine.directory_status(&id)?;
//! assert_eq!((status.state, status.keys.len()), (State::DryRun, 1));
//! assert!(engine.requests(&id, None, 10)?.values.is_empty());
//! engine.release_deletions("ada", &id)?;
//!
//! engine.disconnect("ada", &id, false)?;
//! assert!(matches!(engine.directory(&id), Err(Error::NotFound(_))));
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

pub(crate) mod activity;
pub(crate) mod api_key;
mod error;
mod keys;
pub(crate) mod notices;
pub(crate) mod record;
mod settings;
pub(crate) mod status;

pub use self::activity::{ChangeCount, Hour, LoggedRequest};
pub use self::error::{Error, Result};
pub use self::keys::{IssuedKey, Key};
pub use self::settings::{
    ConflictPolicy, Connected, Directory, EmailChange, EmailPresence, OutsideDomains, ProjectRule, Settings,
    SettingsUpdate, UnknownMembers,
};
pub use self::status::{DirectoryStatus, KeyStatus, LogPage, State};
pub use crate::store::pages::Page;
