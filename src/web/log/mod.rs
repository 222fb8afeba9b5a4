//! The administrators' page of the audit: newest first, by filters and pages that are part of the
//! address, live while it is open.

mod feed;
mod kinds;
mod line;
mod query;
mod words;

use askama::Template;
use axum::extract::{Query, State};
use bytes::Bytes;
use futures_util::stream;
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use self::feed::Feed;
use self::line::LogRow;
use self::query::{Filters, Flaws, LogQuery};
pub(super) use self::words::outcome;
use super::gate::{Administrator, Arrival};
use super::person::{Person, Tab};
use super::{Failure, Site};
use crate::audit::{Actor, AuditEvent, Export, Format, Record};
use crate::body::Body;
use crate::language::Language;
use crate::respond::{self, Surface, follow};
use crate::store::{AuditLine, AuditOrder, AuditSearch, Store, StoreError};

/// So many lines make a page.
const PAGE: usize = 50;

#[derive(Template)]
#[template(path = "log.html")]
struct LogPage<'a> {
    surface: &'a Surface,
    language: Language,
    person: &'a Person,
    tab: Tab,
    filters: Filters,
    flaws: Flaws,
    /// Each row's markup, as its stream sends it.
    rows: Vec<String>,
    /// Where the lines under these filters are told as they come; only on the newest page.
    events: Option<String>,
    newest: String,
    newer: Option<String>,
    older: Option<String>,
    jsonl: String,
    csv: String,
}

/// A page of lines, and the addresses around it.
struct Found {
    lines: Vec<AuditLine>,
    at_newest: bool,
    at_oldest: bool,
}

/// `GET /admin/log`
pub(super) async fn show(
    State(site): State<Site>,
    Administrator(known): Administrator,
    language: Language,
    Query(query): Query<LogQuery>,
) -> Result<Response<Body>, Failure> {
    let (search, flaws) = query.search();
    let Found { lines, at_newest, at_oldest } = find(&*site.0.state.store, &search).await?;
    let number = |line: Option<&AuditLine>| line.map_or(0, |line| line.number).to_string();
    let (first, last) = (number(lines.first()), number(lines.last()));
    let status = if flaws.any() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let shown = LogPage {
        surface: site.portal(),
        language,
        person: &Person::of(&known, language),
        tab: Tab::Log,
        filters: Filters::of(&query, language),
        flaws,
        rows: lines.iter().map(|line| LogRow::of(line, language).html(language)).collect(),
        events: at_newest.then(|| query.address("/admin/log/events", "after", &first)),
        newest: query.address("/admin/log", "", ""),
        newer: (!at_newest).then(|| query.address("/admin/log", "after", &first)),
        older: (!at_oldest).then(|| query.address("/admin/log", "before", &last)),
        jsonl: query.address("/admin/log/export", "format", "jsonl"),
        csv: query.address("/admin/log/export", "format", "csv"),
    };
    Ok(respond::page(site.portal(), status, &shown))
}

/// One page of the lines that fit, newest first.
async fn find(store: &dyn Store, search: &AuditSearch) -> Result<Found, StoreError> {
    // Towards the newer lines they are read from the older end, and turned round.
    let upwards = search.after.is_some();
    let order = if upwards { AuditOrder::OldestFirst } else { AuditOrder::NewestFirst };
    let mut lines = store.find_audit(search, order, PAGE + 1).await?;
    let more = lines.len() > PAGE;
    lines.truncate(PAGE);
    if upwards {
        lines.reverse();
        return Ok(Found { at_newest: !more, at_oldest: lines.is_empty(), lines });
    }
    Ok(Found { at_newest: search.before.is_none(), at_oldest: !more, lines })
}

/// `GET /admin/log/events`: the lines under the same filters as they are written.
pub(super) async fn follow(
    State(site): State<Site>,
    Administrator(known): Administrator,
    language: Language,
    headers: HeaderMap,
    Query(query): Query<LogQuery>,
) -> Result<Response<axum::body::Body>, Failure> {
    let (search, _) = query.search();
    // Where a browser that comes back was; without a word the whole log would come.
    let seen = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
    let search = AuditSearch { after: seen.or(search.after).or(Some(u64::MAX)), before: None, ..search };
    Ok(follow::streamed(Feed::of(&site, &known, search, language)?))
}

/// `GET /admin/log/export`: every line under these filters as a file, which `berth audit verify
/// --export` proves. That somebody took it is audited.
pub(super) async fn export(
    State(site): State<Site>,
    arrival: Arrival,
    Administrator(known): Administrator,
    Query(query): Query<LogQuery>,
) -> Result<Response<Body>, Failure> {
    let (search, _) = query.search();
    let (format, kind, name) = match query.format.as_str() {
        "csv" => (Format::Csv, "text/csv; charset=utf-8", "audit.csv"),
        _ => (Format::Jsonl, "application/jsonl", "audit.jsonl"),
    };
    let export = Export::of(site.0.state.store.clone(), search, format).await?;
    let event = AuditEvent::AuditExported { search: query.words() };
    site.0.state.audit.record(Record::new(Actor::user(&known.name, arrival.address), event)).await;
    let pieces = stream::try_unfold(export, |mut export| async move {
        let piece = export.next().await?;
        Ok::<_, StoreError>(piece.map(|piece| (Bytes::from(piece), export)))
    });
    let mut response = Response::new(Body::from(axum::body::Body::from_stream(pieces)));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let disposition = format!("attachment; filename=\"{name}\"");
    headers.insert(CONTENT_DISPOSITION, HeaderValue::try_from(disposition).expect("a name of ours"));
    Ok(response)
}
