//! What was erased from the site is gone from the log of its directory too: its names, and the bodies that name it.

use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::activity::{load_status, put_status};
use super::bodies;
use super::logged::LoggedRequest;
use crate::json;
use crate::language::secrets::{HIDDEN, hide_quotations};
use crate::store::pages::{ENTRIES_AT_ONCE, count};
use crate::store::records::{self, ToForgetRecord};
use crate::store::{self, Transaction, keys, prefix_range};
use crate::text::{contains_folded, fold};

/// How many are forgotten in one step: the whole log is gone through for them, and every body is searched for each.
const AT_ONCE: u32 = 20;

/// How many characters of a name that is cut off tell whose it is.
const CUT_CHARACTERS: usize = 3;

/// Users or groups to be forgotten.
#[derive(Debug, Default)]
struct Forgotten {
    ids: Vec<String>,
    /// Names and addresses, as they are compared.
    names: Vec<String>,
}

impl Forgotten {
    fn add_name(&mut self, name: &str) {
        let name = fold(name.trim()).into_owned();
        if !name.is_empty() && name != HIDDEN && !self.names.contains(&name) {
            self.names.push(name);
        }
    }

    /// Learns the names under which the log knows them.
    fn learn(&mut self, request: &LoggedRequest) {
        for subject in request.subjects() {
            let is_meant = subject.id.as_ref().is_some_and(|id| self.ids.contains(id));
            if let Some(name) = subject.name.as_ref().filter(|_| is_meant) {
                self.add_name(name);
            }
        }
    }

    fn is_name(&self, text: &str) -> bool {
        let text = fold(text.trim());
        self.names.iter().any(|name| *name == text)
    }

    /// Whether JSON text has an id or a name in it. A name may be escaped there, or cut off at the end.
    fn is_in(&self, body: &str) -> bool {
        let folded = fold(body);
        let has = |name: &String| {
            let escaped = json::to_text(name);
            let escaped = escaped.trim_matches('"');
            folded.contains(name.as_str()) || folded.contains(escaped) || ends_within(&folded, escaped)
        };
        self.ids.iter().any(|id| folded.contains(id.as_str())) || self.names.iter().any(has)
    }

    /// Whether a request is about one of them.
    fn is_about(&self, request: &LoggedRequest) -> bool {
        request.subjects().any(|subject| {
            subject.id.as_ref().is_some_and(|id| self.ids.contains(id))
                || subject.name.as_ref().is_some_and(|name| self.is_name(name))
        })
    }

    /// Takes the names out of a request. What its words quote is a name or begins with one where it was cut.
    fn take_out_of(&self, request: &mut LoggedRequest) {
        for subject in request.subjects_mut() {
            let is_meant = subject.id.as_ref().is_some_and(|id| self.ids.contains(id));
            if is_meant || subject.name.as_ref().is_some_and(|name| self.is_name(name)) {
                subject.name = None;
            }
        }
        let hide = |quotation: &str| self.names.iter().any(|name| contains_folded(quotation, name));
        for text in request.detail.iter_mut().chain(&mut request.notes) {
            *text = hide_quotations(text, hide);
        }
    }
}

/// Whether a text ends with a beginning of another, of at least some characters.
fn ends_within(text: &str, other: &str) -> bool {
    let places = other.char_indices().map(|(at, _)| at).skip(CUT_CHARACTERS);
    places.into_iter().any(|at| text.ends_with(&other[..at]))
}

/// Has the log of one directory forget some of those who were erased. Returns how many; 0 if there are none.
///
/// # Errors
/// Where the storage fails.
pub fn step(transaction: &mut Transaction) -> store::Result<u32> {
    let Some(first) = transaction.scan(&prefix_range(keys::ALL_TO_FORGET, 1))?.pop() else { return Ok(0) };
    let (directory, _) = keys::two_ids(&first.key).ok_or_else(|| store::Error::corrupt(&first.key))?;
    let directory = directory.to_string();
    let entries = transaction.scan(&prefix_range(&keys::all_to_forget(&directory), AT_ONCE))?;
    let mut all = Vec::with_capacity(entries.len());
    for entry in entries {
        let record: ToForgetRecord = records::read(&entry.key, &entry.value)?;
        all.push((keys::id_of(&entry.key).to_string(), record));
    }
    forget(transaction, &directory, &all)?;
    Ok(count(all.len()))
}

/// Has the log of a directory forget one user or group at once, if it has to.
///
/// # Errors
/// Where the storage fails.
pub fn forget_now(transaction: &mut Transaction, directory: &str, id: &str) -> store::Result<()> {
    let key = keys::to_forget(directory, id);
    let Some(text) = transaction.get(key.clone())? else { return Ok(()) };
    let record = records::read(&key, &text)?;
    forget(transaction, directory, &[(id.to_string(), record)])
}

fn forget(transaction: &mut Transaction, directory: &str, all: &[(String, ToForgetRecord)]) -> store::Result<()> {
    for (id, _) in all {
        transaction.delete(keys::to_forget(directory, id));
    }
    // The log of a disconnected directory goes as a whole.
    if transaction.get(keys::directory(directory))?.is_none() {
        return Ok(());
    }
    let mut forgotten = Forgotten { ids: all.iter().map(|(id, _)| id.clone()).collect(), names: Vec::new() };
    for name in all.iter().flat_map(|(_, record)| &record.names) {
        forgotten.add_name(name);
    }
    let entries = transaction.scan(&prefix_range(&keys::log(directory), ENTRIES_AT_ONCE))?;
    let mut requests = Vec::with_capacity(entries.len());
    for entry in entries {
        let request: LoggedRequest = records::read(&entry.key, &entry.value)?;
        forgotten.learn(&request);
        requests.push((entry.key, request));
    }
    let mut status = load_status(transaction, directory)?;
    if let Some(failure) = &status.last_failure {
        forgotten.learn(failure);
    }
    let about: BTreeSet<u64> = requests
        .iter()
        .filter(|(_, request)| forgotten.is_about(request))
        .map(|(_, request)| request.sequence)
        .collect();
    for (key, request) in requests {
        let mut without = request.clone();
        forgotten.take_out_of(&mut without);
        if without != request {
            transaction.put(key, records::write(&without));
        }
    }
    let before = status.clone();
    if let Some(failure) = &mut status.last_failure {
        forgotten.take_out_of(failure);
    }
    bodies::drop_where(transaction, directory, &mut status, |sequence, body| {
        about.contains(&sequence) || forgotten.is_in(body)
    })?;
    if status != before {
        put_status(transaction, directory, &status);
    }
    Ok(())
}
