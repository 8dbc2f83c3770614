//! Which index leads to the resources that a filter matches.

use alloc::vec::Vec;

use super::{Filter, Literal, Operator};
use crate::language::path::AttributePath;
use crate::language::schema::Attribute;

/// How to find the resources that match a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan<'f> {
    /// Where to read. Every resource that matches is found there.
    pub lookup: Lookup<'f>,
    /// Whether everything found there matches, so that the filter need not be evaluated.
    pub exact: bool,
}

/// An index, and what to look up in it. Texts are [folded](crate::text::fold) where letter case does not matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup<'f> {
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
    /// What any of these find; they may find a resource more than once. There is no union or scan among them, and there
    /// are at most as many as a filter may have terms (`MAX_TERMS` in `parse.rs`).
    Union(Vec<Lookup<'f>>),
    /// Everything.
    Scan,
}

/// The best way to find what a filter matches.
#[must_use]
pub fn plan<'f>(filter: &'f Filter<'_>) -> Plan<'f> {
    plan_within(None, filter)
}

/// The same inside the brackets after an attribute, where names are those of its sub-attributes.
fn plan_within<'f>(outer: Option<&'static Attribute>, filter: &'f Filter<'_>) -> Plan<'f> {
    match filter {
        Filter::And(filters) => {
            let best = filters.iter().map(|filter| plan_within(outer, filter).lookup).min_by_key(expected_resources);
            Plan { lookup: best.unwrap_or(Lookup::Scan), exact: false }
        }
        Filter::Or(filters) => union(filters.iter().map(|filter| plan_within(outer, filter))),
        Filter::Compare { path, operator, literal: Literal::Text { compared, .. } } => {
            let lookup = lookup_for(outer, path, *operator, compared);
            Plan { exact: lookup != Lookup::Scan, lookup }
        }
        Filter::ValuePath { path, filter } if path.extension.is_none() => plan_within(Some(path.attribute), filter),
        Filter::Constant(false) => Plan { lookup: Lookup::Union(Vec::new()), exact: true },
        _ => SCAN,
    }
}

const SCAN: Plan<'static> = Plan { lookup: Lookup::Scan, exact: false };

/// The union of several plans; a scan if one of them is a scan.
fn union<'f>(plans: impl Iterator<Item = Plan<'f>>) -> Plan<'f> {
    let mut lookups = Vec::new();
    let mut exact = true;
    for plan in plans {
        exact &= plan.exact;
        match plan.lookup {
            Lookup::Scan => return SCAN,
            Lookup::Union(more) => lookups.extend(more),
            lookup => lookups.push(lookup),
        }
    }
    Plan { lookup: Lookup::Union(lookups), exact }
}

/// The index for one comparison.
fn lookup_for<'f>(outer: Option<&Attribute>, path: &AttributePath, operator: Operator, text: &'f str) -> Lookup<'f> {
    if path.extension.is_some() {
        return Lookup::Scan;
    }
    let (attribute, sub_attribute) = match outer {
        Some(outer) => (outer, Some(path.attribute)),
        None => (path.attribute, path.sub_attribute),
    };
    match (attribute.name, sub_attribute.map(|attribute| attribute.name), operator) {
        ("id", None, Operator::Equal) => Lookup::Id(text),
        ("externalId", None, Operator::Equal) => Lookup::ExternalId(text),
        ("userName", None, Operator::Equal) => Lookup::UserName(text),
        ("userName", None, Operator::StartsWith) => Lookup::UserNamePrefix(text),
        // The name of a group is unique. That of a user is not, and has no index.
        ("displayName", None, Operator::Equal) if attribute.unique => Lookup::DisplayName(text),
        ("displayName", None, Operator::StartsWith) if attribute.unique => Lookup::DisplayNamePrefix(text),
        ("emails", Some("value"), Operator::Equal) => Lookup::Email(text),
        ("members", Some("value"), Operator::Equal) => Lookup::Member(text),
        ("groups", Some("value"), Operator::Equal) => Lookup::InGroup(text),
        _ => Lookup::Scan,
    }
}

