//! Filters as text: attributes by their full names, keywords in lower case, no parentheses that change nothing. Parsing
//! the text gives the same filter again, within the limits of the parser.

use core::fmt::{Display, Formatter, Result};

use super::{Filter, Literal};
use crate::json::to_text;

impl Display for Filter<'_> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> Result {
        match self {
            Filter::And(filters) => print_chain(formatter, filters, " and "),
            Filter::Or(filters) => print_chain(formatter, filters, " or "),
            Filter::Not(filter) => write!(formatter, "not ({filter})"),
            Filter::Present(path) => write!(formatter, "{path} pr"),
            // Every resource has an id.
            Filter::Constant(true) => formatter.write_str("id pr"),
            Filter::Constant(false) => formatter.write_str("not (id pr)"),
            Filter::Compare { path, operator, literal } => {
                write!(formatter, "{path} {} {literal}", operator.keyword())
            }
            Filter::ValuePath { path, filter } => write!(formatter, "{path}[{filter}]"),
        }
    }
}

fn print_chain(formatter: &mut Formatter<'_>, filters: &[Filter<'_>], keyword: &str) -> Result {
    for (at, filter) in filters.iter().enumerate() {
        if at > 0 {
            formatter.write_str(keyword)?;
        }
        // An `or` in a chain is in an `and`, which binds more tightly.
        match filter {
            Filter::Or(_) => write!(formatter, "({filter})")?,
            _ => write!(formatter, "{filter}")?,
        }
    }
    Ok(())
}

