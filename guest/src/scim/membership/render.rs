//! Memberships as they are returned.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::super::membership_id::MembershipId;
use crate::json::{self, Object, Value};
use crate::language::error::Result;
use crate::language::resource::Projection;
use crate::language::schema::{CORE_GROUP_MEMBERSHIP, GROUP_MEMBERSHIP};
use crate::provisioning::profile::group_name;
use crate::provisioning::scope::Scope;
use crate::store::keys::Kind;
use crate::store::records::Stored;

/// A membership, and what is shown of its group.
pub struct Membership {
    /// Its id.
    pub id: MembershipId,
    /// The name of its group.
    pub group_name: String,
}

impl Membership {
    /// The memberships of these users in a group.
    ///
    /// # Errors
    /// Where the stored group cannot be read.
    pub fn of(scope: &Scope<'_>, group: &str, stored: &Stored, users: Vec<String>) -> Result<Vec<Self>> {
        if users.is_empty() {
            return Ok(Vec::new());
        }
        let attributes = stored.attributes(&Kind::Group.resource(scope.directory(), group))?;
        let name = group_name(&attributes);
        let membership =
            |user| Membership { id: MembershipId { group: group.to_string(), user }, group_name: name.to_string() };
        Ok(users.into_iter().map(membership).collect())
    }
}

/// The URL of a membership.
#[must_use]
pub fn location(scope: &Scope<'_>, id: &str) -> String {
    [&scope.context.base, GROUP_MEMBERSHIP.endpoint, "/", id].concat()
}

/// A membership, or the part of it that is asked for.
pub fn text(scope: &Scope<'_>, membership: &Membership, wanted: &Projection) -> String {
    let mut object = object(scope, membership);
    wanted.apply(&mut object);
    json::to_text(&object)
}

fn object<'m>(scope: &Scope<'_>, membership: &'m Membership) -> Object<'m> {
    let (group, user, id) = (&membership.id.group, &membership.id.user, membership.id.text());
    let meta = [("resourceType", Value::from(GROUP_MEMBERSHIP.name)), ("location", Value::from(location(scope, &id)))];
    let group = [
        ("value", Value::from(group.as_str())),
        ("$ref", Value::from(scope.location(Kind::Group, group))),
        ("display", Value::from(membership.group_name.as_str())),
    ];
    let member = [
        ("value", Value::from(user.as_str())),
        ("$ref", Value::from(scope.location(Kind::User, user))),
        ("type", Value::from("User")),
    ];
    object_of([
        ("schemas", Value::Array(alloc::vec![CORE_GROUP_MEMBERSHIP.into()])),
        ("id", id.into()),
        ("group", Value::Object(object_of(group))),
        ("member", Value::Object(object_of(member))),
        ("meta", Value::Object(object_of(meta))),
    ])
}

fn object_of<'m, const N: usize>(members: [(&'static str, Value<'m>); N]) -> Object<'m> {
    members.into_iter().map(|(name, value)| (name.into(), value)).collect()
}
