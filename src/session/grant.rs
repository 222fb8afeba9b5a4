//! Who may watch or use somebody else's session.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{InvitationId, SessionId, UserId};

/// The opaque identity of a grant.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GrantId(pub Uuid);

impl GrantId {
    /// Draws a fresh random id.
    #[must_use]
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }
}

impl fmt::Display for GrantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.simple())
    }
}

impl std::str::FromStr for GrantId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::parse_str(text).map(Self)
    }
}

/// What a grant lets somebody do with a session that is not theirs.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GrantRole {
    /// Watch and use it, as if at its keyboard.
    Helper,
    /// Watch it and nothing else; the gateway drops what they type.
    Observer,
}

impl GrantRole {
    /// The stable `snake_case` name.
    #[must_use]
    pub fn name(self) -> &'static str {
        ViewerRole::from(self).name()
    }
}

/// The name stands for no role.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a role is helper or observer")]
pub struct GrantRoleError;

impl std::str::FromStr for GrantRole {
    type Err = GrantRoleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "helper" => Ok(Self::Helper),
            "observer" => Ok(Self::Observer),
            _ => Err(GrantRoleError),
        }
    }
}

/// What a viewer may do with the session it is attached to.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ViewerRole {
    /// Its owner, in any number of tabs and on any number of devices.
    Owner,
    /// Somebody who may use it too.
    Helper,
    /// Somebody who only watches.
    Observer,
}

impl ViewerRole {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::Owner, Self::Helper, Self::Observer];

    /// The stable `snake_case` name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Helper => "helper",
            Self::Observer => "observer",
        }
    }

    /// Whether what the viewer types and points at reaches the desktop.
    #[must_use]
    pub fn may_steer(self) -> bool {
        match self {
            Self::Owner | Self::Helper => true,
            Self::Observer => false,
        }
    }
}

impl From<GrantRole> for ViewerRole {
    fn from(role: GrantRole) -> Self {
        match role {
            GrantRole::Helper => Self::Helper,
            GrantRole::Observer => Self::Observer,
        }
    }
}

/// The right of one user to one session of somebody else, until it is withdrawn or lapses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Grant {
    /// Opaque identity.
    pub id: GrantId,
    /// The session it opens.
    pub session: SessionId,
    /// Who may open it.
    pub grantee: UserId,
    /// Their user name when it was given, for people to read.
    pub grantee_name: String,
    /// What they may do.
    pub role: GrantRole,
    /// The user name of whoever gave it, for people to read.
    pub granted_by: String,
    /// The invitation it came of, which ends it; `None` was given by name.
    pub invitation: Option<InvitationId>,
    /// When it was given.
    pub created_at: Timestamp,
    /// When it lapses; `None` for never.
    pub expires_at: Option<Timestamp>,
}

impl Grant {
    /// Whether it has lapsed by `now`.
    #[must_use]
    pub fn has_lapsed(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|expires_at| expires_at <= now)
    }
}
