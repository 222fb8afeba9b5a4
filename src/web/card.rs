//! A session as a card of the dashboard: the same markup on the page and in the event stream.

use std::time::Duration;

use askama::Template;
use jiff::{Timestamp, Unit};

use super::homes::HomeText;
use super::words::{self, Text};
use super::{session_page, template_words};
use crate::broker::{Broker, Entry};
use crate::clock;
use crate::language::Language;
use crate::session::{Protocol, Routing, Session, State};

/// One card, ready to render.
#[derive(Debug)]
pub struct Card {
    /// The session's label.
    pub label: String,
    /// What its owner calls it.
    pub name: String,
    /// What it is made from, for people.
    pub template: String,
    /// The picture beside that.
    pub icon: &'static str,
    /// That a newer image takes its place at its next start.
    pub update: Option<Text>,
    /// Where the picture of its screen is, while it has a screen to see.
    pub picture: Option<String>,
    /// The state's stable name, for colours.
    pub state: &'static str,
    /// The state as a word.
    pub word: Text,
    /// What happened and what it means.
    pub sentence: String,
    /// Since when a start is counted, while it goes on.
    pub counting_since: Option<String>,
    /// When somebody last used it.
    pub used: Option<Used>,
    /// The same, to sort by.
    pub used_at: Option<Timestamp>,
    /// How long it has.
    pub left: Option<Left>,
    /// How full its home is, once that is known.
    pub home: Option<HomeText>,
    /// Where it opens, while it can be opened.
    pub open: Option<String>,
    /// Whether it has a screen that may fill the reader's.
    pub full: bool,
    /// The stable name of its failure, for its owner to pass on.
    pub code: Option<&'static str>,
    /// Its place when cards are sorted by state: what runs first.
    pub rank: u8,
    /// Whether it is not what the reader looks for.
    pub hidden: bool,
    /// The one thing to press.
    pub primary: Primary,
    /// What else can be done at once.
    pub more: Vec<Item>,
    /// Whether it can be made anew.
    pub resettable: bool,
    /// Whether it can be deleted.
    pub deletable: bool,
    /// Whether others can be let in.
    pub shareable: bool,
    /// Who else is connected right now.
    pub watchers: Vec<String>,
}

/// How long a session has before a limit ends it.
#[derive(Debug)]
pub struct Left {
    /// Until then.
    pub seconds: u64,
    /// The sentence with `{}` for the time.
    pub template: String,
    /// The sentence as of now.
    pub text: String,
}

/// When somebody last used a session.
#[derive(Debug)]
pub struct Used {
    /// Exactly.
    pub at: String,
    /// As people say it.
    pub ago: String,
}

/// The one button that matters.
#[derive(Debug)]
pub enum Primary {
    /// Go somewhere: text and address.
    Link(Text, String),
    /// Change it: text and verb.
    Post(Text, &'static str),
    /// Nothing can be done right now.
    Wait(Text),
}

/// An entry of the menu.
#[derive(Debug)]
pub struct Item {
    /// What is posted.
    pub verb: &'static str,
    /// What people read.
    pub text: Text,
}

#[derive(Template)]
#[template(path = "card.html")]
struct CardHtml<'a> {
    card: &'a Card,
    language: Language,
    csrf: &'a str,
}

impl Card {
    /// The card of a session as it is now.
    pub fn of(broker: &Broker, entry: &Entry, routing: Routing, language: Language) -> Self {
        let session = entry.session();
        let place = broker.progress(entry).and_then(|progress| progress.place);
        let (used_at, address) = (used_at(entry, &session), entry.address(routing));
        let ready = matches!(session.state, State::Ready { .. });
        Self {
            label: session.label.to_string(),
            name: session.name.to_string(),
            template: title(language, entry, &session),
            icon: icon(entry),
            update: update(language, entry),
            picture: picture(entry),
            state: session.state.kind().name(),
            word: words::word(language, &session.state),
            sentence: words::sentence(language, &session.state, place),
            counting_since: counts(&session.state).then(|| session.state_since.to_string()),
            used: used_at
                .map(|at| Used { at: to_the_second(at), ago: words::ago(language, clock::since(at)) }),
            used_at,
            left: left(broker, entry, language),
            home: broker.home(entry).and_then(|home| HomeText::of(language, &home)),
            open: ready.then(|| address.clone()),
            full: has_screen(entry),
            code: session_page::code(&session.state),
            rank: rank(&session.state),
            hidden: false,
            primary: primary(language, &session, address),
            more: more(language, entry, &session.state, broker.is_extendable(entry)),
            resettable: !leaving(&session.state),
            deletable: !leaving(&session.state),
            shareable: entry.is_shareable() && !leaving(&session.state),
            watchers: watchers(language, entry),
        }
    }

    /// What it is found by.
    pub fn sought(&self) -> String {
        format!("{} {} {}", self.name, self.template, self.word).to_lowercase()
    }

    /// Its markup. The forms in it carry the reader's own secret.
    pub fn html(&self, language: Language, csrf: &str) -> String {
        CardHtml { card: self, language, csrf }.render().unwrap_or_default()
    }
}

