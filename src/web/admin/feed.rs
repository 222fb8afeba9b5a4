//! The table as it changes: each row of the page as it is now, rows that are gone, and that others
//! have come which this page does not have.
//!
//! Rows never move by themselves: somebody may be about to press beside one. A page that no longer
//! shows what its address asks for says so and offers to be loaded again.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use axum::response::sse::Event;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::query::TableQuery;
use super::row::Row;
use crate::auth::Principal;
use crate::broker::{Broker, Change};
use crate::clock;
use crate::language::Language;
use crate::respond::follow::{self, Crowded, Life, Told, Wake};
use crate::session::Session;
use crate::web::Site;
use crate::web::events::last_word;

/// What has no change of its own (input, viewers, files) is looked at this often.
const LOOK: Duration = Duration::from_secs(5);

/// Who follows the table, and which page of it.
pub(super) struct Feed {
    broker: Broker,
    life: Life,
    reader: Arc<Principal>,
    /// The page's own address.
    back: String,
    query: TableQuery,
    language: Language,
    changes: Receiver<Change>,
    /// What was said last of each row of the page.
    said: HashMap<String, String>,
    /// What came meanwhile and is not on the page.
    others: HashSet<String>,
    figures: String,
    told: Told,
}

impl Feed {
    /// The page that `query` asks for, from now on.
    pub(super) fn of(
        site: &Site,
        reader: Arc<Principal>,
        query: TableQuery,
        language: Language,
    ) -> Result<Self, Crowded> {
        let mut feed = Self {
            // Before the first look, so that no change falls in between.
            changes: site.broker().changes(),
            broker: site.broker().clone(),
            life: Life::of(&reader.revocation, &site.0.state.draining)?,
            reader,
            back: query.here("/admin"),
            query,
            language,
            said: HashMap::new(),
            others: HashSet::new(),
            figures: String::new(),
            told: Told::default(),
        };
        for entry in feed.query.select(&feed.broker, language).rows {
            feed.said.insert(entry.label.to_string(), String::new());
        }
        feed.look();
        Ok(feed)
    }

    fn heard(&mut self, change: Result<Change, RecvError>) {
        match change {
            Ok(Change::Changed(session)) => self.changed(&session),
            Ok(Change::Removed(session)) => self.removed(session.label.as_str()),
            Ok(Change::Images) => {}
            // What it missed cannot be told any more.
            Err(RecvError::Lagged(_)) => self.look(),
            Err(RecvError::Closed) => self.told.over = true,
        }
        self.count();
    }

    fn look(&mut self) {
        let labels: Vec<String> = self.said.keys().cloned().collect();
        for label in labels {
            match self.broker.find(&label) {
                Some(_) => self.say(&label),
                None => self.removed(&label),
            }
        }
        self.count();
    }

    fn changed(&mut self, session: &Session) {
        let label = session.label.as_str();
        if self.said.contains_key(label) {
            return self.say(label);
        }
        let Some(entry) = self.broker.find(label) else { return };
        // A row of another page is no news to this one; only what nobody has seen yet is.
        let fresh = clock::since(session.created_at) < Duration::from_secs(60);
        if fresh && self.query.fits(&entry, session, self.language) && self.others.insert(label.to_owned()) {
            self.told.pending.push_back(Event::default().event("others").data(self.others.len().to_string()));
        }
    }

    fn removed(&mut self, label: &str) {
        self.others.remove(label);
        if self.said.remove(label).is_some() {
            self.told.pending.push_back(Event::default().event("gone").data(label));
        }
    }

    /// Says how a row of the page is, unless that was the last thing said of it.
    fn say(&mut self, label: &str) {
        let Some(entry) = self.broker.find(label) else { return };
        let html = Row::of(&self.broker, &entry, &self.reader, self.language, &self.back).html(self.language);
        let news = without_times(&html);
        if self.said.get(label) != Some(&news) {
            self.said.insert(label.to_owned(), news);
            self.told.pending.push_back(Event::default().event("row").data(html));
        }
    }

    fn count(&mut self) {
        let figures = super::figures(&self.broker, self.language);
        if figures != self.figures {
            self.figures.clone_from(&figures);
            self.told.pending.push_back(Event::default().event("figures").data(figures));
        }
    }
}

impl follow::Feed for Feed {
    fn told(&mut self) -> &mut Told {
        &mut self.told
    }

    async fn listen(&mut self) {
        match self.life.wait(LOOK, self.changes.recv()).await {
            Wake::News(change) => self.heard(change),
            Wake::Tick => self.look(),
            Wake::Heartbeat => self.told.pending.push_back(follow::still_here()),
            Wake::Ended(because) => {
                self.told.over = true;
                self.told.pending.extend(last_word(because));
            }
        }
    }
}

/// A row but for how long ago things were: that alone is no news, and the page counts by itself.
fn without_times(html: &str) -> String {
    let mut rest = html;
    let mut kept = String::with_capacity(html.len());
    while let Some((before, after)) = rest.split_once("<time ") {
        kept.push_str(before);
        // The exact time stays: another one is news.
        kept.push_str(after.split('>').next().unwrap_or_default());
        rest = after.split_once("</time>").map_or("", |(_, rest)| rest);
    }
    kept.push_str(rest);
    kept
}
