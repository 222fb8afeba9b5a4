//! Logging in and out, and who a cookie belongs to.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tracing::{info, warn};

use super::password::{self, Turn};
use super::{Auth, AuthError, NewLogin, Principal, Visitor};
use crate::audit::{Actor, AuditEvent, LoginRefusal, Record};
use crate::clock;
use crate::fault::Answer;
use crate::revocation::CloseReason;
use crate::secret::{Secret, TokenHash, random_token};
use crate::session::{SessionName, UserId};
use crate::store::{Login, StoreError, User};
use crate::telemetry::names;

/// How many values of our cookie are tried per request: a browser sends one or two, and who sends
/// more shall not make us ask the store for each.
const CANDIDATES: usize = 8;
const USER_AGENT_CHARS: usize = 256;

impl Auth {
    /// Logs somebody in by name and password, always under a new token.
    ///
    /// Unknown name, wrong password and disabled user get the same answer after the same work.
    /// An imported bcrypt hash is replaced by one of ours. **Cancel safety**: dropped half-way, at
    /// most a login remains that nobody has the token of.
    ///
    /// # Errors
    /// [`AuthError::CredentialsWrong`], [`AuthError::Throttled`] after too many failures, or
    /// [`AuthError::Store`].
    pub async fn log_in(
        &self,
        name: &str,
        password: &Secret<String>,
        from: &Visitor,
    ) -> Result<NewLogin, AuthError> {
        let floor = tokio::time::Instant::now() + self.settings.refusal_floor;
        let outcome = self.try_log_in(name.trim(), password, from).await;
        let told = outcome.as_ref().map_or_else(Answer::code, |_| "ok");
        metrics::counter!(names::LOGINS, "outcome" => told).increment(1);
        if matches!(outcome, Err(AuthError::CredentialsWrong)) {
            tokio::time::sleep_until(floor).await;
        }
        outcome
    }

    /// Who presents these tokens: the first one that is a live login wins. Browsers may send
    /// several values of one cookie, the first of them stale.
    ///
    /// A login seen before is answered from memory, without the store and without allocation.
    ///
    /// # Errors
    /// [`AuthError::Store`] if a token not seen before cannot be looked up.
    pub async fn authenticate(
        &self,
        tokens: impl Iterator<Item = &str> + Send,
    ) -> Result<Option<Arc<Principal>>, AuthError> {
        for token in tokens.take(CANDIDATES) {
            let token = TokenHash::of(token);
            let principal = match self.cached(&token) {
                Some(principal) => Some(principal),
                None => self.admit(token).await?,
            };
            if principal.is_some() {
                return Ok(principal);
            }
        }
        Ok(None)
    }

    /// Ends a login and those of session hosts that came from it; their sockets close.
    ///
    /// # Errors
    /// [`AuthError::Store`]: the login is then still valid, and so is what hangs on it.
    pub async fn log_out(&self, principal: &Principal, from: std::net::IpAddr) -> Result<(), AuthError> {
        let ended = self.store.remove_login(&principal.login).await?;
        for token in &ended {
            self.end(token, CloseReason::LoginEnded);
        }
        // It may hang on a principal that is no longer in memory.
        principal.revocation.revoke(CloseReason::LoginEnded);
        if !ended.is_empty() {
            let actor = Actor::user(&principal.name, from);
            self.audit.record(Record::new(actor, AuditEvent::Logout).about(&principal.name)).await;
        }
        Ok(())
    }

    /// Ends all logins of a user; their sockets close with this reason.
    ///
    /// # Errors
    /// [`AuthError::Store`]: some logins may still be valid; call again.
    pub async fn revoke_user(&self, user: UserId, reason: CloseReason) -> Result<(), AuthError> {
        let ended = self.store.remove_logins_of(user).await;
        // In memory even if the store failed: what is cut comes back only if the store says so.
        let theirs = |principal: &Principal| principal.user == user;
        self.end_where(theirs, reason);
        self.forget_tokens_of(user);
        ended?;
        Ok(())
    }

