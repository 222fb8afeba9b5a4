//! The languages of the pages: which one a reader gets, and the messages in it.
//!
//! Messages live in `web/messages/*.ftl` (Project Fluent) and are part of the binary. Everything
//! that people read on a page comes from there; what programs read (codes, audit, API) does not.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

pub use fluent_bundle::FluentValue as Value;
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::types::FluentNumber;
use fluent_bundle::{FluentArgs, FluentResource};
use http::HeaderMap;
use http::header::ACCEPT_LANGUAGE;
use serde::{Deserialize, Serialize};
use unic_langid::LanguageIdentifier;

/// A language that every message exists in.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub enum Language {
    /// English: what a reader gets whose languages we do not speak.
    #[default]
    #[serde(rename = "en")]
    English,
    /// French.
    #[serde(rename = "fr")]
    French,
}

/// The arguments of all messages that scripts show. A script fills them in itself.
const OF_SCRIPTS: [&str; 7] = ["count", "file", "key", "name", "names", "reason", "time"];

const ENGLISH: &str = include_str!("web/messages/en.ftl");
const FRENCH: &str = include_str!("web/messages/fr.ftl");

static IN_ENGLISH: LazyLock<FluentBundle<FluentResource>> = LazyLock::new(|| bundle("en", ENGLISH));
static IN_FRENCH: LazyLock<FluentBundle<FluentResource>> = LazyLock::new(|| bundle("fr", FRENCH));

fn bundle(tag: &str, source: &str) -> FluentBundle<FluentResource> {
    let resource = FluentResource::try_new(source.to_owned()).expect("a test reads the same messages");
    let language: LanguageIdentifier = tag.parse().expect("a tag of ours");
    let mut bundle = FluentBundle::new_concurrent(vec![language]);
    // Arguments are times and numbers; names stand in elements of their own, apart from the text.
    bundle.set_use_isolating(false);
    bundle.add_resource(resource).expect("a test finds every message defined once");
    bundle
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::English, Self::French];

    /// The language a browser asks for: of those we speak, the one it likes best; English if none.
    ///
    /// **Source**: RFC 9110 §12.5.4 (`Accept-Language`, with its weights).
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        let mut best = (Self::default(), 0);
        for header in headers.get_all(ACCEPT_LANGUAGE) {
            for range in header.to_str().unwrap_or_default().split(',') {
                let (language, weight) = wish(range);
                // At equal weight the earlier one, as browsers list them.
                if let Some(language) = language.filter(|_| weight > best.1) {
                    best = (language, weight);
                }
            }
        }
        best.0
    }

    /// Its tag (BCP 47), for `lang` attributes.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::French => "fr",
        }
    }

    /// The language of a tag that [`Language::tag`] gave.
    #[must_use]
    pub fn of_tag(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.tag() == tag)
    }

    /// A message without arguments.
    #[must_use]
    pub fn text(self, id: &str) -> Cow<'static, str> {
        self.format(id, None)
    }

    /// A message with its arguments.
    #[must_use]
    pub fn say(self, id: &str, arguments: &[(&'static str, Value<'_>)]) -> String {
        let arguments: FluentArgs<'_> = arguments.iter().cloned().collect();
        self.format(id, Some(&arguments)).into_owned()
    }

    /// The messages of a page that its script shows, as a JSON object by what follows `-says-` in
    /// their ids; `{name}` stands where the script puts an argument.
    #[must_use]
    pub fn script(self, page: &str) -> String {
        let arguments: FluentArgs<'_> =
            OF_SCRIPTS.iter().map(|name| (*name, Value::from(format!("{{{name}}}")))).collect();
        let prefix = format!("{page}-says-");
        let words: BTreeMap<_, _> = ids(self.source())
            .filter_map(|id| Some((id.strip_prefix(&prefix)?, self.format(id, Some(&arguments)))))
            .collect();
        serde_json::to_string(&words).expect("text always serialises")
    }

    fn format(self, id: &str, arguments: Option<&FluentArgs<'_>>) -> Cow<'static, str> {
        let bundle = self.bundle();
        let Some(pattern) = bundle.get_message(id).and_then(|message| message.value()) else {
            // A test finds the ids that no language has; a reader still sees where something should be.
            return Cow::Owned(id.to_owned());
        };
        bundle.format_pattern(pattern, arguments, &mut Vec::new()).into_owned().into()
    }

    fn bundle(self) -> &'static FluentBundle<FluentResource> {
        match self {
            Self::English => &IN_ENGLISH,
            Self::French => &IN_FRENCH,
        }
    }

    fn source(self) -> &'static str {
        match self {
            Self::English => ENGLISH,
            Self::French => FRENCH,
        }
    }
}

/// A message with its arguments, to be said in whatever language its reader reads.
#[derive(Clone, Debug, PartialEq)]
pub struct Sentence {
    id: &'static str,
    arguments: Vec<(&'static str, Argument)>,
}

/// What an argument is made of: unlike fluent's own values it may be read by several threads.
#[derive(Clone, Debug, PartialEq)]
enum Argument {
    Number(FluentNumber),
    Text(Cow<'static, str>),
}

impl From<Value<'static>> for Argument {
    fn from(value: Value<'static>) -> Self {
        match value {
            Value::Number(number) => Self::Number(number),
            Value::String(text) => Self::Text(text),
            // No message takes a value of another kind; it would be missing from the text.
            Value::Custom(_) | Value::None | Value::Error => Self::Text(Cow::Borrowed("")),
        }
    }
}

impl From<&Argument> for Value<'static> {
    fn from(argument: &Argument) -> Self {
        match argument {
            Argument::Number(number) => Self::Number(number.clone()),
            Argument::Text(text) => Self::String(text.clone()),
        }
    }
}

impl Sentence {
    /// The message of this id. A test reads the ids, so they stand here as they are.
    #[must_use]
    pub fn of(id: &'static str) -> Self {
        Self { id, arguments: Vec::new() }
    }

    /// The same with an argument of the message.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Value<'static>>) -> Self {
        self.arguments.push((name, Argument::from(value.into())));
        self
    }

    /// What it says in a language.
    #[must_use]
    pub fn said(&self, language: Language) -> String {
        let arguments: Vec<_> = self.arguments.iter().map(|(name, value)| (*name, value.into())).collect();
        language.say(self.id, &arguments)
    }
}

/// One range of `Accept-Language`: a language of ours, if it is one, and its weight in thousandths.
fn wish(range: &str) -> (Option<Language>, u16) {
    let mut parts = range.split(';').map(str::trim);
    let tag = parts.next().unwrap_or_default();
    let primary = tag.split('-').next().unwrap_or_default();
    let language = match primary.to_ascii_lowercase().as_str() {
        "en" => Some(Language::English),
        "fr" => Some(Language::French),
        // An open set: every other language of the world.
        _ => None,
    };
    let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(Some(1.0), |q| q.trim().parse().ok());
    // Rounded within 0..=1000, so nothing is cut off.
    let weight = weight.map_or(0, |q: f32| (q.clamp(0.0, 1.0) * 1000.0).round() as u16);
    (language, weight)
}

/// The ids of a file's messages, in its order.
fn ids(source: &'static str) -> impl Iterator<Item = &'static str> {
    source
        .lines()
        .filter(|line| line.starts_with(|first: char| first.is_ascii_lowercase()))
        .filter_map(|line| Some(line.split_once(" =")?.0))
}

#[cfg(test)]
mod tests;
