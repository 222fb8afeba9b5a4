//! Engines: what runs containers.
//!
//! The broker sees only the [`Engine`] trait. [`docker`] drives the Docker API and alone needs
//! its socket; [`spawner`] asks the privileged spawner process for the same verbs; [`fake`]
//! fails on demand for tests.

pub(crate) mod addresses;
pub mod contract;
pub mod docker;
pub mod fake;
pub mod home;
mod image;
pub mod spawner;
mod status;
mod usage;
pub mod vnc_password;

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::net::TcpStream;

pub use self::home::{HomeOrder, Homes};
pub use self::image::{Image, PullProgress, PullStep, TemplateImage};
pub use self::status::{EngineCheck, EngineStatus};
pub use self::usage::{Addresses, ContainerUse, Machine, Places, Sample, Space};
use crate::fault::{Answer, Fault};
use crate::language::Language;
use crate::language::Sentence;
use crate::secret::Secret;
use crate::session::{SessionId, SessionName, TemplateName, Upstream, UserId};

/// What runs containers.
///
/// Every call has a bound of its own (10 s unless its doc says otherwise) and may be cancelled:
/// a cancelled `start` may leave a container behind, which [`Engine::remove`] or a repeated
/// `start` with the same session finds by its deterministic name.
#[async_trait]
pub trait Engine: Homes + Send + Sync + 'static {
    /// Makes and starts the container of a session, or starts the one that exists if it is of
    /// the same make. Idempotent by session id. Returns once the container runs; whether it is
    /// reachable is for the caller to find out. Bound: 60 s.
    async fn start(&self, order: &StartOrder) -> Result<Started, EngineError>;

    /// Opens a byte stream to the port of a running container. Fails rather than reach another
    /// container that got the same address.
    async fn connect(&self, upstream: &Upstream) -> Result<Connection, EngineError>;

    /// Stops a session's container with SIGTERM and, after `grace`, SIGKILL. A container that is
    /// stopped or absent already is success. Frozen containers are thawed first. Bound: `grace` + 10 s.
    async fn stop(&self, session: SessionId, grace: Duration) -> Result<(), EngineError>;

    /// Freezes every process of the container.
    async fn pause(&self, session: SessionId) -> Result<(), EngineError>;

    /// Lets a frozen container go on.
    async fn resume(&self, session: SessionId) -> Result<(), EngineError>;

    /// Removes the container in whatever state it is, and its anonymous volumes. Absent is success.
    async fn remove(&self, session: SessionId) -> Result<(), EngineError>;

    /// Every container of this installation, in any state.
    async fn list(&self) -> Result<Vec<Container>, EngineError>;

    /// Containers that ended by themselves, as a hint: the stream may end or skip, and callers
    /// compare with [`Engine::list`] from time to time.
    async fn events(&self) -> Result<BoxStream<'static, EngineEvent>, EngineError>;

    /// Whether the engine answers, and what it is.
    async fn ping(&self) -> Result<EngineVersion, EngineError>;

    /// What a session's container has used so far. [`EngineError::Gone`] if there is none or it
    /// does not run. May take a second or two.
    async fn stats(&self, session: SessionId) -> Result<Stats, EngineError>;

    /// What the machine and every running container use, in one question. Meant to be asked every few
    /// seconds: it costs a list and a few small files per container. A container that ends meanwhile is left out.
    async fn sample(&self) -> Result<Sample, EngineError>;

    /// The last lines a session's container printed, for people; empty if there are none.
    async fn output(&self, session: SessionId) -> Result<String, EngineError>;

    /// What of every configured template's image is on the machine, by template name.
    async fn images(&self) -> Result<Vec<TemplateImage>, EngineError>;

    /// Fetches a template's image from its registry and tells how far it is. The stream ends with
    /// [`PullStep::Done`] or an error, and fails by itself when nothing moved for five minutes.
    ///
    /// **Cancel safety**: dropping the stream breaks the pull off; layers that are complete stay
    /// for the next one, and the image that was there is still there.
    async fn pull(&self, template: &TemplateName) -> Result<PullSteps, EngineError>;
}

/// How a pull goes, until it is done or fails.
pub type PullSteps = BoxStream<'static, Result<PullStep, EngineError>>;

/// What to start. It names a template and never an image, mount or capability: the engine side
/// looks those up in its own configuration.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StartOrder {
    /// Which store knows the session: no other installation may take its container for an orphan.
    pub installation: String,
    /// The session; the container is named `berth-<id>`.
    pub session: SessionId,
    /// The owner; a persistent home is theirs.
    pub owner: UserId,
    /// The owner's user name: a home in a directory of the host is called after it.
    pub owner_name: String,
    /// What to make it from.
    pub template: TemplateName,
    /// What its owner calls it; programs in the container read it as `TITLE`.
    pub title: SessionName,
    /// Its owner's language, where it is known; programs in the container read it as `LANG`.
    pub language: Option<Language>,
    /// Fencing number of this start.
    pub epoch: u64,
    /// The password the upstream must know (VNC: the first 8 characters count).
    pub secret: Secret<String>,
}

/// A container that runs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Started {
    /// Where its bytes go.
    pub upstream: Upstream,
    /// The id of the image it was made from.
    pub image: String,
}

