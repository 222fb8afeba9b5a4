//! Carrying out what the command line asks about users.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::perform::{refused, unknown};
use super::{Performer, Reply, UserRow};
use crate::audit::Actor;
use crate::auth::import::sheet::{self, ListedUser};
use crate::auth::import::{ImportRow, Planned, RowOutcome, RowResult, Tally};
use crate::auth::{LoginId, NewUser, Renewal, Terms};
use crate::language::Language;
use crate::people::{self, HomeFate, Outlook};
use crate::secret::Secret;
use crate::session::{LimitsChange, UserLimits};
use crate::store::{Login, Role, User};

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

    /// Whether it needs sessions, and what runs them.
    #[must_use]
    pub fn needs_broker(&self) -> bool {
        match self {
            Self::Outlook { .. } | Self::Remove { .. } => true,
            Self::Add { .. }
            | Self::Disable { .. }
            | Self::Enable { .. }
            | Self::Export
            | Self::Import { .. }
            | Self::Limits { .. }
            | Self::List
            | Self::Logins { .. }
            | Self::Logout { .. }
            | Self::Passwd { .. }
            | Self::Role { .. }
            | Self::Show { .. } => false,
        }
    }
}

/// One user as the command line shows them.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct UserDetail {
    #[serde(flatten)]
    pub row: UserRow,
    pub must_change: bool,
    pub limits: UserLimits,
    pub sessions: Vec<String>,
    pub logins: usize,
    pub home_bytes: Option<u64>,
}

/// A login as the command line shows it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct LoginRow {
    pub id: String,
    pub address: String,
    pub user_agent: String,
    pub created_at: String,
    pub expires_at: String,
}

impl From<&User> for UserRow {
    fn from(user: &User) -> Self {
        Self {
            name: user.name.clone(),
            role: user.role,
            disabled: user.disabled,
            created_at: user.created_at.to_string(),
            last_login_at: user.last_login_at.map(|at| at.to_string()),
        }
    }
}

impl From<Login> for LoginRow {
    fn from(login: Login) -> Self {
        Self {
            id: LoginId::of(&login.token).to_string(),
            address: login.address,
            user_agent: login.user_agent,
            created_at: login.created_at.to_string(),
            expires_at: login.expires_at.to_string(),
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
        Ok(users) => {
            Reply::Done { text: sheet::write(users.into_iter().map(ListedUser::from)).trim_end().to_owned() }
        }
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

/// A user's own limits on one line.
#[must_use]
pub fn limits_text(limits: &UserLimits) -> String {
    let own = [
        limits.max_sessions.map(|most| format!("sessions {most}")),
        limits.max_cpus.map(|most| format!("CPU cores {most}")),
        limits.max_memory_mib.map(|most| format!("memory {most} MiB")),
        limits.templates.as_ref().map(|templates| {
            let names: Vec<&str> = templates.iter().map(crate::session::TemplateName::as_str).collect();
            format!("templates {}", if names.is_empty() { "none".to_owned() } else { names.join(" ") })
        }),
    ];
    let own: Vec<String> = own.into_iter().flatten().collect();
    if own.is_empty() { "as the configuration says".to_owned() } else { own.join(", ") }
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

/// What removing a user would take with them.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct OutlookRow {
    pub name: String,
    pub sessions: Vec<String>,
    pub running: usize,
    pub own_homes: usize,
    pub home: Option<String>,
    pub home_known: bool,
    pub home_bytes: Option<u64>,
}

impl OutlookRow {
    fn of(name: String, outlook: Outlook) -> Self {
        let Outlook { sessions, running, own_homes, home, home_known, home_use } = outlook;
        let home_bytes = home_use.map(|usage| usage.used_bytes);
        Self { name, sessions, running, own_homes, home, home_known, home_bytes }
    }
}

impl fmt::Display for OutlookRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, sessions, running, own_homes, home, home_known, home_bytes } = self;
        let size = home_bytes.map_or(String::new(), |bytes| format!(" ({} MiB)", bytes >> 20));
        write!(
            f,
            "removing user {name} would remove {} sessions ({running} running, {own_homes} with files of their own); ",
            sessions.len()
        )?;
        match (home, home_known) {
            (Some(place), _) => {
                write!(f, "their home {place}{size} would be kept, or removed with --home remove")
            }
            (None, true) => f.write_str("they have no home"),
            (None, false) => f.write_str("where their home is cannot be told now"),
        }
    }
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

/// A row's result as the command line shows it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct ResultRow {
    pub line: u64,
    pub name: String,
    pub result: String,
    pub changed: Vec<String>,
    pub code: Option<String>,
    pub detail: Option<String>,
    pub password: Option<Secret<String>>,
}

/// A result as the command line shows it.
#[must_use]
pub fn told(result: RowResult) -> ResultRow {
    let name = result.outcome.name().to_owned();
    let row = ResultRow {
        line: result.line,
        name: result.name,
        result: name,
        changed: Vec::new(),
        code: None,
        detail: None,
        password: None,
    };
    match result.outcome {
        RowOutcome::Created { password } => ResultRow { password, ..row },
        RowOutcome::Changed { fields } => {
            ResultRow { changed: fields.iter().map(|field| field.name().to_owned()).collect(), ..row }
        }
        RowOutcome::Exists => row,
        RowOutcome::Refused(flaw) => ResultRow {
            code: Some(flaw.code().to_owned()),
            detail: Some(flaw.sentence().said(Language::English)),
            ..row
        },
    }
}
