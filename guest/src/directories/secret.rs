//! Secrets that open something: made here, kept as a hash, and compared without telling by the time that it takes how much
//! of one was right.

use alloc::string::String;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::engine::Engine;

/// The longest text that is looked at as a secret. Ours are shorter, and the sender must not decide how much is hashed.
const MAX_BYTES: usize = 64;

/// A new secret, as it is handed out.
#[must_use]
pub fn fresh(engine: &Engine<'_>) -> String {
    URL_SAFE_NO_PAD.encode(engine.random::<32>())
}

/// What is kept of a secret.
#[must_use]
pub fn hash(secret: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(secret.as_bytes()))
}

/// What would be kept of a text from outside; `None` if it is too long to be a secret.
#[must_use]
pub fn hash_of_outside(text: &str) -> Option<String> {
    (text.len() <= MAX_BYTES).then(|| hash(text))
}

/// Whether two hashes are the same.
#[must_use]
pub fn is_same(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}
