//! JSON values that borrow their strings from the text they were read from, keep the order of their members, and cannot
//! be nested deeper than [`MAX_DEPTH`].

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::Cell;
use core::fmt;

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Number;

/// How deep arrays and objects may be nested. A SCIM message needs 7 (a bulk request that patches a complex
/// multi-valued attribute); the rest is margin, and far below what the guest's stack holds.
pub const MAX_DEPTH: usize = 24;

/// How many values a JSON text may hold, those inside others included. The members of the largest group, with all that
/// clients say about each, are 750,000. In memory, a value takes many times the two bytes that it may have as text.
pub const MAX_VALUES: u32 = 1_000_000;

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// `null`, which in SCIM means the same as an absent attribute (RFC 7643, section 2.5).
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string.
    String(Cow<'a, str>),
    /// An array.
    Array(Vec<Value<'a>>),
    /// An object.
    Object(Object<'a>),
}

impl<'a> Value<'a> {
    /// The string, if it is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The object, if it is one.
    #[must_use]
    pub fn as_object(&self) -> Option<&Object<'a>> {
        match self {
            Value::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The elements, if it is an array.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Value<'a>]> {
        match self {
            Value::Array(values) => Some(values),
            _ => None,
        }
    }

    /// What kind of value it is, for messages.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "an array",
            Value::Object(_) => "an object",
        }
    }

    /// The same value, owning its strings.
    #[must_use]
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Value::Null => Value::Null,
            Value::Bool(flag) => Value::Bool(flag),
            Value::Number(number) => Value::Number(number),
            Value::String(text) => Value::String(Cow::Owned(text.into_owned())),
            Value::Array(values) => Value::Array(values.into_iter().map(Value::into_owned).collect()),
            Value::Object(object) => Value::Object(object.into_owned()),
        }
    }

    /// The value as JSON text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        self.push_to(&mut text);
        text
    }

    /// Appends the value to JSON text. Values are nested no deeper than JSON may be read.
    fn push_to(&self, out: &mut String) {
        match self {
            Value::Null => out.push_str("null"),
            Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
            Value::Number(number) => out.push_str(&to_text(number)),
            Value::String(text) => push_string(out, text),
            Value::Array(values) => {
                out.push('[');
                for (at, value) in values.iter().enumerate() {
                    out.push_str(if at > 0 { "," } else { "" });
                    value.push_to(out);
                }
                out.push(']');
            }
            Value::Object(object) => object.push_to(out),
        }
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Value::String(Cow::Borrowed(text))
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Value::String(Cow::Owned(text))
    }
}

/// A JSON object. Members keep their order; equality does not look at it.
#[derive(Debug, Clone, Default)]
pub struct Object<'a>(Vec<(Cow<'a, str>, Value<'a>)>);

impl<'a> Object<'a> {
    /// An object without members.
    #[must_use]
    pub const fn new() -> Self {
        Object(Vec::new())
    }

    /// Whether there are no members.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many members there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The member of exactly this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value<'a>> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// The member of exactly this name, to change it.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Value<'a>> {
        self.0.iter_mut().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// The member whose name is this in any letter case: SCIM attribute names are case-insensitive (RFC 7643, section
    /// 2.1).
    #[must_use]
    pub fn get_ignoring_case(&self, name: &str) -> Option<&Value<'a>> {
        self.0.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Sets a member; one that is there keeps its place.
    pub fn set(&mut self, name: impl Into<Cow<'a, str>>, value: Value<'a>) {
        let name = name.into();
        match self.get_mut(&name) {
            Some(old) => *old = value,
            None => self.0.push((name, value)),
        }
    }

    /// Adds a member. Its name must be new.
    pub fn push(&mut self, name: impl Into<Cow<'a, str>>, value: Value<'a>) {
        self.0.push((name.into(), value));
    }

