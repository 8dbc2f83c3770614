//! Conditional requests (RFC 7644, section 3.14; RFC 9110, section 13).

use alloc::borrow::Cow;

use crate::language::error::{Error, Result, Status};
use crate::scim::http::Request;
use crate::store::records::Header;

/// The state in which a client expects a resource.
#[derive(Debug, Clone, Default)]
pub struct Conditions<'r> {
    if_match: Option<Cow<'r, str>>,
    if_none_match: Option<Cow<'r, str>>,
}

impl<'r> Conditions<'r> {
    /// The conditions of a request.
    #[must_use]
    pub fn of(request: &'r Request) -> Self {
        Conditions { if_match: request.list("if-match"), if_none_match: request.list("if-none-match") }
    }

    /// The `version` of an operation in a bulk request.
    #[must_use]
    pub fn version(version: Option<&'r str>) -> Self {
        Conditions { if_match: version.map(Cow::Borrowed), if_none_match: None }
    }

    /// Checks whether a write may go ahead.
    ///
    /// # Errors
    /// 412 if the resource has another version.
    pub fn check(&self, header: &Header) -> Result<()> {
        self.check_expected(header)?;
        if self.has_current(header) { Err(failed(header)) } else { Ok(()) }
    }

    /// Whether the resource is in a state that the client expects, if it expects any. For reads too (RFC 9110, section
    /// 13.1.1).
    ///
    /// # Errors
    /// 412 if the resource has another version.
    pub fn check_expected(&self, header: &Header) -> Result<()> {
        if self.if_match.as_deref().is_none_or(|tags| lists(tags, header)) { Ok(()) } else { Err(failed(header)) }
    }

    /// As [`check_expected`](Self::check_expected), for what has no version: no tag is its own.
    ///
    /// # Errors
    /// 412 if the client expects a version.
    pub fn check_unversioned(&self) -> Result<()> {
        if self.if_match.as_deref().is_none_or(|tags| tags.trim() == "*") {
            return Ok(());
        }
        Err(Error::new(Status::PreconditionFailed, "this resource has no versions"))
    }

    /// Whether the client has the current version.
    #[must_use]
    pub fn has_current(&self, header: &Header) -> bool {
        self.if_none_match.as_deref().is_some_and(|tags| lists(tags, header))
    }
}

fn failed(header: &Header) -> Error {
    let detail = alloc::format!("the resource has version {}, which is not the one expected", header.etag());
    Error::new(Status::PreconditionFailed, detail)
}

/// Whether a list of entity tags contains that of the resource. Tags compare weakly: ours are weak, and SCIM uses them
/// in `If-Match` all the same (RFC 7644, section 3.14).
fn lists(tags: &str, header: &Header) -> bool {
    let opaque = |tag: &str| {
        let tag = tag.trim();
        tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"') == alloc::format!("{}", header.version)
    };
    tags.trim() == "*" || tags.split(',').any(opaque)
}
