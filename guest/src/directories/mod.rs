//! Directories: connecting identity providers, their settings and API keys (`wit/directories.wit`).
//!
//! | module | what it holds |
//! |---|---|
//! | `settings` | connecting and disconnecting; the settings |
//! | `keys`, `api_key`, `notices` | issuing, rotating and revoking API keys; the form of a key; notices that one expires |
//! | `setup_links` | links with which somebody without an account gets a key |
//! | `secret` | how secrets are made, kept and compared |
//! | `status`, `measures` | how a directory is doing, for an administrator and for alerts |
//! | `activity`, `rhythm`, `uses` | what is remembered about its requests; how often it is usually heard; the last use of keys |
//! | `logged`, `log`, `forgetting` | a request in the log; reading the log; what was erased is gone from it |
//! | `capture`, `bodies` | capturing the bodies of requests for a time; how they are kept |
//! | `held`, `refused_keys` | deletions that are held; requests refused for their key |
//! | `record` | a directory as it is stored |
//!
//! ```
//! # mod host { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/host/provided.rs")); }
//! # use usher_engine::Engine;
//! # let (storage, environment) = (host::Memory::default(), host::System);
//! # let engine = Engine::new(&storage, &environment);
//! use usher_engine::directories::{Error, LogFilter, Mode, SettingsUpdate, State};
//!
//! let connected = engine.connect("ada", &host::settings("Entra ID"))?;
//! let id = connected.directory.id;
//! assert_eq!(engine.directories(None, 10)?.values.len(), 1);
//! let update = SettingsUpdate { mode: Some(Mode::Staged), ..SettingsUpdate::default() };
//! assert!(engine.update_directory("ada", &id, &update)?.settings.mode == Mode::Staged);
//! assert_eq!(engine.directory(&id)?.settings.mode, Mode::Staged);
//!
//! // A new key; the one before works for another hour.
//! let key = engine.rotate_key("ada", &id, 3_600)?;
//! assert_eq!(engine.keys(&id)?.len(), 2);
//! engine.revoke_key("ada", &id, &key.key.id)?;
//!
//! // A link for whoever runs the identity provider, good for a week and for one key, at which the others stop.
//! let made = engine.make_setup_link("ada", &id, 7, 0)?;
//! assert_eq!(engine.open_setup_link(&made.token)?.directory, "Entra ID");
//! let key = engine.claim_setup_link(&made.token)?;
//! assert!(matches!(engine.claim_setup_link(&made.token), Err(Error::Refused(_))));
//! assert_eq!(engine.setup_links(&id)?[0].key, Some(key.key.id));
//! engine.revoke_setup_link("ada", &id, &made.link.id)?;
//!
//! let status = engine.directory_status(&id)?;
//! assert_eq!((status.state, status.keys.len()), (State::Staged, 1));
//! assert!(engine.requests(&id, &LogFilter::default(), None, 10)?.values.is_empty());
//! assert!(matches!(engine.request(&id, 1), Err(Error::NotFound(_))));
//! assert_eq!(engine.measures()?.directories[0].id, id);
//!
//! // For ten minutes, bodies are kept as well, without values.
//! engine.start_capture("ada", &id, 600, false)?;
//! engine.stop_capture("ada", &id)?;
//! // The host tells of requests that it had to answer 401.
//! engine.note_refused_requests(&id, false, 3, 1_750_000_000_000)?;
//! assert_eq!(engine.directory_status(&id)?.refused[0].count, 3);
//! assert!(engine.held(&id, None, 10)?.values.is_empty());
//! engine.release_deletions("ada", &id)?;
//!
//! engine.disconnect("ada", &id, false)?;
//! assert!(matches!(engine.directory(&id), Err(Error::NotFound(_))));
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

pub(crate) mod activity;
pub(crate) mod api_key;
pub(crate) mod bodies;
mod capture;
mod error;
pub(crate) mod forgetting;
pub(crate) mod held;
mod keys;
pub(crate) mod log;
pub(crate) mod logged;
mod measures;
pub(crate) mod notices;
pub(crate) mod record;
mod refused_keys;
mod rhythm;
mod secret;
mod settings;
pub(crate) mod setup_links;
mod status;
mod uses;

pub use self::activity::{FirstSync, Hour};
pub use self::bodies::CapturedBody;
pub use self::error::{Error, Result};
pub use self::held::HeldDeletion;
pub use self::keys::{IssuedKey, Key};
pub use self::log::{LogPage, WholeRequest};
pub use self::logged::{ChangeCount, Effect, LogFilter, LogSubject, LoggedOperation, LoggedRequest, MemberCounts};
pub use self::measures::{DirectoryMeasures, Measures};
pub use self::settings::{
    ConflictPolicy, Connected, Directory, EmailChange, EmailPresence, Mode, OutsideDomains, ProjectRule, Settings,
    SettingsUpdate, UnknownMembers,
};
pub use self::setup_links::{NewSetupLink, Setup, SetupLink};
pub use self::status::{DirectoryStatus, KeyStatus, LargestGroup, RefusedRequests, State, UnlinkedCount, Warning};
pub use crate::store::keys::Kind as ResourceKind;
pub use crate::store::pages::Page;
