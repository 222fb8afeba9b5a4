//! `/account/tokens` and `/admin/tokens`: tokens of programs, seen, made and revoked. Everybody has
//! those that act as themself; administrators see all of them.

use std::collections::HashMap;
use std::time::Duration;

use askama::Template;
use axum::extract::{Path, State};
use http::{Response, StatusCode};
use jiff::Timestamp;
use serde::Deserialize;

use super::gate::{Arrival, Changing, Known, Nothing};
use super::person::{Person, Tab};
use super::session_page::see_other;
use super::words::{self, Text};
use super::{Failure, Site};
use crate::audit::Actor;
use crate::auth::policy;
use crate::auth::{AuthError, NewApiToken, Principal};
use crate::body::Body;
use crate::clock;
use crate::fault::Answer;
use crate::language::Language;
use crate::respond::{self, Surface};
use crate::session::UserId;
use crate::store::{ApiToken, Scope, Scopes, TokenId};

const OWN: &str = "/account/tokens";
const ALL: &str = "/admin/tokens";

/// How long a token may last, in days; 0 is until it is revoked.
const LASTS_DAYS: [u64; 4] = [30, 90, 365, 0];

#[derive(Template)]
#[template(path = "tokens.html")]
struct TokensPage<'a> {
    surface: &'a Surface,
    language: Language,
    person: &'a Person,
    tab: Tab,
    /// Whether it is the page of all tokens.
    all: bool,
    /// Its own address.
    here: &'static str,
    rows: Vec<Row>,
    made: Option<Made>,
    form: Form,
}

struct Row {
    id: String,
    name: String,
    scopes: String,
    user: Option<String>,
    by: String,
    made: Moment,
    lapses: Option<Moment>,
    used: Option<Moment>,
}

/// A moment, exact and as people say it.
struct Moment {
    exact: String,
    said: String,
}

/// A token that was just made: the only time its text is shown.
struct Made {
    name: String,
    secret: String,
}

/// The form, as it was typed.
struct Form {
    name: String,
    name_problem: Option<String>,
    user: String,
    user_problem: Option<String>,
    scopes: Vec<ScopeChoice>,
    scopes_problem: Option<String>,
    lasts: Vec<LastsChoice>,
    problem: Option<String>,
}

struct ScopeChoice {
    field: &'static str,
    name: &'static str,
    sentence: Text,
    chosen: bool,
}

struct LastsChoice {
    days: u64,
    title: String,
    chosen: bool,
}

/// What is typed to make a token. A box that is not ticked is not sent.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    name: String,
    user: String,
    lasts: String,
    sessions_read: String,
    sessions_write: String,
    users_write: String,
    admin: String,
}

impl Typed {
    fn ticked(&self, scope: Scope) -> bool {
        let field = match scope {
            Scope::Admin => &self.admin,
            Scope::SessionsRead => &self.sessions_read,
            Scope::SessionsWrite => &self.sessions_write,
            Scope::UsersWrite => &self.users_write,
        };
        !field.is_empty()
    }

    fn days(&self) -> u64 {
        self.lasts.parse().ok().filter(|days| LASTS_DAYS.contains(days)).unwrap_or(LASTS_DAYS[0])
    }
}

/// What is wrong with it, beside the field that it is about.
#[derive(Default)]
struct Flaws {
    name: Option<String>,
    user: Option<String>,
    scopes: Option<String>,
    whole: Option<String>,
}

/// `GET /account/tokens`
pub(super) async fn show_own(
    State(site): State<Site>,
    Known(known): Known,
    language: Language,
) -> Result<Response<Body>, Failure> {
    View { site: &site, known: &known, language, all: false }.page(StatusCode::OK, None, None).await
}

/// `GET /admin/tokens`; to everyone else it does not exist.
pub(super) async fn show_all(
    State(site): State<Site>,
    Known(known): Known,
    language: Language,
) -> Result<Response<Body>, Failure> {
    policy::administer(&known).map_err(|_denied| Failure::not_found())?;
    View { site: &site, known: &known, language, all: true }.page(StatusCode::OK, None, None).await
}

