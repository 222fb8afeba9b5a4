//! One downstream connection after its handshake: HTTP/1.1 or HTTP/2 as ALPN chose, its bounds,
//! and the way of each request to the handler.

use std::convert::Infallible;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::timeout;
use tracing::{debug, error};

use super::access_log::{Access, AccessFacts, RequestId};
use super::drain::Drain;
use super::peer::{Peer, Protocol, forwarded_for, is_trusted};
use super::settings::Settings;
use super::validate::{self, Checked, Refusal, validate};
use crate::body::Body;
use crate::fault::Answer;
use crate::respond::{self, Wants};
use crate::tasks::Tasks;
use crate::telemetry::names;

/// The most bytes hyper keeps of an unread head, and so the longest head.
const HTTP1_BUFFER: usize = 64 * 1024;
/// The longest decoded header list of HTTP/2; what it costs is bounded by the number of streams.
const HTTP2_HEADER_LIST: u32 = 16 * 1024;
const HTTP2_STREAMS: u32 = 100;
const HTTP2_PING: Duration = Duration::from_secs(20);
const HTTP2_STREAM_WINDOW: u32 = 256 * 1024;
const HTTP2_CONNECTION_WINDOW: u32 = 1024 * 1024;
/// After being told to finish while idle, a connection has this long to do so.
const LINGER: Duration = Duration::from_secs(5);

const REQUEST_ID: header::HeaderName = header::HeaderName::from_static("x-request-id");

/// What answers requests. The server has validated them; one future per request, dropped when
/// the browser goes away.
pub trait Handler: Send + Sync + 'static {
    /// Answers a request. A panic answers 500.
    fn handle(
        &self,
        request: Request<Incoming>,
        arrival: Arrival,
    ) -> impl Future<Output = Response<Body>> + Send;
}

/// What the server knows of a request beside the request itself.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// Who sent it.
    pub peer: Arc<Peer>,
    /// Its id; logged, and sent back as `x-request-id`.
    pub id: RequestId,
    /// What its validation found: host, port, and whether it asks to become a WebSocket.
    pub checked: Checked,
}

/// What all connections of a server share.
#[derive(Debug)]
pub(super) struct Context<H> {
    pub(super) settings: Settings,
    pub(super) handler: H,
    pub(super) drain: Drain,
    pub(super) tasks: Tasks,
}

/// How much is open on a connection. Clones are the same connection's.
#[derive(Clone, Debug)]
pub(super) struct Activity(Arc<Counted>);

#[derive(Debug)]
struct Counted {
    open: watch::Sender<usize>,
    used: AtomicBool,
}

impl Default for Activity {
    fn default() -> Self {
        Self(Arc::new(Counted { open: watch::Sender::new(0), used: AtomicBool::new(false) }))
    }
}

impl Activity {
    /// Counts one request or upgraded socket until the guard is dropped.
    pub(super) fn enter(&self) -> Open {
        self.0.used.store(true, Ordering::Relaxed);
        self.0.open.send_modify(|open| *open += 1);
        Open(self.clone())
    }

    /// Waits until nothing has been open for `idle`, or no request has come at all within `first`.
    async fn lapsed(&self, first: Duration, idle: Duration) {
        let mut open = self.0.open.subscribe();
        loop {
            let bound = if self.0.used.load(Ordering::Relaxed) { idle } else { first };
            // The sender lives in `self`, so `changed` never fails.
            if *open.borrow_and_update() > 0 {
                let _ = open.changed().await;
            } else if timeout(bound, open.changed()).await.is_err() {
                return;
            }
        }
    }
}

/// Something that is open on a connection.
#[derive(Debug)]
pub(super) struct Open(Activity);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.0.open.send_modify(|open| *open -= 1);
    }
}

/// Serves a connection to its end. Ends are noisy and are nobody's fault: they are logged at
/// debug level.
pub(super) async fn serve<H: Handler, S>(context: Arc<Context<H>>, stream: S, peer: Peer)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let peer = Arc::new(peer);
    let service = {
        let (context, peer) = (context.clone(), peer.clone());
        service_fn(move |request| {
            let (context, peer) = (context.clone(), peer.clone());
            async move { Ok::<_, Infallible>(answer(&context, &peer, request).await) }
        })
    };
    let io = TokioIo::new(stream);
    let served = match peer.protocol {
        Protocol::Http1 => {
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                // Also bounds the wait for the next request on a connection that is kept alive.
                .header_read_timeout(context.settings.header)
                .max_headers(validate::MAX_HEADERS)
                .max_buf_size(HTTP1_BUFFER)
                .serve_connection(io, service)
                .with_upgrades();
            drive(connection, &context, &peer).await
        }
        Protocol::Http2 => {
            let connection = http2::Builder::new(Streams(context.tasks.clone()))
                .timer(TokioTimer::new())
                .enable_connect_protocol()
                .keep_alive_interval(HTTP2_PING)
                .keep_alive_timeout(HTTP2_PING)
                .max_concurrent_streams(HTTP2_STREAMS)
                .max_header_list_size(HTTP2_HEADER_LIST)
                .initial_stream_window_size(HTTP2_STREAM_WINDOW)
                .initial_connection_window_size(HTTP2_CONNECTION_WINDOW)
                .serve_connection(io, service);
            drive(connection, &context, &peer).await
        }
    };
    if let Err(error) = served {
        let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        debug!(%error, cause, peer = %peer.address, "a connection broke off");
    }
}

