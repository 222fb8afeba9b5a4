//! Taking in lists of users: rows in, a result per row out.
//!
//! A trial run ([`Auth::plan_import`]) says what would become of each row and changes nothing.
//! [`Auth::carry_out`] does exactly that for one row, or refuses it because the user changed in
//! between. Where rows come from is the caller's business; [`sheet`] reads them from a table.
//!
//! Nobody's password is ever changed by an import: it sets first passwords alone. Passwords are
//! hashed one after the other, so that people who log in meanwhile wait for one hash at most.

mod row;
pub mod sheet;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

pub use self::row::{Field, ImportRow, RowFlaw, RowOutcome, RowResult, Tally, mark_repeated};
use super::users::user_name;
use super::{Auth, AuthError, NewUser, Renewal, Terms, password};
use crate::audit::{Actor, AuditEvent, Record};
use crate::secret::{Secret, random_password};
use crate::session::UserId;
use crate::store::{Role, User};

/// What is to become of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// A user is created.
    Create,
    /// This of an existing user changes.
    Change(Vec<Field>),
    /// There is such a user, as the row says.
    Keep,
    /// Nothing.
    Refuse(RowFlaw),
}

/// A row and what is to become of it.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The row.
    pub row: ImportRow,
    /// What is to become of it.
    pub verdict: Verdict,
}

impl Planned {
    /// The same as a result, before anything is done.
    #[must_use]
    pub fn foreseen(&self) -> RowResult {
        let outcome = match &self.verdict {
            Verdict::Create => RowOutcome::Created { password: None },
            Verdict::Change(fields) => RowOutcome::Changed { fields: fields.clone() },
            Verdict::Keep => RowOutcome::Exists,
            Verdict::Refuse(flaw) => RowOutcome::Refused(flaw.clone()),
        };
        self.row.result(outcome)
    }

    /// Whether its user would get a password that is made here.
    #[must_use]
    pub fn needs_password(&self) -> bool {
        self.verdict == Verdict::Create && self.row.password.is_none() && self.row.password_hash.is_none()
    }
}

impl Auth {
    /// What an import of these rows by this user, if it is one, would do; nothing is changed. Of two
    /// rows about one user the second is refused, and so is one that takes the asker's own rights.
    ///
    /// # Errors
    /// [`AuthError::Store`].
    pub async fn plan_import(
        &self,
        mut rows: Vec<ImportRow>,
        asker: Option<UserId>,
    ) -> Result<Vec<Planned>, AuthError> {
        mark_repeated(&mut rows);
        let users = self.store.users().await?;
        let mut admins = users.iter().filter(|user| administers(user)).count();
        let users: HashMap<String, User> =
            users.into_iter().map(|user| (user.name.to_ascii_lowercase(), user)).collect();
        let mut planned = Vec::with_capacity(rows.len());
        for row in rows {
            let existing = users.get(&row.name.trim().to_ascii_lowercase());
            let verdict = match verdict(&row, existing) {
                verdict @ (Verdict::Create | Verdict::Change(_)) => {
                    let now = existing.is_some_and(administers);
                    let then = row.administers(existing);
                    if now && !then && existing.map(|user| user.id) == asker {
                        planned.push(Planned { row, verdict: Verdict::Refuse(RowFlaw::OwnRights) });
                        continue;
                    }
                    admins = admins + usize::from(then) - usize::from(now);
                    if now && admins == 0 {
                        admins = 1;
                        Verdict::Refuse(RowFlaw::of(&AuthError::LastAdmin))
                    } else {
                        verdict
                    }
                }
                verdict @ (Verdict::Keep | Verdict::Refuse(_)) => verdict,
            };
            planned.push(Planned { row, verdict });
        }
        Ok(planned)
    }

    /// Does what was planned for one row, or nothing if its user is not as they were then.
    pub async fn carry_out(&self, actor: &Actor, planned: &Planned) -> RowResult {
        let row = &planned.row;
        if let Verdict::Refuse(flaw) = &planned.verdict {
            self.row_refused(actor, row, flaw).await;
            return row.result(RowOutcome::Refused(flaw.clone()));
        }
        let outcome = match self.carry_out_now(actor, planned).await {
            Ok(outcome) => outcome,
            Err(flaw) => {
                self.row_refused(actor, row, &flaw).await;
                RowOutcome::Refused(flaw)
            }
        };
        row.result(outcome)
    }

    /// Takes in a whole list at once: plans it and carries it out, and tells `progress` after each
    /// row how many are done.
    ///
    /// # Errors
    /// [`AuthError::Store`] if the users cannot be read; nothing was changed then.
    pub async fn import(
        &self,
        actor: &Actor,
        rows: Vec<ImportRow>,
        progress: impl Fn(usize),
    ) -> Result<Vec<RowResult>, AuthError> {
        let planned = self.plan_import(rows, None).await?;
        Ok(self.carry_out_all(actor, &planned, progress).await)
    }

