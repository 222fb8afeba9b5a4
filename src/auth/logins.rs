//! A user's logins: looked at, and ended one by one.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use super::{Auth, AuthError, Principal};
use crate::audit::{Actor, AuditEvent, Record};
use crate::clock;
use crate::revocation::CloseReason;
use crate::secret::TokenHash;
use crate::session::UserId;
use crate::store::{Login, User};

/// The name of a login on pages and in the API: it tells nothing of its cookie, nor of what is
/// stored in the cookie's place.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LoginId([u8; 8]);

/// A text that names no login.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a login's id has 16 hexadecimal digits")]
pub struct LoginIdError;

impl LoginId {
    /// The name of this login.
    #[must_use]
    pub fn of(login: &TokenHash) -> Self {
        let hex: String = login.0.iter().map(|byte| format!("{byte:02x}")).collect();
        let hash = TokenHash::of(&hex).0;
        let mut id = [0; 8];
        id.copy_from_slice(&hash[..8]);
        Self(id)
    }
}

impl fmt::Display for LoginId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for LoginId {
    type Err = LoginIdError;

    fn from_str(text: &str) -> Result<Self, LoginIdError> {
        if text.len() != 16 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(LoginIdError);
        }
        u64::from_str_radix(text, 16).map(|number| Self(number.to_be_bytes())).map_err(|_| LoginIdError)
    }
}

impl Auth {
    /// The logins of a user that are in force, newest first; those of session hosts belong to them.
    ///
    /// # Errors
    /// [`AuthError::Store`].
    pub async fn logins_of(&self, user: UserId) -> Result<Vec<Login>, AuthError> {
        let now = clock::now();
        let logins = self.store.logins_of(user).await?;
        Ok(logins.into_iter().filter(|login| login.expires_at > now).collect())
    }

    /// Ends one login of a user, and those of session hosts that came from it; their sockets close.
    /// One that has ended already is fine.
    ///
    /// # Errors
    /// [`AuthError::Store`]: it is then still valid.
    pub async fn end_login(&self, actor: &Actor, user: &User, id: LoginId) -> Result<(), AuthError> {
        let logins = self.store.logins_of(user.id).await?;
        match logins.iter().find(|login| LoginId::of(&login.token) == id) {
            Some(login) => self.end_stored(actor, &user.name, login).await,
            None => Ok(()),
        }
    }

    /// Ends all logins of a user; returns how many.
    ///
    /// # Errors
    /// [`AuthError::Store`]: some are then still valid; call again.
    pub async fn end_logins(&self, actor: &Actor, user: &User) -> Result<usize, AuthError> {
        self.end_all_but(actor, (user.id, &user.name), None).await
    }

    /// Ends all logins of somebody but the one they ask with; returns how many.
    ///
    /// # Errors
    /// [`AuthError::Store`]: some are then still valid; call again.
    pub async fn end_other_logins(&self, principal: &Principal, from: IpAddr) -> Result<usize, AuthError> {
        let actor = Actor::user(&principal.name, from);
        self.end_all_but(&actor, (principal.user, &principal.name), Some(&principal.login)).await
    }

    async fn end_all_but(
        &self,
        actor: &Actor,
        (user, name): (UserId, &str),
        kept: Option<&TokenHash>,
    ) -> Result<usize, AuthError> {
        let logins = self.store.logins_of(user).await?;
        let ended = logins.iter().filter(|login| Some(&login.token) != kept);
        let mut count = 0;
        for login in ended {
            self.end_stored(actor, name, login).await?;
            count += 1;
        }
        Ok(count)
    }

    async fn end_stored(&self, actor: &Actor, name: &str, login: &Login) -> Result<(), AuthError> {
        let ended = self.store.remove_login(&login.token).await?;
        for token in &ended {
            self.end(token, CloseReason::LoginEnded);
        }
        if !ended.is_empty() {
            let event = AuditEvent::LoginEnded { made_from: login.address.clone() };
            self.audit.record(Record::new(actor.clone(), event).about(name)).await;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_back_and_tells_nothing() {
        let login = TokenHash::of("a cookie");
        let id = LoginId::of(&login);
        assert_eq!(id.to_string().parse(), Ok(id));
        let stored: String = login.0.iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(!stored.contains(&id.to_string()));
        for wrong in ["", "+123456789abcdef", "0123456789abcdeg", "0123456789abcdef0"] {
            assert_eq!(wrong.parse::<LoginId>(), Err(LoginIdError), "{wrong}");
        }
    }
}
