//! Who is there, and what they may do: passwords, logins, cookies, tickets, throttling, policy.
//!
//! The edges call [`Auth`]; it knows the store and the audit, and of HTTP only the form of
//! cookies and headers. Identity comes from the stored login alone.

pub mod cookies;
pub mod csrf;
mod entrance;
mod error;
pub mod import;
mod links;
mod login;
mod logins;
mod password;
pub mod policy;
mod refusals;
mod rights;
#[cfg(test)]
mod tests;
mod throttle;
mod tickets;
pub mod tokens;
mod users;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use dashmap::DashMap;
use jiff::Timestamp;

pub use self::error::{AuthError, NameFlaw, PasswordFlaw};
pub use self::links::NewLink;
pub use self::logins::LoginId;
use self::password::Passwords;
pub(crate) use self::refusals::Whom;
use self::refusals::{OfUsers, Refusals};
use self::throttle::Throttle;
use self::tokens::Held;
pub use self::tokens::{NewApiToken, SHORTEST_TOKEN};
pub use self::users::{NewUser, Renewal, Terms};
use crate::audit::Audit;
use crate::clock;
use crate::revocation::{CloseReason, Revocation};
use crate::secret::{Secret, TokenHash};
use crate::session::{SessionId, UserId};
use crate::store::{Login, Preferences, Role, Scopes, Store, User};

/// What the operator may set.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// A login lapses this long after it was made. Default 12 h.
    pub login_ttl: Duration,
    /// A wrong name or password is answered no sooner than this, so that the time tells nothing:
    /// an imported bcrypt hash takes longer to check than ours. Default 500 ms.
    pub refusal_floor: Duration,
    /// A bearer token that administers; at least [`SHORTEST_TOKEN`] characters. Default none.
    pub bootstrap_token: Option<Secret<String>>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            login_ttl: Duration::from_secs(43_200),
            refusal_floor: Duration::from_millis(500),
            bootstrap_token: None,
        }
    }
}

/// Where a login attempt comes from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Visitor {
    /// The browser's address.
    pub address: IpAddr,
    /// The browser's own description; kept to 256 characters.
    pub user_agent: String,
}

/// Whose sessions somebody may deal with, as far as they may at all.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reach {
    /// Everybody's.
    Everybody,
    /// Their own.
    Own,
}

/// Somebody who proved who they are: a live login and its user, or whoever holds a token.
#[derive(Clone, Debug)]
pub struct Principal {
    /// Who it is.
    pub user: UserId,
    /// Their name.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Which login this is.
    pub login: TokenHash,
    /// Secret that forms must echo.
    pub csrf: Secret<String>,
    /// Whether they must choose another password before they may do anything else.
    pub must_change: bool,
    /// How they read pages.
    pub preferences: Preferences,
    /// On a session's own host: the only session this opens. [`policy`] denies it all else.
    pub session: Option<SessionId>,
    /// When the login lapses.
    pub expires_at: Timestamp,
    /// Ends with the login; every open socket waits for it.
    pub revocation: Revocation,
    /// What they may at most do.
    pub scopes: Scopes,
    /// With whose sessions.
    pub reach: Reach,
    /// Whether it is a program with a token; no browser sends one by itself.
    pub token: bool,
}

/// A login that was just made; the token goes into the cookie and nowhere else.
#[derive(Debug)]
pub struct NewLogin {
    /// The cookie's value.
    pub token: Secret<String>,
    /// Who logged in.
    pub principal: Arc<Principal>,
}

/// Logins of one gateway, over the store.
pub struct Auth {
    store: Arc<dyn Store>,
    audit: Audit,
    refusals: Refusals,
    refusals_of_users: OfUsers,
    settings: Settings,
    passwords: Passwords,
    throttle: Throttle,
    /// The holder of the bootstrap token.
    bootstrap: Option<Arc<Principal>>,
    /// Logins that were seen valid, so that a request needs no store. Whoever ends a login removes
    /// it from the store first and from here second; `admit` relies on that order. No guard is held
    /// over an `.await`.
    live: DashMap<TokenHash, Arc<Principal>>,
    /// The same of tokens. Apart, so that no cookie is taken for one.
    tokens: DashMap<TokenHash, Arc<Held>>,
    /// Makes read-change-write of a user record one step in this process. Held over store calls:
    /// administration is rare and nothing else waits for it.
    changes: tokio::sync::Mutex<()>,
}

impl Auth {
    /// Nobody is logged in but who the store knows.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, audit: Audit, settings: Settings) -> Self {
        Self {
            store,
            audit,
            refusals: Refusals::default(),
            refusals_of_users: OfUsers::default(),
            bootstrap: settings.bootstrap_token.as_ref().map(tokens::bootstrap),
            settings,
            passwords: Passwords::new(),
            throttle: Throttle::new(),
            live: DashMap::new(),
            tokens: DashMap::new(),
            changes: tokio::sync::Mutex::new(()),
        }
    }

    /// How long a login lasts: the cookie's `Max-Age`.
    #[must_use]
    pub fn login_ttl(&self) -> Duration {
        self.settings.login_ttl
    }

    /// Ends a login in this process: forgets it and tells its sockets.
    fn end(&self, login: &TokenHash, reason: CloseReason) {
        if let Some((_, principal)) = self.live.remove(login) {
            principal.revocation.revoke(reason);
        }
    }
}

impl Principal {
    fn new(login: &Login, user: &User) -> Self {
        Self {
            user: user.id,
            name: user.name.clone(),
            role: user.role,
            login: login.token,
            csrf: login.csrf.clone(),
            must_change: user.must_change,
            preferences: user.preferences,
            session: login.session,
            expires_at: login.expires_at,
            revocation: Revocation::new(),
            scopes: match user.role {
                Role::Admin => Scopes::all(),
                Role::User => Scopes::of_user(),
            },
            reach: match user.role {
                Role::Admin => Reach::Everybody,
                Role::User => Reach::Own,
            },
            token: false,
        }
    }

    fn is_live(&self) -> bool {
        !self.revocation.is_revoked() && clock::now() < self.expires_at
    }
}
