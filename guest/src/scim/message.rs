//! The envelopes of SCIM messages (RFC 7644, section 3.1 and those that follow).

use crate::json::{Object, Value};
use crate::language::error::{Error, Result};
use crate::text::quoted;

/// The URN of a list response.
pub const LIST_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
/// The URN of a search request.
pub const SEARCH_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";
/// The URN of a bulk request.
pub const BULK_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
/// The URN of a bulk response.
pub const BULK_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:BulkResponse";

/// Checks that a message is of the kind that the endpoint takes. A message without `schemas` is accepted: the endpoint
/// tells what it is.
///
/// # Errors
/// 400 `invalidSyntax`: `schemas` names another message, or a name occurs twice.
pub fn check(body: &Object<'_>, urn: &str) -> Result<()> {
    if let Some(name) = body.repeated_name() {
        return Err(Error::invalid_syntax(alloc::format!("the message has {} more than once", quoted(name))));
    }
    let is_this = |value: &Value<'_>| value.as_str().is_some_and(|text| text.eq_ignore_ascii_case(urn));
    match body.get_ignoring_case("schemas") {
        None => Ok(()),
        Some(Value::Array(urns)) if urns.iter().any(is_this) => Ok(()),
        Some(_) => Err(Error::invalid_syntax(alloc::format!("the schemas of this message must have {urn}"))),
    }
}
