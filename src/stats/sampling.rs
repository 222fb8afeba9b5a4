//! The clock of the statistics: a sample, what it becomes, and what is written of it.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::series::{self, Track};
use super::{HOST, HOST_METRICS, HostMetric, Kept, Last, SESSION_METRICS, Stats, Usage, measures};
use crate::clock;
use crate::engine::{ContainerUse, Sample, Space};
use crate::session::{NodeName, SessionId};
use crate::store::{StatPoint, StatSpan, StoreError};
use crate::telemetry::names;

/// How often what is new is written to the store.
const WRITE_EVERY: Duration = Duration::from_secs(60);
/// Samples are taken this much after a full slot, so that each falls into its own.
const AFTER: Duration = Duration::from_millis(100);
/// Of more sessions than this no past is kept.
const MOST_SESSIONS: usize = 1000;

const HOST_PREFIX: &str = "host:";
const SESSION_PREFIX: &str = "session:";

impl Stats {
    /// Takes samples until the process stops; what is new is written then once more.
    pub async fn run_forever(self, stopping: CancellationToken) {
        if let Err(error) = self.restore().await {
            warn!(%error, "earlier statistics could not be read; the pictures begin anew");
        }
        let mut written = Instant::now();
        // At once, so that there are rates from the next one on.
        self.sample_once().await;
        while stopping.run_until_cancelled(sleep(self.until_next())).await.is_some() {
            self.sample_once().await;
            if written.elapsed() >= WRITE_EVERY {
                written = Instant::now();
                self.write().await;
            }
        }
        self.write().await;
    }

    /// Until a moment after the next full slot.
    fn until_next(&self) -> Duration {
        let every = self.0.settings.every.as_millis().max(1);
        let now = u128::try_from(clock::now().as_millisecond()).unwrap_or_default();
        let left = every - now % every;
        Duration::from_millis(u64::try_from(left).unwrap_or(1000)) + AFTER
    }

    /// Takes one sample.
    pub async fn sample_once(&self) {
        let began = Instant::now();
        let sample = self.0.sources.engine.sample().await;
        let store_disk = Space::of(&self.0.sources.store_path);
        metrics::gauge!(names::ENGINE_UP).set(if sample.is_ok() { 1.0 } else { 0.0 });
        match &sample {
            Ok(_) => metrics::histogram!(names::SAMPLE_SECONDS).record(began.elapsed().as_secs_f64()),
            // The engine's own counter and alarm tell of it.
            Err(error) => debug!(%error, "the engine was not sampled"),
        }
        self.take(sample.ok(), store_disk);
        for room in self.capacity().into_iter().flat_map(|capacity| capacity.templates) {
            let more = measures::wide(room.more);
            metrics::gauge!(names::CAPACITY_MORE, "template" => room.template).set(more);
        }
    }

    /// Takes a sample in; without one only the numbers of sessions are known.
    fn take(&self, sample: Option<Sample>, store_disk: Option<Space>) {
        let (now, time) = (Instant::now(), clock::now());
        let mut kept = self.kept();
        let kept = &mut *kept;
        let mut values = [f32::NAN; HOST];
        if let Some(sample) = sample {
            let before = kept.last.as_ref().map(|last| (&last.sample, now.duration_since(last.at)));
            let busy_cores =
                measures::busy_cores(&sample.machine, before.map(|(before, over)| (&before.machine, over)));
            values = measures::host(&sample, busy_cores, store_disk);
            let used: HashMap<SessionId, Usage> = used(&sample, before, time);
            self.take_sessions(kept, &used, time);
            tell(&sample, busy_cores, store_disk);
            kept.now = used;
            kept.last = Some(Last { at: now, time, sample, busy_cores });
        } else {
            kept.now.clear();
        }
        self.count(kept, &mut values);
        let Some(last) = &kept.last else { return };
        let node = last.sample.machine.node.clone();
        let every_s = self.every_s();
        let subject = format!("{HOST_PREFIX}{}", node.0);
        let track = kept.hosts.entry(node).or_insert_with(|| Track::new(&HOST_METRICS, every_s));
        let over = track.push(time.as_second(), &values);
        kept.fresh.extend(over.into_iter().map(|(span, point)| StatPoint {
            subject: subject.clone(),
            span,
            at: point.at,
            values: point.values.to_vec(),
        }));
    }

    /// The numbers of sessions by state, and of starts since the last time.
    fn count(&self, kept: &mut Kept, values: &mut [f32; HOST]) {
        let broker = &self.0.sources.broker;
        for (kind, count) in broker.count_by_state() {
            values[HostMetric::of_state(kind) as usize] = measures::number(count as u64);
        }
        let tally = broker.tally();
        let since = |now: u64, then: u64| measures::number(now.saturating_sub(then));
        values[HostMetric::Starts as usize] = since(tally.0, kept.tally.0);
        values[HostMetric::StartsFailed as usize] = since(tally.1, kept.tally.1);
        kept.tally = tally;
    }

