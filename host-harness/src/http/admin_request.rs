//! What a request from an administrator brings, checked.

use super::body::{BodyError, IncomingBody, is_encoded};
use super::connections::AnswerGuard;
use super::context::RequestContext;
use super::fault::Fault;
use super::origin::origin;
use super::state::State;
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method, StatusCode, header};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// A request to one of the endpoints, from an administrator.
pub(crate) struct AdminRequest<'a> {
    pub(super) state: &'a State,
    /// The administrator's name, for the change feed.
    pub(super) actor: String,
    /// The variable parts of the path, in order.
    pub(super) parameters: Vec<String>,
    pub(super) head: &'a Parts,
    body: &'a mut IncomingBody,
    pub(super) answering: &'a Arc<AnswerGuard>,
}

impl<'a> AdminRequest<'a> {
    /// A request that changes something has to say that its body is JSON: a page of another site can have a browser send
    /// anything but that.
    pub(super) async fn new(
        state: &'a State,
        actor: String,
        parameters: Vec<String>,
        context: &'a mut RequestContext<'_>,
    ) -> Result<Self, Fault> {
        let (head, body, answering) = (context.head, &mut context.body, &context.answering);
        let changes = head.method != Method::GET && head.method != Method::HEAD;
        if is_encoded(&head.headers) && !body.is_empty(&state.settings).await? {
            return Err(BodyError::Encoded.into());
        }
        if changes && !is_json(&head.headers) && !body.is_empty(&state.settings).await? {
            return Err(Fault::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "The body has to be JSON and to say so, with `Content-Type: application/json`.",
            ));
        }
        Ok(Self { state, actor, parameters, head, body, answering })
    }

    /// A variable part of the path, percent-decoded.
    pub(super) fn parameter(&self, index: usize) -> &str {
        self.parameters.get(index).map_or("", String::as_str)
    }

    /// The URL in front of every path.
    pub(super) fn origin(&self) -> Result<String, Fault> {
        let Self { state, head, .. } = self;
        origin(&state.settings, state.local, &head.uri, &head.headers)
            .ok_or_else(|| invalid("The host is not a valid one."))
    }

    /// The query's parameters: only those in `known`, and each of them at most once.
    pub(super) fn query<const N: usize>(&self, known: [&str; N]) -> Result<[Option<String>; N], Fault> {
        let mut values = [const { None }; N];
        let query = self.head.uri.query().unwrap_or_default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let index = known.iter().position(|known| *known == name);
            let slot = index
                .map(|index| &mut values[index])
                .ok_or_else(|| invalid(format!("There is no query parameter `{name}` here.")))?;
            if slot.replace(value.into_owned()).is_some() {
                return Err(invalid(format!("The query parameter `{name}` is there twice.")));
            }
        }
        Ok(values)
    }

    /// Those of the query's parameters that are in `known`, the first of each name; whatever else is there is passed over.
    pub(super) fn query_among<const N: usize>(&self, known: [&str; N]) -> [Option<String>; N] {
        let mut values = [const { None }; N];
        let query = self.head.uri.query().unwrap_or_default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if let Some(index) = known.iter().position(|known| *known == name) {
                values[index].get_or_insert_with(|| value.into_owned());
            }
        }
        values
    }

    /// The number in a variable part of the path.
    pub(super) fn number(&self, index: usize) -> Result<u64, Fault> {
        number(self.parameter(index)).ok_or_else(Fault::not_found)
    }

    /// The body, a JSON object.
    pub(super) async fn json<T: DeserializeOwned>(self) -> Result<T, Fault> {
        self.json_or_nothing().await?.ok_or_else(|| invalid("A JSON object is needed as the body."))
    }

    /// The body, a JSON object, where there is one.
    pub(super) async fn json_or_nothing<T: DeserializeOwned>(self) -> Result<Option<T>, Fault> {
        let Self { state, body, answering, .. } = self;
        let text = state.text(body, answering).await?.text;
        if text.trim_ascii().is_empty() {
            return Ok(None);
        }
        // Serde takes a list of an object's values for the object.
        if !text.trim_ascii_start().starts_with('{') {
            return Err(invalid("The body is no JSON object."));
        }
        let parsed = serde_json::from_str(&text);
        parsed.map(Some).map_err(|error| invalid(format!("The body does not fit: {error}.")))
    }
}

/// Whether a body is said to be JSON: `application/json`, or a type that is written in it.
fn is_json(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(kind), None) = (types.next(), types.next()) else { return false };
    let essence = kind.to_str().ok().and_then(|kind| kind.split(';').next()).unwrap_or_default();
    let Some((main, sub)) = essence.trim().split_once('/') else { return false };
    let sub = sub.to_ascii_lowercase();
    main.eq_ignore_ascii_case("application") && (sub == "json" || sub.ends_with("+json"))
}

/// A number as it stands in a URL: digits and nothing else.
pub(crate) fn number(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// A time as it is shown.
pub(super) fn time(millis: u64) -> Result<Timestamp, Fault> {
    let time = i64::try_from(millis).ok().map(Timestamp::from_millisecond);
    time.and_then(Result::ok).ok_or_else(|| {
        tracing::error!(millis, "the component told of no time");
        Fault::internal()
    })
}

pub(super) fn invalid(detail: impl Into<String>) -> Fault {
    Fault::new(StatusCode::BAD_REQUEST, detail)
}
