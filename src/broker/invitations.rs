//! Invitations: links of which grants are made, from being made to being withdrawn or lapsing.
//!
//! They are rare and asked of the store each time; what came of one is a grant like any other, so
//! an open socket ends with it the moment it does.

use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tracing::info;

use super::{Broker, BrokerError, Entry};
use crate::audit::{Actor, AuditEvent, Reason, Record};
use crate::clock;
use crate::fault::{Answer, Fault};
use crate::language::Sentence;
use crate::secret::{Secret, TokenHash, random_token};
use crate::session::{Grant, GrantId, GrantRole, Invitation, InvitationId, UserId};
use crate::store::{Guest, Invited, StoreError, UniqueKey};

/// The most invitations to one session that are in force at once.
const MOST: usize = 20;

/// The longest that an invitation may be made for.
pub const LONGEST_INVITATION: Duration = Duration::from_hours(24 * 30);

/// What is to be offered to whoever has the link.
#[derive(Clone, Copy, Debug)]
pub struct Invite {
    /// Its identity, drawn by whoever asks: asked for twice, it is made once.
    pub id: InvitationId,
    /// What they may do.
    pub role: GrantRole,
    /// How long; [`LONGEST_INVITATION`] at most.
    pub lasts: Duration,
    /// How many people; `None` for any number.
    pub most: Option<u32>,
}

/// An invitation that was made, with the secret of its link, which nobody can read again.
#[derive(Debug)]
pub struct MadeInvitation {
    /// As stored.
    pub invitation: Invitation,
    /// What the link carries.
    pub token: Secret<String>,
}

/// What a link leads to.
#[derive(Clone, Debug)]
pub struct Offer {
    /// The session.
    pub entry: Arc<Entry>,
    /// The invitation.
    pub invitation: Invitation,
    guests: Vec<Guest>,
}

/// Why an invitation is not made or not taken up.
#[derive(Debug, Error)]
pub enum InvitationError {
    /// The broker's own refusals and failures.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// Nobody can come by it any more: withdrawn, lapsed, its session gone, or there never was one.
    #[error("there is no such invitation in force")]
    Gone,
    /// The user may open the session already.
    #[error("the user has a grant for this session already")]
    Granted,
    /// An invitation of this id was made before.
    #[error("this invitation was made already")]
    Made,
    /// Only desktops can be shared.
    #[error("only rfb sessions can be shared")]
    NotDesktop,
    /// The user owns the session.
    #[error("the user owns this session")]
    Own,
    /// The user came by it before, and their grant was withdrawn since.
    #[error("the user came by this invitation before")]
    Returned,
    /// As many people as may have come by it.
    #[error("the invitation has no place left")]
    Spent,
    /// The session has as many invitations or grants as it may.
    #[error("the session has as many invitations or grants as it may")]
    TooMany,
}

impl Answer for InvitationError {
    fn fault(&self) -> Fault {
        match self {
            Self::Broker(error) => error.fault(),
            Self::Gone
            | Self::Granted
            | Self::Made
            | Self::NotDesktop
            | Self::Own
            | Self::Returned
            | Self::Spent
            | Self::TooMany => Fault::Downstream,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Broker(error) => error.code(),
            Self::Gone => "invitation_gone",
            Self::Granted => "grant_exists",
            Self::Made => "invitation_made",
            Self::NotDesktop => "not_shareable",
            Self::Own => "grant_own",
            Self::Returned => "invitation_returned",
            Self::Spent => "invitation_spent",
            Self::TooMany => "too_many_invitations",
        }
    }

    fn sentence(&self) -> Sentence {
        Sentence::of(match self {
            Self::Broker(error) => return error.sentence(),
            Self::Gone => "problem-invitation-gone",
            Self::Granted => "join-granted",
            Self::Made => "problem-invitation-made",
            Self::NotDesktop => "problem-not-shareable",
            Self::Own => "join-own",
            Self::Returned => "problem-invitation-returned",
            Self::Spent => "problem-invitation-spent",
            Self::TooMany => "problem-too-many-invitations",
        })
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Broker(error) => error.retry_after(),
            Self::Gone
            | Self::Granted
            | Self::Made
            | Self::NotDesktop
            | Self::Own
            | Self::Returned
            | Self::Spent
            | Self::TooMany => None,
        }
    }
}

