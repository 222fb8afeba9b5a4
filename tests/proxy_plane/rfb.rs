//! The viewer's WebSocket against a tiny RFB server that asks for the session's password.

use std::sync::Mutex;
use std::time::Duration;

use berth::revocation::CloseReason;
use berth::rfb::security;
use berth::session::{InputSource, Next, StopReason};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::{Method, Request};
use http_body_util::Empty;
use hyper::ext::Protocol;
use hyper_util::rt::TokioIo;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::{WebSocketStream, client_async};

use super::support::{HOST, ORIGIN, Script, Stand, eventually, script};

pub(super) const KEY: [u8; 8] = [4, 1, 0, 0, 0, 0, 0, 0x61];
pub(super) const REPAINT: [u8; 10] = [3, 1, 0, 0, 0, 0, 4, 0, 3, 0];

/// A desktop: proves itself, sends `INIT` and a large screen, and keeps what the viewer sends.
pub(super) fn desktop(heard: Arc<Mutex<Vec<u8>>>) -> Script {
    script(move |secret, mut stream| {
        let heard = heard.clone();
        async move {
            let Some(shared) = greet(&mut stream, &secret).await else { return };
            assert_eq!(shared, 1, "a second viewer must not throw out the first");
            let screen = [&b"INIT"[..], &[9; 200_000]].concat();
            // The viewer may leave before it has seen it all.
            let _ = stream.write_all(&screen).await;
            let mut buffer = [0; 100];
            while let Ok(read @ 1..) = stream.read(&mut buffer).await {
                heard.lock().unwrap().extend(&buffer[..read]);
            }
        }
    })
}

/// The server's side of the opening, with the ClientInit it got.
pub(super) async fn greet(stream: &mut DuplexStream, secret: &str) -> Option<u8> {
    stream.write_all(b"RFB 003.008\n").await.ok()?;
    let mut version = [0; 12];
    stream.read_exact(&mut version).await.ok()?;
    stream.write_all(&[1, security::VNC_AUTH]).await.ok()?;
    assert_eq!(stream.read_u8().await.ok()?, security::VNC_AUTH);
    stream.write_all(&[5; 16]).await.ok()?;
    let mut answer = [0; 16];
    stream.read_exact(&mut answer).await.ok()?;
    if answer != security::answer(&[5; 16], secret) {
        let _ = stream.write_all(&[&[0, 0, 0, 1, 0, 0, 0, 2][..], b"no"].concat()).await;
        return None;
    }
    stream.write_all(&[0; 4]).await.ok()?;
    stream.read_u8().await.ok()
}

fn opening(stand: &Stand, origin: &str) -> Request<()> {
    opening_as(stand, origin, &stand.cookie)
}

