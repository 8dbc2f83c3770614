//! What a filter on memberships asks for.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::super::membership_id::MembershipId;
use crate::language::error::{Error, Result};
use crate::language::filter::{Filter, Literal, Operator};
use crate::store::keys;

/// Which memberships are asked for. All ids have the form of ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// All of the directory.
    All,
    /// Those of this group.
    OfGroup(String),
    /// Those of this user.
    OfUser(String),
    /// This one.
    One(MembershipId),
    /// None: what is compared with is no id, or two different ones.
    Nothing,
}

impl Question {
    /// What a filter asks for. `group.value` and `member.value` can be compared by `eq`, joined by `and`: each of these
    /// has an index, and anything else would have to go through every membership.
    ///
    /// # Errors
    /// 400 `invalidFilter` for any other filter.
    pub fn of(filter: Option<&Filter<'_>>) -> Result<Self> {
        let Some(filter) = filter else { return Ok(Question::All) };
        let (mut groups, mut users) = (Vec::new(), Vec::new());
        collect(filter, &mut groups, &mut users)?;
        let all_ids = groups.iter().chain(&users).all(|id| keys::is_id(id));
        let all_same = [&groups, &users].iter().all(|ids| ids.windows(2).all(|pair| pair[0] == pair[1]));
        if !(all_ids && all_same) {
            return Ok(Question::Nothing);
        }
        Ok(match (groups.first(), users.first()) {
            (None, None) => Question::Nothing,
            (Some(group), None) => Question::OfGroup((*group).to_string()),
            (None, Some(user)) => Question::OfUser((*user).to_string()),
            (Some(group), Some(user)) => MembershipId::of(group, user).map_or(Question::Nothing, Question::One),
        })
    }
}

/// Collects what the two ids are compared with.
fn collect<'f>(filter: &'f Filter<'_>, groups: &mut Vec<&'f str>, users: &mut Vec<&'f str>) -> Result<()> {
    match filter {
        Filter::And(filters) => filters.iter().try_for_each(|filter| collect(filter, groups, users)),
        Filter::Compare { path, operator: Operator::Equal, literal: Literal::Text { compared, .. } } => {
            if path.is("group", Some("value")) {
                groups.push(compared);
            } else if path.is("member", Some("value")) {
                users.push(compared);
            } else {
                return Err(refusal());
            }
            Ok(())
        }
        _ => Err(refusal()),
    }
}

fn refusal() -> Error {
    Error::invalid_filter(
        "memberships are filtered by group.value eq \"...\", by member.value eq \"...\", or by both with and",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::error::ScimType;
    use crate::language::filter::parse;
    use crate::language::schema::GROUP_MEMBERSHIP;
    use alloc::format;

    #[test]
    fn filters_by_ids_are_known_and_no_others() {
        let (group, user) = (keys::new_id(1, u64::MAX), keys::new_id(3, u64::MAX));
        let ask = |text: &str| Question::of(Some(&parse(&GROUP_MEMBERSHIP, text).unwrap()));
        let of_group = Question::OfGroup(group.clone());
        let of_user = Question::OfUser(user.clone());
        let one = Question::One(MembershipId::of(&group, &user).unwrap());
        assert_eq!(Question::of(None), Ok(Question::All));
        for (text, question) in [
            (format!("group.value eq \"{group}\""), &of_group),
            (format!("GROUP eq \"{group}\" AND group.VALUE eq \"{group}\""), &of_group),
            (format!("urn:ietf:params:scim:schemas:core:2.0:GroupMembership:member.value eq \"{user}\""), &of_user),
            (format!("(member.value eq \"{user}\") and group.value eq \"{group}\""), &one),
            (format!("group.value eq \"{group}\" and group.value eq \"{user}\""), &Question::Nothing),
            ("group.value eq \"../u\"".into(), &Question::Nothing),
            (format!("group.value eq \"{}\"", group.to_uppercase()), &Question::Nothing),
            (format!("group.value eq \" {group}\""), &Question::Nothing),
            (format!("member.value eq \"{user}\" and group.value eq \"\""), &Question::Nothing),
        ] {
            assert_eq!(ask(&text).as_ref(), Ok(question), "{text}");
        }
        for text in [
            format!("group.value eq \"{group}\" or member.value eq \"{user}\""),
            format!("not (group.value eq \"{group}\")"),
            format!("group.value ne \"{group}\""),
            format!("group.value sw \"{group}\""),
            "group.value pr".into(),
            "group.value eq null".into(),
            "group.display eq \"Staff\"".into(),
            "member.type eq \"User\"".into(),
            format!("id eq \"{group}-{user}\""),
            format!("group.value eq \"{group}\" and meta.created pr"),
        ] {
            assert_eq!(ask(&text).unwrap_err().scim_type, Some(ScimType::InvalidFilter), "{text}");
        }
    }
}
