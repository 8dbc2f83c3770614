//! Converts requests and responses between `wasi:http` and the engine.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use self::bindings::exports::wasi::http::incoming_handler::Guest;
use self::bindings::usher::provisioning::scim;
use self::bindings::wasi::http::types::{
    ErrorCode, Fields, IncomingRequest, Method, OutgoingBody, OutgoingResponse, ResponseOutparam, Scheme,
};
use self::bindings::wasi::io::streams::StreamError;

mod bindings {
    #![allow(missing_docs, unreachable_pub, unused_qualifications, clippy::all, clippy::pedantic)]

    wit_bindgen::generate!({
        path: ["../../wit", "wit"],
        world: "usher:http/adapter",
        generate_all,
        disable_run_ctors_once_workaround: true,
    });
}

bindings::export!(Adapter with_types_in bindings);

/// How long the body of a request may be: what the engine takes.
const MAX_BODY: usize = 16 << 20;

/// How much is read at a time.
const READ: u64 = 64 << 10;

/// How much `blocking-write-and-flush` takes at a time.
const WRITE: usize = 4_096;

/// What implements the world's exports.
struct Adapter;

impl Guest for Adapter {
    fn handle(request: IncomingRequest, response_out: ResponseOutparam) {
        let head = matches!(request.method(), Method::Head);
        let answer = match read(&request) {
            Ok(request) => scim::handle(&request),
            Err(refusal) => refusal.response(),
        };
        send(answer, head, response_out);
    }
}

/// Why a request does not get to the engine.
enum Refusal {
    /// Its body is longer than [`MAX_BODY`].
    TooLong,
    /// Its body is not UTF-8.
    NotText,
    /// Its body did not arrive whole.
    CutOff,
}

impl Refusal {
    /// The refusal as SCIM puts it (RFC 7644, section 3.12).
    fn response(&self) -> scim::Response {
        let (status, scim_type, detail) = match self {
            Self::TooLong => (413, "", "The body is longer than 16777216 bytes."),
            Self::NotText => (400, r#","scimType":"invalidSyntax""#, "The body is not UTF-8."),
            Self::CutOff => (400, r#","scimType":"invalidSyntax""#, "The body did not arrive whole."),
        };
        let body = format!(
            r#"{{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"{status}"{scim_type},"detail":"{detail}"}}"#
        );
        let headers = vec![("content-type".to_owned(), "application/scim+json".to_owned())];
        scim::Response { status, headers, body: Some(body), failure: None, refused_key: None }
    }
}

/// Takes a request in as the engine wants it.
fn read(request: &IncomingRequest) -> Result<scim::Request, Refusal> {
    let target = request.path_with_query().unwrap_or_default();
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path.to_owned(), Some(query.to_owned())),
        None => (target, None),
    };
    let headers = headers(&request.headers());
    let body = match body(request) {
        // An encoded body need not be text; the engine says why it does not take one.
        Err(Refusal::NotText) if is_encoded(&headers) => None,
        body => body?,
    };
    Ok(scim::Request { method: method(request.method()), origin: origin(request), path, query, headers, body })
}

/// Whether the body has a content coding; the engine takes no encoded bodies.
fn is_encoded(headers: &[(String, String)]) -> bool {
    let codings = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("content-encoding"));
    let mut codings = codings.flat_map(|(_, codings)| codings.split(',')).map(str::trim);
    codings.any(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case("identity"))
}

fn method(method: Method) -> String {
    match method {
        Method::Get => "GET",
        Method::Head => "HEAD",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Delete => "DELETE",
        Method::Connect => "CONNECT",
        Method::Options => "OPTIONS",
        Method::Trace => "TRACE",
        Method::Patch => "PATCH",
        Method::Other(method) => return method,
    }
    .to_owned()
}

/// The URL at which the host serves. If the host does not know it, locations are paths.
fn origin(request: &IncomingRequest) -> String {
    let Some(authority) = request.authority() else { return String::new() };
    let scheme = match request.scheme() {
        Some(Scheme::Https) => "https",
        Some(Scheme::Other(other)) => return format!("{other}://{authority}"),
        Some(Scheme::Http) | None => "http",
    };
    format!("{scheme}://{authority}")
}

/// The header fields. What is not UTF-8 in a value is replaced: a precondition must fail rather than get lost.
fn headers(fields: &Fields) -> Vec<(String, String)> {
    fields.entries().into_iter().map(|(name, value)| (name, text(value))).collect()
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// The body, where there is one.
fn body(request: &IncomingRequest) -> Result<Option<String>, Refusal> {
    let body = request.consume().map_err(|()| Refusal::CutOff)?;
    let stream = body.stream().map_err(|()| Refusal::CutOff)?;
    let mut bytes = Vec::new();
    loop {
        match stream.blocking_read(READ) {
            Ok(more) => bytes.extend(more),
            Err(StreamError::Closed) => break,
            Err(StreamError::LastOperationFailed(_)) => return Err(Refusal::CutOff),
        }
        if bytes.len() > MAX_BODY {
            return Err(Refusal::TooLong);
        }
    }
    let text = String::from_utf8(bytes).map_err(|_| Refusal::NotText)?;
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// Sends the engine's response.
fn send(answer: scim::Response, head: bool, response_out: ResponseOutparam) {
    let (response, body) = match begin(&answer, head) {
        Ok(begun) => begun,
        Err(error) => return ResponseOutparam::set(response_out, Err(error)),
    };
    ResponseOutparam::set(response_out, Ok(response));
    let bytes = answer.body.filter(|_| !head).map(String::into_bytes).unwrap_or_default();
    // A body that is not finished is cut off for the client, which is all that can be said once the response has begun.
    if write(&body, &bytes) {
        let _ = OutgoingBody::finish(body, None);
    }
}

/// A response whose body is still to be written.
fn begin(answer: &scim::Response, head: bool) -> Result<(OutgoingResponse, OutgoingBody), ErrorCode> {
    let mut fields: Vec<(String, Vec<u8>)> =
        answer.headers.iter().map(|(name, value)| (name.clone(), value.clone().into_bytes())).collect();
    if let Some(body) = answer.body.as_ref().filter(|_| !head) {
        fields.push(("content-length".to_owned(), body.len().to_string().into_bytes()));
    }
    let failed = |what: &str| ErrorCode::InternalError(Some(what.to_owned()));
    let fields = Fields::from_list(&fields).map_err(|_| failed("header fields"))?;
    let response = OutgoingResponse::new(fields);
    response.set_status_code(answer.status).map_err(|()| failed("status code"))?;
    let body = response.body().map_err(|()| failed("body"))?;
    Ok((response, body))
}

/// Writes the whole body. Returns whether the client took it.
fn write(body: &OutgoingBody, bytes: &[u8]) -> bool {
    let Ok(stream) = body.write() else { return false };
    bytes.chunks(WRITE).all(|chunk| stream.blocking_write_and_flush(chunk).is_ok())
}
