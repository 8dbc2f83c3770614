//! The members of a group as clients list them. They are stored as separate entries, not in the group, and only their
//! ids are kept.

use alloc::borrow::Cow;
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use crate::json::{Object, Value};
use crate::language::error::{Error, Result};
use crate::text::quoted;

/// The ids of members that are to be in a group, each once, in the order of their first appearance.
///
/// # Errors
/// `invalidValue` when an element has no id or is a group; `invalidSyntax` when it has a name twice.
pub fn member_ids(value: Value<'_>) -> Result<Vec<Cow<'_, str>>> {
    ids(value, |member| check_is_user(member))
}

/// As [`member_ids`], for members that are to be removed: their kind does not matter then.
///
/// # Errors
/// `invalidValue` when an element has no id; `invalidSyntax` when it has a name twice.
pub fn listed_ids(value: Value<'_>) -> Result<Vec<Cow<'_, str>>> {
    ids(value, |_| Ok(()))
}

fn ids<'a>(value: Value<'a>, check: impl Fn(&Object<'a>) -> Result<()>) -> Result<Vec<Cow<'a, str>>> {
    let elements = match value {
        Value::Null => Vec::new(),
        Value::Array(elements) => elements,
        lone => vec![lone],
    };
    let ids = elements.into_iter().filter(|element| *element != Value::Null).map(|element| match element {
        Value::String(id) => non_empty(Some(Value::String(id))),
        Value::Object(member) => {
            if let Some(name) = member.repeated_name() {
                return Err(Error::invalid_syntax(format!("a member has {} more than once", quoted(name))));
            }
            check(&member)?;
            let value = member.into_iter().find(|(name, _)| name.eq_ignore_ascii_case("value"));
            non_empty(value.map(|(_, value)| value))
        }
        other => Err(Error::invalid_value(format!("a member must be an object with a value, not {}", other.kind()))),
    });
    Ok(without_repeats(ids.collect::<Result<_>>()?))
}

fn non_empty(value: Option<Value<'_>>) -> Result<Cow<'_, str>> {
    match value {
        Some(Value::String(id)) if !id.is_empty() => Ok(id),
        _ => Err(Error::invalid_value("a member must have a value, the id of a user")),
    }
}

fn check_is_user(member: &Object<'_>) -> Result<()> {
    let text = |name| member.get_ignoring_case(name).and_then(Value::as_str).unwrap_or_default();
    let kind = text("type");
    let is_user = kind.is_empty() || kind.eq_ignore_ascii_case("User");
    if is_user && !points_at_group(text("$ref")) {
        return Ok(());
    }
    let id = quoted(text("value"));
    Err(Error::invalid_value(format!("members must be users; nested groups are not supported: {id}")))
}

fn points_at_group(reference: &str) -> bool {
    // The base URL may hold anything, so the last segment but one decides.
    let mut segments = reference.rsplit('/').skip_while(|segment| segment.is_empty()).skip(1);
    segments.next().is_some_and(|segment| segment.eq_ignore_ascii_case("Groups"))
}

/// Sorts positions instead of comparing all pairs: a list may hold every member of the largest group.
fn without_repeats(ids: Vec<Cow<'_, str>>) -> Vec<Cow<'_, str>> {
    if ids.len() < 2 {
        return ids;
    }
    let mut order: Vec<usize> = (0..ids.len()).collect();
    order.sort_by(|left, right| ids[*left].cmp(&ids[*right]));
    let mut repeated = vec![false; ids.len()];
    for pair in order.windows(2) {
        // The sort is stable, so the later one of two comes second.
        repeated[pair[1]] = ids[pair[0]] == ids[pair[1]];
    }
    ids.into_iter().zip(repeated).filter_map(|(id, again)| (!again).then_some(id)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;
    use crate::language::error::ScimType;
    use alloc::string::String;

    fn read(text: &str) -> Result<Vec<String>> {
        Ok(member_ids(json::parse(text).unwrap())?.into_iter().map(Cow::into_owned).collect())
    }

    #[test]
    fn ids_come_once_and_in_order() {
        let text = r#"[{"value":"c"},{"VALUE":"a","display":"A","$ref":null},{"value":"c"},"b",null,{"value":"a"}]"#;
        assert_eq!(read(text).unwrap(), ["c", "a", "b"]);
        assert_eq!(read(r#"{"value":"c","type":"user","$ref":"https://x/Groups/v2/Users/c"}"#).unwrap(), ["c"]);
        assert!(read("null").unwrap().is_empty());
        assert!(read("[]").unwrap().is_empty());
    }

    #[test]
    fn groups_and_things_without_an_id_are_no_members() {
        for text in [
            r#"[{"value":"a","type":"Group"}]"#,
            r#"[{"value":"a","$ref":"https://x/scim/v2/groups/a"}]"#,
            r#"[{"value":"a","$ref":"../Groups/a/"}]"#,
            r#"[{"display":"who?"}]"#,
            r#"[{"value":""}]"#,
            r#"[{"value":7}]"#,
            r#"[{"value":null}]"#,
            r#"[["a"]]"#,
            "7",
            r#"[""]"#,
        ] {
            assert_eq!(read(text).unwrap_err().scim_type, Some(ScimType::InvalidValue), "{text}");
        }
        let twice = read(r#"[{"value":"a","Value":"b"}]"#);
        assert_eq!(twice.unwrap_err().scim_type, Some(ScimType::InvalidSyntax));
        let leaving = json::parse(r#"[{"value":"a","type":"Group"}]"#).unwrap();
        assert_eq!(listed_ids(leaving).unwrap(), ["a"]);
    }

    #[test]
    fn the_largest_group_is_read_in_one_go() {
        let ids =
            (0..150_000_u64).map(|n| Value::from(format!("{:016x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15) % 100_000)));
        let read = member_ids(Value::Array(ids.collect())).unwrap();
        assert!(read.len() <= 100_000);
    }
}
