//! Event streams: what every follower waits for, and how events are sent (server-sent events, HTML
//! standard §9.2).
//!
//! A feed is a loop of *wait, then say what is different*. It ends when the login or token it was
//! opened with ends, when the gateway drains, or when whoever follows goes away.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};
use http::HeaderValue;
use http::header::CACHE_CONTROL;
use thiserror::Error;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::fault::{Answer, Fault};
use crate::language::Sentence;
use crate::revocation::{CloseReason, Place, Revocation};

/// A quiet stream says something at least this often, so that no hop gives it up.
pub const HEARTBEAT: Duration = Duration::from_secs(15);

/// The most streams that one login or token follows at once: more tabs than anybody reads. Each of them
/// looks at what there is whenever something changes.
pub const MOST: usize = 64;

/// A login or token follows [`MOST`] streams already.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("a login or token follows at most {MOST} event streams at once")]
pub struct Crowded;

impl Answer for Crowded {
    fn fault(&self) -> Fault {
        Fault::Downstream
    }

    fn code(&self) -> &'static str {
        "too_many_streams"
    }

    fn sentence(&self) -> Sentence {
        Sentence::of("problem-too-many-streams").with("most", MOST)
    }

    fn retry_after(&self) -> Option<Duration> {
        Some(HEARTBEAT)
    }
}

/// What one follower is told.
pub trait Feed: Send + 'static {
    /// What is still to be sent.
    fn told(&mut self) -> &mut Told;

    /// Waits for what is next, and puts it into [`Feed::told`].
    fn listen(&mut self) -> impl Future<Output = ()> + Send;

    /// The next event; `None` at the end.
    fn next(&mut self) -> impl Future<Output = Option<Event>> + Send {
        async {
            loop {
                let told = self.told();
                if let Some(event) = told.pending.pop_front() {
                    return Some(event);
                }
                if told.over {
                    return None;
                }
                self.listen().await;
            }
        }
    }
}

/// Events on their way to one follower.
#[derive(Debug, Default)]
pub struct Told {
    /// Those that are still to be sent, oldest first.
    pub pending: VecDeque<Event>,
    /// Whether none come after those.
    pub over: bool,
}

/// How long a follower may follow.
#[derive(Debug)]
pub struct Life {
    right: Revocation,
    draining: CancellationToken,
    heartbeat: Instant,
    _place: Place,
}

/// What woke a feed.
#[derive(Debug)]
pub enum Wake<T> {
    /// There is something to tell.
    News(T),
    /// It is time to look again.
    Tick,
    /// Nothing was said for so long that [`still_here`] should be.
    Heartbeat,
    /// Nothing more may be told, because of this.
    Ended(CloseReason),
}

impl Life {
    /// One that ends with this right, or when the gateway drains.
    ///
    /// # Errors
    /// [`Crowded`] while the right follows as many streams as it may.
    pub fn of(right: &Revocation, draining: &CancellationToken) -> Result<Self, Crowded> {
        let place = right.place(MOST).ok_or(Crowded)?;
        let (right, draining) = (right.clone(), draining.clone());
        Ok(Self { right, draining, heartbeat: Instant::now() + HEARTBEAT, _place: place })
    }

    /// Why nothing more may be told, if that is so: for a feed that has much to tell at once.
    #[must_use]
    pub fn ended(&self) -> Option<CloseReason> {
        self.right.reason().or_else(|| self.draining.is_cancelled().then_some(CloseReason::Drain))
    }

    /// Waits for `news`, at most for `tick`.
    ///
    /// **Cancel safety**: as that of `news`.
    pub async fn wait<T>(&mut self, tick: Duration, news: impl Future<Output = T>) -> Wake<T> {
        let until = self.heartbeat.min(Instant::now() + tick);
        tokio::select! {
            news = news => Wake::News(news),
            reason = self.right.revoked() => Wake::Ended(reason),
            () = self.draining.cancelled() => Wake::Ended(CloseReason::Drain),
            () = sleep_until(until) => {
                if Instant::now() < self.heartbeat {
                    return Wake::Tick;
                }
                self.heartbeat = Instant::now() + HEARTBEAT;
                Wake::Heartbeat
            }
        }
    }
}

/// A comment, which keeps the connection.
pub fn still_here() -> Event {
    Event::default().comment("still here")
}

/// The response that streams a feed.
pub fn streamed(feed: impl Feed) -> Response {
    let first = stream::once(async { Event::default().retry(Duration::from_secs(2)) });
    let events = stream::unfold(feed, |mut feed| async { feed.next().await.map(|event| (event, feed)) });
    let mut response = Sse::new(first.chain(events).map(Ok::<_, Infallible>)).into_response();
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // nginx would hold the events back.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}
