//! Operations on multi-valued attributes.

use alloc::format;
use alloc::vec::Vec;
use core::{mem, slice};

use super::assign::{Assignment, assign, assign_all, assignments};
use super::{Effort, Operation, Verb};
use crate::json::{Object, Value};
use crate::language::error::{Error, Result};
use crate::language::filter::{Filter, Literal, Operator};
use crate::language::path::AttributePath;
use crate::language::resource::{check_count, check_primary, elements, is_primary};
use crate::text::fold;

/// Carries out an operation on the attribute's list. Returns whether that changes anything.
pub(super) fn edit<'a>(holder: &mut Object<'a>, operation: Operation<'a>, effort: &mut Effort) -> Result<bool> {
    let path = operation.path;
    let mut list = match holder.get_mut(path.attribute.name) {
        Some(Value::Array(list)) => mem::take(list),
        _ => Vec::new(),
    };
    let given = operation.value.as_array().map_or(1, <[_]>::len);
    let tests = operation.filter.as_ref().map_or(given, Filter::tests);
    effort.spend(list.len().saturating_add(given), tests)?;
    let changed = match (operation.filter, operation.verb) {
        (None, verb) if path.sub_attribute.is_none() => whole(path, &mut list, verb, operation.value)?,
        (filter, verb) => selected(path, &mut list, filter.as_ref(), verb, operation.value)?,
    };
    if changed {
        effort.spend(list.len(), list.len() / 2)?;
        drop_repeats(&mut list);
        check_count(path, list.len())?;
        check_primary(path, &list)?;
    }
    assign_list(holder, path.attribute.name, list);
    Ok(changed)
}

fn assign_list<'a>(holder: &mut Object<'a>, name: &'static str, list: Vec<Value<'a>>) {
    if list.is_empty() {
        holder.remove(name);
    } else {
        holder.set(name, Value::Array(list));
    }
}

/// An operation on the list itself.
fn whole<'a>(path: AttributePath, list: &mut Vec<Value<'a>>, verb: Verb, value: Value<'a>) -> Result<bool> {
    let is_for_all = value == Value::Null;
    let given = elements(path, value)?;
    match verb {
        Verb::Add => {
            let mut changed = false;
            for element in given {
                changed |= add(path, list, element);
            }
            Ok(changed)
        }
        Verb::Replace => {
            let old = mem::replace(list, given);
            Ok(*list != old)
        }
        Verb::Remove => {
            let before = list.len();
            list.retain(|element| !(is_for_all || given.iter().any(|listed| is_meant(path, listed, element))));
            Ok(list.len() != before)
        }
    }
}

/// Adds an element, or what is new in it where the list has it already.
fn add<'a>(path: AttributePath, list: &mut Vec<Value<'a>>, new: Value<'a>) -> bool {
    if list.contains(&new) {
        return false;
    }
    let at = position(path, list, &new);
    if is_primary(&new) {
        take_primary(list, |other| Some(other) != at);
    }
    match (at.and_then(|at| list.get_mut(at)), new) {
        (Some(Value::Object(old)), Value::Object(new)) => {
            assign_all(old, new.into_iter().map(|(name, value)| (name, Some(value))))
        }
        (_, new) => {
            list.push(new);
            true
        }
    }
}

/// The place of an element with the same `value`: one with the same `type`, else one where either has no type.
fn position(path: AttributePath, list: &[Value<'_>], new: &Value<'_>) -> Option<usize> {
    let of_kind = |kind| list.iter().position(|element| likeness(path, element, new) == Some(kind));
    of_kind(Likeness::SameType).or_else(|| of_kind(Likeness::TypeOpen))
}

/// How alike two elements with the same `value` are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Likeness {
    SameType,
    TypeOpen,
}

/// `None` if the elements are different.
fn likeness(path: AttributePath, one: &Value<'_>, other: &Value<'_>) -> Option<Likeness> {
    let (one, other) = (one.as_object()?, other.as_object()?);
    if !is_same(path, "value", one.get("value")?, other.get("value")?) {
        return None;
    }
    match (one.get("type"), other.get("type")) {
        (None, None) => Some(Likeness::SameType),
        (Some(one), Some(other)) => is_same(path, "type", one, other).then_some(Likeness::SameType),
        _ => Some(Likeness::TypeOpen),
    }
}

/// Whether two values of a sub-attribute are the same, without regard to letter case where it does not matter.
fn is_same(path: AttributePath, name: &str, one: &Value<'_>, other: &Value<'_>) -> bool {
    let case_exact = path.attribute.sub_attribute(name).is_none_or(|sub_attribute| sub_attribute.case_exact);
    match (one.as_str(), other.as_str()) {
        (Some(one), Some(other)) if !case_exact => fold(one) == fold(other),
        _ => one == other,
    }
}

