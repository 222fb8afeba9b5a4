//! `/api/v1/sessions`: listing, making and removing them. What is done with one is in
//! [`super::verbs`].

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use http::{Response, StatusCode};
use jiff::Timestamp;
use serde::Deserialize;
use tokio::time::timeout;
use utoipa::{IntoParams, ToSchema};

use super::failure::{NoUser, OwnerForeign};
use super::flaw::Flaw;
use super::gate::{Caller, Known, Query, document};
use super::page::{Page, Paging};
use super::session::SessionDocument;
use super::{Failure, Site, json, session};
use crate::access;
use crate::auth::Principal;
use crate::auth::policy::{self, Verb};
use crate::body::Body;
use crate::broker::{Entry, Wish};
use crate::language::Language;
use crate::session::{Next, SessionId, SessionName, StateKind, StopReason, Template, TemplateName};
use crate::store::User;

/// A removal that takes longer goes on without whoever asked for it.
const REMOVAL: Duration = Duration::from_secs(20);

/// Which of them.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Filter {
    /// Only those in this state.
    state: Option<StateKind>,
    /// Only those of this user.
    owner: Option<String>,
    /// Only those made from this template.
    template: Option<String>,
}

impl Filter {
    fn fits(&self, entry: &Entry) -> bool {
        let session = entry.session();
        self.state.is_none_or(|state| session.state.kind() == state)
            && self.owner.as_ref().is_none_or(|owner| session.owner_name.eq_ignore_ascii_case(owner))
            && self.template.as_ref().is_none_or(|template| session.template.as_str() == template)
    }
}

/// The sessions that may be seen, oldest first: one's own and those that others share, an administrator's
/// all. `role` tells them apart.
#[utoipa::path(
    get, path = "/api/v1/sessions", tag = "sessions", operation_id = "list_sessions", params(Paging, Filter),
    responses((status = 200, description = "A page of them", body = Page<SessionDocument>)),
)]
pub(super) async fn list(
    State(site): State<Site>,
    Known(known): Known,
    Query(paging): Query<Paging>,
    Query(filter): Query<Filter>,
) -> Result<Response<Body>, Failure> {
    let mut entries = site.broker().entries();
    // As the event stream has it: what is told of here and there is the same.
    entries.retain(|entry| access::allow(&known, Verb::See, entry).is_ok() && filter.fits(entry));
    let place = |entry: &Arc<Entry>| -> (Timestamp, SessionId) { (entry.session().created_at, entry.id) };
    let page = paging.of(entries, place)?;
    Ok(json::read(&page.map(|entry| session::document(&site, &entry, known.user))))
}

/// One session.
#[utoipa::path(
    get, path = "/api/v1/sessions/{label}", tag = "sessions", operation_id = "read_session",
    params(("label" = String, Path, description = "The session's label")),
    responses((status = 200, description = "The session", body = SessionDocument)),
)]
pub(super) async fn show(
    State(site): State<Site>,
    caller: Caller,
    Path(label): Path<String>,
) -> Result<Response<Body>, Failure> {
    let entry = site.entry(&caller.known, caller.address, Verb::See, &label).await?;
    Ok(json::read(&session::document(&site, &entry, caller.known.user)))
}

/// What a session is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewSession {
    /// The name of the template that it is made from.
    template: TemplateName,
    /// What it is called, unique among its owner's; the template's title unless given.
    name: Option<SessionName>,
    /// The user name of its owner; whoever asks, unless given. Administrators make sessions for others.
    #[schema(max_length = 64)]
    owner: Option<String>,
    /// The label of a session of the same owner that uses the same home and is to stop for it.
    #[schema(max_length = 63)]
    instead_of: Option<String>,
}

