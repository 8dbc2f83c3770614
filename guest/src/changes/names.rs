//! What the things are called that changes are about.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::Deserialize;

use super::Error;
use crate::engine::Engine;
use crate::invalid::Invalid;
use crate::store::keys::{self, Kind, is_id};
use crate::store::records::{self, Stored};
use crate::store::{self, Transaction};

/// How many names one call returns.
const MAX_NAMES: usize = 1_000;

/// Something that a change may be about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A directory, by its id.
    Directory(String),
    /// A user, by the id of its directory and its own.
    User((String, String)),
    /// A group, likewise.
    Group((String, String)),
    /// A customer, by its id.
    Customer(String),
    /// An organization, by its number.
    Organization(u64),
    /// A project, likewise.
    Project(u64),
}

/// What something is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// The name: `userName` of a user, `displayName` of a group or a customer.
    pub text: String,
    /// Whether it is a deleted customer or organization that can be restored.
    pub deleted: bool,
}

impl Engine<'_> {
    /// What these are called, in the same order; `None` for what there is not.
    ///
    /// # Errors
    /// [`Error::Invalid`] for more than 1,000 of them.
    pub fn names(&self, subjects: &[Subject]) -> Result<Vec<Option<Name>>, Error> {
        if subjects.len() > MAX_NAMES {
            return Err(Invalid("at most 1,000 names are returned at once".to_string()).into());
        }
        self.read(|transaction| {
            let there = texts(transaction, subjects.iter().map(Subject::key))?;
            let directories = texts(transaction, subjects.iter().map(Subject::directory_key))?;
            let missing =
                subjects.iter().zip(&there).map(|(subject, there)| subject.deleted_key().filter(|_| there.is_none()));
            let deleted = texts(transaction, missing)?;
            let mut names = Vec::with_capacity(subjects.len());
            for (((subject, there), directory), deleted) in subjects.iter().zip(there).zip(directories).zip(deleted) {
                let is_there = directory.is_some() || subject.directory_key().is_none();
                names.push(match (there, deleted) {
                    (Some((key, text)), _) if is_there => {
                        subject.name(&key, text)?.map(|text| Name { text, deleted: false })
                    }
                    (_, Some((key, text))) => {
                        let Kept { record } = records::read(&key, &text)?;
                        Some(Name { text: record.name, deleted: true })
                    }
                    _ => None,
                });
            }
            Ok(names)
        })
    }
}

/// The values of those keys that there are, each with its key.
fn texts(
    transaction: &mut Transaction,
    keys: impl Iterator<Item = Option<String>>,
) -> store::Result<Vec<Option<(String, String)>>> {
    let keys: Vec<Option<String>> = keys.collect();
    let mut values = transaction.get_many(keys.iter().flatten().cloned().collect())?.into_iter();
    Ok(keys.into_iter().map(|key| key.and_then(|key| Some((key, values.next()??)))).collect())
}

/// What has a name, as it is stored.
#[derive(Deserialize)]
struct Named {
    #[serde(alias = "displayName")]
    name: String,
}

/// What has a name and is deleted, as it is stored.
#[derive(Deserialize)]
struct Kept {
    record: Named,
}

impl Subject {
    /// Where it is kept; `None` if its id is none.
    fn key(&self) -> Option<String> {
        match self {
            Self::Directory(id) => is_id(id).then(|| keys::directory(id)),
            Self::User((directory, id)) => (is_id(directory) && is_id(id)).then(|| Kind::User.resource(directory, id)),
            Self::Group((directory, id)) => {
                (is_id(directory) && is_id(id)).then(|| Kind::Group.resource(directory, id))
            }
            Self::Customer(id) => is_id(id).then(|| keys::customer(id)),
            Self::Organization(number) => Some(keys::organization(*number)),
            Self::Project(number) => Some(keys::project(*number)),
        }
    }

    /// Where the directory is kept without which it is not there: upkeep may not have removed it yet.
    fn directory_key(&self) -> Option<String> {
        match self {
            Self::User((directory, _)) | Self::Group((directory, _)) => {
                is_id(directory).then(|| keys::directory(directory))
            }
            _ => None,
        }
    }

    /// Where it is kept while it is deleted and can be restored.
    fn deleted_key(&self) -> Option<String> {
        match self {
            Self::Customer(id) => is_id(id).then(|| keys::deleted_customer(id)),
            Self::Organization(number) => Some(keys::deleted_organization(*number)),
            _ => None,
        }
    }

    fn name(&self, key: &str, text: String) -> store::Result<Option<String>> {
        let kind = match self {
            Self::User(_) => Kind::User,
            Self::Group(_) => Kind::Group,
            _ => return Ok(Some(records::read::<Named>(key, &text)?.name)),
        };
        Ok(Stored::read(key, text)?.name(kind).map(|name| name.to_string()))
    }
}
