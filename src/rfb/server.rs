//! What a desktop says after ClientInit, as far as a picture of its screen needs it (RFC 6143
//! §7.3.2, §7.6).
//!
//! The gateway's own viewer asks for one whole update in the one encoding that every server must
//! have, Raw (§7.7.1), and makes it small while it arrives. Anything it did not ask for ends it:
//! a desktop is the student's, and its bytes are hostile input.

use thiserror::Error;

use super::picture::{Mosaic, Picture, Size};

/// The longest side of a screen that is looked at, in pixels.
pub const MAX_SCREEN_SIDE: u16 = 16_384;

/// The largest screen that is looked at, in pixels: twice 8K.
pub const MAX_SCREEN_AREA: u32 = 64 << 20;

/// The longest name, colour map or cut text that is skipped, in bytes.
const MAX_SKIPPED: u32 = 16 << 20;

/// How often a desktop may draw its screen before the picture is complete.
const MAX_DRAWN: u64 = 4;

/// ServerInit without the name; the longest part that has to be seen together.
const INIT: usize = 24;

/// Why no picture can be made of what a desktop says.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum Garbled {
    /// A rectangle in an encoding that was not offered.
    #[error("the desktop sent a rectangle in encoding {0}, which nobody offered")]
    Encoding(i32),
    /// It draws more than a whole screen needs.
    #[error("the desktop drew far more than its screen")]
    Flood,
    /// A text that is longer than any.
    #[error("the desktop sent a text of {0} bytes")]
    Long(u32),
    /// A message that servers do not send unasked.
    #[error("the desktop sent a message of unknown type {0}")]
    Message(u8),
    /// A rectangle that is not on the screen.
    #[error("the desktop drew outside its screen")]
    Outside,
    /// A screen without area, or larger than any.
    #[error("the desktop has a screen of {} by {} pixels", .0.width, .0.height)]
    Screen(Size),
}

/// Makes a picture of what a desktop says from ServerInit on.
///
/// [`push`](Self::push) the bytes as they come, send what [`to_say`](Self::to_say) gives, until
/// [`picture`](Self::picture) is there.
#[derive(Clone, Debug)]
pub struct Watcher {
    stage: Stage,
    head: [u8; INIT],
    filled: usize,
    mosaic: Option<Mosaic>,
    /// Pixels announced so far.
    drawn: u64,
    to_say: Say,
}

/// Where in the stream it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Stage {
    /// In ServerInit.
    Init,
    /// In bytes that do not matter.
    Skip { left: u32 },
    /// Before a type byte.
    Start,
    /// In the fixed part of a message.
    Head { message: Message },
    /// Before a rectangle's header; `left` have not begun.
    Rectangle { left: u16 },
    /// In a rectangle's pixels; `left` more rectangles follow.
    Pixels { rectangle: Rectangle, left: u16 },
    /// The picture is complete.
    Complete,
    /// It was garbled.
    Lost(Garbled),
}

/// The messages a server may send to whoever offered nothing (RFC 6143 §7.6).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Message {
    Update,
    Colours,
    Bell,
    CutText,
}

impl Message {
    fn of(first: u8) -> Option<Self> {
        Some(match first {
            0 => Self::Update,
            1 => Self::Colours,
            2 => Self::Bell,
            3 => Self::CutText,
            _ => return None,
        })
    }

    /// How many bytes its fixed part has, type included.
    fn head(self) -> usize {
        match self {
            Self::Update => 4,
            Self::Colours => 6,
            Self::Bell => 1,
            Self::CutText => 8,
        }
    }
}

/// What of a rectangle has not been drawn: the row at `y` from `at` on, and those below it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Rectangle {
    x: u16,
    y: u16,
    width: u16,
    rows: u16,
    at: u16,
}

/// What is owed to the desktop.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Say {
    Nothing,
    /// The pixel format, the encodings, and the wish for the whole screen.
    Opening(Size),
    /// The wish for the rest of it.
    Again(Size),
}

impl Default for Watcher {
    fn default() -> Self {
        Self::new()
    }
}

impl Watcher {
    /// A watcher for the bytes right after ClientInit.
    #[must_use]
    pub fn new() -> Self {
        Self { stage: Stage::Init, head: [0; INIT], filled: 0, mosaic: None, drawn: 0, to_say: Say::Nothing }
    }

