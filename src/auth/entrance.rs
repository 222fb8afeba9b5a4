//! Letting a browser into one session without a login of its own.
//!
//! What it gets is a login that is bound to the session, as on a session's own host: it opens that
//! and nothing else. On the portal it lies in a cookie named after the session's label, beside
//! whatever login the browser's reader has.

use std::time::Duration;

use super::{Auth, AuthError, NewLogin, Principal, Visitor};
use crate::audit::{Actor, AuditEvent, Record};
use crate::clock;
use crate::secret::{Secret, TokenHash, random_token};
use crate::session::{Session, SessionId};
use crate::store::{Login, StoreError, Ticket, User};

/// From the answer that names it to the browser that redeems it: a program starts one in between.
const TICKET_TTL: Duration = Duration::from_mins(2);

impl Auth {
    /// Lets the browser `from` there into `session` of `owner`, for as long as that `lasts`. Whether
    /// it may has been asked.
    ///
    /// # Errors
    /// [`AuthError::LoginRequired`] if the owner is gone or disabled, [`AuthError::Store`].
    pub async fn let_in(
        &self,
        owner: &User,
        session: &Session,
        lasts: Duration,
        from: &Visitor,
    ) -> Result<NewLogin, AuthError> {
        let token = random_token();
        let login = self.entrance(owner, session.id, lasts, &token, from);
        self.store.insert_login(&login).await.map_err(gone_if_stale)?;
        let principal = self.admit(login.token).await?.ok_or(AuthError::LoginRequired)?;
        let record = Record::new(Actor::anonymous(from.address), AuditEvent::EntryGiven);
        self.audit.record(record.about(session.label.as_str())).await;
        Ok(NewLogin { token, principal })
    }

    /// Mints a ticket with which one browser is let into `session`, once and within two minutes.
    /// Whether whoever gets it may have it has been asked.
    ///
    /// # Errors
    /// [`AuthError::LoginRequired`] if the owner is gone, [`AuthError::Store`].
    pub async fn mint_entrance(
        &self,
        owner: &User,
        session: SessionId,
        from: &Visitor,
    ) -> Result<Secret<String>, AuthError> {
        // A ticket hangs on a login. Nobody has this one's token, and it goes with the ticket.
        let anchor = self.entrance(owner, session, TICKET_TTL, &random_token(), from);
        self.store.insert_login(&anchor).await.map_err(gone_if_stale)?;
        let token = random_token();
        let ticket = Ticket {
            token: TokenHash::of(token.expose()),
            login: anchor.token,
            session,
            expires_at: anchor.expires_at,
        };
        self.store.insert_ticket(&ticket).await.map_err(gone_if_stale)?;
        Ok(token)
    }

    /// Redeems such a ticket on the portal. It is used up even if it is refused.
    ///
    /// # Errors
    /// [`AuthError::TicketInvalid`] if it is unknown, used, lapsed, for another session or of a
    /// person's login; [`AuthError::Store`].
    pub async fn redeem_entrance(
        &self,
        ticket: &str,
        session: &Session,
        lasts: Duration,
        from: &Visitor,
    ) -> Result<NewLogin, AuthError> {
        let ticket = self.store.take_ticket(&TokenHash::of(ticket)).await?.ok_or(AuthError::TicketInvalid)?;
        let anchor = self.store.login(&ticket.login).await?.ok_or(AuthError::TicketInvalid)?;
        // The login that a ticket like this hangs on is made with it and ends with it.
        let is_entrance = anchor.session == Some(session.id) && anchor.expires_at == ticket.expires_at;
        if !is_entrance || ticket.session != session.id || ticket.expires_at <= clock::now() {
            return Err(AuthError::TicketInvalid);
        }
        let owner = self.store.user(anchor.user).await?.ok_or(AuthError::TicketInvalid)?;
        self.store.remove_login(&anchor.token).await?;
        self.let_in(&owner, session, lasts, from).await
    }

    /// Mints a ticket to the session's own host for a browser that was let into it on the portal: the
    /// one that presents the cookie of its label there.
    ///
    /// # Errors
    /// [`AuthError::LoginRequired`] if the login has ended or is for another session,
    /// [`AuthError::Store`].
    pub async fn mint_onward(
        &self,
        principal: &Principal,
        session: SessionId,
    ) -> Result<Secret<String>, AuthError> {
        if principal.session != Some(session) || !principal.is_live() {
            return Err(AuthError::LoginRequired);
        }
        self.ticket_of(principal, session).await
    }

    fn entrance(
        &self,
        owner: &User,
        session: SessionId,
        lasts: Duration,
        token: &Secret<String>,
        from: &Visitor,
    ) -> Login {
        let login = self.new_login(owner, token, from);
        Login { session: Some(session), expires_at: clock::later(login.created_at, lasts), ..login }
    }
}

fn gone_if_stale(error: StoreError) -> AuthError {
    match error {
        StoreError::Stale => AuthError::LoginRequired,
        error => error.into(),
    }
}
