//! A user as documents tell of them: as they are, as they are to be, and what changes.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Site;
use crate::people::{self, Outlook, Person};
use crate::secret::Secret;
use crate::session::{LimitsChange, SessionName, Setting, TemplateName, UserId};
use crate::store::{Role, User};

/// Limits of one user; what is `null` or absent follows the configuration.
#[derive(Default, Deserialize, Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = UserLimits)]
pub(super) struct LimitsDocument {
    /// Most sessions, in any state.
    #[schema(maximum = 10000)]
    max_sessions: Option<u32>,
    /// Most CPU cores of all their running sessions.
    #[schema(minimum = 0, maximum = 1024)]
    max_cpus: Option<f64>,
    /// Most memory of all their running sessions, in MiB.
    #[schema(maximum = 1_099_511_627_776u64)]
    max_memory_mib: Option<u64>,
    /// The only templates they may use.
    templates: Option<Vec<TemplateName>>,
}

/// A user. Names and fields are stable; new ones may be added.
#[derive(Serialize, ToSchema)]
#[schema(as = User)]
pub(super) struct UserDocument {
    /// Opaque identity; it stays when the user is renamed.
    #[schema(value_type = String, format = "uuid")]
    id: UserId,
    /// The name they log in with.
    name: String,
    /// What they may do.
    role: Role,
    /// Whether they may not log in.
    disabled: bool,
    /// Whether they must choose another password before they may do anything else.
    must_change: bool,
    /// Limits of their own.
    limits: LimitsDocument,
    /// How many sessions they have, in any state.
    sessions: usize,
    /// How many of them run.
    running: usize,
    /// What the files in their home took when it was last looked at; `null` if it was not yet.
    #[schema(required = true)]
    home_bytes: Option<u64>,
    /// When they were created.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When they last logged in; `null` is never.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    last_login_at: Option<Timestamp>,
}

/// A user to be created.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewUser {
    /// What they log in with; unique without regard to ASCII case. Some names are the gateway's own.
    #[schema(value_type = SessionName)]
    pub(super) name: String,
    /// What they may do; `user` unless it is said.
    pub(super) role: Option<Role>,
    /// One is made if it is absent. Not the name, nor one character repeated.
    #[schema(value_type = Option<String>, min_length = 8, max_length = 1024, pattern = r"^(?!(.)\1*$)")]
    pub(super) password: Option<Secret<String>>,
    /// Whether they must choose another password at their first login.
    #[serde(default)]
    pub(super) must_change: bool,
    /// Whether they may not log in yet.
    #[serde(default)]
    pub(super) disabled: bool,
    /// Limits of their own.
    #[serde(default)]
    pub(super) limits: LimitsDocument,
}

/// A user who was created.
#[derive(Serialize, ToSchema)]
pub(super) struct CreatedUser {
    /// The user.
    pub(super) user: UserDocument,
    /// Their first password, if it was made here. It is told this once.
    #[schema(required = true)]
    pub(super) password: Option<String>,
}

/// What is to change; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UserChange {
    /// What they may do; their logins end if it changes.
    pub(super) role: Option<Role>,
    /// Whether they may not log in; their logins end then.
    pub(super) disabled: Option<bool>,
    /// Limits of their own, all of them: what is `null` or absent in it follows the configuration.
    pub(super) limits: Option<LimitsDocument>,
}

/// A password to be set.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct NewPassword {
    /// One is made if it is absent. Not the name, nor one character repeated.
    #[schema(value_type = Option<String>, min_length = 8, max_length = 1024, pattern = r"^(?!(.)\1*$)")]
    pub(super) password: Option<Secret<String>>,
    /// Whether they must choose another one at their next login.
    pub(super) must_change: bool,
}

/// A password that was set.
#[derive(Serialize, ToSchema)]
pub(super) struct PasswordSet {
    /// The password, if it was made here. It is told this once.
    #[schema(required = true)]
    pub(super) password: Option<String>,
}

/// What removing a user would take with them.
#[derive(Serialize, ToSchema)]
pub(super) struct Removal {
    /// The user's name.
    name: String,
    /// How many sessions they have, all of which go.
    sessions: usize,
    /// How many of them run.
    running: usize,
    /// How many have a home of their own, which goes with them.
    own_homes: usize,
    /// Where their home lies, which is kept unless it is said otherwise; `null` if they have none, or it is
    /// not known.
    #[schema(required = true)]
    home: Option<String>,
    /// Whether the engine could tell.
    home_known: bool,
    /// What the files in it took when it was last looked at; `null` if it was not yet.
    #[schema(required = true)]
    home_bytes: Option<u64>,
}

impl Removal {
    pub(super) fn of(user: User, outlook: Outlook) -> Self {
        let Outlook { sessions, running, own_homes, home, home_known, home_use } = outlook;
        let home_bytes = home_use.map(|usage| usage.used_bytes);
        // What they call them is for whoever may read sessions.
        let sessions = sessions.len();
        Self { name: user.name, sessions, running, own_homes, home, home_known, home_bytes }
    }
}

/// What was removed.
#[derive(Serialize, ToSchema)]
pub(super) struct RemovedUser {
    /// How many sessions.
    pub(super) sessions: usize,
    /// Where their home lies that was kept; `null` if there is none, or it is not known.
    #[schema(required = true)]
    pub(super) home_kept: Option<String>,
}

/// What is told of a user.
pub(super) fn shown(site: &Site, user: User) -> UserDocument {
    let Person { user, sessions, running, home } = Person::of(site.broker(), user);
    UserDocument {
        id: user.id,
        name: user.name,
        role: user.role,
        disabled: user.disabled,
        must_change: user.must_change,
        limits: LimitsDocument {
            max_sessions: user.limits.max_sessions,
            max_cpus: user.limits.max_cpus,
            max_memory_mib: user.limits.max_memory_mib,
            templates: user.limits.templates.map(|templates| templates.into_iter().collect()),
        },
        sessions,
        running,
        home_bytes: home.map(|usage| usage.used_bytes),
        created_at: user.created_at,
        last_login_at: user.last_login_at,
    }
}

impl LimitsDocument {
    /// The change that makes these all of a user's limits.
    ///
    /// # Errors
    /// [`people::LimitsError`] if one of them is more than can be meant.
    pub(super) fn change(self) -> Result<LimitsChange, people::LimitsError> {
        fn own<T>(limit: Option<T>) -> Setting<T> {
            limit.map_or(Setting::Follow, Setting::Own)
        }
        let change = LimitsChange {
            max_sessions: own(self.max_sessions),
            max_cpus: own(self.max_cpus),
            max_memory_mib: own(self.max_memory_mib),
            templates: own(self.templates.map(|names| names.into_iter().collect())),
        };
        people::check_limits(&change).map(|()| change)
    }
}
