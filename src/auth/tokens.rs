//! Bearer tokens of programs (RFC 6750 §2.1).
//!
//! The bootstrap token that the operator gives the gateway in an environment variable administers,
//! and belongs to nobody. All others lie hashed in the store; who holds one may do what its scopes
//! say, as the user it is bound to, or as nobody with everybody's sessions.

use std::sync::Arc;
use std::sync::Mutex as StdMutex;
use std::time::Duration;

use http::HeaderValue;
use jiff::Timestamp;
use subtle::ConstantTimeEq;
use tracing::warn;
use uuid::Uuid;

use super::policy::{self, Denied};
use super::users::user_name;
use super::{Auth, AuthError, Principal, Reach};
use crate::audit::{Actor, AuditEvent, Record};
use crate::clock;
use crate::revocation::{CloseReason, Revocation};
use crate::secret::{Secret, TokenHash, random_token};
use crate::session::UserId;
use crate::store::{ApiToken, Preferences, Role, Scopes, StoreError, TokenId, User};

/// The fewest characters of a bootstrap token: nobody throttles guesses at it.
pub const SHORTEST_TOKEN: usize = 32;

/// What the text of a token begins with, for programs that look for secrets in what is published.
const PREFIX: &str = "berth_";

/// That a token is used is written down this often at most.
const NOTE_EVERY: Duration = Duration::from_secs(300);

/// The most tokens that one user may have bound to them.
const MOST_OF_ONE: usize = 50;

/// What a token is to be.
#[derive(Clone, Debug)]
pub struct NewApiToken {
    /// What people call it: 1 to 64 visible characters.
    pub name: String,
    /// What it may be used for.
    pub scopes: Scopes,
    /// Whom it acts as; `None` for nobody.
    pub user: Option<UserId>,
    /// When it lapses; `None` for never.
    pub expires_at: Option<Timestamp>,
}

/// A token that was seen valid.
pub(super) struct Held {
    id: TokenId,
    principal: Arc<Principal>,
    /// When its use was last written down. No `.await` happens under this lock.
    noted_at: StdMutex<Option<Timestamp>>,
}

impl Held {
    /// Whether its use is to be written down now; whoever is told so does it.
    fn is_due(&self, now: Timestamp) -> bool {
        let mut noted_at = self.noted_at.lock().expect("no code panics while it holds this lock");
        let due = noted_at.is_none_or(|at| clock::later(at, NOTE_EVERY) <= now);
        if due {
            *noted_at = Some(now);
        }
        due
    }
}

