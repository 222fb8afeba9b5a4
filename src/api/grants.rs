//! `/api/v1/sessions/<label>/grants`: who else may open a session. Its owner and administrators
//! read and change it.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use http::{Response, StatusCode};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::failure::NoUser;
use super::flaw::lasting;
use super::gate::{Caller, Query, document};
use super::page::{Page, Paging};
use super::{Failure, Site, json};
use crate::auth::policy::Verb;
use crate::body::Body;
use crate::broker::{LiveGrant, Share};
use crate::session::{Grant, GrantId, GrantRole};

/// The right of one user to open somebody else's session.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Grant)]
pub(super) struct GrantDocument {
    /// Opaque identity.
    #[schema(value_type = String)]
    id: GrantId,
    /// Who has it.
    user: String,
    /// What they may do: `helper` uses the session, `observer` watches.
    role: GrantRole,
    /// Who gave it.
    granted_by: String,
    /// Since when it is in force.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it lapses; `null` is until it is withdrawn.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    expires_at: Option<Timestamp>,
}

impl From<&Grant> for GrantDocument {
    fn from(grant: &Grant) -> Self {
        Self {
            id: grant.id,
            user: grant.grantee_name.clone(),
            role: grant.role,
            granted_by: grant.granted_by.clone(),
            created_at: grant.created_at,
            expires_at: grant.expires_at,
        }
    }
}

/// Who is let in, and to do what.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewGrant {
    /// The name of the user who gets it.
    #[schema(max_length = 64)]
    user: String,
    /// What they may do.
    role: GrantRole,
    /// For how many seconds; absent until it is withdrawn.
    #[schema(minimum = 1, maximum = 3_153_600_000u64)]
    lasts_s: Option<u64>,
}

/// Those in force, oldest first.
#[utoipa::path(
    get, path = "/api/v1/sessions/{label}/grants", tag = "grants", operation_id = "list_grants",
    params(("label" = String, Path, description = "The session's label"), Paging),
    responses((status = 200, description = "A page of them", body = Page<GrantDocument>)),
)]
pub(super) async fn list(
    State(site): State<Site>,
    caller: Caller,
    Path(label): Path<String>,
    Query(paging): Query<Paging>,
) -> Result<Response<Body>, Failure> {
    let entry = site.entry(&caller.known, caller.address, Verb::Share, &label).await?;
    let place = |live: &Arc<LiveGrant>| -> (Timestamp, GrantId) { (live.grant.created_at, live.grant.id) };
    let page = paging.of(entry.grants().iter().cloned(), place)?;
    Ok(json::read(&page.map(|live| GrantDocument::from(&live.grant))))
}

/// Lets another user in.
#[utoipa::path(
    post, path = "/api/v1/sessions/{label}/grants", tag = "grants", operation_id = "create_grant",
    params(("label" = String, Path, description = "The session's label")),
    request_body = NewGrant,
    responses((
        status = 201, description = "They may", body = GrantDocument,
        headers(("Location" = String, description = "The grant's address, to withdraw it")),
    )),
)]
pub(super) async fn give(
    State(site): State<Site>,
    caller: Caller,
    Path(label): Path<String>,
    sent: Result<Json<NewGrant>, JsonRejection>,
) -> Result<Response<Body>, Failure> {
    let entry = site.entry(&caller.known, caller.address, Verb::Share, &label).await?;
    let new = document(sent)?;
    lasting(new.lasts_s)?;
    let found = site.0.store.user_by_name(new.user.trim()).await?;
    // Who cannot log in could not open it either.
    let with = found.filter(|user| !user.disabled).ok_or(NoUser { field: "user" })?;
    let share = Share { with, role: new.role, lasts: new.lasts_s.map(Duration::from_secs) };
    let live = site.broker().share(&entry, share, caller.by()).await?;
    let at = format!("/api/v1/sessions/{label}/grants/{}", live.grant.id);
    Ok(json::located(StatusCode::CREATED, &at, &GrantDocument::from(&live.grant)))
}

/// Takes a grant back; also fine if it has ended already.
#[utoipa::path(
    delete, path = "/api/v1/sessions/{label}/grants/{id}", tag = "grants", operation_id = "withdraw_grant",
    params(
        ("label" = String, Path, description = "The session's label"),
        ("id" = String, Path, format = "uuid", description = "The grant's id"),
    ),
    responses((status = 204, description = "They may no longer")),
)]
pub(super) async fn withdraw(
    State(site): State<Site>,
    caller: Caller,
    Path((label, id)): Path<(String, String)>,
) -> Result<Response<Body>, Failure> {
    let entry = site.entry(&caller.known, caller.address, Verb::Share, &label).await?;
    let id = id.parse().map_err(|_| Failure::not_found())?;
    site.broker().withdraw(&entry, id, caller.by()).await?;
    Ok(json::nothing())
}
