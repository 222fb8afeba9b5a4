//! The fake machine, and what its containers use.

use std::time::Duration;

use super::State;
use crate::engine::{Addresses, ContainerStatus, ContainerUse, Machine, Places, Sample, Space};
use crate::session::NodeName;

const GIB: u64 = 1 << 30;

/// Eight cores, 16 GiB of memory, room for a hundred sessions.
pub(super) fn machine() -> Machine {
    Machine {
        node: NodeName("fake".to_owned()),
        cores: 8,
        busy: Duration::ZERO,
        load_1m: 0.5,
        memory_bytes: 16 * GIB,
        memory_available_bytes: 12 * GIB,
        tasks: 300,
        tasks_max: 32_768,
        disk: Some(Space { total_bytes: 200 * GIB, available_bytes: 150 * GIB }),
        addresses: Addresses {
            internal: Places { total: 1023, taken: 0 },
            egress: Places { total: 1023, taken: 0 },
            own: Places { total: 4096, taken: 0 },
        },
    }
}

impl State {
    /// Every running container has 100 MiB and works as [`super::FakeEngine::work`] says.
    pub(super) fn sample(&self) -> Sample {
        let running = self.containers.iter().filter(|(_, fake)| {
            matches!(fake.container.status, ContainerStatus::Running | ContainerStatus::Paused)
        });
        let containers: Vec<ContainerUse> = running
            .map(|(session, fake)| ContainerUse {
                session: *session,
                cpu: fake.used(),
                memory_bytes: 100 << 20,
                tasks: 10,
                read_bytes: Some(0),
                written_bytes: Some(0),
                received_bytes: Some(0),
                sent_bytes: Some(0),
            })
            .collect();
        let mut machine = self.machine.clone();
        machine.busy += containers.iter().map(|used| used.cpu).sum::<Duration>();
        machine.addresses.internal.taken = containers.len() as u64;
        Sample { machine, containers }
    }
}
