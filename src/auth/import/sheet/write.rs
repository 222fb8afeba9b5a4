//! Lists as text: users, rows, what became of them, the passwords that were made.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::super::row::{ImportRow, RowOutcome, RowResult};
use crate::audit::inert;
use crate::language::Language;
use crate::secret::Secret;
use crate::session::{Setting, TemplateName, UserLimits};
use crate::store::{Role, User};

/// A user as a list has them: without a password.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct ListedUser {
    /// The name they log in with.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Whether they may not log in.
    pub disabled: bool,
    /// Limits of their own.
    pub limits: UserLimits,
    /// When they were added.
    pub created_at: Timestamp,
    /// When they last logged in; `None` is never.
    pub last_login_at: Option<Timestamp>,
}

impl From<User> for ListedUser {
    fn from(user: User) -> Self {
        let User { name, role, disabled, limits, created_at, last_login_at, .. } = user;
        Self { name, role, disabled, limits, created_at, last_login_at }
    }
}

/// Writes users as a list that [`read`](super::read) takes; passwords are not part of it.
#[must_use]
pub fn write(users: impl IntoIterator<Item = ListedUser>) -> String {
    let header = [
        "name",
        "role",
        "disabled",
        "max_sessions",
        "max_cpus",
        "max_memory_mib",
        "templates",
        "created_at",
        "last_login_at",
    ];
    let number = |limit: Option<String>| limit.unwrap_or_default();
    let rows = users.into_iter().map(|user| {
        let limits = &user.limits;
        [
            user.name.clone(),
            user.role.name().to_owned(),
            if user.disabled { "yes" } else { "no" }.to_owned(),
            number(limits.max_sessions.map(|most| most.to_string())),
            number(limits.max_cpus.map(|most| most.to_string())),
            number(limits.max_memory_mib.map(|most| most.to_string())),
            limits.templates.as_ref().map(templates_cell).unwrap_or_default(),
            user.created_at.to_string(),
            user.last_login_at.map(|at| at.to_string()).unwrap_or_default(),
        ]
    });
    table(&header.map(str::to_owned), rows)
}

/// Writes rows as a list that [`read`](super::read) takes.
#[must_use]
pub fn write_rows(rows: &[ImportRow]) -> String {
    fn limit<T>(setting: &Setting<T>, own: impl Fn(&T) -> String) -> String {
        match setting {
            Setting::Keep => String::new(),
            Setting::Follow => "default".to_owned(),
            Setting::Own(limit) => own(limit),
        }
    }
    let flag = |flag: Option<bool>| flag.map_or("", |flag| if flag { "yes" } else { "no" }).to_owned();
    let secret = |secret: &Option<Secret<String>>| {
        secret.as_ref().map(|secret| secret.expose().clone()).unwrap_or_default()
    };
    let rows = rows.iter().map(|row| {
        [
            row.name.clone(),
            row.role.map_or("", Role::name).to_owned(),
            secret(&row.password),
            secret(&row.password_hash),
            flag(row.disabled),
            flag(row.must_change),
            limit(&row.limits.max_sessions, ToString::to_string),
            limit(&row.limits.max_cpus, ToString::to_string),
            limit(&row.limits.max_memory_mib, ToString::to_string),
            limit(&row.limits.templates, templates_cell),
        ]
    });
    let header = [
        "name",
        "role",
        "password",
        "password_hash",
        "disabled",
        "must_change",
        "max_sessions",
        "max_cpus",
        "max_memory_mib",
        "templates",
    ];
    table(&header.map(str::to_owned), rows)
}

/// Writes what became of rows; passwords are not part of it.
#[must_use]
pub fn write_results(results: &[RowResult], language: Language) -> String {
    let rows = results.iter().map(|row| {
        let (changed, flaw) = match &row.outcome {
            RowOutcome::Changed { fields } => (fields.iter().map(|field| field.name()).collect(), None),
            RowOutcome::Refused(flaw) => (Vec::new(), Some(flaw)),
            RowOutcome::Created { .. } | RowOutcome::Exists => (Vec::new(), None),
        };
        [
            row.line.to_string(),
            inert(row.name.clone()),
            row.outcome.name().to_owned(),
            changed.join(" "),
            flaw.map(|flaw| flaw.code().to_owned()).unwrap_or_default(),
            flaw.map(|flaw| flaw.sentence().said(language)).unwrap_or_default(),
        ]
    });
    table(&["line", "name", "result", "changed", "code", "detail"].map(str::to_owned), rows)
}

/// Writes the passwords that an import made.
#[must_use]
pub fn write_passwords(made: &[(String, Secret<String>)]) -> String {
    let rows = made.iter().map(|(name, password)| [name.clone(), password.expose().clone()]);
    table(&["name".to_owned(), "password".to_owned()], rows)
}

/// The templates of a cell, as [`write`] writes them: a user who may use none has a hyphen.
fn templates_cell(templates: &BTreeSet<TemplateName>) -> String {
    if templates.is_empty() {
        return "-".to_owned();
    }
    templates.iter().map(TemplateName::as_str).collect::<Vec<_>>().join(" ")
}

fn table<const N: usize>(header: &[String; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    // Writing to memory does not fail.
    let _ = writer.write_record(header);
    for row in rows {
        let _ = writer.write_record(&row);
    }
    writer.into_inner().ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
}
