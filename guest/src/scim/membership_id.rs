//! What names a membership where it is a resource of its own.

use alloc::string::{String, ToString};

use crate::store::keys;

/// What stands between the two ids. No id has it.
const BETWEEN: char = '-';

/// One member of one group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MembershipId {
    /// The id of the group.
    pub group: String,
    /// The id of the user.
    pub user: String,
}

impl MembershipId {
    /// Reads an id. Both parts have the form of ids then, whether there are such resources or not.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let (group, user) = text.split_once(BETWEEN)?;
        Self::of(group, user)
    }

    /// The membership of this user in this group, if both have the form of ids.
    #[must_use]
    pub fn of(group: &str, user: &str) -> Option<Self> {
        let are_ids = keys::is_id(group) && keys::is_id(user);
        are_ids.then(|| MembershipId { group: group.to_string(), user: user.to_string() })
    }

    /// The id as text.
    #[must_use]
    pub fn text(&self) -> String {
        alloc::format!("{}{BETWEEN}{}", self.group, self.user)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use proptest::prelude::*;

    #[test]
    fn nothing_but_two_ids_is_the_id_of_a_membership() {
        let (group, user) = (keys::new_id(1, u64::MAX), keys::new_id(3, u64::MAX));
        let id = MembershipId::of(&group, &user).unwrap();
        assert_eq!(MembershipId::read(&id.text()), Some(id));
        for text in [
            String::new(),
            "-".into(),
            group.clone(),
            format!("{group}-"),
            format!("-{user}"),
            format!("{group}{user}"),
            format!("{group}--{user}"),
            format!("{group}-{user}-"),
            format!("{group}-{user}-{user}"),
            format!("{group}/{user}"),
            format!("{group}-{}", user.to_uppercase()),
            format!(" {group}-{user}"),
            format!("{group}-{user}\0"),
        ] {
            assert_eq!(MembershipId::read(&text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_written_the_same(text in "[0-9a-w]{19,21}-[0-9a-w]{19,21}|.*") {
            prop_assert!(MembershipId::read(&text).is_none_or(|id| id.text() == text));
        }
    }
}
