//! Carrying out what the command line asks.

use std::sync::Arc;

use super::{HomeRow, Reply, Request, SessionRow, UserRow, templates, tokens};
use crate::audit::Actor;
use crate::auth::{Auth, NewUser};
use crate::broker::{Broker, BrokerError, Entry};
use crate::fault::Answer;
use crate::revocation::CloseReason;
use crate::session::{CopyName, Next, StopReason};
use crate::store::{Store, User};

/// What requests are performed on. Clones share everything.
#[derive(Clone)]
pub struct Performer {
    /// Users and logins.
    pub auth: Arc<Auth>,
    /// Sessions; `None` while no broker is needed.
    pub broker: Option<Broker>,
    /// Where both persist.
    pub store: Arc<dyn Store>,
}

/// Does what is asked and says how it went.
pub async fn perform(performer: &Performer, request: Request) -> Reply {
    let done = match request {
        Request::SessionList => return sessions(performer).await,
        Request::SessionStop { label } => stop(performer, &label, Next::Rest).await,
        Request::SessionReset { label, home } => reset(performer, &label, home).await,
        Request::HomeList => return homes(performer).await,
        Request::HomeRestore { owner, copy } => restore(performer, &owner, &copy).await,
        Request::SessionRemove { label } => stop(performer, &label, Next::Remove).await,
        Request::TemplateList => return templates::list(performer, true).await,
        Request::TemplateProgress => return templates::list(performer, false).await,
        Request::TemplatePull { name } => templates::pull(performer, &name),
        Request::TokenCreate { wish } => {
            return tokens::create(performer, wish).await.unwrap_or_else(|refused| refused);
        }
        Request::TokenList => return tokens::list(performer).await.unwrap_or_else(|refused| refused),
        Request::TokenRevoke { id } => tokens::revoke(performer, &id).await,
        Request::UserList => return users(performer).await,
        Request::UserAdd { name, role, password } => {
            let created = performer.auth.create_user(&Actor::cli(), NewUser { name, role, password }).await;
            created.map(|user| format!("user {} added", user.name)).map_err(refused)
        }
        Request::UserPasswd { name, password } => {
            with_user(performer, &name, async |user| {
                let set = performer.auth.set_password(&Actor::cli(), user.id, &password).await;
                set.map(|()| format!("user {} has a new password; their logins ended", user.name))
                    .map_err(refused)
            })
            .await
        }
        Request::UserDisable { name } => {
            with_user(performer, &name, async |user| {
                let disabled = performer.auth.disable_user(&Actor::cli(), user.id).await;
                disabled
                    .map(|()| format!("user {} is disabled; their logins ended", user.name))
                    .map_err(refused)
            })
            .await
        }
        Request::UserEnable { name } => {
            with_user(performer, &name, async |user| {
                let enabled = performer.auth.enable_user(&Actor::cli(), user.id).await;
                enabled.map(|()| format!("user {} may log in again", user.name)).map_err(refused)
            })
            .await
        }
        Request::UserRemove { name } => remove_user(performer, &name).await,
    };
    match done {
        Ok(text) => Reply::Done { text },
        Err(refusal) => refusal,
    }
}

pub(super) fn refused(error: impl Answer) -> Reply {
    Reply::Refused { code: error.code().to_owned(), text: error.public() }
}

pub(super) fn unknown(what: &str, name: &str) -> Reply {
    Reply::Refused { code: "not_found".to_owned(), text: format!("there is no {what} {name}") }
}

async fn with_user(
    performer: &Performer,
    name: &str,
    work: impl AsyncFnOnce(User) -> Result<String, Reply>,
) -> Result<String, Reply> {
    match performer.store.user_by_name(name).await {
        Ok(Some(user)) => work(user).await,
        Ok(None) => Err(unknown("user", name)),
        Err(error) => Err(refused(error)),
    }
}

