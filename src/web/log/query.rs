//! What the address of the log page says: which lines, and which page of them.

use std::borrow::Cow;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::kinds::name_of;
use crate::audit::{EventKind, Outcome, when};
use crate::clock;
use crate::language::Language;
use crate::store::AuditSearch;

/// The query of the page, its event stream and its exports.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct LogQuery {
    event: String,
    actor: String,
    target: String,
    outcome: String,
    since: String,
    until: String,
    /// Lines below this number.
    before: Option<u64>,
    /// Lines above this number.
    after: Option<u64>,
    /// Of an export: `jsonl` or `csv`.
    pub(super) format: String,
}

/// What was wrong with the filters, each beside its field.
#[derive(Debug, Default)]
pub(super) struct Flaws {
    pub(super) since: bool,
    pub(super) until: bool,
}

impl Flaws {
    /// Whether anything was.
    pub(super) fn any(&self) -> bool {
        self.since || self.until
    }
}

/// The filters as the form shows them.
pub(super) struct Filters {
    pub(super) groups: Vec<Group>,
    pub(super) outcomes: Vec<Choice>,
    pub(super) actor: String,
    pub(super) target: String,
    pub(super) since: String,
    pub(super) until: String,
    /// Whether any is set.
    pub(super) any: bool,
}

/// Events that belong together.
pub(super) struct Group {
    pub(super) title: Cow<'static, str>,
    pub(super) events: Vec<Choice>,
}

/// One value to choose.
pub(super) struct Choice {
    pub(super) value: &'static str,
    pub(super) text: Cow<'static, str>,
    pub(super) chosen: bool,
}

/// The groups by the message that names each, in the order of the form.
const GROUPS: [(&[&str], &str); 8] = [
    (&["session"], "log-group-sessions"),
    (&["log"], "log-group-logins"),
    (&["user"], "log-group-users"),
    (&["view"], "log-group-viewers"),
    (&["grant", "invitation", "link"], "log-group-grants"),
    (&["image"], "log-group-images"),
    (&["home"], "log-group-homes"),
    (&[""], "log-group-server"),
];

impl LogQuery {
    /// The lines it asks for. A filter that cannot be read is left out and said to be wrong.
    pub(super) fn search(&self) -> (AuditSearch, Flaws) {
        let (now, some) = (clock::now(), |text: &str| Some(text.trim().to_owned()).filter(|t| !t.is_empty()));
        let time = |text: &str| some(text).map(|text| when(&text, now));
        let (since, until) = (time(&self.since), time(&self.until));
        let flaws = Flaws { since: matches!(since, Some(Err(_))), until: matches!(until, Some(Err(_))) };
        let search = AuditSearch {
            events: self.event.parse().into_iter().collect(),
            actor: some(&self.actor),
            target: some(&self.target),
            outcome: self.outcome.parse().ok(),
            since: since.and_then(Result::ok),
            until: until.and_then(Result::ok),
            before: self.before,
            after: self.after,
        };
        (search, flaws)
    }

    /// The same filters at `path`, with one more parameter unless its name is empty.
    pub(super) fn address(&self, path: &str, name: &str, value: &str) -> String {
        let filters = [
            ("event", self.event.as_str()),
            ("actor", &self.actor),
            ("target", &self.target),
            ("outcome", &self.outcome),
            ("since", &self.since),
            ("until", &self.until),
            (name, value),
        ];
        let set = filters.iter().filter(|(name, value)| !name.is_empty() && !value.is_empty());
        let escaped = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let pairs: Vec<_> = set.map(|(name, value)| format!("{name}={}", escaped(value))).collect();
        if pairs.is_empty() { path.to_owned() } else { format!("{path}?{}", pairs.join("&")) }
    }

    /// The filters in words, for the audit: what an export was of.
    pub(super) fn words(&self) -> String {
        let address = self.address("", "format", &self.format);
        address.trim_start_matches('?').to_owned()
    }
}

impl Filters {
    /// The filters of a query, for a reader.
    pub(super) fn of(query: &LogQuery, language: Language) -> Self {
        let outcome = |outcome: Outcome| Choice {
            value: outcome.name(),
            text: super::words::outcome(language, outcome),
            chosen: query.outcome == outcome.name(),
        };
        Self {
            groups: GROUPS.map(|(_, title)| Group::of(title, query, language)).into(),
            outcomes: Outcome::ALL.map(outcome).into(),
            actor: query.actor.clone(),
            target: query.target.clone(),
            since: query.since.clone(),
            until: query.until.clone(),
            any: !query.address("", "", "").is_empty(),
        }
    }
}

impl Group {
    fn of(title: &'static str, query: &LogQuery, language: Language) -> Self {
        let belongs = |kind: &EventKind| {
            GROUPS
                .iter()
                .find(|(prefixes, _)| prefixes.iter().any(|prefix| kind.name().starts_with(prefix)))
                .is_some_and(|(_, of)| *of == title)
        };
        let choice = |kind: EventKind| Choice {
            value: kind.name(),
            text: language.text(name_of(kind)),
            chosen: query.event == kind.name(),
        };
        let events = EventKind::ALL.into_iter().filter(belongs).map(choice).collect();
        Self { title: language.text(title), events }
    }
}
