//! Tokens of programs, for the command line.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::perform::{refused, unknown};
use super::{Performer, Reply};
use crate::audit::Actor;
use crate::auth::NewApiToken;
use crate::clock;
use crate::secret::Secret;
use crate::store::{ApiToken, Scope, TokenId, User};

/// What a token is to be.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenWish {
    /// What people call it.
    pub name: String,
    /// What it may be used for.
    pub scopes: Vec<Scope>,
    /// The user name of whom it acts as; `None` for nobody.
    pub user: Option<String>,
    /// For how many seconds; `None` until it is revoked.
    pub lasts_s: Option<u64>,
}

/// A token as the command line shows it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct TokenRow {
    pub id: String,
    pub name: String,
    pub scopes: Vec<Scope>,
    pub user: Option<String>,
    pub created_by: String,
    pub created_at: String,
    pub expires_at: Option<String>,
    pub last_used_at: Option<String>,
    /// Its text, when it was just made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<Secret<String>>,
}

impl TokenRow {
    fn of(token: &ApiToken, users: &[User], secret: Option<Secret<String>>) -> Self {
        let user = token.user.and_then(|id| users.iter().find(|user| user.id == id));
        Self {
            id: token.id.to_string(),
            name: token.name.clone(),
            scopes: token.scopes.iter().collect(),
            user: user.map(|user| user.name.clone()),
            created_by: token.created_by.clone(),
            created_at: token.created_at.to_string(),
            expires_at: token.expires_at.map(|at| at.to_string()),
            last_used_at: token.last_used_at.map(|at| at.to_string()),
            secret,
        }
    }
}

pub(super) async fn list(performer: &Performer) -> Result<Reply, Reply> {
    let tokens = performer.store.api_tokens().await.map_err(refused)?;
    let users = performer.store.users().await.map_err(refused)?;
    Ok(Reply::Tokens { tokens: tokens.iter().map(|token| TokenRow::of(token, &users, None)).collect() })
}

pub(super) async fn create(performer: &Performer, wish: TokenWish) -> Result<Reply, Reply> {
    let users = performer.store.users().await.map_err(refused)?;
    let user = match &wish.user {
        Some(name) => {
            let found = users.iter().find(|user| user.name.eq_ignore_ascii_case(name));
            Some(found.ok_or_else(|| unknown("user", name))?.id)
        }
        None => None,
    };
    let expires_at = wish.lasts_s.map(|lasts| clock::later(clock::now(), Duration::from_secs(lasts)));
    let new = NewApiToken { name: wish.name, scopes: wish.scopes.into_iter().collect(), user, expires_at };
    let (secret, token) = performer.auth.add_token(&Actor::cli(), new).await.map_err(refused)?;
    Ok(Reply::Tokens { tokens: vec![TokenRow::of(&token, &users, Some(secret))] })
}

pub(super) async fn revoke(performer: &Performer, id: &str) -> Result<String, Reply> {
    let unknown = || unknown("token", id);
    let id: TokenId = id.parse().map_err(|_| unknown())?;
    let revoked = performer.auth.revoke_token(&Actor::cli(), id).await.map_err(refused)?;
    revoked.map(|token| format!("token {} is revoked", token.name)).ok_or_else(unknown)
}
