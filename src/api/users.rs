//! `/api/v1/users`: who may log in, what they may do and what they may take. For administrators.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use http::{Response, StatusCode};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::failure::ScopeMissing;
use super::gate::{Arrival, Query, UsersKeeper, document};
use super::openapi::Problem;
use super::{Failure, Site, json};
use crate::audit::Actor;
use crate::auth::policy;
use crate::auth::{NewUser, Principal, Renewal, Terms};
use crate::body::Body;
use crate::people::{self, HomeFate, Person};
use crate::secret::{Secret, random_password};
use crate::session::{LimitsChange, Setting, TemplateName, UserLimits};
use crate::store::{Role, Scope, User, UserOrder, UserPlace, UserQuery};

/// The most users of one page, and how many there are unless fewer are asked for.
const MOST: usize = 200;
const USUAL: usize = 50;

/// What a list is asked for.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// Part of the name, without regard to case.
    #[serde(default)]
    search: String,
    /// Only users with this role.
    #[param(value_type = Option<String>)]
    role: Option<Role>,
    /// Only users who are disabled, or are not.
    disabled: Option<bool>,
    /// `name` (the default), `created` or `last_login`, the latest first.
    #[param(value_type = Option<String>)]
    sort: Option<Sort>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// How many at most, up to 200.
    limit: Option<usize>,
}

/// In which order.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Sort {
    Name,
    Created,
    LastLogin,
}

/// Limits of one user; what is `null` or absent follows the configuration.
#[derive(Default, Deserialize, Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Limits {
    /// Most sessions, in any state.
    #[schema(maximum = 10000)]
    max_sessions: Option<u32>,
    /// Most CPU cores of all their running sessions.
    #[schema(minimum = 0, maximum = 1024)]
    max_cpus: Option<f64>,
    /// Most memory of all their running sessions, in MiB.
    max_memory_mib: Option<u64>,
    /// The only templates they may use.
    #[schema(value_type = Option<Vec<String>>)]
    templates: Option<Vec<TemplateName>>,
}

/// A user. Names and fields are stable; new ones may be added.
#[derive(Serialize, ToSchema)]
pub(super) struct UserDocument {
    /// Opaque identity; it stays when the user is renamed.
    id: String,
    /// The name they log in with.
    name: String,
    /// `admin` or `user`.
    #[schema(value_type = String)]
    role: Role,
    /// Whether they may not log in.
    disabled: bool,
    /// Whether they must choose another password before they may do anything else.
    must_change: bool,
    /// Limits of their own.
    limits: Limits,
    /// How many sessions they have, in any state.
    sessions: usize,
    /// How many of them run.
    running: usize,
    /// What the files in their home took when it was last looked at; `null` if it was not yet.
    home_bytes: Option<u64>,
    /// When they were created.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When they last logged in.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_login_at: Option<Timestamp>,
}

/// A page of users.
#[derive(Serialize, ToSchema)]
pub(super) struct UserPage {
    /// The users.
    items: Vec<UserDocument>,
    /// The `cursor` of the next page; `null` on the last one.
    next: Option<String>,
    /// How many there are on all pages.
    total: usize,
}

/// A user to be created.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewUserDocument {
    /// 1 to 64 visible characters; unique without regard to ASCII case.
    name: String,
    /// `user` unless it is said.
    #[schema(value_type = Option<String>)]
    role: Option<Role>,
    /// At least 8 characters; one is made if it is absent.
    #[schema(value_type = Option<String>)]
    password: Option<Secret<String>>,
    /// Whether they must choose another password at their first login.
    #[serde(default)]
    must_change: bool,
    /// Whether they may not log in yet.
    #[serde(default)]
    disabled: bool,
    /// Limits of their own.
    #[serde(default)]
    limits: Limits,
}

/// A user who was created.
#[derive(Serialize, ToSchema)]
pub(super) struct CreatedUser {
    /// The user.
    user: UserDocument,
    /// Their first password, if it was made here. It is told this once.
    password: Option<String>,
}

/// What is to change; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UserChange {
    /// What they may do; their logins end if it changes.
    #[schema(value_type = Option<String>)]
    role: Option<Role>,
    /// Whether they may not log in; their logins end then.
    disabled: Option<bool>,
    /// Limits of their own, all of them: what is `null` or absent in it follows the configuration.
    limits: Option<Limits>,
}

/// A password to be set.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct NewPassword {
    /// At least 8 characters; one is made if it is absent.
    #[schema(value_type = Option<String>)]
    password: Option<Secret<String>>,
    /// Whether they must choose another one at their next login.
    must_change: bool,
}

