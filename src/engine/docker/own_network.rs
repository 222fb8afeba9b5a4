//! A network for one session alone, because it may make packets of any kind.
//!
//! On a shared bridge such a session could answer for its neighbours' addresses and read what is
//! meant for them. Its own bridge has room for it and the host and nobody else. It is made before
//! the container and removed after it; what a crash leaves in between, [`sweep`] finds.

use bollard::models::{Network, NetworkInspect};
use ipnet::Ipv4Net;
use tracing::{info, warn};

use super::make::{NETWORK, SCRATCH, SESSION, container_name};
use super::network::{BRIDGE_NAME, Bridge, Pools, own_name};
use super::start::Turn;
use super::{DockerEngine, bridge_port};
use crate::engine::EngineError;
use crate::session::{NetworkPolicy, SessionId};

/// Room for the host and one container.
const PREFIX: u8 = 30;
/// How often the addresses may be taken by somebody else between looking and making.
const ATTEMPTS: u32 = 3;

/// The session's network: the one it has, or a new one on addresses that nobody has. Called within
/// the session's turn and without a container.
///
/// # Errors
/// [`EngineError::Refused`] when all addresses are taken, with what to do.
pub(super) async fn ensure(
    engine: &DockerEngine,
    session: SessionId,
    policy: NetworkPolicy,
) -> Result<Bridge, EngineError> {
    if let Some(existing) = engine.api.network(&own_name(&engine.settings, session)).await? {
        match adopt(engine, session, policy, &existing) {
            Some(bridge) => return Ok(bridge),
            None => remove(engine, session).await?,
        }
    }
    make(engine, session, policy).await?.map_err(|taken| exhausted(&taken))
}

/// A new network without a way out, for an experiment; `None` if all addresses are taken.
pub(super) async fn spare(engine: &DockerEngine, nobody: SessionId) -> Result<Option<Bridge>, EngineError> {
    Ok(make(engine, nobody, NetworkPolicy::Internal).await?.ok())
}

/// The pool and the networks that leave no room in it.
struct Taken {
    pool: Ipv4Net,
    by: Vec<Ipv4Net>,
}

async fn make(
    engine: &DockerEngine,
    session: SessionId,
    policy: NetworkPolicy,
) -> Result<Result<Bridge, Taken>, EngineError> {
    let pool = Pools::of(engine.settings.subnet)?.own;
    // Two sessions that start at once must not choose the same addresses.
    let _choosing = engine.choosing.lock().await;
    let mut attempts = 0;
    loop {
        let by: Vec<Ipv4Net> = engine.api.networks().await?.iter().flat_map(subnets).collect();
        let Some(subnet) = free(pool, &by) else { return Ok(Err(Taken { pool, by })) };
        let bridge = Bridge::own(&engine.settings, policy, session, subnet);
        attempts += 1;
        match bridge.ensure(&engine.api).await {
            Ok(()) => return Ok(Ok(bridge)),
            Err(error) if attempts == ATTEMPTS => return Err(error),
            Err(error) => warn!(%session, %error, "making a session's own network once more"),
        }
    }
}

/// Bounds what a running container can make the host remember of it. Called after every start.
///
/// # Errors
/// [`EngineError::Refused`] when this process may not.
pub(super) async fn calm(engine: &DockerEngine, session: SessionId) -> Result<(), EngineError> {
    let network = engine.api.network(&own_name(&engine.settings, session)).await?.ok_or(EngineError::Gone)?;
    let options = network.options.unwrap_or_default();
    let interface = options.get(BRIDGE_NAME).ok_or(EngineError::Gone)?;
    bridge_port::forget_senders(interface).map_err(|error| EngineError::Refused {
        detail: format!(
            "the bridge {interface} of a session that may make packets cannot be told to forget senders ({error}); \
             the spawner needs the capability NET_ADMIN and the host's network"
        ),
    })
}

/// Removes the session's network; none is success.
///
/// # Errors
/// [`EngineError::Refused`] while its container is there.
pub(super) async fn remove(engine: &DockerEngine, session: SessionId) -> Result<(), EngineError> {
    Ok(engine.api.remove_network(&own_name(&engine.settings, session)).await?)
}

