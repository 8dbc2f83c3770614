//! Who is signed in: a cookie that is sealed with a secret of the admin key.
//!
//! Nothing is kept for it. Each host that has the key opens what another one has sealed, and with another key no cookie
//! opens any more: the secret is made from the key's hash for every request.

use crate::http::{AdminKey, UNNAMED};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use hyper::{HeaderMap, header};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::time::{SystemTime, UNIX_EPOCH};

/// The name of the cookie.
const COOKIE: &str = "usher_console";

/// For how many seconds somebody stays signed in.
pub(super) const LASTS: u64 = 12 * 3_600;

/// What may be done in a session, as it stands in the cookie. There is one such word so far; a cookie with another does
/// not open, so that one with fewer rights can never be taken for one with all.
const ROLE: &str = "admin";

/// A session of somebody who has signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Session {
    /// Which key it was begun with.
    key: String,
    /// When it ends, in seconds since the Unix epoch.
    ends: u64,
    /// Who it is, as they say: everybody has the same key.
    name: String,
}

impl Session {
    /// Begins now.
    pub(super) fn begin(key: &AdminKey) -> Self {
        Self { key: key_id(key), ends: now() + LASTS, name: UNNAMED.into() }
    }

    /// The same, of somebody who gives a name.
    pub(super) fn named(self, name: &str) -> Self {
        Self { name: name.into(), ..self }
    }

    /// Who makes the changes of this session, as the change feed has it.
    pub(super) fn actor(&self) -> &str {
        &self.name
    }

    /// The session in the cookies of a request, if it is one of this key and has not ended.
    pub(super) fn of(key: &AdminKey, headers: &HeaderMap) -> Option<Self> {
        let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
        let mut cookies = lines.flat_map(|line| line.split(';')).filter_map(|cookie| cookie.trim().split_once('='));
        // A browser sends two of one name where two paths have one.
        cookies.find_map(|(name, value)| (name == COOKIE).then(|| Self::open(key, value)).flatten())
    }

    fn open(key: &AdminKey, sealed: &str) -> Option<Self> {
        let (text, seal) = sealed.rsplit_once('.')?;
        let seal = URL_SAFE_NO_PAD.decode(seal).ok()?;
        hmac(&secret(key), text).verify_slice(&seal).ok()?;
        let mut parts = text.split('.');
        let (role, id, ends, name) = (parts.next()?, parts.next()?, parts.next()?.parse().ok()?, parts.next()?);
        let name = String::from_utf8(URL_SAFE_NO_PAD.decode(name).ok()?).ok()?;
        let session = Self { key: id.to_owned(), ends, name };
        (role == ROLE && parts.next().is_none() && session.holds(key)).then_some(session)
    }

    /// Whether it goes on: the key is still the one that it was begun with, and its end has not come.
    pub(super) fn holds(&self, key: &AdminKey) -> bool {
        self.key == key_id(key) && now() < self.ends
    }

    /// What a form of this session carries, so that no other page can send one.
    pub(super) fn form_token(&self, key: &AdminKey) -> String {
        page_token(key, &self.text())
    }

    /// Whether a form carries the token of this session.
    pub(super) fn owns(&self, key: &AdminKey, token: &str) -> bool {
        owns_page(key, &self.text(), token)
    }

    /// The value of `Set-Cookie` that keeps it, for pages below this path.
    pub(super) fn cookie(&self, key: &AdminKey, path: &str, secure: bool) -> String {
        let text = self.text();
        let seal = URL_SAFE_NO_PAD.encode(hmac(&secret(key), &text).finalize().into_bytes());
        set_cookie(&format!("{text}.{seal}"), path, secure, LASTS)
    }

    fn text(&self) -> String {
        format!("{ROLE}.{}.{}.{}", self.key, self.ends, URL_SAFE_NO_PAD.encode(&self.name))
    }
}

/// What a form of a page carries whose reader has no session, but something else that opens the page.
pub(super) fn page_token(key: &AdminKey, opened_by: &str) -> String {
    URL_SAFE_NO_PAD.encode(hmac(&secret(key), &format!("form {opened_by}")).finalize().into_bytes())
}

