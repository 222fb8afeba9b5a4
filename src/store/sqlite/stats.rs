//! Statistics in SQL: one row per subject and slot, its values as little-endian floats.

use rusqlite::types::Type;
use rusqlite::{Connection, Row, params};

use super::failure::Refusal;
use super::rows::{all as rows, run};
use crate::store::{StatPoint, StatSpan};

/// Adds points, forgets those of each span that are older than given, and whole subjects, in one step.
pub(super) fn keep(
    connection: &Connection,
    points: &[StatPoint],
    before: &[(StatSpan, i64)],
    gone: &[String],
) -> Result<(), Refusal> {
    let insert = "INSERT INTO stats (subject, span, at, record) VALUES (?1, ?2, ?3, ?4)
                  ON CONFLICT (subject, span, at) DO UPDATE SET record = excluded.record";
    for point in points {
        run(connection, insert, params![point.subject, point.span.name(), point.at, bytes(&point.values)])?;
    }
    for (span, at) in before {
        run(connection, "DELETE FROM stats WHERE span = ?1 AND at < ?2", params![span.name(), at])?;
    }
    for subject in gone {
        run(connection, "DELETE FROM stats WHERE subject = ?1", [subject])?;
    }
    Ok(())
}

pub(super) fn all(connection: &Connection) -> Result<Vec<StatPoint>, Refusal> {
    Ok(rows(connection, "SELECT * FROM stats ORDER BY subject, span, at", [], point)?)
}

fn point(row: &Row<'_>) -> rusqlite::Result<StatPoint> {
    let span: String = row.get("span")?;
    let span = StatSpan::ALL.into_iter().find(|known| known.name() == span);
    let record: Vec<u8> = row.get("record")?;
    Ok(StatPoint {
        subject: row.get("subject")?,
        // The table's CHECK allows these only.
        span: span.ok_or_else(|| rusqlite::Error::InvalidColumnType(1, "span".to_owned(), Type::Text))?,
        at: row.get("at")?,
        values: floats(&record),
    })
}

fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    let (whole, _rest) = bytes.as_chunks::<4>();
    whole.iter().map(|four| f32::from_le_bytes(*four)).collect()
}
