//! The servers behind everything that is measured: an app that speaks HTTP and WebSocket, and a
//! desktop that speaks RFB. As little work as the protocols allow.

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use berth::rfb::security;
use berth::tasks::Tasks;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::load::{ECHO, FRAME};

/// Answered to every plain request.
const SMALL: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nCache-Control: no-store\r\nContent-Length: 10\r\n\r\n0123456789";

/// After ClientInit: a screen of 64 by 48 called "bench" (RFC 6143 §7.3.2).
const SERVER_INIT: &[u8; 29] =
    b"\x00\x40\x00\x30\x20\x18\x00\x01\x00\xff\x00\xff\x00\xff\x10\x08\x00\x00\x00\x00\x00\x00\x00\x05bench";

/// Where the servers are. Each has an address of its own: to the gateway, two containers are two
/// addresses.
#[derive(Clone, Copy, Debug)]
pub struct Upstreams {
    pub app: SocketAddr,
    pub desktop: SocketAddr,
}

impl Upstreams {
    /// Serves both until the process ends.
    pub async fn serve(tasks: &Tasks) -> Self {
        Self { app: listen(2, tasks, app).await, desktop: listen(3, tasks, desktop).await }
    }
}

async fn listen<F, Fut>(last: u8, tasks: &Tasks, serve: F) -> SocketAddr
where
    F: Fn(TcpStream) -> Fut + Send + 'static,
    Fut: Future<Output = io::Result<()>> + Send + 'static,
{
    let listener = TcpListener::bind((Ipv4Addr::new(127, 0, 0, last), 0)).await.expect("loopback is a /8");
    let address = listener.local_addr().expect("a bound socket has an address");
    let connections = tasks.clone();
    tasks.spawn("upstream", async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            let served = serve(stream);
            connections.spawn("upstream connection", async move {
                // Whoever hangs up has what it wanted.
                let _ = served.await;
            });
        }
    });
    address
}

async fn app(stream: TcpStream) -> io::Result<()> {
    let mut stream = BufReader::with_capacity(8 << 10, stream);
    let mut head = Vec::with_capacity(1 << 10);
    loop {
        head.clear();
        if !read_head(&mut stream, &mut head).await? {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&head);
        let Some(key) = field(&text, "sec-websocket-key") else {
            stream.write_all(SMALL).await?;
            continue;
        };
        let accept = derive_accept_key(key.as_bytes());
        let switch = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
        );
        stream.write_all(switch.as_bytes()).await?;
        let target = text.split(' ').nth(1).unwrap_or_default();
        return match target.rsplit_once("frames=") {
            Some((_, frames)) => send_frames(stream, frames.parse().unwrap_or(0)).await,
            None => echo(stream).await,
        };
    }
}

/// Up to and with the empty line; whether there was one.
async fn read_head(stream: &mut BufReader<TcpStream>, head: &mut Vec<u8>) -> io::Result<bool> {
    use tokio::io::AsyncBufReadExt;
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read_until(b'\n', head).await? == 0 {
            return Ok(false);
        }
    }
    Ok(true)
}

fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// Sends every masked message of [`ECHO`] bytes back.
async fn echo(mut stream: BufReader<TcpStream>) -> io::Result<()> {
    let mut message = [0; 6 + ECHO];
    loop {
        stream.read_exact(&mut message).await?;
        let [_, _, mask @ ..] = message.first_chunk::<6>().expect("it is longer").to_owned();
        for (byte, mask) in message[6..].iter_mut().zip(mask.iter().cycle()) {
            *byte ^= mask;
        }
        // The header of an unmasked message stands where the mask's last two bytes were.
        message[4..6].copy_from_slice(&[0x82, u8::try_from(ECHO).expect("a short message")]);
        stream.write_all(&message[4..]).await?;
    }
}

/// Sends messages of [`FRAME`] bytes, then nothing until the other side leaves.
async fn send_frames(mut stream: BufReader<TcpStream>, frames: usize) -> io::Result<()> {
    let length = u16::try_from(FRAME).expect("a frame fits 16 bits").to_be_bytes();
    let frame = [&[0x82, 126][..], &length, &vec![9; FRAME]].concat();
    for _ in 0..frames {
        stream.write_all(&frame).await?;
    }
    stream.read_to_end(&mut Vec::new()).await.map(drop)
}

/// A VNC server: an update request asks for as many frames of pixels as its width and height say.
async fn desktop(mut stream: TcpStream) -> io::Result<()> {
    stream.write_all(security::VERSION).await?;
    stream.read_exact(&mut [0; 12]).await?;
    stream.write_all(&[1, security::VNC_AUTH]).await?;
    stream.read_u8().await?;
    stream.write_all(&[7; 16]).await?;
    // Whatever the answer: the bench has no password to keep.
    stream.read_exact(&mut [0; 16]).await?;
    stream.write_all(&[0; 4]).await?;
    stream.read_u8().await?;
    stream.write_all(SERVER_INIT).await?;
    let pixels = vec![9; FRAME];
    let mut request = [0; 10];
    loop {
        stream.read_exact(&mut request).await?;
        let frames = u32::from_be_bytes([request[6], request[7], request[8], request[9]]);
        for _ in 0..frames {
            stream.write_all(&pixels).await?;
        }
    }
}
