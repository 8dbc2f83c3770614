//! Operations on single-valued attributes, and the way to where an attribute's value is.

use alloc::format;
use core::mem;

use super::assign::{assign, assign_all, assignments, names_another};
use super::{Effort, Operation, Verb, elements};
use crate::json::{Object, Value};
use crate::language::error::{Error, Result};
use crate::language::resource::typed;
use crate::language::schema::Type;

/// Carries out an operation on a resource. Returns whether that changes anything.
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
        // A user is active or not. Removing the status says nothing about it, and neither does leaving it out of a PUT.
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

/// Works on the object under a name. If it is not there, it is made; if it is empty afterwards, it is removed.
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
