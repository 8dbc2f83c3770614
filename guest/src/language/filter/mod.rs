//! The filter language (RFC 7644, section 3.4.2.2), typed by the schema.
//!
//! [`parse()`] reads a filter and settles everything that does not depend on a resource: which attributes are meant,
//! whether they can be compared that way, and the literals in the form in which they are compared. [`Filter::matches`]
//! evaluates it over a resource, and [`plan()`] says which index, if any, finds the resources that match.
//!
//! Where the RFC leaves room:
//! - An attribute without a value differs from every literal: `title ne "x"` matches resources without a title.
//! - `eq null` means "has no value", `ne null` "has a value".
//! - Of several values one has to match, for `ne` too: `emails.type ne "work"` asks for an email that is not for work.
//! - An empty string is no value for `pr`, though `eq ""` finds it.
//! - Complex attributes with a `value` can be compared as a whole: `members eq "…"`, `emails co "@example.com"`.
//! - `emails[type eq "work"].value eq "…"`, which Entra sends, asks for one email for which both hold.
//! - `not` takes effect on what follows it, in parentheses or not.
//! - In a search over resources of several types, an attribute that a type does not have has no value in its resources.

mod eval;
mod parse;
mod patch_path;
mod plan;
mod print;
mod typing;

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

use jiff::Timestamp;

use crate::language::path::AttributePath;

pub use parse::{parse, parse_for_one_of_all};
pub use patch_path::{PatchPath, parse_path};
pub use plan::{Lookup, plan};

/// A filter.
///
/// Inside a [`ValuePath`](Filter::ValuePath), the attributes are the sub-attributes of its attribute.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter<'a> {
    /// All of these hold. There are two or more, and no `And` among them. Chains are flat so that long ones are not
    /// deep.
    And(Vec<Filter<'a>>),
    /// One of these holds. There are two or more, and no `Or` among them.
    Or(Vec<Filter<'a>>),
    /// This does not hold.
    Not(Box<Filter<'a>>),
    /// The attribute has a value.
    Present(AttributePath),
    /// A value of the attribute compares this way with the literal. The attribute is never complex: its `value` is
    /// compared instead.
    Compare {
        /// The attribute.
        path: AttributePath,
        /// How it has to compare.
        operator: Operator,
        /// What it is compared with.
        literal: Literal<'a>,
    },
    /// The complex attribute has one value for which all of the filter holds.
    ValuePath {
        /// The attribute, without sub-attribute.
        path: AttributePath,
        /// The filter over its sub-attributes.
        filter: Box<Filter<'a>>,
    },
    /// This holds for every resource, or for no resource. It is always a whole filter, never part of another.
    Constant(bool),
}

/// How values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `eq`: they are the same.
    Equal,
    /// `ne`: they are not.
    NotEqual,
    /// `co`: the literal is somewhere in the value.
    Contains,
    /// `sw`: the value starts with the literal.
    StartsWith,
    /// `ew`: the value ends with the literal.
    EndsWith,
    /// `gt`: the value is greater, or later.
    Greater,
    /// `ge`: the value is greater or equal, or later or the same.
    GreaterOrEqual,
    /// `lt`: the value is less, or earlier.
    Less,
    /// `le`: the value is less or equal, or earlier or the same.
    LessOrEqual,
}

/// What values are compared with, in the type of the attribute.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal<'a> {
    /// A string, reference or binary.
    Text {
        /// As the request has it.
        given: Cow<'a, str>,
        /// As it is compared: [folded](crate::text::fold) unless letter case matters to the attribute.
        compared: Cow<'a, str>,
    },
    /// A boolean.
    Boolean(bool),
    /// A point in time.
    Instant(Timestamp),
}

