//! Limits of length and number in a resource.

use alloc::format;

use crate::json::{Object, Value};
use crate::language::error::{Error, Result};
use crate::language::path::AttributePath;
use crate::language::schema::{ResourceType, Type};
use crate::names;
use crate::text::fold;

/// The longest text in an attribute, in characters: names and addresses are far shorter, and reading a page of
/// resources stays cheap.
pub const MAX_TEXT: usize = 4_096;

/// The longest value of an attribute that is looked up by value, in bytes, both as sent and folded. It becomes part of
/// a storage key, where a byte takes up to three, and a key has [`MAX_KEY_BYTES`](crate::storage::MAX_KEY_BYTES) at the
/// most. An email address has 254.
pub const MAX_INDEXED_BYTES: usize = 300;

/// The longest binary value in base64 characters: a certificate with a long key and many names takes about half.
pub const MAX_BINARY: usize = 16_384;

/// How many elements a multi-valued attribute may have. `members` is not stored in the resource and has a limit of its
/// own, a setting of the site.
pub const MAX_ELEMENTS: usize = 100;

/// The largest resource, in about the bytes of its JSON text: every write stores the whole of it and every page returns
/// up to a few hundred.
pub const MAX_RESOURCE_BYTES: usize = 64 << 10;

/// Checks the length of one text.
///
/// # Errors
/// `invalidValue`, naming the attribute and the limit.
pub fn check_text(path: AttributePath, text: &str) -> Result<()> {
    if path.leaf().kind == Type::Binary {
        return at_most(path, text.len(), MAX_BINARY, "base64 characters");
    }
    if is_group_name(path) {
        // It becomes the name of an organization. That it is not missing is checked with the whole resource.
        return match names::fault(text).filter(|_| !text.trim().is_empty()) {
            None => Ok(()),
            Some(fault) => Err(Error::invalid_value(format!("{path} {fault}"))),
        };
    }
    if is_indexed(path) {
        return at_most(path, text.len().max(fold(text).len()), MAX_INDEXED_BYTES, "bytes");
    }
    // Text has at least as many bytes as characters, so most texts need no counting.
    if text.len() <= MAX_TEXT { Ok(()) } else { at_most(path, text.chars().count(), MAX_TEXT, "characters") }
}

/// Checks what only the whole resource shows: that nothing required is missing, and its size.
///
/// # Errors
/// `invalidValue`, naming the attribute or the limit.
pub fn check(resource_type: &'static ResourceType, resource: &Object<'_>) -> Result<()> {
    for attribute in resource_type.schema.attributes.iter().filter(|attribute| attribute.required) {
        let value = resource.get(attribute.name);
        if attribute.sub_attributes.is_empty() {
            check_present(resource_type, attribute.name, value)?;
        }
        for part in attribute.sub_attributes.iter().filter(|part| part.required) {
            let name = format!("{}.{}", attribute.name, part.name);
            let value = value.and_then(Value::as_object).and_then(|value| value.get(part.name));
            check_present(resource_type, &name, value)?;
        }
    }
    if size(resource) > MAX_RESOURCE_BYTES {
        let detail = format!("the resource is larger than the {MAX_RESOURCE_BYTES} bytes that are allowed");
        return Err(Error::invalid_value(detail));
    }
    Ok(())
}

fn check_present(resource_type: &ResourceType, name: &str, value: Option<&Value<'_>>) -> Result<()> {
    if value.and_then(Value::as_str).is_some_and(|text| !text.trim().is_empty()) {
        return Ok(());
    }
    Err(Error::invalid_value(format!("a {} needs a {name} that is not blank", resource_type.name)))
}

fn at_most(path: AttributePath, length: usize, limit: usize, unit: &str) -> Result<()> {
    if length <= limit {
        return Ok(());
    }
    Err(Error::invalid_value(format!("{path} is longer than the {limit} {unit} that are allowed")))
}

/// Whether the path is that of a group's name: only groups have a unique display name.
fn is_group_name(path: AttributePath) -> bool {
    path.attribute.unique && path.is("displayName", None)
}

fn is_indexed(path: AttributePath) -> bool {
    path.is("userName", None) || path.is("externalId", None) || path.is("emails", Some("value"))
}

/// About the length of the JSON text. A value is nested no deeper than JSON may be read.
fn size(object: &Object<'_>) -> usize {
    object.iter().map(|(name, value)| name.len() + 4 + value_size(value)).sum()
}

fn value_size(value: &Value<'_>) -> usize {
    match value {
        Value::String(text) => text.len() + 2,
        Value::Array(values) => values.iter().map(|value| value_size(value) + 1).sum::<usize>() + 2,
        Value::Object(object) => size(object) + 2,
        Value::Null | Value::Bool(_) | Value::Number(_) => 5,
    }
}
