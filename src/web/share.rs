//! Sharing a session: who may watch or use it, who does right now, and the cards of those that
//! others share with the reader.

use std::time::Duration;

use askama::Template;
use axum::extract::{Path, State};
use http::{Response, StatusCode};
use jiff::Timestamp;
use serde::Deserialize;

use super::gate::{Arrival, Changing, Known, Nothing};
use super::person::{Person, Tab};
use super::session_page::see_other;
use super::words::{self, Text};
use super::{Failure, Site};
use crate::audit::Actor;
use crate::auth::Principal;
use crate::auth::policy::Verb as Right;
use crate::body::Body;
use crate::broker::{BrokerError, Entry, LiveGrant, Share, ShareError};
use crate::clock;
use crate::fault::Answer;
use crate::language::Language;
use crate::respond::{self, Surface};
use crate::session::{GrantRole, Routing, State as SessionState, UserId, ViewerRole};
use crate::store::User;

/// The page of the grants speaks English to everyone for now.
const LANGUAGE: Language = Language::English;

/// How long a grant may be given for: the form's value, its words, and the time.
const LASTS: [(&str, &str, Option<Duration>); 6] = [
    ("", "Until it is withdrawn", None),
    ("15m", "15 minutes", Some(Duration::from_secs(900))),
    ("1h", "1 hour", Some(Duration::from_secs(3600))),
    ("3h", "3 hours", Some(Duration::from_secs(10_800))),
    ("1d", "1 day", Some(Duration::from_secs(86_400))),
    ("7d", "7 days", Some(Duration::from_secs(604_800))),
];

#[derive(Template)]
#[template(path = "share.html")]
struct SharePage<'a> {
    surface: &'a Surface,
    language: Language,
    person: &'a Person,
    tab: Tab,
    name: &'a str,
    label: &'a str,
    owner: &'a str,
    own: bool,
    shareable: bool,
    grants: Vec<GrantRow>,
    here: Vec<Present>,
    form: ShareForm,
}

/// A grant in the list.
struct GrantRow {
    id: String,
    name: String,
    role: Text,
    until: Option<Moment>,
    by: String,
}

/// Somebody who is connected right now.
struct Present {
    name: String,
    role: Text,
    since: Moment,
}

/// A time: exact, and as people say it.
struct Moment {
    exact: String,
    said: String,
}

/// The form, with what was typed and what was wrong with it.
#[derive(Default)]
struct ShareForm {
    name: String,
    name_problem: Option<String>,
    role_problem: Option<String>,
    problem: Option<String>,
    roles: Vec<Choice>,
    lasts: Vec<Choice>,
}

/// Something to choose.
struct Choice {
    value: &'static str,
    title: Text,
    sentence: Text,
    chosen: bool,
}

/// What the form brings.
#[derive(Debug, Default, Deserialize)]
pub(super) struct NewGrant {
    #[serde(default)]
    name: String,
    #[serde(default)]
    role: String,
    #[serde(default)]
    lasts: String,
}

