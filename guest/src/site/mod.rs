//! The service-desk site: customers, organizations, projects, and who may use what (`wit/site.wit`).
//!
//! | module | what it holds |
//! |---|---|
//! | `customers` | customers, local and managed |
//! | `links` | links of customers that an administrator undoes and makes again |
//! | `organizations` | organizations, local and linked to groups |
//! | `membership` | who is a member of which organization |
//! | `projects` | projects and what is associated with them |
//! | `access` | whether a customer may use a project, and why |
//! | `settings` | the settings of the site |
//! | `sign_ins` | sign-ins of administrators that the host refused |
//! | `bin` | what is deleted and can be restored |
//! | `locales` | which locales the site has, and what others become |
//! | `work` | a transaction on somebody's behalf |

pub mod access;
pub mod bin;
pub mod customers;
mod links;
mod locales;
pub(crate) mod membership;
pub mod organizations;
pub mod projects;
pub mod settings;
mod sign_ins;
mod work;

use alloc::string::{String, ToString};
use alloc::vec::Vec;

pub use work::Work;

use crate::engine::{Engine, check_schema};
use crate::error::{Error as Failure, Status};
use crate::store::records::{self, DirectoryRecord, Link};
use crate::store::{Transaction, keys, prefix_range};

/// Why a call did nothing. The texts of the first five may be shown to the administrator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no such customer, organization or project.
    #[error("{0}")]
    NotFound(String),
    /// A value cannot be taken.
    #[error("{0}")]
    Invalid(String),
    /// A value that must be unique is taken.
    #[error("{0}")]
    Taken(String),
    /// It is managed by a directory, and read-only here.
    #[error("{0}")]
    Managed(String),
    /// The state of things forbids it.
    #[error("{0}")]
    Refused(String),
    /// The storage did not do its part.
    #[error("{0}")]
    Unavailable(String),
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        let detail = failure.detail.into_owned();
        match failure.status {
            Status::NotFound => Error::NotFound(detail),
            Status::Conflict => Error::Taken(detail),
            Status::BadRequest => Error::Invalid(detail),
            Status::Unavailable => Error::Unavailable(detail),
            _ => Error::Other(detail),
        }
    }
}

/// What the functions of the site return.
pub type Result<T> = core::result::Result<T, Error>;

/// Where a page of a list begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Position {
    /// Behind this many entries.
    Offset(u32),
    /// Behind the entry of this cursor, as the page before named it.
    After(String),
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The entries.
    pub values: Vec<T>,
    /// What to go on behind; none on the last page.
    pub next: Option<String>,
}

impl Engine<'_> {
    /// Runs `work` for an administrator in a transaction and commits it.
    fn site_write<T>(&self, actor: &str, mut work: impl FnMut(&mut Work<'_>) -> Result<T>) -> Result<T> {
        if actor.is_empty() || actor.len() > MAX_ACTOR_BYTES {
            return Err(Error::Invalid(alloc::format!("the actor must be 1 to {MAX_ACTOR_BYTES} bytes long")));
        }
        let (now, actor) = (self.now(), alloc::format!("admin:{actor}"));
        self.write(|transaction| {
            let mut stored = transaction
                .get_many([keys::SCHEMA_KEY, keys::SITE_SETTINGS_KEY].map(ToString::to_string).to_vec())?
                .into_iter();
            check_schema(stored.next().flatten().as_deref())?;
            let settings = stored.next().flatten();
            transaction.put(keys::SCHEMA_KEY.to_string(), keys::SCHEMA);
            work(&mut Work { transaction, now: &now, actor: &actor, request: None, settings: settings.as_deref() })
        })
    }
}

/// The longest name of an administrator that goes into the change feed, in bytes.
const MAX_ACTOR_BYTES: usize = 200;

/// How many entries a page may have.
const MAX_PAGE: u32 = 1_000;

/// How many keys are read at once where all of something is gone through.
const KEYS_AT_ONCE: u32 = 1_000;

fn check_limit(limit: u32) -> Result<()> {
    if (1..=MAX_PAGE).contains(&limit) {
        return Ok(());
    }
    Err(Error::Invalid(alloc::format!("the limit must be 1 to {MAX_PAGE}")))
}

/// A page of the keys that begin with a prefix, with their values.
fn scan_page(
    transaction: &mut Transaction,
    prefix: &str,
    position: &Position,
    limit: u32,
) -> Result<Page<crate::storage::Entry>> {
    check_limit(limit)?;
    let mut range = prefix_range(prefix, limit + 1);
    match position {
        Position::Offset(skip) => range.skip = *skip,
        Position::After(cursor) if is_cursor(cursor) => range.start = keys::after(&(prefix.to_string() + cursor)),
        Position::After(_) => return Err(Error::Invalid("the cursor is not one that a page named".to_string())),
    }
    let mut values = transaction.scan(&range)?;
    let more = values.len() > limit as usize;
    values.truncate(limit as usize);
    let next = values.last().filter(|_| more).map(|last| keys::id_of(&last.key).to_string());
    Ok(Page { values, next })
}

/// What stands at the end of the keys that begin with a prefix.
fn ends(transaction: &mut Transaction, prefix: &str, limit: u32) -> crate::error::Result<Vec<String>> {
    let mut range = prefix_range(prefix, limit.min(KEYS_AT_ONCE));
    range.keys_only = true;
    let mut all = Vec::new();
    loop {
        let entries = transaction.scan(&range)?;
        all.extend(entries.iter().map(|entry| keys::id_of(&entry.key).to_string()));
        match entries.last() {
            Some(last) if entries.len() >= range.limit as usize && all.len() < limit as usize => {
                range.start = keys::after(&last.key);
            }
            _ => return Ok(all),
        }
    }
}

/// Cursors are ids or numbers; nothing else gets into a key.
fn is_cursor(text: &str) -> bool {
    text.len() <= keys::ID_LENGTH && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Whether a link is to a directory that is connected still.
fn is_managed(transaction: &mut Transaction, link: Option<&Link>) -> crate::error::Result<bool> {
    match link {
        Some(link) => Ok(transaction.get(keys::directory(&link.directory))?.is_some()),
        None => Ok(false),
    }
}

/// Refuses a write to something that a directory manages.
fn check_local(transaction: &mut Transaction, link: Option<&Link>, what: &str) -> Result<()> {
    if let Some(link) = link
        && let Some(text) = transaction.get(keys::directory(&link.directory))?
    {
        let key = keys::directory(&link.directory);
        let directory: DirectoryRecord = records::read(&key, &text)?;
        let detail = alloc::format!("{what} is managed by the directory {:?} and read-only here", directory.name);
        return Err(Error::Managed(detail));
    }
    Ok(())
}