/// Logins first, so that nobody makes another session meanwhile; then the sessions; then the record.
async fn remove_user(performer: &Performer, name: &str) -> Result<String, Reply> {
    with_user(performer, name, async |user| {
        performer.auth.disable_user(&Actor::cli(), user.id).await.map_err(refused)?;
        performer.auth.revoke_user(user.id, CloseReason::LoginEnded).await.map_err(refused)?;
        let entries = performer.broker.as_ref().map(|broker| broker.entries_of(user.id)).unwrap_or_default();
        for entry in &entries {
            end(performer, entry, Next::Remove).await.map_err(refused)?;
        }
        performer.auth.remove_user(&Actor::cli(), user.id).await.map_err(refused)?;
        if let Some(broker) = &performer.broker {
            broker.forget_grantee(user.id);
        }
        Ok(format!("user {} and {} sessions removed; a persistent home is kept", user.name, entries.len()))
    })
    .await
}

async fn stop(performer: &Performer, label: &str, next: Next) -> Result<String, Reply> {
    let entry = performer.broker.as_ref().and_then(|broker| broker.find(label));
    let entry = entry.ok_or_else(|| unknown("session", label))?;
    end(performer, &entry, next).await.map_err(refused)?;
    Ok(match next {
        Next::Remove => format!("session {label} removed; a persistent home is kept"),
        Next::Rest | Next::Restart | Next::Reset | Next::ResetHome => {
            format!("session {label} stopped; its files are kept")
        }
    })
}

/// Returns when the reset is under way: setting a large home aside takes minutes.
async fn reset(performer: &Performer, label: &str, home: bool) -> Result<String, Reply> {
    let broker = running(performer)?;
    let entry = broker.find(label).ok_or_else(|| unknown("session", label))?;
    let next = if home { Next::ResetHome } else { Next::Reset };
    broker.stop(&entry, StopReason::Admin, next, &Actor::cli()).await.map_err(refused)?;
    let files = if home { "its files are set aside as a copy" } else { "its home is kept" };
    Ok(format!("session {label} is being reset; {files} (`berth session list` shows how far it is)"))
}

async fn restore(performer: &Performer, owner: &str, copy: &CopyName) -> Result<String, Reply> {
    let broker = running(performer)?;
    with_user(performer, owner, async |user| {
        let restored = broker.restore_home(&user, copy, &Actor::cli()).await;
        restored.map_err(refused)?;
        Ok(format!("the home of {} is as it was at {copy}; what it held is a copy now", user.name))
    })
    .await
}

async fn homes(performer: &Performer) -> Reply {
    let broker = match running(performer) {
        Ok(broker) => broker,
        Err(refusal) => return refusal,
    };
    match performer.store.users().await {
        Ok(users) => {
            let homes = broker.list_homes(&users).await;
            Reply::Homes { homes: homes.into_iter().map(HomeRow::from).collect() }
        }
        Err(error) => refused(error),
    }
}

/// What changes a home needs the gateway that knows who uses it.
fn running(performer: &Performer) -> Result<&Broker, Reply> {
    performer.broker.as_ref().ok_or_else(|| Reply::Refused {
        code: "no_gateway".to_owned(),
        text: "no gateway runs, so nobody knows which homes are in use; start it first".to_owned(),
    })
}

/// Stops a session and waits until that is done.
async fn end(performer: &Performer, entry: &Arc<Entry>, next: Next) -> Result<(), BrokerError> {
    let Some(broker) = &performer.broker else { return Err(BrokerError::NotFound) };
    let at_rest = !entry.session().state.occupies();
    if at_rest && next == Next::Rest {
        return Ok(());
    }
    broker.stop(entry, StopReason::Admin, next, &Actor::cli()).await?;
    broker.ended(entry).await;
    Ok(())
}

async fn sessions(performer: &Performer) -> Reply {
    match performer.store.sessions().await {
        Ok(sessions) => Reply::Sessions { sessions: sessions.iter().map(SessionRow::from).collect() },
        Err(error) => refused(error),
    }
}

async fn users(performer: &Performer) -> Reply {
    let row = |user: User| UserRow {
        name: user.name,
        role: user.role,
        disabled: user.disabled,
        created_at: user.created_at.to_string(),
        last_login_at: user.last_login_at.map(|at| at.to_string()),
    };
    match performer.store.users().await {
        Ok(users) => Reply::Users { users: users.into_iter().map(row).collect() },
        Err(error) => refused(error),
    }
}