impl Display for Literal<'_> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> Result {
        match self {
            Literal::Text { given, .. } => formatter.write_str(&to_text(given)),
            Literal::Boolean(flag) => write!(formatter, "{flag}"),
            Literal::Instant(instant) => write!(formatter, "\"{instant}\""),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Value, parse as parse_json};
    use crate::language::filter::typing::compare;
    use crate::language::filter::{Operator, parse, parse_path, plan};
    use crate::language::path::{AttributePath, resolve_attribute};
    use crate::language::schema::USER;
    use alloc::borrow::Cow;
    use alloc::boxed::Box;
    use alloc::format;
    use alloc::string::{String, ToString};
    use jiff::Timestamp;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    const NAMES: [&str; 12] = [
        "userName",
        "externalId",
        "schemas",
        "name.familyName",
        "active",
        "emails",
        "emails.primary",
        "addresses.locality",
        "photos",
        "x509Certificates.value",
        "meta.lastModified",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager",
    ];
    const COMPLEX: [&str; 4] = ["emails", "addresses", "name", NAMES[11]];

    fn path(name: &str) -> AttributePath {
        resolve_attribute(&USER, name).unwrap()
    }

    fn operator() -> impl Strategy<Value = Operator> {
        use Operator::*;
        select(&[Equal, NotEqual, Contains, StartsWith, EndsWith, Greater, GreaterOrEqual, Less, LessOrEqual])
    }

    fn value() -> impl Strategy<Value = Value<'static>> {
        prop_oneof![
            any::<String>().prop_map(|text| Value::String(Cow::Owned(text))),
            any::<bool>().prop_map(Value::Bool),
            (Timestamp::MIN.as_second()..Timestamp::MAX.as_second(), 0..1_000_000_000).prop_map(
                |(second, nanosecond)| {
                    Value::from(Timestamp::new(second, nanosecond).unwrap_or(Timestamp::UNIX_EPOCH).to_string())
                }
            ),
            Just(Value::Null),
        ]
    }

    /// A test of one of these attributes; where type and comparison do not go together, a test for presence.
    fn test(paths: impl Strategy<Value = AttributePath>) -> impl Strategy<Value = Filter<'static>> {
        (paths, operator(), value())
            .prop_map(|(path, operator, value)| compare(path, operator, &value).unwrap_or(Filter::Present(path)))
    }

    fn combined<S: Strategy<Value = Filter<'static>> + 'static>(tests: S) -> impl Strategy<Value = Filter<'static>> {
        tests.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                vec(inner.clone(), 2..4).prop_map(|filters| filters.into_iter().reduce(Filter::and).unwrap()),
                vec(inner.clone(), 2..4).prop_map(|filters| filters.into_iter().reduce(Filter::or).unwrap()),
                inner.prop_map(|filter| Filter::Not(Box::new(filter))),
            ]
        })
    }

    fn value_path() -> impl Strategy<Value = Filter<'static>> {
        select(&COMPLEX).prop_flat_map(|name| {
            let path = path(name);
            let sub_attributes = (0..path.attribute.sub_attributes.len()).prop_map(move |at| AttributePath {
                extension: None,
                attribute: &path.attribute.sub_attributes[at],
                sub_attribute: None,
            });
            combined(test(sub_attributes)).prop_map(move |filter| Filter::ValuePath { path, filter: Box::new(filter) })
        })
    }

    fn filter() -> impl Strategy<Value = Filter<'static>> {
        combined(prop_oneof![3 => test(select(&NAMES).prop_map(path)), 1 => value_path()])
    }

    /// Text that is a filter more often than any text would be.
    fn almost_filter() -> impl Strategy<Value = String> {
        let words = [
            "userName",
            "emails",
            "active",
            "meta.created",
            "type",
            "value",
            "eq",
            "ne",
            "co",
            "gt",
            "pr",
            "and",
            "or",
            "not",
            "(",
            ")",
            "[",
            "]",
            ".value",
            "\"x\"",
            "\"\\\"",
            "\"2011-05-13T04:42:34Z\"",
            "true",
            "null",
            "1.5",
            "id pr",
            "emails[type eq \"work\"]",
            "not (",
            "title eq \"É\"",
            "é",
            "\"",
        ];
        vec(select(words.to_vec()), 0..12).prop_map(|words| words.join(" "))
    }

    #[test]
    fn printing_leaves_out_what_changes_nothing() {
        for (text, expected) in [
            (r#"((USERNAME eq"Bob"))and(title pr or(id pr))"#, r#"userName eq "Bob" and (title pr or id pr)"#),
            (r"(id pr and title pr) or locale pr", "id pr and title pr or locale pr"),
            (
                r#"not not emails[type eq "work"].value eq "x""#,
                r#"not (not (emails[type eq "work" and value eq "x"]))"#,
            ),
            (r#"meta.created gt "2011-05-13T06:42:34+02:00""#, r#"meta.created gt "2011-05-13T04:42:34Z""#),
            (r#"title eq "\u00e9\n""#, r#"title eq "é\n""#),
        ] {
            assert_eq!(parse(&USER, text).unwrap().to_string(), expected);
        }
    }

    proptest! {
        #[test]
        fn printed_filters_parse_to_themselves(filter in filter()) {
            let text = filter.to_string();
            prop_assert_eq!(parse(&USER, &text).map_err(|error| format!("{text}: {}", error.detail)), Ok(filter));
        }

        #[test]
        fn whatever_parses_prints_to_the_same(text in prop_oneof![almost_filter(), any::<String>()]) {
            let _ = parse_path(&USER, &text);
            if let Ok(filter) = parse(&USER, &text) {
                let printed = filter.to_string();
                prop_assert_eq!(parse(&USER, &printed), Ok(filter));
            }
        }

        #[test]
        fn evaluation_and_planning_take_any_filter(filter in filter(), text in any::<String>(), flag in any::<bool>()) {
            let resource = format!(
                r#"{{"userName":{0},"active":{flag},"emails":[{{"value":{0},"primary":{flag}}},{0}],"name":{0},
                "meta":{{"lastModified":{0}}}}}"#,
                to_text(&text)
            );
            let resource = parse_json(&resource).unwrap();
            let resource = resource.as_object().unwrap();
            let negated = Filter::Not(Box::new(filter.clone()));
            prop_assert_ne!(filter.matches(resource), negated.matches(resource));
            let _ = plan(&filter);
        }
    }
}
