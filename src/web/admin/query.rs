//! Which sessions the table shows, in which order, and which page of them: all of it is in the
//! address, so that it works without a script and can be kept as a bookmark.
//!
//! A page is found by the key of the row beside it, not by a number: rows that come and go meanwhile
//! shift nothing.

use std::cmp::Ordering;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use crate::broker::{Broker, Entry};
use crate::clock;
use crate::language::Language;
use crate::session::{Session, State, StateKind};
use crate::web::card;

/// So many rows make a page; 1000 sessions are twenty of them.
pub(super) const PAGE: usize = 50;

/// What the address says.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct TableQuery {
    /// A part of a name, an owner, a label or a template.
    pub(super) q: String,
    pub(super) state: String,
    pub(super) template: String,
    pub(super) reason: String,
    /// A column by its name, with `-` in front for the other direction.
    pub(super) sort: String,
    /// The row before the page.
    after: String,
    /// The row behind the page.
    before: String,
}

/// A column that rows can be sorted by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Column {
    Name,
    Owner,
    Template,
    State,
    Since,
    Input,
    Viewers,
    Home,
}

/// What a row is sorted by. All of one column are of one variant.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(untagged)]
enum Key {
    Number(u64),
    Text(String),
}

/// One page of rows.
pub(super) struct Selected {
    pub(super) rows: Vec<Arc<Entry>>,
    /// How many fit the filters.
    pub(super) found: usize,
    /// The pages around it, as parameters of its address.
    pub(super) previous: Option<(&'static str, String)>,
    pub(super) next: Option<(&'static str, String)>,
}

impl Column {
    pub(super) const ALL: [Self; 8] = [
        Self::Name,
        Self::Owner,
        Self::Template,
        Self::State,
        Self::Since,
        Self::Input,
        Self::Viewers,
        Self::Home,
    ];

    /// Its name in addresses.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Owner => "owner",
            Self::Template => "template",
            Self::State => "state",
            Self::Since => "since",
            Self::Input => "input",
            Self::Viewers => "viewers",
            Self::Home => "home",
        }
    }

    fn key(self, broker: &Broker, entry: &Entry, session: &Session, language: Language) -> Key {
        let text = |text: &str| Key::Text(text.to_lowercase());
        let second = |at: jiff::Timestamp| Key::Number(u64::try_from(at.as_second()).unwrap_or_default());
        match self {
            Self::Name => text(session.name.as_str()),
            Self::Owner => text(&session.owner_name),
            Self::Template => text(&card::title(language, entry, session)),
            Self::State => Key::Number(session.state.kind() as u64),
            Self::Since => second(session.state_since),
            Self::Input if session.state.kind() == StateKind::Ready => {
                second(clock::earlier(clock::now(), entry.last_input().0).unwrap_or_default())
            }
            Self::Input => second(session.last_input_at.unwrap_or_default()),
            Self::Viewers => Key::Number(entry.viewers() as u64),
            Self::Home => {
                let usage = broker.home(entry).and_then(|home| home.usage);
                Key::Number(usage.map_or(0, |usage| usage.used_bytes))
            }
        }
    }
}

impl TableQuery {
    /// The column it is sorted by, and whether the other way round. By owner unless it says so.
    pub(super) fn order(&self) -> (Column, bool) {
        let (name, reversed) = match self.sort.strip_prefix('-') {
            Some(name) => (name, true),
            None => (self.sort.as_str(), false),
        };
        let found = Column::ALL.into_iter().find(|column| column.name() == name);
        found.map_or((Column::Owner, false), |column| (column, reversed))
    }

    /// Whether any filter is set.
    pub(super) fn filters(&self) -> bool {
        [&self.q, &self.state, &self.template, &self.reason].iter().any(|filter| !filter.trim().is_empty())
    }

    /// Whether a session fits the filters.
    pub(super) fn fits(&self, entry: &Entry, session: &Session, language: Language) -> bool {
        let is = |filter: &str, value: &str| filter.is_empty() || filter == value;
        is(&self.state, session.state.kind().name())
            && is(&self.template, session.template.as_str())
            && (self.reason.is_empty() || reason(&session.state) == Some(self.reason.as_str()))
            && self.mentions(entry, session, language)
    }

