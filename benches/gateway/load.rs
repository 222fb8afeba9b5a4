//! The browsers: closed loops over a few connections, each waiting for its answer before it asks
//! again.

use std::io;

use berth::broker::readiness::prove_rfb;
use berth::rfb::security;
use futures_util::future::try_join_all;
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::Scale;
use super::door::{Door, Groups, Stream};

/// The payload of an echoed message, in bytes.
pub const ECHO: usize = 64;

/// The payload of a screen update, in bytes.
pub const FRAME: usize = 32 << 10;

/// Connections at once, by kind of work. A browser opens six to one host for its requests; more by
/// one user would measure how a gateway bounds what it keeps open for one user.
const GETTING: usize = 6;
const ECHOING: usize = 16;
const STREAMING: usize = 4;
const SHAKING_HANDS: usize = 8;
const OPENING: usize = 16;

/// The length of the upstream's ServerInit.
const SERVER_INIT: u64 = 29;

/// What is asked of a subject.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Work {
    /// Small requests over connections that are kept alive.
    Get,
    /// WebSocket messages there and back.
    Echo,
    /// A screen from an app's own WebSocket.
    AppStream,
    /// A screen from a VNC server.
    DesktopStream,
    /// Connections that are opened and closed.
    Handshake(Groups),
    /// Idle WebSockets of an app.
    AppViewers,
    /// Idle viewers of a VNC server.
    DesktopViewers,
}

impl Work {
    /// `<edge>_<pattern>_<size>`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "http_forward_10b",
            Self::Echo => "ws_echo_64b",
            Self::AppStream => "ws_stream_32kb",
            Self::DesktopStream => "rfb_stream_32kb",
            Self::Handshake(Groups::Classical) => "tls_handshake_x25519",
            Self::Handshake(Groups::Hybrid) => "tls_handshake_hybrid",
            Self::AppViewers => "ws_viewer_idle",
            Self::DesktopViewers => "rfb_viewer_idle",
        }
    }

    /// Whether it is for the VNC server.
    pub fn is_desktop(self) -> bool {
        matches!(self, Self::DesktopStream | Self::DesktopViewers)
    }
}

/// What was done.
#[derive(Clone, Copy, Debug)]
pub enum Amount {
    Operations(usize),
    Bytes(u64),
}

/// Does one round of `work` through `door`.
pub async fn run(door: &Door, work: Work, scale: Scale) -> io::Result<Amount> {
    match work {
        Work::Get => {
            let each = scale.requests / GETTING;
            try_join_all((0..GETTING).map(|_| get(door, each))).await?;
            Ok(Amount::Operations(each * GETTING))
        }
        Work::Echo => {
            let each = scale.echoes / ECHOING;
            try_join_all((0..ECHOING).map(|_| echo(door, each))).await?;
            Ok(Amount::Operations(each * ECHOING))
        }
        Work::AppStream | Work::DesktopStream => {
            let each = scale.frames / STREAMING;
            try_join_all((0..STREAMING).map(|_| watch(door, work, each))).await?;
            Ok(Amount::Bytes(frame_bytes(each * STREAMING)))
        }
        Work::Handshake(groups) => {
            let all = stream::iter(0..scale.handshakes).map(|_| shake_hands(door, groups));
            all.buffer_unordered(SHAKING_HANDS).try_collect::<Vec<()>>().await?;
            Ok(Amount::Operations(scale.handshakes))
        }
        Work::AppViewers | Work::DesktopViewers => {
            viewers(door, work, scale.viewers).await?;
            Ok(Amount::Operations(scale.viewers))
        }
    }
}

/// Opens idle viewers and keeps them for as long as the result is kept.
pub async fn viewers(door: &Door, work: Work, count: usize) -> io::Result<Vec<Socket>> {
    let open = stream::iter(0..count).map(|_| async move {
        if work.is_desktop() { viewer(door).await } else { Socket::open(door, "/stream?frames=0").await }
    });
    open.buffer_unordered(OPENING).try_collect().await
}

async fn get(door: &Door, count: usize) -> io::Result<()> {
    let mut stream = door.connect().await?;
    let request = format!("GET {}/small HTTP/1.1\r\n{}\r\n", door.prefix, common_fields(door));
    let mut answer = [0; 4096];
    for _ in 0..count {
        stream.write_all(request.as_bytes()).await?;
        let mut filled = 0;
        while !answer[..filled].ends_with(b"\r\n\r\n0123456789") {
            let read = stream.read(&mut answer[filled..]).await?;
            if read == 0 {
                return Err(io::Error::other(format!("cut: {}", String::from_utf8_lossy(&answer[..filled]))));
            }
            filled += read;
        }
        if !answer.starts_with(b"HTTP/1.1 200 ") {
            return Err(io::Error::other(String::from_utf8_lossy(&answer[..filled]).into_owned()));
        }
    }
    Ok(())
}

async fn echo(door: &Door, count: usize) -> io::Result<()> {
    let mut socket = Socket::open(door, "/echo").await?;
    let message = masked(&[b'e'; ECHO]);
    let mut answer = [0; 2 + ECHO];
    for _ in 0..count {
        socket.stream.write_all(&message).await?;
        socket.stream.read_exact(&mut answer).await?;
    }
    if answer[2..] == [b'e'; ECHO] { Ok(()) } else { Err(io::Error::other("the echo is another word")) }
}

async fn watch(door: &Door, work: Work, frames: usize) -> io::Result<()> {
    if work == Work::AppStream {
        let mut socket = Socket::open(door, &format!("/stream?frames={frames}")).await?;
        return socket.payload(frame_bytes(frames)).await;
    }
    if !door.is_tls() {
        return watch_raw(door, frames).await;
    }
    let mut socket = viewer(door).await?;
    socket.stream.write_all(&masked(&update_request(frames))).await?;
    socket.payload(frame_bytes(frames)).await
}

