//! Where WebSocket frames begin and end in copied bytes (RFC 6455 §5.2), without touching them.
//!
//! The relay of an `http` session copies bytes. It still must tell a person's message from the
//! pong a browser sends by itself, and may say goodbye only between two frames.

/// The longest frame header: two bytes, eight of length, four of mask.
const MAX_HEADER: usize = 14;

/// Follows the frames of one direction.
#[derive(Clone, Debug, Default)]
pub(super) struct Frames {
    header: [u8; MAX_HEADER],
    filled: usize,
    payload_left: u64,
}

impl Frames {
    /// Follows the next bytes; whether a data frame (no ping, pong or close) began in them.
    pub(super) fn push(&mut self, mut bytes: &[u8]) -> bool {
        let mut data = false;
        while let Some(first) = bytes.first() {
            if self.payload_left > 0 {
                let skipped = usize::try_from(self.payload_left).unwrap_or(usize::MAX).min(bytes.len());
                self.payload_left -= skipped as u64;
                bytes = &bytes[skipped..];
                continue;
            }
            self.header[self.filled] = *first;
            self.filled += 1;
            bytes = &bytes[1..];
            if self.filled == self.header_length() {
                data |= self.header[0] & 0x0f < 8;
                self.payload_left = self.payload_length();
                self.filled = 0;
            }
        }
        data
    }

    /// Whether the last byte ended a frame.
    pub(super) fn at_boundary(&self) -> bool {
        self.filled == 0 && self.payload_left == 0
    }

    fn header_length(&self) -> usize {
        if self.filled < 2 {
            return MAX_HEADER;
        }
        let length = match self.header[1] & 0x7f {
            126 => 2,
            127 => 8,
            0..126 | 128.. => 0,
        };
        2 + length + if self.header[1] & 0x80 == 0 { 0 } else { 4 }
    }

    fn payload_length(&self) -> u64 {
        let bytes: &[u8] = match self.header[1] & 0x7f {
            126 => &self.header[2..4],
            127 => &self.header[2..10],
            short => return u64::from(short),
        };
        bytes.iter().fold(0, |sum, byte| (sum << 8) | u64::from(*byte))
    }
}

/// A close frame as a server sends it, unmasked.
pub(super) fn close(reason: crate::revocation::CloseReason) -> Vec<u8> {
    let text = reason.name().as_bytes();
    let length = u8::try_from(2 + text.len()).expect("our reasons are short names");
    [&[0x88, length][..], &reason.code().to_be_bytes(), text].concat()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(opcode: u8, masked: bool, length: usize) -> Vec<u8> {
        let mask = if masked { 0x80 } else { 0 };
        let mut bytes = vec![0x80 | opcode];
        match length {
            0..126 => bytes.push(mask | u8::try_from(length).unwrap()),
            126..65536 => {
                bytes.push(mask | 126);
                bytes.extend(u16::try_from(length).unwrap().to_be_bytes());
            }
            _ => {
                bytes.push(mask | 127);
                bytes.extend((length as u64).to_be_bytes());
            }
        }
        bytes.extend(vec![0x89; length + if masked { 4 } else { 0 }]);
        bytes
    }

    #[test]
    fn pings_are_no_data_and_boundaries_are_found() {
        let mut frames = Frames::default();
        assert!(frames.at_boundary());
        assert!(!frames.push(&frame(9, true, 5)));
        assert!(!frames.push(&frame(10, true, 0)));
        assert!(frames.at_boundary());
        assert!(frames.push(&frame(2, true, 70_000)));
        assert!(frames.at_boundary());
        let text = frame(1, false, 300);
        assert!(frames.push(&text[..200]));
        assert!(!frames.at_boundary());
        assert!(!frames.push(&text[200..]));
        assert!(frames.at_boundary());
    }

    proptest! {
        #[test]
        fn any_split_and_any_bytes(
            sizes in prop::collection::vec((0..11_u8, any::<bool>(), 0..400_usize), 1..8),
            cut in 1..50_usize,
            noise in prop::collection::vec(any::<u8>(), 0..100),
        ) {
            let stream: Vec<u8> = sizes.iter().flat_map(|(opcode, masked, length)| frame(*opcode, *masked, *length)).collect();
            let mut frames = Frames::default();
            let mut data = false;
            for part in stream.chunks(cut) {
                data |= frames.push(part);
            }
            prop_assert!(frames.at_boundary());
            prop_assert_eq!(data, sizes.iter().any(|(opcode, ..)| *opcode < 8));
            let _ = frames.push(&noise);
        }
    }
}
