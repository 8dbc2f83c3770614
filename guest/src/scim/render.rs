//! Resources as they are returned (RFC 7643, section 3).
//!
//! A whole resource is spliced together from its stored text without parsing it. It is parsed only if a client asked
//! for part of it.

use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::json::{self, Object, Value, push_string};
use crate::language::error::Result;
use crate::language::resource::Projection;
use crate::language::schema::{CORE_GROUP, CORE_USER, ENTERPRISE_USER, USHER_GROUP, USHER_USER};
use crate::provisioning::members::member_for_filter;
use crate::provisioning::memberships::{self, groups_with_names};
use crate::provisioning::scope::Scope;
use crate::store::keys::Kind;
use crate::store::records::{Header, Stored};

/// For how much of a group's members room is made at once: some 150,000 of them. More is added as it is needed.
const RESERVED_BYTES: usize = 24 << 20;

/// How much room is made for what follows a group's members, so that they need not be moved for it.
const META_BYTES: usize = 1 << 10;

/// The parts of a resource that are not stored under its own key.
#[derive(Debug, Clone, Default)]
pub struct Related {
    /// The groups of a user, with their names.
    pub groups: Vec<(String, String)>,
    /// The members of a group.
    pub members: Vec<String>,
}

/// One resource, or the part of it that is asked for.
///
/// # Errors
/// Where the storage fails.
pub fn resource(scope: &mut Scope<'_>, kind: Kind, id: &str, stored: &Stored, wanted: &Projection) -> Result<String> {
    match kind {
        Kind::User => {
            let groups = if wanted.wants("groups") { groups_with_names(scope, &[id])?.pop() } else { None };
            user(scope, id, stored, wanted, groups.unwrap_or_default())
        }
        Kind::Group => {
            let mut out = String::new();
            push_group(&mut out, scope, id, stored, wanted)?;
            Ok(out)
        }
    }
}

/// A user whose groups are known, or the part of it that is asked for.
///
/// # Errors
/// Where the stored value cannot be read.
pub fn user(
    scope: &Scope<'_>,
    id: &str,
    stored: &Stored,
    wanted: &Projection,
    groups: Vec<(String, String)>,
) -> Result<String> {
    let mut out = String::with_capacity(stored.text().len() + 512);
    push_user(&mut out, scope, id, stored, wanted, groups)?;
    Ok(out)
}

/// Appends a user whose groups are known.
///
/// # Errors
/// Where the stored value cannot be read.
pub fn push_user(
    out: &mut String,
    scope: &Scope<'_>,
    id: &str,
    stored: &Stored,
    wanted: &Projection,
    groups: Vec<(String, String)>,
) -> Result<()> {
    if !wanted.is_everything() {
        let related = Related { groups, ..Related::default() };
        return push_part(out, scope, Kind::User, id, stored, wanted, &related);
    }
    push_beginning(out, Kind::User, id, stored);
    if !stored.has_status() {
        out.push_str(if stored.header.inactive { ",\"active\":false" } else { ",\"active\":true" });
    }
    if !groups.is_empty() {
        let prefix = escaped(&scope.location(Kind::Group, ""));
        out.push_str(",\"groups\":[");
        for (at, (group, name)) in groups.iter().enumerate() {
            out.push_str(if at == 0 { "{\"value\":\"" } else { ",{\"value\":\"" });
            out.push_str(group);
            out.push_str("\",\"$ref\":\"");
            out.push_str(&prefix);
            out.push_str(group);
            out.push_str("\",\"display\":");
            push_string(out, name);
            out.push_str(",\"type\":\"direct\"}");
        }
        out.push(']');
    }
    push_meta(out, scope, Kind::User, id, &stored.header);
    Ok(())
}

/// Appends a group.
///
/// # Errors
/// Where the storage fails.
pub fn push_group(
    out: &mut String,
    scope: &mut Scope<'_>,
    id: &str,
    stored: &Stored,
    wanted: &Projection,
) -> Result<()> {
    if !wanted.is_everything() && wanted.wants("members") {
        let mut related = Related::default();
        memberships::for_each(scope, id, stored.header.members, |user| {
            related.members.push(user.to_string());
            Ok(())
        })?;
        return push_part(out, scope, Kind::Group, id, stored, wanted, &related);
    }
    if !wanted.is_everything() {
        return push_part(out, scope, Kind::Group, id, stored, wanted, &Related::default());
    }
    push_beginning(out, Kind::Group, id, stored);
    out.push_str(",\"members\":[");
    let prefix = escaped(&scope.location(Kind::User, ""));
    let each = prefix.len() + 2 * id.len() + "{\"value\":\"\",\"$ref\":\"\",\"type\":\"User\"},".len();
    let members = (stored.header.members as usize).saturating_mul(each);
    out.reserve(members.saturating_add(META_BYTES).min(RESERVED_BYTES));
    let mut first = true;
    memberships::for_each(scope, id, stored.header.members, |user| {
        out.push_str(if first { "{\"value\":\"" } else { ",{\"value\":\"" });
        first = false;
        out.push_str(user);
        out.push_str("\",\"$ref\":\"");
        out.push_str(&prefix);
        out.push_str(user);
        out.push_str("\",\"type\":\"User\"}");
        Ok(())
    })?;
    out.push(']');
    push_meta(out, scope, Kind::Group, id, &stored.header);
    Ok(())
}

