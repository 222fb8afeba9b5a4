//! One look at the machine and at all containers of this installation: a list from the engine, and then
//! a few small files per container.

use std::time::Duration;

use bollard::models::{ContainerBlkioStatEntry, ContainerStatsResponse, ContainerSummary};
use futures_util::StreamExt;
use futures_util::stream::iter;
use ipnet::Ipv4Net;

use super::cgroups::{Cgroups, Counted};
use super::found::{label_of, listed_status};
use super::make::{NETWORK, SESSION};
use super::network::{self, Pools};
use super::{DockerEngine, machine};
use crate::engine::{Addresses, ContainerStatus, ContainerUse, EngineError, Places, Sample};
use crate::session::{NetworkPolicy, SessionId};

/// Where the kernel's counters cannot be seen, so many containers are asked about at once.
const AT_ONCE: usize = 16;
/// What a bridge of the kernel has room for (`BR_MAX_PORTS`), less the host's own.
const MOST_ON_A_BRIDGE: u64 = 1023;

/// Takes the sample.
pub(super) async fn take(engine: &DockerEngine) -> Result<Sample, EngineError> {
    let labels = vec![format!("{NETWORK}={}", engine.settings.network), SESSION.to_owned()];
    let rows = engine.api.list(labels).await?;
    let addresses = addresses(engine, &rows)?;
    let running = rows.iter().filter_map(running).collect::<Vec<_>>();
    let (node, storage) = (engine.node.clone(), engine.storage.clone());
    // Reading these files takes the kernel a while: it adds the memory of every process up.
    let read = tokio::task::spawn_blocking(move || {
        let cgroups = Cgroups::of_this_machine();
        let counted: Vec<_> =
            running.into_iter().map(|(session, id)| (session, cgroups.read(&id), id)).collect();
        machine::look(&node, &storage, addresses).map(|machine| (machine, counted))
    });
    let given_up = |error: tokio::task::JoinError| EngineError::Refused { detail: error.to_string() };
    let (machine, counted) = read.await.map_err(given_up)??;
    let asked = iter(counted).map(|(session, counted, id)| async move {
        let counted = match counted {
            Some(counted) => Some(counted),
            None => ask(engine, &id).await,
        };
        counted.map(|counted| of(session, &counted))
    });
    let containers = asked.buffer_unordered(AT_ONCE).filter_map(std::future::ready).collect().await;
    Ok(Sample { machine, containers })
}

/// The session and the id of a container that runs or is frozen.
fn running(row: &ContainerSummary) -> Option<(SessionId, String)> {
    let session = label_of(row, SESSION)?.parse().ok()?;
    let runs = matches!(listed_status(row), ContainerStatus::Running | ContainerStatus::Paused);
    runs.then(|| row.id.clone())?.map(|id| (session, id))
}

/// What the engine says of one container; it may have ended meanwhile.
async fn ask(engine: &DockerEngine, container: &str) -> Option<Counted> {
    Some(told(&engine.api.stats(container).await.ok()??))
}

fn of(session: SessionId, counted: &Counted) -> ContainerUse {
    ContainerUse {
        session,
        cpu: counted.cpu,
        memory_bytes: counted.memory_bytes,
        tasks: counted.tasks,
        read_bytes: counted.io.map(|io| io.0),
        written_bytes: counted.io.map(|io| io.1),
        received_bytes: counted.net.map(|net| net.0),
        sent_bytes: counted.net.map(|net| net.1),
    }
}

