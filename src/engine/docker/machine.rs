//! What the engine's machine is and how much of it is in use, as its kernel says.

use std::path::Path;
use std::time::Duration;

use procfs::{Current, CurrentSI, KernelStats, LoadAverage, Meminfo};

use crate::engine::{Addresses, EngineError, Machine, Space};
use crate::session::NodeName;

/// Looks at the machine. The addresses are the caller's to know.
///
/// # Errors
/// [`EngineError::Refused`] when `/proc` is not there or strange.
pub(super) fn look(node: &NodeName, storage: &Path, addresses: Addresses) -> Result<Machine, EngineError> {
    let unread = |error: procfs::ProcError| EngineError::Refused {
        detail: format!("the spawner cannot read /proc: {error}"),
    };
    let stats = KernelStats::current().map_err(unread)?;
    let memory = Meminfo::current().map_err(unread)?;
    let load = LoadAverage::current().map_err(unread)?;
    Ok(Machine {
        node: node.clone(),
        cores: u32::try_from(stats.cpu_time.len()).unwrap_or(u32::MAX),
        busy: busy(&stats),
        load_1m: load.one,
        memory_bytes: memory.mem_total,
        memory_available_bytes: memory.mem_available.unwrap_or(memory.mem_free),
        tasks: u64::from(load.max),
        tasks_max: tasks_max(),
        // From a container of its own the engine's folder is not seen, but that container's root lies there too.
        disk: Space::of(storage).or_else(|| Space::of(Path::new("/"))),
        addresses,
    })
}

/// All CPU time but idling and waiting for disks.
fn busy(stats: &KernelStats) -> Duration {
    let cpu = &stats.total;
    let ticks = cpu.user
        + cpu.nice
        + cpu.system
        + cpu.irq.unwrap_or_default()
        + cpu.softirq.unwrap_or_default()
        + cpu.steal.unwrap_or_default();
    let per_second = procfs::ticks_per_second().max(1);
    Duration::from_millis(ticks.saturating_mul(1000) / per_second)
}

/// The smaller of the kernel's two bounds.
fn tasks_max() -> u64 {
    let read = |name: &str| {
        let text = std::fs::read_to_string(Path::new("/proc/sys/kernel").join(name)).ok()?;
        text.trim().parse::<u64>().ok()
    };
    [read("pid_max"), read("threads-max")].into_iter().flatten().min().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_looked_at() {
        let node = NodeName("here".to_owned());
        let seen = look(&node, Path::new("/nonexistent"), Addresses::default()).unwrap();
        assert!(
            seen.cores > 0 && seen.busy > Duration::ZERO && seen.tasks > 0 && seen.tasks < seen.tasks_max
        );
        assert!(seen.memory_available_bytes < seen.memory_bytes);
        let disk = seen.disk.expect("the root stands in");
        assert!(disk.available_bytes <= disk.total_bytes && disk.total_bytes > 0);
        assert_eq!(Space::of(Path::new("/nonexistent")), None);
    }
}
