//! The store: where users, logins, tickets, sessions and the audit persist.
//!
//! One trait, one contract (`contract`), several implementations: [`sqlite`] is the embedded
//! default. Losing the store means no new sessions and no new logins, never lost sessions.

mod answer;
mod audit;
pub mod contract;
mod people;
pub mod sqlite;
mod token;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use utoipa::ToSchema;

pub use self::answer::KeptAnswer;
pub use self::audit::{AuditLine, AuditLines, AuditOrder, AuditSearch};
pub use self::people::{Preferences, UserOrder, UserPage, UserPlace, UserQuery};
pub use self::token::{ApiToken, Scope, ScopeError, Scopes, TokenId};
use crate::fault::{Answer, Fault};
use crate::language::Sentence;
use crate::secret::{Secret, TokenHash};
use crate::session::{
    Grant, GrantId, Invitation, InvitationId, Label, Link, LinkId, Session, SessionId, UserId, UserLimits,
};

/// What a user may do.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Sees and manages everything.
    Admin,
    /// Manages their own sessions.
    User,
}

impl Role {
    /// The stable `snake_case` name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::User => "user",
        }
    }
}

/// A person who may log in.
#[derive(Clone, Debug, PartialEq)]
pub struct User {
    /// Opaque identity.
    pub id: UserId,
    /// The name they log in with; unique, compared without regard to ASCII case.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// PHC string (argon2id) or an imported bcrypt hash.
    pub password_hash: Secret<String>,
    /// A disabled user cannot log in, and has no logins.
    pub disabled: bool,
    /// When they were created.
    pub created_at: Timestamp,
    /// When they last logged in.
    pub last_login_at: Option<Timestamp>,
    /// Whether they must choose another password before they may do anything else.
    pub must_change: bool,
    /// What their sessions may take, where it is not what the configuration says.
    pub limits: UserLimits,
    /// How they read pages.
    pub preferences: Preferences,
}

/// An authenticated browser on the portal, or, with `session`, on one session's own host.
#[derive(Clone, Debug, PartialEq)]
pub struct Login {
    /// Hash of the cookie's token.
    pub token: TokenHash,
    /// Who it is.
    pub user: UserId,
    /// For a session host's cookie: the portal login it came from, which ends it too.
    pub parent: Option<TokenHash>,
    /// For a session host's cookie: the only session it opens.
    pub session: Option<SessionId>,
    /// Secret that forms must echo.
    pub csrf: Secret<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it lapses.
    pub expires_at: Timestamp,
    /// The address it was made from, for the owner to recognise.
    pub address: String,
    /// The browser it was made with, for the owner to recognise.
    pub user_agent: String,
}

/// A one-time right to open a session on its own host, minted on the portal.
#[derive(Clone, Debug, PartialEq)]
pub struct Ticket {
    /// Hash of the ticket's token.
    pub token: TokenHash,
    /// The portal login it was minted for.
    pub login: TokenHash,
    /// The session it opens.
    pub session: SessionId,
    /// When it lapses; seconds after its making.
    pub expires_at: Timestamp,
}

/// Somebody who came by an invitation.
#[derive(Clone, Debug, PartialEq)]
pub struct Guest {
    /// Who.
    pub user: UserId,
    /// Their user name when they came, for people to read.
    pub name: String,
    /// When they came.
    pub came_at: Timestamp,
}

/// An invitation with everybody who came by it, also those whose grant was withdrawn since.
#[derive(Clone, Debug, PartialEq)]
pub struct Invited {
    /// The invitation.
    pub invitation: Invitation,
    /// Who came, oldest first.
    pub guests: Vec<Guest>,
}

/// Over how long statistics are looked at, each with a step of its own.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum StatSpan {
    /// The last hour.
    Hour,
    /// The last day.
    Day,
    /// The last thirty days.
    Month,
}

impl StatSpan {
    /// All of them, the shortest first.
    pub const ALL: [Self; 3] = [Self::Hour, Self::Day, Self::Month];

    /// The stable `snake_case` name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
        }
    }
}

/// What was measured of one subject in one slot of time.
#[derive(Clone, Debug, PartialEq)]
pub struct StatPoint {
    /// A machine or a session, in the words of whoever measures.
    pub subject: String,
    /// Which span the slot is one of.
    pub span: StatSpan,
    /// Where the slot begins, in seconds since 1970.
    pub at: i64,
    /// The values; not a number where nothing was measured.
    pub values: Vec<f32>,
}