    fn take_sessions(&self, kept: &mut Kept, used: &HashMap<SessionId, Usage>, time: Timestamp) {
        let broker = &self.0.sources.broker;
        let gone: Vec<SessionId> =
            kept.sessions.keys().copied().filter(|id| broker.entry(*id).is_none()).collect();
        for id in gone {
            kept.sessions.remove(&id);
            let subject = format!("{SESSION_PREFIX}{id}");
            kept.fresh.retain(|point| point.subject != subject);
            kept.gone.push(subject);
        }
        let every_s = self.every_s();
        for (id, usage) in used.iter().filter(|(id, _)| broker.entry(**id).is_some()) {
            if kept.sessions.len() >= MOST_SESSIONS && !kept.sessions.contains_key(id) {
                continue;
            }
            let track = kept.sessions.entry(*id).or_insert_with(|| Track::new(&SESSION_METRICS, every_s));
            let over = track.push(time.as_second(), &usage.values());
            kept.fresh.extend(over.into_iter().map(|(span, point)| StatPoint {
                subject: format!("{SESSION_PREFIX}{id}"),
                span,
                at: point.at,
                values: point.values.to_vec(),
            }));
        }
    }

    /// Writes what is new. What cannot be written is tried once more with the next.
    pub async fn write(&self) {
        let (fresh, gone) = {
            let mut kept = self.kept();
            (std::mem::take(&mut kept.fresh), std::mem::take(&mut kept.gone))
        };
        let now = clock::now().as_second();
        let before = StatSpan::ALL.map(|span| (span, now - series::reach(span)));
        if let Err(error) = self.0.sources.store.keep_stats(&fresh, &before, &gone).await {
            warn!(%error, "statistics could not be stored; trying again in a minute");
            let mut kept = self.kept();
            // An hour of them at most: a store that stays away must not fill the memory.
            if kept.fresh.len() < 240 * (kept.sessions.len() + 1) {
                kept.fresh.splice(0..0, fresh);
            }
            kept.gone.extend(gone);
        }
    }

    /// Reads what an earlier process wrote.
    ///
    /// # Errors
    /// The store's.
    pub async fn restore(&self) -> Result<(), StoreError> {
        let points = self.0.sources.store.stats().await?;
        let (broker, every_s) = (&self.0.sources.broker, self.every_s());
        let mut kept = self.kept();
        let kept = &mut *kept;
        // Starts from before belong to the process before.
        kept.tally = broker.tally();
        let mut unknown = HashSet::new();
        for point in points {
            let StatPoint { subject, span, at, values } = point;
            if let Some(node) = subject.strip_prefix(HOST_PREFIX) {
                let track = kept.hosts.entry(NodeName(node.to_owned()));
                let track = track.or_insert_with(|| Track::new(&HOST_METRICS, every_s));
                // Another version may have measured other things.
                row(&values).into_iter().for_each(|values| track.restore(span, series::Point { at, values }));
                continue;
            }
            let id = subject.strip_prefix(SESSION_PREFIX).and_then(|id| id.parse::<SessionId>().ok());
            let Some(id) = id.filter(|id| broker.entry(*id).is_some()) else {
                // Gone while no gateway ran.
                unknown.insert(subject);
                continue;
            };
            let track = kept.sessions.entry(id);
            let track = track.or_insert_with(|| Track::new(&SESSION_METRICS, every_s));
            row(&values).into_iter().for_each(|values| track.restore(span, series::Point { at, values }));
        }
        kept.gone.extend(unknown);
        Ok(())
    }
}

fn row<const N: usize>(values: &[f32]) -> Option<[f32; N]> {
    values.try_into().ok()
}

fn used(sample: &Sample, before: Option<(&Sample, Duration)>, time: Timestamp) -> HashMap<SessionId, Usage> {
    let earlier: HashMap<SessionId, &ContainerUse> = before
        .map(|(before, _)| before.containers.iter().map(|used| (used.session, used)).collect())
        .unwrap_or_default();
    let of = |now: &ContainerUse| {
        let before = earlier.get(&now.session).zip(before).map(|(used, (_, over))| (*used, over));
        (now.session, Usage::of(time, now, before))
    };
    sample.containers.iter().map(of).collect()
}

/// Sets the gauges.
fn tell(sample: &Sample, busy_cores: Option<f64>, store_disk: Option<Space>) {
    let machine = &sample.machine;
    let node = machine.node.0.clone();
    let set = |name: &'static str, value: f64| metrics::gauge!(name, "node" => node.clone()).set(value);
    set(names::HOST_CORES, f64::from(machine.cores));
    if let Some(busy) = busy_cores {
        set(names::HOST_BUSY_CORES, busy);
    }
    set(names::HOST_MEMORY_BYTES, measures::wide(machine.memory_bytes));
    set(names::HOST_MEMORY_AVAILABLE_BYTES, measures::wide(machine.memory_available_bytes));
    set(names::HOST_LOAD, f64::from(machine.load_1m));
    set(names::HOST_CONTAINERS, measures::wide(sample.containers.len() as u64));
    for (disk, space) in [("engine", machine.disk), ("store", store_disk)] {
        let Some(space) = space else { continue };
        let set = |name: &'static str, bytes: u64| {
            metrics::gauge!(name, "node" => node.clone(), "disk" => disk).set(measures::wide(bytes));
        };
        set(names::DISK_BYTES, space.total_bytes);
        set(names::DISK_AVAILABLE_BYTES, space.available_bytes);
    }
}
