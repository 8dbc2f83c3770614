//! Writes to one resource, alone or as an operation of a bulk request.

use alloc::string::ToString;
use alloc::vec::Vec;

use super::conditions::Conditions;
use crate::directories::Effect;
use crate::json::{Object, Value};
use crate::language::error::{Error, Result, ScimType};
use crate::language::patch::{self, Effort, MemberEdit, Operation};
use crate::language::resource::{self, Representation};
use crate::provisioning::notes::{Done, shown_name};
use crate::provisioning::scope::Scope;
use crate::provisioning::{groups, users};
use crate::store::keys::Kind;
use crate::store::records::Stored;

/// What is to be done to a resource. It is read from the request before any transaction begins, and can be tried
/// several times.
#[derive(Debug, Clone)]
pub enum Write<'r> {
    /// POST: the resource is made.
    Create(Representation<'r>),
    /// PUT: the resource is replaced by this one (RFC 7644, section 3.5.1).
    Replace(Representation<'r>),
    /// PATCH: parts of the resource change.
    Patch(Vec<Operation<'r>>),
    /// DELETE: the resource is removed.
    Delete,
}

impl<'r> Write<'r> {
    /// Reads the body that comes with a method.
    ///
    /// # Errors
    /// 400 if the body cannot be accepted.
    pub fn read(kind: Kind, method: Method, body: Option<Value<'r>>) -> Result<Self> {
        let body = || body.ok_or_else(|| Error::invalid_syntax("the request needs a body"));
        Ok(match method {
            Method::Post => Write::Create(resource::read(kind.resource_type(), body()?)?),
            Method::Put => Write::Replace(resource::read(kind.resource_type(), body()?)?),
            Method::Patch => Write::Patch(patch::parse(kind.resource_type(), body()?)?),
            Method::Delete => Write::Delete,
        })
    }

    /// Whether it changes an existing user and sets the status.
    #[must_use]
    pub fn says_status(&self) -> bool {
        match self {
            Write::Replace(new) => new.attributes.get("active").is_some(),
            Write::Patch(operations) => operations.iter().any(Operation::says_status),
            Write::Create(_) | Write::Delete => false,
        }
    }

    /// Carries out the write. For a creation, `id` is the id of the new resource. Returns the resource as it is
    /// afterwards.
    ///
    /// # Errors
    /// The refusal, if the rules or the state of the resource do not allow the write. The transaction may then hold
    /// parts of the write, and must not be committed as it is.
    pub fn perform(
        &self,
        scope: &mut Scope<'_>,
        kind: Kind,
        id: &str,
        conditions: &Conditions<'_>,
    ) -> Result<Option<Stored>> {
        scope.notes.done = Done::default();
        if let Write::Create(new) = self {
            let made = create(scope, kind, id, new)?;
            (scope.notes.done.id, scope.notes.done.effect) = (Some(id.to_string()), Some(Effect::Created));
            return Ok(Some(made));
        }
        let old = scope.load(kind, id)?;
        (scope.notes.done.id, scope.notes.done.name) =
            (Some(id.to_string()), old.name(kind).map(|name| shown_name(&name)));
        conditions.check(&old.header)?;
        let stored = self.change(scope, kind, id, &old)?;
        scope.notes.done.effect = Some(match &stored {
            None => Effect::Deleted,
            Some(stored) if stored.header.version == old.header.version => Effect::Unchanged,
            Some(_) => Effect::Changed,
        });
        Ok(stored)
    }

    /// Carries out a write to a resource that is there.
    fn change(&self, scope: &mut Scope<'_>, kind: Kind, id: &str, old: &Stored) -> Result<Option<Stored>> {
        match self {
            Write::Delete | Write::Create(_) => {
                match kind {
                    Kind::User => users::delete(scope, id, old)?,
                    Kind::Group => groups::delete(scope, id, old)?,
                }
                Ok(None)
            }
            Write::Replace(new) => {
                // What a PUT does not name is cleared, members included; only the status stays.
                let members = MemberEdit::Replace(new.members.clone().unwrap_or_default());
                match kind {
                    Kind::User => users::update(scope, id, old, new.attributes.clone(), is_inactive(&new.attributes)),
                    Kind::Group => groups::update(scope, id, old, &new.attributes, &[members]),
                }
                .map(Some)
            }
            Write::Patch(operations) => {
                let mut after = scope.attributes(kind, id, old)?;
                let outcome = patch::apply(kind.resource_type(), &mut after, operations.clone(), &mut scope.effort);
                match (kind, outcome) {
                    (Kind::Group, outcome) => groups::update(scope, id, old, &after, &outcome?.members),
                    (Kind::User, Ok(_)) => {
                        let leaves = self.says_status() && is_inactive(&after);
                        users::update(scope, id, old, after, leaves)
                    }
                    (Kind::User, Err(refusal)) => {
                        let before = scope.attributes(kind, id, old)?;
                        let left = patch_of_leaver(before, operations, &mut scope.effort);
                        let Some(after) = left else { return Err(refusal) };
                        let stored = users::update(scope, id, old, after, true)?;
                        users::note_left_out(scope, id, "an operation", &refusal);
                        Ok(stored)
                    }
                }
                .map(Some)
            }
        }
    }
}

/// The methods that write to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    /// The method of this name, in any letter case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let all = [("POST", Method::Post), ("PUT", Method::Put), ("PATCH", Method::Patch), ("DELETE", Method::Delete)];
        all.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, method)| method)
    }
}

fn create(scope: &mut Scope<'_>, kind: Kind, id: &str, new: &Representation<'_>) -> Result<Stored> {
    match kind {
        Kind::User => users::create(scope, id, &new.attributes),
        Kind::Group => {
            let members = MemberEdit::Add(new.members.clone().unwrap_or_default());
            groups::create(scope, id, &new.attributes, &[members])
        }
    }
}

/// Whether the attributes say that the user is inactive.
fn is_inactive(user: &Object<'_>) -> bool {
    user.get("active") == Some(&Value::Bool(false))
}

/// The user after a request that cannot be carried out as a whole, but has an operation that makes the user inactive: a
/// leaver must lose access, whatever else the request asks for. `None` if the user does not leave, or an operation
/// would be wrong for any user.
fn patch_of_leaver<'a>(before: Object<'a>, operations: &[Operation<'a>], effort: &mut Effort) -> Option<Object<'a>> {
    let user = Kind::User.resource_type();
    let (mut after, mut leaves) = (before, false);
    for operation in operations {
        let mut next = after.clone();
        match patch::apply(user, &mut next, alloc::vec![operation.clone()], effort) {
            Ok(_) => {
                after = next;
                leaves |= operation.says_status();
            }
            Err(refusal) if refusal.scim_type == Some(ScimType::NoTarget) => {}
            Err(_) => {
                let mut other = Object::new();
                other.set("userName", "another user".into());
                patch::apply(user, &mut other, alloc::vec![operation.clone()], effort).ok()?;
            }
        }
    }
    (leaves && is_inactive(&after)).then_some(after)
}
