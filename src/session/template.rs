//! What a session is made from.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;
use utoipa::ToSchema;

use super::{ImageName, Wording};

/// A template's short name: 1 to 32 of `a-z`, `0-9` and inner `-`.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, max_length = 32, pattern = "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")]
pub struct TemplateName(String);

/// A text that is no template name.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("a template name has 1 to 32 characters of a-z, 0-9 and inner hyphens")]
pub struct TemplateNameError;

impl TemplateName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TemplateName {
    type Err = TemplateNameError;

    fn from_str(text: &str) -> Result<Self, TemplateNameError> {
        if text.len() > 32 || super::Label::check(text).is_err() {
            return Err(TemplateNameError);
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for TemplateName {
    type Error = TemplateNameError;

    fn try_from(text: String) -> Result<Self, TemplateNameError> {
        text.parse()
    }
}

impl From<TemplateName> for String {
    fn from(name: TemplateName) -> Self {
        name.0
    }
}

impl fmt::Display for TemplateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What the container speaks.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// VNC on one TCP port; the gateway serves the viewer.
    Rfb,
    /// Any web app on one TCP port.
    Http,
}

/// Where sessions live in URLs.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Routing {
    /// `https://<domain>/s/<label>/`
    Path,
    /// `https://<label>.<domain>/`
    Subdomain,
}

/// What a container may reach.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NetworkPolicy {
    /// Nothing but answers to the gateway.
    Internal,
    /// The internet too, but neither the host, other sessions nor private addresses.
    Egress,
}

/// What becomes of the files in the home directory.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Home {
    /// One per owner, kept when the session is removed.
    Persistent,
    /// One per session, kept while it is stopped and through resets, gone when it is removed.
    Session,
    /// Gone with the container.
    Ephemeral,
}

/// The picture beside a template's title.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Icon {
    /// A screen.
    #[default]
    Desktop,
    /// Angle brackets.
    Code,
    /// A cylinder.
    Database,
    /// A shield.
    Shield,
    /// One window that fills the screen.
    Kiosk,
    /// A notebook.
    Notebook,
    /// A prompt.
    Terminal,
    /// A computer of its own.
    Machine,
}

impl Icon {
    /// Its name in the configuration and the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Desktop => "desktop",
            Self::Code => "code",
            Self::Database => "database",
            Self::Shield => "shield",
            Self::Kiosk => "kiosk",
            Self::Notebook => "notebook",
            Self::Terminal => "terminal",
            Self::Machine => "machine",
        }
    }
}

/// A capability that a template may grant back to its containers.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Capability {
    /// Raw and packet sockets, for scanners and sniffers. Its containers get a network of their own.
    NetRaw,
}

impl Capability {
    /// Its name as the engine writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NetRaw => "NET_RAW",
        }
    }
}

/// Something of the host that every container of a template sees and none can change.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Volume {
    /// A volume's name, or an absolute path of the host.
    pub source: String,
    /// Where it is mounted, read-only.
    pub target: String,
}

/// When the gateway fetches a template's image by itself.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PullPolicy {
    /// Only when somebody asks for it.
    #[default]
    Never,
    /// When it is not on the machine.
    Missing,
    /// When it is not on the machine, when the gateway starts, and every day after that.
    Daily,
}

impl PullPolicy {
    /// Its name in the configuration and the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Missing => "missing",
            Self::Daily => "daily",
        }
    }
}

/// What a session is made from: image, protocol, limits, policies.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Template {
    /// Its short name, as in the configuration.
    pub name: TemplateName,
    /// What people read. No part of a container's make, nor is what follows.
    #[serde(skip)]
    pub title: Wording,
    /// One sentence for people choosing.
    #[serde(skip)]
    pub description: Wording,
    /// The picture beside its title.
    #[serde(skip)]
    pub icon: Icon,
    /// The image, by tag or digest; must already be on the machine.
    pub image: String,
    /// When it is fetched without being asked for. No part of a container's make.
    #[serde(skip)]
    pub pull: PullPolicy,
    /// What the container speaks.
    pub protocol: Protocol,
    /// The TCP port it speaks on.
    pub port: u16,
    /// Overrides `server.routing` for this template.
    pub routing: Option<Routing>,
    /// Processor limit in cores.
    pub cpus: f64,
    /// Memory limit, swap included, in MiB.
    pub memory_mib: u64,
    /// Largest number of processes and threads.
    pub pids: u32,
    /// Size of `/dev/shm` in MiB.
    pub shm_mib: u64,
    /// What it may reach.
    pub network: NetworkPolicy,
    /// What becomes of its files.
    pub home: Home,
    /// Where a persistent home is mounted.
    pub home_dir: String,
    /// Environment of the container.
    pub env: BTreeMap<String, String>,
    /// Name of an environment variable in which the container also finds its session's password,
    /// for images that take it from there. Default none: it lies in a file.
    pub password_env: Option<String>,
    /// Whether the container's root file system is read-only; `/tmp`, `/run` and the home are not.
    pub read_only: bool,
    /// Capabilities granted back, none by default.
    pub capabilities: Vec<Capability>,
    /// What is mounted read-only besides the home.
    pub volumes: Vec<Volume>,
    /// `http` in path mode only: serve the container's pages unsandboxed on the portal's own
    /// origin, where their scripts can act as the person who opens them.
    pub danger_share_origin: bool,
    /// Where its sessions' limits differ from everybody's. No part of a container's make.
    #[serde(skip)]
    pub limits: TemplateLimits,
}

/// The command that brings an image to the machine for a template: makes it, if it is one of this
/// project, else fetches it.
#[must_use]
pub fn image_command(image: &str, template: &TemplateName) -> String {
    match ImageName::of(image).built_here() {
        Some(image) => format!("images/build {image}"),
        None => format!("berth template pull {template}"),
    }
}

/// A template's own limits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TemplateLimits {
    /// Away limit in place of the general one. Default is none.
    pub away: Option<Duration>,
    /// Total limit in place of the general one. Default is none.
    pub total: Option<Duration>,
    /// A container that uses at least this much CPU puts the away limit off; 100 is one core. 0 is
    /// off, the default.
    pub busy_cpu_percent: u32,
    /// The longest it is put off. Default 4 h.
    pub busy_max: Duration,
}

impl Default for TemplateLimits {
    fn default() -> Self {
        Self { away: None, total: None, busy_cpu_percent: 0, busy_max: Duration::from_hours(4) }
    }
}

impl Template {
    /// The command that brings its image to the machine.
    #[must_use]
    pub fn image_command(&self) -> String {
        image_command(&self.image, &self.name)
    }

    /// Where its sessions live, if they live at `default` unless a template says otherwise.
    #[must_use]
    pub fn routing_or(&self, default: Routing) -> Routing {
        self.routing.unwrap_or(default)
    }

    /// Hash of everything that decides how a container is made; another value means that an
    /// existing container is of an older make. Stable across restarts and machines.
    #[must_use]
    pub fn spec_hash(&self) -> String {
        let json = serde_json::to_vec(self).expect("a template is plain data, which always serialises");
        Sha256::digest(json).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }
}
