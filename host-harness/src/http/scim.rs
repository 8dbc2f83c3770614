//! The SCIM surface: HTTP in, one call, HTTP out.

use super::body::{BodyError, BodyReader, Progress, is_encoded};
use super::context::RequestContext;
use super::fault::Fault;
use super::origin::origin;
use super::reply::{Reply, json, whole};
use super::state::State;
use crate::runtime::{Party, scim};
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Method, Response, StatusCode};
use serde::Serialize;

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

pub(super) async fn answer(state: &State, context: &mut RequestContext<'_>) -> Result<Reply, Fault> {
    let mut request = bare(state, context)?;
    let mut party = None;
    let mut reading = BodyReader::new(&state.room, &mut context.body, &state.settings)?;
    let (body, _room) = loop {
        let progress = {
            let _waiting = context.answering.waiting();
            reading.advance(party.as_ref()).await
        };
        match progress {
            // What is encoded may be no text; the component says why it is not taken.
            Err(BodyError::NotText) if is_encoded(&context.head.headers) => break (None, None),
            Err(error) => return Err(error.into()),
            Ok(Progress::Done(text)) => break text.into_parts(),
            // A body that is long, or slow, is waited for only from those who have a key.
            Ok(Progress::Whose) => match state.site.authorize(request.clone()).await? {
                Ok(directory) => {
                    context.answering.known(true);
                    party = Some(Party::Directory(directory.into()));
                }
                Err(mut refusal) => {
                    context.answering.known(false);
                    note(state, &mut refusal);
                    return reply(refusal);
                }
            },
        }
    };
    request.body = body;
    let mut response = state.site.handle(request).await?;
    context.answering.known(response.status != StatusCode::UNAUTHORIZED.as_u16());
    if let Some(failure) = &response.failure {
        tracing::error!(request = context.id, failure, "a request failed inside");
    }
    note(state, &mut response);
    reply(response)
}

/// Counts a request that was refused for its key.
fn note(state: &State, response: &mut scim::Response) {
    if let Some(refused) = response.refused_key.take() {
        state.refused_keys.count(refused);
    }
}

/// Whose a request is: of the directory that its key opens.
pub(super) async fn whose(state: &State, context: &RequestContext<'_>) -> Result<Party, Fault> {
    let directory = state.site.authorize(bare(state, context)?).await?;
    Ok(directory.map_or(Party::Unknown, |directory| Party::Directory(directory.into())))
}

/// A request as the component takes it, without its body.
fn bare(state: &State, context: &RequestContext<'_>) -> Result<scim::Request, Fault> {
    let head = context.head;
    let origin = origin(&state.settings, state.local, &head.uri, &head.headers)
        .ok_or_else(|| Fault::new(StatusCode::BAD_REQUEST, "The host is not a valid one."))?;
    let mut headers = Vec::with_capacity(3);
    for name in &PASSED {
        for value in head.headers.get_all(name) {
            // A value that is not text cannot be passed on, and no such value is allowed in these fields.
            if let Ok(value) = str::from_utf8(value.as_bytes()) {
                headers.push((name.as_str().to_owned(), value.to_owned()));
            }
        }
    }
    if !head.headers.contains_key("x-request-id") {
        headers.push(("x-request-id".to_owned(), context.id.to_owned()));
    }
    // A response to HEAD is that to GET, of which only the header is sent.
    let method = if head.method == Method::HEAD { "GET" } else { head.method.as_str() };
    Ok(scim::Request {
        method: method.to_owned(),
        origin,
        path: head.uri.path().to_owned(),
        query: head.uri.query().map(str::to_owned),
        headers,
        body: None,
    })
}

/// What the component answered, as it is sent.
fn reply(response: scim::Response) -> Result<Reply, Fault> {
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

/// An error as it is sent: RFC 7644, section 3.12.
pub(super) fn shaped(fault: Fault) -> Reply {
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
        status: fault.status.as_str(),
        scim_type: fault.scim_type,
        detail: &fault.detail,
    };
    let reply = json(fault.status, "application/scim+json", &body);
    fault.finish(reply)
}
