//! Sessions as containers of one Docker Engine, over its Unix socket.
//!
//! The spawner owns the one [`DockerEngine`] of a machine. Only this folder knows Docker: `api`
//! makes the calls, `make` and `confine` say what a container may do, `start` is the one way one
//! comes to run, `images` says what they are made from and fetches it, `network`, `own_network`,
//! `firewall` and `probe` keep it apart from everything else, and `boundaries` says whether they do still.

mod api;
mod archive;
mod boundaries;
mod bridge_port;
mod cgroups;
mod confine;
mod environment;
mod errand;
mod events;
mod fences;
mod firewall;
mod found;
mod home_archive;
mod home_verbs;
mod homes;
mod images;
mod machine;
mod make;
mod network;
mod output;
mod own_network;
mod ownership;
mod probe;
mod quota;
mod sample;
mod start;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bollard::models::ContainerInspectResponse;
use dashmap::DashMap;
use futures_util::stream::BoxStream;
use ipnet::Ipv4Net;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, timeout_at};
use tracing::warn;

use self::api::{Api, Failure, QUICK};
pub use self::boundaries::Boundaries;
use self::fences::Fences;
pub use self::firewall::Firewall;
use self::found::{label, listed, listed_status, status};
pub use self::home_archive::{HomeFill, HomePart, Packed};
pub use self::homes::HomeSettings;
use self::make::{EPOCH, NETWORK, SESSION, container_name};
use self::network::Bridge;
pub use self::probe::Isolation;
pub use self::quota::Quota;
use self::start::Turn;
use super::addresses::Addresses;
use super::{
    Connection, Container, ContainerStatus, Engine, EngineError, EngineEvent, EngineVersion, PullSteps,
    Sample, StartOrder, Started, Stats, TemplateImage,
};
use crate::session::{HomeKey, NetworkPolicy, NodeName, SessionId, Template, TemplateName, Upstream};

/// The bound of a whole start.
const START: Duration = Duration::from_secs(60);

/// Where the engine is and which part of the machine is ours.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Settings {
    /// The engine's Unix socket. Default `/var/run/docker.sock`.
    pub socket: PathBuf,
    /// The name of the internal network; also names this installation. Default `berth`.
    pub network: String,
    /// The address pool of the networks. Default `10.201.0.0/16`.
    pub subnet: Ipv4Net,
    /// The image that proves isolation; has bash and perl. Default `berth/base`.
    pub probe_image: String,
    /// The time zone that containers are told, by its IANA name. Default none: that of the image.
    pub time_zone: Option<String>,
    /// Where homes are kept.
    pub homes: HomeSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            socket: "/var/run/docker.sock".into(),
            network: "berth".to_owned(),
            subnet: Ipv4Net::new_assert([10, 201, 0, 0].into(), 16),
            probe_image: "berth/base".to_owned(),
            time_zone: None,
            homes: HomeSettings::default(),
        }
    }
}

/// One Docker Engine and the sessions on it.
#[derive(Debug)]
pub struct DockerEngine {
    api: Api,
    settings: Settings,
    templates: BTreeMap<TemplateName, Template>,
    node: NodeName,
    /// Where the engine keeps images and containers, as it says.
    storage: PathBuf,
    addresses: Arc<Addresses>,
    /// One start, stop or removal at a time per session, so that nobody starts a container before
    /// its password is in it or stops what is not up yet. Entries live as long as such a turn.
    turns: DashMap<SessionId, Arc<Mutex<()>>>,
    /// Held while addresses are chosen for a session's own network.
    choosing: Mutex<()>,
    /// One beginning or change at a time per home.
    home_turns: DashMap<HomeKey, Arc<Mutex<()>>>,
    /// Whether something keeps homes within their limit.
    quota: Quota,
    /// Held while homes are measured, one container at a time, or a volume is removed.
    measuring: Mutex<()>,
    /// What was started or stopped; changed within a turn.
    fences: Fences,
}

