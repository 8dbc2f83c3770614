//! Locales. The identity provider may send any locale; a customer has one of the site's.

use icu_locale::subtags::Script;
use icu_locale::{LanguageIdentifier, LocaleExpander};

/// The locales of a site unless it is told otherwise.
pub const DEFAULT_LOCALES: [&str; 24] = [
    "cs-CZ", "da-DK", "de-DE", "en-GB", "en-US", "es-ES", "et-EE", "fi-FI", "fr-FR", "hu-HU", "is-IS", "it-IT",
    "ja-JP", "ko-KR", "nb-NO", "nl-NL", "pl-PL", "pt-BR", "pt-PT", "ro-RO", "ru-RU", "sk-SK", "sv-SE", "zh-CN",
];

/// The locale of customers without a locale, or with one that has no counterpart on the site.
pub const DEFAULT_LOCALE: &str = "en-US";

/// How much of what was sent is looked at, in bytes: real language tags are far shorter.
const MAX_BYTES: usize = 100;

/// Other codes in use for a language, and the code that locales have: a macrolanguage for its most common member (ISO
/// 639-3), the most common member for its macrolanguage, and the codes that Java had for long.
const ALIASES: [(&str, &str); 6] =
    [("no", "nb"), ("cmn", "zh"), ("tl", "fil"), ("iw", "he"), ("in", "id"), ("ji", "yi")];

/// The locale of the site that comes closest to what was sent: the same but for `_` and letter case, else one of the
/// same language in the same script, the default before others; else the default. Of several in order of preference, as
/// in an HTTP `Accept-Language` (RFC 7643, section 4.1.1), the first counts.
///
/// Readers of traditional Chinese characters are not given simplified ones instead: the script is the one that the tag
/// names, else the likely one for its language and region (Unicode CLDR). Those who write Bokmål understand Nynorsk,
/// and the other way round: if one is missing, the other will do.
#[must_use]
pub fn closest<'l>(locales: &'l [impl AsRef<str>], default: &'l str, sent: Option<&str>) -> &'l str {
    let first = sent.unwrap_or_default().split([',', ';']).next().unwrap_or_default().trim();
    let sent = first.get(..first.floor_char_boundary(MAX_BYTES)).unwrap_or_default().replace('_', "-");
    let all = || locales.iter().map(AsRef::as_ref);
    if let Some(exact) = all().find(|locale| locale.eq_ignore_ascii_case(&sent)) {
        return exact;
    }
    let wanted = language(&sent).to_ascii_lowercase();
    let of_language = |language: &str| {
        let has_language = |locale: &&str| self::language(locale).eq_ignore_ascii_case(language);
        // Usually no locale matches, and then scripts do not matter.
        core::iter::once(default).chain(all()).filter(has_language).find(|locale| have_same_script(&sent, locale))
    };
    let related = match &*wanted {
        "nb" => "nn",
        "nn" => "nb",
        _ => return of_language(&wanted).unwrap_or(default),
    };
    of_language(&wanted).or_else(|| of_language(related)).unwrap_or(default)
}

/// The language at the beginning of a tag, under the code that locales have.
fn language(tag: &str) -> &str {
    let code = tag.split('-').next().unwrap_or_default();
    ALIASES.iter().find(|(alias, _)| alias.eq_ignore_ascii_case(code)).map_or(code, |(_, code)| code)
}

/// Whether two tags have the same script, as far as is known.
fn have_same_script(one: &str, other: &str) -> bool {
    match (script(one), script(other)) {
        (Some(one), Some(other)) => one == other,
        _ => true,
    }
}

