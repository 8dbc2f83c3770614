//! Responses.

use super::events::Events;
use super::whole::WholeBody;
use http_body_util::Either;
use hyper::body::Bytes;
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use serde::Serialize;

/// What is sent.
pub(crate) type Reply = Response<Either<WholeBody, Events>>;

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
pub(crate) fn content(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(whole(body));
    *reply.status_mut() = status;
    let kind = HeaderValue::from_static(kind);
    reply.headers_mut().insert(header::CONTENT_TYPE, kind);
    reply
}

/// A body that is there as a whole.
pub(super) fn whole(body: impl Into<Bytes>) -> Either<WholeBody, Events> {
    Either::Left(WholeBody::new(body))
}

/// A response without a body.
pub(crate) fn empty(status: StatusCode) -> Reply {
    let mut reply = Response::new(whole(Bytes::new()));
    *reply.status_mut() = status;
    reply
}

/// A response that consists of events.
pub(crate) fn stream(events: Events) -> Reply {
    let mut reply = Response::new(Either::Right(events));
    let fields = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        // A proxy that collects a response before it passes it on would keep the events to itself.
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    for (name, value) in fields {
        reply.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    reply
}
