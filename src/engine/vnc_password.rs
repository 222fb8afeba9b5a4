//! The file in which a VNC server finds its password.
//!
//! It is single DES, as the answer to a challenge is (RFC 6143 §7.2.2), and keeps nobody out for
//! long by itself. Here it proves that an address still belongs to the session it was given to.

use crate::rfb::security;

/// The key every VNC server obfuscates its password file with.
const FILE_KEY: &str = "\x17Rk\x06#NX\x07";

/// The content of a `vncpasswd` file: the first 8 bytes of `password`, padded with zeros, under
/// VNC's fixed key.
#[must_use]
pub fn obfuscate(password: &str) -> [u8; 8] {
    let mut challenge = [0; 16];
    for (slot, byte) in challenge[..8].iter_mut().zip(password.bytes()) {
        *slot = byte;
    }
    let [a, b, c, d, e, f, g, h, ..] = security::answer(&challenge, FILE_KEY);
    [a, b, c, d, e, f, g, h]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn obfuscation_matches_what_vncpasswd_writes() {
        assert_eq!(obfuscate("password"), [0xdb, 0xd8, 0x3c, 0xfd, 0x72, 0x7a, 0x14, 0x58]);
        assert_eq!(obfuscate("password and more"), obfuscate("password"));
        assert_ne!(obfuscate("passwor"), obfuscate("password"));
    }
}