/// Which unique key an insert collided with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum UniqueKey {
    /// There is a session of this client already.
    Client,
    /// The user has a grant for this session already.
    Grant,
    /// The user came by this invitation before.
    Guest,
    /// An invitation's id.
    Invitation,
    /// A session's id or label.
    Label,
    /// An owner already has a session of this name.
    SessionName,
    /// The user name is taken.
    UserName,
}

/// Why a store call failed.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The record collides with an existing one.
    #[error("the {0:?} is taken")]
    Conflict(UniqueKey),
    /// The database is damaged.
    #[error("the database {path} is damaged: {detail}")]
    Corrupt {
        /// Where it is.
        path: String,
        /// What is wrong.
        detail: String,
    },
    /// Somebody is putting another database in its place, or it is in use while that is wanted.
    #[error("the database {path} is locked: it is in use, or being restored")]
    Locked {
        /// Where it is.
        path: String,
    },
    /// The database was written by a newer version of Berth.
    #[error("the database {path} has schema {found}, newer than this binary's {known}")]
    Newer {
        /// Where it is.
        path: String,
        /// Its schema version.
        found: i64,
        /// The newest this binary knows.
        known: i64,
    },
    /// The record changed or vanished since it was read; read again.
    #[error("the record changed meanwhile")]
    Stale,
    /// The store cannot work now: disk full, read-only, unreachable.
    #[error("the store cannot work now: {detail}")]
    Unavailable {
        /// The store's words.
        detail: String,
    },
}

impl Answer for StoreError {
    fn fault(&self) -> Fault {
        match self {
            Self::Conflict(_) => Fault::Downstream,
            Self::Corrupt { .. }
            | Self::Locked { .. }
            | Self::Newer { .. }
            | Self::Stale
            | Self::Unavailable { .. } => Fault::Store,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Conflict(_) => "taken",
            Self::Corrupt { .. } => "store_corrupt",
            Self::Locked { .. } => "store_locked",
            Self::Newer { .. } => "store_newer",
            Self::Stale => "store_stale",
            Self::Unavailable { .. } => "store_unavailable",
        }
    }

    fn sentence(&self) -> Sentence {
        Sentence::of(match self {
            Self::Conflict(UniqueKey::Grant) => "problem-grant-exists",
            Self::Conflict(UniqueKey::Guest) => "problem-invitation-returned",
            Self::Conflict(UniqueKey::Invitation) => "problem-invitation-made",
            Self::Conflict(UniqueKey::UserName) => "problem-user-taken",
            Self::Conflict(UniqueKey::Client | UniqueKey::Label | UniqueKey::SessionName) => {
                "problem-name-taken"
            }
            Self::Corrupt { .. }
            | Self::Locked { .. }
            | Self::Newer { .. }
            | Self::Stale
            | Self::Unavailable { .. } => "problem-store",
        })
    }

    fn retry_after(&self) -> Option<std::time::Duration> {
        matches!(self, Self::Unavailable { .. } | Self::Stale).then_some(std::time::Duration::from_secs(5))
    }
}

/// Where things persist. Every write is durable when its call returns. Calls may be cancelled;
/// a cancelled write happens or does not happen, never by halves.
#[async_trait]
pub trait Store: AuditLines {
    /// Adds a user.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] with [`UniqueKey::UserName`].
    async fn insert_user(&self, user: &User) -> Result<(), StoreError>;
    /// The user of this name, compared without regard to ASCII case.
    async fn user_by_name(&self, name: &str) -> Result<Option<User>, StoreError>;
    /// The user of this id.
    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError>;
    /// All users, by name.
    async fn users(&self) -> Result<Vec<User>, StoreError>;
    /// The users that a query looks for, up to its limit.
    async fn find_users(&self, query: &UserQuery) -> Result<UserPage, StoreError>;
    /// Replaces a user's record (all fields but the id).
    ///
    /// # Errors
    /// [`StoreError::Stale`] if there is no such user, [`StoreError::Conflict`] if the new name
    /// is another user's.
    async fn update_user(&self, user: &User) -> Result<(), StoreError>;
    /// Removes a user with their logins, tickets and the grants given to them; absent is success.
    /// Sessions are the broker's to remove first.
    async fn remove_user(&self, id: UserId) -> Result<(), StoreError>;

    /// Notes a successful login at `at`, and replaces the password hash by `rehashed` if given,
    /// provided that the user is enabled and their password hash still is `verified`.
    ///
    /// Being one step, it cannot undo a password change or a disabling that happened meanwhile.
    ///
    /// # Errors
    /// [`StoreError::Stale`] if the user is gone, disabled or has another password by now.
    async fn note_login(
        &self,
        user: UserId,
        at: Timestamp,
        verified: &Secret<String>,
        rehashed: Option<&Secret<String>>,
    ) -> Result<(), StoreError>;

