//! HTTP messages as the contract has them (`wit/scim.wit`), and what the engine reads from and writes into them.

use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use percent_encoding::percent_decode_str;

use crate::json::{self, Value};
use crate::language::error::{Error, RefusedKey, Result, Status};

/// The media type of SCIM messages (RFC 7644, section 8.1).
pub const SCIM_JSON: &str = "application/scim+json";

/// How long the body of a request may be, in bytes: room for all members of the largest group.
pub const MAX_BODY_BYTES: usize = 16 << 20;

/// An HTTP request to the SCIM surface.
#[derive(Debug, Clone)]
pub struct Request {
    /// The method, in capitals.
    pub method: String,
    /// The absolute URL in front of `path`, without a slash at its end.
    pub origin: String,
    /// The path as received, percent-encoded.
    pub path: String,
    /// What follows the `?`, as received, if there is one.
    pub query: Option<String>,
    /// The header fields.
    pub headers: Vec<(String, String)>,
    /// The body, if there is one.
    pub body: Option<String>,
}

/// The HTTP response to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The header fields, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body. The host leaves it out of the answer to a HEAD.
    pub body: Option<String>,
    /// What went wrong inside, if anything did: for the host's log at level `error`, never for the client.
    pub failure: Option<String>,
    /// That the request was refused for its key, if it was: for the host to count and to tell with
    /// [`note_refused_requests`](crate::Engine::note_refused_requests), never for the client.
    pub refused_key: Option<RefusedKey>,
}

impl Request {
    /// The value of a header field, whatever the letter case of its name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    /// The value of a header field that is a list and may come in several lines (RFC 9110, section 5.3).
    #[must_use]
    pub fn list(&self, name: &str) -> Option<Cow<'_, str>> {
        let mut lines = self.headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        let first = Cow::Borrowed(lines.next()?.as_str());
        Some(lines.fold(first, |list, line| Cow::Owned(alloc::format!("{list},{line}"))))
    }

    /// The method to act upon. A HEAD is answered like a GET, and the host leaves the body out (RFC 9110, section
    /// 9.3.2).
    #[must_use]
    pub fn acting_method(&self) -> &str {
        if self.method == "HEAD" { "GET" } else { &self.method }
    }

    /// The bearer token (RFC 6750, section 2.1), if there is one.
    #[must_use]
    pub fn bearer_token(&self) -> Option<&str> {
        let (scheme, token) = self.header("authorization")?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim()).filter(|token| !token.is_empty())
    }

    /// Whether the client wants no resource back (RFC 7240, section 4.2).
    #[must_use]
    pub fn prefers_minimal(&self) -> bool {
        self.list("prefer").is_some_and(|value| {
            value.split(',').any(|preference| {
                // After a semicolon come parameters of the preference.
                let preference = preference.split(';').next().unwrap_or_default();
                let mut parts = preference.splitn(2, '=').map(str::trim);
                parts.next().is_some_and(|name| name.eq_ignore_ascii_case("return"))
                    && parts.next().is_some_and(|value| value.trim_matches('"').eq_ignore_ascii_case("minimal"))
            })
        })
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// 413 when it is too long, 415 when it is encoded or has another content type, 400 `invalidSyntax` when it is not
    /// JSON.
    pub fn json(&self) -> Result<Value<'_>> {
        // This comes first: an encoded body need not be text, and the host then has no body to hand over.
        if self.is_encoded() {
            return Err(Error::new(Status::UnsupportedMediaType, "the body must come without a Content-Encoding"));
        }
        // The host should refuse longer bodies too, but a native host may not.
        if self.body.as_ref().is_some_and(|body| body.len() > MAX_BODY_BYTES) {
            let detail = alloc::format!("a request may have {MAX_BODY_BYTES} bytes");
            return Err(Error::new(Status::PayloadTooLarge, detail));
        }
        if let Some(content_type) = self.header("content-type") {
            let media_type = content_type.split(';').next().unwrap_or_default().trim();
            if !media_type.eq_ignore_ascii_case(SCIM_JSON) && !media_type.eq_ignore_ascii_case("application/json") {
                return Err(Error::new(
                    Status::UnsupportedMediaType,
                    "the body must be of type application/scim+json or application/json",
                ));
            }
        }
        match self.body.as_deref() {
            Some(body) if !body.trim_ascii().is_empty() => json::parse(body)
                .map_err(|error| Error::invalid_syntax(alloc::format!("the body is not valid JSON: {error}"))),
            _ => Err(Error::invalid_syntax("the request needs a body")),
        }
    }

    /// Whether the body is in a coding other than `identity` (RFC 9110, section 8.4).
    fn is_encoded(&self) -> bool {
        self.list("content-encoding").is_some_and(|codings| {
            codings
                .split(',')
                .map(str::trim)
                .any(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case("identity"))
        })
    }

    /// The parameters of the query, decoded, names in lower case: some clients write `startindex`. If a name occurs
    /// several times, the first one counts.
    #[must_use]
    pub fn parameters(&self) -> Vec<(String, Cow<'_, str>)> {
        form_urlencoded::parse(self.query.as_deref().unwrap_or_default().as_bytes())
            .map(|(name, value)| (name.to_ascii_lowercase(), value))
            .collect()
    }

    /// The segments of the path, decoded. Empty ones are left out, so that an extra slash does no harm. `None` if the
    /// path is not text when decoded.
    #[must_use]
    pub fn segments(&self) -> Option<Vec<Cow<'_, str>>> {
        self.path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .map(|segment| percent_decode_str(segment).decode_utf8().ok())
            .collect()
    }
}

impl Response {
    /// A response with a SCIM body.
    #[must_use]
    pub fn with_body(status: u16, body: String) -> Self {
        let headers = alloc::vec![("content-type".to_string(), SCIM_JSON.to_string())];
        Response { status, headers, body: Some(body), failure: None, refused_key: None }
    }

    /// A response without a body.
    #[must_use]
    pub fn empty(status: u16) -> Self {
        Response { status, headers: Vec::new(), body: None, failure: None, refused_key: None }
    }

    /// Adds a header field.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_string(), value.into()));
        self
    }
}

impl From<Error> for Response {
    fn from(error: Error) -> Self {
        let mut response = Self::with_body(error.status.code(), error.body());
        response.failure = error.inside;
        response.refused_key = error.refused_key;
        match error.status {
            Status::Unauthorized => {
                response = response.header("www-authenticate", "Bearer realm=\"Usher SCIM\"");
            }
            Status::Unavailable => response = response.header("retry-after", error.retry_after.to_string()),
            _ => {}
        }
        if let Some(allow) = error.allow {
            response = response.header("allow", allow);
        }
        response
    }
}
