//! Logging in and out.

use std::borrow::Cow;

use askama::Template;
use axum::Form;
use axum::extract::{Query, State};
use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use serde::Deserialize;

use super::choices::Chooser;
use super::gate::{Arrival, Changing, MaybeKnown, Nothing};
use super::next::NextPath;
use super::session_page::see_other;
use super::{Failure, Site, landing};
use crate::auth::{AuthError, cookies, csrf};
use crate::body::Body;
use crate::fault::Answer;
use crate::language::Language;
use crate::respond::{self, Surface};
use crate::secret::{Secret, random_token};

/// How long a login page may stay open before its form is out of date.
const FORM_TTL: std::time::Duration = std::time::Duration::from_secs(86_400);

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage<'a> {
    surface: &'a Surface,
    language: Language,
    csrf: &'a str,
    next: &'a str,
    name: &'a str,
    notice: Option<Cow<'static, str>>,
    problem: Option<String>,
    chooser: Chooser<'a>,
}

/// What the address of the login page may carry.
#[derive(Deserialize)]
pub(super) struct Ask {
    #[serde(default)]
    next: String,
    out: Option<String>,
    changed: Option<String>,
}

/// The login form.
#[derive(Deserialize)]
pub(super) struct Credentials {
    #[serde(default)]
    csrf: String,
    #[serde(default)]
    next: String,
    name: String,
    password: Secret<String>,
}

/// What the form says above its fields.
enum Said {
    Nothing,
    Notice(Cow<'static, str>),
    Problem(String),
}

/// `GET /login`
pub(super) async fn show(
    State(site): State<Site>,
    MaybeKnown(known): MaybeKnown,
    Query(ask): Query<Ask>,
    headers: HeaderMap,
) -> Response<Body> {
    let next = NextPath::of(&ask.next);
    if known.is_some() {
        return see_other(next.as_str());
    }
    let language = Language::of(&headers);
    let said = match (ask.changed, ask.out) {
        (Some(_), _) => Said::Notice(language.text("login-changed")),
        (None, Some(_)) => Said::Notice(language.text("login-out")),
        (None, None) => Said::Nothing,
    };
    form(&site, &headers, StatusCode::OK, &next, "", said)
}

/// `POST /login`
pub(super) async fn log_in(
    State(site): State<Site>,
    arrival: Arrival,
    MaybeKnown(known): MaybeKnown,
    headers: HeaderMap,
    Form(credentials): Form<Credentials>,
) -> Result<Response<Body>, Failure> {
    let next = NextPath::of(&credentials.next);
    let provenance = csrf::Provenance::of(&headers);
    let tokens = cookies::tokens(&headers, cookies::FORM);
    let checked = csrf::check_form(tokens, Some(&credentials.csrf), provenance, site.origin());
    let outcome = match checked {
        Ok(()) => {
            site.auth().log_in(&credentials.name, &credentials.password, &arrival.visitor(&headers)).await
        }
        Err(refused) => Err(refused),
    };
    let login = match outcome {
        Ok(login) => login,
        Err(refused) => return again(&site, &headers, &next, &credentials.name, refused),
    };
    if let Some(before) = known {
        // The browser forgets that login now, so nobody could end it any more.
        site.auth().log_out(&before, arrival.address).await?;
    }
    let chosen = login.principal.preferences.language;
    let language = chosen.unwrap_or_else(|| Language::of(&headers));
    let to = landing::after_login(&site, &login.principal, &next, (language, arrival.address)).await;
    let mut response = see_other(&to);
    let cookie = cookies::set(cookies::PORTAL, &login.token, site.auth().login_ttl());
    response.headers_mut().append(SET_COOKIE, cookie);
    response.headers_mut().append(SET_COOKIE, cookies::clear(cookies::FORM));
    Ok(response)
}

/// `POST /logout`
pub(super) async fn log_out(
    State(site): State<Site>,
    arrival: Arrival,
    Changing { known, .. }: Changing<Nothing>,
) -> Result<Response<Body>, Failure> {
    site.auth().log_out(&known, arrival.address).await?;
    let mut response = see_other("/login?out=yes");
    response.headers_mut().append(SET_COOKIE, cookies::clear(cookies::PORTAL));
    Ok(response)
}

/// The form once more, with what was wrong beside it. What is not about this form is answered as
/// any other error.
fn again(
    site: &Site,
    headers: &HeaderMap,
    next: &NextPath,
    name: &str,
    refused: AuthError,
) -> Result<Response<Body>, Failure> {
    let about_form =
        matches!(refused, AuthError::CredentialsWrong | AuthError::CsrfFailed | AuthError::Throttled { .. });
    if !about_form {
        return Err(refused.into());
    }
    let status = respond::status(&refused);
    let problem = Said::Problem(refused.sentence().said(Language::of(headers)));
    let mut response = form(site, headers, status, next, name, problem);
    if let Some(after) = refused.retry_after() {
        response.headers_mut().insert(http::header::RETRY_AFTER, HeaderValue::from(after.as_secs().max(1)));
    }
    Ok(response)
}

fn form(
    site: &Site,
    headers: &HeaderMap,
    status: StatusCode,
    next: &NextPath,
    name: &str,
    said: Said,
) -> Response<Body> {
    let (notice, problem) = match said {
        Said::Nothing => (None, None),
        Said::Notice(text) => (Some(text), None),
        Said::Problem(text) => (None, Some(text)),
    };
    // Another tab may have the same form open: it keeps its token.
    let ours = cookies::tokens(headers, cookies::FORM).find(|token| is_token(token));
    let token = ours.map_or_else(random_token, |token| Secret::new(token.to_owned()));
    let shown = LoginPage {
        surface: site.portal(),
        language: Language::of(headers),
        csrf: token.expose(),
        next: next.as_str(),
        name,
        notice,
        problem,
        chooser: Chooser {
            action: "/choices",
            csrf: token.expose(),
            back: next.as_str(),
            now: cookies::choice(headers),
        },
    };
    let mut response = respond::page(site.portal(), status, &shown);
    response.headers_mut().append(SET_COOKIE, cookies::set(cookies::FORM, &token, FORM_TTL));
    response
}

/// Whether a cookie has the form of a token of ours (43 characters of base64url).
fn is_token(text: &str) -> bool {
    text.len() == 43 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}
