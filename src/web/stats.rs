//! The administrators' pages of statistics: the machine and its sessions over time.

use askama::Template;
use axum::extract::{Path, Query, State};
use http::{Response, StatusCode};
use serde::Deserialize;

use super::chart::{self, Chart};
use super::gate::Known;
use super::person::{Person, Tab};
use super::pictures::{self, percent};
use super::words::{self, Text};
use super::{Failure, Site};
use crate::auth::policy;
use crate::body::Body;
use crate::broker::Entry;
use crate::language::Language;
use crate::respond::{self, Surface};
use crate::stats::{Host, SessionMetric};
use crate::store::StatSpan;

/// Sessions in the table of the busiest.
const BUSIEST: usize = 20;
/// Points of a sparkline.
const SPARKS: usize = 40;

/// What the address of a page may carry.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Ask {
    /// `hour`, `day` or `month`.
    range: String,
    /// `cpu` or `memory`: what the busiest are sorted by.
    by: String,
}

impl Ask {
    /// An unknown range is an hour: nobody is refused a page for it.
    fn span(&self) -> StatSpan {
        StatSpan::ALL.into_iter().find(|span| span.name() == self.range).unwrap_or(StatSpan::Hour)
    }

    fn by_memory(&self) -> bool {
        self.by == "memory"
    }
}

/// One choice of the range.
struct Range {
    name: &'static str,
    text: Text,
    current: bool,
}

#[derive(Template)]
#[template(path = "stats.html")]
struct StatsPage<'a> {
    surface: &'a Surface,
    language: Language,
    person: &'a Person,
    tab: Tab,
    ranges: Vec<Range>,
    /// Where the ranges lead.
    base: &'static str,
    range: &'static str,
    every_s: u64,
    hosts: Vec<HostView>,
    by_memory: bool,
    rows: Vec<Row>,
    more: Option<String>,
}

struct HostView {
    node: String,
    charts: Vec<Chart>,
}

/// A session in the table of the busiest.
struct Row {
    label: String,
    name: String,
    owner: String,
    template: String,
    cpu: String,
    memory: String,
    /// The width of the sparklines in their own units.
    sparks: usize,
    cpu_spark: String,
    memory_spark: String,
    cpu_value: f32,
    memory_value: u64,
}

/// `GET /admin/stats`; to everyone else it does not exist.
pub(super) async fn show(
    State(site): State<Site>,
    Known(known): Known,
    language: Language,
    Query(ask): Query<Ask>,
) -> Result<Response<Body>, Failure> {
    policy::administer(&known).map_err(|_denied| Failure::not_found())?;
    let span = ask.span();
    let mut rows = rows(&site, language, span, ask.by_memory());
    let hidden = rows.len().saturating_sub(BUSIEST);
    rows.truncate(BUSIEST);
    let page = StatsPage {
        surface: site.portal(),
        language,
        person: &Person::of(&known, language),
        tab: Tab::Stats,
        ranges: ranges(language, span),
        base: "/admin/stats",
        range: span.name(),
        every_s: site.stats().every().as_secs(),
        hosts: site.stats().hosts(span).iter().map(|host| host_view(language, span, host)).collect(),
        by_memory: ask.by_memory(),
        rows,
        more: (hidden > 0).then(|| language.say("stats-more", &[("count", hidden.into())])),
    };
    Ok(respond::page(site.portal(), StatusCode::OK, &page))
}

#[derive(Template)]
#[template(path = "stats_session.html")]
struct SessionStatsPage<'a> {
    surface: &'a Surface,
    language: Language,
    person: &'a Person,
    tab: Tab,
    ranges: Vec<Range>,
    /// Where the ranges lead.
    base: String,
    every_s: u64,
    name: String,
    owner: String,
    template: String,
    state: &'static str,
    word: Text,
    charts: Vec<Chart>,
}

/// `GET /admin/stats/<label>`
pub(super) async fn show_session(
    State(site): State<Site>,
    Known(known): Known,
    language: Language,
    Path(label): Path<String>,
    Query(ask): Query<Ask>,
) -> Result<Response<Body>, Failure> {
    policy::administer(&known).map_err(|_denied| Failure::not_found())?;
    let entry = site.broker().find(&label).ok_or_else(Failure::not_found)?;
    let (session, span) = (entry.session(), ask.span());
    let series = site.stats().session(entry.id, span);
    let usage = site.stats().usage(entry.id);
    let page = SessionStatsPage {
        surface: site.portal(),
        language,
        person: &Person::of(&known, language),
        tab: Tab::Stats,
        ranges: ranges(language, span),
        base: format!("/admin/stats/{}", session.label),
        every_s: site.stats().every().as_secs(),
        name: session.name.to_string(),
        owner: session.owner_name.clone(),
        template: super::card::title(language, &entry, &session),
        state: session.state.kind().name(),
        word: words::word(language, &session.state),
        charts: series
            .map(|series| pictures::of_session(language, span, &entry, &series, usage))
            .unwrap_or_default(),
    };
    Ok(respond::page(site.portal(), StatusCode::OK, &page))
}

fn ranges(language: Language, current: StatSpan) -> Vec<Range> {
    let range = |span: StatSpan| {
        let text = match span {
            StatSpan::Hour => "stats-hour",
            StatSpan::Day => "stats-day",
            StatSpan::Month => "stats-month",
        };
        Range { name: span.name(), text: language.text(text), current: span == current }
    };
    StatSpan::ALL.into_iter().map(range).collect()
}

fn rows(site: &Site, language: Language, span: StatSpan, by_memory: bool) -> Vec<Row> {
    let row = |entry: &std::sync::Arc<Entry>| {
        let usage = site.stats().usage(entry.id)?;
        let (session, series) = (entry.session(), site.stats().session(entry.id, span)?);
        let of = series.rows.len().div_ceil(SPARKS);
        let spark = |metric: SessionMetric| {
            let values = chart::thin(&series.column(metric as usize), of);
            chart::line(&values, chart::largest(&values).max(f32::MIN_POSITIVE))
        };
        Some(Row {
            label: session.label.to_string(),
            name: session.name.to_string(),
            owner: session.owner_name.clone(),
            template: super::card::title(language, entry, &session),
            cpu: usage.cpu_percent.map_or_else(|| "–".to_owned(), |cpu| percent(language, cpu)),
            memory: words::size(language, usage.memory_bytes),
            sparks: series.rows.len().div_ceil(of).saturating_sub(1),
            cpu_spark: spark(SessionMetric::Cpu),
            memory_spark: spark(SessionMetric::Memory),
            cpu_value: usage.cpu_percent.unwrap_or_default(),
            memory_value: usage.memory_bytes,
        })
    };
    let mut rows: Vec<Row> = site.broker().entries().iter().filter_map(row).collect();
    if by_memory {
        rows.sort_by_key(|row| std::cmp::Reverse(row.memory_value));
    } else {
        rows.sort_by(|one, other| other.cpu_value.total_cmp(&one.cpu_value));
    }
    rows
}

fn host_view(language: Language, span: StatSpan, host: &Host) -> HostView {
    HostView { node: host.node.0.clone(), charts: pictures::of_host(language, span, host) }
}
