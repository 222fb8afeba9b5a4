//! Who else may open a session, for the command line: by a grant, or by a link that gives one.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::perform::{refused, with_user};
use super::{GrantRow, Performer, Reply, sessions};
use crate::audit::Actor;
use crate::broker::{Broker, Entry, Invite, Share};
use crate::session::{GrantRole, InvitationId};
use crate::store::Invited;

/// What the command line may ask about sharing a session.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "sharing", rename_all = "snake_case", deny_unknown_fields)]
#[allow(missing_docs)]
pub enum SharingRequest {
    Grant { label: String, user: String, role: GrantRole, lasts_s: Option<u64> },
    Grants { label: String },
    Invitations { label: String },
    Invite { label: String, role: GrantRole, lasts_s: u64, most: Option<u32> },
    Withdraw { label: String, user: String },
    WithdrawInvitation { label: String, id: InvitationId },
}

impl SharingRequest {
    /// The request's name, for the log: never its content.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Grant { .. } => "grant_create",
            Self::Grants { .. } => "grant_list",
            Self::Invitations { .. } => "invitation_list",
            Self::Invite { .. } => "invitation_create",
            Self::Withdraw { .. } => "grant_withdraw",
            Self::WithdrawInvitation { .. } => "invitation_withdraw",
        }
    }

    fn label(&self) -> &str {
        match self {
            Self::Grant { label, .. }
            | Self::Grants { label }
            | Self::Invitations { label }
            | Self::Invite { label, .. }
            | Self::Withdraw { label, .. }
            | Self::WithdrawInvitation { label, .. } => label,
        }
    }
}

/// A link that lets others into a session, as the command line shows it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct InvitationRow {
    pub id: InvitationId,
    pub role: String,
    /// How many people may come by it; `None` is any number.
    pub most: Option<u32>,
    pub made_by: String,
    pub created_at: String,
    pub expires_at: String,
    pub guests: Vec<GuestRow>,
}

/// Somebody who came by a link.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct GuestRow {
    pub user: String,
    pub came_at: String,
}

impl From<Invited> for InvitationRow {
    fn from(Invited { invitation, guests }: Invited) -> Self {
        let guest =
            |guest: crate::store::Guest| GuestRow { user: guest.name, came_at: guest.came_at.to_string() };
        Self {
            id: invitation.id,
            role: invitation.role.name().to_owned(),
            most: invitation.most,
            made_by: invitation.made_by,
            created_at: invitation.created_at.to_string(),
            expires_at: invitation.expires_at.to_string(),
            guests: guests.into_iter().map(guest).collect(),
        }
    }
}

/// Does what is asked and says how it went.
pub(super) async fn perform(performer: &Performer, request: SharingRequest) -> Reply {
    let (broker, entry) = match sessions::found(performer, request.label()).await {
        Ok(found) => found,
        Err(refusal) => return refusal,
    };
    let done = match request {
        SharingRequest::Grant { user, role, lasts_s, .. } => {
            let wish = (user.as_str(), role, lasts_s.map(Duration::from_secs));
            grant(performer, (broker, &entry), wish).await
        }
        SharingRequest::Grants { .. } => {
            return Reply::Grants {
                grants: entry.grants().iter().map(|live| GrantRow::from(&live.grant)).collect(),
            };
        }
        SharingRequest::Withdraw { user, .. } => withdraw(broker, &entry, &user).await,
        SharingRequest::Invite { role, lasts_s, most, .. } => {
            let lasts = Duration::from_secs(lasts_s);
            return invite(broker, &entry, Invite { id: InvitationId::random(), role, lasts, most }).await;
        }
        SharingRequest::Invitations { .. } => return invitations(broker, &entry).await,
        SharingRequest::WithdrawInvitation { id, .. } => withdraw_invitation(broker, &entry, id).await,
    };
    done.map_or_else(|refusal| refusal, |text| Reply::Done { text })
}

async fn grant(
    performer: &Performer,
    (broker, entry): (&Broker, &Arc<Entry>),
    (user, role, lasts): (&str, GrantRole, Option<Duration>),
) -> Result<String, Reply> {
    with_user(performer, user, async |with| {
        // Who cannot log in could not open it either.
        if with.disabled {
            let text = format!("user {} is disabled; `berth user enable {}` first", with.name, with.name);
            return Err(Reply::Refused { code: "user_disabled".to_owned(), text });
        }
        let name = with.name.clone();
        broker.share(entry, Share { with, role, lasts }, Actor::cli()).await.map_err(refused)?;
        Ok(format!("user {name} may open session {} as {}", entry.label, role.name()))
    })
    .await
}

async fn withdraw(broker: &Broker, entry: &Arc<Entry>, user: &str) -> Result<String, Reply> {
    let grants = entry.grants();
    let theirs = grants.iter().find(|live| live.grant.grantee_name.eq_ignore_ascii_case(user));
    let Some(live) = theirs else {
        let text = format!("user {user} has no grant for session {}", entry.label);
        return Err(Reply::Refused { code: "not_found".to_owned(), text });
    };
    broker.withdraw(entry, live.grant.id, Actor::cli()).await.map_err(refused)?;
    Ok(format!("user {} may no longer open session {}", live.grant.grantee_name, entry.label))
}

async fn invite(broker: &Broker, entry: &Arc<Entry>, invite: Invite) -> Reply {
    match broker.invite(entry, invite, Actor::cli()).await {
        Ok(made) => Reply::Invitation {
            invitation: Box::new(Invited { invitation: made.invitation, guests: Vec::new() }.into()),
            secret: made.token,
            url: None,
        },
        Err(error) => refused(error),
    }
}

async fn invitations(broker: &Broker, entry: &Entry) -> Reply {
    match broker.invitations(entry).await {
        Ok(invited) => {
            Reply::Invitations { invitations: invited.into_iter().map(InvitationRow::from).collect() }
        }
        Err(error) => refused(error),
    }
}

async fn withdraw_invitation(broker: &Broker, entry: &Arc<Entry>, id: InvitationId) -> Result<String, Reply> {
    let known = broker.invitations(entry).await.map_err(refused)?;
    if !known.iter().any(|invited| invited.invitation.id == id) {
        let text = format!("session {} has no invitation {id} in force", entry.label);
        return Err(Reply::Refused { code: "not_found".to_owned(), text });
    }
    broker.withdraw_invitation(entry, id, Actor::cli()).await.map_err(refused)?;
    Ok(format!("invitation {id} is withdrawn, and the right of everybody who came by it"))
}
