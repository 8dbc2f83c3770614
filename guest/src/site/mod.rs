//! The service-desk site: customers, organizations, projects, and who may use what (`wit/site.wit`).
//!
//! | module | what it holds |
//! |---|---|
//! | `customers` | customers, local and managed |
//! | `links` | links of customers that an administrator undoes and makes again |
//! | `organizations` | organizations, local and linked to groups |
//! | `membership` | who is a member of which organization |
//! | `probation` | restored customers in managed organizations |
//! | `projects` | projects and what is associated with them |
//! | `access` | whether a customer may use a project, and why |
//! | `settings` | the settings of the site |
//! | `sign_ins` | sign-ins of administrators that the host refused |
//! | `bin` | what is deleted and can be restored |
//! | `same_names` | what came to have the name of another |
//! | `locales` | which locales the site has, and what others become |
//! | `time_zones` | which time zones there are |
//! | `work` | a transaction on somebody's behalf |

pub mod access;
pub mod bin;
pub mod customers;
pub(crate) mod links;
mod locales;
pub(crate) mod membership;
pub mod organizations;
pub(crate) mod probation;
pub mod projects;
pub mod same_names;
pub mod settings;
mod sign_ins;
mod time_zones;
mod work;

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

pub use work::Work;

use crate::engine::Engine;
use crate::language::error::{Error as Failure, Status};
use crate::store::records::{self, DirectoryRecord, Link, Sweep};
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
        match failure.status {
            Status::NotFound => Error::NotFound(failure.detail.into_owned()),
            Status::Conflict => Error::Taken(failure.detail.into_owned()),
            Status::BadRequest => Error::Invalid(failure.detail.into_owned()),
            Status::Unavailable => Error::Unavailable(failure.into_log()),
            _ => Error::Other(failure.into_log()),
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
            let settings = transaction.get(keys::SITE_SETTINGS_KEY.to_string())?;
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
        Position::After(_) => return Err(no_such_cursor()),
    }
    let mut values = transaction.scan(&range)?;
    let more = values.len() > limit as usize;
    values.truncate(limit as usize);
    let next = values.last().filter(|_| more).map(|last| keys::id_of(&last.key).to_string());
    Ok(Page { values, next })
}

/// A page of what stands under the keys that begin with a prefix, without the entries of which `show` makes nothing. Where
/// it makes something of `every` entry, those that the page begins behind need not be looked at.
fn shown_page<T>(
    transaction: &mut Transaction,
    prefix: &str,
    position: &Position,
    limit: u32,
    every: bool,
    mut show: impl FnMut(&mut Transaction, &crate::storage::Entry) -> Result<Option<T>>,
) -> Result<Page<T>> {
    let (mut skip, mut position) = match position {
        Position::Offset(skip) if !every => (*skip, Position::Offset(0)),
        position => (0, position.clone()),
    };
    let (mut values, mut last) = (Vec::new(), None);
    loop {
        let page = scan_page(transaction, prefix, &position, limit)?;
        for entry in &page.values {
            let Some(shown) = show(transaction, entry)? else { continue };
            if skip > 0 {
                skip -= 1;
            } else if values.len() == limit as usize {
                return Ok(Page { values, next: last });
            } else {
                values.push(shown);
                last = Some(keys::id_of(&entry.key).to_string());
            }
        }
        match page.next {
            Some(next) if !every => position = Position::After(next),
            next => return Ok(Page { values, next }),
        }
    }
}

/// Whether nothing is out of sight, as nothing waits to be swept.
fn is_all_in_sight(transaction: &mut Transaction) -> crate::language::error::Result<bool> {
    let mut range = prefix_range(keys::ALL_SWEEPS, 1);
    range.keys_only = true;
    Ok(transaction.scan(&range)?.is_empty())
}

/// What stands at the end of the keys that begin with a prefix.
fn ends(transaction: &mut Transaction, prefix: &str, limit: u32) -> crate::language::error::Result<Vec<String>> {
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

fn no_such_cursor() -> Error {
    Error::Invalid("the cursor is not one that a page named".to_string())
}

/// Cursors are ids or numbers; nothing else gets into a key.
fn is_cursor(text: &str) -> bool {
    text.len() <= keys::ID_LENGTH && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Whose something is that may be linked to a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// The site's own: it has no link, or that to a directory which is disconnected.
    Local,
    /// A connected directory's.
    Managed,
    /// Nobody's: its directory is being removed with all that it managed. It is out of sight until upkeep comes round to
    /// it, or somebody wants its name or address.
    Leaving,
}

/// Whose something with this link is.
fn standing(transaction: &mut Transaction, link: Option<&Link>) -> crate::language::error::Result<Standing> {
    let Some(Link { directory, .. }) = link else { return Ok(Standing::Local) };
    let removal = keys::sweep(directory, directory);
    let mut values = transaction.get_many(alloc::vec![keys::directory(directory), removal.clone()])?.into_iter();
    if values.next().flatten().is_some() {
        return Ok(Standing::Managed);
    }
    let sweep: Option<Sweep> = values.next().flatten().map(|text| records::read(&removal, &text)).transpose()?;
    Ok(if sweep == Some(Sweep::Removal) { Standing::Leaving } else { Standing::Local })
}

/// What was found of directories in a transaction, so that a list asks for each of them once.
#[derive(Default)]
struct Standings(BTreeMap<String, Standing>);

impl Standings {
    /// As [`standing`].
    fn of(&mut self, transaction: &mut Transaction, link: Option<&Link>) -> crate::language::error::Result<Standing> {
        let Some(Link { directory, .. }) = link else { return Ok(Standing::Local) };
        if let Some(known) = self.0.get(directory) {
            return Ok(*known);
        }
        let found = standing(transaction, link)?;
        self.0.insert(directory.clone(), found);
        Ok(found)
    }
}

/// Whether something goes with its directory, see [`Standing::Leaving`].
fn is_leaving(transaction: &mut Transaction, link: Option<&Link>) -> crate::language::error::Result<bool> {
    Ok(standing(transaction, link)? == Standing::Leaving)
}

/// Whether a link is to a directory that is connected still.
fn is_managed(transaction: &mut Transaction, link: Option<&Link>) -> crate::language::error::Result<bool> {
    match link {
        Some(link) => Ok(transaction.get(keys::directory(&link.directory))?.is_some()),
        None => Ok(false),
    }
}

/// The directory that manages what has this link, where one does.
fn manager(
    transaction: &mut Transaction,
    link: Option<&Link>,
) -> crate::language::error::Result<Option<DirectoryRecord>> {
    let Some(link) = link else { return Ok(None) };
    let key = keys::directory(&link.directory);
    transaction.get(key.clone())?.map(|text| records::read(&key, &text)).transpose()
}

/// Refuses a write to something that a directory manages.
fn check_local(transaction: &mut Transaction, link: Option<&Link>, what: &str) -> Result<()> {
    if let Some(directory) = manager(transaction, link)? {
        let detail = alloc::format!("{what} is managed by the directory {:?} and read-only here", directory.name);
        return Err(Error::Managed(detail));
    }
    Ok(())
}
