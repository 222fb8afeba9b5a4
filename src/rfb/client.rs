//! What a browser says to a desktop after ClientInit (RFC 6143 §7.5 and registered extensions).
//!
//! The parser finds the messages in a byte stream that is cut anywhere. It tells a human from a
//! repaint ([`Scan::input`]) and says which bytes belong to which message ([`Piece`]), which is
//! all that the view-only [`Filter`] needs. It allocates nothing and never panics.
//!
//! Only a person's doing is input, so what a viewer says by itself is not: its capabilities when
//! the connection opens, and a clipboard text that the desktop asks for once more.
//!
//! A message type it does not know has no known length, so parsing ends there for good
//! ([`Understood::No`]): from then on the socket proves that a viewer is connected, but nothing
//! about input, and a view-only socket lets nothing more pass.

mod clipboard;
mod filter;

use std::ops::Range;

use self::clipboard::Flags;
pub use self::filter::{Dropped, Filter};
use crate::session::InputSource;

/// The longest clipboard text that is followed, in bytes; beyond it parsing ends.
pub const MAX_CUT_TEXT: u32 = 16 << 20;

/// The longest fence payload the extension allows, in bytes.
const MAX_FENCE: u8 = 64;

/// The pseudo-encoding with which a viewer offers pointer messages of seven bytes.
const EXTENDED_MOUSE_BUTTONS: i32 = -316;

/// The bit of the button mask that marks a pointer message of seven bytes.
///
/// The desktop must have agreed before a viewer sends them, in bytes that nobody reads here. Once
/// the viewer has offered them the bit alone decides: the extension keeps it clear in messages of
/// six bytes, agreed or not. A viewer that breaks that rule hides its own input and nothing more,
/// because an observer's pointer messages never go out, in either length.
const EXTENDED_MARKER: u8 = 0x80;

/// The longest part of a message that has to be looked at together.
const MAX_HEAD: usize = 12;

/// The kinds of message a viewer may send.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// SetPixelFormat (0).
    PixelFormat,
    /// SetEncodings (2).
    Encodings,
    /// FramebufferUpdateRequest (3).
    UpdateRequest,
    /// KeyEvent (4).
    Key,
    /// PointerEvent (5), with six or seven bytes.
    Pointer,
    /// ClientCutText (6), plain or extended clipboard.
    CutText,
    /// EnableContinuousUpdates (150).
    ContinuousUpdates,
    /// ClientFence (248).
    Fence,
    /// xvp (250): shut down, reboot or reset the desktop.
    Power,
    /// SetDesktopSize (251).
    DesktopSize,
    /// QEMU extended key event (255, sub-type 0).
    QemuKey,
}

impl Kind {
    fn of(first: u8) -> Option<Self> {
        Some(match first {
            0 => Self::PixelFormat,
            2 => Self::Encodings,
            3 => Self::UpdateRequest,
            4 => Self::Key,
            5 => Self::Pointer,
            6 => Self::CutText,
            150 => Self::ContinuousUpdates,
            248 => Self::Fence,
            250 => Self::Power,
            251 => Self::DesktopSize,
            255 => Self::QemuKey,
            _ => return None,
        })
    }

    /// The stable `snake_case` name used in metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PixelFormat => "pixel_format",
            Self::Encodings => "encodings",
            Self::UpdateRequest => "update_request",
            Self::Key => "key",
            Self::Pointer => "pointer",
            Self::CutText => "cut_text",
            Self::ContinuousUpdates => "continuous_updates",
            Self::Fence => "fence",
            Self::Power => "power",
            Self::DesktopSize => "desktop_size",
            Self::QemuKey => "qemu_key",
        }
    }

    /// Whether such a message changes the desktop for everyone who watches: what an observer
    /// may not send. Clipboard negotiation is included, because it makes the desktop ask.
    #[must_use]
    pub fn steers(self) -> bool {
        match self {
            Self::Key | Self::Pointer | Self::CutText | Self::Power | Self::DesktopSize | Self::QemuKey => {
                true
            }
            Self::PixelFormat
            | Self::Encodings
            | Self::UpdateRequest
            | Self::ContinuousUpdates
            | Self::Fence => false,
        }
    }

    /// Whether a complete message of this kind is something that somebody did.
    fn is_deliberate(self, input: Option<InputSource>) -> bool {
        match self {
            Self::Power | Self::DesktopSize => true,
            Self::Key
            | Self::Pointer
            | Self::CutText
            | Self::QemuKey
            | Self::PixelFormat
            | Self::Encodings
            | Self::UpdateRequest
            | Self::ContinuousUpdates
            | Self::Fence => input.is_some(),
        }
    }

    /// How many bytes, type included, must be there before the rest of the length is known.
    fn head(self) -> usize {
        match self {
            Self::Encodings => 4,
            Self::Pointer => 6,
            Self::CutText => 8,
            Self::Fence => 9,
            Self::DesktopSize => 7,
            Self::QemuKey => 2,
            Self::PixelFormat | Self::UpdateRequest | Self::Key | Self::ContinuousUpdates | Self::Power => 1,
        }
    }
}

