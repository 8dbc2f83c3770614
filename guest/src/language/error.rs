//! What a SCIM request can be refused with (RFC 7644, section 3.12).

use alloc::borrow::Cow;
use alloc::string::{String, ToString};

/// The status of a refusal; a success cannot be put here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// The request cannot be accepted as it is.
    BadRequest,
    /// There is no key, or it does not work here.
    Unauthorized,
    /// Not allowed, such as a filter on a discovery endpoint.
    Forbidden,
    /// There is no such resource or endpoint.
    NotFound,
    /// The endpoint has other methods.
    MethodNotAllowed,
    /// A unique value is taken, or the state forbids it.
    Conflict,
    /// The resource has another version than the request expects.
    PreconditionFailed,
    /// The request is longer or does more than is allowed.
    PayloadTooLarge,
    /// The body is of another media type.
    UnsupportedMediaType,
    /// Something broke on this side.
    Internal,
    /// SCIM has it, but this provider does not.
    NotImplemented,
    /// It cannot be done now; trying again later may help.
    Unavailable,
}

impl Status {
    /// The HTTP status code.
    #[must_use]
    pub const fn code(self) -> u16 {
        match self {
            Status::BadRequest => 400,
            Status::Unauthorized => 401,
            Status::Forbidden => 403,
            Status::NotFound => 404,
            Status::MethodNotAllowed => 405,
            Status::Conflict => 409,
            Status::PreconditionFailed => 412,
            Status::PayloadTooLarge => 413,
            Status::UnsupportedMediaType => 415,
            Status::Internal => 500,
            Status::NotImplemented => 501,
            Status::Unavailable => 503,
        }
    }
}

/// The error keywords in use here (RFC 7644, table 9; `invalidCursor` is from RFC 9865, section 2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScimType {
    InvalidFilter,
    TooMany,
    Uniqueness,
    Mutability,
    InvalidSyntax,
    InvalidPath,
    NoTarget,
    InvalidValue,
    InvalidCursor,
}

impl ScimType {
    /// The keyword as it stands in an error body.
    #[must_use]
    pub const fn keyword(self) -> &'static str {
        match self {
            ScimType::InvalidFilter => "invalidFilter",
            ScimType::TooMany => "tooMany",
            ScimType::Uniqueness => "uniqueness",
            ScimType::Mutability => "mutability",
            ScimType::InvalidSyntax => "invalidSyntax",
            ScimType::InvalidPath => "invalidPath",
            ScimType::NoTarget => "noTarget",
            ScimType::InvalidValue => "invalidValue",
            ScimType::InvalidCursor => "invalidCursor",
        }
    }
}

/// A refusal. `detail` is for the outside; what only the host's log should hold is kept apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// The HTTP status.
    pub status: Status,
    /// The SCIM keyword, if one fits.
    pub scim_type: Option<ScimType>,
    /// What is wrong, in a sentence for the client.
    pub detail: Cow<'static, str>,
    /// The methods that the endpoint has, for [`Status::MethodNotAllowed`].
    pub allow: Option<&'static str>,
    /// After how many seconds to try again, for [`Status::Unavailable`].
    pub retry_after: u32,
    /// Whether the storage failed, so that this is no answer to the request: then nothing of the request is kept, and
    /// it is not logged.
    pub is_breakdown: bool,
    /// What happened inside, with the key or operation: for the host's log, never for the client.
    pub inside: Option<String>,
    /// That the key of the request opens nothing, for the host to count, likewise.
    pub refused_key: Option<RefusedKey>,
}

/// A request that was refused for its key, in a directory that there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedKey {
    /// The directory.
    pub directory: String,
    /// Whether the key has expired; otherwise it is a wrong or revoked one, or there is none.
    pub expired: bool,
}

/// What engine functions return.
pub type Result<T, E = Error> = core::result::Result<T, E>;

macro_rules! bad_request {
    ($($(#[$doc:meta])* $name:ident = $scim_type:ident;)*) => {
        $(
            $(#[$doc])*
            #[must_use]
            pub fn $name(detail: impl Into<Cow<'static, str>>) -> Self {
                Error { scim_type: Some(ScimType::$scim_type), ..Self::new(Status::BadRequest, detail) }
            }
        )*
    };
}

impl Error {
    /// A refusal without a keyword.
    #[must_use]
    pub fn new(status: Status, detail: impl Into<Cow<'static, str>>) -> Self {
        let is_breakdown = status == Status::Internal;
        Error {
            status,
            scim_type: None,
            detail: detail.into(),
            allow: None,
            retry_after: 1,
            is_breakdown,
            inside: None,
            refused_key: None,
        }
    }

    bad_request! {
        /// 400: the filter is malformed or compares what cannot be compared.
        invalid_filter = InvalidFilter;
        /// 400: the filter would yield more than the provider is willing to go through.
        too_many = TooMany;
        /// 400: the attribute cannot be changed.
        mutability = Mutability;
        /// 400: the body is not well-formed.
        invalid_syntax = InvalidSyntax;
        /// 400: the path of a PATCH operation is malformed.
        invalid_path = InvalidPath;
        /// 400: the path of a PATCH operation yields nothing that could be operated on.
        no_target = NoTarget;
        /// 400: a value is missing, of the wrong type, or not acceptable.
        invalid_value = InvalidValue;
        /// 400: the cursor is not one of ours, or belongs to another query.
        invalid_cursor = InvalidCursor;
    }

    /// 409: a unique value is taken.
    #[must_use]
    pub fn uniqueness(detail: impl Into<Cow<'static, str>>) -> Self {
        Error { scim_type: Some(ScimType::Uniqueness), ..Self::new(Status::Conflict, detail) }
    }

    /// 404: there is no such resource or endpoint.
    #[must_use]
    pub fn not_found(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Status::NotFound, detail)
    }

    /// 405, with the methods that the endpoint has.
    #[must_use]
    pub fn method_not_allowed(allow: &'static str) -> Self {
        Error {
            allow: Some(allow),
            ..Self::new(Status::MethodNotAllowed, alloc::format!("this endpoint takes {allow} only"))
        }
    }
}

impl Error {
    /// The SCIM error body.
    #[must_use]
    pub fn body(&self) -> String {
        let mut body = String::with_capacity(160 + self.detail.len());
        body.push_str(r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":""#);
        body.push_str(&self.status.code().to_string());
        body.push('"');
        if let Some(scim_type) = self.scim_type {
            body.push_str(r#","scimType":""#);
            body.push_str(scim_type.keyword());
            body.push('"');
        }
        body.push_str(r#","detail":"#);
        crate::json::push_string(&mut body, &self.detail);
        body.push('}');
        body
    }
}
