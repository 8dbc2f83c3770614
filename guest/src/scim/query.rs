//! What a list request asks for (RFC 7644, sections 3.4.2 and 3.4.3; RFC 9865), from a query or a search request.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::cursor::Cursor;
use super::order::Sort;
use crate::json::Value;
use crate::language::error::{Error, Result};
use crate::language::filter::{self, Filter};
use crate::language::path::{self, AttributePath, Named};
use crate::language::resource::Projection;
use crate::language::schema::{RESOURCE_TYPES, ResourceType};
use crate::text::quoted;

/// How many resources a page has if the client does not say.
pub const DEFAULT_PAGE: u32 = 100;

/// How many resources a page has at most; a higher `count` gets this many.
pub const MAX_PAGE: u32 = 1_000;

/// The parameters as they came, before they are read for a resource type.
#[derive(Debug, Clone, Default)]
pub struct Parameters<'r> {
    filter: Option<Cow<'r, str>>,
    sort_by: Option<Cow<'r, str>>,
    sort_order: Option<Cow<'r, str>>,
    start_index: Option<u64>,
    count: Option<u32>,
    cursor: Option<Cow<'r, str>>,
    attributes: Option<Names<'r>>,
    excluded_attributes: Option<Names<'r>>,
}

/// A list of attribute names: one text in a query, an array in a search request.
#[derive(Debug, Clone)]
enum Names<'r> {
    Text(Cow<'r, str>),
    Array(Value<'r>),
}

/// A query for the resources of one type.
#[derive(Debug, Clone)]
pub struct Query<'r> {
    /// Which resources; `None` for all.
    pub filter: Option<Filter<'r>>,
    /// How they are to be sorted; `None` for the order of creation.
    pub sort: Option<Sort>,
    /// The position of the first one, counted from 1.
    pub start_index: u64,
    /// How many resources at most.
    pub count: u32,
    /// Where to go on, for paging by cursor.
    pub cursor: Option<Cursor>,
    /// A text that is the same on every page of the same query.
    pub fingerprint: String,
    /// Which parts of them are returned.
    pub wanted: Projection,
}

impl Query<'_> {
    /// Whether it is to be sorted by this core attribute or a part of it.
    #[must_use]
    pub fn sorts_by(&self, attribute: &str) -> bool {
        self.sort.is_some_and(|sort| sort.path.extension.is_none() && sort.path.attribute.name == attribute)
    }
}

impl<'r> Parameters<'r> {
    /// The parameters of a query.
    ///
    /// # Errors
    /// 400 `invalidValue` where a number was expected and something else came.
    pub fn of_query(parameters: Vec<(String, Cow<'r, str>)>) -> Result<Self> {
        let mut result = Parameters::default();
        for (name, value) in parameters {
            match name.as_str() {
                "filter" => set(&mut result.filter, value),
                "sortby" => set(&mut result.sort_by, value),
                "sortorder" => set(&mut result.sort_order, value),
                "startindex" => set(&mut result.start_index, start_index(&name, &value)?),
                "count" => set(&mut result.count, count(&name, &value)?),
                "cursor" => set(&mut result.cursor, value),
                "attributes" => set(&mut result.attributes, Names::Text(value)),
                "excludedattributes" => set(&mut result.excluded_attributes, Names::Text(value)),
                _ => {}
            }
        }
        Ok(result)
    }

    /// The members of a search request (RFC 7644, section 3.4.3).
    ///
    /// # Errors
    /// 400 `invalidSyntax` where it is not an object, has a name twice or other `schemas`; `invalidValue` where a
    /// member is of the wrong type.
    pub fn of_search(body: Value<'r>) -> Result<Self> {
        let Value::Object(body) = body else {
            return Err(Error::invalid_syntax("a search request is a JSON object"));
        };
        super::message::check(&body, super::message::SEARCH_REQUEST)?;
        let mut result = Parameters::default();
        for (name, value) in body {
            if value == Value::Null {
                continue;
            }
            match name.to_ascii_lowercase().as_str() {
                "filter" => set(&mut result.filter, text(&name, value)?),
                "sortby" => set(&mut result.sort_by, text(&name, value)?),
                "sortorder" => set(&mut result.sort_order, text(&name, value)?),
                "startindex" => set(&mut result.start_index, start_index(&name, &number(&name, &value)?)?),
                "count" => set(&mut result.count, count(&name, &number(&name, &value)?)?),
                "cursor" => set(&mut result.cursor, text(&name, value)?),
                "attributes" => set(&mut result.attributes, Names::Array(value)),
                "excludedattributes" => set(&mut result.excluded_attributes, Names::Array(value)),
                _ => {}
            }
        }
        Ok(result)
    }

    /// Which parts of a resource are asked for.
    ///
    /// # Errors
    /// 400 `invalidValue` for lists that cannot be accepted.
    pub fn projection(&self, resource_type: &'static ResourceType) -> Result<Projection> {
        match (&self.attributes, &self.excluded_attributes) {
            (Some(Names::Array(_)), _) | (_, Some(Names::Array(_))) => {
                let array = |names: &Option<Names<'r>>| match names {
                    Some(Names::Array(value)) => Some(value.clone()),
                    Some(Names::Text(text)) => Some(Value::String(text.clone())),
                    None => None,
                };
                Projection::from_search(
                    resource_type,
                    array(&self.attributes).as_ref(),
                    array(&self.excluded_attributes).as_ref(),
                )
            }
            (attributes, excluded) => {
                Projection::from_query(resource_type, as_text(attributes.as_ref()), as_text(excluded.as_ref()))
            }
        }
    }

