//! The home of a user: how full it is, the copies of it, and putting one back, which asks first.

use std::time::Duration;

use askama::Template;
use axum::extract::{Path, State};
use http::{Response, StatusCode};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use tokio::time::timeout;

use super::{address, administrator};
use crate::audit::Actor;
use crate::body::Body;
use crate::broker::BrokerError;
use crate::fault::Answer;
use crate::language::Language;
use crate::people;
use crate::respond::{self, Surface};
use crate::session::{CopyName, HomeKey};
use crate::store::User;
use crate::web::gate::{Arrival, Changing, Known, Nothing};
use crate::web::person::{Person as Reader, Tab};
use crate::web::session_page::see_other;
use crate::web::share::Moment;
use crate::web::{Failure, Site, homes};

/// How long a page waits for the engine; then it shows without what the engine would have said.
const LOOK: Duration = Duration::from_secs(3);

/// How long a browser waits for a copy to be put back; that goes on when nobody waits any more.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the page of a user shows of their home.
pub(super) struct HomePart {
    /// How much it takes, of how much; `None` if that is not known.
    pub(super) size: Option<String>,
    /// When that was looked at.
    pub(super) looked: Option<Moment>,
    /// Newest first; `None` if the engine did not say in time.
    pub(super) copies: Option<Vec<Copied>>,
    /// Whether a copy is being put back right now.
    pub(super) restoring: bool,
}

/// A copy of it.
pub(super) struct Copied {
    /// What addresses and commands call it.
    pub(super) name: CopyName,
    /// When it was made, to be read.
    pub(super) written: String,
    /// How long ago that was.
    pub(super) made: Option<Moment>,
}

#[derive(Template)]
#[template(path = "user_home.html")]
struct RestorePage<'a> {
    surface: &'a Surface,
    language: Language,
    person: &'a Reader,
    tab: Tab,
    problem: Option<String>,
    name: &'a str,
    address: String,
    copy: Copied,
    text: String,
    /// The label of a machine that runs with the home: it has to stop first.
    in_use: Option<String>,
}

impl HomePart {
    /// What is known of the home of `user`. The engine is asked once, and not for long.
    pub(super) async fn of(site: &Site, language: Language, user: &User) -> Self {
        let broker = site.broker();
        let measured = broker.owner_home(user.id);
        let copies = timeout(LOOK, broker.owner_copies(user)).await.ok().and_then(Result::ok);
        let usage = measured.and_then(|measured| measured.usage);
        Self {
            size: usage.map(|usage| homes::line(language, &usage)),
            looked: measured.filter(|_| usage.is_some()).map(|measured| Moment::past(language, measured.at)),
            copies: copies
                .map(|copies| copies.into_iter().rev().map(|copy| Copied::of(language, copy)).collect()),
            restoring: broker.is_restoring(user.id),
        }
    }
}

impl Copied {
    fn of(language: Language, name: CopyName) -> Self {
        let made = DateTime::strptime("%Y%m%d-%H%M%S", name.as_str()).ok();
        let written = made.map(|made| made.strftime("%Y-%m-%d %H:%M:%S UTC").to_string());
        let at = made.and_then(|made| made.to_zoned(TimeZone::UTC).ok()).map(|made| made.timestamp());
        Self {
            written: written.unwrap_or_else(|| name.to_string()),
            made: at.map(|at| Moment::past(language, at)),
            name,
        }
    }
}

/// `GET /admin/users/<name>/home/<copy>`: asks before that copy is put back.
pub(super) async fn confirm(
    State(site): State<Site>,
    Known(known): Known,
    Path((name, copy)): Path<(String, String)>,
    language: Language,
) -> Result<Response<Body>, Failure> {
    administrator(&known)?;
    let copy: CopyName = copy.parse().map_err(|_| Failure::not_found())?;
    let user = people::find(&*site.0.state.store, &name).await?;
    if let Ok(Ok(copies)) = timeout(LOOK, site.broker().owner_copies(&user)).await
        && !copies.contains(&copy)
    {
        return Err(BrokerError::CopyUnknown(copy).into());
    }
    Ok(question(&site, &Reader::of(&known, language), StatusCode::OK, &user, copy, None))
}

/// `POST /admin/users/<name>/home/<copy>`
pub(super) async fn restore(
    State(site): State<Site>,
    arrival: Arrival,
    Path((name, copy)): Path<(String, String)>,
    language: Language,
    Changing { known, .. }: Changing<Nothing>,
) -> Result<Response<Body>, Failure> {
    administrator(&known)?;
    let copy: CopyName = copy.parse().map_err(|_| Failure::not_found())?;
    let user = people::find(&*site.0.state.store, &name).await?;
    let by = Actor::user(&known.name, arrival.address);
    let done = match timeout(PATIENCE, site.broker().restore_home(&user, &copy, &by)).await {
        Ok(Ok(())) => "restored",
        Err(_) => "restoring",
        Ok(Err(
            refused @ (BrokerError::HomeBusy | BrokerError::HomeInUse { .. } | BrokerError::Engine(_)),
        )) => {
            let reader = Reader::of(&known, language);
            let (status, text) = (respond::status(&refused), said(language, &refused));
            return Ok(question(&site, &reader, status, &user, copy, text));
        }
        Ok(Err(refused)) => return Err(refused.into()),
    };
    Ok(see_other(&format!("{}?done={done}", address(&user))))
}

/// What stands above the question that was answered in vain. That a machine runs with the home the
/// page says by itself, for as long as it does.
fn said(language: Language, refused: &BrokerError) -> Option<String> {
    match refused {
        BrokerError::HomeInUse { .. } => None,
        BrokerError::HomeBusy => Some(language.text("copies-restoring").into_owned()),
        refused => Some(refused.sentence().said(language)),
    }
}

fn question(
    site: &Site,
    reader: &Reader,
    status: StatusCode,
    user: &User,
    copy: CopyName,
    problem: Option<String>,
) -> Response<Body> {
    let language = reader.language;
    let copy = Copied::of(language, copy);
    let running = site.broker().home_user(HomeKey::Owner(user.id), None).map(|entry| entry.session());
    let stop_first = running.as_ref().map(|session| {
        let (name, label) = (session.name.as_str(), session.label.as_str());
        language.say("copy-in-use", &[("name", name.into()), ("label", label.into())])
    });
    let shown = RestorePage {
        surface: site.portal(),
        language,
        person: reader,
        tab: Tab::Users,
        problem: stop_first.or(problem),
        name: &user.name,
        address: address(user),
        text: language.say("copy-restore-text", &[("time", copy.written.as_str().into())]),
        copy,
        in_use: running.map(|session| session.label.to_string()),
    };
    respond::page(site.portal(), status, &shown)
}