/// The script that a tag names, else the likely one.
fn script(tag: &str) -> Option<Script> {
    // A text that is not a language tag as a whole may begin like one.
    let mut front = tag;
    let mut tag = loop {
        match LanguageIdentifier::try_from_str(front) {
            Ok(tag) => break tag,
            Err(_) => front = front.rsplit_once('-')?.0,
        }
    };
    LocaleExpander::new_common().maximize(&mut tag);
    tag.script
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closest_locale_is_found() {
        for (sent, locale) in [
            (Some("en-GB"), "en-GB"),
            (Some("EN_gb"), "en-GB"),
            (Some("en"), "en-US"),
            (Some("en-AU"), "en-US"),
            (Some("de"), "de-DE"),
            (Some("da, en-gb;q=0.8, en;q=0.7"), "da-DK"),
            (Some("de_AT"), "de-DE"),
            (Some("fr-CA"), "fr-FR"),
            (Some("xx-YY"), "en-US"),
            (Some(""), "en-US"),
            (None, "en-US"),
        ] {
            assert_eq!(closest(&DEFAULT_LOCALES, DEFAULT_LOCALE, sent), locale, "{sent:?}");
        }
    }

    #[test]
    fn other_codes_of_a_language_are_known() {
        for (sent, locale) in [
            ("no", "nb-NO"),
            ("no-NO", "nb-NO"),
            ("NO_no", "nb-NO"),
            ("nb", "nb-NO"),
            ("nn-NO", "nb-NO"),
            ("cmn-CN", "zh-CN"),
            ("iw_IL", "en-US"),
        ] {
            assert_eq!(closest(&DEFAULT_LOCALES, DEFAULT_LOCALE, Some(sent)), locale, "{sent}");
        }
        let norwegian = ["en-US", "nn-NO", "nb-NO", "he-IL"];
        for (sent, locale) in [("no-NO", "nb-NO"), ("nn", "nn-NO"), ("nb_NO", "nb-NO"), ("iw_IL", "he-IL")] {
            assert_eq!(closest(&norwegian, "en-US", Some(sent)), locale, "{sent}");
        }
        assert_eq!(closest(&["nn-NO", "en-US"], "en-US", Some("no-NO")), "nn-NO");
    }

    #[test]
    fn a_language_in_another_script_is_not_the_closest() {
        for (sent, locale) in [
            ("zh", "zh-CN"),
            ("zh-Hans", "zh-CN"),
            ("zh_SG", "zh-CN"),
            ("zh-Hans-HK", "zh-CN"),
            ("zh-Hant-TW", "en-US"),
            ("ZH_hant", "en-US"),
            ("zh-TW", "en-US"),
            ("zh-HK", "en-US"),
            ("zh-MO", "en-US"),
            ("ja-Jpan-JP", "ja-JP"),
            ("de-Latn-AT", "de-DE"),
        ] {
            assert_eq!(closest(&DEFAULT_LOCALES, DEFAULT_LOCALE, Some(sent)), locale, "{sent}");
        }
        let both = ["en-US", "zh-CN", "zh-TW", "sr-Latn", "sr-RS"];
        for (sent, locale) in [
            ("zh-Hant", "zh-TW"),
            ("zh-Hant-TW", "zh-TW"),
            ("zh-HK", "zh-TW"),
            ("zh-MY", "zh-CN"),
            ("sr", "sr-RS"),
            ("sr-ME", "sr-Latn"),
            ("sr-Latn-RS", "sr-Latn"),
        ] {
            assert_eq!(closest(&both, "en-US", Some(sent)), locale, "{sent}");
        }
        assert_eq!(
            closest(&["en-US", "zh-CN"], "zh-CN", Some("zh-Hant-TW")),
            "zh-CN",
            "nothing is left but the default"
        );
    }

    #[test]
    fn what_only_begins_like_a_tag_is_read_as_far_as_it_goes() {
        for (sent, locale) in [
            ("en_US.UTF-8", "en-US"),
            ("fr-FRA", "fr-FR"),
            ("de-DE-u-co-phonebk", "de-DE"),
            ("de-x-private", "de-DE"),
            ("de-DE-1996", "de-DE"),
            ("zh-Hant-Taiwan!", "en-US"),
            ("-", "en-US"),
            ("de-é", "de-DE"),
            ("日本語", "en-US"),
        ] {
            assert_eq!(closest(&DEFAULT_LOCALES, DEFAULT_LOCALE, Some(sent)), locale, "{sent}");
        }
        let long = ["zh-Hant", &"-é".repeat(3_000)].concat();
        assert_eq!(closest(&DEFAULT_LOCALES, DEFAULT_LOCALE, Some(&long)), "en-US");
    }
}
