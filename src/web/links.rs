//! `/admin/links`: kiosk links, seen, made and revoked. Following one is in `link`.

use std::cmp::Reverse;
use std::time::Duration;

use askama::Template;
use axum::extract::{Path, Query, State};
use http::{Response, StatusCode};
use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::gate::{Administrator, Arrival, Changing};
use super::next::NextPath;
use super::person::{Person, Tab};
use super::session_page::see_other;
use super::share::Moment;
use super::words::{self, Text};
use super::{Failure, Site};
use crate::audit::Actor;
use crate::auth::{AuthError, NewLink, Principal, policy};
use crate::body::Body;
use crate::fault::Answer;
use crate::language::Language;
use crate::respond::{self, Surface};
use crate::session::{ClientId, ClientIdError, Link, LinkAction, LinkId};

const HERE: &str = "/admin/links";

/// So many links make a page; there may be a hundred thousand.
const PAGE: usize = 50;

/// How long a link may be good, in seconds.
const LASTS_S: [u64; 7] = [600, 3600, 8 * 3600, 24 * 3600, 7 * 86_400, 30 * 86_400, 365 * 86_400];

/// What a link may do: the form's value, and the messages that name and explain it.
const ACTIONS: [(&str, &str, &str); 3] = [
    ("access", "links-do-access", "links-do-access-text"),
    ("remove", "links-do-remove", "links-do-remove-text"),
    ("remove_all", "links-do-remove-all", "links-do-remove-all-text"),
];

#[derive(Template)]
#[template(path = "links.html")]
struct LinksPage<'a> {
    surface: &'a Surface,
    language: Language,
    person: &'a Person,
    tab: Tab,
    rows: Vec<Row>,
    made: Option<Made>,
    form: Form,
    /// The address of this part of the list.
    here: String,
    previous: Option<String>,
    next: Option<String>,
}

struct Row {
    id: String,
    does: Text,
    client: Option<Client>,
    used: String,
    spent: bool,
    lapses: Moment,
    by: String,
    made: Moment,
}

/// A client as people read it, and the whole of its id, exactly as it is.
struct Client {
    name: String,
    id: String,
}

/// A link that was just made: the only time its address is shown.
struct Made {
    does: Text,
    client: Option<String>,
    url: String,
}

/// The form, as it was typed.
struct Form {
    actions: Vec<ActionChoice>,
    action_problem: Option<Text>,
    client: String,
    client_problem: Option<Text>,
    lasts: Vec<LastsChoice>,
    uses: String,
    uses_problem: Option<Text>,
    problem: Option<Text>,
}

struct ActionChoice {
    value: &'static str,
    title: Text,
    sentence: Text,
    chosen: bool,
}

struct LastsChoice {
    seconds: u64,
    title: String,
    chosen: bool,
}

/// Which part of the list is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Ask {
    /// The link before the part.
    after: String,
    /// The link behind it.
    before: String,
}

/// What is typed to make a link.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    action: String,
    client: String,
    lasts: String,
    uses: String,
}

/// Where one was in the list when a link was revoked.
#[derive(Deserialize)]
pub(super) struct Back {
    #[serde(default)]
    back: String,
}

/// What is wrong with the form, beside the field that it is about.
#[derive(Default)]
struct Flaws {
    action: Option<&'static str>,
    client: Option<&'static str>,
    uses: Option<&'static str>,
    whole: Option<String>,
}

/// `GET /admin/links`; to everyone but administrators it does not exist.
pub(super) async fn show(
    State(site): State<Site>,
    Administrator(known): Administrator,
    Query(ask): Query<Ask>,
    language: Language,
) -> Result<Response<Body>, Failure> {
    let view = View { site: &site, known: &known, language };
    view.page(StatusCode::OK, &ask, None, Form::fresh(language)).await
}

