//! Text without regard to letter case: one folding for filters and for the keys of indexes, so that both agree on what
//! is the same.
//!
//! The folding goes character by character and looks at no neighbours. So the folding of a prefix is a prefix of the
//! folding, which range reads by prefix rely on, and which `str::to_lowercase` would break with its final sigma.

use alloc::borrow::Cow;
use alloc::string::String;
use core::cmp::Ordering;

/// The text with letter case taken out.
#[must_use]
pub fn fold(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        return Cow::Borrowed(text);
    }
    if text.is_ascii() {
        return Cow::Owned(text.to_ascii_lowercase());
    }
    let mut folded = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            // The same letter at the end of a word: "ΟΔΟΣ" is "οδος" with this one last.
            'ς' => folded.push('σ'),
            _ => folded.extend(character.to_lowercase()),
        }
    }
    Cow::Owned(folded)
}

/// How the folding of `text` compares with a text that is folded already.
#[must_use]
pub fn compare_folded(text: &str, folded: &str) -> Ordering {
    if text.is_ascii() {
        return text.bytes().map(|byte| byte.to_ascii_lowercase()).cmp(folded.bytes());
    }
    (*fold(text)).cmp(folded)
}

/// Whether the folding of `text` starts with a text that is folded already.
#[must_use]
pub fn starts_with_folded(text: &str, folded: &str) -> bool {
    if text.is_ascii() {
        let front = text.as_bytes().get(..folded.len());
        return front.is_some_and(|front| front.eq_ignore_ascii_case(folded.as_bytes()));
    }
    fold(text).starts_with(folded)
}

/// Whether the folding of `text` ends with a text that is folded already.
#[must_use]
pub fn ends_with_folded(text: &str, folded: &str) -> bool {
    if text.is_ascii() {
        let back = text.len().checked_sub(folded.len()).and_then(|start| text.as_bytes().get(start..));
        return back.is_some_and(|back| back.eq_ignore_ascii_case(folded.as_bytes()));
    }
    fold(text).ends_with(folded)
}

/// Whether the folding of `text` contains a text that is folded already.
#[must_use]
pub fn contains_folded(text: &str, folded: &str) -> bool {
    // Linear in both lengths whatever they hold, which a search without a copy would not be.
    fold(text).contains(folded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::ToString;
    use proptest::prelude::*;

    #[test]
    fn letter_case_disappears() {
        for (text, folded) in [
            ("", ""),
            ("bob@x.test", "bob@x.test"),
            ("Bob@X.test", "bob@x.test"),
            ("ÄÖÜ É", "äöü é"),
            ("ΟΔΟΣ", "οδοσ"),
            ("οδος", "οδοσ"),
            ("ПЁТР", "пётр"),
            ("\u{212a}elvin", "kelvin"),
            ("東京", "東京"),
        ] {
            assert_eq!(fold(text), folded);
        }
    }

    #[test]
    fn what_is_folded_already_is_not_copied() {
        assert!(matches!(fold("bob@x.test"), Cow::Borrowed(_)));
    }

    #[test]
    fn folding_again_changes_no_character() {
        for character in char::MIN..=char::MAX {
            let once = fold(&character.to_string()).into_owned();
            assert_eq!(fold(&once), once, "{character:?}");
        }
    }

    proptest! {
        #[test]
        fn folding_goes_by_parts(front in any::<String>(), back in any::<String>()) {
            let whole = format!("{front}{back}");
            prop_assert_eq!(fold(&whole), format!("{}{}", fold(&front), fold(&back)));
        }

        #[test]
        fn comparisons_agree_with_folding(text in "[aBcÄßΣ\u{212a}]{0,4}", other in "[AbCäςk]{0,3}") {
            let (folded_text, folded) = (fold(&text), fold(&other));
            prop_assert_eq!(compare_folded(&text, &folded), (*folded_text).cmp(&*folded));
            prop_assert_eq!(starts_with_folded(&text, &folded), folded_text.starts_with(&*folded));
            prop_assert_eq!(ends_with_folded(&text, &folded), folded_text.ends_with(&*folded));
            prop_assert_eq!(contains_folded(&text, &folded), folded_text.contains(&*folded));
        }
    }
}
