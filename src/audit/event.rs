//! The closed list of what is audited.

use jiff::Timestamp;
use serde::Serialize;

use super::{LinkRefusal, LoginRefusal, Reason, Whose};
use crate::session::{FailReason, GrantRole, LinkAction, StopReason, UserLimits, ViewerRole};
use crate::store::Role;

/// What happened. Names and fields are stable; new ones may be added.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum AuditEvent {
    /// Somebody tried to open or change what is not theirs.
    AccessRefused {
        /// The stable code of the refusal.
        code: &'static str,
    },
    /// A backup was wanted and not made.
    BackupFailed {
        /// What happened and why.
        detail: String,
    },
    /// A backup was made.
    BackupMade {
        /// What is in it.
        parts: Vec<&'static str>,
        /// How long it is.
        bytes: u64,
    },
    /// Lines of the audit were written into a file.
    AuditExported {
        /// Which: the filters, as the command line or the address had them.
        search: String,
    },
    /// Old lines of the audit were cut from its front, as `audit.keep_days` asks.
    AuditTrimmed {
        /// How many.
        lines: u64,
        /// The number of the first one.
        first: u64,
        /// The number of the last one.
        through: u64,
        /// The hash of the last one: the chain goes on from it.
        hash: String,
        /// How many days lines are kept.
        keep_days: u32,
    },
    /// The gateway runs with a key that weakens security.
    ConfigDanger {
        /// The key.
        key: String,
    },
    /// A browser was let into a session without a login of a person: by a link, or by a ticket that
    /// a program was given.
    EntryGiven,
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
    /// A grant was asked for and not given.
    GrantNotCreated {
        /// For whom.
        grantee: String,
        /// Why.
        #[serde(flatten)]
        reason: Reason,
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
    /// Somebody's home and its copies were removed for good.
    HomeRemoved,
    /// A copy was to be put back into somebody's home and was not.
    HomeNotRestored {
        /// Which copy was asked for.
        copy: String,
        /// Why.
        #[serde(flatten)]
        reason: Reason,
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
    /// A link was made that lets others into a session.
    InvitationCreated {
        /// What those who come by it may do.
        role: GrantRole,
        /// How many may; `None` for any number.
        most: Option<u32>,
        /// When it lapses.
        expires_at: Timestamp,
    },
    /// A link that lets others in was asked for and not made.
    InvitationNotCreated {
        /// Why.
        #[serde(flatten)]
        reason: Reason,
    },
    /// Somebody with a link was not let in.
    InvitationRefused {
        /// The stable code of the refusal.
        code: &'static str,
    },
    /// Somebody came by a link; the grant they got has a line of its own.
    InvitationUsed {
        /// What they may do.
        role: GrantRole,
    },
    /// A link was taken back; each grant that ended with it has a line of its own.
    InvitationWithdrawn {
        /// What those who came by it could do.
        role: GrantRole,
    },
    /// A link was made.
    LinkCreated {
        /// What it does.
        #[serde(flatten)]
        action: LinkAction,
        /// How often.
        uses: u32,
        /// When it lapses.
        expires_at: Timestamp,
    },
    /// A link was followed that is no good any more; at most one line a minute for each.
    LinkRefused {
        /// What it did.
        #[serde(flatten)]
        action: LinkAction,
        /// Why it did nothing.
        reason: LinkRefusal,
    },
    /// A link was taken back.
    LinkRevoked {
        /// What it would have done.
        #[serde(flatten)]
        action: LinkAction,
    },
    /// A link was followed.
    LinkUsed {
        /// What it does.
        #[serde(flatten)]
        action: LinkAction,
    },
    /// A login was ended by its user on another device, or by an administrator.
    LoginEnded {
        /// The address it was made from.
        made_from: String,
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
    /// Something was put back from a backup.
    Restored {
        /// When the backup was made.
        made_at: Timestamp,
        /// What was put back.
        parts: Vec<&'static str>,
        /// How many logins of then were ended by it.
        logins_ended: usize,
        /// The last line of the audit that this store took the place of, by its number and hash.
        replaced: Option<String>,
    },
    /// A restoration was wanted and did not happen, or not all of it.
    RestoreFailed {
        /// What happened and why.
        detail: String,
    },
    /// A session was asked for.
    SessionCreated {
        /// The template's name.
        template: String,
        /// Whose, what they call it, and for which client.
        #[serde(flatten)]
        whose: Whose,
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
    /// A session was to be changed and was not.
    SessionNotChanged {
        /// What was asked for: `start`, `stop`, `restart`, `reset`, `reset_home`, `remove`, `pause`,
        /// `resume`, `extend`.
        change: &'static str,
        /// Why.
        #[serde(flatten)]
        reason: Reason,
    },
    /// A session was asked for and not created. The target is whose it would have been.
    SessionNotCreated {
        /// The template's name.
        template: String,
        /// What it was to be called.
        name: String,
        /// Why.
        #[serde(flatten)]
        reason: Reason,
    },
    /// The end of a session that was asked for did not work yet; it is tried again. At most one line
    /// a minute for each session.
    SessionNotEnded {
        /// What was asked for: `stop`, `restart`, `reset`, `reset_home`, `remove`.
        change: &'static str,
        /// Why.
        #[serde(flatten)]
        reason: Reason,
    },
    /// A session was frozen.
    SessionPaused,
    /// A session became reachable.
    SessionReady,
    /// A session's record and container were removed.
    SessionRemoved {
        /// Whose it was, what they called it, and for which client it was.
        #[serde(flatten)]
        whose: Whose,
    },
    /// A session is to stop and to start again in a new container: everything outside its home goes.
    SessionReset {
        /// Whether it is to start with an empty home, the old one set aside as a copy.
        home: bool,
    },
    /// A session that runs is to stop and to start again in the same container.
    SessionRestarted,
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
    /// A user's own limits changed.
    UserLimitsChanged {
        /// What they are now; what is `null` follows the configuration.
        limits: UserLimits,
    },
    /// A user got another password; their logins ended.
    UserPasswordChanged,
    /// A user was not created, changed or removed, or not to the end. The outcome says whether that
    /// was refused or failed.
    UserRefused {
        /// What was asked for: `create`, `set_password`, `change_password`, `set_role`, `set_limits`,
        /// `disable`, `enable`, `remove`, `import`.
        change: &'static str,
        /// Why.
        #[serde(flatten)]
        reason: Reason,
    },
    /// A user was removed; their logins ended.
    UserRemoved,
    /// A user may do something else now; their logins ended.
    UserRoleChanged {
        /// What they may do.
        role: Role,
    },
    /// A list of users was taken in; each user who was created or changed has a line of their own.
    UsersImported {
        /// How many were created.
        created: usize,
        /// How many were changed.
        changed: usize,
        /// How many were refused.
        refused: usize,
    },
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
}