/// A connection that can be told to finish what is open and then end.
trait Graceful: Future<Output = hyper::Result<()>> {
    fn finish(self: Pin<&mut Self>);
}

impl<S, B> Graceful for http1::UpgradeableConnection<TokioIo<S>, B>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    B: hyper::service::HttpService<Incoming, ResBody = Body>,
    B::Error: Into<crate::body::BodyError>,
{
    fn finish(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

impl<S, B> Graceful for http2::Connection<TokioIo<S>, B, Streams>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    B: hyper::service::HttpService<Incoming, ResBody = Body>,
    B::Error: Into<crate::body::BodyError>,
    B::Future: Send + 'static,
{
    fn finish(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

/// Runs a connection until it ends, lapses or is drained.
async fn drive<H>(connection: impl Graceful, context: &Context<H>, peer: &Peer) -> hyper::Result<()> {
    let mut connection = std::pin::pin!(connection);
    let (settings, drain) = (&context.settings, &context.drain);
    let (first, linger) = (settings.header.min(settings.idle), settings.header.min(LINGER));
    tokio::select! {
        ended = &mut connection => return ended,
        () = drain.draining() => {}
        () = peer.activity().lapsed(first, settings.idle) => {}
    }
    connection.as_mut().finish();
    // A browser that has nothing open and does not end the connection either is cut.
    tokio::select! {
        ended = &mut connection => ended,
        () = peer.activity().lapsed(linger, linger) => Ok(()),
        () = drain.cut() => Ok(()),
    }
}

/// Runs the streams of HTTP/2 connections as tasks of the process.
#[derive(Clone, Debug)]
struct Streams(Tasks);

impl<F> hyper::rt::Executor<F> for Streams
where
    F: Future + Send + 'static,
{
    fn execute(&self, stream: F) {
        self.0.spawn("h2 stream", async move {
            stream.await;
        });
    }
}

/// Validates a request, lets the handler answer it, and attaches what must last until the
/// answer's last byte.
async fn answer<H: Handler>(
    context: &Context<H>,
    peer: &Arc<Peer>,
    request: Request<Incoming>,
) -> Response<Body> {
    let open = peer.activity().enter();
    let id = RequestId::new();
    let proxies = &context.settings.trusted_proxies;
    // A proxy's greeting names what the proxy was configured with, not what the browser asked for.
    let server_name = peer.tls_server_name.as_deref().filter(|_| !is_trusted(peer.address.ip(), proxies));
    let (mut head, body) = request.into_parts();
    let checked = validate(&head, peer.protocol, server_name);
    let peer = match forwarded_for(peer.address.ip(), &head.headers, proxies) {
        Some(address) => Arc::new(peer.at(address)),
        None => peer.clone(),
    };
    let host = checked.as_ref().map(|checked| checked.host.as_str()).unwrap_or_default();
    // Dropped with this future when the browser goes away, which writes the line, too.
    let mut access = Line(Some(Access::begin(id, &head.method, host, &head.uri, &peer)));
    let mut response = match checked {
        Ok(checked) => {
            validate::strip_ignored(&mut head.headers, checked.upgrade);
            let handled =
                context.handler.handle(Request::from_parts(head, body), Arrival { peer, id, checked });
            AssertUnwindSafe(handled).catch_unwind().await.unwrap_or_else(|_| panicked(id))
        }
        Err(refusal) => refused(refusal, &head.headers, peer.protocol, id),
    };
    response.headers_mut().insert(REQUEST_ID, id.header());
    let facts = response.extensions_mut().remove::<AccessFacts>().unwrap_or_default();
    access.answered(response.status(), facts);
    response.map(|body| body.holding(open).on_end(move |bytes| access.end(bytes)))
}

/// A request's line, written even if its answer is never finished.
struct Line(Option<Access>);

impl Line {
    fn answered(&mut self, status: StatusCode, facts: AccessFacts) {
        if let Some(access) = &mut self.0 {
            access.answered(status, facts);
        }
    }

    fn end(mut self, bytes: u64) {
        if let Some(access) = self.0.take() {
            access.end(bytes);
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Some(access) = self.0.take() {
            access.end(0);
        }
    }
}

fn refused(refusal: Refusal, headers: &HeaderMap, protocol: Protocol, id: RequestId) -> Response<Body> {
    metrics::counter!(names::REQUESTS_REFUSED, "cause" => refusal.code()).increment(1);
    let mut response = match Wants::of(headers) {
        Wants::Page => plain(refusal.status(), format!("{}\n", refusal.public())),
        Wants::Problem => respond::problem(&refusal, refusal.status(), &id.to_string()),
    };
    if protocol == Protocol::Http1 {
        // What stands behind a refused head on this connection cannot be trusted either.
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    if refusal.status() == StatusCode::METHOD_NOT_ALLOWED {
        let allow = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
        response.headers_mut().insert(header::ALLOW, allow);
    }
    response
}

fn panicked(id: RequestId) -> Response<Body> {
    error!(request_id = %id, "the handler of a request panicked");
    plain(StatusCode::INTERNAL_SERVER_ERROR, format!("Something went wrong on our side. Request {id}.\n"))
}

fn plain(status: StatusCode, text: String) -> Response<Body> {
    let mut response = Response::new(Body::full(text));
    *response.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, plain);
    response
}
