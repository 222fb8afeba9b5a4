//! Where the link of an invitation leads: what it offers, to whom, until when, and taking it up.

use askama::Template;
use axum::extract::{Query, State};
use http::header::REFERRER_POLICY;
use http::{HeaderValue, Response, StatusCode};
use serde::Deserialize;

use super::gate::{Arrival, Changing, Known};
use super::person::{Person, Tab};
use super::session_page::see_other;
use super::share::Moment;
use super::words::{self, Text};
use super::{Failure, Site};
use crate::audit::Actor;
use crate::auth::Principal;
use crate::body::Body;
use crate::broker::{InvitationError, Offer};
use crate::fault::Answer;
use crate::language::Language;
use crate::respond::{self, Surface};

/// What the link carries.
#[derive(Debug, Deserialize)]
pub(super) struct Link {
    #[serde(default)]
    token: String,
}

#[derive(Template)]
#[template(path = "join.html")]
struct JoinPage<'a> {
    surface: &'a Surface,
    language: Language,
    person: &'a Person,
    tab: Tab,
    title: Text,
    text: Text,
    /// What the link offers, unless it offers nothing any more.
    offer: Option<Offered<'a>>,
    way: Way<'a>,
}

/// What the reader can do now.
enum Way<'a> {
    /// Take it up; the secret of the link.
    Accept(&'a str),
    /// Open what they may open already.
    Open(String),
    /// Open their own machine, or look after its links.
    Own { open: String, share: String },
    /// Nothing.
    Back,
}

/// What the link offers, for people.
struct Offered<'a> {
    machine: &'a str,
    owner: &'a str,
    may: Text,
    until: Moment,
}

/// `GET /join?token=…`
pub(super) async fn show(
    State(site): State<Site>,
    arrival: Arrival,
    Known(known): Known,
    language: Language,
    Query(link): Query<Link>,
) -> Result<Response<Body>, Failure> {
    let offer = match site.broker().offer(&link.token).await {
        Ok(offer) => offer,
        Err(error) => return refused(&site, &arrival, &known, language, None, error).await,
    };
    match offer.check(known.user) {
        Ok(()) => Ok(page(&site, &known, language, &offer, Way::Accept(&link.token))),
        Err(error) => refused(&site, &arrival, &known, language, Some(&offer), error).await,
    }
}

/// `POST /join`
pub(super) async fn accept(
    State(site): State<Site>,
    arrival: Arrival,
    language: Language,
    Changing { known, form: link }: Changing<Link>,
) -> Result<Response<Body>, Failure> {
    let by = Actor::user(&known.name, arrival.address);
    match site.broker().accept(&link.token, known.user, by).await {
        Ok(entry) => Ok(see_other(&site.address(&entry))),
        Err(error) => {
            let offer = site.broker().offer(&link.token).await.ok();
            refused(&site, &arrival, &known, language, offer.as_ref(), error).await
        }
    }
}

/// The page for somebody who gets nothing new: what is theirs already leads on, everything else is
/// explained with 410 and noted.
async fn refused(
    site: &Site,
    arrival: &Arrival,
    known: &Principal,
    language: Language,
    offer: Option<&Offer>,
    error: InvitationError,
) -> Result<Response<Body>, Failure> {
    let way = match (offer, &error) {
        (_, InvitationError::Broker(_)) => return Err(error.into()),
        (Some(offer), InvitationError::Own) => Way::Own {
            open: site.address(&offer.entry),
            share: format!("/sessions/{}/share", offer.entry.label),
        },
        (Some(offer), InvitationError::Granted) => Way::Open(site.address(&offer.entry)),
        (_, _) => {
            let label = offer.map(|offer| &offer.entry.label);
            site.auth().invitation_refused(known, arrival.address, label, error.code()).await;
            return Ok(gone(site, known, language, &error));
        }
    };
    Ok(offer
        .map_or_else(|| gone(site, known, language, &error), |offer| page(site, known, language, offer, way)))
}

fn page(site: &Site, known: &Principal, language: Language, offer: &Offer, way: Way<'_>) -> Response<Body> {
    let (session, invitation) = (offer.entry.session(), &offer.invitation);
    let (title, text) = match way {
        Way::Accept(_) | Way::Back => ("join-title", "join-text"),
        Way::Open(_) => ("join-granted", "join-granted-text"),
        Way::Own { .. } => ("join-own", "join-own-text"),
    };
    let offered = Offered {
        machine: session.name.as_str(),
        owner: &session.owner_name,
        may: words::role_of_yours(language, invitation.role),
        until: Moment::to_come(language, invitation.expires_at),
    };
    let (title, text) = (language.text(title), language.text(text));
    render(site, known, language, (StatusCode::OK, title, text), Some(offered), way)
}

fn gone(site: &Site, known: &Principal, language: Language, error: &InvitationError) -> Response<Body> {
    let said = (StatusCode::GONE, language.text("join-gone"), error.sentence().said(language).into());
    render(site, known, language, said, None, Way::Back)
}

fn render(
    site: &Site,
    known: &Principal,
    language: Language,
    (status, title, text): (StatusCode, Text, Text),
    offer: Option<Offered<'_>>,
    way: Way<'_>,
) -> Response<Body> {
    let person = Person::of(known, language);
    let shown = JoinPage {
        surface: site.portal(),
        language,
        person: &person,
        tab: Tab::Dashboard,
        title,
        text,
        offer,
        way,
    };
    let mut response = respond::page(site.portal(), status, &shown);
    // The address has the secret of the link in it: no page that is opened from here reads it.
    response.headers_mut().insert(REFERRER_POLICY, HeaderValue::from_static("strict-origin"));
    response
}
