//! Customers, organizations and directories that came to have the name or address of another, see `twins`.

use alloc::string::String;
use alloc::vec::Vec;

use super::error::{Error, Result};
use super::{customers, numbers, organizations};
use crate::engine::Engine;
use crate::store::pages::{Page, Position, scan_page};
pub use crate::store::records::Subject;
use crate::store::records::{self, ConflictRecord, DirectoryRecord};
use crate::store::{self, keys};

/// A customer, organization or directory with the same name or address as another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SameName {
    /// The one of the two that this entry is about.
    pub subject: Subject,
    /// Its name, or the address of a customer.
    pub name: String,
    /// The other one of the two.
    pub other: Subject,
    /// Since when both have had the name, in milliseconds since the Unix epoch.
    pub since: u64,
}

impl Engine<'_> {
    /// The customers, organizations and directories that have the name or address of another. This ends when one of the
    /// two gets another name or is removed.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a limit or cursor that is not valid.
    pub fn same_names(&self, position: &Position, limit: u32) -> Result<Page<SameName>> {
        self.read(|transaction| {
            let page = scan_page::<Error>(transaction, &keys::conflicts(keys::SITE), position, limit)?;
            let mut values = Vec::with_capacity(page.values.len());
            for entry in &page.values {
                let record: ConflictRecord = records::read(&entry.key, &entry.value)?;
                let corrupt = || store::Error::corrupt(&entry.key);
                let other = record.same_name.ok_or_else(corrupt)?;
                let id = String::from(keys::id_of(&entry.key));
                let (subject, name) = match &other {
                    Subject::Organization(_) => {
                        let number = numbers::parse(&entry.key, &id)?;
                        (Subject::Organization(number), organizations::existing(transaction, number)?.name)
                    }
                    Subject::Directory(_) => {
                        let key = keys::directory(&id);
                        let text = transaction.get(key.clone())?.ok_or_else(corrupt)?;
                        (Subject::Directory(id), records::read::<DirectoryRecord>(&key, &text)?.name)
                    }
                    _ => {
                        let email = customers::existing(transaction, &id)?.email;
                        (Subject::Customer(id), email)
                    }
                };
                values.push(SameName { subject, name, other, since: record.since });
            }
            Ok(Page { values, next: page.next })
        })
    }
}
