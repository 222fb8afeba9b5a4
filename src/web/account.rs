//! One's own account: changing the password.

use askama::Template;
use axum::extract::State;
use http::header::{RETRY_AFTER, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use serde::Deserialize;

use super::gate::{Arrival, Changing, Known};
use super::person::{Person, Tab};
use super::session_page::see_other;
use super::{Failure, Site};
use crate::auth::{AuthError, cookies};
use crate::body::Body;
use crate::fault::Answer;
use crate::language::Language;
use crate::respond::{self, Surface};
use crate::secret::Secret;

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage<'a> {
    surface: &'a Surface,
    language: Language,
    person: &'a Person,
    tab: Tab,
    flaws: Flaws,
}

/// The form that changes the password.
#[derive(Deserialize)]
pub(super) struct Passwords {
    present: Secret<String>,
    new: Secret<String>,
    again: Secret<String>,
}

/// What was wrong, beside the field that it is about.
#[derive(Default)]
struct Flaws {
    present: Option<String>,
    new: Option<String>,
    again: Option<String>,
}

/// `GET /account`
pub(super) async fn show(
    State(site): State<Site>,
    Known(known): Known,
    language: Language,
) -> Response<Body> {
    page(&site, &Person::of(&known, language), StatusCode::OK, Flaws::default())
}

/// `POST /account`: another password. All logins end, this one too: whoever knew the old one is out.
pub(super) async fn change(
    State(site): State<Site>,
    arrival: Arrival,
    headers: HeaderMap,
    language: Language,
    Changing { known, form }: Changing<Passwords>,
) -> Result<Response<Body>, Failure> {
    let person = Person::of(&known, language);
    if let Some(flaws) = mistyped(language, &form) {
        return Ok(page(&site, &person, StatusCode::UNPROCESSABLE_ENTITY, flaws));
    }
    let visitor = arrival.visitor(&headers);
    if let Err(refused) = site.auth().change_password(&known, &form.present, &form.new, &visitor).await {
        return again(&site, &person, refused);
    }
    let mut response = see_other("/login?changed=yes");
    response.headers_mut().append(SET_COOKIE, cookies::clear(cookies::PORTAL));
    Ok(response)
}

fn mistyped(language: Language, form: &Passwords) -> Option<Flaws> {
    if form.new != form.again {
        let text = language.text("account-differ").into_owned();
        return Some(Flaws { again: Some(text), ..Flaws::default() });
    }
    if form.new == form.present {
        let text = language.text("account-same").into_owned();
        return Some(Flaws { new: Some(text), ..Flaws::default() });
    }
    None
}

/// The form once more; what is not about it is answered as any other error.
fn again(site: &Site, person: &Person, refused: AuthError) -> Result<Response<Body>, Failure> {
    let (status, flaws) = match &refused {
        // Not 401: this login is valid.
        AuthError::CredentialsWrong => {
            let text = person.language.text("account-wrong").into_owned();
            (StatusCode::UNPROCESSABLE_ENTITY, Flaws { present: Some(text), ..Flaws::default() })
        }
        AuthError::PasswordWeak(_) => (
            respond::status(&refused),
            Flaws { new: Some(refused.sentence().said(person.language)), ..Flaws::default() },
        ),
        AuthError::Throttled { .. } => (
            respond::status(&refused),
            Flaws { present: Some(refused.sentence().said(person.language)), ..Flaws::default() },
        ),
        AuthError::CsrfFailed
        | AuthError::Hash { .. }
        | AuthError::LastAdmin
        | AuthError::LoginRequired
        | AuthError::NameInvalid(_)
        | AuthError::OriginForeign
        | AuthError::Store(_)
        | AuthError::TicketInvalid
        | AuthError::TokenDenied
        | AuthError::TokenInvalid
        | AuthError::TooManyTokens { .. }
        | AuthError::UserTaken
        | AuthError::UserUnknown => return Err(refused.into()),
    };
    let mut response = page(site, person, status, flaws);
    if let Some(after) = refused.retry_after() {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(after.as_secs().max(1)));
    }
    Ok(response)
}

fn page(site: &Site, person: &Person, status: StatusCode, flaws: Flaws) -> Response<Body> {
    let shown =
        AccountPage { surface: site.portal(), language: person.language, person, tab: Tab::Account, flaws };
    respond::page(site.portal(), status, &shown)
}
