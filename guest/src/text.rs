//! Text as it is compared: one folding for filters and for the keys of indexes, so that both agree on what is the same.
//!
//! The folding is the mapping steps of PRECIS for user names (RFC 8265, section 3.3.2, which RFC 7644 asks for in
//! sections 5 and 7.8): width, letter case, normalization form C. Its string classes refuse nothing here, so names may
//! have blanks. Folded text is only compared; everything is returned as it was sent.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use core::cmp::Ordering;

use icu_normalizer::ComposingNormalizerBorrowed;

/// The text as it is compared: full-width and half-width characters in their usual width, without letter case,
/// composed.
#[must_use]
pub fn fold(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        return Cow::Borrowed(text);
    }
    if text.is_ascii() {
        return Cow::Owned(text.to_ascii_lowercase());
    }
    let mut folded = String::with_capacity(text.len());
    for character in text.chars().map(usual_width) {
        match character {
            // The same letter at the end of a word: "ΟΔΟΣ" is "οδος" with this one last.
            'ς' => folded.push('σ'),
            _ => folded.extend(character.to_lowercase()),
        }
    }
    Cow::Owned(composed(folded))
}

/// The text in normalization form C.
fn composed(text: String) -> String {
    let composed = match ComposingNormalizerBorrowed::new_nfc().normalize(&text) {
        Cow::Borrowed(_) => None,
        Cow::Owned(composed) => Some(composed),
    };
    composed.unwrap_or(text)
}

/// A full-width or half-width character in its usual width (the decomposition mappings `<wide>` and `<narrow>` of the
/// Unicode character database).
fn usual_width(character: char) -> char {
    /// What U+FF5F to U+FF9F stand for: brackets, punctuation, katakana.
    const BRACKETS_AND_KATAKANA: &str = "⦅⦆。「」、・ヲァィゥェォャュョッーアイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン\u{3099}\u{309a}";
    /// What U+FFE0 to U+FFEE stand for; U+FFE7 is no character.
    const SIGNS: [char; 15] = ['¢', '£', '¬', '¯', '¦', '¥', '₩', '\u{ffe7}', '│', '←', '↑', '→', '↓', '■', '○'];
    let shifted = |from: u32, to: u32| char::from_u32(u32::from(character) - from + to).unwrap_or(character);
    let at = |first: u32| (u32::from(character) - first) as usize;
    match character {
        '\u{3000}' => ' ',
        '\u{ff01}'..='\u{ff5e}' => shifted(0xff01, 0x21),
        '\u{ff5f}'..='\u{ff9f}' => BRACKETS_AND_KATAKANA.chars().nth(at(0xff5f)).unwrap_or(character),
        '\u{ffa0}' => '\u{3164}',
        '\u{ffa1}'..='\u{ffbe}' => shifted(0xffa1, 0x3131),
        '\u{ffc2}'..='\u{ffc7}' => shifted(0xffc2, 0x314f),
        '\u{ffca}'..='\u{ffcf}' => shifted(0xffca, 0x3155),
        '\u{ffd2}'..='\u{ffd7}' => shifted(0xffd2, 0x315b),
        '\u{ffda}'..='\u{ffdc}' => shifted(0xffda, 0x3161),
        '\u{ffe0}'..='\u{ffee}' => SIGNS.get(at(0xffe0)).copied().unwrap_or(character),
        _ => character,
    }
}

/// Whether a character changes the direction of the text around it (the property `Bidi_Control` of the Unicode
/// character database), so that a name with it can look like another.
#[must_use]
pub fn is_bidi_control(character: char) -> bool {
    matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// How the folding of `text` compares with an already folded text.
#[must_use]
pub fn compare_folded(text: &str, folded: &str) -> Ordering {
    if text.is_ascii() {
        return text.bytes().map(|byte| byte.to_ascii_lowercase()).cmp(folded.bytes());
    }
    (*fold(text)).cmp(folded)
}

/// Whether the folding of `text` starts with an already folded text.
#[must_use]
pub fn starts_with_folded(text: &str, folded: &str) -> bool {
    if text.is_ascii() {
        let front = text.as_bytes().get(..folded.len());
        return front.is_some_and(|front| front.eq_ignore_ascii_case(folded.as_bytes()));
    }
    fold(text).starts_with(folded)
}

/// Whether the folding of `text` ends with an already folded text.
#[must_use]
pub fn ends_with_folded(text: &str, folded: &str) -> bool {
    if text.is_ascii() {
        let back = text.len().checked_sub(folded.len()).and_then(|start| text.as_bytes().get(start..));
        return back.is_some_and(|back| back.eq_ignore_ascii_case(folded.as_bytes()));
    }
    fold(text).ends_with(folded)
}

/// Whether the folding of `text` contains an already folded text.
#[must_use]
pub fn contains_folded(text: &str, folded: &str) -> bool {
    // This is linear in both lengths, whatever they hold; a search without a copy would not be.
    fold(text).contains(folded)
}

/// A client's name in quotes for a message, cut to a reasonable length.
#[must_use]
pub fn quoted(text: &str) -> String {
    let cut = text.char_indices().nth(100).map_or(text.len(), |(at, _)| at);
    format!("{:?}{}", &text[..cut], if cut < text.len() { "…" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;
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
            ("Bu\u{308}ro", "büro"),
            ("ZOE\u{308}", "zoë"),
            ("ＡＢｃ＠ｘ．ｔｅｓｔ", "abc@x.test"),
            ("ﾎﾞﾌﾞ", "ボブ"),
            ("ﾊﾝ ﾿ ￦", "ハン ﾿ ₩"),
            ("ﾡￚ", "ㄱㅡ"),
            ("a　b", "a b"),
            ("\u{212b}", "å"),
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

    #[test]
    fn widths_are_those_of_the_unicode_character_database() {
        use unicode_normalization::UnicodeNormalization;
        for character in char::MIN..=char::MAX {
            let usual = usual_width(character);
            // The compatibility forms of both are one text; and what has such a form in these blocks has a usual width.
            assert!(usual.nfkc().eq(character.nfkc()), "{character:?} became {usual:?}");
            let in_blocks = matches!(character, '\u{3000}' | '\u{ff00}'..='\u{ffef}');
            let is_mapped = in_blocks && !character.nfkc().eq([character]);
            assert_eq!(usual != character, is_mapped, "{character:?}");
        }
    }

    proptest! {
        #[test]
        fn canonically_equivalent_texts_fold_alike(text in any::<String>(), accented in "[AaOoUuEeﾊﾎ][\u{300}-\u{30a}\u{327}\u{ff9e}]{0,3}") {
            use unicode_normalization::UnicodeNormalization;
            for text in [text, accented] {
                let forms = [text.nfc().collect::<String>(), text.nfd().collect()];
                prop_assert_eq!(fold(&forms[0]), fold(&forms[1]));
                let folded = fold(&text).into_owned();
                prop_assert_eq!(&*fold(&folded), &*folded);
            }
        }

        #[test]
        fn comparisons_agree_with_folding(text in "[aBcÄßΣ\u{212a}\u{308}Ａ]{0,4}", other in "[AbCäςk\u{308}]{0,3}") {
            let (folded_text, folded) = (fold(&text), fold(&other));
            prop_assert_eq!(compare_folded(&text, &folded), (*folded_text).cmp(&*folded));
            prop_assert_eq!(starts_with_folded(&text, &folded), folded_text.starts_with(&*folded));
            prop_assert_eq!(ends_with_folded(&text, &folded), folded_text.ends_with(&*folded));
            prop_assert_eq!(contains_folded(&text, &folded), folded_text.contains(&*folded));
        }
    }
}
