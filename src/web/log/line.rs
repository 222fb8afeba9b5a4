//! One line of the log, ready to render: the same markup on the page and in the event stream.

use std::borrow::Cow;

use askama::Template;

use super::words;
use crate::audit::{Outcome, Reading, visible};
use crate::clock;
use crate::language::Language;
use crate::store::AuditLine;
use crate::web::words::ago;

/// A line for people.
#[derive(Debug)]
pub(super) struct LogRow {
    number: u64,
    /// When, exactly, and in which words.
    at: String,
    date: String,
    ago: String,
    outcome: &'static str,
    outcome_word: Cow<'static, str>,
    sentence: String,
    /// What the engine, the store or a rule said.
    note: Option<String>,
    event: String,
    address: String,
    /// The line as it is stored.
    raw: String,
}

#[derive(Template)]
#[template(path = "log_row.html")]
struct RowHtml<'a> {
    row: &'a LogRow,
    language: Language,
}

impl LogRow {
    /// A line, for a reader.
    pub(super) fn of(line: &AuditLine, language: Language) -> Self {
        let reading = Reading::of(line);
        // What cannot be read did not end well, whatever it was.
        let outcome = reading.text("outcome").parse().unwrap_or(Outcome::Failed);
        Self {
            number: line.number,
            at: reading.at.map_or_else(String::new, |at| at.to_string()),
            date: reading.at.map_or_else(String::new, |at| at.strftime("%F %T UTC").to_string()),
            ago: reading.at.map_or_else(String::new, |at| ago(language, clock::since(at))),
            outcome: outcome.name(),
            outcome_word: words::outcome(language, outcome),
            sentence: words::sentence(language, &reading),
            note: words::note(&reading),
            event: reading.text("event"),
            address: reading.text("address"),
            raw: visible(&line.body),
        }
    }

    /// Its markup.
    pub(super) fn html(&self, language: Language) -> String {
        RowHtml { row: self, language }.render().unwrap_or_default()
    }
}
