//! Server-sent events: the cards of one person, or the status of one session.
//!
//! A stream is a loop of *wait, then say what is different*. It ends when the login it was opened
//! with ends, when the gateway drains, or when the browser goes away. A follower that fell behind
//! is told to load the page again, because what it missed cannot be told any more.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Query, State};
use axum::response::Response;
use axum::response::sse::Event;
use http::HeaderMap;
use serde::Deserialize;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::card::{self, Card};
use super::gate::{Arrival, MaybeKnown};
use super::images::ImageRow;
use super::next::NextPath;
use super::person::Person;
use super::session_page::Status;
use super::shared::SharedCard;
use super::{Failure, Site};
use crate::access;
use crate::auth::Principal;
use crate::auth::policy::{self, Verb};
use crate::broker::{Broker, Change, Entry};
use crate::language::Language;
use crate::respond::follow::{self, Crowded, HEARTBEAT, Life, Told, Wake};
use crate::revocation::CloseReason;
use crate::session::{Routing, Session, SessionId, StateKind, TemplateName};

/// A place in the queue has no event of its own; it is looked at this often while one starts.
const WHILE_STARTING: Duration = Duration::from_secs(1);

/// What the address of a stream may carry.
#[derive(Deserialize)]
pub struct Ask {
    session: Option<String>,
    /// Present, with whatever value: the images.
    images: Option<String>,
}

/// `GET /events`: one's own cards, with `?session=<label>` the status of that session, or with
/// `?images=all`, for administrators, the images.
pub async fn follow(
    State(site): State<Site>,
    arrival: Arrival,
    MaybeKnown(known): MaybeKnown,
    language: Language,
    Query(ask): Query<Ask>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    // Whoever was let into one session has no login for anything else.
    if let Some(label) = &ask.session
        && let Some((known, entry)) = site.let_in(&headers, label).await?
    {
        let subject = Subject::Session { entry, verb: Verb::Open };
        return Ok(follow::streamed(Feed::of(&site, subject, &known, language)?));
    }
    let known = known.ok_or_else(|| Failure::LoginNeeded(NextPath::of("/")))?;
    if known.must_change {
        return Err(Failure::PasswordNeeded);
    }
    let subject = match (ask.session, ask.images) {
        (None, Some(_)) => {
            policy::administer(&known).map_err(|_denied| Failure::not_found())?;
            Subject::Images { person: Person::of(&known, language) }
        }
        (Some(label), _) => {
            let entry = site.entry(&known, arrival.address, Verb::See, &label).await?;
            Subject::Session { entry, verb: Verb::See }
        }
        (None, None) => {
            Subject::Cards { person: Person::of(&known, language), routing: site.settings().routing }
        }
    };
    Ok(follow::streamed(Feed::of(&site, subject, &known, language)?))
}

/// Who follows, and what.
pub struct Feed {
    broker: Broker,
    subject: Subject,
    language: Language,
    known: Arc<Principal>,
    life: Life,
    changes: Receiver<Change>,
    /// What was said last of each session, so that nothing is said twice.
    said: HashMap<SessionId, String>,
    /// The same of each image.
    said_of_images: HashMap<TemplateName, String>,
    told: Told,
}

/// What a feed tells of.
pub enum Subject {
    /// The cards of one person's own sessions, and of those that others share with them.
    Cards {
        /// Whose.
        person: Person,
        /// The default routing, for the cards' addresses.
        routing: Routing,
    },
    /// The templates' images.
    Images {
        /// Who reads of them.
        person: Person,
    },
    /// The status of one session.
    Session {
        /// Which.
        entry: Arc<Entry>,
        /// What the follower has to be allowed, for as long as they follow.
        verb: Verb,
    },
}

impl Feed {
    /// A feed in `language` that begins with everything as it is now, and ends with the login of
    /// `known`.
    ///
    /// # Errors
    /// [`Crowded`] while that login follows as many streams as it may.
    pub fn of(
        site: &Site,
        subject: Subject,
        known: &Arc<Principal>,
        language: Language,
    ) -> Result<Self, Crowded> {
        let mut feed = Self {
            // Before the first look, so that no change falls in between.
            changes: site.broker().changes(),
            broker: site.broker().clone(),
            subject,
            language,
            known: known.clone(),
            life: Life::of(&known.revocation, &site.0.state.draining)?,
            said: HashMap::new(),
            said_of_images: HashMap::new(),
            told: Told::default(),
        };
        feed.look();
        feed.name_all();
        Ok(feed)
    }

    /// Tells which cards there are: what went before the page followed, no other event tells.
    fn name_all(&mut self) {
        if matches!(self.subject, Subject::Cards { .. }) {
            let said =
                |entry: &Arc<Entry>| self.said.contains_key(&entry.id).then(|| entry.label.to_string());
            let labels: Vec<_> = self.entries().iter().filter_map(said).collect();
            self.told.pending.push_back(Event::default().event("all").data(json(&labels)));
        }
    }

    fn entries(&self) -> Vec<Arc<Entry>> {
        match &self.subject {
            Subject::Cards { person, .. } => {
                let mut entries = self.broker.entries_of(person.id);
                entries.extend(self.broker.shared_with(person.id));
                entries
            }
            Subject::Session { entry, .. } => vec![entry.clone()],
            Subject::Images { .. } => Vec::new(),
        }
    }

    /// Whether the follower may be told of a session; a grant may have ended since they were last.
    fn concerns(&self, entry: &Entry) -> bool {
        match &self.subject {
            Subject::Cards { person, .. } => entry.role_of(person.id).is_some(),
            Subject::Session { entry: followed, verb } => {
                followed.id == entry.id && access::allow(&self.known, *verb, entry).is_ok()
            }
            Subject::Images { .. } => false,
        }
    }

