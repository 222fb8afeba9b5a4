//! Who is asking, read off a request before any handler runs.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, MatchedPath, Query as Pairs, Request};
use axum::response::IntoResponse;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode};
use serde::de::DeserializeOwned;
use thiserror::Error;

use super::failure::{ScopeMissing, TokenBound};
use super::{Failure, Site, flaw};
use crate::audit::Actor;
use crate::auth::{AuthError, Principal, cookies, csrf, policy, tokens};
use crate::fault::{Answer, Fault};
use crate::language::Sentence;
use crate::respond::Unreadable;
use crate::store::Scope;

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

/// Who asks: the holder of a bearer token, or somebody who is logged in on the portal. A login's change
/// is refused unless it comes from a page of ours and echoes the login's secret in `X-CSRF-Token`.
pub(super) async fn who(
    method: &Method,
    headers: &HeaderMap,
    site: &Site,
) -> Result<Arc<Principal>, Failure> {
    if let Some(token) = bearer(headers) {
        // No browser sends it by itself, so nothing more is asked of a change.
        return Ok(site.auth().bearer(token).await?);
    }
    let known = site.auth().authenticate(cookies::tokens(headers, cookies::PORTAL)).await?;
    // A session host's login opens nothing here, whatever cookie it came in.
    let known = known.filter(|principal| policy::use_portal(principal).is_ok());
    let known = known.ok_or(AuthError::LoginRequired)?;
    if !matches!(*method, Method::GET | Method::HEAD) {
        let token = headers.get(CSRF_HEADER).and_then(|value| value.to_str().ok());
        csrf::check(&known, token, csrf::Provenance::of(headers), &site.0.origin)?;
    }
    if known.must_change {
        return Err(AuthError::MustChange.into());
    }
    Ok(known)
}

/// Somebody who may read sessions, or for a change, change them.
pub(super) struct Known(pub Arc<Principal>);

impl FromRequestParts<Site> for Known {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Failure> {
        let Unscoped(caller) = Unscoped::from_request_parts(parts, site).await?;
        let reads = matches!(parts.method, Method::GET | Method::HEAD);
        caller.needs(if reads { Scope::SessionsRead } else { Scope::SessionsWrite }, site).await?;
        Ok(Self(caller.known))
    }
}

/// An administrator; to everybody else who is logged in there is nothing at this address.
pub(super) struct Administrator(pub Caller);

impl FromRequestParts<Site> for Administrator {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Failure> {
        let Unscoped(caller) = Unscoped::from_request_parts(parts, site).await?;
        caller.administers(parts, Scope::Admin, site).await?;
        Ok(Self(caller))
    }
}

/// Whoever may read and change users; the same.
pub(super) struct UsersKeeper(pub Caller);

impl FromRequestParts<Site> for UsersKeeper {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Failure> {
        let Unscoped(caller) = Unscoped::from_request_parts(parts, site).await?;
        caller.administers(parts, Scope::UsersWrite, site).await?;
        Ok(Self(caller))
    }
}

/// Whoever may make and change everybody's sessions; the same.
pub(super) struct SessionsKeeper(pub Caller);

impl FromRequestParts<Site> for SessionsKeeper {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Failure> {
        let Unscoped(caller) = Unscoped::from_request_parts(parts, site).await?;
        if policy::make_for_others(&caller.known).is_ok() {
            return Ok(Self(caller));
        }
        // A person who may not is none who administers; a program lacks the scope, or acts as one user.
        let scope = if caller.known.token { Scope::SessionsWrite } else { Scope::Admin };
        caller.administers(parts, scope, site).await?;
        site.auth().scope_refused(&caller.known, caller.address, Scope::SessionsWrite).await;
        Err(TokenBound.into())
    }
}

/// Whoever is known, whatever their scopes are; the handler asks the policy itself.
pub(super) struct Unscoped(pub Caller);

impl FromRequestParts<Site> for Unscoped {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Failure> {
        let known = who(&parts.method, &parts.headers, site).await?;
        let arrival = Arrival::from_request_parts(parts, site).await;
        let Arrival { address } = arrival.unwrap_or_else(|never| match never {});
        Ok(Self(Caller { known, address }))
    }
}

/// Who is known, and where they ask from.
pub(super) struct Caller {
    /// Who.
    pub(super) known: Arc<Principal>,
    /// From where.
    pub(super) address: IpAddr,
}

impl Caller {
    /// As whom the audit knows them.
    pub(super) fn by(&self) -> Actor {
        Actor::user(&self.known.name, self.address)
    }

