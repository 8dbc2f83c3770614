//! Directories: connecting identity providers, their settings and API keys (`wit/directories.wit`).
//!
//! | module | what it holds |
//! |---|---|
//! | `settings` | connecting and disconnecting; the settings |
//! | `keys`, `api_key`, `notices` | issuing, rotating and revoking API keys; a key itself; notices that one expires |
//! | `status`, `activity` | how a directory is doing; what is remembered of its requests |
//! | `record` | a directory as it is stored |

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
    ConflictPolicy, Connected, Directory, EmailChange, EmailPresence, Settings, SettingsUpdate, UnknownMembers,
};
pub use self::status::{DirectoryStatus, KeyStatus, LogPage, State};
pub use crate::store::pages::Page;
