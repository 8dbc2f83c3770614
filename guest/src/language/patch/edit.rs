//! Operations on single-valued attributes, and the way to where an attribute's value is.

use alloc::borrow::Cow;
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;
use core::mem;

use super::{Effort, Operation, Verb, elements};
use crate::json::{Object, Value};
use crate::language::error::{Error, Result};
use crate::language::path::AttributePath;
use crate::language::resource::{object_for, typed};
use crate::language::schema::Type;

/// A sub-attribute and what it is to be; none takes it away.
pub(super) type Assignment<'a> = (&'static str, Option<Value<'a>>);

/// Carries out an operation on a resource; whether that changes anything.
pub(super) fn resource<'a>(resource: &mut Object<'a>, operation: Operation<'a>, effort: &mut Effort) -> Result<bool> {
    let Some(schema) = operation.path.extension else { return attribute(resource, operation, effort) };
    within(resource, schema.id, |extension| attribute(extension, operation, effort))
}

/// The same within the object that holds the attribute.
fn attribute<'a>(holder: &mut Object<'a>, operation: Operation<'a>, effort: &mut Effort) -> Result<bool> {
    let path = operation.path;
    if path.attribute.multi_valued {
        return elements::edit(holder, operation, effort);
    }
    if path.attribute.kind == Type::Complex {
        return complex(holder, operation);
    }
    let value = if operation.verb == Verb::Remove { None } else { typed(path, operation.value)? };
    if value.is_none() && path.is("active", None) {
        // A user is active or not. Who takes the status away says nothing about it, as who is silent on it in a PUT.
        return Ok(false);
    }
    if value.is_none() && path.attribute.required {
        return Err(Error::mutability(format!("{path} is required and cannot be removed")));
    }
    Ok(assign(holder, path.attribute.name, value))
}

fn complex<'a>(holder: &mut Object<'a>, operation: Operation<'a>) -> Result<bool> {
    let path = operation.path;
    let Some(assignments) = assignments(path, operation.verb, operation.value)? else {
        return Ok(assign(holder, path.attribute.name, None));
    };
    within(holder, path.attribute.name, |object| {
        // What is known of one manager says nothing about another.
        let is_another = path.sub_attribute.is_none() && names_another(object, &assignments);
        if is_another {
            *object = Object::new();
        }
        Ok(assign_all(object, assignments) || is_another)
    })
}

/// What an operation does to an object of its attribute; none where the object goes as a whole.
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

fn sub_assignments<'a>(path: AttributePath, object: Object<'a>) -> Result<Vec<Assignment<'a>>> {
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

/// Whether the object would come to stand for something else.
fn names_another<'a>(object: &Object<'a>, assignments: &[Assignment<'a>]) -> bool {
    let Some(old) = object.get("value") else { return false };
    assignments.iter().any(|(name, value)| *name == "value" && value.as_ref() != Some(old))
}

/// Carries out all assignments; whether one of them changes anything.
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

/// Gives a member its value, or takes it out; whether that changes anything.
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

/// Works on the object under a name. It is made for that where there is none, and does not stay when it is empty.
fn within<'a>(
    holder: &mut Object<'a>,
    name: &'static str,
    work: impl FnOnce(&mut Object<'a>) -> Result<bool>,
) -> Result<bool> {
    let mut object = match holder.get_mut(name) {
        Some(Value::Object(object)) => mem::take(object),
        _ => Object::new(),
    };
    let changed = work(&mut object)?;
    if object.is_empty() {
        holder.remove(name);
    } else {
        holder.set(name, Value::Object(object));
    }
    Ok(changed)
}
