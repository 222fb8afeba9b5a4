//! The kinds of events, by their stable names: what filters choose by.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use utoipa::ToSchema;

use super::AuditEvent;

/// Which of the closed list an event is; [`AuditEvent::kind`] tells.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "each is described where its fields are")]
pub enum EventKind {
    AccessRefused,
    AuditExported,
    AuditTrimmed,
    BackupFailed,
    BackupMade,
    ConfigDanger,
    EntryGiven,
    GatewayStarted,
    GatewayStopped,
    GrantCreated,
    GrantLapsed,
    GrantNotCreated,
    GrantWithdrawn,
    HomeRemoved,
    HomeNotRestored,
    HomeRestored,
    HomeSetAside,
    ImageNotPulled,
    ImagePulled,
    InvitationCreated,
    InvitationNotCreated,
    InvitationRefused,
    InvitationUsed,
    InvitationWithdrawn,
    LinkCreated,
    LinkRefused,
    LinkRevoked,
    LinkUsed,
    LoginEnded,
    LoginOk,
    LoginRefused,
    Logout,
    RestoreFailed,
    Restored,
    SessionCreated,
    SessionExtended,
    SessionFailed,
    SessionNotChanged,
    SessionNotCreated,
    SessionNotEnded,
    SessionPaused,
    SessionReady,
    SessionRemoved,
    SessionReset,
    SessionRestarted,
    SessionResumed,
    SessionStarted,
    SessionStopped,
    TokenCreated,
    TokenRefused,
    TokenRevoked,
    UserCreated,
    UserDisabled,
    UserEnabled,
    UserLimitsChanged,
    UserPasswordChanged,
    UserRefused,
    UserRemoved,
    UserRoleChanged,
    UsersImported,
    ViewOnlyAttempt,
    ViewerJoined,
    ViewerLeft,
}

/// There is no event of this name.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("there is no event {0:?}; events are {all}", all = EventKind::names())]
pub struct UnknownEvent(pub String);

impl EventKind {
    /// Every kind, by name.
    pub const ALL: [Self; 63] = [
        Self::AccessRefused,
        Self::AuditExported,
        Self::AuditTrimmed,
        Self::BackupFailed,
        Self::BackupMade,
        Self::ConfigDanger,
        Self::EntryGiven,
        Self::GatewayStarted,
        Self::GatewayStopped,
        Self::GrantCreated,
        Self::GrantLapsed,
        Self::GrantNotCreated,
        Self::GrantWithdrawn,
        Self::HomeRemoved,
        Self::HomeNotRestored,
        Self::HomeRestored,
        Self::HomeSetAside,
        Self::ImageNotPulled,
        Self::ImagePulled,
        Self::InvitationCreated,
        Self::InvitationNotCreated,
        Self::InvitationRefused,
        Self::InvitationUsed,
        Self::InvitationWithdrawn,
        Self::LinkCreated,
        Self::LinkRefused,
        Self::LinkRevoked,
        Self::LinkUsed,
        Self::LoginEnded,
        Self::LoginOk,
        Self::LoginRefused,
        Self::Logout,
        Self::RestoreFailed,
        Self::Restored,
        Self::SessionCreated,
        Self::SessionExtended,
        Self::SessionFailed,
        Self::SessionNotChanged,
        Self::SessionNotCreated,
        Self::SessionNotEnded,
        Self::SessionPaused,
        Self::SessionReady,
        Self::SessionRemoved,
        Self::SessionReset,
        Self::SessionRestarted,
        Self::SessionResumed,
        Self::SessionStarted,
        Self::SessionStopped,
        Self::TokenCreated,
        Self::TokenRefused,
        Self::TokenRevoked,
        Self::UserCreated,
        Self::UserDisabled,
        Self::UserEnabled,
        Self::UserLimitsChanged,
        Self::UserPasswordChanged,
        Self::UserRefused,
        Self::UserRemoved,
        Self::UserRoleChanged,
        Self::UsersImported,
        Self::ViewOnlyAttempt,
        Self::ViewerJoined,
        Self::ViewerLeft,
    ];

