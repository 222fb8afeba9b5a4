//! What in the extended clipboard's messages is a person's doing.
//!
//! **Source**: the extended clipboard pseudo-encoding of the community's RFB protocol description,
//! and what noVNC makes of it: it answers the desktop's capabilities with its own, announces a text
//! when a person pastes one, and hands it over when the desktop asks.

/// The first 32 bits of an extended message: formats below, actions above.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Flags(pub(super) u32);

impl Flags {
    const FORMATS: u32 = 0xffff;
    const ACTIONS: u32 = 0xff00_0000;
    const PROVIDE: u32 = 1 << 28;

    /// Whether the message brings a text: "provide" is its only action. Among capabilities
    /// (which noVNC sends when the connection opens) the same bit says no more than "I could".
    pub(super) fn provides_data(self) -> bool {
        self.0 & Self::ACTIONS == Self::PROVIDE && self.0 & Self::FORMATS != 0
    }
}

/// Tells a new text from the last one without keeping either: FNV-1a of 64 bits. Nobody gains by
/// finding two texts of one value, because the second is then not taken for input.
#[derive(Clone, Debug)]
pub(super) struct Provided {
    last: Option<u64>,
    hash: u64,
}

impl Provided {
    const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;

    /// The next bytes of the present text.
    pub(super) fn extend(&mut self, bytes: &[u8]) {
        let mix = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(Self::PRIME);
        self.hash = bytes.iter().fold(self.hash, mix);
    }

    /// The present text is complete: whether it is another one than the last.
    pub(super) fn end(&mut self) -> bool {
        let text = std::mem::replace(&mut self.hash, Self::BASIS);
        self.last.replace(text) != Some(text)
    }
}

impl Default for Provided {
    fn default() -> Self {
        Self { last: None, hash: Self::BASIS }
    }
}
