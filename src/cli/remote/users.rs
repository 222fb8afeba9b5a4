//! Users of a gateway elsewhere.

use http::Method;
use serde_json::{Value, json};

use super::{LONG, Remote, another_version, done, read, segment, text};
use crate::auth::import::{ImportRow, sheet};
use crate::cli::failure::Failure;
use crate::control::{Reply, ResultRow, UserRequest, limits_text};
use crate::session::{LimitsChange, UserLimits};

const USERS: &str = "/api/v1/users";

fn address(name: &str) -> String {
    format!("{USERS}/{}", segment(name))
}

impl Remote {
    pub(super) async fn user(&self, request: UserRequest) -> Result<Reply, Failure> {
        Ok(match request {
            UserRequest::Add { name, role, password, must_change } => {
                let new = json!({
                    "name": name, "role": role, "password": password.expose(), "must_change": must_change,
                });
                let added = self.call(Method::POST, USERS, Some(new)).await?;
                done(added, |added| format!("user {} added", text(&added["user"], "name")))
            }
            UserRequest::Disable { name } => {
                let changed = self.change_user(&name, json!({ "disabled": true })).await?;
                done(changed, |user| format!("user {} is disabled; their logins ended", text(user, "name")))
            }
            UserRequest::Enable { name } => {
                let changed = self.change_user(&name, json!({ "disabled": false })).await?;
                done(changed, |user| format!("user {} may log in again", text(user, "name")))
            }
            UserRequest::Import { rows, dry_run, before: _, more: _ } => self.import(&rows, dry_run).await?,
            UserRequest::Limits { name, change } => self.limits(&name, &change).await?,
            UserRequest::List => match self.rows(USERS).await? {
                Ok(users) => Reply::Users { users },
                Err(refused) => refused,
            },
            UserRequest::Logins { name } => match self.rows(&format!("{}/logins", address(&name))).await? {
                Ok(logins) => Reply::Logins { logins },
                Err(refused) => refused,
            },
            UserRequest::Logout { name, login } => {
                let one = login.as_deref().map(|login| format!("/{}", segment(login))).unwrap_or_default();
                let path = format!("{}/logins{one}", address(&name));
                let ended = self.call(Method::DELETE, &path, None).await?;
                done(ended, |_| match &login {
                    Some(login) => format!("login {login} of user {name} ended"),
                    None => format!("the logins of user {name} ended"),
                })
            }
            UserRequest::Passwd { name, password, must_change } => {
                let new = json!({ "password": password.expose(), "must_change": must_change });
                let path = format!("{}/password", address(&name));
                let set = self.call(Method::POST, &path, Some(new)).await?;
                done(set, |_| format!("user {name} has a new password; their logins ended"))
            }
            UserRequest::Remove { name, home } => {
                let home = serde_json::to_value(home).unwrap_or_default();
                let path = format!("{}?home={}", address(&name), home.as_str().unwrap_or("keep"));
                let removed = self.call_within(LONG, Method::DELETE, &path, None).await?;
                done(removed, |removed| {
                    let home = match removed["home_kept"].as_str() {
                        Some(place) => format!("their home is kept: {place}"),
                        None => "no home of theirs is kept that is known".to_owned(),
                    };
                    format!("user {name} and {} sessions removed; {home}", removed["sessions"])
                })
            }
            UserRequest::Role { name, role } => {
                let changed = self.change_user(&name, json!({ "role": role })).await?;
                done(changed, |user| format!("user {} has the role {} now", text(user, "name"), role.name()))
            }
            UserRequest::Show { name } => self.show_user(&name).await?,
            UserRequest::Export => match self.rows(USERS).await? {
                Ok(users) => Reply::Exported { users },
                Err(refused) => refused,
            },
            UserRequest::Outlook { name } => {
                match self.call(Method::GET, &format!("{}/removal", address(&name)), None).await? {
                    Ok(shown) => Reply::Outlook { outlook: read(shown).ok_or_else(another_version)? },
                    Err(refused) => refused,
                }
            }
        })
    }

    async fn change_user(&self, name: &str, change: Value) -> Result<Result<Value, Reply>, Failure> {
        self.call(Method::PATCH, &address(name), Some(change)).await
    }

    /// The API takes all limits of a user at once: those that stay are read first.
    async fn limits(&self, name: &str, change: &LimitsChange) -> Result<Reply, Failure> {
        let shown = match self.call(Method::GET, &address(name), None).await? {
            Ok(shown) => shown,
            Err(refused) => return Ok(refused),
        };
        let now: UserLimits = read(shown["limits"].clone()).ok_or_else(another_version)?;
        let then = change.of(&now);
        let changed = self.change_user(name, json!({ "limits": then })).await?;
        Ok(done(changed, |user| format!("limits of user {}: {}", text(user, "name"), limits_text(&then))))
    }

    async fn show_user(&self, name: &str) -> Result<Reply, Failure> {
        let mut shown = match self.call(Method::GET, &address(name), None).await? {
            Ok(shown) => shown,
            Err(refused) => return Ok(refused),
        };
        let owner = segment(text(&shown, "name"));
        let sessions = self.items(&format!("/api/v1/sessions?owner={owner}")).await?;
        let logins = self.items(&format!("{}/logins", address(name))).await?;
        let (sessions, logins) = match (sessions, logins) {
            (Ok(sessions), Ok(logins)) => (sessions, logins),
            (Err(refused), _) | (_, Err(refused)) => return Ok(refused),
        };
        shown["sessions"] = sessions.iter().map(|session| text(session, "label")).collect();
        shown["logins"] = logins.len().into();
        read(shown).map(|user| Reply::User { user: Box::new(user) }).ok_or_else(another_version)
    }

    async fn import(&self, rows: &[ImportRow], dry_run: bool) -> Result<Reply, Failure> {
        let path = format!("{USERS}/import?dry_run={dry_run}");
        let list = Some(("text/csv", sheet::write_rows(rows)));
        let mut results = match self.send(Method::POST, &path, list, LONG).await? {
            Ok(imported) => {
                read::<Vec<ResultRow>>(imported["results"].clone()).ok_or_else(another_version)?
            }
            Err(refused) => return Ok(refused),
        };
        // They stand in the list that was read here, not in the part of it that was sent.
        for (result, row) in results.iter_mut().zip(rows) {
            result.line = row.line;
        }
        Ok(Reply::Results { results })
    }
}
