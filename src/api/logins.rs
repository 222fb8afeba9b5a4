//! `/api/v1/users/<name>/logins`: where a user is logged in. For administrators.

use std::cmp::Reverse;

use axum::extract::{Path, State};
use http::Response;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::gate::{Query, UsersKeeper};
use super::page::{Page, Paging};
use super::users::{Named, touches};
use super::{Failure, Site, json};
use crate::auth::LoginId;
use crate::body::Body;
use crate::people;
use crate::store::Login;

/// A login.
#[derive(Serialize, ToSchema)]
#[schema(as = Login)]
pub(super) struct LoginDocument {
    /// Its opaque name.
    id: String,
    /// The address it was made from.
    address: String,
    /// What the browser it was made with says of itself.
    user_agent: String,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it lapses.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

impl From<Login> for LoginDocument {
    fn from(login: Login) -> Self {
        Self {
            id: LoginId::of(&login.token).to_string(),
            address: login.address,
            user_agent: login.user_agent,
            created_at: login.created_at,
            expires_at: login.expires_at,
        }
    }
}

/// A user's logins in force, newest first.
#[utoipa::path(
    get, path = "/api/v1/users/{name}/logins", tag = "users", operation_id = "list_user_logins",
    params(Named, Paging),
    responses((status = 200, description = "A page of them", body = Page<LoginDocument>)),
)]
pub(super) async fn list(
    State(site): State<Site>,
    UsersKeeper(_caller): UsersKeeper,
    Path(Named { name }): Path<Named>,
    Query(paging): Query<Paging>,
) -> Result<Response<Body>, Failure> {
    let user = people::find(&*site.0.store, &name).await?;
    let logins = site.auth().logins_of(user.id).await?;
    let mut logins: Vec<LoginDocument> = logins.into_iter().map(LoginDocument::from).collect();
    let place = |login: &LoginDocument| (Reverse(login.created_at), login.id.clone());
    logins.sort_by_key(place);
    Ok(json::read(&paging.of(logins, place)?))
}

/// Ends all logins of a user; what they have open closes.
#[utoipa::path(
    delete, path = "/api/v1/users/{name}/logins", tag = "users", operation_id = "end_user_logins",
    params(Named),
    responses((status = 204, description = "They have ended")),
)]
pub(super) async fn end_all(
    State(site): State<Site>,
    UsersKeeper(caller): UsersKeeper,
    Path(Named { name }): Path<Named>,
) -> Result<Response<Body>, Failure> {
    let user = people::find(&*site.0.store, &name).await?;
    touches(&caller, user.role, &site).await?;
    site.auth().end_logins(&caller.by(), &user).await?;
    Ok(json::nothing())
}

/// Ends one login of a user; also fine if it has ended already.
#[utoipa::path(
    delete, path = "/api/v1/users/{name}/logins/{id}", tag = "users", operation_id = "end_user_login",
    params(Named, ("id" = String, Path, pattern = "^[0-9A-Fa-f]{16}$", description = "The login's id")),
    responses((status = 204, description = "It has ended")),
)]
pub(super) async fn end(
    State(site): State<Site>,
    UsersKeeper(caller): UsersKeeper,
    Path((name, id)): Path<(String, String)>,
) -> Result<Response<Body>, Failure> {
    let id: LoginId = id.parse().map_err(|_| Failure::not_found())?;
    let user = people::find(&*site.0.store, &name).await?;
    touches(&caller, user.role, &site).await?;
    site.auth().end_login(&caller.by(), &user, id).await?;
    Ok(json::nothing())
}
