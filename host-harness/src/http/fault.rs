//! Errors as the outside sees them, whatever the shape in which a surface sends them.

use super::body::BodyError;
use super::reply::Reply;
use crate::runtime::{Failure, changes, directories, site};
use hyper::StatusCode;
use hyper::header::{self, HeaderValue};

/// Which rule of the site a request would have broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// A value that must be unique is taken.
    Unique,
    /// What a directory manages is read-only.
    Managed,
}

/// An error as the outside sees it: nothing of the inside is in it.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) status: StatusCode,
    pub(crate) detail: String,
    /// The rule of the site that it would have broken.
    pub(crate) rule: Option<Rule>,
    /// RFC 7644's keyword, where there is one.
    pub(crate) scim_type: Option<&'static str>,
    /// Seconds after which another try makes sense.
    pub(crate) retry_after: Option<u32>,
    /// The methods that would do.
    pub(crate) allow: Option<String>,
}

impl Fault {
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), rule: None, scim_type: None, retry_after: None, allow: None }
    }

    pub(super) fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "The request could not be carried out because of an error in the server; its log tells more.",
        )
    }

    pub(crate) fn unavailable() -> Self {
        Self {
            retry_after: Some(1),
            ..Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "The request could not be carried out at the moment. Try again later.",
            )
        }
    }

    /// The storage did not do its part in a call of the component. The text is for the log.
    fn storage(detail: &str) -> Self {
        tracing::error!(detail, "the storage did not do its part");
        Self::unavailable()
    }

    /// A call of the component failed inside. The text is for the log.
    fn inside(detail: &str) -> Self {
        tracing::error!(detail, "a call failed");
        Self::internal()
    }

    /// Of what one has to itself, all is in use.
    pub(super) fn crowded(detail: impl Into<String>) -> Self {
        Self { retry_after: Some(1), ..Self::new(StatusCode::TOO_MANY_REQUESTS, detail) }
    }

    pub(crate) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "There is nothing at this URL.")
    }

    pub(crate) fn wrong_method(allow: impl Into<String>) -> Self {
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

    /// Adds the header fields that tell a client what to do about it.
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
            site::Error::Unavailable(detail) => Self::storage(&detail),
            site::Error::Other(detail) => Self::inside(&detail),
        }
    }
}

impl From<directories::Error> for Fault {
    fn from(error: directories::Error) -> Self {
        match error {
            directories::Error::NotFound(detail) => Self::new(StatusCode::NOT_FOUND, detail),
            directories::Error::Invalid(detail) => Self::new(StatusCode::BAD_REQUEST, detail),
            directories::Error::Refused(detail) => Self::new(StatusCode::CONFLICT, detail),
            directories::Error::Unavailable(detail) => Self::storage(&detail),
            directories::Error::Other(detail) => Self::inside(&detail),
        }
    }
}

impl From<changes::Error> for Fault {
    fn from(error: changes::Error) -> Self {
        match error {
            changes::Error::Invalid(detail) => Self::new(StatusCode::BAD_REQUEST, detail),
            changes::Error::Unavailable(detail) => Self::storage(&detail),
            changes::Error::Other(detail) => Self::inside(&detail),
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
