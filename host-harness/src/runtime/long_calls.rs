//! Which requests were long lately, so that others like them need not be tried as short ones in vain.
//!
//! Trying costs up to some milliseconds on a thread that all requests share. One request that turns out to be long is no
//! harm; hundreds a second, of a sender who does not even wait for the answers, would leave little for anybody else.

use super::scim;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// For how long it counts that a request was long. After that, the next one like it is tried again.
const REMEMBERED: Duration = Duration::from_secs(1);

/// How many kinds of requests are remembered, of all directories together.
const KNOWN: usize = 1_024;

/// The longest directory id that is looked at; longer ones are of no directory.
const MAX_ID_BYTES: usize = 64;

/// The kinds of requests that were long lately.
#[derive(Default)]
pub(super) struct LongCalls(Mutex<HashMap<Kind, Instant>>);

/// What requests have in common that may be expected to take about as long.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Kind {
    /// The directory that the path names. Whoever has no key of it gets a short answer, and so is never remembered.
    directory: String,
    target: Target,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Target {
    Users,
    User,
    Groups,
    Group,
    Search,
    Other,
}

impl Kind {
    /// The kind of a request that reads; `None` if its path is of no directory.
    pub(super) fn of(request: &scim::Request) -> Option<Self> {
        let mut segments = request.path.split('/').filter(|segment| !segment.is_empty());
        let (Some("scim"), Some("directory"), Some(directory)) = (segments.next(), segments.next(), segments.next())
        else {
            return None;
        };
        if directory.len() > MAX_ID_BYTES {
            return None;
        }
        let rest: Vec<&str> = segments.skip_while(|segment| segment.eq_ignore_ascii_case("v2")).take(3).collect();
        let target = match rest[..] {
            ["Users"] => Target::Users,
            ["Groups"] => Target::Groups,
            [".search"] | [_, ".search"] => Target::Search,
            ["Users", _] => Target::User,
            ["Groups", _] => Target::Group,
            // However else it is written: all of it is one kind, so that no way of writing a path is a new one.
            _ => Target::Other,
        };
        Some(Self { directory: directory.to_owned(), target })
    }
}

impl LongCalls {
    /// Remembers that a request of this kind was long.
    pub(super) fn note(&self, kind: Kind) {
        let now = Instant::now();
        let mut known = self.0.lock();
        if known.len() >= KNOWN && !known.contains_key(&kind) {
            known.retain(|_, until| now < *until);
            if known.len() >= KNOWN {
                return;
            }
        }
        known.insert(kind, now + REMEMBERED);
    }

    /// Whether one of this kind was long lately.
    pub(super) fn expects(&self, kind: &Kind) -> bool {
        self.0.lock().get(kind).is_some_and(|until| Instant::now() < *until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(path: &str) -> Option<Kind> {
        Kind::of(&scim::Request {
            method: "GET".into(),
            origin: String::new(),
            path: path.into(),
            query: None,
            headers: Vec::new(),
            body: None,
        })
    }

    #[test]
    fn requests_are_told_apart_by_directory_and_by_what_they_read() {
        let base = "/scim/directory/one";
        let kinds = ["/Users", "/Users/a", "/Groups", "/Groups/a", "/Users/.search", "/Bulk"];
        let kinds = kinds.map(|path| kind(&format!("{base}{path}")).unwrap());
        for (at, one) in kinds.iter().enumerate() {
            assert!(kinds[..at].iter().all(|other| one != other), "{one:?}");
        }
        assert_eq!(kind("/scim/directory/one/v2/Users/b"), Some(kinds[1].clone()));
        assert_eq!(kind("//scim/directory/one//Users/"), Some(kinds[0].clone()));
        assert_eq!(kind("/scim/directory/one/%55sers"), kind("/scim/directory/one/any/thing/else"));
        assert_ne!(kind("/scim/directory/two/Users"), Some(kinds[0].clone()));
        assert_eq!(kind("/admin/v1/directories"), None);
        assert_eq!(kind(&format!("/scim/directory/{}/Users", "x".repeat(MAX_ID_BYTES + 1))), None);
    }

    #[test]
    fn no_more_is_remembered_than_there_is_room_for() {
        let known = LongCalls::default();
        let of = |number: usize| kind(&format!("/scim/directory/d{number}/Users")).unwrap();
        (0..2 * KNOWN).for_each(|number| known.note(of(number)));
        assert_eq!(known.0.lock().len(), KNOWN);
        assert!(known.expects(&of(0)) && !known.expects(&of(KNOWN)));
    }
}
