//! Links that let whoever has one into somebody else's session.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{GrantRole, SessionId};

/// The opaque identity of an invitation; it opens nothing.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct InvitationId(pub Uuid);

impl InvitationId {
    /// Draws a fresh random id.
    #[must_use]
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }
}

impl fmt::Display for InvitationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.simple())
    }
}

impl std::str::FromStr for InvitationId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::parse_str(text).map(Self)
    }
}

/// The offer of a grant to everybody who has its link, until it is withdrawn or lapses. Whoever
/// takes it up gets an ordinary grant that ends with it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Invitation {
    /// Opaque identity.
    pub id: InvitationId,
    /// The session it leads to.
    pub session: SessionId,
    /// What those who come by it may do.
    pub role: GrantRole,
    /// How many people may come by it; `None` for any number.
    pub most: Option<u32>,
    /// The user name of whoever made it, for people to read.
    pub made_by: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it lapses, and every grant that came of it.
    pub expires_at: Timestamp,
}

impl Invitation {
    /// Whether it has lapsed by `now`.
    #[must_use]
    pub fn has_lapsed(&self, now: Timestamp) -> bool {
        self.expires_at <= now
    }

    /// Whether as many people have come by it as may, when `came` have.
    #[must_use]
    pub fn is_spent(&self, came: usize) -> bool {
        self.most.is_some_and(|most| came >= most as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn it_ends_at_its_time_and_with_its_last_place() {
        let now = crate::clock::now();
        let invitation = Invitation {
            id: InvitationId::random(),
            session: SessionId::random(),
            role: GrantRole::Observer,
            most: Some(2),
            made_by: "ann".to_owned(),
            created_at: now,
            expires_at: crate::clock::later(now, Duration::from_secs(60)),
        };
        assert!(!invitation.has_lapsed(now) && invitation.has_lapsed(invitation.expires_at));
        assert_eq!([0, 1, 2, 3].map(|came| invitation.is_spent(came)), [false, false, true, true]);
        assert!(!Invitation { most: None, ..invitation }.is_spent(1000));
    }
}
