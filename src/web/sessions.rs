//! Showing, opening and changing one session.

use std::str::FromStr;

use askama::Template;
use axum::extract::{Path, Query, State};
use http::{HeaderMap, Response, StatusCode, Uri};
use serde::Deserialize;

use super::gate::{Arrival, Changing, Known};
use super::homes::{self, Wanted};
use super::next::NextPath;
use super::person::{Person, Tab};
use super::session_page::{Page, see_other};
use super::{Failure, Site, landing};
use crate::audit::Actor;
use crate::auth::Principal;
use crate::auth::csrf::Provenance;
use crate::auth::policy::Verb as Right;
use crate::body::Body;
use crate::broker::{Acquired, BrokerError, Entry, Intent};
use crate::language::Language;
use crate::respond::{self, Place, Surface, Unreadable};
use crate::session::{Home, Next, Routing, StopReason};

/// Where a form leads to when it is done; the dashboard by default.
#[derive(Deserialize)]
pub(super) struct Back {
    #[serde(default)]
    back: String,
}

/// What a form that changes a session brings.
#[derive(Deserialize)]
pub(super) struct Wish {
    /// Where it leads to when it is done; the dashboard by default.
    #[serde(default)]
    back: String,
    /// The machine that is to stop for one that starts.
    #[serde(default)]
    instead_of: String,
    /// Ticked by whoever empties a home.
    #[serde(default)]
    sure: String,
}

/// A change that a form asks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Verb {
    Delete,
    Extend,
    Pause,
    Reset,
    ResetHome,
    Restart,
    Resume,
    Start,
    Stop,
}

impl FromStr for Verb {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        match text {
            "delete" => Ok(Self::Delete),
            "extend" => Ok(Self::Extend),
            "pause" => Ok(Self::Pause),
            "reset" => Ok(Self::Reset),
            "reset-home" => Ok(Self::ResetHome),
            "restart" => Ok(Self::Restart),
            "resume" => Ok(Self::Resume),
            "start" => Ok(Self::Start),
            "stop" => Ok(Self::Stop),
            _ => Err(Failure::not_found()),
        }
    }
}

/// What somebody is told before they destroy something: the ids of the messages.
struct Warning {
    verb: &'static str,
    word: &'static str,
    button: &'static str,
    destroys: &'static str,
    keeps: &'static str,
    /// What has to be ticked first, if anything.
    sure: Option<&'static str>,
    /// Whether the home can be emptied as well, on a page of its own.
    further: bool,
}

impl Warning {
    /// The warning before `verb`; the others need no second thought.
    fn before(verb: Verb, home: Home) -> Option<Self> {
        match verb {
            Verb::Delete => Some(Self::before_delete(home)),
            Verb::Reset => Some(Self::before_reset(home)),
            Verb::ResetHome => Self::before_reset_home(home),
            Verb::Extend | Verb::Pause | Verb::Restart | Verb::Resume | Verb::Start | Verb::Stop => None,
        }
    }

    fn before_delete(home: Home) -> Self {
        let (destroys, keeps) = match home {
            Home::Persistent => ("confirm-delete-destroys", "confirm-delete-keeps"),
            Home::Session | Home::Ephemeral => ("confirm-delete-destroys-all", "confirm-copy-first"),
        };
        let button = "confirm-delete-button";
        Self { verb: "delete", word: "confirm-delete", button, destroys, keeps, sure: None, further: false }
    }

    fn before_reset(home: Home) -> Self {
        let (destroys, keeps) = match home {
            Home::Persistent | Home::Session => ("confirm-reset-destroys", "confirm-reset-keeps"),
            Home::Ephemeral => ("confirm-reset-destroys-all", "confirm-copy-first"),
        };
        let further = home != Home::Ephemeral;
        let button = "confirm-reset-button";
        Self { verb: "reset", word: "confirm-reset", button, destroys, keeps, sure: None, further }
    }

