//! Carrying out what the command line asks.

use std::sync::Arc;
use std::time::Duration;

use super::{HomeRow, LinkRow, Reply, Request, sessions, sharing, stats, templates, tokens, users};
use crate::audit::Actor;
use crate::auth::{Auth, NewLink};
use crate::broker::Broker;
use crate::fault::Answer;
use crate::session::{CopyName, LinkAction, LinkId};
use crate::stats::Stats;
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
    /// What is used; `None` where nobody takes samples.
    pub stats: Option<Stats>,
}

/// Does what is asked and says how it went.
pub async fn perform(performer: &Performer, request: Request) -> Reply {
    let done = match request {
        Request::SessionList => return sessions::list(performer).await,
        Request::SessionShow { label } => return sessions::show(performer, &label).await,
        Request::SessionChange { label, change } => sessions::change(performer, &label, change).await,
        Request::SessionCreate { owner, template, name } => {
            let created = sessions::create(performer, &owner, &template, &name).await;
            return created.unwrap_or_else(|refused| refused);
        }
        Request::Sharing(request) => return sharing::perform(performer, request).await,
        Request::HomeList => return homes(performer).await,
        Request::HomeRestore { owner, copy } => restore(performer, &owner, &copy).await,
        Request::Stats => return stats::list(performer),
        Request::Capacity => return stats::capacity(performer),
        Request::LinkCreate { action, lasts_s, uses } => return link(performer, action, lasts_s, uses).await,
        Request::LinkList => return links(performer).await,
        Request::LinkRevoke { id } => revoke(performer, id).await,
        Request::TemplateList => return templates::list(performer, true).await,
        Request::TemplateProgress => return templates::list(performer, false).await,
        Request::TemplatePull { name } => templates::pull(performer, &name),
        Request::TokenCreate { wish } => {
            return tokens::create(performer, wish).await.unwrap_or_else(|refused| refused);
        }
        Request::TokenList => return tokens::list(performer).await.unwrap_or_else(|refused| refused),
        Request::TokenRevoke { id } => tokens::revoke(performer, &id).await,
        Request::User(request) => return users::perform(performer, request).await,
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

pub(super) async fn with_user<T>(
    performer: &Performer,
    name: &str,
    work: impl AsyncFnOnce(User) -> Result<T, Reply>,
) -> Result<T, Reply> {
    match performer.store.user_by_name(name).await {
        Ok(Some(user)) => work(user).await,
        Ok(None) => Err(absent(performer, name).await),
        Err(error) => Err(refused(error)),
    }
}

async fn restore(performer: &Performer, owner: &str, copy: &CopyName) -> Result<String, Reply> {
    let broker = performer.broker.as_ref().ok_or_else(sessions::no_gateway)?;
    with_user(performer, owner, async |user| {
        let restored = broker.restore_home(&user, copy, &Actor::cli()).await;
        restored.map_err(refused)?;
        Ok(format!("the home of {} is as it was at {copy}; what it held is a copy now", user.name))
    })
    .await
}

async fn homes(performer: &Performer) -> Reply {
    let Some(broker) = &performer.broker else { return sessions::no_gateway() };
    match performer.store.users().await {
        Ok(users) => {
            let homes = broker.look_at_homes(broker.homes(&users)).await;
            Reply::Homes { homes: homes.into_iter().map(HomeRow::from).collect() }
        }
        Err(error) => refused(error),
    }
}

/// There is no such user; perhaps another was meant.
async fn absent(performer: &Performer, name: &str) -> Reply {
    let known = performer.store.users().await.unwrap_or_default();
    let names: Vec<_> = known.iter().map(|user| user.name.as_str()).collect();
    match super::nearest(name, &names) {
        Some(meant) => Reply::Refused {
            code: "not_found".to_owned(),
            text: format!("there is no user {name}; did you mean {meant}?"),
        },
        None => unknown("user", name),
    }
}

async fn link(performer: &Performer, action: LinkAction, lasts_s: u64, uses: u32) -> Reply {
    let new = NewLink { action, lasts: Duration::from_secs(lasts_s), uses };
    match performer.auth.create_link(&Actor::cli(), new).await {
        Ok((link, secret)) => Reply::Link { link: Box::new(LinkRow::from(&link)), secret, url: None },
        Err(error) => refused(error),
    }
}

async fn links(performer: &Performer) -> Reply {
    match performer.auth.links().await {
        Ok(links) => Reply::Links { links: links.iter().map(LinkRow::from).collect() },
        Err(error) => refused(error),
    }
}

async fn revoke(performer: &Performer, id: LinkId) -> Result<String, Reply> {
    match performer.auth.revoke_link(&Actor::cli(), id).await {
        Ok(true) => Ok(format!("link {id} is revoked; it does nothing any more")),
        Ok(false) => Err(unknown("link", &id.to_string())),
        Err(error) => Err(refused(error)),
    }
}
