//! Bearer tokens of programs (RFC 6750 §2.1).
//!
//! So far there is one: the bootstrap token that the operator gives the gateway in an environment
//! variable. It administers, and belongs to nobody.

use std::sync::Arc;

use jiff::Timestamp;
use subtle::ConstantTimeEq;
use uuid::Uuid;

use super::{Auth, AuthError, Principal};
use crate::audit::Actor;
use crate::revocation::Revocation;
use crate::secret::{Secret, TokenHash, random_token};
use crate::session::UserId;
use crate::store::{Preferences, Role};

/// The fewest characters of a bootstrap token: nobody throttles guesses at it.
pub const SHORTEST_TOKEN: usize = 32;

impl Auth {
    /// Who presents this bearer token.
    ///
    /// # Errors
    /// [`AuthError::TokenInvalid`].
    pub fn bearer(&self, token: &str) -> Result<Arc<Principal>, AuthError> {
        let presented = TokenHash::of(token);
        let bootstrap = self.bootstrap.as_ref().ok_or(AuthError::TokenInvalid)?;
        let same = bool::from(bootstrap.login.0.ct_eq(&presented.0));
        if same { Ok(bootstrap.clone()) } else { Err(AuthError::TokenInvalid) }
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
    })
}