/// A session of somebody else, as a card of the dashboard.
#[derive(Debug)]
pub struct SharedCard {
    /// The session's label.
    pub label: String,
    /// What its owner calls it.
    pub name: String,
    /// Whose it is.
    pub owner: String,
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
        let until = live.grant.expires_at.map(moment);
        Some(Self {
            label: session.label.to_string(),
            name: session.name.to_string(),
            owner: session.owner_name.clone(),
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

fn is_open(state: &SessionState) -> bool {
    matches!(state, SessionState::Ready { .. })
}

/// `GET /sessions/<label>/share`
pub(super) async fn show(
    State(site): State<Site>,
    arrival: Arrival,
    Known(known): Known,
    Path(label): Path<String>,
) -> Result<Response<Body>, Failure> {
    let entry = site.entry(&known, arrival.address, Right::Change, &label).await?;
    Ok(page(&site, &known, &entry, StatusCode::OK, ShareForm::of(&NewGrant::default())))
}

/// `POST /sessions/<label>/grants`
pub(super) async fn give(
    State(site): State<Site>,
    arrival: Arrival,
    Path(label): Path<String>,
    Changing { known, form }: Changing<NewGrant>,
) -> Result<Response<Body>, Failure> {
    let entry = site.entry(&known, arrival.address, Right::Change, &label).await?;
    let mut again = ShareForm::of(&form);
    let status = match wanted(&site, &form).await? {
        Ok(share) => {
            let actor = Actor::user(&known.name, arrival.address);
            match site.broker().share(&entry, share, actor).await {
                Ok(_live) => return Ok(see_other(&format!("/sessions/{label}/share"))),
                Err(error) => again.blame(error)?,
            }
        }
        Err(Flaw::Name(text)) => {
            again.name_problem = Some(text.to_owned());
            StatusCode::UNPROCESSABLE_ENTITY
        }
        Err(Flaw::Role) => {
            again.role_problem = Some("Choose what they may do.".to_owned());
            StatusCode::UNPROCESSABLE_ENTITY
        }
    };
    Ok(page(&site, &known, &entry, status, again))
}

/// `POST /sessions/<label>/grants/<id>/withdraw`
pub(super) async fn withdraw(
    State(site): State<Site>,
    arrival: Arrival,
    Path((label, id)): Path<(String, String)>,
    Changing { known, form: Nothing {} }: Changing<Nothing>,
) -> Result<Response<Body>, Failure> {
    let entry = site.entry(&known, arrival.address, Right::Change, &label).await?;
    let id = id.parse().map_err(|_| Failure::not_found())?;
    site.broker().withdraw(&entry, id, Actor::user(&known.name, arrival.address)).await?;
    Ok(see_other(&format!("/sessions/{label}/share")))
}

/// What is wrong with the form before anything is tried.
enum Flaw {
    Name(&'static str),
    Role,
}

async fn wanted(site: &Site, form: &NewGrant) -> Result<Result<Share, Flaw>, Failure> {
    let name = form.name.trim();
    if name.is_empty() {
        return Ok(Err(Flaw::Name("Type the name they log in with.")));
    }
    let Ok(role) = form.role.parse::<GrantRole>() else { return Ok(Err(Flaw::Role)) };
    let found = site.0.state.store.user_by_name(name).await?;
    // Who cannot log in could not open it either.
    let Some(with) = found.filter(|user: &User| !user.disabled) else {
        return Ok(Err(Flaw::Name("There is no user of this name. Check how it is spelled.")));
    };
    let lasts = LASTS.iter().find(|(value, ..)| *value == form.lasts).and_then(|(.., lasts)| *lasts);
    Ok(Ok(Share { with, role, lasts }))
}

impl ShareForm {
    fn of(typed: &NewGrant) -> Self {
        let role = |role: GrantRole| {
            let (title, sentence) = words::role(LANGUAGE, role);
            Choice { value: role.name(), title, sentence, chosen: typed.role == role.name() }
        };
        let lasts = LASTS.iter().map(|(value, title, _)| Choice {
            value,
            title: (*title).into(),
            sentence: "".into(),
            chosen: typed.lasts == *value,
        });
        let mut roles = vec![role(GrantRole::Observer), role(GrantRole::Helper)];
        if roles.iter().all(|role| !role.chosen) {
            // The one that gives less.
            roles[0].chosen = true;
        }
        Self { name: typed.name.clone(), roles, lasts: lasts.collect(), ..Self::default() }
    }

    /// Puts a refusal beside the field that it is about; everything else is an error like any other.
    fn blame(&mut self, error: ShareError) -> Result<StatusCode, Failure> {
        let (status, text) = (respond::status(&error), Some(error.public()));
        match error {
            ShareError::Own | ShareError::Granted => self.name_problem = text,
            ShareError::NotDesktop | ShareError::TooMany => self.problem = text,
            ShareError::Broker(BrokerError::NotFound) => return Err(Failure::not_found()),
            ShareError::Broker(error) => return Err(error.into()),
        }
        Ok(status)
    }
}

fn page(
    site: &Site,
    known: &Principal,
    entry: &Entry,
    status: StatusCode,
    form: ShareForm,
) -> Response<Body> {
    let (session, person, own) = (entry.session(), Person::of(known, LANGUAGE), known.user == entry.owner);
    let shown = SharePage {
        surface: site.portal(),
        language: LANGUAGE,
        person: &person,
        tab: if own { Tab::Dashboard } else { Tab::Admin },
        name: session.name.as_str(),
        label: entry.label.as_str(),
        owner: &session.owner_name,
        own,
        shareable: entry.is_shareable(),
        grants: entry.grants().iter().map(|live| grant_row(live)).collect(),
        here: present(entry),
        form,
    };
    respond::page(site.portal(), status, &shown)
}

fn grant_row(live: &LiveGrant) -> GrantRow {
    let grant = &live.grant;
    GrantRow {
        id: grant.id.to_string(),
        name: grant.grantee_name.clone(),
        role: words::role(LANGUAGE, grant.role).0,
        until: grant.expires_at.map(moment),
        by: grant.granted_by.clone(),
    }
}

fn present(entry: &Entry) -> Vec<Present> {
    let role = |role| match role {
        ViewerRole::Owner => "Owner".into(),
        ViewerRole::Helper => words::role(LANGUAGE, GrantRole::Helper).0,
        ViewerRole::Observer => words::role(LANGUAGE, GrantRole::Observer).0,
    };
    let row = |watching: crate::broker::Watching| Present {
        name: watching.name,
        role: role(watching.role),
        since: Moment {
            exact: watching.since.to_string(),
            said: words::ago(LANGUAGE, clock::since(watching.since)),
        },
    };
    entry.watching().into_iter().map(row).collect()
}

/// A time to come.
fn moment(at: Timestamp) -> Moment {
    let left = Duration::try_from(at.duration_since(clock::now())).unwrap_or_default();
    Moment { exact: at.to_string(), said: format!("in {}", words::remaining(LANGUAGE, left)) }
}
