//! The networks that sessions live on: one without a way out, and one that leads only outwards.
//!
//! Both are bridges of our own address pool on which containers cannot talk to each other. The
//! first half of the pool is the internal one; the second half is made only when a template
//! wants egress.

use std::collections::HashMap;
use std::net::Ipv4Addr;

use bollard::models::{Ipam, IpamConfig, NetworkCreateRequest, NetworkInspect};
use ipnet::Ipv4Net;
use sha2::{Digest, Sha256};

use super::Settings;
use super::api::Api;
use crate::engine::EngineError;
use crate::session::NetworkPolicy;

const BRIDGE_NAME: &str = "com.docker.network.bridge.name";
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
    owner: String,
}

impl Bridge {
    /// The bridge of a network policy.
    ///
    /// # Errors
    /// [`EngineError::Refused`] when the pool is too small to be halved into two networks.
    pub(super) fn of(settings: &Settings, policy: NetworkPolicy) -> Result<Self, EngineError> {
        let (name, half) = match policy {
            NetworkPolicy::Internal => (settings.network.clone(), 0),
            NetworkPolicy::Egress => (format!("{}-egress", settings.network), 1),
        };
        let pool = settings.subnet;
        let small = || EngineError::Refused {
            detail: format!("the subnet {pool} is too small: engine.subnet needs a prefix of /29 or shorter"),
        };
        let halves = pool.subnets(pool.prefix_len() + 1).ok().filter(|_| pool.prefix_len() <= 29);
        let subnet = halves.and_then(|mut halves| halves.nth(half)).ok_or_else(small)?;
        let interface = interface(&name);
        let internal = policy == NetworkPolicy::Internal;
        Ok(Self { name, interface, subnet, internal, owner: settings.network.clone() })
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
            return self.check(&existing);
        }
        let made = api.create_network(self.request()).await;
        // Another process may have been faster: the fixed interface name lets only one win.
        match api.network(&self.name).await? {
            Some(existing) => self.check(&existing),
            None => Ok(made?),
        }
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
            labels: Some(HashMap::from([("berth.network".to_owned(), self.owner.clone())])),
            ..NetworkCreateRequest::default()
        }
    }

    fn options(&self) -> [(&'static str, String); 2] {
        [(BRIDGE_NAME, self.interface.clone()), (BETWEEN_CONTAINERS, "false".to_owned())]
    }

    fn check(&self, existing: &NetworkInspect) -> Result<(), EngineError> {
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
    fn the_pool_is_halved() {
        let settings = settings("10.201.0.0/16");
        let internal = Bridge::of(&settings, NetworkPolicy::Internal).unwrap();
        let egress = Bridge::of(&settings, NetworkPolicy::Egress).unwrap();
        assert_eq!(internal.subnet.to_string(), "10.201.0.0/17");
        assert_eq!(egress.subnet.to_string(), "10.201.128.0/17");
        assert_eq!(internal.gateway().unwrap().to_string(), "10.201.0.1");
        assert_eq!(internal.last().to_string(), "10.201.127.254");
        assert!(internal.internal && !egress.internal);
        assert_ne!(internal.interface, egress.interface);
        assert!(internal.interface.len() <= 15);
    }

    #[test]
    fn a_pool_that_cannot_be_halved_is_refused() {
        for small in ["10.0.0.0/30", "10.0.0.0/32"] {
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
