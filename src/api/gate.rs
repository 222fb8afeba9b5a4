//! Who is asking, read off a request before any handler runs.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Json;
use axum::extract::FromRequestParts;
use axum::extract::rejection::JsonRejection;
use axum::response::IntoResponse;
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderMap, Method};

use super::{Failure, Site};
use crate::auth::{AuthError, Principal, cookies, csrf, policy};
use crate::respond::Unreadable;

/// The header in which a script of ours echoes its login's secret.
const CSRF_HEADER: &str = "x-csrf-token";

/// How a request arrived; put into it by [`super::Api::handle`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    /// The asker's address.
    pub(super) address: IpAddr,
}

impl<S: Sync> FromRequestParts<S> for Arrival {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _site: &S) -> Result<Self, Self::Rejection> {
        Ok(*parts.extensions.get::<Self>().expect("`Api::handle` puts it into every request"))
    }
}

/// The holder of a bearer token, or somebody who is logged in on the portal. A login's change is
/// refused unless it comes from a page of ours and echoes the login's secret in `X-CSRF-Token`.
pub(super) struct Known(pub Arc<Principal>);

impl FromRequestParts<Site> for Known {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Failure> {
        if let Some(token) = bearer(&parts.headers) {
            // No browser sends it by itself, so nothing more is asked of a change.
            return Ok(Self(site.auth().bearer(token)?));
        }
        let known = site.auth().authenticate(cookies::tokens(&parts.headers, cookies::PORTAL)).await?;
        // A session host's login opens nothing here, whatever cookie it came in.
        let known = known.filter(|principal| policy::use_portal(principal).is_ok());
        let known = known.ok_or(AuthError::LoginRequired)?;
        if !matches!(parts.method, Method::GET | Method::HEAD) {
            let token = parts.headers.get(CSRF_HEADER).and_then(|value| value.to_str().ok());
            csrf::check(&known, token, csrf::Provenance::of(&parts.headers), &site.0.origin)?;
        }
        if known.must_change {
            return Err(AuthError::MustChange.into());
        }
        Ok(Self(known))
    }
}

/// An administrator; to everybody else there is nothing at this address.
pub(super) struct Administrator(pub Arc<Principal>);

impl FromRequestParts<Site> for Administrator {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Failure> {
        let Known(known) = Known::from_request_parts(parts, site).await?;
        if policy::administer(&known).is_err() {
            let Ok(Arrival { address }) = Arrival::from_request_parts(parts, site).await;
            site.auth().refused_admin(&known, address, parts.uri.path()).await;
            return Err(Failure::not_found());
        }
        Ok(Self(known))
    }
}

/// The document that a request brought. A handler asks for it once it knows that the asker may.
pub(super) fn document<T>(sent: Result<Json<T>, JsonRejection>) -> Result<T, Unreadable> {
    match sent {
        Ok(Json(document)) => Ok(document),
        Err(refused) => Err(Unreadable { status: refused.into_response().status() }),
    }
}

/// The token of an `Authorization: Bearer` header; the scheme's name is in any case (RFC 9110 §11.1).
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
