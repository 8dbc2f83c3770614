//! What a directory's request log is to say about a request besides its outcome.

use alloc::string::String;
use alloc::vec::Vec;

use crate::language::error::Error;

/// How many notes an entry of the log may have.
const MAX_NOTES: usize = 10;

/// Notes on a request, for the log.
#[derive(Debug, Default)]
pub struct RequestNotes {
    /// What was done differently from what was asked.
    pub texts: Vec<String>,
    /// How many operations it had, if it is a bulk request.
    pub operations: Option<u32>,
    /// How many of them were refused.
    pub refused: u32,
    /// The refusal of the first operation that was refused.
    pub refusal: Option<Error>,
    /// Groups that the conflict policy has refused: an id for the conflict of each, and its name.
    pub refused_groups: Vec<(String, String)>,
}

impl RequestNotes {
    /// Adds a note, as long as there is room.
    pub fn add(&mut self, text: String) {
        if self.texts.len() < MAX_NOTES {
            self.texts.push(text);
        }
    }
}
