//! The control socket: how the command line reaches a running gateway.
//!
//! A Unix socket that only the gateway's own user can open (mode 0600). One request per
//! connection, one JSON line each way. The same requests are performed in-process when no gateway
//! runs, so both ways share [`perform`].

mod perform;
mod sessions;
mod sharing;
mod socket;
mod stats;
mod templates;
mod tokens;
mod user_rows;
mod users;

use serde::{Deserialize, Serialize};

pub use self::perform::{Performer, perform};
pub use self::sharing::{GuestRow, InvitationRow, SharingRequest};
pub use self::socket::{AskError, ask, serve};
pub use self::stats::{HostRow, UseRow};
pub use self::templates::{ImageRow, PullRow, TemplateRow};
pub use self::tokens::{TokenRow, TokenWish};
pub use self::user_rows::{LoginRow, OutlookRow, ResultRow, UserDetail, UserRow, limits_text, told};
pub use self::users::UserRequest;
use crate::auth::import::sheet::ListedUser;
use crate::broker::HomeListed;
use crate::capacity::Capacity;
use crate::secret::Secret;
use crate::session::{CopyName, Home, Link, LinkAction, LinkId};

/// What the command line may ask.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case", deny_unknown_fields)]
#[allow(missing_docs)]
pub enum Request {
    Capacity,
    HomeList,
    HomeRestore { owner: String, copy: CopyName },
    LinkCreate { action: LinkAction, lasts_s: u64, uses: u32 },
    LinkList,
    LinkRevoke { id: LinkId },
    SessionChange { label: String, change: SessionChange },
    SessionCreate { owner: String, template: String, name: String },
    SessionList,
    SessionShow { label: String },
    Sharing(SharingRequest),
    Stats,
    TemplateList,
    TemplateProgress,
    TemplatePull { name: String },
    TokenCreate { wish: TokenWish },
    TokenList,
    TokenRevoke { id: String },
    User(UserRequest),
}

impl Request {
    /// The request's name, for the log: never its content.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Capacity => "capacity",
            Self::HomeList => "home_list",
            Self::HomeRestore { .. } => "home_restore",
            Self::LinkCreate { .. } => "link_create",
            Self::LinkList => "link_list",
            Self::LinkRevoke { .. } => "link_revoke",
            Self::SessionChange { change, .. } => change.name(),
            Self::SessionCreate { .. } => "session_create",
            Self::SessionList => "session_list",
            Self::SessionShow { .. } => "session_show",
            Self::Sharing(request) => request.name(),
            Self::Stats => "stats",
            Self::TemplateList => "template_list",
            Self::TemplateProgress => "template_progress",
            Self::TemplatePull { .. } => "template_pull",
            Self::TokenCreate { .. } => "token_create",
            Self::TokenList => "token_list",
            Self::TokenRevoke { .. } => "token_revoke",
            Self::User(request) => request.name(),
        }
    }
}

/// What can be done with a session.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[allow(missing_docs)]
pub enum SessionChange {
    Extend,
    Pause,
    Remove,
    Reset { home: bool },
    Restart,
    Resume,
    Start,
    Stop,
}

impl SessionChange {
    /// Its verb, as in the API.
    #[must_use]
    pub fn verb(self) -> &'static str {
        match self {
            Self::Extend => "extend",
            Self::Pause => "pause",
            Self::Remove => "remove",
            Self::Reset { .. } => "reset",
            Self::Restart => "restart",
            Self::Resume => "resume",
            Self::Start => "start",
            Self::Stop => "stop",
        }
    }

    /// The request's name, for the log.
    fn name(self) -> &'static str {
        match self {
            Self::Extend => "session_extend",
            Self::Pause => "session_pause",
            Self::Remove => "session_remove",
            Self::Reset { .. } => "session_reset",
            Self::Restart => "session_restart",
            Self::Resume => "session_resume",
            Self::Start => "session_start",
            Self::Stop => "session_stop",
        }
    }
}