/// Makes a session and starts it. `Location` is where to see what becomes of it.
#[utoipa::path(
    post, path = "/api/v1/sessions", tag = "sessions", operation_id = "create_session", request_body = NewSession,
    responses((
        status = 202, description = "It is on its way", body = SessionDocument,
        headers(("Location" = String, description = "The session's address in the API")),
    )),
)]
pub(super) async fn create(
    State(site): State<Site>,
    caller: Caller,
    sent: Result<Json<NewSession>, JsonRejection>,
) -> Result<Response<Body>, Failure> {
    let new = document(sent)?;
    let owner = owner(&site, &caller.known, new.owner.as_deref()).await?;
    let name = new.name.unwrap_or_else(|| free_name(&site, &owner, &new.template));
    let wish = Wish::of(new.template, name);
    let entry = match new.instead_of {
        Some(label) => {
            let of = site.entry(&caller.known, caller.address, Verb::Change, &label).await?;
            site.broker().create_instead(&owner, wish, &of, &caller.by()).await?
        }
        None => site.broker().create_for(&owner, wish, &caller.by()).await?,
    };
    let shown = session::document(&site, &entry, caller.known.user);
    Ok(json::located(StatusCode::ACCEPTED, &format!("/api/v1/sessions/{}", entry.label), &shown))
}

/// Whose the session will be.
async fn owner(site: &Site, known: &Principal, named: Option<&str>) -> Result<User, Failure> {
    let found = match named.map(str::trim) {
        Some(name) if name.eq_ignore_ascii_case(&known.name) => site.0.store.user(known.user).await?,
        Some(name) => {
            policy::make_for_others(known).map_err(|_denied| OwnerForeign)?;
            site.0.store.user_by_name(name).await?
        }
        // The holder of a token may be nobody who could own one.
        None => match site.0.store.user(known.user).await? {
            Some(user) => Some(user),
            None => return Err(Flaw::new("owner", "this token belongs to nobody, so say whose").into()),
        },
    };
    found.filter(|user| !user.disabled).ok_or_else(|| NoUser { field: "owner" }.into())
}

/// The template's title, or that with the first free number.
fn free_name(site: &Site, owner: &User, template: &TemplateName) -> SessionName {
    let title = |template: &Arc<Template>| template.title.of(Language::default()).to_owned();
    let title = site.broker().templates().get(template).map_or_else(|| template.to_string(), title);
    let entries = site.broker().entries_of(owner.id);
    let taken = |name: &str| entries.iter().any(|entry| entry.session().name.as_str() == name);
    let numbered = (2..).map(|number| format!("{title} {number}"));
    let free = std::iter::once(title.clone()).chain(numbered).find(|name| !taken(name));
    let short = |text: String| text.parse().ok();
    // A title may be longer than a name.
    free.and_then(short)
        .unwrap_or_else(|| template.as_str().parse().expect("a template's name is short and plain"))
}

/// Removes it, running or not: its container, its record, and a home of its own. An owner's home stays.
#[utoipa::path(
    delete, path = "/api/v1/sessions/{label}", tag = "sessions", operation_id = "remove_session",
    params(("label" = String, Path, description = "The session's label")),
    responses(
        (status = 202, description = "It takes long; it is gone when it reads as unknown", body = SessionDocument),
        (status = 204, description = "It is gone"),
    ),
)]
pub(super) async fn remove(
    State(site): State<Site>,
    caller: Caller,
    Path(label): Path<String>,
) -> Result<Response<Body>, Failure> {
    let entry = site.entry(&caller.known, caller.address, Verb::Change, &label).await?;
    site.broker().stop(&entry, reason(&caller.known, &entry), Next::Remove, &caller.by()).await?;
    // Stopping takes some seconds, and whoever removes it wants its place.
    let _ = timeout(REMOVAL, site.broker().ended(&entry)).await;
    if site.broker().entry(entry.id).is_none() {
        return Ok(json::nothing());
    }
    Ok(json::document(StatusCode::ACCEPTED, &session::document(&site, &entry, caller.known.user)))
}

/// Why a session stops if `known` stops it.
pub(super) fn reason(known: &Principal, entry: &Entry) -> StopReason {
    if known.user == entry.owner { StopReason::Owner } else { StopReason::Admin }
}
