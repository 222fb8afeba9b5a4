//! Settings of modules that do not define their own yet.

use std::path::PathBuf;
use std::time::Duration;

use ipnet::Ipv4Net;

use crate::secret::Secret;
use crate::session::reap;

/// Where things persist: `[store]`.
#[derive(Clone, Debug, PartialEq)]
pub struct StoreSettings {
    /// `sqlite:PATH` (relative to the working directory). Secret, because the URL of another kind
    /// of store may hold a password. Default is `sqlite:var/berth.db`.
    pub url: Secret<String>,
}

impl Default for StoreSettings {
    fn default() -> Self {
        Self { url: Secret::new("sqlite:var/berth.db".to_owned()) }
    }
}

/// What runs containers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum EngineKind {
    /// One Docker engine.
    Docker,
}

/// How containers are run: `[engine]`.
#[derive(Clone, Debug, PartialEq)]
pub struct EngineSettings {
    /// Default is Docker.
    pub kind: EngineKind,
    /// The engine's own socket; only the spawner opens it. Default is `/var/run/docker.sock`.
    pub socket: PathBuf,
    /// Name of the network containers live in. Default is `berth`.
    pub network: String,
    /// Address pool of that network. Default is `10.201.0.0/16`.
    pub subnet: Ipv4Net,
    /// Socket of a spawner that runs apart; `None` starts one as a child. Default is `None`.
    pub spawner: Option<PathBuf>,
    /// Image of the containers that prove isolation before serving; has bash and perl. Default
    /// is `berth/base`.
    pub probe_image: String,
    /// Time between two comparisons of store and engine. Default is 15 s.
    pub reconcile: Duration,
    /// Serve even if isolation is not proven. Default is `false`.
    pub danger_skip_isolation: bool,
}

impl Default for EngineSettings {
    fn default() -> Self {
        Self {
            kind: EngineKind::Docker,
            socket: PathBuf::from("/var/run/docker.sock"),
            network: "berth".to_owned(),
            subnet: Ipv4Net::new_assert(std::net::Ipv4Addr::new(10, 201, 0, 0), 16),
            spawner: None,
            probe_image: "berth/base".to_owned(),
            reconcile: Duration::from_secs(15),
            danger_skip_isolation: false,
        }
    }
}

/// How many sessions there may be, and for how long: `[limits]`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Sessions that exist at once, of everyone. Default is 100.
    pub max_sessions: usize,
    /// Sessions of one owner. Default is 3.
    pub max_sessions_per_user: usize,
    /// Containers being started at once; others wait in line. Default is 4.
    pub max_parallel_starts: usize,
    /// From leaving the line to reachable. Default is 60 s.
    pub start_deadline: Duration,
    /// Longest wait in line. Default is 10 minutes.
    pub queue_deadline: Duration,
    /// From SIGTERM to SIGKILL when a container stops. Default is 10 s.
    pub stop_grace: Duration,
    /// No human input for this long freezes a session. Default is 1 h.
    pub away: Duration,
    /// Frozen for this long stops it. Default is 24 h.
    pub frozen: Duration,
    /// Hard lifetime since it became reachable; `None` for no such limit. Default is `None`.
    pub total: Option<Duration>,
    /// Stopped or failed for this long removes it. Default is 7 days.
    pub remove_stopped: Duration,
}

impl Limits {
    /// The part of it that decides when a session lapses.
    #[must_use]
    pub fn policy(&self) -> reap::Policy {
        reap::Policy {
            away: self.away,
            frozen: self.frozen,
            total: self.total,
            remove_stopped: self.remove_stopped,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_sessions: 100,
            max_sessions_per_user: 3,
            max_parallel_starts: 4,
            start_deadline: Duration::from_mins(1),
            queue_deadline: Duration::from_mins(10),
            stop_grace: Duration::from_secs(10),
            away: Duration::from_hours(1),
            frozen: Duration::from_hours(24),
            total: None,
            remove_stopped: Duration::from_hours(24 * 7),
        }
    }
}

/// How people and scripts prove who they are: `[auth]`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AuthSettings {
    /// A login lasts this long. Default is 12 h.
    pub login_ttl: Duration,
    /// Name of an environment variable that holds a bootstrap admin token for the API. Default is
    /// `None`.
    pub api_tokens_from_env: Option<String>,
}

impl Default for AuthSettings {
    fn default() -> Self {
        Self { login_ttl: Duration::from_hours(12), api_tokens_from_env: None }
    }
}

/// The viewer page: `[viewer]`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ViewerSettings {
    /// Directory of noVNC; `None` takes the first of `var/novnc` and `/usr/share/novnc` that
    /// exists. Default is `None`.
    pub novnc: Option<PathBuf>,
}