/// The token of an `Authorization` header's value; the scheme's name is in any case (RFC 9110 §11.1).
#[must_use]
pub fn bearer_of(value: &HeaderValue) -> Option<&str> {
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

impl Auth {
    /// Whether a bearer token is one of ours by its look, live or not, without asking the store: an
    /// app in a container must not get to see it.
    #[must_use]
    pub fn issued(&self, token: &str) -> bool {
        let bootstrap = self.bootstrap.as_ref();
        token.starts_with(PREFIX)
            || bootstrap.is_some_and(|own| bool::from(own.login.0.ct_eq(&TokenHash::of(token).0)))
    }

    /// Who presents this bearer token. One that was seen before is answered from memory.
    ///
    /// # Errors
    /// [`AuthError::TokenInvalid`], or [`AuthError::Store`] if one not seen before cannot be looked up.
    pub async fn bearer(&self, token: &str) -> Result<Arc<Principal>, AuthError> {
        let presented = TokenHash::of(token);
        if let Some(bootstrap) = &self.bootstrap
            && bool::from(bootstrap.login.0.ct_eq(&presented.0))
        {
            return Ok(bootstrap.clone());
        }
        let known = self.tokens.get(&presented).map(|held| held.value().clone());
        let held = match known.filter(|held| held.principal.is_live()) {
            Some(held) => held,
            None => self.admit_token(presented).await?.ok_or(AuthError::TokenInvalid)?,
        };
        let now = clock::now();
        if held.is_due(now)
            && let Err(error) = self.store.note_api_token_used(held.id, now).await
        {
            warn!(%error, "it could not be written down that a token was used");
        }
        Ok(held.principal.clone())
    }

    /// A stored token, put into memory; the same order as [`Auth::admit`] keeps with logins.
    async fn admit_token(&self, hash: TokenHash) -> Result<Option<Arc<Held>>, AuthError> {
        let Some(token) = self.store.api_token(&hash).await? else { return Ok(None) };
        let user = match token.user {
            Some(id) => match self.store.user(id).await? {
                Some(user) if !user.disabled => Some(user),
                Some(_) | None => return Ok(None),
            },
            None => None,
        };
        let fresh = Held {
            id: token.id,
            principal: Arc::new(principal(&token, user.as_ref())),
            noted_at: StdMutex::new(token.last_used_at),
        };
        if !fresh.principal.is_live() {
            return Ok(None);
        }
        let held = self.tokens.entry(hash).or_insert_with(|| Arc::new(fresh)).value().clone();
        let still = self.store.api_token(&hash).await;
        if !matches!(still, Ok(Some(_))) {
            self.end_tokens(|held| held.id == token.id);
            held.principal.revocation.revoke(CloseReason::LoginEnded);
            still?;
            return Ok(None);
        }
        Ok(held.principal.is_live().then_some(held))
    }

    /// Makes a token for `by`; returns its text, which nobody can read again, and what is stored.
    ///
    /// # Errors
    /// [`AuthError::TokenDenied`] if `by` may not make such a token; [`AuthError::NameInvalid`],
    /// [`AuthError::UserUnknown`], [`AuthError::TooManyTokens`], [`AuthError::Store`].
    pub async fn make_token(
        &self,
        by: &Principal,
        actor: &Actor,
        new: NewApiToken,
    ) -> Result<(Secret<String>, ApiToken), AuthError> {
        if let Err(Denied) = policy::make_token(by, new.scopes, new.user) {
            let event = AuditEvent::TokenRefused { scopes: new.scopes.to_string() };
            self.audit.record(Record::new(actor.clone(), event)).await;
            return Err(AuthError::TokenDenied);
        }
        self.add_token(actor, new).await
    }

    /// The same for an operator, who may make any.
    ///
    /// # Errors
    /// As for [`Auth::make_token`].
    pub async fn add_token(
        &self,
        actor: &Actor,
        new: NewApiToken,
    ) -> Result<(Secret<String>, ApiToken), AuthError> {
        let name = user_name(&new.name)?;
        let user = match new.user {
            Some(id) => {
                Some(self.store.user(id).await?.filter(|user| !user.disabled).ok_or(AuthError::UserUnknown)?)
            }
            None => None,
        };
        let stored = self.store.api_tokens().await?;
        if new.user.is_some() && stored.iter().filter(|token| token.user == new.user).count() >= MOST_OF_ONE {
            return Err(AuthError::TooManyTokens { limit: MOST_OF_ONE });
        }
        let text = Secret::new(format!("{PREFIX}{}", random_token().expose()));
        let token = ApiToken {
            id: TokenId::random(),
            hash: TokenHash::of(text.expose()),
            name,
            scopes: new.scopes,
            user: new.user,
            created_by: actor.name.clone(),
            created_at: clock::now(),
            expires_at: new.expires_at,
            last_used_at: None,
        };
        self.store.insert_api_token(&token).await.map_err(|error| match error {
            StoreError::Stale => AuthError::UserUnknown,
            error => error.into(),
        })?;
        let event = AuditEvent::TokenCreated {
            scopes: token.scopes.to_string(),
            user: user.map(|user| user.name),
            expires_at: token.expires_at,
        };
        self.audit.record(Record::new(actor.clone(), event).about(&token.name)).await;
        Ok((text, token))
    }

    /// Revokes a token: it is refused from now on, and what hangs on it ends.
    ///
    /// # Errors
    /// [`AuthError::Store`]: the token is then still valid.
    pub async fn revoke_token(&self, actor: &Actor, id: TokenId) -> Result<Option<ApiToken>, AuthError> {
        let removed = self.store.remove_api_token(id).await?;
        self.end_tokens(|held| held.id == id);
        if let Some(token) = &removed {
            let record = Record::new(actor.clone(), AuditEvent::TokenRevoked);
            self.audit.record(record.about(&token.name)).await;
        }
        Ok(removed)
    }

    /// Revokes the tokens that are bound to a user, who was disabled or removed.
    pub(super) async fn revoke_tokens_of(&self, actor: &Actor, user: UserId) -> Result<(), AuthError> {
        let removed = self.store.remove_api_tokens_of(user).await;
        self.end_tokens(|held| held.principal.user == user);
        for token in removed? {
            let record = Record::new(actor.clone(), AuditEvent::TokenRevoked);
            self.audit.record(record.about(&token.name)).await;
        }
        Ok(())
    }

    /// Forgets in this process what tokens of a user were seen: who they are may have changed.
    pub(super) fn forget_tokens_of(&self, user: UserId) {
        self.end_tokens(|held| held.principal.user == user);
    }

    /// Ends what has lapsed.
    pub(super) fn purge_tokens(&self, now: Timestamp) {
        self.end_tokens(|held| held.principal.expires_at <= now);
    }

    /// Ends in this process what another has revoked in the store.
    pub(super) async fn resync_tokens(&self) -> Result<(), AuthError> {
        if self.tokens.is_empty() {
            return Ok(());
        }
        let stored = self.store.api_tokens().await?;
        self.end_tokens(|held| !stored.iter().any(|token| token.id == held.id));
        Ok(())
    }

    fn end_tokens(&self, is_over: impl Fn(&Held) -> bool) {
        self.tokens.retain(|_, held| {
            let over = is_over(held);
            if over {
                held.principal.revocation.revoke(CloseReason::LoginEnded);
            }
            !over
        });
    }
}

/// Who holds a token of the store.
fn principal(token: &ApiToken, user: Option<&User>) -> Principal {
    // Being bound gives nothing that its user does not have.
    let most = match user.map(|user| user.role) {
        Some(Role::User) => Scopes::of_user(),
        Some(Role::Admin) | None => Scopes::all(),
    };
    let scopes = token.scopes.within(most);
    let administers = scopes.allow(crate::store::Scope::Admin);
    Principal {
        user: user.map_or(UserId(Uuid::nil()), |user| user.id),
        name: user.map_or_else(|| format!("{}{}", Actor::OF_TOKENS, token.name), |user| user.name.clone()),
        role: if administers { Role::Admin } else { Role::User },
        login: token.hash,
        csrf: random_token(),
        must_change: false,
        preferences: user.map_or_else(Preferences::default, |user| user.preferences),
        session: None,
        expires_at: token.expires_at.unwrap_or(Timestamp::MAX),
        revocation: Revocation::new(),
        scopes,
        reach: if user.is_none() || administers { Reach::Everybody } else { Reach::Own },
        token: true,
    }
}

/// What the holder of the bootstrap token is: an administrator without sessions of their own.
pub(super) fn bootstrap(token: &Secret<String>) -> Arc<Principal> {
    Arc::new(Principal {
        user: UserId(Uuid::nil()),
        name: Actor::TOKEN.to_owned(),
        role: Role::Admin,
        login: TokenHash::of(token.expose()),
        csrf: random_token(),
        must_change: false,
        preferences: Preferences::default(),
        session: None,
        expires_at: Timestamp::MAX,
        revocation: Revocation::new(),
        scopes: Scopes::all(),
        reach: Reach::Everybody,
        token: true,
    })
}
