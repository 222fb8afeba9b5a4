//! The end of a session's container, and of the session.

use std::sync::Arc;

use tracing::{info, warn};

use super::{Broker, Entry};
use crate::audit::{AuditEvent, Whose};
use crate::clock;
use crate::engine::EngineError;
use crate::session::{Event, FailReason, Next, State};

impl Broker {
    /// Stops the container of a session that is `Stopping`, then follows up. If the engine does
    /// not manage, the session stays `Stopping` and the reconciler calls this again.
    pub(super) async fn halt(&self, entry: &Arc<Entry>) {
        let action = {
            let _work = entry.work.lock().await;
            if !matches!(entry.session().state, State::Stopping { .. }) {
                return;
            }
            let event = match self.end_container(entry).await {
                Ok(()) => {
                    let deadline = clock::later(clock::now(), self.0.settings.queue_deadline);
                    Event::Ended { deadline }
                }
                Err(Unended::Home(detail)) => {
                    warn!(session = %entry.id, detail, "a home could not be set aside; it is as it was");
                    Event::Fail { reason: FailReason::HomeKept { detail } }
                }
                Err(Unended::Copying(error)) => {
                    warn!(session = %entry.id, %error, "a home is still being set aside; a stop waits for it");
                    return;
                }
                Err(Unended::Later(error)) => {
                    warn!(session = %entry.id, %error, "a session could not be stopped yet; it will be tried again");
                    self.not_ended(entry, &error).await;
                    return;
                }
            };
            self.apply(entry, event, &entry.ender()).await
        };
        match action {
            Ok(action) => self.follow(entry, action),
            Err(error) => warn!(session = %entry.id, %error, "a stop could not be recorded yet"),
        }
    }

    /// Stops the container, and removes it where a reset or removal follows. What follows may
    /// change meanwhile, so it is looked at again afterwards.
    async fn end_container(&self, entry: &Arc<Entry>) -> Result<(), Unended> {
        loop {
            let wanted = following(entry);
            self.0.engine.stop(entry.id, self.0.settings.stop_grace).await?;
            if matches!(wanted, Some(Next::Reset | Next::ResetHome | Next::Remove)) {
                self.0.engine.remove(entry.id).await?;
            }
            if wanted == Some(Next::ResetHome) {
                self.set_home_aside(entry).await.map_err(Unended::of_home)?;
            }
            if following(entry) == wanted {
                return Ok(());
            }
        }
    }

    /// Removes container, a home of its own, and record. If either fails, the record stays and the reconciler
    /// removes it later; the record goes last, so that nothing is left that nobody knows of.
    pub(super) async fn erase(&self, entry: &Arc<Entry>) {
        let _work = entry.work.lock().await;
        if let Err(error) = self.0.engine.remove(entry.id).await {
            warn!(session = %entry.id, %error, "a container could not be removed yet; it will be tried again");
            self.not_ended(entry, &error).await;
            return;
        }
        if let Err(error) = self.remove_own_home(entry).await {
            warn!(session = %entry.id, %error, "a session's home could not be removed yet; it will be tried again");
            self.not_ended(entry, &error).await;
            return;
        }
        if let Err(error) = self.0.store.remove_session(entry.id).await {
            warn!(session = %entry.id, %error, "a session's record could not be removed yet");
            self.not_ended(entry, &error).await;
            return;
        }
        self.forget(entry);
        info!(session = %entry.id, "session.removed");
        self.record(entry, AuditEvent::SessionRemoved { whose: Whose::of(&entry.session()) }, entry.ender())
            .await;
    }
}

/// Why a stop is not complete.
enum Unended {
    /// Copying goes on while nobody waits; the next attempt joins it.
    Copying(EngineError),
    /// The engine did not manage yet.
    Later(EngineError),
    /// The home could not be set aside, for this reason, and trying again would not help.
    Home(String),
}

impl Unended {
    fn of_home(error: EngineError) -> Self {
        match error {
            EngineError::Down { .. } => Self::Later(error),
            EngineError::Slow { .. } => Self::Copying(error),
            error => Self::Home(error.to_string()),
        }
    }
}

impl From<EngineError> for Unended {
    fn from(error: EngineError) -> Self {
        Self::Later(error)
    }
}

/// What follows the stop that is under way.
fn following(entry: &Entry) -> Option<Next> {
    match entry.session().state {
        State::Stopping { next, .. } => Some(next),
        State::Starting { .. }
        | State::Ready { .. }
        | State::Paused { .. }
        | State::Stopped { .. }
        | State::Failed { .. } => None,
    }
}