fn push_beginning(out: &mut String, kind: Kind, id: &str, stored: &Stored) {
    out.push_str("{\"schemas\":[\"");
    for (at, schema) in schemas(kind, &stored.header).iter().enumerate() {
        if at > 0 {
            out.push_str("\",\"");
        }
        out.push_str(schema);
    }
    out.push_str("\"],\"id\":\"");
    out.push_str(id);
    out.push('"');
    // The text between the braces; `Stored` makes sure that they are there.
    let attributes = stored.attributes_text();
    let inner = attributes.get(1..attributes.len() - 1).unwrap_or_default();
    if !inner.is_empty() {
        out.push(',');
        out.push_str(inner);
    }
}

fn push_meta(out: &mut String, scope: &Scope<'_>, kind: Kind, id: &str, header: &Header) {
    out.push_str(",\"meta\":{\"resourceType\":\"");
    out.push_str(kind.resource_type().name);
    out.push_str("\",\"created\":");
    push_string(out, &header.created);
    out.push_str(",\"lastModified\":");
    push_string(out, &header.modified);
    out.push_str(",\"location\":");
    push_string(out, &scope.location(kind, id));
    out.push_str(",\"version\":");
    push_string(out, &header.etag());
    out.push_str("}}");
}

fn push_part(
    out: &mut String,
    scope: &Scope<'_>,
    kind: Kind,
    id: &str,
    stored: &Stored,
    wanted: &Projection,
    related: &Related,
) -> Result<()> {
    let mut object = object(scope, kind, id, stored, related)?;
    wanted.apply(&mut object);
    let linked = match kind {
        Kind::User => USHER_USER,
        Kind::Group => USHER_GROUP,
    };
    if object.get(linked).is_some()
        && let Some(Value::Array(schemas)) = object.get_mut("schemas")
    {
        schemas.push(Value::from(linked));
    }
    out.push_str(&json::to_text(&object));
    Ok(())
}

/// A resource as an object with all its attributes, for filters, sorting and projections.
///
/// # Errors
/// Where the stored value cannot be read.
pub fn object<'s>(
    scope: &Scope<'_>,
    kind: Kind,
    id: &'s str,
    stored: &'s Stored,
    related: &'s Related,
) -> Result<Object<'s>> {
    let mut object = Object::new();
    object.push("schemas", Value::Array(schemas(kind, &stored.header).iter().map(|urn| Value::from(*urn)).collect()));
    object.push("id", Value::from(id));
    for (name, value) in scope.attributes(kind, id, stored)? {
        object.push(name, value);
    }
    match kind {
        Kind::User if !related.groups.is_empty() => {
            let groups = related.groups.iter().map(|(group, name)| {
                element([
                    ("value", Value::from(group.as_str())),
                    ("$ref", Value::from(scope.location(Kind::Group, group))),
                    ("display", Value::from(name.as_str())),
                    ("type", Value::from("direct")),
                ])
            });
            object.push("groups", Value::Array(groups.collect()));
        }
        Kind::User => {}
        Kind::Group => {
            let base = scope.location(Kind::User, "");
            let members = related.members.iter().map(|user| Value::Object(member_for_filter(&base, user)));
            object.push("members", Value::Array(members.collect()));
        }
    }
    let header = &stored.header;
    if let Some(customer) = &header.customer {
        object.push(USHER_USER, element([("customerId", Value::from(customer.as_str()))]));
    }
    if let Some(organization) = header.organization {
        object.push(USHER_GROUP, element([("organizationId", Value::from(organization.to_string()))]));
    }
    object.push(
        "meta",
        element([
            ("resourceType", Value::from(kind.resource_type().name)),
            ("created", Value::from(header.created.as_str())),
            ("lastModified", Value::from(header.modified.as_str())),
            ("location", Value::from(scope.location(kind, id))),
            ("version", Value::from(header.etag())),
        ]),
    );
    Ok(object)
}

fn element<'s, const N: usize>(members: [(&'static str, Value<'s>); N]) -> Value<'s> {
    Value::Object(object_of(members))
}

fn object_of<'s, const N: usize>(members: [(&'static str, Value<'s>); N]) -> Object<'s> {
    members.into_iter().map(|(name, value)| (Cow::Borrowed(name), value)).collect()
}

fn schemas(kind: Kind, header: &Header) -> &'static [&'static str] {
    match (kind, header.enterprise) {
        (Kind::User, false) => &[CORE_USER],
        (Kind::User, true) => &[CORE_USER, ENTERPRISE_USER],
        (Kind::Group, _) => &[CORE_GROUP],
    }
}

/// A text escaped for the inside of a JSON string.
fn escaped(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    push_string(&mut quoted, text);
    quoted.get(1..quoted.len() - 1).unwrap_or_default().to_string()
}
