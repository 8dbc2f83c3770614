//! Who may administer.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hyper::{HeaderMap, header};
use sha2::{Digest, Sha256};
use std::fmt;
use subtle::ConstantTimeEq;

/// The name of an administrator who gives none.
pub(crate) const UNNAMED: &str = "key";

/// The key of the site's administrators, of which only a hash is kept.
///
/// A SHA-256 hash is enough for a key that was made by [`generate`](AdminKey::generate): there are 2²⁵⁶ of them to try.
/// Whoever chooses a key should choose one as hard to guess. The example at [`Server`](super::Server) makes one.
#[derive(Clone, PartialEq, Eq)]
pub struct AdminKey {
    hash: [u8; 32],
}

impl AdminKey {
    /// A fresh key, and the text that is to be shown once.
    ///
    /// # Errors
    /// Where the system has no random numbers to give.
    pub fn generate() -> Result<(Self, String), getrandom::Error> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret)?;
        let text = format!("usher_admin_{}", URL_SAFE_NO_PAD.encode(secret));
        Ok((Self::new(&text), text))
    }

    /// The key with this text.
    pub fn new(text: &str) -> Self {
        Self { hash: Sha256::digest(text).into() }
    }

    /// The key with this hash, as [`hash`](AdminKey::hash) returned it.
    pub fn from_hash(hash: [u8; 32]) -> Self {
        Self { hash }
    }

    /// Its SHA-256 hash, to be stored.
    pub fn hash(&self) -> [u8; 32] {
        self.hash
    }

    /// The name under which a request is made, if it comes with the key: as a bearer token, or as the password of Basic
    /// credentials, whose user name is then the administrator's.
    pub(crate) fn admit(&self, headers: &HeaderMap) -> Option<String> {
        let credentials = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        let (scheme, credentials) = credentials.split_once(' ')?;
        let credentials = credentials.trim();
        if scheme.eq_ignore_ascii_case("bearer") {
            return self.matches(credentials).then(|| UNNAMED.to_owned());
        }
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let credentials = String::from_utf8(STANDARD.decode(credentials).ok()?).ok()?;
        let (name, key) = credentials.split_once(':')?;
        let name = if name.is_empty() { UNNAMED } else { name };
        self.matches(key).then(|| name.to_owned())
    }

    /// Whether this is its text.
    pub(crate) fn matches(&self, text: &str) -> bool {
        Self::new(text).hash.ct_eq(&self.hash).into()
    }
}

impl fmt::Debug for AdminKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("AdminKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admit(key: &AdminKey, value: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, value.parse().unwrap());
        key.admit(&headers)
    }

    #[test]
    fn the_key_is_taken_as_bearer_token_and_as_basic_password() {
        let (key, text) = AdminKey::generate().unwrap();
        let basic = |name| format!("Basic {}", STANDARD.encode(format!("{name}:{text}")));
        assert_eq!(admit(&key, &format!("Bearer {text}")).as_deref(), Some("key"));
        assert_eq!(admit(&key, &format!("bearer  {text} ")).as_deref(), Some("key"));
        assert_eq!(admit(&key, &basic("ada")).as_deref(), Some("ada"));
        assert_eq!(admit(&key, &basic("")).as_deref(), Some("key"));
        assert_eq!(AdminKey::from_hash(key.hash()), key);
    }

    #[test]
    fn anything_else_is_not_taken() {
        let (key, text) = AdminKey::generate().unwrap();
        let nameless = STANDARD.encode(&text);
        for value in [
            String::new(),
            text.clone(),
            format!("Bearer {text}x"),
            format!("Token {text}"),
            format!("Basic {text}"),
            format!("Basic {nameless}"),
        ] {
            assert_eq!(admit(&key, &value), None, "{value}");
        }
        assert_eq!(key.admit(&HeaderMap::new()), None);
    }
}
