//! WebSockets of `http` sessions, over HTTP/1.1 and HTTP/2, with well and ill containers.

use berth::revocation::CloseReason;
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::{Method, Request};
use http_body_util::Empty;
use hyper::ext::Protocol;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::{WebSocketStream, client_async};

use super::support::{HOST, ORIGIN, Script, Stand, UPGRADE, eventually, field, read_head, script};

/// A container that echoes WebSocket messages.
fn echo() -> Script {
    script(|head, mut stream| async move {
        stream.write_all(switched(&head).as_bytes()).await.unwrap();
        let mut socket = WebSocketStream::from_raw_socket(stream, Role::Server, None).await;
        while let Some(Ok(message)) = socket.next().await {
            if (message.is_binary() || message.is_text()) && socket.send(message).await.is_err() {
                return;
            }
        }
    })
}

fn switched(head: &str) -> String {
    let accept = derive_accept_key(field(head, "sec-websocket-key").unwrap().as_bytes());
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: chat\r\n\r\n"
    )
}

fn request(stand: &Stand, path: &str, origin: Option<&str>) -> Request<()> {
    let mut request = Request::get(format!("wss://{HOST}{path}"))
        .header("host", HOST)
        .header("connection", "keep-alive, Upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
        .header("sec-websocket-protocol", "chat")
        .header("cookie", &stand.cookie);
    if let Some(origin) = origin {
        request = request.header("origin", origin);
    }
    request.body(()).unwrap()
}

async fn open(stand: &Stand) -> WebSocketStream<DuplexStream> {
    client_async(request(stand, "/ws?x", Some(ORIGIN)), stand.connect()).await.unwrap().0
}

async fn close_code(
    socket: &mut (impl StreamExt<Item = Result<Message, tokio_tungstenite::tungstenite::Error>> + Unpin),
) -> Option<u16> {
    while let Some(message) = socket.next().await {
        if let Ok(Message::Close(frame)) = message {
            return frame.map(|frame| frame.code.into());
        }
    }
    None
}

#[tokio::test]
async fn messages_go_both_ways_and_count_as_a_viewer() {
    let stand = Stand::app(echo()).await;
    let (mut socket, answer) =
        client_async(request(&stand, "/ws?x", Some(ORIGIN)), stand.connect()).await.unwrap();
    assert_eq!(answer.headers()["sec-websocket-protocol"], "chat");
    let head = stand.last_head();
    assert!(head.starts_with("GET /ws?x HTTP/1.1\r\n"), "{head}");
    assert_eq!(field(&head, "cookie"), None);
    assert_eq!(field(&head, "sec-websocket-protocol"), Some("chat"));
    assert_ne!(field(&head, "sec-websocket-key"), Some("dGhlIHNhbXBsZSBub25jZQ=="));
    for size in [1, 5_000, 300_000] {
        let message = Message::Binary(vec![7; size].into());
        socket.send(message.clone()).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), message);
    }
    assert_eq!(stand.entry.viewers(), 1);
    socket.close(None).await.unwrap();
    while socket.next().await.is_some() {}
    drop(socket);
    eventually(|| stand.entry.viewers() == 0).await;
}

#[tokio::test]
async fn http2_opens_websockets_too() {
    let stand = Stand::app(echo()).await;
    let mut browser = stand.connect_h2().await;
    // One answered request, so that the settings have arrived.
    let first = Request::get(format!("https://{HOST}/")).body(Empty::new()).unwrap();
    assert_eq!(browser.send_request(first).await.unwrap().status(), 401);
    let connect = Request::builder()
        .method(Method::CONNECT)
        .uri(format!("https://{HOST}/ws"))
        .extension(Protocol::from_static("websocket"))
        .header("sec-websocket-version", "13")
        .header("sec-websocket-protocol", "chat")
        .header("origin", ORIGIN)
        .header("cookie", &stand.cookie)
        .body(Empty::<Bytes>::new())
        .unwrap();
    let mut answer = browser.send_request(connect).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["sec-websocket-protocol"], "chat");
    assert!(!answer.headers().contains_key("sec-websocket-accept"));
    let upgraded = hyper::upgrade::on(&mut answer).await.unwrap();
    let mut socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Client, None).await;
    socket.send(Message::text("hello")).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("hello"));
    stand.auth.revoke_user(stand.principal.user, CloseReason::LoginEnded).await.unwrap();
    assert_eq!(close_code(&mut socket).await, Some(4401));
}

