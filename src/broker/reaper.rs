//! The reaper: ends lapsed sessions, on its own clock.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};
use tracing::{info, warn};

use super::{Broker, BrokerError, Entry};
use crate::clock;
use crate::session::reap::{Verdict, decide};
use crate::session::{Next, State, StopReason};

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
            let verdict = decide(&entry.facts(), &self.0.settings.reap);
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
        if decide(&entry.facts(), &self.0.settings.reap) != verdict {
            return Ok(());
        }
        info!(session = %entry.id, ?verdict, "session.lapsed");
        match verdict {
            Verdict::Keep => Ok(()),
            Verdict::Freeze => self.pause(entry).await,
            Verdict::Stop(reason) => self.stop(entry, reason, Next::Rest).await,
            Verdict::Remove => self.stop(entry, StopReason::Away, Next::Remove).await,
        }
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
