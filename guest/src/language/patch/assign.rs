//! The values that an operation assigns to an attribute and its sub-attributes.

use alloc::borrow::Cow;
use alloc::vec;
use alloc::vec::Vec;

use super::Verb;
use crate::json::{Object, Value};
use crate::language::error::Result;
use crate::language::path::AttributePath;
use crate::language::resource::{object_for, typed};

/// A sub-attribute and its new value; `None` removes it.
pub(super) type Assignment<'a> = (&'static str, Option<Value<'a>>);

/// What an operation assigns within an object of its attribute; `None` if it removes the object as a whole.
pub(super) fn assignments<'a>(
    path: AttributePath,
    verb: Verb,
    value: Value<'a>,
) -> Result<Option<Vec<Assignment<'a>>>> {
    match (verb, path.sub_attribute) {
        (Verb::Remove, None) => Ok(None),
        (Verb::Remove, Some(sub_attribute)) => Ok(Some(vec![(sub_attribute.name, None)])),
        (_, Some(sub_attribute)) => Ok(Some(vec![(sub_attribute.name, typed(path, value)?)])),
        (_, None) => object_for(path, value)?.map(|object| sub_assignments(path, object)).transpose(),
    }
}

pub(super) fn sub_assignments<'a>(path: AttributePath, object: Object<'a>) -> Result<Vec<Assignment<'a>>> {
    let mut assignments = Vec::with_capacity(object.len());
    for (name, value) in object {
        let known = path.attribute.sub_attribute(&name).filter(|sub_attribute| sub_attribute.is_writable());
        if let Some(sub_attribute) = known {
            let path = AttributePath { sub_attribute: Some(sub_attribute), ..path };
            assignments.push((sub_attribute.name, typed(path, value)?));
        }
    }
    Ok(assignments)
}

/// Whether the assignments would make the object stand for something else.
pub(super) fn names_another<'a>(object: &Object<'a>, assignments: &[Assignment<'a>]) -> bool {
    let Some(old) = object.get("value") else { return false };
    assignments.iter().any(|(name, value)| *name == "value" && value.as_ref() != Some(old))
}

/// Sets a member, or removes it. Returns whether that changes anything.
pub(super) fn assign<'a>(object: &mut Object<'a>, name: impl Into<Cow<'a, str>>, value: Option<Value<'a>>) -> bool {
    let name = name.into();
    match value {
        None => object.remove(&name).is_some(),
        Some(value) if object.get(&name) == Some(&value) => false,
        Some(value) => {
            object.set(name, value);
            true
        }
    }
}

/// Carries out all assignments. Returns whether one of them changes anything.
pub(super) fn assign_all<'a, N: Into<Cow<'a, str>>>(
    object: &mut Object<'a>,
    assignments: impl IntoIterator<Item = (N, Option<Value<'a>>)>,
) -> bool {
    let mut changed = false;
    for (name, value) in assignments {
        changed |= assign(object, name, value);
    }
    changed
}