    /// Refuses whoever may not do this: a program is told which scope its token lacks, a person that
    /// there is nothing here.
    pub(super) async fn needs(&self, scope: Scope, site: &Site) -> Result<(), Failure> {
        if policy::within(&self.known, scope).is_ok() {
            return Ok(());
        }
        if !self.known.token {
            return Err(Failure::not_found());
        }
        site.auth().scope_refused(&self.known, self.address, scope).await;
        Err(ScopeMissing { scope }.into())
    }

    /// The same where only administrators are let in; a person who asks is in the audit.
    async fn administers(&self, parts: &Parts, scope: Scope, site: &Site) -> Result<(), Failure> {
        if !self.known.token && policy::within(&self.known, scope).is_err() {
            let route = parts.extensions.get::<MatchedPath>().map_or("/api", MatchedPath::as_str);
            site.auth().refused_admin(&self.known, self.address, (route, parts.uri.path())).await;
        }
        self.needs(scope, site).await
    }

    /// Refuses programs that do not administer where tokens are made and seen.
    pub(super) async fn who_may_have_tokens(&self, site: &Site) -> Result<(), Failure> {
        if self.known.token { self.needs(Scope::Admin, site).await } else { Ok(()) }
    }
}

impl FromRequestParts<Site> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Failure> {
        let Known(known) = Known::from_request_parts(parts, site).await?;
        let arrival = Arrival::from_request_parts(parts, site).await;
        let Arrival { address } = arrival.unwrap_or_else(|never| match never {});
        Ok(Self { known, address })
    }
}

/// What stands behind the `?`. Names that the address does not take were refused before; two of
/// these may each read their own part.
pub(super) struct Query<T>(pub(super) T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _site: &S) -> Result<Self, Failure> {
        let Pairs(asked) = Pairs::try_from_uri(&parts.uri).map_err(flaw::of_query)?;
        Ok(Self(asked))
    }
}

/// The document that a request brought. A handler asks for it once it knows that the asker may.
pub(super) fn document<T>(sent: Result<Json<T>, JsonRejection>) -> Result<T, Failure> {
    sent.map(|Json(document)| document).map_err(flaw::of_document)
}

/// A document that may be left away.
pub(super) struct MaybeSent<T>(Result<Option<T>, Failure>);

impl<T: Default> MaybeSent<T> {
    /// What it says, or what silence says.
    pub(super) fn read(self) -> Result<T, Failure> {
        self.0.map(Option::unwrap_or_default)
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for MaybeSent<T> {
    type Rejection = std::convert::Infallible;

    async fn from_request(request: Request, site: &S) -> Result<Self, Self::Rejection> {
        let kind =
            request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let is_json =
            kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"));
        let unread = |status| Failure::from(Unreadable { status });
        Ok(Self(match Bytes::from_request(request, site).await {
            Err(refused) => Err(unread(refused.into_response().status())),
            Ok(text) if text.is_empty() => Ok(None),
            Ok(_) if !is_json => Err(unread(StatusCode::UNSUPPORTED_MEDIA_TYPE)),
            Ok(text) => document(Json::from_bytes(&text)),
        }))
    }
}

/// The token of an `Authorization: Bearer` header.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(AUTHORIZATION).and_then(tokens::bearer_of)
}

/// The holder of a bearer token, who may make and change everybody's sessions. A `GET` that changes
/// something asks for it: no browser sends a token by itself, and so neither does a page that only
/// names the address.
pub(super) struct Program(pub Caller);

impl FromRequestParts<Site> for Program {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Failure> {
        if bearer(&parts.headers).is_some() {
            let SessionsKeeper(caller) = SessionsKeeper::from_request_parts(parts, site).await?;
            return Ok(Self(caller));
        }
        let person = site.auth().authenticate(cookies::tokens(&parts.headers, cookies::PORTAL)).await?;
        Err(if person.is_some() { NeedsToken::LoggedIn } else { NeedsToken::Nobody }.into())
    }
}

/// A `GET` without a token asked for a change; nothing was done.
#[derive(Clone, Copy, Debug, Error)]
enum NeedsToken {
    #[error("a GET with a login cookie changes nothing")]
    LoggedIn,
    #[error("a bearer token is required")]
    Nobody,
}

impl Answer for NeedsToken {
    fn fault(&self) -> Fault {
        Fault::Downstream
    }

    fn code(&self) -> &'static str {
        match self {
            Self::LoggedIn => "get_changes_nothing",
            Self::Nobody => "token_required",
        }
    }

    fn sentence(&self) -> Sentence {
        Sentence::of(match self {
            Self::LoggedIn => "problem-get-changes-nothing",
            Self::Nobody => "problem-token-required",
        })
    }
}
