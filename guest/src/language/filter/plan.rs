//! Which index leads to the resources that a filter matches.

use alloc::vec::Vec;

use super::{Filter, Literal, Operator};
use crate::language::path::AttributePath;
use crate::language::schema::Attribute;

/// How to find the resources that match a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan<'f> {
    /// Where to read. Every resource that matches is found there.
    pub read: Read<'f>,
    /// Whether everything found there matches, so that the filter need not be evaluated.
    pub exact: bool,
}

/// An index, and what to look up in it. Texts are [folded](crate::text::fold) where letter case does not matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Read<'f> {
    /// The resource of this id.
    Id(&'f str),
    /// The user of this folded user name.
    UserName(&'f str),
    /// The users whose folded user names start so.
    UserNamePrefix(&'f str),
    /// The resources of this external id.
    ExternalId(&'f str),
    /// The users with this folded email address, primary or not.
    Email(&'f str),
    /// The group of this folded name, without white space around it.
    DisplayName(&'f str),
    /// The groups whose folded names start so.
    DisplayNamePrefix(&'f str),
    /// The groups that the user of this id is a member of.
    Member(&'f str),
    /// The users who are members of the group of this id.
    InGroup(&'f str),
    /// What any of these find, which may be the same resource more than once. None of them is a union or a scan, and
    /// there are at most as many as a filter may have terms (`MAX_TERMS` in `parse.rs`).
    Union(Vec<Read<'f>>),
    /// Everything.
    Scan,
}

/// The best way to find what a filter matches.
#[must_use]
pub fn plan<'f>(filter: &'f Filter<'_>) -> Plan<'f> {
    plan_within(None, filter)
}

/// The same inside the brackets behind an attribute, where names are of its sub-attributes.
fn plan_within<'f>(outer: Option<&'static Attribute>, filter: &'f Filter<'_>) -> Plan<'f> {
    match filter {
        Filter::And(filters) => {
            let best = filters.iter().map(|filter| plan_within(outer, filter).read).min_by_key(expected_resources);
            Plan { read: best.unwrap_or(Read::Scan), exact: false }
        }
        Filter::Or(filters) => union(filters.iter().map(|filter| plan_within(outer, filter))),
        Filter::Compare { path, operator, literal: Literal::Text { compared, .. } } => {
            let read = lookup(outer, path, *operator, compared);
            Plan { exact: read != Read::Scan, read }
        }
        Filter::ValuePath { path, filter } if path.extension.is_none() => plan_within(Some(path.attribute), filter),
        Filter::Constant(false) => Plan { read: Read::Union(Vec::new()), exact: true },
        _ => SCAN,
    }
}

const SCAN: Plan<'static> = Plan { read: Read::Scan, exact: false };

/// All of several plans, or a scan where one of them is.
fn union<'f>(plans: impl Iterator<Item = Plan<'f>>) -> Plan<'f> {
    let mut reads = Vec::new();
    let mut exact = true;
    for plan in plans {
        exact &= plan.exact;
        match plan.read {
            Read::Scan => return SCAN,
            Read::Union(more) => reads.extend(more),
            read => reads.push(read),
        }
    }
    Plan { read: Read::Union(reads), exact }
}

/// The index for one comparison.
fn lookup<'f>(outer: Option<&Attribute>, path: &AttributePath, operator: Operator, text: &'f str) -> Read<'f> {
    if path.extension.is_some() {
        return Read::Scan;
    }
    let (attribute, sub_attribute) = match outer {
        Some(outer) => (outer, Some(path.attribute)),
        None => (path.attribute, path.sub_attribute),
    };
    match (attribute.name, sub_attribute.map(|attribute| attribute.name), operator) {
        ("id", None, Operator::Equal) => Read::Id(text),
        ("externalId", None, Operator::Equal) => Read::ExternalId(text),
        ("userName", None, Operator::Equal) => Read::UserName(text),
        ("userName", None, Operator::StartsWith) => Read::UserNamePrefix(text),
        // Unique is the name of a group; that of a user is not, and has no index.
        ("displayName", None, Operator::Equal) if attribute.unique => Read::DisplayName(text),
        ("displayName", None, Operator::StartsWith) if attribute.unique => Read::DisplayNamePrefix(text),
        ("emails", Some("value"), Operator::Equal) => Read::Email(text),
        ("members", Some("value"), Operator::Equal) => Read::Member(text),
        ("groups", Some("value"), Operator::Equal) => Read::InGroup(text),
        _ => Read::Scan,
    }
}

/// How many resources a read is expected to find: a guess, to choose the better of two.
fn expected_resources(read: &Read<'_>) -> u32 {
    match read {
        Read::Id(_) | Read::UserName(_) | Read::DisplayName(_) => 1,
        Read::ExternalId(_) | Read::Email(_) => 2,
        Read::Member(_) => 20,
        Read::UserNamePrefix(_) | Read::DisplayNamePrefix(_) => 200,
        Read::InGroup(_) => 2_000,
        Read::Union(reads) => reads.iter().map(expected_resources).sum(),
        Read::Scan => u32::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::filter::parse;
    use crate::language::schema::{GROUP, ResourceType, USER};
    use alloc::vec;

    fn check(resource_type: &'static ResourceType, text: &str, read: Read<'_>, exact: bool) {
        let filter = parse(resource_type, text).unwrap();
        assert_eq!(plan(&filter), Plan { read, exact }, "{text}");
    }

    #[test]
    fn the_lookups_of_identity_providers_are_index_reads() {
        check(&USER, r#"id eq "Ab""#, Read::Id("Ab"), true);
        check(&USER, r#"userName eq "Bob@X.test""#, Read::UserName("bob@x.test"), true);
        check(&USER, r#"userName sw "Bob""#, Read::UserNamePrefix("bob"), true);
        check(&USER, r#"externalId eq "Ab""#, Read::ExternalId("Ab"), true);
        check(&GROUP, r#"externalId eq "Ab""#, Read::ExternalId("Ab"), true);
        check(&USER, r#"emails eq "Bob@X.test""#, Read::Email("bob@x.test"), true);
        check(&USER, r#"emails.value eq "Bob@X.test""#, Read::Email("bob@x.test"), true);
        check(&USER, r#"emails[type eq "work"].value eq "B""#, Read::Email("b"), false);
        check(&USER, r#"emails[value eq "B"]"#, Read::Email("b"), true);
        check(&USER, r#"groups.value eq "g""#, Read::InGroup("g"), true);
        check(&GROUP, r#"displayName eq " Team A ""#, Read::DisplayName("team a"), true);
        check(&GROUP, r#"displayName sw "Team ""#, Read::DisplayNamePrefix("team "), true);
        for text in [r#"members eq "u""#, r#"members.value eq "u""#, r#"members[value eq "u"]"#] {
            check(&GROUP, text, Read::Member("u"), true);
        }
    }

    #[test]
    fn of_a_conjunction_the_most_selective_term_is_read() {
        check(&USER, r#"active eq true and userName eq "x""#, Read::UserName("x"), false);
        check(&USER, r#"userName sw "x" and (active eq true and emails eq "y")"#, Read::Email("y"), false);
        check(&USER, r#"groups eq "g" and (externalId eq "a" or externalId eq "b")"#, union_of_two(), false);
        check(&GROUP, r#"members eq "u" and id eq "g""#, Read::Id("g"), false);
        check(&GROUP, r#"displayName sw "a" and members eq "u""#, Read::Member("u"), false);
    }

    fn union_of_two() -> Read<'static> {
        Read::Union(vec![Read::ExternalId("a"), Read::ExternalId("b")])
    }

    #[test]
    fn alternatives_are_read_one_after_another() {
        check(&USER, r#"externalId eq "a" or externalId eq "b""#, union_of_two(), true);
        let members = Read::Union(vec![Read::Member("a"), Read::Member("b")]);
        check(&GROUP, r#"members[value eq "a" or value eq "b"]"#, members, true);
        check(
            &USER,
            r#"id eq "1" or title pr and (userName eq "2" or emails[value eq "3" and type eq "work"])"#,
            Read::Union(vec![Read::Id("1"), Read::UserName("2"), Read::Email("3")]),
            false,
        );
    }

    #[test]
    fn all_else_is_a_scan() {
        for text in [
            "id pr",
            r#"title eq "x""#,
            r#"userName ne "x""#,
            r#"userName co "x""#,
            r#"userName ew "x""#,
            r#"not (userName eq "x")"#,
            r#"userName eq "x" or title eq "y""#,
            r#"displayName eq "x""#,
            r#"displayName sw "x""#,
            r#"emails.type eq "x""#,
            r#"emails[not (value eq "x")]"#,
            r#"emails[value sw "x"]"#,
            r#"emails sw "x""#,
            "userName eq null",
            r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager eq "x""#,
            r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager[value eq "x"]"#,
        ] {
            check(&USER, text, Read::Scan, false);
        }
    }
}
