//! Lists of users as tables of text: what a spreadsheet writes, and what it can open.
//!
//! The first line names the columns, in any order. Commas, semicolons and tabs are told apart by
//! it. A column nobody knows is refused, so that nothing is left out silently. The only file that
//! names `csv`.

mod write;

use std::collections::BTreeSet;

use thiserror::Error;

pub use self::write::{ListedUser, write, write_passwords, write_results, write_rows};
use super::row::{ImportRow, RowFlaw};
use crate::fault::{Answer, Fault};
use crate::language::Sentence;
use crate::secret::Secret;
use crate::session::{LimitsChange, Setting, TemplateName};
use crate::store::Role;

/// The most rows of one list.
pub const MOST_ROWS: usize = 10_000;
/// The most bytes of one list.
pub const MOST_BYTES: usize = 768 * 1024;

/// What a column is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Column {
    Name,
    Role,
    Password,
    PasswordHash,
    Disabled,
    MustChange,
    MaxSessions,
    MaxCpus,
    MaxMemoryMib,
    Templates,
    /// Written by an export, and of no meaning here.
    CreatedAt,
    LastLoginAt,
}

const COLUMNS: [(&str, Column); 12] = [
    ("name", Column::Name),
    ("role", Column::Role),
    ("password", Column::Password),
    ("password_hash", Column::PasswordHash),
    ("disabled", Column::Disabled),
    ("must_change", Column::MustChange),
    ("max_sessions", Column::MaxSessions),
    ("max_cpus", Column::MaxCpus),
    ("max_memory_mib", Column::MaxMemoryMib),
    ("templates", Column::Templates),
    ("created_at", Column::CreatedAt),
    ("last_login_at", Column::LastLoginAt),
];

/// Why a whole list cannot be read; nothing of it is taken.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum SheetFlaw {
    /// Nobody knows this column.
    #[error("the column “{0}” is not known")]
    ColumnUnknown(String),
    /// The header names it twice.
    #[error("the header has the column {0} twice")]
    ColumnTwice(String),
    /// There is nothing in it but at most a header.
    #[error("there is no user in it")]
    Empty,
    /// It is longer than [`MOST_BYTES`].
    #[error("it is longer than {} KiB; take it in in parts", MOST_BYTES / 1024)]
    Long,
    /// It has more rows than [`MOST_ROWS`].
    #[error("it has more than {MOST_ROWS} users")]
    Many,
    /// The header has no column `name`.
    #[error("its first line names no column “name”")]
    NoName,
    /// It is not UTF-8.
    #[error("line {line} is not UTF-8")]
    NotUtf8 {
        /// The first line that is not.
        line: usize,
    },
}

impl Answer for SheetFlaw {
    fn fault(&self) -> Fault {
        Fault::Downstream
    }

    fn code(&self) -> &'static str {
        match self {
            Self::ColumnUnknown(_) => "column_unknown",
            Self::ColumnTwice(_) => "column_twice",
            Self::Empty => "sheet_empty",
            Self::Long => "sheet_long",
            Self::Many => "sheet_many",
            Self::NoName => "column_missing",
            Self::NotUtf8 { .. } => "sheet_not_utf8",
        }
    }

    fn sentence(&self) -> Sentence {
        let known = columns().join(", ");
        match self {
            Self::ColumnUnknown(column) => Sentence::of("problem-sheet-column-unknown")
                .with("column", column.clone())
                .with("known", known),
            Self::ColumnTwice(column) => {
                Sentence::of("problem-sheet-column-twice").with("column", column.clone())
            }
            Self::Empty => Sentence::of("problem-sheet-empty"),
            Self::Long => Sentence::of("problem-sheet-long").with("most", MOST_BYTES / 1024),
            Self::Many => Sentence::of("problem-sheet-many").with("most", MOST_ROWS),
            Self::NoName => Sentence::of("problem-sheet-no-name").with("known", known),
            Self::NotUtf8 { line } => Sentence::of("problem-sheet-not-utf8").with("line", *line),
        }
    }
}
/// The names of the columns that say something.
#[must_use]
pub fn columns() -> Vec<&'static str> {
    let says = |column: &Column| !matches!(column, Column::CreatedAt | Column::LastLoginAt);
    COLUMNS.iter().filter(|(_, column)| says(column)).map(|(name, _)| *name).collect()
}

/// Reads a list. A row that cannot be read is one with a flaw, beside the others.
///
/// # Errors
/// [`SheetFlaw`] if no row can be trusted.
pub fn read(bytes: &[u8]) -> Result<Vec<ImportRow>, SheetFlaw> {
    if bytes.len() > MOST_BYTES {
        return Err(SheetFlaw::Long);
    }
    // One kind of line end, in cells too: lines are counted by it.
    let text = utf8(bytes)?.replace("\r\n", "\n").replace('\r', "\n");
    let text = text.as_str();
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter(text))
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let (mut columns, mut rows) = (None, Vec::new());
    for record in reader.records() {
        // Text that is UTF-8 has no other way to fail.
        let Ok(record) = record else { continue };
        if record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        let Some(columns) = &columns else {
            columns = Some(header(&record)?);
            continue;
        };
        if rows.len() == MOST_ROWS {
            return Err(SheetFlaw::Many);
        }
        rows.push(row(columns, &record, text));
    }
    if rows.is_empty() {
        return Err(SheetFlaw::Empty);
    }
    Ok(rows)
}