impl DockerEngine {
    /// Connects to the engine and agrees on an API version.
    ///
    /// # Errors
    /// [`EngineError::Down`] when nothing answers on the socket, [`EngineError::Slow`] after 10 s.
    pub async fn connect(
        settings: Settings,
        templates: BTreeMap<TemplateName, Template>,
    ) -> Result<Self, EngineError> {
        let api = Api::connect(&settings.socket).await?;
        let (node, storage) = api.node().await?;
        let quota = Quota::of(&settings.homes);
        Ok(Self {
            api,
            settings,
            templates,
            node: NodeName(node),
            storage,
            addresses: Arc::default(),
            turns: DashMap::new(),
            choosing: Mutex::default(),
            home_turns: DashMap::new(),
            quota,
            measuring: Mutex::new(()),
            fences: Fences::default(),
        })
    }

    /// Makes the internal network unless it is there, and the egress network if a template
    /// wants one. Called before anything is started, and safe to repeat.
    ///
    /// # Errors
    /// [`EngineError::Refused`] when one exists with other options or the addresses are taken.
    pub async fn ensure_network(&self) -> Result<(), EngineError> {
        self.bridge(NetworkPolicy::Internal)?.ensure(&self.api).await?;
        let egress = self.bridge(NetworkPolicy::Egress)?;
        egress.make_room(&self.api).await?;
        if self.wants_egress() {
            egress.ensure(&self.api).await?;
        }
        Ok(())
    }

    /// Removes both networks; absent ones are success.
    ///
    /// # Errors
    /// [`EngineError::Refused`] while containers are on them.
    pub async fn remove_network(&self) -> Result<(), EngineError> {
        for policy in [NetworkPolicy::Internal, NetworkPolicy::Egress] {
            self.api.remove_network(&self.bridge(policy)?.name).await?;
        }
        Ok(())
    }

    /// Removes the networks and unnamed volumes of sessions that have no container any more, and says
    /// how many. What starts meanwhile is left alone.
    ///
    /// # Errors
    /// The engine's; what was not reached is left for the next time.
    pub async fn sweep(&self) -> Result<usize, EngineError> {
        own_network::sweep(self).await
    }

    /// The packet filter of this installation's bridges.
    ///
    /// # Errors
    /// [`EngineError::Refused`] when the subnet is too small.
    pub fn firewall(&self) -> Result<Firewall, EngineError> {
        let internal = self.bridge(NetworkPolicy::Internal)?;
        let egress = self.bridge(NetworkPolicy::Egress)?;
        // The engine asks these on behalf of containers with egress; they are often private.
        let resolv_conf = std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
        let own = |policy| network::own_prefix(&self.settings.network, policy);
        let firewall = Firewall::new(&self.settings.network, &internal.interface, &egress.interface)
            .with_own_networks(&own(NetworkPolicy::Internal), &own(NetworkPolicy::Egress));
        Ok(firewall.with_name_servers(firewall::host_name_servers(&resolv_conf)))
    }

    /// Proves, from inside two containers, what a session cannot reach. Takes about two seconds, and as
    /// long again if a template's sessions get networks of their own.
    ///
    /// # Errors
    /// [`EngineError::Refused`] with what to do when the probe image is missing, or when the
    /// controls of the experiment fail, so that nothing is proven either way.
    pub async fn isolation(&self) -> Result<Isolation, EngineError> {
        let shared = self.bridge(NetworkPolicy::Internal)?;
        let mut found = probe::run(&self.api, &self.settings, &shared, &shared).await?;
        if !self.templates.values().any(confine::makes_packets) {
            return Ok(found);
        }
        let nobody = SessionId::random();
        let Some(own) = own_network::spare(self, nobody).await? else {
            warn!("no network is free to prove the isolation of sessions with a network of their own");
            return Ok(found);
        };
        let from_own = probe::run(&self.api, &self.settings, &shared, &own).await;
        own_network::remove(self, nobody).await?;
        found
            .leaks
            .extend(from_own?.leaks.into_iter().map(|leak| format!("{leak} (from a network of its own)")));
        found.proven = found.leaks.is_empty();
        Ok(found)
    }