    /// Follows the next bytes; what comes after the picture is ignored.
    ///
    /// # Errors
    /// [`Garbled`], now and from now on.
    pub fn push(&mut self, mut bytes: &[u8]) -> Result<(), Garbled> {
        while !bytes.is_empty() {
            match self.step(bytes) {
                Ok(taken) => bytes = &bytes[taken..],
                Err(garbled) => {
                    self.stage = Stage::Lost(garbled);
                    return Err(garbled);
                }
            }
        }
        Ok(())
    }

    /// What must be sent to the desktop now; asked for after each push, and empty most times.
    #[must_use]
    pub fn to_say(&mut self) -> Vec<u8> {
        match std::mem::replace(&mut self.to_say, Say::Nothing) {
            Say::Nothing => Vec::new(),
            Say::Opening(screen) => opening(screen),
            Say::Again(screen) => update_request(true, screen).into(),
        }
    }

    /// The picture, once every part of the screen has been drawn and the update has ended.
    #[must_use]
    pub fn picture(&self) -> Option<Picture> {
        let mosaic = self.mosaic.as_ref().filter(|_| self.stage == Stage::Complete);
        mosaic.map(Mosaic::picture)
    }

    /// Takes at least one byte.
    fn step(&mut self, bytes: &[u8]) -> Result<usize, Garbled> {
        match self.stage {
            Stage::Init => self.collect(bytes, INIT, Self::init),
            Stage::Skip { left } => {
                let taken = bytes.len().min(left as usize);
                let left = left - u32::try_from(taken).expect("it is at most `left`, a u32");
                self.skip(left)?;
                Ok(taken)
            }
            Stage::Start => {
                let message = Message::of(bytes[0]).ok_or(Garbled::Message(bytes[0]))?;
                self.stage = Stage::Head { message };
                self.collect(bytes, message.head(), |watcher| watcher.headed(message))
            }
            Stage::Head { message } => self.collect(bytes, message.head(), |watcher| watcher.headed(message)),
            Stage::Rectangle { left } => self.collect(bytes, 12, |watcher| watcher.rectangle(left)),
            Stage::Pixels { rectangle, left } => Ok(self.pixels(bytes, rectangle, left)),
            Stage::Complete => Ok(bytes.len()),
            Stage::Lost(garbled) => Err(garbled),
        }
    }

    /// Moves bytes into `head`; once it holds `wanted`, goes on with `then`.
    fn collect(
        &mut self,
        bytes: &[u8],
        wanted: usize,
        then: impl FnOnce(&mut Self) -> Result<(), Garbled>,
    ) -> Result<usize, Garbled> {
        let taken = bytes.len().min(wanted - self.filled);
        self.head[self.filled..self.filled + taken].copy_from_slice(&bytes[..taken]);
        self.filled += taken;
        if self.filled == wanted {
            self.filled = 0;
            then(self)?;
        }
        Ok(taken)
    }

    fn init(&mut self) -> Result<(), Garbled> {
        let screen = Size { width: self.be16(0), height: self.be16(2) };
        let longest = screen.width.max(screen.height);
        if screen.area() == 0 || longest > MAX_SCREEN_SIDE || screen.area() > MAX_SCREEN_AREA {
            return Err(Garbled::Screen(screen));
        }
        self.mosaic = Some(Mosaic::new(screen));
        self.to_say = Say::Opening(screen);
        self.skip(self.be32(20))
    }

    /// `left` bytes follow that do not matter.
    fn skip(&mut self, left: u32) -> Result<(), Garbled> {
        if left > MAX_SKIPPED {
            return Err(Garbled::Long(left));
        }
        self.stage = if left == 0 { Stage::Start } else { Stage::Skip { left } };
        Ok(())
    }

    fn headed(&mut self, message: Message) -> Result<(), Garbled> {
        match message {
            Message::Update => {
                self.next_rectangle(self.be16(2));
                Ok(())
            }
            Message::Colours => self.skip(6 * u32::from(self.be16(4))),
            Message::Bell => self.skip(0),
            // The extended clipboard's negative lengths are not offered, so they are too long.
            Message::CutText => self.skip(self.be32(4)),
        }
    }

