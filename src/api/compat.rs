//! `/api/v1/spawn` and `/api/v1/remove`, as scripts of the per-user desktop manager know them.
//!
//! That manager had one desktop per user name, and a VNC password that whoever asked for it chose.
//! Here the desktop is a session like any other: it is opened after a login, and the gateway
//! proves the container with that password, which no browser ever learns.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use http::{Response, StatusCode};
use serde::Deserialize;
use serde_json::json;
use thiserror::Error;

use super::gate::{Administrator, Arrival, document};
use super::{Failure, Site, json};
use crate::audit::Actor;
use crate::auth::AuthError;
use crate::body::Body;
use crate::broker::{Broker, Entry, Wish};
use crate::fault::{Answer, Fault};
use crate::language::Sentence;
use crate::secret::Secret;
use crate::session::{Next, Protocol, SessionName, StopReason, TemplateName};
use crate::store::{Role, User};

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
    arrival: Arrival,
    Administrator(known): Administrator,
    sent: Result<Json<Spawn>, JsonRejection>,
) -> Result<Response<Body>, Failure> {
    let asked = document(sent)?;
    let password = asked.vnc_password.map(password).transpose()?;
    let by = Actor::user(&known.name, arrival.address);
    let owner = owner(&site, &by, asked.username.trim()).await?;
    let (status, entry) = match desktop_of(&site, &owner) {
        Some(entry) => {
            site.broker().start(&entry, &by).await?;
            (StatusCode::OK, entry)
        }
        None => {
            let template = template(site.broker()).ok_or(CompatError::NoDesktop)?;
            let wish = Wish { template, name: desktop(), password, language: None };
            (StatusCode::CREATED, site.broker().create_for(&owner, wish, &by).await?)
        }
    };
    let url = format!("{}{}", site.0.origin, entry.address(site.0.routing));
    let session = json::session(&site, &entry, known.user);
    Ok(json::document(status, &json!({ "username": owner.name, "url": url, "session": session })))
}

/// `POST /api/v1/remove {"username"}`: removes the user's desktop; the user and their home stay.
pub(super) async fn remove(
    State(site): State<Site>,
    arrival: Arrival,
    Administrator(known): Administrator,
    sent: Result<Json<Remove>, JsonRejection>,
) -> Result<Response<Body>, Failure> {
    let asked = document(sent)?;
    let owner = site.0.store.user_by_name(asked.username.trim()).await?.ok_or(AuthError::UserUnknown)?;
    let entry = desktop_of(&site, &owner);
    if let Some(entry) = &entry {
        let by = Actor::user(&known.name, arrival.address);
        site.broker().stop(entry, StopReason::Admin, Next::Remove, &by).await?;
    }
    Ok(json::document(StatusCode::OK, &json!({ "username": owner.name, "removed": entry.is_some() })))
}

fn password(text: String) -> Result<Secret<String>, CompatError> {
    let fits =
        (6..=LONGEST_PASSWORD).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if fits { Ok(Secret::new(text)) } else { Err(CompatError::Password) }
}

async fn owner(site: &Site, by: &Actor, name: &str) -> Result<User, Failure> {
    if let Some(user) = site.0.store.user_by_name(name).await? {
        return Ok(user);
    }
    let nobody_s = Secret::new(NO_PASSWORD.to_owned());
    let (user, _never_usable) = site.auth().import_user(by, name, Role::User, nobody_s).await?;
    Ok(user)
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
