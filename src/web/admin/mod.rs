//! The administrators' table of all sessions: found, sorted, paged, followed, and changed together.

mod bulk;
mod feed;
mod query;
mod row;

use std::borrow::Cow;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use http::{Response, StatusCode};

pub(super) use self::bulk::change;
use self::feed::Feed;
use self::query::{Column, Selected, TableQuery};
use self::row::Row;
use super::gate::Administrator;
use super::person::{Person, Tab};
use super::words::{self, Text};
use super::{Failure, Site};
use crate::body::Body;
use crate::broker::{Broker, Entry};
use crate::language::Language;
use crate::respond::{self, Surface, follow};
use crate::session::{StateKind, StopReason};

#[derive(Template)]
#[template(path = "admin.html")]
struct AdminPage<'a> {
    surface: &'a Surface,
    language: Language,
    person: &'a Person,
    tab: Tab,
    figures: String,
    query: &'a TableQuery,
    filters: Filters,
    columns: Vec<ColumnHead>,
    /// Each row's markup, as its stream sends it.
    rows: Vec<String>,
    found: String,
    /// Whether there is any session at all.
    empty: bool,
    here: String,
    events: String,
    previous: Option<String>,
    next: Option<String>,
}

/// What can be chosen.
struct Filters {
    states: Vec<Choice>,
    templates: Vec<Choice>,
    reasons: Vec<Choice>,
}

/// One value to choose.
struct Choice {
    value: String,
    text: Cow<'static, str>,
    chosen: bool,
}

/// The head of a column: a link that sorts by it.
struct ColumnHead {
    title: Text,
    address: String,
    /// `ascending` or `descending`, of the column it is sorted by.
    sorted: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "figures.html")]
struct Figures {
    running_word: Text,
    running: String,
    counts: Vec<(Text, usize)>,
}

/// `GET /admin`; to everyone else it does not exist.
pub(super) async fn show(
    State(site): State<Site>,
    Administrator(known): Administrator,
    language: Language,
    Query(query): Query<TableQuery>,
) -> Result<Response<Body>, Failure> {
    let broker = site.broker();
    let Selected { rows, found, previous, next } = query.select(broker, language);
    let here = query.here("/admin");
    let row = |entry: &Arc<Entry>| Row::of(broker, entry, &known, language, &here).html(language);
    let page = |cursor: (&str, String)| query.address("/admin", &[(cursor.0, &cursor.1)]);
    let shown = AdminPage {
        surface: site.portal(),
        language,
        person: &Person::of(&known, language),
        tab: Tab::Admin,
        figures: figures(broker, language),
        query: &query,
        filters: Filters::of(broker, &query, language),
        columns: Column::ALL.map(|column| ColumnHead::of(column, &query, language)).into(),
        rows: rows.iter().map(row).collect(),
        found: language.say("admin-found", &[("count", found.into())]),
        empty: found == 0 && !query.filters(),
        here,
        events: query.here("/admin/sessions/events"),
        previous: previous.map(page),
        next: next.map(page),
    };
    Ok(respond::page(site.portal(), StatusCode::OK, &shown))
}

/// `GET /admin/sessions/events`: the rows of the page with the same query as they change.
pub(super) async fn follow(
    State(site): State<Site>,
    Administrator(known): Administrator,
    language: Language,
    Query(query): Query<TableQuery>,
) -> Result<Response<axum::body::Body>, Failure> {
    Ok(follow::streamed(Feed::of(&site, known, query, language)?))
}

/// How many run, and how many are in each state.
fn figures(broker: &Broker, language: Language) -> String {
    let counts = broker.count_by_state().into_iter().filter(|(_, count)| *count > 0);
    let (running, places) = (broker.occupied(), broker.settings().max_sessions);
    let places = [("running", running.into()), ("places", places.into())];
    let shown = Figures {
        running_word: language.text("admin-running"),
        running: language.say("admin-places", &places),
        counts: counts.map(|(kind, count)| (state(language, kind), count)).collect(),
    };
    shown.render().unwrap_or_default()
}

impl Filters {
    fn of(broker: &Broker, query: &TableQuery, language: Language) -> Self {
        let states = StateKind::ALL.map(|kind| Choice {
            value: kind.name().to_owned(),
            text: state(language, kind),
            chosen: query.state == kind.name(),
        });
        let templates = broker.templates().values().map(|template| Choice {
            value: template.name.to_string(),
            text: template.title.of(language).to_owned().into(),
            chosen: query.template == template.name.as_str(),
        });
        let stopped = StopReason::ALL.map(|reason| (reason.code(), words::stopped(language, reason)));
        let failed = words::failures().map(|reason| (reason.code(), words::failed(language, &reason)));
        let mut reasons: Vec<Choice> = Vec::new();
        for (code, text) in stopped.into_iter().chain(failed) {
            if !reasons.iter().any(|known| known.value == code) {
                // The first sentence says why; the others console.
                let text = text.split_inclusive(['.', ';']).next().unwrap_or_default().to_owned();
                reasons.push(Choice {
                    value: code.to_owned(),
                    text: text.into(),
                    chosen: query.reason == code,
                });
            }
        }
        Self { states: states.into(), templates: templates.collect(), reasons }
    }
}

impl ColumnHead {
    fn of(column: Column, query: &TableQuery, language: Language) -> Self {
        let (by, reversed) = query.order();
        let sorted = (by == column).then_some(if reversed { "descending" } else { "ascending" });
        // The same head again turns the order round.
        let turned = if sorted == Some("ascending") { "-" } else { "" };
        Self {
            title: language.text(match column {
                Column::Name => "admin-machine",
                Column::Owner => "admin-owner",
                Column::Template => "admin-type",
                Column::State => "admin-state",
                Column::Since => "admin-since",
                Column::Input => "admin-input",
                Column::Viewers => "admin-viewers",
                Column::Home => "admin-home",
            }),
            address: query.address("/admin", &[("sort", &format!("{turned}{}", column.name()))]),
            sorted,
        }
    }
}

fn state(language: Language, kind: StateKind) -> Text {
    language.text(match kind {
        StateKind::Starting => "state-starting",
        StateKind::Ready => "state-ready",
        StateKind::Paused => "state-frozen",
        StateKind::Stopping => "state-stopping",
        StateKind::Stopped => "state-stopped",
        StateKind::Failed => "state-failed",
    })
}