    fn mentions(&self, entry: &Entry, session: &Session, language: Language) -> bool {
        let wanted = self.q.trim().to_lowercase();
        wanted.is_empty()
            || session.label.as_str().contains(&wanted)
            || [session.name.as_str(), &session.owner_name, session.template.as_str()]
                .iter()
                .any(|text| text.to_lowercase().contains(&wanted))
            || card::title(language, entry, session).to_lowercase().contains(&wanted)
    }

    /// The page that is asked for.
    pub(super) fn select(&self, broker: &Broker, language: Language) -> Selected {
        let (column, reversed) = self.order();
        let mut rows: Vec<(Key, Arc<Entry>)> = Vec::new();
        for entry in broker.entries() {
            let session = entry.session();
            if self.fits(&entry, &session, language) {
                rows.push((column.key(broker, &entry, &session, language), entry));
            }
        }
        let compare = |one: &(&Key, &str), other: &(&Key, &str)| {
            let keys = one.0.cmp(other.0);
            // Rows of one key stand in the order of their labels, whichever way the keys go.
            (if reversed { keys.reverse() } else { keys }).then_with(|| one.1.cmp(other.1))
        };
        rows.sort_by(|one, other| compare(&place(one), &place(other)));
        let found = rows.len();
        // How many rows stand in front of a cursor's own, or of what follows it.
        let count = |cursor: &str, with_it: bool| {
            let (key, label) = read(cursor)?;
            let here = (&key, label.as_str());
            Some(rows.partition_point(|row| match compare(&place(row), &here) {
                Ordering::Less => true,
                Ordering::Equal => with_it,
                Ordering::Greater => false,
            }))
        };
        let start = match (count(&self.after, true), count(&self.before, false)) {
            (Some(start), _) => start,
            (None, Some(end)) => end.saturating_sub(PAGE),
            (None, None) => 0,
        };
        let end = (start + PAGE).min(found);
        let cursor = |index: usize| write(&rows[index]);
        let previous = (start > 0 && start < found).then(|| ("before", cursor(start)));
        let next = (end < found && end > 0).then(|| ("after", cursor(end - 1)));
        let rows = rows.drain(start.min(end)..end).map(|(_, entry)| entry).collect();
        Selected { rows, found, previous, next }
    }

    /// The same table at `path` with other parameters; an empty value takes one away. A page is of
    /// one order, so another order begins at the first.
    pub(super) fn address(&self, path: &str, changes: &[(&str, &str)]) -> String {
        let own = [
            ("q", self.q.trim()),
            ("state", &self.state),
            ("template", &self.template),
            ("reason", &self.reason),
            ("sort", &self.sort),
        ];
        let kept = own.into_iter().filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
        let set = kept.chain(changes.iter().copied()).filter(|(_, value)| !value.is_empty());
        let escaped = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let pairs: Vec<_> = set.map(|(name, value)| format!("{name}={}", escaped(value))).collect();
        if pairs.is_empty() { path.to_owned() } else { format!("{path}?{}", pairs.join("&")) }
    }

    /// The address of this very page.
    pub(super) fn here(&self, path: &str) -> String {
        self.address(path, &[("after", &self.after), ("before", &self.before)])
    }
}

/// The code of why a session stopped or failed.
pub(super) fn reason(state: &State) -> Option<&'static str> {
    match state {
        State::Stopped { reason } | State::Stopping { reason, .. } => Some(reason.code()),
        State::Failed { reason } => Some(reason.code()),
        State::Starting { .. } | State::Ready { .. } | State::Paused { .. } => None,
    }
}

fn place(row: &(Key, Arc<Entry>)) -> (&Key, &str) {
    (&row.0, row.1.label.as_str())
}

fn write(row: &(Key, Arc<Entry>)) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(&place(row)).expect("a key is a number or a text"))
}

/// A cursor that cannot be read is none: the first page.
fn read(cursor: &str) -> Option<(Key, String)> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()
}