/// A container as the engine knows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Container {
    /// The session in its `berth.session` label.
    pub session: SessionId,
    /// The store that knows it, from `berth.installation`.
    pub installation: String,
    /// The engine's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The epoch of the start that made it, from `berth.epoch`.
    pub epoch: u64,
    /// The make, from `berth.spec`.
    pub spec: String,
    /// The id of the image it was made from, from `berth.image`.
    pub image: String,
    /// What it is doing.
    pub status: ContainerStatus,
}

/// What a container is doing.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContainerStatus {
    /// Made, never started.
    Created,
    /// Its processes run.
    Running,
    /// Its processes are frozen.
    Paused,
    /// Its first process has ended.
    Exited,
}

/// What a container has used.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stats {
    /// CPU time of all its processes since it was started; may begin anew at a start.
    pub cpu: Duration,
}

/// A container ended by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EngineEvent {
    /// The session in its label.
    pub session: SessionId,
    /// The engine's id of the container.
    pub container: String,
    /// What happened.
    pub kind: EngineEventKind,
}

/// What happened to a container.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EngineEventKind {
    /// Its first process ended.
    Died {
        /// The exit code, where the engine tells.
        code: Option<i64>,
    },
    /// The kernel killed a process of it for want of memory.
    OutOfMemory,
}

/// What an engine says of itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EngineVersion {
    /// Product and version, for people.
    pub version: String,
    /// The API version in use.
    pub api: String,
}

/// Why an engine call failed.
#[derive(Clone, Debug, Error, Serialize, Deserialize)]
#[serde(tag = "error", rename_all = "snake_case")]
pub enum EngineError {
    /// Another container has the name and is not ours.
    #[error("the container name is taken by something else: {detail}")]
    Conflict {
        /// The engine's words.
        detail: String,
    },
    /// The engine does not answer.
    #[error("the container engine does not answer: {detail}")]
    Down {
        /// What was tried and how it failed.
        detail: String,
    },
    /// The container ended.
    #[error("the container ended with code {code:?}")]
    Exited {
        /// The exit code, where known.
        code: Option<i64>,
        /// Its last lines.
        output: String,
    },
    /// Another container uses the same home, or its files are being copied.
    #[error("the home is in use")]
    HomeInUse,
    /// The image is not on this machine.
    #[error("there is no image {image} on this machine")]
    ImageMissing {
        /// The image.
        image: String,
    },
    /// There is no such container, or it no longer runs.
    #[error("the container is gone")]
    Gone,
    /// The engine refused or failed.
    #[error("the container engine failed: {detail}")]
    Refused {
        /// The engine's words.
        detail: String,
    },
    /// The template is not configured on the engine's side.
    #[error("no template {template} is configured")]
    TemplateGone {
        /// Its name.
        template: TemplateName,
    },
    /// The call took longer than its bound.
    #[error("the container engine took longer than {seconds} s to {verb}")]
    Slow {
        /// What was asked.
        verb: String,
        /// The bound.
        seconds: u64,
    },
    /// The container does not accept connections (yet).
    #[error("the container does not answer on its port: {detail}")]
    Unreachable {
        /// The operating system's words.
        detail: String,
    },
}

impl Answer for EngineError {
    fn fault(&self) -> Fault {
        match self {
            Self::Unreachable { .. } | Self::Exited { .. } | Self::Gone => Fault::Upstream,
            Self::Conflict { .. }
            | Self::Down { .. }
            | Self::HomeInUse
            | Self::ImageMissing { .. }
            | Self::Refused { .. }
            | Self::TemplateGone { .. }
            | Self::Slow { .. } => Fault::Engine,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Conflict { .. } => "engine_conflict",
            Self::Down { .. } => "engine_down",
            Self::Exited { .. } => "container_exited",
            Self::HomeInUse => "home_in_use",
            Self::ImageMissing { .. } => "image_missing",
            Self::Gone => "container_gone",
            Self::Refused { .. } => "engine_refused",
            Self::TemplateGone { .. } => "template_gone",
            Self::Slow { .. } => "engine_slow",
            Self::Unreachable { .. } => "upstream_unreachable",
        }
    }

    fn sentence(&self) -> Sentence {
        Sentence::of(match self {
            Self::Unreachable { .. } | Self::Exited { .. } | Self::Gone => "problem-upstream-silent",
            Self::HomeInUse => "problem-home-in-use-by-another",
            Self::ImageMissing { .. } | Self::TemplateGone { .. } => "problem-image-missing",
            Self::Conflict { .. } | Self::Down { .. } | Self::Refused { .. } | Self::Slow { .. } => {
                "problem-engine"
            }
        })
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Down { .. } | Self::Slow { .. } => Some(Duration::from_secs(10)),
            Self::Unreachable { .. } => Some(Duration::from_secs(2)),
            Self::Conflict { .. }
            | Self::Exited { .. }
            | Self::HomeInUse
            | Self::ImageMissing { .. }
            | Self::Gone
            | Self::Refused { .. }
            | Self::TemplateGone { .. } => None,
        }
    }
}

/// An open byte stream to a container.
#[derive(Debug)]
pub enum Connection {
    /// Over the engine's network.
    Tcp(TcpStream),
    /// In memory, for tests.
    Memory(DuplexStream),
}

impl AsyncRead for Connection {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Memory(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Memory(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Self::Memory(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Tcp(stream) => stream.is_write_vectored(),
            Self::Memory(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            Self::Memory(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Memory(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
