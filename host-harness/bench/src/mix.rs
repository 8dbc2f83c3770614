//! What identity providers do to a directory that is in use, in about the shares in which they do it.

use super::call::Call;

/// How many users and groups of its own each connection changes, so that none gets in another's way.
pub(super) const USERS: usize = 100;
pub(super) const GROUPS: usize = 10;

/// The names of all calls, for the report.
pub(super) const CALLS: [&str; 6] =
    ["POST user", "PATCH user", "PATCH add one", "PATCH remove one", "GET user", "userName eq"];

/// Of 20 calls, these are the writes: 8 make a user, 6 change one, 4 add or remove a member.
const WRITES: [Kind; 18] = [
    Kind::Create,
    Kind::Change,
    Kind::Member,
    Kind::Create,
    Kind::Change,
    Kind::Create,
    Kind::Member,
    Kind::Change,
    Kind::Create,
    Kind::Create,
    Kind::Member,
    Kind::Change,
    Kind::Create,
    Kind::Change,
    Kind::Create,
    Kind::Member,
    Kind::Create,
    Kind::Change,
];

/// And these the reads.
const READS: [Kind; 2] = [Kind::Get, Kind::Filter];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Create,
    Change,
    Member,
    Get,
    Filter,
}

/// The calls of one connection.
pub(super) struct Mix {
    name: String,
    users: Vec<String>,
    groups: Vec<String>,
    reads: bool,
    turn: usize,
    made: usize,
    /// How often members were changed: added at even times, and the same removed at odd ones.
    members: usize,
}

impl Mix {
    /// Makes users called after `name`, and changes these users and groups, of which there is one at least.
    pub(super) fn new(name: String, users: Vec<String>, groups: Vec<String>, reads: bool) -> Self {
        Self { name, users, groups, reads, turn: 0, made: 0, members: 0 }
    }

    /// The next call, and its name.
    pub(super) fn next(&mut self) -> (&'static str, Call) {
        let length = WRITES.len() + if self.reads { READS.len() } else { 0 };
        let at = self.turn % length;
        self.turn += 1;
        let kind = WRITES.iter().chain(&READS).nth(at).copied().unwrap_or(Kind::Create);
        let user = &self.users[self.turn % self.users.len()];
        match kind {
            Kind::Create => {
                self.made += 1;
                (CALLS[0], Call::create_user(&format!("{}u{}", self.name, self.made)))
            }
            Kind::Change => {
                let title = format!("Title {}", self.turn);
                (CALLS[1], Call::replace(format!("/Users/{user}"), "title", title))
            }
            Kind::Member => {
                let pair = self.members / 2;
                let add = self.members.is_multiple_of(2);
                self.members += 1;
                let user = std::slice::from_ref(&self.users[pair % self.users.len()]);
                let group = &self.groups[pair % self.groups.len()];
                if add {
                    (CALLS[2], Call::add_members(group, user))
                } else {
                    (CALLS[3], Call::remove_members(group, user))
                }
            }
            Kind::Get => (CALLS[4], Call::get(format!("/Users/{user}"))),
            Kind::Filter => {
                let filter = format!("userName eq \"{}u{}@example.com\"", self.name, self.made);
                (CALLS[5], Call::filter("/Users", &filter))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn the_shares_are_kept_and_members_come_and_go() {
        let ids = |prefix: &str, count: usize| (0..count).map(|number| format!("{prefix}{number}")).collect();
        let mut mix = Mix::new("m".into(), ids("u", 7), ids("g", 3), true);
        let mut shares = BTreeMap::new();
        let (mut added, mut removed) = (Vec::new(), Vec::new());
        for _ in 0..200 {
            let (name, call) = mix.next();
            *shares.entry(name).or_insert(0) += 1;
            let body = call.body.unwrap_or_default();
            match name {
                "PATCH add one" => added.push((call.path, body)),
                "PATCH remove one" => removed.push((call.path, body.replace("Remove", "Add"))),
                _ => {}
            }
        }
        assert_eq!(CALLS.map(|call| shares[call]), [80, 60, 20, 20, 10, 10]);
        assert_eq!(added, removed);
        let mut writes = Mix::new("m".into(), ids("u", 7), ids("g", 3), false);
        assert!((0..200).all(|_| writes.next().1.method != "GET"));
    }
}
