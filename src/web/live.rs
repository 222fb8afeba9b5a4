//! What every live page of administrators waits for: news, the end of its login, the drain.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt, stream};
use http::HeaderValue;
use http::header::CACHE_CONTROL;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::Site;
use crate::auth::Principal;

/// A quiet stream says something at least this often, so that no hop gives it up.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// One follower's life.
pub struct Live {
    known: Arc<Principal>,
    draining: CancellationToken,
    heartbeat: Instant,
    over: bool,
}

/// What woke a follower.
pub enum Wake {
    /// There is something to tell.
    News,
    /// It is time to look again.
    Tick,
    /// This is to be told: the connection is alive, or ends.
    Say(Event),
    /// Nothing more comes.
    Over,
}

impl Live {
    /// A follower that ends with the login of `known`.
    pub fn of(site: &Site, known: &Arc<Principal>) -> Self {
        let draining = site.0.state.draining.clone();
        Self { known: known.clone(), draining, heartbeat: Instant::now() + HEARTBEAT, over: false }
    }

    /// Waits for news, at most for `tick`; `news` is false when none will ever come.
    pub async fn wait(&mut self, tick: Duration, news: impl Future<Output = bool>) -> Wake {
        if self.over {
            return Wake::Over;
        }
        if Instant::now() >= self.heartbeat {
            self.heartbeat = Instant::now() + HEARTBEAT;
            return Wake::Say(Event::default().comment("still here"));
        }
        let until = self.heartbeat.min(Instant::now() + tick);
        tokio::select! {
            more = news => if more { Wake::News } else { Wake::Over },
            _ = self.known.revocation.revoked() => {
                self.over = true;
                Wake::Say(Event::default().event("login_ended").data("now"))
            }
            () = self.draining.cancelled() => Wake::Over,
            () = sleep_until(until) => Wake::Tick,
        }
    }
}

/// The response that streams these events.
pub fn streamed<S>(events: S) -> Response
where
    S: Stream<Item = Event> + Send + 'static,
{
    let first = stream::once(async { Event::default().retry(Duration::from_secs(2)) });
    let events = first.chain(events).map(Ok::<_, Infallible>);
    let mut response = Sse::new(events).into_response();
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // nginx would hold the events back.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}
