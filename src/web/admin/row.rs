//! A session as a row of the administrators' table: the same markup on the page and in its stream.

use askama::Template;
use jiff::Unit;

use crate::auth::Principal;
use crate::auth::policy::{self, Verb};
use crate::broker::{Broker, Entry};
use crate::clock;
use crate::language::Language;
use crate::session::{Session, State, StateKind};
use crate::web::card;
use crate::web::homes::HomeText;
use crate::web::session_page;
use crate::web::users;
use crate::web::words::{self, Text};

/// One row, ready to render.
pub(super) struct Row {
    label: String,
    name: String,
    /// Where the picture of its screen is, if the reader may open it: nobody's is watched silently.
    picture: Option<String>,
    owner: String,
    owner_page: String,
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
    /// The address of the table that it stands in.
    back: String,
}

/// The last thing a human did.
struct Input {
    at: String,
    ago: String,
    what: Text,
}

#[derive(Template)]
#[template(path = "admin_row.html")]
struct RowHtml<'a> {
    row: &'a Row,
    language: Language,
}

impl Row {
    /// A session, for an administrator who reads the table of this address.
    pub(super) fn of(
        broker: &Broker,
        entry: &Entry,
        reader: &Principal,
        language: Language,
        back: &str,
    ) -> Self {
        let session = entry.session();
        let may_open = policy::allow(reader, Verb::Open, entry.id, entry.owner, None).is_ok();
        Self {
            label: session.label.to_string(),
            name: session.name.to_string(),
            picture: may_open.then(|| card::picture(entry)).flatten(),
            owner: session.owner_name.clone(),
            owner_page: users::address_of(&session.owner_name, session.owner),
            template: card::title(language, entry, &session),
            state: session.state.kind().name(),
            word: words::word(language, &session.state),
            detail: session_page::detail(language, &session),
            since: to_the_second(session.state_since),
            ago: words::ago(language, clock::since(session.state_since)),
            reason: reason(language, &session.state),
            update: entry.update_ready().then(|| language.text("admin-update")),
            input: input(language, entry, &session),
            viewers: entry.viewers(),
            home: broker.home(entry).and_then(|home| HomeText::of(language, &home)),
            stoppable: session.state.occupies() && session.state.kind() != StateKind::Stopping,
            shareable: entry.is_shareable(),
            back: back.to_owned(),
        }
    }

    /// Its markup.
    pub(super) fn html(&self, language: Language) -> String {
        RowHtml { row: self, language }.render().unwrap_or_default()
    }
}

/// The sentence that its owner reads too.
fn reason(language: Language, state: &State) -> Option<Text> {
    match state {
        State::Stopped { reason } => Some(words::stopped(language, *reason)),
        State::Failed { reason } => Some(words::failed(language, reason)),
        State::Starting { .. } | State::Ready { .. } | State::Paused { .. } | State::Stopping { .. } => None,
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
    let (at, ago) = (to_the_second(at), words::ago(language, ago));
    Some(Input { at, ago, what: words::input(language, source) })
}

/// Nobody reads more, and input is stored no finer.
fn to_the_second(at: jiff::Timestamp) -> String {
    at.round(Unit::Second).unwrap_or(at).to_string()
}
