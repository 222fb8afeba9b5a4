//! The administrators' page of settings: every key in force and where its value comes from. Nothing
//! can be changed here: the file and the environment are the one place for that.

use askama::Template;
use axum::extract::State;
use http::{Response, StatusCode};

use super::gate::Administrator;
use super::person::{Person, Tab};
use super::{Failure, Site};
use crate::body::Body;
use crate::inventory::{Inventory, Origin, Setting};
use crate::language::{Language, Sentence};
use crate::respond::{self, Surface};

#[derive(Template)]
#[template(path = "settings.html")]
struct SettingsPage<'a> {
    surface: &'a Surface,
    language: Language,
    person: &'a Person,
    tab: Tab,
    dangers: &'a [Sentence],
    sections: Vec<Section<'a>>,
}

/// One table of the file.
struct Section<'a> {
    /// As the file has it.
    name: &'a str,
    /// Where the page goes to from its list of tables.
    id: String,
    rows: Vec<Row<'a>>,
    /// What a template leaves at its default, shown in short: their meanings stand above already.
    defaults: Vec<&'a Setting>,
}

/// One key.
struct Row<'a> {
    setting: &'a Setting,
    unit: Option<String>,
    origin: String,
    /// Whether anybody set it.
    set: bool,
}

/// `GET /admin/settings`
pub(super) async fn show(
    State(site): State<Site>,
    Administrator(known): Administrator,
    language: Language,
) -> Result<Response<Body>, Failure> {
    let Inventory { settings, dangers } = &*site.0.state.inventory;
    let shown = SettingsPage {
        surface: site.portal(),
        language,
        person: &Person::of(&known, language),
        tab: Tab::Settings,
        dangers,
        sections: sections(settings, language),
    };
    Ok(respond::page(site.portal(), StatusCode::OK, &shown))
}

fn sections(settings: &[Setting], language: Language) -> Vec<Section<'_>> {
    let same = |one: &Setting, other: &Setting| one.section == other.section;
    settings.chunk_by(same).filter_map(|settings| Section::of(settings, language)).collect()
}

impl<'a> Section<'a> {
    fn of(settings: &'a [Setting], language: Language) -> Option<Self> {
        let name = settings.first()?.section.as_str();
        let short = |setting: &&Setting| name.starts_with("template ") && setting.origin == Origin::Default;
        let (defaults, whole): (Vec<_>, Vec<_>) = settings.iter().partition(short);
        let rows = whole.into_iter().map(|setting| Row::of(setting, language)).collect();
        Some(Self { name, id: format!("table-{}", name.replace(' ', "-")), rows, defaults })
    }
}

impl<'a> Row<'a> {
    fn of(setting: &'a Setting, language: Language) -> Self {
        let unit = setting.unit.map(|unit| match unit {
            "s" => language.text("unit-seconds").into_owned(),
            "d" => language.text("unit-days").into_owned(),
            // Signs that every language writes so.
            unit => unit.to_owned(),
        });
        let (origin, set) = match &setting.origin {
            Origin::Default => (language.text("origin-default").into_owned(), false),
            Origin::Environment { variable } => {
                (language.say("origin-environment", &[("variable", variable.as_str().into())]), true)
            }
            Origin::File { at } => (language.say("origin-file", &[("at", at.as_str().into())]), true),
        };
        Self { setting, unit, origin, set }
    }
}
