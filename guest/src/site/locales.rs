//! Locales. The identity provider may send any; a customer has one that the site has.

use alloc::string::{String, ToString};

/// The locales of a site unless it is told otherwise.
pub const DEFAULT_LOCALES: [&str; 24] = [
    "cs-CZ", "da-DK", "de-DE", "en-GB", "en-US", "es-ES", "et-EE", "fi-FI", "fr-FR", "hu-HU", "is-IS", "it-IT",
    "ja-JP", "ko-KR", "nb-NO", "nl-NL", "pl-PL", "pt-BR", "pt-PT", "ro-RO", "ru-RU", "sk-SK", "sv-SE", "zh-CN",
];

/// The locale of those who have none, and whose has no counterpart.
pub const DEFAULT_LOCALE: &str = "en-US";

/// The locale of the site that comes closest to what was sent: the same but for `_` and letter case, else the first of the
/// same language, else the default.
#[must_use]
pub fn supported(sent: Option<&str>) -> String {
    let sent = sent.unwrap_or_default().trim().replace('_', "-");
    let language = |locale: &str| locale.split('-').next().unwrap_or_default().to_ascii_lowercase();
    DEFAULT_LOCALES
        .iter()
        .find(|locale| locale.eq_ignore_ascii_case(&sent))
        .or_else(|| DEFAULT_LOCALES.iter().find(|locale| language(locale) == language(&sent)))
        .unwrap_or(&DEFAULT_LOCALE)
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closest_locale_is_found() {
        for (sent, locale) in [
            (Some("en-GB"), "en-GB"),
            (Some("EN_gb"), "en-GB"),
            (Some("de"), "de-DE"),
            (Some("de_AT"), "de-DE"),
            (Some("fr-CA"), "fr-FR"),
            (Some("xx-YY"), "en-US"),
            (Some(""), "en-US"),
            (None, "en-US"),
        ] {
            assert_eq!(supported(sent), locale, "{sent:?}");
        }
    }
}
