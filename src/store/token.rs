//! Tokens of programs as values, and what they may be used for.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::secret::TokenHash;
use crate::session::UserId;

/// The opaque identity of a token; it is no secret.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TokenId(pub Uuid);

impl TokenId {
    /// Draws a fresh random id.
    #[must_use]
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.simple())
    }
}

impl FromStr for TokenId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::parse_str(text).map(Self)
    }
}

/// One thing that a token may be used for.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize, ToSchema)]
pub enum Scope {
    /// Everything that an administrator may.
    #[serde(rename = "admin")]
    Admin,
    /// Read sessions and templates.
    #[serde(rename = "sessions:read")]
    SessionsRead,
    /// Make, change and remove sessions, and read them.
    #[serde(rename = "sessions:write")]
    SessionsWrite,
    /// Read and change users.
    #[serde(rename = "users:write")]
    UsersWrite,
}

/// The name stands for no scope.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("a scope is admin, sessions:read, sessions:write or users:write")]
pub struct ScopeError;

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 4] = [Self::Admin, Self::SessionsRead, Self::SessionsWrite, Self::UsersWrite];

    /// Its stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::SessionsRead => "sessions:read",
            Self::SessionsWrite => "sessions:write",
            Self::UsersWrite => "users:write",
        }
    }

    fn bit(self) -> u8 {
        match self {
            Self::Admin => 1,
            Self::SessionsRead => 2,
            Self::SessionsWrite => 4,
            Self::UsersWrite => 8,
        }
    }
}

impl FromStr for Scope {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        Self::ALL.into_iter().find(|scope| scope.name() == text).ok_or(ScopeError)
    }
}

/// What a token, or whoever is logged in, may at most do.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Scopes(u8);

impl Scopes {
    /// What a user does with their own sessions.
    #[must_use]
    pub fn of_user() -> Self {
        Self::from_iter([Scope::SessionsRead, Scope::SessionsWrite])
    }

    /// Everything.
    #[must_use]
    pub fn all() -> Self {
        Self::from_iter(Scope::ALL)
    }

    /// Whether it may be used for this: `admin` for everything, `sessions:write` for reading too.
    #[must_use]
    pub fn allow(self, scope: Scope) -> bool {
        let implied = match scope {
            Scope::SessionsRead => Scope::SessionsWrite.bit(),
            Scope::Admin | Scope::SessionsWrite | Scope::UsersWrite => 0,
        };
        self.0 & (scope.bit() | implied | Scope::Admin.bit()) != 0
    }

    /// Those in both, as they are named.
    #[must_use]
    pub fn within(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether it is good for nothing.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those that are named, in the order of their names.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |scope| self.0 & scope.bit() != 0)
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |bits, scope| bits | scope.bit()))
    }
}

/// Their names with spaces between them, as RFC 6749 §3.3 writes them.
impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.iter().map(Scope::name).collect();
        f.write_str(&names.join(" "))
    }
}

impl FromStr for Scopes {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        text.split_ascii_whitespace().map(str::parse).collect()
    }
}

/// A token of a program. Of its text there is only the hash.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiToken {
    /// Opaque identity.
    pub id: TokenId,
    /// Hash of its text.
    pub hash: TokenHash,
    /// What people call it.
    pub name: String,
    /// What it may be used for.
    pub scopes: Scopes,
    /// Whom it acts as, and with whom it goes; `None` for nobody.
    pub user: Option<UserId>,
    /// The name of whoever made it, for people to read.
    pub created_by: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it lapses; `None` for never.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to some minutes.
    pub last_used_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_imply_what_they_say_and_no_more() {
        for (named, allowed) in [
            ("admin", vec!["admin", "sessions:read", "sessions:write", "users:write"]),
            ("sessions:read", vec!["sessions:read"]),
            ("sessions:write", vec!["sessions:read", "sessions:write"]),
            ("users:write", vec!["users:write"]),
            ("", vec![]),
        ] {
            let scopes: Scopes = named.parse().unwrap();
            let found: Vec<_> =
                Scope::ALL.into_iter().filter(|scope| scopes.allow(*scope)).map(Scope::name).collect();
            assert_eq!(found, allowed, "{named}");
            assert_eq!(scopes.to_string(), named);
        }
        assert_eq!("sessions:write admin".parse::<Scopes>().unwrap().to_string(), "admin sessions:write");
        assert!("sessions:all".parse::<Scopes>().is_err());
        let scopes = Scopes::all().within(Scopes::of_user());
        assert_eq!(scopes, Scopes::of_user());
    }
}
