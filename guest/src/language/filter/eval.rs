//! Evaluation of a filter over one resource. Nothing in a stored resource can make it fail: a value of another type
//! than the schema's does not match.

use core::cmp::Ordering;
use core::slice;

use super::typing::instant;
use super::{Filter, Literal, Operator};
use crate::json::{Object, Value};
use crate::language::path::AttributePath;
use crate::language::schema::Attribute;
use crate::text::{compare_folded, contains_folded, ends_with_folded, starts_with_folded};

impl Filter<'_> {
    /// Whether the resource matches. Its attributes have their exact names, those of an extension below its URN.
    #[must_use]
    pub fn matches(&self, resource: &Object<'_>) -> bool {
        match self {
            Filter::And(filters) => filters.iter().all(|filter| filter.matches(resource)),
            Filter::Or(filters) => filters.iter().any(|filter| filter.matches(resource)),
            Filter::Not(filter) => !filter.matches(resource),
            Filter::Constant(holds) => *holds,
            Filter::Present(path) => {
                elements(resource, path).iter().filter_map(|element| value_in(element, path)).any(is_present)
            }
            Filter::Compare { path, operator, literal } => compares(elements(resource, path), path, *operator, literal),
            Filter::ValuePath { path, filter } => {
                elements(resource, path).iter().filter_map(Value::as_object).any(|element| filter.matches(element))
            }
        }
    }
}

/// The values of the path's attribute: those of a list, or the single one.
fn elements<'r, 'a>(resource: &'r Object<'a>, path: &AttributePath) -> &'r [Value<'a>] {
    let holder = match path.extension {
        Some(schema) => resource.get(schema.id).and_then(Value::as_object),
        None => Some(resource),
    };
    match holder.and_then(|holder| holder.get(path.attribute.name)) {
        None | Some(Value::Null) => &[],
        Some(Value::Array(values)) => values,
        Some(value) => slice::from_ref(value),
    }
}

/// What the path leads to within one value of its attribute.
fn value_in<'r, 'a>(element: &'r Value<'a>, path: &AttributePath) -> Option<&'r Value<'a>> {
    let value = match path.sub_attribute {
        Some(sub_attribute) => element.as_object()?.get(sub_attribute.name)?,
        None => element,
    };
    (*value != Value::Null).then_some(value)
}

/// Whether a value counts for `pr`: it is not empty, or holds something that is not.
fn is_present(value: &Value<'_>) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(_) | Value::Number(_) => true,
        Value::String(text) => !text.is_empty(),
        Value::Array(values) => values.iter().any(is_present),
        Value::Object(object) => object.iter().any(|(_, value)| is_present(value)),
    }
}

