//! Small pictures of sessions' screens, for their owners.
//!
//! The gateway looks for itself: one RFB connection more, shared by all who ask at the same time,
//! closed as soon as the screen has been seen, and not made again for some seconds. It is no
//! viewer: it sends no input, counts nowhere, takes no hold and wakes nothing. Who may see a
//! picture is for the edges to ask; what comes from here is never shown to anyone else.

mod encode;
mod error;
mod look;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::Mutex as StdMutex;
use std::time::Duration;

use bytes::Bytes;
use dashmap::DashMap;
use tokio::sync::{Mutex, Semaphore, broadcast, oneshot};
use tokio::time::{Instant, timeout};
use tracing::debug;

pub use self::error::ThumbnailError;
use crate::broker::{Broker, Change, Entry, Route};
use crate::engine::Engine;
use crate::fault::chain;
use crate::session::{Protocol, Session, SessionId, State, StateKind};
use crate::tasks::Tasks;

/// How often a gateway looks at desktops.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// For how long a picture is good; nobody looks again before. Default 5 s.
    pub keep: Duration,
    /// For how long a desktop that could not be looked at is left alone. Default 30 s.
    pub rest: Duration,
    /// Bound of looking, and of waiting for one's turn to look. Default 5 s each.
    pub deadline: Duration,
    /// How many desktops are looked at at the same time, at most. Default 2.
    pub at_once: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            keep: Duration::from_secs(5),
            rest: Duration::from_secs(30),
            deadline: Duration::from_secs(5),
            at_once: 2,
        }
    }
}

/// A picture of a screen. Clones share the bytes.
#[derive(Clone, Debug)]
pub struct Thumbnail {
    /// A PNG, at most 480 pixels wide and high.
    pub png: Bytes,
    /// Changes with the picture: 16 hexadecimal digits.
    pub tag: Arc<str>,
    /// When it was taken.
    pub taken: Instant,
    /// The last one of a frozen desktop: it stays as it is until the desktop is resumed.
    pub frozen: bool,
}

/// The pictures of one gateway's desktops. Clones share them.
#[derive(Clone)]
pub struct Thumbnails(Arc<Inner>);

struct Inner {
    engine: Arc<dyn Engine>,
    tasks: Tasks,
    settings: Settings,
    /// One permit per desktop that is being looked at.
    places: Semaphore,
    screens: DashMap<SessionId, Arc<Screen>>,
}

/// One desktop's screen.
#[derive(Debug, Default)]
struct Screen {
    /// Held while the gateway looks at it: there is one connection at most, and whoever waited
    /// finds the picture.
    turn: Arc<Mutex<()>>,
    /// No `.await` happens under this lock.
    seen: StdMutex<Seen>,
}

/// What is known of a screen, all of it from one start of its session.
#[derive(Debug, Default)]
struct Seen {
    epoch: u64,
    picture: Option<Thumbnail>,
    /// The last look failed so, and nobody looks again before.
    failed: Option<(Instant, ThumbnailError)>,
}

