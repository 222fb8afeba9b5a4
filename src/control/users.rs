//! Carrying out what the command line asks about users.

use serde::{Deserialize, Serialize};

use super::perform::{refused, unknown};
use super::user_rows::{LoginRow, OutlookRow, UserDetail, UserRow, limits_text, told};
use super::{Performer, Reply};
use crate::audit::Actor;
use crate::auth::import::sheet::ListedUser;
use crate::auth::import::{ImportRow, Planned, Tally};
use crate::auth::{LoginId, NewUser, Renewal, Terms};
use crate::people::{self, HomeFate};
use crate::secret::Secret;
use crate::session::LimitsChange;
use crate::store::{Role, User};

/// What the command line may ask about users.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "user", rename_all = "snake_case", deny_unknown_fields)]
#[allow(missing_docs)]
pub enum UserRequest {
    Add { name: String, role: Role, password: Secret<String>, must_change: bool },
    Disable { name: String },
    Enable { name: String },
    Export,
    Import { rows: Vec<ImportRow>, dry_run: bool, before: Tally, more: bool },
    Limits { name: String, change: LimitsChange },
    List,
    Logins { name: String },
    Logout { name: String, login: Option<String> },
    Outlook { name: String },
    Passwd { name: String, password: Secret<String>, must_change: bool },
    Remove { name: String, home: HomeFate },
    Role { name: String, role: Role },
    Show { name: String },
}

impl UserRequest {
    /// The request's name, for the log: never its content.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Add { .. } => "user_add",
            Self::Disable { .. } => "user_disable",
            Self::Enable { .. } => "user_enable",
            Self::Export => "user_export",
            Self::Import { .. } => "user_import",
            Self::Limits { .. } => "user_limits",
            Self::List => "user_list",
            Self::Logins { .. } => "user_logins",
            Self::Logout { .. } => "user_logout",
            Self::Outlook { .. } => "user_outlook",
            Self::Passwd { .. } => "user_passwd",
            Self::Remove { .. } => "user_remove",
            Self::Role { .. } => "user_role",
            Self::Show { .. } => "user_show",
        }
    }
}

/// Does what is asked and says how it went.
pub(super) async fn perform(performer: &Performer, request: UserRequest) -> Reply {
    let done = match request {
        UserRequest::List => return list(performer).await,
        UserRequest::Export => return export(performer).await,
        UserRequest::Show { name } => return show(performer, &name).await,
        UserRequest::Logins { name } => return logins(performer, &name).await,
        UserRequest::Import { rows, dry_run, before, more } => {
            return import(performer, rows, dry_run, before, more).await;
        }
        UserRequest::Add { name, role, password, must_change } => {
            let terms = Terms { renewal: renewal(must_change), ..Terms::default() };
            let new = NewUser { name, role, password };
            let created = performer.auth.create_user_on(&Actor::cli(), new, terms).await;
            created.map(|user| format!("user {} added", user.name)).map_err(refused)
        }
        UserRequest::Passwd { name, password, must_change } => {
            passwd(performer, &name, &password, renewal(must_change)).await
        }
        UserRequest::Disable { name } => disabled(performer, &name, true).await,
        UserRequest::Enable { name } => disabled(performer, &name, false).await,
        UserRequest::Role { name, role } => role_of(performer, &name, role).await,
        UserRequest::Limits { name, change } => limits(performer, &name, &change).await,
        UserRequest::Logout { name, login } => logout(performer, &name, login.as_deref()).await,
        UserRequest::Outlook { name } => return outlook(performer, &name).await,
        UserRequest::Remove { name, home } => remove(performer, &name, home).await,
    };
    match done {
        Ok(text) => Reply::Done { text },
        Err(refusal) => refusal,
    }
}

fn renewal(must_change: bool) -> Renewal {
    if must_change { Renewal::Required } else { Renewal::Optional }
}

async fn user(performer: &Performer, name: &str) -> Result<User, Reply> {
    match performer.store.user_by_name(name).await {
        Ok(Some(user)) => Ok(user),
        Ok(None) => Err(unknown("user", name)),
        Err(error) => Err(refused(error)),
    }
}

async fn list(performer: &Performer) -> Reply {
    match performer.store.users().await {
        Ok(users) => Reply::Users { users: users.iter().map(UserRow::from).collect() },
        Err(error) => refused(error),
    }
}

async fn export(performer: &Performer) -> Reply {
    match performer.store.users().await {
        Ok(users) => Reply::Exported { users: users.into_iter().map(ListedUser::from).collect() },
        Err(error) => refused(error),
    }
}