impl From<StoreError> for InvitationError {
    fn from(error: StoreError) -> Self {
        Self::Broker(error.into())
    }
}

impl Offer {
    /// Whether `user` could take it up now.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, user: UserId) -> Result<(), InvitationError> {
        if user == self.entry.owner {
            return Err(InvitationError::Own);
        }
        if self.entry.grant_of(user).is_some() {
            return Err(InvitationError::Granted);
        }
        if self.guests.iter().any(|guest| guest.user == user) {
            return Err(InvitationError::Returned);
        }
        if self.invitation.is_spent(self.guests.len()) {
            return Err(InvitationError::Spent);
        }
        Ok(())
    }
}

impl Broker {
    /// Makes a link that lets others into a session. Whether `by` may do that has been asked.
    ///
    /// **Cancel safety**: it runs to its end when the caller goes away.
    ///
    /// # Errors
    /// [`InvitationError`]; nothing has changed then.
    pub async fn invite(
        &self,
        entry: &Arc<Entry>,
        invite: Invite,
        by: Actor,
    ) -> Result<MadeInvitation, InvitationError> {
        let (broker, entry) = (self.clone(), entry.clone());
        self.whole(async move {
            let invited = broker.invite_now(&entry, invite, by.clone()).await;
            if let Err(error) = &invited {
                let event = AuditEvent::InvitationNotCreated { reason: Reason::of(error) };
                broker.record(&entry, event, by).await;
            }
            Ok(invited)
        })
        .await?
    }

    async fn invite_now(
        &self,
        entry: &Arc<Entry>,
        invite: Invite,
        by: Actor,
    ) -> Result<MadeInvitation, InvitationError> {
        let _one_at_a_time = entry.sharing.lock().await;
        if !entry.is_shareable() {
            return Err(InvitationError::NotDesktop);
        }
        let created_at = clock::now();
        // Those that lapsed take no place. (Their grants have lapsed with them.)
        self.0.store.purge_invitations(created_at).await?;
        if self.0.store.invitations_of(entry.id).await?.len() >= MOST {
            return Err(InvitationError::TooMany);
        }
        let Invite { id, role, lasts, most } = invite;
        let invitation = Invitation {
            id,
            session: entry.id,
            role,
            most,
            made_by: by.name.clone(),
            created_at,
            expires_at: clock::later(created_at, lasts.min(LONGEST_INVITATION)),
        };
        let token = random_token();
        let inserted = self.0.store.insert_invitation(&invitation, &TokenHash::of(token.expose())).await;
        inserted.map_err(|error| match error {
            StoreError::Conflict(UniqueKey::Invitation) => InvitationError::Made,
            // The session went away meanwhile.
            StoreError::Stale => BrokerError::NotFound.into(),
            error => error.into(),
        })?;
        info!(session = %entry.id, role = role.name(), by = by.name, "invitation.created");
        let event = AuditEvent::InvitationCreated { role, most, expires_at: invitation.expires_at };
        self.0.audit.record(Record::new(by, event).about(entry.label.as_str())).await;
        Ok(MadeInvitation { invitation, token })
    }

    /// The invitations to a session that are in force, oldest first, each with who came by it.
    ///
    /// # Errors
    /// [`BrokerError::Store`].
    pub async fn invitations(&self, entry: &Entry) -> Result<Vec<Invited>, BrokerError> {
        let mut invited = self.0.store.invitations_of(entry.id).await?;
        let now = clock::now();
        invited.retain(|invited| !invited.invitation.has_lapsed(now));
        Ok(invited)
    }

    /// What the link with this token leads to.
    ///
    /// # Errors
    /// [`InvitationError::Gone`], or the store's failure.
    pub async fn offer(&self, token: &str) -> Result<Offer, InvitationError> {
        let found = self.0.store.invitation(&TokenHash::of(token)).await?;
        let Invited { invitation, guests } = found.ok_or(InvitationError::Gone)?;
        let entry = self.entry(invitation.session).ok_or(InvitationError::Gone)?;
        if invitation.has_lapsed(clock::now()) || !entry.is_shareable() {
            return Err(InvitationError::Gone);
        }
        Ok(Offer { entry, invitation, guests })
    }

