//! Locales. The identity provider may send any; a customer has one that the site has.

/// The locales of a site unless it is told otherwise.
pub const DEFAULT_LOCALES: [&str; 24] = [
    "cs-CZ", "da-DK", "de-DE", "en-GB", "en-US", "es-ES", "et-EE", "fi-FI", "fr-FR", "hu-HU", "is-IS", "it-IT",
    "ja-JP", "ko-KR", "nb-NO", "nl-NL", "pl-PL", "pt-BR", "pt-PT", "ro-RO", "ru-RU", "sk-SK", "sv-SE", "zh-CN",
];

/// The locale of those who have none, and whose has no counterpart.
pub const DEFAULT_LOCALE: &str = "en-US";

/// The locale of the site that comes closest to what was sent: the same but for `_` and letter case, else one of the same
/// language, the default before others; else the default. Of several in order of preference, as in an HTTP
/// `Accept-Language` (RFC 7643, section 4.1.1), the first counts.
#[must_use]
pub fn closest<'l>(locales: &'l [impl AsRef<str>], default: &'l str, sent: Option<&str>) -> &'l str {
    let first = sent.unwrap_or_default().split([',', ';']).next().unwrap_or_default();
    let sent = first.trim().replace('_', "-");
    let has_language = |locale: &str| language(locale).eq_ignore_ascii_case(language(&sent));
    let all = || locales.iter().map(AsRef::as_ref);
    let exact = all().find(|locale| locale.eq_ignore_ascii_case(&sent));
    let of_language = || if has_language(default) { Some(default) } else { all().find(|locale| has_language(locale)) };
    exact.or_else(of_language).unwrap_or(default)
}

fn language(locale: &str) -> &str {
    locale.split('-').next().unwrap_or_default()
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
}