    /// Ends what has lapsed, in memory and in the store, and tells the sockets; call it about once a
    /// second. **Cancel safety**: may be dropped and called again.
    ///
    /// # Errors
    /// [`AuthError::Store`]; in this process everything lapsed has ended all the same.
    pub async fn purge(&self) -> Result<(), AuthError> {
        let now = clock::now();
        self.end_where(|principal| principal.expires_at <= now, CloseReason::LoginEnded);
        self.purge_tokens(now);
        self.throttle.forget_old();
        let purged = self.store.purge_lapsed(now).await?;
        self.store.purge_links(now).await?;
        if purged > 0 {
            info!(purged, "logins lapsed");
        }
        Ok(())
    }

    /// Ends in this process what another process (the command line) has ended in the store; call it
    /// every second or so where there is one.
    ///
    /// # Errors
    /// [`AuthError::Store`]; nothing more has ended then.
    pub async fn resync(&self) -> Result<(), AuthError> {
        self.resync_tokens().await?;
        let live: Vec<Arc<Principal>> = self.live.iter().map(|entry| entry.value().clone()).collect();
        if live.is_empty() {
            return Ok(());
        }
        let users = self.store.users().await?;
        let users: HashMap<UserId, User> =
            users.into_iter().filter(|user| !user.disabled).map(|user| (user.id, user)).collect();
        for principal in live {
            let user = users.get(&principal.user).filter(|user| user.role == principal.role);
            match user {
                Some(user) if self.store.login(&principal.login).await?.is_some() => self.renew(user),
                Some(_) | None => self.end(&principal.login, CloseReason::LoginEnded),
            }
        }
        Ok(())
    }

    /// Tells the live logins of a user what changed in their record without ending them.
    pub(super) fn renew(&self, user: &User) {
        for mut live in self.live.iter_mut().filter(|live| live.user == user.id) {
            if (live.preferences, live.must_change) != (user.preferences, user.must_change) {
                let principal = Principal::clone(&live);
                // The same revocation: sockets go on waiting for it.
                *live = Arc::new(Principal {
                    preferences: user.preferences,
                    must_change: user.must_change,
                    ..principal
                });
            }
        }
    }

    async fn try_log_in(
        &self,
        name: &str,
        password: &Secret<String>,
        from: &Visitor,
    ) -> Result<NewLogin, AuthError> {
        self.may_try(name, from).await?;
        // A name nobody can have is not looked for, but costs the same.
        let user = match name.parse::<SessionName>() {
            Ok(name) => self.store.user_by_name(name.as_str()).await?,
            Err(_) => None,
        };
        let turn = self.passwords.turn().await;
        // Asked again with the turn in hand: a thousand attempts may have waited for one together.
        self.may_try(name, from).await?;
        let stored = user.as_ref().map(|user| &user.password_hash);
        let (turn, right) = self.passwords.verify(turn, password, stored).await?;
        let reason = match user {
            Some(user) if right && !user.disabled => return self.enter(turn, user, password, from).await,
            Some(user) if user.disabled => LoginRefusal::Disabled,
            Some(_) => LoginRefusal::WrongPassword,
            None => LoginRefusal::UnknownUser,
        };
        // Before the turn is given back, or the next one would not see it.
        self.throttle.failed(name, from.address);
        drop(turn);
        self.refuse(name, from, reason).await;
        Err(AuthError::CredentialsWrong)
    }

    /// Whether somebody who is logged in knows the password of `user`. A wrong one counts as a
    /// failed login, or a login left open would be a place to guess at it.
    pub(super) async fn prove(
        &self,
        user: &User,
        password: &Secret<String>,
        from: &Visitor,
    ) -> Result<(), AuthError> {
        self.may_try(&user.name, from).await?;
        let turn = self.passwords.turn().await;
        self.may_try(&user.name, from).await?;
        let (turn, right) = self.passwords.verify(turn, password, Some(&user.password_hash)).await?;
        if right {
            return Ok(());
        }
        self.throttle.failed(&user.name, from.address);
        drop(turn);
        self.refuse(&user.name, from, LoginRefusal::WrongPassword).await;
        Err(AuthError::CredentialsWrong)
    }

