//! What is an email address: one rule for users, customers and lookups.

use crate::text::is_bidi_control;

/// The longest email address in bytes (RFC 5321, section 4.5.3.1.3).
pub const MAX_BYTES: usize = 254;

/// Whether a text, without the blanks around it, is an email address: something, an `@`, and a domain of at least one
/// label; no blanks, control characters or angle brackets in it, and at most [`MAX_BYTES`] long.
///
/// It says what can be an address, not what is in use: only sending mail would tell whether it arrives. What fails is
/// what identity providers send in place of an address (`n/a`, `-`), and what mail programs would split up.
#[must_use]
pub fn is_address(text: &str) -> bool {
    let text = text.trim();
    let refused = |character: char| {
        character.is_whitespace()
            || character.is_control()
            || is_bidi_control(character)
            || matches!(character, '<' | '>')
    };
    // A quoted local part may have an `@` of its own (RFC 5321, section 4.1.2), a domain has none.
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    text.len() <= MAX_BYTES
        && !text.contains(refused)
        && !local.is_empty()
        && domain.split('.').all(|label| !label.is_empty())
}

/// The domain of an email address.
#[must_use]
pub fn domain(address: &str) -> Option<&str> {
    address.trim().rsplit_once('@').map(|(_, domain)| domain)
}

/// Whether a text, without the blanks around it, can be the domain of an email address.
#[must_use]
pub fn is_domain(text: &str) -> bool {
    let text = text.trim();
    !text.contains('@') && is_address(&alloc::format!("a@{text}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn domains_are_what_follows_the_last_at() {
        for (address, expected) in
            [("ann@x.test", Some("x.test")), (" \"a@b\"@Büro.test ", Some("Büro.test")), ("ann", None)]
        {
            assert_eq!(domain(address), expected);
        }
        for text in ["x.test", " localhost ", "büro.test"] {
            assert!(is_domain(text), "{text}");
        }
        for text in ["", "@", "a@x.test", "@x.test", ".test", "x..test", "x test", "<x.test>", "x.\u{202e}test"] {
            assert!(!is_domain(text), "{text:?}");
        }
    }

    #[test]
    fn addresses_are_told_from_what_stands_in_their_place() {
        let longest = format!("{}@x.test", "a".repeat(MAX_BYTES - 7));
        for address in [
            "ann@example.com",
            " ann@example.com\t",
            "ann@localhost",
            "a+b.c'd@ex-ample.co.uk",
            "bob_contoso.com#EXT#@fabrikam.onmicrosoft.com",
            "zoë@büro.test",
            "用户@例子.广告",
            "\"a@b\"@x.test",
            &longest,
        ] {
            assert!(is_address(address), "{address}");
        }
        let too_long = format!("a{longest}");
        for other in [
            "",
            " ",
            "n/a",
            "-",
            "@",
            "foo@",
            "@foo",
            "ann@.com",
            "ann@com.",
            "ann@a..b",
            "Name <x@y.test>",
            "<x@y.test>",
            "a b@x.test",
            "a@x .test",
            "a\r\nBcc: b@c.test",
            "a\u{a0}b@x.test",
            "a\u{0}@x.test",
            "a\u{202e}b@x.test",
            &too_long,
        ] {
            assert!(!is_address(other), "{other:?}");
        }
    }
}