    /// The stable `snake_case` name, as the lines have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::AccessRefused => "access_refused",
            Self::AuditExported => "audit_exported",
            Self::AuditTrimmed => "audit_trimmed",
            Self::BackupFailed => "backup_failed",
            Self::BackupMade => "backup_made",
            Self::ConfigDanger => "config_danger",
            Self::EntryGiven => "entry_given",
            Self::GatewayStarted => "gateway_started",
            Self::GatewayStopped => "gateway_stopped",
            Self::GrantCreated => "grant_created",
            Self::GrantLapsed => "grant_lapsed",
            Self::GrantNotCreated => "grant_not_created",
            Self::GrantWithdrawn => "grant_withdrawn",
            Self::HomeRemoved => "home_removed",
            Self::HomeNotRestored => "home_not_restored",
            Self::HomeRestored => "home_restored",
            Self::HomeSetAside => "home_set_aside",
            Self::ImageNotPulled => "image_not_pulled",
            Self::ImagePulled => "image_pulled",
            Self::InvitationCreated => "invitation_created",
            Self::InvitationNotCreated => "invitation_not_created",
            Self::InvitationRefused => "invitation_refused",
            Self::InvitationUsed => "invitation_used",
            Self::InvitationWithdrawn => "invitation_withdrawn",
            Self::LinkCreated => "link_created",
            Self::LinkRefused => "link_refused",
            Self::LinkRevoked => "link_revoked",
            Self::LinkUsed => "link_used",
            Self::LoginEnded => "login_ended",
            Self::LoginOk => "login_ok",
            Self::LoginRefused => "login_refused",
            Self::Logout => "logout",
            Self::RestoreFailed => "restore_failed",
            Self::Restored => "restored",
            Self::SessionCreated => "session_created",
            Self::SessionExtended => "session_extended",
            Self::SessionFailed => "session_failed",
            Self::SessionNotChanged => "session_not_changed",
            Self::SessionNotCreated => "session_not_created",
            Self::SessionNotEnded => "session_not_ended",
            Self::SessionPaused => "session_paused",
            Self::SessionReady => "session_ready",
            Self::SessionRemoved => "session_removed",
            Self::SessionReset => "session_reset",
            Self::SessionRestarted => "session_restarted",
            Self::SessionResumed => "session_resumed",
            Self::SessionStarted => "session_started",
            Self::SessionStopped => "session_stopped",
            Self::TokenCreated => "token_created",
            Self::TokenRefused => "token_refused",
            Self::TokenRevoked => "token_revoked",
            Self::UserCreated => "user_created",
            Self::UserDisabled => "user_disabled",
            Self::UserEnabled => "user_enabled",
            Self::UserLimitsChanged => "user_limits_changed",
            Self::UserPasswordChanged => "user_password_changed",
            Self::UserRefused => "user_refused",
            Self::UserRemoved => "user_removed",
            Self::UserRoleChanged => "user_role_changed",
            Self::UsersImported => "users_imported",
            Self::ViewOnlyAttempt => "view_only_attempt",
            Self::ViewerJoined => "viewer_joined",
            Self::ViewerLeft => "viewer_left",
        }
    }

    fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }
}

