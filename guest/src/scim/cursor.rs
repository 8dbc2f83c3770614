//! Cursors (RFC 9865): where a client has got to in a list, as a text that it hands back.
//!
//! A cursor holds a position, nothing that the client could not ask for anyhow, so it needs no signature; one that was
//! tampered with leads to another place in the same list. It never expires.

use alloc::format;
use alloc::string::{String, ToString};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::store::keys;

/// The longest cursor that is looked at, in bytes. Ours have about 60.
const MAX_LENGTH: usize = 200;

/// A place in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// What comes next.
    pub position: Position,
    /// How many resources the list had when it was begun, once that is known. Counting them again for every page would
    /// make each page cost as much as the whole list.
    pub total: Option<u64>,
}

/// What comes next in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Position {
    /// What follows this many resources, for lists that are sorted.
    Offset(u64),
    /// What follows the resource of this id, for lists in order of creation.
    After(String),
}

impl Cursor {
    /// The cursor of the first page, which clients write as an empty text.
    #[must_use]
    pub fn beginning() -> Self {
        Cursor { position: Position::Offset(0), total: None }
    }

    /// Reads a cursor that was given out for the question with this fingerprint.
    ///
    /// # Errors
    /// 400 `invalidCursor`.
    pub fn read(text: &str, fingerprint: &str) -> Result<Self> {
        let invalid = || Error::invalid_cursor("the cursor is not one that was given out for this query");
        if text.len() > MAX_LENGTH {
            return Err(invalid());
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| invalid())?;
        let text = core::str::from_utf8(&bytes).map_err(|_| invalid())?;
        let mut parts = text.split('.');
        let (Some(of), Some(total), Some(position), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(invalid());
        };
        if of != fingerprint {
            return Err(invalid());
        }
        let total = total.parse().map_err(|_| invalid())?;
        let position = if keys::is_id(position) {
            Position::After(position.to_string())
        } else {
            Position::Offset(position.strip_prefix('+').and_then(|offset| offset.parse().ok()).ok_or_else(invalid)?)
        };
        Ok(Cursor { position, total: Some(total) })
    }

    /// The cursor as text.
    #[must_use]
    pub fn write(position: &Position, total: u64, fingerprint: &str) -> String {
        URL_SAFE_NO_PAD.encode(match position {
            Position::After(id) => format!("{fingerprint}.{total}.{id}"),
            Position::Offset(offset) => format!("{fingerprint}.{total}.+{offset}"),
        })
    }
}

/// A short text that is the same for the same parts.
#[must_use]
pub fn fingerprint(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    URL_SAFE_NO_PAD.encode(&hash.finalize()[..9])
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn a_cursor_is_read_back_for_the_same_question_only() {
        let (one, other) = (fingerprint(&["a", "b"]), fingerprint(&["ab", ""]));
        for position in [Position::Offset(7), Position::After(keys::new_id(1, 2))] {
            let text = Cursor::write(&position, 9, &one);
            assert_eq!(Cursor::read(&text, &one).unwrap(), Cursor { position, total: Some(9) });
            assert!(Cursor::read(&text, &other).is_err());
        }
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        let of = fingerprint(&[]);
        let made = ["", "x", "x.y.z", "..", &format!("{of}.1.-1"), &format!("{of}.1.+1.x"), &format!("{of}.x.+1")];
        let made: Vec<String> = made.iter().map(|text| URL_SAFE_NO_PAD.encode(text)).collect();
        for text in made.iter().map(String::as_str).chain(["*", "é", &"A".repeat(10_000)]) {
            assert!(Cursor::read(text, &of).is_err(), "{text}");
        }
    }
}