/// `POST /admin/links`
pub(super) async fn make(
    State(site): State<Site>,
    arrival: Arrival,
    language: Language,
    Changing { known, form }: Changing<Typed>,
) -> Result<Response<Body>, Failure> {
    policy::administer(&known).map_err(|_denied| Failure::not_found())?;
    let by = Actor::user(&known.name, arrival.address);
    View { site: &site, known: &known, language }.make(&by, form).await
}

/// `POST /admin/links/<id>/revoke`. One that is gone already is no error: the page that follows does
/// not show it.
pub(super) async fn revoke(
    State(site): State<Site>,
    arrival: Arrival,
    Path(id): Path<String>,
    Changing { known, form }: Changing<Back>,
) -> Result<Response<Body>, Failure> {
    policy::administer(&known).map_err(|_denied| Failure::not_found())?;
    let id: LinkId = id.parse().map_err(|_| Failure::not_found())?;
    site.auth().revoke_link(&Actor::user(&known.name, arrival.address), id).await?;
    let back = if form.back.is_empty() { HERE } else { &form.back };
    Ok(see_other(NextPath::of(back).as_str()))
}

impl Typed {
    fn lasts(&self) -> Duration {
        let chosen = self.lasts.parse().ok().filter(|seconds| LASTS_S.contains(seconds));
        chosen.map_or(NewLink::LASTS, Duration::from_secs)
    }

    /// What the form asks for, once it makes sense.
    fn wanted(&self) -> Result<NewLink, Flaws> {
        let client = || {
            self.client.parse::<ClientId>().map_err(|error| Flaws {
                client: Some(match error {
                    ClientIdError::Empty => "links-id-missing",
                    ClientIdError::Long => "problem-client-long",
                }),
                ..Flaws::default()
            })
        };
        let action = match self.action.as_str() {
            "access" => LinkAction::Access(client()?),
            "remove" => LinkAction::Remove(client()?),
            "remove_all" => LinkAction::RemoveAll,
            _ => return Err(Flaws { action: Some("links-do-missing"), ..Flaws::default() }),
        };
        let uses = self.uses.trim().parse().ok().filter(|uses| (1..=NewLink::MOST_USES).contains(uses));
        let uses = uses.ok_or(Flaws { uses: Some("links-uses-wrong"), ..Flaws::default() })?;
        Ok(NewLink { action, lasts: self.lasts(), uses })
    }
}

/// Who reads the page.
struct View<'a> {
    site: &'a Site,
    known: &'a Principal,
    language: Language,
}

impl View<'_> {
    async fn make(&self, by: &Actor, typed: Typed) -> Result<Response<Body>, Failure> {
        let new = match typed.wanted() {
            Ok(new) => new,
            Err(flaws) => {
                let form = Form::of(self.language, typed, flaws);
                return self.page(StatusCode::UNPROCESSABLE_ENTITY, &Ask::default(), None, form).await;
            }
        };
        match self.site.auth().create_link(by, new).await {
            Ok((link, secret)) => {
                let made = Made {
                    does: does(self.language, &link.action),
                    client: link.action.client().map(client_name),
                    url: format!("{}/link/{}", self.site.origin(), secret.expose()),
                };
                self.page(StatusCode::OK, &Ask::default(), Some(made), Form::fresh(self.language)).await
            }
            Err(refused @ AuthError::LinkUnfit { .. }) => {
                let whole = Some(refused.sentence().said(self.language));
                let form = Form::of(self.language, typed, Flaws { whole, ..Flaws::default() });
                self.page(respond::status(&refused), &Ask::default(), None, form).await
            }
            Err(refused) => Err(refused.into()),
        }
    }

    async fn page(
        &self,
        status: StatusCode,
        ask: &Ask,
        made: Option<Made>,
        form: Form,
    ) -> Result<Response<Body>, Failure> {
        let part = Part::of(self.site.auth().links().await?, ask);
        let shown = LinksPage {
            surface: self.site.portal(),
            language: self.language,
            person: &Person::of(self.known, self.language),
            tab: Tab::Links,
            rows: part.links.iter().map(|link| row(self.language, link)).collect(),
            made,
            form,
            here: part.here,
            previous: part.previous,
            next: part.next,
        };
        Ok(respond::page(self.site.portal(), status, &shown))
    }
}