impl Operator {
    /// Every operator with its keyword.
    const ALL: [(Operator, &'static str); 9] = [
        (Operator::Equal, "eq"),
        (Operator::NotEqual, "ne"),
        (Operator::Contains, "co"),
        (Operator::StartsWith, "sw"),
        (Operator::EndsWith, "ew"),
        (Operator::Greater, "gt"),
        (Operator::GreaterOrEqual, "ge"),
        (Operator::Less, "lt"),
        (Operator::LessOrEqual, "le"),
    ];

    /// The operator of this keyword, in any letter case.
    #[must_use]
    pub fn from_keyword(keyword: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| known.eq_ignore_ascii_case(keyword)).map(|(operator, _)| *operator)
    }

    /// The keyword.
    #[must_use]
    pub fn keyword(self) -> &'static str {
        Self::ALL.iter().find(|(operator, _)| *operator == self).map_or("", |(_, keyword)| keyword)
    }
}

impl<'a> Filter<'a> {
    /// Both hold.
    #[must_use]
    pub fn and(self, other: Filter<'a>) -> Filter<'a> {
        match (self, other) {
            (Filter::Constant(true), other) | (other, Filter::Constant(true)) => other,
            (Filter::Constant(false), _) | (_, Filter::Constant(false)) => Filter::Constant(false),
            (Filter::And(mut all), Filter::And(more)) => {
                all.extend(more);
                Filter::And(all)
            }
            (Filter::And(mut all), other) => {
                all.push(other);
                Filter::And(all)
            }
            (first, Filter::And(mut all)) => {
                all.insert(0, first);
                Filter::And(all)
            }
            (first, second) => Filter::And(vec![first, second]),
        }
    }

    /// One of them holds, or both.
    #[must_use]
    pub fn or(self, other: Filter<'a>) -> Filter<'a> {
        match (self, other) {
            (Filter::Constant(false), other) | (other, Filter::Constant(false)) => other,
            (Filter::Constant(true), _) | (_, Filter::Constant(true)) => Filter::Constant(true),
            (Filter::Or(mut any), Filter::Or(more)) => {
                any.extend(more);
                Filter::Or(any)
            }
            (Filter::Or(mut any), other) => {
                any.push(other);
                Filter::Or(any)
            }
            (first, Filter::Or(mut any)) => {
                any.insert(0, first);
                Filter::Or(any)
            }
            (first, second) => Filter::Or(vec![first, second]),
        }
    }

    /// It does not hold.
    #[must_use]
    pub fn negated(self) -> Filter<'a> {
        match self {
            Filter::Constant(holds) => Filter::Constant(!holds),
            filter => Filter::Not(Box::new(filter)),
        }
    }

    /// How many attributes it tests, which is the cost of evaluating it once.
    #[must_use]
    pub fn tests(&self) -> usize {
        match self {
            Filter::And(filters) | Filter::Or(filters) => filters.iter().map(Filter::tests).sum(),
            Filter::Not(filter) | Filter::ValuePath { filter, .. } => filter.tests(),
            Filter::Present(_) | Filter::Compare { .. } => 1,
            Filter::Constant(_) => 0,
        }
    }

    /// Whether it looks at this core or common attribute, named exactly.
    #[must_use]
    pub fn mentions(&self, attribute: &str) -> bool {
        match self {
            Filter::And(filters) | Filter::Or(filters) => filters.iter().any(|filter| filter.mentions(attribute)),
            Filter::Not(filter) => filter.mentions(attribute),
            Filter::Constant(_) => false,
            Filter::Present(path) | Filter::Compare { path, .. } | Filter::ValuePath { path, .. } => {
                names(path, attribute)
            }
        }
    }

    /// The values with which it compares the `value` of this core attribute, if it uses the attribute for `eq` only.
    ///
    /// Then it can be evaluated over a resource that holds only those of its values that are asked for: of a group with
    /// very many members, only these. `None` means that the whole attribute is needed.
    #[must_use]
    pub fn values_compared(&self, attribute: &str) -> Option<Vec<&str>> {
        let mut values = Vec::new();
        self.collect_values(attribute, &mut values).then_some(values)
    }

    /// Collects for [`values_compared`](Self::values_compared); false when something else is done with the attribute.
    fn collect_values<'f>(&'f self, attribute: &str, values: &mut Vec<&'f str>) -> bool {
        match self {
            Filter::And(filters) | Filter::Or(filters) => {
                filters.iter().all(|filter| filter.collect_values(attribute, values))
            }
            Filter::Not(filter) => filter.collect_values(attribute, values),
            Filter::Constant(_) => true,
            Filter::Compare { path, operator: Operator::Equal, literal: Literal::Text { compared, .. } }
                if path.is(attribute, Some("value")) =>
            {
                values.push(compared);
                true
            }
            Filter::Present(path) | Filter::Compare { path, .. } => !names(path, attribute),
            Filter::ValuePath { path, filter } => !names(path, attribute) || filter.collect_element_values(values),
        }
    }

