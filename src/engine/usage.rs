//! What an engine's machine and its containers use at one moment.
//!
//! Times and bytes count up from some start, so that rates are differences of two samples; a container
//! that was started again counts from zero.

use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::session::{NodeName, SessionId};

/// Everything that one question brings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// The machine.
    pub machine: Machine,
    /// Every container of this installation that runs or is frozen.
    pub containers: Vec<ContainerUse>,
}

/// A machine that runs containers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// Its name.
    pub node: NodeName,
    /// Its cores.
    pub cores: u32,
    /// CPU time that all cores together have spent on work since the machine came up.
    pub busy: Duration,
    /// How many tasks ran or waited for a core, on average over a minute.
    pub load_1m: f32,
    /// All of its memory.
    pub memory_bytes: u64,
    /// What more could be used without swapping.
    pub memory_available_bytes: u64,
    /// Processes and threads there are.
    pub tasks: u64,
    /// Processes and threads there can be.
    pub tasks_max: u64,
    /// The disk of the engine's storage, where it can be seen.
    pub disk: Option<Space>,
    /// Addresses for containers.
    pub addresses: Addresses,
}

/// Room on a file system.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Space {
    /// All of it.
    pub total_bytes: u64,
    /// What an ordinary user may still fill.
    pub available_bytes: u64,
}

impl Space {
    /// The room on the file system of a path; `None` if there is no such path.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        let found = rustix::fs::statvfs(path).ok()?;
        let bytes = |blocks: u64| blocks.saturating_mul(found.f_frsize);
        Some(Self { total_bytes: bytes(found.f_blocks), available_bytes: bytes(found.f_bavail) })
    }

    /// What is taken, or kept for the administrator.
    #[must_use]
    pub fn used_bytes(&self) -> u64 {
        self.total_bytes.saturating_sub(self.available_bytes)
    }
}

/// The room of each network.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Addresses {
    /// Of the network without a way out.
    pub internal: Places,
    /// Of the one that leads outwards.
    pub egress: Places,
    /// Networks for single sessions.
    pub own: Places,
}

/// Places and how many are taken.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Places {
    /// All there are.
    pub total: u64,
    /// Those that are taken.
    pub taken: u64,
}

/// What one container has used.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContainerUse {
    /// Its session.
    pub session: SessionId,
    /// CPU time of all its processes.
    pub cpu: Duration,
    /// Memory it has now, without what the kernel would give back at once.
    pub memory_bytes: u64,
    /// Processes and threads it has now.
    pub tasks: u64,
    /// Read from disks, where the kernel counts it.
    pub read_bytes: Option<u64>,
    /// Written to disks, where the kernel counts it.
    pub written_bytes: Option<u64>,
    /// Received over its network, where its processes can be seen.
    pub received_bytes: Option<u64>,
    /// Sent over its network, where its processes can be seen.
    pub sent_bytes: Option<u64>,
}