/// A password that was set.
#[derive(Serialize, ToSchema)]
pub(super) struct PasswordSet {
    /// The password, if it was made here. It is told this once.
    password: Option<String>,
}

/// What becomes of the home of a user who is removed.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Fate {
    /// `keep` (the default) or `remove`, for good and with its copies.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    home: HomeFate,
}

/// What was removed.
#[derive(Serialize, ToSchema)]
pub(super) struct RemovedUser {
    /// How many sessions.
    sessions: usize,
    /// Where their home lies that was kept; `null` if there is none, or it is not known.
    home_kept: Option<String>,
}

/// Users, a page at a time.
#[utoipa::path(
    get, path = "/api/v1/users", tag = "users", operation_id = "list_users", params(Asked),
    responses((status = 200, body = UserPage), (status = "4XX", body = Problem)),
)]
pub(super) async fn list(
    State(site): State<Site>,
    UsersKeeper(_known): UsersKeeper,
    Query(asked): Query<Asked>,
) -> Result<Response<Body>, Failure> {
    let order = match asked.sort.unwrap_or(Sort::Name) {
        Sort::Name => UserOrder::Name,
        Sort::Created => UserOrder::Created,
        Sort::LastLogin => UserOrder::LastLogin,
    };
    let query = UserQuery {
        search: asked.search,
        role: asked.role,
        disabled: asked.disabled,
        order,
        after: asked.cursor.as_deref().map(people::place).transpose()?,
        limit: asked.limit.unwrap_or(USUAL).clamp(1, MOST),
    };
    let page = site.0.store.find_users(&query).await?;
    let last = page.users.last().filter(|_| page.more);
    let next = last.map(|last| people::cursor(&UserPlace::of(last, order)));
    let total = page.total;
    let items = page.users.into_iter().map(|user| shown(&site, user)).collect();
    Ok(json::document(StatusCode::OK, &UserPage { items, next, total }))
}

/// Creates a user.
#[utoipa::path(
    post, path = "/api/v1/users", tag = "users", operation_id = "create_user", request_body = NewUserDocument,
    responses((status = 201, body = CreatedUser), (status = "4XX", body = Problem)),
)]
pub(super) async fn create(
    State(site): State<Site>,
    arrival: Arrival,
    UsersKeeper(known): UsersKeeper,
    sent: Result<Json<NewUserDocument>, JsonRejection>,
) -> Result<Response<Body>, Failure> {
    let new = document(sent)?;
    let made = new.password.is_none().then(random_password);
    let password = new.password.or(made.clone()).unwrap_or_else(random_password);
    let terms = Terms {
        renewal: renewal(new.must_change),
        disabled: new.disabled,
        limits: change(new.limits)?.of(&UserLimits::default()),
    };
    let new = NewUser { name: new.name, role: new.role.unwrap_or(Role::User), password };
    touches(&known, new.role)?;
    let user = site.auth().create_user_on(&actor(&known, arrival), new, terms).await?;
    let created = CreatedUser { user: shown(&site, user), password: made.map(|made| made.expose().clone()) };
    Ok(json::document(StatusCode::CREATED, &created))
}

/// One user.
#[utoipa::path(
    get, path = "/api/v1/users/{name}", tag = "users", operation_id = "read_user",
    params(("name" = String, Path, description = "The user's name, or their id")),
    responses((status = 200, body = UserDocument), (status = "4XX", body = Problem)),
)]
pub(super) async fn show(
    State(site): State<Site>,
    UsersKeeper(_known): UsersKeeper,
    Path(name): Path<String>,
) -> Result<Response<Body>, Failure> {
    let user = people::find(&*site.0.store, &name).await?;
    Ok(json::document(StatusCode::OK, &shown(&site, user)))
}

/// Changes what a user may do and take.
#[utoipa::path(
    patch, path = "/api/v1/users/{name}", tag = "users", operation_id = "change_user",
    params(("name" = String, Path, description = "The user's name, or their id")),
    request_body = UserChange,
    responses((status = 200, body = UserDocument), (status = "4XX", body = Problem)),
)]
pub(super) async fn update(
    State(site): State<Site>,
    arrival: Arrival,
    UsersKeeper(known): UsersKeeper,
    Path(name): Path<String>,
    sent: Result<Json<UserChange>, JsonRejection>,
) -> Result<Response<Body>, Failure> {
    let wanted = document(sent)?;
    let limits = wanted.limits.map(change).transpose()?;
    let (actor, auth) = (actor(&known, arrival), site.auth());
    let user = people::find(&*site.0.store, &name).await?;
    touches(&known, user.role)?;
    touches(&known, wanted.role.unwrap_or(user.role))?;
    // Rights that are taken go first, those that are given last.
    if wanted.disabled == Some(true) {
        people::set_disabled(auth, &actor, &user, true).await?;
    }
    if let Some(role) = wanted.role {
        auth.set_role(&actor, user.id, role).await?;
    }
    if let Some(limits) = limits {
        auth.set_limits(&actor, user.id, &limits).await?;
    }
    if wanted.disabled == Some(false) {
        people::set_disabled(auth, &actor, &user, false).await?;
    }
    let user = people::find(&*site.0.store, &name).await?;
    Ok(json::document(StatusCode::OK, &shown(&site, user)))
}

