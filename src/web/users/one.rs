//! One user: who they are, what they may do and take, where they are logged in.

use std::borrow::Cow;

use askama::Template;
use axum::extract::{Path, Query, State};
use http::{Response, StatusCode};
use serde::Deserialize;

use super::home::HomePart;
use super::limits::LimitFields;
use super::{address, administrator, made_page, role_word};
use crate::audit::Actor;
use crate::auth::{AuthError, LoginId, Renewal};
use crate::body::Body;
use crate::broker::Entry;
use crate::clock;
use crate::fault::Answer;
use crate::language::Language;
use crate::people::{self, Person};
use crate::respond::{self, Surface};
use crate::secret::random_password;
use crate::session::TemplateName;
use crate::store::{Login, Role, User};
use crate::web::gate::{Arrival, Changing, Known, Nothing};
use crate::web::person::{Person as Reader, Tab};
use crate::web::session_page::see_other;
use crate::web::{Failure, Site, browsers, words};

#[derive(Template)]
#[template(path = "user.html")]
struct UserPage<'a> {
    surface: &'a Surface,
    language: Language,
    person: &'a Reader,
    tab: Tab,
    notice: Option<Cow<'static, str>>,
    problem: Option<String>,
    name: &'a str,
    address: String,
    role: Cow<'static, str>,
    admin: bool,
    disabled: bool,
    must_change: bool,
    /// Whether it is the reader's own page.
    own: bool,
    created: (String, String),
    login: Option<(String, String)>,
    home: Option<String>,
    files: HomePart,
    sessions: Vec<SessionRow>,
    logins: Vec<LoginRow>,
    limits: LimitFields,
    limits_problem: Option<Cow<'static, str>>,
    /// What holds where a field is empty.
    general: LimitFields,
    templates: String,
}

struct SessionRow {
    name: String,
    label: String,
    state: &'static str,
    word: Cow<'static, str>,
}

struct LoginRow {
    id: String,
    browser: String,
    address: String,
    since: String,
    ago: String,
}

/// What the address of the page may carry.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Ask {
    done: String,
}

#[derive(Deserialize)]
pub(super) struct RoleForm {
    role: Role,
}

#[derive(Deserialize)]
pub(super) struct PasswordForm {
    must_change: Option<String>,
}

