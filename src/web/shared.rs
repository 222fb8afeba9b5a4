//! The cards of sessions that others share with the reader.

use askama::Template;

use super::card;
use super::share::Moment;
use super::words::{self, Text};
use crate::broker::Entry;
use crate::language::Language;
use crate::session::{Routing, State, UserId};

/// A session of somebody else, as a card of the dashboard.
#[derive(Debug)]
pub struct SharedCard {
    /// The session's label.
    pub label: String,
    /// What its owner calls it.
    pub name: String,
    /// Whose it is.
    pub owner: String,
    /// What it was made from.
    pub template: String,
    /// The name of the picture of that.
    pub icon: &'static str,
    /// The state's stable name, for colours.
    pub state: &'static str,
    /// The state as a word.
    pub word: Text,
    /// What the reader may do with it.
    pub sentence: Text,
    /// When the grant lapses.
    pub until: Option<String>,
    /// The same as people say it.
    pub until_words: String,
    /// Where it opens, while it can be opened.
    pub href: Option<String>,
}

#[derive(Template)]
#[template(path = "shared.html")]
struct SharedHtml<'a> {
    language: Language,
    card: &'a SharedCard,
}

impl SharedCard {
    /// The card for `reader`, if they have a grant in force.
    pub fn of(entry: &Entry, reader: UserId, routing: Routing, language: Language) -> Option<Self> {
        let live = entry.grant_of(reader)?;
        let session = entry.session();
        let until = live.grant.expires_at.map(|at| Moment::to_come(language, at));
        Some(Self {
            label: session.label.to_string(),
            name: session.name.to_string(),
            owner: session.owner_name.clone(),
            template: card::title(language, entry, &session),
            icon: card::icon(entry),
            state: session.state.kind().name(),
            word: words::word(language, &session.state),
            sentence: words::role_of_yours(language, live.grant.role),
            until: until.as_ref().map(|until| until.exact.clone()),
            until_words: until.map(|until| until.said).unwrap_or_default(),
            href: is_open(&session.state).then(|| entry.address(routing)),
        })
    }

    /// Its markup.
    pub fn html(&self, language: Language) -> String {
        SharedHtml { language, card: self }.render().unwrap_or_default()
    }
}

fn is_open(state: &State) -> bool {
    matches!(state, State::Ready { .. })
}
