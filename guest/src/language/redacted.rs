//! What an administrator may see of the body of a request: its structure, with everything but the names of attributes
//! hidden, or with values. A secret is hidden either way, see [`super::secrets`].

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::secrets::{HIDDEN, end_of_quotation, hide_keys, mentions_password};
use crate::json::{self, Object, Value};
use crate::store::keys;

/// How much is shown of a body, in bytes: enough for a group of some hundred members. More would crowd out others.
pub const MAX_BYTES: usize = 64 << 10;

/// The longest name of an attribute that is shown; real ones with their URN are shorter.
const MAX_NAME_BYTES: usize = 200;

/// What a filter consists of besides attributes and values.
const OPERATORS: [&str; 10] = ["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le", "pr"];
const CONNECTIVES: [&str; 3] = ["and", "or", "not"];

/// The words that may stand for themselves where a message says what is to be done.
const VERBS: [&str; 7] = ["add", "replace", "remove", "POST", "PUT", "PATCH", "DELETE"];

/// A body as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redacted {
    /// JSON text; only its beginning if it is cut.
    pub text: String,
    /// Whether it is longer than [`MAX_BYTES`].
    pub is_cut: bool,
}

/// A body as it is shown, with `values` or without.
#[must_use]
pub fn redacted(body: &Value<'_>, values: bool) -> Redacted {
    let mut writer = Writer { shown: Redacted { text: String::new(), is_cut: false }, values };
    writer.value(body, Place::Value);
    writer.shown
}

/// What a value means, by the name of the member that it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// A value of an attribute.
    Value,
    /// A secret.
    Secret,
    /// URNs.
    Schemas,
    /// What is to be done.
    Verb,
    /// What it is to be done to: a path of attributes, or of a resource in a bulk request.
    Path,
    /// A filter.
    Filter,
}

impl Place {
    fn of(name: &str) -> Self {
        const NAMES: [(&str, Place); 5] = [
            ("schemas", Place::Schemas),
            ("op", Place::Verb),
            ("method", Place::Verb),
            ("path", Place::Path),
            ("filter", Place::Filter),
        ];
        if mentions_password(name) {
            return Place::Secret;
        }
        NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map_or(Place::Value, |(_, place)| *place)
    }
}

struct Writer {
    shown: Redacted,
    values: bool,
}

impl Writer {
    fn push(&mut self, part: &str) {
        let text = &mut self.shown.text;
        if self.shown.is_cut || text.len() + part.len() <= MAX_BYTES {
            text.push_str(if self.shown.is_cut { "" } else { part });
            return;
        }
        text.push_str(&part[..part.floor_char_boundary(MAX_BYTES - text.len())]);
        self.shown.is_cut = true;
    }

    fn string(&mut self, text: &str) {
        self.push(&json::to_text(&text));
    }

    /// Values are nested no deeper than JSON may be read.
    fn value(&mut self, value: &Value<'_>, place: Place) {
        if self.shown.is_cut {
            return;
        }
        match value {
            Value::Null => self.push("null"),
            _ if place == Place::Secret => self.string(HIDDEN),
            Value::Array(values) => {
                self.push("[");
                for (at, value) in values.iter().enumerate() {
                    if self.shown.is_cut {
                        return;
                    }
                    self.push(if at > 0 { "," } else { "" });
                    self.value(value, place);
                }
                self.push("]");
            }
            Value::Object(object) => self.object(object),
            Value::String(text) => {
                let shown = self.text(text, place);
                self.string(&shown);
            }
            _ if !self.values => self.string(HIDDEN),
            Value::Bool(_) | Value::Number(_) => self.push(&value.to_text()),
        }
    }

    fn object(&mut self, object: &Object<'_>) {
        let path = object.get_ignoring_case("path").and_then(Value::as_str);
        let is_about_password = path.is_some_and(mentions_password);
        self.push("{");
        for (at, (name, value)) in object.iter().enumerate() {
            if self.shown.is_cut {
                return;
            }
            self.push(if at > 0 { "," } else { "" });
            // Without a `path` of its own, an operation may have one for a name.
            let shown = self.text(name, Place::Path);
            self.string(&shown);
            self.push(":");
            let is_secret = is_about_password && name.eq_ignore_ascii_case("value");
            self.value(value, if is_secret { Place::Secret } else { Place::of(name) });
        }
        self.push("}");
    }

