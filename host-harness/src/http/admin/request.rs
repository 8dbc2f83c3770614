//! What a request of the admin API brings, checked.

use super::super::origin::origin;
use super::super::reply::{Fault, Reply, json};
use super::super::service::Service;
use hyper::StatusCode;
use hyper::body::Incoming;
use hyper::http::request::Parts;
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// How many values a page of a list has unless the request says.
const DEFAULT_LIMIT: u32 = 100;

/// A request to one of the endpoints, from an administrator.
pub(super) struct Call<'a> {
    pub(super) service: &'a Service,
    /// The administrator's name, for the change feed.
    pub(super) actor: String,
    /// The variable parts of the path, in order.
    pub(super) parameters: Vec<String>,
    pub(super) head: &'a Parts,
    pub(super) body: Incoming,
}

/// One page of a list.
#[derive(Serialize)]
pub(super) struct Page<T, C> {
    pub(super) values: Vec<T>,
    /// What to ask for the next page with; none on the last.
    pub(super) next: Option<C>,
}

impl Call<'_> {
    /// A variable part of the path, percent-decoded.
    pub(super) fn parameter(&self, index: usize) -> &str {
        self.parameters.get(index).map_or("", String::as_str)
    }

    /// The URL in front of every path.
    pub(super) fn origin(&self) -> Result<String, Fault> {
        let Self { service, head, .. } = self;
        origin(&service.settings, service.local, &head.uri, &head.headers)
            .ok_or_else(|| invalid("The host is not a valid one."))
    }

    /// The query's parameters, each at most once and none but those in `known`.
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

    /// The body as JSON.
    pub(super) async fn json<T: DeserializeOwned>(self) -> Result<T, Fault> {
        self.json_or_nothing().await?.ok_or_else(|| invalid("A JSON object is needed as the body."))
    }

    /// The body as JSON, where there is one.
    pub(super) async fn json_or_nothing<T: DeserializeOwned>(self) -> Result<Option<T>, Fault> {
        let Self { service, head, body, .. } = self;
        let text = service.room.read(&head.headers, body, &service.settings).await?.text;
        if text.trim_ascii().is_empty() {
            return Ok(None);
        }
        let parsed = serde_json::from_str(&text);
        parsed.map(Some).map_err(|error| invalid(format!("The body does not fit: {error}.")))
    }
}

/// The variable parts of a path.
pub(super) fn parameters(found: &matchit::Params<'_, '_>) -> Result<Vec<String>, Fault> {
    let decoded = found.iter().map(|(_, value)| {
        let value = percent_decode_str(value).decode_utf8();
        value.map(Into::into).map_err(|_| Fault::not_found())
    });
    decoded.collect()
}

/// The size of a page.
pub(super) fn limit(text: Option<String>) -> Result<u32, Fault> {
    let Some(text) = text else {
        return Ok(DEFAULT_LIMIT);
    };
    let limit = text.parse().ok().filter(|limit| (1..=1_000).contains(limit));
    limit.ok_or_else(|| invalid("`limit` is a number from 1 to 1,000."))
}

/// A time as the API shows it.
pub(super) fn time(millis: u64) -> Result<Timestamp, Fault> {
    let time = i64::try_from(millis).ok().map(Timestamp::from_millisecond);
    time.and_then(Result::ok).ok_or_else(|| {
        tracing::error!(millis, "the component told of no time");
        Fault::internal()
    })
}

/// The whole number that a member of a body is to be. `60.0` is one, too.
pub(super) fn whole(member: &str, number: &serde_json::Number) -> Result<u32, Fault> {
    let whole = number.as_f64().filter(|value| value.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(value));
    let whole = whole.map(|value| value as u32);
    whole.ok_or_else(|| invalid(format!("`{member}` is a whole number from 0 to 4,294,967,295.")))
}

pub(super) fn invalid(detail: impl Into<String>) -> Fault {
    Fault::new(StatusCode::BAD_REQUEST, detail)
}

pub(super) fn ok(body: &impl Serialize) -> Reply {
    json(StatusCode::OK, "application/json", body)
}

/// What was made. It holds a secret that no cache may keep.
pub(super) fn created(body: &impl Serialize) -> Reply {
    let mut reply = json(StatusCode::CREATED, "application/json", body);
    let value = hyper::header::HeaderValue::from_static("no-store");
    reply.headers_mut().insert(hyper::header::CACHE_CONTROL, value);
    reply
}