    /// Removes a member and returns its value.
    pub fn remove(&mut self, name: &str) -> Option<Value<'a>> {
        let at = self.0.iter().position(|(key, _)| key == name)?;
        Some(self.0.remove(at).1)
    }

    /// The members in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value<'a>)> {
        self.0.iter().map(|(key, value)| (key.as_ref(), value))
    }

    /// Appends the object to JSON text: the same as [`to_text`] makes of it, and quicker.
    pub fn push_to(&self, out: &mut String) {
        out.push('{');
        for (at, (name, value)) in self.iter().enumerate() {
            out.push_str(if at > 0 { "," } else { "" });
            push_string(out, name);
            out.push(':');
            value.push_to(out);
        }
        out.push('}');
    }

    /// Keeps the members for which `keep` returns true.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &mut Value<'a>) -> bool) {
        self.0.retain_mut(|(key, value)| keep(key, value));
    }

    /// The same object, owning its strings.
    #[must_use]
    pub fn into_owned(self) -> Object<'static> {
        Object(self.0.into_iter().map(|(key, value)| (Cow::Owned(key.into_owned()), value.into_owned())).collect())
    }

    /// Two members whose names are the same but for letter case, if there are any.
    #[must_use]
    pub fn repeated_name(&self) -> Option<&str> {
        // Objects of messages are small; past that, sort instead of comparing all pairs.
        if self.0.len() <= 16 {
            return self.0.iter().enumerate().find_map(|(at, (key, _))| {
                self.0[..at].iter().any(|(other, _)| other.eq_ignore_ascii_case(key)).then_some(key.as_ref())
            });
        }
        let mut names: Vec<(String, &str)> =
            self.0.iter().map(|(key, _)| (key.to_ascii_lowercase(), key.as_ref())).collect();
        names.sort_unstable();
        names.windows(2).find(|pair| pair[0].0 == pair[1].0).map(|pair| pair[1].1)
    }
}

impl<'a> IntoIterator for Object<'a> {
    type Item = (Cow<'a, str>, Value<'a>);
    type IntoIter = alloc::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> FromIterator<(Cow<'a, str>, Value<'a>)> for Object<'a> {
    fn from_iter<I: IntoIterator<Item = (Cow<'a, str>, Value<'a>)>>(members: I) -> Self {
        Object(members.into_iter().collect())
    }
}

impl PartialEq for Object<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().all(|(key, value)| other.get(key) == Some(value))
    }
}

/// Reads a JSON text.
///
/// # Errors
/// An error of `serde_json`: bad syntax, numbers that no double holds, nesting beyond [`MAX_DEPTH`], more than
/// [`MAX_VALUES`] values.
pub fn parse(text: &str) -> Result<Value<'_>, serde_json::Error> {
    serde_json::from_str(text)
}

/// Writes anything serializable as JSON text.
pub fn to_text(value: &impl Serialize) -> String {
    // Serialization into memory fails only where the keys of a map are not strings; ours always are.
    serde_json::to_string(value).unwrap_or_default()
}

/// Appends a string to JSON text, quoted and escaped.
pub fn push_string(out: &mut String, text: &str) {
    // Without a way out in the middle, which would have each byte looked at alone.
    let special = |byte: u8| u8::from(byte < 0x20) | u8::from(byte == b'"') | u8::from(byte == b'\\');
    if text.bytes().fold(0, |found, byte| found | special(byte)) == 0 {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        out.push_str(&to_text(&text));
    }
}

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(flag) => serializer.serialize_bool(*flag),
            Value::Number(number) => number.serialize(serializer),
            Value::String(text) => serializer.serialize_str(text),
            Value::Array(values) => serializer.collect_seq(values),
            Value::Object(object) => object.serialize(serializer),
        }
    }
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.len()))?;
        for (key, value) in self.iter() {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Value<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Nested { depth: 0, left: &Cell::new(MAX_VALUES) }.deserialize(deserializer)
    }
}

/// Reads a value at this depth.
#[derive(Clone, Copy)]
struct Nested<'c> {
    depth: usize,
    /// How many more values there may be.
    left: &'c Cell<u32>,
}

