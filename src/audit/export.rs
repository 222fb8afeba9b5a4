//! The audit as a file that leaves the machine, and proving such a file by itself.
//!
//! Each line of an export carries its number, its hash, and the hash of the line before it. So
//! each line is proven alone, and wherever the next line follows in number, that nothing between
//! them was left out. What a filter left out is counted as gaps, never passed over in silence.

use std::sync::Arc;

use serde::Deserialize;
use serde::de::IgnoredAny;
use thiserror::Error;

use super::verify::{Beginning, beginning};
use super::{GENESIS, Reading, chain, is_obeyed};
use crate::store::{AuditLine, AuditLines, AuditOrder, AuditSearch, StoreError};

const PAGE: usize = 500;

/// The form of an export.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Format {
    /// A table with the common fields apart and the whole line beside them.
    Csv,
    /// One JSON document a line.
    #[default]
    Jsonl,
}

/// An export that is being written, page by page.
pub struct Export {
    lines: Arc<dyn AuditLines>,
    search: AuditSearch,
    format: Format,
    begun: bool,
    /// The line that was written last, or what is in front of the first: number and hash.
    last: Beginning,
    /// How many lines were written.
    lines_written: u64,
}

/// One line of an export.
struct Exported {
    number: u64,
    prev: String,
    hash: String,
    /// As it was hashed, byte for byte.
    line: String,
}

/// The same as a document; the line is taken out of the text as it stands there.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    number: u64,
    prev: String,
    hash: String,
    #[serde(rename = "line")]
    _line: IgnoredAny,
}

/// The columns of a table.
const COLUMNS: [&str; 10] =
    ["number", "at", "event", "outcome", "actor", "address", "target", "line", "prev", "hash"];

impl Export {
    /// An export of the lines that fit `search`, oldest first, as far as they are written now.
    ///
    /// # Errors
    /// They cannot be read.
    pub async fn of(
        lines: Arc<dyn AuditLines>,
        search: AuditSearch,
        format: Format,
    ) -> Result<Self, StoreError> {
        let newest = lines.find_audit(&AuditSearch::default(), AuditOrder::NewestFirst, 1).await?;
        // Not what is appended while it is read: an export of everything would never end.
        let end = newest.first().map_or(0, |line| line.number) + 1;
        let before = Some(search.before.map_or(end, |before| before.min(end)));
        // An audit that cannot be proven is exported all the same; checking the file then tells.
        let nothing = Beginning { number: 0, hash: GENESIS.to_owned() };
        let last = beginning(&*lines).await.unwrap_or(nothing);
        Ok(Self {
            lines,
            search: AuditSearch { before, ..search },
            format,
            begun: false,
            last,
            lines_written: 0,
        })
    }

    /// The next piece of text; `None` at the end.
    ///
    /// # Errors
    /// They cannot be read.
    pub async fn next(&mut self) -> Result<Option<String>, StoreError> {
        let lines = self.lines.find_audit(&self.search, AuditOrder::OldestFirst, PAGE).await?;
        let mut text = String::new();
        if !self.begun && self.format == Format::Csv {
            text.push_str(&csv(&COLUMNS.map(str::to_owned)));
        }
        self.begun = true;
        for line in lines {
            let prev = self.hash_before(line.number).await?;
            self.search.after = Some(line.number);
            self.last = Beginning { number: line.number, hash: line.hash.clone() };
            self.lines_written += 1;
            text.push_str(&match self.format {
                Format::Csv => csv(&row(&line, prev)),
                Format::Jsonl => json(&line, &prev),
            });
        }
        Ok((!text.is_empty()).then_some(text))
    }

    /// How many lines were written so far.
    #[must_use]
    pub fn lines_written(&self) -> u64 {
        self.lines_written
    }

    /// The number of the line that was written last, or of the one in front of the first.
    #[must_use]
    pub fn at(&self) -> u64 {
        self.last.number
    }

    /// No line from this number on will be written.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.search.before.unwrap_or_default()
    }

    /// The hash of the line before this one, which a filter may have left out.
    async fn hash_before(&self, number: u64) -> Result<String, StoreError> {
        if self.last.number + 1 == number {
            return Ok(self.last.hash.clone());
        }
        let before = self.lines.audit(number.saturating_sub(2), 1).await?;
        Ok(before
            .into_iter()
            .find(|line| line.number + 1 == number)
            .map_or_else(String::new, |line| line.hash))
    }
}

fn json(line: &AuditLine, prev: &str) -> String {
    let body = &line.body;
    // What is no JSON was not written by us, and stands there as a text.
    let intact = serde_json::from_str::<IgnoredAny>(body).is_ok() && !body.contains(is_obeyed);
    let body = if intact { body.clone() } else { serde_json::json!(body).to_string() };
    format!("{}{body}}}\n", ahead(line.number, prev, &line.hash))
}

