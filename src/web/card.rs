//! A session as a card of the dashboard: the same markup on the page and in the event stream.

use std::time::Duration;

use askama::Template;

use super::words;
use crate::broker::{Broker, Entry};
use crate::session::{Routing, Session, State};

/// One card, ready to render.
#[derive(Debug)]
pub struct Card {
    /// The session's label.
    pub label: String,
    /// What its owner calls it.
    pub name: String,
    /// What it is made from, for people.
    pub template: String,
    /// The state's stable name, for colours.
    pub state: &'static str,
    /// The state as a word.
    pub word: &'static str,
    /// What happened and what it means.
    pub sentence: String,
    /// Since when a start is counted, while it goes on.
    pub counting_since: Option<String>,
    /// How long it has.
    pub left: Option<Left>,
    /// The one thing to press.
    pub primary: Primary,
    /// What else can be done at once.
    pub more: Vec<Item>,
    /// Whether it can be made anew.
    pub resettable: bool,
    /// Whether it can be deleted.
    pub deletable: bool,
}

/// How long a session has before a limit ends it.
#[derive(Debug)]
pub struct Left {
    /// Until then.
    pub seconds: u64,
    /// The sentence with `{}` for the time.
    pub template: &'static str,
    /// The sentence as of now.
    pub text: String,
}

/// The one button that matters.
#[derive(Debug)]
pub enum Primary {
    /// Go somewhere: text and address.
    Link(&'static str, String),
    /// Change it: text and verb.
    Post(&'static str, &'static str),
    /// Nothing can be done right now.
    Wait(&'static str),
}

/// An entry of the menu.
#[derive(Debug)]
pub struct Item {
    /// What is posted.
    pub verb: &'static str,
    /// What people read.
    pub text: &'static str,
}

#[derive(Template)]
#[template(path = "card.html")]
struct CardHtml<'a> {
    card: &'a Card,
    csrf: &'a str,
}

impl Card {
    /// The card of a session as it is now.
    pub fn of(broker: &Broker, entry: &Entry, routing: Routing) -> Self {
        let session = entry.session();
        let place = broker.progress(entry).and_then(|progress| progress.place);
        Self {
            label: session.label.to_string(),
            name: session.name.to_string(),
            template: title(entry, &session),
            state: session.state.kind().name(),
            word: words::word(&session.state),
            sentence: words::sentence(&session.state, place),
            counting_since: counts(&session.state).then(|| session.state_since.to_string()),
            left: left(broker, entry),
            primary: primary(&session, entry.address(routing)),
            more: more(&session.state),
            resettable: !leaving(&session.state),
            deletable: !leaving(&session.state),
        }
    }

    /// Its markup. The forms in it carry the reader's own secret.
    pub fn html(&self, csrf: &str) -> String {
        CardHtml { card: self, csrf }.render().unwrap_or_default()
    }
}

/// What a session is made from, for people; the plain name if its template is gone.
pub fn title(entry: &Entry, session: &Session) -> String {
    entry.template.as_ref().map_or_else(|| session.template.to_string(), |template| template.title.clone())
}

/// How long it has; nothing while no limit applies.
pub fn left(broker: &Broker, entry: &Entry) -> Option<Left> {
    let expiry = broker.expiry(entry)?;
    let template = words::left(&expiry);
    let seconds = expiry.remaining.as_secs();
    let text = template.replace("{}", &words::remaining(Duration::from_secs(seconds)));
    Some(Left { seconds, template, text })
}

fn counts(state: &State) -> bool {
    matches!(state, State::Starting { .. })
}

/// Whether it is on its way out and every further wish comes too late.
fn leaving(state: &State) -> bool {
    matches!(state, State::Stopping { next: crate::session::Next::Remove, .. })
}

fn primary(session: &Session, address: String) -> Primary {
    match session.state {
        State::Ready { .. } => Primary::Link("Open", address),
        State::Starting { .. } => Primary::Link("See how far it is", address),
        State::Paused { .. } => Primary::Post("Resume", "resume"),
        State::Stopping { .. } => Primary::Wait("One moment"),
        State::Stopped { .. } => Primary::Post("Start", "start"),
        State::Failed { .. } => Primary::Post("Try again", "start"),
    }
}

fn more(state: &State) -> Vec<Item> {
    let item = |verb, text| Item { verb, text };
    match state {
        State::Ready { .. } => {
            vec![item("restart", "Restart"), item("pause", "Freeze"), item("stop", "Stop")]
        }
        State::Paused { .. } => vec![item("restart", "Restart"), item("stop", "Stop")],
        State::Starting { .. } => vec![item("stop", "Cancel the start")],
        State::Stopping { .. } | State::Stopped { .. } | State::Failed { .. } => Vec::new(),
    }
}
