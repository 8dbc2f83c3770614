//! What the log of a directory's requests is to say of a request besides its outcome.

use alloc::string::String;
use alloc::vec::Vec;

use crate::language::error::Error;

/// How many notes an entry has.
const MAX_NOTES: usize = 10;

/// What a request wants noted besides what it changes.
#[derive(Debug, Default)]
pub struct RequestNotes {
    /// What was done otherwise than asked.
    pub texts: Vec<String>,
    /// Of a bulk request: how many operations it had.
    pub operations: Option<u32>,
    /// How many of them were refused.
    pub refused: u32,
    /// The first refusal.
    pub refusal: Option<Error>,
}

impl RequestNotes {
    /// Adds a note, as long as there is room.
    pub fn add(&mut self, text: String) {
        if self.texts.len() < MAX_NOTES {
            self.texts.push(text);
        }
    }
}
