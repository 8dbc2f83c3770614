//! PATCH (RFC 7644, section 3.5.2): [`parse`] reads the message, [`apply`] carries it out on a stored resource.
//!
//! Where identity providers depart from the RFC, or the RFC leaves room:
//! - `op`, attribute names and URNs are taken in any letter case, and values in every form that
//!   [`resource::read`](crate::language::resource::read) takes them in.
//! - `remove` with a `value` on a multi-valued attribute takes out what is listed and nothing else (Entra); an empty
//!   list takes out nothing. Without a `value`, or with `null`, all goes.
//! - `add` and `replace` through a filter that matches nothing make the element that the filter describes, as in
//!   `emails[type eq "work"].value` (Entra); `noTarget` is for filters that describe no element.
//! - Through a filter, `replace` keeps the sub-attributes that it does not name: an email that lost its `primary` to a
//!   corrected `display` would be another identity.
//! - A value without a `path` may have paths for names, and what cannot be written in it is passed over: clients send
//!   back what they were given. A `path` that leads to what cannot be written is refused.
//! - Removing `active`, or making it `null`, leaves the status as it is: a user is active or not.
//! - What the schema does not know is passed over everywhere: `password`, custom extensions.
//! - Writing what is there already changes nothing, and the outcome says so.

mod assign;
mod edit;
mod effort;
mod elements;
mod member_edits;
mod owned;
mod request;

use alloc::vec::Vec;

use crate::json::{Object, Value};
use crate::language::error::Result;
use crate::language::filter::Filter;
use crate::language::path::AttributePath;
use crate::language::resource;
use crate::language::schema::ResourceType;

pub use effort::Effort;
pub use member_edits::MemberEdit;
pub use request::parse;

/// One operation on one attribute. An operation without a path becomes as many as its value has members.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation<'a> {
    verb: Verb,
    path: AttributePath,
    /// Which elements of a multi-valued attribute are meant; `None` for all.
    filter: Option<Filter<'a>>,
    /// [`Value::Null`] if a removal has no value.
    value: Value<'a>,
}

impl Operation<'_> {
    /// Whether it sets the status of a user. Removing `active` does not: the status stays.
    #[must_use]
    pub fn says_status(&self) -> bool {
        self.path.is("active", None) && self.verb != Verb::Remove && self.value != Value::Null
    }
}

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Add,
    Replace,
    Remove,
}

/// What operations did.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome<'a> {
    /// The attributes of the resource that are no longer what they were, an extension as a whole under its URN. Empty
    /// where the resource is as before.
    pub changed: Vec<&'static str>,
    /// What is to be done to a group's members, in this order. Only a look at the members can tell whether it changes
    /// anything.
    pub members: Vec<MemberEdit<'a>>,
}

/// Carries out the operations one after another on the stored attributes of a resource.
///
/// # Errors
/// The RFC's errors for the operation: `mutability`, `noTarget`, `invalidValue`, `invalidSyntax`; `tooMany` if the
/// operations take more effort than is left. The resource may then be changed in part, and must not be stored.
pub fn apply<'a>(
    resource_type: &'static ResourceType,
    resource: &mut Object<'a>,
    operations: Vec<Operation<'a>>,
    effort: &mut Effort,
) -> Result<Outcome<'a>> {
    let mut outcome = Outcome::default();
    for operation in operations {
        if operation.path.attribute.name == "members" {
            member_edits::edit(&mut outcome.members, operation)?;
            continue;
        }
        let path = operation.path;
        let name = path.extension.map_or(path.attribute.name, |schema| schema.id);
        if edit::resource(resource, operation, effort)? && !outcome.changed.contains(&name) {
            outcome.changed.push(name);
        }
    }
    if !outcome.changed.is_empty() {
        resource::check(resource_type, resource)?;
    }
    Ok(outcome)
}

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
