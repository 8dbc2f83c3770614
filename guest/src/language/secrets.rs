//! Secrets in what clients send: texts of the form of one of our API keys, and passwords. None may get into a log.

use alloc::borrow::Cow;
use alloc::string::String;
use core::ops::Range;

use crate::store::keys;

/// What stands for a text that is not shown.
pub const HIDDEN: &str = "*";

/// How many characters behind the dot make a text a key. A whole secret has 43, but a quotation may have been cut.
const SECRET_CHARACTERS: usize = 16;

/// The name of the attribute whose value is a secret, in lower case.
const PASSWORD: &str = "password";

/// A text without what has the form of an API key.
#[must_use]
pub fn hide_keys(text: &str) -> Cow<'_, str> {
    let mut shown: Option<String> = None;
    let mut from = 0;
    for found in keys_in(text) {
        let shown = shown.get_or_insert_default();
        shown.push_str(text.get(from..found.start).unwrap_or_default());
        shown.push_str(HIDDEN);
        from = found.end;
    }
    match shown {
        None => Cow::Borrowed(text),
        Some(shown) => Cow::Owned(shown + text.get(from..).unwrap_or_default()),
    }
}

/// Where a text has the form of an API key: an id, a dot and a secret.
fn keys_in(text: &str) -> impl Iterator<Item = Range<usize>> {
    text.match_indices('.').filter_map(|(dot, _)| {
        let start = dot.checked_sub(keys::ID_LENGTH)?;
        text.get(start..dot).filter(|id| keys::is_id(id))?;
        let is_secret = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let length = text.as_bytes()[dot + 1..].iter().take_while(|byte| is_secret(byte)).count();
        (length >= SECRET_CHARACTERS).then_some(start..dot + 1 + length)
    })
}

/// Whether a text mentions a password, so that what it says of one may be in it.
#[must_use]
pub fn mentions_password(text: &str) -> bool {
    let is_it = |part: &[u8]| part[0].eq_ignore_ascii_case(&b'p') && part.eq_ignore_ascii_case(PASSWORD.as_bytes());
    text.as_bytes().windows(PASSWORD.len()).any(is_it)
}

/// Whether the text of a JSON body may mention a password: also one with escaped letters may.
#[must_use]
pub fn may_mention_password(json: &str) -> bool {
    mentions_password(json) || json.contains("\\u00")
}

/// Whether a text may hold a secret of either kind.
#[must_use]
pub fn may_hold_secret(text: &str) -> bool {
    keys_in(text).next().is_some() || mentions_password(text)
}

/// A text in which those quotations are hidden that `hide` chooses. It gets them as they stand, without the quotation
/// marks.
#[must_use]
pub fn hide_quotations(text: &str, hide: impl Fn(&str) -> bool) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((front, behind)) = rest.split_once('"') {
        let end = end_of_quotation(behind);
        shown.push_str(front);
        shown.push('"');
        let quotation = &behind[..end];
        shown.push_str(if hide(quotation) { HIDDEN } else { quotation });
        rest = &behind[end..];
        if let Some(behind) = rest.strip_prefix('"') {
            shown.push('"');
            rest = behind;
        }
    }
    shown + rest
}

/// Where a quotation ends that has begun: at its quotation mark, or with the text.
#[must_use]
pub fn end_of_quotation(text: &str) -> usize {
    let mut escaped = false;
    let end = text.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    });
    end.unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use proptest::prelude::*;

    const KEY: &str = "06d3p4q8s2g1h0k5m7n9.AbCdEfGhIjKlMnOpQrStUvWxYz0123456789-_AbCdE";

    #[test]
    fn what_has_the_form_of_a_key_is_hidden() {
        for (text, shown) in [
            (KEY, "*"),
            ("06d3p4q8s2g1h0k5m7n9.short", "06d3p4q8s2g1h0k5m7n9.short"),
            ("ann.smith@example.com", "ann.smith@example.com"),
            (&format!("Bearer {KEY}, {KEY}!"), "Bearer *, *!"),
            (&format!("xyz{KEY}.{KEY}"), "xyz*.*"),
            (&KEY[..40], "*"),
        ] {
            assert_eq!(hide_keys(text), shown, "{text}");
        }
        assert!(may_hold_secret(KEY) && may_hold_secret("x-PassWord: y") && !may_hold_secret("pass word"));
        assert!(may_mention_password(r#"{"p\u0061ssword":1}"#));
    }

    #[test]
    fn quotations_are_hidden_by_choice() {
        let hide = |text: &str| hide_quotations(text, |quotation| quotation.contains('x'));
        assert_eq!(hide(r#"a "x\"x" is "b", not "x"#), r#"a "*" is "b", not "*"#);
        assert_eq!(hide(r#""x" and "x\\" x"#), r#""*" and "*" x"#);
        assert_eq!(hide("no quotation"), "no quotation");
    }

    proptest! {
        #[test]
        fn a_key_is_found_wherever_it_stands(before in any::<String>(), behind in any::<String>()) {
            let text = format!("{before}{KEY}{behind}");
            prop_assert!(!hide_keys(&text).contains(KEY));
        }

        #[test]
        fn any_text_has_quotations(text in any::<String>(), quoted in "[a\"\\\\ ]{0,9}") {
            prop_assert_eq!(hide_quotations(&text, |_| false), text);
            prop_assert_eq!(hide_quotations(&quoted, |_| false), quoted);
        }
    }
}
