//! The closed list of what is audited.

use jiff::Timestamp;
use serde::Serialize;

use crate::session::{FailReason, GrantRole, StopReason, ViewerRole};
use crate::store::Role;

/// How it ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was tried and did not work.
    Failed,
    /// It was done.
    Ok,
    /// It was not allowed.
    Refused,
}

/// Why a login was refused; the person is told less.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LoginRefusal {
    /// The user is disabled.
    Disabled,
    /// Too many failed attempts; written once each time it begins.
    Throttled,
    /// There is no such user. The name is not kept: people type passwords there.
    UnknownUser,
    /// The password is wrong.
    WrongPassword,
}

/// What happened. Names and fields are stable; new ones may be added.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum AuditEvent {
    /// Somebody tried to open or change what is not theirs.
    AccessRefused {
        /// The stable code of the refusal.
        code: &'static str,
    },
    /// The gateway runs with a key that weakens security.
    ConfigDanger {
        /// The key.
        key: String,
    },
    /// The gateway began to serve.
    GatewayStarted,
    /// The gateway was told to stop.
    GatewayStopped,
    /// Somebody was let into a session that is not theirs.
    GrantCreated {
        /// Who.
        grantee: String,
        /// What they may do.
        role: GrantRole,
        /// When it lapses; `None` for never.
        expires_at: Option<Timestamp>,
    },
    /// A grant's time was up.
    GrantLapsed {
        /// Whose.
        grantee: String,
        /// What they could do.
        role: GrantRole,
    },
    /// A grant was taken back.
    GrantWithdrawn {
        /// Whose.
        grantee: String,
        /// What they could do.
        role: GrantRole,
    },
    /// A template's image could not be fetched.
    ImageNotPulled {
        /// The template's name.
        template: String,
        /// The image's name.
        image: String,
        /// The engine's own words.
        detail: String,
    },
    /// A template's image was fetched from its registry.
    ImagePulled {
        /// The template's name.
        template: String,
        /// The image's name.
        image: String,
        /// The engine's id of what came.
        id: String,
        /// The registry's name for what came, if the engine kept it.
        digest: Option<String>,
    },
    /// A copy was put back into somebody's home.
    HomeRestored {
        /// The copy.
        copy: String,
    },
    /// The files of a session's home were set aside as a copy.
    HomeSetAside {
        /// The copy.
        copy: String,
    },
    /// A user logged in.
    LoginOk,
    /// A login was refused.
    LoginRefused {
        /// Why.
        reason: LoginRefusal,
    },
    /// A user logged out.
    Logout,
    /// A session was asked for.
    SessionCreated {
        /// The template's name.
        template: String,
    },
    /// A session did not start.
    SessionFailed {
        /// The stable code of the failure.
        code: &'static str,
        /// The sentence people read.
        text: &'static str,
        /// The engine's own words.
        detail: String,
    },
    /// A session was given more time.
    SessionExtended {
        /// How much, in seconds.
        by_s: u64,
    },
    /// A session was frozen.
    SessionPaused,
    /// A session became reachable.
    SessionReady,
    /// A session's record and container were removed.
    SessionRemoved,
    /// A session was thawed.
    SessionResumed,
    /// A session's start began.
    SessionStarted,
    /// A session stopped.
    SessionStopped {
        /// Why.
        reason: StopReason,
        /// The sentence people read.
        text: &'static str,
    },
    /// A token of a program was made.
    TokenCreated {
        /// What it may be used for.
        scopes: String,
        /// Whom it acts as, if anybody.
        user: Option<String>,
        /// When it lapses; `None` for never.
        expires_at: Option<Timestamp>,
    },
    /// Somebody tried to make a token that they may not make, or to use theirs for what it is not.
    TokenRefused {
        /// What for.
        scopes: String,
    },
    /// A token of a program was revoked, or went with its user.
    TokenRevoked,
    /// A user was created.
    UserCreated {
        /// What they may do.
        role: Role,
    },
    /// A user was disabled; their logins ended.
    UserDisabled,
    /// A user was enabled again.
    UserEnabled,
    /// A user got another password; their logins ended.
    UserPasswordChanged,
    /// A user was removed; their logins ended.
    UserRemoved,
    /// Somebody who may only watch tried to use the session. At most one line a minute for each
    /// viewer; nothing of it reached the session.
    ViewOnlyAttempt {
        /// How many messages were dropped since the viewer's last line.
        count: u64,
    },
    /// Somebody began to watch or use a session that is not theirs.
    ViewerJoined {
        /// What they may do.
        role: ViewerRole,
    },
    /// They stopped.
    ViewerLeft {
        /// What they could do.
        role: ViewerRole,
        /// How long they were there, in seconds.
        after_s: u64,
    },
}

impl AuditEvent {
    /// A session stopped.
    #[must_use]
    pub fn stopped(reason: StopReason) -> Self {
        Self::SessionStopped { reason, text: reason.sentence() }
    }

    /// A session did not start.
    #[must_use]
    pub fn failed(reason: &FailReason) -> Self {
        Self::SessionFailed { code: reason.code(), text: reason.sentence(), detail: format!("{reason:?}") }
    }

    /// How it ended.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::AccessRefused { .. }
            | Self::LoginRefused { .. }
            | Self::TokenRefused { .. }
            | Self::ViewOnlyAttempt { .. } => Outcome::Refused,
            Self::ImageNotPulled { .. } | Self::SessionFailed { .. } => Outcome::Failed,
            Self::ConfigDanger { .. }
            | Self::GatewayStarted
            | Self::GatewayStopped
            | Self::GrantCreated { .. }
            | Self::GrantLapsed { .. }
            | Self::GrantWithdrawn { .. }
            | Self::ImagePulled { .. }
            | Self::HomeRestored { .. }
            | Self::HomeSetAside { .. }
            | Self::LoginOk
            | Self::Logout
            | Self::SessionCreated { .. }
            | Self::SessionExtended { .. }
            | Self::SessionPaused
            | Self::SessionReady
            | Self::SessionRemoved
            | Self::SessionResumed
            | Self::SessionStarted
            | Self::SessionStopped { .. }
            | Self::TokenCreated { .. }
            | Self::TokenRevoked
            | Self::UserCreated { .. }
            | Self::UserDisabled
            | Self::UserEnabled
            | Self::UserPasswordChanged
            | Self::UserRemoved
            | Self::ViewerJoined { .. }
            | Self::ViewerLeft { .. } => Outcome::Ok,
        }
    }
}
