//! Who is asking, read off a request before any handler runs.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::Method;
use http::request::Parts;

use super::{Failure, Site};
use crate::auth::{AuthError, Principal, cookies, csrf, policy};

/// The header in which a script of ours echoes its login's secret.
const CSRF_HEADER: &str = "x-csrf-token";

/// Somebody who is logged in on the portal. A change is refused unless it comes from a page of
/// ours and echoes the login's secret in `X-CSRF-Token`.
pub(super) struct Known(pub Arc<Principal>);

impl FromRequestParts<Site> for Known {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Failure> {
        let known = site.auth().authenticate(cookies::tokens(&parts.headers, cookies::PORTAL)).await?;
        // A session host's login opens nothing here, whatever cookie it came in.
        let known = known.filter(|principal| policy::use_portal(principal).is_ok());
        let known = known.ok_or(AuthError::LoginRequired)?;
        if !matches!(parts.method, Method::GET | Method::HEAD) {
            let token = parts.headers.get(CSRF_HEADER).and_then(|value| value.to_str().ok());
            csrf::check(&known, token, csrf::Provenance::of(&parts.headers), &site.0.origin)?;
        }
        Ok(Self(known))
    }
}
