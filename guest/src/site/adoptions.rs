//! Adopted organizations: who has come and who has gone because of it, for the administrator to look at. Counted as it
//! happens: some may still go when the grace is over.

use alloc::string::String;
use alloc::vec::Vec;

use crate::store::pages::count;
use crate::store::records::{self, AdoptionRecord, Link};
use crate::store::{self, Transaction, keys};
use crate::work::Work;

/// How many customers are named of those who came or went.
const MAX_NAMED: usize = 100;

/// Lists an organization that a directory has adopted for a group that it pushed.
pub fn begin(work: &mut Work<'_>, link: &Link, organization: u64) {
    let record =
        AdoptionRecord { organization, at: work.now.milliseconds, came: (0, Vec::new()), went: (0, Vec::new()) };
    work.transaction.put(keys::adoption(&link.directory, &link.resource), records::write(&record));
}

/// Notes who has come into the organization of this link, and who has gone, if it is listed.
///
/// # Errors
/// Where the storage fails.
pub fn note(transaction: &mut Transaction, link: Option<&Link>, came: &[String], went: &[String]) -> store::Result<()> {
    let Some(Link { directory, resource }) = link.filter(|_| !(came.is_empty() && went.is_empty())) else {
        return Ok(());
    };
    let key = keys::adoption(directory, resource);
    let Some(text) = transaction.get(key.clone())? else { return Ok(()) };
    let mut record: AdoptionRecord = records::read(&key, &text)?;
    for ((all, first), customers) in [(&mut record.came, came), (&mut record.went, went)] {
        *all = all.saturating_add(count(customers.len()));
        first.extend(customers.iter().take(MAX_NAMED.saturating_sub(first.len())).cloned());
    }
    transaction.put(key, records::write(&record));
    Ok(())
}
