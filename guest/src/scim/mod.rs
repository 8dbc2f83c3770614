//! The SCIM surface (RFC 7644): from an HTTP request to its response.

mod asked;
mod bulk;
mod conditions;
mod cursor;
mod discovery;
pub mod http;
mod list;
mod log;
mod membership;
mod membership_id;
mod message;
mod order;
mod query;
mod render;
mod search;
mod sorted;
mod write;

use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use self::asked::Asked;
use self::conditions::Conditions;
use self::query::Parameters;
use self::write::{Method, Write};
use crate::directories::api_key::Token;
use crate::directories::record::base_path;
use crate::engine::Engine;
use crate::json::Value;
use crate::language::error::{Error, Result, Status};
use crate::language::resource::Projection;
use crate::language::secrets;
use crate::provisioning::scope::{self, RequestContext, Scope};
use crate::scim::http::{Request, Response};
use crate::store::keys::{self, Kind};
use crate::store::records::{Header, Stored};

/// A group with more members than this is not sent back after a change: nobody needs them all again.
const MEMBERS_SENT_BACK: u32 = 100;

/// The longest request id that is copied into the change feed, in bytes.
const MAX_REQUEST_ID_BYTES: usize = 128;

/// What a path below the base URL names.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Endpoint<'p> {
    Resources(Kind),
    Resource(Kind, &'p str),
    Search(Option<Kind>),
    /// Memberships as resources, where the directory has them.
    Memberships,
    Membership(&'p str),
    MembershipSearch,
    Bulk,
    Me,
    Configuration,
    ResourceTypes,
    ResourceType(&'p str),
    Schemas,
    Schema(&'p str),
    /// The base URL itself, for a search over users and groups.
    Everything,
}

impl<'p> Endpoint<'p> {
    fn of(segments: &'p [Cow<'p, str>]) -> Option<Self> {
        let kind = |name: &str| match name {
            "Users" => Some(Kind::User),
            "Groups" => Some(Kind::Group),
            _ => None,
        };
        let mut names = [""; 3];
        if segments.len() > names.len() {
            return None;
        }
        for (name, segment) in names.iter_mut().zip(segments) {
            *name = segment;
        }
        Some(match names {
            ["", "", ""] => Endpoint::Everything,
            [".search", "", ""] => Endpoint::Search(None),
            ["Bulk", "", ""] => Endpoint::Bulk,
            ["Me", "", ""] => Endpoint::Me,
            ["ServiceProviderConfig", "", ""] => Endpoint::Configuration,
            ["ResourceTypes", "", ""] => Endpoint::ResourceTypes,
            ["ResourceTypes", id, ""] => Endpoint::ResourceType(id),
            ["Schemas", "", ""] => Endpoint::Schemas,
            ["Schemas", urn, ""] => Endpoint::Schema(urn),
            ["GroupMemberships", "", ""] => Endpoint::Memberships,
            ["GroupMemberships", ".search", ""] => Endpoint::MembershipSearch,
            ["GroupMemberships", id, ""] => Endpoint::Membership(id),
            [name, "", ""] => Endpoint::Resources(kind(name)?),
            [name, ".search", ""] => Endpoint::Search(Some(kind(name)?)),
            [name, id, ""] => Endpoint::Resource(kind(name)?, id),
            _ => return None,
        })
    }

    /// The methods that the endpoint has.
    const fn allow(&self) -> &'static str {
        match self {
            Endpoint::Resources(_) | Endpoint::Memberships => "GET, HEAD, POST",
            Endpoint::Resource(..) => "GET, HEAD, PUT, PATCH, DELETE",
            Endpoint::Membership(_) => "GET, HEAD, DELETE",
            Endpoint::Search(_) | Endpoint::MembershipSearch | Endpoint::Bulk => "POST",
            Endpoint::Me => "GET, HEAD, POST, PUT, PATCH, DELETE",
            _ => "GET, HEAD",
        }
    }

    /// Whether it is there only where memberships are resources.
    const fn is_of_memberships(&self) -> bool {
        matches!(self, Endpoint::Memberships | Endpoint::Membership(_) | Endpoint::MembershipSearch)
    }
}

impl Engine<'_> {
    /// Answers a request to the SCIM surface. Every failure is a response.
    #[must_use]
    pub fn handle(&self, request: &Request) -> Response {
        self.respond(request).unwrap_or_else(Response::from)
    }

    /// Whether a request has a key that opens a directory: the id of the directory, or the response to send in place of
    /// that of [`handle`](Self::handle). Reads only path and key, and writes nothing: a host asks before it has the
    /// body.
    ///
    /// # Errors
    /// The response to a request without such a key, for a path without a directory, or where the storage fails.
    pub fn authorize(&self, request: &Request) -> Result<String, Response> {
        let authorize = || {
            let segments = request.segments().ok_or_else(nothing)?;
            let call = self.call(request, &segments)?.0;
            scope::authenticate(self, &call)?;
            Ok(call.directory.to_string())
        };
        authorize().map_err(|error: Error| Response::from(error))
    }

    fn respond(&self, request: &Request) -> Result<Response> {
        let segments = request.segments().ok_or_else(nothing)?;
        let (call, rest) = self.call(request, &segments)?;
        let Some(endpoint) = Endpoint::of(rest) else { return self.log_read(&call, |_| Err(nothing())) };
        self.dispatch(request, &call, &endpoint)
    }

    /// What stays the same during a request, and the path below the directory's base URL.
    fn call<'r>(
        &self,
        request: &'r Request,
        segments: &'r [Cow<'r, str>],
    ) -> Result<(RequestContext<'r>, &'r [Cow<'r, str>])> {
        let (directory, rest) = match segments {
            [scim, name, directory, rest @ ..] if scim == "scim" && name == "directory" => (directory, rest),
            _ => return Err(nothing()),
        };
        // Some connectors append the protocol's version to the URL.
        let rest = match rest {
            [version, rest @ ..] if version.eq_ignore_ascii_case("v2") => rest,
            rest => rest,
        };
        if !keys::is_id(directory) {
            return Err(scope::unauthorized());
        }
        let Some(token) = request.bearer_token().and_then(Token::read) else {
            return Err(scope::without_key(self, directory));
        };
        let call = RequestContext {
            directory,
            token,
            base: alloc::format!("{}{}", request.origin, base_path(directory)),
            request: request
                .header("x-request-id")
                .filter(|id| id.len() <= MAX_REQUEST_ID_BYTES && !secrets::may_hold_secret(id)),
            method: log::method(&request.method),
            path: log::path(rest),
            query: request.query.as_deref(),
            body: request.body.as_deref(),
            now: self.now(),
            actor: alloc::format!("directory:{directory}"),
        };
        Ok((call, rest))
    }

    fn dispatch(&self, request: &Request, call: &RequestContext<'_>, endpoint: &Endpoint<'_>) -> Result<Response> {
        match (request.acting_method(), endpoint) {
            ("GET", Endpoint::Resource(kind, id)) => self.log_read(call, |scope| read_one(scope, request, *kind, id)),
            ("GET", Endpoint::Resources(_) | Endpoint::Everything) => {
                let kind = match endpoint {
                    Endpoint::Resources(kind) => Some(*kind),
                    _ => None,
                };
                self.log_read(call, |scope| search(scope, kind, &Parameters::of_query(request.parameters())?))
            }
            ("POST", Endpoint::Search(kind)) => {
                self.log_read(call, |scope| search(scope, *kind, &Parameters::of_search(request.json()?)?))
            }
            ("POST", Endpoint::Resources(kind)) => {
                scope::authenticate(self, call)?;
                let id = self.new_id(&call.now);
                self.write_one(request, call, *kind, &id, Method::Post)
            }
            ("PUT" | "PATCH" | "DELETE", Endpoint::Resource(kind, id)) => {
                scope::authenticate(self, call)?;
                let method = Method::from_name(&request.method).unwrap_or(Method::Delete);
                self.write_one(request, call, *kind, id, method)
            }
            ("GET", Endpoint::Memberships) => self.log_read(call, |scope| {
                check_there(scope, endpoint)?;
                membership::search(scope, &Parameters::of_query(request.parameters())?)
            }),
            ("POST", Endpoint::MembershipSearch) => self.log_read(call, |scope| {
                check_there(scope, endpoint)?;
                membership::search(scope, &Parameters::of_search(request.json()?)?)
            }),
            ("GET", Endpoint::Membership(id)) => self.log_read(call, |scope| {
                check_there(scope, endpoint)?;
                membership::read_one(scope, request, id)
            }),
            ("POST", Endpoint::Memberships) => {
                scope::authenticate(self, call)?;
                self.write_membership(request, call, endpoint, "", Method::Post)
            }
            ("DELETE", Endpoint::Membership(id)) => {
                scope::authenticate(self, call)?;
                self.write_membership(request, call, endpoint, id, Method::Delete)
            }
            ("POST", Endpoint::Bulk) => {
                scope::authenticate(self, call)?;
                bulk::respond(self, call, request)
            }
            _ => self.log_read(call, |scope| about(scope, request, endpoint)),
        }
    }

    fn write_one(
        &self,
        request: &Request,
        call: &RequestContext<'_>,
        kind: Kind,
        id: &str,
        method: Method,
    ) -> Result<Response> {
        // An error here is an outcome for the log like any other.
        let body = if method == Method::Delete { Ok(None) } else { request.json().map(Some) };
        let known = Some(id).filter(|_| method != Method::Post);
        let asked = Asked::of(kind, known, method, body.as_ref().ok().and_then(Option::as_ref));
        let write = body.and_then(|body| read_write(request, kind, method, body));
        let conditions = Conditions::of(request);
        self.log_write(call, &asked, |scope| {
            let (write, wanted) = write.as_ref().map_err(Clone::clone)?;
            Ok(match write.perform(scope, kind, id, &conditions)? {
                None => Response::empty(204),
                Some(stored) => written(scope, request, kind, id, &stored, wanted, method)?,
            })
        })
    }

    fn write_membership(
        &self,
        request: &Request,
        call: &RequestContext<'_>,
        endpoint: &Endpoint<'_>,
        id: &str,
        method: Method,
    ) -> Result<Response> {
        let read = || {
            let body = if method == Method::Delete { None } else { Some(request.json()?) };
            Ok::<_, Error>((membership::Write::read(method, body)?, membership::wanted(request)?))
        };
        // An error here is an outcome for the log like any other.
        let write = read();
        let conditions = Conditions::of(request);
        self.log_write(call, &Asked::of_membership(method), |scope| {
            check_there(scope, endpoint)?;
            let (write, wanted) = write.as_ref().map_err(Clone::clone)?;
            let (id, group) = write.perform(scope, id, &conditions)?;
            if method == Method::Delete {
                return Ok(Response::empty(204));
            }
            membership::added(scope, &id, &group, wanted)
        })
    }
}

