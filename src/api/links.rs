//! `/api/v1/links`: addresses that do one thing for whoever holds them. For administrators.

use std::time::Duration;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use http::{Response, StatusCode};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::gate::{Administrator, Arrival, document};
use super::json::Items;
use super::openapi::Problem;
use super::{Failure, Site, json};
use crate::audit::Actor;
use crate::auth::NewLink;
use crate::body::Body;
use crate::respond::{self, Unreadable};
use crate::session::{Link, LinkAction, LinkId};

/// What is posted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LinkWish {
    /// What it does.
    action: ActionName,
    /// Whose session it is about: any text of up to 2048 bytes. Not with `remove_all`.
    client_id: Option<String>,
    /// For how many seconds it is good, at most 366 days; 600 if it is absent.
    #[schema(minimum = 1, maximum = 31_622_400)]
    expires_s: Option<u64>,
    /// How often it may be used, at most 10000 times; once if it is absent.
    #[schema(minimum = 1, maximum = 10_000)]
    uses: Option<u32>,
}

/// What a link can do.
#[derive(Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ActionName {
    /// Makes or finds the client's session and lets the browser in.
    Access,
    /// Removes the client's session.
    Remove,
    /// Removes the sessions of all clients.
    RemoveAll,
}

/// A link.
#[derive(Serialize, ToSchema)]
pub(super) struct LinkDocument {
    /// Opaque identity.
    #[schema(value_type = String)]
    id: LinkId,
    /// The address; told once, when it is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    /// What it does: `access`, `remove` or `remove_all`.
    action: &'static str,
    /// Whose session it is about.
    client_id: Option<String>,
    /// How often it may be used in all.
    uses: u32,
    /// How often it was.
    used: u32,
    /// Who made it.
    created_by: String,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it lapses.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

impl LinkDocument {
    fn of(link: &Link, url: Option<String>) -> Self {
        Self {
            id: link.id,
            url,
            action: link.action.name(),
            client_id: link.action.client().map(ToString::to_string),
            uses: link.uses,
            used: link.used,
            created_by: link.created_by.clone(),
            created_at: link.created_at,
            expires_at: link.expires_at,
        }
    }
}

/// Those that have not lapsed, oldest first.
#[utoipa::path(
    get, path = "/api/v1/links", tag = "links", operation_id = "list_links",
    responses((status = 200, body = Items<LinkDocument>), (status = "4XX", body = Problem)),
)]
pub(super) async fn list(
    State(site): State<Site>,
    Administrator(_known): Administrator,
) -> Result<Response<Body>, Failure> {
    let links = site.auth().links().await?;
    let items = links.iter().map(|link| LinkDocument::of(link, None)).collect();
    Ok(json::document(StatusCode::OK, &Items { items }))
}

/// Makes one.
#[utoipa::path(
    post, path = "/api/v1/links", tag = "links", operation_id = "create_link",
    request_body = LinkWish,
    responses((status = 201, body = LinkDocument), (status = "4XX", body = Problem)),
)]
pub(super) async fn create(
    State(site): State<Site>,
    arrival: Arrival,
    Administrator(known): Administrator,
    sent: Result<Json<LinkWish>, JsonRejection>,
) -> Result<Response<Body>, Failure> {
    let wish = document(sent)?;
    let malformed = Unreadable { status: StatusCode::BAD_REQUEST };
    let client = wish.client_id.map(|id| id.parse().map_err(|_| malformed)).transpose()?;
    let action = match (wish.action, client) {
        (ActionName::Access, Some(client)) => LinkAction::Access(client),
        (ActionName::Remove, Some(client)) => LinkAction::Remove(client),
        (ActionName::RemoveAll, None) => LinkAction::RemoveAll,
        (ActionName::Access | ActionName::Remove, None) | (ActionName::RemoveAll, Some(_)) => {
            return Err(malformed.into());
        }
    };
    let lasts = wish.expires_s.map_or(NewLink::LASTS, Duration::from_secs);
    let new = NewLink { action, lasts, uses: wish.uses.unwrap_or(1) };
    let by = Actor::user(&known.name, arrival.address);
    let (link, secret) = site.auth().create_link(&by, new).await?;
    let url = format!("{}/link/{}", site.0.origin, secret.expose());
    // The link is told once.
    let made = json::document(StatusCode::CREATED, &LinkDocument::of(&link, Some(url)));
    Ok(json::told_once(made, &LinkDocument::of(&link, None)))
}

/// Takes one back; also fine if it has lapsed already.
#[utoipa::path(
    delete, path = "/api/v1/links/{id}", tag = "links", operation_id = "revoke_link",
    params(("id" = String, Path, format = "uuid", description = "The link's id")),
    responses((status = 204), (status = "4XX", body = Problem)),
)]
pub(super) async fn revoke(
    State(site): State<Site>,
    arrival: Arrival,
    Administrator(known): Administrator,
    Path(id): Path<String>,
) -> Result<Response<Body>, Failure> {
    let id = id.parse().map_err(|_| Failure::not_found())?;
    site.auth().revoke_link(&Actor::user(&known.name, arrival.address), id).await?;
    Ok(respond::bare(StatusCode::NO_CONTENT, String::new()))
}
