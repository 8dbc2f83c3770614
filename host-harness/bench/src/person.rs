//! The calls that are taken apart: on single users and single members of one group, another one each time.

use super::call::Call;

/// How many users there are to read and change, all of them members of the group.
pub(super) const USERS: usize = 1_000;

/// What is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Get,
    Filter,
    Create,
    Change,
    /// One member is removed, and added again by the next call.
    Member,
}

impl Kind {
    pub(super) const ALL: [Self; 5] = [Self::Get, Self::Filter, Self::Create, Self::Change, Self::Member];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Get => "GET user",
            Self::Filter => "userName eq",
            Self::Create => "POST user",
            Self::Change => "PATCH user",
            Self::Member => "PATCH member",
        }
    }
}

/// Users called `user0` and on, and the group they are in.
pub(super) struct People {
    pub(super) users: Vec<String>,
    pub(super) group: String,
    turn: usize,
}

impl People {
    /// Of these ids; of users there is one at least.
    pub(super) fn new(users: Vec<String>, group: String) -> Self {
        Self { users, group, turn: 0 }
    }

    /// The next call of this kind.
    pub(super) fn next(&mut self, kind: Kind) -> Call {
        self.turn += 1;
        let number = self.turn.wrapping_mul(7_919) % self.users.len();
        let path = || format!("/Users/{}", self.users[number]);
        match kind {
            Kind::Get => Call::get(path()),
            Kind::Filter => Call::filter("/Users", &format!("userName eq \"user{number}@example.com\"")),
            Kind::Create => Call::create_user(&format!("new{}", self.turn)),
            Kind::Change => Call::replace(path(), "title", format!("Title {}", self.turn)),
            Kind::Member => {
                let user = std::slice::from_ref(&self.users[self.turn / 2 % self.users.len()]);
                if self.turn.is_multiple_of(2) {
                    Call::remove_members(&self.group, user)
                } else {
                    Call::add_members(&self.group, user)
                }
            }
        }
    }
}
