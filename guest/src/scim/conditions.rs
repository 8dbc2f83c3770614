//! Conditional requests (RFC 7644, section 3.14; RFC 9110, section 13).

use crate::error::{Error, Result, Status};
use crate::http::Request;
use crate::store::records::Header;

/// In which state a client expects a resource.
#[derive(Debug, Clone, Copy, Default)]
pub struct Conditions<'r> {
    if_match: Option<&'r str>,
    if_none_match: Option<&'r str>,
}

impl<'r> Conditions<'r> {
    /// The conditions of a request.
    #[must_use]
    pub fn of(request: &'r Request) -> Self {
        Conditions { if_match: request.header("if-match"), if_none_match: request.header("if-none-match") }
    }

    /// The `version` of an operation in a bulk request.
    #[must_use]
    pub fn version(version: Option<&'r str>) -> Self {
        Conditions { if_match: version, if_none_match: None }
    }

    /// Whether a write may go ahead.
    ///
    /// # Errors
    /// 412.
    pub fn check(&self, header: &Header) -> Result<()> {
        let expected = self.if_match.is_none_or(|tags| lists(tags, header));
        let unexpected = self.if_none_match.is_some_and(|tags| lists(tags, header));
        if expected && !unexpected {
            return Ok(());
        }
        Err(Error::new(
            Status::PreconditionFailed,
            alloc::format!("the resource has version {}, which is not the one expected", header.etag()),
        ))
    }

    /// Whether the client has the resource as it is.
    #[must_use]
    pub fn has_current(&self, header: &Header) -> bool {
        self.if_none_match.is_some_and(|tags| lists(tags, header))
    }
}

/// Whether a list of entity tags holds the resource's. Tags compare weakly: ours are weak, and SCIM uses them in
/// `If-Match` all the same (RFC 7644, section 3.14).
fn lists(tags: &str, header: &Header) -> bool {
    let opaque = |tag: &str| {
        let tag = tag.trim();
        tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"') == alloc::format!("{}", header.version)
    };
    tags.trim() == "*" || tags.split(',').any(opaque)
}
