//! What a directory's request log is to say about a request besides its outcome.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::directories::{Effect, LoggedOperation, MemberCounts};
use crate::language::error::Error;
use crate::language::secrets::{HIDDEN, hide_keys, mentions_password};

/// How many notes an entry of the log may have.
const MAX_NOTES: usize = 10;

/// How many characters of a name the log shows.
const MAX_NAME_CHARACTERS: usize = 100;

/// Notes on a request, for the log.
#[derive(Debug, Default)]
pub struct RequestNotes {
    /// What was done differently from what was asked.
    pub texts: Vec<String>,
    /// What the work turned out to be about, and what became of it. Of a bulk request, those of the last operation.
    pub done: Done,
    /// How many operations it had, if it is a bulk request.
    pub operations: Option<u32>,
    /// How many of them were refused.
    pub refused: u32,
    /// The refusal of the first operation that was refused.
    pub refusal: Option<Error>,
    /// Groups that the conflict policy has refused: an id for the conflict of each, and its name.
    pub refused_groups: Vec<(String, String)>,
    /// What became of a bulk request: the first of its effects that was more than none.
    pub effect: Option<Effect>,
    /// Its operations that are to be listed.
    pub listed: Vec<LoggedOperation>,
}

/// What a write was about, and what became of it.
#[derive(Debug, Default)]
pub struct Done {
    /// The id of the user or group that there is or was.
    pub id: Option<String>,
    /// Its name, as it was before; one that was made has none here.
    pub name: Option<String>,
    /// What became of it; `None` while it is not done.
    pub effect: Option<Effect>,
    /// How many members came and went.
    pub members: MemberCounts,
}

impl RequestNotes {
    /// Adds a note, as long as there is room.
    pub fn add(&mut self, text: String) {
        if self.texts.len() < MAX_NOTES {
            self.texts.push(text);
        }
    }
}

/// A name as the log shows it.
#[must_use]
pub fn shown_name(name: &str) -> String {
    if mentions_password(name) {
        return HIDDEN.to_string();
    }
    let name = hide_keys(name);
    if name.len() <= MAX_NAME_CHARACTERS { name.into_owned() } else { name.chars().take(MAX_NAME_CHARACTERS).collect() }
}
