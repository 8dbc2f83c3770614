//! The discovery endpoints (RFC 7644, section 4; RFC 7643, sections 5 to 7). Built from the schema definition, so that
//! they cannot differ from what is done.

use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::bulk;
use super::message::LIST_RESPONSE;
use super::query::{DEFAULT_PAGE, MAX_PAGE};
use crate::json::{self, Object, Value};
use crate::language::error::{Error, Result};
use crate::language::schema::{Attribute, GROUP_MEMBERSHIP, RESOURCE_TYPES, ResourceType, Schema, Type};
use crate::scim::http::MAX_BODY_BYTES;

/// What the service provider can do (RFC 7643, section 5; `pagination` is of RFC 9865, section 4).
#[must_use]
pub fn configuration(base: &str) -> String {
    let scheme = object([
        ("type", "oauthbearertoken".into()),
        ("name", "API key".into()),
        ("description", "An API key of the directory as a bearer token.".into()),
        ("specUri", "https://www.rfc-editor.org/rfc/rfc6750".into()),
        ("primary", Value::Bool(true)),
    ]);
    json::to_text(&object([
        ("schemas", array(["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig".into()])),
        ("patch", supported(true, [])),
        (
            "bulk",
            supported(
                true,
                [("maxOperations", number(bulk::MAX_OPERATIONS)), ("maxPayloadSize", number(MAX_BODY_BYTES))],
            ),
        ),
        ("filter", supported(true, [("maxResults", number(MAX_PAGE as usize))])),
        ("changePassword", supported(false, [])),
        ("sort", supported(true, [])),
        ("etag", supported(true, [])),
        (
            "pagination",
            object([
                ("cursor", Value::Bool(true)),
                ("index", Value::Bool(true)),
                ("defaultPaginationMethod", "index".into()),
                ("defaultPageSize", number(DEFAULT_PAGE as usize)),
                ("maxPageSize", number(MAX_PAGE as usize)),
            ]),
        ),
        ("authenticationSchemes", array([scheme])),
        (
            "meta",
            object([
                ("resourceType", "ServiceProviderConfig".into()),
                ("location", alloc::format!("{base}/ServiceProviderConfig").into()),
            ]),
        ),
    ]))
}

/// All resource types; `memberships` says whether memberships are resources of the directory.
#[must_use]
pub fn resource_types(base: &str, memberships: bool) -> String {
    list(offered(memberships).map(|resource_type| describe_type(resource_type, base)).collect())
}

/// One resource type.
///
/// # Errors
/// 404 if there is no such resource type or schema.
pub fn resource_type(base: &str, memberships: bool, id: &str) -> Result<String> {
    offered(memberships)
        .find(|resource_type| resource_type.name.eq_ignore_ascii_case(id))
        .map(|resource_type| json::to_text(&describe_type(resource_type, base)))
        .ok_or_else(|| Error::not_found("there is no such resource type"))
}

/// All schemas.
#[must_use]
pub fn schemas(base: &str, memberships: bool) -> String {
    list(all_schemas(memberships).map(|schema| describe_schema(schema, base)).collect())
}

/// One schema.
///
/// # Errors
/// 404 if there is no such resource type or schema.
pub fn schema(base: &str, memberships: bool, urn: &str) -> Result<String> {
    all_schemas(memberships)
        .find(|schema| schema.id.eq_ignore_ascii_case(urn))
        .map(|schema| json::to_text(&describe_schema(schema, base)))
        .ok_or_else(|| Error::not_found("there is no such schema"))
}

/// The resource types that the directory has.
fn offered(memberships: bool) -> impl Iterator<Item = &'static ResourceType> {
    RESOURCE_TYPES.into_iter().chain(memberships.then_some(&GROUP_MEMBERSHIP))
}

fn all_schemas(memberships: bool) -> impl Iterator<Item = &'static Schema> {
    offered(memberships)
        .flat_map(|resource_type| core::iter::once(resource_type.schema).chain(resource_type.extensions))
}

