//! The tiny servers inside fake containers.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use crate::rfb::client::{Kind, Parser};
use crate::rfb::security;
use crate::secret::{Secret, random_bytes};
use crate::session::Protocol;

const GREETING: &[u8; 12] = b"RFB 003.008\n";
/// Security types of RFC 6143 §7.1.2.
const NO_AUTHENTICATION: u8 = 1;
const VNC_AUTHENTICATION: u8 = 2;
/// How much of what viewers send is kept.
const KEPT: usize = 1024 * 1024;

/// What viewers sent; shared with the container.
#[derive(Clone, Debug, Default)]
pub(super) struct Received(Arc<Mutex<Vec<u8>>>);

impl Received {
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn add(&self, bytes: &[u8]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let room = KEPT.saturating_sub(kept.len()).min(bytes.len());
        kept.extend_from_slice(&bytes[..room]);
    }
}

/// Says the first thing a reachable container says, and hears the answer.
pub(super) async fn greet(mut stream: DuplexStream, protocol: Protocol) {
    if protocol == Protocol::Rfb && stream.write_all(GREETING).await.is_err() {
        return;
    }
    let _ = stream.read(&mut [0; 12]).await;
}

/// The fake screen's sides, in pixels.
const SCREEN: (u16, u16) = (64, 48);

/// An RFB 3.8 server with a screen of 64 by 48 that never changes, so it draws it for the first
/// request alone, 32 bits per pixel, Raw (RFC 6143 §7.1 to §7.3). An empty password means that it
/// asks for none; one that does not `draw` hears requests and is silent.
pub(super) async fn rfb(
    mut stream: DuplexStream,
    password: &Secret<String>,
    received: &Received,
    draws: bool,
) {
    if handshake(&mut stream, password.expose()).await.is_ok() {
        let _ = show(stream, received, draws).await;
    }
}

async fn handshake(stream: &mut DuplexStream, password: &str) -> io::Result<()> {
    stream.write_all(GREETING).await?;
    stream.read_exact(&mut [0; 12]).await?;
    let offered = if password.is_empty() { NO_AUTHENTICATION } else { VNC_AUTHENTICATION };
    stream.write_all(&[1, offered]).await?;
    let chosen = stream.read_u8().await?;
    let welcome = chosen == offered && (password.is_empty() || challenged(stream, password).await?);
    stream.write_u32(u32::from(!welcome)).await?;
    if !welcome {
        let reason = b"Authentication failed";
        stream.write_u32(21).await?;
        stream.write_all(reason).await?;
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    stream.read_u8().await?;
    stream.write_u16(SCREEN.0).await?;
    stream.write_u16(SCREEN.1).await?;
    stream.write_all(&[32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0]).await?;
    stream.write_u32(4).await?;
    stream.write_all(b"fake").await
}

async fn challenged(stream: &mut DuplexStream, password: &str) -> io::Result<bool> {
    let challenge = random_bytes::<16>();
    stream.write_all(&challenge).await?;
    let mut response = [0; 16];
    stream.read_exact(&mut response).await?;
    Ok(response == security::answer(&challenge, password))
}

async fn show(mut stream: DuplexStream, received: &Received, mut draws: bool) -> io::Result<()> {
    let mut parser = Parser::new();
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = stream.read(&mut buffer).await {
        received.add(&buffer[..length]);
        let ended = parser.pieces(&buffer[..length]).filter(|piece| piece.ends);
        // To the end of the run, or the parser does not follow it.
        let asked = ended.filter(|piece| piece.kind == Some(Kind::UpdateRequest)).count() > 0;
        if asked && std::mem::take(&mut draws) {
            stream.write_all(&screen()).await?;
        }
    }
    Ok(())
}

/// An update of one rectangle: red grows to the right, green downwards.
fn screen() -> Vec<u8> {
    let (width, height) = SCREEN;
    let head = [[0, 0, 0, 1], [0; 4]].concat();
    let size = [width.to_be_bytes(), height.to_be_bytes()].concat();
    let [across, down] = [width, height].map(|side| 0..u8::try_from(side).unwrap_or(u8::MAX));
    let pixels = down.flat_map(|y| across.clone().flat_map(move |x| [0, 5 * y, 3 * x, 0]));
    [head, size, vec![0; 4], pixels.collect()].concat()
}

/// An HTTP/1.1 server that answers every request without a body with "hello".
pub(super) async fn http(mut stream: DuplexStream, received: &Received) {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = stream.read(&mut buffer).await {
        received.add(&buffer[..length]);
        request.extend_from_slice(&buffer[..length]);
        while let Some(end) = request.windows(4).position(|four| four == b"\r\n\r\n") {
            request.drain(..end + 4);
            let answer = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello";
            if stream.write_all(answer).await.is_err() {
                return;
            }
        }
    }
}