fn opening_as(stand: &Stand, origin: &str, cookie: &str) -> Request<()> {
    Request::get(format!("wss://{HOST}{}/rfb", stand.root()))
        .header("host", HOST)
        .header("connection", "Upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
        .header("sec-websocket-protocol", "binary")
        .header("origin", origin)
        .header("cookie", cookie)
        .body(())
        .unwrap()
}

/// A noVNC: the stream of bytes in the messages, cut as the server likes.
pub(super) struct Viewer<S> {
    pub(super) socket: WebSocketStream<S>,
    bytes: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Viewer<S> {
    pub(super) async fn say(&mut self, bytes: &[u8]) {
        self.socket.send(Message::Binary(Bytes::copy_from_slice(bytes))).await.unwrap();
    }

    pub(super) async fn hear(&mut self, count: usize) -> Vec<u8> {
        while self.bytes.len() < count {
            if let Message::Binary(bytes) = self.socket.next().await.unwrap().unwrap() {
                assert!(bytes.len() <= 32 << 10);
                self.bytes.extend_from_slice(&bytes);
            }
        }
        self.bytes.drain(..count).collect()
    }

    pub(super) async fn open(&mut self) {
        assert_eq!(self.hear(12).await, security::VERSION);
        // In pieces: messages do not align with RFB's.
        self.say(b"RFB 003").await;
        self.say(b".008\n").await;
        assert_eq!(self.hear(2).await, [1, security::NONE]);
        self.say(&[security::NONE]).await;
        assert_eq!(self.hear(4).await, [0; 4]);
        // ClientInit asks for the desktop alone; and the first repaint is in the same message.
        self.say(&[&[0][..], &REPAINT].concat()).await;
        assert_eq!(self.hear(4).await, b"INIT");
    }

    pub(super) async fn close_code(&mut self) -> Option<u16> {
        while let Some(message) = self.socket.next().await {
            if let Ok(Message::Close(frame)) = message {
                return frame.map(|frame| frame.code.into());
            }
        }
        None
    }
}

pub(super) async fn connect(stand: &Stand) -> Viewer<DuplexStream> {
    connect_as(stand, &stand.cookie).await
}

pub(super) async fn connect_as(stand: &Stand, cookie: &str) -> Viewer<DuplexStream> {
    let (socket, answer) = client_async(opening_as(stand, ORIGIN, cookie), stand.connect()).await.unwrap();
    assert_eq!(answer.headers()["sec-websocket-protocol"], "binary");
    Viewer { socket, bytes: Vec::new() }
}

#[tokio::test]
async fn a_viewer_sees_the_screen_and_its_keys_arrive() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let stand = Stand::desktop(desktop(heard.clone())).await;
    let mut viewer = connect(&stand).await;
    viewer.open().await;
    assert_eq!(stand.entry.viewers(), 1);
    assert_eq!(viewer.hear(200_000).await, vec![9; 200_000]);
    eventually(|| *heard.lock().unwrap() == REPAINT).await;
    assert_eq!(stand.entry.last_input().1, InputSource::Open, "a repaint is no human");
    viewer.say(&KEY[..3]).await;
    viewer.say(&KEY[3..]).await;
    eventually(|| stand.entry.last_input().1 == InputSource::Key).await;
    eventually(|| *heard.lock().unwrap() == [&REPAINT[..], &KEY].concat()).await;
    drop(viewer);
    eventually(|| stand.entry.viewers() == 0).await;
}

#[tokio::test]
async fn http2_carries_the_viewer_too() {
    let stand = Stand::desktop(desktop(Arc::default())).await;
    let mut browser = stand.connect_h2().await;
    let first = Request::get(format!("https://{HOST}/s/x/")).body(Empty::new()).unwrap();
    assert_eq!(browser.send_request(first).await.unwrap().status(), 404);
    let connect = Request::builder()
        .method(Method::CONNECT)
        .uri(format!("https://{HOST}{}/rfb", stand.root()))
        .extension(Protocol::from_static("websocket"))
        .header("sec-websocket-version", "13")
        .header("origin", ORIGIN)
        .header("cookie", &stand.cookie)
        .body(Empty::<Bytes>::new())
        .unwrap();
    let mut answer = browser.send_request(connect).await.unwrap();
    assert_eq!(answer.status(), 200);
    let upgraded = hyper::upgrade::on(&mut answer).await.unwrap();
    let socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Client, None).await;
    let mut viewer = Viewer { socket, bytes: Vec::new() };
    viewer.open().await;
    assert_eq!(viewer.hear(200_000).await.len(), 200_000);
    stand.drain.cancel();
    assert_eq!(viewer.close_code().await, Some(1001));
}

#[tokio::test]
async fn every_ending_has_its_code() {
    let stand = Stand::desktop(desktop(Arc::default())).await;
    let mut viewer = connect(&stand).await;
    viewer.open().await;
    stand.auth.revoke_user(stand.principal.user, CloseReason::Withdrawn).await.unwrap();
    assert_eq!(viewer.close_code().await, Some(4403));

    let stand = Stand::desktop(desktop(Arc::default())).await;
    let mut viewer = connect(&stand).await;
    viewer.open().await;
    stand.broker.stop(&stand.entry, StopReason::Owner, Next::Rest).await.unwrap();
    assert_eq!(viewer.close_code().await, Some(4404));
}

#[tokio::test]
async fn a_desktop_that_hangs_up_says_try_later() {
    let stand = Stand::desktop(script(|secret, mut stream| async move {
        if greet(&mut stream, &secret).await.is_some() {
            let _ = stream.write_all(b"INIT").await;
        }
    }))
    .await;
    let mut viewer = connect(&stand).await;
    viewer.open().await;
    assert_eq!(viewer.close_code().await, Some(1013));
}

#[tokio::test]
async fn a_container_without_the_password_shows_nothing() {
    // Addresses are reused at once: another user's desktop may answer at this one's.
    let stand = Stand::desktop(desktop(Arc::default())).await;
    *stand.engine.secret.lock().unwrap() = "another".to_owned();
    let mut viewer = connect(&stand).await;
    assert_eq!(viewer.close_code().await, Some(1013));
    assert!(viewer.bytes.is_empty());
}

