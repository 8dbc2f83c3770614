//! Which comparisons make sense, by the type of the attribute, and literals in that type.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::format;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

use super::{Filter, Literal, Operator};
use crate::json::Value;
use crate::language::error::{Error, Result};
use crate::language::path::AttributePath;
use crate::language::schema::{Attribute, Type};
use crate::text::fold;
use crate::text::quoted;

/// The comparison of an attribute with a value, as the attribute's type has it.
///
/// # Errors
/// `invalidFilter` when the operator or the value does not fit the type.
pub(super) fn compare<'a>(path: AttributePath, operator: Operator, value: &Value<'a>) -> Result<Filter<'a>> {
    if *value == Value::Null {
        return compare_with_null(path, operator);
    }
    let path = value_of(path)?;
    let attribute = path.leaf();
    if !has_operator(attribute.kind, operator) {
        return Err(Error::invalid_filter(format!(
            "{path} is of type {}, for which there is no operator {}",
            attribute.kind.name(),
            operator.keyword()
        )));
    }
    match literal(attribute, operator, value) {
        Some(literal) => Ok(Filter::Compare { path, operator, literal }),
        None => Err(Error::invalid_filter(format!(
            "{path} is compared with {}, not with {}",
            counterpart(attribute.kind),
            quoted(&value.to_text())
        ))),
    }
}

/// `null` is the same as no value (RFC 7643, section 2.5).
fn compare_with_null<'a>(path: AttributePath, operator: Operator) -> Result<Filter<'a>> {
    match operator {
        Operator::Equal => Ok(Filter::Not(Box::new(Filter::Present(path)))),
        Operator::NotEqual => Ok(Filter::Present(path)),
        _ => Err(Error::invalid_filter(format!("null is compared with eq and ne, not with {}", operator.keyword()))),
    }
}

/// A complex attribute is compared by its `value`, where it has one.
fn value_of(path: AttributePath) -> Result<AttributePath> {
    if path.leaf().kind != Type::Complex {
        return Ok(path);
    }
    match path.attribute.sub_attribute("value") {
        Some(value) => Ok(AttributePath { sub_attribute: Some(value), ..path }),
        None => Err(Error::invalid_filter(format!("{path} is complex: only its sub-attributes can be compared"))),
    }
}

/// Whether values of a type can be compared this way (RFC 7644, table 3). Text operators are for text only.
fn has_operator(kind: Type, operator: Operator) -> bool {
    let text_only = matches!(operator, Operator::Contains | Operator::StartsWith | Operator::EndsWith);
    match kind {
        Type::String | Type::Reference => true,
        Type::DateTime => !text_only,
        Type::Boolean | Type::Binary => matches!(operator, Operator::Equal | Operator::NotEqual),
        Type::Complex => false,
    }
}

/// The value in the type of the attribute, if it fits that type.
fn literal<'a>(attribute: &Attribute, operator: Operator, value: &Value<'a>) -> Option<Literal<'a>> {
    match (attribute.kind, value) {
        (Type::String | Type::Reference | Type::Binary, Value::String(text)) => {
            Some(Literal::Text { given: text.clone(), compared: comparable(attribute, operator, text.clone()) })
        }
        (Type::Boolean, Value::Bool(flag)) => Some(Literal::Boolean(*flag)),
        // Entra quotes its booleans.
        (Type::Boolean, Value::String(text)) if text.eq_ignore_ascii_case("true") => Some(Literal::Boolean(true)),
        (Type::Boolean, Value::String(text)) if text.eq_ignore_ascii_case("false") => Some(Literal::Boolean(false)),
        (Type::DateTime, Value::String(text)) => instant(text).map(Literal::Instant),
        _ => None,
    }
}

/// A text in the form in which values of the attribute are compared with it.
fn comparable<'a>(attribute: &Attribute, operator: Operator, text: Cow<'a, str>) -> Cow<'a, str> {
    let is_whole = matches!(operator, Operator::Equal | Operator::NotEqual);
    let text = if is_whole && attribute.trimmed { map(text, |text| Cow::Borrowed(text.trim())) } else { text };
    if attribute.case_exact { text } else { map(text, fold) }
}

/// Applies a function that may borrow from its argument, without copying what needs no copy.
fn map<'a>(text: Cow<'a, str>, change: fn(&str) -> Cow<'_, str>) -> Cow<'a, str> {
    match text {
        Cow::Borrowed(text) => change(text),
        Cow::Owned(text) => Cow::Owned(change(&text).into_owned()),
    }
}

/// A point in time from its text: RFC 3339, and other forms of ISO 8601. Without an offset it is UTC.
pub(super) fn instant(text: &str) -> Option<Timestamp> {
    match text.parse::<Timestamp>() {
        Ok(instant) => Some(instant),
        Err(_) => Offset::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok(),
    }
}

/// What values of a type are compared with, for messages.
fn counterpart(kind: Type) -> &'static str {
    match kind {
        Type::String | Type::Reference | Type::Binary | Type::Complex => "a string in double quotes",
        Type::Boolean => "true or false",
        Type::DateTime => "a date and time such as \"2011-05-13T04:42:34Z\"",
    }
}