/// Whether the parser still knows where messages begin.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Understood {
    /// Every byte so far belongs to a known message.
    #[default]
    Yes,
    /// A message of unknown type or impossible length came; parsing has ended for this socket.
    No,
}

/// What a run of bytes held.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Scan {
    /// The last human input in it, if any was completed.
    pub input: Option<InputSource>,
    /// Whether parsing goes on.
    pub understood: Understood,
}

/// A run of bytes that belong to one message, or to none that is known.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Piece {
    /// The message's kind; `None` for bytes after parsing has ended.
    pub kind: Option<Kind>,
    /// Where the run lies in the bytes that were given.
    pub range: Range<usize>,
    /// Whether the message is complete with it.
    pub ends: bool,
    /// The human input that was recognised in it.
    pub input: Option<InputSource>,
}

/// Follows the messages of one socket.
#[derive(Clone, Debug, Default)]
pub struct Parser {
    stage: Stage,
    /// The bytes of the present message that must be seen together.
    head: [u8; MAX_HEAD],
    filled: usize,
    /// Whether the viewer offered pointer messages of seven bytes.
    extended_pointer: bool,
    /// The last pointer message, type excluded.
    pointer: Option<[u8; 6]>,
    /// The clipboard texts that the desktop fetched.
    provided: clipboard::Provided,
}

/// Where in a message the parser is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Stage {
    /// Before a type byte.
    #[default]
    Start,
    /// Until `head` holds `wanted` bytes.
    Head { kind: Kind, wanted: usize },
    /// In a list of encodings, `left` of which have not begun or not ended.
    Encodings { left: u32 },
    /// In bytes that do not matter; `input` is recognised with the last of them.
    Body { kind: Kind, left: u32, input: Option<InputSource> },
    /// In a clipboard text that the desktop asked for.
    Provided { left: u32 },
    /// Parsing has ended.
    Lost,
}

impl Parser {
    /// A parser for the bytes right after ClientInit.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Follows the next bytes of the stream.
    pub fn push(&mut self, bytes: &[u8]) -> Scan {
        let mut input = None;
        for piece in self.pieces(bytes) {
            input = piece.input.or(input);
        }
        Scan { input, understood: self.understood() }
    }

    /// Whether parsing goes on.
    #[must_use]
    pub fn understood(&self) -> Understood {
        if self.stage == Stage::Lost { Understood::No } else { Understood::Yes }
    }

    /// The runs of the next bytes, in order and without gaps. Run it to its end: bytes that were
    /// not asked for are not followed.
    pub fn pieces<'a>(&'a mut self, bytes: &'a [u8]) -> impl Iterator<Item = Piece> + 'a {
        let mut at = 0;
        std::iter::from_fn(move || {
            let rest = bytes.get(at..).filter(|rest| !rest.is_empty())?;
            let (taken, kind, input) = self.step(rest);
            let range = at..at + taken;
            at = range.end;
            Some(Piece { kind, range, ends: self.stage == Stage::Start, input })
        })
    }

    /// Takes at least one byte of a message, at most to its end.
    fn step(&mut self, bytes: &[u8]) -> (usize, Option<Kind>, Option<InputSource>) {
        match self.stage {
            Stage::Lost => (bytes.len(), None, None),
            Stage::Start => self.begin(bytes),
            Stage::Head { kind, wanted } => {
                let taken = self.collect(bytes, wanted);
                let input = if self.filled == wanted { self.headed(kind) } else { None };
                (taken, Some(kind), input)
            }
            Stage::Encodings { left } => {
                let taken = self.collect(bytes, 4);
                if self.filled == 4 {
                    self.encoding(left);
                }
                (taken, Some(Kind::Encodings), None)
            }
            Stage::Body { kind, left, input } => {
                let taken = bytes.len().min(left as usize);
                let left = left - u32::try_from(taken).expect("it is at most `left`, a u32");
                (taken, Some(kind), self.body(kind, left, input))
            }
            Stage::Provided { left } => {
                let taken = bytes.len().min(left as usize);
                let left = left - u32::try_from(taken).expect("it is at most `left`, a u32");
                self.provided.extend(&bytes[..taken]);
                (taken, Some(Kind::CutText), self.provided(left))
            }
        }
    }