#[tokio::test]
async fn a_viewer_that_speaks_something_else_is_closed() {
    let stand = Stand::desktop(desktop(Arc::default())).await;
    let mut viewer = connect(&stand).await;
    viewer.say(b"GET / HTTP/1.1\r\n").await;
    assert_eq!(viewer.close_code().await, Some(1002));
}

#[tokio::test]
async fn a_viewer_without_a_sign_of_life_is_given_up() {
    let stand = Stand::desktop(desktop(Arc::default())).await;
    let mut viewer = connect(&stand).await;
    viewer.open().await;
    assert_eq!(viewer.hear(200_000).await.len(), 200_000);
    // It no longer reads, so it answers no ping.
    tokio::time::timeout(Duration::from_secs(20), eventually(|| stand.entry.viewers() == 0)).await.unwrap();
}

#[tokio::test]
async fn only_the_portals_own_pages_open_a_viewer() {
    let stand = Stand::desktop(desktop(Arc::default())).await;
    for origin in ["null", "https://evil.example", "https://x.lab.example:8443"] {
        assert!(client_async(opening(&stand, origin), stand.connect()).await.is_err());
    }
    assert_eq!(stand.entry.viewers(), 0);
}

#[tokio::test]
async fn what_a_viewer_did_last_arrives_while_the_desktop_still_paints() {
    // The gateway hung up with the desktop's picture unread, which resets a TCP connection: the last
    // keys were lost on the way.
    let (heard, finished) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(false)));
    let stand = {
        let (heard, finished) = (heard.clone(), finished.clone());
        Stand::desktop(script(move |secret, mut stream| {
            let (heard, finished) = (heard.clone(), finished.clone());
            async move {
                let Some(_shared) = greet(&mut stream, &secret).await else { return };
                stream.write_all(b"INIT").await.unwrap();
                let mut input = Vec::new();
                stream.read_to_end(&mut input).await.unwrap();
                // The gateway has ended its half, and still takes what is painted.
                stream.write_all(&[9; 300_000]).await.unwrap();
                heard.lock().unwrap().extend(input);
                *finished.lock().unwrap() = true;
            }
        }))
        .await
    };
    let mut viewer = connect(&stand).await;
    viewer.open().await;
    viewer.say(&KEY.repeat(1000)).await;
    viewer.socket.close(None).await.unwrap();
    eventually(|| *finished.lock().unwrap()).await;
    assert!(heard.lock().unwrap().ends_with(&KEY.repeat(1000)));
    stand.engine.settled().await;
}

#[tokio::test]
async fn what_a_desktop_showed_last_arrives_before_the_close() {
    let stand = Stand::desktop(script(|secret, mut stream| async move {
        if greet(&mut stream, &secret).await.is_some() {
            let _ = stream.write_all(&[&b"INIT"[..], &[9; 200_000]].concat()).await;
            let _ = stream.shutdown().await;
            // It goes on listening.
            let _ = stream.read_to_end(&mut Vec::new()).await;
        }
    }))
    .await;
    let mut viewer = connect(&stand).await;
    viewer.open().await;
    assert_eq!(viewer.hear(200_000).await.len(), 200_000);
    assert_eq!(viewer.close_code().await, Some(1013));
    stand.engine.settled().await;
}

#[tokio::test]
async fn each_ping_is_known_by_its_payload_and_its_pong_is_timed() {
    let page = super::support::metrics();
    let stand = Stand::desktop(desktop(Arc::default())).await;
    let mut viewer = connect(&stand).await;
    viewer.open().await;
    let mut payloads = Vec::new();
    while payloads.len() < 3 {
        // The socket answers each by itself.
        if let Message::Ping(payload) = viewer.socket.next().await.unwrap().unwrap() {
            assert!(!payload.is_empty() && !payloads.contains(&payload));
            payloads.push(payload);
        }
    }
    let timed = || {
        let page = page.render();
        let count = page.lines().find_map(|line| line.strip_prefix("berth_ping_rtt_seconds_count "));
        count.is_some_and(|count| count.trim() != "0")
    };
    // Writing flushes the last answer too.
    viewer.say(&REPAINT).await;
    eventually(timed).await;
}
