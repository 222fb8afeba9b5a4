//! Homes on pages: how full one is, and what is offered when another machine uses it.

use askama::Template;
use http::{Response, StatusCode};
use serde::Serialize;

use super::Site;
use super::person::{Person, Tab};
use super::session_page::see_other;
use super::words::{self, Text};
use crate::body::Body;
use crate::broker::{BrokerError, Entry, HomeView};
use crate::language::Language;
use crate::respond::{self, Place, Surface};
use crate::session::{HomeLevel, HomeUse, Label, SessionName};

/// How full a home is, for people.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HomeText {
    /// The stable name of how urgent it is to make room.
    pub level: &'static str,
    /// What its files take.
    pub line: String,
    /// What to do, when there is something to do.
    pub warning: Option<Text>,
}

impl HomeText {
    /// What is known of a home; `None` before it was measured.
    pub fn of(language: Language, home: &HomeView) -> Option<Self> {
        let usage = home.usage?;
        let warning = match home.level {
            HomeLevel::Fine => None,
            HomeLevel::Warn => Some(language.text("home-warn")),
            HomeLevel::Full => Some(language.text("home-full")),
        };
        Some(Self { level: home.level.name(), line: line(language, &usage), warning })
    }
}

/// What the files of a home take, of what they may.
pub fn line(language: Language, usage: &HomeUse) -> String {
    let used = words::size(language, usage.used_bytes);
    match usage.limit_bytes {
        None => language.say("home-line", &[("used", used.into())]),
        Some(limit) => {
            let limit = words::size(language, limit);
            language.say("home-line-limit", &[("used", used.into()), ("limit", limit.into())])
        }
    }
}

/// What somebody wanted when their home was in use.
pub enum Wanted<'a> {
    /// To start a machine they have.
    Start {
        /// Its label.
        label: &'a str,
        /// Where they go afterwards.
        back: &'a str,
    },
    /// To have a new one.
    Create {
        /// Its template.
        template: &'a str,
        /// Its name.
        name: &'a str,
    },
}

#[derive(Template)]
#[template(path = "home_in_use.html")]
struct InUsePage<'a> {
    surface: &'a Surface,
    language: Language,
    person: &'a Person,
    tab: Tab,
    title: String,
    text: String,
    button: String,
    open: String,
    action: String,
    fields: Vec<(&'static str, &'a str)>,
    instead_of: &'a str,
}

/// The page that offers to stop the other machine, with 409.
pub fn in_use(
    site: &Site,
    person: &Person,
    wanted: &Wanted<'_>,
    (name, label): (&SessionName, &Label),
) -> Response<Body> {
    let language = person.language;
    let naming = |id| language.say(id, &[("name", name.as_str().into())]);
    let (action, fields) = match wanted {
        Wanted::Start { label, back } => (format!("/sessions/{label}/start"), vec![("back", *back)]),
        Wanted::Create { template, name } => {
            ("/sessions".to_owned(), vec![("template", *template), ("name", *name)])
        }
    };
    let shown = InUsePage {
        surface: site.portal(),
        language,
        person,
        tab: Tab::Dashboard,
        title: language.text("home-in-use").into_owned(),
        text: naming("home-in-use-text"),
        button: naming("home-in-use-button"),
        open: naming("home-in-use-open"),
        action,
        fields,
        instead_of: label.as_str(),
    };
    respond::page(site.portal(), StatusCode::CONFLICT, &shown)
}

/// The page for somebody whose opening of `entry` was refused, if its home was the reason. A
/// session's own host sends them to the portal, whose buttons may change things.
pub fn refused_open(
    site: &Site,
    error: &BrokerError,
    entry: &Entry,
    person: &Person,
    place: Place,
) -> Option<Response<Body>> {
    let BrokerError::HomeInUse { name, label } = error else { return None };
    let own = entry.label.as_str();
    Some(match place {
        Place::Portal => {
            let back = site.address(entry);
            in_use(site, person, &Wanted::Start { label: own, back: &back }, (name, label))
        }
        Place::SessionHost => see_other(&site.surface(place).portal(&format!("/sessions/{own}"))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_home_says_what_to_do() {
        let view = |level| HomeView {
            kind: crate::session::Home::Persistent,
            usage: Some(HomeUse { used_bytes: 95 << 20, limit_bytes: Some(100 << 20), free_bytes: 1 << 30 }),
            level,
            measured_at: None,
        };
        let fine = HomeText::of(Language::English, &view(HomeLevel::Fine)).unwrap();
        assert_eq!((fine.line.as_str(), fine.warning), ("Files: 95 MB of 100 MB", None));
        let full = HomeText::of(Language::English, &view(HomeLevel::Full)).unwrap();
        assert!(full.warning.unwrap().contains("empty the trash"));
        assert_eq!(HomeText::of(Language::English, &HomeView { usage: None, ..view(HomeLevel::Fine) }), None);
    }
}
