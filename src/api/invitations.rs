//! `/api/v1/sessions/<label>/invitations`: links by which others are let into a session. Its owner
//! and administrators read and change them.

use std::time::Duration;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use http::{Response, StatusCode};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::flaw::Flaw;
use super::gate::{Caller, Query, document};
use super::page::{Page, Paging};
use super::{Failure, Site, json};
use crate::auth::policy::Verb;
use crate::body::Body;
use crate::broker::{Invite, LONGEST_INVITATION};
use crate::session::{GrantRole, Invitation, InvitationId};
use crate::store::{Guest, Invited};

/// The most people that a link with a limit lets in.
const MOST_GUESTS: u32 = 100;

/// What a link is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewInvitation {
    /// What those who come by it may do.
    role: GrantRole,
    /// For how many seconds it works; 30 days at most.
    #[schema(minimum = 1, maximum = 2_592_000)]
    lasts_s: u64,
    /// How many people may come by it; absent for any number.
    #[schema(minimum = 1, maximum = 100)]
    most: Option<u32>,
}

/// A link by which others are let into a session.
#[derive(Serialize, ToSchema)]
#[schema(as = Invitation)]
pub(super) struct InvitationDocument {
    /// Opaque identity; it opens nothing.
    #[schema(value_type = String, format = "uuid")]
    id: InvitationId,
    /// What those who come by it may do: `helper` uses the session, `observer` watches.
    role: GrantRole,
    /// How many people may come by it; `null` is any number.
    #[schema(required = true)]
    most: Option<u32>,
    /// Who made it.
    made_by: String,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it lapses, and every grant that came of it.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// Who came by it, oldest first.
    guests: Vec<GuestDocument>,
    /// The link itself; only in the answer to its making, because nothing but its hash is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

/// Somebody who came by an invitation.
#[derive(Serialize, ToSchema)]
#[schema(as = Guest)]
pub(super) struct GuestDocument {
    /// Who.
    user: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    came_at: Timestamp,
}

impl From<Guest> for GuestDocument {
    fn from(guest: Guest) -> Self {
        Self { user: guest.name, came_at: guest.came_at }
    }
}

fn shown(invitation: Invitation, guests: Vec<Guest>, url: Option<String>) -> InvitationDocument {
    InvitationDocument {
        id: invitation.id,
        role: invitation.role,
        most: invitation.most,
        made_by: invitation.made_by,
        created_at: invitation.created_at,
        expires_at: invitation.expires_at,
        guests: guests.into_iter().map(GuestDocument::from).collect(),
        url,
    }
}

/// Those in force, oldest first.
#[utoipa::path(
    get, path = "/api/v1/sessions/{label}/invitations", tag = "grants", operation_id = "list_invitations",
    params(("label" = String, Path, description = "The session's label"), Paging),
    responses((status = 200, description = "A page of them", body = Page<InvitationDocument>)),
)]
pub(super) async fn list(
    State(site): State<Site>,
    caller: Caller,
    Path(label): Path<String>,
    Query(paging): Query<Paging>,
) -> Result<Response<Body>, Failure> {
    let entry = site.entry(&caller.known, caller.address, Verb::Share, &label).await?;
    let invited = site.broker().invitations(&entry).await?;
    let place = |invited: &Invited| -> (Timestamp, InvitationId) {
        (invited.invitation.created_at, invited.invitation.id)
    };
    let page = paging.of(invited, place)?;
    Ok(json::read(&page.map(|Invited { invitation, guests }| shown(invitation, guests, None))))
}

/// Makes a link.
#[utoipa::path(
    post, path = "/api/v1/sessions/{label}/invitations", tag = "grants", operation_id = "create_invitation",
    params(("label" = String, Path, description = "The session's label")),
    request_body = NewInvitation,
    responses((
        status = 201, description = "With the link, this once", body = InvitationDocument,
        headers(("Location" = String, description = "Where it is taken back")),
    )),
)]
pub(super) async fn make(
    State(site): State<Site>,
    caller: Caller,
    Path(label): Path<String>,
    sent: Result<Json<NewInvitation>, JsonRejection>,
) -> Result<Response<Body>, Failure> {
    let entry = site.entry(&caller.known, caller.address, Verb::Share, &label).await?;
    let NewInvitation { role, lasts_s, most } = document(sent)?;
    let longest = LONGEST_INVITATION.as_secs();
    if !(1..=longest).contains(&lasts_s) {
        return Err(Flaw::new("lasts_s", format!("expected a number from 1 to {longest}")).into());
    }
    if most.is_some_and(|most| !(1..=MOST_GUESTS).contains(&most)) {
        return Err(Flaw::new("most", format!("expected a number from 1 to {MOST_GUESTS}")).into());
    }
    let invite = Invite { id: InvitationId::random(), role, lasts: Duration::from_secs(lasts_s), most };
    let made = site.broker().invite(&entry, invite, caller.by()).await?;
    let at = format!("/api/v1/sessions/{label}/invitations/{}", made.invitation.id);
    let url = format!("{}/join?token={}", site.0.origin, made.token.expose());
    let again = shown(made.invitation.clone(), Vec::new(), None);
    let made = shown(made.invitation, Vec::new(), Some(url));
    Ok(json::told_once(json::located(StatusCode::CREATED, &at, &made), &again))
}

/// Takes a link back, and ends every grant that came of it; also fine if it has ended already.
#[utoipa::path(
    delete, path = "/api/v1/sessions/{label}/invitations/{id}", tag = "grants", operation_id = "withdraw_invitation",
    params(
        ("label" = String, Path, description = "The session's label"),
        ("id" = String, Path, format = "uuid", description = "The invitation's id"),
    ),
    responses((status = 204, description = "It opens nothing any more")),
)]
pub(super) async fn withdraw(
    State(site): State<Site>,
    caller: Caller,
    Path((label, id)): Path<(String, String)>,
) -> Result<Response<Body>, Failure> {
    let entry = site.entry(&caller.known, caller.address, Verb::Share, &label).await?;
    let id = id.parse().map_err(|_| Failure::not_found())?;
    site.broker().withdraw_invitation(&entry, id, caller.by()).await?;
    Ok(json::nothing())
}