/// A VNC client without any gateway.
async fn watch_raw(door: &Door, frames: usize) -> io::Result<()> {
    let mut stream = door.connect().await?;
    prove_rfb(&mut stream, "").await.map_err(io::Error::other)?;
    stream.write_all(&[1]).await?;
    stream.write_all(&update_request(frames)).await?;
    let mut left = SERVER_INIT + frame_bytes(frames);
    let mut buffer = vec![0; 64 << 10];
    while left > 0 {
        match stream.read(&mut buffer).await? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => left = left.saturating_sub(read as u64),
        }
    }
    Ok(())
}

/// A viewer past the opening of RFB (RFC 6143 §7.1 to §7.3).
async fn viewer(door: &Door) -> io::Result<Socket> {
    let mut socket = Socket::open(door, "/rfb").await?;
    socket.payload(12).await?;
    socket.stream.write_all(&masked(security::VERSION)).await?;
    socket.payload(2).await?;
    socket.stream.write_all(&masked(&[security::NONE])).await?;
    socket.payload(4).await?;
    socket.stream.write_all(&masked(&[1])).await?;
    socket.payload(SERVER_INIT).await?;
    Ok(socket)
}

/// A handshake in full, and an end that the other side has seen too.
async fn shake_hands(door: &Door, groups: Groups) -> io::Result<()> {
    let mut stream = door.connect_with(groups).await?;
    stream.shutdown().await?;
    // Some hang up without a word.
    let _ = stream.read_to_end(&mut Vec::new()).await;
    Ok(())
}

/// A FramebufferUpdateRequest whose width and height tell the bench's desktop how much to send.
fn update_request(frames: usize) -> [u8; 10] {
    let [a, b, c, d] = u32::try_from(frames).expect("not that many frames").to_be_bytes();
    [3, 1, 0, 0, 0, 0, a, b, c, d]
}

fn frame_bytes(frames: usize) -> u64 {
    (frames * FRAME) as u64
}

fn common_fields(door: &Door) -> String {
    let cookie = door.cookie.as_ref().map(|cookie| format!("cookie: {cookie}\r\n")).unwrap_or_default();
    format!("host: {}\r\nuser-agent: berth-bench\r\naccept: */*\r\n{cookie}", door.host)
}

/// A short message as browsers send it.
fn masked(payload: &[u8]) -> Vec<u8> {
    const MASK: [u8; 4] = [1, 2, 3, 4];
    let length = u8::try_from(payload.len()).ok().filter(|length| *length < 126).expect("a short message");
    let mut message = vec![0x82, 0x80 | length];
    message.extend_from_slice(&MASK);
    message.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    message
}

/// An open WebSocket.
pub struct Socket {
    stream: Box<dyn Stream>,
    frames: Frames,
    /// Payload bytes that have come, and that were waited for, since the socket opened.
    seen: u64,
    wanted: u64,
}

impl Socket {
    async fn open(door: &Door, path: &str) -> io::Result<Self> {
        let mut stream = door.connect().await?;
        let request = format!(
            "GET {}{path} HTTP/1.1\r\n{}origin: https://{}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            door.prefix,
            common_fields(door),
            door.host,
        );
        stream.write_all(request.as_bytes()).await?;
        let mut head = Vec::new();
        let end = loop {
            if let Some(at) = head.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            if stream.read_buf(&mut head).await? == 0 {
                return Err(io::Error::other(format!("no switch: {}", String::from_utf8_lossy(&head))));
            }
        };
        if !head.starts_with(b"HTTP/1.1 101 ") {
            return Err(io::Error::other(String::from_utf8_lossy(&head).into_owned()));
        }
        let mut frames = Frames::default();
        let seen = frames.push(&head[end..]);
        Ok(Self { stream, frames, seen, wanted: 0 })
    }

    /// Reads until that many more bytes of payload have come.
    async fn payload(&mut self, bytes: u64) -> io::Result<()> {
        self.wanted += bytes;
        if self.seen >= self.wanted {
            return Ok(());
        }
        let mut buffer = vec![0; (64 << 10).min(usize::try_from(bytes).unwrap_or(usize::MAX) + 64)];
        while self.seen < self.wanted {
            match self.stream.read(&mut buffer).await? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => self.seen += self.frames.push(&buffer[..read]),
            }
        }
        Ok(())
    }
}

/// Counts the payload in a server's frames (RFC 6455 §5.2).
#[derive(Debug, Default)]
struct Frames {
    header: [u8; 10],
    filled: usize,
    left: u64,
}

impl Frames {
    /// How many of these bytes are payload.
    fn push(&mut self, mut bytes: &[u8]) -> u64 {
        let mut payload = 0;
        while let Some(first) = bytes.first() {
            if self.left > 0 {
                let taken = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
                (self.left, payload) = (self.left - taken as u64, payload + taken as u64);
                bytes = &bytes[taken..];
                continue;
            }
            self.header[self.filled] = *first;
            self.filled += 1;
            bytes = &bytes[1..];
            let long = match (self.filled, self.header[1]) {
                (0 | 1, _) => continue,
                (_, 126) => 2,
                (_, 127) => 8,
                (_, _) => 0,
            };
            if self.filled == 2 + long {
                let length = if long == 0 { &self.header[1..2] } else { &self.header[2..2 + long] };
                self.left = length.iter().fold(0, |sum, byte| (sum << 8) | u64::from(*byte));
                self.filled = 0;
            }
        }
        payload
    }
}
