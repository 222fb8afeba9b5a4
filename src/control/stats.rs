//! Statistics and capacity as the command line shows them.

use serde::{Deserialize, Serialize};

use super::{Performer, Reply};
use crate::stats::{Host, HostMetric, Stats, Usage};
use crate::store::StatSpan;

/// A machine as of the last sample, and what it did in the last hour.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct HostRow {
    pub node: String,
    /// Percent of all cores; `None` while there is only one sample.
    pub cpu_percent: Option<f32>,
    pub load_1m: Option<f32>,
    pub memory_used_bytes: Option<f32>,
    pub memory_bytes: Option<f32>,
    /// Of the engine's storage.
    pub disk_used_bytes: Option<f32>,
    pub disk_bytes: Option<f32>,
    pub store_disk_used_bytes: Option<f32>,
    pub store_disk_bytes: Option<f32>,
    pub processes: Option<f32>,
    pub containers: Option<f32>,
    pub sessions_ready: Option<f32>,
    /// In the last hour.
    pub starts: f32,
    /// In the last hour.
    pub starts_failed: f32,
}

/// What one session uses.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct UseRow {
    pub label: String,
    pub owner: String,
    pub template: String,
    pub state: String,
    pub usage: Usage,
}

impl HostRow {
    fn of(host: &Host) -> Self {
        let last = |metric: HostMetric| host.series.last(metric as usize);
        let sum = |metric: HostMetric| {
            host.series.column(metric as usize).into_iter().filter(|value| value.is_finite()).sum()
        };
        Self {
            node: host.node.0.clone(),
            cpu_percent: last(HostMetric::Cpu),
            load_1m: last(HostMetric::Load),
            memory_used_bytes: last(HostMetric::MemoryUsed),
            memory_bytes: last(HostMetric::MemoryTotal),
            disk_used_bytes: last(HostMetric::DiskUsed),
            disk_bytes: last(HostMetric::DiskTotal),
            store_disk_used_bytes: last(HostMetric::StoreDiskUsed),
            store_disk_bytes: last(HostMetric::StoreDiskTotal),
            processes: last(HostMetric::Tasks),
            containers: last(HostMetric::Containers),
            sessions_ready: last(HostMetric::Ready),
            starts: sum(HostMetric::Starts),
            starts_failed: sum(HostMetric::StartsFailed),
        }
    }
}

/// The machines, and the sessions that run, the busiest first.
pub(super) fn list(performer: &Performer) -> Reply {
    let (Some(stats), Some(broker)) = (&performer.stats, &performer.broker) else { return nothing() };
    let row = |entry: &std::sync::Arc<crate::broker::Entry>| {
        let (session, usage) = (entry.session(), stats.usage(entry.id)?);
        Some(UseRow {
            label: session.label.to_string(),
            owner: session.owner_name.clone(),
            template: session.template.to_string(),
            state: session.state.kind().name().to_owned(),
            usage,
        })
    };
    let mut sessions: Vec<UseRow> = broker.entries().iter().filter_map(row).collect();
    let cpu = |row: &UseRow| row.usage.cpu_percent.unwrap_or_default();
    sessions.sort_by(|one, other| cpu(other).total_cmp(&cpu(one)));
    Reply::Stats { hosts: stats.hosts(StatSpan::Hour).iter().map(HostRow::of).collect(), sessions }
}

/// What there is room for.
pub(super) fn capacity(performer: &Performer) -> Reply {
    match performer.stats.as_ref().and_then(Stats::capacity) {
        Some(capacity) => Reply::Capacity { capacity },
        None => nothing(),
    }
}

fn nothing() -> Reply {
    Reply::Refused {
        code: "not_sampled".to_owned(),
        text: "the machine was not looked at yet; try again in a moment".to_owned(),
    }
}
