//! How a container is made: what it may use, what it may reach, what it is called.
//!
//! Everything here is pure; a container gets nothing that this module does not list.

use std::collections::HashMap;

use bollard::models::{
    ContainerCreateBody, HostConfig, HostConfigLogConfig, ImageInspect, Mount, MountType, RestartPolicy,
    RestartPolicyNameEnum,
};

use super::network::Bridge;
use super::{Settings, confine, environment, homes};
use crate::engine::StartOrder;
use crate::session::{NetworkPolicy, SessionId, Template, Volume};

/// The installation a container belongs to: the name of its internal network.
pub(super) const NETWORK: &str = "berth.network";
/// The session of a container.
pub(super) const SESSION: &str = "berth.session";
/// The owner of a container or a home.
pub(super) const OWNER: &str = "berth.owner";
/// The template a container was made from.
pub(super) const TEMPLATE: &str = "berth.template";
/// The hash of the template when the container was made.
pub(super) const SPEC: &str = "berth.spec";
/// The id of the image when the container was made.
pub(super) const IMAGE: &str = "berth.image";
/// The store that knows the session.
pub(super) const INSTALLATION: &str = "berth.installation";
/// The session whose container a volume without a name ends with.
pub(super) const SCRATCH: &str = "berth.scratch";
/// The fencing number of the start that made the container.
pub(super) const EPOCH: &str = "berth.epoch";

/// A name server that answers nobody (RFC 5737 §3), so that lookups end inside the container.
const DEAD_NAME_SERVER: &str = "192.0.2.1";
/// Who runs in a container whose image says nothing or says root.
pub(super) const UNPRIVILEGED: &str = "1000:1000";
const MIB: u64 = 1024 * 1024;

/// What a container may use.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Processor limit in cores.
    pub(super) cpus: f64,
    /// Memory limit, swap included, in MiB.
    pub(super) memory_mib: u64,
    /// Largest number of processes and threads.
    pub(super) pids: u32,
    /// Size of `/dev/shm` in MiB.
    pub(super) shm_mib: u64,
}

/// The name of a session's container.
pub(super) fn container_name(session: SessionId) -> String {
    format!("berth-{session}")
}

/// The body of `POST /containers/create` for a session, of an image that was just looked at.
pub(super) fn session(
    settings: &Settings,
    template: &Template,
    bridge: &Bridge,
    order: &StartOrder,
    image: &ImageInspect,
) -> ContainerCreateBody {
    let says = image.config.clone().unwrap_or_default();
    let mut labels = labels(settings, template, order);
    labels.insert(IMAGE.to_owned(), image.id.clone().unwrap_or_default());
    let limits = Limits {
        cpus: template.cpus,
        memory_mib: template.memory_mib,
        pids: template.pids,
        shm_mib: template.shm_mib,
    };
    let mut host = hardened(limits, bridge, template.network);
    let home = homes::mount(settings, template, order);
    host.mounts = Some(home.into_iter().chain(template.volumes.iter().map(read_only)).collect());
    let mut body = ContainerCreateBody {
        image: Some(template.image.clone()),
        hostname: Some(template.name.to_string()),
        user: unprivileged(says.user.as_deref()),
        env: Some(environment::of(settings, template, order)),
        labels: Some(labels),
        host_config: Some(host),
        ..ContainerCreateBody::default()
    };
    confine::adapt(&mut body, settings, template, order, &says);
    body
}

