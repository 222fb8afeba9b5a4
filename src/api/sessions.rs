//! `/api/v1/sessions`

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use bytes::Bytes;
use http::{Response, StatusCode};
use serde::Deserialize;
use serde_json::json;
use thiserror::Error;

use super::gate::{Arrival, Known};
use super::{Failure, Site, json};
use crate::audit::Actor;
use crate::auth::Principal;
use crate::auth::policy::{self, Verb};
use crate::body::Body;
use crate::broker::Entry;
use crate::fault::{Answer, Fault};
use crate::language::Sentence;
use crate::respond::Unreadable;
use crate::session::{Next, SessionId, StopReason};

/// Sessions on one page unless the asker wants fewer.
const MOST_ON_A_PAGE: usize = 100;

/// Which page of a list.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    /// Up to this many. Default and most 100.
    limit: Option<usize>,
    /// What the page before called `next`.
    cursor: Option<SessionId>,
}

/// `GET /api/v1/sessions`: one's own sessions, an administrator's all, oldest first.
pub(super) async fn list(
    State(site): State<Site>,
    Known(known): Known,
    Query(page): Query<Page>,
) -> Response<Body> {
    let entries = match policy::administer(&known) {
        Ok(()) => site.broker().entries(),
        Err(_user) => site.broker().entries_of(known.user),
    };
    let (shown, next) = page.of(&entries);
    let items: Vec<_> = shown.iter().map(|entry| json::session(&site, entry, known.user)).collect();
    json::document(StatusCode::OK, &json!({ "items": items, "next": next }))
}

impl Page {
    /// This page of all entries, and the cursor of the next one. A session that is gone is no
    /// place to go on from, so the list begins again.
    fn of<'a>(&self, entries: &'a [Arc<Entry>]) -> (&'a [Arc<Entry>], Option<SessionId>) {
        let seen = self.cursor.and_then(|cursor| entries.iter().position(|entry| entry.id == cursor));
        let rest = &entries[seen.map_or(0, |last| last + 1)..];
        let limit = self.limit.unwrap_or(MOST_ON_A_PAGE).clamp(1, MOST_ON_A_PAGE);
        let shown = &rest[..limit.min(rest.len())];
        let next = shown.last().filter(|_| shown.len() < rest.len()).map(|entry| entry.id);
        (shown, next)
    }
}

/// `GET /api/v1/sessions/<label>`
pub(super) async fn show(
    State(site): State<Site>,
    arrival: Arrival,
    Known(known): Known,
    Path(label): Path<String>,
) -> Result<Response<Body>, Failure> {
    let entry = site.entry(&known, arrival.address, Verb::See, &label).await?;
    Ok(json::document(StatusCode::OK, &json::session(&site, &entry, known.user)))
}

/// What may come with a change. Most need nothing.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct How {
    /// `start`: the label of the session that uses the same home and is to stop for it.
    instead_of: Option<String>,
    /// `reset`: whether the home is set aside as a copy and starts empty.
    #[serde(default)]
    home: bool,
    /// `reset` with `home`: the session's label once more.
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
}

/// `POST /api/v1/sessions/<label>/<verb>`: `extend`, `start`, `pause`, `resume`, `reset`. Answers 202 with the
/// session as it is then; what becomes of it is seen by asking again.
pub(super) async fn change(
    State(site): State<Site>,
    arrival: Arrival,
    Known(known): Known,
    Path((label, verb)): Path<(String, String)>,
    sent: Bytes,
) -> Result<Response<Body>, Failure> {
    let entry = site.entry(&known, arrival.address, Verb::Change, &label).await?;
    let how = if sent.is_empty() { How::default() } else { read(&sent)? };
    let by = Actor::user(&known.name, arrival.address);
    match verb.as_str() {
        "extend" => site.broker().extend(&entry, &by).await?,
        "start" => match how.instead_of {
            Some(of) => {
                let of = site.entry(&known, arrival.address, Verb::Change, &of).await?;
                site.broker().start_instead(&entry, &of, reason(&known, &of), &by).await?;
            }
            None => site.broker().start(&entry, &by).await?,
        },
        "reset" if how.home && how.confirm.as_deref() != Some(entry.label.as_str()) => {
            return Err(Unconfirmed.into());
        }
        "reset" => {
            let next = if how.home { Next::ResetHome } else { Next::Reset };
            site.broker().stop(&entry, reason(&known, &entry), next, &by).await?;
        }
        "pause" => site.broker().pause(&entry, &by).await?,
        "resume" => site.broker().resume(&entry, &by).await?,
        _ => return Err(Failure::not_found()),
    }
    Ok(json::document(StatusCode::ACCEPTED, &json::session(&site, &entry, known.user)))
}

fn read(sent: &[u8]) -> Result<How, Unreadable> {
    let how: Option<How> =
        serde_json::from_slice(sent).map_err(|_| Unreadable { status: StatusCode::UNPROCESSABLE_ENTITY })?;
    Ok(how.unwrap_or_default())
}

fn reason(known: &Principal, entry: &Entry) -> StopReason {
    if known.user == entry.owner { StopReason::Owner } else { StopReason::Admin }
}