    /// The query for the resources of a type: for these alone, or `among_all` types.
    ///
    /// # Errors
    /// 400 with the keyword for what cannot be accepted.
    pub fn query(&self, resource_type: &'static ResourceType, directory: &str, among_all: bool) -> Result<Query<'_>> {
        let parse = if among_all { filter::parse_for_one_of_all } else { filter::parse };
        let filter = match self.filter.as_deref().map(str::trim) {
            None | Some("") => None,
            Some(text) => Some(parse(resource_type, text)?).filter(|filter| *filter != Filter::Constant(true)),
        };
        let sort = match self.sort_by.as_deref() {
            None | Some("") => None,
            Some(name) => {
                let descending = descending(self.sort_order.as_deref())?;
                match sortable(resource_type, name) {
                    // By an attribute that this type does not have, its resources are in order already.
                    Err(_) if among_all && RESOURCE_TYPES.iter().any(|other| sortable(other, name).is_ok()) => None,
                    path => Some(Sort { path: path?, descending }),
                }
            }
        };
        let fingerprint = self.fingerprint(resource_type, directory);
        let cursor = match self.cursor.as_deref() {
            None => None,
            Some("") => Some(Cursor::beginning()),
            Some(text) => Some(Cursor::read(text, &fingerprint)?),
        };
        if cursor.is_some() && self.start_index.is_some() {
            return Err(Error::invalid_value("startIndex and cursor exclude each other"));
        }
        Ok(Query {
            filter,
            sort,
            start_index: self.start_index.unwrap_or(1),
            count: self.count.unwrap_or(DEFAULT_PAGE),
            cursor,
            fingerprint,
            wanted: self.projection(resource_type)?,
        })
    }

    fn fingerprint(&self, resource_type: &ResourceType, directory: &str) -> String {
        let part = |part: &Option<Cow<'_, str>>| format!("{part:?}");
        let (filter, sort_by, sort_order) = (part(&self.filter), part(&self.sort_by), part(&self.sort_order));
        super::cursor::fingerprint(&[directory, resource_type.name, &filter, &sort_by, &sort_order])
    }
}

fn set<T>(place: &mut Option<T>, value: T) {
    place.get_or_insert(value);
}

fn as_text<'n>(names: Option<&'n Names<'_>>) -> Option<&'n str> {
    match names {
        Some(Names::Text(text)) => Some(text),
        _ => None,
    }
}

fn text<'r>(name: &str, value: Value<'r>) -> Result<Cow<'r, str>> {
    match value {
        Value::String(text) => Ok(text),
        other => Err(Error::invalid_value(format!("{} must be a string, not {}", quoted(name), other.kind()))),
    }
}

fn number(name: &str, value: &Value<'_>) -> Result<String> {
    match value {
        Value::Number(number) => Ok(number.to_string()),
        Value::String(text) => Ok(text.to_string()),
        other => Err(Error::invalid_value(format!("{} must be a number, not {}", quoted(name), other.kind()))),
    }
}

/// A whole number of any length; beyond 64 bits, the largest or smallest number stands for it.
fn integer(name: &str, text: &str) -> Result<i64> {
    let text = text.trim();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Error::invalid_value(format!("{name} must be a whole number, not {}", quoted(text))));
    }
    let magnitude = digits.parse::<i64>().unwrap_or(i64::MAX);
    Ok(if negative { -magnitude } else { magnitude })
}

/// A value below 1 is taken as 1 (RFC 7644, section 3.4.2.4).
fn start_index(name: &str, text: &str) -> Result<u64> {
    Ok(u64::try_from(integer(name, text)?).unwrap_or(0).max(1))
}

/// A negative value is taken as 0 (RFC 7644, section 3.4.2.4).
fn count(name: &str, text: &str) -> Result<u32> {
    Ok(u32::try_from(integer(name, text)?.max(0)).unwrap_or(MAX_PAGE).min(MAX_PAGE))
}

fn descending(order: Option<&str>) -> Result<bool> {
    match order {
        None | Some("") => Ok(false),
        Some(order) if order.eq_ignore_ascii_case("ascending") => Ok(false),
        Some(order) if order.eq_ignore_ascii_case("descending") => Ok(true),
        Some(order) => {
            Err(Error::invalid_value(format!("sortOrder is \"ascending\" or \"descending\", not {}", quoted(order))))
        }
    }
}

fn sortable(resource_type: &'static ResourceType, name: &str) -> Result<AttributePath> {
    let Named::Attribute(mut path) = path::resolve(resource_type, name.trim()) else {
        return Err(Error::invalid_path(format!("{} cannot be sorted by {}", resource_type.name, quoted(name))));
    };
    if path.sub_attribute.is_none() && !path.attribute.sub_attributes.is_empty() {
        path.sub_attribute = path.attribute.sub_attribute("value");
        if path.sub_attribute.is_none() {
            return Err(Error::invalid_path(format!("{path} has parts; sort by one of them")));
        }
    }
    if path.attribute.name == "members" {
        return Err(Error::invalid_path("groups cannot be sorted by their members"));
    }
    Ok(path)
}
