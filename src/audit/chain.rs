//! The hash chain of the audit, as a pure function.

use sha2::{Digest, Sha256};

/// The "previous hash" of the first line: 64 zeros.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The hash of a line: lower-case hex SHA-256 over the previous line's hash and the body.
///
/// `prev` has a fixed length, so no other pair of texts gives the same input.
#[must_use]
pub fn chain(prev: &str, body: &str) -> String {
    let digest = Sha256::new().chain_update(prev.as_bytes()).chain_update(body.as_bytes()).finalize();
    let mut hex = String::with_capacity(64);
    for byte in digest {
        for nibble in [byte >> 4, byte & 15] {
            hex.push(char::from_digit(u32::from(nibble), 16).expect("a nibble is a hex digit"));
        }
    }
    hex
}
