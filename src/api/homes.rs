//! `/api/v1/homes`: where files are kept, and the copies of them that can be put back. For administrators.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use http::Response;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::gate::{Administrator, Query, document};
use super::page::{Page, Paging};
use super::users::Named;
use super::{Failure, Site, json};
use crate::body::Body;
use crate::broker::{HomeListed, KnownHome};
use crate::people;
use crate::session::{CopyName, Home};

/// A home.
#[derive(Serialize, ToSchema)]
#[schema(as = Home)]
pub(super) struct HomeDocument {
    /// Whose it is.
    owner: String,
    /// The label of the session it belongs to; `null` if all sessions of its owner share it.
    #[schema(required = true)]
    session: Option<String>,
    /// What becomes of it.
    kind: Home,
    /// What its files took when it was last looked at; `null` if it is not known.
    #[schema(required = true)]
    used_bytes: Option<u64>,
    /// What they may take; `null` is no limit, or not known.
    #[schema(required = true)]
    limit_bytes: Option<u64>,
    /// When it was last looked at.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    measured_at: Option<Timestamp>,
    /// The copies of it, named by when they were made (UTC), oldest first; `null` if the engine did not say.
    #[schema(value_type = Option<Vec<String>>, required = true)]
    copies: Option<Vec<CopyName>>,
}

impl From<HomeListed> for HomeDocument {
    fn from(home: HomeListed) -> Self {
        let usage = home.measured.and_then(|measured| measured.usage);
        Self {
            owner: home.owner,
            session: home.session,
            kind: home.kind,
            used_bytes: usage.map(|usage| usage.used_bytes),
            limit_bytes: usage.and_then(|usage| usage.limit_bytes),
            measured_at: home.measured.map(|measured| measured.at),
            copies: home.copies,
        }
    }
}

/// Which copy is put back.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WantedCopy {
    /// Its name.
    #[schema(value_type = String, pattern = "^[0-9]{8}-[0-9]{6}$", examples("20260131-081500"))]
    copy: CopyName,
}

/// Every home with its copies, by owner.
#[utoipa::path(
    get, path = "/api/v1/homes", tag = "homes", operation_id = "list_homes", params(Paging),
    responses((status = 200, description = "A page of them", body = Page<HomeDocument>)),
)]
pub(super) async fn list(
    State(site): State<Site>,
    Administrator(_caller): Administrator,
    Query(paging): Query<Paging>,
) -> Result<Response<Body>, Failure> {
    let place = |home: &KnownHome| (home.owner.clone(), home.session.clone());
    let mut known = site.broker().homes(&site.0.store.users().await?);
    known.sort_by_key(place);
    let Page { items, next } = paging.of(known, place)?;
    // The engine is asked about those that are shown, and about no others.
    let homes = site.broker().look_at_homes(items).await;
    Ok(json::read(&Page { items: homes, next }.map(HomeDocument::from)))
}

/// Puts a copy back into a user's home; what is in the home becomes a copy itself. Answers when that is
/// done, which may take minutes.
#[utoipa::path(
    post, path = "/api/v1/users/{name}/home/restore", tag = "homes", operation_id = "restore_home",
    params(Named), request_body = WantedCopy,
    responses((status = 204, description = "The home is as it was then")),
)]
pub(super) async fn restore(
    State(site): State<Site>,
    Administrator(caller): Administrator,
    Path(Named { name }): Path<Named>,
    sent: Result<Json<WantedCopy>, JsonRejection>,
) -> Result<Response<Body>, Failure> {
    let WantedCopy { copy } = document(sent)?;
    let user = people::find(&*site.0.store, &name).await?;
    site.broker().restore_home(&user, &copy, &caller.by()).await?;
    Ok(json::nothing())
}
