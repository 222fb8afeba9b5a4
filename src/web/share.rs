//! Sharing a session: who may watch or use it, by name or by a link, and who does right now.

use std::time::Duration;

use askama::Template;
use axum::extract::{Path, State};
use http::{Response, StatusCode};
use jiff::Timestamp;
use serde::Deserialize;

use super::gate::{Arrival, Changing, Known, Nothing};
use super::invitations::{self, InvitationRow, InviteForm, Made, NewInvitation};
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
use crate::session::{GrantRole, ViewerRole};
use crate::store::User;

/// How long a grant may be given for: the form's value, and the time.
const LASTS: [(&str, Option<Duration>); 6] = [
    ("", None),
    ("15m", Some(Duration::from_mins(15))),
    ("1h", Some(Duration::from_hours(1))),
    ("3h", Some(Duration::from_hours(3))),
    ("1d", Some(Duration::from_hours(24))),
    ("7d", Some(Duration::from_hours(24 * 7))),
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
    links: Vec<InvitationRow>,
    form: ShareForm,
    invite: InviteForm,
    made: Option<Made>,
}

/// A grant in the list.
struct GrantRow {
    id: String,
    name: String,
    role: Text,
    until: Option<Moment>,
    by: String,
    by_link: bool,
}

/// Somebody who is connected right now.
struct Present {
    name: String,
    role: Text,
    since: Moment,
}

/// A time: exact, and as people say it.
pub(super) struct Moment {
    /// For the machine, and on hover.
    pub exact: String,
    /// How long it is away, or how long ago.
    pub said: String,
    /// The same as a phrase of its own: in how long, or how long ago.
    pub phrase: String,
}

impl Moment {
    /// A time to come: how long until then.
    pub(super) fn to_come(language: Language, at: Timestamp) -> Self {
        let left = Duration::try_from(at.duration_since(clock::now())).unwrap_or_default();
        let said = words::remaining(language, left);
        let phrase = language.say("join-in", &[("time", said.as_str().into())]);
        Self { exact: at.to_string(), said, phrase }
    }

    /// A time that has passed.
    pub(super) fn past(language: Language, at: Timestamp) -> Self {
        let said = words::ago(language, clock::since(at));
        Self { exact: at.to_string(), phrase: said.clone(), said }
    }
}

/// Both forms of the page, and the link that was just made.
#[derive(Default)]
pub(super) struct Forms {
    /// Letting somebody in by name.
    pub grant: ShareForm,
    /// Making a link.
    pub invite: InviteForm,
    /// The link.
    pub made: Option<Made>,
}

impl Forms {
    /// As they are at first.
    pub(super) fn fresh(language: Language) -> Self {
        Self {
            grant: ShareForm::of(language, &NewGrant::default()),
            invite: InviteForm::of(language, &NewInvitation::default()),
            made: None,
        }
    }
}

/// The form, with what was typed and what was wrong with it.
#[derive(Default)]
pub(super) struct ShareForm {
    name: String,
    name_problem: Option<String>,
    role_problem: Option<String>,
    problem: Option<String>,
    roles: Vec<Choice>,
    lasts: Vec<Choice>,
}

/// Something to choose.
pub(super) struct Choice {
    pub value: &'static str,
    pub title: Text,
    pub sentence: Text,
    pub chosen: bool,
}