/// What stands before the line in a document.
fn ahead(number: u64, prev: &str, hash: &str) -> String {
    format!("{{\"number\":{number},\"prev\":\"{prev}\",\"hash\":\"{hash}\",\"line\":")
}

fn row(line: &AuditLine, prev: String) -> [String; 10] {
    let reading = Reading::of(line);
    let field = |name| inert(reading.text(name));
    [
        line.number.to_string(),
        field("at"),
        field("event"),
        field("outcome"),
        field("actor"),
        field("address"),
        field("target"),
        line.body.clone(),
        prev,
        line.hash.clone(),
    ]
}

/// A spreadsheet takes what begins so for a formula; an apostrophe makes it text.
#[must_use]
pub fn inert(text: String) -> String {
    if text.starts_with(['=', '+', '-', '@']) { format!("'{text}") } else { text }
}

fn csv(fields: &[String; 10]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(fields).expect("memory takes everything");
    let bytes = writer.into_inner().expect("memory takes everything");
    String::from_utf8(bytes).expect("it was made of texts")
}

/// An export that holds together.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Proven {
    /// How many lines it has.
    pub lines: u64,
    /// The number of the first one.
    pub first: u64,
    /// The number of the last one.
    pub last: u64,
    /// Between how many of its lines others were left out.
    pub gaps: u64,
    /// The hash of the last one.
    pub hash: String,
}

/// Why an export cannot be relied on.
#[derive(Debug, Error)]
#[error("line {line} of the file: {why}")]
pub struct Unproven {
    /// The line of the file, from 1.
    pub line: u64,
    /// What does not fit.
    pub why: String,
}

/// Proves an export, of either form, by itself.
///
/// # Errors
/// [`Unproven`] names the first line of the file that was changed or cannot be read.
pub fn prove(text: &str) -> Result<Proven, Unproven> {
    let mut proven = Proven::default();
    let table = text.starts_with(COLUMNS[0]);
    let lines: Box<dyn Iterator<Item = Result<Exported, Unproven>>> =
        if table { Box::new(of_table(text)) } else { Box::new(of_documents(text)) };
    for (place, exported) in lines.enumerate() {
        let place = place as u64 + 1 + u64::from(table);
        let exported = exported?;
        let unproven = |why: &str| Err(Unproven { line: place, why: why.to_owned() });
        if exported.hash != chain(&exported.prev, &exported.line) {
            return unproven("its hash does not match");
        }
        match (proven.lines, exported.number.checked_sub(proven.last + 1)) {
            (0, _) => proven.first = exported.number,
            (_, None) => return unproven("its number does not follow"),
            (_, Some(0)) if exported.prev != proven.hash => {
                return unproven("it does not follow the line before it");
            }
            (_, Some(0)) => {}
            (_, Some(_)) => proven.gaps += 1,
        }
        (proven.lines, proven.last, proven.hash) = (proven.lines + 1, exported.number, exported.hash);
    }
    Ok(proven)
}

fn of_documents(text: &str) -> impl Iterator<Item = Result<Exported, Unproven>> {
    text.lines().enumerate().map(|(index, text)| {
        let place = index as u64 + 1;
        let read: Result<Document, _> = serde_json::from_str(text);
        let Document { number, prev, hash, _line } = read.map_err(|error| unreadable(place, &error))?;
        let line = text.strip_prefix(&ahead(number, &prev, &hash)).and_then(|rest| rest.strip_suffix('}'));
        let line = line.ok_or_else(|| unreadable(place, &"it is not in the form of an export"))?;
        // A text in its place is what was stored, if that was no JSON.
        let line = serde_json::from_str(line).unwrap_or_else(|_| line.to_owned());
        Ok(Exported { number, prev, hash, line })
    })
}

fn of_table(text: &str) -> impl Iterator<Item = Result<Exported, Unproven>> {
    csv::Reader::from_reader(text.as_bytes()).into_records().enumerate().map(|(index, record)| {
        let place = index as u64 + 2;
        let record = record.map_err(|error| unreadable(place, &error))?;
        let field = |index: usize| record.get(index).unwrap_or_default().to_owned();
        let number = field(0).parse().map_err(|error| unreadable(place, &error))?;
        Ok(Exported { number, prev: field(8), hash: field(9), line: field(7) })
    })
}

fn unreadable(line: u64, error: &dyn std::fmt::Display) -> Unproven {
    Unproven { line, why: format!("it cannot be read: {error}") }
}
