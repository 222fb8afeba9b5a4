//! One-time tickets: how a login of the portal becomes a login on a session's own host.
//!
//! A `__Host-` cookie is valid on one host only. The portal mints a ticket and redirects to the
//! session's host, which redeems it for a cookie of its own: a child of the portal's login that
//! opens this one session and ends with its parent.

use std::time::Duration;

use super::{Auth, AuthError, NewLogin, Principal};
use crate::clock;
use crate::secret::{Secret, TokenHash, random_token};
use crate::session::SessionId;
use crate::store::{Login, StoreError, Ticket};

/// A redirect takes a second; the rest is for slow lines.
const TICKET_TTL: Duration = Duration::from_secs(30);

impl Auth {
    /// Mints a ticket that opens `session` for this login, once and within 30 s. The caller has
    /// asked [`super::policy`] whether they may open it.
    ///
    /// # Errors
    /// [`AuthError::LoginRequired`] if the login has ended or is a session host's own (a
    /// container's page must not get tickets), [`AuthError::Store`].
    pub async fn mint(&self, principal: &Principal, session: SessionId) -> Result<Secret<String>, AuthError> {
        if principal.session.is_some() || !principal.is_live() {
            return Err(AuthError::LoginRequired);
        }
        self.ticket_of(principal, session).await
    }

    /// A ticket that hangs on this login.
    pub(super) async fn ticket_of(
        &self,
        principal: &Principal,
        session: SessionId,
    ) -> Result<Secret<String>, AuthError> {
        let token = random_token();
        let ticket = Ticket {
            token: TokenHash::of(token.expose()),
            login: principal.login,
            session,
            expires_at: clock::later(clock::now(), TICKET_TTL),
        };
        self.store.insert_ticket(&ticket).await.map_err(|error| match error {
            StoreError::Stale => AuthError::LoginRequired,
            error => error.into(),
        })?;
        Ok(token)
    }

    /// Redeems a ticket on the host of `session`. It is used up even if it is refused.
    ///
    /// # Errors
    /// [`AuthError::TicketInvalid`] if it is unknown, used, lapsed or for another session, or its
    /// login has ended; [`AuthError::Store`].
    pub async fn redeem(&self, token: &str, session: SessionId) -> Result<NewLogin, AuthError> {
        let ticket = self.store.take_ticket(&TokenHash::of(token)).await?.ok_or(AuthError::TicketInvalid)?;
        if ticket.session != session || ticket.expires_at <= clock::now() {
            return Err(AuthError::TicketInvalid);
        }
        let parent = self.store.login(&ticket.login).await?.ok_or(AuthError::TicketInvalid)?;
        let token = random_token();
        let login = Login {
            token: TokenHash::of(token.expose()),
            parent: Some(parent.token),
            session: Some(session),
            csrf: random_token(),
            created_at: clock::now(),
            ..parent
        };
        self.store.insert_login(&login).await.map_err(|error| match error {
            StoreError::Stale => AuthError::TicketInvalid,
            error => error.into(),
        })?;
        let principal = self.admit(login.token).await?.ok_or(AuthError::TicketInvalid)?;
        Ok(NewLogin { token, principal })
    }
}
