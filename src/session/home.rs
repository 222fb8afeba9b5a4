//! Homes as values: whose files one holds, how full it is, what a copy of it is called.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use utoipa::ToSchema;

use super::{Home, SessionId, UserId};

/// Which home: an owner's own, or one session's. It names no path and no volume.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HomeKey {
    /// The one home of an owner, in every session of theirs that has a persistent home.
    Owner(UserId),
    /// The home of one session, gone with it.
    Session(SessionId),
}

/// A text that names no home.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("a home is named owner-ID or session-ID")]
pub struct HomeKeyError;

impl Home {
    /// The home that a session of this policy uses; `None` if its files go with its container.
    #[must_use]
    pub fn key(self, owner: UserId, session: SessionId) -> Option<HomeKey> {
        match self {
            Self::Persistent => Some(HomeKey::Owner(owner)),
            Self::Session => Some(HomeKey::Session(session)),
            Self::Ephemeral => None,
        }
    }

    /// The stable `snake_case` name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Persistent => "persistent",
            Self::Session => "session",
            Self::Ephemeral => "ephemeral",
        }
    }
}

impl fmt::Display for HomeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Owner(owner) => write!(f, "owner-{owner}"),
            Self::Session(session) => write!(f, "session-{session}"),
        }
    }
}

impl FromStr for HomeKey {
    type Err = HomeKeyError;

    fn from_str(text: &str) -> Result<Self, HomeKeyError> {
        match text.split_once('-') {
            Some(("owner", id)) => id.parse().map(Self::Owner).map_err(|_| HomeKeyError),
            Some(("session", id)) => id.parse().map(Self::Session).map_err(|_| HomeKeyError),
            Some(_) | None => Err(HomeKeyError),
        }
    }
}

/// How full a home is; all sizes in bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HomeUse {
    /// What its files take on the disk.
    pub used_bytes: u64,
    /// What they may take; `None` without a quota.
    pub limit_bytes: Option<u64>,
    /// What its file system still takes.
    pub free_bytes: u64,
}

/// How urgent it is to make room.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HomeLevel {
    /// There is room.
    Fine,
    /// It is nearly full.
    Warn,
    /// Nothing more can be saved.
    Full,
}

impl HomeLevel {
    /// Every level.
    pub const ALL: [Self; 3] = [Self::Fine, Self::Warn, Self::Full];

    /// The stable `snake_case` name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Warn => "warn",
            Self::Full => "full",
        }
    }
}

impl HomeUse {
    /// With less than this on its file system even a small document cannot be saved.
    const ROOM: u64 = 1024 * 1024;

    /// How urgent it is to make room, if `warn_percent` of the limit is nearly full. Without a limit
    /// only the file system's end counts.
    #[must_use]
    pub fn level(&self, warn_percent: u8) -> HomeLevel {
        let limit = self.limit_bytes.filter(|limit| *limit > 0);
        if self.free_bytes < Self::ROOM || limit.is_some_and(|limit| self.used_bytes >= limit) {
            return HomeLevel::Full;
        }
        let nearly =
            |limit: u64| u128::from(self.used_bytes) * 100 >= u128::from(limit) * u128::from(warn_percent);
        if limit.is_some_and(nearly) { HomeLevel::Warn } else { HomeLevel::Fine }
    }
}

/// When a copy of a home was made, in UTC to the second: `20260131-081500`. Copies sort by age.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CopyName(String);

/// A text that is no copy's name.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("a copy is named by its time, like 20260131-081500")]
pub struct CopyNameError;

impl CopyName {
    /// The name of a copy made at `time`.
    #[must_use]
    pub fn at(time: Timestamp) -> Self {
        Self(time.strftime("%Y%m%d-%H%M%S").to_string())
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CopyName {
    type Err = CopyNameError;

    fn from_str(text: &str) -> Result<Self, CopyNameError> {
        let shaped = text.len() == 15
            && text
                .bytes()
                .enumerate()
                .all(|(at, byte)| if at == 8 { byte == b'-' } else { byte.is_ascii_digit() });
        if shaped { Ok(Self(text.to_owned())) } else { Err(CopyNameError) }
    }
}

impl TryFrom<String> for CopyName {
    type Error = CopyNameError;

    fn try_from(text: String) -> Result<Self, CopyNameError> {
        text.parse()
    }
}

impl From<CopyName> for String {
    fn from(name: CopyName) -> Self {
        name.0
    }
}

impl fmt::Display for CopyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1024 * 1024;

    #[test]
    fn a_home_belongs_to_its_owner_or_to_its_session() {
        let (owner, session) = (UserId::random(), SessionId::random());
        assert_eq!(Home::Persistent.key(owner, session), Some(HomeKey::Owner(owner)));
        assert_eq!(Home::Session.key(owner, session), Some(HomeKey::Session(session)));
        assert_eq!(Home::Ephemeral.key(owner, session), None);
        for key in [HomeKey::Owner(owner), HomeKey::Session(session)] {
            assert_eq!(key.to_string().parse(), Ok(key));
        }
        for bad in ["", "owner", "owner-", "owner-../x", "volume-1"] {
            assert_eq!(bad.parse::<HomeKey>(), Err(HomeKeyError), "{bad}");
        }
    }

    #[test]
    fn a_home_is_full_at_its_limit_or_at_the_end_of_the_disk() {
        let home = |used, limit, free| HomeUse { used_bytes: used, limit_bytes: limit, free_bytes: free };
        for (home, level) in [
            (home(0, None, 100 * MIB), HomeLevel::Fine),
            (home(u64::MAX, None, 2 * MIB), HomeLevel::Fine),
            (home(0, None, MIB - 1), HomeLevel::Full),
            (home(89 * MIB, Some(100 * MIB), 100 * MIB), HomeLevel::Fine),
            (home(90 * MIB, Some(100 * MIB), 100 * MIB), HomeLevel::Warn),
            (home(100 * MIB, Some(100 * MIB), 100 * MIB), HomeLevel::Full),
            (home(u64::MAX, Some(u64::MAX), 100 * MIB), HomeLevel::Full),
            (home(5, Some(0), 100 * MIB), HomeLevel::Fine),
        ] {
            assert_eq!(home.level(90), level, "{home:?}");
        }
    }

    #[test]
    fn copies_are_named_by_their_time_and_nothing_else() {
        let time: Timestamp = "2026-01-31T08:15:00.9Z".parse().unwrap();
        assert_eq!(CopyName::at(time).as_str(), "20260131-081500");
        assert_eq!("20260131-081500".parse(), Ok(CopyName::at(time)));
        for bad in ["", "..", "20260131_081500", "2026013-0081500", "20260131-08150/", "20260131-0815000"] {
            assert_eq!(bad.parse::<CopyName>(), Err(CopyNameError), "{bad}");
        }
    }
}
