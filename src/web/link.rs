//! Links and tickets that let a browser into a client's session, without a login of a person.
//!
//! A link is followed by pressing the button of its page. Looking at the page does nothing: mail
//! programs, chats and browsers fetch addresses before anybody means to open them. A program that
//! asks for JSON means it, and gets no page.

use std::borrow::Cow;

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query, State};
use http::header::{ACCEPT, CONTENT_TYPE, LOCATION, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use serde::Deserialize;
use serde_json::json;

use super::gate::Arrival;
use super::login::{form_cookie, form_token};
use super::session_page::see_other;
use super::share::Moment;
use super::{Failure, Site};
use crate::auth::csrf::{self, Provenance};
use crate::auth::policy::Denied;
use crate::auth::{AuthError, Visitor, cookies};
use crate::body::Body;
use crate::broker::Entry;
use crate::kiosk::Followed;
use crate::language::Language;
use crate::respond::{self, Surface};
use crate::session::{Link, LinkAction};

#[derive(Template)]
#[template(path = "link.html")]
struct LinkPage<'a> {
    surface: &'a Surface,
    language: Language,
    title: &'static str,
    name: Option<Cow<'a, str>>,
    text: &'static str,
    button: &'static str,
    kind: &'static str,
    until: Moment,
    uses: u32,
    csrf: &'a str,
}

#[derive(Template)]
#[template(path = "link_done.html")]
struct DonePage<'a> {
    surface: &'a Surface,
    language: Language,
    text: &'static str,
}

/// The form of a link's page.
#[derive(Deserialize)]
pub(super) struct Pressed {
    #[serde(default)]
    csrf: String,
}

/// What the address of the entrance carries.
#[derive(Deserialize)]
pub(super) struct Ask {
    #[serde(default)]
    ticket: String,
}

/// `GET /link/<secret>`: what it does, and the button that does it. Programs that ask for JSON, and
/// for nothing else, follow it at once.
pub(super) async fn show(
    State(site): State<Site>,
    arrival: Arrival,
    Path(secret): Path<String>,
    method: Method,
    language: Language,
    headers: HeaderMap,
) -> Result<Response<Body>, Failure> {
    if method == Method::GET && is_program(&headers) {
        Provenance::of(&headers).is_own(site.origin())?;
        return tell(&site, &secret, &arrival.visitor(&headers)).await;
    }
    let link = site.auth().look_at_link(&secret).await?;
    let token = form_token(&headers);
    let mut response = page(&site, &link, language, &csrf::masked(&token));
    response.headers_mut().append(SET_COOKIE, form_cookie(&token));
    Ok(response)
}

/// `POST /link/<secret>`: follows it. Whoever holds the secret may; a form of another site may not
/// even so, or it could send its readers where they did not want to go.
pub(super) async fn follow(
    State(site): State<Site>,
    arrival: Arrival,
    Path(secret): Path<String>,
    language: Language,
    headers: HeaderMap,
    Form(form): Form<Pressed>,
) -> Result<Response<Body>, Failure> {
    let tokens = cookies::tokens(&headers, cookies::FORM);
    csrf::check_form(tokens, Some(&form.csrf), Provenance::of(&headers), site.origin())?;
    let from = arrival.visitor(&headers);
    match site.kiosk().follow_link(&secret, &from).await? {
        Followed::Access { entry, .. } => {
            let login = site.kiosk().let_in(&entry, &from).await?;
            Ok(entered(&site, &entry, &login.token))
        }
        Followed::Removed { client, .. } => {
            let text = if client.is_some() { "link-removed-text" } else { "link-removed-all-text" };
            let shown = DonePage { surface: site.portal(), language, text };
            Ok(respond::page(site.portal(), StatusCode::OK, &shown))
        }
    }
}

