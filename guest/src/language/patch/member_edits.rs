//! Operations on a group's members. They are not stored in the group, so the result is a list of what to do to them.

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::slice;

use super::{Operation, Verb};
use crate::json::Value;
use crate::language::error::{Error, Result};
use crate::language::filter::{Filter, Literal, Operator};
use crate::language::resource::{listed_ids, member_ids};

/// One thing to do to the members of a group.
#[derive(Debug, Clone, PartialEq)]
pub enum MemberEdit<'a> {
    /// These are to be members. Neighbouring operations come as one edit, which may have an id more than once.
    Add(Vec<Cow<'a, str>>),
    /// These are not to be members; those who are not members are passed over.
    Remove(Vec<Cow<'a, str>>),
    /// Nobody is to be a member.
    RemoveAll,
    /// These and nobody else are to be members.
    Replace(Vec<Cow<'a, str>>),
    /// Members for which the filter holds are to leave. It looks at the sub-attributes of a member, not only at
    /// `value`.
    RemoveWhere(Filter<'a>),
}

/// Adds what an operation on `members` does to the list of edits.
pub(super) fn edit<'a>(edits: &mut Vec<MemberEdit<'a>>, operation: Operation<'a>) -> Result<()> {
    let Operation { verb, path, filter, value } = operation;
    match (verb, path.sub_attribute.map(|sub_attribute| sub_attribute.name), filter) {
        (Verb::Add, None | Some("value"), None) => add(edits, member_ids(value)?),
        (Verb::Add, None, Some(filter)) => match ids_in(&filter) {
            Some(ids) => add(edits, ids),
            None => return Err(Error::no_target("the filter names no members that could be added")),
        },
        (Verb::Replace, None, None) => edits.push(MemberEdit::Replace(member_ids(value)?)),
        (Verb::Remove, None, None) if value == Value::Null => edits.push(MemberEdit::RemoveAll),
        (Verb::Remove, None, None) => remove(edits, listed_ids(value)?),
        // A member is gone with its value.
        (Verb::Remove, None | Some("value"), Some(filter)) => match ids_in(&filter) {
            Some(ids) => remove(edits, ids),
            None => edits.push(MemberEdit::RemoveWhere(filter)),
        },
        _ => return Err(Error::mutability("a member cannot be changed, only added and removed")),
    }
    Ok(())
}

/// Some providers send one operation for each member: together they cost no more than one for all.
fn add<'a>(edits: &mut Vec<MemberEdit<'a>>, ids: Vec<Cow<'a, str>>) {
    match edits.last_mut() {
        _ if ids.is_empty() => {}
        Some(MemberEdit::Add(added)) => added.extend(ids),
        _ => edits.push(MemberEdit::Add(ids)),
    }
}

fn remove<'a>(edits: &mut Vec<MemberEdit<'a>>, ids: Vec<Cow<'a, str>>) {
    match edits.last_mut() {
        _ if ids.is_empty() => {}
        Some(MemberEdit::Remove(removed)) => removed.extend(ids),
        _ => edits.push(MemberEdit::Remove(ids)),
    }
}

/// The members that a filter asks for, if it names them by their ids alone.
fn ids_in<'a>(filter: &Filter<'a>) -> Option<Vec<Cow<'a, str>>> {
    let terms = match filter {
        Filter::Or(terms) => terms.as_slice(),
        term => slice::from_ref(term),
    };
    let ids = terms.iter().map(|term| match term {
        Filter::Compare { path, operator: Operator::Equal, literal: Literal::Text { given, .. } }
            if path.is("value", None) =>
        {
            Some(given.clone())
        }
        _ => None,
    });
    ids.collect()
}