async fn show(performer: &Performer, name: &str) -> Reply {
    let user = match user(performer, name).await {
        Ok(user) => user,
        Err(refusal) => return refusal,
    };
    let logins = match performer.auth.logins_of(user.id).await {
        Ok(logins) => logins.len(),
        Err(error) => return refused(error),
    };
    let sessions = match performer.store.sessions().await {
        Ok(sessions) => sessions,
        Err(error) => return refused(error),
    };
    let theirs = sessions.iter().filter(|session| session.owner == user.id);
    let home = performer.broker.as_ref().and_then(|broker| broker.owner_home(user.id)?.usage);
    Reply::User {
        user: Box::new(UserDetail {
            row: UserRow::from(&user),
            must_change: user.must_change,
            sessions: theirs.map(|session| session.label.to_string()).collect(),
            logins,
            home_bytes: home.map(|usage| usage.used_bytes),
            limits: user.limits,
        }),
    }
}

async fn logins(performer: &Performer, name: &str) -> Reply {
    let user = match user(performer, name).await {
        Ok(user) => user,
        Err(refusal) => return refusal,
    };
    match performer.auth.logins_of(user.id).await {
        Ok(logins) => Reply::Logins { logins: logins.into_iter().map(LoginRow::from).collect() },
        Err(error) => refused(error),
    }
}

async fn passwd(
    performer: &Performer,
    name: &str,
    password: &Secret<String>,
    renewal: Renewal,
) -> Result<String, Reply> {
    let user = user(performer, name).await?;
    performer.auth.set_password(&Actor::cli(), user.id, password, renewal).await.map_err(refused)?;
    Ok(format!("user {} has a new password; their logins ended", user.name))
}

async fn disabled(performer: &Performer, name: &str, disabled: bool) -> Result<String, Reply> {
    let user = user(performer, name).await?;
    people::set_disabled(&performer.auth, &Actor::cli(), &user, disabled).await.map_err(refused)?;
    Ok(if disabled {
        format!("user {} is disabled; their logins ended", user.name)
    } else {
        format!("user {} may log in again", user.name)
    })
}

async fn role_of(performer: &Performer, name: &str, role: Role) -> Result<String, Reply> {
    let user = user(performer, name).await?;
    performer.auth.set_role(&Actor::cli(), user.id, role).await.map_err(refused)?;
    let role = role.name();
    Ok(if user.role.name() == role {
        format!("user {} has the role {role} already", user.name)
    } else {
        format!("user {} has the role {role} now; their logins ended", user.name)
    })
}

async fn limits(performer: &Performer, name: &str, change: &LimitsChange) -> Result<String, Reply> {
    let user = user(performer, name).await?;
    let limits = performer.auth.set_limits(&Actor::cli(), user.id, change).await.map_err(refused)?;
    Ok(format!("limits of user {}: {}", user.name, limits_text(&limits)))
}

async fn logout(performer: &Performer, name: &str, login: Option<&str>) -> Result<String, Reply> {
    let user = user(performer, name).await?;
    let Some(login) = login else {
        let ended = performer.auth.end_logins(&Actor::cli(), &user).await.map_err(refused)?;
        return Ok(format!("{ended} logins of user {} ended", user.name));
    };
    let id: LoginId = login.parse().map_err(|_| unknown("login", login))?;
    performer.auth.end_login(&Actor::cli(), &user, id).await.map_err(refused)?;
    Ok(format!("login {id} of user {} ended", user.name))
}

async fn outlook(performer: &Performer, name: &str) -> Reply {
    let user = match user(performer, name).await {
        Ok(user) => user,
        Err(refusal) => return refusal,
    };
    let Some(broker) = &performer.broker else { return unknown("user", name) };
    let outlook = people::outlook(broker, &user).await;
    Reply::Outlook { outlook: OutlookRow::of(user.name, outlook) }
}

async fn remove(performer: &Performer, name: &str, fate: HomeFate) -> Result<String, Reply> {
    let user = user(performer, name).await?;
    let Some(broker) = &performer.broker else { return Err(unknown("user", name)) };
    let removed =
        people::remove(&performer.auth, broker, &Actor::cli(), &user, fate).await.map_err(refused)?;
    let home = match (fate, removed.kept) {
        (HomeFate::Remove, _) => "their home is removed too".to_owned(),
        (HomeFate::Keep, Some(place)) => format!("their home is kept: {place}"),
        (HomeFate::Keep, None) => "a persistent home is kept".to_owned(),
    };
    Ok(format!("user {} and {} sessions removed; {home}", user.name, removed.sessions))
}

async fn import(
    performer: &Performer,
    rows: Vec<ImportRow>,
    dry_run: bool,
    before: Tally,
    more: bool,
) -> Reply {
    let planned = match performer.auth.plan_import(rows, None).await {
        Ok(planned) => planned,
        Err(error) => return refused(error),
    };
    if dry_run {
        return Reply::Results { results: planned.iter().map(Planned::foreseen).map(told).collect() };
    }
    let mut results = Vec::with_capacity(planned.len());
    for planned in &planned {
        results.push(performer.auth.carry_out(&Actor::cli(), planned).await);
    }
    if !more {
        performer.auth.imported(&Actor::cli(), before.and(Tally::of(&results))).await;
    }
    Reply::Results { results: results.into_iter().map(told).collect() }
}
