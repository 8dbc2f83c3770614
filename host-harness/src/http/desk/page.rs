//! Pages, which clients count through by `start` and `limit`.

use super::super::admin_request::{AdminRequest, invalid, number};
use super::super::fault::Fault;
use super::super::reply::{Reply, json};
use crate::runtime::site::Position;
use hyper::StatusCode;
use serde::Serialize;

/// How many values a page has unless the request says.
const DEFAULT_LIMIT: u32 = 50;

/// How many values a page has at most; who asks for more gets this many and is told so, as in the reference product.
pub(super) const MAX_LIMIT: u32 = 1_000;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Page<T> {
    size: usize,
    start: u32,
    limit: u32,
    is_last_page: bool,
    #[serde(rename = "_links")]
    links: Links,
    values: Vec<T>,
}

#[derive(Serialize)]
struct Links {
    base: String,
    context: &'static str,
    #[serde(rename = "self")]
    this: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prev: Option<String>,
}

/// The part of a list that a request asks for.
pub(super) struct Window {
    start: u32,
    pub(super) limit: u32,
    /// What the values are chosen by, to be repeated in the links.
    pub(super) query: Option<String>,
    /// Whose the values are, likewise.
    pub(super) account: Option<String>,
    base: String,
    url: String,
}

impl Window {
    /// What a request asks for.
    pub(super) fn of(request: &AdminRequest<'_>) -> Result<Self, Fault> {
        let [start, limit, query, account] = request.query_among(["start", "limit", "query", "accountId"]);
        let count = |text: Option<String>, name: &str, default: u32| {
            let Some(text) = text else { return Ok(default) };
            let count = number(&text).and_then(|number| u32::try_from(number).ok());
            count.ok_or_else(|| invalid(format!("`{name}` is a whole number that is not negative.")))
        };
        let (start, limit) = (count(start, "start", 0)?, count(limit, "limit", DEFAULT_LIMIT)?);
        if limit == 0 {
            return Err(invalid("`limit` is 1 or more."));
        }
        let origin = request.origin()?;
        let url = format!("{origin}{}", request.head.uri.path());
        Ok(Self { start, limit: limit.min(MAX_LIMIT), query, account, base: super::shape::base(&origin), url })
    }

    /// How many values there are before this part.
    pub(super) fn start(&self) -> u32 {
        self.start
    }

    pub(super) fn position(&self) -> Position {
        Position::Offset(self.start)
    }

    /// Where this part begins and ends in a list of which all is known.
    pub(super) fn bounds(&self, length: usize) -> (usize, usize) {
        let from = (self.start as usize).min(length);
        (from, from.saturating_add(self.limit as usize).min(length))
    }

    /// The page with these values.
    pub(super) fn page<T: Serialize>(self, values: Vec<T>, is_last_page: bool) -> Reply {
        let next = self.start.checked_add(self.limit).filter(|_| !is_last_page);
        let prev = (self.start > 0).then(|| self.start.saturating_sub(self.limit));
        let page = Page {
            size: values.len(),
            start: self.start,
            limit: self.limit,
            is_last_page,
            links: Links {
                this: self.link(self.start),
                next: next.map(|start| self.link(start)),
                prev: prev.map(|start| self.link(start)),
                base: self.base,
                context: "",
            },
            values,
        };
        json(StatusCode::OK, "application/json", &page)
    }

    fn link(&self, start: u32) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in [("query", &self.query), ("accountId", &self.account)] {
            if let Some(value) = value {
                query.append_pair(name, value);
            }
        }
        query.append_pair("start", &start.to_string()).append_pair("limit", &self.limit.to_string());
        format!("{}?{}", self.url, query.finish())
    }
}
