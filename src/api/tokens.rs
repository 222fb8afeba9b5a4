//! `/api/v1/tokens`: tokens of programs. Administrators see and make all of them, everybody else
//! those that act as themself.

use std::collections::HashMap;
use std::time::Duration;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use http::{Response, StatusCode};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::failure::NoUser;
use super::flaw::{Flaw, lasting};
use super::gate::{Query, Unscoped, document};
use super::page::{Page, Paging};
use super::{Failure, Site, json};
use crate::auth::{NewApiToken, policy};
use crate::body::Body;
use crate::clock;
use crate::session::{SessionName, UserId};
use crate::store::{ApiToken, Scope, Scopes, TokenId};

/// A token without its text, which nobody can read again.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Token)]
pub(super) struct TokenDocument {
    /// Opaque identity.
    #[schema(value_type = String)]
    id: TokenId,
    /// What people call it.
    name: String,
    /// What it may be used for.
    scopes: Vec<Scope>,
    /// Whom it acts as; `null` is nobody, with everybody's sessions.
    #[schema(required = true)]
    user: Option<String>,
    /// Who made it.
    created_by: String,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it lapses; `null` is never.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    expires_at: Option<Timestamp>,
    /// When it was last used, to some minutes.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    last_used_at: Option<Timestamp>,
}

/// A token that was just made.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct MadeToken {
    /// Its text, for the `Authorization` header. It is told once; whoever repeats the request with the
    /// same idempotency key reads `null`.
    #[schema(required = true)]
    secret: Option<String>,
    /// The token.
    token: TokenDocument,
}

/// What a token is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewToken {
    /// What people call it.
    #[schema(value_type = SessionName)]
    name: String,
    /// What it may be used for.
    #[schema(min_items = 1, max_items = 4)]
    scopes: Vec<Scope>,
    /// The user name of whom it acts as. Unless given, that of who is logged in and no administrator,
    /// else nobody.
    #[schema(max_length = 64)]
    user: Option<String>,
    /// For how many seconds; until it is revoked unless given.
    #[schema(minimum = 1, maximum = 3_153_600_000u64)]
    lasts_s: Option<u64>,
}

/// Tokens, oldest first.
#[utoipa::path(
    get, path = "/api/v1/tokens", tag = "tokens", operation_id = "list_tokens", params(Paging),
    responses((status = 200, description = "A page of them", body = Page<TokenDocument>)),
)]
pub(super) async fn list(
    State(site): State<Site>,
    Unscoped(caller): Unscoped,
    Query(paging): Query<Paging>,
) -> Result<Response<Body>, Failure> {
    caller.who_may_have_tokens(&site).await?;
    let mut tokens = site.0.store.api_tokens().await?;
    tokens.retain(|token| policy::see_token(&caller.known, token.user).is_ok());
    let page = paging.of(tokens, |token| -> (Timestamp, TokenId) { (token.created_at, token.id) })?;
    let users = site.0.store.users().await?;
    let names: HashMap<UserId, String> = users.into_iter().map(|user| (user.id, user.name)).collect();
    Ok(json::read(&page.map(|token| shown(&token, token.user.and_then(|user| names.get(&user).cloned())))))
}

/// Makes a token.
#[utoipa::path(
    post, path = "/api/v1/tokens", tag = "tokens", operation_id = "create_token", request_body = NewToken,
    responses((
        status = 201, description = "With its text, this once", body = MadeToken,
        headers(("Location" = String, description = "The token's address, to revoke it")),
    )),
)]
pub(super) async fn create(
    State(site): State<Site>,
    Unscoped(caller): Unscoped,
    sent: Result<Json<NewToken>, JsonRejection>,
) -> Result<Response<Body>, Failure> {
    caller.who_may_have_tokens(&site).await?;
    let new = document(sent)?;
    if !(1..=Scope::ALL.len()).contains(&new.scopes.len()) {
        return Err(Flaw::new("scopes", format!("expected 1 to {} of them", Scope::ALL.len())).into());
    }
    lasting(new.lasts_s)?;
    let itself = policy::administer(&caller.known).is_err();
    let user = match new.user {
        Some(name) => {
            let found = site.0.store.user_by_name(name.trim()).await?;
            Some(found.map(|user| user.id).ok_or(NoUser { field: "user" })?)
        }
        None => itself.then_some(caller.known.user),
    };
    let expires_at = new.lasts_s.map(|lasts| clock::later(clock::now(), Duration::from_secs(lasts)));
    let scopes: Scopes = new.scopes.into_iter().collect();
    let wanted = NewApiToken { name: new.name, scopes, user, expires_at };
    let (secret, token) = site.auth().make_token(&caller.known, &caller.by(), wanted).await?;
    let name = match user {
        Some(user) => site.0.store.user(user).await?.map(|user| user.name),
        None => None,
    };
    let at = format!("/api/v1/tokens/{}", token.id);
    let made = MadeToken { secret: Some(secret.expose().clone()), token: shown(&token, name) };
    let again = MadeToken { secret: None, ..made.clone() };
    Ok(json::told_once(json::located(StatusCode::CREATED, &at, &made), &again))
}

/// Revokes a token: it is refused from now on, and event streams that were opened with it end.
#[utoipa::path(
    delete, path = "/api/v1/tokens/{id}", tag = "tokens", operation_id = "revoke_token",
    params(("id" = String, Path, format = "uuid", description = "The token's id")),
    responses((status = 204, description = "It is gone")),
)]
pub(super) async fn revoke(
    State(site): State<Site>,
    Unscoped(caller): Unscoped,
    Path(id): Path<String>,
) -> Result<Response<Body>, Failure> {
    caller.who_may_have_tokens(&site).await?;
    let id: TokenId = id.parse().map_err(|_| Failure::not_found())?;
    let tokens = site.0.store.api_tokens().await?;
    let found = tokens.iter().find(|token| token.id == id);
    // Somebody else's is nobody's here.
    let found = found.filter(|token| policy::see_token(&caller.known, token.user).is_ok());
    let token = found.ok_or_else(Failure::not_found)?;
    site.auth().revoke_token(&caller.by(), token.id).await?;
    Ok(json::nothing())
}

fn shown(token: &ApiToken, user: Option<String>) -> TokenDocument {
    TokenDocument {
        id: token.id,
        name: token.name.clone(),
        scopes: token.scopes.iter().collect(),
        user,
        created_by: token.created_by.clone(),
        created_at: token.created_at,
        expires_at: token.expires_at,
        last_used_at: token.last_used_at,
    }
}
