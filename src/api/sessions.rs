//! `/api/v1/sessions`

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use http::{Response, StatusCode};
use serde::Deserialize;
use serde_json::json;

use super::gate::Known;
use super::{Failure, Site, json};
use crate::auth::policy::{self, Verb};
use crate::body::Body;
use crate::broker::Entry;
use crate::session::SessionId;

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
    Known(known): Known,
    Path(label): Path<String>,
) -> Result<Response<Body>, Failure> {
    let entry = site.entry(&known, Verb::See, &label)?;
    Ok(json::document(StatusCode::OK, &json::session(&site, &entry, known.user)))
}

/// `POST /api/v1/sessions/<label>/<verb>`: `start`, `pause`, `resume`. Answers 202 with the session
/// as it is then; what becomes of it is seen by asking again.
pub(super) async fn change(
    State(site): State<Site>,
    Known(known): Known,
    Path((label, verb)): Path<(String, String)>,
) -> Result<Response<Body>, Failure> {
    let entry = site.entry(&known, Verb::Change, &label)?;
    match verb.as_str() {
        "start" => site.broker().start(&entry).await?,
        "pause" => site.broker().pause(&entry).await?,
        "resume" => site.broker().resume(&entry).await?,
        _ => return Err(Failure::not_found()),
    }
    Ok(json::document(StatusCode::ACCEPTED, &json::session(&site, &entry, known.user)))
}