/// `POST /account/tokens`
pub(super) async fn make_own(
    State(site): State<Site>,
    arrival: Arrival,
    language: Language,
    Changing { known, form }: Changing<Typed>,
) -> Result<Response<Body>, Failure> {
    let by = Actor::user(&known.name, arrival.address);
    View { site: &site, known: &known, language, all: false }.make(&by, form).await
}

/// `POST /admin/tokens`
pub(super) async fn make_any(
    State(site): State<Site>,
    arrival: Arrival,
    language: Language,
    Changing { known, form }: Changing<Typed>,
) -> Result<Response<Body>, Failure> {
    policy::administer(&known).map_err(|_denied| Failure::not_found())?;
    let by = Actor::user(&known.name, arrival.address);
    View { site: &site, known: &known, language, all: true }.make(&by, form).await
}

/// `POST /account/tokens/<id>/revoke`
pub(super) async fn revoke_own(
    State(site): State<Site>,
    arrival: Arrival,
    Path(id): Path<String>,
    Changing { known, .. }: Changing<Nothing>,
) -> Result<Response<Body>, Failure> {
    revoke(&site, &known, &Actor::user(&known.name, arrival.address), &id).await?;
    Ok(see_other(OWN))
}

/// `POST /admin/tokens/<id>/revoke`
pub(super) async fn revoke_any(
    State(site): State<Site>,
    arrival: Arrival,
    Path(id): Path<String>,
    Changing { known, .. }: Changing<Nothing>,
) -> Result<Response<Body>, Failure> {
    policy::administer(&known).map_err(|_denied| Failure::not_found())?;
    revoke(&site, &known, &Actor::user(&known.name, arrival.address), &id).await?;
    Ok(see_other(ALL))
}

/// One that is gone already is no error: the page that follows does not show it.
async fn revoke(site: &Site, known: &Principal, by: &Actor, id: &str) -> Result<(), Failure> {
    let id: TokenId = id.parse().map_err(|_| Failure::not_found())?;
    let tokens = site.0.state.store.api_tokens().await?;
    if let Some(token) = tokens.iter().find(|token| token.id == id) {
        policy::see_token(known, token.user).map_err(|_denied| Failure::not_found())?;
        site.auth().revoke_token(by, id).await?;
    }
    Ok(())
}

/// Which of the two pages, and who reads it.
struct View<'a> {
    site: &'a Site,
    known: &'a Principal,
    language: Language,
    all: bool,
}

