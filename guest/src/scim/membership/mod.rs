//! Memberships as resources of their own, `/GroupMemberships` (draft-zollner-scim-group-members): for clients that must not
//! read or send a large group whole. A directory has them only if its settings say so.
//!
//! What is added or removed here goes the way of a PATCH of the group, so it comes to the same, whoever asks. A membership
//! never changes: there is no PUT and no PATCH, and no version. It is not known when it was made.

mod list;
mod question;
mod render;

use alloc::string::String;

use super::conditions::Conditions;
use super::membership_id::MembershipId;
use super::query::Parameters;
use super::write::Method;
use crate::directories::Effect;
use crate::json::{Object, Value};
use crate::language::error::{Error, Result};
use crate::language::resource::{self, Projection};
use crate::language::schema::GROUP_MEMBERSHIP;
use crate::provisioning::notes::{Done, shown_name};
use crate::provisioning::scope::Scope;
use crate::provisioning::{groups, memberships};
use crate::scim::http::{Request, Response};
use crate::store::keys::Kind;
use crate::store::records::Stored;

use self::render::Membership;
pub use render::location;

/// What is to be done to a membership. It is read before any transaction begins, and can be tried several times.
pub enum Write {
    /// POST: a user is added to a group. Both ids are as the client wrote them.
    Add { group: String, user: String },
    /// DELETE: the user is removed from the group.
    Remove,
}

impl Write {
    /// Reads the body that comes with a method.
    ///
    /// # Errors
    /// 400 if the body cannot be accepted; 405 for a method that memberships do not have.
    pub fn read(method: Method, body: Option<Value<'_>>) -> Result<Self> {
        match method {
            Method::Post => {
                let body = body.ok_or_else(|| Error::invalid_syntax("the request needs a body"))?;
                let attributes = resource::read(&GROUP_MEMBERSHIP, body)?.attributes;
                Ok(Write::Add { group: id_in(&attributes, "group"), user: id_in(&attributes, "member") })
            }
            Method::Delete => Ok(Write::Remove),
            Method::Put | Method::Patch => Err(Error::method_not_allowed("GET, HEAD, DELETE")),
        }
    }

    /// Carries out the write. `id` is the membership that the path names, if it names one. Returns the membership that it
    /// was about, and its group as it is then.
    ///
    /// # Errors
    /// The refusal, as [`groups::add_member`] and [`groups::remove_member`] say; 404 if the id is of no membership. The
    /// transaction may then hold parts of the write, and must not be committed as it is.
    pub fn perform(
        &self,
        scope: &mut Scope<'_>,
        id: &str,
        conditions: &Conditions<'_>,
    ) -> Result<(MembershipId, Stored)> {
        scope.notes.done = Done::default();
        let (id, stored) = self.change(scope, id, conditions)?;
        let name = stored.name(Kind::Group).map(|name| shown_name(&name));
        let done = &mut scope.notes.done;
        (done.id, done.name, done.effect) = (Some(id.group.clone()), name, Some(Effect::Changed));
        Ok((id, stored))
    }

    fn change(&self, scope: &mut Scope<'_>, id: &str, conditions: &Conditions<'_>) -> Result<(MembershipId, Stored)> {
        match self {
            Write::Add { group, user } => {
                let stored = groups::add_member(scope, group, user)?;
                Ok((MembershipId::of(group, user).ok_or_else(no_such)?, stored))
            }
            Write::Remove => {
                let id = MembershipId::read(id).ok_or_else(no_such)?;
                let group = memberships::find(scope, &id.group, &id.user)?.ok_or_else(no_such)?;
                conditions.check_unversioned()?;
                let stored = groups::remove_member(scope, &id.group, &group, &id.user)?;
                Ok((id, stored))
            }
        }
    }
}

/// The answer to a query for memberships.
///
/// # Errors
/// 400 if the query cannot be accepted; and where the storage fails.
pub fn search(scope: &mut Scope<'_>, parameters: &Parameters<'_>) -> Result<Response> {
    let query = parameters.query(&GROUP_MEMBERSHIP, scope.directory(), false)?;
    Ok(Response::with_body(200, list::respond(scope, &query)?))
}

/// The answer to a read of one membership.
///
/// # Errors
/// 404; 400 and 412 for parameters and conditions that cannot be met; and where the storage fails.
pub fn read_one(scope: &mut Scope<'_>, request: &Request, id: &str) -> Result<Response> {
    let wanted = wanted(request)?;
    let id = MembershipId::read(id).ok_or_else(no_such)?;
    let group = memberships::find(scope, &id.group, &id.user)?.ok_or_else(no_such)?;
    Conditions::of(request).check_unversioned()?;
    Ok(Response::with_body(200, shown(scope, &id, &group, &wanted)?))
}

/// The answer to an addition: the new membership.
///
/// # Errors
/// Where the stored group cannot be read.
pub fn added(scope: &Scope<'_>, id: &MembershipId, group: &Stored, wanted: &Projection) -> Result<Response> {
    let response = Response::with_body(201, shown(scope, id, group, wanted)?);
    Ok(response.header("location", location(scope, &id.text())))
}

/// One membership as text.
fn shown(scope: &Scope<'_>, id: &MembershipId, group: &Stored, wanted: &Projection) -> Result<String> {
    let memberships = Membership::of(scope, &id.group, group, alloc::vec![id.user.clone()])?;
    Ok(memberships.iter().map(|membership| render::text(scope, membership, wanted)).collect())
}

/// Which parts of a membership a request asks for.
///
/// # Errors
/// 400 for lists that cannot be accepted.
pub fn wanted(request: &Request) -> Result<Projection> {
    Parameters::of_query(request.parameters())?.projection(&GROUP_MEMBERSHIP)
}

/// The `value` of a complex attribute; the schema makes sure that there is one.
fn id_in(attributes: &Object<'_>, name: &str) -> String {
    let value = attributes.get(name).and_then(Value::as_object).and_then(|part| part.get("value"));
    value.and_then(Value::as_str).unwrap_or_default().into()
}

fn no_such() -> Error {
    Error::not_found("there is no such membership in this directory")
}
