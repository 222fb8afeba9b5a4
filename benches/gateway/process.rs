//! Processes that are measured: started on a core of their own where that can be, asked for their
//! CPU and memory in `/proc`, ended with the bench.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The core of whatever is measured, and the one of load and upstreams.
const MEASURED: &str = "0";
const REST: &str = "1";

/// What the kernel counts CPU time in, in every Linux user space.
const TICKS_PER_SECOND: u64 = 100;

/// A child process, killed when dropped.
#[derive(Debug)]
pub struct Process(Child);

impl Process {
    /// Starts a program in `folder`; what it prints goes to `<name>.log` there.
    pub fn start(name: &str, program: &Path, arguments: &[&str], folder: &Path, pinned: bool) -> Self {
        let log = fs::File::create(folder.join(format!("{name}.log"))).expect("the bench's own directory");
        let mut command = if pinned {
            let mut command = Command::new("taskset");
            command.args(["-c", MEASURED]).arg(program);
            command
        } else {
            Command::new(program)
        };
        let child = command
            .args(arguments)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a file handle"))
            .stderr(log)
            .spawn()
            .expect("a program that was found");
        Self(child)
    }

    /// CPU of all its threads so far, ended ones included: user and system.
    pub fn cpu(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0.id())).unwrap_or_default();
        // The name in parentheses may contain anything; the times are fields 14 and 15 (proc_pid_stat(5)).
        let after_name = stat.rsplit(") ").next().unwrap_or_default();
        let ticks: u64 =
            after_name.split(' ').skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
        Duration::from_millis(ticks * 1_000 / TICKS_PER_SECOND)
    }

    /// Resident memory in KiB.
    pub fn resident(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.and_then(|line| line.trim().split(' ').next()?.parse().ok()).unwrap_or(0)
    }

    /// Whether it still runs.
    pub fn is_alive(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(None))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Moves this process to its core; whether that worked. Call it before there are threads.
pub fn pin_self() -> bool {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let pid = std::process::id().to_string();
    cores > 1
        && Command::new("taskset")
            .args(["-c", "-p", REST, &pid])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
}

/// How many viewers the limit of open files allows: two descriptors each, here and in the gateway.
pub fn affordable_viewers() -> usize {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap_or_default();
    let limit = line.split_whitespace().next().and_then(|soft| soft.parse().ok()).unwrap_or(1024_usize);
    (limit / 2).saturating_sub(100)
}
