//! `/api/v1/users`: who may log in, what they may do and what they may take. For administrators, and
//! programs with the scope `users:write`.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use http::{Response, StatusCode};
use serde::Deserialize;
use utoipa::IntoParams;

use super::gate::{Caller, MaybeSent, Query, UsersKeeper, document};
use super::page::{Page, Paging};
use super::user::{
    CreatedUser, LimitsDocument, NewPassword, NewUser, PasswordSet, Removal, RemovedUser, UserChange,
    UserDocument, shown,
};
use super::{Failure, Site, json};
use crate::auth::policy;
use crate::auth::{self, Renewal, Terms};
use crate::body::Body;
use crate::people::{self, HomeFate};
use crate::secret::random_password;
use crate::session::UserLimits;
use crate::store::{Role, Scope, UserOrder, UserPlace, UserQuery};

/// Whose address it is.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct Named {
    /// The user's name, or their id.
    pub(super) name: String,
}

/// Which users.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Filter {
    /// Part of the name, without regard to case.
    #[serde(default)]
    search: String,
    /// Only users with this role.
    role: Option<Role>,
    /// Only users who are disabled, or are not.
    disabled: Option<bool>,
    /// In which order: by `name` unless given; `created` and `last_login` have the latest first.
    #[param(inline)]
    sort: Option<UserOrder>,
}

/// What becomes of the home of a user who is removed.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Fate {
    /// `keep` unless given, or `remove` for good, with its copies.
    #[param(inline)]
    home: Option<HomeFate>,
}

/// Users, by name unless asked otherwise.
#[utoipa::path(
    get, path = "/api/v1/users", tag = "users", operation_id = "list_users", params(Paging, Filter),
    responses((status = 200, description = "A page of them", body = Page<UserDocument>)),
)]
pub(super) async fn list(
    State(site): State<Site>,
    UsersKeeper(_caller): UsersKeeper,
    Query(paging): Query<Paging>,
    Query(filter): Query<Filter>,
) -> Result<Response<Body>, Failure> {
    let order = filter.sort.unwrap_or_default();
    let query = UserQuery {
        search: filter.search,
        role: filter.role,
        disabled: filter.disabled,
        order,
        after: paging.after()?,
        before: None,
        limit: paging.limit()?,
    };
    let found = site.0.store.find_users(&query).await?;
    let page = Page::of(found.users, found.more, |user| UserPlace::of(user, order));
    Ok(json::read(&page.map(|user| shown(&site, user))))
}

/// Creates a user.
#[utoipa::path(
    post, path = "/api/v1/users", tag = "users", operation_id = "create_user", request_body = NewUser,
    responses((
        status = 201, description = "With the password that was made, this once", body = CreatedUser,
        headers(("Location" = String, description = "The user's address, by their id")),
    )),
)]
pub(super) async fn create(
    State(site): State<Site>,
    UsersKeeper(caller): UsersKeeper,
    sent: Result<Json<NewUser>, JsonRejection>,
) -> Result<Response<Body>, Failure> {
    let new = document(sent)?;
    let made = new.password.is_none().then(random_password);
    let password = new.password.or(made.clone()).unwrap_or_else(random_password);
    let limits = new.limits.change()?.of(&UserLimits::default());
    let terms = Terms { renewal: renewal(new.must_change), disabled: new.disabled, limits };
    let role = new.role.unwrap_or(Role::User);
    touches(&caller, role, &site).await?;
    let new = auth::NewUser { name: new.name, role, password };
    let user = site.auth().create_user_on(&caller.by(), new, terms).await?;
    let at = format!("/api/v1/users/{}", user.id);
    let created = CreatedUser { user: shown(&site, user), password: made.map(|made| made.expose().clone()) };
    Ok(json::located(StatusCode::CREATED, &at, &created))
}

/// One user.
#[utoipa::path(
    get, path = "/api/v1/users/{name}", tag = "users", operation_id = "read_user", params(Named),
    responses((status = 200, description = "The user", body = UserDocument)),
)]
pub(super) async fn show(
    State(site): State<Site>,
    UsersKeeper(_caller): UsersKeeper,
    Path(Named { name }): Path<Named>,
) -> Result<Response<Body>, Failure> {
    let user = people::find(&*site.0.store, &name).await?;
    Ok(json::read(&shown(&site, user)))
}