/// The name of the picture of what a session is made from.
pub fn icon(entry: &Entry) -> &'static str {
    entry.template.as_ref().map(|template| template.icon).unwrap_or_default().name()
}

/// What a session is made from, for people; the plain name if its template is gone.
pub fn title(language: Language, entry: &Entry, session: &Session) -> String {
    let title = entry.template.as_ref().map(|template| template.title.of(language));
    title.map_or_else(|| session.template.to_string(), str::to_owned)
}

/// That a newer image takes a session's place at its next start, if one is there.
pub fn update(language: Language, entry: &Entry) -> Option<Text> {
    let home = entry.template.as_ref()?.home;
    entry.update_ready().then(|| template_words::update(language, home))
}

/// Where the picture of a session's screen is; nothing while there is no screen to see. Only for
/// pages of somebody who may open the session: to all others the address does not exist.
pub fn picture(entry: &Entry) -> Option<String> {
    let session = entry.session();
    let seen = matches!(session.state, State::Ready { .. } | State::Paused { .. });
    (has_screen(entry) && seen).then(|| format!("/api/v1/sessions/{}/screenshot", session.label))
}

/// Whether what it shows is a desktop in our own viewer.
fn has_screen(entry: &Entry) -> bool {
    entry.template.as_ref().is_some_and(|template| template.protocol == Protocol::Rfb)
}

/// When somebody last used it; nothing if nobody has.
pub fn used_at(entry: &Entry, session: &Session) -> Option<Timestamp> {
    match session.state {
        State::Ready { .. } => clock::earlier(clock::now(), entry.last_input().0),
        State::Starting { .. }
        | State::Paused { .. }
        | State::Stopping { .. }
        | State::Stopped { .. }
        | State::Failed { .. } => session.last_input_at,
    }
}

/// A time to the second, as people are shown it.
pub fn to_the_second(at: Timestamp) -> String {
    at.round(Unit::Second).unwrap_or(at).to_string()
}

/// What runs, then what is on its way, then what rests, then what has failed.
fn rank(state: &State) -> u8 {
    match state {
        State::Ready { .. } => 0,
        State::Starting { .. } => 1,
        State::Paused { .. } => 2,
        State::Stopping { .. } => 3,
        State::Stopped { .. } => 4,
        State::Failed { .. } => 5,
    }
}

/// How long it has; nothing while no limit applies.
pub fn left(broker: &Broker, entry: &Entry, language: Language) -> Option<Left> {
    let expiry = broker.expiry(entry)?;
    let seconds = expiry.remaining.as_secs();
    let time = words::remaining(language, Duration::from_secs(seconds));
    let (template, text) = (words::left(language, &expiry, "{}"), words::left(language, &expiry, &time));
    Some(Left { seconds, template, text })
}

/// Who else is connected, one sentence each.
fn watchers(language: Language, entry: &Entry) -> Vec<String> {
    let mut sentences: Vec<String> = entry
        .watching()
        .iter()
        .filter_map(|watching| words::watching(language, &watching.name, watching.role))
        .collect();
    // Two windows of one person are still one person.
    let mut said = std::collections::HashSet::new();
    sentences.retain(|sentence| said.insert(sentence.clone()));
    sentences
}

fn counts(state: &State) -> bool {
    matches!(state, State::Starting { .. })
}

/// Whether it is on its way out and every further wish comes too late.
pub fn leaving(state: &State) -> bool {
    matches!(state, State::Stopping { next: crate::session::Next::Remove, .. })
}

fn primary(language: Language, session: &Session, address: String) -> Primary {
    match session.state {
        State::Ready { .. } => Primary::Link(language.text("do-open"), address),
        State::Starting { .. } => Primary::Link(language.text("do-see"), address),
        State::Paused { .. } => Primary::Post(language.text("do-resume"), "resume"),
        State::Stopping { .. } => Primary::Wait(language.text("do-wait")),
        State::Stopped { .. } => Primary::Post(language.text("do-start"), "start"),
        State::Failed { .. } => Primary::Post(language.text("do-again"), "start"),
    }
}

fn more(language: Language, entry: &Entry, state: &State, extendable: bool) -> Vec<Item> {
    let item = |verb, text| Item { verb, text };
    let restart = || {
        let text = if entry.update_ready() { "do-restart-new" } else { "do-restart" };
        item("restart", language.text(text))
    };
    let stop = || item("stop", language.text("do-stop"));
    match state {
        State::Ready { .. } => {
            let extend = extendable.then(|| item("extend", language.text("do-extend")));
            let rest = [restart(), item("pause", language.text("do-freeze")), stop()];
            extend.into_iter().chain(rest).collect()
        }
        State::Paused { .. } => vec![restart(), stop()],
        State::Starting { .. } => vec![item("stop", language.text("do-cancel"))],
        State::Stopping { .. } | State::Stopped { .. } | State::Failed { .. } => Vec::new(),
    }
}
