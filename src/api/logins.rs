//! `/api/v1/users/<name>/logins`: where a user is logged in. For administrators.

use axum::extract::{Path, State};
use http::{Response, StatusCode};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::gate::{Arrival, UsersKeeper};
use super::json::Items;
use super::openapi::Problem;
use super::users::{actor, touches};
use super::{Failure, Site, json};
use crate::auth::LoginId;
use crate::body::Body;
use crate::people;
use crate::respond;
use crate::store::Login;

/// A login.
#[derive(Serialize, ToSchema)]
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
    params(("name" = String, Path, description = "The user's name, or their id")),
    responses((status = 200, body = Items<LoginDocument>), (status = "4XX", body = Problem)),
)]
pub(super) async fn list(
    State(site): State<Site>,
    UsersKeeper(_known): UsersKeeper,
    Path(name): Path<String>,
) -> Result<Response<Body>, Failure> {
    let user = people::find(&*site.0.store, &name).await?;
    let logins = site.auth().logins_of(user.id).await?;
    let items = logins.into_iter().map(LoginDocument::from).collect();
    Ok(json::document(StatusCode::OK, &Items { items }))
}

/// Ends all logins of a user; what they have open closes.
#[utoipa::path(
    delete, path = "/api/v1/users/{name}/logins", tag = "users", operation_id = "end_user_logins",
    params(("name" = String, Path, description = "The user's name, or their id")),
    responses((status = 204), (status = "4XX", body = Problem)),
)]
pub(super) async fn end_all(
    State(site): State<Site>,
    arrival: Arrival,
    UsersKeeper(known): UsersKeeper,
    Path(name): Path<String>,
) -> Result<Response<Body>, Failure> {
    let user = people::find(&*site.0.store, &name).await?;
    touches(&known, user.role)?;
    site.auth().end_logins(&actor(&known, arrival), &user).await?;
    Ok(respond::bare(StatusCode::NO_CONTENT, String::new()))
}

/// Ends one login of a user; also fine if it has ended already.
#[utoipa::path(
    delete, path = "/api/v1/users/{name}/logins/{id}", tag = "users", operation_id = "end_user_login",
    params(
        ("name" = String, Path, description = "The user's name, or their id"),
        ("id" = String, Path, description = "The login's id"),
    ),
    responses((status = 204), (status = "4XX", body = Problem)),
)]
pub(super) async fn end(
    State(site): State<Site>,
    arrival: Arrival,
    UsersKeeper(known): UsersKeeper,
    Path((name, id)): Path<(String, String)>,
) -> Result<Response<Body>, Failure> {
    let id: LoginId = id.parse().map_err(|_| Failure::not_found())?;
    let user = people::find(&*site.0.store, &name).await?;
    touches(&known, user.role)?;
    site.auth().end_login(&actor(&known, arrival), &user, id).await?;
    Ok(respond::bare(StatusCode::NO_CONTENT, String::new()))
}