/// What comes back.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Reply {
    /// What there is room for.
    Capacity {
        /// As of the last sample.
        capacity: Capacity,
    },
    /// It is done; a sentence for people.
    Done {
        /// The sentence.
        text: String,
    },
    /// Users as a list has them.
    Exported {
        /// By name.
        users: Vec<ListedUser>,
    },
    /// Who else may open a session.
    Grants {
        /// Oldest first.
        grants: Vec<GrantRow>,
    },
    /// The homes.
    Homes {
        /// Owners by name, then sessions.
        homes: Vec<HomeRow>,
    },
    /// A link into a session was made.
    Invitation {
        /// It.
        invitation: Box<InvitationRow>,
        /// The secret of its address, told this once.
        secret: Secret<String>,
        /// Its address, if whoever made it says so.
        url: Option<Secret<String>>,
    },
    /// The links into a session.
    Invitations {
        /// Oldest first.
        invitations: Vec<InvitationRow>,
    },
    /// A link was made.
    Link {
        /// It.
        link: Box<LinkRow>,
        /// The secret of its address, told this once.
        secret: Secret<String>,
        /// Its address, if whoever made it says so.
        url: Option<Secret<String>>,
    },
    /// The links.
    Links {
        /// Oldest first.
        links: Vec<LinkRow>,
    },
    /// What removing a user would take with them.
    Outlook {
        /// It.
        outlook: OutlookRow,
    },
    /// It was refused or failed.
    Refused {
        /// Stable code.
        code: String,
        /// What happened, for people.
        text: String,
    },
    /// One session.
    Session {
        /// It.
        session: Box<SessionRow>,
        /// Who else may open it; `None` if whoever asks may not know.
        grants: Option<Vec<GrantRow>>,
    },
    /// The sessions.
    Sessions {
        /// Oldest first.
        sessions: Vec<SessionRow>,
    },
    /// What is used.
    Stats {
        /// Each machine.
        hosts: Vec<HostRow>,
        /// Each session that runs, the busiest first.
        sessions: Vec<UseRow>,
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
    /// What became of the rows of a list.
    Results {
        /// In the order of the rows.
        results: Vec<ResultRow>,
    },
    /// A user's logins.
    Logins {
        /// The newest first.
        logins: Vec<LoginRow>,
    },
    /// A user.
    User {
        /// They.
        user: Box<UserDetail>,
    },
    /// The users.
    Users {
        /// By name.
        users: Vec<UserRow>,
    },
}

/// A session as the command line shows it; what only a running gateway knows is `null` without one.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
#[allow(missing_docs)]
pub struct SessionRow {
    pub label: String,
    pub owner: String,
    pub template: String,
    pub name: String,
    pub state: String,
    pub phase: Option<String>,
    pub reason: Option<String>,
    pub reason_text: Option<String>,
    pub container: String,
    pub created_at: String,
    pub ready_at: Option<String>,
    pub last_input_at: Option<String>,
    pub viewers: Option<usize>,
    pub expires_at: Option<String>,
    pub expires_because: Option<String>,
}

/// Somebody else's right to open a session.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct GrantRow {
    pub user: String,
    pub role: String,
    pub granted_by: String,
    pub created_at: String,
    pub expires_at: Option<String>,
}

/// The nearest of `known` if it is near enough to be a slip of the finger.
fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let word = word.to_lowercase();
    let near = |known: &&'a str| (strsim::damerau_levenshtein(&word, &known.to_lowercase()), *known);
    let (distance, best) = known.iter().map(near).min()?;
    (distance <= 1 + word.len() / 4).then_some(best)
}

/// A link as the command line shows it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct LinkRow {
    pub id: LinkId,
    #[serde(flatten)]
    pub action: LinkAction,
    pub uses: u32,
    pub used: u32,
    pub created_by: String,
    pub created_at: String,
    pub expires_at: String,
}

impl From<&Link> for LinkRow {
    fn from(link: &Link) -> Self {
        Self {
            id: link.id,
            action: link.action.clone(),
            uses: link.uses,
            used: link.used,
            created_by: link.created_by.clone(),
            created_at: link.created_at.to_string(),
            expires_at: link.expires_at.to_string(),
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
