//! The first comparison after a restoration from a backup: what runs is right, and the records follow.
//!
//! In everyday repair it is the other way round, a container that runs beside a record at rest is
//! stopped. But here the record may be hours older than what its owner sees on their screen.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tracing::{info, warn};

use super::{Broker, BrokerError, Entry};
use crate::audit::Actor;
use crate::engine::{Container, ContainerStatus};
use crate::session::{Event, Next, State, StopReason};
use crate::store::StoreError;

impl Broker {
    /// Reads whether the store was put back and not compared since.
    pub(super) async fn learn_restored(&self) -> Result<(), StoreError> {
        let restored = self.0.store.restored_at().await?;
        if let Some(at) = restored {
            info!(%at, "the store was restored; sessions that still run are adopted");
        }
        self.0.restored.store(restored.is_some(), Ordering::Relaxed);
        Ok(())
    }

    /// Whether the next comparison is the first after a restoration.
    pub(super) fn is_restored(&self) -> bool {
        self.0.restored.load(Ordering::Relaxed)
    }

    /// Notes that every session has been compared.
    pub(super) async fn forget_restored(&self) {
        match self.0.store.set_restored_at(None).await {
            Ok(()) => self.0.restored.store(false, Ordering::Relaxed),
            Err(error) => warn!(%error, "that the restored sessions were compared could not be noted yet"),
        }
    }

    /// Brings one session in line with its container after a restoration; tells whether there was
    /// anything to do. Its work lock is held.
    pub(super) async fn settle(&self, entry: &Arc<Entry>, container: Option<&Container>) -> bool {
        let session = entry.session();
        let runs = container.filter(|container| {
            matches!(container.status, ContainerStatus::Running | ContainerStatus::Paused)
        });
        match (&session.state, runs) {
            (State::Ready { upstream } | State::Paused { upstream }, Some(container))
                if container.id == upstream.container =>
            {
                self.repair(entry, Some(container)).await
            }
            // It was made anew since.
            (State::Ready { .. } | State::Paused { .. }, Some(_)) => {
                self.gone(entry, StopReason::Restored).await;
                self.adopt(entry).await;
                true
            }
            (State::Ready { .. } | State::Paused { .. }, None) => {
                self.gone(entry, StopReason::Restored).await;
                true
            }
            (State::Stopped { .. } | State::Failed { .. }, Some(_)) => {
                self.adopt(entry).await;
                true
            }
            // Nobody waits for it any more.
            (State::Starting { .. }, None) => {
                let event = Event::Stop { reason: StopReason::Restored, next: Next::Rest };
                match self.apply(entry, event, &Actor::system()).await {
                    Ok(action) => self.follow(entry, action),
                    Err(error) => {
                        warn!(session = %entry.id, %error, "a start of before the restoration goes on");
                    }
                }
                true
            }
            (State::Starting { .. }, Some(_))
            | (State::Stopping { .. }, _)
            | (State::Stopped { .. } | State::Failed { .. }, None) => self.repair(entry, container).await,
        }
    }

    /// Starts a session whose container runs: that proves it and opens its route, and changes nothing
    /// for whoever looks at it.
    async fn adopt(&self, entry: &Arc<Entry>) {
        match self.begin(entry, &Actor::system()).await {
            Ok(()) => info!(session = %entry.id, "a session that ran on is adopted"),
            Err(BrokerError::Illegal(_)) => {}
            Err(error) => {
                warn!(session = %entry.id, %error, "a session that ran on could not be adopted yet")
            }
        }
    }
}
