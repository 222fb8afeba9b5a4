//! One's own account: the password, how one reads pages, and where one is logged in.

use std::borrow::Cow;

use askama::Template;
use axum::extract::{Path, Query, State};
use http::header::{RETRY_AFTER, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use serde::Deserialize;

use super::choices::Chooser;
use super::gate::{Arrival, Changing, Known, Nothing};
use super::person::{Person, Tab};
use super::session_page::see_other;
use super::{Failure, Site, browsers, words};
use crate::audit::Actor;
use crate::auth::{AuthError, LoginId, Principal, cookies};
use crate::body::Body;
use crate::clock;
use crate::fault::Answer;
use crate::language::Language;
use crate::respond::{self, Surface};
use crate::secret::Secret;
use crate::store::Login;

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage<'a> {
    surface: &'a Surface,
    language: Language,
    person: &'a Person,
    tab: Tab,
    notice: Option<Cow<'static, str>>,
    flaws: Flaws,
    chooser: Chooser<'a>,
    logins: Vec<LoginRow>,
    /// What the button says that ends all others, if there are any.
    end_others: Option<String>,
}

/// What the address of the page may carry.
#[derive(Default, Deserialize)]
pub(super) struct Ask {
    must: Option<String>,
    chosen: Option<String>,
    ended: Option<String>,
}

/// A login, in words.
struct LoginRow {
    id: String,
    browser: String,
    address: String,
    since: String,
    ago: String,
    /// Whether it is the one that the page is read with.
    this: bool,
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
    Query(ask): Query<Ask>,
    language: Language,
) -> Result<Response<Body>, Failure> {
    let notice = match ask {
        _ if known.must_change => Some("account-must"),
        Ask { must: Some(_), .. } => None,
        Ask { chosen: Some(_), .. } => Some("account-chosen"),
        Ask { ended: Some(_), .. } => Some("account-ended"),
        Ask { must: None, chosen: None, ended: None } => None,
    };
    let notice = notice.map(|notice| language.text(notice));
    page(&site, &known, &Person::of(&known, language), StatusCode::OK, (notice, Flaws::default())).await
}

/// `POST /account/logins/<id>/end`
pub(super) async fn end_login(
    State(site): State<Site>,
    arrival: Arrival,
    Path(id): Path<String>,
    Changing { known, .. }: Changing<Nothing>,
) -> Result<Response<Body>, Failure> {
    let id = id.parse().map_err(|_| Failure::not_found())?;
    let user = site.0.state.store.user(known.user).await?.ok_or(AuthError::UserUnknown)?;
    site.auth().end_login(&Actor::user(&known.name, arrival.address), &user, id).await?;
    Ok(see_other("/account?ended=yes"))
}

/// `POST /account/logins/end-others`
pub(super) async fn end_others(
    State(site): State<Site>,
    arrival: Arrival,
    Changing { known, .. }: Changing<Nothing>,
) -> Result<Response<Body>, Failure> {
    site.auth().end_other_logins(&known, arrival.address).await?;
    Ok(see_other("/account?ended=yes"))
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
        return page(&site, &known, &person, StatusCode::UNPROCESSABLE_ENTITY, (None, flaws)).await;
    }
    let visitor = arrival.visitor(&headers);
    if let Err(refused) = site.auth().change_password(&known, &form.present, &form.new, &visitor).await {
        return again(&site, &known, &person, refused).await;
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

/// The page once more; what is not about the form is answered as any other error.
async fn again(
    site: &Site,
    known: &Principal,
    person: &Person,
    refused: AuthError,
) -> Result<Response<Body>, Failure> {
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
        | AuthError::LinkInvalid
        | AuthError::LinkUnfit { .. }
        | AuthError::LoginRequired
        | AuthError::MustChange
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
    let mut response = page(site, known, person, status, (None, flaws)).await?;
    if let Some(after) = refused.retry_after() {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(after.as_secs().max(1)));
    }
    Ok(response)
}

async fn page(
    site: &Site,
    known: &Principal,
    person: &Person,
    status: StatusCode,
    (notice, flaws): (Option<Cow<'static, str>>, Flaws),
) -> Result<Response<Body>, Failure> {
    let logins = site.auth().logins_of(known.user).await?;
    let row = |login: &Login| LoginRow::of(person.language, login, login.token == known.login);
    let logins: Vec<LoginRow> = logins.iter().map(row).collect();
    let shown = AccountPage {
        surface: site.portal(),
        language: person.language,
        person,
        tab: Tab::Account,
        notice,
        flaws,
        chooser: Chooser {
            action: "/account/choices",
            csrf: &person.csrf,
            back: "/account",
            now: known.preferences,
        },
        end_others: others(person.language, &logins),
        logins,
    };
    Ok(respond::page(site.portal(), status, &shown))
}

fn others(language: Language, logins: &[LoginRow]) -> Option<String> {
    let others = logins.iter().filter(|login| !login.this).count();
    (others > 0).then(|| language.say("logins-end-others", &[("count", others.into())]))
}

impl LoginRow {
    fn of(language: Language, login: &Login, this: bool) -> Self {
        Self {
            id: LoginId::of(&login.token).to_string(),
            browser: browsers::in_words(language, &login.user_agent),
            address: login.address.clone(),
            since: login.created_at.to_string(),
            ago: words::ago(language, clock::since(login.created_at)),
            this,
        }
    }
}
