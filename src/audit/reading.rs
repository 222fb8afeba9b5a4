//! A line of the audit, read again: for pages, tables and filters.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{EventKind, visible};
use crate::store::AuditLine;

/// What a line says. A line of a newer or damaged audit is read as far as it can be.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// Its number.
    pub number: u64,
    /// When it happened.
    pub at: Option<Timestamp>,
    /// What happened, if this version knows it.
    pub kind: Option<EventKind>,
    fields: Map<String, Value>,
}

/// What every line has; all else belongs to its event.
const COMMON: [&str; 7] = ["v", "at", "outcome", "event", "actor", "address", "target"];

impl Reading {
    /// Reads a line.
    #[must_use]
    pub fn of(line: &AuditLine) -> Self {
        let fields: Map<String, Value> = serde_json::from_str(&line.body).unwrap_or_default();
        let text = |name: &str| fields.get(name).and_then(Value::as_str);
        Self {
            number: line.number,
            at: text("at").and_then(|at| at.parse().ok()),
            kind: text("event").and_then(|event| event.parse().ok()),
            fields,
        }
    }

    /// A field as text that is safe to show, empty if there is none.
    #[must_use]
    pub fn text(&self, name: &str) -> String {
        self.fields.get(name).map(shown).unwrap_or_default()
    }

    /// A field that is a list, each member safe to show.
    #[must_use]
    pub fn list(&self, name: &str) -> Vec<String> {
        let list = self.fields.get(name).and_then(Value::as_array);
        list.map(|list| list.iter().map(shown).collect()).unwrap_or_default()
    }

    /// What a field that has fields of its own says under a name, safe to show, a list with commas
    /// between; `None` if that is nothing.
    #[must_use]
    pub fn within(&self, name: &str, inner: &str) -> Option<String> {
        match self.fields.get(name)?.get(inner)? {
            Value::Null => None,
            Value::Array(list) => Some(list.iter().map(shown).collect::<Vec<_>>().join(", ")),
            value => Some(shown(value)),
        }
    }

    /// A number, 0 if there is none.
    #[must_use]
    pub fn number(&self, name: &str) -> u64 {
        self.fields.get(name).and_then(Value::as_u64).unwrap_or_default()
    }

    /// What belongs to its event alone, as `name=value`, safe to show.
    #[must_use]
    pub fn details(&self) -> String {
        let own = self.fields.keys().filter(|name| !COMMON.contains(&name.as_str()));
        let shown = own.map(|name| {
            let (name, value) = (visible(name), self.text(name));
            let bare = !value.is_empty() && !value.contains([' ', '"', '=']);
            if bare { format!("{name}={value}") } else { format!("{name}={value:?}") }
        });
        shown.collect::<Vec<_>>().join(" ")
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => visible(text),
        Value::Null => String::new(),
        value => visible(&value.to_string()),
    }
}
