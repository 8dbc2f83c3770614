//! The order of a list: by the value of an attribute, then by id (RFC 7644, section 3.4.2.3).

use alloc::string::{String, ToString};
use core::cmp::Ordering;

use crate::json::{Object, Value};
use crate::language::path::AttributePath;
use crate::text::fold;

/// How much of a value counts when resources are sorted, in bytes. It goes into cursors and is held for many resources
/// at once. Values that differ only after that keep the order of their ids.
const MAX_KEY_BYTES: usize = 100;

/// The order that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    /// The attribute by which to sort.
    pub path: AttributePath,
    /// Whether the largest value comes first.
    pub descending: bool,
}

/// The place of a resource in the order: by its value, then by its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rank {
    /// The value as text; `None` if the resource has no value.
    pub key: Option<String>,
    /// The id of the resource.
    pub id: String,
}

impl Rank {
    /// Compares two ranks. Resources without a value come last, or first when descending. Equal ones keep the order of
    /// their ids.
    pub fn cmp(&self, other: &Self, sort: Sort) -> Ordering {
        let order = match (&self.key, &other.key) {
            (Some(one), Some(other)) => one.cmp(other),
            (one, other) => one.is_none().cmp(&other.is_none()),
        };
        let order = if sort.descending { order.reverse() } else { order };
        order.then_with(|| self.id.cmp(&other.id))
    }
}

impl Rank {
    /// The place of a resource in this order.
    #[must_use]
    pub fn of(sort: Sort, id: &str, resource: &Object<'_>) -> Self {
        Rank { key: sort_key(sort.path, resource).map(cut), id: id.to_string() }
    }
}

/// The value by which a resource is sorted, in a form that compares as text. Of several values, the primary one
/// decides, else the first (RFC 7644, section 3.4.2.3).
fn sort_key(path: AttributePath, resource: &Object<'_>) -> Option<String> {
    let holder = match path.extension {
        Some(schema) => resource.get(schema.id)?.as_object()?,
        None => resource,
    };
    let value = holder.get(path.attribute.name)?;
    let value = match value {
        Value::Array(values) => values
            .iter()
            .find(|value| value.as_object().and_then(|value| value.get("primary")) == Some(&Value::Bool(true)))
            .or_else(|| values.first())?,
        single => single,
    };
    let value = match path.sub_attribute {
        Some(attribute) => value.as_object()?.get(attribute.name)?,
        None => value,
    };
    match value {
        Value::String(text) if path.leaf().case_exact => Some(text.to_string()),
        Value::String(text) => Some(fold(text).to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

fn cut(mut key: String) -> String {
    key.truncate(key.floor_char_boundary(MAX_KEY_BYTES));
    key
}
