//! The proof that sessions are apart: an experiment from inside two containers made like any
//! session's.
//!
//! One listens, the other must fail to reach it, the host (on every address it has towards us),
//! the cloud metadata service and a name server. Where sessions get networks of their own, the same
//! is tried from such a one. Two controls keep the experiment honest: the
//! host does reach the listening container, and its own listener does answer.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use bollard::models::{ContainerCreateBody, EndpointIpamConfig, EndpointSettings, NetworkingConfig};
use bollard::query_parameters::LogsOptionsBuilder;
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::time::{Instant, sleep, timeout};

use super::Settings;
use super::api::{Api, Failure, bounded};
use super::make::{Limits, NETWORK, hardened};
use super::network::Bridge;
use crate::engine::EngineError;
use crate::session::NetworkPolicy;

/// Where the neighbour listens.
const PORT: u16 = 8000;
/// How long the neighbour may take to listen, and the prober to finish. Usually both are a second.
const PATIENCE: Duration = Duration::from_secs(10);
const LIMITS: Limits = Limits { cpus: 1.0, memory_mib: 64, pids: 64, shm_mib: 1 };

/// Ends by itself, should nobody be left to remove it.
const LISTEN: &str = r"
use IO::Socket::INET;
alarm 30;
my $listener = IO::Socket::INET->new(Listen => 5, LocalPort => shift, ReuseAddr => 1) or die $!;
while (my $peer = $listener->accept) { close $peer }
";

/// Tries every target at once, each for half a second (a name for a whole one), and prints the
/// ones it reached. Whatever answers on this machine does so within a millisecond.
const PROBE: &str = r#"
use IO::Socket::INET;
$| = 1;
for (@ARGV) {
    my ($kind, $address, $port, $name) = split /\|/;
    next if fork;
    alarm 1;
    my $reached = $kind eq 'tcp'
        ? IO::Socket::INET->new(PeerAddr => $address, PeerPort => $port, Proto => 'tcp', Timeout => 0.5)
        : gethostbyname($address);
    print "reached $name\n" if $reached;
    exit;
}
1 while wait != -1;
print "done\n";
"#;

/// What the probe found.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Isolation {
    /// Whether nothing was reached that must not be.
    pub proven: bool,
    /// What was reached, for people.
    pub leaks: Vec<String>,
}

/// Runs the experiment from `bridge` with a neighbour on `shared`, which exist, and removes what it made.
pub(super) async fn run(
    api: &Api,
    settings: &Settings,
    shared: &Bridge,
    bridge: &Bridge,
) -> Result<Isolation, EngineError> {
    let image = &settings.probe_image;
    if api.image(image).await?.is_none() {
        let detail =
            format!("isolation cannot be proven: the image {image} is not here; build it with `make images`");
        return Err(EngineError::Refused { detail });
    }
    let experiment = Experiment {
        api,
        settings,
        shared,
        bridge,
        neighbour: format!("berth-probe-{}-neighbour", settings.network),
        prober: format!("berth-probe-{}-prober", settings.network),
    };
    experiment.clear().await?;
    let outcome = experiment.carry_out().await;
    experiment.clear().await?;
    let leaks = outcome?;
    Ok(Isolation { proven: leaks.is_empty(), leaks })
}

/// The two containers and where they live.
struct Experiment<'a> {
    api: &'a Api,
    settings: &'a Settings,
    /// Where the neighbour listens.
    shared: &'a Bridge,
    /// Where the prober is.
    bridge: &'a Bridge,
    neighbour: String,
    prober: String,
}

