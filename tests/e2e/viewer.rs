//! A viewer without a browser: the RFB WebSocket as the viewer page uses it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use futures_util::{SinkExt, StreamExt};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::gateway::Student;
use crate::wire;

/// An open viewer. It asks for screen updates all the time, as an open tab does.
#[derive(Debug)]
pub struct Viewer {
    width: u16,
    send: mpsc::UnboundedSender<Vec<u8>>,
    relay: JoinHandle<Option<u16>>,
    updates: Arc<AtomicU16>,
}

impl Viewer {
    /// Opens the WebSocket and goes through the RFB opening.
    pub async fn open(student: &Student<'_>, label: &str) -> Self {
        let gateway = student.gateway;
        let mut request = format!("wss://localhost:{}/s/{label}/rfb", gateway.port)
            .into_client_request()
            .expect("a request");
        let headers = request.headers_mut();
        headers.insert("origin", format!("https://localhost:{}", gateway.port).parse().expect("a header"));
        headers.insert("sec-websocket-protocol", "binary".parse().expect("a header"));
        headers.insert("cookie", student.cookie().parse().expect("a header"));
        let stream = wire::connect(gateway).await;
        let (mut socket, _) =
            tokio_tungstenite::client_async(request, stream).await.expect("the WebSocket opens");

        let mut input = Vec::new();
        macro_rules! take {
            ($count:expr) => {{
                while input.len() < $count {
                    match socket.next().await.expect("an open socket").expect("a message") {
                        Message::Binary(bytes) => input.extend_from_slice(&bytes),
                        Message::Ping(_) | Message::Pong(_) => {}
                        other => panic!("unexpected {other:?}"),
                    }
                }
                input.drain(..$count).collect::<Vec<u8>>()
            }};
        }
        assert_eq!(take!(12), b"RFB 003.008\n");
        socket.send(Message::binary(b"RFB 003.008\n".to_vec())).await.expect("sending");
        let count = usize::from(take!(1)[0]);
        assert_eq!(take!(count), [1], "the gateway offers no password: the browser never learns one");
        socket.send(Message::binary(vec![1])).await.expect("sending");
        assert_eq!(take!(4), [0; 4]);
        socket.send(Message::binary(vec![1])).await.expect("sending");
        let init = take!(24);
        let width = u16::from_be_bytes([init[0], init[1]]);
        let name = u32::from_be_bytes([init[20], init[21], init[22], init[23]]) as usize;
        let _ = take!(name);

        let (send, mut outgoing) = mpsc::unbounded_channel::<Vec<u8>>();
        let updates = Arc::new(AtomicU16::new(0));
        let seen = updates.clone();
        let relay = tokio::spawn(async move {
            let mut ask = tokio::time::interval(std::time::Duration::from_millis(100));
            loop {
                tokio::select! {
                    _ = ask.tick() => {
                        // FramebufferUpdateRequest: no input, only an open tab.
                        let _ = socket.send(Message::binary(vec![3, 1, 0, 0, 0, 0, 0, 64, 0, 64])).await;
                    }
                    Some(bytes) = outgoing.recv() => { let _ = socket.send(Message::binary(bytes)).await; }
                    message = socket.next() => match message {
                        Some(Ok(Message::Close(frame))) => return frame.map(|frame| frame.code.into()),
                        Some(Ok(_)) => { seen.fetch_add(1, Ordering::Relaxed); }
                        Some(Err(_)) | None => return None,
                    }
                }
            }
        });
        Self { width, send, relay, updates }
    }

    pub fn width(&self) -> u16 {
        self.width
    }

    /// How many messages the desktop has sent.
    pub fn updates(&self) -> u16 {
        self.updates.load(Ordering::Relaxed)
    }

    /// Presses and releases Shift once a second: a human at work.
    pub fn type_a_key_every_second(&self) -> JoinHandle<()> {
        self.type_a_key_every(std::time::Duration::from_secs(1))
    }

    /// The same at another pace.
    pub fn type_a_key_every(&self, pace: std::time::Duration) -> JoinHandle<()> {
        let send = self.send.clone();
        tokio::spawn(async move {
            let mut ticks = tokio::time::interval(pace);
            loop {
                ticks.tick().await;
                for down in [1, 0] {
                    let _ = send.send(vec![4, down, 0, 0, 0, 0, 0xff, 0xe1]);
                }
            }
        })
    }

    /// Waits for the end of the socket and returns the close code.
    pub async fn closed(self) -> Option<u16> {
        tokio::time::timeout(crate::gateway::patience(), self.relay)
            .await
            .expect("the socket is closed")
            .ok()
            .flatten()
    }
}
