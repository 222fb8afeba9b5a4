//! The audit in SQL.

use rusqlite::{Connection, params};

use super::failure::Refusal;
use super::rows::{self, all, one, run, signed};
use crate::audit::{GENESIS, chain};
use crate::store::AuditLine;

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

pub(super) fn after(connection: &Connection, after: u64, limit: usize) -> Result<Vec<AuditLine>, Refusal> {
    // What is beyond SQLite's integers is beyond every line.
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let sql = "SELECT * FROM audit WHERE number > ?1 ORDER BY number LIMIT ?2";
    Ok(all(connection, sql, params![after, limit], rows::audit_line)?)
}
