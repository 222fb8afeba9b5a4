//! How somebody reads pages: the language and the look, chosen for themselves or for this browser.

use axum::Form;
use axum::extract::State;
use http::header::{ACCEPT_LANGUAGE, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Response};
use serde::Deserialize;

use super::gate::Changing;
use super::next::NextPath;
use super::session_page::see_other;
use super::{Failure, Site};
use crate::auth::{cookies, csrf};
use crate::body::Body;
use crate::language::Language;
use crate::look::Look;
use crate::store::Preferences;

/// What can be chosen, and what is chosen now.
pub struct Chooser<'a> {
    /// Where the choice is sent.
    pub action: &'static str,
    /// The form's secret.
    pub csrf: &'a str,
    /// Where to go on.
    pub back: &'a str,
    /// What is chosen now.
    pub now: Preferences,
}

/// One of the things to choose from.
pub struct Offer {
    /// Its value.
    pub value: &'static str,
    /// Its message.
    pub message: &'static str,
    /// Whether it is chosen.
    pub chosen: bool,
    /// The language it is written in, if it is not the page's.
    pub lang: Option<&'static str>,
}

impl Chooser<'_> {
    /// The languages, each in its own words.
    #[must_use]
    pub fn languages(&self) -> Vec<Offer> {
        let of = |language: Language| Offer {
            value: language.tag(),
            message: match language {
                Language::English => "language-english",
                Language::French => "language-french",
            },
            chosen: self.now.language == Some(language),
            lang: Some(language.tag()),
        };
        let browser =
            Offer { value: "", message: "language-browser", chosen: self.now.language.is_none(), lang: None };
        std::iter::once(browser).chain(Language::ALL.map(of)).collect()
    }

    /// The looks.
    #[must_use]
    pub fn looks(&self) -> Vec<Offer> {
        let of = |(value, message, look): (&'static str, &'static str, Option<Look>)| Offer {
            value,
            message,
            chosen: self.now.look == look,
            lang: None,
        };
        let looks = [
            ("", "look-system", None),
            ("light", "look-light", Some(Look::Light)),
            ("dark", "look-dark", Some(Look::Dark)),
        ];
        looks.map(of).into()
    }
}

/// A choice; what is absent stays, what is empty follows the browser.
#[derive(Deserialize)]
pub(super) struct Choice {
    language: Option<String>,
    look: Option<String>,
    #[serde(default)]
    back: String,
}

/// A choice from a form that is sent before there is a login.
#[derive(Deserialize)]
pub(super) struct Signed {
    #[serde(default)]
    csrf: String,
    #[serde(flatten)]
    choice: Choice,
}

impl Choice {
    fn over(&self, before: Preferences) -> Preferences {
        let language = |text: &String| Language::of_tag(text);
        let look = |text: &String| text.parse().ok();
        Preferences {
            language: self.language.as_ref().map_or(before.language, language),
            look: self.look.as_ref().map_or(before.look, look),
        }
    }
}

/// `POST /choices`: for this browser, before anybody logged in.
pub(super) async fn here(
    State(site): State<Site>,
    headers: HeaderMap,
    Form(Signed { csrf: token, choice }): Form<Signed>,
) -> Result<Response<Body>, Failure> {
    let provenance = csrf::Provenance::of(&headers);
    csrf::check_form(cookies::tokens(&headers, cookies::FORM), Some(&token), provenance, site.origin())?;
    let chosen = choice.over(cookies::choice(&headers));
    Ok(remembered(&NextPath::of(&choice.back).login(), chosen))
}

/// `POST /account/choices`: for oneself, on every device at once. This browser remembers it, too,
/// for when nobody is logged in.
pub(super) async fn mine(
    State(site): State<Site>,
    Changing { known, form }: Changing<Choice>,
) -> Result<Response<Body>, Failure> {
    let chosen = form.over(known.preferences);
    site.auth().prefer(&known, chosen).await?;
    Ok(remembered("/account?chosen=yes", chosen))
}

fn remembered(to: &str, chosen: Preferences) -> Response<Body> {
    let mut response = see_other(to);
    response.headers_mut().append(SET_COOKIE, cookies::set_choice(chosen));
    response
}

/// Puts a chosen language in the place of what the browser asks for, so that whatever is made of
/// the request is made in it.
pub fn put_into(language: Option<Language>, headers: &mut HeaderMap) {
    if let Some(language) = language {
        headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_static(language.tag()));
    }
}
