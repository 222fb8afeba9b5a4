//! The page of a session in every state: the viewer, the waiting page, or why it rests.
//!
//! A session's own host shows only the viewer. Waiting and resting are the portal's, because their
//! buttons change the session and a login of a session's host may not.

use std::time::Duration;

use askama::Template;
use http::header::LOCATION;
use http::{HeaderValue, Response, StatusCode};
use serde::Serialize;

use super::card::{self, Left};
use super::homes::HomeText;
use super::person::Person;
use super::words::{self, Text};
use crate::body::Body;
use crate::broker::{Broker, Entry, Seen};
use crate::language::Language;
use crate::respond::{self, Place, Surface};
use crate::session::{Phase, Protocol, Session, State, UserId, ViewerRole};

/// Which page a session has in a state.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Page {
    /// It is reachable.
    Open,
    /// It is on its way, up or down.
    Waiting,
    /// It rests until someone presses the button.
    AtRest,
}

impl Page {
    /// The page of a state.
    pub fn of(state: &State) -> Self {
        match state {
            State::Ready { .. } => Self::Open,
            State::Starting { .. } | State::Stopping { .. } => Self::Waiting,
            State::Paused { .. } | State::Stopped { .. } | State::Failed { .. } => Self::AtRest,
        }
    }
}

/// What a page about one session is told while it is open: one `status` event.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Status {
    page: Page,
    state: &'static str,
    phase: Option<Phase>,
    word: Text,
    sentence: String,
    line: Option<String>,
    expires_in_s: Option<u64>,
    expires_because: Option<&'static str>,
    /// Whether the gateway understands what every viewer sends; if not, it knows no input.
    input_seen: bool,
    viewers: Vec<Seen>,
    /// Whether asking for more time would do something now.
    extendable: bool,
    /// That a newer image takes its place at its next start.
    update: Option<Text>,
    /// How full its home is; for its owner alone.
    home: Option<HomeText>,
}

impl Status {
    /// The status of a session as it is now, in `language`, for this reader.
    pub fn of(broker: &Broker, entry: &Entry, reader: UserId, language: Language) -> Self {
        let session = entry.session();
        let progress = broker.progress(entry);
        let place = progress.and_then(|progress| progress.place);
        let expiry = broker.expiry(entry);
        let home = (reader == entry.owner).then(|| broker.home(entry)).flatten();
        Self {
            page: Page::of(&session.state),
            state: session.state.kind().name(),
            phase: progress.map(|progress| progress.phase),
            word: words::word(language, &session.state),
            sentence: words::sentence(language, &session.state, None),
            line: place.map(|place| words::line(language, place)),
            expires_in_s: expiry.map(|expiry| expiry.remaining.as_secs()),
            expires_because: expiry.map(|expiry| expiry.because.name()),
            input_seen: entry.input_seen(),
            viewers: entry.seen_by(reader),
            extendable: broker.is_extendable(entry),
            update: card::update(language, entry),
            home: home.and_then(|home| HomeText::of(language, &home)),
        }
    }
}

#[derive(Template)]
#[template(path = "viewer.html")]
struct ViewerPage<'a> {
    surface: &'a Surface,
    language: Language,
    view: View<'a>,
    /// What the reader is to this session: `owner`, `helper` or `observer`.
    role: &'static str,
    socket: String,
    novnc: &'a str,
    on_portal: bool,
    /// What the script says.
    words: String,
}

#[derive(Template)]
#[template(path = "waiting.html")]
struct WaitingPage<'a> {
    surface: &'a Surface,
    language: Language,
    view: View<'a>,
    stopping: bool,
    sentence: String,
    steps: Vec<Step>,
    elapsed_s: u64,
    elapsed: String,
    line: String,
}

struct Step {
    phase: &'static str,
    text: Text,
    class: &'static str,
}

#[derive(Template)]
#[template(path = "at_rest.html")]
struct RestPage<'a> {
    surface: &'a Surface,
    language: Language,
    view: View<'a>,
    state: &'static str,
    word: Text,
    sentence: String,
    left: Option<String>,
    verb: &'static str,
    button: Text,
    code: Option<&'static str>,
    detail: Option<String>,
}

/// What every page of a session needs.
struct View<'a> {
    language: Language,
    name: &'a str,
    csrf: &'a str,
    events: String,
    /// Where forms are sent, without the verb.
    actions: String,
    /// The page of the session that wakes it.
    address: &'a str,
    /// The page of the session that only shows it.
    rest: String,
    /// What the reader may do with it: `owner`, `helper` or `observer`.
    role: &'static str,
    /// Whose it is.
    owner: &'a str,
    /// Its label.
    label: &'a str,
}

impl<'a> View<'a> {
    fn of(
        entry: &Entry,
        session: &'a Session,
        person: &'a Person,
        surface: &Surface,
        address: &'a str,
    ) -> Self {
        // A grant that ended a moment ago leaves the least.
        let role = entry.role_of(person.id).unwrap_or(ViewerRole::Observer);
        let label = &session.label;
        let actions = surface.portal(&format!("/sessions/{label}"));
        Self {
            language: person.language,
            name: session.name.as_str(),
            csrf: &person.csrf,
            events: surface.events(label.as_str()),
            rest: actions.clone(),
            actions,
            address,
            role: role.name(),
            owner: &session.owner_name,
            label: label.as_str(),
        }
    }
}

