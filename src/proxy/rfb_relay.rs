//! The viewer's WebSocket of an `rfb` session.
//!
//! The gateway ends the WebSocket itself (websockify's job) and speaks the opening of RFB on both
//! sides: upstream it proves the container with the session's password, so the browser never
//! learns that password and is asked for none. After ClientInit the server's bytes are framed and
//! never read; what becomes of the viewer's is [`super::hands`]'s. Every ending has a close code.

use std::time::Duration;

use bytes::BytesMut;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use http::header::{self, HeaderMap, HeaderValue};
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::hands::{self, Speech};
use super::headers::lists;
use super::pulse::Pulse;
use super::upgrade::{self, Handshake};
use super::upstream::Upstreams;
use super::visit::Visit;
use super::websocket::Ground;
use crate::body::Body;
use crate::broker::{ViewerGuard, readiness};
use crate::engine::Connection;
use crate::revocation::CloseReason;
use crate::rfb::security;
use crate::telemetry::names;

/// Bound of the opening on either side.
const OPENING: Duration = Duration::from_secs(10);

/// How long one message to the browser may take before the viewer counts as gone.
const SEND: Duration = Duration::from_secs(60);

/// How long after the container hung up the broker may take to say why.
const WHY: Duration = Duration::from_secs(1);

/// How long one side may finish after the other has ended: the container to read what the viewer
/// did last, the viewer to see what the container showed last.
const LINGER: Duration = Duration::from_secs(1);

/// How long the farewell may take.
const FAREWELL: Duration = Duration::from_millis(500);

/// The most server bytes in one message.
const CHUNK: usize = 32 << 10;

/// The largest message of a viewer: a pasted text comes in one.
const MAX_MESSAGE: usize = 1 << 20;

/// The browser's end.
pub(super) type Socket = WebSocketStream<TokioIo<Upgraded>>;
type ToBrowser = SplitSink<Socket, Message>;
type FromBrowser = SplitStream<Socket>;

/// How a relay ended.
#[derive(Debug)]
pub(super) enum End {
    /// The browser left; nobody is there to be told.
    BrowserLeft,
    /// A right ended, or a fault of ours.
    Closed(CloseReason),
    /// The container hung up or could not be reached.
    UpstreamLeft,
    /// The browser speaks something else.
    Garbled,
}

/// Accepts the viewer's WebSocket and relays it in the background.
pub(super) fn relay(
    ground: Ground<'_>,
    mut request: Request<Incoming>,
    handshake: Handshake,
    visit: Visit,
) -> Response<Body> {
    let mut answer = HeaderMap::new();
    if lists(request.headers(), header::SEC_WEBSOCKET_PROTOCOL, "binary") {
        answer.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static("binary"));
    }
    let downstream = upgrade::stream(&mut request);
    let (upstreams, drain) = (ground.upstreams.clone(), ground.drain.clone());
    let ping_every = ground.settings.ping_every;
    ground.tasks.spawn("rfb", run(downstream, upstreams, visit, drain, ping_every));
    handshake.accepted(answer)
}

async fn run(
    downstream: OnUpgrade,
    upstreams: Upstreams,
    visit: Visit,
    drain: CancellationToken,
    ping_every: Duration,
) {
    let Ok(upgraded) = downstream.await else { return };
    let viewer = visit.hold.entry.join(visit.attendee()).await;
    let config = WebSocketConfig::default()
        .read_buffer_size(8 << 10)
        .write_buffer_size(0)
        .max_write_buffer_size(4 * CHUNK)
        .max_message_size(Some(MAX_MESSAGE))
        .max_frame_size(Some(MAX_MESSAGE));
    let socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config)).await;
    let (mut to_browser, mut from_browser) = socket.split();
    let end = tokio::select! {
        // A right that ended while both arms are ready is what the browser must hear.
        biased;
        reason = visit.cut(&drain) => End::Closed(reason),
        end = serve((&mut to_browser, &mut from_browser), &upstreams, &visit, &viewer, ping_every) => end,
    };
    drop(viewer);
    debug!(session = %visit.hold.entry.id, ?end, "rfb.closed");
    farewell(end, &visit, to_browser, from_browser).await;
}

