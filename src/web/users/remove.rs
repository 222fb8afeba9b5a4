//! Removing a user: first what happens to their machines and files, then doing it.

use askama::Template;
use axum::extract::{Path, State};
use http::{Response, StatusCode};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::{address, administrator};
use crate::audit::Actor;
use crate::auth::AuthError;
use crate::body::Body;
use crate::fault::Answer;
use crate::language::Language;
use crate::people::{self, HomeFate, Outlook, RemovalError};
use crate::respond::{self, Surface};
use crate::store::User;
use crate::web::gate::{Arrival, Changing, Known};
use crate::web::person::{Person as Reader, Tab};
use crate::web::session_page::see_other;
use crate::web::{Failure, Site, words};

#[derive(Template)]
#[template(path = "user_delete.html")]
struct DeletePage<'a> {
    surface: &'a Surface,
    language: Language,
    person: &'a Reader,
    tab: Tab,
    problem: Option<String>,
    name: &'a str,
    address: String,
    machines: String,
    own_homes: Option<String>,
    home: String,
    /// Whether there is a home to decide about.
    choice: bool,
    place: String,
}

/// What the form brings.
#[derive(Deserialize)]
pub(super) struct Fate {
    #[serde(default)]
    home: HomeFate,
}

/// `GET /admin/users/<name>/delete`
pub(super) async fn confirm(
    State(site): State<Site>,
    Known(known): Known,
    Path(name): Path<String>,
    language: Language,
) -> Result<Response<Body>, Failure> {
    administrator(&known)?;
    let user = people::find(&*site.0.state.store, &name).await?;
    Ok(page(&site, &Reader::of(&known, language), StatusCode::OK, &user, None).await)
}

/// `POST /admin/users/<name>/delete`
pub(super) async fn remove(
    State(site): State<Site>,
    arrival: Arrival,
    Path(name): Path<String>,
    language: Language,
    Changing { known, form }: Changing<Fate>,
) -> Result<Response<Body>, Failure> {
    administrator(&known)?;
    let user = people::find(&*site.0.state.store, &name).await?;
    let actor = Actor::user(&known.name, arrival.address);
    let state = &site.0.state;
    match people::remove(&state.auth, &state.broker, &actor, &user, form.home).await {
        Ok(_) => {
            let name = utf8_percent_encode(&user.name, NON_ALPHANUMERIC);
            Ok(see_other(&format!("/admin/users?removed={name}")))
        }
        Err(refused @ (RemovalError::Auth(AuthError::LastAdmin) | RemovalError::Broker(_))) => {
            let (status, text) = (respond::status(&refused), refused.sentence().said(language));
            Ok(page(&site, &Reader::of(&known, language), status, &user, Some(text)).await)
        }
        Err(refused) => Err(refused.into()),
    }
}

async fn page(
    site: &Site,
    reader: &Reader,
    status: StatusCode,
    user: &User,
    problem: Option<String>,
) -> Response<Body> {
    let language = reader.language;
    let outlook = people::outlook(site.broker(), user).await;
    let shown = DeletePage {
        surface: site.portal(),
        language,
        person: reader,
        tab: Tab::Users,
        problem,
        name: &user.name,
        address: address(user),
        machines: machines(language, &outlook),
        own_homes: (outlook.own_homes > 0)
            .then(|| language.say("delete-own-homes", &[("count", outlook.own_homes.into())])),
        home: home(language, &outlook),
        choice: outlook.home.is_some() || !outlook.home_known,
        place: outlook.home.unwrap_or_default(),
    };
    respond::page(site.portal(), status, &shown)
}

fn machines(language: Language, outlook: &Outlook) -> String {
    if outlook.sessions.is_empty() {
        return language.text("delete-no-machines").into_owned();
    }
    let names = outlook.sessions.join(", ");
    let arguments = [
        ("count", outlook.sessions.len().into()),
        ("names", names.into()),
        ("running", outlook.running.into()),
    ];
    language.say("delete-machines", &arguments)
}

fn home(language: Language, outlook: &Outlook) -> String {
    match (&outlook.home, outlook.home_use, outlook.home_known) {
        (Some(_), Some(usage), _) => {
            let size = words::size(language, usage.used_bytes);
            language.say("delete-home-size", &[("size", size.into())])
        }
        (Some(_), None, _) => language.text("delete-home").into_owned(),
        (None, _, true) => language.text("delete-no-home").into_owned(),
        (None, _, false) => language.text("delete-home-unknown").into_owned(),
    }
}