/// `GET /enter/<label>?ticket=`: lets the browser in that presents a ticket, once. Fetched ahead by
/// a browser, it answers nothing and keeps the ticket.
pub(super) async fn enter(
    State(site): State<Site>,
    arrival: Arrival,
    Path(label): Path<String>,
    Query(ask): Query<Ask>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response<Body>, Failure> {
    if method != Method::GET || is_prefetch(&headers) {
        return Ok(respond::bare(StatusCode::NO_CONTENT, String::new()));
    }
    // Loaded again, with the ticket still in the address: whoever is in stays in.
    if ask.ticket.is_empty() || site.let_in(&headers, &label).await?.is_some() {
        let entry = site.broker().find(&label).ok_or(Denied)?;
        return Ok(see_other(&site.address(&entry)));
    }
    let entry = site.broker().find(&label).ok_or(AuthError::TicketInvalid)?;
    let login = site.kiosk().redeem(&ask.ticket, &entry, &arrival.visitor(&headers)).await?;
    Ok(entered(&site, &entry, &login.token))
}

/// What a program is told once it has followed a link.
async fn tell(site: &Site, secret: &str, from: &Visitor) -> Result<Response<Body>, Failure> {
    match site.kiosk().follow_link(secret, from).await? {
        Followed::Access { entry, client } => {
            let ticket = site.kiosk().ticket(&entry, from).await?;
            let url = format!("{}/enter/{}?ticket={}", site.origin(), entry.label, ticket.expose());
            let told = json!({ "status": "ok", "client_id": client, "url": url, "label": entry.label });
            let mut response = document(StatusCode::SEE_OTHER, &told.to_string());
            if let Ok(location) = HeaderValue::from_str(&url) {
                response.headers_mut().insert(LOCATION, location);
            }
            Ok(response)
        }
        Followed::Removed { client, count } => {
            let told = json!({ "status": "removed", "client_id": client, "removed": count });
            Ok(document(StatusCode::OK, &told.to_string()))
        }
    }
}

fn document(status: StatusCode, text: &str) -> Response<Body> {
    let mut response = respond::bare(status, text.to_owned());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Sends a browser that was let in to the session, with the cookie that lets it in again.
fn entered(site: &Site, entry: &Entry, token: &crate::secret::Secret<String>) -> Response<Body> {
    let mut response = see_other(&site.address(entry));
    let cookie = cookies::set_at(&entry.label, token, site.kiosk().entry_ttl());
    response.headers_mut().append(SET_COOKIE, cookie);
    response
}

fn page(site: &Site, link: &Link, language: Language, csrf: &str) -> Response<Body> {
    let (title, text, button, kind) = match link.action {
        LinkAction::Access(_) => ("link-access", "link-access-text", "link-access-button", "primary"),
        LinkAction::Remove(_) => ("link-remove", "link-remove-text", "link-remove-button", "danger"),
        LinkAction::RemoveAll => {
            ("link-remove-all", "link-remove-all-text", "link-remove-all-button", "danger")
        }
    };
    let name = link.action.client().map(|client| client.session_name(None).as_str().to_owned().into());
    let shown = LinkPage {
        surface: site.portal(),
        language,
        title,
        name,
        text,
        button,
        kind,
        until: Moment::to_come(language, link.expires_at),
        uses: link.uses - link.used,
        csrf,
    };
    respond::page(site.portal(), StatusCode::OK, &shown)
}

/// Whether a program asks: it wants JSON and nothing else, and fetches nothing ahead.
fn is_program(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let kind = accept.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/json") && !accept.contains(',') && !is_prefetch(headers)
}

/// Whether a browser fetches ahead what nobody has asked for yet.
fn is_prefetch(headers: &HeaderMap) -> bool {
    ["sec-purpose", "purpose", "x-purpose", "x-moz"].iter().any(|name| {
        let value = headers.get(*name).map(|value| value.as_bytes().to_ascii_lowercase()).unwrap_or_default();
        [&b"prefetch"[..], b"prerender", b"preview"]
            .iter()
            .any(|word| value.windows(word.len()).any(|w| w == *word))
    })
}