/// Opens both sides, then relays until either ends.
async fn serve(
    (to_browser, from_browser): (&mut ToBrowser, &mut FromBrowser),
    upstreams: &Upstreams,
    visit: &Visit,
    viewer: &ViewerGuard,
    ping_every: Duration,
) -> End {
    let upstream = match timeout(OPENING, open_upstream(upstreams, visit)).await {
        Ok(Ok(upstream)) => upstream,
        Ok(Err(end)) => return end,
        Err(_) => return End::UpstreamLeft,
    };
    let pulse = Pulse::new();
    let mut speech = Speech::new(from_browser, &pulse);
    match timeout(OPENING, open_browser(to_browser, &mut speech)).await {
        Ok(Ok(())) => {}
        Ok(Err(end)) => return end,
        Err(_) => return End::Garbled,
    }
    let (mut from_upstream, mut to_upstream) = split(upstream);
    // Shared whatever the viewer asked for: a second tab must not throw out the first.
    if to_upstream.write_all(&[1]).await.is_err() {
        return End::UpstreamLeft;
    }
    let end = {
        let screen = screen(&mut from_upstream, to_browser, &pulse, ping_every);
        let hands = hands::pass_on(speech, &mut to_upstream, &visit.hold.entry, viewer);
        tokio::pin!(screen);
        tokio::select! {
            end = &mut screen => return end,
            end = hands => match end {
                // It no longer listens, but may not have said everything.
                End::UpstreamLeft => return timeout(LINGER, screen).await.unwrap_or(end),
                End::BrowserLeft | End::Closed(_) | End::Garbled => end,
            },
        }
    };
    // Closed with its bytes unread, the connection would be reset, and what the viewer did last be
    // lost on the way.
    let _ = timeout(LINGER, finish(&mut from_upstream, &mut to_upstream)).await;
    end
}

/// Ends our half of a connection, and reads until the container ends its own.
async fn finish(from: &mut ReadHalf<Connection>, to: &mut WriteHalf<Connection>) -> std::io::Result<u64> {
    to.shutdown().await?;
    tokio::io::copy(from, &mut tokio::io::sink()).await
}

async fn open_upstream(upstreams: &Upstreams, visit: &Visit) -> Result<Connection, End> {
    let session = visit.hold.entry.session();
    let mut stream = upstreams.connect(&visit.hold.route.upstream).await.map_err(|error| {
        warn!(session = %session.id, %error, "a desktop could not be reached");
        End::UpstreamLeft
    })?;
    readiness::prove_rfb(&mut stream, session.secret.expose()).await.map_err(|error| {
        warn!(session = %session.id, %error, "a desktop did not prove itself");
        End::UpstreamLeft
    })?;
    Ok(stream)
}

/// Offers RFB 3.8 without a password: the WebSocket was authorised (RFC 6143 §7.1).
async fn open_browser(to_browser: &mut ToBrowser, speech: &mut Speech<'_>) -> Result<(), End> {
    say(to_browser, security::VERSION).await?;
    let version: [u8; 12] = speech.take().await?;
    if version != *security::VERSION {
        return Err(End::Garbled);
    }
    say(to_browser, &[1, security::NONE]).await?;
    let [chosen] = speech.take().await?;
    if chosen != security::NONE {
        return Err(End::Garbled);
    }
    // SecurityResult: OK.
    say(to_browser, &[0; 4]).await?;
    let [_shared] = speech.take().await?;
    Ok(())
}

async fn say(to_browser: &mut ToBrowser, bytes: &'static [u8]) -> Result<(), End> {
    to_browser.send(Message::Binary(bytes.into())).await.map_err(|_| End::BrowserLeft)
}

/// Frames what the container says, and pings.
async fn screen(
    from_upstream: &mut ReadHalf<Connection>,
    to_browser: &mut ToBrowser,
    pulse: &Pulse,
    ping_every: Duration,
) -> End {
    let mut pings = interval(ping_every);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    pings.reset();
    let mut buffer = BytesMut::new();
    let relayed = metrics::counter!(names::RELAYED_BYTES, "direction" => "to_browser");
    loop {
        // One allocation serves many small updates; a large one takes it whole.
        if buffer.capacity() < CHUNK / 8 {
            buffer.reserve(CHUNK);
        }
        let message = tokio::select! {
            read = from_upstream.read_buf(&mut buffer) => match read {
                Ok(0) | Err(_) => return End::UpstreamLeft,
                Ok(count) => {
                    relayed.increment(count as u64);
                    Message::Binary(buffer.split().freeze())
                }
            },
            _ = pings.tick() => match pulse.next() {
                Some(payload) => Message::Ping(payload),
                None => return End::BrowserLeft,
            }
        };
        // The browser's pace is the container's: nothing is read while a message is on its way.
        match timeout(SEND, to_browser.send(message)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => return End::BrowserLeft,
        }
    }
}

/// Says why, and waits a moment for the browser to have heard it.
async fn farewell(end: End, visit: &Visit, mut to_browser: ToBrowser, mut from_browser: FromBrowser) {
    let (code, text) = match end {
        End::BrowserLeft => return,
        End::Closed(reason) => (CloseCode::from(reason.code()), reason.name()),
        End::UpstreamLeft => {
            let reason = why_upstream_left(visit).await;
            (CloseCode::from(reason.code()), reason.name())
        }
        End::Garbled => (CloseCode::Protocol, "garbled"),
    };
    let told = async {
        let close = CloseFrame { code, reason: text.into() };
        if to_browser.send(Message::Close(Some(close))).await.is_ok() {
            while let Some(Ok(_)) = from_browser.next().await {}
        }
    };
    // One that does not listen is cut off all the same.
    let _ = timeout(FAREWELL, told).await;
}

/// A container that hung up is mostly one that was stopped: the broker says so in a moment.
async fn why_upstream_left(visit: &Visit) -> CloseReason {
    timeout(WHY, visit.ended()).await.unwrap_or(CloseReason::Later)
}
