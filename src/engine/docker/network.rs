//! The networks that sessions live on: one without a way out, one that leads only outwards, and
//! for sessions that may make packets a small one each.
//!
//! All are bridges of our own address pool on which containers cannot talk to each other. The
//! first half of the pool is the internal one, the third quarter the one with egress, which is
//! made only when a template wants it. The last quarter is cut into networks with room for one
//! container (see [`super::own_network`]).

use std::collections::HashMap;
use std::net::Ipv4Addr;

use bollard::models::{Ipam, IpamConfig, NetworkCreateRequest, NetworkInspect};
use ipnet::Ipv4Net;
use sha2::{Digest, Sha256};

use super::Settings;
use super::api::Api;
use super::make::{NETWORK, SESSION};
use crate::engine::EngineError;
use crate::session::{NetworkPolicy, SessionId};

/// The network option that names the interface.
pub(super) const BRIDGE_NAME: &str = "com.docker.network.bridge.name";
const BETWEEN_CONTAINERS: &str = "com.docker.network.bridge.enable_icc";

/// One bridge as it must be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Bridge {
    /// The engine's name for the network.
    pub(super) name: String,
    /// The host's name for the interface, at most 15 characters.
    pub(super) interface: String,
    /// The addresses of containers and, first of all, of the host.
    pub(super) subnet: Ipv4Net,
    /// Whether there is no way out.
    pub(super) internal: bool,
    /// The session that has it for itself.
    pub(super) session: Option<SessionId>,
    owner: String,
}

/// How the address pool is divided.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Pools {
    internal: Ipv4Net,
    egress: Ipv4Net,
    /// The networks of single sessions.
    pub(super) own: Ipv4Net,
}

impl Pools {
    /// Divides `pool`.
    ///
    /// # Errors
    /// [`EngineError::Refused`] when it is too small to be divided.
    pub(super) fn of(pool: Ipv4Net) -> Result<Self, EngineError> {
        let small = || EngineError::Refused {
            detail: format!("the subnet {pool} is too small: engine.subnet needs a prefix of /28 or shorter"),
        };
        let part = |longer: u8, nth: usize| {
            let parts = pool.subnets(pool.prefix_len() + longer).ok().filter(|_| pool.prefix_len() <= 28);
            parts.and_then(|mut parts| parts.nth(nth)).ok_or_else(small)
        };
        Ok(Self { internal: part(1, 0)?, egress: part(2, 2)?, own: part(2, 3)? })
    }
}

impl Bridge {
    /// The bridge of a network policy.
    ///
    /// # Errors
    /// [`EngineError::Refused`] when the pool is too small to be divided.
    pub(super) fn of(settings: &Settings, policy: NetworkPolicy) -> Result<Self, EngineError> {
        let pools = Pools::of(settings.subnet)?;
        let (name, subnet) = match policy {
            NetworkPolicy::Internal => (settings.network.clone(), pools.internal),
            NetworkPolicy::Egress => (format!("{}-egress", settings.network), pools.egress),
        };
        let interface = interface(&name);
        let internal = policy == NetworkPolicy::Internal;
        Ok(Self { name, interface, subnet, internal, session: None, owner: settings.network.clone() })
    }

    /// The bridge of one session alone, on `subnet`.
    pub(super) fn own(
        settings: &Settings,
        policy: NetworkPolicy,
        session: SessionId,
        subnet: Ipv4Net,
    ) -> Self {
        // Which one it is within the pool; at most 20 bits, because the pool is a /8 at most.
        let slot = (u32::from(subnet.network()) & !u32::from(settings.subnet.netmask())) >> 2 & 0xf_ffff;
        Self {
            name: own_name(settings, session),
            interface: format!("{}{slot:05x}", own_prefix(&settings.network, policy)),
            subnet,
            internal: policy == NetworkPolicy::Internal,
            session: Some(session),
            owner: settings.network.clone(),
        }
    }

    /// The host's own address on the bridge.
    pub(super) fn gateway(&self) -> Option<Ipv4Addr> {
        self.subnet.hosts().next()
    }

    /// The last address for a container, which the engine hands out last.
    pub(super) fn last(&self) -> Ipv4Addr {
        Ipv4Addr::from(u32::from(self.subnet.broadcast()).saturating_sub(1))
    }