impl Experiment<'_> {
    async fn carry_out(&self) -> Result<Vec<String>, EngineError> {
        let gateway =
            self.bridge.gateway().map(IpAddr::V4).ok_or_else(|| void("the network has no gateway"))?;
        let bound = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).await;
        let listener =
            bound.map_err(|error| void(&format!("no port can be opened on the host ({error})")))?;
        let port = listener.local_addr().map_err(|error| void(&error.to_string()))?.port();

        let neighbour = SocketAddr::from((self.shared.last(), PORT));
        let targets = targets(neighbour, gateway, port).await;
        let listen = self.body(self.shared, LISTEN, vec![PORT.to_string()], Some(self.shared.last()));
        let probe = self.body(self.bridge, PROBE, targets, None);
        tokio::try_join!(self.api.create(&self.neighbour, listen), self.api.create(&self.prober, probe))?;

        self.api.start(&self.neighbour).await?;
        answers(neighbour).await.map_err(|_| void("the host does not reach a listening container"))?;
        answers((gateway, port).into())
            .await
            .map_err(|_| void("the host does not reach its own listener"))?;
        self.api.start(&self.prober).await?;
        self.leaks().await
    }

    /// What the prober reached, once it is done.
    async fn leaks(&self) -> Result<Vec<String>, EngineError> {
        let options = LogsOptionsBuilder::default().stdout(true).stderr(true).follow(true).build();
        let logs = self.api.docker().logs(&self.prober, Some(options));
        let read = logs.collect::<Vec<_>>();
        let chunks = bounded("finish a probe", PATIENCE, async { Ok(read.await) }).await?;
        let mut text = String::new();
        for chunk in chunks {
            text.push_str(&chunk.map_err(Failure::from)?.to_string());
        }
        if !text.lines().any(|line| line == "done") {
            return Err(void(&format!("the prober did not finish: {}", text.trim())));
        }
        Ok(text.lines().filter_map(|line| line.strip_prefix("reached ")).map(ToOwned::to_owned).collect())
    }

    async fn clear(&self) -> Result<(), EngineError> {
        tokio::try_join!(self.api.remove(&self.neighbour), self.api.remove(&self.prober))?;
        Ok(())
    }

    fn body(
        &self,
        bridge: &Bridge,
        script: &str,
        arguments: Vec<String>,
        address: Option<Ipv4Addr>,
    ) -> ContainerCreateBody {
        let endpoint = EndpointSettings {
            ipam_config: address.map(|address| EndpointIpamConfig {
                ipv4_address: Some(address.to_string()),
                ..EndpointIpamConfig::default()
            }),
            ..EndpointSettings::default()
        };
        let endpoints = HashMap::from([(bridge.name.clone(), endpoint)]);
        let command = ["-e".to_owned(), script.to_owned()].into_iter().chain(arguments);
        ContainerCreateBody {
            image: Some(self.settings.probe_image.clone()),
            user: Some("1000:1000".to_owned()),
            entrypoint: Some(vec!["perl".to_owned()]),
            cmd: Some(command.collect()),
            labels: Some(HashMap::from([(NETWORK.to_owned(), self.settings.network.clone())])),
            host_config: Some(hardened(LIMITS, bridge, NetworkPolicy::Internal)),
            networking_config: Some(NetworkingConfig { endpoints_config: Some(endpoints) }),
            ..ContainerCreateBody::default()
        }
    }
}

/// What must not be reached, in the prober's own notation.
async fn targets(neighbour: SocketAddr, gateway: IpAddr, port: u16) -> Vec<String> {
    let mut targets = vec![
        format!("tcp|{}|{}|another session", neighbour.ip(), neighbour.port()),
        format!("tcp|{gateway}|{port}|the host through the bridge"),
        "tcp|169.254.169.254|80|the cloud metadata service".to_owned(),
        "dns|example.com|0|a name server".to_owned(),
    ];
    for address in host_addresses().await {
        targets.push(format!("tcp|{address}|{port}|the host through its address {address}"));
    }
    targets
}

/// The host's address towards the internet and towards a private network, where it has them.
async fn host_addresses() -> Vec<IpAddr> {
    let mut addresses = Vec::new();
    for towards in [[198, 51, 100, 1], [172, 17, 0, 2]] {
        if let Some(address) = source_towards(Ipv4Addr::from(towards)).await
            && !addresses.contains(&address)
        {
            addresses.push(address);
        }
    }
    addresses
}

/// Which of its addresses the host would use; connecting a datagram socket sends nothing.
async fn source_towards(destination: Ipv4Addr) -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).await.ok()?;
    socket.connect((destination, 9)).await.ok()?;
    socket.local_addr().ok().map(|local| local.ip()).filter(|ip| !ip.is_loopback())
}

/// Waits until something accepts on `address`.
async fn answers(address: SocketAddr) -> Result<(), ()> {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if let Ok(Ok(_)) = timeout(Duration::from_secs(1), TcpStream::connect(address)).await {
            return Ok(());
        }
        sleep(Duration::from_millis(10)).await;
    }
    Err(())
}

/// An experiment whose result means nothing.
fn void(why: &str) -> EngineError {
    EngineError::Refused { detail: format!("isolation cannot be proven: {why}") }
}
