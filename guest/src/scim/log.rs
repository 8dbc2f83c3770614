//! The log of a directory's requests, written in the transaction of the request itself.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::asked::Asked;
use super::membership_id::MembershipId;
use crate::directories::activity::{MAX_AGE_MS, MAX_LOGGED, is_up_to_date, put_status};
use crate::directories::bodies::{self, CapturedBody};
use crate::directories::logged::NewEntry;
use crate::directories::{ChangeCount, Effect, LoggedRequest, MemberCounts, held};
use crate::engine::Engine;
use crate::json;
use crate::language::error::{Error, Result, ScimType, Status};
use crate::language::redacted::redacted;
use crate::language::secrets::{HIDDEN, hide_keys, hide_quotations, may_mention_password, mentions_password};
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

impl Engine<'_> {
    /// Runs the work of a request that writes, and logs the outcome. A refused request leaves nothing else
    /// behind.
    pub(super) fn log_write(
        &self,
        call: &RequestContext<'_>,
        asked: &Asked,
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
            if outcome.is_err() {
                scope.undo_since(before);
            }
            for (id, name) in &notes.refused_groups {
                refused::note(&mut scope, id, name)?;
            }
            // Nothing is wrong with a request that is held.
            scope.status.count_write((outcome.is_err() || notes.refused > 0) && scope.held.is_empty());
            scope.log(&outcome, asked, &notes, &changes)?;
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
            let (mut scope, status) = Scope::open_to_read(transaction, call)?;
            let known = status.is_some_and(|status| is_up_to_date(&status, call.now.milliseconds, call.token.id));
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
                    scope.status.note_read(call.now.milliseconds, call.token.id);
                    put_status(scope.transaction, call.directory, &scope.status);
                } else {
                    scope.log(&outcome, &Asked::default(), &RequestNotes::default(), &[])?;
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
    fn log(
        &mut self,
        outcome: &Result<Response>,
        asked: &Asked,
        notes: &RequestNotes,
        changes: &[ChangeCount],
    ) -> Result<()> {
        let call = self.context;
        let now = call.now.milliseconds;
        let refusal = outcome.as_ref().err().or(notes.refusal.as_ref());
        let applied = outcome.is_ok();
        let words = Words::of(call, refusal.is_some() || !notes.texts.is_empty());
        let body = self.captured();
        let status = match outcome {
            Ok(response) => response.status,
            Err(error) => error.status.code(),
        };
        let failed = !applied || notes.refused > 0;
        // The changes of a refused request were not made.
        let made = changes.iter().filter(|_| applied).fold(0_u32, |sum, of| sum.saturating_add(of.count));
        self.status.note(now, call.token.id, failed, made);
        let sequence = self.status.last_logged;
        let texts: Vec<String> = notes.texts.iter().filter(|_| applied).map(|note| words.shown(note)).collect();
        let mut entry = NewEntry {
            sequence,
            at: now,
            method: &call.method,
            path: &call.path,
            request: call.request,
            status,
            scim_type: refusal.and_then(|error| error.scim_type).map(ScimType::keyword),
            detail: refusal.map(|error| words.shown(&error.detail)),
            effect: effect(outcome, notes),
            subject: asked.subject(&notes.done),
            attributes: &asked.attributes,
            members: members(asked, notes, applied),
            changes: if applied { changes } else { &[] },
            operations: notes.operations.filter(|_| applied),
            refused: notes.operations.filter(|_| applied).map(|_| notes.refused),
            listed: if applied { &notes.listed } else { &[] },
            notes: &texts,
            has_body: body.is_some(),
        };
        let directory = self.directory();
        let key = keys::logged(directory, sequence);
        let text = records::write(&entry);
        if failed {
            // Every request reads and writes what is remembered of the last failure, so it has no long lists.
            entry.listed = &[];
            self.status.last_failure = Some(records::read::<LoggedRequest>(&key, &records::write(&entry))?);
        }
        self.transaction.put(key, text);
        if self.deletions > 0 {
            self.status.count_deletions(now, self.deletions);
        }
        if !self.held.is_empty() {
            held::list(self.transaction, directory, &mut self.status, &self.held)?;
            if !self.status.held {
                self.status.held = true;
                self.record(ChangeKind::DeletionsHeld, Detail::default());
            }
        }
        if self.status.log_due.is_none() {
            let time = now.saturating_add(MAX_AGE_MS);
            let due = Due::Log(directory.to_string());
            self.transaction.put(due.key(time), records::write(&due));
            self.status.log_due = Some(time);
        }
        if let Some(last) = sequence.checked_sub(MAX_LOGGED).filter(|last| *last > 0) {
            self.transaction.delete(keys::logged(directory, last));
            bodies::drop_until(self.transaction, directory, &mut self.status, last)?;
        }
        if let Some(body) = body {
            bodies::keep(self.transaction, directory, &mut self.status, sequence, &body)?;
        }
        put_status(self.transaction, directory, &self.status);
        Ok(())
    }

    /// The body of the request as the log may keep it, while bodies are captured.
    fn captured(&mut self) -> Option<CapturedBody> {
        let capture = self.status.capture?;
        if capture.until <= self.context.now.milliseconds {
            self.status.capture = None;
            return None;
        }
        let body = self.context.body?;
        let shown = json::parse(body).ok().map(|body| redacted(&body, capture.values));
        Some(CapturedBody {
            bytes: body.len() as u64,
            cut: shown.as_ref().is_some_and(|shown| shown.is_cut),
            text: shown.map(|shown| shown.text).unwrap_or_default(),
            values: capture.values,
        })
    }
}

