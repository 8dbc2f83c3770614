//! Responses, and errors in the shape of their surface.

use super::body::BodyError;
use super::events::Events;
use super::whole::Whole;
use crate::runtime::{Failure, site};
use http_body_util::Either;
use hyper::body::Bytes;
use hyper::header::{self, HeaderValue};
use hyper::{Response, StatusCode};
use serde::Serialize;

/// What is sent.
pub(super) type Reply = Response<Either<Whole, Events>>;

/// Which rule of the site a request would have broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// A value that must be unique is taken.
    Unique,
    /// What a directory manages is read-only.
    Managed,
}

/// An error as the outside sees it: nothing of the inside is in it.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) status: StatusCode,
    pub(super) detail: String,
    /// The rule of the site that it would have broken.
    pub(super) rule: Option<Rule>,
    /// RFC 7644's keyword, where there is one.
    pub(super) scim_type: Option<&'static str>,
    /// Seconds after which another try makes sense.
    pub(super) retry_after: Option<u32>,
    /// The methods that would do.
    pub(super) allow: Option<String>,
}

impl Fault {
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), rule: None, scim_type: None, retry_after: None, allow: None }
    }

    pub(super) fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "The request could not be carried out because of an error in the server; its log tells more.",
        )
    }

    pub(super) fn unavailable() -> Self {
        Self {
            retry_after: Some(1),
            ..Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "The request could not be carried out at the moment. Try again later.",
            )
        }
    }

    /// Of what one has to itself, all is in use.
    pub(super) fn crowded(detail: impl Into<String>) -> Self {
        Self { retry_after: Some(1), ..Self::new(StatusCode::TOO_MANY_REQUESTS, detail) }
    }

    pub(super) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "There is nothing at this URL.")
    }

    pub(super) fn wrong_method(allow: impl Into<String>) -> Self {
        Self {
            allow: Some(allow.into()),
            ..Self::new(StatusCode::METHOD_NOT_ALLOWED, "The method is not one that this URL has.")
        }
    }

    pub(super) fn unauthorized() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "The admin key is needed: as a bearer token, or as the password of Basic credentials.",
        )
    }

    /// RFC 7644, section 3.12.
    pub(super) fn into_scim(self) -> Reply {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Body<'a> {
            schemas: [&'static str; 1],
            status: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            scim_type: Option<&'static str>,
            detail: &'a str,
        }
        let body = Body {
            schemas: ["urn:ietf:params:scim:api:messages:2.0:Error"],
            status: self.status.as_str(),
            scim_type: self.scim_type,
            detail: &self.detail,
        };
        let reply = json(self.status, "application/scim+json", &body);
        self.finish(reply)
    }

    /// RFC 9457.
    pub(super) fn into_problem(self) -> Reply {
        #[derive(Serialize)]
        struct Body<'a> {
            r#type: &'static str,
            title: &'static str,
            status: u16,
            detail: &'a str,
        }
        let (kind, title) = match self.rule {
            Some(Rule::Unique) => ("urn:usher:problem:taken", "A value that must be unique is taken"),
            Some(Rule::Managed) => ("urn:usher:problem:managed", "It is managed by a directory"),
            None => ("about:blank", self.status.canonical_reason().unwrap_or("Error")),
        };
        let body = Body { r#type: kind, title, status: self.status.as_u16(), detail: &self.detail };
        let reply = json(self.status, "application/problem+json", &body);
        self.finish(reply)
    }

    pub(super) fn finish(self, mut reply: Reply) -> Reply {
        let headers = reply.headers_mut();
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if let Some(methods) = self.allow.and_then(|methods| methods.parse().ok()) {
            headers.insert(header::ALLOW, methods);
        }
        if self.status == StatusCode::UNAUTHORIZED {
            for challenge in ["Bearer realm=\"usher\"", "Basic realm=\"usher\""] {
                let challenge = HeaderValue::from_static(challenge);
                headers.append(header::WWW_AUTHENTICATE, challenge);
            }
        }
        reply
    }
}

impl From<BodyError> for Fault {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge { limit } => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, format!("The body is longer than {limit} bytes."))
            }
            BodyError::TimedOut => Self::new(StatusCode::REQUEST_TIMEOUT, "The body took too long to come in."),
            BodyError::NoRoom => Self::unavailable(),
            BodyError::NotText => Self {
                scim_type: Some("invalidSyntax"),
                ..Self::new(StatusCode::BAD_REQUEST, "The body is not UTF-8 text.")
            },
            BodyError::Encoded => {
                Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "The body must come without a Content-Encoding.")
            }
            BodyError::Broken(error) => {
                tracing::debug!(%error, "a body broke off");
                Self::new(StatusCode::BAD_REQUEST, "The body is incomplete.")
            }
        }
    }
}

impl From<site::Error> for Fault {
    fn from(error: site::Error) -> Self {
        match error {
            site::Error::NotFound(detail) => Self::new(StatusCode::NOT_FOUND, detail),
            site::Error::Invalid(detail) => Self::new(StatusCode::BAD_REQUEST, detail),
            site::Error::Taken(detail) => Self { rule: Some(Rule::Unique), ..Self::new(StatusCode::CONFLICT, detail) },
            site::Error::Managed(detail) => {
                Self { rule: Some(Rule::Managed), ..Self::new(StatusCode::CONFLICT, detail) }
            }
            site::Error::Refused(detail) => Self::new(StatusCode::CONFLICT, detail),
            site::Error::Unavailable(detail) => {
                tracing::error!(detail, "the storage did not do its part");
                Self::unavailable()
            }
            site::Error::Other(detail) => {
                tracing::error!(detail, "a call failed");
                Self::internal()
            }
        }
    }
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        if matches!(failure, Failure::Crowded) {
            return Self::crowded("The directory has as many requests waiting as it may. Try again later.");
        }
        tracing::error!(%failure, "a call failed");
        if failure.is_passing() { Self::unavailable() } else { Self::internal() }
    }
}

/// A response with a JSON body.
pub(super) fn json(status: StatusCode, kind: &'static str, body: &impl Serialize) -> Reply {
    match serde_json::to_vec(body) {
        Ok(body) => content(status, kind, body),
        Err(error) => {
            tracing::error!(%error, "a response could not be written as JSON");
            content(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", "")
        }
    }
}

/// A response with a body.
pub(super) fn content(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(whole(body));
    *reply.status_mut() = status;
    let kind = HeaderValue::from_static(kind);
    reply.headers_mut().insert(header::CONTENT_TYPE, kind);
    reply
}

/// A body that is there as a whole.
pub(super) fn whole(body: impl Into<Bytes>) -> Either<Whole, Events> {
    Either::Left(Whole::new(body))
}

/// A response without a body.
pub(super) fn empty(status: StatusCode) -> Reply {
    let mut reply = Response::new(whole(Bytes::new()));
    *reply.status_mut() = status;
    reply
}