/// Whether one of the values compares this way. An absent value differs from every literal, and matches no other
/// comparison.
fn compares(elements: &[Value<'_>], path: &AttributePath, operator: Operator, literal: &Literal<'_>) -> bool {
    let if_absent = operator == Operator::NotEqual;
    if elements.is_empty() {
        return if_absent;
    }
    elements.iter().any(|element| match value_in(element, path) {
        Some(value) => value_compares(value, path.leaf(), operator, literal),
        None => if_absent,
    })
}

fn value_compares(value: &Value<'_>, attribute: &Attribute, operator: Operator, literal: &Literal<'_>) -> bool {
    match (literal, value) {
        (Literal::Text { .. }, Value::String(text)) if attribute.trimmed && text.trim().len() < text.len() => {
            value_compares(&Value::from(text.trim()), attribute, operator, literal)
        }
        (Literal::Text { compared, .. }, Value::String(text)) if attribute.case_exact => match operator {
            Operator::Contains => text.contains(&**compared),
            Operator::StartsWith => text.starts_with(&**compared),
            Operator::EndsWith => text.ends_with(&**compared),
            _ => is_in_order(operator, text.cmp(compared)),
        },
        (Literal::Text { compared, .. }, Value::String(text)) => match operator {
            Operator::Contains => contains_folded(text, compared),
            Operator::StartsWith => starts_with_folded(text, compared),
            Operator::EndsWith => ends_with_folded(text, compared),
            _ => is_in_order(operator, compare_folded(text, compared)),
        },
        (Literal::Boolean(literal), Value::Bool(flag)) => is_in_order(operator, flag.cmp(literal)),
        (Literal::Instant(literal), Value::String(text)) => {
            instant(text).is_some_and(|instant| is_in_order(operator, instant.cmp(literal)))
        }
        _ => false,
    }
}

/// Whether a value in this order to the literal is what the operator asks for.
fn is_in_order(operator: Operator, order: Ordering) -> bool {
    match operator {
        Operator::Equal => order.is_eq(),
        Operator::NotEqual => order.is_ne(),
        Operator::Greater => order.is_gt(),
        Operator::GreaterOrEqual => order.is_ge(),
        Operator::Less => order.is_lt(),
        Operator::LessOrEqual => order.is_le(),
        // These are for text only, and not a matter of order.
        Operator::Contains | Operator::StartsWith | Operator::EndsWith => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::json;
    use crate::language::filter::parse;
    use crate::language::schema::USER;

    const BARBARA: &str = r#"{
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "id": "Ab1", "externalId": "Ext", "userName": "BJensen", "title": null, "nickName": "", "active": true,
        "name": {"familyName": "Jensen-Ødegård", "givenName": "Barbara"},
        "emails": [
            {"value": "bjensen@example.com", "type": "work", "primary": true},
            {"value": "babs@jensen.org", "type": "home"}
        ],
        "ims": [], "addresses": [{"locality": ""}],
        "meta": {"resourceType": "User", "created": "2010-01-23T04:56:22Z", "lastModified": "2011-05-13T04:42:34.5Z"},
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {
            "employeeNumber": "701984", "manager": {"value": "M1", "displayName": "John"}
        }
    }"#;

    #[track_caller]
    fn check(resource: &str, matching: &[&str], others: &[&str]) {
        let value = json::parse(resource).unwrap();
        let resource = value.as_object().unwrap();
        for (texts, expected) in [(matching, true), (others, false)] {
            for text in texts {
                assert_eq!(parse(&USER, text).unwrap().matches(resource), expected, "{text}");
            }
        }
    }

    #[test]
    fn text_is_compared_without_regard_to_case_unless_the_schema_says_so() {
        check(
            BARBARA,
            &[
                r#"userName eq "bjensen""#,
                r#"userName co "JENS""#,
                r#"userName sw "bj""#,
                r#"userName ew "SEN""#,
                r#"userName co """#,
                r#"name.familyName eq "JENSEN-ØDEGÅRD""#,
                r#"name.familyName co "øde""#,
                r#"name.familyName ew "GÅRD""#,
                r#"userName gt "BJENSEM""#,
                r#"userName ge "bjensen""#,
                r#"userName le "BJENSEN""#,
                r#"userName lt "c""#,
                r#"id eq "Ab1""#,
                r#"id sw "Ab""#,
                r#"id co "b""#,
                r#"id ew "b1""#,
                r#"id gt "Ab""#,
                r#"externalId ne "ext""#,
            ],
            &[
                r#"userName eq "bjense""#,
                r#"userName ne "BJENSEN""#,
                r#"userName sw "bjensens""#,
                r#"userName ew "xbjensen""#,
                r#"userName gt "bjensen""#,
                r#"userName lt "bjensen""#,
                r#"name.familyName sw "øde""#,
                r#"id eq "ab1""#,
                r#"id sw "ab""#,
                r#"id co "B""#,
                r#"externalId eq "ext""#,
            ],
        );
    }

    #[test]
    fn what_the_indexes_have_without_blanks_is_compared_without_them() {
        check(
            r#"{"userName": " Ann ", "title": " T ", "emails": [{"value": "\tA@x.test "}]}"#,
            &[
                r#"userName eq "ann""#,
                r#"userName eq " ANN ""#,
                r#"userName sw "an""#,
                r#"emails eq "a@x.test""#,
                r#"emails[value eq "a@x.test" and value ew "test"]"#,
                r#"title eq " t ""#,
            ],
            &[r#"userName sw " an""#, r#"userName ne "ann""#, r#"title eq "t""#],
        );
    }

    #[test]
    fn one_of_several_values_has_to_match() {
        check(
            BARBARA,
            &[
                r#"emails eq "BABS@jensen.org""#,
                r#"emails.type eq "home" and emails.type eq "work""#,
                r#"emails.type ne "work""#,
                r"emails.primary ne true",
                r#"emails[type eq "work" and value co "@example.com"]"#,
                r#"emails[type eq "home" and primary ne true]"#,
                r#"emails[type eq "home"].value ew ".org""#,
                r#"emails[not (type eq "work")]"#,
                r#"schemas eq "urn:ietf:params:scim:schemas:core:2.0:User""#,
            ],
            &[
                r#"emails.type eq "other""#,
                r#"emails[type eq "home" and value co "@example.com"]"#,
                r#"emails[type eq "home"].value ew ".com""#,
                r#"not (emails.type eq "work")"#,
                r#"emails[type eq "other"]"#,
                r#"schemas eq "urn:example:x""#,
            ],
        );
    }

    #[test]
    fn what_is_absent_differs_and_does_not_compare_otherwise() {
        check(
            BARBARA,
            &[
                r#"title ne "x""#,
                r"title eq null",
                r#"displayName ne "x""#,
                r#"ims.value ne "x""#,
                r#"phoneNumbers.value ne "x""#,
                r#"name.middleName ne "x""#,
                r#"not (title eq "x")"#,
                r#"nickName eq """#,
                "userName ne null",
            ],
            &[
                r#"title eq "x""#,
                r#"title lt "x""#,
                r#"title co """#,
                r#"ims.value sw """#,
                r#"phoneNumbers[value ne "x"]"#,
                "title ne null",
                "userName eq null",
            ],
        );
    }

    #[test]
    fn only_what_is_not_empty_is_present() {
        check(
            BARBARA,
            &[
                "id pr",
                "active pr",
                "name pr",
                "name.givenName pr",
                "emails pr",
                "emails.display pr or emails.primary pr",
            ],
            &[
                "title pr",
                "nickName pr",
                "ims pr",
                "addresses pr",
                "phoneNumbers pr",
                "name.middleName pr",
                "emails.display pr",
            ],
        );
    }

    #[test]
    fn booleans_and_dates_are_compared_as_such() {
        check(
            BARBARA,
            &[
                "active eq true",
                r#"active eq "True""#,
                "active ne false",
                r#"meta.created eq "2010-01-23T05:56:22+01:00""#,
                r#"meta.lastModified gt "2011-05-13T04:42:34Z""#,
                r#"meta.lastModified ge "2011-05-13T04:42:34.500Z""#,
                r#"meta.lastModified le "2011-05-13T04:42:34.500Z""#,
                r#"meta.lastModified lt "2011-05-13T05:42:34.6+01:00""#,
                r#"meta.lastModified ne "2011-05-13T04:42:34Z""#,
            ],
            &[
                "active eq false",
                "active ne true",
                r#"meta.lastModified lt "2011-05-13T04:42:34Z""#,
                r#"meta.lastModified gt "2011-05-13T04:42:34.500Z""#,
            ],
        );
    }

    #[test]
    fn extensions_are_below_their_urn() {
        check(
            BARBARA,
            &[
                r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber eq "701984""#,
                r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager eq "M1""#,
                r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.displayName eq "john""#,
                r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager[value eq "M1" and displayName pr]"#,
            ],
            &[r"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department pr"],
        );
        check(
            r#"{"userName": "x"}"#,
            &[r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department ne "x""#],
            &["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager pr"],
        );
    }

    #[test]
    fn stored_values_of_another_type_do_not_match() {
        check(
            r#"{
                "userName": 7, "active": "true", "emails": "x", "name": [], "title": {"a": 1},
                "meta": {"created": "long ago", "lastModified": 5}, "ims": [null, 3, "x", {"value": ["x"]}],
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": "x"
            }"#,
            &["userName pr", r#"emails.value ne "x""#],
            &[
                r#"userName eq "7""#,
                r#"userName ne "7""#,
                r#"title co "a""#,
                "active eq true",
                r#"emails eq "x""#,
                r#"emails[value ne "x"]"#,
                r#"name.givenName eq "x""#,
                r#"meta.created gt "2010-01-23T04:56:22Z""#,
                r#"meta.created ne "2010-01-23T04:56:22Z""#,
                r#"meta.lastModified lt "2010-01-23T04:56:22Z""#,
                r#"ims eq "x""#,
                r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber eq "x""#,
            ],
        );
    }
}