    fn next_rectangle(&mut self, left: u16) {
        if left > 0 {
            self.stage = Stage::Rectangle { left };
            return;
        }
        self.stage = Stage::Start;
        match &self.mosaic {
            Some(mosaic) if mosaic.is_covered() => self.stage = Stage::Complete,
            // Servers may draw what was asked for in several updates, one per request.
            Some(mosaic) if self.to_say == Say::Nothing => self.to_say = Say::Again(mosaic.screen()),
            Some(_) | None => {}
        }
    }

    fn rectangle(&mut self, left: u16) -> Result<(), Garbled> {
        let [x, y, width, rows] = [0, 2, 4, 6].map(|at| self.be16(at));
        let encoding = self.be32(8).cast_signed();
        if encoding != 0 {
            return Err(Garbled::Encoding(encoding));
        }
        let screen = self.mosaic.as_ref().map(Mosaic::screen).ok_or(Garbled::Outside)?;
        let fits = |at: u16, long: u16, side: u16| u32::from(at) + u32::from(long) <= u32::from(side);
        if !fits(x, width, screen.width) || !fits(y, rows, screen.height) {
            return Err(Garbled::Outside);
        }
        self.drawn += u64::from(width) * u64::from(rows);
        if self.drawn > MAX_DRAWN * u64::from(screen.area()) {
            return Err(Garbled::Flood);
        }
        if width == 0 || rows == 0 {
            self.next_rectangle(left - 1);
        } else {
            self.stage = Stage::Pixels { rectangle: Rectangle { x, y, width, rows, at: 0 }, left: left - 1 };
        }
        Ok(())
    }

    /// Takes pixels up to the end of a row. One that was cut in two is put together in `head`.
    fn pixels(&mut self, bytes: &[u8], rectangle: Rectangle, left: u16) -> usize {
        let (whole, _) = bytes.as_chunks::<4>();
        if self.filled > 0 || whole.is_empty() {
            let taken = bytes.len().min(4 - self.filled);
            self.head[self.filled..self.filled + taken].copy_from_slice(&bytes[..taken]);
            self.filled += taken;
            if self.filled == 4 {
                self.filled = 0;
                let [a, b, c, d, ..] = self.head;
                self.draw(&[[a, b, c, d]], rectangle, left);
            }
            return taken;
        }
        let run = &whole[..whole.len().min(usize::from(rectangle.width - rectangle.at))];
        self.draw(run, rectangle, left);
        4 * run.len()
    }

    /// Draws a run that ends in the present row.
    fn draw(&mut self, run: &[[u8; 4]], rectangle: Rectangle, left: u16) {
        let Rectangle { x, y, width, rows, at } = rectangle;
        if let Some(mosaic) = &mut self.mosaic {
            mosaic.add(x + at, y, run);
        }
        let at = at + u16::try_from(run.len()).expect("a run is no longer than its row");
        match (at == width, rows) {
            (false, _) => self.stage = Stage::Pixels { rectangle: Rectangle { at, ..rectangle }, left },
            (true, 1) => self.next_rectangle(left),
            (true, _) => {
                let rectangle = Rectangle { y: y + 1, rows: rows - 1, at: 0, ..rectangle };
                self.stage = Stage::Pixels { rectangle, left };
            }
        }
    }

    fn be16(&self, at: usize) -> u16 {
        u16::from_be_bytes([self.head[at], self.head[at + 1]])
    }

    fn be32(&self, at: usize) -> u32 {
        u32::from(self.be16(at)) << 16 | u32::from(self.be16(at + 2))
    }
}

/// SetPixelFormat, SetEncodings and FramebufferUpdateRequest (RFC 6143 §7.5.1 to §7.5.3): 32 bits
/// per pixel as blue, green, red, nothing; Raw alone; the whole screen.
fn opening(screen: Size) -> Vec<u8> {
    const PIXEL_FORMAT: [u8; 20] = [0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0];
    const RAW_ALONE: [u8; 8] = [2, 0, 0, 1, 0, 0, 0, 0];
    [&PIXEL_FORMAT[..], &RAW_ALONE, &update_request(false, screen)].concat()
}

fn update_request(incremental: bool, screen: Size) -> [u8; 10] {
    let [[w1, w2], [h1, h2]] = [screen.width, screen.height].map(u16::to_be_bytes);
    [3, u8::from(incremental), 0, 0, 0, 0, w1, w2, h1, h2]
}

#[cfg(test)]
mod tests;
