//! What is measured: the values of a machine and of a session, and how they come from samples.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::series::{Fold, Metric};
use super::{HOST, SESSION};
use crate::capacity;
use crate::engine::{ContainerUse, Machine, Places, Sample, Space};
use crate::session::StateKind;

/// What is kept of a machine, in this order.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[allow(missing_docs, reason = "HOST_METRICS names them")]
pub enum HostMetric {
    Cpu,
    MemoryUsed,
    MemoryTotal,
    Load,
    DiskUsed,
    DiskTotal,
    StoreDiskUsed,
    StoreDiskTotal,
    Tasks,
    Containers,
    Starting,
    Ready,
    Paused,
    Stopping,
    Stopped,
    Failed,
    Starts,
    StartsFailed,
}

impl HostMetric {
    /// How many there are.
    pub const COUNT: usize = Self::StartsFailed as usize + 1;

    /// The number of sessions in a state.
    #[must_use]
    pub fn of_state(kind: StateKind) -> Self {
        match kind {
            StateKind::Starting => Self::Starting,
            StateKind::Ready => Self::Ready,
            StateKind::Paused => Self::Paused,
            StateKind::Stopping => Self::Stopping,
            StateKind::Stopped => Self::Stopped,
            StateKind::Failed => Self::Failed,
        }
    }
}

/// Their names, units, and how several become one.
pub const HOST_METRICS: [Metric; HOST] = [
    level("cpu", "percent"),
    level("memory_used", "bytes"),
    level("memory_total", "bytes"),
    level("load_1m", "tasks"),
    level("disk_used", "bytes"),
    level("disk_total", "bytes"),
    level("store_disk_used", "bytes"),
    level("store_disk_total", "bytes"),
    level("processes", "processes"),
    level("containers", "containers"),
    level("sessions_starting", "sessions"),
    level("sessions_ready", "sessions"),
    level("sessions_paused", "sessions"),
    level("sessions_stopping", "sessions"),
    level("sessions_stopped", "sessions"),
    level("sessions_failed", "sessions"),
    count("starts", "starts"),
    count("starts_failed", "starts"),
];

/// What is kept of a session, in this order.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[allow(missing_docs, reason = "SESSION_METRICS names them")]
pub enum SessionMetric {
    Cpu,
    Memory,
    Tasks,
    Read,
    Written,
    Received,
    Sent,
}

impl SessionMetric {
    /// How many there are.
    pub const COUNT: usize = Self::Sent as usize + 1;
}

/// Their names, units, and how several become one. A session's CPU is in percent of one core.
pub const SESSION_METRICS: [Metric; SESSION] = [
    level("cpu", "percent_of_a_core"),
    level("memory", "bytes"),
    level("processes", "processes"),
    level("disk_read", "bytes_per_second"),
    level("disk_written", "bytes_per_second"),
    level("network_received", "bytes_per_second"),
    level("network_sent", "bytes_per_second"),
];

const fn level(name: &'static str, unit: &'static str) -> Metric {
    Metric { name, unit, fold: Fold::Mean }
}

const fn count(name: &'static str, unit: &'static str) -> Metric {
    Metric { name, unit, fold: Fold::Sum }
}

/// What a session uses, as of the last sample.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Usage {
    /// When that was.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Percent of one core since the sample before; `null` at the first.
    pub cpu_percent: Option<f32>,
    /// Memory in bytes.
    pub memory_bytes: u64,
    /// Processes and threads.
    pub processes: u64,
    /// Bytes per second read from disks; `null` where it is not counted.
    pub disk_read: Option<f32>,
    /// Bytes per second written to disks.
    pub disk_written: Option<f32>,
    /// Bytes per second received over its network.
    pub network_received: Option<f32>,
    /// Bytes per second sent over its network.
    pub network_sent: Option<f32>,
}

