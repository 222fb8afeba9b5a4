//! Forwarding: one request to the container, one response back, both streamed.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{Method, Request, Response, StatusCode, Version};
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::Empty;
use hyper::body::Incoming;
use thiserror::Error;
use tokio::time::{Instant, Sleep, sleep, sleep_until, timeout};

use super::visit::Visit;
use super::{ProxyError, Settings, headers, upstream::Upstreams};
use crate::body::{Body, BodyError};
use crate::session::InputSource;

/// Forwards a request that was authorised; the visit's hold lives until the response body ends,
/// and the body ends when the login or the route does.
///
/// # Errors
/// Whatever kept a response head from arriving in time.
pub(super) async fn forward(
    upstreams: &Upstreams,
    settings: &Settings,
    request: Request<Incoming>,
    visit: Visit,
) -> Result<Response<Body>, ProxyError> {
    visit.hold.entry.note_input(InputSource::Request);
    let (mut parts, body) = request.into_parts();
    onward(&mut parts, &visit);
    headers::to_upstream(&mut parts.headers, &visit.place);
    // A body of GET or HEAD means nothing (RFC 9110 §9.3.1), and some servers take it for the
    // next request: it is never sent.
    let bodiless = parts.method == Method::GET || parts.method == Method::HEAD || body.is_end_stream();
    let response = if bodiless {
        let sent = send_pooled(upstreams, parts, &visit);
        timeout(settings.head_timeout, sent).await.map_err(|_| ProxyError::UpstreamTimeout)??
    } else {
        send_streaming(upstreams, settings, parts, body, &visit).await?
    };
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return Err(ProxyError::UpstreamProtocol("it switched protocols unasked".to_owned()));
    }
    Ok(answer(response, visit))
}

/// The response for the browser.
pub(super) fn answer(response: Response<Incoming>, visit: Visit) -> Response<Body> {
    let (mut parts, body) = response.into_parts();
    headers::to_browser(&mut parts.headers, &visit.place);
    parts.version = Version::HTTP_11;
    // hyper's own notes on the upstream connection mean nothing downstream.
    parts.extensions.clear();
    let mut answer = Response::from_parts(parts, Body::upstream(body));
    if !answer.body().is_end_stream() {
        let ended = visit.ended();
        answer = answer.map(|body| body.until(ended).holding(visit.hold));
    }
    answer
}

/// Turns the head towards the container: its own path, and a version it speaks.
pub(super) fn onward(parts: &mut Parts, visit: &Visit) {
    parts.uri = visit.path.clone().into();
    parts.version = Version::HTTP_11;
    parts.extensions.clear();
}

/// A request without a body. If the connection ends before a head arrives, a request that
/// changes nothing is sent once more on a connection of its own (RFC 9110 §9.2.2): the pooled one
/// may just have been closed by the other side.
async fn send_pooled(
    upstreams: &Upstreams,
    parts: Parts,
    visit: &Visit,
) -> Result<Response<Incoming>, ProxyError> {
    let again = matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS).then(|| parts.clone());
    let request = Request::from_parts(parts, Empty::new());
    let sent = upstreams.send_pooled(request, &visit.hold, visit.principal.user).await;
    match (sent, again) {
        (Err(ProxyError::UpstreamClosed), Some(parts)) => {
            upstreams.send_alone(Request::from_parts(parts, Empty::<Bytes>::new()), &visit.hold).await
        }
        (sent, _) => sent,
    }
}

/// A request with a body, on a connection of its own. The answer may come before the body has
/// been read; then the rest of the body is given up with the connection.
async fn send_streaming(
    upstreams: &Upstreams,
    settings: &Settings,
    parts: Parts,
    body: Incoming,
    visit: &Visit,
) -> Result<Response<Incoming>, ProxyError> {
    let progress = Progress::new();
    let body = Arriving { body, stall: settings.body_stall, deadline: None, progress: progress.clone() };
    let sent = upstreams.send_alone(Request::from_parts(parts, body), &visit.hold);
    tokio::select! {
        sent = sent => sent.map_err(|error| if progress.stalled() { ProxyError::BodyStalled } else { error }),
        () = progress.none_for(settings.head_timeout) => Err(ProxyError::UpstreamTimeout),
    }
}

/// How far a request's body got. Shared by the body and by whoever waits for the answer.
#[derive(Clone, Debug)]
struct Progress(Arc<Mutex<(Instant, bool)>>);

impl Progress {
    fn new() -> Self {
        Self(Arc::new(Mutex::new((Instant::now(), false))))
    }

    fn note(&self, stalled: bool) {
        *self.0.lock().expect("no code panics while it holds this lock") = (Instant::now(), stalled);
    }

    fn last(&self) -> (Instant, bool) {
        *self.0.lock().expect("no code panics while it holds this lock")
    }

    fn stalled(&self) -> bool {
        self.last().1
    }

    /// Returns when nothing of the body has moved for this long.
    async fn none_for(&self, patience: Duration) {
        loop {
            let (last, _) = self.last();
            sleep_until(last + patience).await;
            if self.last().0 == last {
                return;
            }
        }
    }
}

/// The browser announced a body and stopped sending it.
#[derive(Debug, Error)]
#[error("the request's body stopped arriving")]
struct Stalled;

/// A request body that gives up when the browser sends nothing for `stall`. Time in which the
/// container does not read is not counted against the browser.
struct Arriving {
    body: Incoming,
    stall: Duration,
    deadline: Option<Pin<Box<Sleep>>>,
    progress: Progress,
}

impl HttpBody for Arriving {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            self.deadline = None;
            self.progress.note(false);
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let stall = self.stall;
        ready!(self.deadline.get_or_insert_with(|| Box::pin(sleep(stall))).as_mut().poll(cx));
        self.progress.note(true);
        Poll::Ready(Some(Err(Stalled.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