#[tokio::test]
async fn foreign_and_missing_origins_are_refused() {
    let stand = Stand::app(echo()).await;
    for origin in [
        None,
        Some("null"),
        Some("https://lab.example"),
        Some("http://lab.example:8443"),
        Some("https://evil.example"),
        Some("https://lab.example:8443.evil.example"),
        Some("https://other.lab.example:8443"),
    ] {
        let refused = client_async(request(&stand, "/ws", origin), stand.connect()).await.unwrap_err();
        let tokio_tungstenite::tungstenite::Error::Http(answer) = refused else { panic!("{refused}") };
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["x-outcome"]),
            (403, &"origin_foreign".parse().unwrap())
        );
    }
    assert!(stand.engine.heads.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_sandboxed_page_opens_one_with_its_capability() {
    let stand = Stand::path_app(echo(), false).await;
    let entered = stand.get("/", "sec-fetch-mode: navigate\r\nsec-fetch-dest: document\r\n").await;
    let prefix = field(&entered, "location").unwrap().to_owned();
    let mut opening = request(&stand, &format!("{prefix}ws"), Some("null"));
    opening.headers_mut().remove("cookie");
    let (mut socket, _) = client_async(opening, stand.connect()).await.unwrap();
    socket.send(Message::text("hello")).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("hello"));
    assert!(stand.last_head().starts_with("GET /ws HTTP/1.1\r\n"));
}

#[tokio::test]
async fn rights_that_end_close_the_socket_with_their_code() {
    let stand = Stand::app(echo()).await;
    let mut socket = open(&stand).await;
    stand.drain.cancel();
    assert_eq!(close_code(&mut socket).await, Some(1001));

    let stand = Stand::app(echo()).await;
    let mut socket = open(&stand).await;
    stand.broker.pause(&stand.entry).await.unwrap();
    assert_eq!(close_code(&mut socket).await, Some(4408));
}

#[tokio::test]
async fn a_container_that_does_not_switch_properly_gets_no_socket() {
    type Answer = fn(&str) -> String;
    let table: [(&str, Answer, u16); 5] = [
        ("answers 200", |_| "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi".to_owned(), 200),
        ("answers 403", |_| "HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno".to_owned(), 403),
        (
            "wrong accept",
            |_| {
                "HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n".to_owned()
            },
            502,
        ),
        ("no upgrade field", |head| switched(head).replace("Upgrade: WebSocket\r\n", ""), 502),
        ("other protocol", |head| switched(head).replace("WebSocket\r\n", "h2c\r\n"), 502),
    ];
    for (illness, answer, status) in table {
        let stand = Stand::app(script(move |head, mut stream| async move {
            stream.write_all(answer(&head).as_bytes()).await.unwrap();
            // What the browser sent early must not have arrived.
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest).await;
            assert!(rest.is_empty());
        }))
        .await;
        let raw = format!(
            "GET / HTTP/1.1\r\nhost: {HOST}\r\norigin: {ORIGIN}\r\ncookie: {}\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\nGET /smuggled HTTP/1.1\r\nhost: {HOST}\r\ncookie: {}\r\n\r\n",
            stand.cookie, stand.cookie
        );
        // CVE-2026-2833: the gateway closes, so what follows is no second request.
        let answer = stand.exchange(&raw).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{illness}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{illness}: {answer}");
        stand.engine.settled().await;
        let heads = stand.engine.heads.lock().unwrap().clone();
        assert!(heads.iter().all(|head| !head.contains("smuggled")), "{illness}");
    }
}

#[tokio::test]
async fn bytes_a_container_sends_right_after_its_101_arrive() {
    let stand = Stand::app(script(|head, mut stream| async move {
        let both = [switched(&head).as_bytes(), b"\x81\x02hi"].concat();
        stream.write_all(&both).await.unwrap();
        let _ = stream.read_to_end(&mut Vec::new()).await;
    }))
    .await;
    let mut socket = open(&stand).await;
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("hi"));
}