/// What stands on the page beside the user.
#[derive(Default)]
struct Said {
    notice: Option<&'static str>,
    problem: Option<String>,
    limits: Option<(LimitFields, &'static str)>,
}

/// `GET /admin/users/<name>`
pub(super) async fn show(
    State(site): State<Site>,
    Known(known): Known,
    Path(name): Path<String>,
    Query(ask): Query<Ask>,
    language: Language,
) -> Result<Response<Body>, Failure> {
    administrator(&known)?;
    let user = people::find(&*site.0.state.store, &name).await?;
    let notice = match ask.done.as_str() {
        "created" => Some("user-done-created"),
        "disabled" => Some("user-done-disabled"),
        "enabled" => Some("user-done-enabled"),
        "role" => Some("user-done-role"),
        "limits" => Some("user-done-limits"),
        "logins" => Some("user-done-logins"),
        "restored" => Some("user-done-restored"),
        "restoring" => Some("user-done-restoring"),
        _ => None,
    };
    let said = Said { notice, ..Said::default() };
    page(&site, &Reader::of(&known, language), StatusCode::OK, user, said).await
}

/// `POST /admin/users/<name>/disable`
pub(super) async fn disable(
    state: State<Site>,
    arrival: Arrival,
    path: Path<String>,
    language: Language,
    changing: Changing<Nothing>,
) -> Result<Response<Body>, Failure> {
    set_disabled(state, arrival, path, language, changing, true).await
}

/// `POST /admin/users/<name>/enable`
pub(super) async fn enable(
    state: State<Site>,
    arrival: Arrival,
    path: Path<String>,
    language: Language,
    changing: Changing<Nothing>,
) -> Result<Response<Body>, Failure> {
    set_disabled(state, arrival, path, language, changing, false).await
}

async fn set_disabled(
    State(site): State<Site>,
    arrival: Arrival,
    Path(name): Path<String>,
    language: Language,
    Changing { known, .. }: Changing<Nothing>,
    disabled: bool,
) -> Result<Response<Body>, Failure> {
    administrator(&known)?;
    let user = people::find(&*site.0.state.store, &name).await?;
    let actor = Actor::user(&known.name, arrival.address);
    let done = if disabled { "disabled" } else { "enabled" };
    match people::set_disabled(site.auth(), &actor, &user, disabled).await {
        Ok(()) => Ok(see_other(&format!("{}?done={done}", address(&user)))),
        Err(refused) => again(&site, &Reader::of(&known, language), user, refused).await,
    }
}

/// `POST /admin/users/<name>/role`
pub(super) async fn role(
    State(site): State<Site>,
    arrival: Arrival,
    Path(name): Path<String>,
    language: Language,
    Changing { known, form }: Changing<RoleForm>,
) -> Result<Response<Body>, Failure> {
    administrator(&known)?;
    let user = people::find(&*site.0.state.store, &name).await?;
    let actor = Actor::user(&known.name, arrival.address);
    match site.auth().set_role(&actor, user.id, form.role).await {
        Ok(user) => Ok(see_other(&format!("{}?done=role", address(&user)))),
        Err(refused) => again(&site, &Reader::of(&known, language), user, refused).await,
    }
}

/// `POST /admin/users/<name>/limits`
pub(super) async fn limits(
    State(site): State<Site>,
    arrival: Arrival,
    Path(name): Path<String>,
    language: Language,
    Changing { known, form }: Changing<LimitFields>,
) -> Result<Response<Body>, Failure> {
    administrator(&known)?;
    let user = people::find(&*site.0.state.store, &name).await?;
    match form.change(site.broker()) {
        Ok(change) => {
            let actor = Actor::user(&known.name, arrival.address);
            site.auth().set_limits(&actor, user.id, &change).await?;
            Ok(see_other(&format!("{}?done=limits", address(&user))))
        }
        Err(problem) => {
            let said = Said { limits: Some((form, problem)), ..Said::default() };
            let reader = Reader::of(&known, language);
            page(&site, &reader, StatusCode::UNPROCESSABLE_ENTITY, user, said).await
        }
    }
}

/// `POST /admin/users/<name>/password`: another one, which is shown this once.
pub(super) async fn password(
    State(site): State<Site>,
    arrival: Arrival,
    Path(name): Path<String>,
    language: Language,
    Changing { known, form }: Changing<PasswordForm>,
) -> Result<Response<Body>, Failure> {
    administrator(&known)?;
    let user = people::find(&*site.0.state.store, &name).await?;
    let made = random_password();
    let renewal = if form.must_change.is_some() { Renewal::Required } else { Renewal::Optional };
    let actor = Actor::user(&known.name, arrival.address);
    site.auth().set_password(&actor, user.id, &made, renewal).await?;
    Ok(made_page(
        &site,
        &Reader::of(&known, language),
        &user,
        ("users-password-made", "users-made-text"),
        &made,
    ))
}

/// `POST /admin/users/<name>/logins/<id>/end`
pub(super) async fn end_login(
    State(site): State<Site>,
    arrival: Arrival,
    Path((name, id)): Path<(String, String)>,
    Changing { known, .. }: Changing<Nothing>,
) -> Result<Response<Body>, Failure> {
    administrator(&known)?;
    let id: LoginId = id.parse().map_err(|_| Failure::not_found())?;
    let user = people::find(&*site.0.state.store, &name).await?;
    site.auth().end_login(&Actor::user(&known.name, arrival.address), &user, id).await?;
    Ok(see_other(&format!("{}?done=logins", address(&user))))
}

/// `POST /admin/users/<name>/logins/end`
pub(super) async fn end_logins(
    State(site): State<Site>,
    arrival: Arrival,
    Path(name): Path<String>,
    Changing { known, .. }: Changing<Nothing>,
) -> Result<Response<Body>, Failure> {
    administrator(&known)?;
    let user = people::find(&*site.0.state.store, &name).await?;
    site.auth().end_logins(&Actor::user(&known.name, arrival.address), &user).await?;
    Ok(see_other(&format!("{}?done=logins", address(&user))))
}

/// The page once more, with what was refused; what is not about it is answered as any other error.
async fn again(
    site: &Site,
    reader: &Reader,
    user: User,
    refused: AuthError,
) -> Result<Response<Body>, Failure> {
    if !matches!(refused, AuthError::LastAdmin) {
        return Err(refused.into());
    }
    let said = Said { problem: Some(refused.sentence().said(reader.language)), ..Said::default() };
    page(site, reader, respond::status(&refused), user, said).await
}

async fn page(
    site: &Site,
    reader: &Reader,
    status: StatusCode,
    user: User,
    said: Said,
) -> Result<Response<Body>, Failure> {
    let language = reader.language;
    let logins = site.auth().logins_of(user.id).await?;
    let files = HomePart::of(site, language, &user).await;
    let Person { user, home, .. } = Person::of(site.broker(), user);
    let settings = site.broker().settings();
    let none = || language.text("limits-none").into_owned();
    let general = LimitFields {
        max_sessions: settings.max_sessions_per_user.to_string(),
        max_cpus: settings.cpus_per_user.map_or_else(none, |most| most.to_string()),
        max_memory_mib: settings.memory_mib_per_user.map_or_else(none, |most| most.to_string()),
        templates: language.text("limits-all").into_owned(),
    };
    let (limits, limits_problem) = match said.limits {
        Some((typed, problem)) => (typed, Some(language.text(problem))),
        None => (LimitFields::of(&user.limits), None),
    };
    let ago = |at| words::ago(language, clock::since(at));
    let names: Vec<&str> = site.broker().templates().keys().map(TemplateName::as_str).collect();
    let shown = UserPage {
        surface: site.portal(),
        language,
        person: reader,
        tab: Tab::Users,
        notice: said.notice.map(|notice| language.text(notice)),
        problem: said.problem,
        name: &user.name,
        address: address(&user),
        role: role_word(language, user.role),
        admin: user.role == Role::Admin,
        disabled: user.disabled,
        must_change: user.must_change,
        own: user.id == reader.id,
        created: (user.created_at.to_string(), ago(user.created_at)),
        login: user.last_login_at.map(|at| (at.to_string(), ago(at))),
        home: home.map(|usage| words::size(language, usage.used_bytes)),
        files,
        sessions: site.broker().entries_of(user.id).iter().map(|entry| session(language, entry)).collect(),
        logins: logins.iter().map(|login| row(language, login)).collect(),
        limits,
        limits_problem,
        general,
        templates: names.join(" "),
    };
    Ok(respond::page(site.portal(), status, &shown))
}

fn session(language: Language, entry: &Entry) -> SessionRow {
    let session = entry.session();
    SessionRow {
        name: session.name.to_string(),
        label: session.label.to_string(),
        state: session.state.kind().name(),
        word: words::word(language, &session.state),
    }
}

fn row(language: Language, login: &Login) -> LoginRow {
    LoginRow {
        id: LoginId::of(&login.token).to_string(),
        browser: browsers::in_words(language, &login.user_agent),
        address: login.address.clone(),
        since: login.created_at.to_string(),
        ago: words::ago(language, clock::since(login.created_at)),
    }
}
