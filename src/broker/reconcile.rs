//! The reconciler: repairs differences between store and engine.
//!
//! Level-triggered: it compares everything every 15 s and after a start of the gateway; engine
//! events only make it quicker. Pending work of a live task is left alone.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tracing::{info, warn};

use super::{Broker, BrokerError, Entry};
use crate::audit::Actor;
use crate::clock;
use crate::engine::{Container, ContainerStatus, EngineError, EngineEvent, EngineEventKind};
use crate::session::{Event, Session, SessionId, State, StopReason};
use crate::store::StoreError;
use crate::telemetry::names;

/// Wait before the event stream is opened again after it ended.
const RESUBSCRIBE: Duration = Duration::from_secs(2);

/// What one comparison found and did.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Reconciled {
    /// Containers of sessions that nobody knows, still there after this pass.
    pub orphans: usize,
    /// Containers that another database knows; they are left alone.
    pub foreign: usize,
    /// Orphans removed.
    pub removed: usize,
    /// Sessions whose record was brought in line.
    pub repaired: usize,
}

impl Broker {
    /// Loads every session with its grants from the store and opens the routes of those that were reachable.
    ///
    /// # Errors
    /// The store's.
    pub async fn load(&self) -> Result<(), StoreError> {
        for session in self.0.store.sessions().await? {
            let template = self.0.templates.get(&session.template).cloned();
            let upstream = session.state.upstream().cloned();
            let entry = Entry::new(session, template, self.0.settings.reap, self.0.herald.clone());
            let entry = Arc::new(entry);
            if let Some(upstream) = upstream {
                entry.reopen(upstream);
            }
            self.remember(&entry);
        }
        let now = clock::now();
        for grant in self.0.store.grants().await?.into_iter().filter(|grant| !grant.has_lapsed(now)) {
            if let Some(entry) = self.entry(grant.session) {
                entry.put_grant(grant);
            }
        }
        Ok(())
    }

    /// Loads every session, then takes up interrupted work and compares with the engine. Called
    /// once, before the listener opens. With an engine that does not answer, sessions keep their
    /// state and are compared later.
    ///
    /// # Errors
    /// The store's.
    pub async fn recover(&self) -> Result<(), StoreError> {
        self.load().await?;
        self.learn_restored().await?;
        match self.reconcile(&mut HashSet::new()).await {
            Ok(found) => info!(sessions = self.0.by_id.len(), ?found, "sessions recovered"),
            Err(error) => warn!(%error, "the engine does not answer; sessions are compared when it does"),
        }
        Ok(())
    }

    /// Runs the reconciler until the process stops.
    pub async fn reconcile_forever(self) {
        let stopping = self.0.tasks.stopping();
        let mut ticks = interval(self.0.settings.reconcile_every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut unknown, mut homeless, mut foreign) = (HashSet::new(), HashSet::new(), 0);
        loop {
            tokio::select! {
                () = stopping.cancelled() => return,
                _ = ticks.tick() => {}
            }
            match self.reconcile(&mut unknown).await {
                Ok(found) => {
                    let homes = self.sweep_homes(&mut homeless).await.unwrap_or_else(|error| {
                        warn!(%error, "sessions' homes could not be compared");
                        0
                    });
                    metrics::gauge!(names::ORPHANS).set(count(found.orphans + homes));
                    if found.foreign != foreign {
                        warn!(
                            containers = found.foreign,
                            "another database has containers on this network; they are left alone. Is store.url right?"
                        );
                    }
                    foreign = found.foreign;
                }
                Err(error) => warn!(%error, "store and engine could not be compared"),
            }
        }
    }

    /// Follows engine events until the process stops, and subscribes again when they end.
    pub async fn follow_engine_forever(self) {
        let stopping = self.0.tasks.stopping();
        loop {
            tokio::select! {
                () = stopping.cancelled() => return,
                () = self.follow_engine() => {}
            }
            tokio::select! {
                () = stopping.cancelled() => return,
                () = sleep(RESUBSCRIBE) => {}
            }
        }
    }

    async fn follow_engine(&self) {
        let Ok(mut events) = self.0.engine.events().await else { return };
        // Containers in which the kernel killed a process; it may have spared the first one, so
        // the container's own end decides.
        let mut short_of_memory = HashSet::new();
        while let Some(event) = events.next().await {
            match event.kind {
                EngineEventKind::OutOfMemory => {
                    short_of_memory.insert(event.container);
                }
                EngineEventKind::Died { .. } if short_of_memory.remove(&event.container) => {
                    self.on_death(event, StopReason::OutOfMemory).await;
                }
                EngineEventKind::Died { .. } => self.on_death(event, StopReason::Exited).await,
            }
        }
    }

    async fn on_death(&self, event: EngineEvent, reason: StopReason) {
        let Some(entry) = self.entry(event.session) else { return };
        // Only the container that the session now has.
        let ours = |session: &Session| match &session.state {
            State::Ready { upstream } | State::Paused { upstream } => upstream.container == event.container,
            State::Starting { .. }
            | State::Stopping { .. }
            | State::Stopped { .. }
            | State::Failed { .. } => false,
        };
        if !ours(&entry.session()) {
            return;
        }
        // A restart keeps the container: an event of before it, told late, must not end it again.
        let listed = self.0.engine.list().await.unwrap_or_default();
        let runs = |container: &Container| {
            container.id == event.container && container.status == ContainerStatus::Running
        };
        if !listed.iter().any(runs) {
            self.gone(&entry, reason).await;
        }
    }

