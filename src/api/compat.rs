//! `/api/v1/spawn` and `/api/v1/remove`, as scripts of the per-user desktop manager know them.
//!
//! That manager had one desktop per user name, and a VNC password that whoever asked for it chose.
//! Here the desktop is a session like any other: it is opened after a login, and the gateway
//! proves the container with that password, which no browser ever learns. Its label is the user's
//! name where that can be one, so that `https://<username>.<domain>/` leads there.
//!
//! Answers have that manager's `success` and `url`; [`super::theirs`] puts its `success` and `error` into
//! the errors.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use http::{Response, StatusCode};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use utoipa::ToSchema;

use super::gate::{Caller, SessionsKeeper, document};
use super::session::SessionDocument;
use super::{Failure, Site, json};
use crate::audit::Actor;
use crate::auth::{AuthError, NewUser, Renewal, Terms};
use crate::body::Body;
use crate::broker::{Broker, Entry, Wish};
use crate::fault::{Answer, Fault};
use crate::language::Sentence;
use crate::secret::{Secret, random_password};
use crate::session::{Label, Next, Protocol, Routing, SessionName, StopReason, TemplateName};
use crate::store::{Role, Scope, User};

/// What the one desktop of a user is called, and which template it is made from if there is one of
/// that name; else the first that is a desktop.
const DESKTOP: &str = "desktop";

/// What a VNC-aware image may be given; of it VNC authentication itself uses eight (RFC 6143 §7.2.2).
const LONGEST_PASSWORD: usize = 64;

/// Whose desktop, and the password of its screen. Other fields are ignored, as that manager did.
#[derive(Deserialize, ToSchema)]
pub(super) struct Spawn {
    /// The user's name. Who is not there yet is made if the asker may make users.
    #[schema(value_type = SessionName)]
    username: String,
    /// What the container is proven with; no browser ever learns it. Made by lot if absent.
    #[serde(rename = "vncPassword")]
    #[schema(min_length = 6, max_length = 64, pattern = "^[!-~]+$")]
    vnc_password: Option<String>,
}

/// Whose desktop goes. Other fields are ignored.
#[derive(Deserialize, ToSchema)]
pub(super) struct Remove {
    /// The user's name.
    #[schema(value_type = SessionName)]
    username: String,
}

/// A user's desktop.
#[derive(Clone, Serialize, ToSchema)]
pub(super) struct Spawned {
    /// Always `true`.
    success: bool,
    /// The user's name.
    username: String,
    /// The password with which a user who was made here logs in first, to choose another; told this
    /// once. `null` for whoever was there already.
    #[schema(required = true)]
    first_password: Option<String>,
    /// The address that opens the desktop, after a login.
    #[schema(format = "uri")]
    url: String,
    /// The session that it is.
    session: SessionDocument,
}

/// What became of a user's desktop.
#[derive(Serialize, ToSchema)]
pub(super) struct RemovedDesktop {
    /// Always `true`.
    success: bool,
    /// The user's name.
    username: String,
    /// Whether there was one.
    removed: bool,
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

/// Makes or starts a user's desktop, and the user if there is none. A desktop that exists keeps its
/// password. Refusals have `"success": false` and `error` in them.
#[utoipa::path(
    post, path = "/api/v1/spawn", tag = "compat", operation_id = "spawn_desktop", request_body = Spawn,
    responses(
        (status = 200, description = "It was there, and is started if it was not", body = Spawned),
        (status = 201, description = "It is made and on its way", body = Spawned),
    ),
)]
pub(super) async fn spawn(
    State(site): State<Site>,
    keeper: Result<SessionsKeeper, Failure>,
    sent: Result<Json<Spawn>, JsonRejection>,
) -> Result<Response<Body>, Failure> {
    let SessionsKeeper(caller) = keeper?;
    let asked = document(sent)?;
    let password = asked.vnc_password.map(password).transpose()?;
    let by = caller.by();
    let (owner, first) = owner(&site, &caller, asked.username.trim()).await?;
    let (status, entry) = match desktop_of(&site, &owner) {
        Some(entry) => {
            site.broker().start(&entry, &by).await?;
            (StatusCode::OK, entry)
        }
        None => match create(&site, &owner, password, &by).await {
            Ok(entry) => (StatusCode::CREATED, entry),
            Err(refused) => {
                if first.is_some() {
                    take_back(&site, &owner, &by).await?;
                }
                return Err(refused);
            }
        },
    };
    let again = Spawned {
        success: true,
        username: owner.name,
        first_password: None,
        url: url(&site, &entry),
        session: json::session(&site, &entry, caller.known.user),
    };
    let told = Spawned { first_password: first.map(|first| first.expose().clone()), ..again.clone() };
    Ok(json::told_once(json::document(status, &told), &again))
}

async fn create(
    site: &Site,
    owner: &User,
    password: Option<Secret<String>>,
    by: &Actor,
) -> Result<Arc<Entry>, Failure> {
    let template = template(site.broker()).ok_or(CompatError::NoDesktop)?;
    let wish = Wish { password, label: label(&owner.name), ..Wish::of(template, desktop()) };
    Ok(site.broker().create_for(owner, wish, by).await?)
}

/// Whoever was made for a desktop that cannot be had, because every place is taken, would never be told
/// their password: they are made anew with the next attempt.
async fn take_back(site: &Site, owner: &User, by: &Actor) -> Result<(), Failure> {
    if site.broker().entries_of(owner.id).is_empty() {
        site.auth().remove_user(by, owner.id).await?;
    }
    Ok(())
}

/// Removes a user's desktop; the user and their home stay. Refusals have `"success": false` and `error`
/// in them.
#[utoipa::path(
    post, path = "/api/v1/remove", tag = "compat", operation_id = "remove_desktop", request_body = Remove,
    responses((status = 200, description = "It goes, or there was none", body = RemovedDesktop)),
)]
pub(super) async fn remove(
    State(site): State<Site>,
    keeper: Result<SessionsKeeper, Failure>,
    sent: Result<Json<Remove>, JsonRejection>,
) -> Result<Response<Body>, Failure> {
    let SessionsKeeper(caller) = keeper?;
    let asked = document(sent)?;
    let owner = site.0.store.user_by_name(asked.username.trim()).await?.ok_or(AuthError::UserUnknown)?;
    let entry = desktop_of(&site, &owner);
    if let Some(entry) = &entry {
        site.broker().stop(entry, StopReason::Admin, Next::Remove, &caller.by()).await?;
    }
    let removed = RemovedDesktop { success: true, username: owner.name, removed: entry.is_some() };
    Ok(json::document(StatusCode::OK, &removed))
}

fn password(text: String) -> Result<Secret<String>, CompatError> {
    let fits =
        (6..=LONGEST_PASSWORD).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if fits { Ok(Secret::new(text)) } else { Err(CompatError::Password) }
}

/// The user of this name, and the first password of one who was made just now. There is one afterwards,
/// if who asks may make users.
async fn owner(site: &Site, caller: &Caller, name: &str) -> Result<(User, Option<Secret<String>>), Failure> {
    if let Some(user) = site.0.store.user_by_name(name).await? {
        return Ok((user, None));
    }
    caller.needs(Scope::UsersWrite, site).await?;
    let first = random_password();
    let new = NewUser { name: name.to_owned(), role: Role::User, password: first.clone() };
    let terms = Terms { renewal: Renewal::Required, ..Terms::default() };
    let user = site.auth().create_user_on(&caller.by(), new, terms).await?;
    Ok((user, Some(first)))
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