    /// Adds a login.
    ///
    /// # Errors
    /// [`StoreError::Stale`] if its user or its parent login is gone.
    async fn insert_login(&self, login: &Login) -> Result<(), StoreError>;
    /// The login of this token, lapsed or not.
    async fn login(&self, token: &TokenHash) -> Result<Option<Login>, StoreError>;
    /// The portal logins of a user, newest first, without those of session hosts.
    async fn logins_of(&self, user: UserId) -> Result<Vec<Login>, StoreError>;
    /// Ends a login and those that came from it; returns the tokens that ended (none if absent).
    async fn remove_login(&self, token: &TokenHash) -> Result<Vec<TokenHash>, StoreError>;
    /// Ends all logins of a user; returns the tokens that ended.
    async fn remove_logins_of(&self, user: UserId) -> Result<Vec<TokenHash>, StoreError>;
    /// Forgets logins and tickets that lapsed before `now`; returns how many logins.
    async fn purge_lapsed(&self, now: Timestamp) -> Result<usize, StoreError>;

    /// Adds a ticket.
    ///
    /// # Errors
    /// [`StoreError::Stale`] if its login is gone.
    async fn insert_ticket(&self, ticket: &Ticket) -> Result<(), StoreError>;
    /// Takes a ticket: returns it and removes it in one step, so that it works once.
    async fn take_ticket(&self, token: &TokenHash) -> Result<Option<Ticket>, StoreError>;

    /// Adds a session; its `version` is stored as given.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] with [`UniqueKey::SessionName`], [`UniqueKey::Label`] or [`UniqueKey::Client`].
    async fn insert_session(&self, session: &Session) -> Result<(), StoreError>;
    /// The session of this id.
    async fn session(&self, id: SessionId) -> Result<Option<Session>, StoreError>;
    /// The session of this label.
    async fn session_by_label(&self, label: &Label) -> Result<Option<Session>, StoreError>;
    /// All sessions, oldest first.
    async fn sessions(&self) -> Result<Vec<Session>, StoreError>;
    /// Replaces a session's record if the stored version is `session.version`, and stores it
    /// with `version + 1`, which it returns.
    ///
    /// # Errors
    /// [`StoreError::Stale`] if the version differs or the session is gone.
    async fn update_session(&self, session: &Session) -> Result<u64, StoreError>;
    /// Removes a session's record and its grants; absent is success.
    async fn remove_session(&self, id: SessionId) -> Result<(), StoreError>;

    /// Adds a grant.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] with [`UniqueKey::Grant`] if the grantee has one for this session,
    /// [`StoreError::Stale`] if the session or the grantee is gone.
    async fn insert_grant(&self, grant: &Grant) -> Result<(), StoreError>;
    /// All grants, lapsed or not, oldest first.
    async fn grants(&self) -> Result<Vec<Grant>, StoreError>;
    /// Removes a grant; absent is success.
    async fn remove_grant(&self, id: GrantId) -> Result<(), StoreError>;
    /// Removes grants that lapsed at `now` or before; returns how many.
    async fn purge_grants(&self, now: Timestamp) -> Result<usize, StoreError>;

    /// Adds a token of a program.
    ///
    /// # Errors
    /// [`StoreError::Stale`] if the user it is bound to is gone.
    async fn insert_api_token(&self, token: &ApiToken) -> Result<(), StoreError>;
    /// The token of this hash, lapsed or not.
    async fn api_token(&self, hash: &TokenHash) -> Result<Option<ApiToken>, StoreError>;
    /// All tokens, lapsed or not, oldest first.
    async fn api_tokens(&self) -> Result<Vec<ApiToken>, StoreError>;
    /// Removes a token and returns it; `None` if there was none.
    async fn remove_api_token(&self, id: TokenId) -> Result<Option<ApiToken>, StoreError>;
    /// Removes the tokens that are bound to a user and returns them.
    async fn remove_api_tokens_of(&self, user: UserId) -> Result<Vec<ApiToken>, StoreError>;
    /// Notes that a token was used; absent is success.
    async fn note_api_token_used(&self, id: TokenId, at: Timestamp) -> Result<(), StoreError>;

