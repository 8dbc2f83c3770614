//! Cursors (RFC 9865): the place that a client has reached in a list, as a text that it sends back.
//!
//! A cursor holds a place in a list that the client may read anyhow, so it needs no signature; a changed one leads to
//! another place in the same list. It never expires.

use alloc::format;
use alloc::string::{String, ToString};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::membership_id::MembershipId;
use super::order::Rank;
use crate::language::error::{Error, Result};
use crate::store::keys;

/// The longest cursor that is looked at, in bytes. Ours have about 60, and 200 more in a sorted list.
const MAX_LENGTH: usize = 400;

/// A place in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// What the page begins after; `None` at the beginning.
    pub place: Option<Place>,
    /// How many resources the list had when it was begun, once that is known. Counting them again for every page would
    /// make each page cost as much as the whole list.
    pub total: Option<u64>,
}

/// What a page of a list begins after. It is not a number of resources, so writes in between neither repeat nor hide
/// any other resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The resource of this id, in a list in order of creation.
    After(String),
    /// The resource at this rank, in a sorted list.
    Ranked(Rank),
    /// This membership, in a list of memberships.
    Membership(MembershipId),
}

impl Cursor {
    /// The cursor of the first page, which clients write as an empty text.
    #[must_use]
    pub fn beginning() -> Self {
        Cursor { place: None, total: None }
    }

    /// Reads a cursor that was given out for the query with this fingerprint.
    ///
    /// # Errors
    /// 400 `invalidCursor` for anything else.
    pub fn read(text: &str, fingerprint: &str) -> Result<Self> {
        Self::parse(text, fingerprint)
            .ok_or_else(|| Error::invalid_cursor("the cursor is not one that was given out for this query"))
    }

    fn parse(text: &str, fingerprint: &str) -> Option<Self> {
        if text.len() > MAX_LENGTH {
            return None;
        }
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        // The value of a sorted list comes last: it may hold anything.
        let mut parts = text.splitn(4, '.');
        if parts.next()? != fingerprint {
            return None;
        }
        let total = parts.next()?.parse().ok()?;
        let id = parts.next().filter(|id| keys::is_id(id))?.to_string();
        let place = match parts.next() {
            None => Place::After(id),
            Some("") => Place::Ranked(Rank { key: None, id }),
            Some(rest) => match (rest.strip_prefix('='), rest.strip_prefix('-')) {
                (Some(key), _) => Place::Ranked(Rank { key: Some(key.to_string()), id }),
                (None, Some(user)) => Place::Membership(MembershipId::of(&id, user)?),
                (None, None) => return None,
            },
        };
        Some(Cursor { place: Some(place), total: Some(total) })
    }

    /// The cursor as text.
    #[must_use]
    pub fn write(place: &Place, total: u64, fingerprint: &str) -> String {
        URL_SAFE_NO_PAD.encode(match place {
            Place::After(id) => format!("{fingerprint}.{total}.{id}"),
            Place::Ranked(Rank { key: None, id }) => format!("{fingerprint}.{total}.{id}."),
            Place::Ranked(Rank { key: Some(key), id }) => format!("{fingerprint}.{total}.{id}.={key}"),
            Place::Membership(MembershipId { group, user }) => format!("{fingerprint}.{total}.{group}.-{user}"),
        })
    }
}

/// A short text made from the parts, the same for the same parts.
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
        let id = keys::new_id(1, 2);
        let ranked = |key: Option<&str>| Place::Ranked(Rank { key: key.map(ToString::to_string), id: id.clone() });
        let places = [None, Some(""), Some("a.b=."), Some(&*"é".repeat(50))].map(ranked);
        let membership = Place::Membership(MembershipId::of(&id, &id).unwrap());
        for place in places.into_iter().chain([Place::After(id.clone()), membership]) {
            let text = Cursor::write(&place, u64::MAX, &one);
            assert_eq!(Cursor::read(&text, &one).unwrap(), Cursor { place: Some(place), total: Some(u64::MAX) });
            assert!(Cursor::read(&text, &other).is_err());
        }
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        let of = fingerprint(&[]);
        let id = keys::new_id(1, 2);
        let (bad_id, bad_key, bad_total) = (format!("{of}.1.7"), format!("{of}.1.{id}.x"), format!("{of}.x.{id}"));
        let bad_member = format!("{of}.1.{id}.-7");
        let made = ["", "x", "x.y.z", "..", &bad_id, &bad_key, &bad_total, &bad_member];
        let made: Vec<String> = made.iter().map(|text| URL_SAFE_NO_PAD.encode(text)).collect();
        for text in made.iter().map(String::as_str).chain(["*", "é", &"A".repeat(10_000)]) {
            assert!(Cursor::read(text, &of).is_err(), "{text}");
        }
    }
}