/// What somebody may be let do; at first the one that gives less.
pub(super) fn roles(language: Language, chosen: &str) -> Vec<Choice> {
    let chosen = if chosen.is_empty() { GrantRole::Observer.name() } else { chosen };
    let choice = |role: GrantRole| {
        let (title, sentence) = words::role(language, role);
        Choice { value: role.name(), title, sentence, chosen: chosen == role.name() }
    };
    [GrantRole::Observer, GrantRole::Helper].map(choice).into()
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

/// `GET /sessions/<label>/share`
pub(super) async fn show(
    State(site): State<Site>,
    arrival: Arrival,
    Known(known): Known,
    language: Language,
    Path(label): Path<String>,
) -> Result<Response<Body>, Failure> {
    let entry = site.entry(&known, arrival.address, Right::Change, &label).await?;
    page(&site, &known, language, &entry, StatusCode::OK, Forms::fresh(language)).await
}

/// `POST /sessions/<label>/grants`
pub(super) async fn give(
    State(site): State<Site>,
    arrival: Arrival,
    language: Language,
    Path(label): Path<String>,
    Changing { known, form }: Changing<NewGrant>,
) -> Result<Response<Body>, Failure> {
    let entry = site.entry(&known, arrival.address, Right::Change, &label).await?;
    let mut again = ShareForm::of(language, &form);
    let status = match wanted(&site, &form).await? {
        Ok(share) => {
            let actor = Actor::user(&known.name, arrival.address);
            match site.broker().share(&entry, share, actor).await {
                Ok(_live) => return Ok(see_other(&format!("/sessions/{label}/share"))),
                Err(error) => again.blame(error, language)?,
            }
        }
        Err(Flaw::Name(id)) => {
            again.name_problem = Some(language.text(id).into_owned());
            StatusCode::UNPROCESSABLE_ENTITY
        }
        Err(Flaw::Role) => {
            again.role_problem = Some(language.text("share-role-missing").into_owned());
            StatusCode::UNPROCESSABLE_ENTITY
        }
    };
    let forms = Forms { grant: again, ..Forms::fresh(language) };
    page(&site, &known, language, &entry, status, forms).await
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
    /// The id of the message that says what is wrong with the name.
    Name(&'static str),
    Role,
}

async fn wanted(site: &Site, form: &NewGrant) -> Result<Result<Share, Flaw>, Failure> {
    let name = form.name.trim();
    if name.is_empty() {
        return Ok(Err(Flaw::Name("share-name-missing")));
    }
    let Ok(role) = form.role.parse::<GrantRole>() else { return Ok(Err(Flaw::Role)) };
    let found = site.0.state.store.user_by_name(name).await?;
    // Who cannot log in could not open it either.
    let Some(with) = found.filter(|user: &User| !user.disabled) else {
        return Ok(Err(Flaw::Name("share-name-unknown")));
    };
    let lasts = LASTS.iter().find(|(value, _)| *value == form.lasts).and_then(|(_, lasts)| *lasts);
    Ok(Ok(Share { with, role, lasts }))
}

impl ShareForm {
    fn of(language: Language, typed: &NewGrant) -> Self {
        let lasts = LASTS.iter().map(|(value, lasts)| Choice {
            value,
            title: lasts.map_or_else(
                || language.text("share-endless"),
                |time| words::remaining(language, time).into(),
            ),
            sentence: "".into(),
            chosen: typed.lasts == *value,
        });
        Self {
            name: typed.name.clone(),
            roles: roles(language, &typed.role),
            lasts: lasts.collect(),
            ..Self::default()
        }
    }

    /// Puts a refusal beside the field that it is about; everything else is an error like any other.
    fn blame(&mut self, error: ShareError, language: Language) -> Result<StatusCode, Failure> {
        let (status, text) = (respond::status(&error), Some(error.sentence().said(language)));
        match error {
            ShareError::Own | ShareError::Granted => self.name_problem = text,
            ShareError::NotDesktop | ShareError::TooMany => self.problem = text,
            ShareError::Broker(BrokerError::NotFound) => return Err(Failure::not_found()),
            ShareError::Broker(error) => return Err(error.into()),
        }
        Ok(status)
    }
}

/// The page of who may open a session, with both forms.
pub(super) async fn page(
    site: &Site,
    known: &Principal,
    language: Language,
    entry: &Entry,
    status: StatusCode,
    forms: Forms,
) -> Result<Response<Body>, Failure> {
    let links = invitations::rows(site, language, entry).await?;
    let (session, person, own) = (entry.session(), Person::of(known, language), known.user == entry.owner);
    let shown = SharePage {
        surface: site.portal(),
        language,
        person: &person,
        tab: if own { Tab::Dashboard } else { Tab::Admin },
        name: session.name.as_str(),
        label: entry.label.as_str(),
        owner: &session.owner_name,
        own,
        shareable: entry.is_shareable(),
        grants: entry.grants().iter().map(|live| grant_row(language, live)).collect(),
        here: present(language, entry),
        links,
        form: forms.grant,
        invite: forms.invite,
        made: forms.made,
    };
    Ok(respond::page(site.portal(), status, &shown))
}

fn grant_row(language: Language, live: &LiveGrant) -> GrantRow {
    let grant = &live.grant;
    GrantRow {
        id: grant.id.to_string(),
        name: grant.grantee_name.clone(),
        role: words::role(language, grant.role).0,
        until: grant.expires_at.map(|at| Moment::to_come(language, at)),
        by: grant.granted_by.clone(),
        by_link: grant.invitation.is_some(),
    }
}

fn present(language: Language, entry: &Entry) -> Vec<Present> {
    let role = |role| match role {
        ViewerRole::Owner => language.text("role-owner"),
        ViewerRole::Helper => words::role(language, GrantRole::Helper).0,
        ViewerRole::Observer => words::role(language, GrantRole::Observer).0,
    };
    let row = |watching: crate::broker::Watching| Present {
        name: watching.name,
        role: role(watching.role),
        since: Moment::past(language, watching.since),
    };
    entry.watching().into_iter().map(row).collect()
}