    /// The same inside the brackets. There, a negation asks for an element that is *not* one of the values.
    fn collect_element_values<'f>(&'f self, values: &mut Vec<&'f str>) -> bool {
        match self {
            Filter::And(filters) | Filter::Or(filters) => {
                filters.iter().all(|filter| filter.collect_element_values(values))
            }
            Filter::Compare { path, operator: Operator::Equal, literal: Literal::Text { compared, .. } }
                if path.is("value", None) =>
            {
                values.push(compared);
                true
            }
            _ => false,
        }
    }
}

/// Whether the path is of this core or common attribute, whatever its sub-attribute.
fn names(path: &AttributePath, attribute: &str) -> bool {
    path.extension.is_none() && path.attribute.name == attribute
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::schema::{GROUP, USER};

    #[test]
    fn chains_are_flat() {
        for text in [
            "id pr and (title pr and (nickName pr and locale pr))",
            "((id pr and title pr) and nickName pr) and locale pr",
        ] {
            assert!(matches!(parse(&USER, text).unwrap(), Filter::And(all) if all.len() == 4), "{text}");
        }
        let either = parse(&USER, "id pr or (title pr or nickName pr) or (locale pr and title pr)").unwrap();
        assert!(matches!(either, Filter::Or(any) if any.len() == 4));
    }

    #[test]
    fn mentioned_attributes_are_found() {
        let filter = parse(&USER, r#"not (groups.value eq "g" or manager eq "m") and emails[type eq "work"]"#);
        assert!(filter.is_err(), "the manager belongs to an extension");
        let filter = parse(&USER, r#"not (groups.value eq "g" or title pr) and emails[type eq "work"]"#).unwrap();
        for attribute in ["groups", "title", "emails"] {
            assert!(filter.mentions(attribute));
        }
        for attribute in ["type", "value", "id"] {
            assert!(!filter.mentions(attribute));
        }
    }

    #[test]
    fn the_members_asked_for_are_known_where_eq_is_all_that_is_done() {
        let cases: [(&str, Option<&[&str]>); 13] = [
            (r#"displayName eq "x""#, Some(&[])),
            (r#"members eq "a""#, Some(&["a"])),
            (r#"not (members eq "a") and id pr"#, Some(&["a"])),
            (r#"members[value eq "a" or value eq "B"] or members.value eq "c""#, Some(&["a", "B", "c"])),
            (r#"members[value eq "a" and value eq "b"]"#, Some(&["a", "b"])),
            ("members pr", None),
            (r#"members eq "a" and members pr"#, None),
            (r#"members ne "a""#, None),
            (r#"members sw "a""#, None),
            (r#"members.type eq "User""#, None),
            (r#"members[value eq "a" and type eq "User"]"#, None),
            (r#"members[not (value eq "a")]"#, None),
            (r"members eq null", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(&GROUP, text).unwrap().values_compared("members").as_deref(), expected, "{text}");
        }
    }
}
