//! `/api/v1/audit`: the lines of the audit, for administrators.

use axum::extract::State;
use http::Response;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::flaw::Flaw;
use super::gate::{Administrator, Query};
use super::page::{Page, Paging};
use super::{Failure, Site, json};
use crate::audit::{EventKind, Outcome, UnknownEvent, when};
use crate::body::Body;
use crate::clock;
use crate::store::{AuditLine, AuditOrder, AuditSearch};

/// Numbers from here on are not exact in every program that reads JSON.
const MOST: u64 = 1 << 53;

/// Which lines.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Filter {
    /// With one of these events, separated by commas.
    #[param(inline, value_type = Option<Vec<EventKind>>, min_items = 1, style = Form, explode = false)]
    event: Option<String>,
    /// By this user, or by `anonymous`, `cli`, `system`, `token` (the configuration's) or `token NAME` (a
    /// token that is bound to nobody): the whole name.
    actor: Option<String>,
    /// About this user or session.
    target: Option<String>,
    /// That ended so.
    #[param(inline)]
    outcome: Option<Outcome>,
    /// Not before this time (RFC 3339, UTC if it has no offset), or how long ago: `12h`.
    since: Option<String>,
    /// Before this time.
    until: Option<String>,
    /// Only lines with a greater number than this.
    #[param(maximum = 9_007_199_254_740_991u64)]
    after: Option<u64>,
    /// Only lines with a smaller number than this.
    #[param(maximum = 9_007_199_254_740_991u64)]
    before: Option<u64>,
    /// From which end: `newest_first` unless given.
    #[param(inline)]
    order: Option<AuditOrder>,
}

/// One line.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditLine)]
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

/// The lines that fit, newest first unless asked otherwise.
#[utoipa::path(
    get, path = "/api/v1/audit", tag = "audit", operation_id = "read_audit", params(Paging, Filter),
    responses((status = 200, description = "A page of them", body = Page<AuditDocument>)),
)]
pub(super) async fn list(
    State(site): State<Site>,
    Administrator(_caller): Administrator,
    Query(paging): Query<Paging>,
    Query(filter): Query<Filter>,
) -> Result<Response<Body>, Failure> {
    let limit = paging.limit()?;
    let order = filter.order.unwrap_or_default();
    let mut search = filter.search()?;
    // Where the page before ended is never before where the first one began.
    let (place, begin) = (
        paging.after()?,
        match order {
            AuditOrder::NewestFirst => &mut search.before,
            AuditOrder::OldestFirst => &mut search.after,
        },
    );
    *begin = place.or(*begin);
    let lines = site.0.store.find_audit(&search, order, limit + 1).await?;
    Ok(json::read(&Page::cut(lines, limit, |line| line.number).map(AuditDocument::from)))
}

impl Filter {
    fn search(self) -> Result<AuditSearch, Flaw> {
        let now = clock::now();
        let time = |field: &str, text: Option<String>| -> Result<Option<Timestamp>, Flaw> {
            let read = |text: String| when(&text, now).map_err(|error| Flaw::new(field, error.to_string()));
            text.map(read).transpose()
        };
        let event =
            |name: &str| name.parse().map_err(|error: UnknownEvent| Flaw::new("event", error.to_string()));
        let number = |field: &str, number: Option<u64>| match number {
            Some(MOST..) => Err(Flaw::new(field, format!("expected a number below {MOST}"))),
            number => Ok(number),
        };
        let events = self.event.iter().flat_map(|names| names.split(','));
        Ok(AuditSearch {
            events: events.map(event).collect::<Result<_, _>>()?,
            actor: self.actor,
            target: self.target,
            outcome: self.outcome,
            since: time("since", self.since)?,
            until: time("until", self.until)?,
            after: number("after", self.after)?,
            before: number("before", self.before)?,
        })
    }
}