/// How many resources a read is expected to find: a guess, to choose the better of two.
fn expected_resources(lookup: &Lookup<'_>) -> u32 {
    match lookup {
        Lookup::Id(_) | Lookup::UserName(_) | Lookup::DisplayName(_) => 1,
        Lookup::ExternalId(_) | Lookup::Email(_) => 2,
        Lookup::Member(_) => 20,
        Lookup::UserNamePrefix(_) | Lookup::DisplayNamePrefix(_) => 200,
        Lookup::InGroup(_) => 2_000,
        Lookup::Union(lookups) => lookups.iter().map(expected_resources).sum(),
        Lookup::Scan => u32::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::filter::parse;
    use crate::language::schema::{GROUP, ResourceType, USER};
    use alloc::vec;

    fn check(resource_type: &'static ResourceType, text: &str, lookup: Lookup<'_>, exact: bool) {
        let filter = parse(resource_type, text).unwrap();
        assert_eq!(plan(&filter), Plan { lookup, exact }, "{text}");
    }

    #[test]
    fn the_lookups_of_identity_providers_are_index_reads() {
        check(&USER, r#"id eq "Ab""#, Lookup::Id("Ab"), true);
        check(&USER, r#"userName eq "Bob@X.test""#, Lookup::UserName("bob@x.test"), true);
        check(&USER, r#"userName sw "Bob""#, Lookup::UserNamePrefix("bob"), true);
        check(&USER, r#"externalId eq "Ab""#, Lookup::ExternalId("Ab"), true);
        check(&GROUP, r#"externalId eq "Ab""#, Lookup::ExternalId("Ab"), true);
        check(&USER, r#"emails eq "Bob@X.test""#, Lookup::Email("bob@x.test"), true);
        check(&USER, r#"emails.value eq "Bob@X.test""#, Lookup::Email("bob@x.test"), true);
        check(&USER, r#"emails[type eq "work"].value eq "B""#, Lookup::Email("b"), false);
        check(&USER, r#"emails[value eq "B"]"#, Lookup::Email("b"), true);
        check(&USER, r#"groups.value eq "g""#, Lookup::InGroup("g"), true);
        check(&GROUP, r#"displayName eq " Team A ""#, Lookup::DisplayName("team a"), true);
        check(&GROUP, r#"displayName sw "Team ""#, Lookup::DisplayNamePrefix("team "), true);
        for text in [r#"members eq "u""#, r#"members.value eq "u""#, r#"members[value eq "u"]"#] {
            check(&GROUP, text, Lookup::Member("u"), true);
        }
    }

    #[test]
    fn of_a_conjunction_the_most_selective_term_is_read() {
        check(&USER, r#"active eq true and userName eq "x""#, Lookup::UserName("x"), false);
        check(&USER, r#"userName sw "x" and (active eq true and emails eq "y")"#, Lookup::Email("y"), false);
        check(&USER, r#"groups eq "g" and (externalId eq "a" or externalId eq "b")"#, union_of_two(), false);
        check(&GROUP, r#"members eq "u" and id eq "g""#, Lookup::Id("g"), false);
        check(&GROUP, r#"displayName sw "a" and members eq "u""#, Lookup::Member("u"), false);
    }

    fn union_of_two() -> Lookup<'static> {
        Lookup::Union(vec![Lookup::ExternalId("a"), Lookup::ExternalId("b")])
    }

    #[test]
    fn alternatives_are_read_one_after_another() {
        check(&USER, r#"externalId eq "a" or externalId eq "b""#, union_of_two(), true);
        let members = Lookup::Union(vec![Lookup::Member("a"), Lookup::Member("b")]);
        check(&GROUP, r#"members[value eq "a" or value eq "b"]"#, members, true);
        check(
            &USER,
            r#"id eq "1" or title pr and (userName eq "2" or emails[value eq "3" and type eq "work"])"#,
            Lookup::Union(vec![Lookup::Id("1"), Lookup::UserName("2"), Lookup::Email("3")]),
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
            check(&USER, text, Lookup::Scan, false);
        }
    }
}