impl Usage {
    /// From this sample and the one before, which is so long ago.
    pub(super) fn of(at: Timestamp, now: &ContainerUse, before: Option<(&ContainerUse, Duration)>) -> Self {
        // A container that was started again counts from zero: nothing can be said of what lies between.
        let before = before.filter(|(before, over)| now.cpu >= before.cpu && !over.is_zero());
        let rate = |of: fn(&ContainerUse) -> Option<u64>| {
            let (before, over) = before?;
            Some(per_second(of(now)?.checked_sub(of(before)?)?, over))
        };
        let cpu = before.map(|(before, over)| share(now.cpu - before.cpu, over) * 100.0);
        Self {
            at,
            cpu_percent: cpu.map(small),
            memory_bytes: now.memory_bytes,
            processes: now.tasks,
            disk_read: rate(|used| used.read_bytes),
            disk_written: rate(|used| used.written_bytes),
            network_received: rate(|used| used.received_bytes),
            network_sent: rate(|used| used.sent_bytes),
        }
    }

    pub(super) fn values(&self) -> [f32; SESSION] {
        let or_gap = |value: Option<f32>| value.unwrap_or(f32::NAN);
        [
            or_gap(self.cpu_percent),
            number(self.memory_bytes),
            number(self.processes),
            or_gap(self.disk_read),
            or_gap(self.disk_written),
            or_gap(self.network_received),
            or_gap(self.network_sent),
        ]
    }
}

/// The machine's CPU in cores between two samples.
pub(super) fn busy_cores(now: &Machine, before: Option<(&Machine, Duration)>) -> Option<f64> {
    let (before, over) = before.filter(|(_, over)| !over.is_zero())?;
    // A machine that came up again counts from zero.
    Some(share(now.busy.checked_sub(before.busy)?, over).min(f64::from(now.cores)))
}

/// Everything of a machine but the numbers of sessions and starts.
pub(super) fn host(sample: &Sample, busy_cores: Option<f64>, store_disk: Option<Space>) -> [f32; HOST] {
    use HostMetric as M;
    let machine = &sample.machine;
    let mut values = [f32::NAN; HOST];
    let mut set = |metric: HostMetric, value: f32| values[metric as usize] = value;
    set(M::Cpu, busy_cores.map_or(f32::NAN, |busy| small(busy / f64::from(machine.cores.max(1)) * 100.0)));
    set(M::MemoryUsed, number(machine.memory_bytes.saturating_sub(machine.memory_available_bytes)));
    set(M::MemoryTotal, number(machine.memory_bytes));
    set(M::Load, machine.load_1m);
    set(M::Tasks, number(machine.tasks));
    set(M::Containers, number(sample.containers.len() as u64));
    for (disk, used, total) in
        [(machine.disk, M::DiskUsed, M::DiskTotal), (store_disk, M::StoreDiskUsed, M::StoreDiskTotal)]
    {
        if let Some(disk) = disk {
            set(used, number(disk.used_bytes()));
            set(total, number(disk.total_bytes));
        }
    }
    values
}

/// The machine in the words of [`capacity`].
pub(super) fn machine(sample: &Sample, busy_cores: Option<f64>, max_sessions: usize) -> capacity::Machine {
    let machine = &sample.machine;
    let sum = |of: fn(&ContainerUse) -> u64| sample.containers.iter().map(of).sum::<u64>();
    let used = machine.memory_bytes.saturating_sub(machine.memory_available_bytes);
    let places = |places: Places| (wide(places.total), wide(places.taken));
    capacity::Machine {
        cores: f64::from(machine.cores),
        busy_cores,
        memory: (wide(machine.memory_bytes), wide(used), wide(sum(|used| used.memory_bytes))),
        pids: (wide(machine.tasks_max), wide(machine.tasks), wide(sum(|used| used.tasks))),
        disk: machine.disk.map(|disk| (wide(disk.total_bytes), wide(disk.used_bytes()))),
        addresses: [machine.addresses.internal, machine.addresses.egress, machine.addresses.own].map(places),
        max_sessions,
    }
}

fn share(of: Duration, over: Duration) -> f64 {
    of.as_secs_f64() / over.as_secs_f64()
}

fn per_second(bytes: u64, over: Duration) -> f32 {
    small(wide(bytes) / over.as_secs_f64())
}

/// A picture needs no more digits.
#[allow(clippy::cast_possible_truncation)]
fn small(number: f64) -> f32 {
    number as f32
}

/// Seven digits are enough for a picture.
#[allow(clippy::cast_precision_loss)]
pub(super) fn number(number: u64) -> f32 {
    number as f32
}

/// Exact up to eight pebibytes.
#[allow(clippy::cast_precision_loss)]
pub(super) fn wide(number: u64) -> f64 {
    number as f64
}
