//! A start, from the queue to a reachable upstream.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::FutureExt;
use tokio::time::{Instant, timeout};
use tracing::{info, warn};

use super::readiness::{self, Unready};
use super::record::fail_reason;
use super::{Broker, BrokerError, Entry};
use crate::audit::Actor;
use crate::clock;
use crate::engine::{EngineError, StartOrder};
use crate::session::{Event, FailReason, Phase, State, Upstream};
use crate::telemetry::names;

impl Broker {
    /// Runs the start that was just applied, unless a stop overtakes it. One at a time per
    /// session: the work lock is held throughout.
    pub(super) async fn launch(&self, entry: &Arc<Entry>) {
        let work = entry.work.lock().await;
        let epoch = entry.session().epoch;
        if !matches!(entry.session().state, State::Starting { .. }) {
            return;
        }
        let outcome = tokio::select! {
            biased;
            () = left_start(entry, epoch) => return,
            outcome = AssertUnwindSafe(self.run_start(entry)).catch_unwind() => {
                outcome.unwrap_or(Err(FailReason::Internal))
            }
        };
        match outcome {
            Ok(upstream) => self.reached(entry, upstream).await,
            Err(reason) => self.give_up(entry, reason).await,
        }
        drop(work);
    }

    async fn run_start(&self, entry: &Arc<Entry>) -> Result<Upstream, FailReason> {
        let settings = &self.0.settings;
        let template = entry.template.clone().ok_or(FailReason::TemplateGone)?;
        let slot = timeout(settings.queue_deadline, self.0.queue.enter(entry.id)).await;
        let _slot = slot.map_err(|_| FailReason::Deadline { phase: Phase::Queued })?;
        let began = Instant::now();

        self.enter(entry, Phase::Creating).await?;
        let session = entry.session();
        let order = StartOrder {
            installation: self.0.store.installation(),
            session: entry.id,
            owner: entry.owner,
            owner_name: session.owner_name.clone(),
            template: session.template.clone(),
            title: session.name.clone(),
            language: session.language,
            epoch: session.epoch,
            secret: session.secret.clone(),
        };
        let started = timeout(settings.start_deadline, self.0.engine.start(&order))
            .await
            .map_err(|_| FailReason::Deadline { phase: Phase::Creating })?
            .map_err(fail_reason)?;
        entry.set_image(Some(&started.image));
        self.judge_image(entry);

        self.enter(entry, Phase::Booting).await?;
        let secret = session.secret.expose();
        let ready = readiness::wait(&*self.0.engine, &started.upstream, template.protocol, secret);
        match timeout(settings.start_deadline, self.or_ended(entry, ready)).await {
            Ok(Ok(())) => {}
            Ok(Err(unready)) => return Err(self.why_unready(entry, unready).await),
            Err(_) => return Err(FailReason::Deadline { phase: Phase::Booting }),
        }
        self.0.queue.learn(began.elapsed());
        info!(session = %entry.id, duration_ms = began.elapsed().as_millis(), "session.started");
        Ok(started.upstream)
    }

    /// Waits for readiness, but gives up as soon as the container is found to have ended.
    async fn or_ended(
        &self,
        entry: &Arc<Entry>,
        ready: impl Future<Output = Result<(), Unready>>,
    ) -> Result<(), Unready> {
        tokio::select! {
            ready = ready => ready,
            () = self.container_ended(entry) => Err(EngineError::Gone.into()),
        }
    }

    /// Returns when the engine lists the session's container as ended; asks once a second,
    /// because an ended container refuses connections just like one that is not ready yet.
    async fn container_ended(&self, entry: &Arc<Entry>) {
        loop {
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            if let Ok(containers) = self.0.engine.list().await {
                let found = containers.iter().find(|container| container.session == entry.id);
                if found.is_none_or(|container| container.status == crate::engine::ContainerStatus::Exited) {
                    return;
                }
            }
        }
    }

    async fn why_unready(&self, entry: &Arc<Entry>, unready: Unready) -> FailReason {
        match unready {
            Unready::Unproven(why) => {
                warn!(session = %entry.id, why, "an upstream did not prove itself");
                FailReason::Unproven
            }
            Unready::Engine(EngineError::Gone) => {
                let output = self.0.engine.output(entry.id).await.unwrap_or_default();
                FailReason::Exited { code: None, output }
            }
            Unready::Engine(error) => fail_reason(error),
            Unready::Io(error) => FailReason::Engine { detail: error.to_string() },
        }
    }

    async fn enter(&self, entry: &Arc<Entry>, phase: Phase) -> Result<(), FailReason> {
        // A start that is taken up again after a restart of the gateway may be in this phase already.
        if matches!(entry.session().state, State::Starting { phase: now, .. } if now >= phase) {
            return Ok(());
        }
        let deadline = clock::later(clock::now(), self.0.settings.start_deadline);
        match self.apply(entry, Event::Enter { phase, deadline }, &Actor::system()).await {
            Ok(_) => Ok(()),
            // A stop overtook the start; `launch` sees that and returns.
            Err(BrokerError::Illegal(_)) => std::future::pending().await,
            Err(error) => {
                warn!(session = %entry.id, %error, "a start could not be recorded");
                Err(FailReason::Internal)
            }
        }
    }

    async fn reached(&self, entry: &Arc<Entry>, upstream: Upstream) {
        let asked = clock::since(entry.session().state_since);
        metrics::counter!(names::STARTS).increment(1);
        self.0.starts[0].fetch_add(1, Ordering::Relaxed);
        metrics::histogram!(names::START_SECONDS).record(asked.as_secs_f64());
        if let Err(error) = self.apply(entry, Event::Reached { upstream }, &Actor::system()).await {
            warn!(session = %entry.id, %error, "a reachable session could not be recorded");
        }
    }

    /// Cleans up first, then tells: whoever tries again finds nothing in the way.
    async fn give_up(&self, entry: &Arc<Entry>, reason: FailReason) {
        metrics::counter!(names::STARTS_FAILED, "code" => reason.code()).increment(1);
        self.0.starts[1].fetch_add(1, Ordering::Relaxed);
        // A container that was reachable once may hold work outside the home: stop, not remove.
        let cleaned = match entry.session().ready_at {
            None => self.0.engine.remove(entry.id).await,
            Some(_) => self.0.engine.stop(entry.id, self.0.settings.stop_grace).await,
        };
        if let Err(error) = cleaned {
            warn!(session = %entry.id, %error, "a failed start was not cleaned up yet; the reconciler will");
        }
        if let Err(error) = self.apply(entry, Event::Fail { reason }, &Actor::system()).await {
            warn!(session = %entry.id, %error, "a failed start could not be recorded");
        }
    }
}

/// Returns when the session is no longer in the start of this epoch.
async fn left_start(entry: &Entry, epoch: u64) {
    let mut watch = entry.watch();
    let left = watch
        .wait_for(|session| !matches!(session.state, State::Starting { .. }) || session.epoch != epoch)
        .await;
    drop(left);
}