fn told(stats: &ContainerStatsResponse) -> Counted {
    let cpu = stats.cpu_stats.as_ref().and_then(|cpu| cpu.cpu_usage.as_ref()?.total_usage);
    let memory = stats.memory_stats.as_ref();
    let idle = memory.and_then(|memory| {
        let stats = memory.stats.as_ref()?;
        // The same in the two versions of control groups.
        stats.get("total_inactive_file").or_else(|| stats.get("inactive_file")).copied()
    });
    let used = memory.and_then(|memory| memory.usage).unwrap_or_default();
    let io = stats.blkio_stats.as_ref().and_then(|io| io.io_service_bytes_recursive.as_deref());
    let net = stats.networks.as_ref();
    Counted {
        cpu: Duration::from_nanos(cpu.unwrap_or_default()),
        memory_bytes: used.saturating_sub(idle.unwrap_or_default()),
        tasks: stats.pids_stats.as_ref().and_then(|pids| pids.current).unwrap_or_default(),
        io: io.map(|entries| (sum(entries, "read"), sum(entries, "write"))),
        net: net.map(|net| {
            net.values().fold((0, 0), |(received, sent), one| {
                (received + one.rx_bytes.unwrap_or_default(), sent + one.tx_bytes.unwrap_or_default())
            })
        }),
    }
}

fn sum(entries: &[ContainerBlkioStatEntry], operation: &str) -> u64 {
    let of = |entry: &&ContainerBlkioStatEntry| {
        entry.op.as_ref().is_some_and(|named| named.eq_ignore_ascii_case(operation))
    };
    entries.iter().filter(of).filter_map(|entry| entry.value).sum()
}

/// How many addresses there are, and how many containers have one. A shared network's are given back when
/// a container stops; a session's own network stays until the container is removed.
fn addresses(engine: &DockerEngine, rows: &[ContainerSummary]) -> Result<Addresses, EngineError> {
    let shared = |policy| {
        let bridge = engine.bridge(policy)?;
        let taken = rows.iter().filter(|row| running(row).is_some() && is_on(row, &bridge.name)).count();
        Ok::<_, EngineError>(Places { total: room(bridge.subnet), taken: taken as u64 })
    };
    let own = rows.iter().filter(|row| {
        let session = label_of(row, SESSION).and_then(|session| session.parse().ok());
        session.is_some_and(|session| is_on(row, &network::own_name(&engine.settings, session)))
    });
    let pool = Pools::of(engine.settings.subnet)?.own;
    Ok(Addresses {
        internal: shared(NetworkPolicy::Internal)?,
        egress: shared(NetworkPolicy::Egress)?,
        own: Places { total: 1 << (30 - pool.prefix_len()), taken: own.count() as u64 },
    })
}

fn is_on(row: &ContainerSummary, network: &str) -> bool {
    let networks = row.network_settings.as_ref().and_then(|settings| settings.networks.as_ref());
    networks.is_some_and(|networks| networks.contains_key(network))
}

/// Addresses of a bridge for containers: all but its own, the network's and the one for everybody.
fn room(subnet: Ipv4Net) -> u64 {
    let all = 1_u64 << (32 - subnet.prefix_len());
    all.saturating_sub(3).min(MOST_ON_A_BRIDGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bridge_has_room_for_so_many() {
        let cases = [("10.0.0.0/17", 1023), ("10.0.0.0/24", 253), ("10.0.0.0/29", 5), ("10.0.0.0/31", 0)];
        for (subnet, places) in cases {
            assert_eq!(room(subnet.parse().unwrap()), places, "{subnet}");
        }
    }

    #[test]
    fn what_the_engine_tells_is_counted_like_the_kernels() {
        let text = r#"{"cpu_stats":{"cpu_usage":{"total_usage":1500000000}},
            "memory_stats":{"usage":1000,"stats":{"inactive_file":100}},"pids_stats":{"current":7},
            "blkio_stats":{"io_service_bytes_recursive":[{"op":"read","value":11},{"op":"Write","value":22}]},
            "networks":{"eth0":{"rx_bytes":1,"tx_bytes":2},"eth1":{"rx_bytes":3,"tx_bytes":4}}}"#;
        let counted = told(&serde_json::from_str(text).unwrap());
        let expected = Counted {
            cpu: Duration::from_millis(1500),
            memory_bytes: 900,
            tasks: 7,
            io: Some((11, 22)),
            net: Some((4, 6)),
        };
        assert_eq!(counted, expected);
    }
}
