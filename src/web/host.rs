//! Our own paths on a session's host: the way in, the viewer's files, and its event stream.

use std::sync::Arc;

use http::header::SET_COOKIE;
use http::{HeaderMap, Response, Uri};

use super::events::{Feed, Subject};
use super::session_page::see_other;
use super::{Failure, Site, health};
use crate::access;
use crate::auth::csrf::Provenance;
use crate::auth::policy::{Denied, Verb};
use crate::auth::{AuthError, cookies};
use crate::body::Body;
use crate::broker::Entry;
use crate::language::Language;
use crate::respond::follow::streamed;

/// Where our paths begin; the rest of the host is the session's.
const ROOT: &str = "/.berth/";

/// Answers a request for a path under [`ROOT`].
pub(super) async fn handle(
    site: &Site,
    uri: &Uri,
    headers: &HeaderMap,
    entry: Option<&Arc<Entry>>,
) -> Result<Response<Body>, Failure> {
    let path = uri.path().strip_prefix(ROOT).ok_or_else(Failure::not_found)?;
    match path {
        "enter" => enter(site, uri, headers, entry).await,
        "events" => follow(site, headers, entry).await,
        "ping" => Ok(health::alive().await),
        file => self::file(site, file, headers).ok_or_else(Failure::not_found),
    }
}

/// Trades the ticket for this host's own cookie.
async fn enter(
    site: &Site,
    uri: &Uri,
    headers: &HeaderMap,
    entry: Option<&Arc<Entry>>,
) -> Result<Response<Body>, Failure> {
    is_from_portal(site, headers)?;
    let ticket = uri.query().and_then(|query| query.strip_prefix("ticket=")).unwrap_or_default();
    let entry = entry.ok_or(AuthError::TicketInvalid)?;
    let login = site.auth().redeem(ticket, entry.id).await?;
    let mut response = see_other("/");
    let cookie = cookies::set(cookies::SESSION, &login.token, site.auth().login_ttl());
    response.headers_mut().append(SET_COOKIE, cookie);
    Ok(response)
}

/// Whether the portal may have sent the browser here. A link on a foreign page could carry a ticket
/// of whoever made that page, and log its reader in as them.
///
/// Browsers take every label under a name without a dot (`localhost`) for a site of its own: there
/// the portal is foreign too, and nothing can be told apart.
fn is_from_portal(site: &Site, headers: &HeaderMap) -> Result<(), AuthError> {
    let alone = !site.settings().domain.contains('.');
    match Provenance::of(headers).site {
        None | Some("none" | "same-origin" | "same-site") => Ok(()),
        Some("cross-site") if alone => Ok(()),
        Some(_) => Err(AuthError::OriginForeign),
    }
}

async fn follow(
    site: &Site,
    headers: &HeaderMap,
    entry: Option<&Arc<Entry>>,
) -> Result<Response<Body>, Failure> {
    let known = site.auth().authenticate(cookies::tokens(headers, cookies::SESSION)).await?;
    let known = known.ok_or(AuthError::LoginRequired)?;
    let entry = entry.ok_or(Denied)?;
    access::allow(&known, Verb::Open, entry)?;
    let subject = Subject::Session { entry: entry.clone(), verb: Verb::Open };
    let language = known.preferences.language.unwrap_or_else(|| Language::of(headers));
    Ok(streamed(Feed::of(site, subject, &known, language)?).map(Body::from))
}

fn file(site: &Site, path: &str, headers: &HeaderMap) -> Option<Response<Body>> {
    let path = path.strip_prefix("assets/")?;
    let (files, path) = match path.strip_prefix("novnc/") {
        Some(path) => (&site.0.novnc, path),
        None => (&site.0.assets, path),
    };
    let (version, path) = path.split_once('/')?;
    files.get(version, path, headers)
}
