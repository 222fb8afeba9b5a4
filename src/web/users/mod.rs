//! The admin's pages of users: the table, and creating one. What concerns one user is in `one`,
//! their home in `home`, a list of them in `import`.

mod home;
mod import;
mod limits;
mod one;
mod query;
mod remove;

use std::borrow::Cow;

use askama::Template;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Query, State};
use axum::routing::{get, post};
use http::{Response, StatusCode};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use self::limits::LimitFields;
use self::query::{Asked, Part};
use super::gate::{Arrival, Changing, Known};
use super::person::{Person as Reader, Tab};
use super::{Failure, Site, words};
use crate::audit::Actor;
use crate::auth::import::sheet;
use crate::auth::{AuthError, NewUser, Principal, Renewal, Terms, policy};
use crate::body::Body;
use crate::clock;
use crate::fault::Answer;
use crate::language::Language;
use crate::people::{self, Person};
use crate::respond::{self, Surface};
use crate::secret::{Secret, random_password};
use crate::session::{UserId, UserLimits};
use crate::store::{Role, User};

pub(super) fn routes() -> Router<Site> {
    // A list is longer than other forms.
    let lists = post(import::trial).layer(DefaultBodyLimit::max(sheet::MOST_BYTES + 16 * 1024));
    Router::new()
        .route("/admin/users", get(show).post(create))
        .route("/admin/user-import/{id}/results", get(import::results))
        .route("/admin/users/{name}", get(one::show))
        .route("/admin/users/{name}/delete", get(remove::confirm).post(remove::remove))
        .route("/admin/users/{name}/home/{copy}", get(home::confirm).post(home::restore))
        .route("/admin/users/{name}/disable", post(one::disable))
        .route("/admin/users/{name}/enable", post(one::enable))
        .route("/admin/users/{name}/role", post(one::role))
        .route("/admin/users/{name}/limits", post(one::limits))
        .route("/admin/users/{name}/password", post(one::password))
        .route("/admin/users/{name}/logins/{id}/end", post(one::end_login))
        .route("/admin/users/{name}/logins/end", post(one::end_logins))
        .route("/admin/user-import", get(import::ask).merge(lists))
        .route("/admin/user-import/{id}", get(import::show).post(import::begin))
        .route("/admin/user-import/{id}/passwords", post(import::passwords))
        .route("/admin/users.csv", get(import::export))
}

#[derive(Template)]
#[template(path = "users.html")]
struct UsersPage<'a> {
    surface: &'a Surface,
    language: Language,
    person: &'a Reader,
    tab: Tab,
    notice: Option<String>,
    asked: &'a Asked,
    count: String,
    rows: Vec<Row>,
    sorts: [(&'static str, &'static str); 3],
    /// The address of the first page, if this is a later one.
    first: Option<String>,
    previous: Option<String>,
    next: Option<String>,
    limits: LimitFields,
    limits_problem: Option<Cow<'static, str>>,
    form: CreateForm,
}

#[derive(Template)]
#[template(path = "user_made.html")]
struct MadePage<'a> {
    surface: &'a Surface,
    language: Language,
    person: &'a Reader,
    tab: Tab,
    title: Cow<'static, str>,
    text: String,
    name: &'a str,
    password: &'a str,
    address: String,
}

/// A line of the table.
struct Row {
    name: String,
    address: String,
    role: Cow<'static, str>,
    disabled: bool,
    must_change: bool,
    sessions: usize,
    running: usize,
    home: Option<String>,
    created: String,
    created_ago: String,
    login: Option<(String, String)>,
}

/// The form for a new user, with what was typed and what was wrong with it.
#[derive(Default)]
struct CreateForm {
    open: bool,
    name: String,
    admin: bool,
    must_change: bool,
    limits: LimitFields,
    name_problem: Option<String>,
    password_problem: Option<String>,
    limits_problem: Option<Cow<'static, str>>,
}

/// What the form brings.
#[derive(Deserialize)]
pub(super) struct NewUserForm {
    #[serde(default)]
    name: String,
    #[serde(default)]
    role: String,
    #[serde(default)]
    password: String,
    must_change: Option<String>,
    #[serde(flatten)]
    limits: LimitFields,
}

/// Somebody who administers; to everybody else the page does not exist.
pub(super) fn administrator(known: &Principal) -> Result<(), Failure> {
    policy::administer(known).map_err(|_denied| Failure::not_found())
}

/// The address of a user's page: by name, or by id where the name cannot stand in an address.
pub(super) fn address(user: &User) -> String {
    address_of(&user.name, user.id)
}

/// The same of whoever has this name and this id.
pub(in crate::web) fn address_of(name: &str, id: UserId) -> String {
    if name.contains(['/', '\\']) {
        return format!("/admin/users/{id}");
    }
    format!("/admin/users/{}", utf8_percent_encode(name, NON_ALPHANUMERIC))
}

/// What a role is called.
pub(super) fn role_word(language: Language, role: Role) -> Cow<'static, str> {
    language.text(match role {
        Role::Admin => "role-admin",
        Role::User => "role-user",
    })
}

