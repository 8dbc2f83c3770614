//! Whether a customer or an organization is local or managed, or leaves with its directory. Those that leave are out of
//! sight until upkeep has removed them.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::error::{Error, Result};
use crate::storage::Entry;
use crate::store::pages::{Page, Position, scan_page};
use crate::store::records::{self, DirectoryRecord, Link, Sweep};
use crate::store::{self, Transaction, keys, prefix_range};

/// Who decides about a customer or an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The site: it has no link, or the directory that it is linked to is disconnected.
    Local,
    /// A connected directory.
    Managed,
    /// Nobody: its directory is being removed with all that it managed. It is out of sight until upkeep removes it, or
    /// until somebody wants its name or address.
    Leaving,
}

/// The standing of a customer or an organization with this link.
pub fn standing(transaction: &mut Transaction, link: Option<&Link>) -> store::Result<Standing> {
    let Some(Link { directory, .. }) = link else { return Ok(Standing::Local) };
    let removal = keys::sweep(directory, directory);
    let mut values = transaction.get_many(alloc::vec![keys::directory(directory), removal.clone()])?.into_iter();
    if values.next().flatten().is_some() {
        return Ok(Standing::Managed);
    }
    let sweep: Option<Sweep> = values.next().flatten().map(|text| records::read(&removal, &text)).transpose()?;
    Ok(if sweep == Some(Sweep::Removal) { Standing::Leaving } else { Standing::Local })
}

/// The directories looked up in a transaction, so that a list reads each of them only once.
#[derive(Default)]
pub struct Standings(BTreeMap<String, Standing>);

impl Standings {
    /// As [`standing`].
    pub fn of(&mut self, transaction: &mut Transaction, link: Option<&Link>) -> store::Result<Standing> {
        let Some(Link { directory, .. }) = link else { return Ok(Standing::Local) };
        if let Some(known) = self.0.get(directory) {
            return Ok(*known);
        }
        let found = standing(transaction, link)?;
        self.0.insert(directory.clone(), found);
        Ok(found)
    }
}

/// Whether something with this link is [`Standing::Leaving`].
pub fn is_leaving(transaction: &mut Transaction, link: Option<&Link>) -> store::Result<bool> {
    Ok(standing(transaction, link)? == Standing::Leaving)
}

/// Whether the directory of a link is still connected.
pub fn is_managed(transaction: &mut Transaction, link: Option<&Link>) -> store::Result<bool> {
    match link {
        Some(link) => Ok(transaction.get(keys::directory(&link.directory))?.is_some()),
        None => Ok(false),
    }
}

/// The directory that manages what has this link, if one does.
pub fn manager(transaction: &mut Transaction, link: Option<&Link>) -> store::Result<Option<DirectoryRecord>> {
    let Some(link) = link else { return Ok(None) };
    let key = keys::directory(&link.directory);
    transaction.get(key.clone())?.map(|text| records::read(&key, &text)).transpose()
}

/// Refuses a write to something that a directory manages.
pub fn check_local(transaction: &mut Transaction, link: Option<&Link>, what: &str) -> Result<()> {
    if let Some(directory) = manager(transaction, link)? {
        let detail = alloc::format!("{what} is managed by the directory {:?} and read-only here", directory.name);
        return Err(Error::Managed(detail));
    }
    Ok(())
}

/// Whether nothing is out of sight, because nothing is waiting to be swept.
pub fn is_all_in_sight(transaction: &mut Transaction) -> store::Result<bool> {
    let mut range = prefix_range(keys::ALL_SWEEPS, 1);
    range.keys_only = true;
    Ok(transaction.scan(&range)?.is_empty())
}

/// A page of the entries whose keys begin with a prefix, without those for which `show` returns `None`. If it returns
/// something for `every` entry, those before the page need not be read.
pub fn shown_page<T>(
    transaction: &mut Transaction,
    prefix: &str,
    position: &Position,
    limit: u32,
    every: bool,
    mut show: impl FnMut(&mut Transaction, &Entry) -> Result<Option<T>>,
) -> Result<Page<T>> {
    let (mut skip, mut position) = match position {
        Position::Offset(skip) if !every => (*skip, Position::Offset(0)),
        position => (0, position.clone()),
    };
    let (mut values, mut last) = (Vec::new(), None);
    loop {
        let page = scan_page::<Error>(transaction, prefix, &position, limit)?;
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