/// Whether an element is one that a removal lists: by its `value` if that is given, else by everything that is given.
fn is_meant(path: AttributePath, listed: &Value<'_>, element: &Value<'_>) -> bool {
    let (Some(given), Some(object)) = (listed.as_object(), element.as_object()) else { return false };
    if given.get("value").is_some() {
        return likeness(path, listed, element).is_some();
    }
    given.iter().all(|(name, value)| object.get(name).is_some_and(|own| is_same(path, name, own, value)))
}

/// An operation on the elements for which the filter holds, or on all of them if there is no filter.
fn selected<'a>(
    path: AttributePath,
    list: &mut Vec<Value<'a>>,
    filter: Option<&Filter<'a>>,
    verb: Verb,
    value: Value<'a>,
) -> Result<bool> {
    let is_selected = |element: &Value<'a>| match (filter, element.as_object()) {
        (Some(filter), Some(element)) => filter.matches(element),
        _ => true,
    };
    let chosen: Vec<bool> = list.iter().map(is_selected).collect();
    let found = chosen.contains(&true);
    let Some(assignments) = assignments(path, verb, value)? else {
        // There is nothing to add, and that is no reason to remove anything.
        let goes = verb != Verb::Add && found;
        let mut chosen = chosen.into_iter();
        list.retain(|_| !(chosen.next().unwrap_or_default() && goes));
        return Ok(goes);
    };
    if !found {
        return if verb == Verb::Remove { Ok(false) } else { make(path, list, filter, assignments) };
    }
    if assignments.contains(&("primary", Some(Value::Bool(true)))) {
        take_primary(list, |at| !chosen[at]);
    }
    // An email is gone with its address, whatever else is known of it.
    let without_value = assignments.contains(&("value", None));
    let mut changed = false;
    let mut chosen = chosen.into_iter();
    list.retain_mut(|element| {
        let (true, Value::Object(object)) = (chosen.next().unwrap_or_default(), element) else { return true };
        changed |= assign_all(object, assignments.clone());
        let stays = !object.is_empty() && (!without_value || object.get("value").is_some());
        changed |= !stays;
        stays
    });
    Ok(changed)
}

/// Makes the element that the filter describes.
fn make<'a>(
    path: AttributePath,
    list: &mut Vec<Value<'a>>,
    filter: Option<&Filter<'a>>,
    assignments: Vec<Assignment<'a>>,
) -> Result<bool> {
    if assignments.iter().all(|(_, value)| value.is_none()) {
        return Ok(false);
    }
    let mut element = match filter {
        None => Object::new(),
        Some(filter) => described(filter)
            .ok_or_else(|| Error::no_target(format!("the filter matches no value of {}", path.attribute.name)))?,
    };
    assign_all(&mut element, assignments);
    let element = Value::Object(element);
    if is_primary(&element) {
        take_primary(list, |_| true);
    }
    let is_new = !list.contains(&element);
    if is_new {
        list.push(element);
    }
    Ok(is_new)
}

/// The element that a filter describes: `eq` on one sub-attribute or several. Not on `value`: that names an existing
/// element.
fn described<'a>(filter: &Filter<'a>) -> Option<Object<'a>> {
    let terms = match filter {
        Filter::And(terms) => terms.as_slice(),
        term => slice::from_ref(term),
    };
    let mut element = Object::new();
    for term in terms {
        match term {
            Filter::Compare { path, operator: Operator::Equal, literal } if !path.is("value", None) => {
                let value = literal_value(literal)?;
                let fits = element.get(path.attribute.name).is_none_or(|known| *known == value);
                if !fits {
                    return None;
                }
                assign(&mut element, path.attribute.name, Some(value));
            }
            _ => return None,
        }
    }
    Some(element)
}

fn literal_value<'a>(literal: &Literal<'a>) -> Option<Value<'a>> {
    match literal {
        Literal::Text { given, .. } => Some(Value::String(given.clone())),
        Literal::Boolean(flag) => Some(Value::Bool(*flag)),
        // No sub-attribute of a multi-valued attribute that clients write is a date.
        Literal::Instant(_) => None,
    }
}

/// A value that becomes the primary one takes that from the others (RFC 7644, section 3.5.2).
fn take_primary(list: &mut [Value<'_>], is_other: impl Fn(usize) -> bool) {
    for (at, element) in list.iter_mut().enumerate() {
        if let Value::Object(object) = element
            && is_other(at)
            && let Some(primary @ Value::Bool(true)) = object.get_mut("primary")
        {
            *primary = Value::Bool(false);
        }
    }
}

/// Removes elements that an operation has made equal to another.
fn drop_repeats(list: &mut Vec<Value<'_>>) {
    let mut at = 0;
    while at < list.len() {
        if list[..at].contains(&list[at]) {
            list.remove(at);
        } else {
            at += 1;
        }
    }
}