/// Checks that the directory has the endpoint.
fn check_there(scope: &Scope<'_>, endpoint: &Endpoint<'_>) -> Result<()> {
    if endpoint.is_of_memberships() && !scope.settings.membership_resources { Err(nothing()) } else { Ok(()) }
}

fn nothing() -> Error {
    Error::not_found("there is nothing at this path")
}

/// What a request wants done to a resource, and what it wants back.
fn read_write<'r>(
    request: &'r Request,
    kind: Kind,
    method: Method,
    body: Option<Value<'r>>,
) -> Result<(Write<'r>, Projection)> {
    let wanted = Parameters::of_query(request.parameters())?.projection(kind.resource_type())?;
    Ok((Write::read(kind, method, body)?, wanted))
}

/// Answers for endpoints that read nothing but settings, and for methods that an endpoint does not have.
fn about(scope: &Scope<'_>, request: &Request, endpoint: &Endpoint<'_>) -> Result<Response> {
    check_there(scope, endpoint)?;
    if *endpoint == Endpoint::Me && endpoint.allow().split(", ").any(|method| method == request.method) {
        return Err(Error::new(Status::NotImplemented, "a key stands for a directory, not for a user"));
    }
    if request.acting_method() != "GET" {
        return Err(Error::method_not_allowed(endpoint.allow()));
    }
    discovery::check_no_filter(&request.parameters())?;
    let (base, memberships) = (&scope.context.base, scope.settings.membership_resources);
    let body = match endpoint {
        Endpoint::Configuration => discovery::configuration(base),
        Endpoint::ResourceTypes => discovery::resource_types(base, memberships),
        Endpoint::ResourceType(id) => discovery::resource_type(base, memberships, id)?,
        Endpoint::Schemas => discovery::schemas(base, memberships),
        Endpoint::Schema(urn) => discovery::schema(base, memberships, urn)?,
        other => return Err(Error::method_not_allowed(other.allow())),
    };
    Ok(Response::with_body(200, body))
}