    fn before_reset_home(home: Home) -> Option<Self> {
        let keeps = match home {
            Home::Persistent => "confirm-reset-home-keeps",
            Home::Session => "confirm-reset-own-home-keeps",
            Home::Ephemeral => return None,
        };
        Some(Self {
            verb: "reset-home",
            word: "confirm-reset-home",
            button: "confirm-reset-home-button",
            destroys: "confirm-reset-home-destroys",
            keeps,
            sure: Some("confirm-reset-home-sure"),
            further: false,
        })
    }
}

#[derive(Template)]
#[template(path = "confirm.html")]
struct ConfirmPage<'a> {
    surface: &'a Surface,
    language: Language,
    person: &'a Person,
    tab: Tab,
    warning: Warning,
    name: &'a str,
    label: &'a str,
    back: &'a str,
}

#[derive(Template)]
#[template(path = "onward.html")]
struct OnwardPage<'a> {
    surface: &'a Surface,
    language: Language,
    name: &'a str,
    address: &'a str,
}

/// `GET /sessions/<label>`: the page of a session, without waking it.
pub(super) async fn show(
    State(site): State<Site>,
    arrival: Arrival,
    Path(label): Path<String>,
    language: Language,
    (headers, uri): (HeaderMap, Uri),
) -> Result<Response<Body>, Failure> {
    let (known, entry) = site.opener((&headers, &uri), arrival.address, &label).await?;
    if Page::of(&entry.session().state) == Page::Open {
        return Ok(see_other(&site.address(&entry)));
    }
    if landing::gives_way(&site, &known, &entry).await {
        return Ok(see_other("/"));
    }
    Ok(site.session_page(&entry, &Person::of(&known, language), Place::Portal))
}

/// `GET /open/<label>`: opens a session that lives on its own host; its owner wakes it.
pub(super) async fn open(
    State(site): State<Site>,
    arrival: Arrival,
    Path(label): Path<String>,
    language: Language,
    (headers, uri): (HeaderMap, Uri),
) -> Result<Response<Body>, Failure> {
    let (known, entry) = site.opener((&headers, &uri), arrival.address, &label).await?;
    if entry.routing(site.settings().routing) == Routing::Path {
        return Ok(see_other(&site.address(&entry)));
    }
    let intent = if known.user == entry.owner { Intent::Open } else { Intent::Use };
    let acquired = match site.broker().acquire(&entry, intent).await {
        Ok(acquired) => acquired,
        Err(error) => {
            let person = Person::of(&known, language);
            return homes::refused_open(&site, &error, &entry, &person, Place::Portal)
                .ok_or_else(|| error.into());
        }
    };
    match acquired {
        Acquired::Ready(_) if is_from_elsewhere(&headers) => Ok(onward(&site, &entry, language)),
        Acquired::Ready(_) => enter(&site, &known, &entry).await,
        Acquired::Pending | Acquired::AtRest => {
            Ok(site.session_page(&entry, &Person::of(&known, language), Place::Portal))
        }
    }
}

/// Whether a link on a foreign page led here.
fn is_from_elsewhere(headers: &HeaderMap) -> bool {
    matches!(Provenance::of(headers).site, Some("cross-site"))
}

/// A page that leads to this address once more. A redirect stays foreign where it began on a foreign
/// page (a course page, say), and the session's host takes no ticket from there; a page of ours is
/// a new beginning.
fn onward(site: &Site, entry: &Entry, language: Language) -> Response<Body> {
    let (session, address) = (entry.session(), site.address(entry));
    let name = session.name.as_str();
    let shown = OnwardPage { surface: site.portal(), language, name, address: &address };
    respond::page(site.portal(), StatusCode::OK, &shown)
}

/// Sends the browser to the session's host with a ticket that it trades for a cookie there.
async fn enter(site: &Site, known: &Principal, entry: &Entry) -> Result<Response<Body>, Failure> {
    let ticket = match known.session {
        // Whoever was let in has no login of a person.
        Some(_) => site.auth().mint_onward(known, entry.id).await?,
        None => site.auth().mint(known, entry.id).await?,
    };
    let (domain, port) = (&site.settings().domain, super::port(site.settings()));
    let address = format!("https://{}.{domain}{port}/.berth/enter?ticket={}", entry.label, ticket.expose());
    Ok(see_other(&address))
}