/// A part of the list, newest first, and the addresses of those around it.
struct Part {
    links: Vec<Link>,
    here: String,
    previous: Option<String>,
    next: Option<String>,
}

impl Part {
    fn of(mut links: Vec<Link>, ask: &Ask) -> Self {
        links.sort_by_key(|link| Reverse(place(link)));
        let count = links.len();
        let start = match (read(&ask.after), read(&ask.before)) {
            (Some(after), _) => links.partition_point(|link| place(link) >= after),
            (None, Some(before)) => links.partition_point(|link| place(link) > before).saturating_sub(PAGE),
            (None, None) => 0,
        };
        // What stood there may have been revoked since.
        let start = if start < count { start } else { count.saturating_sub(PAGE) };
        let end = (start + PAGE).min(count);
        let at = |side: &str, link: &Link| {
            let (made, id) = place(link);
            let cursor = format!("{made}~{id}");
            format!("{HERE}?{side}={}", utf8_percent_encode(&cursor, NON_ALPHANUMERIC))
        };
        Self {
            here: if start > 0 { at("after", &links[start - 1]) } else { HERE.to_owned() },
            previous: (start > 0).then(|| at("before", &links[start])),
            next: (end < count).then(|| at("after", &links[end - 1])),
            links: links.drain(start..end).collect(),
        }
    }
}

/// Where a link stands in the list.
fn place(link: &Link) -> (Timestamp, LinkId) {
    (link.created_at, link.id)
}

/// A cursor that cannot be read is none: the first part.
fn read(cursor: &str) -> Option<(Timestamp, LinkId)> {
    let (made, id) = cursor.split_once('~')?;
    Some((made.parse().ok()?, id.parse().ok()?))
}

fn row(language: Language, link: &Link) -> Row {
    let client = |client: &ClientId| Client { name: client_name(client), id: client.to_string() };
    Row {
        id: link.id.to_string(),
        does: does(language, &link.action),
        client: link.action.client().map(client),
        used: language.say("stats-of", &[("used", link.used.into()), ("total", link.uses.into())]),
        spent: link.used >= link.uses,
        lapses: Moment::to_come(language, link.expires_at),
        by: link.created_by.clone(),
        made: Moment::past(language, link.created_at),
    }
}

fn does(language: Language, action: &LinkAction) -> Text {
    language.text(match action {
        LinkAction::Access(_) => "links-do-access",
        LinkAction::Remove(_) => "links-do-remove",
        LinkAction::RemoveAll => "links-do-remove-all",
    })
}

/// An id may be two thousand bytes of anything: what can be read of its beginning.
fn client_name(client: &ClientId) -> String {
    client.session_name(None).to_string()
}

impl Form {
    fn fresh(language: Language) -> Self {
        Self::of(language, Typed::default(), Flaws::default())
    }

    fn of(language: Language, typed: Typed, flaws: Flaws) -> Self {
        let lasts = typed.lasts().as_secs();
        let problem = |id: Option<&'static str>| id.map(|id| language.text(id));
        let action = |(value, title, sentence): (&'static str, &str, &str)| ActionChoice {
            value,
            title: language.text(title),
            sentence: language.text(sentence),
            chosen: typed.action == value,
        };
        Self {
            actions: ACTIONS.map(action).into(),
            action_problem: problem(flaws.action),
            client_problem: problem(flaws.client),
            lasts: LASTS_S
                .map(|seconds| LastsChoice {
                    seconds,
                    title: words::remaining(language, Duration::from_secs(seconds)),
                    chosen: seconds == lasts,
                })
                .into(),
            uses: if typed.uses.is_empty() { "1".to_owned() } else { typed.uses },
            uses_problem: problem(flaws.uses),
            problem: flaws.whole.map(Text::from),
            client: typed.client,
        }
    }
}
