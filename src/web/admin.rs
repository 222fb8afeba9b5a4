//! The admin's table of all sessions.

use askama::Template;
use axum::extract::State;
use http::{Response, StatusCode};
use jiff::Unit;

use super::card;
use super::gate::Known;
use super::homes::HomeText;
use super::person::{Person, Tab};
use super::session_page;
use super::{Failure, Site};
use crate::auth::Principal;
use crate::auth::policy::{self, Verb};
use crate::body::Body;
use crate::broker::{Broker, Entry};
use crate::clock;
use crate::language::Language;
use crate::respond::{self, Surface};
use crate::session::{Session, State as SessionState, StateKind};
use crate::web::words::{self, Text};

#[derive(Template)]
#[template(path = "admin.html")]
struct AdminPage<'a> {
    surface: &'a Surface,
    language: Language,
    person: &'a Person,
    tab: Tab,
    running: String,
    counts: Vec<(Text, usize)>,
    rows: Vec<Row>,
}

struct Row {
    label: String,
    name: String,
    /// Where the picture of its screen is, if the reader may open it: nobody's is watched silently.
    picture: Option<String>,
    owner: String,
    template: String,
    state: &'static str,
    word: Text,
    detail: Option<String>,
    since: String,
    ago: String,
    reason: Option<Text>,
    update: Option<Text>,
    input: Option<Input>,
    viewers: usize,
    home: Option<HomeText>,
    stoppable: bool,
    shareable: bool,
}

/// The last thing a human did.
struct Input {
    at: String,
    ago: String,
    what: Text,
}

/// `GET /admin`; to everyone else it does not exist.
pub(super) async fn show(
    State(site): State<Site>,
    Known(known): Known,
    language: Language,
) -> Result<Response<Body>, Failure> {
    policy::administer(&known).map_err(|_denied| Failure::not_found())?;
    let broker = site.broker();
    let counts = broker.count_by_state().into_iter().filter(|(_, count)| *count > 0);
    let (running, places) = (broker.occupied(), broker.settings().max_sessions);
    let places = [("running", running.into()), ("places", places.into())];
    let shown = AdminPage {
        surface: site.portal(),
        language,
        person: &Person::of(&known, language),
        tab: Tab::Admin,
        running: language.say("admin-places", &places),
        counts: counts.map(|(kind, count)| (heading(language, kind), count)).collect(),
        rows: broker.entries().iter().map(|entry| row(language, broker, entry, &known)).collect(),
    };
    Ok(respond::page(site.portal(), StatusCode::OK, &shown))
}

fn row(language: Language, broker: &Broker, entry: &Entry, reader: &Principal) -> Row {
    let session = entry.session();
    let may_open = policy::allow(reader, Verb::Open, entry.id, entry.owner, None).is_ok();
    Row {
        label: session.label.to_string(),
        name: session.name.to_string(),
        picture: may_open.then(|| card::picture(entry)).flatten(),
        owner: session.owner_name.clone(),
        template: card::title(language, entry, &session),
        state: session.state.kind().name(),
        word: words::word(language, &session.state),
        detail: session_page::detail(language, &session),
        since: session.state_since.to_string(),
        ago: words::ago(language, clock::since(session.state_since)),
        reason: reason(language, &session.state),
        update: entry.update_ready().then(|| language.text("admin-update")),
        input: input(language, entry, &session),
        viewers: entry.viewers(),
        home: broker.home(entry).and_then(|home| HomeText::of(language, &home)),
        stoppable: session.state.occupies() && session.state.kind() != StateKind::Stopping,
        shareable: entry.is_shareable(),
    }
}

/// The sentence that its owner reads too.
fn reason(language: Language, state: &SessionState) -> Option<Text> {
    match state {
        SessionState::Stopped { reason } => Some(words::stopped(language, *reason)),
        SessionState::Failed { reason } => Some(words::failed(language, reason)),
        SessionState::Starting { .. }
        | SessionState::Ready { .. }
        | SessionState::Paused { .. }
        | SessionState::Stopping { .. } => None,
    }
}

fn input(language: Language, entry: &Entry, session: &Session) -> Option<Input> {
    let (ago, source, at) = match session.state.kind() {
        StateKind::Ready => {
            let (ago, source) = entry.last_input();
            (ago, source, clock::earlier(clock::now(), ago)?)
        }
        StateKind::Starting
        | StateKind::Paused
        | StateKind::Stopping
        | StateKind::Stopped
        | StateKind::Failed => {
            let at = session.last_input_at?;
            (clock::since(at), session.last_input_source?, at)
        }
    };
    // To the second: nobody reads more, and it is stored no finer.
    let at = at.round(Unit::Second).unwrap_or(at).to_string();
    Some(Input { at, ago: words::ago(language, ago), what: words::input(language, source) })
}

fn heading(language: Language, kind: StateKind) -> Text {
    language.text(match kind {
        StateKind::Starting => "state-starting",
        StateKind::Ready => "state-ready",
        StateKind::Paused => "state-frozen",
        StateKind::Stopping => "state-stopping",
        StateKind::Stopped => "state-stopped",
        StateKind::Failed => "state-failed",
    })
}
