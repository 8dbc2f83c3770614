//! What a scenario expects of a value: a literal, or an object of operators that must all hold.

use regex::Regex;
use serde_json::Value;

use super::variables::text;

/// Whether `found` is what is expected; else why not.
pub(super) fn check(expected: &Value, found: Option<&Value>) -> Result<(), String> {
    let operators = expected
        .as_object()
        .filter(|members| !members.is_empty() && members.keys().all(|name| name.starts_with('$') && name != "$ref"));
    let Some(operators) = operators else {
        return if found.is_some_and(|found| same(expected, found)) {
            Ok(())
        } else {
            Err(format!("expected {expected}, got {}", show(found)))
        };
    };
    for (operator, argument) in operators {
        if !holds(operator, argument, found) {
            return Err(format!("{operator} {argument} does not hold for {}", show(found)));
        }
    }
    Ok(())
}

fn holds(operator: &str, argument: &Value, found: Option<&Value>) -> bool {
    let is = |expected: bool| argument.as_bool() == Some(expected);
    let arguments = || argument.as_array().into_iter().flatten();
    match operator {
        "$exists" => is(found.is_some()),
        "$falsy" => is(found.is_none_or(|found| found.is_null() || size(found) == Some(0))),
        "$absent_or" => found.is_none() || check(argument, found).is_ok(),
        "$anyof" => arguments().any(|argument| check(argument, found).is_ok()),
        "$type" => found.is_some_and(|found| has_type(found, argument)),
        "$eq" => found.is_some_and(|found| same(argument, found)),
        "$ne" => !found.is_some_and(|found| same(argument, found)),
        "$ieq" => {
            found.and_then(Value::as_str).is_some_and(|found| found.to_lowercase() == text(argument).to_lowercase())
        }
        "$in" => found.is_some_and(|found| arguments().any(|argument| same(argument, found))),
        "$regex" => {
            let pattern = Regex::new(&text(argument)).expect("the scenario's pattern is valid");
            found.and_then(Value::as_str).is_some_and(|found| pattern.is_match(found))
        }
        "$len" => found.and_then(size).is_some_and(|size| Some(size) == argument.as_u64()),
        "$minlen" => found.and_then(size).is_some_and(|size| Some(size) >= argument.as_u64()),
        "$maxlen" => found.and_then(size).is_some_and(|size| Some(size) <= argument.as_u64()),
        "$gte" => found.and_then(Value::as_f64).is_some_and(|found| Some(found) >= argument.as_f64()),
        "$lte" => found.and_then(Value::as_f64).is_some_and(|found| Some(found) <= argument.as_f64()),
        "$contains" => found.is_some_and(|found| contains(found, argument)),
        "$notcontains" => !found.is_some_and(|found| contains(found, argument)),
        unknown => panic!("the scenario has an unknown operator {unknown}"),
    }
}

/// Whether two values are equal. Numbers are compared as such: 1 is 1.0.
pub(super) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

/// Whether a text contains another, or an array an element that has at least the members of `wanted`.
fn contains(found: &Value, wanted: &Value) -> bool {
    match found {
        Value::String(found) => wanted.as_str().is_some_and(|wanted| found.contains(wanted)),
        Value::Array(elements) => elements.iter().any(|element| covers(element, wanted)),
        _ => false,
    }
}

fn covers(found: &Value, wanted: &Value) -> bool {
    match (found, wanted) {
        (Value::Object(found), Value::Object(wanted)) => {
            wanted.iter().all(|(name, wanted)| found.get(name).is_some_and(|found| covers(found, wanted)))
        }
        _ => same(found, wanted),
    }
}

fn has_type(found: &Value, wanted: &Value) -> bool {
    match wanted.as_str() {
        Some("string") => found.is_string(),
        Some("boolean") => found.is_boolean(),
        Some("integer") => found.is_i64() || found.is_u64(),
        Some("number") => found.is_number(),
        Some("array") => found.is_array(),
        Some("object") => found.is_object(),
        Some("null") => found.is_null(),
        _ => panic!("the scenario has an unknown type {wanted}"),
    }
}

/// The length of a text in characters, or the number of elements or members.
fn size(value: &Value) -> Option<u64> {
    let size = match value {
        Value::String(text) => text.chars().count(),
        Value::Array(elements) => elements.len(),
        Value::Object(members) => members.len(),
        _ => return None,
    };
    Some(size as u64)
}

fn show(found: Option<&Value>) -> String {
    found.map_or_else(|| "nothing".to_owned(), Value::to_string)
}
