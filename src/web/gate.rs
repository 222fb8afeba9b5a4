//! Who is asking, read off a request before any handler runs.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Form;
use axum::extract::{FromRequest, FromRequestParts, MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::USER_AGENT;
use http::request::Parts;
use http::{HeaderMap, Method};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::next::NextPath;
use super::{Failure, Site};
use crate::auth::{Principal, Visitor, cookies, csrf, policy};
use crate::language::Language;
use crate::respond::Unreadable;

/// What somebody may do whose password is only for the first login.
const WITH_A_FIRST_PASSWORD: [&str; 3] = ["/account", "/account/choices", "/logout"];

/// How a request arrived; put into it by [`super::Web::handle`].
#[derive(Clone, Debug)]
pub(super) struct Arrival {
    /// The browser's address.
    pub address: IpAddr,
}

impl Arrival {
    /// What the throttle and the audit are told of the browser.
    pub(super) fn visitor(&self, headers: &HeaderMap) -> Visitor {
        let agent = headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
        Visitor { address: self.address, user_agent: agent.to_owned() }
    }
}

impl<S: Sync> FromRequestParts<S> for Arrival {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _site: &S) -> Result<Self, Self::Rejection> {
        Ok(parts.extensions.get::<Self>().cloned().expect("`Web::handle` puts it into every request"))
    }
}

impl<S: Sync> FromRequestParts<S> for Language {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _site: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::of(&parts.headers))
    }
}

/// Somebody who is logged in on the portal, if anybody is.
pub(super) struct MaybeKnown(pub Option<Arc<Principal>>);

impl FromRequestParts<Site> for MaybeKnown {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Failure> {
        let tokens = cookies::tokens(&parts.headers, cookies::PORTAL);
        let known = site.auth().authenticate(tokens).await?;
        // A session host's login opens nothing here, whatever cookie it came in.
        Ok(Self(known.filter(|principal| policy::use_portal(principal).is_ok())))
    }
}

/// Somebody who is logged in on the portal; everyone else is asked to log in.
pub(super) struct Known(pub Arc<Principal>);

impl FromRequestParts<Site> for Known {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Failure> {
        let MaybeKnown(known) = MaybeKnown::from_request_parts(parts, site).await?;
        let known = known.ok_or_else(|| Failure::LoginNeeded(comes_back_to(parts)))?;
        if known.must_change && !WITH_A_FIRST_PASSWORD.contains(&parts.uri.path()) {
            return Err(Failure::PasswordNeeded);
        }
        Ok(Self(known))
    }
}

/// An administrator who is logged in on the portal; to everybody else there is nothing here.
pub(super) struct Administrator(pub Arc<Principal>);

impl FromRequestParts<Site> for Administrator {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Failure> {
        let Known(known) = Known::from_request_parts(parts, site).await?;
        if policy::administer(&known).is_err() {
            let Ok(Arrival { address }) = Arrival::from_request_parts(parts, site).await;
            let route = parts.extensions.get::<MatchedPath>().map_or("/admin", MatchedPath::as_str);
            site.auth().refused_admin(&known, address, (route, parts.uri.path())).await;
            return Err(Failure::not_found());
        }
        Ok(Self(known))
    }
}

/// Stands before every page under `/admin`, so that none forgets to ask, nor to tell the audit.
pub(super) async fn administrators(State(site): State<Site>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if path != "/admin" && !path.starts_with("/admin/") {
        return next.run(request).await;
    }
    let (mut parts, body) = request.into_parts();
    match Administrator::from_request_parts(&mut parts, &site).await {
        Ok(_) => next.run(Request::from_parts(parts, body)).await,
        Err(failure) => failure.into_response(),
    }
}

/// Where somebody wants to be after logging in: here again, unless that would change something.
fn comes_back_to(parts: &Parts) -> NextPath {
    match (&parts.method, parts.uri.path_and_query()) {
        (&Method::GET, Some(path)) => NextPath::of(path.as_str()),
        (_, _) => NextPath::of("/"),
    }
}

/// A change asked for by somebody who is logged in, on a page of ours: the login, the origin and
/// the form's secret are checked before the handler sees the form.
pub(super) struct Changing<T> {
    pub(super) known: Arc<Principal>,
    pub(super) form: T,
}

/// A form with nothing but its secret.
#[derive(Deserialize)]
pub(super) struct Nothing {}

#[derive(Deserialize)]
struct Signed<T> {
    csrf: Option<String>,
    #[serde(flatten)]
    form: T,
}

impl<T: DeserializeOwned> FromRequest<Site> for Changing<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, site: &Site) -> Result<Self, Failure> {
        let (mut parts, body) = request.into_parts();
        let Known(known) = Known::from_request_parts(&mut parts, site).await?;
        let headers = parts.headers.clone();
        let request = Request::from_parts(parts, body);
        let read = Form::<Signed<T>>::from_request(request, site).await;
        let Form(Signed { csrf: token, form }) =
            read.map_err(|refused| Unreadable { status: refused.into_response().status() })?;
        csrf::check(&known, token.as_deref(), csrf::Provenance::of(&headers), site.origin())?;
        Ok(Self { known, form })
    }
}
