//! Places in a JSON document: JSON pointers (RFC 6901), and a segment `[name=value]` for the first element of an array
//! whose member has that value, without regard to letter case.

use serde_json::Value;

use super::variables::text;

/// The value at that place.
pub(super) fn find<'d>(document: &'d Value, place: &str) -> Option<&'d Value> {
    place.split('/').skip(1).try_fold(document, |value, segment| match value {
        Value::Array(elements) => match selector(segment) {
            Some((name, wanted)) => elements.iter().find(|element| {
                let member = element.get(name).map(text).unwrap_or_default();
                element.is_object() && member.to_lowercase() == wanted.to_lowercase()
            }),
            None => elements.get(segment.parse::<usize>().ok()?),
        },
        Value::Object(members) => members.get(&segment.replace("~1", "/").replace("~0", "~")),
        _ => None,
    })
}

/// Name and value of a segment `[name=value]`.
fn selector(segment: &str) -> Option<(&str, &str)> {
    segment.strip_prefix('[')?.strip_suffix(']')?.split_once('=')
}
