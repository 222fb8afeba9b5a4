//! Server-sent events for programs: every session that the follower may see, or one of them.
//!
//! An event is a whole document, so that a follower who misses one has missed nothing once the next
//! one is there. Each has the number of its change as its id; who comes back with the last id they
//! saw is told of everything since. Is that forgotten, or of another process, `resync` is said first
//! and then everything there is.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use axum::response::sse::Event;
use http::{HeaderMap, HeaderValue};
use serde::Serialize;
use serde_json::json;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use utoipa::ToSchema;

use super::gate::Caller;
use super::{Failure, Site, session};
use crate::access;
use crate::auth::Principal;
use crate::auth::policy::{self, Verb};
use crate::broker::{Change, Entry};
use crate::respond::follow::{self, Crowded, HEARTBEAT, Life, Told, Wake};
use crate::revocation::CloseReason;
use crate::session::{Label, Session, SessionId};

/// What is said of a session that is gone, or may no longer be seen.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Removed {
    /// Its identity.
    #[schema(value_type = String)]
    id: SessionId,
    /// Its label.
    #[schema(value_type = String)]
    label: Label,
}

/// Follows every session that may be seen. `session` events carry a session, `removed` its id and
/// label; `ready` says that everything there is was told; `resync` that it is told anew; `end` why the
/// stream ends. `Last-Event-ID` goes on where an earlier stream ended.
#[utoipa::path(
    get, path = "/api/v1/events", tag = "events", operation_id = "follow_sessions",
    params(("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that was seen")),
    responses((status = 200, description = "Events, without an end", content_type = "text/event-stream", body = String)),
)]
pub(super) async fn all(
    State(site): State<Site>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    Ok(follow::streamed(Feed::of(site, &caller.known, None, &headers)?))
}

/// Follows one session, until it is gone.
#[utoipa::path(
    get, path = "/api/v1/sessions/{label}/events", tag = "events", operation_id = "follow_session",
    params(
        ("label" = String, Path, description = "The session's label"),
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that was seen"),
    ),
    responses((status = 200, description = "Events, until it is gone", content_type = "text/event-stream", body = String)),
)]
pub(super) async fn one(
    State(site): State<Site>,
    caller: Caller,
    Path(label): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let entry = site.entry(&caller.known, caller.address, Verb::See, &label).await?;
    Ok(follow::streamed(Feed::of(site, &caller.known, Some(entry.id), &headers)?))
}

/// One follower's stream.
struct Feed {
    site: Site,
    known: Arc<Principal>,
    life: Life,
    /// The one session that is followed, if it is one.
    only: Option<SessionId>,
    /// The number of the last change that was looked at.
    seen: u64,
    wake: Receiver<Change>,
    /// What was said last of each session, so that nothing is said twice.
    said: HashMap<SessionId, String>,
    told: Told,
}

impl Feed {
    fn of(
        site: Site,
        known: &Arc<Principal>,
        only: Option<SessionId>,
        headers: &HeaderMap,
    ) -> Result<Self, Crowded> {
        // Before the first look, so that no change falls in between.
        let (wake, latest) = (site.broker().changes(), site.broker().latest_change());
        let mut feed = Self {
            life: Life::of(&known.revocation, &site.0.draining)?,
            site,
            known: known.clone(),
            only,
            seen: latest,
            wake,
            said: HashMap::new(),
            told: Told::default(),
        };
        match headers.get("last-event-id") {
            None => feed.everything(),
            Some(id) => match feed.number(id) {
                Some(after) => {
                    feed.seen = after;
                    feed.catch_up();
                }
                None => feed.resync(),
            },
        }
        Ok(feed)
    }