    /// As [`Engine::start`], but undone when `abandoned` comes before the end: nobody waits for the
    /// outcome any more, and what this start made or started must not live on without an owner.
    ///
    /// # Errors
    /// As [`Engine::start`]; [`EngineError::Gone`] when it was abandoned.
    pub async fn start_unless(
        &self,
        order: &StartOrder,
        abandoned: impl Future<Output = ()> + Send,
    ) -> Result<Started, EngineError> {
        let slow = EngineError::Slow { verb: "start a session".into(), seconds: START.as_secs() };
        timeout_at(Instant::now() + START, start::start(self, order, abandoned)).await.unwrap_or(Err(slow))
    }

    /// The address of a running container of ours, by its full id.
    ///
    /// # Errors
    /// [`EngineError::Gone`] when there is none with this id or it is not ours;
    /// [`EngineError::Exited`] when it does not run.
    pub async fn address(&self, container: &str) -> Result<IpAddr, EngineError> {
        let inspected = self.api.inspect(container).await?.filter(|found| self.is_ours(found));
        let inspected =
            inspected.filter(|found| found.id.as_deref() == Some(container)).ok_or(EngineError::Gone)?;
        match status(&inspected) {
            ContainerStatus::Running | ContainerStatus::Paused => {
                self.address_of(&inspected).ok_or(EngineError::Gone)
            }
            ContainerStatus::Created | ContainerStatus::Exited => {
                Err(self.exited(container, &inspected).await)
            }
        }
    }

    fn bridge(&self, policy: NetworkPolicy) -> Result<Bridge, EngineError> {
        Bridge::of(&self.settings, policy)
    }

    fn wants_egress(&self) -> bool {
        self.templates.values().any(|template| template.network == NetworkPolicy::Egress)
    }

    fn is_ours(&self, found: &ContainerInspectResponse) -> bool {
        label(found, NETWORK) == Some(&self.settings.network)
    }

    /// The container of a session, or `None` if there is none of ours.
    async fn find(&self, session: SessionId) -> Result<Option<Found>, EngineError> {
        let inspected = self.api.inspect(&container_name(session)).await?;
        let ours = inspected
            .filter(|found| self.is_ours(found) && label(found, SESSION) == Some(&session.to_string()));
        Ok(ours.and_then(|found| {
            let epoch = label(&found, EPOCH).and_then(|epoch| epoch.parse().ok()).unwrap_or_default();
            Some(Found { id: found.id.clone()?, status: status(&found), epoch })
        }))
    }

    fn address_of(&self, found: &ContainerInspectResponse) -> Option<IpAddr> {
        let networks = found.network_settings.as_ref()?.networks.as_ref()?;
        let at = |name: &String| networks.get(name)?.ip_address.as_deref()?.parse().ok();
        let shared = |policy| at(&self.bridge(policy).ok()?.name);
        let own = || at(&network::own_name(&self.settings, label(found, SESSION)?.parse().ok()?));
        shared(NetworkPolicy::Internal).or_else(|| shared(NetworkPolicy::Egress)).or_else(own)
    }

    async fn exited(&self, container: &str, found: &ContainerInspectResponse) -> EngineError {
        let code = found.state.as_ref().and_then(|state| state.exit_code);
        let output = output::last_lines(&self.api, container).await.unwrap_or_default();
        EngineError::Exited { code, output }
    }

    async fn remove_container(&self, container: &str) -> Result<(), EngineError> {
        let deadline = Instant::now() + QUICK;
        loop {
            self.addresses.forget(container);
            match self.api.remove(container).await {
                Ok(()) => return Ok(()),
                // Somebody else is removing it: wait until they have.
                Err(failure) if failure.is(409) && Instant::now() < deadline => {
                    sleep(Duration::from_millis(50)).await;
                }
                Err(failure) => return Err(failure.into()),
            }
        }
    }

    /// The outcome of a verb that the engine refuses when the container is already so.
    async fn settled(
        &self,
        session: SessionId,
        done: Result<(), Failure>,
        want: ContainerStatus,
    ) -> Result<(), EngineError> {
        let Err(failure) = done else { return Ok(()) };
        match self.find(session).await? {
            Some(found) if found.status == want => Ok(()),
            Some(Found { status: ContainerStatus::Created | ContainerStatus::Exited, .. }) | None => {
                Err(EngineError::Gone)
            }
            Some(_) => Err(failure.into()),
        }
    }
}

