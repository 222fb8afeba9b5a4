//! Settings of modules that do not define their own yet.

use std::path::PathBuf;
use std::time::Duration;

use ipnet::Ipv4Net;

use crate::secret::Secret;
use crate::web::Landing;

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
            danger_skip_isolation: false,
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

/// The pages: `[web]`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct WebSettings {
    /// Where somebody goes who logs in. Default is the dashboard.
    pub landing: Landing,
}