/// Removes a user with their sessions. Their persistent home is kept unless it is said otherwise.
#[utoipa::path(
    delete, path = "/api/v1/users/{name}", tag = "users", operation_id = "remove_user",
    params(("name" = String, Path, description = "The user's name, or their id"), Fate),
    responses((status = 200, body = RemovedUser), (status = "4XX", body = Problem)),
)]
pub(super) async fn remove(
    State(site): State<Site>,
    arrival: Arrival,
    UsersKeeper(known): UsersKeeper,
    Path(name): Path<String>,
    Query(fate): Query<Fate>,
) -> Result<Response<Body>, Failure> {
    let user = people::find(&*site.0.store, &name).await?;
    touches(&known, user.role)?;
    let actor = actor(&known, arrival);
    let removed =
        people::remove_whole(&site.0.tasks, &site.0.auth, site.broker(), actor, user, fate.home).await?;
    let removed = RemovedUser { sessions: removed.sessions, home_kept: removed.kept };
    Ok(json::document(StatusCode::OK, &removed))
}

/// Sets another password; the user's logins end.
#[utoipa::path(
    post, path = "/api/v1/users/{name}/password", tag = "users", operation_id = "set_user_password",
    params(("name" = String, Path, description = "The user's name, or their id")),
    request_body = NewPassword,
    responses((status = 200, body = PasswordSet), (status = "4XX", body = Problem)),
)]
pub(super) async fn set_password(
    State(site): State<Site>,
    arrival: Arrival,
    UsersKeeper(known): UsersKeeper,
    Path(name): Path<String>,
    sent: Result<Json<NewPassword>, JsonRejection>,
) -> Result<Response<Body>, Failure> {
    let new = document(sent)?;
    let user = people::find(&*site.0.store, &name).await?;
    touches(&known, user.role)?;
    let made = new.password.is_none().then(random_password);
    let password = new.password.or(made.clone()).unwrap_or_else(random_password);
    let actor = actor(&known, arrival);
    site.auth().set_password(&actor, user.id, &password, renewal(new.must_change)).await?;
    let set = PasswordSet { password: made.map(|made| made.expose().clone()) };
    Ok(json::document(StatusCode::OK, &set))
}

/// Refuses whoever may change users, but not administrators.
pub(super) fn touches(known: &Principal, role: Role) -> Result<(), Failure> {
    policy::manage_user(known, role).map_err(|_denied| ScopeMissing { scope: Scope::Admin }.into())
}

/// Who changes something here.
pub(super) fn actor(known: &Principal, arrival: Arrival) -> Actor {
    Actor::user(&known.name, arrival.address)
}

fn renewal(must_change: bool) -> Renewal {
    if must_change { Renewal::Required } else { Renewal::Optional }
}

fn shown(site: &Site, user: User) -> UserDocument {
    let Person { user, sessions, running, home } = Person::of(site.broker(), user);
    UserDocument {
        id: user.id.to_string(),
        name: user.name,
        role: user.role,
        disabled: user.disabled,
        must_change: user.must_change,
        limits: Limits {
            max_sessions: user.limits.max_sessions,
            max_cpus: user.limits.max_cpus,
            max_memory_mib: user.limits.max_memory_mib,
            templates: user.limits.templates.map(|templates| templates.into_iter().collect()),
        },
        sessions,
        running,
        home_bytes: home.map(|usage| usage.used_bytes),
        created_at: user.created_at,
        last_login_at: user.last_login_at,
    }
}

/// The change that makes these all of a user's limits.
fn change(limits: Limits) -> Result<LimitsChange, people::LimitsError> {
    fn own<T>(limit: Option<T>) -> Setting<T> {
        limit.map_or(Setting::Follow, Setting::Own)
    }
    let change = LimitsChange {
        max_sessions: own(limits.max_sessions),
        max_cpus: own(limits.max_cpus),
        max_memory_mib: own(limits.max_memory_mib),
        templates: own(limits.templates.map(|names| names.into_iter().collect())),
    };
    people::check_limits(&change).map(|()| change)
}