    fn text(&self, text: &str, place: Place) -> String {
        let with_values = self.values && !mentions_password(text);
        match place {
            Place::Secret => HIDDEN.to_string(),
            Place::Verb if VERBS.iter().any(|verb| verb.eq_ignore_ascii_case(text)) => text.to_string(),
            _ if with_values => hide_keys(text).into_owned(),
            Place::Schemas if is_name(text) && text.to_ascii_lowercase().starts_with("urn:") => {
                hide_keys(text).into_owned()
            }
            Place::Path if text.starts_with('/') => resource_path(text),
            Place::Path => without_values(text, true),
            Place::Filter => without_values(text, false),
            Place::Value | Place::Verb | Place::Schemas => HIDDEN.to_string(),
        }
    }
}

/// Whether a text can be the name of an attribute, with or without its URN.
fn is_name(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b':' | b'.' | b'-');
    (1..=MAX_NAME_BYTES).contains(&text.len()) && text.bytes().all(is_part)
}

/// The path of a resource, with only endpoints and ids of it.
fn resource_path(path: &str) -> String {
    let segments = path.split('/').skip(1).take(3).map(|segment| {
        let is_endpoint = ["Users", "Groups"].iter().any(|name| name.eq_ignore_ascii_case(segment));
        if is_endpoint || keys::is_id(segment) { segment } else { HIDDEN }
    });
    segments.fold(String::new(), |path, segment| path + "/" + segment)
}