impl AuditEvent {
    /// Which of the closed list it is.
    #[must_use]
    pub fn kind(&self) -> EventKind {
        match self {
            Self::AccessRefused { .. } => EventKind::AccessRefused,
            Self::AuditExported { .. } => EventKind::AuditExported,
            Self::AuditTrimmed { .. } => EventKind::AuditTrimmed,
            Self::BackupFailed { .. } => EventKind::BackupFailed,
            Self::BackupMade { .. } => EventKind::BackupMade,
            Self::ConfigDanger { .. } => EventKind::ConfigDanger,
            Self::EntryGiven => EventKind::EntryGiven,
            Self::GatewayStarted => EventKind::GatewayStarted,
            Self::GatewayStopped => EventKind::GatewayStopped,
            Self::GrantCreated { .. } => EventKind::GrantCreated,
            Self::GrantLapsed { .. } => EventKind::GrantLapsed,
            Self::GrantNotCreated { .. } => EventKind::GrantNotCreated,
            Self::GrantWithdrawn { .. } => EventKind::GrantWithdrawn,
            Self::HomeRemoved => EventKind::HomeRemoved,
            Self::HomeNotRestored { .. } => EventKind::HomeNotRestored,
            Self::HomeRestored { .. } => EventKind::HomeRestored,
            Self::HomeSetAside { .. } => EventKind::HomeSetAside,
            Self::ImageNotPulled { .. } => EventKind::ImageNotPulled,
            Self::ImagePulled { .. } => EventKind::ImagePulled,
            Self::InvitationCreated { .. } => EventKind::InvitationCreated,
            Self::InvitationNotCreated { .. } => EventKind::InvitationNotCreated,
            Self::InvitationRefused { .. } => EventKind::InvitationRefused,
            Self::InvitationUsed { .. } => EventKind::InvitationUsed,
            Self::InvitationWithdrawn { .. } => EventKind::InvitationWithdrawn,
            Self::LinkCreated { .. } => EventKind::LinkCreated,
            Self::LinkRefused { .. } => EventKind::LinkRefused,
            Self::LinkRevoked { .. } => EventKind::LinkRevoked,
            Self::LinkUsed { .. } => EventKind::LinkUsed,
            Self::LoginEnded { .. } => EventKind::LoginEnded,
            Self::LoginOk => EventKind::LoginOk,
            Self::LoginRefused { .. } => EventKind::LoginRefused,
            Self::Logout => EventKind::Logout,
            Self::RestoreFailed { .. } => EventKind::RestoreFailed,
            Self::Restored { .. } => EventKind::Restored,
            Self::SessionCreated { .. } => EventKind::SessionCreated,
            Self::SessionExtended { .. } => EventKind::SessionExtended,
            Self::SessionFailed { .. } => EventKind::SessionFailed,
            Self::SessionNotChanged { .. } => EventKind::SessionNotChanged,
            Self::SessionNotCreated { .. } => EventKind::SessionNotCreated,
            Self::SessionNotEnded { .. } => EventKind::SessionNotEnded,
            Self::SessionPaused => EventKind::SessionPaused,
            Self::SessionReady => EventKind::SessionReady,
            Self::SessionRemoved { .. } => EventKind::SessionRemoved,
            Self::SessionReset { .. } => EventKind::SessionReset,
            Self::SessionRestarted => EventKind::SessionRestarted,
            Self::SessionResumed => EventKind::SessionResumed,
            Self::SessionStarted => EventKind::SessionStarted,
            Self::SessionStopped { .. } => EventKind::SessionStopped,
            Self::TokenCreated { .. } => EventKind::TokenCreated,
            Self::TokenRefused { .. } => EventKind::TokenRefused,
            Self::TokenRevoked => EventKind::TokenRevoked,
            Self::UserCreated { .. } => EventKind::UserCreated,
            Self::UserDisabled => EventKind::UserDisabled,
            Self::UserEnabled => EventKind::UserEnabled,
            Self::UserLimitsChanged { .. } => EventKind::UserLimitsChanged,
            Self::UserPasswordChanged => EventKind::UserPasswordChanged,
            Self::UserRefused { .. } => EventKind::UserRefused,
            Self::UserRemoved => EventKind::UserRemoved,
            Self::UserRoleChanged { .. } => EventKind::UserRoleChanged,
            Self::UsersImported { .. } => EventKind::UsersImported,
            Self::ViewOnlyAttempt { .. } => EventKind::ViewOnlyAttempt,
            Self::ViewerJoined { .. } => EventKind::ViewerJoined,
            Self::ViewerLeft { .. } => EventKind::ViewerLeft,
        }
    }
}

impl FromStr for EventKind {
    type Err = UnknownEvent;

    fn from_str(text: &str) -> Result<Self, UnknownEvent> {
        let found = Self::ALL.into_iter().find(|kind| kind.name() == text);
        found.ok_or_else(|| UnknownEvent(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_listed_once_and_has_the_name_it_is_written_with() {
        let mut sorted = EventKind::ALL;
        sorted.sort();
        sorted.windows(2).for_each(|two| assert_ne!(two[0], two[1]));
        assert_eq!(sorted[sorted.len() - 1] as usize + 1, EventKind::ALL.len(), "none is left out");
        for kind in EventKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
            assert_eq!(kind.name().parse(), Ok(kind));
        }
        assert!("reboot".parse::<EventKind>().unwrap_err().to_string().contains("session_stopped"));
    }
}
