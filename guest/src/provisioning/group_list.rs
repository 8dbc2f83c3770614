//! The groups of a directory, as an administrator looks for them.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::check::existing;
use crate::directories::record::load;
use crate::directories::{Error, Result};
use crate::engine::Engine;
use crate::storage::Entry;
use crate::store::keys::{self, Kind};
use crate::store::pages::{self, Page, scan_ids};
use crate::store::records::Stored;
use crate::store::{self, Transaction};

/// A group of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// How many members it has.
    pub members: u32,
    /// The number of the organization that it is linked to; `None` if it is left apart, or planned.
    pub organization: Option<u64>,
}

impl Engine<'_> {
    /// The groups of a directory, in the order in which they were made; or, with a query, those whose names begin with it, in
    /// the order of their names.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the directory; [`Error::Invalid`] for a limit that is not 1 to 1,000, or a cursor that no page
    /// has named.
    pub fn groups(
        &self,
        directory: &str,
        query: Option<&str>,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Page<Group>> {
        self.read(|transaction| {
            load(transaction, directory)?;
            let Some(query) = query else {
                let prefix = Kind::Group.resources(directory);
                let Page { values, next } = scan_ids::<Error>(transaction, &prefix, cursor, limit)?;
                let groups = values.into_iter().map(|Entry { key, value }| {
                    let id = keys::id_of(&key).to_string();
                    Ok(shown(id, &Stored::read(&key, value)?))
                });
                return Ok(Page { values: groups.collect::<Result<_>>()?, next });
            };
            let (all, some) = (Kind::Group.names(directory, ""), Kind::Group.names(directory, query.trim_start()));
            if !keys::is_storable(&some) {
                return Ok(Page { values: Vec::new(), next: None });
            }
            let (entries, next) = pages::named::<Error>(transaction, &all, &some, cursor, limit)?;
            Ok(Page { values: of_names(transaction, directory, entries)?, next })
        })
    }

    /// One group of a directory.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the directory or the group.
    pub fn group(&self, directory: &str, group: &str) -> Result<Group> {
        self.read(|transaction| {
            load(transaction, directory)?;
            Ok(shown(group.to_string(), &existing(transaction, directory, group)?))
        })
    }
}

/// The groups to which names lead.
fn of_names(transaction: &mut Transaction, directory: &str, names: Vec<Entry>) -> store::Result<Vec<Group>> {
    let found = names.iter().map(|name| Kind::Group.resource(directory, &name.value)).collect();
    let found = transaction.get_many(found)?;
    let groups = names.into_iter().zip(found).map(|(name, text)| {
        let text = text.ok_or_else(|| store::Error::corrupt(&name.key))?;
        let stored = Stored::read(&name.key, text)?;
        Ok(shown(name.value, &stored))
    });
    groups.collect()
}

fn shown(id: String, stored: &Stored) -> Group {
    Group {
        id,
        name: stored.name(Kind::Group).unwrap_or_default().into_owned(),
        members: stored.header.members,
        organization: stored.header.organization,
    }
}
