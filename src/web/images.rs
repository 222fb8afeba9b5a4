//! The admin's page of templates and their images: what is on the machine, and fetching the rest.

use askama::Template as Askama;
use axum::extract::{Path, State};
use http::{Response, StatusCode};

use super::gate::{Administrator, Arrival, Changing, Nothing};
use super::person::{Person, Tab};
use super::session_page::see_other;
use super::template_words;
use super::words::{self, Text};
use super::{Failure, Site};
use crate::audit::Actor;
use crate::auth::policy;
use crate::body::Body;
use crate::broker::{Broker, Pull};
use crate::language::Language;
use crate::respond::{self, Surface};
use crate::session::{ImageName, Template, TemplateName};

#[derive(Askama)]
#[template(path = "images.html")]
struct ImagesPage<'a> {
    surface: &'a Surface,
    language: Language,
    person: &'a Person,
    csrf: &'a str,
    tab: Tab,
    rows: Vec<ImageRow>,
}

/// A template and its image, ready to render: the same markup on the page and in the event stream.
#[derive(Debug)]
pub struct ImageRow {
    /// The template.
    pub template: TemplateName,
    title: String,
    description: String,
    icon: &'static str,
    limits: String,
    /// The image's name in the configuration.
    image: String,
    installed: Text,
    missing: bool,
    found: Option<Found>,
    policy: Text,
    /// What to type where nothing can be pressed.
    command: String,
    /// Whether it can be fetched: what is built here cannot.
    fetched: bool,
    pull: Option<Going>,
}

/// What is on the machine.
#[derive(Debug)]
struct Found {
    id: String,
    short_id: String,
    size: String,
    /// The day it was built.
    built: Option<String>,
    version: Option<String>,
}

/// How a pull goes or went.
#[derive(Debug)]
struct Going {
    text: String,
    /// Percent, while it is under way and anything is known.
    percent: Option<u64>,
    under_way: bool,
    failed: bool,
}

#[derive(Askama)]
#[template(path = "image_row.html")]
struct RowHtml<'a> {
    row: &'a ImageRow,
    language: Language,
    csrf: &'a str,
}

/// `GET /admin/images`; to everyone else it does not exist.
pub(super) async fn show(
    State(site): State<Site>,
    Administrator(known): Administrator,
    language: Language,
) -> Result<Response<Body>, Failure> {
    let person = Person::of(&known, language);
    let shown = ImagesPage {
        surface: site.portal(),
        language,
        csrf: &person.csrf,
        person: &person,
        tab: Tab::Images,
        rows: ImageRow::all(site.broker(), language),
    };
    Ok(respond::page(site.portal(), StatusCode::OK, &shown))
}

/// `POST /admin/images/<template>/pull`
pub(super) async fn pull(
    State(site): State<Site>,
    arrival: Arrival,
    Path(template): Path<String>,
    Changing { known, form: Nothing {} }: Changing<Nothing>,
) -> Result<Response<Body>, Failure> {
    policy::administer(&known).map_err(|_denied| Failure::not_found())?;
    let template = template.parse().map_err(|_| Failure::not_found())?;
    site.broker().pull(&template, &Actor::user(&known.name, arrival.address))?;
    Ok(see_other("/admin/images"))
}

impl ImageRow {
    /// Every template's row, by name.
    pub fn all(broker: &Broker, language: Language) -> Vec<Self> {
        broker.templates().values().map(|template| Self::of(broker, template, language)).collect()
    }

    fn of(broker: &Broker, template: &Template, language: Language) -> Self {
        let installed = broker.installed(&template.name);
        let found = installed.image().map(|image| Found {
            id: image.id.clone(),
            short_id: image.short_id().to_owned(),
            size: words::size(language, image.size_bytes),
            built: image.created_at.map(|at| at.strftime("%F").to_string()),
            version: image.version.clone(),
        });
        Self {
            template: template.name.clone(),
            title: template.title.of(language).to_owned(),
            description: template.description.of(language).to_owned(),
            icon: template.icon.name(),
            limits: template_words::limits(language, template, broker.settings().reap).join(" · "),
            image: template.image.clone(),
            installed: template_words::installed(language, &installed),
            missing: installed.is_missing(),
            found,
            policy: template_words::pull_policy(language, template.pull),
            command: template.image_command(),
            fetched: ImageName::of(&template.image).built_here().is_none(),
            pull: broker.pull_of(template).map(|pull| going(language, &pull)),
        }
    }

    /// Its markup. The form in it carries the reader's own secret.
    pub fn html(&self, language: Language, csrf: &str) -> String {
        RowHtml { row: self, language, csrf }.render().unwrap_or_default()
    }
}

fn going(language: Language, pull: &Pull) -> Going {
    let going = |text: String| Going { text, percent: None, under_way: pull.is_under_way(), failed: false };
    match pull {
        Pull::Waiting => going(language.text("pull-waiting").into_owned()),
        Pull::Running(progress) => {
            let so_far = [
                ("done", progress.layers_done.into()),
                ("layers", progress.layers.into()),
                ("bytes", words::size(language, progress.bytes).into()),
            ];
            let percent = (progress.bytes * 100).checked_div(progress.total_bytes);
            Going { percent, ..going(language.say("pull-running", &so_far)) }
        }
        Pull::Done { at } => {
            going(language.say("pull-done", &[("at", at.strftime("%F %H:%M UTC").to_string().into())]))
        }
        Pull::Failed { detail, .. } => Going {
            failed: true,
            ..going(language.say("pull-failed", &[("detail", detail.as_str().into())]))
        },
    }
}
