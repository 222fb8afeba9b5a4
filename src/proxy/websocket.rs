//! Relaying a WebSocket of an `http` session: handshake of our own upstream, then bytes both ways.
//!
//! The browser is answered only after the container answered 101 with everything right, so no
//! byte of either side is interpreted or sent on before that (RFC 6455 §4.1). From then on
//! bytes are copied, not re-framed: extensions and fragments pass as they are. Frame headers are
//! followed only to tell messages from pongs and to know when a close frame of ours may be sent;
//! inside a frame the connection just ends, which a browser shows as 1006.

use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncWriteExt, split};
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::copy::{Watch, copy};
use super::frames::{self, Frames};
use super::upgrade::{self, Handshake};
use super::visit::Visit;
use super::{ProxyError, Settings, headers, http as plain, upstream::Upstreams};
use crate::body::Body;
use crate::broker::Entry;
use crate::revocation::CloseReason;
use crate::session::InputSource;
use crate::tasks::Tasks;
use crate::telemetry::names;

/// How long one direction may go on after the other has ended.
const LINGER: Duration = Duration::from_secs(10);

/// How long a farewell may take.
const FAREWELL: Duration = Duration::from_millis(500);

/// What a relay runs on.
#[derive(Clone, Copy)]
pub(super) struct Ground<'a> {
    pub(super) upstreams: &'a Upstreams,
    pub(super) settings: &'a Settings,
    pub(super) tasks: &'a Tasks,
    pub(super) drain: &'a CancellationToken,
}

/// Opens a WebSocket to the container and relays it in the background.
///
/// # Errors
/// Whatever kept the container from answering. A refusal of its own is a response.
pub(super) async fn relay(
    ground: Ground<'_>,
    mut request: Request<Incoming>,
    handshake: Handshake,
    visit: Visit,
) -> Result<Response<Body>, ProxyError> {
    let downstream = upgrade::stream(&mut request);
    let (key, request) = upstream_request(request, &visit);
    let sent = ground.upstreams.send_alone(request, &visit.hold);
    let mut response =
        timeout(ground.settings.head_timeout, sent).await.map_err(|_| ProxyError::UpstreamTimeout)??;
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return refused(response, &handshake, visit);
    }
    check_switched(response.headers(), &key)?;
    let upstream = hyper::upgrade::on(&mut response);
    let mut answer = std::mem::take(response.headers_mut());
    headers::to_browser(&mut answer, &visit.place);
    let drain = ground.drain.clone();
    ground.tasks.spawn("websocket", run(downstream, upstream, visit, drain));
    Ok(handshake.accepted(answer))
}

/// The handshake towards the container, with a key of our own.
fn upstream_request(request: Request<Incoming>, visit: &Visit) -> (String, Request<Empty<Bytes>>) {
    let (mut parts, _) = request.into_parts();
    plain::onward(&mut parts, visit);
    parts.method = Method::GET;
    headers::to_upstream(&mut parts.headers, &visit.place);
    let key = generate_key();
    let fields = &mut parts.headers;
    fields.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    fields.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    fields.insert(header::SEC_WEBSOCKET_KEY, HeaderValue::from_str(&key).expect("base64 is visible ASCII"));
    // Ours was checked; the app compares it with the host it is told.
    if let Ok(origin) = HeaderValue::from_str(&visit.place.origin()) {
        fields.insert(header::ORIGIN, origin);
    }
    (key, Request::from_parts(parts, Empty::new()))
}

/// The container answered like plain HTTP.
fn refused(
    response: Response<Incoming>,
    handshake: &Handshake,
    visit: Visit,
) -> Result<Response<Body>, ProxyError> {
    // Over HTTP/2 any 2xx would open the WebSocket (CVE-2024-23326 was this in another proxy).
    if response.status().is_success() && handshake.is_connect() {
        return Err(ProxyError::UpstreamProtocol("it answered an upgrade like a page".to_owned()));
    }
    Ok(handshake.refused(plain::answer(response, visit)))
}