/// Whether a form carries that.
pub(super) fn owns_page(key: &AdminKey, opened_by: &str, token: &str) -> bool {
    let token = URL_SAFE_NO_PAD.decode(token).unwrap_or_default();
    hmac(&secret(key), &format!("form {opened_by}")).verify_slice(&token).is_ok()
}

/// The value of `Set-Cookie` that ends a session.
pub(super) fn no_cookie(path: &str, secure: bool) -> String {
    set_cookie("", path, secure, 0)
}

fn set_cookie(value: &str, path: &str, secure: bool, seconds: u64) -> String {
    let secure = if secure { "; Secure" } else { "" };
    format!("{COOKIE}={value}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}")
}

/// A name for a key that tells nothing of it.
fn key_id(key: &AdminKey) -> String {
    let hash = Sha256::new().chain_update("usher console key\n").chain_update(key.hash()).finalize();
    hash.iter().take(8).fold(String::new(), |mut id, byte| {
        // Writing to a string does not fail.
        let _ = write!(id, "{byte:02x}");
        id
    })
}

fn secret(key: &AdminKey) -> [u8; 32] {
    hmac(&key.hash(), "usher console session").finalize().into_bytes().into()
}

fn hmac(secret: &[u8; 32], text: &str) -> Hmac<Sha256> {
    // A secret that is shorter than a block of the hash is filled up with zeros (RFC 2104).
    let mut block = [0; 64];
    block[..secret.len()].copy_from_slice(secret);
    Hmac::<Sha256>::new(&block.into()).chain_update(text)
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(cookie: &str) -> HeaderMap {
        let pair = cookie.split(';').next().unwrap_or_default();
        HeaderMap::from_iter([(header::COOKIE, format!("theme=dark; {pair}").parse().unwrap())])
    }

    #[test]
    fn a_session_is_opened_by_every_host_that_has_the_key_and_by_no_other() {
        let (key, other) = (AdminKey::new("one"), AdminKey::new("another"));
        let session = Session::begin(&key).named("Ada.Lovelace; Ü");
        let cookie = session.cookie(&key, "/", true);
        assert_eq!(Session::of(&AdminKey::from_hash(key.hash()), &sent(&cookie)), Some(session.clone()));
        assert_eq!(Session::of(&other, &sent(&cookie)), None);
        assert!(session.holds(&key) && !session.holds(&other));
        assert_eq!(Session::of(&key, &HeaderMap::new()), None);
        for attribute in ["HttpOnly", "SameSite=Strict", "Secure", "Path=/", "Max-Age=43200"] {
            assert!(cookie.split("; ").any(|part| part == attribute), "{attribute}: {cookie}");
        }
    }

    #[test]
    fn whatever_is_changed_in_a_cookie_closes_it() {
        let key = AdminKey::new("one");
        let session = Session::begin(&key);
        let cookie = session.cookie(&key, "/", false);
        for (from, to) in [
            (session.ends.to_string(), (session.ends + 1).to_string()),
            (ROLE.into(), "owner".into()),
            (URL_SAFE_NO_PAD.encode(UNNAMED), URL_SAFE_NO_PAD.encode("ada")),
            (".".into(), String::new()),
        ] {
            let forged = cookie.replacen(&from, &to, 1);
            assert_ne!(forged, cookie);
            assert_eq!(Session::of(&key, &sent(&forged)), None, "{forged}");
        }
    }

    #[test]
    fn a_session_ends() {
        let key = AdminKey::new("one");
        let ended = Session { ends: now(), ..Session::begin(&key) };
        assert_eq!(Session::of(&key, &sent(&ended.cookie(&key, "/", false))), None);
        assert!(!ended.holds(&key));
    }

    #[test]
    fn a_form_is_of_its_session() {
        let key = AdminKey::new("one");
        let session = Session::begin(&key);
        let other = Session { ends: session.ends + 1, ..session.clone() };
        let token = session.form_token(&key);
        assert!(session.owns(&key, &token));
        assert!(!other.owns(&key, &token) && !session.owns(&key, "") && !session.owns(&key, "x"));
    }
}
