//! Users, their logins and what becomes of them, as the command line shows it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::auth::LoginId;
use crate::auth::import::{RowOutcome, RowResult};
use crate::language::Language;
use crate::people::Outlook;
use crate::secret::Secret;
use crate::session::UserLimits;
use crate::store::{Login, Role, User};

/// A user as the command line shows it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct UserRow {
    pub name: String,
    pub role: Role,
    pub disabled: bool,
    pub created_at: String,
    pub last_login_at: Option<String>,
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

/// What removing a user would take with them.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct OutlookRow {
    pub name: String,
    pub sessions: usize,
    pub running: usize,
    pub own_homes: usize,
    pub home: Option<String>,
    pub home_known: bool,
    pub home_bytes: Option<u64>,
}

impl OutlookRow {
    pub(super) fn of(name: String, outlook: Outlook) -> Self {
        let Outlook { sessions, running, own_homes, home, home_known, home_use } = outlook;
        let home_bytes = home_use.map(|usage| usage.used_bytes);
        let sessions = sessions.len();
        Self { name, sessions, running, own_homes, home, home_known, home_bytes }
    }
}

impl fmt::Display for OutlookRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, sessions, running, own_homes, home, home_known, home_bytes } = self;
        let size = home_bytes.map_or(String::new(), |bytes| format!(" ({} MiB)", bytes >> 20));
        write!(
            f,
            "removing user {name} would remove {sessions} sessions ({running} running, {own_homes} with files of their own); "
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