impl Thumbnails {
    /// No pictures yet; they are forgotten when `broker` says that a session left its screen.
    #[must_use]
    pub fn new(broker: &Broker, engine: Arc<dyn Engine>, tasks: Tasks, settings: Settings) -> Self {
        let thumbnails = Self(Arc::new(Inner {
            engine,
            tasks: tasks.clone(),
            settings,
            places: Semaphore::new(settings.at_once),
            screens: DashMap::new(),
        }));
        let (forgetful, changes, stop) = (thumbnails.clone(), broker.changes(), tasks.stopping());
        let broker = broker.clone();
        tasks.spawn("thumbnails", async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = forgetful.follow(&broker, changes) => {}
            }
        });
        thumbnails
    }

    /// The picture of a session's screen: a new one unless the last is good still. Of a frozen
    /// session the last one there was. **Cancel safety**: may be dropped; a look that has begun
    /// goes on for whoever asks next.
    ///
    /// # Errors
    /// [`ThumbnailError`] says why there is nothing to see.
    pub async fn of(&self, entry: &Arc<Entry>) -> Result<Thumbnail, ThumbnailError> {
        let rfb = |template: &Arc<crate::session::Template>| template.protocol == Protocol::Rfb;
        if !entry.template.as_ref().is_some_and(rfb) {
            return Err(ThumbnailError::NoScreen);
        }
        let session = entry.session();
        match (session.state.kind(), entry.route()) {
            (StateKind::Ready, Some(route)) => self.current(entry, &session, route).await,
            (StateKind::Paused, _) => self.last(&session).ok_or(ThumbnailError::NotSeen),
            (
                StateKind::Ready
                | StateKind::Starting
                | StateKind::Stopping
                | StateKind::Stopped
                | StateKind::Failed,
                _,
            ) => Err(ThumbnailError::NotRunning),
        }
    }

    fn last(&self, session: &Session) -> Option<Thumbnail> {
        let screen = self.0.screens.get(&session.id)?.clone();
        let picture = screen.seen(session.epoch).picture.clone()?;
        Some(Thumbnail { frozen: true, ..picture })
    }

    async fn current(
        &self,
        entry: &Arc<Entry>,
        session: &Session,
        route: Arc<Route>,
    ) -> Result<Thumbnail, ThumbnailError> {
        let screen = self.0.screens.entry(session.id).or_default().clone();
        if let Some(known) = screen.seen(session.epoch).good(&self.0.settings) {
            return known;
        }
        let turn = screen.turn.clone().lock_owned().await;
        // Somebody else looked while this one waited.
        if let Some(known) = screen.seen(session.epoch).good(&self.0.settings) {
            return known;
        }
        // Broken off in the middle, the desktop would count a viewer that did not know the password.
        let (tell, told) = oneshot::channel();
        let (thumbnails, entry) = (self.clone(), entry.clone());
        self.0.tasks.spawn("thumbnail", async move {
            let outcome = thumbnails.look(&entry, &route).await;
            screen.keep(&entry, &route, &outcome, &thumbnails.0.settings);
            drop(turn);
            let _ = tell.send(outcome);
        });
        told.await.unwrap_or(Err(ThumbnailError::NotRunning))
    }

    /// Looks at a desktop, once.
    async fn look(&self, entry: &Entry, route: &Route) -> Result<Thumbnail, ThumbnailError> {
        let Inner { engine, tasks, settings, places, .. } = &*self.0;
        let place = timeout(settings.deadline, places.acquire()).await;
        let _place = place.ok().and_then(Result::ok).ok_or(ThumbnailError::Busy)?;
        let session = entry.session();
        let stop = tasks.stopping();
        let picture = tokio::select! {
            () = stop.cancelled() => return Err(ThumbnailError::NotRunning),
            _reason = route.revocation.revoked() => return Err(ThumbnailError::NotRunning),
            looked = timeout(
                settings.deadline,
                look::look(engine.as_ref(), &route.upstream, session.secret.expose()),
            ) => looked.unwrap_or(Err(look::Unseen::Slow)),
        };
        let picture = picture.map_err(|error| {
            let why = chain(&error);
            debug!(session = %entry.id, why, "a desktop could not be looked at");
            ThumbnailError::Unseen { why }
        })?;
        let encoded = tokio::task::spawn_blocking(move || encode::png(&picture)).await;
        let (png, tag) = encoded
            .map_err(|error| error.to_string())
            .and_then(|encoded| encoded.map_err(|error| chain(&error)))
            .map_err(|why| ThumbnailError::Unseen { why })?;
        Ok(Thumbnail { png, tag, taken: Instant::now(), frozen: false })
    }

    /// Forgets the pictures of sessions that stopped or are gone.
    async fn follow(&self, broker: &Broker, mut changes: broadcast::Receiver<Change>) {
        loop {
            match changes.recv().await {
                Ok(Change::Changed(session)) => {
                    if let Some(screen) = self.0.screens.get(&session.id) {
                        screen.forget_unless_shown(&session.state);
                    }
                }
                Ok(Change::Removed(session)) => drop(self.0.screens.remove(&session.id)),
                Ok(Change::Images) => {}
                Err(broadcast::error::RecvError::Lagged(_)) => {
                    self.0.screens.retain(|id, screen| {
                        let entry = broker.entry(*id);
                        if let Some(entry) = &entry {
                            screen.forget_unless_shown(&entry.session().state);
                        }
                        entry.is_some()
                    });
                }
                Err(broadcast::error::RecvError::Closed) => return,
            }
        }
    }
}

impl std::fmt::Debug for Thumbnails {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Thumbnails").field("screens", &self.0.screens.len()).finish_non_exhaustive()
    }
}

impl Screen {
    /// What is known of this start's screen; what was known of an earlier one's is forgotten.
    fn seen(&self, epoch: u64) -> std::sync::MutexGuard<'_, Seen> {
        let mut seen = self.seen.lock().expect("no code panics while it holds this lock");
        if seen.epoch != epoch {
            *seen = Seen { epoch, ..Seen::default() };
        }
        seen
    }

    /// Keeps what a look led to, unless the session has left that screen meanwhile.
    fn keep(
        &self,
        entry: &Entry,
        route: &Route,
        outcome: &Result<Thumbnail, ThumbnailError>,
        settings: &Settings,
    ) {
        let mut seen = self.seen(route.upstream.epoch);
        let rest = match outcome {
            Ok(picture) => {
                seen.picture = Some(picture.clone());
                None
            }
            Err(ThumbnailError::Busy) => Some(settings.keep),
            Err(ThumbnailError::Unseen { .. }) => Some(settings.rest),
            // It may be back in a moment.
            Err(ThumbnailError::NoScreen | ThumbnailError::NotRunning | ThumbnailError::NotSeen) => None,
        };
        let error = outcome.as_ref().err().cloned();
        seen.failed = rest.map(|rest| Instant::now() + rest).zip(error);
        drop(seen);
        // A change that was heard of before has forgotten nothing of this.
        self.forget_unless_shown(&entry.session().state);
    }

    fn forget_unless_shown(&self, state: &State) {
        match state.kind() {
            StateKind::Ready | StateKind::Paused => {}
            StateKind::Starting | StateKind::Stopping | StateKind::Stopped | StateKind::Failed => {
                *self.seen.lock().expect("no code panics while it holds this lock") = Seen::default();
            }
        }
    }
}

impl Seen {
    /// What may be answered without looking again.
    fn good(&self, settings: &Settings) -> Option<Result<Thumbnail, ThumbnailError>> {
        if let Some((until, error)) = &self.failed {
            return (Instant::now() < *until).then(|| Err(error.clone()));
        }
        self.picture.clone().filter(|picture| picture.taken.elapsed() < settings.keep).map(Ok)
    }
}
