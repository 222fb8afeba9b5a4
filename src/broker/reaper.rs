//! The reaper: ends lapsed sessions, on its own clock.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};
use tracing::{info, warn};

use super::load::Rhythm;
use super::{Broker, BrokerError, Entry};
use crate::audit::Actor;
use crate::clock;
use crate::session::reap::{Verdict, decide, unused_for};
use crate::session::{Next, State, StateKind, StopReason};

/// Time between two passes; also the precision of every limit.
const TICK: Duration = Duration::from_secs(1);

/// How often the last input is stored, so that it survives the gateway.
const STORE_INPUT_EVERY: Duration = Duration::from_secs(60);

impl Broker {
    /// Runs the reaper until the process stops.
    pub async fn reap_forever(self) {
        let stopping = self.0.tasks.stopping();
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut stored = Instant::now();
        loop {
            tokio::select! {
                () = stopping.cancelled() => return,
                _ = ticks.tick() => self.reap().await,
            }
            if stored.elapsed() >= STORE_INPUT_EVERY {
                stored = Instant::now();
                self.store_inputs().await;
            }
        }
    }

    /// One pass over all sessions.
    pub async fn reap(&self) {
        for entry in self.0.by_id.iter().map(|entry| entry.clone()).collect::<Vec<_>>() {
            self.watch_load(&entry);
            let verdict = decide(&entry.facts(), &entry.policy);
            // A session that is being started, stopped or resumed right now is left alone.
            if verdict == Verdict::Keep || entry.work.try_lock().is_err() {
                continue;
            }
            // Apart from this pass: an engine that hangs over one session must not keep the rest.
            let broker = self.clone();
            self.0.tasks.spawn("reap", async move {
                // The next pass decides afresh; a state that changed meanwhile is no failure.
                match broker.carry_out(&entry, verdict).await {
                    Ok(()) | Err(BrokerError::Illegal(_)) => {}
                    Err(error) => {
                        warn!(session = %entry.id, %error, "a lapsed session could not be ended yet")
                    }
                }
            });
        }
    }

    async fn carry_out(&self, entry: &Arc<Entry>, verdict: Verdict) -> Result<(), BrokerError> {
        // Somebody may have come back since the pass looked.
        if decide(&entry.facts(), &entry.policy) != verdict {
            return Ok(());
        }
        info!(session = %entry.id, ?verdict, "session.lapsed");
        match verdict {
            Verdict::Keep => Ok(()),
            Verdict::Freeze => self.pause(entry, &Actor::system()).await,
            Verdict::Stop(reason) => self.stop(entry, reason, Next::Rest, &Actor::system()).await,
            Verdict::Remove => self.stop(entry, StopReason::Away, Next::Remove, &Actor::system()).await,
        }
    }

    /// Asks how hard a session's container works, if its template wants to know and its limit is
    /// near; forgets what was known when somebody is back.
    fn watch_load(&self, entry: &Arc<Entry>) {
        let Some(rhythm) = Rhythm::of(&entry.policy) else { return };
        let facts = entry.facts();
        let near = unused_for(&facts, &entry.policy).remaining <= rhythm.window;
        let mut load = entry.load.lock().expect("no code panics while it holds this lock");
        if facts.state != StateKind::Ready || !near {
            load.clear();
            return;
        }
        if !load.is_due(Instant::now(), rhythm) {
            return;
        }
        let (engine, entry) = (self.0.engine.clone(), entry.clone());
        // Apart from this pass, like everything that asks the engine. Without an answer a session
        // counts as idle.
        self.0.tasks.spawn("load", async move {
            match engine.stats(entry.id).await {
                Ok(stats) => {
                    let mut load = entry.load.lock().expect("no code panics while it holds this lock");
                    load.note(Instant::now(), stats.cpu, rhythm);
                }
                Err(error) => warn!(session = %entry.id, %error, "the use of a container is not known"),
            }
        });
    }

    /// Stores the last input of reachable sessions whose record is out of date.
    async fn store_inputs(&self) {
        for entry in self.0.by_id.iter().map(|entry| entry.clone()).collect::<Vec<_>>() {
            let _turn = entry.turn.lock().await;
            let before = entry.session();
            let (ago, source) = entry.last_input();
            let at = clock::earlier(clock::now(), ago);
            let fresh = at.zip(before.last_input_at).is_none_or(|(at, stored)| at > stored);
            if !matches!(before.state, State::Ready { .. }) || !fresh || ago > STORE_INPUT_EVERY {
                continue;
            }
            let mut session = (*before).clone();
            session.last_input_at = at;
            session.last_input_source = Some(source);
            if let Err(error) = self.save(&entry, session, false).await {
                warn!(session = %entry.id, %error, "the last input could not be stored");
            }
        }
    }
}