    fn waits_in_line(&self) -> bool {
        self.entries().iter().any(|entry| entry.session().state.kind() == StateKind::Starting)
    }

    fn look(&mut self) {
        for entry in self.entries() {
            self.say(&entry);
        }
        self.look_at_images();
    }

    /// Says how each image is, unless that was the last thing said of it.
    fn look_at_images(&mut self) {
        let Subject::Images { person } = &self.subject else { return };
        for row in ImageRow::all(&self.broker, person.language) {
            let text = row.html(person.language, &person.csrf);
            if self.said_of_images.get(&row.template) != Some(&text) {
                self.said_of_images.insert(row.template, text.clone());
                self.told.pending.push_back(Event::default().event("image").data(text));
            }
        }
    }

    fn changed(&mut self, session: &Session) {
        match self.broker.entry(session.id) {
            Some(entry) if self.concerns(&entry) => self.say(&entry),
            // To whom it is no longer shown, it is gone.
            Some(_) | None => self.removed(session),
        }
    }

    fn removed(&mut self, session: &Session) {
        if self.said.remove(&session.id).is_some() {
            self.told.pending.push_back(Event::default().event("removed").data(session.label.as_str()));
            self.told.over = matches!(self.subject, Subject::Session { .. });
        }
    }

    /// Says how a session is, unless that was the last thing said of it.
    fn say(&mut self, entry: &Entry) {
        let (name, text) = match &self.subject {
            Subject::Cards { person, routing } if entry.owner == person.id => {
                let card = Card::of(&self.broker, entry, *routing, person.language);
                ("card", card.html(person.language, &person.csrf))
            }
            Subject::Cards { person, routing } => {
                match SharedCard::of(entry, person.id, *routing, person.language) {
                    Some(card) => ("card", card.html(person.language)),
                    None => return,
                }
            }
            Subject::Session { .. } => ("status", json(&self.status(entry))),
            Subject::Images { .. } => return,
        };
        // The time that is left runs in the browser; it alone is no news.
        let news = without_time(&text);
        if self.said.get(&entry.id) != Some(&news) {
            self.said.insert(entry.id, news);
            self.told.pending.push_back(Event::default().event(name).data(text));
        }
    }

    /// What a quiet stream says. The times tell of input that moved a limit.
    fn beat(&mut self) {
        self.look();
        self.told.pending.push_back(follow::still_here());
        match &self.subject {
            Subject::Cards { .. } => {
                self.told.pending.push_back(Event::default().event("times").data(self.times()));
                self.told.pending.push_back(Event::default().event("used").data(self.used()));
            }
            Subject::Session { entry, .. } => {
                let status = json(&self.status(entry));
                self.told.pending.push_back(Event::default().event("status").data(status));
            }
            Subject::Images { .. } => {}
        }
    }

    fn status(&self, entry: &Entry) -> Status {
        Status::of(&self.broker, entry, self.known.user, self.language)
    }

    fn times(&self) -> String {
        let left = |entry: &Arc<Entry>| {
            Some((entry.label.to_string(), self.broker.expiry(entry)?.remaining.as_secs()))
        };
        json(&self.entries().iter().filter_map(left).collect::<HashMap<_, _>>())
    }

    /// When each of one's own sessions was last used.
    fn used(&self) -> String {
        let used = |entry: &Arc<Entry>| {
            let at = card::used_at(entry, &entry.session())?;
            Some((entry.label.to_string(), card::to_the_second(at)))
        };
        let own = self.broker.entries_of(self.known.user);
        json(&own.iter().filter_map(used).collect::<HashMap<_, _>>())
    }
}

impl follow::Feed for Feed {
    fn told(&mut self) -> &mut Told {
        &mut self.told
    }

    async fn listen(&mut self) {
        let tick = if self.waits_in_line() { WHILE_STARTING } else { HEARTBEAT };
        match self.life.wait(tick, self.changes.recv()).await {
            Wake::News(Ok(Change::Changed(session))) => self.changed(&session),
            Wake::News(Ok(Change::Removed(session))) => self.removed(&session),
            Wake::News(Ok(Change::Images)) => self.look_at_images(),
            // What it missed cannot be told any more.
            Wake::News(Err(RecvError::Lagged(_))) => {
                self.told.over = true;
                self.told.pending.push_back(Event::default().event("reload").data("now"));
            }
            Wake::News(Err(RecvError::Closed)) => self.told.over = true,
            Wake::Tick => self.look(),
            Wake::Heartbeat => self.beat(),
            Wake::Ended(because) => {
                self.told.over = true;
                self.told.pending.extend(last_word(because));
            }
        }
    }
}

/// What a page is told at the end of its stream: that its login ended, so that it leads to another.
/// Of a drain nothing: the browser comes back by itself.
pub fn last_word(because: CloseReason) -> Option<Event> {
    let event = Event::default().event(CloseReason::LoginEnded.name()).data("now");
    (because != CloseReason::Drain).then_some(event)
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("plain data always serialises")
}

/// What was said but for the running time, which would make every look a change.
fn without_time(text: &str) -> String {
    let timeless = |line: &&str| !line.contains("data-left-s=") && !line.contains("class=\"used\"");
    let text: String = text.lines().filter(timeless).collect();
    match text.find("\"expires_in_s\":") {
        Some(start) => {
            let rest = text[start..].find(",\"expires_because\"").map_or("", |end| &text[start + end..]);
            format!("{}{rest}", &text[..start])
        }
        None => text,
    }
}
