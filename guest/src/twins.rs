//! Twins: two things with the same name, made by an earlier version, which told their names apart (see
//! [`crate::upkeep`]).
//!
//! The index of names leads to the older of the two. Both are marked ([`Twin`]) and listed among the conflicts. If one
//! of them gets another name or is removed, the index leads to the one that is left.

use alloc::string::{String, ToString};

use crate::store::feed::{ChangeKind, Detail};
use crate::store::keys::{self, Kind};
use crate::store::records::{
    self, ConflictRecord, CustomerRecord, DirectoryRecord, Header, OrganizationRecord, Stored, Subject, Twin,
};
use crate::store::{Result, Transaction};
use crate::work::Work;

/// Notes that two have the same name: the one that the index leads to from now on, and the other. For two users or
/// groups, `directory` is their directory. Returns how many conflicts were opened.
///
/// # Errors
/// Where the storage fails.
pub fn note(work: &mut Work<'_>, directory: Option<&str>, indexed: &Subject, other: &Subject) -> Result<u64> {
    let mut opened = 0;
    for (subject, twin, same) in [(indexed, Twin::Indexed, other), (other, Twin::NotIndexed, indexed)] {
        set_twin(work.transaction, directory, subject, Some(twin))?;
        let (key, known) = entry(work.transaction, directory, subject)?;
        let record = match known {
            Some(known) => ConflictRecord { same_name: known.same_name.or(Some(same.clone())), ..known },
            None => {
                opened += 1;
                ConflictRecord {
                    since: work.now.milliseconds,
                    apart: false,
                    same_name: Some(same.clone()),
                    refused: None,
                }
            }
        };
        work.transaction.put(key, records::write(&record));
        work.record(ChangeKind::ConflictFound, Detail::of_subject(subject, directory));
    }
    Ok(opened)
}

/// Parts two things of the same name when `subject` gets another name or is removed: the index, whose key is `name`,
/// leads to the one that is left. Returns how many conflicts were closed.
///
/// # Errors
/// Where the storage fails.
pub fn part(
    transaction: &mut Transaction,
    directory: Option<&str>,
    subject: &Subject,
    twin: Twin,
    name: String,
) -> Result<u64> {
    let (_, own) = entry(transaction, directory, subject)?;
    let other = own.and_then(|own| own.same_name);
    let mut closed = close(transaction, directory, subject)?;
    // An administrator who has seen both may have taken them off the list.
    let Some(other) = other else {
        if twin == Twin::Indexed {
            transaction.delete(name);
        }
        return Ok(closed);
    };
    if twin == Twin::Indexed {
        transaction.put(name, other.id());
    }
    let (_, its) = entry(transaction, directory, &other)?;
    if twin == Twin::Indexed || its.is_some_and(|its| its.same_name.as_ref() == Some(subject)) {
        set_twin(transaction, directory, &other, None)?;
        closed += close(transaction, directory, &other)?;
    }
    Ok(closed)
}

/// The key of a subject's conflict, and the conflict if it is open.
fn entry(
    transaction: &mut Transaction,
    directory: Option<&str>,
    subject: &Subject,
) -> Result<(String, Option<ConflictRecord>)> {
    let key = keys::conflict(directory.unwrap_or(keys::SITE), &subject.id());
    let record = transaction.get(key.clone())?.map(|text| records::read(&key, &text)).transpose()?;
    Ok((key, record))
}

/// Takes the conflict of a subject off the list, unless it is about something else as well. Returns how many were taken
/// off.
fn close(transaction: &mut Transaction, directory: Option<&str>, subject: &Subject) -> Result<u64> {
    let (key, record) = entry(transaction, directory, subject)?;
    match record {
        None => Ok(0),
        Some(record) if record.apart => {
            transaction.put(key, records::write(&ConflictRecord { same_name: None, ..record }));
            Ok(0)
        }
        Some(_) => {
            transaction.delete(key);
            Ok(1)
        }
    }
}

/// Marks a subject as one of two, or removes the mark.
fn set_twin(
    transaction: &mut Transaction,
    directory: Option<&str>,
    subject: &Subject,
    twin: Option<Twin>,
) -> Result<()> {
    let directory = directory.unwrap_or_default();
    let key = match subject {
        Subject::Directory(id) => keys::directory(id),
        Subject::User(id) => Kind::User.resource(directory, id),
        Subject::Group(id) => Kind::Group.resource(directory, id),
        Subject::Customer(id) => keys::customer(id),
        Subject::Organization(number) => keys::organization(*number),
    };
    let Some(text) = transaction.get(key.clone())? else { return Ok(()) };
    let text = match subject {
        Subject::Directory(_) => records::write(&DirectoryRecord { twin, ..records::read(&key, &text)? }),
        Subject::User(_) | Subject::Group(_) => {
            let stored = Stored::read(&key, text)?;
            stored.with_header(Header { twin, ..stored.header.clone() }).text().to_string()
        }
        Subject::Customer(_) => records::write(&CustomerRecord { twin, ..records::read(&key, &text)? }),
        Subject::Organization(_) => records::write(&OrganizationRecord { twin, ..records::read(&key, &text)? }),
    };
    transaction.put(key, text);
    Ok(())
}
