//! Users, their logins and what becomes of them, as the command line shows it.

use serde::{Deserialize, Serialize};

use crate::auth::LoginId;
use crate::auth::import::{RowOutcome, RowResult};
use crate::language::Language;
use crate::people::{HomeFate, Outlook};
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

    /// What removing them would mean, with this end for their home.
    #[must_use]
    pub fn said(&self, fate: HomeFate) -> String {
        let Self { name, sessions, running, own_homes, home, home_known, home_bytes } = self;
        let size = home_bytes.map_or(String::new(), |bytes| format!(" ({} MiB)", bytes >> 20));
        let home = match (home, home_known, fate) {
            (Some(place), _, HomeFate::Keep) => {
                format!("their home {place}{size} would be kept (--home remove removes it)")
            }
            (Some(place), _, HomeFate::Remove) => {
                format!("their home {place}{size} and its copies would be removed for good")
            }
            (None, true, _) => "they have no home".to_owned(),
            (None, false, HomeFate::Keep) => {
                "their home would be kept; where it is cannot be told now".to_owned()
            }
            (None, false, HomeFate::Remove) => {
                "their home and its copies would be removed for good; where it is cannot be told now"
                    .to_owned()
            }
        };
        format!(
            "removing user {name} would remove {sessions} sessions ({running} running, {own_homes} with files of their own); \
             {home}"
        )
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_that_goes_is_not_said_to_stay() {
        let outlook = OutlookRow {
            name: "ann".to_owned(),
            sessions: 1,
            running: 1,
            own_homes: 0,
            home: Some("/homes/ann".to_owned()),
            home_known: true,
            home_bytes: Some(3 << 20),
        };
        let (kept, removed) = (outlook.said(HomeFate::Keep), outlook.said(HomeFate::Remove));
        assert!(kept.contains("remove 1 sessions (1 running") && kept.contains("would be kept"), "{kept}");
        assert!(removed.contains("/homes/ann (3 MiB) and its copies would be removed for good"), "{removed}");
        assert!(!removed.contains("kept"), "{removed}");
        let unknown = OutlookRow { home: None, home_known: false, ..outlook };
        assert!(unknown.said(HomeFate::Remove).contains("removed for good"));
    }
}