/// What became of a request.
fn effect(outcome: &Result<Response>, notes: &RequestNotes) -> Effect {
    match outcome {
        Err(error) if is_held(error) => return Effect::Held,
        Err(_) => return Effect::Refused,
        Ok(_) => {}
    }
    if notes.operations.is_none() {
        return notes.done.effect.unwrap_or(Effect::Unchanged);
    }
    notes.effect.unwrap_or(Effect::Unchanged)
}

/// Whether a refusal says that a deletion is held: nothing else that is not a breakdown asks to come back.
#[must_use]
pub fn is_held(error: &Error) -> bool {
    error.status == Status::Unavailable && !error.is_breakdown
}

/// How many members the request names and how many came and went.
fn members(asked: &Asked, notes: &RequestNotes, applied: bool) -> Option<MemberCounts> {
    let done = if applied { notes.done.members } else { MemberCounts::default() };
    let members = MemberCounts { added: done.added, removed: done.removed, ..asked.members };
    Some(members).filter(|members| *members != MemberCounts::default())
}

/// How the log says what the client was told.
struct Words {
    hides_quotations: bool,
}

impl Words {
    /// What is said quotes what the client has sent. Where that mentions a password, any quotation could be of it.
    fn of(call: &RequestContext<'_>, are_needed: bool) -> Self {
        let mentions = || call.query.is_some_and(may_mention) || call.body.is_some_and(may_mention_password);
        Words { hides_quotations: are_needed && mentions() }
    }

    /// A text as the log may hold it: without secrets, without the addresses that it quotes, and not too long.
    fn shown(&self, text: &str) -> String {
        let text = hide_keys(text);
        let text = if self.hides_quotations { hide_quotations(&text, |_| true) } else { text.into_owned() };
        let words = text.split(' ').map(|word| if word.contains('@') { HIDDEN } else { word });
        words.collect::<Vec<_>>().join(" ").chars().take(MAX_DETAIL_CHARACTERS).collect()
    }
}

/// Whether a query may mention a password: also one with escaped letters may.
fn may_mention(query: &str) -> bool {
    let decoded = percent_encoding::percent_decode_str(query).decode_utf8_lossy();
    mentions_password(&decoded)
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