/// `POST /sessions/<label>/<verb>`
pub(super) async fn change(
    State(site): State<Site>,
    arrival: Arrival,
    Path((label, verb)): Path<(String, String)>,
    language: Language,
    Changing { known, form }: Changing<Wish>,
) -> Result<Response<Body>, Failure> {
    let entry = site.entry(&known, arrival.address, Right::Change, &label).await?;
    let (broker, by) = (site.broker(), Actor::user(&known.name, arrival.address));
    let stop = |next| broker.stop(&entry, reason(&known, &entry), next, &by);
    let outcome = match verb.parse()? {
        Verb::Delete => stop(Next::Remove).await,
        Verb::Extend => broker.extend(&entry, &by).await,
        Verb::Pause => broker.pause(&entry, &by).await,
        Verb::Reset => stop(Next::Reset).await,
        // The box must be ticked for the button to work; without it the question is asked again.
        Verb::ResetHome if form.sure.is_empty() => {
            let query = Query(Back { back: form.back });
            let path = Path((label, verb));
            return confirm(State(site.clone()), arrival, Known(known), path, language, query).await;
        }
        Verb::ResetHome => stop(Next::ResetHome).await,
        Verb::Restart => stop(Next::Restart).await,
        Verb::Resume => broker.resume(&entry, &by).await,
        Verb::Start => match site.broker().find(&form.instead_of) {
            Some(of) => broker.start_instead(&entry, &of, reason(&known, &of), &by).await,
            None => broker.start(&entry, &by).await,
        },
        Verb::Stop => stop(Next::Rest).await,
    };
    let back = NextPath::of(&form.back);
    if let Err(BrokerError::HomeInUse { name, label }) = &outcome {
        let wanted = Wanted::Start { label: entry.label.as_str(), back: back.as_str() };
        let person = Person::of(&known, language);
        return Ok(homes::in_use(&site, &person, &wanted, (name, label)));
    }
    settle(outcome)?;
    Ok(see_other(back.as_str()))
}

/// `GET /sessions/<label>/<verb>`: asks once more before something is destroyed.
pub(super) async fn confirm(
    State(site): State<Site>,
    arrival: Arrival,
    Known(known): Known,
    Path((label, verb)): Path<(String, String)>,
    language: Language,
    Query(back): Query<Back>,
) -> Result<Response<Body>, Failure> {
    let entry = site.entry(&known, arrival.address, Right::Change, &label).await?;
    // The worse of the two when its template is gone.
    let home = entry.template.as_ref().map_or(Home::Ephemeral, |template| template.home);
    let warning = Warning::before(verb.parse()?, home);
    let warning = warning.ok_or(Unreadable { status: StatusCode::METHOD_NOT_ALLOWED })?;
    let (session, person, back) = (entry.session(), Person::of(&known, language), NextPath::of(&back.back));
    let tab = if back.as_str().starts_with("/admin") { Tab::Admin } else { Tab::Dashboard };
    let shown = ConfirmPage {
        surface: site.portal(),
        language,
        person: &person,
        tab,
        warning,
        name: session.name.as_str(),
        label: &label,
        back: back.as_str(),
    };
    Ok(respond::page(site.portal(), StatusCode::OK, &shown))
}

fn reason(known: &Principal, entry: &Entry) -> StopReason {
    if known.user == entry.owner { StopReason::Owner } else { StopReason::Admin }
}

/// A wish that came too late, from an older page or a second press, is no error: the page that
/// follows shows how the session is.
fn settle(outcome: Result<(), BrokerError>) -> Result<(), Failure> {
    match outcome {
        Ok(()) | Err(BrokerError::Illegal(_)) => Ok(()),
        Err(
            error @ (BrokerError::BrokenOff
            | BrokerError::CopyUnknown(_)
            | BrokerError::Engine(_)
            | BrokerError::ExtendSpent { .. }
            | BrokerError::Full { .. }
            | BrokerError::HomeBusy
            | BrokerError::HomeInUse { .. }
            | BrokerError::NotFound
            | BrokerError::OverLimit(_)
            | BrokerError::Store(_)
            | BrokerError::TemplateUnknown(_)
            | BrokerError::TooMany { .. }),
        ) => Err(error.into()),
    }
}
