//! The SCIM surface: HTTP in, one call, HTTP out.

use super::body::{BodyError, is_encoded};
use super::origin::origin;
use super::reply::{Fault, Reply, whole};
use super::service::Service;
use crate::runtime::scim;
use hyper::body::Incoming;
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};

/// The header fields that `wit/scim.wit` wants to see.
static PASSED: [HeaderName; 7] = [
    header::AUTHORIZATION,
    header::CONTENT_ENCODING,
    header::CONTENT_TYPE,
    header::IF_MATCH,
    header::IF_NONE_MATCH,
    HeaderName::from_static("prefer"),
    HeaderName::from_static("x-request-id"),
];

/// What every path of this surface starts with.
pub(super) const PREFIX: &str = "/scim/";

pub(super) async fn handle(service: &Service, request: Request<Incoming>, id: &str) -> Reply {
    match answer(service, request, id).await {
        Ok(reply) => reply,
        Err(fault) => fault.into_scim(),
    }
}

async fn answer(service: &Service, request: Request<Incoming>, id: &str) -> Result<Reply, Fault> {
    let (head, body) = request.into_parts();
    let settings = &service.settings;
    let origin = origin(settings, service.local, &head.uri, &head.headers)
        .ok_or_else(|| Fault::new(StatusCode::BAD_REQUEST, "The host is not a valid one."))?;
    let (body, _room) = match service.room.read(&head.headers, body, settings).await {
        // What is encoded may be no text; the component says why it is not taken.
        Err(BodyError::NotText) if is_encoded(&head.headers) => (None, None),
        body => body?.into_parts(),
    };
    let mut headers = Vec::with_capacity(3);
    for name in &PASSED {
        for value in head.headers.get_all(name) {
            // A value that is no text cannot be passed on, and none of these fields may have one.
            if let Ok(value) = str::from_utf8(value.as_bytes()) {
                headers.push((name.as_str().to_owned(), value.to_owned()));
            }
        }
    }
    if !head.headers.contains_key("x-request-id") {
        headers.push(("x-request-id".to_owned(), id.to_owned()));
    }
    // A response to HEAD is that to GET, of which only the header is sent.
    let method = if head.method == Method::HEAD { "GET" } else { head.method.as_str() };
    let request = scim::Request {
        method: method.to_owned(),
        origin,
        path: head.uri.path().to_owned(),
        query: head.uri.query().map(str::to_owned),
        headers,
        body,
    };
    let response = service.site.handle(request).await?;
    if let Some(failure) = response.failure {
        tracing::error!(request = id, failure, "a request failed inside");
    }
    let mut reply = Response::new(whole(response.body.unwrap_or_default()));
    *reply.status_mut() = StatusCode::from_u16(response.status).map_err(|_| {
        tracing::error!(status = response.status, "the component answered with no status");
        Fault::internal()
    })?;
    for (name, value) in response.headers {
        match (HeaderName::try_from(name.as_str()), HeaderValue::try_from(value)) {
            (Ok(name), Ok(value)) => {
                reply.headers_mut().append(name, value);
            }
            _ => tracing::error!(name, "the component answered with a header that cannot be sent"),
        }
    }
    Ok(reply)
}