    /// Makes the network unless it exists as it should.
    ///
    /// # Errors
    /// [`EngineError::Refused`] when it exists with other options, or its addresses or its
    /// interface are taken.
    pub(super) async fn ensure(&self, api: &Api) -> Result<(), EngineError> {
        if let Some(existing) = api.network(&self.name).await? {
            return if self.outgrown(&existing) { Ok(()) } else { self.check(&existing) };
        }
        let made = api.create_network(self.request()).await;
        // Another process may have been faster: the fixed interface name lets only one win.
        match api.network(&self.name).await? {
            Some(existing) => self.check(&existing),
            None => Ok(made?),
        }
    }

    /// What is wrong with it, for people: it is not there, or has other options.
    pub(super) async fn flaw(&self, api: &Api) -> Result<Option<String>, EngineError> {
        Ok(match api.network(&self.name).await? {
            Some(existing) if self.outgrown(&existing) => None,
            Some(existing) => self.check(&existing).err().map(|error| error.to_string()),
            None => Some(format!("there is no network {}", self.name)),
        })
    }

    /// Removes the network if an earlier version made it and no container has it. Before anything is started.
    pub(super) async fn make_room(&self, api: &Api) -> Result<(), EngineError> {
        let existing = api.network(&self.name).await?;
        // Not under a container that rests either: it would never start again.
        if existing.is_some_and(|existing| self.outgrown(&existing))
            && !api.has_containers(&self.name).await?
        {
            api.remove_network(&self.name).await?;
        }
        Ok(())
    }

    /// Whether it is as earlier versions made it, with twice the addresses; otherwise as it must be.
    fn outgrown(&self, existing: &NetworkInspect) -> bool {
        let wider = self.subnet.supernet().map(|subnet| Self { subnet, ..self.clone() });
        wider.is_some_and(|wider| wider.check(existing).is_ok())
    }

    fn request(&self) -> NetworkCreateRequest {
        let pool = IpamConfig {
            subnet: Some(self.subnet.to_string()),
            gateway: self.gateway().map(|gateway| gateway.to_string()),
            ..IpamConfig::default()
        };
        NetworkCreateRequest {
            name: self.name.clone(),
            driver: Some("bridge".to_owned()),
            internal: Some(self.internal),
            enable_ipv6: Some(false),
            ipam: Some(Ipam { config: Some(vec![pool]), ..Ipam::default() }),
            options: Some(self.options().map(|(key, value)| (key.to_owned(), value)).into()),
            labels: Some(self.labels()),
            ..NetworkCreateRequest::default()
        }
    }

    fn labels(&self) -> HashMap<String, String> {
        let network = Some((NETWORK, self.owner.clone()));
        let session = self.session.map(|session| (SESSION, session.to_string()));
        network.into_iter().chain(session).map(|(key, value)| (key.to_owned(), value)).collect()
    }

