//! The shapes that the admin API's requests and responses have in common.

use super::super::admin_request::invalid;
use super::super::fault::Fault;
use super::super::reply::{Reply, json};
use crate::runtime::site::Position;
use hyper::StatusCode;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// How many values a page of a list has unless the request says.
const DEFAULT_LIMIT: u32 = 100;

/// One page of a list.
#[derive(Serialize)]
pub(super) struct Page<T, C> {
    pub(super) values: Vec<T>,
    /// What to ask for the next page with. The last page has nothing here.
    pub(super) next: Option<C>,
}

/// Where a page begins.
pub(super) fn position(cursor: Option<String>) -> Result<Position, Fault> {
    match cursor {
        None => Ok(Position::START),
        Some(cursor) if cursor.is_empty() => Err(invalid("`cursor` is what `next` of a page said.")),
        Some(cursor) => Ok(Position::After(cursor)),
    }
}

/// The cursor of a page in a list that has no offsets.
pub(super) fn cursor(cursor: Option<String>) -> Result<Option<String>, Fault> {
    match cursor {
        Some(cursor) if cursor.is_empty() => Err(invalid("`cursor` is what `next` of a page said.")),
        cursor => Ok(cursor),
    }
}

/// What a parameter of the query says, one of the words that the contract has for it.
pub(super) fn word<T: DeserializeOwned>(name: &str, text: Option<String>) -> Result<Option<T>, Fault> {
    let read = text.map(|text| serde_json::from_value(serde_json::Value::String(text)));
    read.transpose().map_err(|error| invalid(format!("`{name}` does not fit: {error}.")))
}

/// The size of a page.
pub(super) fn limit(text: Option<String>) -> Result<u32, Fault> {
    text.map_or(Ok(DEFAULT_LIMIT), |text| {
        let limit = text.parse().ok().filter(|limit| (1..=1_000).contains(limit));
        limit.ok_or_else(|| invalid("`limit` is a number from 1 to 1,000."))
    })
}

/// Whether a parameter of the query says so.
pub(super) fn flag(name: &str, text: Option<&str>) -> Result<bool, Fault> {
    match text {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(invalid(format!("`{name}` is true or false."))),
    }
}

/// The whole number that a member of a body is to be. `60.0` is one, too.
pub(super) fn whole(member: &str, number: &serde_json::Number) -> Result<u32, Fault> {
    let whole = number.as_f64().filter(|value| value.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(value));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is a whole number in these bounds")]
    let whole = whole.map(|value| value as u32);
    whole.ok_or_else(|| invalid(format!("`{member}` is a whole number from 0 to 4,294,967,295.")))
}

pub(super) fn ok(body: &impl Serialize) -> Reply {
    json(StatusCode::OK, "application/json", body)
}

/// What was made.
pub(super) fn created(body: &impl Serialize) -> Reply {
    json(StatusCode::CREATED, "application/json", body)
}

/// What was made and holds a secret that no cache may keep.
pub(super) fn issued(body: &impl Serialize) -> Reply {
    let mut reply = created(body);
    let value = hyper::header::HeaderValue::from_static("no-store");
    reply.headers_mut().insert(hyper::header::CACHE_CONTROL, value);
    reply
}