    /// Takes up the invitation with this token for `user`, who is called `by.name`: gives them the
    /// grant it offers.
    ///
    /// **Cancel safety**: it runs to its end when the caller goes away.
    ///
    /// # Errors
    /// [`InvitationError`]; nothing has changed then.
    pub async fn accept(&self, token: &str, user: UserId, by: Actor) -> Result<Arc<Entry>, InvitationError> {
        let (broker, token) = (self.clone(), token.to_owned());
        self.whole(async move { Ok(broker.accept_now(&token, user, by).await) }).await?
    }

    async fn accept_now(&self, token: &str, user: UserId, by: Actor) -> Result<Arc<Entry>, InvitationError> {
        let entry = self.offer(token).await?.entry;
        let _one_at_a_time = entry.sharing.lock().await;
        self.lapse_grants().await;
        // As it is now that nobody else changes it.
        let offer = self.offer(token).await?;
        offer.check(user)?;
        if entry.grants().len() >= super::grants::MOST {
            return Err(InvitationError::TooMany);
        }
        let Invitation { id, role, expires_at, made_by, .. } = offer.invitation;
        let grant = Grant {
            id: GrantId::random(),
            session: entry.id,
            grantee: user,
            grantee_name: by.name.clone(),
            role,
            granted_by: made_by,
            invitation: Some(id),
            created_at: clock::now(),
            expires_at: Some(expires_at),
        };
        self.0.store.accept_invitation(&grant).await.map_err(|error| match error {
            StoreError::Conflict(UniqueKey::Grant) => InvitationError::Granted,
            StoreError::Conflict(UniqueKey::Guest) => InvitationError::Returned,
            StoreError::Stale => InvitationError::Gone,
            error => error.into(),
        })?;
        let grantee = by.name.clone();
        info!(session = %entry.id, grantee, role = role.name(), "invitation.used");
        entry.put_grant(grant);
        self.0.grants_changed.notify_one();
        entry.herald.changed(&entry);
        for event in [
            AuditEvent::InvitationUsed { role },
            AuditEvent::GrantCreated { grantee, role, expires_at: Some(expires_at) },
        ] {
            self.0.audit.record(Record::new(by.clone(), event).about(entry.label.as_str())).await;
        }
        Ok(offer.entry)
    }

    /// Takes an invitation back, and every grant that came of it; their sockets close with
    /// [`CloseReason::Withdrawn`](crate::revocation::CloseReason::Withdrawn). One that has ended
    /// already is success. Whether `by` may do that has been asked.
    ///
    /// **Cancel safety**: it runs to its end when the caller goes away.
    ///
    /// # Errors
    /// [`BrokerError::Store`]; everything is in force then.
    pub async fn withdraw_invitation(
        &self,
        entry: &Arc<Entry>,
        id: InvitationId,
        by: Actor,
    ) -> Result<(), BrokerError> {
        let (broker, entry) = (self.clone(), entry.clone());
        self.whole(async move { broker.withdraw_invitation_now(&entry, id, by).await }).await
    }

    async fn withdraw_invitation_now(
        &self,
        entry: &Arc<Entry>,
        id: InvitationId,
        by: Actor,
    ) -> Result<(), BrokerError> {
        let _one_at_a_time = entry.sharing.lock().await;
        let of_this = self.0.store.invitations_of(entry.id).await?;
        // One of another session is nobody's here.
        let Some(invited) = of_this.into_iter().find(|invited| invited.invitation.id == id) else {
            return Ok(());
        };
        // Stored first: a right that comes back after a restart was not withdrawn.
        self.0.store.remove_invitation(id).await?;
        info!(session = %entry.id, by = by.name, "invitation.withdrawn");
        let event = AuditEvent::InvitationWithdrawn { role: invited.invitation.role };
        self.0.audit.record(Record::new(by.clone(), event).about(entry.label.as_str())).await;
        self.end_grants(entry, |grant| grant.invitation == Some(id), &by).await;
        Ok(())
    }
}
