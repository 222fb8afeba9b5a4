//! How full homes are: looked at in the background, a few at a time, never on the way of a request.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use tracing::warn;

use super::{Broker, Change, Entry};
use crate::clock;
use crate::engine::home::MOST_MEASURED;
use crate::engine::{EngineError, HomeOrder};
use crate::session::{Home, HomeKey, HomeLevel, HomeUse};
use crate::telemetry::names;

/// How long changes are collected before homes are looked at: a class comes and goes together.
const COLLECT: Duration = Duration::from_secs(2);

/// What the last look at a home found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// How full it was; `None` if it is not there yet or could not be read in time.
    pub usage: Option<HomeUse>,
    /// When that was.
    pub at: Timestamp,
}

/// A session's home as pages and the API show it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HomeView {
    /// What becomes of its files.
    pub kind: Home,
    /// How full it was when last looked at.
    pub usage: Option<HomeUse>,
    /// How urgent it is to make room; `Fine` while nothing is known.
    pub level: HomeLevel,
    /// When it was last looked at.
    pub measured_at: Option<Timestamp>,
}

impl Broker {
    /// A session's home and how full it is; `None` if it has none. No engine is asked.
    #[must_use]
    pub fn home(&self, entry: &Entry) -> Option<HomeView> {
        let kind = entry.template.as_ref()?.home;
        let known = self.0.homes.known.get(&entry.home_key()?).map(|known| *known);
        let usage = known.and_then(|known| known.usage);
        Some(HomeView { kind, usage, level: self.level(usage), measured_at: known.map(|known| known.at) })
    }

    fn level(&self, usage: Option<HomeUse>) -> HomeLevel {
        usage.map_or(HomeLevel::Fine, |usage| usage.level(self.0.settings.homes.warn_percent))
    }

    /// Measures homes until the process stops: those in use every `measure_s`, and every home soon
    /// after its session began or ended.
    pub async fn measure_homes_forever(self) {
        let stopping = self.0.tasks.stopping();
        let mut ticks = interval(self.0.settings.homes.measure_every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let again = tokio::select! {
                () = stopping.cancelled() => return,
                _ = ticks.tick() => true,
                () = self.0.homes.wanted.notified() => false,
            };
            if !again && stopping.run_until_cancelled(sleep(COLLECT)).await.is_none() {
                return;
            }
            let round = async { self.measure_homes(again).await };
            match stopping.run_until_cancelled(round).await {
                Some(Ok(())) => {}
                Some(Err(error)) => warn!(%error, "homes could not be measured"),
                None => return,
            }
        }
    }

    /// Measures every home that was not looked at since its session changed its state and, if
    /// `again`, every home in use.
    ///
    /// # Errors
    /// The engine's last one; what could be measured is known.
    pub async fn measure_homes(&self, again: bool) -> Result<(), EngineError> {
        let mut due: Vec<HomeOrder> = Vec::new();
        for entry in self.entries() {
            if let Some(home) = self.home_order(&entry).filter(|home| self.is_due(&entry, home.key, again))
                && due.iter().all(|other| other.key != home.key)
            {
                due.push(home);
            }
        }
        let mut failed = None;
        for few in due.chunks(MOST_MEASURED) {
            let began = Instant::now();
            let found = match self.0.engine.measure_homes(few).await {
                Ok(found) => found,
                Err(error) => {
                    failed = Some(error);
                    continue;
                }
            };
            metrics::histogram!(names::HOME_MEASURE_SECONDS).record(began.elapsed().as_secs_f64());
            for (home, usage) in few.iter().zip(found) {
                self.learn(home.key, usage);
            }
        }
        self.count_homes();
        failed.map_or(Ok(()), Err)
    }

    fn is_due(&self, entry: &Entry, key: HomeKey, again: bool) -> bool {
        let session = entry.session();
        let used = session.state.occupies();
        match self.0.homes.known.get(&key) {
            None => used || session.ready_at.is_some(),
            Some(known) => (again && used) || known.at < session.state_since,
        }
    }

    /// Takes a measurement in, and tells followers where it changes what they see.
    fn learn(&self, key: HomeKey, usage: Option<HomeUse>) {
        let before = self.0.homes.known.insert(key, Measured { usage, at: clock::now() });
        if before.and_then(|before| before.usage) == usage {
            return;
        }
        for entry in self.0.by_id.iter().map(|entry| entry.clone()).collect::<Vec<Arc<Entry>>>() {
            if entry.home_key() == Some(key) {
                self.0.changes.send(Change::Changed(entry.session()));
            }
        }
    }

    fn count_homes(&self) {
        let uses: Vec<_> = self.0.homes.known.iter().filter_map(|known| known.usage).collect();
        for level in HomeLevel::ALL {
            let count = uses.iter().filter(|usage| self.level(Some(**usage)) == level).count();
            let count = u32::try_from(count).unwrap_or(u32::MAX);
            metrics::gauge!(names::HOMES, "level" => level.name()).set(f64::from(count));
        }
        let bytes = uses.iter().map(|usage| usage.used_bytes).fold(0, u64::saturating_add);
        metrics::gauge!(names::HOME_BYTES).set(gauge(bytes));
    }
}

/// Bytes as a gauge's value; exact up to eight pebibytes.
#[allow(clippy::cast_precision_loss)]
fn gauge(bytes: u64) -> f64 {
    bytes as f64
}
