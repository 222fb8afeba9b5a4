//! `/api/v1/sessions/<label>/<verb>`: what is done with a session, as the buttons do it.
//!
//! Each answers 202 with the session as it is then; what becomes of it is seen by asking again, or
//! on the event stream.

use std::sync::Arc;

use axum::extract::{Path, State};
use http::{Response, StatusCode};
use serde::Deserialize;
use thiserror::Error;
use utoipa::ToSchema;

use super::gate::{Caller, MaybeSent};
use super::session::SessionDocument;
use super::sessions::reason;
use super::{Failure, Site, json, session};
use crate::auth::policy::Verb;
use crate::body::Body;
use crate::broker::Entry;
use crate::fault::{Answer, Fault};
use crate::language::Sentence;
use crate::session::Next;

/// How it is started.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct HowToStart {
    /// The label of the session that uses the same home and is to stop for it.
    #[schema(max_length = 63)]
    instead_of: Option<String>,
}

/// How it is reset.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct HowToReset {
    /// Whether its home is set aside as a copy and starts empty.
    #[serde(default)]
    home: bool,
    /// With `home`: the session's label once more.
    confirm: Option<String>,
}

/// The home is not reset without a second word.
#[derive(Clone, Copy, Debug, Error)]
#[error("the reset of a home was not confirmed")]
struct Unconfirmed;

impl Answer for Unconfirmed {
    fn fault(&self) -> Fault {
        Fault::Downstream
    }

    fn code(&self) -> &'static str {
        "unconfirmed"
    }

    fn sentence(&self) -> Sentence {
        Sentence::of("problem-unconfirmed")
    }

    fn field(&self) -> Option<&str> {
        Some("confirm")
    }
}

/// The session of this label, which the caller wants to change.
async fn to_change(site: &Site, caller: &Caller, label: &str) -> Result<Arc<Entry>, Failure> {
    Ok(site.entry(&caller.known, caller.address, Verb::Change, label).await?)
}

fn accepted(site: &Site, caller: &Caller, entry: &Entry) -> Response<Body> {
    json::document(StatusCode::ACCEPTED, &session::document(site, entry, caller.known.user))
}

/// Stops it, then does what `next` says.
async fn stopped(site: &Site, caller: &Caller, label: &str, next: Next) -> Result<Response<Body>, Failure> {
    let entry = to_change(site, caller, label).await?;
    site.broker().stop(&entry, reason(&caller.known, &entry), next, &caller.by()).await?;
    Ok(accepted(site, caller, &entry))
}

/// Starts it; resumes it if it is frozen.
#[utoipa::path(
    post, path = "/api/v1/sessions/{label}/start", tag = "sessions", operation_id = "start_session",
    params(("label" = String, Path, description = "The session's label")),
    request_body = Option<HowToStart>,
    responses((status = 202, description = "It is on its way", body = SessionDocument)),
)]
pub(super) async fn start(
    State(site): State<Site>,
    caller: Caller,
    Path(label): Path<String>,
    sent: MaybeSent<HowToStart>,
) -> Result<Response<Body>, Failure> {
    let entry = to_change(&site, &caller, &label).await?;
    match sent.read()?.instead_of {
        Some(of) => {
            let of = to_change(&site, &caller, &of).await?;
            let reason = reason(&caller.known, &of);
            site.broker().start_instead(&entry, &of, reason, &caller.by()).await?;
        }
        None => site.broker().start(&entry, &caller.by()).await?,
    }
    Ok(accepted(&site, &caller, &entry))
}

/// Stops it; its home is kept.
#[utoipa::path(
    post, path = "/api/v1/sessions/{label}/stop", tag = "sessions", operation_id = "stop_session",
    params(("label" = String, Path, description = "The session's label")),
    responses((status = 202, description = "It is stopping", body = SessionDocument)),
)]
pub(super) async fn stop(
    State(site): State<Site>,
    caller: Caller,
    Path(label): Path<String>,
) -> Result<Response<Body>, Failure> {
    stopped(&site, &caller, &label, Next::Rest).await
}

/// Stops it and starts it again in the same container; starts it if it rests.
#[utoipa::path(
    post, path = "/api/v1/sessions/{label}/restart", tag = "sessions", operation_id = "restart_session",
    params(("label" = String, Path, description = "The session's label")),
    responses((status = 202, description = "It is stopping and starts again", body = SessionDocument)),
)]
pub(super) async fn restart(
    State(site): State<Site>,
    caller: Caller,
    Path(label): Path<String>,
) -> Result<Response<Body>, Failure> {
    stopped(&site, &caller, &label, Next::Restart).await
}

/// Stops it and starts it again in a new container; its home is kept, or set aside if asked for.
#[utoipa::path(
    post, path = "/api/v1/sessions/{label}/reset", tag = "sessions", operation_id = "reset_session",
    params(("label" = String, Path, description = "The session's label")),
    request_body = Option<HowToReset>,
    responses((status = 202, description = "It is stopping and starts anew", body = SessionDocument)),
)]
pub(super) async fn reset(
    State(site): State<Site>,
    caller: Caller,
    Path(label): Path<String>,
    sent: MaybeSent<HowToReset>,
) -> Result<Response<Body>, Failure> {
    to_change(&site, &caller, &label).await?;
    let how = sent.read()?;
    if how.home && how.confirm.as_deref() != Some(label.as_str()) {
        return Err(Unconfirmed.into());
    }
    stopped(&site, &caller, &label, if how.home { Next::ResetHome } else { Next::Reset }).await
}

/// Freezes it: it uses no processor, and goes on where it was when it is resumed.
#[utoipa::path(
    post, path = "/api/v1/sessions/{label}/pause", tag = "sessions", operation_id = "pause_session",
    params(("label" = String, Path, description = "The session's label")),
    responses((status = 202, description = "It is frozen", body = SessionDocument)),
)]
pub(super) async fn pause(
    State(site): State<Site>,
    caller: Caller,
    Path(label): Path<String>,
) -> Result<Response<Body>, Failure> {
    let entry = to_change(&site, &caller, &label).await?;
    site.broker().pause(&entry, &caller.by()).await?;
    Ok(accepted(&site, &caller, &entry))
}

/// Lets a frozen one go on.
#[utoipa::path(
    post, path = "/api/v1/sessions/{label}/resume", tag = "sessions", operation_id = "resume_session",
    params(("label" = String, Path, description = "The session's label")),
    responses((status = 202, description = "It goes on", body = SessionDocument)),
)]
pub(super) async fn resume(
    State(site): State<Site>,
    caller: Caller,
    Path(label): Path<String>,
) -> Result<Response<Body>, Failure> {
    let entry = to_change(&site, &caller, &label).await?;
    site.broker().resume(&entry, &caller.by()).await?;
    Ok(accepted(&site, &caller, &entry))
}

/// Gives it more time before the limit that ends it next.
#[utoipa::path(
    post, path = "/api/v1/sessions/{label}/extend", tag = "sessions", operation_id = "extend_session",
    params(("label" = String, Path, description = "The session's label")),
    responses((status = 202, description = "With its new limit", body = SessionDocument)),
)]
pub(super) async fn extend(
    State(site): State<Site>,
    caller: Caller,
    Path(label): Path<String>,
) -> Result<Response<Body>, Failure> {
    let entry = to_change(&site, &caller, &label).await?;
    site.broker().extend(&entry, &caller.by()).await?;
    Ok(accepted(&site, &caller, &entry))
}
