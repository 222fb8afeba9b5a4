//! The opening of an RFB connection: version and VNC authentication (RFC 6143 §7.1, §7.2.2).

use des::Des;
use des::cipher::{BlockCipherEncrypt, KeyInit};

/// The protocol version this gateway speaks, as sent on the wire.
pub const VERSION: &[u8; 12] = b"RFB 003.008\n";

/// Security type "None" (RFC 6143 §7.2.1).
pub const NONE: u8 = 1;

/// Security type "VNC Authentication" (RFC 6143 §7.2.2).
pub const VNC_AUTH: u8 = 2;

/// Whether these twelve bytes are an RFB greeting: `RFB xxx.yyy\n`.
#[must_use]
pub fn is_greeting(bytes: &[u8; 12]) -> bool {
    let digits = |range: std::ops::Range<usize>| bytes[range].iter().all(u8::is_ascii_digit);
    bytes.starts_with(b"RFB ") && digits(4..7) && bytes[7] == b'.' && digits(8..11) && bytes[11] == b'\n'
}

/// The answer to a VNC authentication challenge: DES over it with the first eight bytes of the
/// password, each bit-reversed (RFC 6143 §7.2.2 and its erratum).
#[must_use]
pub fn answer(challenge: &[u8; 16], password: &str) -> [u8; 16] {
    let mut key = [0_u8; 8];
    for (slot, byte) in key.iter_mut().zip(password.bytes()) {
        *slot = byte.reverse_bits();
    }
    let cipher = Des::new(&key.into());
    let mut answer = *challenge;
    for block in answer.chunks_exact_mut(8) {
        let mut eight: [u8; 8] = block.try_into().expect("a chunk of exactly eight bytes");
        cipher.encrypt_block((&mut eight).into());
        block.copy_from_slice(&eight);
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn greetings_are_recognised() {
        assert!(is_greeting(VERSION));
        assert!(is_greeting(b"RFB 003.003\n"));
        assert!(!is_greeting(b"HTTP/1.1 400"));
        assert!(!is_greeting(b"RFB 003x008\n"));
    }

    #[test]
    fn a_challenge_is_answered_with_reversed_key_bits() {
        // Key "password" with bits reversed, two equal blocks: both halves must agree, and the
        // value must be that of a reference DES.
        let answer = answer(&[0; 16], "password");
        assert_eq!(answer[..8], answer[8..]);
        assert_ne!(answer[..8], [0; 8]);
        assert_eq!(super::answer(&[7; 16], "12345678"), super::answer(&[7; 16], "123456789"));
        assert_ne!(super::answer(&[7; 16], "1234567"), super::answer(&[7; 16], "12345678"));
    }
}
