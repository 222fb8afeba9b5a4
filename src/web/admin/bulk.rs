//! One change to many sessions: what it would do to each is said first, and what it did afterwards.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use futures_util::future::join_all;
use http::{Response, StatusCode};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::audit::{Actor, Outcome, visible};
use crate::body::Body;
use crate::broker::{Broker, BrokerError, Entry};
use crate::fault::Answer;
use crate::language::Language;
use crate::respond::{self, Surface};
use crate::session::{Home, Next, StateKind, StopReason};
use crate::web::gate::{Administrator, Arrival, Changing};
use crate::web::log;
use crate::web::next::NextPath;
use crate::web::person::{Person, Tab};
use crate::web::words::word;
use crate::web::{Failure, Site};

/// No more than this many at once; a page has fewer.
const MOST: usize = 100;

/// What is done to all of them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Bulk {
    Delete,
    Restart,
    Stop,
}

/// What the table's form brings: boxes of one name, so a list that `Form` alone cannot read.
#[derive(Debug, Default)]
pub(in crate::web) struct Chosen {
    wanted: Option<Bulk>,
    sure: bool,
    back: String,
    labels: Vec<String>,
}

#[derive(Template)]
#[template(path = "bulk.html")]
struct BulkPage<'a> {
    surface: &'a Surface,
    language: Language,
    person: &'a Person,
    tab: Tab,
    title: String,
    verb: &'static str,
    button: String,
    dangerous: bool,
    items: Vec<Item>,
    /// Labels that are gone meanwhile.
    gone: Vec<String>,
    back: &'a str,
    /// Whether it is done already: then items say how it went.
    done: bool,
}

/// One session: what would happen to it, or what has.
struct Item {
    label: String,
    name: String,
    owner: String,
    state: &'static str,
    word: Cow<'static, str>,
    /// What is lost, or how it went.
    text: Cow<'static, str>,
    /// What is kept.
    keeps: Option<Cow<'static, str>>,
    /// Of what was tried: how it ended, by its stable name and as a word.
    outcome: Option<(&'static str, Cow<'static, str>)>,
}

impl Bulk {
    fn of(text: &str) -> Option<Self> {
        match text {
            "delete" => Some(Self::Delete),
            "restart" => Some(Self::Restart),
            "stop" => Some(Self::Stop),
            _ => None,
        }
    }

    fn verb(self) -> &'static str {
        match self {
            Self::Delete => "delete",
            Self::Restart => "restart",
            Self::Stop => "stop",
        }
    }

    /// The messages of its question, its button, and what stands above what was done.
    fn messages(self) -> [&'static str; 3] {
        match self {
            Self::Delete => ["bulk-delete", "bulk-delete-button", "bulk-delete-done"],
            Self::Restart => ["bulk-restart", "bulk-restart-button", "bulk-restart-done"],
            Self::Stop => ["bulk-stop", "bulk-stop-button", "bulk-stop-done"],
        }
    }

    fn next(self) -> Next {
        match self {
            Self::Delete => Next::Remove,
            Self::Restart => Next::Restart,
            Self::Stop => Next::Rest,
        }
    }

    /// What this does to a session: what is lost, and what is kept.
    fn effect(self, entry: &Entry) -> (&'static str, Option<&'static str>) {
        let runs = entry.session().state.occupies();
        // The worse of the two when its template is gone.
        let home = entry.template.as_ref().map_or(Home::Ephemeral, |template| template.home);
        match (self, runs, home) {
            (Self::Delete, _, Home::Persistent) => ("confirm-delete-destroys", Some("confirm-delete-keeps")),
            (Self::Delete, _, Home::Session | Home::Ephemeral) => ("confirm-delete-destroys-all", None),
            (Self::Restart, true, _) => ("bulk-restart-ends", Some("bulk-keeps")),
            (Self::Restart, false, _) => ("bulk-restart-starts", Some("bulk-keeps")),
            (Self::Stop, true, _) => ("bulk-stop-ends", Some("bulk-keeps")),
            (Self::Stop, false, _) => ("bulk-stop-nothing", None),
        }
    }

    async fn perform(
        self,
        broker: &Broker,
        entry: &Arc<Entry>,
        by: &Actor,
        own: bool,
    ) -> Result<(), BrokerError> {
        let reason = if own { StopReason::Owner } else { StopReason::Admin };
        if self == Self::Stop && !entry.session().state.occupies() {
            return Ok(());
        }
        broker.stop(entry, reason, self.next(), by).await
    }
}

