//! One change of a session: state machine, store, watchers, followers, audit.

use std::sync::Arc;

use tracing::{info, warn};

use super::record::{accepted, advance, audited, close_reason};
use super::{Broker, BrokerError, Change, Entry};
use crate::audit::{Actor, AuditEvent, Record};
use crate::engine::EngineError;
use crate::revocation::CloseReason;
use crate::session::{Action, Event, Next, Session, State, StopReason};
use crate::store::StoreError;

impl Broker {
    /// Applies one event: state machine, store, watchers. Serialised per session.
    /// `by` is who wants it.
    pub(super) async fn apply(
        &self,
        entry: &Arc<Entry>,
        event: Event,
        by: &Actor,
    ) -> Result<Action, BrokerError> {
        let _turn = entry.turn.lock().await;
        let before = entry.session();
        let wanted = if let Event::Stop { next, .. } = &event { Some(*next) } else { None };
        let (state, action) = before.state.clone().on(event)?;
        if state == before.state {
            return Ok(action);
        }
        let closing = close_reason(&state, action);
        let session = advance(entry, &before, state, action, self.0.settings.closing.as_ref());
        let entered = session.state.kind() != before.state.kind() || action == Action::Launch;
        // Stored first: a change that cannot be stored must not cut anybody off. The route closes
        // next, before the caller lets the engine touch the container.
        self.save(entry, session, entered).await?;
        entry.stopped_by(before.state.kind(), by);
        if let Some(reason) = closing {
            entry.close(reason);
        }
        if action == Action::Open
            && let Some(upstream) = entry.session().state.upstream()
        {
            entry.open(upstream.clone());
        }
        self.announce(entry, &before, wanted, by).await;
        Ok(action)
    }

    /// Stores a record by compare-and-set and publishes it. A record that another gateway changed
    /// is taken over and reported as stale.
    pub(super) async fn save(
        &self,
        entry: &Arc<Entry>,
        mut session: Session,
        entered: bool,
    ) -> Result<(), BrokerError> {
        match self.0.store.update_session(&session).await {
            Ok(version) => {
                session.version = version;
                entry.publish(session, entered);
                Ok(())
            }
            Err(StoreError::Stale) => {
                match self.0.store.session(entry.id).await? {
                    Some(newer) => {
                        if newer.state.upstream().is_none() {
                            entry.close(CloseReason::Gone);
                        }
                        entry.publish(newer, true);
                    }
                    None => self.forget(entry),
                }
                Err(StoreError::Stale.into())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Carries out what a transition asks for, in the background.
    pub(super) fn follow(&self, entry: &Arc<Entry>, action: Action) {
        let (broker, entry) = (self.clone(), entry.clone());
        match action {
            Action::Launch => self.0.tasks.spawn("start", async move { broker.launch(&entry).await }),
            Action::Halt => self.0.tasks.spawn("stop", async move { broker.halt(&entry).await }),
            Action::Erase => self.0.tasks.spawn("remove", async move { broker.erase(&entry).await }),
            // These are carried out by whoever applied the event, under the work lock.
            Action::Clean
            | Action::Close
            | Action::Freeze
            | Action::Nothing
            | Action::Open
            | Action::Thaw => {}
        }
    }

    pub(super) async fn undo_pause(
        &self,
        entry: &Arc<Entry>,
        error: &EngineError,
    ) -> Result<(), BrokerError> {
        if matches!(error, EngineError::Gone) {
            self.apply(entry, Event::Gone { reason: StopReason::Lost }, &Actor::system()).await?;
            return Ok(());
        }
        self.apply(entry, Event::Resume, &Actor::system()).await?;
        self.reopen(entry).await;
        Ok(())
    }

    /// Opens the route of a session that is reachable again, unless a stop came in between.
    pub(super) async fn reopen(&self, entry: &Arc<Entry>) {
        let _turn = entry.turn.lock().await;
        if let Some(upstream) = entry.session().state.upstream() {
            entry.reopen(upstream.clone());
        }
    }

    /// Tells followers, log and audit of a change; `wanted` is what is to follow a stop that was asked
    /// for.
    async fn announce(&self, entry: &Arc<Entry>, before: &Session, wanted: Option<Next>, by: &Actor) {
        let session = entry.session();
        self.0.changes.send(Change::Changed(session.clone()));
        if let Some(event) = wanted.and_then(accepted) {
            self.record(entry, event, by.clone()).await;
        }
        if session.state.kind() == before.state.kind() {
            return;
        }
        self.home_changed(session.state.kind());
        let owner = &session.owner_name;
        match &session.state {
            State::Failed { reason } => warn!(session = %entry.id, owner, ?reason, "session.failed"),
            State::Stopped { reason } => info!(session = %entry.id, owner, ?reason, "session.stopped"),
            State::Starting { .. } | State::Ready { .. } | State::Paused { .. } | State::Stopping { .. } => {
                info!(session = %entry.id, owner, state = %session.state.kind(), "session.changed");
            }
        }
        let mut by = by.clone();
        if let (State::Stopping { reason, .. }, State::Starting { .. }) = (&before.state, &session.state) {
            // It never rests in between, and one person may have stopped it and another started it.
            if !entry.rested() {
                self.record(entry, AuditEvent::stopped(*reason), by).await;
            }
            by = entry.starter();
        }
        if let Some(event) = audited(before.state.kind(), &session.state) {
            self.record(entry, event, by).await;
        }
    }

    /// Writes what happened to a session into the audit.
    pub(super) async fn record(&self, entry: &Entry, event: AuditEvent, by: Actor) {
        self.0.audit.record(Record::new(by, event).about(entry.label.as_str())).await;
    }
}
