//! The log of a directory's requests, written in the transaction of the request itself.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::membership_id::MembershipId;
use crate::directories::activity::{ChangeCount, LoggedRequest, MAX_AGE_MS, MAX_LOGGED};
use crate::engine::Engine;
use crate::language::error::{Error, Result};
use crate::provisioning::notes::RequestNotes;
use crate::provisioning::refused;
use crate::provisioning::scope::{RequestContext, Scope};
use crate::scim::http::Response;
use crate::store::Savepoint;
use crate::store::feed::{ChangeKind, Detail};
use crate::store::keys;
use crate::store::records::{self, Due};

/// How many characters of an error's detail or of a note are kept.
const MAX_DETAIL_CHARACTERS: usize = 500;

/// The longest part of a path or method that is kept, in bytes.
const MAX_PART_BYTES: usize = 64;

/// What stands for any text that might be an address.
const HIDDEN: &str = "*";

impl Engine<'_> {
    /// Runs the work of a request that writes, and logs the outcome. A refused request leaves nothing else behind, and
    /// neither does a dry run.
    pub(super) fn log_write(
        &self,
        call: &RequestContext<'_>,
        mut work: impl FnMut(&mut Scope<'_>) -> Result<Response>,
    ) -> Result<Response> {
        self.write(|transaction| {
            let mut scope = Scope::open(transaction, call)?;
            let before = scope.savepoint();
            let outcome = work(&mut scope);
            if let Err(error) = &outcome
                && error.is_breakdown
            {
                return Err(error.clone());
            }
            let changes = scope.changes();
            let notes = core::mem::take(&mut scope.notes);
            if outcome.is_err() || scope.settings.dry_run {
                scope.undo_since(before);
            }
            let dry_run = scope.settings.dry_run;
            for (id, name) in notes.refused_groups.iter().filter(|_| !dry_run) {
                refused::note(&mut scope, id, name)?;
            }
            scope.log(&outcome, &notes, changes);
            scope.finish();
            Ok(outcome)
        })?
    }

    /// Runs the work of a request that only reads. A refusal is logged; a success only updates the time of the last
    /// one, once a minute, so that reads hardly ever write.
    pub(super) fn log_read(
        &self,
        call: &RequestContext<'_>,
        work: impl FnOnce(&mut Scope<'_>) -> Result<Response>,
    ) -> Result<Response> {
        let (mut outcome, known) = self.read(|transaction| {
            let mut scope = Scope::open(transaction, call)?;
            let known = scope.status.is_up_to_date(call.now.milliseconds);
            Ok::<_, Error>((work(&mut scope), known))
        })?;
        let needless = match &outcome {
            Ok(_) => known,
            Err(error) => error.is_breakdown,
        };
        if !needless {
            let notes = self.write(|transaction| {
                let mut scope = Scope::open(transaction, call)?;
                if outcome.is_ok() {
                    scope.status.note_read(call.now.milliseconds);
                    scope.put_status();
                } else {
                    scope.log(&outcome, &RequestNotes::default(), Vec::new());
                }
                Ok::<_, Error>(())
            });
            // The answer is there, and it is right even if nothing could be noted about it.
            if let (Err(error), Ok(response)) = (notes, &mut outcome) {
                response.failure = error.inside;
            }
        }
        outcome
    }
}

impl Scope<'_> {
    /// The changes of the request, counted by kind.
    fn changes(&self) -> Vec<ChangeCount> {
        let mut counts: Vec<ChangeCount> = Vec::new();
        for change in self.transaction.changes_since(Savepoint::default()) {
            let count = u32::try_from(change.detail.members.len()).unwrap_or(u32::MAX).max(1);
            match counts.iter_mut().find(|known| known.kind == change.kind) {
                Some(known) => known.count = known.count.saturating_add(count),
                None => counts.push(ChangeCount { kind: change.kind.to_string(), count }),
            }
        }
        counts
    }

    /// Puts the request into the log.
    fn log(&mut self, outcome: &Result<Response>, notes: &RequestNotes, changes: Vec<ChangeCount>) {
        let call = self.context;
        let now = call.now.milliseconds;
        let refusal = outcome.as_ref().err().or(notes.refusal.as_ref());
        let applied = outcome.is_ok();
        let request = self.status.note(LoggedRequest {
            sequence: 0,
            at: now,
            method: call.method.clone(),
            path: call.path.clone(),
            request: call.request.map(ToString::to_string),
            status: match outcome {
                Ok(response) => response.status,
                Err(error) => error.status.code(),
            },
            scim_type: refusal.and_then(|error| error.scim_type).map(|scim_type| scim_type.keyword().to_string()),
            detail: refusal.map(|error| without_addresses(&error.detail)),
            changes: if applied { changes } else { Vec::new() },
            dry_run: self.settings.dry_run && applied,
            operations: notes.operations.filter(|_| applied),
            refused: notes.operations.filter(|_| applied).map(|_| notes.refused),
            notes: if applied { notes.texts.iter().map(|note| without_addresses(note)).collect() } else { Vec::new() },
        });
        if self.deletions > 0 {
            self.status.count_deletions(now, self.deletions);
        }
        if self.holds && !self.status.held {
            self.status.held = true;
            self.record(ChangeKind::DeletionsHeld, Detail::default());
        }
        let directory = self.directory();
        if self.status.log_due.is_none() {
            let time = now.saturating_add(MAX_AGE_MS);
            let due = Due::Log(directory.to_string());
            self.transaction.put(due.key(time), records::write(&due));
            self.status.log_due = Some(time);
        }
        self.transaction.put(keys::logged(directory, request.sequence), records::write(&request));
        if let Some(last) = request.sequence.checked_sub(MAX_LOGGED).filter(|last| *last > 0) {
            self.transaction.delete(keys::logged(directory, last));
        }
        self.put_status();
    }

    /// Stores what the directory remembers about its requests.
    fn put_status(&mut self) {
        self.transaction.put(keys::status(self.context.directory), records::write(&self.status));
    }
}

/// A text as the log may hold it: without the addresses that it quotes, and not too long.
fn without_addresses(text: &str) -> String {
    let words = text.split(' ').map(|word| if word.contains('@') { HIDDEN } else { word });
    words.collect::<Vec<_>>().join(" ").chars().take(MAX_DETAIL_CHARACTERS).collect()
}

/// The path below the base URL, as the log may hold it.
#[must_use]
pub fn path<T: AsRef<str>>(segments: &[T]) -> String {
    let mut path = String::new();
    for (at, segment) in segments.iter().map(AsRef::as_ref).take(4).enumerate() {
        let is_name = segment.len() <= MAX_PART_BYTES && segment.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let is_id = keys::is_id(segment) || MembershipId::read(segment).is_some();
        let known = is_id || segment == ".search" || at == 0 && is_name;
        path.push('/');
        path.push_str(if known { segment } else { HIDDEN });
    }
    path
}

/// The method, as the log may hold it.
#[must_use]
pub fn method(name: &str) -> String {
    let is_name = name.len() <= MAX_PART_BYTES && name.bytes().all(|byte| byte.is_ascii_alphabetic());
    if is_name { name } else { HIDDEN }.to_string()
}
