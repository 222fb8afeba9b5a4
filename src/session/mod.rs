//! Sessions as values: what one is, which states it has, and when it lapses.
//!
//! Everything here is pure: no async, no I/O, no clock. The broker feeds events in and carries the
//! returned [`Action`]s out; the store keeps [`Session`] records as they are.

mod client;
mod closing;
mod grant;
mod home;
mod image_name;
mod invitation;
mod label;
mod link;
pub mod reap;
mod reason;
mod state;
mod template;
mod user_limits;
mod wording;

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

pub use self::client::{ClientId, ClientIdError};
pub use self::closing::{ClosingTime, ClosingTimeError};
pub use self::grant::{Grant, GrantId, GrantRole, GrantRoleError, ViewerRole};
pub use self::home::{CopyName, CopyNameError, HomeKey, HomeKeyError, HomeLevel, HomeUse};
pub use self::image_name::ImageName;
pub use self::invitation::{Invitation, InvitationId};
pub use self::label::{Label, LabelError, SessionName, SessionNameError};
pub use self::link::{Link, LinkAction, LinkId};
pub use self::reason::{FailReason, StopReason};
pub use self::state::{Action, Event, Illegal, Next, NodeName, Phase, State, StateKind, Upstream};
pub use self::template::{
    Capability, Home, Icon, NetworkPolicy, Protocol, PullPolicy, Routing, Template, TemplateLimits,
    TemplateName, TemplateNameError, Volume, image_command,
};
pub use self::user_limits::{Allowance, Excess, LimitsChange, Setting, Taken, UserLimits};
pub use self::wording::Wording;
use crate::language::Language;
use crate::secret::Secret;

/// The opaque identity of a session; names its container and its rows, never shown in a URL.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionId(pub Uuid);

impl SessionId {
    /// Draws a fresh random id.
    #[must_use]
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.simple())
    }
}

impl std::str::FromStr for SessionId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::parse_str(text).map(Self)
    }
}

/// The opaque identity of a user; stays when the user is renamed.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserId(pub Uuid);

impl UserId {
    /// Draws a fresh random id.
    #[must_use]
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.simple())
    }
}

impl std::str::FromStr for UserId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::parse_str(text).map(Self)
    }
}

/// One user's desktop or app, from asked-for to gone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// Opaque identity; the container is named after it.
    pub id: SessionId,
    /// DNS-safe name in URLs, assigned once.
    pub label: Label,
    /// Who owns it.
    pub owner: UserId,
    /// The owner's user name when the session was created, for people to read.
    pub owner_name: String,
    /// What it is made from.
    pub template: TemplateName,
    /// What its owner calls it; unique per owner.
    pub name: SessionName,
    /// What a kiosk orchestrator's scripts call it, if they made it; unique.
    #[serde(default)]
    pub client: Option<ClientId>,
    /// The language its owner read pages in when they created it; `None` if no page was read.
    #[serde(default)]
    pub language: Option<Language>,
    /// Where it is in its life.
    pub state: State,
    /// Fencing number of the newest start; an older start's results are refused.
    pub epoch: u64,
    /// Compare-and-set number of this record; the store raises it on every update.
    pub version: u64,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it entered its present state.
    pub state_since: Timestamp,
    /// When it last became reachable.
    pub ready_at: Option<Timestamp>,
    /// When a human last gave input, judged in the gateway.
    pub last_input_at: Option<Timestamp>,
    /// What that input was.
    pub last_input_source: Option<InputSource>,
    /// The closing time that ends this start, before any extension; drawn up when it became
    /// reachable.
    #[serde(default)]
    pub closes_at: Option<Timestamp>,
    /// How much longer this start may last because somebody asked for it, in seconds.
    #[serde(default)]
    pub extended_s: u64,
    /// The password the upstream must know; random per session.
    pub secret: Secret<String>,
}

/// What counts as a human at work.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InputSource {
    /// The clipboard was sent to the desktop.
    Clipboard,
    /// Somebody asked for more time.
    Extend,
    /// A key went down or up.
    Key,
    /// The session was opened or started by its owner.
    Open,
    /// The pointer moved or a button changed.
    Pointer,
    /// An HTTP request or WebSocket message reached an `http` session.
    Request,
}

impl InputSource {
    /// The stable `snake_case` name used in JSON and metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Clipboard => "clipboard",
            Self::Extend => "extend",
            Self::Key => "key",
            Self::Open => "open",
            Self::Pointer => "pointer",
            Self::Request => "request",
        }
    }
}
