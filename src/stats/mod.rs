//! Statistics: what the machine and every session use, over time.
//!
//! Every `stats.every_s` one question to the engine ([`Engine::sample`]) brings everything; differences of two
//! samples become rates. What is kept is bounded ([`series`]) and written to the store once a minute, so that a
//! restart goes on with the same pictures. Edges read; nobody is changed by it.

mod measures;
mod sampling;
pub mod series;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

pub use self::measures::{HOST_METRICS, HostMetric, SESSION_METRICS, SessionMetric, Usage};
use self::series::{Series, Track};
use crate::broker::Broker;
use crate::capacity::{self, Capacity};
use crate::clock;
use crate::engine::{Engine, Machine, Sample};
use crate::session::{NodeName, SessionId, Template};
use crate::store::{StatPoint, StatSpan, Store};

/// How many values are kept of a machine at a time.
pub const HOST: usize = HostMetric::COUNT;
/// How many values are kept of a session at a time.
pub const SESSION: usize = SessionMetric::COUNT;

/// How statistics are taken: `[stats]`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Settings {
    /// Between two samples. Default 15 s.
    pub every: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self { every: Duration::from_secs(15) }
    }
}

/// What statistics are made of and where they are kept.
#[derive(Clone)]
pub struct Sources {
    /// Knows the sessions.
    pub broker: Broker,
    /// Knows what they use.
    pub engine: Arc<dyn Engine>,
    /// Keeps the pictures over a restart.
    pub store: Arc<dyn Store>,
    /// A path on the disk of the store.
    pub store_path: PathBuf,
}

/// The statistics of one gateway. Clones share them.
#[derive(Clone)]
pub struct Stats(Arc<Inner>);

struct Inner {
    sources: Sources,
    settings: Settings,
    capacity: capacity::Settings,
    /// Never locked over an `.await`.
    kept: Mutex<Kept>,
}

/// Everything that is remembered.
#[derive(Default)]
struct Kept {
    hosts: BTreeMap<NodeName, Track<HOST>>,
    sessions: HashMap<SessionId, Track<SESSION>>,
    last: Option<Last>,
    /// Use by session as of the last sample.
    now: HashMap<SessionId, Usage>,
    /// Starts and failed starts as of the last sample.
    tally: (u64, u64),
    /// Not written to the store yet.
    fresh: Vec<StatPoint>,
    /// Sessions that are gone since the last writing.
    gone: Vec<String>,
}

/// The last sample.
struct Last {
    at: Instant,
    time: Timestamp,
    sample: Sample,
    /// The machine's use in cores since the sample before.
    busy_cores: Option<f64>,
}

/// A machine over time.
#[derive(Clone, Debug)]
pub struct Host {
    /// Which.
    pub node: NodeName,
    /// Its values.
    pub series: Series<HOST>,
    /// Its values as of the last sample; not a number where nothing was measured then.
    pub now: [f32; HOST],
}

impl Host {
    /// A value as of the last sample.
    #[must_use]
    pub fn last(&self, metric: HostMetric) -> Option<f32> {
        Some(self.now[metric as usize]).filter(|value| value.is_finite())
    }
}

impl Stats {
    /// Statistics that begin empty; see [`Stats::run_forever`].
    #[must_use]
    pub fn new(sources: Sources, settings: Settings, capacity: capacity::Settings) -> Self {
        Self(Arc::new(Inner { sources, settings, capacity, kept: Mutex::default() }))
    }

    /// Between two samples.
    #[must_use]
    pub fn every(&self) -> Duration {
        self.0.settings.every
    }

    /// Every machine over a span.
    #[must_use]
    pub fn hosts(&self, span: StatSpan) -> Vec<Host> {
        let now = clock::now().as_second();
        let of = |(node, track): (&NodeName, &Track<HOST>)| Host {
            node: node.clone(),
            series: track.series(span, now),
            now: track.latest(),
        };
        self.kept().hosts.iter().map(of).collect()
    }

    /// A session over a span; `None` while nothing is known of it.
    #[must_use]
    pub fn session(&self, id: SessionId, span: StatSpan) -> Option<Series<SESSION>> {
        Some(self.kept().sessions.get(&id)?.series(span, clock::now().as_second()))
    }

    /// What a session used as of the last sample; `None` while it does not run.
    #[must_use]
    pub fn usage(&self, id: SessionId) -> Option<Usage> {
        self.kept().now.get(&id).copied()
    }

    /// The machine as of the last sample, and when that was.
    #[must_use]
    pub fn machine(&self) -> Option<(Machine, Timestamp)> {
        self.kept().last.as_ref().map(|last| (last.sample.machine.clone(), last.time))
    }

    /// What there is room for as of the last sample; `None` while there was none.
    #[must_use]
    pub fn capacity(&self) -> Option<Capacity> {
        let broker = &self.0.sources.broker;
        let machine = {
            let kept = self.kept();
            let last = kept.last.as_ref()?;
            measures::machine(&last.sample, last.busy_cores, broker.settings().max_sessions)
        };
        let entries = broker.entries();
        let sessions: Vec<_> = entries.iter().map(|entry| (entry, entry.session().state.clone())).collect();
        let occupying: Vec<(&Template, _)> = sessions
            .iter()
            .filter(|(_, state)| state.occupies())
            .filter_map(|(entry, state)| Some((entry.template.as_deref()?, state.kind())))
            .collect();
        let templates = broker.templates().values().map(AsRef::as_ref);
        Some(capacity::compute(&machine, &self.0.capacity, &occupying, templates))
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn every_s(&self) -> i64 {
        i64::try_from(self.0.settings.every.as_secs()).unwrap_or(i64::MAX)
    }
}

impl std::fmt::Debug for Stats {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stats").field("settings", &self.0.settings).finish_non_exhaustive()
    }
}