    async fn enter(
        &self,
        turn: Turn,
        user: User,
        password: &Secret<String>,
        from: &Visitor,
    ) -> Result<NewLogin, AuthError> {
        let (turn, rehashed) = if password::needs_rehash(&user.password_hash) {
            let (turn, hash) = self.passwords.hash(turn, password).await?;
            (turn, Some(hash))
        } else {
            (turn, None)
        };
        drop(turn);
        let token = random_token();
        let login = self.new_login(&user, &token, from);
        self.store.insert_login(&login).await.map_err(unknown_if_stale)?;
        // After the insert: a password change ends the logins it finds, so either it finds this one
        // or this step finds another password.
        let noted =
            self.store.note_login(user.id, login.created_at, &user.password_hash, rehashed.as_ref()).await;
        if let Err(error) = noted {
            self.store.remove_login(&login.token).await?;
            return Err(unknown_if_stale(error));
        }
        let principal = self.admit(login.token).await?.ok_or(AuthError::CredentialsWrong)?;
        self.throttle.know(&user.name, from.address);
        let actor = Actor::user(&user.name, from.address);
        self.audit.record(Record::new(actor, AuditEvent::LoginOk).about(user.name)).await;
        Ok(NewLogin { token, principal })
    }

    /// The principal of a stored login, put into memory; `None` if there is no live login of this
    /// token.
    ///
    /// Between reading and putting, somebody may end the login. They remove it from the store first
    /// and from memory second, so a second look at the store after putting finds out.
    pub(super) async fn admit(&self, token: TokenHash) -> Result<Option<Arc<Principal>>, AuthError> {
        let Some(login) = self.store.login(&token).await? else { return Ok(None) };
        let Some(user) = self.store.user(login.user).await? else { return Ok(None) };
        let fresh = Principal::new(&login, &user);
        if user.disabled || !fresh.is_live() {
            return Ok(None);
        }
        // Who was faster stays: sockets may wait for that one's revocation already.
        let principal = self.live.entry(token).or_insert_with(|| Arc::new(fresh)).value().clone();
        let still = self.store.login(&token).await;
        if !matches!(still, Ok(Some(_))) {
            self.end(&token, CloseReason::LoginEnded);
            principal.revocation.revoke(CloseReason::LoginEnded);
            still?;
            return Ok(None);
        }
        if let Ok(address) = login.address.parse() {
            // After a restart, owners are known again where their logins are from.
            self.throttle.know(&principal.name, address);
        }
        Ok(principal.is_live().then_some(principal))
    }

    fn cached(&self, token: &TokenHash) -> Option<Arc<Principal>> {
        let principal = self.live.get(token)?.value().clone();
        if principal.is_live() {
            return Some(principal);
        }
        self.end(token, CloseReason::LoginEnded);
        None
    }

    fn end_where(&self, is_over: impl Fn(&Principal) -> bool, reason: CloseReason) {
        self.live.retain(|_, principal| {
            let over = is_over(principal);
            if over {
                principal.revocation.revoke(reason);
            }
            !over
        });
    }

    pub(super) fn new_login(&self, user: &User, token: &Secret<String>, from: &Visitor) -> Login {
        let now = clock::now();
        Login {
            token: TokenHash::of(token.expose()),
            user: user.id,
            parent: None,
            session: None,
            csrf: random_token(),
            created_at: now,
            expires_at: clock::later(now, self.settings.login_ttl),
            address: from.address.to_canonical().to_string(),
            user_agent: from.user_agent.chars().take(USER_AGENT_CHARS).collect(),
        }
    }

    async fn may_try(&self, name: &str, from: &Visitor) -> Result<(), AuthError> {
        let Err(refused) = self.throttle.check(name, from.address) else { return Ok(()) };
        if refused.first {
            warn!(address = %from.address, retry_after_s = refused.retry_after.as_secs(), "logins are throttled");
            self.refuse(name, from, LoginRefusal::Throttled).await;
        }
        Err(AuthError::Throttled { retry_after: refused.retry_after.max(Duration::from_secs(1)) })
    }

    async fn refuse(&self, name: &str, from: &Visitor, reason: LoginRefusal) {
        let record = Record::new(Actor::anonymous(from.address), AuditEvent::LoginRefused { reason });
        let record = match reason {
            LoginRefusal::Disabled | LoginRefusal::WrongPassword => record.about(name),
            // The name may be a password typed into the wrong field.
            LoginRefusal::Throttled | LoginRefusal::UnknownUser => record,
        };
        self.audit.record(record).await;
    }
}

/// The user went away, was disabled or got another password while logging in.
fn unknown_if_stale(error: StoreError) -> AuthError {
    match error {
        StoreError::Stale => AuthError::CredentialsWrong,
        error => error.into(),
    }
}