/// A container of a session.
struct Found {
    id: String,
    status: ContainerStatus,
    /// The start that made it.
    epoch: u64,
}

#[async_trait]
impl Engine for DockerEngine {
    async fn start(&self, order: &StartOrder) -> Result<Started, EngineError> {
        self.start_unless(order, std::future::pending()).await
    }

    async fn connect(&self, upstream: &Upstream) -> Result<Connection, EngineError> {
        let resolve = self.address(&upstream.container);
        Ok(Connection::Tcp(self.addresses.connect(upstream, resolve).await?))
    }

    async fn stop(&self, session: SessionId, grace: Duration) -> Result<(), EngineError> {
        let _turn = Turn::take(self, session).await;
        let Some(found) = self.find(session).await? else { return Ok(()) };
        self.fences.raise(session, found.epoch);
        self.addresses.forget(&found.id);
        if found.status == ContainerStatus::Paused {
            let thawed = self.api.unpause(&found.id).await;
            // Gone while we asked is as good as stopped.
            match self.settled(session, thawed, ContainerStatus::Running).await {
                Ok(()) | Err(EngineError::Gone) => {}
                Err(error) => return Err(error),
            }
        }
        let stopped = self.api.stop(&found.id, grace).await;
        self.addresses.forget(&found.id);
        Ok(stopped?)
    }

    async fn pause(&self, session: SessionId) -> Result<(), EngineError> {
        let found = self.find(session).await?.ok_or(EngineError::Gone)?;
        self.settled(session, self.api.pause(&found.id).await, ContainerStatus::Paused).await
    }

    async fn resume(&self, session: SessionId) -> Result<(), EngineError> {
        let found = self.find(session).await?.ok_or(EngineError::Gone)?;
        self.settled(session, self.api.unpause(&found.id).await, ContainerStatus::Running).await
    }

    async fn remove(&self, session: SessionId) -> Result<(), EngineError> {
        let _turn = Turn::take(self, session).await;
        if let Some(found) = self.find(session).await? {
            self.fences.raise(session, found.epoch);
            self.remove_container(&found.id).await?;
        }
        own_network::remove(self, session).await
    }

    async fn list(&self) -> Result<Vec<Container>, EngineError> {
        let labels = vec![format!("{NETWORK}={}", self.settings.network), SESSION.to_owned()];
        Ok(self.api.list(labels).await?.into_iter().filter_map(listed).collect())
    }

    async fn events(&self) -> Result<BoxStream<'static, EngineEvent>, EngineError> {
        self.ping().await?;
        Ok(events::stream(&self.api, &self.settings.network, self.addresses.clone()))
    }

    async fn ping(&self) -> Result<EngineVersion, EngineError> {
        Ok(self.api.version().await?)
    }

    async fn stats(&self, session: SessionId) -> Result<Stats, EngineError> {
        let found = self.find(session).await?.ok_or(EngineError::Gone)?;
        match found.status {
            ContainerStatus::Running | ContainerStatus::Paused => {}
            ContainerStatus::Created | ContainerStatus::Exited => return Err(EngineError::Gone),
        }
        let stats = self.api.stats(&found.id).await?.ok_or(EngineError::Gone)?;
        let used = stats.cpu_stats.and_then(|cpu| cpu.cpu_usage).and_then(|usage| usage.total_usage);
        Ok(Stats { cpu: Duration::from_nanos(used.unwrap_or_default()) })
    }

    async fn sample(&self) -> Result<Sample, EngineError> {
        sample::take(self).await
    }

    async fn output(&self, session: SessionId) -> Result<String, EngineError> {
        match self.find(session).await? {
            Some(found) => output::last_lines(&self.api, &found.id).await,
            None => Ok(String::new()),
        }
    }

    async fn images(&self) -> Result<Vec<TemplateImage>, EngineError> {
        images::of_templates(self).await
    }

    async fn pull(&self, template: &TemplateName) -> Result<PullSteps, EngineError> {
        images::pull(self, template)
    }
}