    /// Compares every session with every container and repairs what differs. `unknown` carries
    /// the containers of unknown sessions from pass to pass: one is removed when it is met a
    /// second time, so that a record which is just being made has time to appear.
    ///
    /// # Errors
    /// The engine's, when it cannot list its containers; nothing was changed then.
    pub async fn reconcile(&self, unknown: &mut HashSet<SessionId>) -> Result<Reconciled, EngineError> {
        let versions: HashMap<_, _> =
            self.0.by_id.iter().map(|entry| (entry.id, entry.session().version)).collect();
        let containers = self.0.engine.list().await?;
        let mut found = Reconciled::default();
        let (restored, mut all) = (self.is_restored(), true);
        let by_session: HashMap<_, _> = containers.iter().map(|c| (c.session, c)).collect();

        for entry in self.entries() {
            // Whatever changed since the list was taken is looked at in the next pass.
            let settled = versions.get(&entry.id) == Some(&entry.session().version);
            // Held while it is repaired, so that no stop or resume comes in between.
            let work = entry.work.try_lock();
            all &= settled && work.is_ok();
            if settled && work.is_ok() {
                let container = by_session.get(&entry.id);
                entry.set_image(container.map(|container| container.image.as_str()));
                self.judge_image(&entry);
                let container = container.copied();
                let repaired = match restored {
                    true => self.settle(&entry, container).await,
                    false => self.repair(&entry, container).await,
                };
                found.repaired += usize::from(repaired);
            }
        }
        if restored && all {
            self.forget_restored().await;
        }
        // Containers that another store knows are not ours to judge: this may be the wrong or an
        // empty database, and they hold somebody's work.
        let own = self.0.store.installation();
        let unowned = by_session.values().filter(|container| self.entry(container.session).is_none());
        let (ours, foreign): (Vec<&Container>, Vec<&Container>) =
            unowned.partition(|container| container.installation == own);
        found.foreign = foreign.len();
        let orphans: HashSet<_> = ours.into_iter().map(|container| container.session).collect();
        for id in &orphans {
            if unknown.contains(id) && self.remove_orphan(*id).await {
                found.removed += 1;
            }
        }
        found.orphans = orphans.len() - found.removed;
        *unknown = orphans;
        Ok(found)
    }

    /// Brings one session in line with its container; tells whether there was anything to do.
    pub(super) async fn repair(&self, entry: &Arc<Entry>, container: Option<&Container>) -> bool {
        let session = entry.session();
        let status = container.map(|container| container.status);
        match (&session.state, status) {
            // A start or stop without a living task: the gateway was restarted in the middle.
            (State::Starting { .. }, _) => {
                self.spawn_launch(entry);
                true
            }
            (State::Stopping { .. }, _) => {
                self.spawn_halt(entry);
                true
            }
            (State::Ready { upstream }, Some(ContainerStatus::Running)) => {
                let adopted = container.is_some_and(|container| container.id == upstream.container);
                if !adopted {
                    self.gone(entry, StopReason::Lost).await;
                } else if entry.route().is_none() {
                    self.reopen(entry).await;
                }
                !adopted
            }
            (State::Ready { .. }, Some(ContainerStatus::Paused)) => {
                let _ = self.0.engine.resume(entry.id).await;
                true
            }
            (State::Paused { .. }, Some(ContainerStatus::Running)) => {
                let _ = self.0.engine.pause(entry.id).await;
                true
            }
            (State::Paused { .. }, Some(ContainerStatus::Paused)) => false,
            (
                State::Ready { .. } | State::Paused { .. },
                Some(ContainerStatus::Exited | ContainerStatus::Created),
            ) => {
                self.gone(entry, StopReason::Exited).await;
                true
            }
            (State::Ready { .. } | State::Paused { .. }, None) => {
                self.gone(entry, StopReason::Lost).await;
                true
            }
            // A start that failed leaves nothing, also when the engine was slow to make it.
            (State::Failed { .. }, Some(_)) if session.ready_at.is_none() => {
                let _ = self.0.engine.remove(entry.id).await;
                true
            }
            (
                State::Stopped { .. } | State::Failed { .. },
                Some(ContainerStatus::Running | ContainerStatus::Paused),
            ) => {
                let _ = self.0.engine.stop(entry.id, self.0.settings.stop_grace).await;
                true
            }
            (
                State::Stopped { .. } | State::Failed { .. },
                None | Some(ContainerStatus::Exited | ContainerStatus::Created),
            ) => false,
        }
    }

    fn spawn_launch(&self, entry: &Arc<Entry>) {
        let (broker, entry) = (self.clone(), entry.clone());
        self.0.tasks.spawn("start", async move { broker.launch(&entry).await });
    }

    fn spawn_halt(&self, entry: &Arc<Entry>) {
        let (broker, entry) = (self.clone(), entry.clone());
        self.0.tasks.spawn("stop", async move { broker.halt(&entry).await });
    }

    /// Records that a session's container ended by itself.
    pub(super) async fn gone(&self, entry: &Arc<Entry>, reason: StopReason) {
        match self.apply(entry, Event::Gone { reason }, &Actor::system()).await {
            Ok(_) | Err(BrokerError::Illegal(_)) => {}
            Err(error) => {
                warn!(session = %entry.id, %error, "the end of a container could not be recorded yet")
            }
        }
    }

    async fn remove_orphan(&self, id: SessionId) -> bool {
        match self.0.engine.remove(id).await {
            Ok(()) => {
                warn!(session = %id, "a container of an unknown session was removed");
                true
            }
            Err(error) => {
                warn!(session = %id, %error, "a container of an unknown session could not be removed");
                false
            }
        }
    }
}

/// A count as a gauge's value; exact far beyond any real number of containers.
#[allow(clippy::cast_precision_loss)]
fn count(number: usize) -> f64 {
    number as f64
}