/// Changes what a user may do and take.
#[utoipa::path(
    patch, path = "/api/v1/users/{name}", tag = "users", operation_id = "change_user", params(Named),
    request_body = UserChange,
    responses((status = 200, description = "The user as they are now", body = UserDocument)),
)]
pub(super) async fn update(
    State(site): State<Site>,
    UsersKeeper(caller): UsersKeeper,
    Path(Named { name }): Path<Named>,
    sent: Result<Json<UserChange>, JsonRejection>,
) -> Result<Response<Body>, Failure> {
    let wanted = document(sent)?;
    let limits = wanted.limits.map(LimitsDocument::change).transpose()?;
    let (actor, auth) = (caller.by(), site.auth());
    let user = people::find(&*site.0.store, &name).await?;
    touches(&caller, user.role, &site).await?;
    touches(&caller, wanted.role.unwrap_or(user.role), &site).await?;
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
    Ok(json::read(&shown(&site, user)))
}

/// Removes a user with their sessions. Their persistent home is kept unless it is said otherwise.
#[utoipa::path(
    delete, path = "/api/v1/users/{name}", tag = "users", operation_id = "remove_user", params(Named, Fate),
    responses((status = 200, description = "They are gone", body = RemovedUser)),
)]
pub(super) async fn remove(
    State(site): State<Site>,
    UsersKeeper(caller): UsersKeeper,
    Path(Named { name }): Path<Named>,
    Query(Fate { home }): Query<Fate>,
) -> Result<Response<Body>, Failure> {
    let user = people::find(&*site.0.store, &name).await?;
    touches(&caller, user.role, &site).await?;
    let fate = home.unwrap_or_default();
    let removed = people::remove(site.auth(), site.broker(), &caller.by(), &user, fate).await?;
    Ok(json::read(&RemovedUser { sessions: removed.sessions, home_kept: removed.kept }))
}

/// What removing a user would take with them; nothing is removed.
#[utoipa::path(
    get, path = "/api/v1/users/{name}/removal", tag = "users", operation_id = "read_user_removal", params(Named),
    responses((status = 200, description = "What would go, and what would be kept", body = Removal)),
)]
pub(super) async fn removal(
    State(site): State<Site>,
    UsersKeeper(_caller): UsersKeeper,
    Path(Named { name }): Path<Named>,
) -> Result<Response<Body>, Failure> {
    let user = people::find(&*site.0.store, &name).await?;
    let outlook = people::outlook(site.broker(), &user).await;
    Ok(json::read(&Removal::of(user, outlook)))
}

/// Sets another password; the user's logins end.
#[utoipa::path(
    post, path = "/api/v1/users/{name}/password", tag = "users", operation_id = "set_user_password",
    params(Named), request_body = Option<NewPassword>,
    responses((status = 200, description = "With the password that was made, this once", body = PasswordSet)),
)]
pub(super) async fn set_password(
    State(site): State<Site>,
    UsersKeeper(caller): UsersKeeper,
    Path(Named { name }): Path<Named>,
    sent: MaybeSent<NewPassword>,
) -> Result<Response<Body>, Failure> {
    let new = sent.read()?;
    let user = people::find(&*site.0.store, &name).await?;
    touches(&caller, user.role, &site).await?;
    let made = new.password.is_none().then(random_password);
    let password = new.password.or(made.clone()).unwrap_or_else(random_password);
    site.auth().set_password(&caller.by(), user.id, &password, renewal(new.must_change)).await?;
    Ok(json::read(&PasswordSet { password: made.map(|made| made.expose().clone()) }))
}

/// Refuses whoever may change users, but not administrators.
pub(super) async fn touches(caller: &Caller, role: Role, site: &Site) -> Result<(), Failure> {
    match policy::manage_user(&caller.known, role) {
        Ok(()) => Ok(()),
        Err(_denied) => caller.needs(Scope::Admin, site).await,
    }
}

fn renewal(must_change: bool) -> Renewal {
    if must_change { Renewal::Required } else { Renewal::Optional }
}
