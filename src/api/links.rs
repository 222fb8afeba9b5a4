//! `/api/v1/links`: addresses that do one thing for whoever holds them. For administrators.

use std::time::Duration;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use http::{Response, StatusCode};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::flaw::Flaw;
use super::gate::{Administrator, Query, document};
use super::page::{Page, Paging};
use super::{Failure, Site, json};
use crate::auth;
use crate::body::Body;
use crate::session::{ClientIdError, Link, LinkAction, LinkId};

/// What a link is to do.
#[derive(Deserialize, ToSchema)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum NewLink {
    /// Makes or finds the client's session and lets the browser in.
    Access {
        /// Whose session it is about: any text of up to 2048 bytes.
        #[schema(min_length = 1, max_length = 2048)]
        client_id: String,
        /// For how many seconds it is good, at most 366 days; 600 unless given.
        #[schema(minimum = 1, maximum = 31_622_400)]
        expires_s: Option<u64>,
        /// How often it may be used, at most 10000 times; once unless given.
        #[schema(minimum = 1, maximum = 10_000)]
        uses: Option<u32>,
    },
    /// Removes the client's session.
    Remove {
        /// Whose session it is about: any text of up to 2048 bytes.
        #[schema(min_length = 1, max_length = 2048)]
        client_id: String,
        /// For how many seconds it is good, at most 366 days; 600 unless given.
        #[schema(minimum = 1, maximum = 31_622_400)]
        expires_s: Option<u64>,
        /// How often it may be used, at most 10000 times; once unless given.
        #[schema(minimum = 1, maximum = 10_000)]
        uses: Option<u32>,
    },
    /// Removes the sessions of all clients.
    RemoveAll {
        /// For how many seconds it is good, at most 366 days; 600 unless given.
        #[schema(minimum = 1, maximum = 31_622_400)]
        expires_s: Option<u64>,
        /// How often it may be used, at most 10000 times; once unless given.
        #[schema(minimum = 1, maximum = 10_000)]
        uses: Option<u32>,
    },
}

/// A link.
#[derive(Serialize, ToSchema)]
#[schema(as = Link)]
pub(super) struct LinkDocument {
    /// Opaque identity.
    #[schema(value_type = String, format = "uuid")]
    id: LinkId,
    /// The address; told once, when it is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    /// What it does: `access`, `remove` or `remove_all`.
    action: &'static str,
    /// Whose session it is about; `null` is that of every client.
    #[schema(required = true)]
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
    get, path = "/api/v1/links", tag = "links", operation_id = "list_links", params(Paging),
    responses((status = 200, description = "A page of them", body = Page<LinkDocument>)),
)]
pub(super) async fn list(
    State(site): State<Site>,
    Administrator(_caller): Administrator,
    Query(paging): Query<Paging>,
) -> Result<Response<Body>, Failure> {
    let links = site.auth().links().await?;
    let page = paging.of(links, |link| -> (Timestamp, LinkId) { (link.created_at, link.id) })?;
    Ok(json::read(&page.map(|link| LinkDocument::of(&link, None))))
}

/// Makes one.
#[utoipa::path(
    post, path = "/api/v1/links", tag = "links", operation_id = "create_link",
    request_body = NewLink,
    responses((
        status = 201, description = "With its address, this once", body = LinkDocument,
        headers(("Location" = String, description = "Where it is revoked")),
    )),
)]
pub(super) async fn create(
    State(site): State<Site>,
    Administrator(caller): Administrator,
    sent: Result<Json<NewLink>, JsonRejection>,
) -> Result<Response<Body>, Failure> {
    let new = wanted(document(sent)?)?;
    let (link, secret) = site.auth().create_link(&caller.by(), new).await?;
    let url = format!("{}/link/{}", site.0.origin, secret.expose());
    let at = format!("/api/v1/links/{}", link.id);
    let made = json::located(StatusCode::CREATED, &at, &LinkDocument::of(&link, Some(url)));
    Ok(json::told_once(made, &LinkDocument::of(&link, None)))
}

fn wanted(new: NewLink) -> Result<auth::NewLink, Flaw> {
    let client =
        |id: String| id.parse().map_err(|error: ClientIdError| Flaw::new("client_id", error.to_string()));
    let (action, expires_s, uses) = match new {
        NewLink::Access { client_id, expires_s, uses } => {
            (LinkAction::Access(client(client_id)?), expires_s, uses)
        }
        NewLink::Remove { client_id, expires_s, uses } => {
            (LinkAction::Remove(client(client_id)?), expires_s, uses)
        }
        NewLink::RemoveAll { expires_s, uses } => (LinkAction::RemoveAll, expires_s, uses),
    };
    let lasts = expires_s.map_or(auth::NewLink::LASTS, Duration::from_secs);
    Ok(auth::NewLink { action, lasts, uses: uses.unwrap_or(1) })
}

/// Takes one back; also fine if it has lapsed already.
#[utoipa::path(
    delete, path = "/api/v1/links/{id}", tag = "links", operation_id = "revoke_link",
    params(("id" = String, Path, format = "uuid", description = "The link's id")),
    responses((status = 204, description = "It is gone")),
)]
pub(super) async fn revoke(
    State(site): State<Site>,
    Administrator(caller): Administrator,
    Path(id): Path<String>,
) -> Result<Response<Body>, Failure> {
    let id = id.parse().map_err(|_| Failure::not_found())?;
    site.auth().revoke_link(&caller.by(), id).await?;
    Ok(json::nothing())
}
