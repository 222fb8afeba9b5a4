//! The audit in SQL.

use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, params, params_from_iter};

use super::failure::Refusal;
use super::rows::{self, all, one, run, signed};
use crate::audit::{GENESIS, Outcome, chain};
use crate::store::{AuditLine, AuditOrder, AuditSearch};

/// Reads the last line and writes the next in one transaction, so no number is left out or
/// given twice, whoever else writes.
pub(super) fn append(connection: &Connection, body: String) -> Result<AuditLine, Refusal> {
    let last = one(connection, "SELECT * FROM audit ORDER BY number DESC LIMIT 1", [], rows::audit_line)?;
    let prev = last.as_ref().map_or(GENESIS, |line| line.hash.as_str());
    let number = last.as_ref().map_or(0, |line| line.number) + 1;
    let line = AuditLine { number, hash: chain(prev, &body), body };
    let sql = "INSERT INTO audit (number, body, hash) VALUES (?1, ?2, ?3)";
    run(connection, sql, params![signed(number)?, line.body, line.hash])?;
    Ok(line)
}

/// The lines that fit. SQLite picks the index; each has the number behind its column, so that lines
/// come in their order without being sorted.
pub(super) fn find(
    connection: &Connection,
    search: &AuditSearch,
    order: AuditOrder,
    limit: usize,
) -> Result<Vec<AuditLine>, Refusal> {
    let mut terms = Terms::default();
    let events: Vec<_> = search.events.iter().map(|event| event.name().to_owned().into()).collect();
    if !events.is_empty() {
        terms.add(&format!("event IN ({})", vec!["?"; events.len()].join(", ")), events);
    }
    terms.add_some("actor = ?", search.actor.clone());
    terms.add_some("target = ?", search.target.clone());
    // The index leaves out what went well, which is nearly everything.
    match search.outcome {
        Some(Outcome::Ok) => terms.add("outcome = 'ok'", Vec::new()),
        Some(outcome) => terms.add_some("outcome <> 'ok' AND outcome = ?", Some(outcome.name().to_owned())),
        None => {}
    }
    terms.add_some("at >= ?", search.since.map(second));
    terms.add_some("at < ?", search.until.map(second));
    terms.add_some("number > ?", search.after.map(bounded));
    terms.add_some("number < ?", search.before.map(bounded));
    let direction = match order {
        AuditOrder::NewestFirst => "DESC",
        AuditOrder::OldestFirst => "ASC",
    };
    let sql = format!(
        "SELECT number, body, hash FROM audit {} ORDER BY number {direction} LIMIT {}",
        terms.clause(),
        bounded(limit as u64)
    );
    Ok(all(connection, &sql, params_from_iter(terms.values), rows::audit_line)?)
}

/// Appends `body` and removes what is in front of it, if the front is where the caller saw it.
pub(super) fn trim(
    connection: &Connection,
    first: u64,
    through: u64,
    body: String,
) -> Result<AuditLine, Refusal> {
    let sql = "SELECT * FROM audit ORDER BY number LIMIT 1";
    let front = one(connection, sql, [], rows::audit_line)?.map(|line| line.number);
    let sql = "SELECT * FROM audit WHERE number = ?1";
    let last = one(connection, sql, [signed(through)?], rows::audit_line)?;
    if front != Some(first) || last.is_none() {
        return Err(Refusal::Stale);
    }
    let line = append(connection, body)?;
    run(connection, "DELETE FROM audit WHERE number <= ?1", [signed(through)?])?;
    Ok(line)
}

/// What a line has to fit, and the values in it.
#[derive(Default)]
struct Terms {
    texts: Vec<String>,
    values: Vec<Value>,
}

impl Terms {
    fn add(&mut self, text: &str, values: Vec<Value>) {
        self.texts.push(text.to_owned());
        self.values.extend(values);
    }

    fn add_some(&mut self, text: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.add(text, vec![value.into()]);
        }
    }

    fn clause(&self) -> String {
        if self.texts.is_empty() { String::new() } else { format!("WHERE {}", self.texts.join(" AND ")) }
    }
}

/// A time as the column has it.
fn second(at: Timestamp) -> String {
    format!("{at:.0}").trim_end_matches('Z').to_owned()
}

/// What is beyond SQLite's integers is beyond every line.
fn bounded(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
