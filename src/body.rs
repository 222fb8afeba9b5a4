//! The one response body type of the gateway: no boxing on the data plane.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;

use crate::revocation::CloseReason;

/// The error of a body that broke off.
pub type BodyError = Box<dyn std::error::Error + Send + Sync>;

/// A response body. Whatever is attached to it lives until the body has been sent or given up.
#[derive(Default)]
pub struct Body {
    kind: Kind,
    sent: u64,
    guard: Option<Box<dyn Send + Sync>>,
    /// When it is over, so is the body.
    right: Option<BoxFuture<'static, CloseReason>>,
    on_end: Option<Box<dyn FnOnce(u64) + Send + Sync>>,
}

#[derive(Default)]
enum Kind {
    #[default]
    Empty,
    Full(Option<Bytes>),
    Upstream(Incoming),
    Page(axum::body::Body),
}

impl Body {
    fn of(kind: Kind) -> Self {
        Self { kind, sent: 0, guard: None, right: None, on_end: None }
    }

    /// A body without a byte.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// A body that is there already.
    pub fn full(bytes: impl Into<Bytes>) -> Self {
        Self::of(Kind::Full(Some(bytes.into())))
    }

    /// A body that streams from a container.
    #[must_use]
    pub fn upstream(incoming: Incoming) -> Self {
        Self::of(Kind::Upstream(incoming))
    }

    /// Keeps `guard`, and any earlier one, until the body ends.
    #[must_use]
    pub fn holding(mut self, guard: impl Send + Sync + 'static) -> Self {
        self.guard = Some(match self.guard.take() {
            Some(earlier) => Box::new((earlier, guard)),
            None => Box::new(guard),
        });
        self
    }

    /// Breaks the body off when `right` ends, so that nothing streams on after a logout.
    #[must_use]
    pub fn until(mut self, right: impl Future<Output = CloseReason> + Send + 'static) -> Self {
        self.right = Some(right.boxed());
        self
    }

    /// Calls `on_end` with the bytes sent when the body ends, complete or not; after any earlier one.
    #[must_use]
    pub fn on_end(mut self, on_end: impl FnOnce(u64) + Send + Sync + 'static) -> Self {
        self.on_end = Some(match self.on_end.take() {
            Some(earlier) => Box::new(move |sent| {
                earlier(sent);
                on_end(sent);
            }),
            None => Box::new(on_end),
        });
        self
    }
}

impl From<axum::body::Body> for Body {
    fn from(page: axum::body::Body) -> Self {
        Self::of(Kind::Page(page))
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        if let Some(right) = &mut this.right
            && let Poll::Ready(reason) = right.poll_unpin(cx)
        {
            return Poll::Ready(Some(Err(format!("the right to it ended: {}", reason.name()).into())));
        }
        let polled = match &mut this.kind {
            Kind::Empty => Poll::Ready(None),
            Kind::Full(bytes) => {
                Poll::Ready(bytes.take().filter(|bytes| !bytes.is_empty()).map(|b| Ok(Frame::data(b))))
            }
            Kind::Upstream(incoming) => Pin::new(incoming).poll_frame(cx).map_err(Into::into),
            Kind::Page(page) => Pin::new(page).poll_frame(cx).map_err(Into::into),
        };
        if let Poll::Ready(Some(Ok(frame))) = &polled {
            this.sent += frame.data_ref().map_or(0, |data| data.len() as u64);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Empty => true,
            Kind::Full(bytes) => bytes.as_ref().is_none_or(Bytes::is_empty),
            Kind::Upstream(incoming) => incoming.is_end_stream(),
            Kind::Page(page) => page.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Empty => SizeHint::with_exact(0),
            Kind::Full(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |b| b.len() as u64)),
            Kind::Upstream(incoming) => incoming.size_hint(),
            Kind::Page(page) => page.size_hint(),
        }
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        if let Some(on_end) = self.on_end.take() {
            on_end(self.sent);
        }
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = match &self.kind {
            Kind::Empty => "Empty",
            Kind::Full(_) => "Full",
            Kind::Upstream(_) => "Upstream",
            Kind::Page(_) => "Page",
        };
        f.debug_struct("Body").field("kind", &kind).field("sent", &self.sent).finish_non_exhaustive()
    }
}