    fn begin(&mut self, bytes: &[u8]) -> (usize, Option<Kind>, Option<InputSource>) {
        let Some(kind) = Kind::of(bytes[0]) else {
            self.stage = Stage::Lost;
            return (bytes.len(), None, None);
        };
        self.head[0] = bytes[0];
        self.filled = 1;
        self.stage = Stage::Head { kind, wanted: kind.head() };
        // Heads of one byte are complete with the type.
        let input = if kind.head() == 1 { self.headed(kind) } else { None };
        (1, Some(kind), input)
    }

    /// Moves bytes into `head` until it holds `wanted`; returns how many.
    fn collect(&mut self, bytes: &[u8], wanted: usize) -> usize {
        let taken = bytes.len().min(wanted - self.filled);
        self.head[self.filled..self.filled + taken].copy_from_slice(&bytes[..taken]);
        self.filled += taken;
        taken
    }

    /// The head is complete: decides what follows.
    fn headed(&mut self, kind: Kind) -> Option<InputSource> {
        match kind {
            Kind::PixelFormat => self.body(kind, 19, None),
            Kind::UpdateRequest | Kind::ContinuousUpdates => self.body(kind, 9, None),
            Kind::Key => self.body(kind, 7, Some(InputSource::Key)),
            Kind::Power => self.body(kind, 3, None),
            Kind::Encodings => {
                let left = u32::from(u16::from_be_bytes([self.head[2], self.head[3]]));
                self.filled = 0;
                self.stage = if left == 0 { Stage::Start } else { Stage::Encodings { left } };
                None
            }
            Kind::Pointer => self.pointer_moved(),
            Kind::CutText => self.cut_text(),
            Kind::Fence if self.head[8] > MAX_FENCE => self.lost(),
            Kind::Fence => self.body(kind, u32::from(self.head[8]), None),
            Kind::DesktopSize => self.body(kind, 1 + 16 * u32::from(self.head[6]), None),
            Kind::QemuKey if self.head[1] != 0 => self.lost(),
            Kind::QemuKey => self.body(kind, 10, Some(InputSource::Key)),
        }
    }

    /// `left` bytes follow; `input` counts once they are there.
    fn body(&mut self, kind: Kind, left: u32, input: Option<InputSource>) -> Option<InputSource> {
        if left == 0 {
            self.stage = Stage::Start;
            return input;
        }
        self.stage = Stage::Body { kind, left, input };
        None
    }

    fn lost(&mut self) -> Option<InputSource> {
        self.stage = Stage::Lost;
        None
    }

    fn pointer_moved(&mut self) -> Option<InputSource> {
        let extended = self.extended_pointer && self.head[1] & EXTENDED_MARKER != 0;
        if extended && self.filled == 6 {
            self.stage = Stage::Head { kind: Kind::Pointer, wanted: 7 };
            return None;
        }
        let more_buttons = if extended { self.head[6] } else { 0 };
        let [_, buttons, x1, x2, y1, y2, ..] = self.head;
        let now = Some([buttons, x1, x2, y1, y2, more_buttons]);
        let changed = now != self.pointer;
        self.pointer = now;
        self.stage = Stage::Start;
        changed.then_some(InputSource::Pointer)
    }

    /// Plain text has a length; the extended clipboard a negative one, and flags that tell data
    /// from negotiation.
    fn cut_text(&mut self) -> Option<InputSource> {
        let length = i32::from_be_bytes([self.head[4], self.head[5], self.head[6], self.head[7]]);
        let bytes = length.unsigned_abs();
        if bytes > MAX_CUT_TEXT || (length < 0 && bytes < 4) {
            return self.lost();
        }
        if length >= 0 {
            return self.body(Kind::CutText, bytes, Some(InputSource::Clipboard));
        }
        if self.filled == 8 {
            self.stage = Stage::Head { kind: Kind::CutText, wanted: 12 };
            return None;
        }
        let flags = u32::from_be_bytes([self.head[8], self.head[9], self.head[10], self.head[11]]);
        if Flags(flags).provides_data() {
            self.provided(bytes - 4)
        } else {
            self.body(Kind::CutText, bytes - 4, None)
        }
    }

    /// `left` bytes of a clipboard text follow. The desktop asked for it, and may ask as often as
    /// it likes: a person was there if it is not the text it got the last time.
    fn provided(&mut self, left: u32) -> Option<InputSource> {
        if left > 0 {
            self.stage = Stage::Provided { left };
            return None;
        }
        self.stage = Stage::Start;
        self.provided.end().then_some(InputSource::Clipboard)
    }

    fn encoding(&mut self, left: u32) {
        let [a, b, c, d, ..] = self.head;
        self.extended_pointer |= i32::from_be_bytes([a, b, c, d]) == EXTENDED_MOUSE_BUTTONS;
        self.filled = 0;
        self.stage = if left == 1 { Stage::Start } else { Stage::Encodings { left: left - 1 } };
    }
}

#[cfg(test)]
mod tests;