impl Nested<'_> {
    fn deeper<E: de::Error>(self) -> Result<Self, E> {
        if self.depth == MAX_DEPTH {
            return Err(E::custom("nested too deeply"));
        }
        Ok(Nested { depth: self.depth + 1, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Nested<'_> {
    type Value = Value<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value<'de>, D::Error> {
        let left = self.left.get().checked_sub(1);
        self.left.set(left.ok_or_else(|| de::Error::custom(format_args!("more than {MAX_VALUES} values")))?);
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Nested<'_> {
    type Value = Value<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value<'de>, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: de::Error>(self, flag: bool) -> Result<Value<'de>, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Value<'de>, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Value<'de>, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Value<'de>, E> {
        Number::from_f64(number).map(Value::Number).ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Value<'de>, E> {
        Ok(Value::String(Cow::Borrowed(text)))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Value<'de>, E> {
        Ok(Value::String(Cow::Owned(text.into())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value<'de>, A::Error> {
        let inner = self.deeper()?;
        let mut values = Vec::new();
        while let Some(value) = elements.next_element_seed(inner)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value<'de>, A::Error> {
        let inner = self.deeper()?;
        let mut object = Object::new();
        while let Some(Name(name)) = members.next_key()? {
            object.push(name, members.next_value_seed(inner)?);
        }
        Ok(Value::Object(object))
    }
}

/// A member's name, borrowed where it has no escapes: serde's own `Cow` always copies.
struct Name<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Name<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;
        impl<'de> Visitor<'de> for NameVisitor {
            type Value = Name<'de>;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a member's name")
            }
            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(text)))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(text.into())))
            }
        }
        deserializer.deserialize_str(NameVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::ToString;

    #[test]
    fn order_survives_and_equality_ignores_it() {
        let text = r#"{"b":1,"a":[true,null,{"c":"\u00e9x"}]}"#;
        let value = parse(text).unwrap();
        assert_eq!(value.to_text(), r#"{"b":1,"a":[true,null,{"c":"éx"}]}"#);
        assert_eq!(value, parse(r#"{"a":[true,null,{"c":"éx"}],"b":1}"#).unwrap());
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(&nested(MAX_DEPTH)).is_ok());
        assert!(parse(&nested(MAX_DEPTH + 1)).unwrap_err().to_string().contains("nested too deeply"));
        assert!(parse(&nested(100_000)).is_err());
    }

    #[test]
    fn the_number_of_values_is_bounded() {
        let array = |count: usize| format!("[{}0]", "0,".repeat(count - 2));
        assert!(parse(&array(MAX_VALUES as usize)).is_ok());
        assert!(parse(&array(MAX_VALUES as usize + 1)).unwrap_err().to_string().contains("more than 1000000 values"));
    }

    #[test]
    fn names_that_differ_in_case_are_found() {
        let few = parse(r#"{"userName":1,"USERNAME":2}"#).unwrap();
        assert_eq!(few.as_object().unwrap().repeated_name(), Some("USERNAME"));
        let many: String = (0..40).flat_map(|n| ["\"k".to_string(), n.to_string(), "\":0,".to_string()]).collect();
        let many = format!("{{{many}\"K7\":1}}");
        let value = parse(&many).unwrap();
        assert!(value.as_object().unwrap().repeated_name().is_some_and(|name| name.eq_ignore_ascii_case("k7")));
    }

    #[test]
    fn what_is_written_at_once_is_what_serde_writes() {
        for text in [
            "{}",
            r#"{"a":[],"b":[1,-2.5,1e30],"c":{"d":null,"e":[true,false,{}]}}"#,
            r#"{"q\"uoted":"line\nbreak \\ é \u0001 \u007f","":"\t"}"#,
        ] {
            let value = parse(text).unwrap();
            assert_eq!(value.to_text(), to_text(&value));
        }
    }

    #[test]
    fn strings_are_escaped_on_both_ways() {
        for text in ["plain", "quote \" back \\ slash", "line\nfeed", "é\u{1F600}", ""] {
            let mut fast = String::new();
            push_string(&mut fast, text);
            assert_eq!(parse(&fast).unwrap().as_str(), Some(text));
        }
    }

    #[test]
    fn a_number_that_no_double_holds_is_refused() {
        assert!(parse("1e999").is_err());
        assert_eq!(parse("18446744073709551615").unwrap().to_text(), "18446744073709551615");
    }
}