    /// Does what was planned for all rows, and writes the one line about all of them to the audit.
    pub async fn carry_out_all(
        &self,
        actor: &Actor,
        planned: &[Planned],
        progress: impl Fn(usize),
    ) -> Vec<RowResult> {
        let mut results = Vec::with_capacity(planned.len());
        for planned in planned {
            results.push(self.carry_out(actor, planned).await);
            progress(results.len());
        }
        self.imported(actor, Tally::of(&results)).await;
        results
    }

    /// Writes to the audit that a list was taken in.
    pub async fn imported(&self, actor: &Actor, tally: Tally) {
        let Tally { created, changed, refused, .. } = tally;
        let event = AuditEvent::UsersImported { created, changed, refused };
        self.audit.record(Record::new(actor.clone(), event)).await;
    }

    async fn carry_out_now(&self, actor: &Actor, planned: &Planned) -> Result<RowOutcome, RowFlaw> {
        let row = &planned.row;
        let existing = self.store.user_by_name(row.name.trim()).await.map_err(|error| RowFlaw::of(&error))?;
        if verdict(row, existing.as_ref()) != planned.verdict {
            return Err(RowFlaw::Meanwhile);
        }
        match (&planned.verdict, existing) {
            (Verdict::Create, _) => {
                let password = self.create_row(actor, row).await.map_err(|error| RowFlaw::of(&error))?;
                Ok(RowOutcome::Created { password })
            }
            (Verdict::Change(fields), Some(user)) => {
                self.change_row(actor, row, &user).await.map_err(|error| RowFlaw::of(&error))?;
                Ok(RowOutcome::Changed { fields: fields.clone() })
            }
            (Verdict::Keep | Verdict::Change(_) | Verdict::Refuse(_), _) => Ok(RowOutcome::Exists),
        }
    }

    /// The password, if it was made here.
    async fn create_row(&self, actor: &Actor, row: &ImportRow) -> Result<Option<Secret<String>>, AuthError> {
        let name = user_name(&row.name)?;
        let role = row.role.unwrap_or(Role::User);
        let terms = Terms {
            renewal: if row.must_change == Some(true) { Renewal::Required } else { Renewal::Optional },
            disabled: row.disabled.unwrap_or(false),
            limits: row.limits.of(&Default::default()),
        };
        if let Some(hash) = &row.password_hash {
            self.add_user(actor, name, role, hash.clone(), terms).await?;
            return Ok(None);
        }
        let made = row.password.is_none().then(random_password);
        let password = row.password.clone().or(made.clone()).unwrap_or_else(random_password);
        self.create_user_now(actor, NewUser { name, role, password }, terms).await?;
        Ok(made)
    }

    async fn change_row(&self, actor: &Actor, row: &ImportRow, user: &User) -> Result<(), AuthError> {
        // Rights that are taken go first, those that are given last.
        if row.disabled == Some(true) && !user.disabled {
            self.disable_user_now(actor, user.id).await?;
        }
        if let Some(role) = row.role {
            self.set_role_now(actor, user.id, role).await?;
        }
        self.set_limits_now(actor, user.id, &row.limits).await?;
        if row.disabled == Some(false) && user.disabled {
            self.enable_user_now(actor, user.id).await?;
        }
        Ok(())
    }

    async fn row_refused(&self, actor: &Actor, row: &ImportRow, flaw: &RowFlaw) {
        let event = AuditEvent::UserRefused { change: "import", reason: flaw.reason() };
        self.audit.record(Record::new(actor.clone(), event).about(row.shown_name())).await;
    }
}

/// What becomes of a row, if `existing` is the user of its name.
fn verdict(row: &ImportRow, existing: Option<&User>) -> Verdict {
    if let Some(flaw) = &row.flaw {
        return Verdict::Refuse(flaw.clone());
    }
    match existing {
        Some(user) => match row.differs(user) {
            fields if fields.is_empty() => Verdict::Keep,
            fields => Verdict::Change(fields),
        },
        None => match acceptable(row) {
            Ok(()) => Verdict::Create,
            Err(flaw) => Verdict::Refuse(flaw),
        },
    }
}

/// Whether somebody can be created from a row.
fn acceptable(row: &ImportRow) -> Result<(), RowFlaw> {
    let name = user_name(&row.name).map_err(|error| RowFlaw::of(&error))?;
    match (&row.password, &row.password_hash) {
        (Some(_), Some(_)) => Err(RowFlaw::TwoPasswords),
        (Some(password), None) => {
            password::check(&name, password).map_err(|flaw| RowFlaw::of(&AuthError::PasswordWeak(flaw)))
        }
        (None, Some(hash)) if !password::is_usable(hash.expose()) => Err(RowFlaw::HashUnusable),
        (None, Some(_) | None) => Ok(()),
    }
}

fn administers(user: &User) -> bool {
    user.role == Role::Admin && !user.disabled
}