/// The page of a session in its present state. `address` is its page on the portal.
pub fn render(
    broker: &Broker,
    entry: &Entry,
    person: &Person,
    surface: &Surface,
    address: &str,
) -> Response<Body> {
    let session = entry.session();
    let view = View::of(entry, &session, person, surface, address);
    match (Page::of(&session.state), surface.place) {
        (Page::Open, _) => open(entry, view, surface),
        (Page::Waiting | Page::AtRest, Place::SessionHost) => see_other(&view.rest),
        (Page::Waiting, Place::Portal) => waiting(broker, entry, &session, view, surface),
        (Page::AtRest, Place::Portal) => {
            let detail = person.admin.then(|| detail(person.language, &session)).flatten();
            let shown = at_rest(broker, entry, &session, view, surface);
            respond::page(surface, StatusCode::OK, &RestPage { detail, ..shown })
        }
    }
}

fn open(entry: &Entry, view: View<'_>, surface: &Surface) -> Response<Body> {
    if entry.template.as_ref().is_none_or(|template| template.protocol == Protocol::Http) {
        // It became reachable while this page was asked for: its own address now is the app.
        return see_other(view.address);
    }
    let shown = ViewerPage {
        surface,
        language: view.language,
        role: view.role,
        socket: surface.socket(entry.label.as_str()),
        novnc: &surface.novnc,
        on_portal: surface.place == Place::Portal,
        words: view.language.script("viewer"),
        view,
    };
    respond::page(surface, StatusCode::OK, &shown)
}

fn waiting(
    broker: &Broker,
    entry: &Entry,
    session: &Session,
    view: View<'_>,
    surface: &Surface,
) -> Response<Body> {
    let language = view.language;
    let progress = broker.progress(entry);
    let elapsed = progress.map_or(Duration::ZERO, |progress| progress.elapsed);
    let place = progress.and_then(|progress| progress.place);
    let shown = WaitingPage {
        surface,
        language,
        view,
        stopping: progress.is_none(),
        sentence: words::sentence(language, &session.state, None),
        steps: progress.map_or_else(Vec::new, |progress| steps(language, progress.phase)),
        elapsed_s: elapsed.as_secs(),
        elapsed: words::elapsed(elapsed),
        line: place.map(|place| words::line(language, place)).unwrap_or_default(),
    };
    respond::page(surface, StatusCode::OK, &shown)
}

fn steps(language: Language, now: Phase) -> Vec<Step> {
    let all = [
        (Phase::Queued, "queued", language.text("waiting-step-queued")),
        (Phase::Creating, "creating", language.text("waiting-step-creating")),
        (Phase::Booting, "booting", language.text("waiting-step-booting")),
    ];
    let class = |phase: Phase| match phase.cmp(&now) {
        std::cmp::Ordering::Less => "done",
        std::cmp::Ordering::Equal => "now",
        std::cmp::Ordering::Greater => "later",
    };
    all.map(|(phase, name, text)| Step { phase: name, text, class: class(phase) }).into()
}

/// The page without its technical detail, which not everybody may read.
fn at_rest<'a>(
    broker: &Broker,
    entry: &Entry,
    session: &Session,
    view: View<'a>,
    surface: &'a Surface,
) -> RestPage<'a> {
    let (state, language) = (&session.state, view.language);
    let (verb, button) = match state {
        State::Paused { .. } => ("resume", "do-resume"),
        State::Failed { .. } => ("start", "do-again"),
        State::Stopped { .. } | State::Starting { .. } | State::Ready { .. } | State::Stopping { .. } => {
            ("start", "do-start")
        }
    };
    RestPage {
        surface,
        language,
        view,
        state: state.kind().name(),
        word: words::word(language, state),
        sentence: words::sentence(language, state, None),
        left: card::left(broker, entry, language).map(|Left { text, .. }| text),
        verb,
        button: language.text(button),
        code: code(state),
        detail: None,
    }
}

/// The stable name of a failure, for its owner to pass on.
pub fn code(state: &State) -> Option<&'static str> {
    match state {
        State::Failed { reason } => Some(reason.code()),
        State::Starting { .. }
        | State::Ready { .. }
        | State::Paused { .. }
        | State::Stopping { .. }
        | State::Stopped { .. } => None,
    }
}

/// The technical reason of a failure; engines talk about the server, so only admins read it.
pub fn detail(language: Language, session: &Session) -> Option<String> {
    match &session.state {
        State::Failed { reason } => words::detail(language, reason, &session.template),
        State::Starting { .. }
        | State::Ready { .. }
        | State::Paused { .. }
        | State::Stopping { .. }
        | State::Stopped { .. } => None,
    }
}

/// Sends a browser on with a GET. `to` is an address of ours.
pub fn see_other(to: &str) -> Response<Body> {
    let mut response = respond::bare(StatusCode::SEE_OTHER, String::new());
    let to = HeaderValue::from_str(to).unwrap_or(HeaderValue::from_static("/"));
    response.headers_mut().insert(LOCATION, to);
    response
}