fn read_one(scope: &mut Scope<'_>, request: &Request, kind: Kind, id: &str) -> Result<Response> {
    let wanted = Parameters::of_query(request.parameters())?.projection(kind.resource_type())?;
    let conditions = Conditions::of(request);
    let stored = scope.load(kind, id)?;
    conditions.check_expected(&stored.header)?;
    // The memberships of a deleted user are invisible before they are swept, but the versions of its groups change only
    // then. Until then, a client's copy cannot be called current.
    let settled = kind == Kind::User || scope.counts.unswept_users == 0;
    if settled && conditions.has_current(&stored.header) {
        return Ok(Response::empty(304).header("etag", stored.header.etag()));
    }
    let body = render::resource(scope, kind, id, &stored, &wanted)?;
    Ok(with_version(Response::with_body(200, body), &stored.header))
}

fn search(scope: &mut Scope<'_>, kind: Option<Kind>, parameters: &Parameters<'_>) -> Result<Response> {
    let directory = scope.directory();
    let query = |kind: Kind, among_all| parameters.query(kind.resource_type(), directory, among_all);
    let body = match kind {
        Some(kind) => list::respond(scope, kind, &query(kind, false)?)?,
        None => {
            let [users, groups] = [Kind::User, Kind::Group].map(|kind| query(kind, true));
            list::respond_all(scope, [(Kind::User, users?), (Kind::Group, groups?)])?
        }
    };
    Ok(Response::with_body(200, body))
}

/// The answer to a write: the resource as it is now, unless nobody needs it.
fn written(
    scope: &mut Scope<'_>,
    request: &Request,
    kind: Kind,
    id: &str,
    stored: &Stored,
    wanted: &Projection,
    method: Method,
) -> Result<Response> {
    let minimal = request.prefers_minimal();
    let large = stored.header.members > MEMBERS_SENT_BACK;
    if method != Method::Post && wanted.is_everything() && (minimal || large) {
        let response = with_version(Response::empty(204), &stored.header);
        return Ok(if minimal { response.header("preference-applied", "return=minimal") } else { response });
    }
    let status = if method == Method::Post { 201 } else { 200 };
    // A user that has just been made is in no group yet.
    let body = if method == Method::Post && kind == Kind::User {
        render::user(scope, id, stored, wanted, Vec::new())?
    } else {
        render::resource(scope, kind, id, stored, wanted)?
    };
    let response = with_version(Response::with_body(status, body), &stored.header);
    Ok(if method == Method::Post { response.header("location", scope.location(kind, id)) } else { response })
}

fn with_version(response: Response, header: &Header) -> Response {
    response.header("etag", header.etag())
}