    fn options(&self) -> [(&'static str, String); 2] {
        [(BRIDGE_NAME, self.interface.clone()), (BETWEEN_CONTAINERS, "false".to_owned())]
    }

    pub(super) fn check(&self, existing: &NetworkInspect) -> Result<(), EngineError> {
        let mut wrong = Vec::new();
        if existing.driver.as_deref() != Some("bridge") {
            wrong.push("it is no bridge".to_owned());
        }
        if existing.internal.unwrap_or_default() != self.internal {
            wrong.push(format!("internal is not {}", self.internal));
        }
        if existing.enable_ipv6.unwrap_or_default() {
            wrong.push("IPv6 is on".to_owned());
        }
        let empty = HashMap::new();
        let options = existing.options.as_ref().unwrap_or(&empty);
        for (key, value) in self.options() {
            if options.get(key) != Some(&value) {
                wrong.push(format!("{key} is not {value}"));
            }
        }
        let pools = existing.ipam.as_ref().and_then(|ipam| ipam.config.as_deref()).unwrap_or_default();
        let subnet = self.subnet.to_string();
        if !matches!(pools, [pool] if pool.subnet.as_ref() == Some(&subnet)) {
            wrong.push(format!("its subnet is not {subnet}"));
        }
        if wrong.is_empty() { Ok(()) } else { Err(self.other(&wrong)) }
    }

    fn other(&self, wrong: &[String]) -> EngineError {
        let (name, wrong) = (&self.name, wrong.join(", "));
        let detail = format!(
            "the network {name} exists with other options ({wrong}): remove it with `docker network rm {name}`, \
             or choose another engine.network"
        );
        EngineError::Refused { detail }
    }
}

/// The name of the network that a session has for itself.
pub(super) fn own_name(settings: &Settings, session: SessionId) -> String {
    format!("{}-{session}", settings.network)
}

/// What the interfaces of all such networks of an installation begin with, 10 characters, so that
/// one rule covers them before they exist.
pub(super) fn own_prefix(network: &str, policy: NetworkPolicy) -> String {
    let kind = match policy {
        NetworkPolicy::Internal => "bti",
        NetworkPolicy::Egress => "bte",
    };
    let hash = Sha256::digest(network.as_bytes());
    let installation: String = hash.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("{kind}{}", &installation[..7])
}

/// An interface name of 13 characters that no other network name shares.
fn interface(network: &str) -> String {
    let hash = Sha256::digest(network.as_bytes());
    hash.iter().take(4).fold("berth".to_owned(), |name, byte| format!("{name}{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(subnet: &str) -> Settings {
        Settings { subnet: subnet.parse().unwrap(), ..Settings::default() }
    }

    #[test]
    fn the_pool_is_divided() {
        let settings = settings("10.201.0.0/16");
        let internal = Bridge::of(&settings, NetworkPolicy::Internal).unwrap();
        let egress = Bridge::of(&settings, NetworkPolicy::Egress).unwrap();
        assert_eq!(internal.subnet.to_string(), "10.201.0.0/17");
        assert_eq!(egress.subnet.to_string(), "10.201.128.0/18");
        assert_eq!(Pools::of(settings.subnet).unwrap().own.to_string(), "10.201.192.0/18");
        assert_eq!(internal.gateway().unwrap().to_string(), "10.201.0.1");
        assert_eq!(internal.last().to_string(), "10.201.127.254");
        assert!(internal.internal && !egress.internal);
        assert_ne!(internal.interface, egress.interface);
        assert!(internal.interface.len() <= 15);
    }

    #[test]
    fn a_session_s_own_bridge_is_named_so_that_one_rule_covers_all() {
        let settings = settings("10.0.0.0/8");
        let last = "10.255.255.252/30".parse().unwrap();
        for policy in [NetworkPolicy::Internal, NetworkPolicy::Egress] {
            let bridge = Bridge::own(&settings, policy, SessionId::random(), last);
            assert!(bridge.interface.starts_with(&own_prefix(&settings.network, policy)));
            assert!(
                bridge.interface.len() <= 15 && bridge.interface.ends_with("fffff"),
                "{}",
                bridge.interface
            );
            assert_eq!(bridge.gateway().unwrap().to_string(), "10.255.255.253");
            assert_eq!(bridge.last().to_string(), "10.255.255.254");
        }
    }

    /// The network with egress had half of the pool, where sessions' own networks now are.
    #[test]
    fn a_network_of_twice_the_size_is_recognised() {
        let settings = settings("10.201.0.0/16");
        let now = Bridge::of(&settings, NetworkPolicy::Egress).unwrap();
        let made = Bridge { subnet: "10.201.128.0/17".parse().unwrap(), ..now.clone() }.request();
        let mut existing = NetworkInspect {
            driver: made.driver,
            internal: made.internal,
            ipam: made.ipam,
            options: made.options,
            ..NetworkInspect::default()
        };
        assert!(now.check(&existing).is_err() && now.outgrown(&existing));
        existing.internal = Some(true);
        assert!(!now.outgrown(&existing));
    }

    #[test]
    fn a_pool_that_cannot_be_divided_is_refused() {
        for small in ["10.0.0.0/29", "10.0.0.0/32"] {
            let refused = Bridge::of(&settings(small), NetworkPolicy::Internal);
            assert!(matches!(refused, Err(EngineError::Refused { .. })), "{small}");
        }
    }

    #[test]
    fn a_network_with_other_options_is_named_with_what_to_do() {
        let bridge = Bridge::of(&settings("10.201.0.0/16"), NetworkPolicy::Internal).unwrap();
        let made = bridge.request();
        let mut existing = NetworkInspect {
            driver: made.driver,
            internal: made.internal,
            ipam: made.ipam,
            options: made.options,
            ..NetworkInspect::default()
        };
        assert!(bridge.check(&existing).is_ok());
        existing.internal = Some(false);
        existing.options.as_mut().unwrap().remove(BETWEEN_CONTAINERS);
        let told = bridge.check(&existing).unwrap_err().to_string();
        for part in ["internal is not true", BETWEEN_CONTAINERS, "docker network rm berth"] {
            assert!(told.contains(part), "{told}");
        }
    }
}