/// Removes the networks and unnamed volumes of sessions that have no container any more.
pub(super) async fn sweep(engine: &DockerEngine) -> Result<usize, EngineError> {
    let mut removed = 0;
    for session in engine.api.networks().await?.iter().filter_map(|network| owner(engine, network)) {
        // Whoever is being started has the network first and the container later.
        let _turn = Turn::take(engine, session).await;
        if engine.api.inspect(&container_name(session)).await?.is_none() {
            match remove(engine, session).await {
                Ok(()) => {
                    info!(%session, "the network of a session without a container was removed");
                    removed += 1;
                }
                Err(error) => warn!(%session, %error, "a network without a session could not be removed yet"),
            }
        }
    }
    let labels = vec![format!("{NETWORK}={}", engine.settings.network), SCRATCH.to_owned()];
    for volume in engine.api.unused_volumes(labels).await? {
        // One that came into use since is not removed: the engine refuses.
        match engine.api.remove_volume(&volume).await {
            Ok(()) => removed += 1,
            Err(failure) if failure.is(409) => {}
            Err(failure) => {
                let error = EngineError::from(failure);
                warn!(volume, %error, "a volume without a container could not be removed yet");
            }
        }
    }
    Ok(removed)
}

/// The session whose own network of this installation this is.
fn owner(engine: &DockerEngine, network: &Network) -> Option<SessionId> {
    let labels = network.labels.as_ref()?;
    let ours = labels.get(NETWORK) == Some(&engine.settings.network);
    labels.get(SESSION).filter(|_| ours)?.parse().ok()
}

/// The existing network as a bridge; `None` if it is not as it must be.
fn adopt(
    engine: &DockerEngine,
    session: SessionId,
    policy: NetworkPolicy,
    existing: &NetworkInspect,
) -> Option<Bridge> {
    let pool = Pools::of(engine.settings.subnet).ok()?.own;
    let subnet = existing.ipam.as_ref()?.config.as_deref()?.first()?.subnet.as_ref()?.parse().ok()?;
    let bridge = Bridge::own(&engine.settings, policy, session, subnet);
    let fits = pool.contains(&subnet) && subnet.prefix_len() == PREFIX;
    (fits && bridge.check(existing).is_ok()).then_some(bridge)
}

fn subnets(network: &Network) -> Vec<Ipv4Net> {
    let pools = network.ipam.as_ref().and_then(|ipam| ipam.config.as_deref()).unwrap_or_default();
    pools.iter().filter_map(|pool| pool.subnet.as_ref()?.parse().ok()).collect()
}

/// The first addresses of the pool that no network has.
fn free(pool: Ipv4Net, taken: &[Ipv4Net]) -> Option<Ipv4Net> {
    let is_free =
        |subnet: &Ipv4Net| !taken.iter().any(|other| other.contains(subnet) || subnet.contains(other));
    pool.subnets(PREFIX).ok()?.find(is_free)
}

fn exhausted(Taken { pool, by }: &Taken) -> EngineError {
    let around = |other: &&Ipv4Net| other.contains(pool) && *other != pool;
    let detail = match by.iter().find(around) {
        Some(other) => format!(
            "sessions that may make packets need networks of their own in {pool}, but another network has {other}: \
             if an earlier version made that for egress, remove the sessions on it and restart the spawner; otherwise \
             remove it with `docker network rm`, or choose another engine.subnet"
        ),
        None => format!(
            "every network that {pool} has room for ({}) is in use by a session that may make packets, running or \
             stopped: remove some of these sessions, or choose a larger engine.subnet",
            1_u64 << (PREFIX - pool.prefix_len())
        ),
    };
    EngineError::Refused { detail }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(text: &str) -> Ipv4Net {
        text.parse().unwrap()
    }

    #[test]
    fn the_first_free_addresses_are_chosen() {
        let pool = net("10.0.0.192/28");
        assert_eq!(free(pool, &[net("10.0.0.0/25")]), Some(net("10.0.0.192/30")));
        let taken = [net("10.0.0.192/30"), net("10.0.0.200/29")];
        assert_eq!(free(pool, &taken), Some(net("10.0.0.196/30")));
        let all = [net("10.0.0.192/29"), net("10.0.0.200/30"), net("10.0.0.204/31")];
        assert_eq!(free(pool, &all), None);
    }

    #[test]
    fn a_full_pool_says_what_to_do() {
        let pool = net("10.0.0.192/28");
        let full =
            |by: &[&str]| exhausted(&Taken { pool, by: by.iter().map(|by| net(by)).collect() }).to_string();
        let told = full(&["10.0.0.192/29", "10.0.0.200/29"]);
        assert!(told.contains("room for (4)") && told.contains("larger engine.subnet"), "{told}");
        let told = full(&["10.0.0.128/25"]);
        assert!(told.contains("10.0.0.128/25") && told.contains("restart the spawner"), "{told}");
    }
}
