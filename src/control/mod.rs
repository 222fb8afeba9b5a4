//! The control socket: how the command line reaches a running gateway.
//!
//! A Unix socket that only the gateway's own user can open (mode 0600). One request per
//! connection, one JSON line each way. The same requests are performed in-process when no gateway
//! runs, so both ways share [`perform`].

mod perform;
mod socket;
mod templates;
mod tokens;

use serde::{Deserialize, Serialize};

pub use self::perform::{Performer, perform};
pub use self::socket::{AskError, ask, serve};
pub use self::templates::{ImageRow, PullRow, TemplateRow};
pub use self::tokens::{TokenRow, TokenWish};
use crate::broker::HomeListed;
use crate::secret::Secret;
use crate::session::{CopyName, Home, Session};
use crate::store::Role;

/// What the command line may ask.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case", deny_unknown_fields)]
#[allow(missing_docs)]
pub enum Request {
    HomeList,
    HomeRestore { owner: String, copy: CopyName },
    SessionList,
    SessionRemove { label: String },
    SessionReset { label: String, home: bool },
    SessionStop { label: String },
    TemplateList,
    TemplateProgress,
    TemplatePull { name: String },
    TokenCreate { wish: TokenWish },
    TokenList,
    TokenRevoke { id: String },
    UserAdd { name: String, role: Role, password: Secret<String> },
    UserDisable { name: String },
    UserEnable { name: String },
    UserList,
    UserPasswd { name: String, password: Secret<String> },
    UserRemove { name: String },
}

impl Request {
    /// The request's name, for the log: never its content.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::HomeList => "home_list",
            Self::HomeRestore { .. } => "home_restore",
            Self::SessionList => "session_list",
            Self::SessionRemove { .. } => "session_remove",
            Self::SessionReset { .. } => "session_reset",
            Self::SessionStop { .. } => "session_stop",
            Self::TemplateList => "template_list",
            Self::TemplateProgress => "template_progress",
            Self::TemplatePull { .. } => "template_pull",
            Self::TokenCreate { .. } => "token_create",
            Self::TokenList => "token_list",
            Self::TokenRevoke { .. } => "token_revoke",
            Self::UserAdd { .. } => "user_add",
            Self::UserDisable { .. } => "user_disable",
            Self::UserEnable { .. } => "user_enable",
            Self::UserList => "user_list",
            Self::UserPasswd { .. } => "user_passwd",
            Self::UserRemove { .. } => "user_remove",
        }
    }
}

/// What comes back.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Reply {
    /// It is done; a sentence for people.
    Done {
        /// The sentence.
        text: String,
    },
    /// The homes.
    Homes {
        /// Owners by name, then sessions.
        homes: Vec<HomeRow>,
    },
    /// It was refused or failed.
    Refused {
        /// Stable code.
        code: String,
        /// What happened, for people.
        text: String,
    },
    /// The sessions.
    Sessions {
        /// Oldest first.
        sessions: Vec<SessionRow>,
    },
    /// The templates.
    Templates {
        /// By name.
        templates: Vec<TemplateRow>,
    },
    /// Tokens; one that was just made with its text.
    Tokens {
        /// Oldest first.
        tokens: Vec<TokenRow>,
    },
    /// The users.
    Users {
        /// By name.
        users: Vec<UserRow>,
    },
}

/// A session as the command line shows it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct SessionRow {
    pub label: String,
    pub owner: String,
    pub template: String,
    pub name: String,
    pub state: String,
    pub container: String,
    pub created_at: String,
    pub last_input_at: Option<String>,
}

impl From<&Session> for SessionRow {
    fn from(session: &Session) -> Self {
        Self {
            label: session.label.to_string(),
            owner: session.owner_name.clone(),
            template: session.template.to_string(),
            name: session.name.to_string(),
            state: session.state.kind().name().to_owned(),
            container: format!("berth-{}", session.id),
            created_at: session.created_at.to_string(),
            last_input_at: session.last_input_at.map(|at| at.to_string()),
        }
    }
}

/// A home as the command line shows it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct HomeRow {
    pub owner: String,
    pub session: Option<String>,
    pub kind: Home,
    pub used_bytes: Option<u64>,
    pub limit_bytes: Option<u64>,
    pub measured_at: Option<String>,
    pub copies: Option<Vec<CopyName>>,
}

impl From<HomeListed> for HomeRow {
    fn from(home: HomeListed) -> Self {
        let usage = home.measured.and_then(|measured| measured.usage);
        Self {
            owner: home.owner,
            session: home.session,
            kind: home.kind,
            used_bytes: usage.map(|usage| usage.used_bytes),
            limit_bytes: usage.and_then(|usage| usage.limit_bytes),
            measured_at: home.measured.map(|measured| measured.at.to_string()),
            copies: home.copies,
        }
    }
}

/// A user as the command line shows it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct UserRow {
    pub name: String,
    pub role: Role,
    pub disabled: bool,
    pub created_at: String,
    pub last_login_at: Option<String>,
}