/// `GET /admin/users`
pub(super) async fn show(
    State(site): State<Site>,
    Known(known): Known,
    Query(asked): Query<Asked>,
    language: Language,
) -> Result<Response<Body>, Failure> {
    administrator(&known)?;
    page(&site, &Reader::of(&known, language), StatusCode::OK, &asked, CreateForm::default()).await
}

/// `POST /admin/users`
pub(super) async fn create(
    State(site): State<Site>,
    arrival: Arrival,
    language: Language,
    Changing { known, form }: Changing<NewUserForm>,
) -> Result<Response<Body>, Failure> {
    administrator(&known)?;
    let reader = Reader::of(&known, language);
    let again = CreateForm {
        open: true,
        name: form.name.clone(),
        admin: form.role == Role::Admin.name(),
        must_change: form.must_change.is_some(),
        limits: form.limits.clone(),
        ..CreateForm::default()
    };
    let change = match form.limits.change(site.broker()) {
        Ok(change) => change,
        Err(problem) => {
            let flawed = CreateForm { limits_problem: Some(language.text(problem)), ..again };
            return page(&site, &reader, StatusCode::UNPROCESSABLE_ENTITY, &Asked::default(), flawed).await;
        }
    };
    let made = form.password.is_empty().then(random_password);
    let password = made.clone().unwrap_or_else(|| Secret::new(form.password.clone()));
    let terms = Terms {
        renewal: if form.must_change.is_some() { Renewal::Required } else { Renewal::Optional },
        disabled: false,
        limits: change.of(&UserLimits::default()),
    };
    let role = if again.admin { Role::Admin } else { Role::User };
    let new = NewUser { name: form.name.clone(), role, password };
    let actor = Actor::user(&known.name, arrival.address);
    match site.auth().create_user_on(&actor, new, terms).await {
        Ok(user) => Ok(created(&site, &reader, &user, made.as_ref())),
        Err(refused) => refused_create(&site, &reader, again, refused).await,
    }
}

fn created(site: &Site, reader: &Reader, user: &User, made: Option<&Secret<String>>) -> Response<Body> {
    match made {
        Some(password) => made_page(site, reader, user, ("users-created", "users-created-text"), password),
        None => super::session_page::see_other(&format!("{}?done=created", address(user))),
    }
}

/// The page that shows a password that was made, this once.
pub(super) fn made_page(
    site: &Site,
    reader: &Reader,
    user: &User,
    (title, text): (&'static str, &'static str),
    password: &Secret<String>,
) -> Response<Body> {
    let language = reader.language;
    let shown = MadePage {
        surface: site.portal(),
        language,
        person: reader,
        tab: Tab::Users,
        title: language.text(title),
        text: language.say(text, &[("name", user.name.clone().into())]),
        name: &user.name,
        password: password.expose(),
        address: address(user),
    };
    respond::page(site.portal(), StatusCode::OK, &shown)
}

async fn refused_create(
    site: &Site,
    reader: &Reader,
    again: CreateForm,
    refused: AuthError,
) -> Result<Response<Body>, Failure> {
    let text = Some(refused.sentence().said(reader.language));
    let flawed = match &refused {
        AuthError::NameInvalid(_) | AuthError::UserTaken => CreateForm { name_problem: text, ..again },
        AuthError::PasswordWeak(_) => CreateForm { password_problem: text, ..again },
        _ => return Err(refused.into()),
    };
    page(site, reader, respond::status(&refused), &Asked::default(), flawed).await
}

async fn page(
    site: &Site,
    reader: &Reader,
    status: StatusCode,
    asked: &Asked,
    form: CreateForm,
) -> Result<Response<Body>, Failure> {
    let language = reader.language;
    let Part { found, previous, next } = Part::of(site, asked).await?;
    let notice = (!asked.removed.is_empty())
        .then(|| language.say("users-removed", &[("name", asked.removed.clone().into())]));
    let shown = UsersPage {
        surface: site.portal(),
        language,
        person: reader,
        tab: Tab::Users,
        notice,
        asked,
        count: language.say("users-count", &[("count", found.total.into())]),
        rows: found.users.into_iter().map(|user| Row::of(site, language, user)).collect(),
        sorts: [("name", "users-name"), ("created", "users-created-at"), ("last_login", "users-last-login")],
        first: previous.is_some().then(|| asked.at("", "")),
        previous: previous.map(|place| asked.at("before", &people::cursor(&place))),
        next: next.map(|place| asked.at("cursor", &people::cursor(&place))),
        limits: form.limits.clone(),
        limits_problem: form.limits_problem.clone(),
        form,
    };
    Ok(respond::page(site.portal(), status, &shown))
}

impl Row {
    fn of(site: &Site, language: Language, user: User) -> Self {
        let Person { user, sessions, running, home } = Person::of(site.broker(), user);
        let ago = |at| words::ago(language, clock::since(at));
        Self {
            address: address(&user),
            role: role_word(language, user.role),
            disabled: user.disabled,
            must_change: user.must_change,
            sessions,
            running,
            home: home.map(|usage| words::size(language, usage.used_bytes)),
            created: user.created_at.to_string(),
            created_ago: ago(user.created_at),
            login: user.last_login_at.map(|at| (at.to_string(), ago(at))),
            name: user.name,
        }
    }
}
