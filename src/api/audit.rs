//! `/api/v1/audit`: the lines of the audit, for administrators.

use axum::extract::State;
use http::{Response, StatusCode};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;
use utoipa::{IntoParams, ToSchema};

use super::gate::{Administrator, Query};
use super::openapi::Problem;
use super::{Failure, Site, json};
use crate::audit::{UnknownEvent, UnknownOutcome, UnknownTime, when};
use crate::body::Body;
use crate::clock;
use crate::fault::{Answer, Fault};
use crate::language::Sentence;
use crate::store::{AuditLine, AuditOrder, AuditSearch};

const PAGE: usize = 100;
const MOST: usize = 1000;

/// Which lines, and how many of them.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// With one of these events, separated by commas: `session_failed,session_stopped`.
    event: Option<String>,
    /// By this user, or by `anonymous`, `cli`, `system`, `token`.
    actor: Option<String>,
    /// About this user or session.
    target: Option<String>,
    /// That ended so: `ok`, `refused` or `failed`.
    outcome: Option<String>,
    /// Not before this time (RFC 3339, UTC if it has no offset), or how long ago: `12h`.
    since: Option<String>,
    /// Before this time.
    until: Option<String>,
    /// The `next` of the page before.
    cursor: Option<u64>,
    /// How many at most: 100 unless it says so, 1000 at most.
    limit: Option<usize>,
}

/// A page of lines, newest first.
#[derive(Serialize, ToSchema)]
pub(super) struct AuditPage {
    items: Vec<AuditDocument>,
    /// The `cursor` of the next page; `null` on the last one.
    next: Option<u64>,
}

/// One line.
#[derive(Serialize, ToSchema)]
pub(super) struct AuditDocument {
    /// Its place, from 1 without gaps.
    number: u64,
    /// Hex SHA-256 over the previous line's hash and the text of this one.
    hash: String,
    /// What happened: `v`, `at`, `event`, `actor`, `outcome`, and what belongs to the event.
    #[schema(value_type = Object)]
    line: Value,
    /// The text that was hashed.
    text: String,
}

impl From<AuditLine> for AuditDocument {
    fn from(line: AuditLine) -> Self {
        let AuditLine { number, body, hash } = line;
        Self { number, hash, line: serde_json::from_str(&body).unwrap_or_default(), text: body }
    }
}

/// A filter that cannot be read.
#[derive(Debug, Error)]
pub(super) enum Unfiltered {
    #[error(transparent)]
    Event(#[from] UnknownEvent),
    #[error(transparent)]
    Outcome(#[from] UnknownOutcome),
    #[error(transparent)]
    Time(#[from] UnknownTime),
}

impl Answer for Unfiltered {
    fn fault(&self) -> Fault {
        Fault::Downstream
    }

    fn code(&self) -> &'static str {
        "filter_invalid"
    }

    fn sentence(&self) -> Sentence {
        Sentence::of("problem-filter-invalid").with("why", self.to_string())
    }
}

/// The lines that fit, newest first.
#[utoipa::path(
    get, path = "/api/v1/audit", tag = "audit", operation_id = "read_audit", params(Wanted),
    responses((status = 200, body = AuditPage), (status = "4XX", body = Problem)),
)]
pub(super) async fn list(
    State(site): State<Site>,
    Administrator(_known): Administrator,
    Query(wanted): Query<Wanted>,
) -> Result<Response<Body>, Failure> {
    let limit = wanted.limit.unwrap_or(PAGE).clamp(1, MOST);
    let search = search(wanted)?;
    let mut lines = site.0.store.find_audit(&search, AuditOrder::NewestFirst, limit + 1).await?;
    let more = lines.len() > limit;
    lines.truncate(limit);
    let next = lines.last().filter(|_| more).map(|line| line.number);
    let items = lines.into_iter().map(AuditDocument::from).collect();
    Ok(json::document(StatusCode::OK, &AuditPage { items, next }))
}

fn search(wanted: Wanted) -> Result<AuditSearch, Unfiltered> {
    let now = clock::now();
    let time = |text: Option<String>| -> Result<Option<Timestamp>, UnknownTime> {
        text.map(|text| when(&text, now)).transpose()
    };
    let events = wanted.event.as_deref().unwrap_or_default().split(',').filter(|event| !event.is_empty());
    Ok(AuditSearch {
        events: events.map(str::parse).collect::<Result<_, _>>()?,
        actor: wanted.actor,
        target: wanted.target,
        outcome: wanted.outcome.map(|outcome| outcome.parse()).transpose()?,
        since: time(wanted.since)?,
        until: time(wanted.until)?,
        after: None,
        before: wanted.cursor,
    })
}
