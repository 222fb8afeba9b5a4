//! How something ended, and why it was not done.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use utoipa::ToSchema;

use super::AuditEvent;
use crate::fault::{Answer, Fault, chain};

/// How it ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was tried and did not work.
    Failed,
    /// It was done.
    Ok,
    /// It was not allowed.
    Refused,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 3] = [Self::Failed, Self::Ok, Self::Refused];

    /// The stable `snake_case` name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Ok => "ok",
            Self::Refused => "refused",
        }
    }

    /// How it ended when it ended with this error: what the asker may not have is refused, what
    /// should have worked has failed.
    #[must_use]
    pub fn of(error: &dyn Answer) -> Self {
        match error.fault() {
            Fault::Downstream => Self::Refused,
            Fault::Upstream | Fault::Engine | Fault::Store | Fault::Internal => Self::Failed,
        }
    }
}

impl AuditEvent {
    /// How it ended.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::AccessRefused { .. }
            | Self::InvitationRefused { .. }
            | Self::LinkRefused { .. }
            | Self::LoginRefused { .. }
            | Self::TokenRefused { .. }
            | Self::ViewOnlyAttempt { .. } => Outcome::Refused,
            Self::BackupFailed { .. }
            | Self::ImageNotPulled { .. }
            | Self::RestoreFailed { .. }
            | Self::SessionFailed { .. }
            | Self::SessionNotEnded { .. } => Outcome::Failed,
            Self::GrantNotCreated { reason, .. }
            | Self::HomeNotRestored { reason, .. }
            | Self::InvitationNotCreated { reason, .. }
            | Self::SessionNotChanged { reason, .. }
            | Self::SessionNotCreated { reason, .. }
            | Self::UserRefused { reason, .. } => reason.outcome,
            Self::BackupMade { .. }
            | Self::AuditExported { .. }
            | Self::AuditTrimmed { .. }
            | Self::ConfigDanger { .. }
            | Self::EntryGiven
            | Self::GatewayStarted
            | Self::GatewayStopped
            | Self::GrantCreated { .. }
            | Self::GrantLapsed { .. }
            | Self::GrantWithdrawn { .. }
            | Self::ImagePulled { .. }
            | Self::HomeRemoved
            | Self::HomeRestored { .. }
            | Self::HomeSetAside { .. }
            | Self::InvitationCreated { .. }
            | Self::InvitationUsed { .. }
            | Self::InvitationWithdrawn { .. }
            | Self::LinkCreated { .. }
            | Self::LinkRevoked { .. }
            | Self::LinkUsed { .. }
            | Self::LoginEnded { .. }
            | Self::LoginOk
            | Self::Logout
            | Self::Restored { .. }
            | Self::SessionCreated { .. }
            | Self::SessionExtended { .. }
            | Self::SessionPaused
            | Self::SessionReady
            | Self::SessionRemoved { .. }
            | Self::SessionReset { .. }
            | Self::SessionRestarted
            | Self::SessionResumed
            | Self::SessionStarted
            | Self::SessionStopped { .. }
            | Self::TokenCreated { .. }
            | Self::TokenRevoked
            | Self::UserCreated { .. }
            | Self::UserDisabled
            | Self::UserEnabled
            | Self::UserLimitsChanged { .. }
            | Self::UserPasswordChanged
            | Self::UserRemoved
            | Self::UserRoleChanged { .. }
            | Self::UsersImported { .. }
            | Self::ViewerJoined { .. }
            | Self::ViewerLeft { .. } => Outcome::Ok,
        }
    }
}

impl FromStr for Outcome {
    type Err = UnknownOutcome;

    fn from_str(text: &str) -> Result<Self, UnknownOutcome> {
        let found = Self::ALL.into_iter().find(|outcome| outcome.name() == text);
        found.ok_or_else(|| UnknownOutcome(text.to_owned()))
    }
}

/// There is no such outcome.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("there is no outcome {0:?}; outcomes are failed, ok, refused")]
pub struct UnknownOutcome(pub String);

/// Why something was not done.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reason {
    /// The stable code of the error.
    pub code: &'static str,
    /// The sentence that whoever asked has read.
    pub text: String,
    /// The error's own words with those of its causes: the engine's, the store's.
    pub detail: String,
    /// Whether it was refused or failed.
    #[serde(skip)]
    pub outcome: Outcome,
}

impl Reason {
    /// The reason that an error is.
    #[must_use]
    pub fn of<E: Answer>(error: &E) -> Self {
        Self { code: error.code(), text: error.public(), detail: chain(error), outcome: Outcome::of(error) }
    }
}
