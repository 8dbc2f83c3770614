//! The settings of the site: locales, limits, retention.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::error::{Error, Result};
use super::locales;
use crate::engine::Engine;
use crate::store::feed::{self, ChangeKind, Detail};
use crate::store::records::{self, SiteRecord};
use crate::store::{self, Transaction, keys};
use crate::work::Work;

/// How many locales a site may have.
const MAX_LOCALES: usize = 200;

/// The longest language tag, in bytes; well-formed tags in use have at most 35 (RFC 5646, section 4.4.1).
const MAX_LOCALE_BYTES: usize = 35;

/// The bounds of the limits that a site can be given.
const MEMBERS: core::ops::RangeInclusive<u32> = 1..=10_000_000;
const GROUPS: core::ops::RangeInclusive<u32> = 1..=1_000_000;

/// The longest retention time: ten years.
const MAX_RETENTION_DAYS: u32 = 3_650;

/// The settings of the site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The locales that customers can have, language tags (BCP 47).
    pub locales: Vec<String>,
    /// The locale of customers without a locale, or with one that has no counterpart on the site: one of `locales`.
    pub default_locale: String,
    /// How many users a group may have.
    pub max_members: u32,
    /// How many groups a directory may have.
    pub max_groups: u32,
    /// For how many days deleted customers and organizations can be restored.
    pub retention_days: u32,
}

/// The settings to change; what is `None` stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SettingsUpdate {
    /// Other locales. Customers keep the one that they have until they are changed.
    pub locales: Option<Vec<String>>,
    /// Another default.
    pub default_locale: Option<String>,
    /// Another limit for the users of a group. A group over the limit stays as it is and does not grow.
    pub max_members: Option<u32>,
    /// Another limit for the groups of a directory. A directory over the limit keeps its groups and gets no others.
    pub max_groups: Option<u32>,
    /// For how many days what is deleted from now on can be restored.
    pub retention_days: Option<u32>,
}

/// The numbers among the settings, which requests need without the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Numbers {
    /// How many users a group may have.
    pub max_members: u32,
    /// How many groups a directory may have.
    pub max_groups: u32,
    /// For how many days deleted customers and organizations can be restored.
    pub retention_days: u32,
}

impl Default for Numbers {
    fn default() -> Self {
        Numbers { max_members: 150_000, max_groups: 20_000, retention_days: 14 }
    }
}

impl Default for SiteRecord {
    fn default() -> Self {
        let Numbers { max_members, max_groups, retention_days } = Numbers::default();
        SiteRecord {
            locales: locales::DEFAULT_LOCALES.map(ToString::to_string).to_vec(),
            default_locale: locales::DEFAULT_LOCALE.to_string(),
            max_members,
            max_groups,
            retention_days,
        }
    }
}

/// Reads the numbers among the settings from the stored value; without one, they are the default.
///
/// # Errors
/// Where it cannot be read.
pub fn numbers(stored: Option<&str>) -> store::Result<Numbers> {
    read(stored)
}

/// Reads the settings, or a part of them, from the stored value; without one, they are the default.
fn read<T: Default + DeserializeOwned>(stored: Option<&str>) -> store::Result<T> {
    stored.map_or_else(|| Ok(T::default()), |text| records::read(keys::SITE_SETTINGS_KEY, text))
}

/// The settings of the site as they are stored, or the default.
///
/// # Errors
/// Where the storage fails.
pub fn load(transaction: &mut Transaction) -> store::Result<SiteRecord> {
    read(transaction.get(keys::SITE_SETTINGS_KEY.to_string())?.as_deref())
}

