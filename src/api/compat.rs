//! `/api/v1/spawn` and `/api/v1/remove`, as scripts of the per-user desktop manager know them.
//!
//! That manager had one desktop per user name, and a VNC password that whoever asked for it chose.
//! Here the desktop is a session like any other: it is opened after a login, and the gateway
//! proves the container with that password, which no browser ever learns. Its label is the user's
//! name where that can be one, so that `https://<username>.<domain>/` leads there.
//!
//! Answers have that manager's `success` and `url`, errors its `success` and `error`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use http::{Response, StatusCode};
use serde::Deserialize;
use serde_json::json;
use thiserror::Error;

use super::gate::{Caller, SessionsKeeper, document};
use super::theirs::Managers;
use super::{Failure, Site, json};
use crate::auth::AuthError;
use crate::body::Body;
use crate::broker::{Broker, Entry, Wish};
use crate::fault::{Answer, Fault};
use crate::language::Sentence;
use crate::secret::Secret;
use crate::session::{Label, Next, Protocol, Routing, SessionName, StopReason, TemplateName};
use crate::store::{Role, Scope, User};

/// What the one desktop of a user is called, and which template it is made from if there is one of
/// that name; else the first that is a desktop.
const DESKTOP: &str = "desktop";

/// What a VNC-aware image may be given; of it VNC authentication itself uses eight (RFC 6143 §7.2.2).
const LONGEST_PASSWORD: usize = 64;

/// No password fits it: whoever is created by a script logs in once an administrator gave them one.
const NO_PASSWORD: &str = "!";

/// What `spawn` is asked with. Other fields are ignored, as that manager did.
#[derive(Deserialize)]
pub(super) struct Spawn {
    username: String,
    #[serde(rename = "vncPassword")]
    vnc_password: Option<String>,
}

/// What `remove` is asked with.
#[derive(Deserialize)]
pub(super) struct Remove {
    username: String,
}

/// Why nothing was spawned.
#[derive(Clone, Copy, Debug, Error)]
enum CompatError {
    #[error("no template is a desktop")]
    NoDesktop,
    #[error("the VNC password is not one that VNC servers take")]
    Password,
}

impl Answer for CompatError {
    fn fault(&self) -> Fault {
        Fault::Downstream
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NoDesktop => "template_unknown",
            Self::Password => "password_weak",
        }
    }

    fn sentence(&self) -> Sentence {
        Sentence::of(match self {
            Self::NoDesktop => "problem-no-desktop",
            Self::Password => "problem-vnc-password",
        })
    }
}

/// `POST /api/v1/spawn {"username", "vncPassword"?}`: makes or starts the user's desktop, and the
/// user if there is none. A desktop that exists keeps its password. Answers 201 or 200.
pub(super) async fn spawn(
    State(site): State<Site>,
    keeper: Result<SessionsKeeper, Failure>,
    sent: Result<Json<Spawn>, JsonRejection>,
) -> Result<Response<Body>, Managers> {
    let SessionsKeeper(caller) = keeper?;
    let asked = document(sent)?;
    let password = asked.vnc_password.map(password).transpose()?;
    let by = caller.by();
    let owner = owner(&site, &caller, asked.username.trim()).await?;
    let (status, entry) = match desktop_of(&site, &owner) {
        Some(entry) => {
            site.broker().start(&entry, &by).await?;
            (StatusCode::OK, entry)
        }
        None => {
            let template = template(site.broker()).ok_or(CompatError::NoDesktop)?;
            let wish = Wish { password, label: label(&owner.name), ..Wish::of(template, desktop()) };
            (StatusCode::CREATED, site.broker().create_for(&owner, wish, &by).await?)
        }
    };
    let session = json::session(&site, &entry, caller.known.user);
    let told = json!({
        "success": true,
        "username": owner.name,
        "url": url(&site, &entry),
        "session": session,
    });
    Ok(json::document(status, &told))
}

/// `POST /api/v1/remove {"username"}`: removes the user's desktop; the user and their home stay.
pub(super) async fn remove(
    State(site): State<Site>,
    keeper: Result<SessionsKeeper, Failure>,
    sent: Result<Json<Remove>, JsonRejection>,
) -> Result<Response<Body>, Managers> {
    let SessionsKeeper(caller) = keeper?;
    let asked = document(sent)?;
    let owner = site.0.store.user_by_name(asked.username.trim()).await?.ok_or(AuthError::UserUnknown)?;
    let entry = desktop_of(&site, &owner);
    if let Some(entry) = &entry {
        site.broker().stop(entry, StopReason::Admin, Next::Remove, &caller.by()).await?;
    }
    Ok(json::document(
        StatusCode::OK,
        &json!({ "success": true, "username": owner.name, "removed": entry.is_some() }),
    ))
}

fn password(text: String) -> Result<Secret<String>, CompatError> {
    let fits =
        (6..=LONGEST_PASSWORD).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if fits { Ok(Secret::new(text)) } else { Err(CompatError::Password) }
}

/// The user of this name. There is one afterwards, if who asks may make users.
async fn owner(site: &Site, caller: &Caller, name: &str) -> Result<User, Failure> {
    if let Some(user) = site.0.store.user_by_name(name).await? {
        return Ok(user);
    }
    caller.needs(Scope::UsersWrite, site).await?;
    let nobody_s = Secret::new(NO_PASSWORD.to_owned());
    let (user, _never_usable) = site.auth().import_user(&caller.by(), name, Role::User, nobody_s).await?;
    Ok(user)
}

/// The label of a user's desktop: their name in lower case, if that is a label and stands for nothing
/// else. No two users have names that differ in case alone, and nobody but an administrator gives
/// labels, so it is its user's. Where somebody has it all the same, another is drawn.
fn label(name: &str) -> Option<Label> {
    let label: Label = name.to_ascii_lowercase().parse().ok()?;
    (!label.is_reserved()).then_some(label)
}

/// Where the desktop is, as browsers name it: its own host, or its path on the portal.
fn url(site: &Site, entry: &Entry) -> String {
    match entry.routing(site.0.routing) {
        Routing::Path => format!("{}{}", site.0.origin, entry.address(site.0.routing)),
        Routing::Subdomain => site.0.origin.replacen("://", &format!("://{}.", entry.label), 1) + "/",
    }
}

fn desktop() -> SessionName {
    DESKTOP.parse().expect("a plain word is a session's name")
}

fn desktop_of(site: &Site, owner: &User) -> Option<Arc<Entry>> {
    site.broker().entries_of(owner.id).into_iter().find(|entry| entry.session().name.as_str() == DESKTOP)
}

fn template(broker: &Broker) -> Option<TemplateName> {
    let desktops = || broker.templates().values().filter(|template| template.protocol == Protocol::Rfb);
    let named = desktops().find(|template| template.name.as_str() == DESKTOP);
    named.or_else(|| desktops().next()).map(|template| template.name.clone())
}