#[tokio::test]
async fn no_close_frame_is_put_into_the_middle_of_a_message() {
    let stand = Stand::app(script(|head, mut stream| async move {
        // A frame of 100 bytes, of which 10 come.
        let both = [switched(&head).as_bytes(), b"\x82\x640123456789"].concat();
        stream.write_all(&both).await.unwrap();
        let _ = stream.read_to_end(&mut Vec::new()).await;
    }))
    .await;
    let mut browser = stand.connect();
    let raw = format!(
        "GET / HTTP/1.1\r\nhost: {HOST}\r\norigin: {ORIGIN}\r\ncookie: {}\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        stand.cookie
    );
    browser.write_all(raw.as_bytes()).await.unwrap();
    read_head(&mut browser).await.unwrap();
    let mut part = [0; 12];
    browser.read_exact(&mut part).await.unwrap();
    stand.drain.cancel();
    let mut rest = Vec::new();
    browser.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, b"");
}

#[tokio::test]
async fn malformed_upgrades_are_refused() {
    let stand = Stand::app(echo()).await;
    let good = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let table = [
        ("GET", good.replace("13", "8")),
        ("GET", good.replace("sec-websocket-version: 13\r\n", "")),
        ("GET", good.replace("dGhlIHNhbXBsZSBub25jZQ==", "short")),
        ("GET", good.replace("connection: upgrade", "connection: keep-alive")),
        ("GET", format!("{good}sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n")),
        ("GET", format!("{good}content-length: 3\r\n")),
        ("GET", format!("{good}transfer-encoding: chunked\r\n")),
        ("POST", good.to_owned()),
    ];
    for (method, lines) in table {
        let raw = format!(
            "{method} / HTTP/1.1\r\nhost: {HOST}\r\norigin: {ORIGIN}\r\ncookie: {}\r\n{lines}\r\n",
            stand.cookie
        );
        let answer = stand.exchange(&raw).await;
        assert_eq!(field(&answer, "x-outcome"), Some("upgrade_invalid"), "{lines}");
    }
    assert!(stand.engine.heads.lock().unwrap().is_empty());
}

/// The head that opens a WebSocket by hand.
fn raw_opening(stand: &Stand) -> String {
    format!("GET / HTTP/1.1\r\nhost: {HOST}\r\norigin: {ORIGIN}\r\ncookie: {}\r\n{UPGRADE}\r\n", stand.cookie)
}

#[tokio::test]
async fn a_browser_that_ends_its_half_still_hears_the_rest() {
    let stand = Stand::app(script(|head, mut stream| async move {
        stream.write_all(switched(&head).as_bytes()).await.unwrap();
        let mut said = Vec::new();
        stream.read_to_end(&mut said).await.unwrap();
        assert_eq!(said, b"the last words");
        stream.write_all(&[7; 200_000]).await.unwrap();
    }))
    .await;
    let mut browser = stand.connect();
    browser.write_all(raw_opening(&stand).as_bytes()).await.unwrap();
    read_head(&mut browser).await.unwrap();
    browser.write_all(b"the last words").await.unwrap();
    browser.shutdown().await.unwrap();
    let mut heard = Vec::new();
    browser.read_to_end(&mut heard).await.unwrap();
    assert_eq!(heard.len(), 200_000);
    stand.engine.settled().await;
}

#[tokio::test]
async fn a_container_that_ends_its_half_still_hears_the_rest() {
    let stand = Stand::app(script(|head, mut stream| async move {
        stream.write_all(&[switched(&head).as_bytes(), b"the last words"].concat()).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut said = Vec::new();
        stream.read_to_end(&mut said).await.unwrap();
        assert_eq!(said.len(), 200_000);
    }))
    .await;
    let mut browser = stand.connect();
    browser.write_all(raw_opening(&stand).as_bytes()).await.unwrap();
    read_head(&mut browser).await.unwrap();
    let mut heard = Vec::new();
    browser.read_to_end(&mut heard).await.unwrap();
    assert_eq!(heard, b"the last words");
    browser.write_all(&[7; 200_000]).await.unwrap();
    browser.shutdown().await.unwrap();
    stand.engine.settled().await;
    eventually(|| stand.entry.viewers() == 0).await;
}
