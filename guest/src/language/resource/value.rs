//! One value, typed by its attribute: other forms that clients send are converted to the schema's.

use alloc::borrow::Cow;
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::limits::{MAX_ELEMENTS, check_text};
use crate::json::{Object, Value};
use crate::language::error::{Error, Result};
use crate::language::path::AttributePath;
use crate::language::schema::Type;
use crate::text::quoted;

/// The value as it is stored; `None` if it leaves the attribute unassigned: `null`, or something empty.
///
/// # Errors
/// `invalidValue` when the value is of another type or too long; `invalidSyntax` when an object has a name twice.
pub fn typed<'a>(path: AttributePath, value: Value<'a>) -> Result<Option<Value<'a>>> {
    let leaf = path.leaf();
    if leaf.multi_valued {
        let elements = elements(path, value)?;
        return Ok((!elements.is_empty()).then_some(Value::Array(elements)));
    }
    match value {
        Value::Null => Ok(None),
        value if leaf.kind == Type::Complex => Ok(complex(path, value)?.map(Value::Object)),
        value => simple(path, value).map(Some),
    }
}

/// The elements of a multi-valued attribute, each once. A single element is taken as a list of one.
///
/// # Errors
/// As [`typed`], and when there are too many elements or more than one is primary.
pub fn elements<'a>(path: AttributePath, value: Value<'a>) -> Result<Vec<Value<'a>>> {
    let values = match value {
        Value::Array(values) => values,
        lone => vec![lone],
    };
    check_count(path, values.len())?;
    let mut elements = Vec::with_capacity(values.len());
    for value in values {
        if let Value::Array(_) = value {
            return Err(expected(path, "a list of objects", &value));
        }
        match complex(path, value)?.map(Value::Object) {
            Some(element) if !elements.contains(&element) => elements.push(element),
            _ => {}
        }
    }
    check_primary(path, &elements)?;
    Ok(elements)
}

/// The object for a complex attribute, or for one element of it, as the client sent it. Its `value` alone may stand for
/// the object (Entra sends a manager that way), and so may a list of one.
///
/// # Errors
/// `invalidValue` when it is something else; `invalidSyntax` when the object has a name twice.
pub fn object_for<'a>(path: AttributePath, value: Value<'a>) -> Result<Option<Object<'a>>> {
    let value = match value {
        Value::Array(values) if values.len() < 2 => values.into_iter().next(),
        value => Some(value),
    };
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(object)) => match object.repeated_name() {
            None => Ok(Some(object)),
            Some(name) => Err(Error::invalid_syntax(format!("{path} has {} more than once", quoted(name)))),
        },
        Some(text @ Value::String(_)) if path.attribute.sub_attribute("value").is_some() => {
            Ok(Some(Object::from_iter([(Cow::Borrowed("value"), text)])))
        }
        Some(other) => Err(expected(path, "an object", &other)),
    }
}

/// Checks how many elements a multi-valued attribute has.
///
/// # Errors
/// `invalidValue`, naming the attribute and the limit.
pub fn check_count(path: AttributePath, count: usize) -> Result<()> {
    if count <= MAX_ELEMENTS {
        return Ok(());
    }
    Err(Error::invalid_value(format!("{path} has more than the {MAX_ELEMENTS} values that are allowed")))
}

/// Checks that no more than one element is primary (RFC 7643, section 2.4).
///
/// # Errors
/// `invalidValue` otherwise.
pub fn check_primary(path: AttributePath, elements: &[Value<'_>]) -> Result<()> {
    if elements.iter().filter(|element| is_primary(element)).count() < 2 {
        return Ok(());
    }
    Err(Error::invalid_value(format!("{path} has more than one primary value")))
}

/// Whether an element says that it is the primary one.
#[must_use]
pub fn is_primary(element: &Value<'_>) -> bool {
    element.as_object().and_then(|element| element.get("primary")) == Some(&Value::Bool(true))
}

fn complex<'a>(path: AttributePath, value: Value<'a>) -> Result<Option<Object<'a>>> {
    let Some(object) = object_for(path, value)? else { return Ok(None) };
    let members = object.into_iter().filter_map(|(name, value)| sub_value(path, &name, value).transpose());
    let object: Object<'a> = members.collect::<Result<_>>()?;
    Ok((!object.is_empty()).then_some(object))
}

fn sub_value<'a>(path: AttributePath, name: &str, value: Value<'a>) -> Result<Option<(Cow<'a, str>, Value<'a>)>> {
    match path.attribute.sub_attribute(name).filter(|attribute| attribute.is_writable()) {
        Some(attribute) if value != Value::Null => {
            let value = simple(AttributePath { sub_attribute: Some(attribute), ..path }, value)?;
            Ok(Some((Cow::Borrowed(attribute.name), value)))
        }
        _ => Ok(None),
    }
}

fn simple<'a>(path: AttributePath, value: Value<'a>) -> Result<Value<'a>> {
    match path.leaf().kind {
        Type::Boolean => boolean(path, &value),
        Type::String | Type::Reference | Type::DateTime => text(path, value, "a string"),
        Type::Binary => binary(path, value),
        // Complex attributes have no complex sub-attributes (RFC 7643, section 2.3.8).
        Type::Complex => Err(expected(path, "an object", &value)),
    }
}

/// A boolean; Entra sends `"True"` and `"False"`.
fn boolean<'a>(path: AttributePath, value: &Value<'_>) -> Result<Value<'a>> {
    match value {
        Value::Bool(flag) => Ok(Value::Bool(*flag)),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Ok(Value::Bool(true)),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Ok(Value::Bool(false)),
        other => Err(expected(path, "true or false", other)),
    }
}

fn text<'a>(path: AttributePath, value: Value<'a>, what: &str) -> Result<Value<'a>> {
    match value {
        Value::String(text) => {
            check_text(path, &text)?;
            Ok(Value::String(text))
        }
        other => Err(expected(path, what, &other)),
    }
}

fn binary<'a>(path: AttributePath, value: Value<'a>) -> Result<Value<'a>> {
    let value = text(path, value, "base64 text")?;
    if value.as_str().is_some_and(is_base64) { Ok(value) } else { Err(expected(path, "base64 text", &value)) }
}

/// Whether a text is base64, in either alphabet of RFC 4648 (RFC 7643, section 2.3.6); padding may be missing.
fn is_base64(text: &str) -> bool {
    const PADDED_OR_NOT: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    static ALPHABETS: [GeneralPurpose; 2] = [
        GeneralPurpose::new(&alphabet::STANDARD, PADDED_OR_NOT),
        GeneralPurpose::new(&alphabet::URL_SAFE, PADDED_OR_NOT),
    ];
    ALPHABETS.iter().any(|alphabet| alphabet.decode(text).is_ok())
}

fn expected(path: AttributePath, what: &str, value: &Value<'_>) -> Error {
    match value {
        Value::String(text) => Error::invalid_value(format!("{path} must be {what}, not {}", quoted(text))),
        other => Error::invalid_value(format!("{path} must be {what}, not {}", other.kind())),
    }
}
