//! Values that must never be printed.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// A value without a readable `Debug` or any `Display`; compared in constant time.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Wraps a value.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value, for the one place that must use it.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl<T: AsRef<[u8]>> PartialEq for Secret<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_ref().ct_eq(other.0.as_ref()).into()
    }
}

/// `N` bytes of operating-system randomness.
///
/// # Panics
/// When the operating system has none to give, which leaves nothing safe to do.
#[must_use]
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system provides randomness");
    bytes
}

/// A fresh bearer secret: 32 random bytes as unpadded base64url (43 characters).
#[must_use]
pub fn random_token() -> Secret<String> {
    Secret(URL_SAFE_NO_PAD.encode(random_bytes::<32>()))
}

/// What is stored in place of a bearer secret: its SHA-256. The secret has 256 bits of its own
/// randomness, so it needs neither salt nor a slow hash.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct TokenHash(pub [u8; 32]);

impl TokenHash {
    /// Hashes a presented token, valid or not.
    #[must_use]
    pub fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }
}

/// A first password for people to type, until they choose their own: 16 characters in groups of four, about 73 bits.
#[must_use]
pub fn random_password() -> Secret<String> {
    const ALPHABET: &[u8; 24] = b"bcdfghjkmnpqrstvwxz23456";
    let letters = random_bytes::<16>().map(|byte| char::from(ALPHABET[usize::from(byte) % ALPHABET.len()]));
    let groups: Vec<String> = letters.chunks(4).map(|group| group.iter().collect()).collect();
    Secret(groups.join("-"))
}
