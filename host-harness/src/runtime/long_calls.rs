//! Which requests were long lately, so that others like them need not be tried as short ones in vain.
//!
//! Trying costs up to some milliseconds on a thread that all requests share. One request that turns out to be long is no
//! harm; hundreds a second, of a sender who does not even wait for the answers, would leave little for anybody else.

use super::party::Party;
use super::scim;
use parking_lot::Mutex;
use percent_encoding::percent_decode_str;
use std::borrow::Cow;
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
    /// The directory that the path names, whoever sends it.
    directory: String,
    target: Target,
    /// Whether the query has a filter: what is found by an index is not expected to take as long as a list.
    filtered: bool,
    /// Whether it says which attributes are wanted: a group takes long for its members, which most clients leave out.
    chosen: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Target {
    Users,
    User,
    Groups,
    Group,
    Memberships,
    Search,
    Other,
}

/// The segments of a path, decoded as the engine decodes them, so that no other way of writing one is another.
pub(super) fn segments(path: &str) -> impl DoubleEndedIterator<Item = Cow<'_, str>> {
    let segments = path.split('/').filter(|segment| !segment.is_empty());
    segments.map(|segment| percent_decode_str(segment).decode_utf8_lossy())
}

impl Kind {
    /// The kind of a request that reads; `None` if its path is of no directory.
    pub(super) fn of(request: &scim::Request) -> Option<Self> {
        let mut segments = segments(&request.path);
        let ("scim", "directory") = (&*segments.next()?, &*segments.next()?) else { return None };
        let directory = segments.next()?;
        if directory.len() > MAX_ID_BYTES {
            return None;
        }
        let mut rest: Vec<Cow<'_, str>> = segments.take(4).collect();
        if rest.first().is_some_and(|segment| segment.eq_ignore_ascii_case("v2")) {
            rest.remove(0);
        }
        let names: Vec<&str> = rest.iter().map(AsRef::as_ref).collect();
        let target = match names[..] {
            ["Users"] => Target::Users,
            ["Groups"] => Target::Groups,
            ["GroupMemberships"] => Target::Memberships,
            [".search"] | [_, ".search"] => Target::Search,
            ["Users", _] => Target::User,
            ["Groups", _] => Target::Group,
            _ => Target::Other,
        };
        let has = |name| request.query.as_ref().is_some_and(|query| query.contains(name));
        let (filtered, chosen) = (has("filter"), has("ttributes"));
        Some(Self { directory: directory.into_owned(), target, filtered, chosen })
    }

    /// Whether the directory is this party: who has no key of it is not to say how long its requests are.
    fn is_of(&self, party: &Party) -> bool {
        matches!(party, Party::Directory(id) if **id == *self.directory)
    }
}

impl LongCalls {
    /// Remembers that a request of this kind was long, where it was the directory's own.
    pub(super) fn note(&self, kind: &Kind, party: &Party) {
        if !kind.is_of(party) {
            return;
        }
        let now = Instant::now();
        let mut known = self.0.lock();
        if known.len() >= KNOWN && !known.contains_key(kind) {
            known.retain(|_, until| now < *until);
            if known.len() >= KNOWN {
                return;
            }
        }
        known.insert(kind.clone(), now + REMEMBERED);
    }

    /// Whether one of this kind was long lately.
    pub(super) fn expects(&self, kind: &Kind) -> bool {
        self.0.lock().get(kind).is_some_and(|until| Instant::now() < *until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(target: &str) -> Option<Kind> {
        let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
        Kind::of(&scim::Request {
            method: "GET".into(),
            origin: String::new(),
            path: path.into(),
            query: query.map(Into::into),
            headers: Vec::new(),
            body: None,
        })
    }

    #[test]
    fn requests_are_told_apart_by_directory_and_by_what_they_read() {
        let base = "/scim/directory/one";
        let kinds = [
            "/Users",
            "/Users/a",
            "/Groups",
            "/Groups/a",
            "/GroupMemberships",
            "/Users/.search",
            "/Bulk",
            "/Users?filter=id%20eq%20%22a%22",
            "/Groups/a?excludedAttributes=members",
        ];
        let kinds = kinds.map(|path| kind(&format!("{base}{path}")).unwrap());
        for (at, one) in kinds.iter().enumerate() {
            assert!(kinds[..at].iter().all(|other| one != other), "{one:?}");
        }
        assert_eq!(kind("/scim/directory/one/v2/Users/b"), Some(kinds[1].clone()));
        assert_eq!(kind("//scim/directory/one//Users/"), Some(kinds[0].clone()));
        assert_eq!(kind("/sc%69m/%64irectory/%6f%6e%65/%55sers"), Some(kinds[0].clone()));
        assert_eq!(kind("/scim/directory/one/Users/%2Esearch"), Some(kinds[5].clone()));
        assert_eq!(kind("/scim/directory/one/any/thing"), kind("/scim/directory/one/any/thing/else/at/all"));
        assert_ne!(kind("/scim/directory/two/Users"), Some(kinds[0].clone()));
        assert_eq!(kind("/admin/v1/directories"), None);
        assert_eq!(kind(&format!("/scim/directory/{}/Users", "x".repeat(MAX_ID_BYTES + 1))), None);
    }

    #[test]
    fn only_the_directory_itself_says_that_its_requests_are_long() {
        let known = LongCalls::default();
        let users = kind("/scim/directory/one/Users").unwrap();
        for party in [Party::Host, Party::Unknown, Party::Asking, Party::Directory("two".into())] {
            known.note(&users, &party);
            assert!(!known.expects(&users), "{party:?}");
        }
        known.note(&users, &Party::Directory("one".into()));
        assert!(known.expects(&users) && !known.expects(&kind("/scim/directory/one/Groups").unwrap()));
    }

    #[test]
    fn no_more_is_remembered_than_there_is_room_for() {
        let known = LongCalls::default();
        let of = |number: usize| kind(&format!("/scim/directory/d{number}/Users")).unwrap();
        for number in 0..2 * KNOWN {
            known.note(&of(number), &Party::Directory(format!("d{number}").into()));
        }
        assert_eq!(known.0.lock().len(), KNOWN);
        assert!(known.expects(&of(0)) && !known.expects(&of(KNOWN)));
    }
}