    /// Keeps an answer, in place of an older one of the same key; very many push the oldest out.
    async fn keep_answer(&self, answer: &KeptAnswer) -> Result<(), StoreError>;
    /// The answer that is kept under this key.
    async fn kept_answer(&self, key: &TokenHash) -> Result<Option<KeptAnswer>, StoreError>;
    /// Forgets answers older than `before`; returns how many.
    async fn purge_answers(&self, before: Timestamp) -> Result<usize, StoreError>;

    /// Adds an invitation, to be found by the hash of its link's token.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] with [`UniqueKey::Invitation`] if there is one of this id,
    /// [`StoreError::Stale`] if the session is gone.
    async fn insert_invitation(&self, invitation: &Invitation, token: &TokenHash) -> Result<(), StoreError>;
    /// The invitation of this token, lapsed or not.
    async fn invitation(&self, token: &TokenHash) -> Result<Option<Invited>, StoreError>;
    /// The invitations to a session, lapsed or not, oldest first.
    async fn invitations_of(&self, session: SessionId) -> Result<Vec<Invited>, StoreError>;
    /// Adds a grant that comes of an invitation, and its grantee to the guests, in one step: of
    /// many who want the last place one gets it.
    ///
    /// # Errors
    /// [`StoreError::Stale`] if the invitation is not to this session, is gone, has lapsed by
    /// `grant.created_at` or has no place left, or the grantee is gone; [`StoreError::Conflict`]
    /// with [`UniqueKey::Guest`] if they came by it before, or [`UniqueKey::Grant`] if they have a
    /// grant for this session.
    async fn accept_invitation(&self, grant: &Grant) -> Result<(), StoreError>;
    /// Removes an invitation and the grants that came of it; absent is success.
    async fn remove_invitation(&self, id: InvitationId) -> Result<(), StoreError>;
    /// Removes invitations that lapsed at `now` or before; returns how many.
    async fn purge_invitations(&self, now: Timestamp) -> Result<usize, StoreError>;

    /// Adds a link.
    async fn insert_link(&self, link: &Link) -> Result<(), StoreError>;
    /// The link of this secret, used up or lapsed or not.
    async fn link(&self, token: &TokenHash) -> Result<Option<Link>, StoreError>;
    /// All links, oldest first.
    async fn links(&self) -> Result<Vec<Link>, StoreError>;
    /// Uses a link once, in one step: of those who come at once each use is had by one. `None` if
    /// there is no such link, it is used up, or it has lapsed at `now`.
    async fn take_link(&self, token: &TokenHash, now: Timestamp) -> Result<Option<Link>, StoreError>;
    /// Gives one use of a link back; absent is success.
    async fn give_link_back(&self, id: LinkId) -> Result<(), StoreError>;
    /// Removes a link and returns it.
    async fn remove_link(&self, id: LinkId) -> Result<Option<Link>, StoreError>;
    /// Removes links that lapsed at `now` or before; returns how many.
    async fn purge_links(&self, now: Timestamp) -> Result<usize, StoreError>;

    /// Appends to the audit: stores `body` under the next number with the hash that `chain`
    /// computes from the previous line's hash (64 zeros before the first) and `body`.
    async fn append_audit(&self, body: String) -> Result<AuditLine, StoreError>;
    /// Cuts the front of the audit: appends `body`, as [`Store::append_audit`] does, and removes the
    /// lines from `first`, the oldest there is, up to `through`, in one step.
    ///
    /// # Errors
    /// [`StoreError::Stale`] if the oldest line is another one, or there is no line `through`.
    async fn trim_audit(&self, first: u64, through: u64, body: String) -> Result<AuditLine, StoreError>;

    /// When this store was put back from a backup, as long as nobody has compared it with what runs
    /// since; `None` for one that was not.
    async fn restored_at(&self) -> Result<Option<Timestamp>, StoreError>;
    /// Notes when this store was put back, or with `None` that it has been compared.
    async fn set_restored_at(&self, at: Option<Timestamp>) -> Result<(), StoreError>;
    /// Adds points of statistics (one that is there is replaced), forgets those of each span from
    /// before the second given with it, and everything of the subjects in `gone`, in one step.
    async fn keep_stats(
        &self,
        points: &[StatPoint],
        before: &[(StatSpan, i64)],
        gone: &[String],
    ) -> Result<(), StoreError>;
    /// All statistics, those of a subject's span oldest first.
    async fn stats(&self) -> Result<Vec<StatPoint>, StoreError>;

    /// The random id this store was given when it was made; tells its containers from others'.
    fn installation(&self) -> String;

    /// Whether the store can write now.
    async fn check(&self) -> Result<(), StoreError>;
}
