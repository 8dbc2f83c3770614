//! API keys: `{id}.{secret}`, of which only a hash of the secret is stored.

use alloc::string::String;

use super::notices::next_notice;
use super::secret;
use crate::engine::{DAY_MS, Engine, Moment};
use crate::store::keys;
use crate::store::records::ApiKeyRecord;

/// How long a key works, in milliseconds: one year.
pub const LIFETIME_MS: u64 = 365 * DAY_MS;

/// A token in its parts. The id has the form of an id; whether there is such a key is not known yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token<'t> {
    /// The id of the key.
    pub id: &'t str,
    /// The hash of the secret.
    hash: String,
}

impl<'t> Token<'t> {
    /// Splits a bearer token into its parts; `None` if it has another form.
    #[must_use]
    pub fn read(token: &'t str) -> Option<Self> {
        let (id, secret) = token.split_once('.')?;
        let hash = secret::hash_of_outside(secret)?;
        keys::is_id(id).then_some(Token { id, hash })
    }

    /// Whether this is the key of the record and still works.
    #[must_use]
    pub fn opens(&self, record: &ApiKeyRecord, now: u64) -> bool {
        self.is_of(record) && (now < record.expires)
    }

    /// Whether this is the key of the record.
    #[must_use]
    pub fn is_of(&self, record: &ApiKeyRecord) -> bool {
        secret::is_same(&self.hash, &record.hash)
    }
}

/// Makes a key: the token for the identity provider, its id, and the record to store.
#[must_use]
pub fn issue(engine: &Engine<'_>, now: &Moment) -> (String, String, ApiKeyRecord) {
    let id = engine.new_id(now);
    let secret = secret::fresh(engine);
    let expires = now.milliseconds.saturating_add(LIFETIME_MS);
    let notice = next_notice(expires, now.milliseconds);
    let record = ApiKeyRecord { hash: secret::hash(&secret), created: now.milliseconds, expires, notice };
    (alloc::format!("{id}.{secret}"), id, record)
}