/// `POST /admin/sessions`: asks first; with `sure` does it and says how each went.
pub(in crate::web) async fn change(
    State(site): State<Site>,
    arrival: Arrival,
    language: Language,
    Administrator(_admin): Administrator,
    Changing { known, form }: Changing<Chosen>,
) -> Result<Response<Body>, Failure> {
    let person = Person::of(&known, language);
    let wanted = form.wanted.ok_or_else(Failure::not_found)?;
    let (mut entries, mut gone) = (Vec::new(), Vec::new());
    for label in form.labels.iter().take(MOST) {
        match site.broker().find(label) {
            Some(entry) => entries.push(entry),
            None => gone.push(visible(label)),
        }
    }
    let items = if form.sure {
        let by = Actor::user(&known.name, arrival.address);
        let changes = entries.iter().map(|entry| {
            let (broker, entry, by) = (site.broker().clone(), entry.clone(), by.clone());
            let own = entry.owner == known.user;
            async move {
                let outcome = wanted.perform(&broker, &entry, &by, own).await;
                Item::after(language, &entry, wanted, &outcome)
            }
        });
        join_all(changes).await
    } else {
        entries.iter().map(|entry| Item::before(language, entry, wanted)).collect()
    };
    Ok(page(&site, &person, wanted, form, items, gone))
}

fn page(
    site: &Site,
    person: &Person,
    wanted: Bulk,
    form: Chosen,
    items: Vec<Item>,
    gone: Vec<String>,
) -> Response<Body> {
    let (language, count) = (person.language, [("count", items.len().into())]);
    let [question, button, done] = wanted.messages();
    let back = NextPath::of(&form.back);
    let shown = BulkPage {
        surface: site.portal(),
        language,
        person,
        tab: Tab::Admin,
        title: match (items.is_empty(), form.sure) {
            (true, _) => language.text("bulk-nothing").into_owned(),
            (false, true) => language.say(done, &count),
            (false, false) => language.say(question, &count),
        },
        verb: wanted.verb(),
        button: language.say(button, &count),
        dangerous: wanted == Bulk::Delete,
        items,
        gone,
        back: if back.as_str() == "/" { "/admin" } else { back.as_str() },
        done: form.sure,
    };
    respond::page(site.portal(), StatusCode::OK, &shown)
}

impl Item {
    fn of(language: Language, entry: &Entry, text: Cow<'static, str>) -> Self {
        let session = entry.session();
        Self {
            label: session.label.to_string(),
            name: session.name.to_string(),
            owner: session.owner_name.clone(),
            state: session.state.kind().name(),
            word: word(language, &session.state),
            text,
            keeps: None,
            outcome: None,
        }
    }

    fn before(language: Language, entry: &Entry, wanted: Bulk) -> Self {
        let (loses, keeps) = wanted.effect(entry);
        let keeps = keeps.map(|keeps| language.text(keeps));
        Self { keeps, ..Self::of(language, entry, language.text(loses)) }
    }

    fn after(language: Language, entry: &Entry, wanted: Bulk, outcome: &Result<(), BrokerError>) -> Self {
        let (text, outcome) = match outcome {
            Ok(()) if entry.session().state.kind() == StateKind::Stopped => {
                (language.text("bulk-at-rest"), Outcome::Ok)
            }
            Ok(()) => {
                let under_way = match wanted {
                    Bulk::Delete => "now-removing",
                    Bulk::Restart => "now-restarting",
                    Bulk::Stop => "now-stopping",
                };
                (language.text(under_way), Outcome::Ok)
            }
            Err(error) => (error.sentence().said(language).into(), Outcome::of(error)),
        };
        let outcome = Some((outcome.name(), log::outcome(language, outcome)));
        Self { outcome, ..Self::of(language, entry, text) }
    }
}

impl<'de> Deserialize<'de> for Chosen {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = Chosen;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the form of the table of sessions")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Chosen, A::Error> {
                let mut chosen = Chosen::default();
                while let Some((name, value)) = map.next_entry::<String, String>()? {
                    match name.as_str() {
                        "do" => chosen.wanted = Bulk::of(&value),
                        "sure" => chosen.sure = value == "yes",
                        "back" => chosen.back = value,
                        "label" if !chosen.labels.contains(&value) => chosen.labels.push(value),
                        // Other fields of the page are other forms' business.
                        _ => {}
                    }
                }
                Ok(chosen)
            }
        }

        deserializer.deserialize_map(Fields)
    }
}
