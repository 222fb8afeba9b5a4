//! A link: the right to do one thing, given to whoever holds its address.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::ClientId;
use crate::secret::TokenHash;

/// The opaque identity of a link; not the secret in its address.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LinkId(pub Uuid);

impl LinkId {
    /// Draws a fresh random id.
    #[must_use]
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }
}

impl fmt::Display for LinkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.simple())
    }
}

impl FromStr for LinkId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::parse_str(text).map(Self)
    }
}

/// The one thing that a link does.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", content = "client_id", rename_all = "snake_case")]
pub enum LinkAction {
    /// Creates or finds the session of this client, and lets the browser in.
    Access(ClientId),
    /// Removes the session of this client.
    Remove(ClientId),
    /// Removes the sessions of all clients.
    RemoveAll,
}

impl LinkAction {
    /// The stable `snake_case` name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Access(_) => "access",
            Self::Remove(_) => "remove",
            Self::RemoveAll => "remove_all",
        }
    }

    /// Whose session it is about.
    #[must_use]
    pub fn client(&self) -> Option<&ClientId> {
        match self {
            Self::Access(client) | Self::Remove(client) => Some(client),
            Self::RemoveAll => None,
        }
    }
}

/// A link as stored: of its secret only the hash.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Link {
    /// Opaque identity.
    pub id: LinkId,
    /// Hash of the secret in its address.
    pub token: TokenHash,
    /// What it does.
    pub action: LinkAction,
    /// How often it may be used in all.
    pub uses: u32,
    /// How often it was.
    pub used: u32,
    /// The name of whoever made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it lapses.
    pub expires_at: Timestamp,
}

impl Link {
    /// Whether it does something at `now`.
    #[must_use]
    pub fn is_good(&self, now: Timestamp) -> bool {
        self.used < self.uses && now < self.expires_at
    }
}