fn utf8(bytes: &[u8]) -> Result<&str, SheetFlaw> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        SheetFlaw::NotUtf8 { line: before.iter().filter(|byte| **byte == b'\n').count() + 1 }
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// What separates cells: whichever of the three the header has most of.
fn delimiter(text: &str) -> u8 {
    let header = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let count = |delimiter: u8| header.bytes().filter(|byte| *byte == delimiter).count();
    // Of equals the last wins: a header of one column has none, and takes commas.
    [b'\t', b';', b','].into_iter().max_by_key(|delimiter| count(*delimiter)).unwrap_or(b',')
}

fn header(record: &csv::StringRecord) -> Result<Vec<Column>, SheetFlaw> {
    let mut columns = Vec::with_capacity(record.len());
    for cell in record {
        let name = cell.trim().to_ascii_lowercase();
        let known = COLUMNS.iter().find(|(known, _)| *known == name);
        let shown = || cell.trim().chars().take(40).collect::<String>();
        let (_, column) = known.ok_or_else(|| SheetFlaw::ColumnUnknown(shown()))?;
        if columns.contains(column) {
            return Err(SheetFlaw::ColumnTwice(name));
        }
        columns.push(*column);
    }
    if columns.contains(&Column::Name) { Ok(columns) } else { Err(SheetFlaw::NoName) }
}

fn row(columns: &[Column], record: &csv::StringRecord, text: &str) -> ImportRow {
    let line = record.position().map_or(0, |position| line_of(position, text));
    let mut row = ImportRow { line, ..ImportRow::default() };
    for (column, cell) in columns.iter().zip(record) {
        if fill(&mut row, *column, cell).is_none() {
            let name = COLUMNS.iter().find(|(_, known)| known == column).map_or("", |(name, _)| name);
            row.flaw.get_or_insert(RowFlaw::Cell(name));
        }
    }
    // A spreadsheet may write empty cells after the last one.
    let surplus = record.iter().skip(columns.len()).any(|cell| !cell.trim().is_empty());
    if surplus || record.len() < columns.len() {
        row.flaw = Some(RowFlaw::Cells { found: record.len(), expected: columns.len() });
    }
    row
}

/// The line of a record, which the reader takes to begin with the empty lines before it.
fn line_of(position: &csv::Position, text: &str) -> u64 {
    let from = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let before = text.as_bytes().get(from..).unwrap_or_default();
    position.line() + before.iter().take_while(|byte| **byte == b'\n').count() as u64
}

/// Takes a cell into a row; `None` if it cannot be read. An empty one says nothing.
fn fill(row: &mut ImportRow, column: Column, cell: &str) -> Option<()> {
    let trimmed = cell.trim();
    if trimmed.is_empty() {
        return Some(());
    }
    let limits: &mut LimitsChange = &mut row.limits;
    match column {
        Column::Name => row.name = trimmed.to_owned(),
        Column::Role => row.role = Some(role(trimmed)?),
        // A password may begin or end with a space.
        Column::Password => row.password = Some(Secret::new(cell.to_owned())),
        Column::PasswordHash => row.password_hash = Some(Secret::new(trimmed.to_owned())),
        Column::Disabled => row.disabled = Some(flag(trimmed)?),
        Column::MustChange => row.must_change = Some(flag(trimmed)?),
        Column::MaxSessions => limits.max_sessions = setting(trimmed, max_sessions)?,
        Column::MaxCpus => limits.max_cpus = setting(trimmed, max_cpus)?,
        Column::MaxMemoryMib => limits.max_memory_mib = setting(trimmed, max_memory_mib)?,
        Column::Templates => limits.templates = setting(trimmed, templates)?,
        Column::CreatedAt | Column::LastLoginAt => {}
    }
    Some(())
}

/// A limit that stands in a cell or a form: `default` for the configuration's.
pub fn setting<T>(text: &str, parse: fn(&str) -> Option<T>) -> Option<Setting<T>> {
    if text.eq_ignore_ascii_case("default") { Some(Setting::Follow) } else { parse(text).map(Setting::Own) }
}

/// How many sessions, as people write it.
#[must_use]
pub fn max_sessions(text: &str) -> Option<u32> {
    text.parse().ok().filter(|most| *most <= 10_000)
}

/// How many cores, with a point or a comma.
#[must_use]
pub fn max_cpus(text: &str) -> Option<f64> {
    text.replace(',', ".").parse().ok().filter(|most| (0.0..=1024.0).contains(most))
}

/// How much memory, in MiB.
#[must_use]
pub fn max_memory_mib(text: &str) -> Option<u64> {
    text.parse().ok().filter(|most| *most <= 1 << 40)
}

/// Names of templates with spaces, commas, semicolons or bars between them; `-` for none.
#[must_use]
pub fn templates(text: &str) -> Option<BTreeSet<TemplateName>> {
    if text == "-" {
        return Some(BTreeSet::new());
    }
    let between = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '|');
    text.split(between).filter(|name| !name.is_empty()).map(|name| name.parse().ok()).collect()
}

fn role(text: &str) -> Option<Role> {
    [Role::Admin, Role::User].into_iter().find(|role| role.name().eq_ignore_ascii_case(text))
}

fn flag(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "true" | "1" | "oui" => Some(true),
        "no" | "false" | "0" | "non" => Some(false),
        _ => None,
    }
}