impl Engine<'_> {
    /// The settings of the site.
    ///
    /// # Errors
    /// Where the storage fails.
    pub fn site_settings(&self) -> Result<Settings> {
        self.read(|transaction| Ok(describe(load(transaction)?)))
    }

    /// Changes the settings of the site.
    ///
    /// # Errors
    /// [`Error::Invalid`].
    pub fn update_site_settings(&self, actor: &str, update: &SettingsUpdate) -> Result<Settings> {
        self.administer(actor, |work| {
            let old = load(work.transaction)?;
            let new = checked(update, &old)?;
            let changed = changed(&old, &new);
            if !changed.is_empty() {
                work.transaction.put(keys::SITE_SETTINGS_KEY.to_string(), records::write(&new));
                work.record(ChangeKind::SettingsUpdated, Detail { changed, ..Detail::default() });
            }
            Ok(describe(new))
        })
    }
}

impl Work<'_> {
    /// The locale of the site that comes closest to what was sent.
    ///
    /// # Errors
    /// Where the settings cannot be read.
    pub fn locale(&self, sent: Option<&str>) -> store::Result<String> {
        let Some(text) = self.settings else {
            return Ok(locales::closest(&locales::DEFAULT_LOCALES, locales::DEFAULT_LOCALE, sent).to_string());
        };
        let site: SiteRecord = records::read(keys::SITE_SETTINGS_KEY, text)?;
        Ok(locales::closest(&site.locales, &site.default_locale, sent).to_string())
    }
}

fn describe(record: SiteRecord) -> Settings {
    Settings {
        locales: record.locales,
        default_locale: record.default_locale,
        max_members: record.max_members,
        max_groups: record.max_groups,
        retention_days: record.retention_days,
    }
}

/// The settings after an update.
fn checked(update: &SettingsUpdate, old: &SiteRecord) -> Result<SiteRecord> {
    let locales = match &update.locales {
        None => old.locales.clone(),
        Some(locales) if !(1..=MAX_LOCALES).contains(&locales.len()) => {
            return Err(Error::Invalid(format!("a site has 1 to {MAX_LOCALES} locales")));
        }
        Some(locales) => locales.iter().map(|locale| checked_locale(locale)).collect::<Result<_>>()?,
    };
    let wanted = update.default_locale.as_deref().unwrap_or(&old.default_locale);
    let wanted = checked_locale(wanted)?;
    let default_locale = locales.iter().find(|locale| locale.eq_ignore_ascii_case(&wanted));
    let default_locale = default_locale
        .ok_or_else(|| Error::Invalid("the default locale must be one of the site's locales".to_string()))?
        .clone();
    let limit = |name: &str, limit: Option<u32>, old: u32, range: core::ops::RangeInclusive<u32>| match limit {
        Some(limit) if !range.contains(&limit) => {
            Err(Error::Invalid(format!("{name} must be {} to {}", range.start(), range.end())))
        }
        limit => Ok(limit.unwrap_or(old)),
    };
    Ok(SiteRecord {
        locales,
        default_locale,
        max_members: limit("the limit of members", update.max_members, old.max_members, MEMBERS)?,
        max_groups: limit("the limit of groups", update.max_groups, old.max_groups, GROUPS)?,
        retention_days: limit(
            "the retention time in days",
            update.retention_days,
            old.retention_days,
            0..=MAX_RETENTION_DAYS,
        )?,
    })
}

/// Checks a language tag: parts of letters and digits, joined by `-`. A `_` is taken as `-`.
fn checked_locale(locale: &str) -> Result<String> {
    let locale = locale.replace('_', "-");
    let is_part = |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let begins_well = locale
        .split('-')
        .next()
        .is_some_and(|part| (2..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphabetic()));
    if !begins_well || locale.len() > MAX_LOCALE_BYTES || !locale.split('-').all(is_part) {
        return Err(Error::Invalid("a locale is a language tag such as en or pt-BR".to_string()));
    }
    Ok(locale)
}

fn changed(old: &SiteRecord, new: &SiteRecord) -> Vec<String> {
    feed::changed([
        ("locales", old.locales != new.locales),
        ("defaultLocale", old.default_locale != new.default_locale),
        ("maxMembers", old.max_members != new.max_members),
        ("maxGroups", old.max_groups != new.max_groups),
        ("retentionDays", old.retention_days != new.retention_days),
    ])
}