/// A part of a path or filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'t> {
    /// A word, and whether it stands inside of brackets.
    Word(&'t str, bool),
    /// A quotation, and likewise.
    Quotation(bool),
    /// A blank, bracket or parenthesis, and likewise.
    Sign(&'t str, bool),
}

/// A path or filter with the values hidden that it compares with. Of a path, what is outside of brackets is the name of an
/// attribute.
fn without_values(text: &str, is_path: bool) -> String {
    let tokens = tokens(text);
    let is_none = |token: &Token<'_>| matches!(token, Token::Sign(" ", false) | Token::Quotation(false));
    let is_path = is_path && !tokens.iter().any(is_none);
    let word = |at: usize| {
        tokens[at..].iter().find_map(|token| match token {
            Token::Word(word, _) => Some(Some(*word)),
            Token::Quotation(_) => Some(None),
            Token::Sign(..) => None,
        })
    };
    let is_one_of = |words: &[&str], word: &str| words.iter().any(|known| known.eq_ignore_ascii_case(word));
    let mut shown = String::with_capacity(text.len());
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Sign(sign, _) => shown.push_str(sign),
            Token::Quotation(_) => shown.push_str(HIDDEN),
            Token::Word(text, inside) => {
                let is_compared = word(at + 1).flatten().is_some_and(|next| is_one_of(&OPERATORS, next));
                let is_keyword = is_one_of(&OPERATORS, text) || is_one_of(&CONNECTIVES, text);
                let is_shown = is_keyword || is_name(text) && (is_compared || is_path && !inside);
                shown.push_str(if is_shown { text } else { HIDDEN });
            }
        }
    }
    hide_keys(&shown).into_owned()
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let (mut tokens, mut rest, mut depth) = (Vec::new(), text, 0_usize);
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' => {
                tokens.push(Token::Quotation(depth > 0));
                let end = 1 + end_of_quotation(&rest[1..]);
                // Its quotation mark goes with it.
                rest.len().min(end + 1)
            }
            '[' | ']' | '(' | ')' | ' ' => {
                depth = match first {
                    '[' => depth + 1,
                    ']' => depth.saturating_sub(1),
                    _ => depth,
                };
                tokens.push(Token::Sign(&rest[..1], depth > 0));
                1
            }
            _ => {
                let end = rest.find(['"', '[', ']', '(', ')', ' ']).unwrap_or(rest.len());
                tokens.push(Token::Word(&rest[..end], depth > 0));
                end
            }
        };
        rest = &rest[length..];
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use proptest::prelude::*;

    const KEY: &str = "06d3p4q8s2g1h0k5m7n9.AbCdEfGhIjKlMnOpQrStUvWxYz0123456789-_AbCdE";

    fn shown(body: &str, values: bool) -> String {
        redacted(&json::parse(body).unwrap(), values).text
    }

    #[test]
    fn what_is_not_a_name_is_hidden() {
        for (body, expected) in [
            (
                r#"{"schemas":["urn:a:B"],"userName":"Ann","active":true,"x":null,"n":7,"emails":[{"value":"a@b"}]}"#,
                r#"{"schemas":["urn:a:B"],"userName":"*","active":"*","x":null,"n":"*","emails":[{"value":"*"}]}"#,
            ),
            (
                r#"{"Operations":[{"op":"Add","path":"emails[type eq \"work\" and primary eq true].value","value":"x"}]}"#,
                r#"{"Operations":[{"op":"Add","path":"emails[type eq * and primary eq *].value","value":"*"}]}"#,
            ),
            (r#"{"op":"Ann","path":"Ann Smith"}"#, r#"{"op":"*","path":"* *"}"#),
            (r#"{"op":"add","value":{"name.givenName":"Ann"}}"#, r#"{"op":"add","value":{"name.givenName":"*"}}"#),
            (r#"{"filter":"userName eq ann or not (x pr)"}"#, r#"{"filter":"userName eq * or not (x pr)"}"#),
            (r#"{"filter":"Ann Smith"}"#, r#"{"filter":"* *"}"#),
            (r#"{"Ann Smith":1,"a@b":2}"#, r#"{"* *":"*","*":"*"}"#),
            (
                r#"{"method":"POST","path":"/Users/06d3p4q8s2g1h0k5m7n9","bulkId":"a"}"#,
                r#"{"method":"POST","path":"/Users/06d3p4q8s2g1h0k5m7n9","bulkId":"*"}"#,
            ),
            (r#"{"path":"/Users/ann@b"}"#, r#"{"path":"/Users/*"}"#),
            (r#""Ann""#, r#""*""#),
        ] {
            assert_eq!(shown(body, false), expected);
        }
    }

    #[test]
    fn with_values_only_secrets_are_hidden() {
        for (body, expected) in [
            (r#"{"userName":"Ann","active":true,"n":7}"#, r#"{"userName":"Ann","active":true,"n":7}"#),
            (r#"{"PassWord":{"a":["b"]},"x":null}"#, r#"{"PassWord":"*","x":null}"#),
            (r#"{"urn:a:password":"b","p\u0061ssword":"c"}"#, r#"{"urn:a:password":"*","password":"*"}"#),
            (r#"{"op":"add","path":"Password","value":{"a":"b"}}"#, r#"{"op":"add","path":"Password","value":"*"}"#),
            (
                r#"{"path":"emails[type eq \"work\"]","value":"x"}"#,
                r#"{"path":"emails[type eq \"work\"]","value":"x"}"#,
            ),
            (r#"{"path":"x[password eq \"b\"]","value":"c"}"#, r#"{"path":"x[password eq *]","value":"*"}"#),
            (r#"{"title":"my password is b"}"#, r#"{"title":"*"}"#),
        ] {
            assert_eq!(shown(body, true), expected);
        }
        let body = format!(r#"{{"{KEY}":"a {KEY}","path":"{KEY}","op":"{KEY}","schemas":["{KEY}"]}}"#);
        assert_eq!(shown(&body, true), r#"{"*":"a *","path":"*","op":"*","schemas":["*"]}"#);
        assert!(!shown(&body, false).contains("06d3p4q8s2g1h0k5m7n9."));
    }

    #[test]
    fn a_long_body_is_cut() {
        let body = format!("[{}\"é\"]", "\"éé\",".repeat(20_000));
        let long = redacted(&json::parse(&body).unwrap(), true);
        assert!(long.is_cut && long.text.len() <= MAX_BYTES && long.text.len() > MAX_BYTES - 8);
        assert!(body.starts_with(&long.text));
    }

    proptest! {
        #[test]
        fn no_value_is_shown_without_being_asked_for(
            name in "[a-z]{1,8}",
            value in "[0-9~!@é \"\\\\]{1,12}",
            path in "[a-z]{0,4}\\[? ?\"?[a-z]{0,3} eq \"?"
        ) {
            let value = format!("{value}zqzqzq");
            let object: Object<'_> = [
                (format!("n_{name}").into(), Value::from(value.as_str())),
                ("path".into(), Value::from(format!("{path}{value}"))),
                ("list".into(), Value::Array(Vec::from([Value::from(value.as_str())]))),
                ("filter".into(), Value::from(value.as_str())),
                ("schemas".into(), Value::from(value.as_str())),
            ].into_iter().collect();
            let shown = redacted(&Value::Object(object), false).text;
            prop_assert!(!shown.contains("zqzqzq"), "{}", shown);
            prop_assert!(json::parse(&shown).is_ok());
        }
    }
}