/// RFC 6455 §4.1: a 101 counts only with matching Upgrade, Connection and Sec-WebSocket-Accept.
fn check_switched(answer: &HeaderMap, key: &str) -> Result<(), ProxyError> {
    let accept = derive_accept_key(key.as_bytes());
    let accepted = answer.get_all(header::SEC_WEBSOCKET_ACCEPT).iter().eq([accept.as_str()]);
    let switched = headers::lists(answer, header::UPGRADE, "websocket")
        && headers::lists(answer, header::CONNECTION, "upgrade");
    if accepted && switched {
        return Ok(());
    }
    Err(ProxyError::UpstreamProtocol("its switch of protocols does not match".to_owned()))
}

async fn run(downstream: OnUpgrade, upstream: OnUpgrade, visit: Visit, drain: CancellationToken) {
    let _viewer = visit.hold.entry.join(visit.attendee()).await;
    let cut = visit.cut(&drain);
    match tokio::try_join!(downstream, upstream) {
        Ok((downstream, upstream)) => copy_both(downstream, upstream, &visit, cut).await,
        // The browser left between its request and our answer, or the container after its own.
        Err(error) => debug!(session = %visit.hold.entry.id, %error, "websocket.not_opened"),
    }
}

async fn copy_both(
    downstream: Upgraded,
    upstream: Upgraded,
    visit: &Visit,
    cut: impl Future<Output = CloseReason>,
) {
    let (mut from_browser, mut to_browser) = split(TokioIo::new(downstream));
    let (mut from_upstream, mut to_upstream) = split(TokioIo::new(upstream));
    let mut down = Told::new();
    let ended = {
        let relayed = metrics::counter!(names::RELAYED_BYTES, "direction" => "to_container");
        let mut up = Spoken { frames: Frames::default(), entry: &visit.hold.entry, relayed };
        let sides = both(
            copy(&mut from_browser, &mut to_upstream, &mut up),
            copy(&mut from_upstream, &mut to_browser, &mut down),
        );
        tokio::select! {
            () = sides => None,
            reason = cut => Some(reason),
        }
    };
    let farewell = async {
        if let Some(reason) = ended.filter(|_| down.may_speak()) {
            let _ = to_browser.write_all(&frames::close(reason)).await;
        }
        let _ = to_browser.shutdown().await;
    };
    let _ = timeout(FAREWELL, farewell).await;
}

/// Runs both directions until both have ended, one has failed, or one has outlived the other
/// for too long.
async fn both(
    up: impl Future<Output = std::io::Result<()>>,
    down: impl Future<Output = std::io::Result<()>>,
) {
    tokio::pin!(up, down);
    let (ended_well, up_first) = tokio::select! {
        ended = &mut up => (ended.is_ok(), true),
        ended = &mut down => (ended.is_ok(), false),
    };
    if !ended_well {
        return;
    }
    let rest = async {
        let _ = if up_first { down.await } else { up.await };
    };
    tokio::select! {
        () = rest => {}
        () = sleep(LINGER) => {}
    }
}

/// Watches what the browser says: messages are input, pings and pongs are not. What a message
/// means is the app's business, so a page that sends by itself (a VNC viewer that brings its own
/// protocol) counts as somebody at work: the away limit is exact only for `rfb`.
struct Spoken<'a> {
    frames: Frames,
    entry: &'a Entry,
    relayed: metrics::Counter,
}

impl Watch for Spoken<'_> {
    fn before(&mut self, bytes: &[u8]) {
        self.relayed.increment(bytes.len() as u64);
        if self.frames.push(bytes) {
            self.entry.note_input(InputSource::Request);
        }
    }

    fn after(&mut self) {}
}

/// Watches what the container says, to know when we may speak in its place.
struct Told {
    frames: Frames,
    writing: bool,
    relayed: metrics::Counter,
}

impl Told {
    fn new() -> Self {
        let relayed = metrics::counter!(names::RELAYED_BYTES, "direction" => "to_browser");
        Self { frames: Frames::default(), writing: false, relayed }
    }

    fn may_speak(&self) -> bool {
        !self.writing && self.frames.at_boundary()
    }
}

impl Watch for Told {
    fn before(&mut self, bytes: &[u8]) {
        self.relayed.increment(bytes.len() as u64);
        self.frames.push(bytes);
        self.writing = true;
    }

    fn after(&mut self) {
        self.writing = false;
    }
}