fn describe_type<'s>(resource_type: &'static ResourceType, base: &str) -> Value<'s> {
    let extensions: Vec<Value<'_>> = resource_type
        .extensions
        .iter()
        // Some clients expect the extensions listed here in every answer, others believe that they have to send them.
        .filter(|schema| !schema.is_on_request())
        .map(|schema| object([("schema", schema.id.into()), ("required", Value::Bool(false))]))
        .collect();
    let mut all = Object::new();
    all.push("schemas", array(["urn:ietf:params:scim:schemas:core:2.0:ResourceType".into()]));
    all.push("id", resource_type.name.into());
    all.push("name", resource_type.name.into());
    all.push("description", resource_type.description.into());
    all.push("endpoint", resource_type.endpoint.into());
    all.push("schema", resource_type.schema.id.into());
    if !extensions.is_empty() {
        all.push("schemaExtensions", Value::Array(extensions));
    }
    all.push(
        "meta",
        object([
            ("resourceType", "ResourceType".into()),
            ("location", alloc::format!("{base}/ResourceTypes/{}", resource_type.name).into()),
        ]),
    );
    Value::Object(all)
}

fn describe_schema<'s>(schema: &'static Schema, base: &str) -> Value<'s> {
    object([
        ("schemas", array(["urn:ietf:params:scim:schemas:core:2.0:Schema".into()])),
        ("id", schema.id.into()),
        ("name", schema.name.into()),
        ("description", schema.description.into()),
        ("attributes", Value::Array(schema.attributes.iter().map(describe_attribute).collect())),
        (
            "meta",
            object([
                ("resourceType", "Schema".into()),
                ("location", alloc::format!("{base}/Schemas/{}", schema.id).into()),
            ]),
        ),
    ])
}

/// The characteristics of an attribute (RFC 7643, section 7). Sub-attributes have none of their own, so the recursion
/// is one step deep.
fn describe_attribute<'s>(attribute: &'static Attribute) -> Value<'s> {
    let mut all = Object::new();
    all.push("name", attribute.name.into());
    all.push("type", attribute.kind.name().into());
    all.push("multiValued", Value::Bool(attribute.multi_valued));
    all.push("description", attribute.description.into());
    all.push("required", Value::Bool(attribute.required));
    all.push("mutability", attribute.mutability.name().into());
    all.push("returned", attribute.returned.name().into());
    if !attribute.canonical_values.is_empty() {
        all.push(
            "canonicalValues",
            Value::Array(attribute.canonical_values.iter().map(|text| (*text).into()).collect()),
        );
    }
    if attribute.kind == Type::Complex {
        all.push("subAttributes", Value::Array(attribute.sub_attributes.iter().map(describe_attribute).collect()));
        return Value::Object(all);
    }
    all.push("caseExact", Value::Bool(attribute.case_exact));
    all.push("uniqueness", if attribute.unique { "server" } else { "none" }.into());
    if attribute.kind == Type::Reference {
        all.push("referenceTypes", Value::Array(attribute.reference_types.iter().map(|text| (*text).into()).collect()));
    }
    Value::Object(all)
}

fn list(resources: Vec<Value<'_>>) -> String {
    let count = number(resources.len());
    json::to_text(&object([
        ("schemas", array([LIST_RESPONSE.into()])),
        ("totalResults", count.clone()),
        ("startIndex", number(1)),
        ("itemsPerPage", count),
        ("Resources", Value::Array(resources)),
    ]))
}

fn supported<'s, const N: usize>(supported: bool, more: [(&'static str, Value<'s>); N]) -> Value<'s> {
    let first = [("supported", Value::Bool(supported))];
    Value::Object(first.into_iter().chain(more).map(|(name, value)| (Cow::Borrowed(name), value)).collect())
}

fn object<'s, const N: usize>(members: [(&'static str, Value<'s>); N]) -> Value<'s> {
    Value::Object(members.into_iter().map(|(name, value)| (Cow::Borrowed(name), value)).collect())
}

fn array<'s, const N: usize>(elements: [Value<'s>; N]) -> Value<'s> {
    Value::Array(elements.into_iter().collect())
}

fn number<'s>(number: usize) -> Value<'s> {
    Value::Number(serde_json::Number::from(number))
}

/// A discovery endpoint takes no filter (RFC 7644, section 4).
///
/// # Errors
/// 403 if there is a filter.
pub fn check_no_filter(parameters: &[(String, Cow<'_, str>)]) -> Result<()> {
    if parameters.iter().any(|(name, _)| name == "filter") {
        let detail = "discovery endpoints take no filter";
        return Err(Error::new(crate::language::error::Status::Forbidden, detail.to_string()));
    }
    Ok(())
}