    /// Tells of what changed since it was last looked at; of each session once, as it is now.
    fn catch_up(&mut self) {
        let Some(changes) = self.site.broker().changes_since(self.seen) else { return self.resync() };
        let mut latest: BTreeMap<SessionId, (u64, Arc<Session>)> = BTreeMap::new();
        for (number, change) in changes {
            self.seen = number;
            match change {
                Change::Changed(session) | Change::Removed(session) => {
                    latest.insert(session.id, (number, session));
                }
                Change::Images => {}
            }
        }
        let mut latest: Vec<_> = latest.into_values().collect();
        latest.sort_by_key(|(number, _)| *number);
        for (number, session) in latest {
            if self.only.is_none_or(|only| only == session.id) {
                self.tell(number, &session);
            }
        }
    }

    fn tell(&mut self, number: u64, session: &Session) {
        match self.site.broker().entry(session.id).filter(|entry| self.may_see(entry)) {
            Some(entry) => {
                if let Some(event) = self.news(&entry) {
                    self.told.pending.push_back(event.id(self.id(number)));
                }
            }
            None => {
                let (id, owner) = (session.id, session.owner);
                let known = self.said.remove(&id).is_some();
                if known || policy::allow(&self.known, Verb::See, id, owner, None).is_ok() {
                    let removed = Removed { id, label: session.label.clone() };
                    self.told.pending.push_back(event("removed", &removed).id(self.id(number)));
                    self.told.over = self.only.is_some();
                }
            }
        }
    }

    /// What was missed cannot be told any more.
    fn resync(&mut self) {
        self.told.pending.push_back(event("resync", &json!({})));
        self.said.clear();
        self.seen = self.site.broker().latest_change();
        self.everything();
    }

    /// Tells of all there is. Only the word that this was all has an id: who leaves before it begins
    /// again.
    fn everything(&mut self) {
        let entries = match self.only {
            Some(only) => self.site.broker().entry(only).into_iter().collect(),
            None => self.site.broker().entries(),
        };
        for entry in &entries {
            if self.may_see(entry) {
                let event = self.news(entry);
                self.told.pending.extend(event);
            }
        }
        self.told.pending.push_back(event("ready", &json!({})).id(self.id(self.seen)));
    }

    /// How a session is, unless that was the last thing said of it.
    fn news(&mut self, entry: &Entry) -> Option<Event> {
        let shown = session::document(&self.site, entry, self.known.user);
        let text = serde_json::to_string(&shown).expect("documents are made of texts and numbers");
        let news = self.said.get(&entry.id) != Some(&text);
        news.then(|| {
            self.said.insert(entry.id, text.clone());
            Event::default().event("session").data(text)
        })
    }

    fn may_see(&self, entry: &Entry) -> bool {
        access::allow(&self.known, Verb::See, entry).is_ok()
    }

    fn end(&mut self, because: CloseReason) {
        self.told.over = true;
        self.told.pending.push_back(event("end", &json!({ "because": because.name() })));
    }

    /// The id of a change: which process, and which of its changes.
    fn id(&self, number: u64) -> String {
        format!("{}-{number}", self.site.broker().run())
    }

    /// The change of an id of this process.
    fn number(&self, id: &HeaderValue) -> Option<u64> {
        let (run, number) = id.to_str().ok()?.split_once('-')?;
        let number = number.parse().ok()?;
        (run == self.site.broker().run() && number <= self.seen).then_some(number)
    }
}

impl follow::Feed for Feed {
    fn told(&mut self) -> &mut Told {
        &mut self.told
    }

    async fn listen(&mut self) {
        match self.life.wait(HEARTBEAT, self.wake.recv()).await {
            // Whatever it is: the changes themselves are read by their numbers.
            Wake::News(Ok(_) | Err(RecvError::Lagged(_))) => self.catch_up(),
            Wake::News(Err(RecvError::Closed)) => self.end(CloseReason::Drain),
            Wake::Tick | Wake::Heartbeat => self.told.pending.push_back(follow::still_here()),
            Wake::Ended(because) => self.end(because),
        }
    }
}

fn event(name: &str, document: &impl Serialize) -> Event {
    Event::default().event(name).json_data(document).expect("documents are made of texts and numbers")
}
