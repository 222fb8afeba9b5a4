//! `/api/v1/sessions/<label>/grants`: who else may open a session. Its owner and administrators
//! read and change it.

use std::time::Duration;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use http::{Response, StatusCode};
use serde::Deserialize;
use utoipa::ToSchema;

use super::failure::NoUser;
use super::gate::{Arrival, Known, document};
use super::json::Items;
use super::openapi::Problem;
use super::{Failure, Site, json};
use crate::audit::Actor;
use crate::auth::policy::Verb;
use crate::body::Body;
use crate::broker::Share;
use crate::respond;
use crate::session::GrantRole;

/// What is posted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewGrant {
    /// The name of the user who gets it.
    user: String,
    /// What they may do.
    #[schema(value_type = String, examples("observer", "helper"))]
    role: GrantRole,
    /// For how many seconds; absent until it is withdrawn.
    lasts_s: Option<u64>,
}

/// Those in force, oldest first.
#[utoipa::path(
    get, path = "/api/v1/sessions/{label}/grants", tag = "grants",
    params(("label" = String, Path, description = "The session's label")),
    responses((status = 200, body = Items<json::GrantDocument>), (status = "4XX", body = Problem)),
)]
pub(super) async fn list(
    State(site): State<Site>,
    arrival: Arrival,
    Known(known): Known,
    Path(label): Path<String>,
) -> Result<Response<Body>, Failure> {
    let entry = site.entry(&known, arrival.address, Verb::Change, &label).await?;
    let items = entry.grants().iter().map(|live| json::grant(&live.grant)).collect();
    Ok(json::document(StatusCode::OK, &Items { items }))
}

/// Lets another user in.
#[utoipa::path(
    post, path = "/api/v1/sessions/{label}/grants", tag = "grants",
    params(("label" = String, Path, description = "The session's label")),
    request_body = NewGrant,
    responses((status = 201, body = json::GrantDocument), (status = "4XX", body = Problem)),
)]
pub(super) async fn give(
    State(site): State<Site>,
    arrival: Arrival,
    Known(known): Known,
    Path(label): Path<String>,
    sent: Result<Json<NewGrant>, JsonRejection>,
) -> Result<Response<Body>, Failure> {
    let entry = site.entry(&known, arrival.address, Verb::Change, &label).await?;
    let new = document(sent)?;
    let found = site.0.store.user_by_name(new.user.trim()).await?;
    // Who cannot log in could not open it either.
    let with = found.filter(|user| !user.disabled).ok_or(NoUser)?;
    let share = Share { with, role: new.role, lasts: new.lasts_s.map(Duration::from_secs) };
    let live = site.broker().share(&entry, share, Actor::user(&known.name, arrival.address)).await?;
    Ok(json::document(StatusCode::CREATED, &json::grant(&live.grant)))
}

/// Takes a grant back; also fine if it has ended already.
#[utoipa::path(
    delete, path = "/api/v1/sessions/{label}/grants/{id}", tag = "grants",
    params(
        ("label" = String, Path, description = "The session's label"),
        ("id" = String, Path, description = "The grant's id"),
    ),
    responses((status = 204), (status = "4XX", body = Problem)),
)]
pub(super) async fn withdraw(
    State(site): State<Site>,
    arrival: Arrival,
    Known(known): Known,
    Path((label, id)): Path<(String, String)>,
) -> Result<Response<Body>, Failure> {
    let entry = site.entry(&known, arrival.address, Verb::Change, &label).await?;
    let id = id.parse().map_err(|_| Failure::not_found())?;
    site.broker().withdraw(&entry, id, Actor::user(&known.name, arrival.address)).await?;
    Ok(respond::bare(StatusCode::NO_CONTENT, String::new()))
}
