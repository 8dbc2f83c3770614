//! What can be the name of a group, an organization, a project or a directory.

use alloc::format;
use alloc::string::{String, ToString};

use crate::invalid::Invalid;
use crate::text::{fold, is_bidi_control};

/// The longest name in characters, not counting the blanks around it.
pub const MAX_CHARACTERS: usize = 200;

/// The longest name in bytes as it is compared: four for each character. Few texts grow when composed, and the part of
/// a key that holds a name must fit into [`MAX_KEY_BYTES`](crate::storage::MAX_KEY_BYTES), where a byte takes up to
/// three.
const MAX_FOLDED_BYTES: usize = 4 * MAX_CHARACTERS;

/// What is wrong with a name, in words to follow "the name"; `None` if nothing is. Blanks around it do not count.
/// Joiners are allowed, because some scripts cannot be written without them.
#[must_use]
pub fn fault(name: &str) -> Option<&'static str> {
    let name = name.trim();
    // Text has at least as many bytes as characters, so most texts need no counting.
    if name.is_empty() || name.len() > MAX_CHARACTERS && name.chars().count() > MAX_CHARACTERS {
        return Some("must be 1 to 200 characters long");
    }
    if name.chars().any(|character| character.is_control() || is_bidi_control(character)) {
        return Some("must have no control characters and none that change the direction of text");
    }
    if name.len() > MAX_CHARACTERS && fold(name).len() > MAX_FOLDED_BYTES {
        return Some("must be at most 800 bytes long when its characters are composed");
    }
    None
}

/// A name of a directory, an organization or a project, as it is kept.
///
/// # Errors
/// [`Invalid`] with the [`fault`] of the name.
pub fn checked(name: &str) -> Result<String, Invalid> {
    match fault(name) {
        None => Ok(name.trim().to_string()),
        Some(fault) => Err(Invalid(format!("the name {fault}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;

    #[test]
    fn names_are_told_from_what_cannot_be_one() {
        let (longest, too_long) = ("🏢".repeat(MAX_CHARACTERS), "x".repeat(MAX_CHARACTERS + 1));
        for name in ["A", " Team A ", "Büro", "क्\u{200d}ष", "می\u{200c}خواهم", "東京 支社", &longest]
        {
            assert_eq!(fault(name), None, "{name}");
        }
        // Each is three characters when composed.
        let growing: String = "\u{1d160}".repeat(MAX_CHARACTERS);
        for name in
            ["", " ", "a\u{0}b", "a\nb", "a\u{85}b", "\u{202e}a", "a\u{2066}b", "a\u{200e}", &too_long, &growing]
        {
            assert!(fault(name).is_some(), "{name:?}");
        }
    }
}
