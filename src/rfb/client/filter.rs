//! What an observer may send, and what is told of the rest.

use super::{Kind, Parser, Understood};

/// Lets pass only what an observer may send: everything but messages that [steer](Kind::steers).
///
/// Whether a message passes is decided by its first byte, so no part of a refused one goes out.
/// Once parsing has ended nothing passes: the caller closes the socket.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    parser: Parser,
}

impl Filter {
    /// A filter for the bytes right after ClientInit.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends to `out` what may pass of `bytes`.
    pub fn pass(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Understood {
        self.pass_telling(bytes, out, |_| {})
    }

    /// The same, and tells `on_dropped` of every refused message once it is complete.
    pub fn pass_telling(
        &mut self,
        bytes: &[u8],
        out: &mut Vec<u8>,
        mut on_dropped: impl FnMut(Dropped),
    ) -> Understood {
        for piece in self.parser.pieces(bytes) {
            match piece.kind {
                Some(kind) if kind.steers() && piece.ends => {
                    on_dropped(Dropped { kind, deliberate: kind.is_deliberate(piece.input) });
                }
                Some(kind) if kind.steers() => {}
                Some(_) => out.extend_from_slice(&bytes[piece.range]),
                None => {}
            }
        }
        self.parser.understood()
    }
}

/// A message that an observer may not send.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Dropped {
    /// What it was.
    pub kind: Kind,
    /// Whether somebody did it. A viewer's own answer to the desktop's clipboard offer is not, nor
    /// is a pointer that did not change.
    pub deliberate: bool,
}