impl View<'_> {
    async fn make(&self, by: &Actor, typed: Typed) -> Result<Response<Body>, Failure> {
        match self.try_make(by, &typed).await? {
            Ok(made) => self.page(StatusCode::OK, Some(made), None).await,
            Err(flaws) => self.page(StatusCode::UNPROCESSABLE_ENTITY, None, Some((typed, flaws))).await,
        }
    }

    async fn try_make(&self, by: &Actor, typed: &Typed) -> Result<Result<Made, Flaws>, Failure> {
        let scopes: Scopes = Scope::ALL.into_iter().filter(|scope| typed.ticked(*scope)).collect();
        if scopes.is_empty() {
            let text = self.language.text("tokens-scopes-missing").into_owned();
            return Ok(Err(Flaws { scopes: Some(text), ..Flaws::default() }));
        }
        let user = match typed.user.trim() {
            _ if !self.all => Some(self.known.user),
            "" => None,
            name => match self.site.0.state.store.user_by_name(name).await? {
                Some(user) => Some(user.id),
                None => return Ok(Err(self.flaws(&AuthError::UserUnknown))),
            },
        };
        let lasts = Some(typed.days()).filter(|days| *days > 0).map(|days| Duration::from_hours(24 * days));
        let expires_at = lasts.map(|lasts| clock::later(clock::now(), lasts));
        let new = NewApiToken { name: typed.name.clone(), scopes, user, expires_at };
        match self.site.auth().make_token(self.known, by, new).await {
            Ok((secret, token)) => Ok(Ok(Made { name: token.name, secret: secret.expose().clone() })),
            Err(
                error
                @ (AuthError::NameInvalid(_) | AuthError::UserUnknown | AuthError::TooManyTokens { .. }),
            ) => Ok(Err(self.flaws(&error))),
            Err(error) => Err(error.into()),
        }
    }

    fn flaws(&self, error: &AuthError) -> Flaws {
        let text = Some(error.sentence().said(self.language));
        match error {
            AuthError::NameInvalid(_) => Flaws { name: text, ..Flaws::default() },
            AuthError::UserUnknown => Flaws { user: text, ..Flaws::default() },
            _ => Flaws { whole: text, ..Flaws::default() },
        }
    }

    async fn page(
        &self,
        status: StatusCode,
        made: Option<Made>,
        refused: Option<(Typed, Flaws)>,
    ) -> Result<Response<Body>, Failure> {
        let store = &self.site.0.state.store;
        let mut tokens = store.api_tokens().await?;
        tokens.retain(|token| self.all || token.user == Some(self.known.user));
        let users = store.users().await?;
        let names: HashMap<UserId, String> = users.into_iter().map(|user| (user.id, user.name)).collect();
        let person = Person::of(self.known, self.language);
        let shown = TokensPage {
            surface: self.site.portal(),
            language: self.language,
            person: &person,
            tab: if self.all { Tab::Tokens } else { Tab::Account },
            all: self.all,
            here: if self.all { ALL } else { OWN },
            rows: tokens.into_iter().map(|token| self.row(token, &names)).collect(),
            made,
            form: self.form(refused.unwrap_or_default()),
        };
        Ok(respond::page(self.site.portal(), status, &shown))
    }

    fn row(&self, token: ApiToken, names: &HashMap<UserId, String>) -> Row {
        let past = |at: Timestamp| Moment {
            exact: at.to_string(),
            said: words::ago(self.language, clock::since(at)),
        };
        let lapses = |at: Timestamp| Moment {
            exact: at.to_string(),
            said: words::remaining(self.language, clock::until(at)),
        };
        Row {
            id: token.id.to_string(),
            scopes: token.scopes.iter().map(Scope::name).collect::<Vec<_>>().join(", "),
            user: token.user.and_then(|user| names.get(&user).cloned()),
            name: token.name,
            by: token.created_by,
            made: past(token.created_at),
            lapses: token.expires_at.map(lapses),
            used: token.last_used_at.map(past),
        }
    }

    fn form(&self, (typed, flaws): (Typed, Flaws)) -> Form {
        let language = self.language;
        let offered = |scope: &Scope| self.all || Scopes::of_user().allow(*scope);
        let scopes = [Scope::SessionsRead, Scope::SessionsWrite, Scope::UsersWrite, Scope::Admin];
        let choice = |scope: Scope| {
            let (field, sentence) = match scope {
                Scope::Admin => ("admin", "tokens-may-admin"),
                Scope::SessionsRead => ("sessions_read", "tokens-may-sessions-read"),
                Scope::SessionsWrite => ("sessions_write", "tokens-may-sessions-write"),
                Scope::UsersWrite => ("users_write", "tokens-may-users-write"),
            };
            let (name, chosen) = (scope.name(), typed.ticked(scope));
            ScopeChoice { field, name, sentence: language.text(sentence), chosen }
        };
        let lasts = |days: u64| LastsChoice {
            days,
            title: match days {
                0 => language.text("tokens-endless").into_owned(),
                days => language.say("tokens-days", &[("days", days.into())]),
            },
            chosen: typed.days() == days,
        };
        Form {
            scopes: scopes.into_iter().filter(offered).map(choice).collect(),
            lasts: LASTS_DAYS.into_iter().map(lasts).collect(),
            name: typed.name.clone(),
            name_problem: flaws.name,
            user: typed.user.clone(),
            user_problem: flaws.user,
            scopes_problem: flaws.scopes,
            problem: flaws.whole,
        }
    }
}