/// What every container of ours is held to. Masked and read-only paths and the seccomp profile
/// are the engine's defaults, which it applies when nothing is said.
pub(super) fn hardened(limits: Limits, bridge: &Bridge, network: NetworkPolicy) -> HostConfig {
    let memory = bytes(limits.memory_mib);
    let (dns, dns_options) = match network {
        NetworkPolicy::Internal => {
            // A lookup that cannot succeed fails after one second instead of ten.
            let impatient = ["timeout:1", "attempts:1"].map(ToOwned::to_owned);
            (Some(vec![DEAD_NAME_SERVER.to_owned()]), Some(impatient.to_vec()))
        }
        NetworkPolicy::Egress => (None, None),
    };
    HostConfig {
        cap_drop: Some(vec!["ALL".to_owned()]),
        security_opt: Some(vec!["no-new-privileges".to_owned()]),
        privileged: Some(false),
        init: Some(true),
        pids_limit: Some(i64::from(limits.pids)),
        memory: Some(memory),
        memory_swap: Some(memory),
        nano_cpus: Some(nano_cpus(limits.cpus)),
        shm_size: Some(bytes(limits.shm_mib)),
        ipc_mode: Some("private".to_owned()),
        network_mode: Some(bridge.name.clone()),
        publish_all_ports: Some(false),
        dns,
        dns_options,
        log_config: Some(HostConfigLogConfig {
            typ: Some("json-file".to_owned()),
            config: Some(
                [("max-size", "10m"), ("max-file", "2")].map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
            ),
        }),
        restart_policy: Some(RestartPolicy {
            name: Some(RestartPolicyNameEnum::NO),
            maximum_retry_count: None,
        }),
        ..HostConfig::default()
    }
}

/// The user to run as instead of the image's own: `None` keeps it, because it is not root.
pub(super) fn unprivileged(image_user: Option<&str>) -> Option<String> {
    let user = image_user.unwrap_or_default().split(':').next().unwrap_or_default().trim();
    let root = user.is_empty() || user == "root" || user.chars().all(|c| c == '0');
    root.then(|| UNPRIVILEGED.to_owned())
}

fn labels(settings: &Settings, template: &Template, order: &StartOrder) -> HashMap<String, String> {
    let own = [
        (NETWORK.to_owned(), settings.network.clone()),
        (SESSION.to_owned(), order.session.to_string()),
        (OWNER.to_owned(), order.owner.to_string()),
        (TEMPLATE.to_owned(), template.name.to_string()),
        (INSTALLATION.to_owned(), order.installation.clone()),
        (SPEC.to_owned(), template.spec_hash()),
        (EPOCH.to_owned(), order.epoch.to_string()),
    ];
    own.into_iter().chain(homes::labels(settings, template, order)).collect()
}

/// What the operator lends to every container of a template.
fn read_only(volume: &Volume) -> Mount {
    let of_the_host = volume.source.starts_with('/');
    Mount {
        typ: Some(if of_the_host { MountType::BIND } else { MountType::VOLUME }),
        source: Some(volume.source.clone()),
        target: Some(volume.target.clone()),
        read_only: Some(true),
        ..Mount::default()
    }
}

fn bytes(mib: u64) -> i64 {
    i64::try_from(mib.saturating_mul(MIB)).unwrap_or(i64::MAX)
}

#[allow(clippy::cast_possible_truncation)] // A float becomes the nearest representable integer.
fn nano_cpus(cpus: f64) -> i64 {
    (cpus * 1e9).round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_that_would_run_as_root_does_not() {
        for root in
            [None, Some(""), Some("root"), Some("0"), Some("0:0"), Some("root:user"), Some("00"), Some(":5")]
        {
            assert_eq!(unprivileged(root).as_deref(), Some(UNPRIVILEGED), "{root:?}");
        }
        for user in ["1000", "user", "1000:1000", "10"] {
            assert_eq!(unprivileged(Some(user)), None, "{user}");
        }
    }

    #[test]
    fn limits_become_the_engines_units() {
        let bridge = Bridge::of(&Settings::default(), NetworkPolicy::Internal).unwrap();
        let limits = Limits { cpus: 1.5, memory_mib: 64, pids: 10, shm_mib: 1 };
        let host = hardened(limits, &bridge, NetworkPolicy::Internal);
        assert_eq!(host.nano_cpus, Some(1_500_000_000));
        assert_eq!((host.memory, host.memory_swap), (Some(67_108_864), Some(67_108_864)));
        assert_eq!(host.dns, Some(vec![DEAD_NAME_SERVER.to_owned()]));
        assert_eq!(hardened(limits, &bridge, NetworkPolicy::Egress).dns, None);
    }
}
